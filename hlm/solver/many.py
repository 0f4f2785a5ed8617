"""The cheapest design that meets goals, or the best one within a budget, in several variables.

Each round fits a `Surface` for each goal about the present design, looks for the cheapest
admissible point of a region about it at which all goals are met, and simulates there and around.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError
from hlm.solver.answer import Answer, Estimate, Tried, Unreached, designs, estimates, normal_of
from hlm.solver.closed import closed_forms
from hlm.solver.ledger import Ledger
from hlm.solver.one import FIRST, SURE, replicate_variance
from hlm.solver.question import Tolerance
from hlm.solver.surface import coordinates, fit_surfaces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hlm.solver.answer import Design
    from hlm.solver.closed import Closed
    from hlm.solver.question import Floats, Goal, Oracle, Point, Predicted, Variable
    from hlm.solver.surface import Surface
    from hlm.solver.tally import Tally

__all__ = ["solve_many"]

DOWN, UP = -0.7, 1.0
"""The region in which a round looks for a better design, in coordinates about the present one."""

WIDEST, NARROWEST, NARROWER = 0.6, 0.3, 0.8
"""A round simulates at these distances from the design, at less in each round."""

VALUES = {1: 20_000, 2: 200, 3: 40}
"""So many values of each variable are looked at together."""

LINE = 81
"""And so many along a line that crosses the contour."""

HERE = 0.6
"""The share of a round's replicates at the design itself."""

FEWEST_ROUNDS = 4
"""After fewer the design is not said to stay."""

LOOKS = 6
"""A round finds the best point so many times at most, each about the one before."""

STEP = 0.02
"""Slopes are differences over it, in coordinates."""


@dataclass(frozen=True)
class _View:
    """The best design as far as is known, and what is left to be known.

    `margin` and `error` are those of the goal that binds, `least` is the least cost without regard
    to steps, and `price` what one unit of the link costs there: the Lagrange multiplier.
    """

    surfaces: tuple[Surface, ...]
    point: Point
    cost: float
    margin: float
    error: float
    least: float
    price: float
    binding: int


def solve_many(
    variables: Sequence[Variable],
    goals: Sequence[Goal],
    oracle: Oracle,
    *,
    cost: Callable[[Floats], Floats],
    budget: float | None = None,
    start: Point | None = None,
    predicted: Predicted | None = None,
    tolerance: Tolerance | None = None,
    most_data_sets: int = 200_000,
    level: float = 0.95,
    confirm: int = 4000,
) -> Answer:
    """Find the cheapest admissible point at which all goals are met, or the best within a budget.

    Parameters
    ----------
    variables : sequence of Variable
        One to three.
    goals : sequence of Goal
    oracle : callable
        Simulates rounds of asks (`Oracle`).
    cost : callable
        The costs of points, (n, v) -> (n,), which grow in each variable.
    budget : float, optional
        With it the least margin of all goals is made as large as can be, at a cost no higher.
    start : Point, optional
        Where to begin.
    predicted : callable, optional
        A closed form of the measures, which may be wrong.
    tolerance : Tolerance, optional
        Half the interval of the cost, as a share of it; with a budget, of the measure, in its own
        units for a share. 1 % where none is given.
    most_data_sets : int
        Of the search and of `confirm` together.
    level : float
        Of the intervals.
    confirm : int
        Replicates at the answer that the fit does not see.

    Returns
    -------
    Answer

    Raises
    ------
    InputError
        The budget does not pay for the smallest design.
    """
    ledger = Ledger(goals, oracle, most_data_sets - confirm)
    relative = (tolerance or Tolerance()).relative
    search = _Search(tuple(variables), ledger, cost, budget, relative, normal_of(level))
    search.closed = closed_forms(variables, ledger.goals, predicted)
    search.begin(start)
    while search.advance():
        pass
    return _answer(search, level=level, confirm=confirm)


