"""A table of summaries -> one column of numbers over the scenarios for each series.

A series is one combination of all that tells rows of a scenario apart: model, method, term,
measure, and so on. So no row repeats a name, and a page decodes nothing that it does not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["ABSENT", "Names", "Series", "columns_of", "combinations"]

ABSENT = -1
"""The `n` of a scenario that has no row of a series."""


@dataclass(frozen=True)
class Series:
    """The rows of a table, by series and scenario.

    Attributes
    ----------
    names : tuple of str
        The columns that are keys.
    keys : tuple of tuple of str
        For each series, its value of each of these.
    value, mcse : ndarray, shape (series, scenarios)
        NaN where there is none.
    n : ndarray of int32, shape (series, scenarios)
        `ABSENT` where there is no row.
    """

    names: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    value: NDArray[np.float64]
    mcse: NDArray[np.float64]
    n: NDArray[np.int32]

    def some(self, wanted: Sequence[bool]) -> Series:
        """Return the series that are wanted."""
        mask = np.asarray(wanted, dtype=bool)
        keys = tuple(key for key, is_wanted in zip(self.keys, wanted, strict=True) if is_wanted)
        return Series(self.names, keys, self.value[mask], self.mcse[mask], self.n[mask])


def columns_of(
    table: pa.Table, keys: Sequence[str], numbers: Mapping[str, str], scenarios: Sequence[str]
) -> Series:
    """Sort the rows of a table into series.

    Parameters
    ----------
    table : pyarrow.Table
        With the column `scenario`.
    keys : sequence of str
        The columns that tell rows of one scenario apart.
    numbers : mapping of str to str
        The columns of `value`, `n` and, if there is one, `mcse`.
    scenarios : sequence of str
        The keys of the scenarios, in their order.

    Raises
    ------
    InputError
        The table has a scenario that is not among these, or two rows for one place.

    Examples
    --------
    >>> table = pa.table({"scenario": ["b", "a"], "model": ["m", "m"], "rate": [0.2, 0.1],
    ...                   "n": [10, 10]})
    >>> found = columns_of(table, ["model"], {"value": "rate", "n": "n"}, ["a", "b", "c"])
    >>> found.keys, found.value.tolist(), found.n.tolist()
    ((('m',),), [[0.1, 0.2, nan]], [[10, 10, -1]])
    """
    place = pc.index_in(table["scenario"], pa.array(scenarios, pa.string()))
    if place.null_count:
        raise InputError("has a scenario that the plan has not", allowed="the files of one run")
    first, series, words = combinations(table, keys)
    shape = len(first), len(scenarios)
    at = series * len(scenarios) + place.to_numpy()
    if len(np.unique(at)) < len(at):
        raise InputError("has two rows for one number", allowed="the files of one run")
    whole = {
        "value": np.full(shape, np.nan),
        "mcse": np.full(shape, np.nan),
        "n": np.full(shape, ABSENT, dtype=np.int32),
    }
    for role, name in numbers.items():
        whole[role].reshape(-1)[at] = table[name].to_numpy()
    found = tuple(tuple(column[row] for column in words) for row in first)
    return Series(tuple(keys), found, **whole)


def combinations(
    table: pa.Table, keys: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Names]]:
    """Give a number to each combination of values that the columns of a table have.

    Parameters
    ----------
    table : pyarrow.Table
    keys : sequence of str
        Its columns.

    Returns
    -------
    first : ndarray of int64
        A row of each combination.
    number : ndarray of int64, shape (rows,)
        That of each row.
    columns : list of Names

    Examples
    --------
    >>> first, number, columns = combinations(pa.table({"a": ["x", "y", "x"]}), ["a"])
    >>> first.tolist(), number.tolist(), columns[0][1]
    ([0, 1], [0, 1, 0], 'y')
    """
    words = [Names(table[name]) for name in keys]
    combined = np.zeros(table.num_rows, dtype=np.int64)
    for column in words:
        combined = combined * max(len(column.values), 1) + column.codes
    _, first, series = np.unique(combined, return_index=True, return_inverse=True)
    return first, series.astype(np.int64), words


class Names:
    """A column of names as whole numbers."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        whole = pc.fill_null(column.cast(pa.string()), "").combine_chunks().dictionary_encode()
        self.codes: NDArray[np.int64] = whole.indices.to_numpy().astype(np.int64)
        self.values: list[str] = whole.dictionary.to_pylist()

    def __getitem__(self, row: int) -> str:
        return self.values[self.codes[row]]
