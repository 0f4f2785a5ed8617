"""Whether the data of a scenario can identify a model.

The rules are lme4's (checkZdims, chkRank.drop.cols): in each random term fewer random effects than
observations, more observations than coefficients, and fixed columns of full rank. And one that lme4
does not have: the variances and covariances of the random part are to be told apart, from each
other and from the residual variance, by REML by what the fixed effects leave of the data.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError
from hlm.formula import evaluate
from hlm.study.dependence import block_text, confounded, dependent, hidden_by_reml
from hlm.study.design import ENOUGH, Ample, example

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hlm.formula import Formula
    from hlm.scenario import Covariate, Scenario
    from hlm.study.models import Candidate

    Floats = NDArray[np.float64]
    Finder = Callable[[Formula, Mapping[str, Floats]], str | None]

__all__ = ["check_columns", "check_finite", "check_identified"]

FEWER = "more observations, or fewer terms"
EXAMPLES = 10
"""So many must all fail before REML is said to see nothing."""


def check_identified(candidate: Candidate, scenario: Scenario) -> None:
    """Refuse a model that no data of a scenario can identify.

    Raises
    ------
    InputError
        If there are too few observations, or columns that depend on one another.
    """
    _check_counts(candidate, scenario.n_units, scenario.n_rows)
    check_columns(candidate, scenario)
    if "reml" in candidate.methods:
        _check_reml(candidate, scenario)


def check_columns(candidate: Candidate, data: Scenario | Ample) -> None:
    """Refuse a model whose columns or variances depend on one another.

    Raises
    ------
    InputError
        At the formula.
    """
    problem = _problem(candidate, data, dependent) or _random_problem(candidate, data)
    if problem is not None:
        raise _unidentified(candidate, problem, allowed="fewer terms, or other covariates")


def check_finite(candidate: Candidate, scenario: Scenario | Ample) -> None:
    """Refuse a formula with a function that some values of the covariates do not have."""
    problem = _problem(candidate, scenario, _infinite)
    if problem is not None:
        raise InputError(problem, path=candidate.path)


def _check_counts(candidate: Candidate, n_units: int, n_rows: int) -> None:
    n, p = n_units * n_rows, len(candidate.formula.fixed)
    if n <= p:
        raise _unidentified(
            candidate, f"{n} observations for {p} fixed coefficients", allowed=FEWER
        )
    for block in candidate.formula.random:
        effects = n_units * len(block.terms)
        if n <= effects:
            problem = f"{n} observations for {effects} random effects of {block_text(block)}"
            raise _unidentified(candidate, problem, allowed=FEWER)


def _unidentified(candidate: Candidate, problem: str, *, allowed: str) -> InputError:
    return InputError(
        f"the model '{candidate.name}' cannot be identified: {problem}",
        path=candidate.path,
        allowed=allowed,
    )


def _problem(candidate: Candidate, scenario: Scenario | Ample, find: Finder) -> str | None:
    """Try the columns of a formula on a small example, and on a whole one before refusing it."""
    counts = (scenario.n_units, scenario.n_rows)
    few = (min(counts[0], ENOUGH), min(counts[1], ENOUGH))
    problem = _try(candidate.formula, scenario.covariates, few, find)
    if problem is None or few == counts:
        return problem
    return _try(candidate.formula, scenario.covariates, counts, find)


def _random_problem(candidate: Candidate, scenario: Scenario | Ample) -> str | None:
    """Try the variances on an example of many units, and on a whole one before refusing them.

    A few units may fail to show by chance what others would, so there are never only a few.
    """
    counts = (max(scenario.n_units, ENOUGH), scenario.n_rows)
    few = (ENOUGH, min(scenario.n_rows, ENOUGH))
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
    few = (min(counts[0], ENOUGH), min(counts[1], ENOUGH))
    problem = _try(candidate.formula, scenario.covariates, few, hidden_by_reml)
    for seed in range(EXAMPLES if problem is not None else 0):
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
