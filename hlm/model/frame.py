"""A data frame and a formula -> the columns of the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError
from hlm.formula import Factor, Formula, evaluate, factor_levels, model_columns, parse
from hlm.model.columns import missing_rows, read_columns, read_numbers, read_weights, take_rows

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
    "used_columns",
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

_WEIGHTS = "(weights)"


@dataclass(frozen=True)
class Frame:
    """The data of one model, rows with missing values left out.

    Attributes
    ----------
    formula : Formula
    names : tuple of str, (p,)
    dropped : tuple of str
        Columns of X that are linear combinations of the others.
    random_names : tuple of tuple of str
        The columns of each block of random effects.
    X, Z : ndarray (n, p), (n, q)
    y : ndarray (n,)
        The response less the offset.
    offset, weights : ndarray (n,)
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
    random_names: tuple[tuple[str, ...], ...]
    X: Floats
    Z: Floats
    y: Floats
    offset: Floats
    weights: Floats
    units: NDArray[np.int64]
    unit_names: tuple[Any, ...]
    kept: NDArray[np.bool_]
    levels: Mapping[str, tuple[str, ...]]

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
    frame = build_frame(parsed, *used_columns(parsed, data, weights))
    group = parsed.random[0].group
    check_size(group, len(frame.y), len(frame.unit_names), frame.blocks)
    names = [*frame.names, *(name for names in frame.random_names for name in names)]
    for name, column in zip(names, [*frame.X.T, *frame.Z.T], strict=True):
        check_values(f"column '{name}' of the model", column)
    check_values("the offset", frame.offset)
    check_values(f"the response '{parsed.response}'", frame.y)
    return drop_dependent(frame)


def check_values(what: str, column: Floats) -> None:
    """Refuse numbers that are not finite, or whose squares would not be numbers."""
    largest = float(np.abs(column).max())
    if not np.isfinite(largest):
        raise InputError(f"{what} is not finite everywhere")
    if largest > LARGEST or 0.0 < largest < 1.0 / LARGEST:
        raise InputError(
            f"{what} has values of size {largest:.0e}",
            allowed=f"a unit in which the largest is between {1.0 / LARGEST:.0e} and {LARGEST:.0e}",
        )


def used_columns(
    formula: Formula, data: Any, weights: Any = None
) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Return the columns that a model needs, of the rows where none is missing, and these rows."""
    group = formula.random[0].group
    columns = read_columns([formula.response, group, *formula.variables], data)
    if isinstance(weights, str):
        columns[_WEIGHTS] = read_columns([weights], data)[weights]
    elif weights is not None:
        columns[_WEIGHTS] = read_columns(["weights"], {"weights": weights})["weights"]
        n = len(columns[group])
        if len(columns[_WEIGHTS]) != n:
            raise InputError(f"{len(columns[_WEIGHTS])} weights for {n} rows", allowed=f"{n}")
    for name, column in columns.items():
        if name != group and getattr(column.dtype, "kind", "O") in "mMcV":
            raise InputError(
                f"column '{name}' holds {column.dtype}", allowed="numbers, text, true or false"
            )
    kept = ~missing_rows(columns)
    return {name: take_rows(column, kept) for name, column in columns.items()}, kept


def build_frame(formula: Formula, columns: Mapping[str, Any], kept: NDArray[np.bool_]) -> Frame:
    """Evaluate a formula; all columns of X are there, and none is checked."""
    units, unit_names = _units(columns[formula.random[0].group])
    n = len(units)
    if n == 0:
        raise InputError("no rows are left: every row has a missing value")
    y = read_numbers(f"the response '{formula.response}'", columns[formula.response])
    terms = (*formula.fixed, *(term for block in formula.random for term in block.terms))
    levels = {name: tuple(values) for name, values in factor_levels(terms, columns).items()}
    names, X = model_columns(formula.fixed, columns, levels=levels)
    blocks = [model_columns(block.terms, columns, levels=levels) for block in formula.random]
    offset = _offset(formula.offset, columns, n)
    return Frame(
        formula=formula,
        names=tuple(names),
        dropped=(),
        random_names=tuple(tuple(names) for names, _ in blocks),
        X=X,
        Z=np.concatenate([block for _, block in blocks], axis=1),
        y=y - offset,
        offset=offset,
        weights=read_weights(columns[_WEIGHTS]) if _WEIGHTS in columns else np.ones(n),
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
    units, names = pd.factorize(column, sort=True)
    return units.astype(np.int64), tuple(names.tolist())


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
