"""The rows of a study's results that one figure or one table shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.store import read_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from hlm.figures.catalogue import Planned

__all__ = ["read_results"]


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
