"""Replicate estimates from anywhere -> the tidy table of performance measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.measures.given import check_pairing, method_named, read_given
from hlm.measures.group import WINSORIZE, Rules, measures_by_policy
from hlm.measures.input_table import group_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from hlm.measures.formulas import Array
    from hlm.measures.given import Given
    from hlm.measures.group import Values

__all__ = ["performance"]


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
    winsorize: float = WINSORIZE,
    policies: Sequence[str] | None = None,
    converged: str | None = None,
    singular: str | None = None,
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
    winsorize : float
        Winsorized measures are of estimates that are clipped so many interquartile ranges beyond
        the quartiles.
    policies : sequence of str, optional
        Which replicates count, each in turn: 'all', 'converged', 'nonsingular' (converged, and not
        singular), or 'absent_as_miss' (of coverage and rejection only: all replicates count, and
        one without limits covers and rejects nothing). The table then has a column `policy`.
    converged, singular : str, optional
        The columns that say which fits converged and which are singular, for policies.

    Returns
    -------
    pandas frame
        The `by` columns, the method column, `measure`, `estimate`, `mcse`, `mcse_robust` and `n`,
        sorted by group. A measure is there if the columns that it needs are given, in this order:

        ========================  ===================================================  ==========
        n_total, n_used           replicates; those with a finite estimate (and `se`)
        mean, median              of the estimates
        bias, relative_bias       mean(b) - t; mean((b - t)/t), NaN where t is 0
        median_bias               median(b) - t
        empirical_se              sd(b)
        mse, rmse                 mean((b - t)^2) and its root
        winsorized_bias,          bias, sd and RMSE of the clipped estimates
        winsorized_se,
        winsorized_rmse
        clipped                   share of estimates that were clipped
        relative_precision        (sd(ref)/sd(b))^2 - 1                                ref
        model_se                  sqrt(mean(s^2))                                      se
        relative_error_se         model_se/empirical_se - 1                            se
        relative_bias_variance    mean(s^2)/var(b) - 1                                 se
        coverage                  share of L <= t <= U                                 se or limits
        below, above              shares of U < t and of L > t                         se or limits
        bias_eliminated_coverage  share of L <= mean(b) <= U                           se or limits
        rejection                 share of intervals without 0 (p < 1 - level)         se or limits
        ci_width                  mean(U - L), NaN where an interval is unbounded      se or limits
        median_ci_width           median(U - L)                                        se or limits
        unbounded                 share of intervals that are infinite, or more than   se or limits
                                  1000 times as wide as the narrowest tenth
        absent                    share of replicates without limits                   se or limits
        type_s, type_m            of intervals without 0, where t is not 0: share on   se or limits
                                  the wrong side of 0; mean(abs(b)/abs(t))
        rejection_01, _05, _10    where t is 0: shares of p < 0.01, 0.05, 0.10, p by   se
                                  estimate/se and `df`
        ks_distance, ks_p_value   where t is 0: distance of the distribution of p      se
                                  from the uniform one, and its p-value
        ========================  ===================================================  ==========

        Shares are proportions, `relative_*` are fractions. `n` is the number of replicates that
        the measure rests on: those used, less those without a partner in the reference method
        (relative precision); for measures of intervals, those with two limits. Where a true value
        is missing, so are the measures that need it. `mcse` is the closed form of
        `hlm.measures.formulas`, and `mcse_robust` one that assumes no distribution: they differ
        for `empirical_se`, `winsorized_se`, `relative_precision` and `relative_error_se`. Of
        counts and of distances both are NaN. What is undefined, such as an sd of one
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
    [{'measure': 'bias', 'estimate': 0.1, 'mcse': 0.1581, 'mcse_robust': 0.1581, 'n': 4},
     {'measure': 'coverage', 'estimate': 0.75, 'mcse': 0.2165, 'mcse_robust': 0.2165, 'n': 4}]
    """
    given = read_given(
        data,
        {
            "estimate": estimate,
            "se": se,
            "df": df,
            "lower": lower,
            "upper": upper,
            "converged": converged,
            "singular": singular,
            "id": id,
        },
        true=true,
        by=by,
        method=method,
        level=level,
        winsorize=winsorize,
        policies=policies or ("all",),
    )
    columns = dict(given.columns)
    if ref is not None:
        columns["reference"] = _reference(given, method, ref, id)
    groups, rules = group_rows(given.frame, given.keys), Rules(winsorize=winsorize)
    values = [
        measures_by_policy(
            {role: column[rows] for role, column in columns.items()},
            {name: None if mask is None else mask[rows] for name, mask in given.masks.items()},
            rules,
        )
        for rows in groups.rows()
    ]
    return _tidy(groups.labels, values, with_policy=policies is not None)


def _tidy(
    labels: pd.DataFrame, values: Sequence[Mapping[str, Values]], *, with_policy: bool
) -> pd.DataFrame:
    """Return one row per group, policy and measure: labels, then the values."""
    import pandas as pd

    flat = [
        (place, policy, name, value)
        for place, of_group in enumerate(values)
        for policy, measures in of_group.items()
        for name, value in measures.items()
    ]
    places = np.array([row[0] for row in flat], dtype=np.intp)
    results: dict[str, Any] = {"policy": pd.Series([row[1] for row in flat], dtype=str)}
    results |= {"measure": pd.Series([row[2] for row in flat], dtype=str)}
    for name, of, kind in (
        ("estimate", "estimate", float),
        ("mcse", "mcse", float),
        ("mcse_robust", "robust", float),
        ("n", "n", np.int64),
    ):
        results[name] = np.array([getattr(row[3], of) for row in flat], dtype=kind)
    if not with_policy:
        del results["policy"]
    table = labels.iloc[places].reset_index(drop=True)
    return table.assign(
        **{f"{name}_" if name in labels else name: column for name, column in results.items()}
    )


def _reference(given: Given, method: str | None, ref: Any, id: str | None) -> Array:  # noqa: A002
    """Return, for each row, the estimate of method `ref` on the same data set, NaN if none."""
    import pandas as pd

    check_pairing(given, method, ref, id)
    frame, columns = given.frame, given.columns
    is_ref = (frame[method] == method_named(frame[method], ref)).to_numpy(bool, na_value=False)
    if "se" in columns:
        is_ref = is_ref & np.isfinite(columns["se"])
    data_set = group_rows(frame, [*(key for key in given.keys if key != method), str(id)]).codes
    reference = pd.Series(columns["estimate"][is_ref], index=data_set[is_ref])
    return reference.reindex(data_set).to_numpy()
