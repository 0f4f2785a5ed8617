"""Whether the data of a scenario can identify a model.

The rules are lme4's (checkZdims, chkRank.drop.cols): in each random term fewer random effects than
observations, more observations than coefficients, and fixed columns of full rank. And one that lme4
does not have: the variances and covariances of the random part are to be told apart, from each
other and from the residual variance.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError
from hlm.formula import evaluate, model_columns
from hlm.study.design import ENOUGH, Ample, example

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.formula import Formula, RandomTerm
    from hlm.scenario import Covariate, Scenario
    from hlm.study.models import Candidate

    Floats = NDArray[np.float64]
    Finder = Callable[[Formula, Mapping[str, Floats]], str | None]

__all__ = ["check_columns", "check_finite", "check_identified"]

FEWER = "more observations, or fewer terms"


def check_identified(candidate: Candidate, scenario: Scenario) -> None:
    """Refuse a model that no data of a scenario can identify.

    Raises
    ------
    InputError
        If there are too few observations, or columns that depend on one another.
    """
    _check_counts(candidate, scenario.n_units, scenario.n_rows)
    check_columns(candidate, scenario)


def check_columns(candidate: Candidate, data: Scenario | Ample) -> None:
    """Refuse a model whose columns or variances depend on one another.

    Raises
    ------
    InputError
        At the formula.
    """
    problem = _problem(candidate, data, _dependent) or _random_problem(candidate, data)
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
            problem = f"{n} observations for {effects} random effects of {_block_text(block)}"
            raise _unidentified(candidate, problem, allowed=FEWER)


def _block_text(block: RandomTerm) -> str:
    return f"({' + '.join(term.name for term in block.terms)} | {block.group})"


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
    problem = _try(candidate.formula, scenario.covariates, few, _confounded)
    if problem is None or few == counts:
        return problem
    return _try(candidate.formula, scenario.covariates, counts, _confounded)


@lru_cache(maxsize=4096)
def _try(
    formula: Formula, covariates: tuple[Covariate, ...], counts: tuple[int, int], find: Finder
) -> str | None:
    return find(formula, example(covariates, counts))


def _infinite(formula: Formula, data: Mapping[str, Floats]) -> str | None:
    terms = (*formula.fixed, *(term for block in formula.random for term in block.terms))
    for factor in dict.fromkeys(factor for term in terms for factor in term.factors):
        if not np.all(np.isfinite(evaluate(factor, data))):
            return f"'{factor.name}' is not finite for some values of the covariates"
    return None


def _dependent(formula: Formula, data: Mapping[str, Floats]) -> str | None:
    names, columns = model_columns(formula.fixed, data)
    fixed = _scaled(columns, centred=names[0] == "(Intercept)")
    if np.linalg.matrix_rank(fixed, tol=1e-9) == len(names):
        return None
    ranks = (np.linalg.matrix_rank(fixed[:, : i + 1], tol=1e-9) for i in range(len(names)))
    first = next(name for i, (name, rank) in enumerate(zip(names, ranks, strict=True)) if rank <= i)
    return f"the column '{first}' depends on the others"


def _confounded(formula: Formula, data: Mapping[str, Floats]) -> str | None:
    """Name the first random effect whose variance or covariances depend on those before it."""
    names: list[str] = []
    parts, blocks = [], []
    for block in formula.random:
        labels, columns = model_columns(block.terms, data)
        parts.append(_scaled(columns, centred=labels[0] == "(Intercept)"))
        blocks += [len(names)] * len(labels)
        names += labels
    pairs = [(a, b) for a, first in enumerate(blocks) for b in range(first, a + 1)]
    effects = _effects_on_variance(np.concatenate(parts, axis=1), data["unit"], pairs)
    if np.linalg.matrix_rank(effects, tol=1e-9) == len(pairs) + 1:
        return None
    ranks = (np.linalg.matrix_rank(effects[:, : v + 2], tol=1e-9) for v in range(len(pairs)))
    first = next(
        a for v, ((a, _), rank) in enumerate(zip(pairs, ranks, strict=True)) if rank < v + 2
    )
    return (
        f"the variances of {', '.join(map(_block_text, formula.random))} depend on one another: no "
        f"data set tells those of '{names[first]}' from the others and the residual's"
    )


def _effects_on_variance(Z: Floats, unit: Floats, pairs: Sequence[tuple[int, int]]) -> Floats:
    """Return what sigma^2 and each free element of Psi add to V_i, of all units, as columns.

    V_i = sigma^2 I + sum_v psi_v Z_i E_v Z_i'. With Z_i = Q_i R_i the lengths and angles of these
    matrices are those of R_i E_v R_i', and of I within the span of Q_i and outside it.
    """
    n_units = len(np.unique(unit))
    R = np.asarray(np.linalg.qr(Z.reshape(n_units, -1, Z.shape[1]), mode="r"))
    k = R.shape[1]
    outside = np.sqrt(len(Z) - n_units * k)
    columns = [np.append(np.tile(np.eye(k).ravel(), n_units), outside)]
    for a, b in pairs:
        product = np.einsum("ij,ik->ijk", R[..., a], R[..., b])
        columns.append(np.append(product + product.transpose(0, 2, 1), 0.0))
    return _scaled(np.column_stack(columns), centred=False)


def _scaled(columns: Floats, *, centred: bool) -> Floats:
    """Centre and scale columns, so that their rank shows whatever their units."""
    size = np.linalg.norm(columns, axis=0)
    moved = columns - columns.mean(axis=0) if centred else columns.copy()
    if centred:
        moved[:, 0] = 1.0
    length = np.linalg.norm(moved, axis=0)
    constant = length <= 1e-10 * size
    return np.where(constant, 0.0, moved / np.where(constant, 1.0, length))
