"""Tables that go out of commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["print_table"]


def print_table(frame: pd.DataFrame, output: str | None = None) -> None:
    """Write a frame to a file, by its ending as Parquet or CSV, or as CSV to standard output."""
    if output is None:
        frame.to_csv(sys.stdout, index=False)
        return
    from hlm.disk import replacing

    try:
        with replacing(output) as temporary:
            if Path(output).suffix == ".parquet":
                frame.to_parquet(temporary, index=False)
            else:
                frame.to_csv(temporary, index=False)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=output) from None
