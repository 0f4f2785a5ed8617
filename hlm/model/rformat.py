"""Numbers and names as R prints them."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["abbreviate", "format_numbers", "format_p_value"]


def format_numbers(values: Sequence[float], digits: int = 4) -> list[str]:
    """Format numbers with as many decimals as the one that needs most for `digits` digits.

    Follows R's ``format(x, digits = )``; all in scientific notation where that is shorter.

    Examples
    --------
    >>> format_numbers([0.0315, 0.2842, 12.5])
    [' 0.0315', ' 0.2842', '12.5000']
    >>> format_numbers([8.623e-13, 0.4413])
    ['8.623e-13', '4.413e-01']
    """
    pieces = [_significant(value, digits) for value in values if isfinite(value)]
    decimals = max((max(0, n - 1 - exponent) for n, exponent in pieces), default=0)
    mantissa = max((n - 1 for n, _ in pieces), default=0)
    fixed = [f"{value:.{decimals}f}" if isfinite(value) else "NaN" for value in values]
    scientific = [f"{value:.{mantissa}e}" if isfinite(value) else "NaN" for value in values]
    shorter = max(map(len, fixed), default=0) <= max(map(len, scientific), default=0)
    chosen = fixed if shorter else scientific
    width = max(map(len, chosen), default=0)
    return [text.rjust(width) for text in chosen]


def _significant(value: float, digits: int) -> tuple[int, int]:
    """Return how many of `digits` significant digits are needed, and the decimal exponent."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    needed = len(mantissa.lstrip("-").replace(".", "").rstrip("0"))
    return max(1, needed), int(exponent)


def format_p_value(p: float, digits: int = 3) -> str:
    """Format a p-value as R's ``printCoefmat``.

    Examples
    --------
    >>> format_p_value(1e-20), format_p_value(0.5703), format_p_value(0.000655)
    ('<2e-16', '0.57', '0.000655')
    """
    if not isfinite(p):
        return "NaN"
    if p < 2.220446e-16:
        return "<2e-16"
    return format_numbers([p], digits)[0].strip()


def abbreviate(name: str, length: int) -> str:
    """Shorten a name as R's ``abbreviate()``: lower-case vowels, then letters, from the right.

    Examples
    --------
    >>> abbreviate("(Intercept)", 6), abbreviate("sectorPublic", 6), abbreviate("x:a", 6)
    ('(Intr)', 'sctrPb', 'x:a')
    """
    letters = list(name)
    for droppable in ("aeiou", "abcdefghijklmnopqrstuvwxyz"):
        for k in range(len(letters) - 1, 0, -1):
            if len(letters) <= length:
                break
            if letters[k] in droppable:
                del letters[k]
    return "".join(letters)


def decimals_for(values: Sequence[float], digits: int) -> int:
    """Decimals that give the smallest of the numbers `digits` digits (R's ``printCoefmat``)."""
    sizes = [abs(value) for value in values if isfinite(value) and value != 0.0]
    smallest = 1 + floor(log10(min(sizes))) if sizes else 1
    return max(1, digits - smallest)
