"""Functions of a model's terms that a user writes: value and gradient by one pass over a program.

A program has its operands first, so that a stack evaluates it: of values with their derivatives.
Where the whole is c + L b with constant weights L of the coefficients b, it is a contrast, and
inferred as coefficients are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.dual import OPERATORS, Dual, applied, joined
from hlm.estimands.estimand import Estimand, Part, Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hlm.estimands.parameters import Parameters
    from hlm.scenario import Expression, Program, Terms

__all__ = [
    "Contrast",
    "Function",
    "PositiveFunction",
    "Weights",
    "estimand_of",
    "trace",
    "weights_of",
]

Floats = NDArray[np.float64]


def trace(
    program: Program, at: Parameters, leaves: Mapping[str, Estimand], *, gradient: bool = True
) -> list[Dual]:
    """Return what each step of a program gives, with derivatives if asked for; the last is all."""
    found: list[Dual] = []
    stack: list[Dual] = []
    with np.errstate(all="ignore"):
        for op, of in program:
            if op == "number":
                one = Dual(np.full(np.shape(at.sigma), float(of)), {})
            elif op == "term":
                leaf = leaves[str(of)]
                one = Dual(leaf.value(at), leaf.derivatives(at) if gradient else {})
            elif of in OPERATORS:
                right, left = stack.pop(), stack.pop()
                one = joined(str(of), left, right)
            else:
                one = applied(str(of), stack.pop())
            stack.append(one)
            found.append(one)
    return found


class Weights(NamedTuple):
    """The constant and the weights of coefficients, by name, of c + L b."""

    constant: float
    of: Mapping[str, float]


def weights_of(program: Program, coefficients: frozenset[str]) -> Weights | None:
    """Return the weights if a program is linear in coefficients and made of nothing else.

    Examples
    --------
    >>> program = (("term", "x"), ("number", 2.0), ("apply", "/"))
    >>> weights_of(program, frozenset(["x"]))
    Weights(constant=0.0, of={'x': 0.5})
    >>> weights_of((*program, ("apply", "exp")), frozenset(["x"])) is None
    True
    """
    stack: list[Weights] = []
    for op, of in program:
        if op == "number":
            one: Weights | None = Weights(float(of), {})
        elif op == "term":
            one = Weights(0.0, {str(of): 1.0}) if of in coefficients else None
        elif of in OPERATORS:
            right, left = stack.pop(), stack.pop()
            one = _linear(str(of), left, right)
        else:
            one = _linear_applied(str(of), stack.pop())
        if one is None:
            return None
        stack.append(one)
    return stack[-1]


def _linear_applied(function: str, of: Weights) -> Weights | None:
    if function == "negative":
        return _scaled(of, -1.0)
    if of.of:
        return None
    with np.errstate(all="ignore"):
        return _constant(applied(function, Dual(np.array(of.constant), {})))


def _linear(op: str, left: Weights, right: Weights) -> Weights | None:
    if op in "+-":
        other = right if op == "+" else _scaled(right, -1.0)
        names = dict.fromkeys((*left.of, *other.of))
        both = {name: left.of.get(name, 0.0) + other.of.get(name, 0.0) for name in names}
        return Weights(left.constant + other.constant, both)
    if not (left.of or right.of):
        operands = (Dual(np.array(side.constant), {}) for side in (left, right))
        with np.errstate(all="ignore"):
            return _constant(joined(op, *operands))
    if op == "*" and not (left.of and right.of):
        return _scaled(left, right.constant) if left.of else _scaled(right, left.constant)
    if op == "/" and not right.of and right.constant != 0.0:
        return _scaled(left, 1.0 / right.constant)
    return None


def _constant(of: Dual) -> Weights:
    return Weights(float(of.value), {})


def _scaled(of: Weights, factor: float) -> Weights:
    weights = {name: factor * weight for name, weight in of.of.items()}
    return Weights(factor * of.constant, weights)


@dataclass(frozen=True, kw_only=True)
class Contrast(Estimand):
    """The linear combination constant + sum of weights times coefficients.

    Its standard error, degrees of freedom and limits are by the inferences of coefficients.
    """

    kind, part, stage = "contrast", "fixed", 0
    tests_zero = True

    constant: float
    weights: tuple[float, ...]

    @property
    def L(self) -> Floats:
        """The weights as a row, (1, p)."""
        return np.array([self.weights])

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        there = np.flatnonzero(self.weights)
        return self.constant + at.beta[..., there] @ np.array(self.weights)[there]

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        return {j: np.full(np.shape(at.sigma), w) for j, w in enumerate(self.weights) if w != 0.0}


@dataclass(frozen=True, kw_only=True)
class Function(Estimand):
    """Another function of a model's terms, `leaves`; errors by the delta method.

    Its limits are on the scale that the user gives, by whatever inference of the random part.
    """

    kind, part, stage = "function", "random", 3
    tests_zero = True

    program: Program
    leaves: tuple[Estimand, ...]
    on: Scale

    @cached_property
    def _by_name(self) -> Mapping[str, Estimand]:
        return {leaf.name: leaf for leaf in self.leaves}

    @property
    def parts(self) -> frozenset[Part]:  # noqa: D102
        return frozenset(part for leaf in self.leaves for part in leaf.parts)

    @property
    def of_columns(self) -> bool:  # noqa: D102
        return any(leaf.of_columns for leaf in self.leaves)

    @property
    def _alone(self) -> Estimand | None:
        """The term that it is, if it is nothing else."""
        return self.leaves[0] if len(self.program) == 1 and self.on == "identity" else None

    def wald_scale(self, *, of_variances: bool) -> Scale:  # noqa: D102
        return self._alone.wald_scale(of_variances=of_variances) if self._alone else self.on

    def from_limits(self, limits: Floats) -> Floats | None:  # noqa: D102
        return self._alone.from_limits(limits) if self._alone else None

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        return trace(self.program, at, self._by_name, gradient=False)[-1].value

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        return dict(trace(self.program, at, self._by_name)[-1].slopes)


@dataclass(frozen=True, kw_only=True)
class PositiveFunction(Function):
    """A function whose limits are on the log or the logit scale, so that they never hold 0."""

    kind = "positive_function"
    tests_zero = False


def estimand_of(expression: Expression, terms: Terms, known: Mapping[str, Estimand]) -> Estimand:
    """Return what a user's expression is in a model whose estimands are `known` by name."""
    names = [str(of) for op, of in expression.program if op == "term"]
    name = expression.name
    weights = weights_of(expression.program, frozenset(terms.fixed))
    if weights is not None:
        row = tuple(weights.of.get(coefficient, 0.0) for coefficient in terms.fixed)
        constant = weights.constant
        return Contrast(name=name, words=name, terms=terms, constant=constant, weights=row)
    leaves = tuple(known[one] for one in dict.fromkeys(names))
    kind = PositiveFunction if expression.scale in ("log", "logit") else Function
    return kind(
        name=name,
        words=name,
        terms=terms,
        program=expression.program,
        leaves=leaves,
        on=expression.scale,
    )
