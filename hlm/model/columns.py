"""The columns of a table that a formula needs, checked, as arrays that the formula can work on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["missing_rows", "read_columns", "read_numbers", "read_weights", "take_rows"]

Floats = NDArray[np.float64]


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
    known = [str(name) for name in data]
    for name in names:
        if name not in known:
            raise InputError(
                f"the data have no column '{name}'",
                allowed=", ".join(known),
                suggestion=nearest(name, known),
            )
        if known.count(name) > 1:
            raise InputError(f"the data have {known.count(name)} columns '{name}'", allowed="one")
    columns = {name: _column(name, data[name]) for name in dict.fromkeys(names)}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"the columns have different lengths: {found}")
    return columns


def _column(name: str, column: Any) -> Any:
    """Return a categorical as a Series, and all else as an array."""
    import pandas as pd

    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Series(column).reset_index(drop=True)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        number = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
        missing: Any = np.nan if number else None
        column = pd.Series(column).to_numpy(float if number else object, na_value=missing)
    try:
        values = np.asarray(column)
    except ValueError:
        values = np.empty((0, 0))
    if values.ndim != 1:
        raise InputError(f"column '{name}' does not hold one value per row")
    return values


def missing_rows(columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Tell the rows where any column is missing."""
    import pandas as pd

    return np.any([pd.isna(column) for column in columns.values()], axis=0)


def take_rows(column: Any, rows: NDArray[Any]) -> Any:
    """Return some rows of a column, by a mask or by number; objects as what they all are."""
    if not isinstance(column, np.ndarray):
        return column.iloc[rows].reset_index(drop=True)
    column = column[rows]
    return np.array(column.tolist()) if column.dtype == object else column


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
