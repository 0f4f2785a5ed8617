"""From a syntax tree to the terms of a mixed model, by the rules of R's ``terms()`` and lme4.

A term is held as a bit pattern over the variables in their order of appearance, as in R: a
product of terms is the bitwise or, so ``x:x`` is ``x`` and ``a + x:a`` gives ``a``, ``a:x``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest
from hlm.formula.parser import complaint, normalize, parse_sides
from hlm.formula.syntax import Binary, Call, Name, Node, Number, Paren, Sum, deparse, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FUNCTIONS", "MAX_TERMS", "Factor", "Formula", "RandomTerm", "Term", "parse"]

MAX_TERMS = 500
MAX_PRODUCTS = 20_000

FUNCTIONS = (
    *("I", "factor", "log", "log2", "log10", "log1p", "exp", "expm1"),
    *("sqrt", "abs", "sin", "cos", "tan"),
)

_GROUPING = "one grouping factor, a column name; crossed and nested factors are not supported"


@dataclass(frozen=True)
class Factor:
    """One variable or call of a formula, named as R deparses it.

    Examples
    --------
    >>> factor = parse("y ~ I( x^2 ) + (1 | g)").fixed[1].factors[0]
    >>> factor.name, factor.variables
    ('I(x^2)', ('x',))
    """

    name: str
    expr: Node

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables it needs, each once, in order of appearance."""
        return _unique(node.name for node, _ in walk(self.expr) if isinstance(node, Name))


@dataclass(frozen=True)
class Term:
    """A product of factors; without any it is the intercept."""

    factors: tuple[Factor, ...]

    @property
    def name(self) -> str:
        """R's label, ``x:a``, or ``(Intercept)``."""
        return ":".join(factor.name for factor in self.factors) or "(Intercept)"

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables it needs, each once, in order of appearance."""
        return _unique(name for factor in self.factors for name in factor.variables)


@dataclass(frozen=True)
class RandomTerm:
    """One block of correlated random effects of the units that `group` names."""

    terms: tuple[Term, ...]
    group: str


@dataclass(frozen=True)
class Formula:
    """A mixed model, read.

    Attributes
    ----------
    text : str
        The formula on one line.
    response : str
    fixed : tuple of Term
        By order of interaction, then of appearance; the intercept first.
    random : tuple of RandomTerm
        ``(1 + x || g)`` has become one block for each of its terms.
    offset : tuple of Factor
        What `offset()` holds, to be added with a coefficient of one.
    """

    text: str
    response: str
    fixed: tuple[Term, ...]
    random: tuple[RandomTerm, ...]
    offset: tuple[Factor, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable right of the ``~`` but the group, in order of appearance."""
        terms = (*self.fixed, *(term for block in self.random for term in block.terms))
        factors = (*(factor for term in terms for factor in term.factors), *self.offset)
        return _unique(name for factor in factors for name in factor.variables)


def parse(text: str, *, random: bool = True) -> Formula:
    """Read a formula as R and lme4 do.

    Parameters
    ----------
    text : str
        Such as ``y ~ x * a + (1 + x | unit)``. ``+ - * / : ^`` have R's meaning for models and,
        within a function, their arithmetic one.
    random : bool
        Whether exactly one grouping factor is required; if not, none is fine too.

    Returns
    -------
    Formula

    Raises
    ------
    InputError
        If the formula does not parse (the place is marked) or asks for what is not supported.

    Examples
    --------
    >>> formula = parse("y ~ x * a + (1 + x || unit)")
    >>> [term.name for term in formula.fixed]
    ['(Intercept)', 'x', 'a', 'x:a']
    >>> [(block.terms[0].name, block.group) for block in formula.random]
    [('(Intercept)', 'unit'), ('x', 'unit')]
    """
    text = normalize(text)
    left, right = parse_sides(text)
    response = _response(text, left)
    fixed, bars, offsets = _split(right)
    blocks = tuple(block for bar in bars for block in _blocks(text, bar))
    formula = Formula(
        text,
        response,
        _Expansion(text).terms(fixed),
        blocks,
        tuple(_offset(text, call) for call in offsets),
    )
    _check(formula, bars, random=random)
    return formula


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _response(text: str, left: Node | None) -> str:
    if left is None:
        raise complaint(text, 0, "the formula has no response", allowed="response ~ terms")
    if not isinstance(left, Name) or left.name == ".":
        problem = f"the response must be the name of a column, not '{deparse(left)}'"
        raise complaint(text, left.at, problem, allowed="a column; transform it beforehand")
    return left.name


