"""The text of a cost, ``300 * units + 20 * units * rows`` -> a function of the variables."""

from __future__ import annotations

from functools import reduce
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError, nearest, together
from hlm.formula.parser import complaint, normalize, parse_expression
from hlm.formula.syntax import Binary, Call, Name, Number, Paren, Sum, deparse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hlm.formula.syntax import Node
    from hlm.solver.question import Floats, Variable

__all__ = ["Cost", "growing_cost", "read_cost"]

EXAMPLE = "300 * units + 20 * units * rows"

OPERATORS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}

FUNCTIONS: dict[str, tuple[int | None, Callable[..., Floats]]] = {
    "min": (None, lambda *of: reduce(np.minimum, of)),
    "max": (None, lambda *of: reduce(np.maximum, of)),
    "ceil": (1, np.ceil),
    "floor": (1, np.floor),
    "sqrt": (1, np.sqrt),
    "log": (1, np.log),
    "exp": (1, np.exp),
}
"""Functions, each with the number of its arguments, None for any."""

VALUES = 25
"""At so many values of each variable a cost is looked at."""


class Cost:
    """A cost, as a function of points.

    Attributes
    ----------
    text : str
        On one line.
    names : tuple of str
        The variables, in the order of a point.

    Examples
    --------
    >>> cost = read_cost("300 * units + 20 * units * rows", ["units", "rows"])
    >>> cost(np.array([[30.0, 10.0], [40.0, 5.0]])).tolist()
    [15000.0, 16000.0]
    """

    def __init__(self, text: str, names: Sequence[str], tree: Node) -> None:
        self.text = text
        self.names = tuple(names)
        self._tree = tree

    def __call__(self, points: Floats) -> Floats:
        """Return the costs of points, (n, v) -> (n,)."""
        values = dict(zip(self.names, np.asarray(points, dtype=float).T, strict=True))
        with np.errstate(all="ignore"):
            found = _evaluated(self._tree, values)
        return np.broadcast_to(found, (len(points),)).astype(float)


def _evaluated(node: Node, values: Mapping[str, Floats]) -> Floats:
    match node:
        case Number(value):
            return np.array(value)
        case Name(name):
            return values[name]
        case Paren(inner):
            return _evaluated(inner, values)
        case Sum(items):
            signed = [(1.0 if s == "+" else -1.0) * _evaluated(one, values) for s, one in items]
            total = signed[0]
            for one in signed[1:]:
                total = total + one
            return np.asarray(total)
        case Binary(op, left, right):
            return OPERATORS[op](_evaluated(left, values), _evaluated(right, values))
        case Call(function, arguments):
            return FUNCTIONS[function][1](*(_evaluated(one, values) for one in arguments))
    raise AssertionError(node)


def read_cost(text: object, names: Sequence[str]) -> Cost:
    """Read the text of a cost.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / ^``, parentheses, `FUNCTIONS`; names that are no words in
        backticks.
    names : sequence of str
        The variables.

    Raises
    ------
    InputError
        It is no arithmetic, or has names or functions that there are not: all of them.

    Examples
    --------
    >>> read_cost("300 * unit", ["units", "rows"])
    Traceback (most recent call last):
    hlm.errors.InputError: nothing that varies is named 'unit'
        300 * unit
              ^
      allowed: units, rows
      did you mean 'units'?
    """
    line = normalize(text, "cost", EXAMPLE)
    tree = parse_expression(line)
    mistakes = list(_mistakes(line, tree, names))
    if mistakes:
        raise together(mistakes)
    return Cost(line, names, tree)


def _mistakes(text: str, node: Node, names: Sequence[str]) -> list[InputError]:
    """Return what is wrong in a piece of a cost."""
    found: list[InputError] = []
    match node:
        case Name(name) if name not in names:
            problem, allowed = f"nothing that varies is named '{name}'", ", ".join(names)
            near = nearest(name, names)
            found.append(complaint(text, node.at, problem, allowed=allowed, suggestion=near))
        case Binary(op) if op not in OPERATORS:
            problem = f"'{deparse(node)}' is no arithmetic"
            return [complaint(text, node.at, problem, allowed="+ - * / ^")]
        case Call(function) if function not in FUNCTIONS:
            problem, near = (
                f"there is no function '{function}' in costs",
                nearest(function, FUNCTIONS),
            )
            allowed = ", ".join(FUNCTIONS)
            found.append(complaint(text, node.at, problem, allowed=allowed, suggestion=near))
        case Call(function, arguments) if FUNCTIONS[function][0] not in (None, len(arguments)):
            problem = f"{function}() of {len(arguments)} values"
            found.append(complaint(text, node.at, problem, allowed=f"{function}() of one"))
    return found + [error for child in node.children for error in _mistakes(text, child, names)]


def growing_cost(text: object, variables: Sequence[Variable]) -> Cost:
    """Read a cost and see that it grows in each variable.

    Where it does not, the cheapest design is no question of how much is enough.

    Parameters
    ----------
    text : str
    variables : sequence of Variable

    Raises
    ------
    InputError
        As of `read_cost`; or the cost is no positive number somewhere, or falls or stays the same
        as a variable grows: all of these.

    Examples
    --------
    >>> from hlm.solver import Variable
    >>> growing_cost("300 * units", [Variable("units", 4, 100), Variable("rows", 2, 40)])
    Traceback (most recent call last):
    hlm.errors.InputError: the cost '300 * units' does not grow with 'rows'
      allowed: a cost that grows with each of units, rows
    """
    cost = read_cost(text, [one.name for one in variables])
    axes = [np.linspace(*one.bounds, VALUES) for one in variables]
    costs = cost(np.array(list(product(*axes)))).reshape([len(axis) for axis in axes])
    if not (np.isfinite(costs).all() and (costs > 0.0).all()):
        at = np.unravel_index(np.argmin(np.isfinite(costs) & (costs > 0.0)), costs.shape)
        where = ", ".join(
            f"{one.name} = {axis[k]:g}" for one, axis, k in zip(variables, axes, at, strict=True)
        )
        problem = f"the cost '{cost.text}' is {costs[at]:g} at {where}"
        raise InputError(problem, allowed="positive numbers")
    mistakes = []
    for k, one in enumerate(variables):
        change = np.diff(costs, axis=k)
        small = 1e-12 * costs.max()
        falls = bool((change < -small).any())
        if one.bounds[0] < one.bounds[1] and (falls or not (change > small).any()):
            what = "falls somewhere as" if falls else "does not grow with"
            problem = f"the cost '{cost.text}' {what} '{one.name}'" + " grows" * falls
            names = ", ".join(other.name for other in variables)
            mistakes.append(InputError(problem, allowed=f"a cost that grows with each of {names}"))
    if mistakes:
        raise together(mistakes)
    return cost
