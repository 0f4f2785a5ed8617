"""Words for factors, levels and terms, the same in figures and tables."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MINUS",
    "PARTS",
    "level_words",
    "percent",
    "rank",
    "said",
    "span",
    "term_words",
]

MINUS = "\N{MINUS SIGN}"
PARTS = {
    "fixed": ("coefficient",),
    "random": ("sd", "cor", "sigma"),
    "tests": ("test",),
}
"""The parts of a model, each with the kinds of its terms in the order of a summary."""

_KINDS = [kind for kinds in PARTS.values() for kind in kinds]
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
    text = level_words(level)
    if factor in _COUNTED:
        return f"{text} {noun(level, *_COUNTED[factor])}"
    return f"correlation {text}" if factor == "cor" else f"{factor} = {text}"


def level_words(level: Any) -> str:
    """Write a level: numbers in six digits and with a minus sign, texts as they are.

    Examples
    --------
    >>> level_words(-0.5).replace(MINUS, "minus "), level_words("log-normal"), level_words(True)
    ('minus 0.5', 'log-normal', 'True')
    """
    text = f"{level:g}" if isinstance(level, float) else str(level)
    is_number = isinstance(level, Number) and not isinstance(level, bool)
    return text.replace("-", MINUS) if is_number else text


def term_words(term: str, kind: str) -> str:
    """Return the words for a term of some kind.

    Examples
    --------
    >>> term_words("x:a", "coefficient"), term_words("cor_x.(Intercept)|unit", "cor")
    ('x:a', 'cor x.(Intercept)')
    >>> term_words("sigma", "sigma"), term_words("F(slopes)", "test")
    ('residual sd', 'F test: slopes')
    """
    if kind in ("sd", "cor"):
        names = term.partition("_")[2].rpartition("|")[0]
        return f"{kind} {names}"
    if kind == "sigma":
        return "residual sd"
    return f"F test: {term[2:-1]}" if kind == "test" else term


def rank(term: str, kind: str) -> tuple[int, int]:
    """Order terms as a summary does: main effects before products; sds, correlations, sigma.

    Examples
    --------
    >>> sorted(["a", "x:a", "x", "(Intercept)"], key=lambda term: rank(term, "coefficient"))
    ['(Intercept)', 'a', 'x', 'x:a']
    """
    order = term.count(":") if term != "(Intercept)" else -1
    return _KINDS.index(kind), order if kind == "coefficient" else 0


def span(numbers: Iterable[float]) -> str:
    """Write whole numbers as their range.

    Examples
    --------
    >>> span([2000, 1890]), span([445])
    ('1,890 to 2,000', '445')
    """
    values = list(numbers)
    ends = dict.fromkeys((f"{min(values):,.0f}", f"{max(values):,.0f}"))
    return " to ".join(ends)


def percent(share: float) -> str:
    """Write a share as a percentage that is never 0 when the share is not.

    Examples
    --------
    >>> percent(0.031), percent(0.0004)
    ('3%', '0.04%')
    """
    return f"{100 * share:.{2 if share >= 0.1 else 1}g}%"
