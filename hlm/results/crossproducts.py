"""The temporary file between drawing and fitting: named arrays for each range of replicates.

One row per array and one row group per range, so that a range is read alone. Not compressed:
the digits of random numbers hardly shrink, and the file lives for seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hlm.disk import replacing
from hlm.results.files import open_parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["CROSS_PRODUCTS", "RangeArrays", "read_crossproducts", "write_crossproducts"]

CROSS_PRODUCTS = pa.schema(
    {
        "scenario": pa.string(),
        "start": pa.int64(),
        "stop": pa.int64(),
        "name": pa.string(),
        "shape": pa.list_(pa.int64()),
        "data": pa.large_list(pa.float64()),
    }
)


class RangeArrays(NamedTuple):
    """The arrays of the replicates `start` to `stop - 1` of a scenario."""

    scenario: str
    start: int
    stop: int
    arrays: Mapping[str, np.ndarray]


def write_crossproducts(
    path: str | Path,
    ranges: Iterable[RangeArrays],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the arrays of each range as they come; only one range is held in memory.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_crossproducts(f"{folder}/c", [RangeArrays("a1", 0, 2, {"zz": np.eye(2)})])
    ...     (back,) = read_crossproducts(f"{folder}/c")
    >>> back.scenario, back.stop, back.arrays["zz"].tolist()
    ('a1', 2, [[1.0, 0.0], [0.0, 1.0]])
    """
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(
            temporary,
            CROSS_PRODUCTS.with_metadata(dict(metadata or {})),
            compression="none",
            use_dictionary=False,
            write_statistics=False,
        ) as file,
    ):
        for item in ranges:
            file.write_table(_table(item))


def read_crossproducts(path: str | Path) -> Iterator[RangeArrays]:
    """Read the ranges one after another, in the order in which they were written."""
    with open_parquet(path) as file:
        for group in range(file.num_row_groups):
            yield _range(file.read_row_group(group))


def _table(item: RangeArrays) -> pa.Table:
    n = len(item.arrays)
    flat = [np.ascontiguousarray(a, dtype=np.float64).ravel() for a in item.arrays.values()]
    offsets = np.concatenate([[0], np.cumsum([a.size for a in flat])])
    return pa.Table.from_arrays(
        [
            pa.array([item.scenario] * n, pa.string()),
            pa.array([item.start] * n, pa.int64()),
            pa.array([item.stop] * n, pa.int64()),
            pa.array(list(item.arrays), pa.string()),
            pa.array([list(np.shape(a)) for a in item.arrays.values()], pa.list_(pa.int64())),
            pa.LargeListArray.from_arrays(offsets, np.concatenate(flat)),
        ],
        schema=CROSS_PRODUCTS,
    )


def _range(table: pa.Table) -> RangeArrays:
    scenario, start, stop = (table[name][0].as_py() for name in ("scenario", "start", "stop"))
    # A copy: Arrow's memory is read-only, and numba would compile a kernel anew for that.
    arrays = {
        name.as_py(): data.values.to_numpy().reshape(shape.as_py()).copy()
        for name, shape, data in zip(table["name"], table["shape"], table["data"], strict=True)
    }
    return RangeArrays(scenario, start, stop, arrays)
