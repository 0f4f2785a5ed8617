"""The terms that an expression of ``+ - * / : ^`` stands for, by the rules of R's ``terms()``.

A term is held as a bit pattern over the variables in their order of appearance, as in R: a
product of terms is the bitwise or, so ``x:x`` is ``x`` and ``a + x:a`` gives ``a``, ``a:x``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest
from hlm.formula.parser import complaint
from hlm.formula.syntax import Binary, Call, Name, Node, Number, Paren, Sum, deparse, walk
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FUNCTIONS", "MAX_TERMS", "Factor", "Term", "check_arithmetic", "expand", "unique"]

MAX_TERMS = 500
MAX_PRODUCTS = 20_000

FUNCTIONS = (
    *("I", "factor", "log", "log2", "log10", "log1p", "exp", "expm1"),
    *("sqrt", "abs", "sin", "cos", "tan"),
)


@dataclass(frozen=True)
class Factor:
    """One variable or call of a formula, named as R deparses it.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> factor = parse("y ~ I( x^2 ) + (1 | g)").fixed[1].factors[0]
    >>> factor.name, factor.variables
    ('I(x^2)', ('x',))
    """

    name: str
    expr: Node

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables it needs, each once, in order of appearance."""
        return unique(node.name for node, _ in walk(self.expr) if isinstance(node, Name))


@dataclass(frozen=True)
class Term:
    """A product of factors; without any it is the intercept.

    Attributes
    ----------
    factors : tuple of Factor
    written : str
        The term of the formula that it is a column of, where that has several: ``school``.
    """

    factors: tuple[Factor, ...]
    written: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """R's label, ``x:a``, or ``(Intercept)``."""
        return ":".join(factor.name for factor in self.factors) or INTERCEPT

    @property
    def is_intercept(self) -> bool:
        """Whether it is the column of ones."""
        return not self.factors

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables it needs, each once, in order of appearance."""
        return unique(name for factor in self.factors for name in factor.variables)


def expand(text: str, node: Node) -> tuple[Term, ...]:
    """Return the terms of a piece of the formula `text`, the intercept first.

    Raises
    ------
    InputError
        If a piece of it is no variable, no known function or no operator on terms.
    """
    return _Expansion(text).terms(node)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name once, in order of appearance."""
    return tuple(dict.fromkeys(names))


