"""From the text of a formula to its syntax tree: a scanner and a Pratt parser.

Binding powers are R's: ``~`` binds least, then ``| ||``, ``+ -``, ``* /``, ``%in%``, ``:``, the
sign, and ``^``, which alone groups from the right. Length and depth are bounded, so that no
input can exhaust the stack.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from hlm.errors import InputError
from hlm.formula.syntax import Binary, Call, Name, Node, Number, Paren, Sum, walk

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "complaint", "normalize", "parse_expression", "parse_sides"]

MAX_LENGTH = 10_000
MAX_DEPTH = 50
FORMULA = "y ~ x + (1 + x | unit)"

_TOKEN = re.compile(
    r"""
      (?P<number> (?: [0-9]+ (?:\.[0-9]*)? | \.[0-9]+ ) (?:[eE][+-]?[0-9]+)? )
    | (?P<name>   (?: [^\W\d_] | \.(?![0-9]) ) [\w.]* )
    | ` (?P<quoted> [^`]+ ) `
    | (?P<op>     \|\| | \*\* | %[^%\s]*% | [-~+*/:^()|,] )
    """,
    re.VERBOSE,
)
_BAR, _SUM, _PRODUCT, _SPECIAL, _COLON, _SIGN, _POWER = 1, 2, 3, 4, 5, 6, 7
_POWERS = {"|": _BAR, "||": _BAR, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}
_POWERS |= {":": _COLON, "^": _POWER}


class Token(NamedTuple):
    """One word of a formula; `kind` is number, name, op or end."""

    kind: str
    text: str
    at: int


def normalize(text: object, what: str = "formula", example: str = FORMULA) -> str:
    """Return a formula's text on one line, or complain that it is no text at all."""
    if not isinstance(text, str):
        article = "an" if what[0] in "aeiou" else "a"
        raise InputError(f"{article} {what} must be text, not {text!r}", allowed=example)
    if len(text) > MAX_LENGTH:
        raise InputError(
            f"the {what} has {len(text)} characters", allowed=f"at most {MAX_LENGTH} characters"
        )
    if not text.strip():
        raise InputError(f"the {what} is empty", allowed=example)
    return " ".join(text.split())


def complaint(
    text: str, at: int, problem: str, *, allowed: str | None = None, suggestion: str | None = None
) -> InputError:
    """Return the error for a place in a formula, shown with a caret under it.

    Examples
    --------
    >>> print(complaint("y ~ x + * a", 8, "nothing to multiply"))
    nothing to multiply
        y ~ x + * a
                ^
    """
    start = max(0, at - 60)
    line = "".join(c if c.isprintable() else "?" for c in text[start : at + 30])
    shown = f"{problem}\n    {line}\n    {' ' * (at - start)}^"
    return InputError(shown, allowed=allowed, suggestion=suggestion)


def parse_sides(text: str) -> tuple[Node | None, Node]:
    """Parse a normalized formula into what stands left (if anything) and right of its ``~``."""
    parser = _Parser(text)
    left = None if parser.is_op("~") else parser.expression(0)
    if not parser.is_op("~"):
        if parser.token.kind == "end":
            raise complaint(text, len(text), "the formula has no '~'", allowed="response ~ terms")
        raise parser.unexpected()
    parser.advance()
    right = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.unexpected()
    for side in (left, right):
        _check_depth(text, side)
    return left, right


def parse_expression(text: str) -> Node:
    """Parse a normalized text without ``~``: arithmetic by the same rules."""
    parser = _Parser(text, "expression")
    node = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.unexpected()
    _check_depth(text, node, "expression")
    return node


def _check_depth(text: str, root: Node | None, what: str = "formula") -> None:
    for node, depth in walk(root) if root else ():
        if depth > MAX_DEPTH:
            raise _too_deep(text, node.at, what)


def _too_deep(text: str, at: int, what: str) -> InputError:
    return complaint(text, at, f"the {what} is nested too deeply", allowed=f"{MAX_DEPTH} levels")


def _scan(text: str, what: str) -> list[Token]:
    tokens, at = [], 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise complaint(text, at, f"the {what} does not parse: unexpected {text[at]!r}")
        kind = found.lastgroup or ""
        word = "^" if found[kind] == "**" else found[kind]
        tokens.append(Token("name" if kind == "quoted" else kind, word, at))
        at = found.end()
    return [*tokens, Token("end", "", len(text))]


class _Parser:
    """The tokens of one formula, or other `what`, and the place reached in them."""

    def __init__(self, text: str, what: str = "formula") -> None:
        self.text = text
        self.what = what
        self.tokens = _scan(text, what)
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def advance(self) -> Token:
        token = self.token
        self.next += 1
        return token

    def is_op(self, *texts: str) -> bool:
        return self.token.kind == "op" and self.token.text in texts

    def unexpected(self) -> InputError:
        found = "it ends here" if self.token.kind == "end" else f"unexpected '{self.token.text}'"
        return complaint(self.text, self.token.at, f"the {self.what} does not parse: {found}")

    def expect(self, text: str) -> None:
        if not self.is_op(text):
            raise self.unexpected()
        self.advance()

    def expression(self, least: int) -> Node:
        """Parse operators that bind more tightly than `least`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _too_deep(self.text, self.token.at, self.what)
        left = self.prefix()
        while (power := self.power()) > least:
            left = self.sum(left) if power == _SUM else self.binary(left, power)
        self.depth -= 1
        return left

    def power(self) -> int:
        if self.token.kind != "op":
            return 0
        return _SPECIAL if self.token.text[0] == "%" else _POWERS.get(self.token.text, 0)

    def sum(self, first: Node) -> Sum:
        items, at = [("+", first)], self.token.at
        while self.is_op("+", "-"):
            sign = self.advance().text
            items.append((sign, self.expression(_SUM)))
        return Sum(tuple(items), at=at)

    def binary(self, left: Node, power: int) -> Binary:
        op = self.advance()
        right = self.expression(power - 1 if power == _POWER else power)
        return Binary(op.text, left, right, at=op.at)

    def prefix(self) -> Node:
        token = self.token
        if token.kind == "number":
            return self.number()
        if token.kind == "name":
            return self.name()
        if self.is_op("+", "-"):
            self.advance()
            return Sum(((token.text, self.expression(_SIGN - 1)),), at=token.at)
        if self.is_op("("):
            self.advance()
            inner = self.expression(0)
            self.expect(")")
            return Paren(inner, at=token.at)
        raise self.unexpected()

    def number(self) -> Number:
        token = self.advance()
        value = float(token.text)
        if not math.isfinite(value):
            raise complaint(self.text, token.at, f"the number {token.text} is too large")
        return Number(value, at=token.at)

    def name(self) -> Node:
        token = self.advance()
        if not self.is_op("("):
            return Name(token.text, at=token.at)
        self.advance()
        arguments = [self.expression(0)]
        while self.is_op(","):
            self.advance()
            arguments.append(self.expression(0))
        self.expect(")")
        return Call(token.text, tuple(arguments), at=token.at)
