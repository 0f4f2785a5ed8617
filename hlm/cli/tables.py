"""Tables that come in and go out of commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["print_table", "read_table"]


def read_table(name: str) -> pd.DataFrame:
    """Read a CSV (also compressed) or Parquet file, or a data set that comes with `hlm`.

    Raises
    ------
    InputError
        There is no such file or data set, or it cannot be read.
    """
    import pandas as pd

    from hlm.datasets import NAMES, path

    file = path(name) if name in NAMES and not Path(name).exists() else Path(name)
    if file.suffix == ".parquet":
        from hlm.store import read_frame

        return read_frame(file)
    try:
        return pd.read_csv(file)
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(
            "no such file",
            file=name,
            allowed=f"a CSV or Parquet file, or one of the data sets {', '.join(NAMES)}",
            suggestion=nearest(name, NAMES),
        ) from None
    except (OSError, ValueError) as error:  # pandas' own errors of parsing are ValueErrors
        raise InputError(
            f"not a table that can be read: {error}",
            file=name,
            allowed="comma-separated values under a line of names, in UTF-8, or Parquet",
        ) from None


def print_table(frame: pd.DataFrame, output: str | None = None) -> None:
    """Write a frame to a file, by its ending as Parquet or CSV, or as CSV to standard output."""
    if output is None:
        frame.to_csv(sys.stdout, index=False)
        return
    from hlm.store import replacing

    try:
        with replacing(output) as temporary:
            if Path(output).suffix == ".parquet":
                frame.to_parquet(temporary, index=False)
            else:
                frame.to_csv(temporary, index=False)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=output) from None
