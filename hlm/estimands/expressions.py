"""The text of a user's expression -> the program that it stands for in models.

The names are those of the tables: ``x``, ``x:a``, ``(Intercept)``, ``sigma``, and in backticks
``sd_x|unit``, ``sigma^2``; ``sd(x)``, ``var(x)``, ``cor(x, (Intercept))`` and ``cov(...)`` name
the same by random effects. Nothing is evaluated but arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from hlm.errors import nearest
from hlm.estimands.dual import FUNCTIONS, OPERATORS
from hlm.estimands.functions import weights_of
from hlm.estimands.names import factors_of, of_effects
from hlm.formula.parser import complaint, normalize, parse_expression
from hlm.formula.syntax import Binary, Call, Name, Number, Paren, Sum, deparse
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hlm.formula.syntax import Node
    from hlm.scenario import Program, Terms

__all__ = ["EXAMPLE", "Read", "read_expression", "within"]

EXAMPLE = "x + xm, var(x), `sd_x|unit` / sigma"

OF_EFFECTS = {"sd": 1, "var": 1, "cor": 2, "cov": 2}
"""What a model has of one random effect or of two."""

SYNONYMS = {
    **dict.fromkeys(("ln", "log1p", "log10", "log2"), "log"),
    **dict.fromkeys(("plogis", "invlogit", "inv_logit", "logistic", "sigmoid"), "expit"),
    **dict.fromkeys(("qlogis",), "logit"),
    **dict.fromkeys(("arctanh", "fisher", "z"), "atanh"),
    **dict.fromkeys(("variance", "tau2"), "var"),
    **dict.fromkeys(("corr", "correlation", "rho"), "cor"),
    **dict.fromkeys(("covariance",), "cov"),
    **dict.fromkeys(("tau", "std"), "sd"),
    "pow": "^",
}


class Read(NamedTuple):
    """An expression that was read.

    Attributes
    ----------
    text : str
        On one line.
    program : Program
    at : tuple of int
        Where in the text each step of the program is.
    """

    text: str
    program: Program
    at: tuple[int, ...]

    @property
    def terms(self) -> frozenset[str]:
        """The names of the terms in it."""
        return frozenset(str(of) for op, of in self.program if op == "term")


def read_expression(
    text: object, models: Sequence[tuple[Terms, Collection[str]]], also: Sequence[str] = ()
) -> Read:
    """Read an expression.

    Parameters
    ----------
    text : str
    models : sequence of (Terms, collection of str)
        The names in each model's formula, and those of all that may stand in an expression.
    also : sequence of str
        Words that a user may have meant in the place of an expression.

    Raises
    ------
    InputError
        It is no expression, has a name or a function that there is not, or no term at all.

    Examples
    --------
    >>> from hlm.scenario import Terms
    >>> terms = Terms(("(Intercept)", "x"), (("(Intercept)", "x"),), "unit")
    >>> models = [(terms, ["(Intercept)", "x", "var_x|unit"])]
    >>> read_expression("2 * x + var(x)", models).program[2:]
    (('apply', '*'), ('term', 'var_x|unit'), ('apply', '+'))
    """
    line = normalize(text, "expression", EXAMPLE)
    reader = _Reader(line, models, also)
    reader.read(parse_expression(line))
    found = Read(line, tuple(reader.program), tuple(reader.at))
    if not found.terms:
        raise complaint(line, 0, "the expression has no term of a model", allowed=reader.allowed)
    _refuse_constant(found, models)
    return found


def _refuse_constant(found: Read, models: Sequence[tuple[Terms, Collection[str]]]) -> None:
    """Refuse ``x - x``: it is the same whatever the data are."""
    coefficients = frozenset(name for terms, _ in models for name in terms.fixed)
    weights = weights_of(found.program, coefficients)
    if weights is not None and not any(weights.of.values()):
        raise complaint(found.text, 0, "the coefficients in the expression cancel", allowed=EXAMPLE)


class _Reader:
    """Writes the program of a syntax tree."""

    def __init__(
        self, text: str, models: Sequence[tuple[Terms, Collection[str]]], also: Sequence[str]
    ) -> None:
        self.text = text
        self.models = models
        self.also = also
        self.names = dict.fromkeys(name for _, names in models for name in names)
        self.coefficients = {factors_of(name): name for terms, _ in models for name in terms.fixed}
        self.program: list[tuple[str, str | float]] = []
        self.at: list[int] = []

    @property
    def allowed(self) -> str:
        return ", ".join([*self.names, *(f"{function}(...)" for function in self.functions)])

    @property
    def functions(self) -> list[str]:
        return [*FUNCTIONS, *OF_EFFECTS]

    def write(self, op: str, of: str | float, node: Node) -> None:
        self.program.append((op, of))
        self.at.append(node.at)

    def read(self, node: Node) -> None:
        node = _sign_before(node)
        name = self.name_of(node)
        if name is not None:
            self.write("term", name, node)
            return
        match node:
            case Number(value):
                self.write("number", value, node)
            case Paren(inner):
                self.read(inner)
            case Binary(op, left, right) if op in OPERATORS:
                self.read(left)
                self.read(right)
                self.write("apply", op, node)
            case Sum(items):
                self.read_sum(node, items)
            case Call(function, arguments):
                self.read_call(node, function, arguments)
            case Name(unknown):
                self.refuse(node, unknown)
            case _:
                self.refuse(node, _written(node))

    def read_sum(self, node: Node, items: Sequence[tuple[str, Node]]) -> None:
        for place, (sign, piece) in enumerate(items):
            self.read(piece)
            if place:
                self.write("apply", sign, node)
            elif sign == "-":
                self.write("apply", "negative", node)

    def read_call(self, node: Node, function: str, arguments: Sequence[Node]) -> None:
        if function in OF_EFFECTS:
            self.write("term", self.of_effects(node, function, arguments), node)
            return
        if function not in FUNCTIONS:
            known = self.functions
            near = SYNONYMS.get(function.lower()) or nearest(function.lower(), known)
            raise complaint(
                self.text,
                node.at,
                f"there is no function '{function}' in expressions",
                allowed=", ".join(known),
                suggestion=near,
            )
        if len(arguments) != 1:
            problem = f"{function}() of {len(arguments)} values"
            raise complaint(self.text, node.at, problem, allowed=f"{function}() of one")
        self.read(arguments[0])
        self.write("apply", function, node)

    def of_effects(self, node: Node, what: str, arguments: Sequence[Node]) -> str:
        """Return the name of a parameter of random effects."""
        if len(arguments) != OF_EFFECTS[what]:
            n = OF_EFFECTS[what]
            problem = f"{what}() of {len(arguments)} random effects"
            allowed = f"{what}(x)" if n == 1 else f"{what}(x, (Intercept))"
            raise complaint(self.text, node.at, problem, allowed=allowed)
        effects = {effect for terms, _ in self.models for effect in terms.effects}
        group = self.models[0][0].group if self.models else ""
        by_factors = {factors_of(effect): effect for effect in effects}
        own = []
        for argument in arguments:
            written = _written(argument)
            if factors_of(written) not in by_factors:
                raise complaint(
                    self.text,
                    argument.at,
                    f"no model has a random effect '{written}'",
                    allowed=", ".join(sorted(effects)),
                    suggestion=nearest(written, sorted(effects)),
                )
            own.append(by_factors[factors_of(written)])
        for order in (own, own[::-1]):
            name = of_effects(what, order, group)
            if name in self.names:
                return name
        problem = f"no model has {what}({', '.join(own)})"
        raise complaint(self.text, node.at, problem, allowed="random effects of one block")

    def name_of(self, node: Node) -> str | None:
        """Return the name of a term that a piece of the text is, whole."""
        if isinstance(node, Number):
            return None
        written = node.name if isinstance(node, Name) else _written(node)
        if written in self.names:
            return written
        return self.coefficients.get(factors_of(written))

    def refuse(self, node: Node, unknown: str) -> NoReturn:
        near = nearest(unknown, [*self.names, *self.also])
        wanted = next((n for n in self.names if n.strip("()") == unknown), near)
        what = f"no model has a term '{unknown}'"
        if isinstance(node, Binary):
            what = f"'{node.op}' is no arithmetic, and '{unknown}' no name of a term"
        raise complaint(
            self.text,
            node.at,
            what,
            allowed=f"{self.allowed}; names with bars and brackets in backticks: `sd_x|unit`",
            suggestion=wanted,
        )


def _sign_before(node: Node) -> Node:
    """Return ``-x:a`` as the negative of ``x:a``: R's sign binds more tightly than its colon."""
    if not isinstance(node, Binary) or node.op != ":":
        return node
    match _sign_before(node.left):
        case Sum(((sign, piece),)):
            return Sum(((sign, Binary(":", piece, node.right, at=node.at)),), at=node.left.at)
    return node


def _written(node: Node) -> str:
    """Return a piece as tables name it: the intercept in parentheses, without spaces at bars."""
    match node:
        case Name(name):
            return name
        case Paren(Name("Intercept")):
            return INTERCEPT
        case Binary(op, left, right) if op in (":", "|"):
            return f"{_written(left)}{op}{_written(right)}"
    return deparse(node)


def within(read: Read, names: Mapping[str, object] | Collection[str]) -> bool:
    """Tell whether a model with these names has all terms of an expression."""
    return all(name in names for name in read.terms)
