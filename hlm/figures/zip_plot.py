"""Zip plots: the intervals of replicates by how far they are from the true value.

T. P. Morris, I. R. White, M. J. Crowther (2019). Using simulation studies to evaluate statistical
methods. Statistics in Medicine 38, 2074-2102.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator

from hlm.figures.sample_panels import Table, key_of
from hlm.figures.series import add_legend
from hlm.figures.style import GREY, INK, blank, styled
from hlm.measures import share_limits
from hlm.measures.zip_order import at_even_places, zip_order
from hlm.words.inferences import joined
from hlm.words.levels import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hlm.figures.sample_panels import Key
    from hlm.results.samples import Sample

__all__ = ["LINES", "Zipped", "zip_plot", "zipped"]

LINES = 200
"""Intervals that a panel draws at most."""

COVERS, MISSES = "#A8C8E0", "#A33B00"  # light and dark, so that they differ in grey print too
_FAR = 0.01  # of the limits on either side, which may lie beyond the edges of a panel
_MARGIN = 0.03


@dataclass(frozen=True)
class Zipped:
    """The intervals that a panel draws.

    Attributes
    ----------
    scenario : int
    key : Key
    true, level : float
    centile : ndarray, (n_lines,)
        Middle of the part of the order that a line stands for, in per cent.
    lower, upper : ndarray, (n_lines,)
    covers : ndarray of bool, (n_lines,)
    coverage : float
        Of all intervals.
    n, n_total : int
        Intervals, and replicates.
    """

    scenario: int
    key: Key
    true: float
    level: float
    centile: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    covers: NDArray[np.bool_]
    coverage: float
    n: int
    n_total: int


def zipped(sample: Sample, lines: int = LINES) -> Zipped:
    """Reduce the intervals of a sample to a bounded number, at even places of their order.

    Examples
    --------
    >>> from hlm.results.samples import Sample
    >>> b = np.arange(-2.0, 3.0)
    >>> sample = Sample(0, "m", "ml", "wald", 0.0, 0.6, np.arange(5), b, 0 * b, b - 1.2, b + 1.2)
    >>> found = zipped(sample)
    >>> found.centile.tolist(), found.covers.tolist(), found.coverage
    ([10.0, 30.0, 50.0, 70.0, 90.0], [True, True, True, False, False], 0.6)
    """
    order = zip_order(sample.estimate, sample.lower, sample.upper, sample.true)
    kept = at_even_places(order, lines)
    lower, upper = sample.lower, sample.upper
    covers = (lower <= sample.true) & (sample.true <= upper)
    return Zipped(
        sample.scenario,
        key_of(sample),
        sample.true,
        sample.level,
        100 * (np.arange(len(kept)) + 0.5) / max(len(kept), 1),
        lower[kept],
        upper[kept],
        covers[kept],
        float(covers[order].mean()) if len(order) else np.nan,
        len(order),
        len(sample.replicate),
    )


@styled
def zip_plot(
    samples: Iterable[Sample], levels: Sequence[Mapping[str, Any]], *, words: str
) -> Figure:
    """Draw intervals by fractional centile, a row for each scenario and a column for each series.

    Intervals that cover the true value are light, those that miss it dark. A dashed line is at the
    nominal level, which should part them; a grey band is where Wilson's 95% limits of the coverage
    are. Of many intervals `LINES` are drawn, at even places of their order.

    Parameters
    ----------
    samples : iterable of Sample
        Taken one at a time. Those without a true value or intervals have no panel.
    levels : sequence of dict
        For each scenario of the study, factor -> level.
    words : str
        For the term.

    Returns
    -------
    Figure
    """
    found: list[Zipped] = []
    without: dict[str, None] = {}
    for sample in samples:
        if np.isnan(sample.true):
            without.setdefault(sample.model)
        elif len((one := zipped(sample)).lower):
            found.append(one)
    missing = [f"No true value, so no coverage: model {joined(without)}."] if without else []
    if not found:
        return blank(" ".join([f"No intervals of {words} that may cover a true value.", *missing]))
    table = Table.of([(one.scenario, one.key) for one in found])
    beyond = 0
    for place in table.rows:
        own = [one for one in found if one.scenario == place]
        ends = _ends(own)
        beyond += sum(_beyond(one, ends) for one in own)
        for one in own:
            _draw(table.panel(place, one.key), one, ends)
    for row in table.axes:
        for ax in row[1:]:
            ax.tick_params(left=False)
    table.figure.supxlabel(f"Limits of the interval for {words}")
    table.figure.supylabel("Centile")
    levels_of = {one.level for one in found}
    add_legend(table.figure, _entries(levels_of))
    notes = [*_notes(found, beyond), *missing]
    return table.finish(levels, notes, "hlm plot and the explorer")


def _ends(own: Sequence[Zipped]) -> tuple[float, float]:
    """Return the limits of the panels of a row: a few intervals far wider than others are cut."""
    lower = np.concatenate([one.lower for one in own])
    upper = np.concatenate([one.upper for one in own])
    low = np.quantile(lower[np.isfinite(lower)], _FAR) if np.isfinite(lower).any() else np.inf
    high = np.quantile(upper[np.isfinite(upper)], 1 - _FAR) if np.isfinite(upper).any() else -np.inf
    true = [one.true for one in own]
    low, high = float(min(low, *true)), float(max(high, *true))
    room = _MARGIN * (high - low or 1.0)
    return low - room, high + room


def _beyond(one: Zipped, ends: tuple[float, float]) -> int:
    return int(np.count_nonzero((one.lower < ends[0]) | (one.upper > ends[1])))


def _draw(ax: Axes, one: Zipped, ends: tuple[float, float]) -> None:
    width = 1.1 if len(one.centile) < LINES else 0.6
    for hit, colour, name in ((True, COVERS, "covers"), (False, MISSES, "misses")):
        its = one.covers == hit
        low, high = np.clip(one.lower[its], *ends), np.clip(one.upper[its], *ends)
        corners = np.stack([low, one.centile[its], high, one.centile[its]], axis=1)
        lines = LineCollection(list(corners.reshape(-1, 2, 2)), colors=colour, linewidths=width)
        lines.set_label(name)
        ax.add_collection(lines)
    limits = [100 * float(limit) for limit in share_limits(one.coverage, one.n)]
    ax.axhspan(*limits, color=GREY, alpha=0.55, linewidth=0, zorder=2.5, label="limits")
    ax.axhline(100 * one.level, color=INK, linewidth=0.9, linestyle="--", zorder=3, label="level")
    ax.axvline(one.true, color=INK, linewidth=0.9, zorder=3, label="true")
    ax.set(xlim=ends, ylim=(0, 100))
    ax.yaxis.set_major_locator(FixedLocator([0, 50, round(100 * one.level, 6)]))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10]))
    text = f"{100 * one.coverage:.{_decimals(one)}f}%"
    box = {"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.2}
    ax.text(0.03, 0.05, text, transform=ax.transAxes, size=6.5, bbox=box, zorder=4)


def _decimals(one: Zipped) -> int:
    """Return the decimals of a percentage that its Monte Carlo standard error allows."""
    error = 100 * np.sqrt(one.coverage * (1 - one.coverage) / one.n)
    return 1 if error < 1 else 0


def _entries(levels: Iterable[float]) -> list[Any]:
    named = " or ".join(f"{100 * level:g}%" for level in sorted(levels))
    return [
        Line2D([], [], color=COVERS, linewidth=2, label="covers the true value"),
        Line2D([], [], color=MISSES, linewidth=2, label="misses it"),
        Line2D([], [], color=INK, linewidth=0.9, linestyle="--", label=f"nominal level, {named}"),
        Patch(color=GREY, alpha=0.55, linewidth=0, label="coverage, 95% limits"),
    ]


def _notes(found: Sequence[Zipped], beyond: int) -> list[str]:
    notes = []
    if any(one.n > len(one.centile) for one in found):
        drawn = span(len(one.centile) for one in found)
        of = span(one.n for one in found)
        notes.append(f"Drawn: {drawn} of {of} intervals, at even places of their order.")
    if any(one.n < one.n_total for one in found):
        of = f"{span(one.n for one in found)} of {span(one.n_total for one in found)} replicates"
        notes.append(f"Coverage rests on {of}: the others have no limits.")
    if beyond:
        notes.append(f"{beyond:,} of the intervals that are drawn go on beyond the edges.")
    return notes
