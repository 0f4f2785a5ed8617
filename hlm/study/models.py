"""The candidate models, and whether a scenario can identify them.

The rules are lme4's (checkZdims, chkRank.drop.cols): in each random term fewer random effects than
observations, more observations than coefficients, and fixed columns of full rank. And one that lme4
does not have: the variances and covariances of the random part are to be told apart, from each
other and from the residual variance, by REML by what the fixed effects leave of the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isclose
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError, Mistakes, nearest
from hlm.formula import evaluate
from hlm.scenario import Covariate, Model, Scenario
from hlm.study import schema
from hlm.study.design import example
from hlm.study.f_tests import tests_of
from hlm.study.identified import block_text, confounded, dependent, hidden_by_reml
from hlm.study.truth import read_formula
from hlm.true_values import targets, terms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.formula import Formula
    from hlm.study.schema import Estimation, Method, StudyFile

    Floats = NDArray[np.float64]
    Finder = Callable[[Formula, Mapping[str, Floats]], str | None]

__all__ = [
    "Candidate",
    "candidates",
    "check_finite",
    "check_identified",
    "check_true_values",
    "check_variables",
    "methods_of",
]

METHODS: tuple[Method, ...] = ("reml", "ml")

_ENOUGH = 12  # units, and rows of each, that show the rank of all but odd designs
_EXAMPLES = 10  # that all fail before REML is said to see nothing


@dataclass(frozen=True)
class Candidate:
    """A formula of the study, where it stands, and the methods it is fitted by, if known."""

    name: str
    path: str
    formula: Formula
    methods: tuple[Method, ...] = ()


def candidates(study: StudyFile) -> tuple[tuple[Candidate, Model], ...]:
    """Read the models of a study, with the defaults of its estimation."""
    with Mistakes() as mistakes:
        found = [
            mistakes.keep(_candidate, name, spec, study.estimation)
            for name, spec in study.models.items()
        ]
    return tuple(one for one in found if one is not None)


def _candidate(
    name: str, spec: str | schema.Candidate, estimation: Estimation
) -> tuple[Candidate, Model]:
    if isinstance(spec, str):
        path, own = f"models.{name}", schema.Candidate(formula=spec)
    else:
        path, own = f"models.{name}.formula", spec
    formula = read_formula(own.formula, path=path)
    model = Model(
        name,
        formula.text,
        methods_of(spec, estimation),
        estimation.df,
        own.level or estimation.level,
        estimation.limits,
        tests_of(formula, estimation.tests),
        tuple(own.true.items()),
    )
    _check_names(model, path)
    return Candidate(name, path, formula), model


def methods_of(spec: str | schema.Candidate, estimation: Estimation) -> tuple[Method, ...]:
    """Return the methods by which a model is fitted, in their usual order."""
    own = None if isinstance(spec, str) else spec.methods
    return tuple(method for method in METHODS if method in (own or estimation.methods))


def _check_names(model: Model, path: str) -> None:
    """Refuse two terms of one name, and a true value of what a model does not estimate."""
    terms = terms_of(model)
    for name in terms:
        if terms.count(name) > 1:
            raise InputError(
                f"two terms of the model '{model.name}' have the name '{name}'",
                path=path,
                allowed="covariates whose names, joined by dots, are no other's",
            )
    for name, _ in model.true:
        if name not in terms:
            raise InputError(
                f"the model '{model.name}' has no term '{name}'",
                path=f"models.{model.name}.true.{name}",
                allowed=", ".join(terms),
                suggestion=nearest(name, terms),
            )


def check_true_values(model: Model, scenario: Scenario) -> None:
    """Refuse a true value that the user gives and that the truth contradicts.

    Raises
    ------
    InputError
        At the path of the value.
    """
    given = dict(model.true)
    for target in targets(scenario, model) if given else ():
        if target.term in given and not isclose(given[target.term], target.true, rel_tol=1e-9):
            raise InputError(
                f"the true value of '{target.term}' is {target.true:.6g}, which follows from the "
                f"truth, not {given[target.term]:.6g}",
                path=f"models.{model.name}.true.{target.term}",
                allowed="values of terms that hlm check shows without one, or as left out",
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


def check_identified(candidate: Candidate, scenario: Scenario) -> None:
    """Refuse a model that no data of a scenario can identify.

    Raises
    ------
    InputError
        If there are too few observations, or columns that depend on one another.
    """
    _check_counts(candidate, scenario.n_units, scenario.n_rows)
    problem = _problem(candidate, scenario, dependent) or _random_problem(candidate, scenario)
    if problem is not None:
        raise _unidentified(candidate, problem, allowed="fewer terms, or other covariates")
    if "reml" in candidate.methods:
        _check_reml(candidate, scenario)


def check_finite(candidate: Candidate, scenario: Scenario) -> None:
    """Refuse a formula with a function that some values of the covariates do not have."""
    problem = _problem(candidate, scenario, _infinite)
    if problem is not None:
        raise InputError(problem, path=candidate.path)


def _check_counts(candidate: Candidate, n_units: int, n_rows: int) -> None:
    n, p = n_units * n_rows, len(candidate.formula.fixed)
    if n <= p:
        problem = f"{n} observations for {p} fixed coefficients"
        raise _unidentified(candidate, problem, allowed="more observations, or fewer terms")
    for block in candidate.formula.random:
        effects = n_units * len(block.terms)
        if n <= effects:
            problem = f"{n} observations for {effects} random effects of {block_text(block)}"
            raise _unidentified(candidate, problem, allowed="more observations, or fewer terms")


def _unidentified(candidate: Candidate, problem: str, *, allowed: str) -> InputError:
    return InputError(
        f"the model '{candidate.name}' cannot be identified: {problem}",
        path=candidate.path,
        allowed=allowed,
    )


def _problem(candidate: Candidate, scenario: Scenario, find: Finder) -> str | None:
    """Try the columns of a formula on a small example, and on a whole one before refusing it."""
    counts = (scenario.n_units, scenario.n_rows)
    few = (min(counts[0], _ENOUGH), min(counts[1], _ENOUGH))
    problem = _try(candidate.formula, scenario.covariates, few, find)
    if problem is None or few == counts:
        return problem
    return _try(candidate.formula, scenario.covariates, counts, find)


def _random_problem(candidate: Candidate, scenario: Scenario) -> str | None:
    """Try the variances on an example of many units, and on a whole one before refusing them.

    A few units may fail to show by chance what others would, so there are never only a few.
    """
    counts = (max(scenario.n_units, _ENOUGH), scenario.n_rows)
    few = (_ENOUGH, min(scenario.n_rows, _ENOUGH))
    problem = _try(candidate.formula, scenario.covariates, few, confounded)
    if problem is None or few == counts:
        return problem
    return _try(candidate.formula, scenario.covariates, counts, confounded)


@lru_cache(maxsize=4096)
def _try(
    formula: Formula, covariates: tuple[Covariate, ...], counts: tuple[int, int], find: Finder
) -> str | None:
    return find(formula, example(covariates, counts))


def _check_reml(candidate: Candidate, scenario: Scenario) -> None:
    """Refuse variances that REML sees in none of some examples, of which one may show by chance."""
    counts = (scenario.n_units, scenario.n_rows)
    few = (min(counts[0], _ENOUGH), min(counts[1], _ENOUGH))
    problem = _try(candidate.formula, scenario.covariates, few, hidden_by_reml)
    for seed in range(_EXAMPLES if problem is not None else 0):
        problem = hidden_by_reml(candidate.formula, example(scenario.covariates, counts, seed))
        if problem is None:
            return
    if problem is not None:
        allowed = "more units, fewer terms, other covariates, or methods: [ml]"
        raise _unidentified(candidate, problem, allowed=allowed)


def _infinite(formula: Formula, data: Mapping[str, Floats]) -> str | None:
    terms = (*formula.fixed, *(term for block in formula.random for term in block.terms))
    for factor in dict.fromkeys(factor for term in terms for factor in term.factors):
        if not np.all(np.isfinite(evaluate(factor, data))):
            return f"'{factor.name}' is not finite for some values of the covariates"
    return None
