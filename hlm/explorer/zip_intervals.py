"""The intervals of all replicates -> those of a hundred, evenly spaced, for zip plots.

A page cannot hold all of them; a hundred at even places of the order of a zip plot show the same
picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.explorer.series_columns import combinations
from hlm.measures.zip_order import at_even_places, zip_order
from hlm.results import open_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hlm.explorer.series_columns import Series

__all__ = ["POINTS", "ZIP_KEYS", "ZipIntervals", "zip_intervals"]

POINTS = 100
"""Replicates of which a page has the intervals."""

ZIP_KEYS = ("term", "model", "method", "inference")

_COLUMNS = ["scenario", "model", "method", "term", "inference", "estimate", "lower", "upper"]
_BYTES = 2 * POINTS * 4  # of a series in a scenario


@dataclass(frozen=True)
class ZipIntervals:
    """Intervals of some replicates.

    Attributes
    ----------
    keys : tuple of tuple of str
        For each series, its term (with its kind), model, method and inference.
    limits : ndarray of float32, shape (series, scenarios, 2, POINTS)
        Lower and upper limits, in the order of `zip_order`; NaN where there are fewer.
    """

    keys: tuple[tuple[str, ...], ...]
    limits: NDArray[np.float32]


def zip_intervals(
    folder: str | Path, truth: Series, scenarios: Sequence[str], *, most_bytes: int
) -> ZipIntervals | None:
    """Return the intervals of terms that have a true value, or None if a page has no room for them.

    The file is read once, and memory holds one scenario of it.

    Parameters
    ----------
    folder : path
        The study's folder of results.
    truth : Series
        The true value of each model and term.
    scenarios : sequence of str
        Their keys, in order.
    most_bytes : int

    Raises
    ------
    InputError
        There is no file of estimates, or it is damaged.
    """
    true = {(model, key.partition("\t")[2]): (key, row) for row, (model, key) in _rows(truth)}
    place = {key: number for number, key in enumerate(scenarios)}
    found: dict[tuple[str, ...], NDArray[np.float32]] = {}
    for scenario, table in _by_scenario(Path(folder) / "estimates.parquet"):
        at = place[scenario]
        for (model, method, term, inference), estimate, lower, upper in _series(table):
            key, row = true.get((model, term), ("", -1))
            if not key or np.isnan(value := truth.value[row, at]) or np.isnan(lower).all():
                continue
            own = (key, model, method, inference)
            if own not in found:
                if (len(found) + 1) * len(scenarios) * _BYTES > most_bytes:
                    return None
                found[own] = np.full((len(scenarios), 2, POINTS), np.nan, dtype=np.float32)
            order = at_even_places(zip_order(estimate, lower, upper, value), POINTS)
            with np.errstate(over="ignore"):  # what is too large for 32 bits is infinite
                found[own][at, :, : len(order)] = lower[order], upper[order]
    keys = tuple(sorted(found))
    empty = np.empty((0, len(scenarios), 2, POINTS), dtype=np.float32)
    return ZipIntervals(keys, np.stack([found[key] for key in keys]) if keys else empty)


def _rows(truth: Series) -> Iterator[tuple[int, tuple[str, ...]]]:
    return enumerate(truth.keys)


def _by_scenario(path: Path) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each scenario, which lie together."""
    held: list[pa.Table] = []
    last = ""
    with open_parquet(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=_COLUMNS)
            for scenario in pc.unique(table["scenario"]).to_pylist():
                if scenario != last and held:
                    yield last, pa.concat_tables(held).unify_dictionaries()
                    held = []
                last = scenario
                held.append(table.filter(pc.equal(table["scenario"], scenario)))
    if held:
        yield last, pa.concat_tables(held).unify_dictionaries()


def _series(
    table: pa.Table,
) -> Iterator[
    tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
]:
    """Yield model, method, term and inference of each series, its estimates and limits."""
    keys = ["model", "method", "term", "inference"]
    first, number, names = combinations(table, keys)
    order = np.argsort(number, kind="stable")
    columns = [table[name].to_numpy()[order] for name in ("estimate", "lower", "upper")]
    ends = np.cumsum(np.bincount(number, minlength=len(first)))[:-1]
    for row, *numbers in zip(first, *(np.split(column, ends) for column in columns), strict=True):
        yield (tuple(column[row] for column in names), *numbers)