class _Expansion:
    """The terms of one side of a bar, or of the fixed part, while they are gathered."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.factors: list[Factor] = []
        self.bits: dict[str, int] = {}
        self.intercept = True
        self.products = 0

    def terms(self, node: Node) -> tuple[Term, ...]:
        found = sorted(self.expand(node, adding=True), key=int.bit_count)
        intercept = (Term(()),) if self.intercept else ()
        return (*intercept, *(Term(self.members(bits)) for bits in found))

    def members(self, bits: int) -> tuple[Factor, ...]:
        return tuple(factor for i, factor in enumerate(self.factors) if bits >> i & 1)

    def expand(self, node: Node, *, adding: bool) -> list[int]:
        match node:
            case Number():
                return self.constant(node, adding=adding)
            case Name() | Call():
                return [self.variable(node)]
            case Paren(inner):
                return self.expand(inner, adding=adding)
            case Sum(items):
                return self.sum(items, adding=adding)
            case Binary():
                return self.binary(node, adding=adding)
        raise AssertionError(node)

    def constant(self, node: Number, *, adding: bool) -> list[int]:
        if node.value not in (0, 1):
            problem = f"a number that is no intercept: {deparse(node)}"
            raise complaint(self.text, node.at, problem, allowed="1, 0; arithmetic within I()")
        self.intercept = (node.value == 1) == adding
        return []

    def variable(self, node: Name | Call) -> int:
        name = deparse(node)
        if name not in self.bits:
            _check_factor(self.text, node)
            self.bits[name] = 1 << len(self.factors)
            self.factors.append(Factor(name, node))
            self.check_count(len(self.factors), node)
        return self.bits[name]

    def sum(self, items: tuple[tuple[str, Node], ...], *, adding: bool) -> list[int]:
        kept: dict[int, None] = {}
        for sign, item in items:
            plus = sign == "+"
            found = self.expand(item, adding=adding == plus)
            if plus:
                kept |= dict.fromkeys(found)
                self.check_count(len(kept), item)
            else:
                kept = {bits: None for bits in kept if bits not in found}
        return list(kept)

    def binary(self, node: Binary, *, adding: bool) -> list[int]:
        if node.op in ("|", "||"):
            problem = "a random term must be added in parentheses of its own"
            raise complaint(self.text, node.at, problem, allowed="... + (1 + x | unit)")
        if node.op == "^":
            return self.power(node, adding=adding)
        if node.op not in ("*", ":", "/"):
            raise complaint(self.text, node.at, f"'{node.op}' is not supported in a formula")
        for side in (node.left, node.right):
            if isinstance(side, Number):
                problem = f"'{node.op}' with a number"
                raise complaint(self.text, side.at, problem, allowed="arithmetic within I()")
        left = self.expand(node.left, adding=adding)
        right = self.expand(node.right, adding=adding)
        if node.op == "/":
            whole = 0
            for bits in left:
                whole |= bits
            return self.merge(node, left, self.cross(node, [whole], right))
        crossed = self.cross(node, left, right)
        return crossed if node.op == ":" else self.merge(node, left, right, crossed)

    def power(self, node: Binary, *, adding: bool) -> list[int]:
        exponent = node.right
        if not isinstance(exponent, Number) or exponent.value % 1 or exponent.value < 1:
            problem = f"the power '{deparse(exponent)}' of terms"
            raise complaint(self.text, exponent.at, problem, allowed="a whole number from 1")
        base = self.expand(node.left, adding=adding)
        found = base
        for _ in range(int(min(exponent.value, MAX_TERMS)) - 1):
            before = len(found)
            found = self.merge(node, found, self.cross(node, found, base))
            if len(found) == before:
                break
        return found

    def cross(self, node: Node, left: list[int], right: list[int]) -> list[int]:
        self.products += len(left) * len(right)
        if self.products > MAX_PRODUCTS:
            raise self.too_many(node)
        return self.merge(node, [one | other for one in left for other in right])

    def merge(self, node: Node, *parts: list[int]) -> list[int]:
        found = list(dict.fromkeys(bits for part in parts for bits in part))
        self.check_count(len(found), node)
        return found

    def check_count(self, count: int, node: Node) -> None:
        if count > MAX_TERMS:
            raise self.too_many(node)

    def too_many(self, node: Node) -> InputError:
        problem = "the formula expands to too many terms"
        return complaint(self.text, node.at, problem, allowed=f"at most {MAX_TERMS}")


def _check_factor(text: str, node: Name | Call) -> None:
    """Refuse a variable or call that cannot be computed; ``factor(x)`` may only stand alone."""
    if isinstance(node, Call) and node.function == "factor":
        if len(node.arguments) != 1 or not isinstance(node.arguments[0], Name):
            raise complaint(text, node.at, "factor() takes the name of one column")
        return
    check_arithmetic(text, node)
    if not any(isinstance(piece, Name) for piece, _ in walk(node)):
        raise complaint(text, node.at, f"'{deparse(node)}' has no variable")


def check_arithmetic(text: str, root: Node) -> None:
    """Refuse what cannot be computed."""
    for node, _ in walk(root):
        if isinstance(node, Call):
            _check_call(text, node, inside=node is not root)
        elif isinstance(node, Binary) and node.op not in ("*", "/", "^"):
            raise complaint(text, node.at, f"'{node.op}' within a function", allowed="+ - * / ^")
        elif isinstance(node, Name) and node.name == ".":
            raise complaint(text, node.at, "'.' is not supported", allowed="the names of columns")


def _check_call(text: str, call: Call, *, inside: bool) -> None:
    name = call.function
    if name == "offset":
        raise complaint(text, call.at, "offset() must be added on its own: ... + offset(z)")
    if name == "factor" and inside:
        raise complaint(text, call.at, "factor() must not be within another function")
    if name not in FUNCTIONS:
        raise complaint(
            text,
            call.at,
            f"unknown function '{name}'",
            allowed=", ".join(FUNCTIONS),
            suggestion=nearest(name, FUNCTIONS),
        )
    if len(call.arguments) != 1:
        raise complaint(text, call.at, f"{name}() takes one argument")
