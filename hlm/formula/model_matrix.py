"""From terms and data to columns, by the rules of R's ``model.matrix()``.

Strings, booleans, pandas categoricals and ``factor(x)`` are coded by treatment contrasts, the
first level left out. A factor keeps all its levels where R's rule asks for it: where no earlier
term holds the rest of its term, and in the first such term of a model without an intercept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.formula.cells import label
from hlm.formula.syntax import Binary, Call, Indicator, Name, Node, Number, Paren, Sum
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from hlm.formula.expansion import Factor, Term

__all__ = ["evaluate", "factor_levels", "full_dummies", "model_columns"]

Floats = NDArray[np.float64]
Levels = Mapping[str, Sequence[str]]

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "I": lambda x: x,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
}


def product_of(factors: Iterable[Factor], data: Mapping[str, Any]) -> Floats:
    """Multiply numeric factors, one after the other; (1,) of ones if there are none."""
    values = [np.atleast_1d(evaluate(factor, data)) for factor in factors]
    return reduce(np.multiply, values) if values else np.ones(1)


def evaluate(factor: Factor, data: Mapping[str, Any]) -> Floats:
    """Compute a numeric factor from the columns of the data.

    Parameters
    ----------
    factor : Factor
    data : mapping of str to array_like, (n,)
        A dict of arrays or a pandas data frame.

    Returns
    -------
    ndarray, (n,)
        Not finite where a function is undefined, such as the logarithm of a negative number.

    Raises
    ------
    InputError
        If a column is missing or does not hold numbers.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> square = parse("y ~ I(x^2) + (1 | g)").fixed[1].factors[0]
    >>> evaluate(square, {"x": np.array([1.0, -3.0])})
    array([1., 9.])
    """
    with np.errstate(all="ignore"):
        value = _value(factor.expr, data)
    return np.array(value, dtype=float)


def model_columns(
    terms: Sequence[Term], data: Mapping[str, Any], *, levels: Levels | None = None
) -> tuple[list[str], Floats]:
    """Make the columns of some terms, as R's ``model.matrix()`` does.

    Parameters
    ----------
    terms : sequence of Term
        The fixed terms of a formula, or the terms of one random block.
    data : mapping of str to array_like, (n,)
    levels : mapping of str to sequence of str, optional
        The levels of the factors, from `factor_levels` of the data that were fitted, where
        these are other data.

    Returns
    -------
    names : list of str, (p,)
        ``(Intercept)``, ``x``, ``sectorPublic``, ``x:sectorPublic``.
    columns : ndarray, (n, p)

    Raises
    ------
    InputError
        If a column is missing, or a factor has missing, unknown or too few levels.

    References
    ----------
    TermCode() and modelmatrix() in R's src/library/stats/src/model.c.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> names, X = model_columns(
    ...     parse("y ~ x * s + (1 | g)").fixed,
    ...     {"x": np.array([1.0, 2.0]), "s": np.array(["b", "a"])},
    ... )
    >>> names
    ['(Intercept)', 'x', 'sb', 'x:sb']
    >>> X
    array([[1., 1., 1., 1.],
           [1., 2., 0., 0.]])
    """
    levels = factor_levels(terms, data) if levels is None else levels
    names: list[str] = []
    columns: list[Floats] = []
    length = _length(data)
    for term, full in zip(terms, full_dummies(terms, levels), strict=True):
        term_names, term_columns = [""], [np.ones(length)]
        for factor in term.factors:
            piece = _coded(factor, data, levels, full=factor in full)
            term_names, term_columns = _product(term_names, term_columns, piece)
        names += [name or INTERCEPT for name in term_names]
        columns += term_columns
    return names, np.column_stack(columns) if columns else np.empty((length, 0))


def factor_levels(terms: Sequence[Term], data: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Find the levels of every factor that is not numeric.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> factor_levels(parse("y ~ s + x + (1 | g)").fixed, {"s": ["b", "a"], "x": [1, 2]})
    {'s': ('a', 'b')}
    """
    factors = dict.fromkeys(factor for term in terms for factor in term.factors)
    found = ((factor.name, _labelled(factor, data)) for factor in factors)
    return {name: labelled.levels for name, labelled in found if labelled is not None}


@dataclass(frozen=True)
class _Labelled:
    """A factor's levels and, for each row, which of them it has."""

    levels: tuple[str, ...]
    labels: NDArray[np.object_]


def _length(data: Mapping[str, Any]) -> int:
    return next((len(data[name]) for name in data), 0)


