"""A measure at some values of a number -> the value at which a goal is met, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from hlm.errors import InputError
from hlm.precision import SHARES
from hlm.solver import Goal, Variable
from hlm.solver.surface import fit_surface

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hlm.solver import Tally
    from hlm.solver.surface import Surface

__all__ = ["SELECTION", "Met", "goal_of", "is_share", "where_met"]

SELECTION = "selection"
"""The rate at which a criterion chooses a model, which is no measure of a term."""

Z = 1.959963984540054
MOST_STEPS = 20
SETTLED = 1e-3
FINE = 200
CUBIC_FROM = 4
"""Values from which a curve is taken as cubic; as a line if there are fewer."""


@dataclass(frozen=True)
class Met:
    """Where a goal is met.

    Attributes
    ----------
    at : float
        By the curve that is fitted to all values.
    low, high : float or None
        Its 95 % interval; None where that goes beyond the values.
    admissible : int or None
        The least whole number, or multiple of the steps between values, at which it is met; None
        where the number need not be whole.
    """

    at: float
    low: float | None
    high: float | None
    admissible: int | None


def is_share(measure: str) -> bool:
    """Tell whether a measure is a proportion of replicates."""
    return measure in SHARES or measure == SELECTION


def goal_of(measure: str, value: float) -> Goal:
    """Return the goal that a measure reaches a value: from above for widths and errors.

    Raises
    ------
    InputError
        No measure of this kind has such a value.
    """
    share = is_share(measure)
    if not 0.0 < value < (1.0 if share else inf):
        allowed = "between 0 and 1" if share else "above 0"
        raise InputError(f"{value} is not allowed", path="target", allowed=allowed)
    return Goal(measure, value, at_least=share, share=share)


def where_met(variable: Variable, goal: Goal, tallies: Mapping[float, Tally]) -> Met | None:
    """Return where a goal is met between values of a number; None where it is not.

    A smooth curve is fitted to all values about the place itself (`hlm.solver.surface`); the
    interval is where the band about the curve meets the goal.

    Parameters
    ----------
    variable : Variable
    goal : Goal
    tallies : mapping of float to Tally
        Value -> what was simulated there.

    Examples
    --------
    >>> from statistics import NormalDist
    >>> from hlm.solver import Tally
    >>> def power(n):
    ...     return NormalDist().cdf(0.28 * n**0.5 - 1.96)
    >>> seen = {n: Tally.of_share(round(10000 * power(n)), 10000) for n in (50, 80, 110, 140)}
    >>> found = where_met(Variable("units", 50, 140), goal_of("rejection", 0.8), seen)
    >>> round(found.at, 1), found.low < 100.1 < found.high, found.admissible
    (100.1, True, 101)
    """
    seen = {float(x): tally for x, tally in tallies.items() if tally.n}
    values = sorted(seen)
    margins = [goal.observed(seen[x])[0] for x in values]
    ups = [k for k in range(len(values) - 1) if margins[k] < 0.0 <= margins[k + 1]]
    if not ups:
        return None
    k = ups[0]
    share = margins[k] / (margins[k] - margins[k + 1])
    at = values[k] + share * (values[k + 1] - values[k])
    for _ in range(MOST_STEPS):
        surface = _fitted(variable, goal, seen, at)
        found = _root(surface, values, at, 0.0)
        if found is None:
            return None
        moved, at = abs(found - at), found
        if moved <= SETTLED * abs(at):
            break
    low, high = _root(surface, values, at, Z), _root(surface, values, at, -Z)
    whole = None if variable.step is None else round(variable.ceil(at))
    return Met(at, low, high, whole)


def _fitted(variable: Variable, goal: Goal, seen: Mapping[float, Tally], at: float) -> Surface:
    degree = 3 if len(seen) >= CUBIC_FROM else 1
    points: dict[tuple[float, ...], Tally] = {(x,): tally for x, tally in seen.items()}
    return fit_surface(goal, [variable], points, (at,), degree=degree)


def _root(surface: Surface, values: list[float], near: float, z: float) -> float | None:
    """Return where the margin, z errors higher, becomes positive: the place nearest to `near`."""
    x = np.linspace(values[0], values[-1], FINE)
    margin, error = surface.margin_and_error(x[:, None])
    y = margin + z * error
    ups = np.flatnonzero((y[:-1] < 0.0) & (y[1:] >= 0.0))
    if not ups.size:
        return None
    k = int(ups[np.abs(x[ups] - near).argmin()])

    def shifted(value: float) -> float:
        at, se = surface.margin_and_error(np.array([[value]]))
        return float(at[0] + z * se[0])

    return float(brentq(shifted, x[k], x[k + 1]))
