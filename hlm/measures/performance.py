"""Replicate estimates from anywhere -> the tidy table of performance measures."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError, nearest
from hlm.measures.group import group_measures
from hlm.measures.input_table import as_frame, group_rows, names, numbers, require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from hlm.measures.formulas import Array, Value
    from hlm.measures.input_table import Groups

__all__ = ["measures_of_groups", "performance", "tidy", "with_limits"]


def performance(
    data: Any,
    *,
    estimate: str,
    se: str | None = None,
    true: float | str,
    method: str | None = None,
    by: str | Sequence[str] | None = None,
    ref: Any = None,
    id: str | None = None,  # noqa: A002 - the word of the field's other tools
    df: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Turn replicate estimates into performance measures with Monte Carlo standard errors.

    Parameters
    ----------
    data : pandas frame, Arrow table or stream, or mapping of columns
        One row per estimate, in any order.
    estimate : str
        The column of estimates.
    se : str, optional
        The column of standard errors.
    true : float or str
        The true value, or the column that holds it. It should not vary within a group.
    method : str, optional
        The column that names the method which gave the estimate.
    by : str or list of str, optional
        The columns that define a group, such as the scenario and the term. A column `inference`,
        as in estimates.parquet, does always: there a replicate has a row by each inference.
    ref : optional
        The method with which the others are compared. Needs `method` and `id`.
    id : str, optional
        The column that identifies the data set within a group. Methods are paired by it, never
        by the order of the rows.
    df : str, optional
        The column of degrees of freedom of the t quantile that makes limits from `se`; where it
        is missing, and without it, the normal quantile.
    lower, upper : str, optional
        The columns of interval limits, which take the place of those made from `se`. They may be
        infinite.
    level : float
        Confidence level of the limits made from `se`, between 0 and 1.

    Returns
    -------
    pandas frame
        The `by` columns, the method column, `measure`, `estimate`, `mcse` and `n`, sorted by
        group. A measure is there if the columns that it needs are given, in this order:

        ========================  ===================================================  ==========
        n_total, n_used           replicates; those with a finite estimate (and `se`)
        mean, median              of the estimates
        bias, relative_bias       mean(b) - t; mean((b - t)/t), NaN where t is 0
        median_bias               median(b) - t
        empirical_se              sd(b)
        mse, rmse                 mean((b - t)^2) and its root
        relative_precision        (sd(ref)/sd(b))^2 - 1                                ref
        model_se                  sqrt(mean(s^2))                                      se
        relative_error_se         model_se/empirical_se - 1                            se
        coverage                  share of L <= t <= U                                 se or limits
        bias_eliminated_coverage  share of L <= mean(b) <= U                           se or limits
        rejection                 share of intervals without 0 (p < 1 - level)         se or limits
        ci_width                  mean(U - L), NaN where an interval is unbounded      se or limits
        median_ci_width           median(U - L)                                        se or limits
        unbounded                 share of intervals that are infinite, or more than   se or limits
                                  1000 times as wide as the narrowest tenth
        ========================  ===================================================  ==========

        Shares are proportions, `relative_*` are fractions. `n` is the number of replicates that
        the measure rests on: those used, less those without a partner in the reference method
        (relative precision); for measures of intervals, those with two limits. Where a true value
        is missing, so are the measures that need it. `mcse` is the closed form of
        `hlm.measures.formulas`; of counts it is NaN. What is undefined, such as an sd of one
        value, is NaN. If a `by` column bears the name of an output column (often `n`), that
        output column gets a trailing underscore (`n_`).

    Raises
    ------
    InputError
        If a column is missing or not numeric, a standard error is negative, `ref` is not a method,
        an `id` occurs twice, or `level` is not between 0 and 1.

    Examples
    --------
    >>> import hlm.measures
    >>> data = {"b": [0.9, 1.2, 1.5, 0.8], "s": [0.2, 0.3, 0.2, 0.3]}
    >>> table = hlm.measures.performance(data, estimate="b", se="s", true=1)
    >>> table[table.measure.isin(["bias", "coverage"])].round(4).to_dict("records")
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'measure': 'bias', 'estimate': 0.1, 'mcse': 0.1581, 'n': 4},
     {'measure': 'coverage', 'estimate': 0.75, 'mcse': 0.2165, 'n': 4}]
    """
    frame = as_frame(data)
    keys = names([*names(by), *names(method), *(["inference"] if "inference" in frame else [])])
    named = {"estimate": estimate, "se": se, "df": df, "lower": lower, "upper": upper}
    if isinstance(true, str):
        named["true"] = true
    require(frame, [*named.items(), ("id", id), *(("by, method", key) for key in keys)])
    _check(true, lower, upper, level)
    columns = {role: numbers(frame, name) for role, name in named.items() if name is not None}
    if not isinstance(true, str):
        columns["true"] = np.full(len(frame), true, dtype=float)
    if se is not None:
        _check_standard_errors(columns["se"], se)
    columns = with_limits(columns, level)
    if ref is not None:
        columns["reference"] = _reference(frame, columns, keys, method, ref, id)
    groups = group_rows(frame, keys)
    return tidy(groups.labels, measures_of_groups(groups, columns))


