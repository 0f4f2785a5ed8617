"""Whether a measure levels off as a size grows, and at which value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.solver.answer import Estimate

if TYPE_CHECKING:
    from hlm.solver.ledger import Ledger
    from hlm.solver.question import Point, Variable

__all__ = ["KNOWN", "lacking_for_plateau", "plateau_of"]

KNOWN = 2000
"""Replicates of a point that is looked at for a plateau."""

GROWS = 3.0
"""A growth of so many standard errors is one."""


def sizes_for_plateau(variable: Variable) -> list[Point]:
    """Return a quarter, a half and the whole of the largest size; nothing if these are not three.

    Examples
    --------
    >>> from hlm.solver import Variable
    >>> sizes_for_plateau(Variable("rows", 2, 100))
    [(25.0,), (50.0,), (100.0,)]
    """
    high = variable.bounds[1]
    points: list[Point] = [(variable.nearest(high / k),) for k in (4, 2, 1)]
    return points if variable.is_size and len(set(points)) == len(points) else []


def lacking_for_plateau(variable: Variable, ledger: Ledger) -> dict[Point, float]:
    """Return the replicates that are lacking at both ends of a range, and on the way up."""
    points = dict.fromkeys([*sizes_for_plateau(variable), *((x,) for x in variable.bounds)])
    lacking = {one: float(KNOWN - ledger.drawn.get(one, 0)) for one in points}
    return {one: n for one, n in lacking.items() if n > 0.0}


def plateau_of(variable: Variable, ledger: Ledger, place: int, z: float) -> Estimate | None:
    """Return the value to which a goal's measure levels off; None if it grows without end.

    The error of an estimate in units of which each has m rows is sqrt(a + b/m), so its measure
    is y(m) = A - B/m + ... for large m, and its growth from m/2 to m is half of that from m/4 to
    m/2. Where the error falls with 1/sqrt(m), it is 1.41 times as large.

    Parameters
    ----------
    variable : Variable
    ledger : Ledger
    place : int
        Which goal.
    z : float
        Half the interval, in standard errors.

    Returns
    -------
    Estimate or None
        In units of the measure.
    """
    points = sizes_for_plateau(variable)
    if not points or any(one not in ledger.seen for one in points):
        return None
    goal = ledger.goals[place]
    observed = np.array([goal.observed(ledger.tallies[one][place]) for one in points])
    growth, error = observed[1:, 0] - observed[:-1, 0], np.hypot(observed[1:, 1], observed[:-1, 1])
    if growth[1] > max(growth[0], GROWS * error[1]):
        return None
    x = np.array(points)[:, 0]
    X = np.column_stack([np.ones(3), -x[-1] / x]) / observed[:, 1:]
    covariance = np.linalg.inv(X.T @ X)
    margin = float((covariance @ X.T @ (observed[:, 0] / observed[:, 1]))[0])
    error_of = float(np.sqrt(covariance[0, 0]))
    if margin - z * error_of > 0.0:
        return None
    at = goal.link(goal.value) + goal.sign * (margin + z * error_of * np.array([0.0, -1.0, 1.0]))
    value, *limits = goal.unlink(at)
    return Estimate(float(value), float(min(limits)), float(max(limits)))