def _split(right: Node) -> tuple[Sum, list[Binary], list[Call]]:
    """Part the right side into its fixed terms, its bars and its offsets."""
    fixed: list[tuple[str, Node]] = []
    bars: list[Binary] = []
    offsets: list[Call] = []
    for sign, item in right.items if isinstance(right, Sum) else (("+", right),):
        piece = item
        while isinstance(piece, Paren):
            piece = piece.inner
        if sign == "+" and piece is not item and _is_bar(piece):
            bars.append(piece)  # type: ignore[arg-type]
        elif sign == "+" and isinstance(piece, Call) and piece.function == "offset":
            offsets.append(piece)
        else:
            fixed.append((sign, item))
    return Sum(tuple(fixed), at=right.at), bars, offsets


def _is_bar(node: Node) -> bool:
    return isinstance(node, Binary) and node.op in ("|", "||")


def _offset(text: str, call: Call) -> Factor:
    if len(call.arguments) != 1:
        raise complaint(text, call.at, "offset() takes one argument")
    _check_arithmetic(text, call.arguments[0])
    return Factor(deparse(call), call.arguments[0])


def _blocks(text: str, bar: Binary) -> list[RandomTerm]:
    """Read one random part; ``||`` gives a block for each term, as lme4's expandDoubleVerts."""
    group = _group(text, bar.right)
    terms = _Expansion(text).terms(bar.left)
    if not terms:
        raise complaint(text, bar.at, "there is no random effect before the bar")
    for term in terms:
        if group in term.variables:
            raise complaint(text, bar.at, f"'{group}' is on both sides of the bar")
    parts = [(term,) for term in terms] if bar.op == "||" else [terms]
    return [RandomTerm(part, group) for part in parts]


def _group(text: str, node: Node) -> str:
    if isinstance(node, Name) and node.name != ".":
        return node.name
    kinds = {"/": "nested", ":": "crossed", "+": "several", "*": "crossed"}
    op = node.op if isinstance(node, Binary) else "+" if isinstance(node, Sum) else ""
    asked = f"{kinds[op]} grouping factors '{deparse(node)}'" if op in kinds else deparse(node)
    problem = f"a random term cannot be grouped by {asked}"
    raise complaint(text, node.at, problem, allowed=_GROUPING)


def _check(formula: Formula, bars: list[Binary], *, random: bool) -> None:
    """Refuse what parses and yet is no model that can be fitted."""
    text, groups = formula.text, _unique(block.group for block in formula.random)
    if len(groups) > 1:
        asked = " and ".join(f"'{group}'" for group in groups)
        at = next(bar.right.at for bar in bars if deparse(bar.right) != deparse(bars[0].right))
        raise complaint(text, at, f"the model has the grouping factors {asked}", allowed=_GROUPING)
    if random and not groups:
        problem = "the formula has no random term"
        raise complaint(text, len(text), problem, allowed="a term such as (1 | unit)")
    if not formula.fixed:
        raise complaint(text, text.index("~"), "the fixed part has no terms")
    if formula.response in (*formula.variables, *groups):
        problem = f"the response '{formula.response}' is also on the right side"
        raise complaint(text, text.index("~"), problem)
    names = [term.name for block in formula.random for term in block.terms]
    for name in names:
        if names.count(name) > 1:
            problem = f"the random effect '{name}' is there twice"
            raise complaint(text, bars[-1].at, problem, allowed="each once: (1 | g) + (0 + x | g)")


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
    _check_arithmetic(text, node)
    if not any(isinstance(piece, Name) for piece, _ in walk(node)):
        raise complaint(text, node.at, f"'{deparse(node)}' has no variable")


def _check_arithmetic(text: str, root: Node) -> None:
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
