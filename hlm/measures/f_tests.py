"""How often F tests reject their hypotheses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.measures.input_table import as_frame, group_rows, names, numbers, require
from hlm.measures.selection import counts_to_rates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = ["rejection_counts", "rejection_rates"]


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
    counts = rejection_counts(tests, by=by, level=level)
    return counts_to_rates(counts[counts["measure"] == "rejection"], "estimate")


def rejection_counts(
    tests: Any,
    *,
    by: str | Sequence[str] | None,
    level: float | Mapping[str, float] = 0.95,
) -> pd.DataFrame:
    """Return what `rejection_rates` does as counts, `hits` of `n` tests, which add up.

    `level` may be one for each model, by its name. Rows of the measure 'n_total' count all tests,
    those that could not be made too.
    """
    import pandas as pd

    frame, keys = as_frame(tests), names(by)
    require(frame, [*(("by", key) for key in keys), ("tests", "p_value")])
    p = numbers(frame, "p_value")
    levels = level if isinstance(level, float) else frame["model"].map(level).to_numpy(float)
    groups = group_rows(frame, keys)
    hits, known = groups.count(p < 1.0 - levels), groups.count(np.isfinite(p))
    total = groups.count(np.ones(len(frame), dtype=bool))
    rejected = groups.labels.assign(measure="rejection", hits=hits, n=known)
    return pd.concat([rejected, groups.labels.assign(measure="n_total", hits=total, n=total)])