def measures_of_groups(
    groups: Groups, columns: Mapping[str, Array], *, needs_se: bool = True
) -> list[dict[str, Value]]:
    """Return the measures of each group; `columns` are the arrays of `group_measures` by role."""
    return [
        group_measures(
            columns["estimate"][rows],
            true=columns["true"][rows],
            needs_se=needs_se,
            **{role: c[rows] for role, c in columns.items() if role not in ("estimate", "true")},
        )
        for rows in groups.rows()
    ]


def tidy(labels: pd.DataFrame, values: list[dict[str, Value]]) -> pd.DataFrame:
    """Return one row per group and measure: the labels, `measure`, `estimate`, `mcse`, `n`."""
    import pandas as pd

    measures = list(values[0]) if values else []
    table = labels.iloc[np.repeat(np.arange(len(labels)), len(measures))].reset_index(drop=True)
    flat = [value for group in values for value in group.values()]
    results: dict[str, Any] = {
        "measure": pd.Series(measures * len(labels), dtype=str),
        "estimate": np.array([value.estimate for value in flat], dtype=float),
        "mcse": np.array([value.mcse for value in flat], dtype=float),
        "n": np.array([value.n for value in flat], dtype=np.int64),
    }
    return table.assign(
        **{f"{name}_" if name in labels else name: column for name, column in results.items()}
    )


def _check(true: Any, lower: str | None, upper: str | None, level: float) -> None:
    if not isinstance(true, str | Real):
        raise InputError(f"true value {true!r}", path="true", allowed="a number or a column")
    if (lower is None) != (upper is None):
        raise InputError("one limit without the other", path="lower, upper", allowed="both or none")
    if not 0 < level < 1:
        raise InputError(f"level {level!r}", path="level", allowed="a number between 0 and 1")


def _check_standard_errors(values: Array, column: str) -> None:
    negative = np.flatnonzero((values < 0) & np.isfinite(values))
    if len(negative):
        first, more = negative[0], len(negative) - 1
        raise InputError(
            f"the standard error in row {first + 1} of column {column!r} is {values[first]:g}"
            + (f", and {more} more are negative" if more else ""),
            path="se",
            allowed="0 or more; a missing value where there is none",
        )


def with_limits(columns: dict[str, Array], level: float) -> dict[str, Array]:
    """Return the columns with limits estimate -/+ quantile x se, unless they have limits."""
    others = {role: column for role, column in columns.items() if role != "df"}
    if "lower" in columns or "se" not in columns:
        return others
    estimate, se = columns["estimate"], columns["se"]
    known = np.isfinite(estimate) & np.isfinite(se)
    half = np.where(known, _quantile(level, columns.get("df")) * se, np.nan)
    return others | {"lower": estimate - half, "upper": estimate + half}


def _quantile(level: float, df: Array | None) -> float | Array:
    """Return the two-sided quantile of t with `df`, of the normal where it is NaN or infinite."""
    from scipy.special import ndtri, stdtrit

    p = (1 + level) / 2
    normal = float(ndtri(p))
    return normal if df is None else np.where(np.isfinite(df), stdtrit(df, p), normal)


def _reference(
    frame: pd.DataFrame,
    columns: dict[str, Array],
    keys: list[str],
    method: str | None,
    ref: Any,
    id: str | None,  # noqa: A002
) -> Array:
    """Return, for each row, the estimate of method `ref` on the same data set, NaN if none."""
    import pandas as pd

    if method is None or id is None:
        raise InputError(
            f"ref={ref!r} compares methods on the same data sets",
            path="ref",
            allowed="with method= (the column of methods) and id= (the column of data sets)",
        )
    _refuse_repeats(frame, [*keys, id])
    is_ref = (frame[method] == _method_named(frame[method], ref)).to_numpy(bool, na_value=False)
    if "se" in columns:
        is_ref = is_ref & np.isfinite(columns["se"])
    data_set = group_rows(frame, [*(key for key in keys if key != method), id]).codes
    reference = pd.Series(columns["estimate"][is_ref], index=data_set[is_ref])
    return reference.reindex(data_set).to_numpy()


def _method_named(methods: pd.Series, ref: Any) -> Any:
    known = {str(value): value for value in methods.unique()}
    if str(ref) not in known:
        raise InputError(
            f"no method {ref!r} in column {methods.name!r}",
            path="ref",
            allowed=", ".join(known),
            suggestion=nearest(str(ref), known),
        )
    return known[str(ref)]


def _refuse_repeats(frame: pd.DataFrame, keys: list[str]) -> None:
    repeated = frame.duplicated(keys)
    if repeated.any():
        place = ", ".join(f"{k}={v}" for k, v in frame.loc[repeated, keys].iloc[0].items())
        raise InputError(f"more than one estimate of {place}", path="id", allowed="one each")
