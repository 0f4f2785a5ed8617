"""The size at which goals are met, by stochastic root finding in one variable.

Each round fits a `Surface` for each goal about the present root, and simulates on both sides of
it, ever nearer, until the interval of the root is as narrow as was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, pi
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from hlm.solver.answer import Answer, Estimate, Tried, Unreached, designs, normal_of
from hlm.solver.closed import closed_forms
from hlm.solver.ledger import GRAIN, Ledger
from hlm.solver.plateau import KNOWN, lacking_for_plateau, plateau_of
from hlm.solver.question import Tolerance
from hlm.solver.surface import CUBIC, LINEAR, fit_surfaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.solver.answer import Design
    from hlm.solver.question import Floats, Goal, Oracle, Point, Predicted, Variable
    from hlm.solver.surface import Surface
    from hlm.solver.tally import Tally

__all__ = ["solve_one"]

FIRST = 200
"""Replicates of a point that is new."""

SURE = 3.5
"""A point is on one side of the goals for sure if it is so many standard errors away."""

LIKELY = 2.0
"""And so many are enough to hold that the goals can be met at all."""

DECIDED = 0.02
"""At an end of the range the fit decides where its error is so small, on the probit scale."""

LOWEST, HIGHEST = -1.0, 2.0
"""How far beyond what was simulated a round goes: from a quarter to four times as large."""

NEAR, FAR = 0.08, 0.5
"""A round simulates at no less and no more than these distances from the root."""

GRID = 241
"""The curve is looked at in so many places."""

STEP = 0.02
"""The slope is a difference over it, in coordinates."""

FLATTEST = 0.05
"""Plans of further replicates take no slope to be less."""

LOOKS = 4
"""A round finds the root so many times, each about the one before."""


@dataclass(frozen=True)
class _View:
    """Where the root is, as far as is known.

    `root`, `low` and `high` are values of the variable; the root is infinite where the curve does
    not cross the goals. `slope` and `error` are of the margin of the goal that binds, there.
    `between` says that some points fail and larger ones do not.
    """

    surfaces: tuple[Surface, ...]
    root: float
    low: float
    high: float
    slope: float
    error: float
    binding: int
    between: bool

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2.0


def solve_one(
    variable: Variable,
    goals: Sequence[Goal],
    oracle: Oracle,
    *,
    start: float | None = None,
    predicted: Predicted | None = None,
    tolerance: Tolerance | None = None,
    most_data_sets: int = 200_000,
    level: float = 0.95,
    confirm: int = 4000,
) -> Answer:
    """Find the smallest value of a variable at which all goals are met.

    Parameters
    ----------
    variable : Variable
    goals : sequence of Goal
    oracle : callable
        Simulates rounds of asks (`Oracle`).
    start : float, optional
        Where to begin.
    predicted : callable, optional
        A closed form of the measures. The regression is of what it leaves, so it may be wrong;
        the better it is, the fewer rounds there are.
    tolerance : Tolerance, optional
        1 % or one step, whichever is more.
    most_data_sets : int
        Of the search and of `confirm` together.
    level : float
        Of the intervals.
    confirm : int
        Replicates at the answer that the fit does not see.

    Returns
    -------
    Answer

    Examples
    --------
    >>> from statistics import NormalDist
    >>> from hlm.solver import Goal, Tally, Variable, solve_one
    >>> def oracle(asks):
    ...     power = [NormalDist().cdf(0.28 * ask.point[0] ** 0.5 - 1.96) for ask in asks]
    ...     sizes = [ask.stop - ask.first for ask in asks]
    ...     return [(Tally.of_share(round(p * n), n),) for p, n in zip(power, sizes)]
    >>> answer = solve_one(Variable("units", 4, 1000, step=2), [Goal("power[x]", 0.8)], oracle)
    >>> answer.design.point, answer.precise, round(answer.exact.value, 1)
    ((102.0,), True, 100.1)
    """
    ledger = Ledger(goals, oracle, most_data_sets - confirm)
    search = _Search(variable, ledger, predicted, tolerance or Tolerance(), normal_of(level))
    search.begin(start)
    while search.advance():
        pass
    return _answer(search, level=level, confirm=confirm)


class _Search:
    """The rounds of one search."""

    def __init__(
        self,
        variable: Variable,
        ledger: Ledger,
        predicted: Predicted | None,
        tolerance: Tolerance,
        z: float,
    ) -> None:
        self.variable = variable
        self.ledger = ledger
        self.tolerance = tolerance
        self.z = z
        self.low, self.high = variable.bounds
        self.closed = closed_forms([variable], ledger.goals, predicted)
        self.centre = self.low
        self.view: _View | None = None
        self.ended = False
        """Whether it is precise, or decided at an end of the range."""

    def begin(self, start: float | None) -> None:
        """Simulate the first round, on both sides of where the root may be."""
        if start is None:
            start = self._predicted_root()
        if start is None:
            start = self.variable.middle
        self.centre = min(max(start, self.low), self.high)
        self.ledger.run(dict.fromkeys(self._at(np.array([-FAR, FAR])), FIRST))

    def _predicted_root(self) -> float | None:
        """Return the least value at which the closed form meets all goals, the greatest if none."""
        space = np.geomspace if self.variable.is_size else np.linspace
        x = np.clip(space(self.low, self.high, GRID), self.low, self.high)
        margins = [
            goal.sign * (closed(x[:, None]) - goal.link(goal.value))
            for goal, closed in zip(self.ledger.goals, self.closed, strict=True)
            if closed is not None
        ]
        if len(margins) < len(self.closed):
            return None
        met = np.flatnonzero(np.min(margins, axis=0) >= 0.0)
        return float(x[met[0]] if met.size else x[-1])

    def _at(self, t: Floats) -> list[Point]:
        """Return the admissible points nearest to coordinates about the centre, each once."""
        values = self.variable.value(t, self.centre)
        return list(dict.fromkeys((self.variable.nearest(float(x)),) for x in values))

    def advance(self) -> bool:
        """Look at what is known and simulate one more round; False where the search is over."""
        if self.ledger.seen:
            self.view = view = self._look()
            known = view.between and isfinite(view.root)
            wanted = self._refine(view) if known else self._explore(view)
        else:
            wanted = self._seek()
        if not (wanted and self.ledger.left):
            return False
        self.ledger.run(wanted)
        return True

    def _seek(self) -> dict[Point, float]:
        """Return a larger value where none so far has any measure."""
        self.centre = max(self.ledger.tallies)[0]
        return (
            {} if self.centre >= self.high else dict.fromkeys(self._at(np.array([HIGHEST])), FIRST)
        )

    def _sides(self) -> tuple[list[float], list[float], bool]:
        """Return the points that fail for sure, those that do not, and if the root is between.

        It is between where some point fails, by its estimate, and a larger one does not. A point
        at which no replicate has a measure fails.
        """
        margins = {point[0]: self.ledger.margin(point) for point in self.ledger.seen}
        absent = [point[0] for point in self.ledger.tallies if point[0] not in margins]
        fails = absent + [x for x, (m, se) in margins.items() if m + SURE * se < 0.0]
        meets = [x for x, (m, se) in margins.items() if m - SURE * se > 0.0]
        below = absent + [x for x, (m, _) in margins.items() if m < 0.0]
        above = [x for x, (m, _) in margins.items() if m >= 0.0]
        between = bool(below and above) and min(below) < max(above)
        return fails, meets, between

    def _look(self) -> _View:
        """Fit about the root, find it again, and so on."""
        fails, meets, between = self._sides()
        if not between:
            self.centre = self._nearest_met()
        for _ in range(LOOKS):
            surfaces = fit_surfaces(
                self.ledger.goals,
                [self.variable],
                self.ledger.seen,
                (self.centre,),
                degree=CUBIC if between else LINEAR,
                closed=self.closed,
            )
            ends = self.variable.value(np.array([LOWEST, HIGHEST]), self.centre)
            ceiling = min([*meets, self.high, float(ends[1])])
            floor = max([x for x in fails if x < ceiling] + [self.low, float(ends[0])])
            if floor >= ceiling:
                floor, ceiling = self.low, self.high
            sure = floor in fails and ceiling in meets
            view = self._view(surfaces, floor, ceiling, between=between, sure=sure)
            root = min(max(view.root, floor), ceiling)
            moved = abs(float(self.variable.coordinate(np.array(root), self.centre)))
            if not between or moved < NEAR / 4.0:
                break
            self.centre = root or self.centre
        return view

    def _nearest_met(self) -> float:
        """Return the point with the largest margin; of several, that nearest to the goal."""
        margins = {point[0]: self.ledger.margin(point)[0] for point in self.ledger.seen}
        if min(margins.values()) >= 0.0:
            return min(margins, key=lambda x: margins[x])
        return max(margins, key=lambda x: margins[x])

    def _view(
        self,
        surfaces: tuple[Surface, ...],
        floor: float,
        ceiling: float,
        *,
        between: bool,
        sure: bool,
    ) -> _View:
        """Find the root and its interval: where the band about the curve meets the goals.

        Of a measure that jumps the curve may have no root between two points that have it
        between them for `sure`: then it is taken to be halfway.
        """
        ends = self.variable.coordinate(np.array([floor, ceiling]), self.centre)
        t = np.linspace(ends[0], ends[1], GRID)
        x = self.variable.value(t, self.centre)
        margins, errors = _margins(surfaces, x)
        margin = margins.min(axis=0)
        root = _crossing(x, margin, self.centre)
        halved = sure and not isfinite(root)
        if halved:
            root = float(x[GRID // 2])
        within = min(max(root, floor), ceiling)
        above = (margins + self.z * errors).min(axis=0)
        below = (margins - self.z * errors).min(axis=0)
        binding = int(margins[:, np.abs(x - within).argmin()].argmin())
        near = within + STEP * np.array([-1.0, 0.0, 1.0]) * self.variable.scale(within)
        at, error = surfaces[binding].margin_and_error(near[:, None])
        return _View(
            surfaces=surfaces,
            root=root,
            low=floor if halved else _last_fall(x, above, within, floor),
            high=ceiling if halved else _first_rise(x, below, within, ceiling),
            slope=float(at[2] - at[0]) / (2.0 * STEP),
            error=float(error[1]),
            binding=binding,
            between=between,
        )

    def _explore(self, view: _View) -> dict[Point, float]:
        """Return where to go as long as no two points have the root between them."""
        target = view.root
        if not isfinite(target):
            ends = self.variable.value(np.array([LOWEST, HIGHEST]), self.centre)
            ends = np.clip(ends, self.low, self.high)
            margins = _margins(view.surfaces, ends)[0].min(axis=0)
            target = float(ends[int(margins[1] > margins[0])])
            if view.root < 0.0:
                target = float(ends[0])
        point: Point = (self.variable.nearest(target),)
        n = self.ledger.drawn.get(point, 0)
        if n and not view.between and point[0] not in (self.low, self.high):
            unmet = self.ledger.margin((self.centre,))[0] < 0.0
            point = self._beyond(upwards=unmet and view.slope >= 0.0)
            n = self.ledger.drawn.get(point, 0)
        if not (n and self._decided(point)):
            return {point: max(n, FIRST)}
        wanted = {} if self.any_met else lacking_for_plateau(self.variable, self.ledger)
        if not wanted and point in self.ledger.seen:
            margin, error = self.ledger.margin(point)
            self.ended = abs(margin) > SURE * error
        return wanted

    @property
    def any_met(self) -> bool:
        """Whether the goals are met at some point, as far as can be told."""
        margins = [self.ledger.margin(point) for point in self.ledger.seen]
        return any(margin >= LIKELY * error for margin, error in margins)

    def _beyond(self, *, upwards: bool) -> Point:
        """Return a point beyond all that were simulated, or the end of the range."""
        x = (max if upwards else min)(self.ledger.drawn)[0]
        next_one = float(self.variable.value(np.array(FAR if upwards else -FAR), x))
        unit = self.variable.unit(x)
        far = max(next_one, x + unit) if upwards else min(next_one, x - unit)
        return (self.variable.nearest(far),)

    def _decided(self, point: Point) -> bool:
        """Tell whether an end of the range leaves no doubt on which side of the goals it is."""
        if point not in self.ledger.seen:
            return True
        margin, error = self.ledger.margin(point)
        at_end = point[0] in (self.low, self.high)
        return at_end and (abs(margin) > SURE * error or error < DECIDED)

    def _refine(self, view: _View) -> dict[Point, float]:
        """Return replicates on both sides of the root, so that their mean is at the root."""
        root = min(max(view.root, self.low), self.high)
        allowed = self.tolerance.around(root, self.variable)
        if view.half <= allowed:
            self.ended = True
            return {}
        n = self._needed(view, root, allowed)
        unit = self.variable.scale(root)
        distance = min(max(3.0 * view.error / max(view.slope, FLATTEST), NEAR), FAR) * unit
        below = min(self.variable.nearest(root - distance), self.variable.floor(root))
        above = max(self.variable.nearest(root + distance), self.variable.ceil(root))
        if above <= below:
            return {(below,): n}
        share = min(max((above - root) / (above - below), 0.0), 1.0)
        wanted = {(below,): n * share, (above,): n * (1.0 - share)}
        return {point: max(more, GRAIN) for point, more in wanted.items()}

    def _needed(self, view: _View, root: float, allowed: float) -> float:
        """Return how many replicates a round takes: what is lacking, but not many times what is.

        With the variance v of one replicate on the scale of the link, n of them give the root
        the error sqrt(v/n)/slope.
        """
        goal = self.ledger.goals[view.binding]
        point = min(self.ledger.seen, key=lambda one: abs(one[0] - root))
        variance = replicate_variance(goal, self.ledger.tallies[point][view.binding])
        width = allowed / self.variable.scale(root)
        required = variance * (self.z / (max(view.slope, FLATTEST) * width)) ** 2
        lacking = 1.05 * (required - variance / view.error**2)
        so_far = self.ledger.data_sets
        return min(max(lacking, 0.1 * so_far, FIRST), 2.0 * so_far + FIRST)


def replicate_variance(goal: Goal, tally: Tally) -> float:
    """Return the variance of one replicate on the scale of the link, where the goal is just met."""
    if goal.share:
        p = goal.value
        return float(p * (1.0 - p) * 2.0 * pi * np.exp(ndtri(p) ** 2))
    return max(tally.variance / tally.mean**2, 1e-8)


def _margins(surfaces: Sequence[Surface], x: Floats) -> tuple[Floats, Floats]:
    """Return the margins of all goals at values of the variable, and their errors, (g, n)."""
    found = [surface.margin_and_error(x[:, None]) for surface in surfaces]
    return np.array([m for m, _ in found]), np.array([se for _, se in found])


def _crossing(x: Floats, margin: Floats, near: float) -> float:
    """Return where the margin becomes positive; -inf if it is from the start, inf if never.

    Of several such places it is the one nearest to `near`.
    """
    up = np.flatnonzero((margin[:-1] < 0.0) & (margin[1:] >= 0.0))
    if not up.size:
        return -inf if margin[0] >= 0.0 else inf
    roots = x[up] - margin[up] * (x[up + 1] - x[up]) / (margin[up + 1] - margin[up])
    return float(roots[np.abs(roots - near).argmin()])


def _last_fall(x: Floats, upper: Floats, root: float, floor: float) -> float:
    """Return the value below the root under which even the upper band fails the goals."""
    fails = np.flatnonzero((upper < 0.0) & (x <= root))
    if not fails.size:
        return floor
    k = int(fails[-1])
    if k + 1 == len(x):
        return float(x[k])
    return float(x[k] - upper[k] * (x[k + 1] - x[k]) / (upper[k + 1] - upper[k]))


def _first_rise(x: Floats, lower: Floats, root: float, ceiling: float) -> float:
    """Return the value above the root over which even the lower band meets the goals."""
    meets = np.flatnonzero((lower >= 0.0) & (x >= root))
    if not meets.size:
        return ceiling
    k = int(meets[0])
    if k == 0:
        return float(x[0])
    return float(x[k - 1] - lower[k - 1] * (x[k] - x[k - 1]) / (lower[k] - lower[k - 1]))


def _answer(search: _Search, *, level: float, confirm: int) -> Answer:
    """Say what was found."""
    ledger, variable, view = search.ledger, search.variable, search.view
    design, exact = None, None
    admissible: tuple[float, ...] = ()
    neighbours: tuple[Design, ...] = ()
    fresh: tuple[Tally, ...] = ()
    unreached, smallest, binding = None, False, None
    if view is None:
        last = max(ledger.tallies)
        unreached = Unreached(ledger.goals[0], last, ledger.tallies[last][0])
    else:
        root = view.root if view.between else _decided_root(search)
        smallest = root <= search.low
        if root > search.high:
            unreached = _unreached(search, level)
        else:
            point = (variable.ceil(root),)
            low, high = (search.low, search.low) if smallest else (view.low, view.high)
            exact = Estimate(max(root, search.low), low, high)
            admissible = (variable.ceil(low), variable.ceil(high))
            binding = ledger.goals[view.binding]
            design = designs(view.surfaces, [point], [None], level)[0]
            neighbours = designs(view.surfaces, *_beside(variable, point), level)
            fresh = ledger.fresh(point, confirm)
    return Answer(
        variables=(variable,),
        goals=ledger.goals,
        design=design,
        exact=exact,
        admissible=admissible,
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


def _decided_root(search: _Search) -> float:
    """Return the root where no two points have it between them: beyond an end of the range."""
    assert search.view is not None
    if not search.any_met:
        return inf
    return -inf if (search.low,) in search.ledger.seen else search.view.root


def _beside(variable: Variable, point: Point) -> tuple[list[Point], list[None]]:
    """Return the admissible points one step below and above."""
    if variable.step is None:
        return [], []
    low, high = variable.bounds
    beside = (point[0] - variable.step, point[0] + variable.step)
    points: list[Point] = [(x,) for x in beside if low <= x <= high]
    return points, [None] * len(points)


def _unreached(search: _Search, level: float) -> Unreached:
    """Return where the goals are nearest to being met, and whether more would help."""
    ledger = search.ledger
    well = [point for point in ledger.seen if ledger.drawn[point] >= KNOWN]
    point = max(well or ledger.seen, key=lambda one: ledger.margin(one)[0])
    observed = [
        goal.observed(tally)[0]
        for goal, tally in zip(ledger.goals, ledger.tallies[point], strict=True)
    ]
    place = int(np.argmin(observed))
    plateau = plateau_of(search.variable, ledger, place, normal_of(level))
    return Unreached(ledger.goals[place], point, ledger.tallies[point][place], plateau)
