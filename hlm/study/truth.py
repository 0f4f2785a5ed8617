"""What must hold within the truth: its parameters are those of its formula, and possible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError, nearest
from hlm.formula import Formula, parse
from hlm.formula.syntax import Call, Name, walk

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hlm.study.schema import RandomPart, Truth

__all__ = ["Parameters", "canonical", "parameters", "read_formula"]

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Parameters:
    """The true values in the order of the formula's terms.

    Attributes
    ----------
    formula : Formula
    fixed : tuple of (str, float)
    sd : tuple of float, (q,)
    cor : tuple of tuple of float, (q, q)
    """

    formula: Formula
    fixed: tuple[tuple[str, float], ...]
    sd: tuple[float, ...]
    cor: Matrix


def parameters(truth: Truth) -> Parameters:
    """Check a truth against its formula.

    Raises
    ------
    InputError
        If a coefficient or sd is missing or has no term, or the correlations are impossible.
    """
    formula = read_formula(truth.formula, path="truth.formula")
    coefficients = [term.name for term in formula.fixed]
    _same_names("coefficient", truth.fixed, coefficients, "truth.fixed", truth.formula)
    group = formula.random[0].group
    _same_names("group", truth.random, [group], "truth.random", truth.formula)
    part, path = truth.random[group], f"truth.random.{group}"
    effects = [term.name for block in formula.random for term in block.terms]
    _same_names("random effect", part.sd, effects, f"{path}.sd", truth.formula)
    return Parameters(
        formula,
        tuple((name, float(truth.fixed[name])) for name in coefficients),
        tuple(float(part.sd[name]) for name in effects),
        _correlations(part, [len(block.terms) for block in formula.random], f"{path}.cor"),
    )


@lru_cache(maxsize=1024)
def read_formula(text: str, *, path: str) -> Formula:
    """Parse a formula of a study, whose covariates are numbers."""
    try:
        formula = parse(text)
    except InputError as error:
        raise error.at(path=path) from None
    if not isinstance(formula.outcome.expr, Name):
        raise InputError(
            f"the response of a study is a column, not '{formula.response}'",
            path=path,
            allowed="a name: the truth draws the response as the models have it",
            suggestion=formula.outcome.variables[0],
        )
    terms = (*formula.fixed, *(term for block in formula.random for term in block.terms))
    calls = (factor.expr for term in terms for factor in term.factors)
    if any(isinstance(c, Call) and c.function == "factor" for root in calls for c, _ in walk(root)):
        raise InputError("factor() in a study, where all covariates are numbers", path=path)
    if formula.offset:
        raise InputError("offset() is not supported in a study", path=path)
    return formula


def canonical(formula: Formula) -> str:
    """Write a formula so that two of the same meaning are the same text.

    Examples
    --------
    >>> canonical(parse("y ~ x*a + (x|unit)"))
    'y ~ (Intercept) + x + a + x:a + ((Intercept) + x | unit)'
    """
    fixed = [term.name for term in formula.fixed]
    blocks = [
        f"({' + '.join(term.name for term in block.terms)} | {block.group})"
        for block in formula.random
    ]
    return f"{formula.response} ~ {' + '.join(fixed + blocks)}"


def _same_names(
    what: str, given: Collection[str], wanted: Sequence[str], path: str, formula: str
) -> None:
    allowed = ", ".join(wanted)
    for name in given:
        if name not in wanted:
            problem = f"the formula {formula} has no {what} '{name}'"
            near = _reordered(name, wanted) or nearest(name, [w for w in wanted if w not in given])
            raise InputError(problem, path=f"{path}.{name}", allowed=allowed, suggestion=near)
    for name in wanted:
        if name not in given:
            problem = f"there is no value for the {what} '{name}' of the formula {formula}"
            raise InputError(problem, path=path, allowed=allowed)


def _reordered(name: str, wanted: Sequence[str]) -> str | None:
    """Find ``x:a`` where ``a:x`` was written."""
    pieces = sorted(name.split(":"))
    return next((other for other in wanted if sorted(other.split(":")) == pieces), None)


def _correlations(part: RandomPart, blocks: Sequence[int], path: str) -> Matrix:
    """Make the matrix of correlations and check that it is one."""
    q = sum(blocks)
    together = np.zeros((q, q), dtype=bool)
    for start, size in zip(np.cumsum([0, *blocks]), blocks, strict=False):
        together[start : start + size, start : start + size] = True
    if isinstance(part.cor, list):
        matrix = _given_matrix(part.cor, q, path)
    else:
        _check_number(part.cor, max(blocks), path)
        matrix = np.where(together, part.cor + 0.0, 0.0)
        np.fill_diagonal(matrix, 1.0)
    if np.any(matrix[~together]):
        problem = "a correlation between random effects that the formula keeps apart"
        raise InputError(problem, path=path, allowed="0 between the terms of || or of two blocks")
    if q > 2 and np.linalg.eigvalsh(matrix)[0] < -1e-8:
        raise InputError(
            f"the correlations {_written(matrix)} are not possible together",
            path=path,
            allowed="a positive semidefinite matrix",
        )
    return tuple(tuple(row) for row in matrix.tolist())


def _check_number(cor: float, size: int, path: str) -> None:
    if abs(cor) > 1:
        raise InputError(f"the correlation {cor:g} is not allowed", path=path, allowed="-1 to 1")
    if cor and size == 1:
        problem = f"the correlation {cor:g} where no random effects are correlated"
        raise InputError(problem, path=path, allowed="0, or no key cor")


def _given_matrix(rows: list[list[float]], q: int, path: str) -> np.ndarray:
    if len(rows) != q or any(len(row) != q for row in rows):
        sizes = f"{len(rows)} rows of {', '.join(str(n) for n in sorted({len(r) for r in rows}))}"
        raise InputError(f"the matrix has {sizes} values", path=path, allowed=f"{q} rows of {q}")
    matrix = np.array(rows, dtype=float)
    if np.any(np.abs(matrix) > 1):
        worst = matrix.flat[np.argmax(np.abs(matrix))]
        raise InputError(f"the correlation {worst:g} is not allowed", path=path, allowed="-1 to 1")
    if np.any(np.diag(matrix) != 1) or np.any(matrix != matrix.T):
        problem = f"{_written(matrix)} is no correlation matrix"
        raise InputError(problem, path=path, allowed="a symmetric matrix with ones on its diagonal")
    return matrix


def _written(matrix: np.ndarray) -> str:
    return "[" + ", ".join(f"[{', '.join(f'{x:g}' for x in row)}]" for row in matrix) + "]"
