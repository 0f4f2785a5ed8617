"""The files of a study: their columns, and how they are written and read."""

from hlm.results.crossproducts import (
    CROSS_PRODUCTS,
    RangeArrays,
    read_crossproducts,
    write_crossproducts,
)
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
    SCENARIOS,
    SELECTION,
    TESTS,
    with_grid,
)

__all__ = [
    "CROSS_PRODUCTS",
    "ESTIMATES",
    "FITS",
    "KINDS",
    "MEASURES",
    "SCENARIOS",
    "SELECTION",
    "TESTS",
    "RangeArrays",
    "Writer",
    "open_parquet",
    "read",
    "read_crossproducts",
    "read_frame",
    "to_table",
    "with_grid",
    "write",
    "write_crossproducts",
    "write_csv",
    "writing",
    "writing_csv",
]
