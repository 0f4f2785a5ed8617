"""The files of a study: their columns, and how they are written and read."""

from hlm.results.files import (
    Writer,
    open_parquet,
    read,
    read_frame,
    to_table,
    write,
    write_csv,
    writing,
    writing_csv,
)
from hlm.results.schemas import (
    ESTIMATES,
    FITS,
    KINDS,
    MEASURES,
    PREDICTIONS,
    SCENARIOS,
    SELECTION,
    TESTS,
    scenarios_schema,
    with_grid,
)

__all__ = [
    "ESTIMATES",
    "FITS",
    "KINDS",
    "MEASURES",
    "PREDICTIONS",
    "SCENARIOS",
    "SELECTION",
    "TESTS",
    "Writer",
    "open_parquet",
    "read",
    "read_frame",
    "scenarios_schema",
    "to_table",
    "with_grid",
    "write",
    "write_csv",
    "writing",
    "writing_csv",
]
