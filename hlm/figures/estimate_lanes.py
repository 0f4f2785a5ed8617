"""The estimates of replicates side by side: as swarms of dots, or as ridges of histograms."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator

from hlm.figures.headers import wrap
from hlm.figures.sample_panels import not_all, scenario_words, series_words
from hlm.figures.se_against_estimate import thinned
from hlm.figures.series import Z, add_legend
from hlm.figures.sheet import SMALL, lay_out
from hlm.figures.style import GREY, INK, PAGE, blank, marks, styled
from hlm.words.levels import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hlm.figures.sample_panels import Key
    from hlm.figures.style import Mark
    from hlm.results.samples import Sample

    Floats = NDArray[np.float64]

__all__ = ["DOTS", "Lane", "lane_of", "ridges", "spread_evenly", "swarms"]

DOTS = 300
"""Replicates that a lane of a swarm draws at most."""

_BINS = (12, 60)  # at least and at most, of 3 n^(1/3)
_FAR = 0.001  # of the estimates on either side, which may lie beyond the edges of a panel
_MARGIN = 0.03
_RISE = 0.78  # of a lane, that the highest bin takes
_SWARM = 0.8  # of a lane, that the widest part of a swarm takes
_LANE = 0.3  # inches
_WIDE = 2  # panels side by side


@dataclass(frozen=True)
class Lane:
    """What one series of one scenario shows.

    Attributes
    ----------
    scenario : int
    model, method, inference : str
    true : float
    edges : ndarray, (n_bins + 1,)
    counts : ndarray of int, (n_bins,)
        Of all estimates between the edges.
    dots : ndarray, (n_dots,)
        Estimates of every k-th replicate, by its number.
    every : int
        That k.
    mean, mcse : float
        Of all estimates.
    n, n_total : int
        Replicates with an estimate, and all.
    """

    scenario: int
    model: str
    method: str
    inference: str
    true: float
    edges: Floats
    counts: NDArray[np.int64]
    dots: Floats
    every: int
    mean: float
    mcse: float
    n: int
    n_total: int

    @property
    def key(self) -> Key:
        """What tells its series from others."""
        return self.model, self.method, self.inference


def lane_of(sample: Sample, most: int = DOTS) -> Lane:
    """Reduce a sample to a histogram, some dots, and the mean with its Monte Carlo standard error.

    The bins hold the middle 99.8 % of the estimates, all if these are fewer than a thousand. A
    value on the boundary, such as 0 of a standard deviation, is in the middle of the first one.
    """
    known = sample.estimate[np.isfinite(sample.estimate)]
    kept, every = thinned(sample.replicate, most)
    dots = sample.estimate[kept & np.isfinite(sample.estimate)]
    n = len(known)
    low = np.quantile(known, _FAR, method="lower") if n else 0.0
    high = np.quantile(known, 1 - _FAR, method="higher") if n else 1.0
    bins = int(np.clip(3 * np.cbrt(n), *_BINS))
    width = float(high - low) / bins or max(abs(float(low)), 1.0) / bins
    edges = float(low) - width / 2 + width * np.arange(bins + 2, dtype=np.float64)
    return Lane(
        sample.scenario,
        sample.model,
        sample.method,
        sample.inference,
        sample.true,
        edges,
        np.histogram(known, edges)[0],
        dots,
        every,
        float(known.mean()) if n else np.nan,
        float(known.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan,
        n,
        len(sample.replicate),
    )


def ridges(
    samples: Iterable[Sample],
    levels: Sequence[Mapping[str, Any]],
    *,
    words: str,
    models: Sequence[str] | None = None,
) -> Figure:
    """Draw the estimates of each series as a histogram, with their mean and the true value.

    Parameters
    ----------
    samples : iterable of Sample
        Taken one at a time; one for each model and method (`one_inference`).
    levels : sequence of dict
        For each scenario of the study, factor -> level.
    words : str
        For the term.
    models : sequence of str, optional
        In the order of their marks; by default as they come.

    Returns
    -------
    Figure
        With a panel for each scenario and a lane for each series.
    """
    return _lanes(samples, levels, words=words, models=models, dots=False)


def swarms(
    samples: Iterable[Sample],
    levels: Sequence[Mapping[str, Any]],
    *,
    words: str,
    models: Sequence[str] | None = None,
) -> Figure:
    """Draw the estimates of each series as dots, with their mean and the true value.

    Of many replicates `DOTS` or fewer are drawn, by their numbers. Dots are moved up and down as
    far as there are others beside them, by a sequence without chance, so that the same results
    give the same picture.

    Parameters
    ----------
    samples, levels, words, models
        As in `ridges`.

    Returns
    -------
    Figure
    """
    return _lanes(samples, levels, words=words, models=models, dots=True)


def spread_evenly(n: int) -> Floats:
    """Return numbers between -1/2 and 1/2 that fill it evenly, however many are taken.

    They are van der Corput's: the binary digits of 1, 2, 3, ... behind the point in reverse.

    Examples
    --------
    >>> spread_evenly(4).tolist()
    [0.0, -0.25, 0.25, -0.375]
    """
    numbers = np.arange(1, n + 1)
    total, weight = np.zeros(n), 0.5
    while numbers.any():
        total += weight * (numbers & 1)
        numbers >>= 1
        weight /= 2
    return total - 0.5


@styled
def _lanes(
    samples: Iterable[Sample],
    levels: Sequence[Mapping[str, Any]],
    *,
    words: str,
    models: Sequence[str] | None,
    dots: bool,
) -> Figure:
    found = [one for one in map(lane_of, samples) if one.n]
    if not found:
        return blank(f"No estimates of {words} in this study.")
    keys = list(dict.fromkeys(one.key for one in found))
    names = models or list(dict.fromkeys(one.model for one in found))
    by_model = marks(names)
    places = list(dict.fromkeys(one.scenario for one in found))
    figure, axes = _canvas(len(places), len(keys))
    beyond = 0
    for place, ax in zip(places, axes, strict=False):
        own = [one for one in found if one.scenario == place]
        ends = _ends(own)
        for one in own:
            beyond += _draw(ax, one, -keys.index(one.key), by_model[one.model], ends, dots=dots)
        true = {one.true for one in own if np.isfinite(one.true)}
        for value in true:
            ax.axvline(value, color=INK, linewidth=0.9, linestyle="--", zorder=1, label="true")
        ax.set_xlim(*ends)
        ax.set_title(wrap(scenario_words(levels, place), 0.45 * figure.get_figwidth()))
    _dress(axes, len(places), [series_words(keys)[key] for key in keys])
    figure.supxlabel(f"Estimate of {words}")
    has_true = any(np.isfinite(one.true) for one in found)
    add_legend(figure, _entries(has_true=has_true))
    left_out = not_all(len(places), len(levels), "hlm plot")
    lay_out(figure, [*_notes(found, beyond, dots=dots), *left_out])
    return figure


def _canvas(panels: int, lanes: int) -> tuple[Figure, list[Axes]]:
    wide = min(_WIDE, panels)
    rows = ceil(panels / wide)
    width = PAGE if wide > 1 else 4.6
    figure = Figure(figsize=(width, 0.75 + rows * (0.4 + max(0.7, _LANE * lanes))))
    axes = list(figure.subplots(rows, wide, squeeze=False, sharey=True).flat)
    for unused in axes[panels:]:
        unused.set_axis_off()
    return figure, axes


def _ends(own: Sequence[Lane]) -> tuple[float, float]:
    shown = [one.edges[0] for one in own] + [one.edges[-1] for one in own]
    shown += [one.true for one in own if np.isfinite(one.true)]
    room = _MARGIN * (max(shown) - min(shown))
    return float(min(shown) - room), float(max(shown) + room)


def _draw(
    ax: Axes, one: Lane, base: float, mark: Mark, ends: tuple[float, float], *, dots: bool
) -> int:
    """Draw a lane, and return how many of its estimates are not in the picture."""
    hollow = one.method == "ml"
    name = f"{one.model}, {one.method}"
    density = one.counts / max(one.counts.max(), 1)
    if dots:
        bins = np.clip(np.searchsorted(one.edges, one.dots) - 1, 0, len(density) - 1)
        y = base + _SWARM * density[bins] * spread_evenly(len(one.dots))
        ax.plot(
            one.dots, y, linestyle="none", marker="o", markersize=1.7, color=mark.colour,
            markerfacecolor="white" if hollow else mark.colour, markeredgewidth=0.35 * hollow,
            alpha=0.65, rasterized=True, label=name,
        )  # fmt: skip
        beyond = int(np.count_nonzero((one.dots < ends[0]) | (one.dots > ends[1])))
    else:
        top = base + _RISE * density
        ax.stairs(
            top, one.edges, baseline=base, fill=True, color=mark.colour,
            alpha=0.18 if hollow else 0.5, linewidth=0, label=f"filled {name}",
        )  # fmt: skip
        ax.stairs(
            top, one.edges, baseline=base, color=mark.colour, linewidth=0.7,
            linestyle=":" if hollow else "-", label=name,
        )  # fmt: skip
        beyond = one.n - int(one.counts.sum())
    face = "white" if hollow else mark.colour
    ax.errorbar(
        one.mean, base, xerr=Z * one.mcse, color=INK, marker=mark.marker, markersize=mark.size,
        markerfacecolor=face, markeredgecolor=INK, markeredgewidth=0.7, elinewidth=0.9, zorder=3,
        label=f"mean of {name}",
    )  # fmt: skip
    return beyond


def _dress(axes: Sequence[Axes], panels: int, names: Sequence[str]) -> None:
    for ax in axes[:panels]:
        ax.yaxis.set_major_locator(FixedLocator([-float(k) for k in range(len(names))]))
        ax.set_yticklabels(names, size=SMALL)
        ax.set_ylim(-len(names) + 0.5, 0.95)
        ax.tick_params(left=False)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
        ax.spines["left"].set_visible(False)


def _entries(*, has_true: bool) -> list[Line2D]:
    mean = {"color": INK, "marker": "o", "markersize": 3.8, "markerfacecolor": GREY}
    found = [Line2D([], [], label="mean; bar: ±1.96 Monte Carlo SE", **mean)]  # type: ignore[arg-type]
    if has_true:
        found.append(Line2D([], [], color=INK, linewidth=0.9, linestyle="--", label="true value"))
    return found


def _notes(found: Sequence[Lane], beyond: int, *, dots: bool) -> list[str]:
    notes = []
    steps = {one.every for one in found} - {1}
    if dots and steps:
        drawn, of = span(len(one.dots) for one in found), span(one.n for one in found)
        every = f"one replicate in {span(steps)}" if len(steps) == 1 else "by their numbers"
        notes.append(f"Drawn: {drawn} of {of} replicates, {every}; means are of all.")
    if any(one.n < one.n_total for one in found):
        of = f"{span(one.n for one in found)} of {span(one.n_total for one in found)} replicates"
        notes.append(f"{of} have an estimate.")
    if beyond:
        what = "dots" if dots else "estimates"
        notes.append(f"{beyond:,} {what} lie beyond the edges.")
    return notes
