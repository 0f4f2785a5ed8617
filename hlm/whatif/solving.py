"""A study and what is sought -> the design, by simulations that go where they tell most."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.closed_forms import ClosedForm, NoClosedForm, closed_form
from hlm.solver import Goal, Tolerance, solve_many, solve_one
from hlm.solver.cost_expression import read_cost
from hlm.study.design import mean_rows
from hlm.study.ranges import ranges_of
from hlm.study.searches import check_true, points_of, sought_of, true_value
from hlm.whatif.oracle import Oracle, here
from hlm.whatif.pieces import check_cores
from hlm.whatif.predicted import predicted_by
from hlm.whatif.solution import Solution, Solved
from hlm.whatif.tallies import needed_models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hlm.scenario import Scenario
    from hlm.solver import Answer, Point
    from hlm.study import Study
    from hlm.study.ranges import Ranges
    from hlm.study.sought import Sought, Wanted
    from hlm.whatif.oracle import Draw
    from hlm.whatif.predicted import Predicted

__all__ = ["solve"]

OF_CLOSED_FORMS = ("rejection", "ci_width")
"""The measures that may have a closed form."""

MOST_STEPS = 12

PROBED = 200
"""Replicates at both ends of a range that tell in which direction the targets are met."""


def solve(
    study: Study,
    *,
    scenarios: Sequence[Scenario] | None = None,
    cores: int | None = None,
    draw: Draw | None = None,
    told: Callable[[dict[str, Any], int], None] = lambda *_: None,
    **options: Any,
) -> Solution:
    """Find the design that meets targets, for each point of the grid.

    The search is a function of the study and of what is asked, whoever draws: the same question
    has the same answer.

    Parameters
    ----------
    study : Study
    scenarios : sequence of Scenario, optional
        By default all of the study; those that differ only in what varies are one.
    cores : int, optional
        Threads; by default as many as there are processors.
    draw : Draw, optional
        Who draws and fits; by default this process.
    told : callable
        Is given the levels of the grid and the number of data sets so far, as the search goes on.
    **options
        `target`, `vary`, `cost`, `budget`, `model`, `method`, `inference` and `precision`, as in
        the study file; they stand in the place of its own.

    Raises
    ------
    InputError
        Nothing is sought, or there is a mistake in it.

    Examples
    --------
    >>> from hlm import Study
    >>> study = Study.of(
    ...     name="trial", seed=1, replicates=100,
    ...     truth={"formula": "y ~ arm + (1 | school)", "fixed": {"(Intercept)": 0, "arm": 0.5},
    ...            "random": {"school": {"sd": {"(Intercept)": 0.3}}}, "residual": {"sd": 1}},
    ...     design={"units": 20, "rows": 20,
    ...             "covariates": {"arm": {"level": "unit", "balanced": [0, 1]}}},
    ...     models={"trial": "y ~ arm + (1 | school)"},
    ... )
    >>> found = solve(study, target={"power": {"arm": 0.8}}, vary="units", precision=0.1)
    >>> [size] = found.answers[0].point
    >>> 16 <= size <= 22  # 18.2 by noncentral t
    True
    """
    sought = sought_of(study, options)
    check_cores(cores)
    models = needed_models(study.models, sought.wanted)
    wanted = study.scenarios if scenarios is None else tuple(scenarios)
    draw = draw or here(study.seed, cores)
    points = list(points_of(study, sought, {one.key for one in wanted}))
    check_true(study, sought, [place for place, _ in points])
    answers = []
    for place, levels in points:
        begin = monotonic()

        def tell(n: int, levels: dict[str, Any] = levels) -> None:
            told(levels, n)

        question = _Question(study, models, sought, place, levels, draw, tell)
        answers.append(question.answered(begin))
    return Solution(study, sought, tuple(answers))


class _Question:
    """What is sought at one point of the grid."""

    def __init__(
        self,
        study: Study,
        models: Sequence[Any],
        sought: Sought,
        place: int,
        levels: dict[str, Any],
        draw: Draw,
        told: Callable[[int], None],
    ) -> None:
        self.study, self.models, self.sought = study, models, sought
        self.place, self.levels = place, levels
        self.goals = [
            Goal(one.label, one.value, at_least=one.at_least, share=one.is_share)
            for one in sought.wanted
        ]
        self.oracle = Oracle(
            study,
            models,
            sought.wanted,
            ranges_of(study, sought.varied, place),
            scenario=place,
            draw=draw,
            told=told,
        )

    @property
    def ranges(self) -> Ranges:
        """What varies, in the direction of the search."""
        return self.oracle.ranges

    def answered(self, begin: float) -> Solved:
        """Search; `begin` is when that began."""
        if self._is_root:
            self._turn()
        cost = self._cost()
        predicted = predicted_by(self.goals, self.ranges.variables, self._closed_values)
        root = predicted.root() if predicted and self._is_root else None
        answer = self._searched(cost, predicted, root)
        design, lost = answer.design, answer.unreached
        lowest = tuple(one.bounds[0] for one in self.ranges.variables)
        at = design.point if design else lost.point if lost else lowest
        return Solved(
            levels=self.levels,
            ranges=self.ranges,
            answer=answer,
            fresh=self.oracle.latest[design.point] if design else None,
            closed=self._closed(at),
            closed_size=self._closed_size(root)
            if root is not None and predicted and all(predicted.known)
            else None,
            cost=cost,
            no_effect=tuple(
                one.measure == "rejection"
                and true_value(self.study, self.oracle.scenarios([at])[0], one) == 0.0
                for one in self.sought.wanted
            ),
            data_sets=self.oracle.data_sets,
            seconds=monotonic() - begin,
        )

    @property
    def _is_root(self) -> bool:
        """Whether one number is sought, not a cheapest or a best design."""
        return len(self.ranges.variables) == 1 and self.sought.budget is None

    def _searched(
        self,
        cost: Callable[[Any], Any] | None,
        predicted: Predicted | None,
        root: float | None,
    ) -> Answer:
        tolerance = Tolerance(relative=self.sought.precision)
        if self._is_root:
            (variable,) = self.ranges.variables
            # To one unit, though the arms of a trial grow by two.
            tolerance = replace(tolerance, steps=1.0 / (variable.step or 1.0))
            return solve_one(
                variable,
                self.goals,
                self.oracle,
                start=root,
                predicted=predicted,
                tolerance=tolerance,
            )
        assert cost is not None
        return solve_many(
            self.ranges.variables,
            self.goals,
            self.oracle,
            cost=cost,
            budget=self.sought.budget,
            predicted=predicted,
            tolerance=tolerance,
        )

    def _turn(self) -> None:
        """Search from above where the targets are met by small values.

        More units and rows never harm, nor does a larger effect; of another number both ends are
        tried out.
        """
        from hlm import solver

        (one,) = self.ranges.varied
        if one.is_size or one.path.startswith("truth.fixed."):
            return
        low, high = self.ranges.variables[0].bounds
        asks = [solver.Ask((x,), 0, PROBED) for x in (low, high)]
        below, above = (
            min(goal.observed(tally)[0] for goal, tally in zip(self.goals, tallies, strict=True))
            for tallies in self.oracle(asks)
        )
        if below > above:
            self.oracle.turn()

    def _cost(self) -> Callable[[Any], Any] | None:
        """Return the costs of points; units and rows that do not vary are numbers in it."""
        if self.sought.cost is None:
            return None
        scenario = self.study.scenarios[self.place]
        sizes = {"units": scenario.n_units, "rows": mean_rows(scenario.n_rows)}
        fixed = {name: n for name, n in sizes.items() if name not in self.ranges.names}
        whole = read_cost(self.sought.cost, [*self.ranges.names, *fixed])

        def cost(points: Any) -> Any:
            own = np.asarray(points, dtype=float) * self.ranges.signs
            rest = np.broadcast_to(np.array([*fixed.values()], dtype=float), (len(own), len(fixed)))
            return whole(np.hstack([own, rest]))

        return cost

    def _closed_values(self, points: Sequence[Point]) -> list[list[float]]:
        """Return the closed forms of the targets at points, NaN where there is none."""
        self.oracle.scenarios(points)
        return [
            [_value(one, found) for one, found in zip(self.sought.wanted, at, strict=True)]
            for at in map(self._closed, points)
        ]

    def _closed(self, point: Point) -> tuple[ClosedForm | NoClosedForm, ...]:
        """Return the closed form of each target at a point: those of one term are one."""
        (scenario,) = self.oracle.scenarios([point])
        found: dict[tuple[str, ...], ClosedForm | NoClosedForm] = {}
        for one in self.sought.wanted:
            of = (one.model, one.of, one.inference, one.method)
            if one.measure in OF_CLOSED_FORMS and of not in found:
                model = next(model for model in self.study.models if model.name == one.model)
                found[of] = closed_form(
                    scenario, model, one.of, inference=one.inference, method=one.method
                )
        return tuple(
            found[one.model, one.of, one.inference, one.method]
            if one.measure in OF_CLOSED_FORMS
            else NoClosedForm(f"of {one.word} there is none")
            for one in self.sought.wanted
        )

    def _closed_size(self, about: float) -> float | None:
        """Return the smallest admissible value at which the closed forms meet all targets.

        It is looked for step by step from where an interpolation says that it is.
        """
        variable = self.ranges.variables[0]

        def is_met(x: float) -> bool:
            (values,) = self._closed_values([(x,)])
            pairs = zip(self.goals, values, strict=True)
            return all(value > 0.0 and goal.margin(value) >= 0.0 for goal, value in pairs)

        x, unit = variable.ceil(about), variable.unit(about)
        low, high = variable.bounds
        for _ in range(MOST_STEPS):
            below = variable.nearest(x - unit)
            if not is_met(x):
                x = variable.nearest(x + unit)
            elif below == x or not is_met(below):
                return x * self.ranges.signs[0]
            else:
                x = below
            if not low <= x <= high:
                break
        return None


def _value(one: Wanted, found: ClosedForm | NoClosedForm) -> float:
    if isinstance(found, NoClosedForm):
        return nan
    return found.power if one.measure == "rejection" else found.width
