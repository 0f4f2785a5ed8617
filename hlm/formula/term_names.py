"""The names of the terms in a model's formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.formula.terms import parse
from hlm.scenario import Terms

if TYPE_CHECKING:
    from hlm.formula.terms import Formula
    from hlm.scenario import Model

__all__ = ["terms_in", "terms_of"]


def terms_of(model: Model) -> Terms:
    """Return the names in a model's formula, which is read only if nobody has read it before.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> terms_of(Model("m", "y ~ x + (x | unit)"))
    Terms(fixed=('(Intercept)', 'x'), blocks=(('(Intercept)', 'x'),), group='unit')
    """
    return model.terms or terms_in(parse(model.formula))


def terms_in(formula: Formula) -> Terms:
    """Return the names in a formula."""
    return Terms(
        tuple(term.name for term in formula.fixed),
        tuple(tuple(term.name for term in block.terms) for block in formula.random),
        formula.random[0].group,
        tuple(len(term.factors) for term in formula.fixed),
    )
