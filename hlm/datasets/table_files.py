"""A user's tables: delimited text, Parquet, or a data set that comes with `hlm`."""

from __future__ import annotations

import csv
from lzma import LZMAError
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table"]


def read_table(name: str) -> pd.DataFrame:
    """Read delimited text (also compressed) or Parquet, or a data set that comes with `hlm`.

    Raises
    ------
    InputError
        There is no such file or data set, or it cannot be read.
    """
    from hlm.datasets import NAMES, path
    from hlm.datasets.delimited import read_delimited

    file = path(name) if name in NAMES and not Path(name).exists() else Path(name)
    if file.suffix == ".parquet":
        return _read_parquet(file)
    try:
        return read_delimited(file)
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(
            "no such file",
            file=name,
            allowed=f"a CSV or Parquet file, or one of the data sets {', '.join(NAMES)}",
            suggestion=nearest(name, NAMES),
        ) from None
    except InputError as error:
        raise error.at(file=name) from None
    except (OSError, ValueError, EOFError, LZMAError, csv.Error, BadZipFile) as error:
        raise InputError(
            f"not a table that can be read: {error}",
            file=name,
            allowed="values under a line of names, separated by commas, semicolons or tabs, "
            "in UTF-8; or Parquet",
        ) from None


def _read_parquet(file: Path) -> pd.DataFrame:
    """Read Parquet: integers with gaps stay integers, decimals become numbers."""
    import pandas as pd
    import pyarrow.types as types

    from hlm.results import read

    table = read(file)
    for place, field in enumerate(table.schema):
        if types.is_decimal(field.type):
            table = table.set_column(place, field.name, _plain_numbers(table.column(place)))
    gaps = {column.type for column in table.columns if column.null_count}
    dtypes = {
        kind: pd.api.types.pandas_dtype(str(kind).replace("uint", "UInt").replace("int", "Int"))
        for kind in gaps
        if types.is_integer(kind)
    }
    return table.to_pandas(types_mapper=dtypes.get)


def _plain_numbers(decimals: Any) -> Any:
    """Return decimals as numbers; as integers, or else text, if they have no places."""
    import pyarrow as pa

    if decimals.type.scale > 0:
        return decimals.cast(pa.float64())
    try:
        return decimals.cast(pa.int64())
    except pa.ArrowInvalid:
        return decimals.cast(pa.string())
