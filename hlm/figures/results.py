"""What figures and tables share: the rows of results that they show, and how each stands alone."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hlm.errors import InputError
from hlm.results import read_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from hlm.figures.catalogue import Planned

__all__ = ["attempt", "read_results"]

R = TypeVar("R")


def read_results(
    study: Planned, folder: str | Path, table: str, where: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Read some rows of a table of results, the models in the study's order.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    table : {'measures', 'selection'}
    where : mapping of str to sequence of str
        Column -> the values of the rows to read, which are all that memory holds.
    """
    frame = read_frame(Path(folder) / f"{table}.parquet", where=where)
    order = {model.name: place for place, model in enumerate(study.models)}
    return frame.sort_values("model", key=lambda names: names.map(order), kind="stable")


def attempt(make: Callable[[], R], instead: Callable[[str], R], *, strict: bool = False) -> R:
    """Make a figure or a table, or else a page that says in a sentence why there is none.

    Data that have no such figure say so themselves; anything else may be a fault of the program,
    and the standard error gets its traceback. A file that cannot be read or written and a memory
    that is full are no matter of one page.

    Parameters
    ----------
    make : function
    instead : function
        From the sentence.
    strict : bool
        Let faults of the program through.

    Examples
    --------
    >>> def make():
    ...     raise InputError("no unit has two rows")
    >>> attempt(make, lambda why: f"Shrinkage: {why}")
    'Shrinkage: no unit has two rows.'
    """
    try:
        return make()
    except (OSError, MemoryError):
        raise
    except InputError as error:
        if error.file is not None:
            raise
        return instead(f"{error.problem}.")
    except Exception as error:
        if strict:
            raise
        traceback.print_exc(file=sys.stderr)
        return instead(
            f"cannot be made, by a fault of the program: {type(error).__name__}: {error} "
            "(the log of the job has the traceback)."
        )
