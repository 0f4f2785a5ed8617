"""From a syntax tree to a mixed model: its fixed terms, random blocks and offsets, as in lme4."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from hlm.formula.expansion import Factor, Term, check_arithmetic, expand, unique
from hlm.formula.parser import complaint, normalize, parse_sides
from hlm.formula.syntax import Binary, Call, Name, Node, Paren, Sum, deparse

if TYPE_CHECKING:
    from hlm.scenario import RatioTest

__all__ = ["Formula", "RandomTerm", "parse"]

_GROUPING = "one grouping factor, a column name; crossed and nested factors are not supported"


@dataclass(frozen=True)
class RandomTerm:
    """One block of correlated random effects of the units that `group` names."""

    terms: tuple[Term, ...]
    group: str

    @property
    def text(self) -> str:
        """The block with its terms by name: ``((Intercept) + x | unit)``."""
        return f"({' + '.join(term.name for term in self.terms)} | {self.group})"


@dataclass(frozen=True)
class Formula:
    """A mixed model, read.

    Attributes
    ----------
    text : str
        The formula on one line.
    response : str
        The name of a column, or an expression such as ``log(y)`` as R writes it.
    outcome : Factor
        How the response is computed from columns.
    fixed : tuple of Term
        By order of interaction, then of appearance; the intercept first.
    random : tuple of RandomTerm
        ``(1 + x || g)`` has become one block for each of its terms.
    offset : tuple of Factor
        What `offset()` holds, to be added with a coefficient of one.
    """

    text: str
    response: str
    outcome: Factor
    fixed: tuple[Term, ...]
    random: tuple[RandomTerm, ...]
    offset: tuple[Factor, ...]

    @property
    def effects(self) -> tuple[Term, ...]:
        """The terms of the random effects, of all blocks."""
        return tuple(term for block in self.random for term in block.terms)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The fixed terms, then those of the random effects."""
        return (*self.fixed, *self.effects)

    @property
    def blocks(self) -> tuple[int, ...]:
        """The sizes of the blocks of random effects."""
        return tuple(len(block.terms) for block in self.random)

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable right of the ``~`` but the group, in order of appearance."""
        factors = (*(factor for term in self.terms for factor in term.factors), *self.offset)
        return unique(name for factor in factors for name in factor.variables)

    def smaller(self, test: RatioTest) -> Formula:
        """Return the model under the hypothesis of a likelihood ratio test; the text stays.

        Examples
        --------
        >>> from hlm.scenario import RatioTest
        >>> small = parse("y ~ x + (1 + x | g)").smaller(RatioTest("x", (0,), ((0,), (1,))))
        >>> [term.name for term in small.fixed], small.blocks
        (['(Intercept)'], (1, 1))
        """
        group, effects = self.random[0].group, self.effects
        return replace(
            self,
            fixed=tuple(self.fixed[place] for place in test.fixed),
            random=tuple(
                RandomTerm(tuple(effects[place] for place in block), group) for block in test.blocks
            ),
        )


@lru_cache(maxsize=256)
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
    outcome = _outcome(text, left)
    fixed, bars, offsets = _split(right)
    blocks = tuple(block for bar in bars for block in _blocks(text, bar))
    formula = Formula(
        text,
        outcome.name,
        outcome,
        expand(text, fixed),
        blocks,
        tuple(_offset(text, call) for call in offsets),
    )
    _check(formula, bars, random=random)
    return formula


def _outcome(text: str, left: Node | None) -> Factor:
    """Read the left side: a column, or what can be computed from columns, as ``log(y)``."""
    if left is None:
        raise complaint(text, 0, "the formula has no response", allowed="response ~ terms")
    if isinstance(left, Name) and left.name != ".":
        return Factor(left.name, left)
    if isinstance(left, Call) and left.function == "factor":
        raise complaint(text, left.at, "the response must be numbers, not factor()")
    check_arithmetic(text, left)
    outcome = Factor(deparse(left), left)
    if not outcome.variables:
        problem = f"the response '{outcome.name}' has no column"
        raise complaint(text, left.at, problem, allowed="a column, or an expression as log(y)")
    return outcome


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
    check_arithmetic(text, call.arguments[0])
    return Factor(deparse(call), call.arguments[0])


def _blocks(text: str, bar: Binary) -> list[RandomTerm]:
    """Read one random part; ``||`` gives a block for each term, as lme4's expandDoubleVerts."""
    group = _group(text, bar.right)
    terms = expand(text, bar.left)
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
    text, groups = formula.text, unique(block.group for block in formula.random)
    if len(groups) > 1:
        asked = " and ".join(f"'{group}'" for group in groups)
        at = next(bar.right.at for bar in bars if deparse(bar.right) != deparse(bars[0].right))
        raise complaint(text, at, f"the model has the grouping factors {asked}", allowed=_GROUPING)
    if random and not groups:
        problem = "the formula has no random term"
        raise complaint(text, len(text), problem, allowed="a term such as (1 | unit)")
    if not formula.fixed:
        raise complaint(text, text.index("~"), "the fixed part has no terms")
    for name in formula.outcome.variables:
        if name in (*formula.variables, *groups):
            problem = f"the response '{name}' is also on the right side"
            raise complaint(text, text.index("~"), problem)
    names = [term.name for term in formula.effects]
    for name in names:
        if names.count(name) > 1:
            problem = f"the random effect '{name}' is there twice"
            raise complaint(text, bars[-1].at, problem, allowed="each once: (1 | g) + (0 + x | g)")
