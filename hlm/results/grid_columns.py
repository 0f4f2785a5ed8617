"""The factors of a study's grid, among the columns of its results."""

from __future__ import annotations

from typing import Any

import pandas as pd

from hlm.results.schemas import SCENARIOS, SUMMARIES
from hlm.words.levels import OF_FIT, ORDER, WORDS

__all__ = ["factors", "levels", "numeric"]

_RESULTS = {
    *(name for schema in (*SUMMARIES.values(), SCENARIOS) for name in schema.names),
    *("n_total", "unbounded", "key", "row", WORDS, ORDER, OF_FIT),
}


def factors(frame: pd.DataFrame) -> list[str]:
    """Return the columns that are factors of the grid: not results, and with several levels.

    Examples
    --------
    >>> factors(pd.DataFrame({"units": [10, 30], "rows": 5, "model": "m", "estimate": 0.0}))
    ['units']
    """
    return [str(c) for c in frame if c not in _RESULTS and len(levels(frame[c])) > 1]


def levels(column: pd.Series) -> list[Any]:
    """Return the levels of a factor: numbers by size, others as they come.

    Examples
    --------
    >>> levels(pd.Series([30, 10, 30]))
    [10, 30]
    >>> levels(pd.Series(["t", "normal"]))
    ['t', 'normal']
    """
    found = column.drop_duplicates().tolist()
    return sorted(found) if numeric(column) else found


def numeric(column: pd.Series) -> bool:
    """Tell whether a factor can be an axis with distances."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
