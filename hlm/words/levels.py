"""Words for the factors of a grid, their levels, and numbers: the same in figures and tables."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

from hlm.words.assumptions import ASSUMPTIONS, NOMINAL
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FITTED",
    "MINUS",
    "OF_FIT",
    "ORDER",
    "WORDS",
    "is_level",
    "level_words",
    "percent",
    "said",
    "span",
]

MINUS = "\N{MINUS SIGN}"
WORDS, ORDER = "words of the term", "order of the term"
"""Columns beside `term`: what to call it, and what to sort those of its kind by."""

FITTED = "fitted model"
"""The models as a factor of panels, where colours tell apart something else."""

OF_FIT = "model of the fit"
"""A column beside that of what colours tell apart, where there is one model."""

_WORDS = {
    FITTED: "Model",
    "units": "Number of units",
    "rows": "Rows per unit",
    "cor": "Correlation",
    ASSUMPTIONS: "Assumptions",
}
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
    if factor == ASSUMPTIONS:
        return f"{NOMINAL} {ASSUMPTIONS}" if text == NOMINAL else text
    if factor == FITTED:
        return f"model {text}"
    return f"correlation {text}" if factor == "cor" else f"{factor} = {text}"


def is_level(label: Any, text: str) -> bool:
    """Tell whether a text names the level of a label: as a number, or to the letter.

    Examples
    --------
    >>> is_level(0.9, "0.90"), is_level("none", "none"), is_level("none", "0")
    (True, True, False)
    """
    try:
        return float(label) == float(text)
    except (TypeError, ValueError):
        return str(label) == text


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
