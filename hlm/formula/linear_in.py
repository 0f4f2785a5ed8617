"""Whether the mean, or a unit's departure from it, is a straight line in a covariate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hlm.formula.terms import Formula

__all__ = ["is_linear_in", "random_line"]


def random_line(formula: Formula) -> str | None:
    """Return the covariate of the first random slope, in which each unit has its own line.

    None if intercepts are not random, or if the formula is not linear in that covariate.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> random_line(parse("y ~ x * a + (1 + x | unit)"))
    'x'
    >>> random_line(parse("y ~ x + I(x^2) + (1 + x | unit)")) is None
    True
    """
    slopes = [term.name for term in formula.effects if term.variables == (term.name,)]
    if not slopes or not any(term.is_intercept for term in formula.effects):
        return None
    return slopes[0] if is_linear_in(formula, slopes[0]) else None


def is_linear_in(formula: Formula, covariate: str) -> bool:
    """Tell whether a covariate enters a formula only as itself, alone or in products.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> formulas = ("y ~ x * a + (1 | unit)", "y ~ exp(x) + (1 | unit)")
    >>> [is_linear_in(parse(formula), "x") for formula in formulas]
    [True, False]
    """
    factors = [factor for term in formula.terms for factor in term.factors]
    return all(f.name == covariate for f in factors if covariate in f.variables)
