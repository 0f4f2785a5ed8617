"""A data frame and a formula -> the columns of the model, conditioned for the fit.

X = X* T_x with orthonormal X*, so that collinearity is seen and scales do not matter; Z = Z* T_z
with columns centred where the block has an intercept and scaled to mean square 1; y* = the
residuals of y on X.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.formula import Factor, Formula, evaluate, factor_levels, model_columns, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COLLINEARITY_TOLERANCE", "Frame", "model_frame"]

Floats = NDArray[np.float64]

COLLINEARITY_TOLERANCE = 1e-7
"""A column of X with less than this share of its length outside the columns before it is dropped
(as R's `qr(X, tol = 1e-7)`, which lme4 uses)."""


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
    columns = _used_columns(parsed, data, weights)
    kept = ~np.any([_missing(column) for column in columns.values()], axis=0)
    columns = {name: column[kept] for name, column in columns.items()}
    group = parsed.random[0].group
    units, unit_names = _units(columns[group])
    terms = (*parsed.fixed, *(term for block in parsed.random for term in block.terms))
    levels = {name: tuple(values) for name, values in factor_levels(terms, columns).items()}
    names, X = model_columns(parsed.fixed, columns, levels=levels)
    blocks = [model_columns(block.terms, columns, levels=levels) for block in parsed.random]
    offset = _offset(parsed.offset, columns, len(units))
    y = _numeric(parsed.response, columns) - offset
    Z = np.concatenate([block for _, block in blocks], axis=1)
    for name, column in zip(
        [*names, *(n for b, _ in blocks for n in b)], [*X.T, *Z.T], strict=True
    ):
        if not np.isfinite(column).all():
            raise InputError(f"column '{name}' of the model is not finite everywhere")
    full = _independent(X)
    _check_size(parsed, len(y), len(unit_names), [block.shape[1] for _, block in blocks])
    return Frame(
        formula=parsed,
        names=tuple(name for name, keep in zip(names, full, strict=True) if keep),
        dropped=tuple(name for name, keep in zip(names, full, strict=True) if not keep),
        random_names=tuple(tuple(names) for names, _ in blocks),
        X=X[:, full],
        Z=Z,
        y=y,
        offset=offset,
        weights=_weights(columns, len(y)),
        units=units,
        unit_names=unit_names,
        kept=kept,
        levels=levels,
    )


_WEIGHTS = "(weights)"


def _used_columns(formula: Formula, data: Any, weights: Any) -> dict[str, Any]:
    """Pick the columns that the formula needs, and the weights."""
    known = [str(name) for name in data]
    needed = [formula.response, formula.random[0].group, *formula.variables]
    if isinstance(weights, str):
        needed.append(weights)
    for name in needed:
        if name not in known:
            raise InputError(
                f"the data have no column '{name}'",
                allowed=", ".join(known),
                suggestion=nearest(name, known),
            )
    columns = {name: _column(data[name]) for name in needed}
    if isinstance(weights, str):
        columns[_WEIGHTS] = (
            columns.pop(weights) if weights not in formula.variables else columns[weights]
        )
    elif weights is not None:
        columns[_WEIGHTS] = np.asarray(weights, dtype=float)
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise InputError(f"the columns have different lengths: {sorted(lengths)}")
    return columns


def _column(column: Any) -> Any:
    """Keep a pandas categorical, whose levels have an order; make all else an array."""
    if str(getattr(column, "dtype", "")) == "category":
        return column.reset_index(drop=True) if hasattr(column, "reset_index") else column
    return np.asarray(column)


def _missing(column: Any) -> NDArray[np.bool_]:
    import pandas as pd

    return np.asarray(pd.isna(column))


def _numeric(name: str, columns: Mapping[str, Any]) -> Floats:
    try:
        values = np.asarray(columns[name], dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"the response '{name}' is not a column of numbers") from None
    if not np.isfinite(values).all():
        raise InputError(f"the response '{name}' is not finite everywhere")
    return values


def _units(column: Any) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    """Return each row's unit number and the units, sorted or in the order of a categorical."""
    import pandas as pd

    if isinstance(column, pd.Series):
        column = column.cat.remove_unused_categories()
        return column.cat.codes.to_numpy(np.int64), tuple(column.cat.categories)
    try:
        names, units = np.unique(column, return_inverse=True)
    except TypeError:
        names, units = np.unique(column.astype(str), return_inverse=True)
    return units.astype(np.int64), tuple(names.tolist())


def _offset(factors: tuple[Factor, ...], columns: Mapping[str, Any], n: int) -> Floats:
    return sum((evaluate(factor, columns) for factor in factors), start=np.zeros(n))


def _weights(columns: Mapping[str, Any], n: int) -> Floats:
    if _WEIGHTS not in columns:
        return np.ones(n)
    weights = _numeric(_WEIGHTS, columns)
    if not (weights > 0.0).all():
        raise InputError(f"a weight is {weights.min():g}", allowed="positive numbers")
    return weights


def _independent(X: Floats) -> NDArray[np.bool_]:
    """Tell the columns that are not linear combinations of those before them."""
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


def _check_size(formula: Formula, n: int, n_units: int, sizes: list[int]) -> None:
    """Refuse what lme4 refuses: too few units, or no more rows than random effects."""
    group = formula.random[0].group
    if n == 0:
        raise InputError("no rows are left: every row has a missing value")
    if n_units < 2:
        raise InputError(f"'{group}' has {n_units} unit", allowed="2 units or more")
    for size in sizes:
        if n <= size * n_units:
            raise InputError(
                f"{n} rows are too few for {size} random effects in each of {n_units} units of "
                f"'{group}': they and the residual cannot be told apart",
                allowed=f"more than {size * n_units} rows",
            )
