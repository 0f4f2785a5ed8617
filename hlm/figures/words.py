"""Words for factors, levels and terms, the same in figures and tables."""

from __future__ import annotations

from typing import Any

from hlm.measures.f_tests import is_f_test
from hlm.words import noun

__all__ = ["MINUS", "PARTS", "is_random", "part_of", "rank", "said", "term_words"]

MINUS = "\N{MINUS SIGN}"
PARTS = ("fixed", "random", "tests")
_WORDS = {"units": "Number of units", "rows": "Rows per unit", "cor": "Correlation"}
_COUNTED = {"units": ("unit", "units"), "rows": ("row per unit", "rows per unit")}


def said(factor: str, level: Any = None) -> str:
    """Return the words for a factor, or for one level of it.

    Examples
    --------
    >>> said("units"), said("rows", 5), said("rows", 1), said("skew", 0.5)
    ('Number of units', '5 rows per unit', '1 row per unit', 'skew = 0.5')
    """
    if level is None:
        return _WORDS.get(factor, factor)
    text = f"{level:g}" if isinstance(level, float) else str(level)
    text = text.replace("-", MINUS)
    if factor in _COUNTED:
        return f"{text} {noun(level, *_COUNTED[factor])}"
    return f"correlation {text}" if factor == "cor" else f"{factor} = {text}"


def is_random(term: str) -> bool:
    """Tell whether a term belongs to the random part, by lme4's names.

    Examples
    --------
    >>> is_random("x:a"), is_random("sd_x|unit"), is_random("sigma")
    (False, True, True)
    """
    return term == "sigma" or ("|" in term and term.startswith(("sd_", "cor_")))


def part_of(term: str) -> str:
    """Return which of `PARTS` a term belongs to.

    Examples
    --------
    >>> part_of("x:a"), part_of("sd_x|unit"), part_of("F(slopes)")
    ('fixed', 'random', 'tests')
    """
    return "random" if is_random(term) else "tests" if is_f_test(term) else "fixed"


def term_words(term: str) -> str:
    """Return the words for a term.

    Examples
    --------
    >>> term_words("x:a"), term_words("cor_x.(Intercept)|unit"), term_words("sigma")
    ('x:a', 'cor x, (Intercept)', 'residual sd')
    >>> term_words("F(slopes)")
    'F test: slopes'
    """
    if is_f_test(term):
        return f"F test: {term[2:-1]}"
    if not is_random(term):
        return term
    if term == "sigma":
        return "residual sd"
    kind, _, names = term.partition("_")
    names = names.rpartition("|")[0]
    return f"sd {names}" if kind == "sd" else f"cor {names.replace('.(', ', (')}"


def rank(term: str) -> int:
    """Order terms as a summary does: main effects before products; sds, correlations, sigma.

    Examples
    --------
    >>> sorted(["a", "x:a", "x", "(Intercept)"], key=rank)
    ['(Intercept)', 'a', 'x', 'x:a']
    """
    if is_random(term):
        return 2 if term == "sigma" else int(term.startswith("cor_"))
    return term.count(":") if term != "(Intercept)" else -1
