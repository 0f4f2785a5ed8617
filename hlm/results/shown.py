"""What figures and tables share: the rows of results that they show, and how each stands alone."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hlm.errors import InputError
from hlm.estimands.kinds import KINDS
from hlm.estimands.model_estimands import catalogue
from hlm.results.files import read_frame
from hlm.words.criteria_words import selected_by
from hlm.words.levels import ORDER, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from hlm.criteria import Selection
    from hlm.figure_choice import FigureChoice
    from hlm.precision import Precision
    from hlm.scenario import Model, Scenario

__all__ = [
    "Planned",
    "attempt",
    "in_order",
    "of_first_policy",
    "read_results",
    "with_inference",
    "with_words",
]

R = TypeVar("R")


class Planned(Protocol):
    """What figures and tables need of a study: `hlm.study.Study` and `hlm.plan.Plan` have it."""

    @property
    def seed(self) -> int:
        """Of all random numbers."""

    def replicates_of(self, key: str) -> int:
        """Return the number of data sets of the scenario with that key."""

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The points of the grid."""

    @property
    def levels(self) -> tuple[dict[str, Any], ...]:
        """For each scenario, short grid name -> level."""

    @property
    def example(self) -> int:
        """Position of the scenario whose first data set the pictures show."""

    @property
    def models(self) -> tuple[Model, ...]:
        """The candidates, in the order of their marks."""

    @property
    def selection(self) -> Selection:
        """How one of them is chosen."""

    @property
    def policies(self) -> tuple[str, ...]:
        """Which replicates count, the one that is shown first."""

    @property
    def precision(self) -> Precision | None:
        """The Monte Carlo standard errors that are asked for."""

    @property
    def figures(self) -> tuple[FigureChoice, ...] | None:
        """The figures that are asked for; None for the usual ones."""


def read_results(
    study: Planned, folder: str | Path, table: str, where: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Read some rows of a table of results, the models in the study's order.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    table : {'measures', 'differences', 'accounting', 'selection'}
    where : mapping of str to sequence of str
        Column -> the values of the rows to read, which are all that memory holds.
    """
    frame = read_frame(Path(folder) / f"{table}.parquet", where=where)
    chosen = [selected_by(criterion) for criterion in study.selection.criteria]
    names = [*(model.name for model in study.models), *chosen]
    order = {name: place for place, name in enumerate(names)}
    frame = frame.sort_values("model", key=lambda names: names.map(order), kind="stable")
    return with_words(frame, study.models) if "term" in frame else frame


def with_words(measures: pd.DataFrame, models: Iterable[Model] = ()) -> pd.DataFrame:
    """Put the columns `WORDS` and `ORDER` beside the terms, unless they are there.

    A term that no model has is called by its name, and is sorted as it comes.

    Examples
    --------
    >>> import pandas as pd
    >>> from hlm.scenario import Model
    >>> measures = pd.DataFrame({"kind": ["sd"], "term": ["sd_x|g"]})
    >>> with_words(measures)[WORDS].item()
    'sd_x|g'
    >>> with_words(measures, [Model("m", "y ~ x + (1 + x | g)")])[WORDS].item()
    'sd x'
    """
    if WORDS in measures:
        return measures
    known = catalogue(models)
    keys = list(zip(measures["kind"], measures["term"], strict=True))
    found = {key: known.get(key) for key in dict.fromkeys(keys)}
    words = {key: key[1] if one is None else one.words for key, one in found.items()}
    order = {key: 0 if one is None else one.order for key, one in found.items()}
    measures = measures.assign(**{WORDS: [words[key] for key in keys]})
    return measures.assign(**{ORDER: [order[key] for key in keys]})


def in_order(measures: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the terms, as (kind, term), in the order of a table.

    Examples
    --------
    >>> import pandas as pd
    >>> kinds, terms = ["sigma", "sd", "coefficient"], ["sigma", "sd_x|g", "x"]
    >>> in_order(with_words(pd.DataFrame({"kind": kinds, "term": terms})))
    [('coefficient', 'x'), ('sd', 'sd_x|g'), ('sigma', 'sigma')]
    """
    kinds = list(KINDS)
    found = measures[["kind", "term", ORDER]].drop_duplicates(["kind", "term"])
    rows = sorted(
        found.itertuples(index=False, name=None), key=lambda row: (kinds.index(row[0]), row[2])
    )
    return [(kind, term) for kind, term, _ in rows]


def with_inference(measures: pd.DataFrame) -> pd.DataFrame:
    """Return measures with the column `inference`, empty where they rest on none.

    Results that were made before there was a choice of inferences have no such column.

    Examples
    --------
    >>> import pandas as pd
    >>> with_inference(pd.DataFrame({"measure": ["bias"]}))["inference"].tolist()
    ['']
    """
    known = measures["inference"].fillna("") if "inference" in measures else ""
    return measures.assign(inference=known)


def of_first_policy(measures: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the policy that comes first, and those that rest on none.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"policy": ["", "all", "converged"], "n": [1, 2, 3]})
    >>> of_first_policy(frame)["n"].tolist()
    [1, 2]
    """
    if "policy" not in measures:
        return measures
    found = [name for name in measures["policy"].drop_duplicates() if name]
    return measures[measures["policy"].isin(["", *found[:1]])]


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
