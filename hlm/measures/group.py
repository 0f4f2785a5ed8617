"""All measures of one group of replicates: which rows count, and the formulas over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from hlm.measures import formulas as f
from hlm.measures.formulas import Array, Value
from hlm.measures.ordering import ascending
from hlm.words.policies import OF_POLICIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Rules", "Values", "calibration", "group_measures", "measures_by_policy"]

Values: TypeAlias = "dict[str, Value]"
"""Measures by name, in a fixed order."""

LEVELS = {"rejection_01": 0.01, "rejection_05": 0.05, "rejection_10": 0.10}
"""The levels at which tests of a true hypothesis should reject as often."""

WINSORIZE = 3.0
"""Interquartile ranges from the quartiles at which estimates are clipped."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is done with the estimates of a group.

    Attributes
    ----------
    needs_se : bool
        Whether the measures of the estimates alone leave out those without a standard error.
    winsorize : float
        Winsorized measures clip estimates so many interquartile ranges beyond the quartiles.
    tests_zero : bool
        Whether the intervals test the hypothesis that the term is 0.
    by_t : bool
        Whether its p-values are those of estimate/se.
    """

    needs_se: bool = True
    winsorize: float = WINSORIZE
    tests_zero: bool = True
    by_t: bool = True


def group_measures(columns: Mapping[str, Array], rules: Rules | None = None) -> Values:
    """Return the measures that the columns given allow.

    A replicate is used if its estimate is finite and, where `se` is given and needed, its standard
    error. Limits count wherever there are two, whatever else there is: a profile has limits where
    an sd is 0 and has no standard error. The n of a measure says how many replicates it rests on.
    The order of the replicates does not matter, to the last bit.

    Parameters
    ----------
    columns : mapping of str to ndarray, (n,)
        `estimate` and `true`; perhaps `se`, `df`, `lower` and `upper`, which may be infinite, and
        `reference`, the estimates of the reference method on the same data sets.
    rules : Rules, optional

    Returns
    -------
    dict of str to Value
        In a fixed order. The MCSE of `n_total` and `n_used` is NaN: they are counts.

    Examples
    --------
    >>> values = group_measures(
    ...     {"estimate": np.array([1.0, 2.0, 3.0, np.nan]), "true": np.full(4, 2.5)})
    >>> values["bias"][:3]
    (-0.5, 0.5773502691896258, 3)
    >>> values["n_total"].estimate, values["n_used"].estimate
    (4.0, 3.0)
    """
    return measures_by_policy(columns, {"all": None}, rules)["all"]


def measures_by_policy(
    columns: Mapping[str, Array],
    policies: Mapping[str, NDArray[np.bool_] | None],
    rules: Rules | None = None,
) -> dict[str, Values]:
    """Return the measures of a group under several policies; see `group_measures`.

    Parameters
    ----------
    columns : mapping of str to ndarray, (n,)
    policies : mapping of str to ndarray of bool, (n,), or None
        Which replicates count; None for all. `n_total` is that of all under any policy.
    rules : Rules, optional
    """
    rules = rules or Rules()
    order = _order(columns)
    rows = {name: values[order] for name, values in columns.items()}
    found: dict[str, Values] = {}
    of_all: Values | None = None
    with np.errstate(all="ignore"):
        for policy, mask in policies.items():
            if policy in OF_POLICIES:
                found[policy] = _absent_as_miss(rows, rules)
            elif mask is not None and not mask.all():
                found[policy] = _measures(_some(rows, mask[order]), order.size, rules)
            else:
                of_all = of_all or _measures(rows, order.size, rules)
                found[policy] = of_all
    return found


def _measures(rows: dict[str, Array], n_total: int, rules: Rules) -> Values:
    known = np.isfinite(rows["estimate"])
    with_se = known & np.isfinite(rows["se"]) if "se" in rows else known
    used = with_se if rules.needs_se else known
    n_used = int(np.count_nonzero(used))
    return {
        "n_total": Value(float(n_total), np.nan, n_total),
        "n_used": Value(float(n_used), np.nan, n_used),
        **_point_measures(_some(rows, used), rules),
        **_se_measures(_some(rows, with_se)),
        **_interval_measures(rows, f.mean(rows["estimate"][used]).estimate, rules),
    }


def _order(columns: Mapping[str, Array]) -> NDArray[np.intp]:
    """Return the order of the estimates: sums depend on theirs, and not on the caller's here.

    Rows whose estimates are equal, or missing, are sorted by their other columns.
    """
    others = [values for name, values in columns.items() if name != "estimate"]
    return ascending(columns["estimate"], others)


def _some(rows: dict[str, Array], which: NDArray[np.bool_]) -> dict[str, Array]:
    return rows if which.all() else {name: values[which] for name, values in rows.items()}


def _point_measures(rows: dict[str, Array], rules: Rules) -> Values:
    b, t = rows["estimate"], rows["true"]
    clipped = f.winsorized(b, rules.winsorize)
    measures = {
        "mean": f.mean(b),
        "median": f.median(b),
        "bias": f.bias(b, t),
        "relative_bias": f.relative_bias(b, t),
        "median_bias": f.median_bias(b, t),
        "empirical_se": f.empirical_se(b),
        "mse": f.mse(b, t),
        "rmse": f.rmse(b, t),
        "winsorized_bias": f.bias(clipped, t),
        "winsorized_se": f.empirical_se(clipped),
        "winsorized_rmse": f.rmse(clipped, t),
        "clipped": f.proportion(b != clipped),
    }
    if "reference" in rows:
        paired = np.isfinite(rows["reference"])
        measures["relative_precision"] = f.relative_precision(b[paired], rows["reference"][paired])
    return measures


def _se_measures(rows: dict[str, Array]) -> Values:
    if "se" not in rows:
        return {}
    return {
        "model_se": f.model_se(rows["se"]),
        "relative_error_se": f.relative_error_se(rows["estimate"], rows["se"]),
        "relative_bias_variance": f.relative_bias_variance(rows["estimate"], rows["se"]),
    }


def _interval_measures(rows: dict[str, Array], centre: float, rules: Rules) -> Values:
    if "lower" not in rows:
        return {}
    known = ~(np.isnan(rows["lower"]) | np.isnan(rows["upper"]))
    absent, true = f.proportion(~known), rows["true"]
    rows = _some(rows, known)
    lower, upper, t = rows["lower"], rows["upper"], rows["true"]
    width = upper - lower
    unbounded = f.is_unbounded(width)
    tests = {"rejection": f.rejection(lower, upper)} if rules.tests_zero else {}
    return {
        "coverage": f.coverage(lower, upper, t),
        "below": f.below(upper, t),
        "above": f.above(lower, t),
        "bias_eliminated_coverage": f.bias_eliminated_coverage(lower, upper, centre),
        **tests,
        "ci_width": f.ci_width(width, unbounded),
        "median_ci_width": f.median(width),
        "unbounded": f.proportion(unbounded),
        "absent": absent,
        **(_of_tests(rows, true, rules) if rules.tests_zero else {}),
    }


def _of_tests(rows: dict[str, Array], true: Array, rules: Rules) -> Values:
    """Return the errors of tests of a false hypothesis, or how a true one is rejected."""
    if (true == 0).all():
        if not rules.by_t or "se" not in rows:
            return {}
        return calibration(f.p_values(rows["estimate"], rows["se"], rows.get("df")))
    if not (np.isfinite(true) & (true != 0)).all():
        return {}
    significant = ((rows["lower"] > 0) | (rows["upper"] < 0)) & np.isfinite(rows["estimate"])
    b, t = rows["estimate"][significant], rows["true"][significant]
    return {"type_s": f.type_s(b, t), "type_m": f.type_m(b, t)}


def calibration(p: Array) -> Values:
    """Return how often tests of a true hypothesis reject it, and how far from uniform p is."""
    p = p[~np.isnan(p)]
    distance = f.ks_distance(p)
    return {
        **{name: f.proportion(p < alpha) for name, alpha in LEVELS.items()},
        "ks_distance": distance,
        "ks_p_value": f.ks_p_value(distance),
    }


def _absent_as_miss(rows: dict[str, Array], rules: Rules) -> Values:
    """Return coverage and rejection of all replicates: no interval covers or rejects nothing."""
    n = rows["estimate"].size
    found = {"n_total": Value(float(n), np.nan, n)}
    if "lower" in rows:
        found["coverage"] = f.coverage(rows["lower"], rows["upper"], rows["true"])
        if rules.tests_zero:
            found["rejection"] = f.rejection(rows["lower"], rows["upper"])
    return found