def _column(name: str, data: Mapping[str, Any]) -> Any:
    if name not in data:
        known = [str(column) for column in data]
        raise InputError(
            f"the data have no column '{name}'",
            allowed=", ".join(known),
            suggestion=nearest(name, known),
        )
    return data[name]


def _value(node: Node, data: Mapping[str, Any]) -> Any:
    match node:
        case Number(value):
            return value
        case Name(name):
            return _numbers(name, data)
        case Indicator(Name(name), value):
            return _numbers(name, data) == value
        case Paren(inner):
            return _value(inner, data)
        case Sum(items):
            return sum(_value(n, data) if s == "+" else -_value(n, data) for s, n in items)
        case Binary(op, left, right):
            return _arithmetic(op, _value(left, data), _value(right, data))
        case Call("factor", (Name(name),)):
            raise InputError(f"factor({name}) is not a number")
        case Call(function, (argument,)):
            return _FUNCTIONS[function](_value(argument, data))
    raise AssertionError(node)


def _arithmetic(op: str, left: Any, right: Any) -> Any:
    if op == "^":
        return np.power(np.asarray(left, dtype=float), right)
    return left * right if op == "*" else np.divide(left, right)


def _numbers(name: str, data: Mapping[str, Any]) -> Floats:
    values = np.asarray(_column(name, data))
    if values.dtype.kind not in "iufb":
        raise InputError(f"column '{name}' does not hold numbers but {values.dtype}")
    return values.astype(float, copy=False)


def _labelled(factor: Factor, data: Mapping[str, Any]) -> _Labelled | None:
    """Return a factor's levels and labels, or nothing if it is numeric."""
    node, forced = factor.expr, False
    if isinstance(node, Call) and node.function == "factor":
        node, forced = node.arguments[0], True
    if not isinstance(node, Name):
        return None
    column = _column(node.name, data)
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    values = np.asarray(column)
    if categories is None and values.dtype.kind in "iuf" and not forced:
        return None
    labels = np.array([_label(node.name, value) for value in values.tolist()], dtype=object)
    order = _in_order(set(values.tolist())) if categories is None else categories.tolist()
    present = set(labels)
    levels = tuple(text for text in dict.fromkeys(map(label, order)) if text in present)
    return _Labelled(levels, labels)


def _in_order(values: set[Any]) -> list[Any]:
    """Sort values; as text where numbers and text are mixed."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def _label(name: str, value: Any) -> str:
    if value is None or value != value:
        raise InputError(f"column '{name}' has missing values")
    return label(value)


def full_dummies(terms: Sequence[Term], levels: Collection[str]) -> list[set[Factor]]:
    """Find, for each term, the factors that keep all their levels.

    Parameters
    ----------
    terms : sequence of Term
    levels : collection of str
        The names of the factors that are not numeric.
    """
    full: list[set[Factor]] = []
    for i, term in enumerate(terms):
        kept = set()
        for factor in term.factors:
            rest = set(term.factors) - {factor}
            if rest and not any(rest <= set(earlier.factors) for earlier in terms[:i]):
                kept.add(factor)
        full.append(kept)
    if not any(term.factors == () for term in terms):
        first = ((i, f) for i, t in enumerate(terms) for f in t.factors if f.name in levels)
        for i, factor in list(first)[:1]:
            full[i].add(factor)
    return full


def _coded(
    factor: Factor, data: Mapping[str, Any], levels: Levels, *, full: bool
) -> tuple[list[str], list[Floats]]:
    """Return the names and columns of one factor."""
    if factor.name not in levels:
        return [factor.name], [evaluate(factor, data)]
    known = list(levels[factor.name])
    labelled = _labelled(factor, data)
    if labelled is None:
        raise InputError(f"column '{factor.name}' holds numbers where levels are expected")
    for new in sorted(set(labelled.labels) - set(known)):
        raise InputError(f"column '{factor.name}' has the new level '{new}'", allowed=f"{known}")
    if len(known) < 2 and not full:
        raise InputError(f"column '{factor.name}' has only one level", allowed="two or more")
    shown = known if full else known[1:]
    return [factor.name + level for level in shown], [
        (labelled.labels == level).astype(float) for level in shown
    ]


def _product(
    names: list[str], columns: list[Floats], piece: tuple[list[str], list[Floats]]
) -> tuple[list[str], list[Floats]]:
    """Multiply every column by every column of one more factor, the first varying fastest."""
    pairs = [
        (f"{left}:{right}" if left else right, one * other)
        for right, other in zip(*piece, strict=True)
        for left, one in zip(names, columns, strict=True)
    ]
    return [name for name, _ in pairs], [column for _, column in pairs]
