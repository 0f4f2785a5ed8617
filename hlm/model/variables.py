"""The variables of a formula: columns of a table, checked, as arrays that formulas can use."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = [
    "column_names",
    "missing_rows",
    "read_columns",
    "read_numbers",
    "read_weights",
    "take_rows",
]

Floats = NDArray[np.float64]

EXACT = 2**53
"""Up to here a double holds every integer."""


def read_columns(names: Sequence[str], data: Any) -> dict[str, Any]:
    """Pick columns by name.

    Parameters
    ----------
    names : sequence of str
    data : pandas.DataFrame or mapping of str to array_like

    Returns
    -------
    dict of str to ndarray or pandas.Series, (n,)
        Categoricals, whose levels have an order, are Series; all else are arrays.

    Raises
    ------
    InputError
        If a column is missing, is there twice, or is not one value per row.
    """
    if not hasattr(data, "keys"):
        kind = type(data).__name__
        raise InputError(
            f"the data are of type {kind}", allowed="a data frame, or a dict of columns"
        )
    names, known = [str(name) for name in names], column_names(data)
    for name in names:
        if name not in known:
            raise InputError(
                f"the data have no column '{name}'",
                allowed=", ".join(known),
                suggestion=nearest(name, known),
            )
        if known.count(name) > 1:
            raise InputError(f"the data have {known.count(name)} columns '{name}'", allowed="one")
    keys = dict(zip(known, data, strict=True))
    columns = {name: _column(name, data[keys[name]]) for name in dict.fromkeys(names)}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"the columns have different lengths: {found}")
    return columns


def column_names(data: Any) -> list[str]:
    """Return the names of all columns as a formula writes them: 0 is `0`."""
    return [str(name) for name in data]


def _column(name: str, column: Any) -> Any:
    """Return a categorical as a Series, and all else as an array; integers stay integers."""
    import pandas as pd

    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Series(column).reset_index(drop=True)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        column = _plain(pd.Series(column))
    try:
        values = np.asarray(column)
    except ValueError:
        values = np.empty((0, 0))
    if values.ndim != 1:
        raise InputError(f"column '{name}' does not hold one value per row")
    if dtype is None and values.dtype.kind == "f" and any(_is_large(value) for value in column):
        return np.array(column, dtype=object)
    return values


def _plain(column: pd.Series) -> NDArray[Any]:
    """Return a column of one of pandas' own types as an array, None or NaN where missing."""
    from pandas.api import types

    whole, dtype = types.is_integer_dtype(column.dtype), column.dtype
    if types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype) and not whole:
        return column.to_numpy(float, na_value=np.nan)
    there = column.notna()
    kind = getattr(dtype, "numpy_dtype", np.int64) if whole and there.all() else object
    return np.array(column.astype(object).where(there, None), dtype=kind)


def _is_large(value: Any) -> bool:
    """Tell whether a value is an integer that a double cannot hold."""
    return isinstance(value, int) and abs(value) > EXACT


def missing_rows(columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Tell the rows where any column is missing."""
    import pandas as pd

    return np.any([pd.isna(column) for column in columns.values()], axis=0)


def take_rows(column: Any, rows: NDArray[Any]) -> Any:
    """Return some rows of a column, by mask or number; objects get the type that all have."""
    if not isinstance(column, np.ndarray):
        return column.iloc[rows].reset_index(drop=True)
    column = column[rows]
    return _of_one_type(column.tolist()) if column.dtype == object else column


def _of_one_type(values: list[Any]) -> NDArray[Any]:
    """Return objects as an array of integers, numbers, truth values or text."""
    if any(isinstance(value, Decimal) for value in values):
        whole = all(isinstance(v, int | Decimal) and v == int(v) for v in values)
        number = all(isinstance(v, int | float | Decimal) for v in values)
        values = [int(v) if whole else float(v) for v in values] if number else values
    return np.array(values)


def read_numbers(name: str, column: Any) -> Floats:
    """Return a column of numbers."""
    values = np.asarray(column)
    if values.dtype.kind not in "iufb":
        raise InputError(
            f"{name} is not numbers but {values.tolist()[0]!r}, ...", allowed="numbers"
        )
    return values.astype(float)


def read_weights(column: Any) -> Floats:
    """Return prior weights, which must be positive."""
    weights = read_numbers("the column of weights", column)
    if not ((weights > 0.0) & np.isfinite(weights)).all():
        worst = weights[~((weights > 0.0) & np.isfinite(weights))][0]
        raise InputError(f"a weight is {worst:g}", allowed="positive numbers")
    return weights
