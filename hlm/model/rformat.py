"""Numbers and names as R prints them."""

from __future__ import annotations

from math import floor, isfinite, isnan, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["abbreviate", "align", "format_coefficients", "format_numbers", "format_p_values"]

SMALLEST_P_VALUE = 2.220446e-16


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
    fixed = [_written(value, f".{decimals}f") for value in values]
    scientific = [_written(value, f".{mantissa}e") for value in values]
    shorter = max(map(len, fixed), default=0) <= max(map(len, scientific), default=0)
    return _padded(fixed if shorter else scientific)


def _significant(value: float, digits: int) -> tuple[int, int]:
    """Return how many of `digits` significant digits are needed, and the decimal exponent."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    needed = len(mantissa.lstrip("-").replace(".", "").rstrip("0"))
    return max(1, needed), int(exponent)


def _written(value: float, form: str) -> str:
    if isfinite(value):
        return format(value, form)
    return "NaN" if isnan(value) else "Inf" if value > 0 else "-Inf"


def _padded(texts: Sequence[str]) -> list[str]:
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def format_coefficients(values: Sequence[float], digits: int = 4) -> list[str]:
    """Format coefficients and their standard errors together, as R's ``printCoefmat``.

    Examples
    --------
    >>> format_coefficients([0.977646, -0.110832, 0.040987])
    [' 0.97765', '-0.11083', ' 0.04099']
    """
    sizes = [abs(value) for value in values if isfinite(value) and value != 0.0]
    smallest = 1 + floor(log10(min(sizes))) if sizes else 1
    decimals = max(1, digits - smallest)
    return format_numbers([round(value, decimals) for value in values], digits)


def format_p_values(values: Sequence[float], digits: int = 3) -> list[str]:
    """Format p-values as R's ``format.pval``.

    Those below 0.0001 are formatted together, and so are the others.

    Examples
    --------
    >>> format_p_values([1e-20, 0.5703, 0.000655])
    ['< 2e-16', '0.570300', '0.000655']
    >>> format_p_values([1e-20, 0.5703])
    ['<2e-16', '0.57']
    """
    texts = ["NaN"] * len(values)
    shown = [k for k, p in enumerate(values) if p >= SMALLEST_P_VALUE]
    for large in (True, False):
        group = [k for k in shown if (floor(log10(values[k])) >= -4) == large]
        formatted = format_numbers([values[k] for k in group], digits)
        for k, text in zip(group, formatted, strict=True):
            texts[k] = text.strip()
    width = max((len(texts[k]) for k in shown), default=0)
    for k, p in enumerate(values):
        if p < SMALLEST_P_VALUE:
            texts[k] = "<2e-16" if width <= 6 else "< 2e-16"
    return texts


def abbreviate(names: Sequence[str], length: int) -> list[str]:
    """Shorten names as R's ``abbreviate()``; those that become equal are shortened less.

    Examples
    --------
    >>> abbreviate(["(Intercept)", "sectorPublic", "x:a"], 6)
    ['(Intr)', 'sctrPb', 'x:a']
    >>> abbreviate(["group11", "group12", "group1A"], 4)
    ['gr11', 'gr12', 'gr1A']
    >>> abbreviate(["factor(year)2001", "factor(year)2002"], 6)
    ['f()2001', 'f()2002']
    """
    short, again = list(names), set(range(len(names)))
    while again:
        for k in again:
            short[k] = _shorten(names[k], length)
        again = {k for k in again if short.count(short[k]) > 1 and short[k] != names[k]}
        length += 1
    return short


def _shorten(name: str, length: int) -> str:
    """Drop lower-case vowels, then lower-case letters, then anything; from the right."""
    letters = list(name)
    for droppable in ("aeiou", "abcdefghijklmnopqrstuvwxyz", None):
        for k in range(len(letters) - 1, 0, -1):
            if len(letters) <= length:
                return "".join(letters)
            if droppable is None or letters[k] in droppable:
                del letters[k]
    return "".join(letters)


def align(cells: Sequence[Sequence[str]], *, left: int = 0, equal: bool = False) -> list[str]:
    """Lay columns of text side by side, the first `left` aligned to the left.

    Parameters
    ----------
    cells : sequence of columns
    left : int
    equal : bool
        All columns as wide as the widest, as R prints a vector with names.

    Examples
    --------
    >>> align([["", "x"], ["t value", "1.5"]], left=1)
    ['  t value', 'x     1.5']
    """
    widths = [max(map(len, column)) for column in cells]
    if equal:
        widths = [max(widths)] * len(widths)
    aligned = [
        [text.ljust(width) if k < left else text.rjust(width) for text in column]
        for k, (column, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return [" ".join(line).rstrip() for line in zip(*aligned, strict=True)]
