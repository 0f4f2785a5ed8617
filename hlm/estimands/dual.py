r"""Values with their derivatives, which arithmetic carries along: forward-mode differentiation.

(f + g)' = f' + g',   (f g)' = f' g + f g',   (f / g)' = (f' - (f / g) g') / g,
(f^g)' = g f^(g - 1) f' + f^g log(f) g',      F(f)' = F'(f) f'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FUNCTIONS", "OPERATORS", "Dual", "applied", "joined"]

Floats = NDArray[np.float64]


class Dual(NamedTuple):
    """A value, (...), and its derivatives that are not 0, by their places in a gradient."""

    value: Floats
    slopes: Mapping[int, Floats]


def _expit(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


FUNCTIONS: dict[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = {
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1.0 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "logit": (lambda x: np.log(x / (1.0 - x)), lambda x: 1.0 / (x * (1.0 - x))),
    "expit": (_expit, lambda x: _expit(x) * (1.0 - _expit(x))),
    "atanh": (np.arctanh, lambda x: 1.0 / (1.0 - x**2)),
    "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
}
"""Functions of one number, each with its derivative."""

OPERATORS = ("+", "-", "*", "/", "^")
"""Operators of two operands; ``negative`` has one."""


def applied(function: str, of: Dual) -> Dual:
    """Return a function of `FUNCTIONS`, or the ``negative``, of a value.

    Examples
    --------
    >>> applied("log", Dual(np.array(2.0), {0: np.array(1.0)})).slopes[0].item()
    0.5
    """
    if function == "negative":
        return Dual(-of.value, {place: -slope for place, slope in of.slopes.items()})
    f, derivative = FUNCTIONS[function]
    factor = derivative(of.value)
    return Dual(f(of.value), {place: factor * slope for place, slope in of.slopes.items()})


def joined(op: str, left: Dual, right: Dual) -> Dual:
    """Return f op g with its derivatives a f' + b g', by an operator of `OPERATORS`.

    Examples
    --------
    >>> x = Dual(np.array(3.0), {0: np.array(1.0)})
    >>> joined("^", x, Dual(np.array(2.0), {})).slopes[0].item()
    6.0
    """
    f, g = left.value, right.value
    one = np.ones_like(f)
    if op == "+":
        value, a, b = f + g, one, one
    elif op == "-":
        value, a, b = f - g, one, -one
    elif op == "*":
        value, a, b = f * g, g, f
    elif op == "/":
        value = f / g
        a, b = 1.0 / g, -value / g
    else:
        value = f**g
        a, b = g * f ** (g - 1.0), value * np.log(f)
    slopes = {place: a * slope for place, slope in left.slopes.items()}
    for place, slope in right.slopes.items():
        slopes[place] = slopes.get(place, 0.0) + b * slope
    return Dual(value, slopes)
