"""The columns that factors of a study's covariates stand for, each a term of its own.

Data of a study are numbers, of labels the codes. A factor becomes the indicators of its levels,
under R's names and by R's rule for treatment contrasts, so that all else has to do with numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from hlm.errors import InputError, Mistakes
from hlm.formula.cells import number_text
from hlm.formula.expansion import MAX_TERMS, Factor, Term
from hlm.formula.model_matrix import full_dummies
from hlm.formula.syntax import Call, Indicator, Name
from hlm.formula.terms import Formula, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from hlm.scenario import Covariate

__all__ = ["MOST_LEVELS", "Levels", "coded", "formula_in", "levels_of", "uses_factor"]

MOST_LEVELS = 24
"""Of a factor."""


@dataclass(frozen=True)
class Levels:
    """The values that a covariate may have, as the levels of a factor.

    Attributes
    ----------
    values : tuple of float
        That of the reference first; empty if there are not finitely many.
    labels : tuple of str
    are_text : bool
        Whether the values are codes of labels, so that the covariate is a factor by itself.
    """

    values: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    are_text: bool = False


def levels_of(covariates: Iterable[Covariate]) -> dict[str, Levels]:
    """Return the levels of each covariate by its name.

    Examples
    --------
    >>> from hlm.distributions import Binary
    >>> from hlm.scenario import Covariate
    >>> levels_of([Covariate("b", "unit", Binary())])["b"].labels
    ('0', '1')
    """
    return {c.name: _levels(c) for c in covariates}


def _levels(covariate: Covariate) -> Levels:
    values, labels = covariate.distribution.levels, covariate.distribution.labels
    return Levels(values, labels or tuple(map(number_text, values)), bool(labels))


def formula_in(text: str, covariates: Sequence[Covariate]) -> Formula:
    """Read a formula of a study, each factor as the columns that it stands for.

    Examples
    --------
    >>> from hlm.distributions import Categories
    >>> from hlm.scenario import Covariate
    >>> school = Covariate("s", "unit", Categories((0.0, 1.0), (0.5, 0.5), ("a", "b")))
    >>> [term.name for term in formula_in("y ~ s * factor(s) + (1 | g)", [school]).fixed]
    ['(Intercept)', 'sb', 'factor(s)b', 'sb:factor(s)b']
    """
    formula = parse(text)
    calls, variables = _traits(text)
    if not calls and not any(c.distribution.labels and c.name in variables for c in covariates):
        return formula
    used = [c for c in covariates if c.name in formula.variables]
    return _coded(formula, tuple(levels_of(used).items()))


@lru_cache(maxsize=1024)
def _coded(formula: Formula, levels: tuple[tuple[str, Levels], ...]) -> Formula:
    return coded(formula, dict(levels))


@lru_cache(maxsize=1024)
def _traits(text: str) -> tuple[bool, frozenset[str]]:
    """Tell whether a formula has ``factor()``, and which variables it has."""
    formula = parse(text)
    return any(map(_is_call, _factors(formula))), frozenset(formula.variables)


def coded(formula: Formula, levels: Mapping[str, Levels]) -> Formula:
    """Replace factors by the indicators of their levels.

    Parameters
    ----------
    formula : Formula
    levels : mapping of str to Levels
        Of the covariates.

    Returns
    -------
    Formula
        With the text of the other.

    Raises
    ------
    InputError
        If a factor has no levels or too many, labels are used as numbers, or two terms have the
        same name.

    Examples
    --------
    >>> dose = {"d": Levels((0.0, 5.0, 10.0), ("0", "5", "10"))}
    >>> [term.name for term in coded(parse("y ~ factor(d) + (1 | g)"), dose).fixed]
    ['(Intercept)', 'factor(d)5', 'factor(d)10']
    """
    texts = {name for name, found in levels.items() if found.are_text}
    if not texts and not any(map(_is_call, _factors(formula))):
        return formula
    with Mistakes() as mistakes:
        for factor in _factors(formula):
            mistakes.keep(_check, factor, levels, texts)
    pieces = {
        factor.name: _indicators(factor, levels[factor.variables[0]])
        for factor in _factors(formula)
        if _is_factor(factor, texts) and factor.variables[0] in levels
    }
    if not pieces:
        return formula
    made = replace(
        formula,
        fixed=_columns(formula.fixed, pieces),
        random=tuple(
            replace(block, terms=_columns(block.terms, pieces)) for block in formula.random
        ),
    )
    for terms in (made.fixed, made.effects):
        _check_names([term.name for term in terms])
    return made


def uses_factor(formula: Formula, names: Collection[str], texts: Collection[str]) -> bool:
    """Tell whether a formula has ``factor()`` of one of some names, or one of some that are text.

    Examples
    --------
    >>> uses_factor(parse("y ~ factor(d) + (1 | g)"), {"d", "x"}, {"x"})
    True
    """
    calls = {f.variables[0] for f in _factors(formula) if _is_call(f)}
    return not (calls.isdisjoint(names) and set(texts).isdisjoint(formula.variables))


def _factors(formula: Formula) -> list[Factor]:
    return list(dict.fromkeys(factor for term in formula.terms for factor in term.factors))


def _is_call(factor: Factor) -> bool:
    return isinstance(factor.expr, Call) and factor.expr.function == "factor"


def _is_factor(factor: Factor, texts: Collection[str]) -> bool:
    return _is_call(factor) or (isinstance(factor.expr, Name) and factor.name in texts)


def _check(factor: Factor, levels: Mapping[str, Levels], texts: Collection[str]) -> None:
    for name in factor.variables:
        if name in texts and not _is_factor(factor, texts):
            raise InputError(
                f"'{name}' in {factor.name} has labels, not numbers",
                allowed=f"{name} or factor({name})",
            )
    if not _is_call(factor) or factor.variables[0] not in levels:
        return
    name, count = factor.variables[0], len(levels[factor.variables[0]].values)
    if not 2 <= count <= MOST_LEVELS:
        found = f"{count} values" if count > 1 else "one value" if count else "values without end"
        raise InputError(
            f"{factor.name} of a covariate that has {found}",
            allowed=f"2 to {MOST_LEVELS} values: categories, balanced, binary, or a grid that is "
            "the same in all units",
            suggestion=name if not count else None,
        )


def _check_names(names: Sequence[str]) -> None:
    if len(names) > MAX_TERMS:
        problem = f"the factors of the formula make {len(names)} columns"
        raise InputError(problem, allowed=f"at most {MAX_TERMS}")
    for name in names:
        if names.count(name) > 1:
            problem = f"two terms of the formula have the name '{name}'"
            raise InputError(problem, allowed="a covariate as a factor in one way only")


def _indicators(factor: Factor, levels: Levels) -> tuple[Factor, ...]:
    """Return the indicators of all levels, that of the reference first."""
    variable = Name(factor.variables[0])
    return tuple(
        Factor(f"{factor.name}{label}", Indicator(variable, value))
        for label, value in zip(levels.labels, levels.values, strict=True)
    )


def _columns(terms: Sequence[Term], pieces: Mapping[str, tuple[Factor, ...]]) -> tuple[Term, ...]:
    """Return a term for each column that `model_columns` makes, in its order."""
    found: list[Term] = []
    for term, full in zip(terms, full_dummies(terms, pieces), strict=True):
        products: list[tuple[Factor, ...]] = [()]
        for factor in term.factors:
            piece = pieces.get(factor.name, (factor, factor))
            shown = piece if factor in full and factor.name in pieces else piece[1:]
            products = [(*left, one) for one in shown for left in products]
        found += [Term(factors, term.name) for factors in products]
    return tuple(found)
