"""How often F tests reject their hypotheses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.measures.input_table import as_frame, group_rows, names, numbers, require
from hlm.measures.selection import counts_to_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["rejection_rates"]


def rejection_rates(
    tests: Any, *, by: str | Sequence[str] | None, level: float = 0.95
) -> pd.DataFrame:
    """Return the share of F tests with p < 1 - level: their power, or their size.

    Parameters
    ----------
    tests : pandas frame, Arrow table or stream, or mapping of columns
        One row per test, with the column `p_value`, as in tests.parquet.
    by : str or list of str, optional
        The columns that define a group, such as scenario, model, method, test and inference.
    level : float

    Returns
    -------
    pandas frame
        The `by` columns, `measure` ('rejection'), `estimate`, `mcse` = sqrt(p(1 - p)/n) and `n`,
        the number of tests that could be made.

    Examples
    --------
    >>> rejection_rates({"p_value": [0.01, 0.3, 0.04, None]}, by=None).round(3).to_dict("records")
    [{'measure': 'rejection', 'estimate': 0.667, 'mcse': 0.272, 'n': 3}]
    """
    frame, keys = as_frame(tests), names(by)
    require(frame, [*(("by", key) for key in keys), ("tests", "p_value")])
    p, groups = numbers(frame, "p_value"), group_rows(frame, keys)
    hits, known = groups.count(p < 1.0 - level), groups.count(np.isfinite(p))
    rejected = groups.labels.assign(measure="rejection", hits=hits, n=known)
    return counts_to_rates(rejected, "estimate")
