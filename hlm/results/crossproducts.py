"""The temporary file between drawing and fitting: all that fits need, for each range of replicates.

One row for each array and one row group for each range, so that a range is read alone: the
cross-products, and for each model where its columns are among them. Not compressed: the digits of
random numbers hardly shrink, and the file lives for seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hlm.disk import replacing
from hlm.kernels.data import CrossProducts, ModelColumns
from hlm.results.files import open_parquet
from hlm.simulate import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["CROSS_PRODUCTS", "read_crossproducts", "write_crossproducts"]

CROSS_PRODUCTS = pa.schema(
    {
        "scenario": pa.string(),
        "start": pa.int64(),
        "stop": pa.int64(),
        "model": pa.int64(),
        "name": pa.string(),
        "shape": pa.list_(pa.int64()),
        "data": pa.large_list(pa.float64()),
    }
)
"""`model` is the number of the model that an array belongs to; null for cross-products."""

WHOLE_NUMBERS = ("n_obs", "fixed", "random", "rest")
"""The arrays of whole numbers; doubles hold them exactly."""


def write_crossproducts(
    path: str | Path,
    ranges: Iterable[Drawn],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the ranges as they come; only one is held in memory.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> cross = CrossProducts(np.ones((1, 1, 1)), np.ones((2, 1, 3)), np.ones(2),
    ...                       np.ones((1, 1, 3)), np.array([12, 12]))
    >>> with TemporaryDirectory() as folder:
    ...     write_crossproducts(f"{folder}/c", [Drawn("a1", 0, 2, cross, ())])
    ...     (back,) = read_crossproducts(f"{folder}/c")
    >>> back.key, back.stop, back.cross.n_obs
    ('a1', 2, array([12, 12]))
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
        for drawn in ranges:
            file.write_table(_table(drawn))


def read_crossproducts(path: str | Path) -> Iterator[Drawn]:
    """Read the ranges one after another, in the order in which they were written."""
    with open_parquet(path) as file:
        for group in range(file.num_row_groups):
            yield _range(file.read_row_group(group))


def _table(drawn: Drawn) -> pa.Table:
    arrays: list[tuple[int | None, str, np.ndarray]] = [
        (None, name, array) for name, array in drawn.cross._asdict().items()
    ]
    for number, columns in enumerate(drawn.columns):
        arrays += [(number, name, array) for name, array in columns._asdict().items()]
    models, names, values = zip(*arrays, strict=True)
    flat = [np.ascontiguousarray(array, dtype=np.float64).ravel() for array in values]
    offsets = np.concatenate([[0], np.cumsum([array.size for array in flat])])
    n = len(arrays)
    return pa.Table.from_arrays(
        [
            pa.array([drawn.key] * n, pa.string()),
            pa.array([drawn.start] * n, pa.int64()),
            pa.array([drawn.stop] * n, pa.int64()),
            pa.array(models, pa.int64()),
            pa.array(names, pa.string()),
            pa.array([list(array.shape) for array in values], pa.list_(pa.int64())),
            pa.LargeListArray.from_arrays(offsets, np.concatenate(flat)),
        ],
        schema=CROSS_PRODUCTS,
    )


def _range(table: pa.Table) -> Drawn:
    key, start, stop = (table[name][0].as_py() for name in ("scenario", "start", "stop"))
    found: dict[int | None, dict[str, np.ndarray]] = {}
    for model, name, shape, data in zip(
        *(table[column] for column in ("model", "name", "shape", "data")), strict=True
    ):
        # A copy: Arrow's memory is read-only, and Numba would compile a kernel anew for that.
        array = data.values.to_numpy().reshape(shape.as_py()).copy()
        whole = name.as_py() in WHOLE_NUMBERS
        arrays = found.setdefault(model.as_py(), {})
        arrays[name.as_py()] = array.astype(np.int64) if whole else array
    cross = CrossProducts(**found.pop(None))
    return Drawn(key, start, stop, cross, tuple(ModelColumns(**one) for one in found.values()))
