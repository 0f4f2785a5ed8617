"""Values as R reads and writes them: what is a number, and the label of a level."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import Any

__all__ = ["NUMBER", "is_number", "label", "number_text", "resembles_number", "spellings"]

NUMBER = (
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|[Ii][Nn][Ff](?:[Ii][Nn][Ii][Tt][Yy])?|[Nn][Aa][Nn])"
)
"""What R's `type.convert` takes for a number; hexadecimal digits aside."""

_NUMBER = re.compile(NUMBER)
_WITH_COMMAS = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)+(?:[eE][+-]?[0-9]+)?|[+-]?,[0-9]+")

EXACT_INTEGER = 1e15
"""Doubles below have all their digits among the 15 that R writes."""


def is_number(text: str) -> bool:
    """Tell whether a cell is a number, blanks around it aside."""
    return _NUMBER.fullmatch(text.strip()) is not None


def resembles_number(text: str) -> bool:
    """Tell whether a cell is a number, or one with commas: ``7,98``, ``1,234.5``."""
    return is_number(text) or _WITH_COMMAS.fullmatch(text.strip()) is not None


def label(value: Any) -> str:
    """Write a level as R's ``as.character()``: ``TRUE``, ``1`` for 1.0, ``1e+05``.

    Examples
    --------
    >>> label(True), label(0.1 + 0.2), label(100000.0), label(100000), label(123456.0)
    ('TRUE', '0.3', '1e+05', '100000', '123456')
    """
    if isinstance(value, bool):
        return str(value).upper()
    return number_text(value) if isinstance(value, float) else str(value)


def spellings(value: Any) -> tuple[str, ...]:
    """Return the texts that mean a label: 308 and 308.0 are ``308``, 1e5 is ``1e+05`` too.

    Examples
    --------
    >>> spellings(308.0), spellings("308"), spellings(100000)
    (('308',), ('308',), ('100000', '1e+05'))
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not abs(value) < EXACT_INTEGER or value != int(value):
        return (label(value),)
    return tuple(dict.fromkeys((str(int(value)), number_text(float(value)))))


def number_text(value: float) -> str:
    """Write a number with up to 15 digits, fixed unless that is wider than scientific.

    Examples
    --------
    >>> [number_text(value) for value in (0.0001, 0.00012, -1e5, 1.5e5, 1 / 3)]
    ['1e-04', '0.00012', '-1e+05', '150000', '0.333333333333333']
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    sign, value = "-" if value < 0 else "", abs(value)
    mantissa, exponent = f"{value:.14e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    scientific = f"{digits}e{int(exponent):+03d}"
    places = max(0, len(digits.replace(".", "")) - 1 - int(exponent))
    fixed = f"{value:.{places}f}"
    return sign + (fixed if len(fixed) <= len(scientific) else scientific)
