"""The candidate models, their names and the true values that a user gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, isclose
from typing import TYPE_CHECKING

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.model_estimands import rows_of
from hlm.estimands.true_values import targets
from hlm.estimands.unit_coefficients import unit_columns
from hlm.formula import formula_in, terms_in
from hlm.inference import COEFFICIENTS, wants_bootstrap
from hlm.scenario import Model, Scenario
from hlm.study import schema
from hlm.study.asked import check_kinds, kinds_asked, names_asked, with_own
from hlm.study.f_tests import tests_of
from hlm.study.ratio_tests import named_tests, ratio_tests_of
from hlm.study.truth import read_formula

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hlm.formula import Formula, Levels
    from hlm.study.schema import Estimation, Method, StudyFile

__all__ = [
    "Candidate",
    "check_levels",
    "check_predictions",
    "check_true_values",
    "check_variables",
    "methods_of",
    "models_of",
]

METHODS: tuple[Method, ...] = ("reml", "ml")


@dataclass(frozen=True)
class Candidate:
    """A formula of the study, where it stands, and the methods it is fitted by, if known."""

    name: str
    path: str
    formula: Formula
    methods: tuple[Method, ...] = ()


def models_of(
    study: StudyFile, levels: Mapping[str, Levels], mistakes: Mistakes
) -> tuple[Model, ...]:
    """Read the models of a study, with the defaults of its estimation.

    A model is left out if its formula is wrong; of its true values those that are of no term.
    """
    found = [
        mistakes.keep(_model, name, spec, study.estimation, levels, mistakes)
        for name, spec in study.models.items()
    ]
    models = tuple(one for one in found if one is not None)
    mistakes.keep(_check_df, study.estimation)
    if len(models) < len(found):
        return models
    mistakes.keep(check_kinds, study.estimation.estimands, models)
    mistakes.keep(_check_bootstrap, study.estimation, models)
    return with_own(study.estimation.estimands, models, mistakes)


DRAWS = 199
"""Of a bootstrap, where nothing is said: the 5th and the 195th are 95 % limits."""


def _draws(estimation: Estimation) -> int:
    """Return how many data sets are drawn from each fit: none where nothing rests on them."""
    wanted = wants_bootstrap(_names(estimation.df), _names(estimation.limits))
    return (estimation.bootstrap or DRAWS) if wanted else 0


def _check_bootstrap(estimation: Estimation, models: Sequence[Model]) -> None:
    """Refuse draws that nothing rests on, and so few that they have no such percentiles."""
    path, draws = "estimation.bootstrap", _draws(estimation)
    if estimation.bootstrap is not None and not draws:
        df, limits = (", ".join(_names(one)) for one in (estimation.df, estimation.limits))
        raise InputError(
            "neither df nor limits are by bootstrap",
            path=path,
            allowed=f"it with df: [{df}, bootstrap] or limits: [{limits}, bootstrap]",
        )
    # The first of B draws, in order, is at the share 1 / (B + 1), which (1 - level) / 2 must reach
    least = ceil(round(2.0 / (1.0 - max(model.level for model in models)), 6)) - 1
    if draws and draws < least:
        level = max(model.level for model in models)
        raise InputError(
            f"{draws} draws do not have the percentiles of {100 * level:g} % limits",
            path=path,
            allowed=f"{least} or more",
        )


def _check_df(estimation: Estimation) -> None:
    """Refuse F tests without degrees of freedom."""
    if estimation.tests and not any(name in COEFFICIENTS for name in _names(estimation.df)):
        raise InputError(
            "the limits by profile likelihood have no degrees of freedom for F tests",
            path="estimation.tests",
            allowed="an entry of df that has some, or likelihood ratio tests (estimation.lrt)",
        )


def _model(
    name: str,
    spec: str | schema.Candidate,
    estimation: Estimation,
    levels: Mapping[str, Levels],
    mistakes: Mistakes,
) -> Model:
    if isinstance(spec, str):
        path, own = f"models.{name}", schema.Candidate(formula=spec)
    else:
        path, own = f"models.{name}.formula", spec
    formula = read_formula(own.formula, path=path, levels=levels)
    model = Model(
        name,
        formula.text,
        methods_of(spec, estimation),
        _names(estimation.df),
        own.level or estimation.level,
        _names(estimation.limits),
        tests_of(formula, estimation.tests),
        kinds_asked(estimation.estimands),
        bootstrap=_draws(estimation),
        lrt=ratio_tests_of(formula, named_tests(estimation.lrt)),
        terms=terms_in(formula),
        predictions=estimation.predictions,
    )
    terms = [one.name for one in rows_of(model)]
    _refuse_one_name(model, terms, path)
    terms += names_asked(estimation.estimands)
    true = tuple(
        (term, value)
        for term, value in own.true.items()
        if mistakes.passes(_check_term, term, terms, name)
    )
    return replace(model, true=true)


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    """Return one name, or several, as several."""
    return (value,) if isinstance(value, str) else tuple(value)


def methods_of(spec: str | schema.Candidate, estimation: Estimation) -> tuple[Method, ...]:
    """Return the methods by which a model is fitted, in their usual order."""
    own = None if isinstance(spec, str) else spec.methods
    return tuple(method for method in METHODS if method in (own or estimation.methods))


def _refuse_one_name(model: Model, terms: Sequence[str], path: str) -> None:
    """Refuse two terms of one name."""
    for name in terms:
        if terms.count(name) > 1:
            raise InputError(
                f"two terms of the model '{model.name}' have the name '{name}'",
                path=path,
                allowed="covariates whose names, joined by dots, are no other's",
            )


def _check_term(term: str, terms: Sequence[str], model: str) -> None:
    """Refuse a true value of what a model does not estimate."""
    if term not in terms:
        raise InputError(
            f"the model '{model}' has no term '{term}'",
            path=f"models.{model}.true.{term}",
            allowed=", ".join(terms),
            suggestion=nearest(term, terms),
        )


def check_true_values(model: Model, scenarios: Sequence[Scenario]) -> None:
    """Refuse true values that the user gives and that follow from the truth in all scenarios.

    Where they follow in some, as where coefficients of the truth are 0, they are of the others.

    Raises
    ------
    InputError
        At the paths of the values.
    """
    given, bare = dict(model.true), replace(model, true=())
    own = {*(e.name for e in model.expressions), *(c.name for c in model.comparisons)}
    found = [targets(scenario, bare) for scenario in scenarios] if given else []
    with Mistakes() as mistakes:
        for of_term in zip(*found, strict=True):
            term = of_term[0].term
            if term not in given or not all(target.follows for target in of_term):
                continue
            if term in own:  # it may be for another model, in which none follows
                continue
            others = [t.true for t in of_term if not isclose(given[term], t.true, rel_tol=1e-9)]
            if others:
                mistakes.add(
                    InputError(
                        f"the true value of '{term}' is {others[0]:.6g}, which follows from "
                        f"the truth, not {given[term]:.6g}",
                        path=f"models.{model.name}.true.{term}",
                        allowed="values of terms that hlm check shows without one, or as targets",
                    )
                )


def check_predictions(models: Sequence[Model], scenarios: Sequence[Scenario]) -> None:
    """Refuse predictions where nothing true can be held against them.

    Raises
    ------
    InputError
        A generator draws the response, so that nobody knows the units' effects; or no model has a
        coefficient of units that the truth has.
    """
    path, predicted = "estimation.predictions", [one for one in models if one.predictions]
    drawn = [one.generator for one in scenarios if one.generator and one.generator.responds]
    if predicted and drawn:
        raise InputError(
            f"the generator {drawn[0].function} draws the response, and with it random effects "
            "that it does not tell",
            path=path,
            allowed="false, or a generator of covariates alone",
        )
    reasons = [
        unit_columns(scenario, model).reasons for model in predicted for scenario in scenarios
    ]
    if reasons and all(reason for some in reasons for reason in some):
        raise InputError(
            f"no model has a coefficient of units that the truth has: {reasons[0][0]}",
            path=path,
            allowed="false, or a model with columns of the truth",
        )


def check_variables(
    candidate: Candidate,
    truth: Formula | None,
    covariates: Sequence[str] | None,
    *,
    passed_over: Collection[str] = (),
) -> None:
    """Refuse a formula whose response, group or variables the data do not have.

    Parameters
    ----------
    candidate : Candidate
    truth : Formula
        None if it cannot be read.
    covariates : sequence of str
        Those of the design; None if they cannot be read.
    passed_over : collection of str
        Variables of which nothing is said.

    Raises
    ------
    InputError
        At the formula.
    """
    with Mistakes() as mistakes:
        if truth is not None:
            mistakes.keep(_check_sides, candidate, truth)
        if covariates is not None:
            for name in candidate.formula.variables:
                if name not in covariates and name not in passed_over:
                    mistakes.add(_no_covariate(candidate, name, covariates))


def check_levels(candidate: Candidate, scenario: Scenario) -> None:
    """Refuse a scenario in which the factors of a formula have other levels than above the grid.

    Raises
    ------
    InputError
        At the formula.
    """
    try:
        own = formula_in(candidate.formula.text, scenario.covariates)
    except InputError as error:
        raise error.at(path=candidate.path) from None
    if own != candidate.formula:
        names = [[term.name for term in formula.terms] for formula in (own, candidate.formula)]
        differ = next((name for name in names[0] if name not in names[1]), "fewer columns")
        raise InputError(
            f"factors of {candidate.formula.text} have other levels than above the grid: {differ}",
            path=candidate.path,
            allowed="the same levels in all scenarios, so that the coefficients are the same",
        )


def _check_sides(candidate: Candidate, truth: Formula) -> None:
    formula = candidate.formula
    own, group = formula.random[0].group, truth.random[0].group
    with Mistakes() as mistakes:
        for what, name, wanted in (
            ("response", formula.response, truth.response),
            ("group", own, group),
        ):
            if name != wanted:
                problem = f"the {what} is '{name}', that of the truth is '{wanted}'"
                mistakes.add(
                    InputError(problem, path=candidate.path, allowed=wanted, suggestion=wanted)
                )


def _no_covariate(candidate: Candidate, name: str, covariates: Sequence[str]) -> InputError:
    return InputError(
        f"'{name}' in {candidate.formula.text} is no covariate of the design",
        path=candidate.path,
        allowed=", ".join(covariates) or "none: there are no covariates",
        suggestion=nearest(name, covariates),
    )
