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

from hlm.covariates import example
from hlm.errors import InputError
from hlm.formula import evaluate
from hlm.study.dependence import confounded, dependent, hidden_by_reml
from hlm.study.design import ENOUGH, Ample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hlm.formula import Formula
    from hlm.scenario import CorrelatedSet, Covariate, Scenario
    from hlm.study.models import Candidate

    Floats = NDArray[np.float64]
    Counts = tuple[int, int | tuple[int, ...]]
    Made = tuple[tuple[Covariate, ...], tuple[CorrelatedSet, ...]]
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
    _check_counts(candidate, scenario.n_units, scenario.n_obs)
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
    problem = _problem(candidate, data, dependent)
    problem = problem or _problem(candidate, data, confounded, least=ENOUGH)
    if problem is not None:
        raise _unidentified(candidate, problem, allowed="fewer terms, or other covariates")


def check_finite(candidate: Candidate, scenario: Scenario | Ample) -> None:
    """Refuse a formula with a function that some values of the covariates do not have."""
    problem = _problem(candidate, scenario, _infinite)
    if problem is not None:
        raise InputError(problem, path=candidate.path)


def _check_counts(candidate: Candidate, n_units: int, n: int) -> None:
    p = len(candidate.formula.fixed)
    if n <= p:
        raise _unidentified(
            candidate, f"{n} observations for {p} fixed coefficients", allowed=FEWER
        )
    for block in candidate.formula.random:
        effects = n_units * len(block.terms)
        if n <= effects:
            problem = f"{n} observations for {effects} random effects of {block.text}"
            raise _unidentified(candidate, problem, allowed=FEWER)


def _unidentified(candidate: Candidate, problem: str, *, allowed: str) -> InputError:
    return InputError(
        f"the model '{candidate.name}' cannot be identified: {problem}",
        path=candidate.path,
        allowed=allowed,
    )


def _problem(
    candidate: Candidate, data: Scenario | Ample, find: Finder, *, least: int = 1
) -> str | None:
    """Try the columns of a formula on a small example, and on a whole one before refusing it.

    Both have `least` units: a few may fail to show by chance what others would.
    """
    whole = _counts(max(data.n_units, least), data.typical_rows)
    few = _counts(min(whole[0], ENOUGH), whole[1], most=ENOUGH)
    made = data.covariates, data.correlated
    problem = _try(candidate.formula, made, few, find)
    if problem is None or few == whole:
        return problem
    return _try(candidate.formula, made, whole, find)


def _counts(n_units: int, n_rows: int | tuple[int, ...], *, most: int | None = None) -> Counts:
    """Return so many units, and at most so many rows of all or of each."""
    if isinstance(n_rows, int):
        return n_units, min(n_rows, most or n_rows)
    sizes = (n_rows[i % len(n_rows)] for i in range(n_units))
    return n_units, tuple(min(size, most or size) for size in sizes)


@lru_cache(maxsize=4096)
def _try(formula: Formula, made: Made, counts: Counts, find: Finder) -> str | None:
    return find(formula, example(*made, counts))


def _check_reml(candidate: Candidate, scenario: Scenario) -> None:
    """Refuse variances that REML sees in none of some examples, of which one may show by chance."""
    problem = _problem(candidate, scenario, hidden_by_reml)
    if problem is None:
        return
    counts = (scenario.n_units, scenario.typical_rows)
    made = scenario.covariates, scenario.correlated
    examples = (example(*made, counts, seed) for seed in range(EXAMPLES))
    if all(hidden_by_reml(candidate.formula, data) for data in examples):
        allowed = "more units, fewer terms, other covariates, or methods: [ml]"
        raise _unidentified(candidate, problem, allowed=allowed)


def _infinite(formula: Formula, data: Mapping[str, Floats]) -> str | None:
    for factor in dict.fromkeys(factor for term in formula.terms for factor in term.factors):
        if not np.all(np.isfinite(evaluate(factor, data))):
            return f"'{factor.name}' is not finite for some values of the covariates"
    return None
