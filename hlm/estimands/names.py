"""The names of what is estimated: made here, and taken apart nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Terms

__all__ = [
    "SIGMA",
    "SIGMA2",
    "factors_of",
    "of_effects",
    "of_ratio_test",
    "of_test",
    "variances_of",
]

SIGMA, SIGMA2 = "sigma", "sigma^2"


def of_effects(what: str, effects: Sequence[str], group: str) -> str:
    """Name a parameter of one random effect or of several, as lme4's profile does.

    Examples
    --------
    >>> of_effects("sd", ["x"], "unit"), of_effects("cor", ["x", "(Intercept)"], "unit")
    ('sd_x|unit', 'cor_x.(Intercept)|unit')
    """
    return f"{what}_{'.'.join(effects)}|{group}"


def of_test(test: str) -> str:
    """Name an F test among the terms of a table: no formula has a function F.

    Examples
    --------
    >>> of_test("treatment")
    'F(treatment)'
    """
    return f"F({test})"


def of_ratio_test(test: str) -> str:
    """Name a likelihood ratio test among the terms of a table, as `of_test` does an F test.

    Examples
    --------
    >>> of_ratio_test("slopes")
    'LRT(slopes)'
    """
    return f"LRT({test})"


def factors_of(coefficient: str) -> tuple[str, ...]:
    """Return the factors of a coefficient as a user writes it, in an order of their own.

    Examples
    --------
    >>> factors_of("x:a") == factors_of("a:x")
    True
    """
    return tuple(sorted(coefficient.split(":")))


def variances_of(terms: Terms) -> list[str]:
    """Name the variances and covariances of the random part, then the residual variance.

    Examples
    --------
    >>> from hlm.scenario import Terms
    >>> variances_of(Terms((), (("(Intercept)", "x"),), "g"))
    ['var_(Intercept)|g', 'cov_x.(Intercept)|g', 'var_x|g', 'sigma^2']
    """
    pairs = [[terms.effects[k] for k in dict.fromkeys(pair)] for pair in terms.elements]
    of_pairs = [of_effects("var" if len(pair) == 1 else "cov", pair, terms.group) for pair in pairs]
    return [*of_pairs, SIGMA2]
