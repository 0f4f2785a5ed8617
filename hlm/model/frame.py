"""A data frame and a formula -> the columns of the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError
from hlm.formula import Factor, Formula, evaluate, factor_levels, model_columns, parse
from hlm.formula.cells import label
from hlm.formula.syntax import Name
from hlm.model.used import WEIGHTS, used_columns
from hlm.model.variables import EXACT, read_numbers, read_weights
from hlm.scenario import Terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "COLLINEARITY_TOLERANCE",
    "Frame",
    "build_frame",
    "check_size",
    "drop_dependent",
    "has_full_rank",
    "independent_columns",
    "model_frame",
]

Floats = NDArray[np.float64]

LARGEST = 1e100
"""Columns with larger values are refused, and those with all values below 1 / LARGEST: sums of
squares and their products would leave the range of numbers."""

COLLINEARITY_TOLERANCE = 1e-7
"""A column of X with less than this share of its length outside the columns before it is dropped
(as R's `qr(X, tol = 1e-7)`, which lme4 uses); next to an intercept, of its length about its mean,
which does not depend on where zero is."""

CONSTANT_TOLERANCE = 1e-13
"""A column with less than this share of its length about its mean is constant but for rounding."""


@dataclass(frozen=True, eq=False)
class Frame:
    """The data of one model, rows with missing values left out.

    Attributes
    ----------
    formula : Formula
    names : tuple of str, (p,)
    dropped : tuple of str
        Columns of X that are linear combinations of the others.
    independent : ndarray of bool (p_all,)
        Which of the formula's columns X holds; those that are dropped it does not.
    random_names : tuple of tuple of str
        The columns of each block of random effects.
    X, Z : ndarray (n, p), (n, q)
    y : ndarray (n,)
        The response less the offset.
    response, offset, weights : ndarray (n,)
    units : ndarray of int (n,)
        The number of each row's unit in `unit_names`.
    unit_names : tuple
    kept : ndarray of bool (n_all,)
        The rows of the data that were used.
    levels : mapping of str to tuple of str
        The levels of the factors.
    """

    formula: Formula
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    independent: NDArray[np.bool_]
    random_names: tuple[tuple[str, ...], ...]
    X: Floats
    Z: Floats
    y: Floats
    response: Floats
    offset: Floats
    weights: Floats
    units: NDArray[np.int64]
    unit_names: tuple[Any, ...]
    kept: NDArray[np.bool_]
    levels: Mapping[str, tuple[str, ...]]

    @property
    def terms(self) -> Terms:
        """The names of the columns of X and Z, and of the group."""
        return Terms(self.names, self.random_names, self.formula.random[0].group)

    @property
    def blocks(self) -> tuple[int, ...]:
        """The sizes of the blocks of random effects."""
        return tuple(len(names) for names in self.random_names)


def model_frame(formula: str, data: Any, *, weights: str | Any | None = None) -> Frame:
    """Evaluate a formula in a data frame.

    Parameters
    ----------
    formula : str
    data : pandas.DataFrame or mapping of str to array_like
    weights : str or array_like, optional
        Prior weights: a column's name, or one positive number per row.

    Raises
    ------
    InputError
        If a column is missing or unusable, or the model cannot be fitted to data of this size.
    """
    parsed = parse(formula)
    columns, kept = used_columns(parsed, data, weights)
    frame = build_frame(parsed, columns, kept)
    group = parsed.random[0].group
    check_size(group, len(frame.y), len(frame.unit_names), frame.blocks)
    names = [*frame.names, *(name for names in frame.random_names for name in names)]
    for name, column in zip(names, [*frame.X.T, *frame.Z.T], strict=True):
        check_values(f"column '{name}' of the model", column, kept)
    check_values("the offset", frame.offset, kept)
    sources = {name: columns[name] for name in parsed.outcome.variables}
    check_values(f"the response '{parsed.response}'", frame.y, kept, sources)
    return _read_only(drop_dependent(frame))


def _read_only(frame: Frame) -> Frame:
    """Let no one change the data under a fit."""
    for value in vars(frame).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return frame


def check_values(
    what: str,
    column: Floats,
    kept: NDArray[np.bool_],
    sources: Mapping[str, Any] | None = None,
) -> None:
    """Refuse numbers that are not finite, or whose squares would not be numbers.

    `kept` are the rows of the data that the column has; `sources` what it is computed from.
    """
    largest = float(np.abs(column).max())
    if not np.isfinite(largest):
        bad = np.flatnonzero(~np.isfinite(column))
        row, more = int(np.flatnonzero(kept)[bad[0]]) + 1, len(bad) - 1
        where = "".join(f", {name} is {values[bad[0]]}" for name, values in (sources or {}).items())
        raise InputError(
            f"{what} is not finite everywhere: row {row} gives {column[bad[0]]:g}{where}"
            + (f"; and {more} more of {len(column)} rows" if more else ""),
            allowed="finite numbers; a missing value where there is none",
        )
    if largest > LARGEST or 0.0 < largest < 1.0 / LARGEST:
        raise InputError(
            f"{what} has values of size {largest:.0e}",
            allowed=f"a unit in which the largest is between {1.0 / LARGEST:.0e} and {LARGEST:.0e}",
        )


def build_frame(formula: Formula, columns: Mapping[str, Any], kept: NDArray[np.bool_]) -> Frame:
    """Evaluate a formula; all columns of X are there, and none is checked."""
    units, unit_names = _units(columns[formula.random[0].group])
    n = len(units)
    response = _response(formula, columns)
    levels = {name: tuple(values) for name, values in factor_levels(formula.terms, columns).items()}
    names, X = model_columns(formula.fixed, columns, levels=levels)
    blocks = [model_columns(block.terms, columns, levels=levels) for block in formula.random]
    offset = _offset(formula.offset, columns, n)
    return Frame(
        formula=formula,
        names=tuple(names),
        dropped=(),
        independent=np.ones(len(names), dtype=bool),
        random_names=tuple(tuple(names) for names, _ in blocks),
        X=X,
        Z=np.concatenate([block for _, block in blocks], axis=1),
        y=response - offset,
        response=response,
        offset=offset,
        weights=read_weights(columns[WEIGHTS]) if WEIGHTS in columns else np.ones(n),
        units=units,
        unit_names=unit_names,
        kept=kept,
        levels=levels,
    )


def _units(column: Any) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    """Return each row's unit number and the units, sorted or in the order of a categorical."""
    import pandas as pd

    if not isinstance(column, np.ndarray):
        column = column.cat.remove_unused_categories()
        return column.cat.codes.to_numpy(np.int64), tuple(column.cat.categories)
    units, names = pd.factorize(_labels(column), sort=True)
    return units.astype(np.int64), tuple(names.tolist())


def _labels(column: NDArray[Any]) -> NDArray[Any]:
    """Return the labels of units; of numbers those that R tells apart, by 15 digits.

    Raises
    ------
    InputError
        If they are numbers with which several labels may have become one.
    """
    if column.dtype.kind != "f":
        return column
    if (np.abs(column) > EXACT).any():
        raise InputError(
            f"the labels of units are floating-point numbers up to {np.abs(column).max():.0f}, "
            "where neighbouring integers are one number",
            allowed="integers or text: pandas reads integers with gaps as dtype='Int64'",
        )
    values, places = np.unique(column, return_inverse=True)
    return np.array([float(label(value)) for value in values.tolist()])[places]


def _response(formula: Formula, columns: Mapping[str, Any]) -> Floats:
    """Compute the response, a column or an expression of columns."""
    if isinstance(formula.outcome.expr, Name):
        return read_numbers(f"the response '{formula.response}'", columns[formula.response])
    return evaluate(formula.outcome, columns)


def _offset(factors: tuple[Factor, ...], columns: Mapping[str, Any], n: int) -> Floats:
    return sum((evaluate(factor, columns) for factor in factors), start=np.zeros(n))


def check_size(group: str, n: int, n_units: int, blocks: Sequence[int]) -> None:
    """Refuse what lme4 refuses: too few units, or no more rows than random effects."""
    if n_units < 2:
        raise InputError(f"'{group}' has {n_units} unit", allowed="2 units or more")
    for size in blocks:
        if n <= size * n_units:
            effects = "random effect" if size == 1 else "random effects"
            raise InputError(
                f"{n} rows are too few for {size} {effects} in each of {n_units} units of "
                f"'{group}': they and the residual cannot be told apart",
                allowed=f"more than {size * n_units} rows",
            )


def drop_dependent(frame: Frame) -> Frame:
    """Leave out the columns of X that are linear combinations of those before them."""
    keep = independent_columns(frame.X)
    if keep.all():
        return frame
    return replace(
        frame,
        X=frame.X[:, keep],
        independent=keep,
        names=tuple(name for name, kept in zip(frame.names, keep, strict=True) if kept),
        dropped=tuple(name for name, kept in zip(frame.names, keep, strict=True) if not kept),
    )


def independent_columns(X: Floats) -> NDArray[np.bool_]:
    """Tell the columns that are not linear combinations of those before them, (p,)."""
    if has_full_rank(np.linalg.qr(X, mode="r")):
        return np.ones(X.shape[1], dtype=bool)
    X = _about_means(X)
    basis = np.empty((len(X), 0))
    keep = np.zeros(X.shape[1], dtype=bool)
    for j, column in enumerate(X.T):
        length = np.linalg.norm(column)
        residual = column / length if length > 0.0 else column
        for _ in range(2):
            residual = residual - basis @ (basis.T @ residual)
        keep[j] = np.linalg.norm(residual) > COLLINEARITY_TOLERANCE
        if keep[j]:
            basis = np.column_stack([basis, residual / np.linalg.norm(residual)])
    return keep


def _about_means(X: Floats) -> Floats:
    """Take the means off the columns, if the first is the intercept; constant ones become zero."""
    if not (X[:, 0] == 1.0).all():
        return X
    centred = X - X.mean(axis=0)
    constant = np.linalg.norm(centred, axis=0) <= CONSTANT_TOLERANCE * np.linalg.norm(X, axis=0)
    centred[:, constant] = 0.0
    centred[:, 0] = 1.0
    return centred


def has_full_rank(triangle: Any) -> bool:
    """Tell from the R of X = QR whether every column has a length of its own, (p, p)."""
    if len(triangle) < triangle.shape[1]:
        return False
    outside, lengths = (
        np.abs(triangle.diagonal()),
        np.sqrt(np.einsum("kp,kp->p", triangle, triangle)),
    )
    return bool((outside > COLLINEARITY_TOLERANCE * lengths).all())
