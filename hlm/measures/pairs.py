"""Differences between two contestants on the same replicates, and between two policies.

A difference of two measures has the Monte Carlo standard error of its influence function: with
psi_i and phi_i those of the two (`hlm.measures.influence`) on n replicates that both have,

    MCSE = sd(psi - phi)/sqrt(n).

What is shared by the replicates cancels, so it is usually far below the root of the sum of the two
squared errors. Replicates are paired by their place in the arrays, which is their number.

Two policies are two sets S and A of the replicates of one contestant. A measure that rests on n_S
of N replicates has, as a function of all N, the influence N/n_S psi_i in S and 0 elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.measures import influence
from hlm.measures.formulas import is_unbounded
from hlm.measures.influence import Influence
from hlm.words.policies import OF_POLICIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hlm.measures.formulas import Array
    from hlm.measures.group import Rules

    Columns = Mapping[str, Array]
    Mask = NDArray[np.bool_]

__all__ = ["Difference", "between_contestants", "between_policies"]


class Difference(NamedTuple):
    """A measure of one less that of another, its MCSE, and the replicates it rests on."""

    difference: float
    mcse: float
    n: int


class _Counted(NamedTuple):
    """Which replicates have an estimate, a standard error with it, and two limits."""

    point: Mask
    se: Mask
    limits: Mask

    def common(self, other: _Counted) -> _Counted:
        return _Counted(*(one & two for one, two in zip(self, other, strict=True)))


class _Measured(NamedTuple):
    measure: Influence
    counted: Mask


def between_contestants(
    one: Columns, other: Columns, policy: str, rules: Rules, counted: Mask | None = None
) -> dict[str, Difference]:
    """Return the measures of one contestant less those of another.

    Parameters
    ----------
    one, other : mapping of str to ndarray, (n,)
        `true` and `estimate`, perhaps `se`, `lower` and `upper`; or `rejected`, which is 1, 0 or
        NaN. Those at one place are of the same data set.
    policy : str
    rules : Rules
    counted : ndarray of bool, (n,), optional
        Which replicates count under the policy; all by default.
    """
    if policy in OF_POLICIES:
        pairs = zip(_misses(one, rules).items(), _misses(other, rules).values(), strict=True)
        return {name: _difference(a, b) for (name, a), b in pairs}
    both = _counted(one, counted, rules).common(_counted(other, counted, rules))
    first, second = _measures(one, both, rules), _measures(other, both, rules)
    found = {
        name: _difference(first[name].measure, second[name].measure)
        for name in first
        if name in second
    }
    if both.point.any() and "estimate" in one:
        gain = influence.relative_precision(
            one["estimate"][both.point], other["estimate"][both.point]
        )
        found["relative_precision"] = Difference(gain.estimate, gain.mcse, gain.psi.size)
    return found


def between_policies(
    columns: Columns, masks: Mapping[str, Mask | None], policy: str, against: str, rules: Rules
) -> dict[str, Difference]:
    """Return the measures of a contestant under a policy less those under another one.

    Parameters
    ----------
    columns : mapping of str to ndarray, (n,)
    masks : mapping of str to ndarray of bool, (n,), or None
        The replicates that count under each policy; None for all.
    policy, against : str
    rules : Rules
    """
    first, second = (_under(columns, masks, name, rules) for name in (policy, against))
    return {
        name: _difference(_of_all(first[name]), _of_all(second[name]))._replace(
            n=int(np.count_nonzero(first[name].counted))
        )
        for name in first
        if name in second
    }


def _under(
    columns: Columns, masks: Mapping[str, Mask | None], policy: str, rules: Rules
) -> dict[str, _Measured]:
    if policy in OF_POLICIES:
        every = np.ones(columns["true"].size, dtype=bool)
        return {name: _Measured(one, every) for name, one in _misses(columns, rules).items()}
    return _measures(columns, _counted(columns, masks[policy], rules), rules)


def _counted(columns: Columns, counted: Mask | None, rules: Rules) -> _Counted:
    n = columns["true"].size
    every = np.ones(n, dtype=bool) if counted is None else counted
    none = np.zeros(n, dtype=bool)
    if "rejected" in columns:
        return _Counted(none, none, every & ~np.isnan(columns["rejected"]))
    point = every & np.isfinite(columns["estimate"])
    se = point & np.isfinite(columns["se"]) if "se" in columns else none
    limits = none
    if "lower" in columns:
        limits = every & ~(np.isnan(columns["lower"]) | np.isnan(columns["upper"]))
    needs_se = rules.needs_se and "se" in columns
    return _Counted(se if needs_se else point, se, limits)


def _measures(columns: Columns, counted: _Counted, rules: Rules) -> dict[str, _Measured]:
    """Return every measure with its influence function; none of those that nobody has."""
    with np.errstate(all="ignore"):
        found = {
            **_of_points(columns, counted.point),
            **_of_ses(columns, counted.se),
            **_of_limits(columns, counted.limits, rules),
        }
    return {name: one for name, one in found.items() if one.counted.any()}


def _of_points(columns: Columns, counted: Mask) -> dict[str, _Measured]:
    if "estimate" not in columns:
        return {}
    b, t = columns["estimate"][counted], columns["true"][counted]
    measures = {"empirical_se": influence.empirical_se(b)}
    if not np.isnan(t).any():
        measures = {
            "bias": influence.mean(b - t),
            **measures,
            "mse": influence.mse(b, t),
            "rmse": influence.rmse(b, t),
        }
    return {name: _Measured(one, counted) for name, one in measures.items()}


def _of_ses(columns: Columns, counted: Mask) -> dict[str, _Measured]:
    if "se" not in columns:
        return {}
    b, s = columns["estimate"][counted], columns["se"][counted]
    measures = {
        "model_se": influence.model_se(s),
        "relative_error_se": influence.relative_error_se(b, s),
    }
    return {name: _Measured(one, counted) for name, one in measures.items()}


def _of_limits(columns: Columns, counted: Mask, rules: Rules) -> dict[str, _Measured]:
    if "rejected" in columns:
        return {"rejection": _Measured(influence.mean(columns["rejected"][counted]), counted)}
    if "lower" not in columns:
        return {}
    lower, upper, t = (columns[name][counted] for name in ("lower", "upper", "true"))
    width = upper - lower
    bounded = np.isnan(width).sum() == 0 and not is_unbounded(width).any()
    measures = _hits(lower, upper, t, rules)
    measures["ci_width"] = influence.mean(width if bounded else np.full(width.size, np.nan))
    return {name: _Measured(one, counted) for name, one in measures.items()}


def _hits(lower: Array, upper: Array, t: Array, rules: Rules) -> dict[str, Influence]:
    """Return coverage and rejection; an interval without limits covers and rejects nothing."""
    hits = {}
    if not np.isnan(t).any():
        hits["coverage"] = influence.mean((lower <= t) & (t <= upper))
    if rules.tests_zero:
        hits["rejection"] = influence.mean((lower > 0) | (upper < 0))
    return hits


def _misses(columns: Columns, rules: Rules) -> dict[str, Influence]:
    """Return coverage and rejection of all replicates."""
    if "rejected" in columns:
        return {"rejection": influence.mean(columns["rejected"] == 1)}
    if "lower" not in columns:
        return {}
    return _hits(columns["lower"], columns["upper"], columns["true"], rules)


def _of_all(measured: _Measured) -> Influence:
    """Return an influence on the measure as a function of all replicates."""
    estimate, psi = measured.measure
    spread = np.zeros(measured.counted.size)
    spread[measured.counted] = psi * (measured.counted.size / psi.size)
    return Influence(estimate, spread)


def _difference(one: Influence, other: Influence) -> Difference:
    gap = Influence(one.estimate - other.estimate, one.psi - other.psi)
    return Difference(gap.estimate, gap.mcse, gap.psi.size)
