"""The closed forms of targets at a few designs -> a smooth function of what varies.

A search is helped by it and not led: its regression is of what the closed form leaves. So a few
nodes are enough, at admissible values and close together where the targets are met.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hlm.solver import Goal, Point, Variable

__all__ = ["Predicted", "predicted_by"]

NODES = {1: 9, 2: 6, 3: 4}
"""So many values of each variable at first; of a single one as many again where targets are met."""

DENSE = {1: 513, 2: 65, 3: 17}

FARTHEST = 4.0
"""Beyond it, on the probit scale, all powers are alike to a search."""


class Predicted:
    """Closed forms between nodes; called with a point, it gives a value for each goal.

    Parameters
    ----------
    goals : sequence of Goal
    variables : sequence of Variable
    nodes : sequence of ndarray
        Of each variable, ascending.
    values : ndarray, (n_goals, *n_nodes)
        On the scale of the link.
    """

    def __init__(
        self,
        goals: Sequence[Goal],
        variables: Sequence[Variable],
        nodes: Sequence[NDArray[np.float64]],
        values: NDArray[np.float64],
    ) -> None:
        from scipy.interpolate import PchipInterpolator, RegularGridInterpolator

        self.goals, self.variables = tuple(goals), tuple(variables)
        self.known = [bool(np.isfinite(one).all()) for one in values]
        table = np.where(np.reshape(self.known, (-1, *[1] * len(nodes))), values, 0.0)
        axes = []
        for k, (one, x) in enumerate(zip(variables, nodes, strict=True), start=1):
            at = _scale(one, x)
            axes.append(np.linspace(at[0], at[-1], DENSE[len(variables)]))
            table = PchipInterpolator(at, table, axis=k)(axes[-1])
        self.ends = [(axis[0], axis[-1]) for axis in axes]
        self.between = RegularGridInterpolator(tuple(axes), np.moveaxis(table, 0, -1))

    def links(self, point: Point) -> NDArray[np.float64]:
        """Return the values at a point on the scale of the link; NaN without a closed form."""
        at = [
            float(np.clip(_scale(one, np.array(x)), *ends))
            for one, x, ends in zip(self.variables, point, self.ends, strict=True)
        ]
        return np.where(self.known, self.between(at)[0], np.nan)

    def __call__(self, point: Point) -> list[float]:
        """Return the values at a point, NaN where there is no closed form."""
        return [
            float(goal.unlink(np.array(y)))
            for goal, y in zip(self.goals, self.links(point), strict=True)
        ]

    def margin(self, point: Point) -> float:
        """Return by how much the goals that have a closed form are met, below 0 if one is not."""
        links = self.links(point)
        return min(
            goal.sign * (float(y) - goal.link(goal.value))
            for goal, y, known in zip(self.goals, links, self.known, strict=True)
            if known
        )

    def root(self) -> float | None:
        """Return about where the goals that have a closed form are first met, by one variable."""
        x = np.linspace(*self.ends[0], DENSE[1])
        values = x**2 if self.variables[0].is_size else x
        met = [at for at in map(float, values) if self.margin((at,)) >= 0.0]
        return met[0] if met else None


def predicted_by(
    goals: Sequence[Goal],
    variables: Sequence[Variable],
    closed: Callable[[Sequence[Point]], Sequence[Sequence[float]]],
) -> Predicted | None:
    """Return closed forms as a function of points; None if no goal has one throughout.

    Parameters
    ----------
    goals : sequence of Goal
    variables : sequence of Variable
    closed : callable
        Points -> for each the value of each goal's measure.

    Examples
    --------
    >>> from hlm.solver import Goal, Variable
    >>> width = Goal("width", 0.4, at_least=False, share=False)
    >>> units = Variable("units", 4, 2000, step=2)
    >>> found = predicted_by([width], [units], lambda points: [[4 / x**0.5] for x, in points])
    >>> [round(float(found((n,))[0]), 3) for n in (50.0, 98.0, 200.0)]
    [0.566, 0.404, 0.283]
    """
    nodes = [_spread(one, *one.bounds, NODES[len(variables)]) for one in variables]
    values = _linked(goals, nodes, closed)
    known = np.isfinite(values).reshape(len(goals), -1).all(axis=1)
    if min(map(len, nodes)) == 1 or not known.any():
        return None
    found = Predicted(goals, variables, nodes, values)
    if len(variables) > 1:
        return found
    (x,), (one,) = nodes, variables
    met = np.flatnonzero([found.margin((float(at),)) >= 0.0 for at in x])
    if met.size:
        k = max(int(met[0]), 1)
        nodes = [np.union1d(x, _spread(one, float(x[k - 1]), float(x[k]), NODES[1]))]
        found = Predicted(goals, variables, nodes, _linked(goals, nodes, closed))
    return found


def _spread(one: Variable, low: float, high: float, n: int) -> NDArray[np.float64]:
    """Return admissible values, evenly spread: those of a size by their ratios."""
    space = np.geomspace if one.is_size else np.linspace
    return np.array(sorted({one.nearest(float(x)) for x in space(low, high, n)}))


def _linked(
    goals: Sequence[Goal],
    nodes: Sequence[NDArray[np.float64]],
    closed: Callable[[Sequence[Point]], Sequence[Sequence[float]]],
) -> NDArray[np.float64]:
    """Return the closed forms at all nodes on the scale of the link, (n_goals, *n_nodes)."""
    points = [tuple(map(float, point)) for point in product(*nodes)]
    found = np.array(closed(points), dtype=float).T
    linked = []
    for goal, values in zip(goals, found, strict=True):
        if goal.share:
            safe = np.where(np.isnan(values), np.nan, np.clip(values, 1e-12, 1.0 - 1e-12))
            y = np.array([goal.link(float(v)) if np.isfinite(v) else np.nan for v in safe])
            linked.append(np.clip(y, -FARTHEST, FARTHEST))
        else:
            linked.append(np.log(np.where(values > 0.0, values, np.nan)))
    return np.array(linked).reshape(len(goals), *(len(x) for x in nodes))


def _scale(one: Variable, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where values are on a scale on which the probit of power is nearly straight."""
    return np.asarray(np.sqrt(np.maximum(x, 0.0)) if one.is_size else x)
