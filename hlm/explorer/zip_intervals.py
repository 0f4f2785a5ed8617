"""The intervals of all replicates -> those of a hundred, evenly spaced, for zip plots.

A page cannot hold all of them; a hundred at even places of the order of a zip plot show the same
picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from hlm.arrow_arrays import combinations_of, numbers_of
from hlm.measures.zip_order import at_even_places, zip_order
from hlm.results import open_parquet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from hlm.explorer.series_columns import Series

Floats: TypeAlias = "NDArray[np.float64]"

__all__ = ["POINTS", "ZIP_KEYS", "ZipIntervals", "zip_intervals"]

POINTS = 100
"""Replicates of which a page has the intervals."""

ZIP_KEYS = ("term", "model", "method", "inference")

_NUMBERS = ("estimate", "lower", "upper")
_COLUMNS = ["scenario", "model", "method", "term", "inference", *_NUMBERS]
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

    The file is read once, and memory holds the numbers of one scenario.

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
    for scenario, series in _by_scenario(Path(folder) / "estimates.parquet", {*true}):
        at = place[scenario]
        for (model, method, term, inference), (estimate, lower, upper) in series:
            key, row = true[model, term]
            if np.isnan(value := truth.value[row, at]) or np.isnan(lower).all():
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


def _by_scenario(
    path: Path, wanted: Collection[tuple[str, str]]
) -> Iterator[tuple[str, Iterator[tuple[tuple[str, ...], Floats]]]]:
    """Yield the wanted models' terms of each scenario, whose rows lie together."""
    held: dict[tuple[str, ...], list[Floats]] = {}
    last = ""
    with open_parquet(path) as file:
        for group in range(file.num_row_groups):
            for scenario, table in _runs(file.read_row_group(group, columns=_COLUMNS)):
                if scenario != last and held:
                    yield last, _joined(held)
                    held = {}
                last = scenario
                for label, values in _series(table):
                    if (label[0], label[2]) in wanted:
                        held.setdefault(label, []).append(values)
    if held:
        yield last, _joined(held)


def _joined(
    held: dict[tuple[str, ...], list[Floats]],
) -> Iterator[tuple[tuple[str, ...], Floats]]:
    """Yield the numbers of each series in one piece, one series at a time."""
    for label in [*held]:
        yield label, np.concatenate(held.pop(label), axis=1)


def _runs(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each scenario of a row group."""
    number, names = combinations_of(table, ["scenario"])
    edges = [0, *(np.flatnonzero(np.diff(number)) + 1), len(number)]
    for start, stop in pairwise(edges):
        if stop > start:
            yield names[number[start]][0], table.slice(start, stop - start)


def _series(table: pa.Table) -> Iterator[tuple[tuple[str, ...], Floats]]:
    """Yield model, method, term and inference of each series; its estimates and limits, (3, n)."""
    number, names = combinations_of(table, ["model", "method", "term", "inference"])
    # A stable sort of few bits is one by counting.
    order = np.argsort(number.astype(np.min_scalar_type(len(names))), kind="stable")
    columns = np.stack([numbers_of(table[name])[order] for name in _NUMBERS])
    ends = np.cumsum(np.bincount(number, minlength=len(names)))[:-1]
    yield from zip(names, np.split(columns, ends, axis=1), strict=True)
