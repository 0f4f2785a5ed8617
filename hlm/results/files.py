"""Parquet files of results: written whole or not at all, read with a clear word about damage."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from hlm.arrow_arrays import array_of_numbers
from hlm.disk import replacing
from hlm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

__all__ = [
    "CsvWriter",
    "Writer",
    "open_parquet",
    "read",
    "read_frame",
    "to_table",
    "write",
    "write_csv",
    "writing",
    "writing_csv",
]

Columns: TypeAlias = "pa.Table | Mapping[str, Any]"


class Writer:
    """Appends row groups to the Parquet file of one schema; see `writing`."""

    def __init__(self, file: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._file = file
        self._schema = schema

    def append(self, columns: Columns) -> None:
        """Write the columns, a table or name -> array, as one row group."""
        table = to_table(columns, self._schema)
        self._file.write_table(table, row_group_size=max(table.num_rows, 1))


@contextmanager
def writing(
    path: str | Path, schema: pa.Schema, metadata: Mapping[str, str] | None = None
) -> Iterator[Writer]:
    """Open a Parquet file to be written row group by row group, in bounded memory.

    Doubles as split byte streams by LZ4, for digits of random numbers hardly shrink: half the time
    of zstd, and 6 % more bytes (measured). The rest by zstd, strings as dictionaries.

    Parameters
    ----------
    path : path
    schema : pyarrow.Schema
    metadata : mapping of str to str, optional
        Kept in the file.
    """
    doubles = [field.name for field in schema if pa.types.is_float64(field.type)]
    others = [field.name for field in schema if not pa.types.is_float64(field.type)]
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema.with_metadata(dict(metadata or {})),
            compression=dict.fromkeys(doubles, "lz4") | dict.fromkeys(others, "zstd"),
            use_dictionary=others,
            use_byte_stream_split=doubles,
            write_statistics=others,
        ) as file,
    ):
        yield Writer(file, schema)


def write(
    columns: Columns,
    path: str | Path,
    schema: pa.Schema,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a table, or name -> array, as a Parquet file of one row group.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from hlm.results import SCENARIOS
    >>> with TemporaryDirectory() as folder:
    ...     columns = {"scenario": ["a", "b"], "n_units": [10, 30], "n_rows": [5, 5]}
    ...     write(columns, f"{folder}/s.parquet", SCENARIOS, {"seed": "1"})
    ...     table = read(f"{folder}/s.parquet", SCENARIOS)
    >>> table.num_rows, table.schema.metadata
    (2, {b'seed': b'1'})
    """
    with writing(path, schema, metadata) as writer:
        writer.append(columns)


class CsvWriter:
    """Appends rows to a CSV file of one schema; see `writing_csv`."""

    def __init__(self, file: csv.CSVWriter, schema: pa.Schema) -> None:
        self._file = file
        self._schema = schema

    def append(self, columns: Columns) -> None:
        """Write the columns, a table or name -> array, below what there is."""
        table = to_table(columns, self._schema)
        for place, field in enumerate(self._schema):
            if pa.types.is_float64(field.type):
                column = table[field.name]
                known = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
                table = table.set_column(place, field, known)
        self._file.write_table(table)


@contextmanager
def writing_csv(path: str | Path, schema: pa.Schema) -> Iterator[CsvWriter]:
    """Open a CSV file to be written piece by piece; numbers keep all their digits.

    A number that is not there is an empty cell, which pandas, R and DuckDB all understand.
    """
    with replacing(path) as temporary, csv.CSVWriter(temporary, schema) as file:
        yield CsvWriter(file, schema)


def write_csv(columns: Columns, path: str | Path, schema: pa.Schema) -> None:
    """Write a table, or name -> array, as CSV; see `writing_csv`."""
    with writing_csv(path, schema) as writer:
        writer.append(columns)


def to_table(columns: Columns, schema: pa.Schema) -> pa.Table:
    """Return the columns that a schema names, in its order and its types.

    Parameters
    ----------
    columns : pyarrow.Table or mapping of str to array
        Strings may be lists, object arrays or Arrow arrays, dictionary-encoded or not.
    schema : pyarrow.Schema
    """
    arrays = [_to_array(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=pa.schema(list(schema)))


def _to_array(values: Any, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, np.ndarray) and values.dtype.kind in "bif":
        values = array_of_numbers(values)
    elif not isinstance(values, pa.Array | pa.ChunkedArray):
        values = pa.array(values, kind.value_type if pa.types.is_dictionary(kind) else None)
    if values.type == kind:
        return values
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    return values.cast(kind)


def open_parquet(path: str | Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises
    ------
    InputError
        There is no such file, or it is damaged or no Parquet file.
    """
    if not Path(path).is_file():
        raise InputError("no such file", file=path)
    with _saying_what_is_damaged(path):
        # Without, an open file keeps the bytes that were read last.
        return pq.ParquetFile(path, pre_buffer=False)


def read(
    path: str | Path,
    schema: pa.Schema | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
) -> pa.Table:
    """Read a Parquet file.

    Parameters
    ----------
    path : path
    schema : pyarrow.Schema, optional
        Columns that the file must have; it may have more, such as those of the grid.
    where : mapping of str to sequence of str, optional
        Column -> the values of the rows to read. Memory holds these and one row group.

    Raises
    ------
    InputError
        The file is missing, damaged, or lacks a column.
    """
    with open_parquet(path) as file, _saying_what_is_damaged(path):
        table = _read_where(file, where) if where else file.read()
    _check_columns(table, schema, path)
    return table


def _read_where(file: pq.ParquetFile, where: Mapping[str, Sequence[str]]) -> pa.Table:
    kept = []
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        for name, values in where.items():
            table = table.filter(pc.is_in(table[name], pa.array(values)))
        kept.append(table)
    return pa.concat_tables(kept) if kept else file.read()


def read_frame(
    path: str | Path,
    schema: pa.Schema | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Read a Parquet file as a pandas frame; see `read`."""
    return read(path, schema, where).to_pandas()


def _check_columns(table: pa.Table, schema: pa.Schema | None, path: str | Path) -> None:
    wanted = [] if schema is None else schema.names
    for name in wanted:
        if name not in table.column_names:
            raise InputError(
                f"has no column {name!r}", file=path, allowed=f"a file with {', '.join(wanted)}"
            )


@contextmanager
def _saying_what_is_damaged(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"not a Parquet file that can be read: {reason}",
            file=path,
            allowed="an undamaged file; delete this one and run the study again to remake it",
        ) from None