class _Search:
    """The rounds of one search."""

    def __init__(
        self,
        variables: tuple[Variable, ...],
        ledger: Ledger,
        cost: Callable[[Floats], Floats],
        budget: float | None,
        relative: float,
        z: float,
    ) -> None:
        self.variables = variables
        self.ledger = ledger
        self.costs = cost
        self.budget = budget
        self.relative = relative
        self.z = z
        self.closed: tuple[Closed | None, ...] = ()
        self.lowest = tuple(one.bounds[0] for one in variables)
        self.centre: Point = self.lowest
        self.view: _View | None = None
        self.ended = False
        least = self.cost(self.lowest)
        if budget is not None and budget < least:
            raise InputError(
                f"the budget {budget:g} does not pay for the smallest design",
                allowed=f"at least {least:g}",
            )

    def cost(self, point: Point) -> float:
        """Return the cost of one point."""
        return float(self.costs(np.array([point], dtype=float))[0])

    def begin(self, start: Point | None) -> None:
        """Simulate the first round, about where the answer may be."""
        if start is None:
            start = self._predicted()
        if start is None:
            start = tuple(one.middle for one in self.variables)
        self.centre = self._nearest(start)
        self.ledger.run(dict.fromkeys([self.centre, *self._around(WIDEST, corners=True)], FIRST))

    def _predicted(self) -> Point | None:
        """Return the best point according to the closed forms."""
        if any(closed is None for closed in self.closed):
            return None
        values = [_spread(one, *one.bounds, VALUES[len(self.variables)]) for one in self.variables]
        points = np.array(list(product(*values)))
        margins = [
            goal.sign * (closed(points) - goal.link(goal.value))
            for goal, closed in zip(self.ledger.goals, self.closed, strict=True)
            if closed is not None
        ]
        return self._best(points, np.min(margins, axis=0))

    def _nearest(self, point: Point) -> Point:
        return tuple(one.nearest(float(x)) for one, x in zip(self.variables, point, strict=True))

    def _moved(self, t: Sequence[float]) -> Point:
        """Return the admissible point nearest to coordinates about the centre."""
        return self._nearest(
            tuple(
                float(one.value(np.array(at), c))
                for one, at, c in zip(self.variables, t, self.centre, strict=True)
            )
        )

    def _around(self, distance: float, *, corners: bool) -> list[Point]:
        """Return points at a distance from the centre: along each axis, or between the axes."""
        n = len(self.variables)
        if corners:
            places = [np.array(signs) / np.sqrt(n) for signs in product((-1.0, 1.0), repeat=n)]
        else:
            places = [sign * axis for axis in np.eye(n) for sign in (-1.0, 1.0)]
        points = [self._moved(list(distance * place)) for place in places]
        return [point for point in dict.fromkeys(points) if point != self.centre]

    def advance(self) -> bool:
        """Look at what is known and simulate one more round; False where the search is over."""
        if self.ledger.seen:
            before, self.view = self.view, self._look()
            self.ended = self._is_over(before, self.view)
            wanted = {} if self.ended else self._wanted(self.view)
        else:
            wanted = self._seek()
        if not (wanted and self.ledger.left):
            return False
        self.ledger.run(wanted)
        return True

    def _seek(self) -> dict[Point, float]:
        """Return larger values where none so far has any measure."""
        before, self.centre = self.centre, self._moved([UP] * len(self.variables))
        return {} if self.centre == before else {self.centre: FIRST}

    def _look(self) -> _View:
        """Fit about the best point, find it again, and so on, within a region of what is known."""
        for _ in range(2):
            region = self._region()
            for _ in range(LOOKS):
                point = self._search(self._fit(), region)
                if point == self.centre:
                    break
                self.centre = point
            view = self._view(self._fit(), self.centre)
            met = self.met()
            if view.margin >= 0.0 or self.budget is not None or not met:
                break
            self.centre = min(met, key=self.cost)
        return view

    def met(self) -> list[Point]:
        """Return the points at which the goals were met beyond doubt."""
        margins = {point: self.ledger.margin(point) for point in self.ledger.seen}
        return [point for point, (margin, error) in margins.items() if margin > SURE * error]

    def _region(self) -> list[tuple[float, float]]:
        region = []
        for one, c in zip(self.variables, self.centre, strict=True):
            low, high = (float(x) for x in one.value(np.array([DOWN, UP]), c))
            unit = one.unit(c)
            region.append((one.nearest(min(low, c - unit)), one.nearest(max(high, c + unit))))
        return region

    def _fit(self) -> tuple[Surface, ...]:
        return fit_surfaces(
            self.ledger.goals, self.variables, self.ledger.seen, self.centre, closed=self.closed
        )

    def _search(self, surfaces: Sequence[Surface], region: list[tuple[float, float]]) -> Point:
        """Return the best admissible point of a region: coarsely, then in full around that."""
        most = VALUES[len(self.variables)]
        for _ in range(3):
            values = [
                _spread(one, low, high, most)
                for one, (low, high) in zip(self.variables, region, strict=True)
            ]
            points = np.array(list(product(*values)))
            best = self._best(points, _least_margin(surfaces, points))
            region = [_about(x, list(some)) for x, some in zip(best, values, strict=True)]
        return best

    def _best(self, points: Floats, margin: Floats) -> Point:
        """Return the cheapest point that meets the goals, or that with the largest margin.

        The latter where none meets them, or of those that a budget pays for.
        """
        costs = self.costs(points)
        if self.budget is not None:
            paid = costs <= self.budget
            order = np.where(paid, margin, -np.inf) if paid.any() else -costs
        elif (margin >= 0.0).any():
            order = np.where(margin >= 0.0, -costs, -np.inf)
        else:
            order = margin
        return tuple(map(float, points[int(np.argmax(order))]))

    def _view(self, surfaces: tuple[Surface, ...], point: Point) -> _View:
        at = np.array([point], dtype=float)
        found = [surface.margin_and_error(at) for surface in surfaces]
        binding = int(np.argmin([m[0] for m, _ in found]))
        margin, error = (float(x[0]) for x in found[binding])
        cost = self.cost(point)
        relaxed = point if self.budget is not None else self._relaxed(surfaces) or point
        slopes, dearer = self._slopes(surfaces[binding], relaxed)
        squares = float(slopes @ slopes)
        price = abs(float(slopes @ dearer)) / squares if squares else 0.0
        left = float(_least_margin(surfaces, np.array([relaxed], dtype=float))[0])
        least = self.cost(relaxed) - price * left
        return _View(surfaces, point, cost, margin, error, least, price, binding)

    def _relaxed(self, surfaces: Sequence[Surface]) -> Point | None:
        """Return the cheapest point about the centre without regard to steps.

        Along the last variable the contour is found by interpolation, for many values of the
        others; None where there is no contour.
        """
        n = len(self.variables)
        axes: list[Floats] = []
        for one, (low, high), many in zip(
            self.variables, self._region(), [VALUES[n]] * (n - 1) + [LINE], strict=True
        ):
            ends = one.coordinate(np.array([low, high]), self.centre[len(axes)])
            t = np.linspace(ends[0], ends[1], many)
            axes.append(one.value(t, self.centre[len(axes)]))
        points = np.array(list(product(*axes)))
        margin = _least_margin(surfaces, points).reshape(-1, LINE)
        lines = points.reshape(-1, LINE, n)
        line, at = np.nonzero((margin[:, :-1] < 0.0) & (margin[:, 1:] >= 0.0))
        below, above = margin[line, at], margin[line, at + 1]
        share = (-below / (above - below))[:, None]
        contour = lines[line, at] + share * (lines[line, at + 1] - lines[line, at])
        edge = lines[margin[:, 0] >= 0.0, 0]
        found = np.vstack([contour, edge])
        return tuple(map(float, found[int(np.argmin(self.costs(found)))])) if len(found) else None

    def _slopes(self, surface: Surface, at: Point) -> tuple[Floats, Floats]:
        """Return how margin and cost grow in each coordinate that is not at an end of its range."""
        near = []
        for k, one in enumerate(self.variables):
            if not one.bounds[0] < at[k] < one.bounds[1]:
                continue
            for t in (-STEP, STEP):
                x = float(one.value(np.array(t), at[k]))
                near.append((*at[:k], x, *at[k + 1 :]))
        if not near:
            return np.zeros(0), np.zeros(0)
        points = np.array(near)
        rise = surface.margin(points).reshape(-1, 2)
        costs = self.costs(points).reshape(-1, 2)
        return np.diff(rise)[:, 0] / (2 * STEP), np.diff(costs)[:, 0] / (2 * STEP)

    def _is_over(self, before: _View | None, view: _View) -> bool:
        """Tell whether the answer is precise and stays, or there is none."""
        if view.point in self.ledger.seen:
            margin, error = self.ledger.margin(view.point)
            if self.budget is None and view.margin < 0.0:
                fails = margin + SURE * error < 0.0 and self.ledger.drawn[view.point] > FIRST
                return fails and not self.met()
            if self.budget is None and view.point == self.lowest and margin > SURE * error:
                return True
        if before is None or self.ledger.rounds < FEWEST_ROUNDS or self._half(view) > 1.0:
            return False
        if self.budget is not None:
            return abs(view.margin - before.margin) <= 2.0 * self.z * before.error
        return abs(view.cost - before.cost) <= 2.0 * self.relative * view.cost

    def _half(self, view: _View) -> float:
        """Return half the width of the interval, in units of what it may be."""
        return self.z * view.error / self._allowed(view)

    def _allowed(self, view: _View) -> float:
        """Return half the width that the interval may have, on the scale of the link."""
        goal = self.ledger.goals[view.binding]
        if self.budget is None:
            return self.relative * view.cost / max(view.price, 1e-9 * view.cost)
        if not goal.share:
            return self.relative
        y = view.margin * goal.sign + goal.link(goal.value)
        return self.relative / max(float(np.exp(-0.5 * y**2) / np.sqrt(2.0 * np.pi)), 0.05)

    def _wanted(self, view: _View) -> dict[Point, float]:
        """Return replicates for a round: more than half of them at the design."""
        goal = self.ledger.goals[view.binding]
        point = min(self.ledger.seen, key=self._distance)
        variance = replicate_variance(goal, self.ledger.tallies[point][view.binding])
        required = variance * (self.z / self._allowed(view)) ** 2
        so_far = self.ledger.data_sets
        lacking = 1.1 * (required - variance / view.error**2)
        n = min(max(lacking, 0.1 * so_far, 2 * FIRST), float(so_far))
        rounds = self.ledger.rounds
        distance = max(WIDEST * NARROWER**rounds, NARROWEST)
        around = self._around(distance, corners=rounds % 2 == 0)
        return {view.point: n * HERE} | {one: n * (1.0 - HERE) / len(around) for one in around}

    def _distance(self, point: Point) -> float:
        t = coordinates(self.variables, np.array([point], dtype=float), self.centre)
        return float((t**2).sum())


