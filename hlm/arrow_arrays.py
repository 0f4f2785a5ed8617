"""Arrays of numbers and lists of names -> arrays of Arrow, and back.

`pyarrow.array` and `to_numpy` import pandas, to know its objects from others: a fifth of a second
in each process that fits or summarizes, and needs pandas for nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["array_of_names", "array_of_numbers", "combinations_of", "numbers_of"]


def array_of_numbers(values: NDArray[Any]) -> pa.Array:
    """Return numbers as an array of Arrow of the same type, which shares their memory.

    Truth values are copied, for Arrow keeps eight of them in a byte.

    Parameters
    ----------
    values : ndarray (n,)
        Whole numbers, floats or truth values; NaN stays NaN.

    Examples
    --------
    >>> array_of_numbers(np.array([1, 2], dtype=np.int32)).type
    DataType(int32)
    """
    held = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(held.dtype)
    if held.dtype == bool:
        held = np.packbits(held, bitorder="little")
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(held)])


def array_of_names(names: Sequence[str]) -> pa.StringArray:
    """Return names as an array of strings.

    Examples
    --------
    >>> array_of_names(["x", "x:a"]).to_pylist()
    ['x', 'x:a']
    """
    encoded = [name.encode() for name in names]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    text = pa.py_buffer(b"".join(encoded))
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(ends), text)


def combinations_of(
    table: pa.Table, columns: Sequence[str]
) -> tuple[NDArray[np.int64], list[tuple[str, ...]]]:
    """Give a number to each combination of names in the rows of a table, as they first come.

    Parameters
    ----------
    table : pyarrow.Table
    columns : sequence of str
        Dictionaries.

    Returns
    -------
    number : ndarray of int64, (rows,)
    names : list of tuple of str
        Of each combination.

    Examples
    --------
    >>> table = pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode()})
    >>> number, names = combinations_of(table, ["a"])
    >>> number.tolist(), names
    ([0, 1, 0], [('x',), ('y',)])
    """
    held = [table[name].combine_chunks() for name in columns]
    sizes = [len(column.dictionary) for column in held]
    code = np.ravel_multi_index([numbers_of(column.indices) for column in held], sizes)
    first = np.full(int(np.prod(sizes)), len(code))
    # Written backwards, so that the first row of a code is the last to be written.
    first[code[::-1]] = np.arange(len(code))[::-1]
    present = np.flatnonzero(first < len(code))
    present = present[np.argsort(first[present], kind="stable")]
    position = np.zeros(len(first), dtype=np.int64)
    position[present] = np.arange(len(present))
    names = [
        tuple(
            column.dictionary[int(place)].as_py()
            for column, place in zip(held, np.unravel_index(one, sizes), strict=True)
        )
        for one in present
    ]
    return position[code], names


def numbers_of(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Return whole numbers or floats as an array; those of one chunk are not copied.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray (n,)
        If values are not there, it is as by `to_numpy`: floats, NaN in their place.

    Examples
    --------
    >>> numbers_of(pa.chunked_array([[1.0, 2.0], [3.0]]))
    array([1., 2., 3.])
    """
    if column.null_count:
        return column.to_numpy(zero_copy_only=False)
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    kind = column.type.to_pandas_dtype()
    parts = [_of_buffer(one, kind) for one in chunks if len(one)]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, kind), *parts])


def _of_buffer(one: pa.Array, kind: type[np.generic]) -> NDArray[Any]:
    _, values = one.buffers()
    return np.frombuffer(values, kind, count=one.offset + len(one))[one.offset :]
