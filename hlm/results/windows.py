"""How rows are grouped in the sorted files of results, and in what order they are."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["METHODS", "WINDOW", "in_portions", "scenarios_together", "together"]

WINDOW = 5000
"""Replicates in memory at a time."""

METHODS = ["reml", "ml"]
"""In the order of rows."""


def scenarios_together(replicates: int) -> int:
    """Return how many scenarios of so many replicates fill a row group of the sorted files."""
    return max(1, WINDOW // replicates)


def together(tables: Iterable[pa.Table], n: int) -> Iterator[pa.Table]:
    """Put each `n` tables together, the last ones as many as are left."""
    left = iter(tables)
    while group := list(islice(left, n)):
        yield pa.concat_tables(group).unify_dictionaries()


def in_portions(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Put tables together until they have so many rows."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(table.num_rows for table in held) >= rows:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)