def _least_margin(surfaces: Sequence[Surface], points: Floats) -> Floats:
    return np.asarray(np.min([surface.margin(points) for surface in surfaces], axis=0))


def _spread(variable: Variable, low: float, high: float, most: int) -> Floats:
    """Return admissible values from low to high, all of them if they are not too many."""
    if variable.step is not None:
        n = round((high - low) / variable.step) + 1
        if n <= most:
            return np.round(low + variable.step * np.arange(n), 12)
    space = np.geomspace if variable.is_size else np.linspace
    return np.array(sorted({variable.nearest(float(x)) for x in space(low, high, most)}))


def _about(x: float, values: list[float]) -> tuple[float, float]:
    """Return the values on both sides of one of them."""
    k = values.index(x)
    return values[max(k - 1, 0)], values[min(k + 1, len(values) - 1)]


def _answer(search: _Search, *, level: float, confirm: int) -> Answer:
    """Say what was found."""
    ledger, view, goals = search.ledger, search.view, search.ledger.goals
    design, exact, unreached, binding = None, None, None, None
    neighbours: tuple[Design, ...] = ()
    fresh: tuple[Tally, ...] = ()
    smallest = False
    # A design that is only extrapolated, from points that all fail, is none.
    known = search.ended or bool(search.met())
    if view is not None and (search.budget is not None or (view.margin >= 0.0 and known)):
        binding = goals[view.binding]
        smallest = view.point == search.lowest and search.budget is None
        design = designs(view.surfaces, [view.point], [view.cost], level)[0]
        beside = _beside(search.variables, view.point)
        neighbours = designs(view.surfaces, beside, [search.cost(one) for one in beside], level)
        fresh = ledger.fresh(view.point, confirm)
        if search.budget is None:
            half = search.z * view.error * view.price
            exact = Estimate(view.least, view.least - half, view.least + half)
        else:
            exact = estimates(view.surfaces, view.point, level)[view.binding]
    else:
        binding_at = 0 if view is None else view.binding
        seen = ledger.seen
        point = max(seen, key=lambda one: ledger.margin(one)[0]) if seen else max(ledger.tallies)
        unreached = Unreached(goals[binding_at], point, ledger.tallies[point][binding_at])
    return Answer(
        variables=search.variables,
        goals=goals,
        design=design,
        exact=exact,
        admissible=(),
        binding=binding,
        fresh=fresh,
        neighbours=neighbours,
        tried=tuple(Tried(point, tallies) for point, tallies in sorted(ledger.tallies.items())),
        surfaces=view.surfaces if view else (),
        data_sets=ledger.data_sets,
        rounds=ledger.rounds,
        precise=search.ended,
        at_least_size=smallest,
        unreached=unreached,
        level=level,
    )


def _beside(variables: Sequence[Variable], point: Point) -> list[Point]:
    """Return the admissible points one step less and more in each variable."""
    found: list[Point] = []
    for k, one in enumerate(variables):
        if one.step is None:
            continue
        low, high = one.bounds
        for x in (point[k] - one.step, point[k] + one.step):
            found += [(*point[:k], x, *point[k + 1 :])] if low <= x <= high else []
    return found
