"""Columns of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["aligned"]


def aligned(rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Yield lines with the cells of each column flush right.

    Examples
    --------
    >>> list(aligned([["n", "x"], [10, 0.5]]))
    [' n    x', '10  0.5']
    """
    text = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*text, strict=True)]
    for row in text:
        yield "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
