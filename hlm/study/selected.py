"""The selection of a study: its criteria, and the order of models along which tests choose."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from hlm.criteria import OF_TESTS, USUAL, Selection, Step
from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.column_links import link_columns
from hlm.estimands.kinds import parameters_of
from hlm.formula import formula_in, terms_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Covariate, Method, Model, Scenario
    from hlm.study.schema import Selection as Spec

__all__ = ["selection_of"]

METHODS: tuple[Method, ...] = ("reml", "ml")


def selection_of(
    spec: Spec | None, models: Sequence[Model], scenarios: Sequence[Scenario]
) -> Selection:
    """Return how a study chooses one of its models.

    Parameters
    ----------
    spec : hlm.study.schema.Selection or None
        As in the file.
    models : sequence of Model
    scenarios : sequence of Scenario
        Whether models are nested is looked at in the first; without one nothing is.

    Raises
    ------
    InputError
        At the paths of all that is wrong.
    """
    if spec is None:
        return USUAL
    with Mistakes() as mistakes:
        if len(models) < 2:
            problem, allowed = "there is one model to choose from", "two models or more"
            mistakes.add(InputError(problem, path="selection", allowed=allowed))
        mistakes.keep(_check_once, spec.criteria, "selection.criteria", "criterion")
        steps = () if mistakes.found else _steps(spec, models, scenarios, mistakes)
    return Selection(
        tuple(spec.criteria), steps, spec.direction, spec.alpha, spec.estimate == "selected"
    )


def _check_once(names: Sequence[str], path: str, what: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"'{twice[0]}' is there twice", path=path, allowed=f"each {what} once")


def _steps(
    spec: Spec, models: Sequence[Model], scenarios: Sequence[Scenario], mistakes: Mistakes
) -> tuple[Step, ...]:
    """Return the steps of the order, which are of tests only."""
    tests = [name for name in spec.criteria if name in OF_TESTS]
    by_name = {model.name: model for model in models}
    if spec.order is not None:
        if not tests:
            problem = "an order of models without likelihood-ratio tests"
            allowed = f"with lrt or lrt-mixture among criteria: [{', '.join(spec.criteria)}, lrt]"
            mistakes.add(InputError(problem, path="selection.order", allowed=allowed))
        if not mistakes.passes(_check_order, spec.order, by_name):
            return ()
    if not tests or not scenarios:
        return ()
    order = spec.order or sorted(by_name, key=lambda name: len([*_parameters(by_name[name])]))
    chain = [by_name[name] for name in order]
    covariates = scenarios[0].covariates
    steps = [mistakes.keep(_step, *pair, covariates) for pair in pairwise(chain)]
    found = tuple(step for step in steps if step is not None)
    if len(found) < len(chain) - 1:
        return ()
    if "lrt-mixture" in tests:
        mistakes.keep(_check_mixtures, chain, found)
    whole = Selection(steps=found)
    fitted = {method: [one.name for one in chain if method in one.methods] for method in METHODS}
    if not any(whole.tests_by(method, names) for method, names in fitted.items()):
        mistakes.add(
            InputError(
                "no method has fits of all models of the order that can be tested against each "
                "other: those by REML have different fixed parts",
                path="selection.criteria",
                allowed="likelihood-ratio tests with estimation.methods: [ml]",
            )
        )
    return found


def _parameters(model: Model) -> Sequence[object]:
    return [*parameters_of(terms_of(model))]


def _check_order(order: Sequence[str], models: dict[str, Model]) -> None:
    with Mistakes() as mistakes:
        for place, name in enumerate(order):
            if name not in models:
                mistakes.add(
                    InputError(
                        f"there is no model '{name}'",
                        path=f"selection.order[{place}]",
                        allowed=", ".join(models),
                        suggestion=nearest(name, models),
                    )
                )
        mistakes.keep(_check_once, order, "selection.order", "model")
        if len(order) < 2:
            problem, allowed = f"an order of {len(order)} model", "two models or more"
            mistakes.add(InputError(problem, path="selection.order", allowed=allowed))


def _step(small: Model, large: Model, covariates: tuple[Covariate, ...]) -> Step:
    """Return the step between two models of which one is the other less some terms."""
    own, other = terms_of(small), terms_of(large)
    df = len(_parameters(large)) - len(_parameters(small))
    if df <= 0 or not _is_nested(small, large, covariates):
        turned = f"{large.name}, {small.name}" if _is_nested(large, small, covariates) else None
        raise InputError(
            f"'{small.name}' ({small.formula}) is not '{large.name}' ({large.formula}) less some "
            "terms",
            path="selection.order",
            allowed="models from the smallest to the largest, each within the next",
            suggestion=turned,
        )
    boundary = len(other.effects) > len(own.effects)
    return Step(small.name, large.name, df, boundary, sorted(own.fixed) == sorted(other.fixed))


def _is_nested(small: Model, large: Model, covariates: tuple[Covariate, ...]) -> bool:
    """Tell whether the columns of one are combinations of the other's, covariances too.

    Effects that are correlated in the smaller model are so in the larger one.
    """
    own, other = (formula_in(model.formula, covariates) for model in (small, large))
    fixed = link_columns(covariates, other.fixed, own.fixed)
    random = link_columns(covariates, other.effects, own.effects)
    if not (fixed.spanned.all() and random.spanned.all()):
        return False
    blocks = terms_of(large).blocks
    if len(blocks) == 1:
        return True
    block_of = {name: place for place, block in enumerate(blocks) for name in block}
    return all(
        all(name in block_of for name in block) and len({block_of[name] for name in block}) == 1
        for block in terms_of(small).blocks
    )


def _check_mixtures(chain: Sequence[Model], steps: Sequence[Step]) -> None:
    """Refuse the mixture where more than one variance is added."""
    for step, (small, large) in zip(steps, pairwise(chain), strict=True):
        added = len(terms_of(large).effects) - len(terms_of(small).effects)
        if added > 1:
            raise InputError(
                f"from '{step.smaller}' to '{step.larger}' {added} variances are added, "
                "and there is a mixture for one only",
                path="selection.criteria",
                allowed="lrt, or a model between the two in the order",
            )
