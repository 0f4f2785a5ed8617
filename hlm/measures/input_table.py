"""A table of replicates as a caller gives it: its columns by name, its rows in groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError, nearest
from hlm.formula.bad_cells import check_numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from hlm.measures.formulas import Array

__all__ = ["Groups", "as_frame", "group_rows", "names", "numbers", "require"]


def as_frame(data: Any) -> pd.DataFrame:
    """Make a pandas frame of an Arrow table or stream or a mapping of columns; keep a frame."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow as pa

        return pa.table(data).to_pandas(split_blocks=True)
    if isinstance(data, Mapping):
        try:
            return pd.DataFrame(data)
        except ValueError as error:
            raise InputError(f"cannot read a table from the columns: {error}") from None
    raise InputError(
        f"cannot read a table from {type(data).__name__}",
        allowed="a pandas frame, an Arrow table, or a mapping of columns",
    )


def names(by: str | Sequence[str] | None) -> list[str]:
    """Return no name, one or several as a list without repeats."""
    if by is None:
        return []
    return [by] if isinstance(by, str) else list(dict.fromkeys(by))


def require(frame: pd.DataFrame, options: Iterable[tuple[str, str | None]]) -> None:
    """Raise for the first option, (its name, the column that it names), without its column."""
    for option, column in options:
        if column is not None and column not in frame.columns:
            raise InputError(
                f"no column {column!r} in the data",
                path=option,
                allowed=", ".join(str(c) for c in frame.columns),
                suggestion=nearest(column, frame.columns),
            )


def numbers(frame: pd.DataFrame, column: str) -> Array:
    """Return a column as floats, with NaN for missing values; floats are not copied."""
    if frame[column].dtype == np.float64:
        return frame[column].to_numpy()
    try:
        return frame[column].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        check_numbers(column, frame[column].to_numpy(dtype=object))
        raise InputError(
            f"column {column!r} does not hold numbers: {error}", allowed="numbers"
        ) from None


@dataclass(frozen=True)
class Groups:
    """Rows grouped by the values of some columns.

    Attributes
    ----------
    labels : frame, (n_groups, n_keys)
        The values of each group, sorted; a missing value is a value.
    codes : ndarray of int, (n_rows,)
        The group of each row.
    """

    labels: pd.DataFrame
    codes: NDArray[np.integer[Any]]

    def rows(self) -> list[NDArray[np.intp]]:
        """Return the positions of the rows of each group."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=len(self.labels)))
        return np.split(order, ends)[:-1]

    def count(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many rows of each group are marked."""
        return np.bincount(self.codes[which], minlength=len(self.labels))


def group_rows(frame: pd.DataFrame, keys: list[str]) -> Groups:
    """Group rows by columns; without columns, all rows are one group, even if there are none."""
    import pandas as pd

    if not keys:
        return Groups(pd.DataFrame(index=[0]), np.zeros(len(frame), dtype=np.int64))
    grouped = frame.groupby(keys, sort=True, observed=True, dropna=False)
    codes = grouped.ngroup().to_numpy(dtype=np.int64)
    first = np.unique(codes, return_index=True)[1]
    return Groups(frame[keys].iloc[first].reset_index(drop=True), codes)
