"""Lollipops: each estimate a stem from the value to compare with, with brackets for its error."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator

from hlm.figures.facets import Places, arrange, of_rows_there, rows_at
from hlm.figures.headers import name_panels, span_columns, wrap
from hlm.figures.series import (
    BAND,
    add_legend,
    bars,
    entries,
    legend_title,
    line_words,
    nominal_band,
    series_of,
)
from hlm.figures.sheet import dress_values, lay_out, reach
from hlm.figures.style import GREY, PAGE, blank, styled
from hlm.results.grid_columns import levels
from hlm.words.levels import level_words, said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from hlm.figures.multiples import Look
    from hlm.figures.series import Series
    from hlm.figures.style import Mark
    from hlm.pictures.arrangement import Grid

__all__ = ["lollipop"]

_PITCH = 0.105  # inches, from one stem to the next
_LEAST_HEIGHT = 0.75  # inches, of a panel
_APART = 1.0  # stems, between the levels of the axis' factor
_WIDTHS = {1: 4.6, 2: 6.0}
_BRACKETS: dict[str, Any] = {
    side: {
        "linestyle": "none",
        "marker": Path([(0.7 * way, -1), (0, -1), (0, 1), (0.7 * way, 1)]),
        "markersize": 4.2,
        "markerfacecolor": "none",
        "markeredgewidth": 0.7,
    }
    for side, way in (("[", 1), ("]", -1))
}


@styled
def lollipop(
    frame: pd.DataFrame,
    look: Look,
    *,
    row: str | None = None,
    models: Sequence[str] | None = None,
    **places: Unpack[Places],
) -> Figure:
    """Draw a stem for each estimate from what it is compared with, or from 0.

    Within a panel the stems of all models and methods stand below each other for each level of the
    factor that other figures have along their axis. Brackets reach 1.96 Monte Carlo standard errors
    to either side, or are limits of shares. Panels are those of `hlm.figures.facets.arrange`.

    Parameters
    ----------
    frame : DataFrame
        The columns of the grid, `model`, `method`, `estimate`, `mcse`, and the column `row`.
    look : Look
    row : str, optional
        A column with a row of panels for each of its values.
    models : sequence of str, optional
        The models in the order of their marks; by default as they come.
    **places
        Where factors go, and which page is drawn: see `hlm.figures.facets.Places`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If no point of the grid is at these levels, or there is no such page.

    Examples
    --------
    >>> from hlm.figures.multiples import Look
    >>> frame = pd.DataFrame({"units": [10, 30], "model": "m", "method": "ml"})
    >>> figure = lollipop(frame.assign(estimate=[0.2, 0.1], mcse=0.01), Look("Bias"))
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['10', '30']
    """
    grid = arrange(frame, row=row, **places)
    series = series_of(frame, models)
    frame = rows_at(frame, grid.held)
    if frame.empty:
        return blank(f"{look.absent} for {grid.title}.")
    grid = of_rows_there(grid, frame, row)
    own = levels(frame[grid.axis]) if grid.axis else [None]
    where = _heights(own, list(series))
    shown = [rows_at(frame, panel.where) for panel in grid.panels]
    rows, columns = grid.shape
    tall = max(_LEAST_HEIGHT, _PITCH * (len(own) * (len(series) + _APART)))
    figure = Figure(figsize=(_WIDTHS.get(columns, PAGE), 1.3 + rows * tall))
    apart = "none" if grid.wrapped else "row"
    share: Any = "all" if look.whole or look.one_scale or row not in grid.rows[0] else apart
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True, sharex=share)
    for unused in axes.flat[len(grid.panels) :]:
        unused.set_axis_off()
    limits = _limits(grid, shown, look, share)
    for panel, points in zip(grid.panels, shown, strict=True):
        ax = axes[panel.row, panel.column]
        ax.set_xlim(*limits[panel.row, panel.column])
        _draw(ax, points, where, grid.axis, series, look)
        _dress(ax, look, own, len(series), first=panel.column == 0)
    name_panels(figure, axes, grid, look.words)
    figure.supxlabel(wrap(look.label, figure.get_figwidth()))
    if grid.axis:
        figure.supylabel(said(grid.axis))
    handles = entries(series, look, joined=False, line=line_words(look, shown))
    heading = [text for text in (grid.title, legend_title(look, series, "brackets")) if text]
    add_legend(figure, handles, "\n".join(heading))
    lay_out(figure, look.notes(pd.concat(shown)))
    span_columns(figure, axes[0], grid.columns)
    return figure


def _heights(own: Sequence[Any], series: Sequence[Series]) -> dict[tuple[Any, Series], float]:
    """Return where the stem of each series at each level stands, from the top down."""
    step = len(series) + _APART
    places = product(enumerate(own), enumerate(series))
    return {(level, key): k * step + j for (k, level), (j, key) in places}


def _limits(
    grid: Grid, shown: Sequence[pd.DataFrame], look: Look, share: str
) -> dict[tuple[int, int], tuple[float, float]]:
    """Return the limits of each panel: its own, those of its row, or those of all."""
    groups: dict[Any, list[pd.DataFrame]] = {}
    key = {"all": lambda _: 0, "row": lambda p: p.row, "none": lambda p: (p.row, p.column)}[share]
    for panel, points in zip(grid.panels, shown, strict=True):
        groups.setdefault(key(panel), []).append(points)
    found = {}
    for name, parts in groups.items():
        every = pd.concat(parts)
        down, up = np.nan_to_num(bars(every, look))
        estimate = every["estimate"].to_numpy(float)
        starts = [_start(one, look) for one in parts if len(one)]
        lines = [
            end
            for one in parts
            if len(one)
            for height in look.reference(one)
            for end in (height, *nominal_band(look, height, one))
        ]
        found[name] = reach(look, estimate - down, estimate + up, starts, lines)
    return {(panel.row, panel.column): found[key(panel)] for panel in grid.panels}


def _start(points: pd.DataFrame, look: Look) -> float:
    """Return where stems begin: at the first value to compare with, or at 0."""
    return float(next(iter(look.reference(points)), 0.0))


def _draw(
    ax: Axes,
    points: pd.DataFrame,
    where: Mapping[tuple[Any, Series], float],
    axis: str | None,
    series: Mapping[Series, Mark],
    look: Look,
) -> None:
    points = points[points["estimate"].notna()]
    if points.empty:
        return
    for height in look.reference(points):
        ax.axvline(height, color=GREY, linewidth=0.8, zorder=1)
        for low, high in [nominal_band(look, height, points)] if look.band else []:
            ax.axvspan(low, high, color=GREY, alpha=BAND, linewidth=0, zorder=0, label="band")
    start = _start(points, look)
    for key, mark in series.items():
        own = points[(points["model"] == key[0]) & (points["method"] == key[1])]
        if own.empty:
            continue
        at = [None] * len(own) if axis is None else own[axis]
        y = np.array([where[level, key] for level in at])
        x, (down, up) = own["estimate"].to_numpy(float), bars(own, look)
        line = mark.look(joined=True)["linestyle"]
        name = f"{key[0]}, {key[1]}"
        stem: dict[str, Any] = {"color": mark.colour, "linestyle": line, "linewidth": 0.7}
        ax.hlines(y, start, x, label=f"stems of {name}", **stem)
        ax.plot(x, y, label=name, **mark.look(joined=False))
        for side, end in (("[", x - down), ("]", x + up)):
            bracket: dict[str, Any] = {"color": mark.colour, **_BRACKETS[side]}
            ax.plot(end, y, label=f"{side} of {name}", **bracket)


def _dress(ax: Axes, look: Look, own: Sequence[Any], count: int, *, first: bool) -> None:
    step = count + _APART
    ax.set_ylim(step * len(own) - _APART / 2 - 0.5, -_APART / 2 - 0.5)
    ax.yaxis.set_major_locator(FixedLocator([k * step + (count - 1) / 2 for k in range(len(own))]))
    ax.set_yticklabels(["" if level is None else level_words(level) for level in own])
    for k in range(1, len(own)):
        ax.axhline(k * step - _APART / 2 - 0.5, color="#E3E3E3", linewidth=0.5, zorder=0)
    ax.tick_params(left=False, labelleft=first, labelbottom=True)
    ax.grid(visible=True, axis="x")
    dress_values(ax.xaxis, look, nbins=4)
