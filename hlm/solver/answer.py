"""What a solver found, or why there is nothing to be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.solver.question import Goal, Point, Variable
    from hlm.solver.surface import Surface
    from hlm.solver.tally import Tally

__all__ = [
    "Answer",
    "Design",
    "Estimate",
    "Tried",
    "Unreached",
    "designs",
    "estimates",
    "normal_of",
]


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Design:
    """A point, its cost, and what the fitted surface gives there, for each goal."""

    point: Point
    cost: float | None
    measures: tuple[Estimate, ...]


@dataclass(frozen=True)
class Tried:
    """A point at which the search simulated, with the tallies that the fit has seen."""

    point: Point
    tallies: tuple[Tally, ...]


@dataclass(frozen=True)
class Unreached:
    """Why no point within the ranges, or the budget, is known to meet the goals.

    Attributes
    ----------
    goal : Goal
        The one that is farthest from being met.
    point : Point
        Where it comes nearest.
    best : Tally
        What was simulated there.
    plateau : Estimate or None
        The value to which the measure levels off as the size grows. None where it still grows,
        so that a larger size would reach it, and for more than one variable.
    """

    goal: Goal
    point: Point
    best: Tally
    plateau: Estimate | None = None


@dataclass(frozen=True)
class Answer:
    """What a solver found.

    Attributes
    ----------
    variables : tuple of Variable
    goals : tuple of Goal
    design : Design or None
        The smallest admissible size, or the cheapest admissible point, or the best one within the
        budget, according to the fit; None where there is none.
    exact : Estimate or None
        Before it is rounded to an admissible value: the size at which the goals are met, or
        the least cost at which they are, or the margin within the budget.
    admissible : tuple of float
        The admissible sizes that the interval of `exact` allows, least and greatest; of one
        variable only.
    binding : Goal or None
        The goal that decides.
    fresh : tuple of Tally
        At the answer, of replicates that had no part in finding it.
    neighbours : tuple of Design
        One step less and more in each variable.
    tried : tuple of Tried
    surfaces : tuple of Surface
        The fit of each goal's measure, about the answer.
    data_sets, rounds : int
        All that were simulated, the fresh ones among them.
    precise : bool
        Whether `exact` is as precise as was asked for.
    at_least_size : bool
        The goals are met at the smallest size already.
    unreached : Unreached or None
    level : float
        Of all intervals.
    """

    variables: tuple[Variable, ...]
    goals: tuple[Goal, ...]
    design: Design | None
    exact: Estimate | None
    admissible: tuple[float, ...]
    binding: Goal | None
    fresh: tuple[Tally, ...]
    neighbours: tuple[Design, ...]
    tried: tuple[Tried, ...]
    surfaces: tuple[Surface, ...]
    data_sets: int
    rounds: int
    precise: bool
    at_least_size: bool
    unreached: Unreached | None
    level: float


def normal_of(level: float) -> float:
    """Return the quantile of the normal distribution for two-sided intervals of a level."""
    return float(ndtri(0.5 + level / 2.0))


def estimates(surfaces: Sequence[Surface], point: Point, level: float) -> tuple[Estimate, ...]:
    """Return what surfaces give at a point, with intervals."""
    at, z, found = np.array([point], dtype=float), normal_of(level), []
    for surface in surfaces:
        y, se = surface.predict(at)
        values = surface.goal.unlink(np.array([y[0], y[0] - z * se[0], y[0] + z * se[0]]))
        found.append(Estimate(*map(float, values)))
    return tuple(found)


def designs(
    surfaces: Sequence[Surface],
    points: Sequence[Point],
    costs: Sequence[float | None],
    level: float,
) -> tuple[Design, ...]:
    """Return points with what surfaces give there."""
    return tuple(
        Design(point, cost, estimates(surfaces, point, level))
        for point, cost in zip(points, costs, strict=True)
    )
