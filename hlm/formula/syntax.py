"""The syntax tree of a formula, written back as R's ``deparse()`` writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hlm.formula.cells import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Binary",
    "Call",
    "Indicator",
    "Name",
    "Node",
    "Number",
    "Paren",
    "Sum",
    "deparse",
    "walk",
]


@dataclass(frozen=True)
class Node:
    """A piece of a formula and the position in the text at which it is reported."""

    at: int = field(compare=False, kw_only=True, default=0)

    @property
    def children(self) -> tuple[Node, ...]:
        """The pieces that this one is made of."""
        return ()


@dataclass(frozen=True)
class Number(Node):
    """A number."""

    value: float


@dataclass(frozen=True)
class Name(Node):
    """A variable."""

    name: str


@dataclass(frozen=True)
class Call(Node):
    """A function of one or more arguments."""

    function: str
    arguments: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The arguments."""
        return self.arguments


@dataclass(frozen=True)
class Indicator(Node):
    """1 where a variable has a value, else 0; no text stands for it, factors are made of it."""

    variable: Name
    value: float

    @property
    def children(self) -> tuple[Node, ...]:
        """The variable."""
        return (self.variable,)


@dataclass(frozen=True)
class Sum(Node):
    """A chain of signed pieces; flat, so that its length costs no recursion."""

    items: tuple[tuple[str, Node], ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The pieces without their signs."""
        return tuple(node for _, node in self.items)


@dataclass(frozen=True)
class Binary(Node):
    """Two pieces joined by one of ``* / : ^ | ||`` or an operator between percent signs."""

    op: str
    left: Node
    right: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True)
class Paren(Node):
    """A piece in parentheses, which R keeps when it writes a formula back."""

    inner: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """What the parentheses hold."""
        return (self.inner,)


def walk(root: Node) -> Iterator[tuple[Node, int]]:
    """Yield every piece and its depth, from left to right, without recursion."""
    stack = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in reversed(node.children))


def deparse(node: Node) -> str:
    """Write a piece as R does: ``I(x^2)``, ``log(x + 1)``, ``I(x/2)``.

    Examples
    --------
    >>> x = Name("x")
    >>> deparse(Call("I", (Binary("^", x, Number(2.0)),)))
    'I(x^2)'
    """
    match node:
        case Number(value):
            return number_text(value)
        case Name(name):
            return name if _plain(name) else f"`{name}`"
        case Call(function, arguments):
            return f"{function}({', '.join(deparse(a) for a in arguments)})"
        case Paren(inner):
            return f"({deparse(inner)})"
        case Binary(op, left, right):
            space = "" if op in "^:/" else " "
            return f"{deparse(left)}{space}{op}{space}{deparse(right)}"
        case Sum(items):
            text = "".join(f" {sign} {deparse(piece)}" for sign, piece in items)
            return text[3:] if text.startswith(" + ") else "-" + text[3:]
    raise AssertionError(node)


def _plain(name: str) -> bool:
    """Tell a name such as ``sd.x`` that R writes without backticks."""
    return name.replace(".", "_").isidentifier() and not name.startswith("_")
