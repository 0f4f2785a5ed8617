"""Standard errors of replicates against their estimates.

I. R. White, T. M. Pham, M. Quartagno, T. P. Morris (2023). How to check a simulation study.
International Journal of Epidemiology 53, dyad134.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hlm.figures.sample_panels import Table, key_of
from hlm.figures.series import add_legend
from hlm.figures.style import GREY, INK, blank, marks, styled
from hlm.words.levels import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hlm.figures.sample_panels import Key
    from hlm.figures.style import Mark
    from hlm.results.samples import Sample

__all__ = ["DOTS", "Pairs", "pairs_of", "se_against_estimate", "thinned"]

DOTS = 1000
"""Replicates that a panel draws at most."""

_FAR = 0.002  # of the numbers on either side, which may lie beyond the edges of a panel
_MARGIN = 0.05


@dataclass(frozen=True)
class Pairs:
    """What a panel draws.

    Attributes
    ----------
    scenario : int
    key : Key
    true : float
    estimate, se : ndarray, (n_drawn,)
        Of the replicates that are drawn.
    every : int
        Of the replicates one in so many is drawn, by its number.
    empirical_se, model_se : float
        Of all replicates that have an estimate, or a standard error.
    n, n_total : int
        Replicates with both numbers, and all.
    """

    scenario: int
    key: Key
    true: float
    estimate: NDArray[np.float64]
    se: NDArray[np.float64]
    every: int
    empirical_se: float
    model_se: float
    n: int
    n_total: int


def thinned(replicate: NDArray[np.int64], most: int) -> tuple[NDArray[np.bool_], int]:
    """Choose at most so many replicates: every k-th by its number, whatever it holds.

    Examples
    --------
    >>> kept, every = thinned(np.arange(10), 4)
    >>> kept.nonzero()[0].tolist(), every
    ([0, 3, 6, 9], 3)
    """
    every = max(1, -(-len(replicate) // most))
    return replicate % every == 0, every


def pairs_of(sample: Sample, most: int = DOTS) -> Pairs:
    """Reduce a sample to the replicates that are drawn, and its two standard errors."""
    kept, every = thinned(sample.replicate, most)
    both = np.isfinite(sample.estimate) & np.isfinite(sample.se)
    known, errors = sample.estimate[np.isfinite(sample.estimate)], sample.se[np.isfinite(sample.se)]
    return Pairs(
        sample.scenario,
        key_of(sample),
        sample.true,
        sample.estimate[kept & both],
        sample.se[kept & both],
        every,
        float(np.std(known, ddof=1)) if len(known) > 1 else np.nan,
        float(np.sqrt(np.mean(errors**2))) if len(errors) else np.nan,
        int(both.sum()),
        len(sample.replicate),
    )


@styled
def se_against_estimate(
    samples: Iterable[Sample],
    levels: Sequence[Mapping[str, Any]],
    *,
    words: str,
    models: Sequence[str] | None = None,
) -> Figure:
    """Draw the standard error of each replicate against its estimate, a panel for each series.

    Lines are at the true value, at the standard deviation of the estimates (what the standard
    errors should be), and at the root mean square of the standard errors (what they are). Of many
    replicates `DOTS` or fewer are drawn, by their numbers; lines are those of all.

    Parameters
    ----------
    samples : iterable of Sample
        Taken one at a time; those without standard errors have no panel.
    levels : sequence of dict
        For each scenario of the study, factor -> level.
    words : str
        For the term.
    models : sequence of str, optional
        In the order of their marks; by default as they come.

    Returns
    -------
    Figure
    """
    found = [one for one in map(pairs_of, samples) if one.n]
    if not found:
        return blank(f"No standard errors of {words} in this study.")
    names = models or list(dict.fromkeys(one.key[0] for one in found))
    by_model = marks(names)
    table = Table.of([(one.scenario, one.key) for one in found])
    beyond = 0
    for place in table.rows:
        own = [one for one in found if one.scenario == place]
        x = _ends([one.estimate for one in own], [one.true for one in own])
        errors = [value for one in own for value in (one.empirical_se, one.model_se)]
        y = _ends([one.se for one in own], errors)
        for one in own:
            ax = table.panel(place, one.key)
            ax.set(xlim=x, ylim=y)
            beyond += _draw(ax, one, by_model[one.key[0]], x, y)
    for row in table.axes:
        for ax in row[1:]:
            ax.tick_params(left=False)
    table.figure.supxlabel(f"Estimate of {words}")
    table.figure.supylabel("Standard error")
    add_legend(table.figure, _entries(found))
    return table.finish(levels, _notes(found, beyond), "hlm plot")


def _ends(parts: Sequence[NDArray[np.float64]], lines: Sequence[float]) -> tuple[float, float]:
    """Return the limits of the panels of a row, which few points may leave."""
    values = np.concatenate(parts)
    low = np.quantile(values, _FAR, method="lower")
    high = np.quantile(values, 1 - _FAR, method="higher")
    shown = [float(low), float(high), *(value for value in lines if np.isfinite(value))]
    room = _MARGIN * (max(shown) - min(shown) or 1.0)
    return min(shown) - room, max(shown) + room


def _draw(ax: Axes, one: Pairs, mark: Mark, x: tuple[float, float], y: tuple[float, float]) -> int:
    """Draw a panel, and return how many points lie beyond its edges."""
    ax.plot(
        one.estimate,
        one.se,
        linestyle="none",
        marker="o",
        markersize=1.6,
        markeredgewidth=0,
        color=mark.colour,
        alpha=0.45,
        rasterized=True,
        label="replicates",
    )
    if np.isfinite(one.true):
        ax.axvline(one.true, color=INK, linewidth=0.9, label="true")
    ax.axhline(one.empirical_se, color=INK, linewidth=1.0, linestyle="--", label="empirical")
    ax.axhline(one.model_se, color=INK, linewidth=1.0, linestyle=":", label="model")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10]))
    inside = (one.estimate >= x[0]) & (one.estimate <= x[1]) & (one.se >= y[0]) & (one.se <= y[1])
    return int(np.count_nonzero(~inside))


def _entries(found: Sequence[Pairs]) -> list[Line2D]:
    dot = {"marker": "o", "markersize": 3, "linestyle": "none", "color": GREY}
    lines = [Line2D([], [], label="one replicate", **dot)]  # type: ignore[arg-type]
    if any(np.isfinite(one.true) for one in found):
        lines.append(Line2D([], [], color=INK, linewidth=0.9, label="true value"))
    return [
        *lines,
        Line2D([], [], color=INK, linestyle="--", label="empirical standard error"),
        Line2D([], [], color=INK, linestyle=":", label="mean model standard error"),
    ]


def _notes(found: Sequence[Pairs], beyond: int) -> list[str]:
    notes = []
    steps = {one.every for one in found} - {1}
    if steps:
        drawn, of = span(len(one.se) for one in found), span(one.n for one in found)
        every = f"one replicate in {span(steps)}" if len(steps) == 1 else "by their numbers"
        notes.append(f"Drawn: {drawn} of {of} replicates, {every}; lines are of all.")
    if any(one.n < one.n_total for one in found):
        of = f"{span(one.n for one in found)} of {span(one.n_total for one in found)} replicates"
        notes.append(f"{of} have an estimate and a standard error.")
    if beyond:
        notes.append(f"{beyond:,} of the dots lie beyond the edges.")
    return notes
