"""The estimands of a model, in the order of the rows of its estimates."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from hlm.estimands.kinds import FURTHER, KINDS, parameters_of, tests_of, unit_coefficients_of
from hlm.formula import terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hlm.estimands.kinds import Estimand
    from hlm.scenario import Model, Terms

__all__ = ["catalogue", "estimands_of", "further_of", "rank", "rows_of"]


@lru_cache(maxsize=1024)
def estimands_of(model: Model) -> tuple[Estimand, ...]:
    """Return what a model estimates: its parameters, its further estimands and its F tests.

    Where its predictions are asked for, the coefficients of units come last.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> [one.name for one in estimands_of(Model("m", "y ~ x + (1 | g)", tests=(("t", ("x",)),)))]
    ['(Intercept)', 'x', 'sd_(Intercept)|g', 'sigma', 'F(t)']
    """
    terms = terms_of(model)
    further = further_of(terms, model.estimands)
    of_units = unit_coefficients_of(terms) if model.predictions else ()
    return (*parameters_of(terms), *further, *tests_of(terms, model.tests), *of_units)


def rows_of(model: Model) -> tuple[Estimand, ...]:
    """Return the estimands that have rows of estimates: of the fixed and of the random part."""
    return tuple(one for one in estimands_of(model) if one.part in ("fixed", "random"))


def further_of(terms: Terms, kinds: Sequence[str]) -> tuple[Estimand, ...]:
    """Return the further estimands of a model, those of the given kinds of `FURTHER`."""
    return tuple(one for kind in kinds for one in FURTHER[kind].of_terms(terms))


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
