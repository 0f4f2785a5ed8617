"""What a report says of a study, from its plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hlm.distributions import STANDARD_NORMAL, written
from hlm.uncertain import written_prior
from hlm.words.fitting import METHODS
from hlm.words.inferences import way_of
from hlm.words.levels import level_words, said
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.plan.plan import Plan
    from hlm.scenario import Model, Scenario
    from hlm.uncertain import Prior

__all__ = ["summary"]

MOST_LEVELS, ENDS = 12, 4


def summary(plan: Plan) -> dict[str, Any]:
    """Return what a report says of a study, as builtin types that a template can write.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    dict
        `study`, `hash`, `seed`; the numbers of `replicates` (the largest of a scenario),
        `scenarios` and `fits`, and what was `done` so often, in words; the `precision` that the
        study asks for and whether it has it, as a sentence; the formula of the `truth` and its
        `values`, (term, value,
        whether the grid varies it), with the distributions that are not normal, at the point of
        the grid that `example` names; the factors of the `grid`, (factor, levels); the `models`,
        (name, formula, the way in which they are fitted); the `tests`, (name, hypothesis); the
        `versions` of what made the numbers.
    """
    fits = sum(len(model.methods) for model in plan.models)
    versions = json.loads(plan.metadata()["versions"])
    return {
        "study": plan.study,
        "hash": plan.hash,
        "seed": plan.seed,
        "replicates": plan.replicates,
        "scenarios": len(plan.scenarios),
        "fits": plan.all_replicates * fits,
        "done": _done(plan, plan.all_replicates * fits),
        "precision": _precision(plan),
        "truth": plan.scenarios[plan.example].formula,
        "values": [*_true_values(plan), *_distributions(plan)],
        "example": ", ".join(said(*level) for level in plan.levels[plan.example].items()),
        "grid": [(said(name), _levels(plan, name)) for name in plan.levels[0]],
        "models": [_model(model) for model in plan.models],
        "tests": _tests(plan),
        "versions": [f"{name} {number}" for name, number in versions.items()],
    }


def _done(plan: Plan, fits: int) -> str:
    """Say what was drawn and fitted, and how often."""
    points, models = len(plan.scenarios), len(plan.models)
    at = f"at each of {points:,} points of a grid, " if points > 1 else ""
    numbers = [plan.replicates_of(scenario.key) for scenario in plan.scenarios]
    drawn = counted(max(numbers), "data set was", "data sets were")
    if min(numbers) < max(numbers):
        drawn = f"{min(numbers):,} to {drawn}"
    to = noun(max(numbers), "it", "each of them")
    fitted = counted(models, "model was fitted", "models were fitted")
    return f"{at}{drawn} drawn from the truth, and to {to} {fitted}: {counted(fits, 'fit')}"


def _precision(plan: Plan) -> str:
    """Say when there were data sets enough, and where there never were; '' of a fixed number."""
    if plan.precision is None or plan.standing is None:
        return ""
    targets = ", ".join(f"{target.key} {target.mcse:g}" for target in plan.precision.targets)
    said = f"Data sets were drawn until these Monte Carlo standard errors were reached: {targets}"
    missed = len(plan.standing.missed)
    if not missed:
        return f"{said}."
    most = f"{plan.precision.at_most:,} data sets"
    return (
        f"{said}; at {counted(missed, 'point')} of the grid {most}, the most allowed, are too few."
    )


def _true_values(plan: Plan) -> list[tuple[str, str, bool]]:
    """Return each term, its true value, and whether scenarios differ in it."""
    from hlm.estimands.drawn_parameters import drawn_parameters
    from hlm.estimands.model_estimands import rank
    from hlm.estimands.true_values import parameters_of

    here = parameters_of(plan.scenarios[plan.example])
    distinct = {(s.formula, s.fixed, s.sd, s.cor, s.sigma): s for s in plan.scenarios}
    values: dict[str, set[float]] = {}
    for scenario in distinct.values():
        for target in parameters_of(scenario):
            values.setdefault(target.term, set()).add(target.true)
    drawn = drawn_parameters(plan.scenarios[plan.example])
    return [
        (
            target.estimand.words,
            _with_prior(level_words(target.true), drawn.get(target.term)),
            len(values[target.term]) > 1,
        )
        for target in sorted(here, key=lambda target: rank(target.estimand))
    ]


def _with_prior(value: str, prior: Prior | None) -> str:
    """Write a value, and how it is drawn for each data set where it is uncertain."""
    return value if prior is None else f"{value}, drawn from {written_prior(prior, digits=5)}"


def _distributions(plan: Plan) -> list[tuple[str, str, bool]]:
    """Return the distributions that are not normal everywhere, as `_true_values` does values."""
    here, normal = plan.scenarios[plan.example], {written(STANDARD_NORMAL)}
    shapes = {
        "random effects": (_effects(here), {_effects(one) for one in plan.scenarios}),
        "residuals": (written(here.residuals), {written(one.residuals) for one in plan.scenarios}),
    }
    return [
        (f"distribution of the {what}", shape, len(everywhere) > 1)
        for what, (shape, everywhere) in shapes.items()
        if everywhere != normal
    ]


def _effects(scenario: Scenario) -> str:
    """Say how the random effects are distributed: all together, or each in the formula's order."""
    shapes = [written(shape) for shape in scenario.shapes]
    together = shapes[0] if len(set(shapes)) == 1 else ", ".join(shapes)
    return f"{together}, by a copula" if scenario.dependence == "copula" else together


def _levels(plan: Plan, name: str) -> str:
    levels = list(dict.fromkeys(level_words(level[name]) for level in plan.levels))
    if len(levels) > MOST_LEVELS:
        levels[ENDS:-ENDS] = ["..."]
    return ", ".join(levels)


def _tests(plan: Plan) -> list[tuple[str, str]]:
    """Return each test with its hypothesis, named as in the first model that has it."""
    from hlm.estimands.kinds import RatioTestOf
    from hlm.estimands.model_estimands import estimands_of

    found: dict[str, str] = {}
    for model in plan.models:
        for name, coefficients in model.tests:
            found.setdefault(name, _hypothesis(coefficients))
    for model in plan.models:
        for one in estimands_of(model):
            if isinstance(one, RatioTestOf):
                hypothesis = f"{_hypothesis(one.zeros)} (likelihood ratio)"
                found.setdefault(one.test.name, hypothesis)
    return list(found.items())


def _hypothesis(zeros: Sequence[str]) -> str:
    return f"{', '.join(zeros)} {noun(len(zeros), 'is', 'are')} 0"


def _model(model: Model) -> dict[str, str]:
    methods = " and ".join(METHODS[method] for method in model.methods)
    draws = f" ({model.bootstrap} draws)" if model.bootstrap else ""
    return {
        "name": model.name,
        "formula": model.formula,
        "way": f"by {methods}, with {way_of(model.df, model.limits, model.level)}{draws}",
    }
