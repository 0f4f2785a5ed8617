"""The intervals of all replicates -> those of a hundred, evenly spaced, for zip plots.

A zip plot has an interval for each replicate, sorted by how far the true value is from the estimate
in units of the interval's half on that side: those above the nominal level should miss it. A page
cannot hold all of them; a hundred at even places of that order show the same picture.

T. P. Morris, I. R. White, M. J. Crowther (2019). Using simulation studies to evaluate statistical
methods. Statistics in Medicine 38, 2074-2102.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.explorer.series_columns import combinations
from hlm.results import open_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hlm.explorer.series_columns import Series

__all__ = ["POINTS", "ZIP_KEYS", "ZipIntervals", "zip_intervals", "zip_order"]

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
            order = zip_order(estimate, lower, upper, value)
            if len(order) > POINTS:
                order = order[((np.arange(POINTS) + 0.5) * len(order) / POINTS).astype(int)]
            with np.errstate(over="ignore"):  # what is too large for 32 bits is infinite
                found[own][at, :, : len(order)] = lower[order], upper[order]
    keys = tuple(sorted(found))
    empty = np.empty((0, len(scenarios), 2, POINTS), dtype=np.float32)
    return ZipIntervals(keys, np.stack([found[key] for key in keys]) if keys else empty)


def zip_order(
    estimate: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    true: float,
) -> NDArray[np.int64]:
    """Return the replicates that have limits, by how far the true value is from their estimates.

    The distance is in units of that from the estimate to the limit on the same side, so that
    intervals that cover come first. For symmetric intervals it is |z| over its critical value.

    Examples
    --------
    >>> b, half = np.array([0.0, 2.0, 0.5, 1.0]), np.array([1.0, 1.0, 1.0, np.nan])
    >>> zip_order(b, b - half, b + half, 0.4).tolist()
    [2, 0, 1]
    """
    known = np.flatnonzero(~(np.isnan(lower) | np.isnan(upper)))
    b, low, high = estimate[known], lower[known], upper[known]
    covers = (low <= true) & (true <= high)
    half = np.where(true >= b, high - b, b - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(half > 0, np.abs(true - b) / half, np.inf)
    return known[np.lexsort((far, ~covers))]


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
