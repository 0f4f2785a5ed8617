"""Text with mathematics and code in it: plain strings, in which two signs open and close either.

The signs are of Unicode's private area, so no word of a user's is taken for mathematics.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Piece", "code", "math", "pieces", "plain", "said_by_user"]

_MATH, _CODE, _END = "\ue000", "\ue001", "\ue002"
_MARKED = re.compile(f"([{_MATH}{_CODE}])(.*?){_END}", re.DOTALL)


class Piece(NamedTuple):
    """A piece of a marked text: words, LaTeX for mathematics, or code as it is typed."""

    kind: Literal["words", "math", "code"]
    text: str


def math(tex: str) -> str:
    """Mark LaTeX as mathematics within a text."""
    return f"{_MATH}{tex}{_END}"


def code(text: str) -> str:
    """Mark what is typed so, such as a formula."""
    return f"{_CODE}{text}{_END}"


def said_by_user(text: str) -> str:
    """Return the words of a user, without signs that would mark anything."""
    return re.sub(f"[{_MATH}{_CODE}{_END}]", "", text)


def pieces(text: str) -> Iterator[Piece]:
    """Yield the pieces of a marked text.

    Examples
    --------
    >>> [tuple(piece) for piece in pieces(f"of {math('b_1')}, by {code('y ~ x')}")]
    [('words', 'of '), ('math', 'b_1'), ('words', ', by '), ('code', 'y ~ x')]
    """
    end = 0
    for found in _MARKED.finditer(text):
        if found.start() > end:
            yield Piece("words", text[end : found.start()])
        yield Piece("math" if found[1] == _MATH else "code", found[2])
        end = found.end()
    if end < len(text):
        yield Piece("words", text[end:])


def plain(text: str) -> str:
    """Return a marked text without its marks.

    Examples
    --------
    >>> plain(f"by {code('y ~ x')}")
    'by y ~ x'
    """
    return "".join(piece.text for piece in pieces(text))
