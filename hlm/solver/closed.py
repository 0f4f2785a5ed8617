"""A closed form of a measure, as a smooth function that costs little."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import map_coordinates

from hlm.solver.question import FARTHEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.solver.question import Floats, Goal, Predicted, Variable

__all__ = ["Closed", "closed_forms"]

NODES = {1: 129, 2: 33, 3: 13}
"""At so many values of each variable the closed form is computed; between them it is a spline.
What the spline is not exact in is of no matter: the regression is of what it leaves."""


class Closed:
    """A closed form on the scale of its goal's link.

    Examples
    --------
    >>> from hlm.solver import Goal, Variable
    >>> width = Goal("width", 0.4, at_least=False, share=False)
    >>> (closed,) = closed_forms([Variable("units", 4, 400)], [width], lambda p: [4 / p[0] ** 0.5])
    >>> np.exp(closed(np.array([[100.0], [50.0]]))).round(5).tolist()
    [0.4, 0.56569]
    """

    def __init__(self, variables: Sequence[Variable], table: Floats) -> None:
        self.variables = tuple(variables)
        self.table = table

    def __call__(self, points: Floats) -> Floats:
        """Return it at points, (n, v)."""
        n = self.table.shape[0] - 1
        at = []
        for one, x in zip(self.variables, points.T, strict=True):
            low, high = _scale(one, np.array(one.bounds))
            at.append(n * (_scale(one, x) - low) / (high - low or 1.0))
        return np.asarray(map_coordinates(self.table, np.array(at), order=3, mode="nearest"))


def closed_forms(
    variables: Sequence[Variable], goals: Sequence[Goal], predicted: Predicted | None
) -> tuple[Closed | None, ...]:
    """Return the closed form of each goal's measure; None where it lacks a value in the ranges."""
    if predicted is None:
        return (None,) * len(goals)
    nodes = []
    for one in variables:
        low, high = one.bounds
        space = np.geomspace if one.is_size else np.linspace
        nodes.append(np.clip(space(low, high, NODES[len(variables)]), low, high))
    shape = tuple(len(values) for values in nodes)
    values = np.array(
        [predicted(tuple(map(float, point))) for point in product(*nodes)], dtype=float
    )
    tables = [_linked(goal, values[:, place]) for place, goal in enumerate(goals)]
    return tuple(
        None if np.isnan(table).any() else Closed(variables, table.reshape(shape))
        for table in tables
    )


def _linked(goal: Goal, values: Floats) -> Floats:
    """Return values on the scale of the link, not far beyond what simulation can tell."""
    if goal.share:
        return np.clip(goal.links(values), -FARTHEST / 2.0, FARTHEST / 2.0)
    return np.asarray(goal.links(np.where(values > 0.0, values, np.nan)))


def _scale(variable: Variable, x: Floats) -> Floats:
    return np.log(np.maximum(x, variable.bounds[0])) if variable.is_size else np.asarray(x)
