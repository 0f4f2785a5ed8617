"""Power over a number of a study as a figure: simulated, in closed form, where it is enough."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hlm.figures.style import COLUMN, GREY, INK, Mark, blank, legend_columns, marks, styled
from hlm.whatif.met import SELECTION, is_share
from hlm.words.inferences import inference_words
from hlm.words.levels import level_words, said
from hlm.words.measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from hlm.whatif.curves import Curve
    from hlm.whatif.power import Power

__all__ = ["power_curves"]

MOST_COLUMNS, MOST_PANELS = 3, 12
PANEL = 2.35
"""Width of a panel beside others, in inches; one alone has a column of a page."""

HEIGHT = 2.1

_CLOSED: dict[str, Any] = {"color": GREY, "linewidth": 2.0, "alpha": 0.6}


@styled
def power_curves(found: Power) -> Figure:
    """Draw each curve: its points with 95 % intervals, the closed form, the size and the target.

    A panel for each term at each of the other levels of the grid; in it each model, method and
    inference has its mark. The place where the target is met has its interval on the line of the
    target.

    Parameters
    ----------
    found : Power
    """
    if found.over is None:
        return blank("Nothing is varied, so there is no curve.")
    panels: dict[tuple[str, ...], list[Curve]] = {}
    for curve in found.curves:
        panels.setdefault(_panel(curve), []).append(curve)
    shown = dict(list(panels.items())[:MOST_PANELS])
    series = _marks(found.curves)
    columns = 2 if len(shown) == 4 else min(MOST_COLUMNS, len(shown))
    rows = ceil(len(shown) / columns)
    width = COLUMN if columns == 1 else PANEL * columns
    figure = Figure(figsize=(width, HEIGHT * rows + 0.55), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for ax, (names, curves) in zip(grid, shown.items(), strict=False):
        _draw(ax, found, curves, series)
        ax.set_title(", ".join(names), loc="left")
    for ax in grid[len(shown) :]:
        ax.set_axis_off()
    label = said(found.over.name) if found.over.name in ("units", "rows") else found.over.name
    for ax in grid[max(0, len(shown) - columns) : len(shown)]:
        ax.set_xlabel(label)
        ax.tick_params(labelbottom=True)
    for ax in grid[::columns]:
        ax.set_ylabel(_heading(found))
    handles = [*_legend(found, series)]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=legend_columns([str(handle.get_label()) for handle in handles], width),
    )
    if len(panels) > len(shown):
        figure.suptitle(f"{len(panels) - len(shown)} more panels have no room", fontsize=6.5)
    return figure


def _heading(found: Power) -> str:
    if found.measure == SELECTION:
        return "Selection rate"
    return "Power" if found.is_rejection else MEASURES[found.measure].heading


def _panel(curve: Curve) -> tuple[str, ...]:
    return (curve.term, *(f"{name} {level_words(v)}" for name, v in curve.levels.items()))


def _series(curve: Curve) -> str:
    """Return what tells a curve from the others of its panel."""
    inference = f", {inference_words(curve.inference)}" if curve.inference else ""
    return f"{curve.model}, {curve.method.upper()}{inference}"


def _marks(curves: Iterable[Curve]) -> dict[str, Mark]:
    """Return the mark of each series: by ML it is hollow, and otherwise that by REML."""
    curves = list(curves)
    own = marks(dict.fromkeys(f"{curve.model} {curve.inference}" for curve in curves))
    return {
        _series(curve): replace(
            own[f"{curve.model} {curve.inference}"], hollow=curve.method == "ml"
        )
        for curve in curves
    }


def _draw(ax: Axes, found: Power, curves: Sequence[Curve], series: dict[str, Mark]) -> None:
    ax.grid(visible=True, axis="y")
    if found.target is not None:
        ax.axhline(found.target, color=GREY, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    apart = 0.03 if is_share(found.measure) else 0.0
    for number, curve in enumerate(curves):
        mark = series[_series(curve)]
        x = [float(point.at or 0.0) for point in curve.points]
        rates = [point.rate for point in curve.points]
        y = [rate.value for rate in rates]
        ax.errorbar(
            x,
            y,
            yerr=[
                [max(rate.value - rate.low, 0.0) for rate in rates],
                [max(rate.high - rate.value, 0.0) for rate in rates],
            ],
            elinewidth=0.8,
            zorder=3,
            **mark.look(joined=True),
        )
        known = [(p.at, p.closed.value) for p in curve.points if p.closed is not None]
        if known:
            ax.plot(*zip(*known, strict=True), **_CLOSED, zorder=2)
        sizes = [(p.at, p.size.value) for p in curve.points if p.size is not None]
        if sizes:
            ax.plot(*zip(*sizes, strict=True), **_size_look(mark.colour), zorder=2)
        if curve.met is not None and found.target is not None:
            low = curve.met.low if curve.met.low is not None else min(x)
            high = curve.met.high if curve.met.high is not None else max(x)
            y = [found.target + (number - (len(curves) - 1) / 2.0) * apart] * 2
            ax.plot([low, high], y, color=mark.colour, linewidth=2.6, zorder=4)
            ax.plot([curve.met.at], y[:1], "|", color=INK, markersize=6, zorder=5)
    if is_share(found.measure):
        ax.set_ylim(0.0, 1.02)


def _size_look(colour: str) -> dict[str, Any]:
    return {"color": colour, "linewidth": 0.6, "linestyle": "-.", "marker": ".", "markersize": 3.0}


def _legend(found: Power, series: dict[str, Mark]) -> Iterable[Line2D]:
    for name, mark in series.items():
        yield Line2D([], [], label=name, **mark.look(joined=True))
    points = [point for curve in found.curves for point in curve.points]
    if any(point.closed is not None for point in points):
        yield Line2D([], [], label="closed form", **_CLOSED)
    if any(point.size is not None for point in points):
        yield Line2D([], [], label="size: without the effect", **_size_look(INK))
    if any(curve.met is not None for curve in found.curves):
        yield Line2D(
            [], [], color=INK, linewidth=2.6, label="95 % interval of where the target is met"
        )
