"""The estimands of a model, in the order of the rows of its estimates."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from hlm.estimands.explained import comparisons_of
from hlm.estimands.functions import Contrast, estimand_of
from hlm.estimands.kinds import (
    FURTHER,
    KINDS,
    parameters_of,
    ratio_tests_of,
    tests_of,
    unit_coefficients_of,
)
from hlm.formula import terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hlm.estimands.kinds import Estimand
    from hlm.scenario import Expression, Model, Terms

__all__ = [
    "catalogue",
    "contrasts_of",
    "estimands_of",
    "further_of",
    "operands_of",
    "rank",
    "rows_of",
]


@lru_cache(maxsize=1024)
def estimands_of(model: Model) -> tuple[Estimand, ...]:
    """Return what a model estimates: parameters, further estimands, comparisons and tests.

    Where its predictions are asked for, the coefficients of units come last.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> [one.name for one in estimands_of(Model("m", "y ~ x + (1 | g)", tests=(("t", ("x",)),)))]
    ['(Intercept)', 'x', 'sd_(Intercept)|g', 'sigma', 'F(t)']
    """
    terms = terms_of(model)
    further = further_of(terms, model.estimands, model.expressions)
    compared = comparisons_of(terms, model.comparisons)
    tests = (*tests_of(terms, model.tests), *ratio_tests_of(terms, model.lrt))
    of_units = unit_coefficients_of(terms) if model.predictions else ()
    return (*parameters_of(terms), *further, *compared, *tests, *of_units)


def rows_of(model: Model) -> tuple[Estimand, ...]:
    """Return the estimands that have rows of estimates: of one fit, fixed or random part."""
    own = (one for one in estimands_of(model) if one.part in ("fixed", "random"))
    return tuple(one for one in own if one.of_one_fit)


def contrasts_of(estimands: Iterable[Estimand]) -> tuple[Contrast, ...]:
    """Return those that are linear combinations of coefficients."""
    return tuple(one for one in estimands if isinstance(one, Contrast))


def further_of(
    terms: Terms, kinds: Sequence[str], expressions: Sequence[Expression] = ()
) -> tuple[Estimand, ...]:
    """Return the further estimands of a model: those of kinds of `FURTHER`, then expressions."""
    known = operands_of(terms) if expressions else {}
    return (
        *(one for kind in kinds for one in FURTHER[kind].of_terms(terms)),
        *(estimand_of(expression, terms, known) for expression in expressions),
    )


def operands_of(terms: Terms) -> dict[str, Estimand]:
    """Return what may stand in expressions, by name: all parameters and further estimands.

    Examples
    --------
    >>> from hlm.scenario import Terms
    >>> list(operands_of(Terms(("(Intercept)",), (("(Intercept)",),), "g")))[:3]
    ['(Intercept)', 'sd_(Intercept)|g', 'sigma']
    """
    return {one.name: one for one in (*parameters_of(terms), *further_of(terms, [*FURTHER]))}


def catalogue(models: Iterable[Model]) -> dict[tuple[str, str], Estimand]:
    """Return the estimands of models by kind and name: a name alone may be of two kinds.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> catalogue([Model("m", "y ~ x + (1 | g)")])["sd", "sd_(Intercept)|g"].words
    'sd (Intercept)'
    """
    return {(one.kind, one.name): one for model in models for one in estimands_of(model)}


def rank(one: Estimand) -> tuple[int, int]:
    """Return what to sort the estimands of several models by, as a table has them.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> [one.name for one in sorted(estimands_of(Model("m", "y ~ x * a + (1 + x | g)")), key=rank)]
    ['(Intercept)', 'x', 'a', 'x:a', 'sd_(Intercept)|g', 'sd_x|g', 'cor_x.(Intercept)|g', 'sigma']
    """
    return list(KINDS).index(one.kind), one.order
