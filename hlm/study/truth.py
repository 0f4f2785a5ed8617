"""What must hold within the truth: its parameters are those of its formula, and possible."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.names import factors_of
from hlm.formula import Formula, coded, parse
from hlm.formula.syntax import Name
from hlm.study.correlations import check_number, check_possible, given_matrix
from hlm.study.shapes import check_copula, shapes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hlm.distributions import Distribution
    from hlm.formula import Levels
    from hlm.study.schema import RandomPart, Truth

__all__ = ["Parameters", "canonical", "check_names", "correlations", "parameters", "read_formula"]

Matrix = tuple[tuple[float, ...], ...]

_MEANS = ("mean", "ave", "avg", "average", "gm", "gmean", "group_mean", "cluster_mean", "aggregate")
_OF_OTHER_ROWS = re.compile(
    rf"\b({'|'.join(_MEANS)}|scale|cent(?:er|re)d?|demean|cwc|cgm|group_cent(?:er|re)|within|lag)"
    r"\(\s*([^\W\d][\w.]*)"
)
"""Calls of functions that need other rows too, which formulas do not have, and what of."""

_UNKNOWN = re.compile(r"unknown function '([^']*)'")


@dataclass(frozen=True)
class Parameters:
    """The true values in the order of the formula's terms.

    Attributes
    ----------
    formula : Formula
    fixed : tuple of (str, float)
    sd : tuple of float, (q,)
    cor : tuple of tuple of float, (q, q)
    effects : Distribution or tuple of Distribution, (q,)
        What all random effects are made of, or each where these differ.
    """

    formula: Formula
    fixed: tuple[tuple[str, float], ...]
    sd: tuple[float, ...]
    cor: Matrix
    effects: Distribution | tuple[Distribution, ...]


def parameters(truth: Truth, levels: Mapping[str, Levels]) -> Parameters:
    """Check a truth against its formula.

    Parameters
    ----------
    truth : Truth
    levels : mapping of str to Levels
        Of the covariates of the design.

    Raises
    ------
    InputError
        If a coefficient or sd is missing or has no term, or the correlations are impossible.
    """
    formula = read_formula(truth.formula, path="truth.formula", levels=levels)
    sds = {group: part.sd for group, part in truth.random.items()}
    shaped = {
        group: part.distribution if isinstance(part.distribution, dict) else None
        for group, part in truth.random.items()
    }
    check_names(formula, truth.formula, truth.fixed, sds, shaped)
    group = formula.random[0].group
    part, path = truth.random[group], f"truth.random.{group}"
    cor = correlations(part, formula.blocks, f"{path}.cor")
    shapes = shapes_of(part, _effects(formula))
    if part.dependence == "copula":
        check_copula(shapes, cor, formula.blocks, path)
    return Parameters(
        formula,
        tuple((term.name, float(truth.fixed[term.name])) for term in formula.fixed),
        tuple(float(part.sd[name]) for name in _effects(formula)),
        cor,
        shapes[0] if len(set(shapes)) == 1 else shapes,
    )


def check_names(
    formula: Formula,
    text: str,
    fixed: Collection[str] | None,
    sds: Mapping[str, Collection[str] | None] | None,
    shaped: Mapping[str, Collection[str] | None],
    *,
    sized: tuple[Collection[str], Collection[str]] = ((), ()),
) -> None:
    """Refuse values of coefficients and random effects that a formula does not have, or that lack.

    Parameters
    ----------
    formula : Formula
    text : str
        As written.
    fixed : collection of str
        The coefficients that have a value; None if it is not known which.
    sds : mapping of str to collection of str
        For each group, the random effects that have an sd; None as above.
    shaped : mapping of str to collection of str
        For each group, those that have a distribution of their own; None if none has.
    sized : tuple of collection of str
        The coefficients and the random effects with values that follow from effect sizes.

    Raises
    ------
    InputError
        At the path of the name, or above the one that is missing.
    """
    group, path = formula.random[0].group, "truth.random"
    with Mistakes() as mistakes:
        if fixed is not None:
            coefficients = [term.name for term in formula.fixed]
            mistakes.keep(
                _same_names, "coefficient", fixed, coefficients, "truth.fixed", text, sized[0]
            )
        if sds is not None:
            mistakes.keep(_same_names, "group", sds, [group], path, text)
            if (given := sds.get(group)) is not None:
                below = f"{path}.{group}.sd"
                effects = _effects(formula)
                mistakes.keep(_same_names, "random effect", given, effects, below, text, sized[1])
        if (given := shaped.get(group)) is not None:
            below = f"{path}.{group}.distribution"
            mistakes.keep(_known_names, "random effect", given, _effects(formula), below, text)


def _effects(formula: Formula) -> list[str]:
    return [term.name for term in formula.effects]


def read_formula(text: str, *, path: str, levels: Mapping[str, Levels]) -> Formula:
    """Read a formula of a study, each factor as the columns that it stands for.

    Parameters
    ----------
    text : str
    path : str
        Where it stands.
    levels : mapping of str to Levels
        Of the covariates, as far as they are known.

    Raises
    ------
    InputError
        If it cannot be read or asks for what studies do not have.
    """
    formula = _read(text, path)
    try:
        return coded(formula, levels)
    except InputError as error:
        raise error.at(path=path) from None


@lru_cache(maxsize=1024)
def _read(text: str, path: str) -> Formula:
    try:
        formula = parse(text)
    except InputError as error:
        raise _with_covariate(error, text).at(path=path) from None
    if not isinstance(formula.outcome.expr, Name):
        raise InputError(
            f"the response of a study is a column, not '{formula.response}'",
            path=path,
            allowed="a name: the truth draws the response as the models have it",
            suggestion=formula.outcome.variables[0],
        )
    if formula.offset:
        raise InputError("offset() is not supported in a study", path=path)
    return formula


def _with_covariate(error: InputError, text: str) -> InputError:
    """Say of a function of other rows which covariate, or what else, stands for it in a study."""
    calls = dict(reversed(_OF_OTHER_ROWS.findall(text)))
    unknown = _UNKNOWN.match(error.problem)
    name = unknown[1] if unknown else next(iter(reversed(calls)), "")
    if name not in calls or not (unknown or "unexpected '='" in error.problem):
        return error
    of = calls[name]
    if name == "lag":
        near = "truth.residual.ar1: 0.5" if of == text.partition("~")[0].strip() else "log"
    elif name in _MEANS:
        near = f"design.covariates: {of}_mean: {{mean_of: {of}}}"
    else:
        mean = "grand" if name == "scale" else "unit"
        near = f"design.covariates: {of}_centred: {{centred: {of}, at: {mean}}}"
    others = "what needs other rows is a covariate of the design"
    allowed = f"{error.allowed}; {others}" if error.allowed else others
    return InputError(error.problem, allowed=allowed, suggestion=near)


def canonical(formula: Formula) -> str:
    """Write a formula so that two of the same meaning are the same text.

    Examples
    --------
    >>> canonical(parse("y ~ x*a + (x|unit)"))
    'y ~ (Intercept) + x + a + x:a + ((Intercept) + x | unit)'
    """
    fixed = [term.name for term in formula.fixed]
    blocks = [block.text for block in formula.random]
    return f"{formula.response} ~ {' + '.join(fixed + blocks)}"


def _same_names(
    what: str,
    given: Collection[str],
    wanted: Sequence[str],
    path: str,
    formula: str,
    elsewhere: Collection[str] = (),
) -> None:
    """Name those that are unknown, and those that are missing and not meant by an unknown one."""
    known = {*given, *elsewhere}
    meant = {_meant(name, given, wanted) for name in given if name not in wanted}
    with Mistakes() as mistakes:
        mistakes.keep(_known_names, what, given, wanted, path, formula)
        for name in [name for name in wanted if name not in known and name not in meant]:
            problem = f"there is no value for the {what} '{name}' of the formula {formula}"
            mistakes.add(InputError(problem, path=path, allowed=", ".join(wanted)))


def _known_names(
    what: str, given: Collection[str], wanted: Sequence[str], path: str, formula: str
) -> None:
    """Name those that are unknown."""
    with Mistakes() as mistakes:
        for name in [name for name in given if name not in wanted]:
            problem = f"the formula {formula} has no {what} '{name}'"
            near, where = _meant(name, given, wanted), f"{path}.{name}"
            allowed = ", ".join(wanted)
            mistakes.add(InputError(problem, path=where, allowed=allowed, suggestion=near))


def _meant(name: str, given: Collection[str], wanted: Sequence[str]) -> str | None:
    """Find the name that an unknown one stands for, among those that are not given."""
    return _reordered(name, wanted) or nearest(name, [w for w in wanted if w not in given])


def _reordered(name: str, wanted: Sequence[str]) -> str | None:
    """Find ``x:a`` where ``a:x`` was written."""
    return next((other for other in wanted if factors_of(other) == factors_of(name)), None)


def correlations(part: RandomPart, blocks: Sequence[int], path: str) -> Matrix:
    """Make the matrix of correlations and check that it is one.

    Parameters
    ----------
    part : RandomPart
    blocks : sequence of int
        The number of random effects of each block.
    path : str
        Where the correlations are.

    Raises
    ------
    InputError
        If they are no correlations, or not possible together.
    """
    q = sum(blocks)
    together = np.zeros((q, q), dtype=bool)
    for start, size in zip(np.cumsum([0, *blocks]), blocks, strict=False):
        together[start : start + size, start : start + size] = True
    if isinstance(part.cor, list):
        matrix = given_matrix(part.cor, q, path)
    else:
        _check_number(part.cor, max(blocks), path)
        matrix = np.where(together, part.cor + 0.0, 0.0)
        np.fill_diagonal(matrix, 1.0)
    if np.any(matrix[~together]):
        problem = "a correlation between random effects that the formula keeps apart"
        raise InputError(problem, path=path, allowed="0 between the terms of || or of two blocks")
    check_possible(matrix, path)
    return tuple(tuple(row) for row in matrix.tolist())


def _check_number(cor: float, size: int, path: str) -> None:
    check_number(cor, path)
    if cor and size == 1:
        problem = f"the correlation {cor:g} where no random effects are correlated"
        raise InputError(problem, path=path, allowed="0, or no key cor")
