"""Small multiples: a rate or a measure over the grid, a series for each model and method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedLocator,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
    ScalarFormatter,
)

from hlm.figures.axis import Axis
from hlm.figures.facets import Places, arrange, of_rows_there, rows_at
from hlm.figures.headers import name_panels, span_columns, wrap
from hlm.figures.page_layout import lay_out_panels
from hlm.figures.series import (
    BAND,
    Z,
    add_legend,
    bars,
    entries,
    legend_title,
    line_words,
    series_of,
)
from hlm.figures.style import (
    COLUMN,
    GREY,
    PAGE,
    RC,
    Mark,
    blank,
    styled,
)
from hlm.words.fitting import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

    from hlm.figures.series import Series
    from hlm.figures.style import Mark
    from hlm.pictures.arrangement import Grid, Panel

__all__ = ["Look", "small_multiples"]

_ROOM = 0.05  # of the vertical axis, beyond what is drawn
_TICKS = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10])
_GRID: dict[str, Any] = {
    "colors": RC["grid.color"],
    "linewidths": RC["grid.linewidth"],
    "zorder": 0.5,
}
_MARGIN = 0.04  # of the vertical axis, so that marks at its ends are whole
_SMALL = 6.5  # points, of the notes
_LETTERS = 8 / 6.5  # of the usual size that go where one note's letter goes
_LINE = 0.115  # inches, of the notes
_WIDTHS = {1: COLUMN, 2: 5.2}
_HEIGHTS = {1: 1.7, 2: 1.45, 3: 1.25}


@dataclass(frozen=True)
class Look:
    """What the vertical axis of a figure of small multiples says.

    Attributes
    ----------
    label : str
    reference : function, optional
        From the rows of a panel to the heights of lines to compare with.
    reference_label : str
        What these lines are called in the legend; nothing if they need no name.
    percent : bool
        Whether fractions are written as percentages.
    ends : tuple of float
        What the axis may not reach beyond.
    whole : bool
        Whether the axis shows all between the ends; `from_zero` whether it begins at 0.
    scale : str, optional
        A column: the panels of one of its values have one scale.
    one_scale : bool
        Whether all panels have one scale.
    band : bool
        Whether the references have a band of what chance alone gives: 1.96 Monte Carlo standard
        errors of a share of that size, of as many replicates as there are.
    words : dict
        The text for a value of the column that makes the rows.
    absent : str
        What is said where a page has nothing to show.
    shares : bool
        Whether bars are Wilson's limits of shares of `n`, which do not leave 0 to 1.
    series : str
        What the marks tell apart, for the title of the legend.
    models : dict
        The text for a model in the legend, if it is not its name.
    notes : function, optional
        From the rows shown to sentences for the foot of the figure.
    """

    label: str
    reference: Callable[[pd.DataFrame], Sequence[float]] = lambda _: ()
    reference_label: str = ""
    percent: bool = False
    ends: tuple[float, float] = (-np.inf, np.inf)
    whole: bool = False
    from_zero: bool = False
    scale: str | None = None
    one_scale: bool = False
    band: bool = False
    words: Mapping[Any, str] = field(default_factory=dict)
    shares: bool = False
    absent: str = "No value"
    series: str = "Model"
    models: Mapping[str, str] = field(default_factory=dict)
    notes: Callable[[pd.DataFrame], Sequence[str]] = lambda _: ()


@styled
def small_multiples(
    frame: pd.DataFrame,
    look: Look,
    *,
    row: str | None = None,
    models: Sequence[str] | None = None,
    **places: Unpack[Places],
) -> Figure:
    """Draw estimates with bars over a grid: 1.96 Monte Carlo standard errors, or limits of shares.

    Colour and marker tell the model, filled marks on solid lines fits by REML, hollow ones on
    dotted lines fits by ML.

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
    """
    grid = arrange(frame, row=row, **places)
    series = series_of(frame, models)
    frame = rows_at(frame, grid.held)
    if frame.empty:
        return blank(f"{look.absent} for {grid.title}.")
    grid = of_rows_there(grid, frame, row)
    axis = Axis.of(frame, grid.axis)
    shown = [rows_at(frame, panel.where) for panel in grid.panels]
    handles = entries(series, look, joined=axis.joined, line=line_words(look, [frame]))
    title = legend_title(look, series, "bars")
    heading = "\n".join(text for text in (grid.title, title) if text)
    canvas = _canvas(grid, look.notes(pd.concat(shown)))
    slots = _slots(series, apart=row != "method")
    room = (canvas.figure.get_figwidth() - 0.9) / grid.shape[1]
    limits = _limits(grid, shown, look, row)
    for panel, points, ends in zip(grid.panels, shown, limits, strict=True):
        ax = canvas.axes[panel.row, panel.column]
        _draw(ax, points, axis, series, slots, look)
        _dress(canvas, panel, grid, axis, ends, look, room)
    width, height = canvas.figure.get_size_inches()
    labels = (
        canvas.figure.supxlabel(wrap(axis.label, width)),
        canvas.figure.supylabel(wrap(look.label, height - 0.2)),
    )
    add_legend(canvas.figure, handles, heading)
    _write(canvas)
    name_panels(canvas.figure, canvas.axes, grid, look.words)
    lay_out_panels(canvas.figure, canvas.axes, labels, canvas.foot)
    span_columns(canvas.figure, canvas.axes[0], grid.columns)
    return canvas.figure


@dataclass(frozen=True)
class _Canvas:
    """A figure with its panels, and its foot for the notes.

    Attributes
    ----------
    figure : Figure
    axes : ndarray of Axes, (rows, columns)
    notes : str
    foot : float
        Inches that these take.
    """

    figure: Figure
    axes: Any
    notes: str
    foot: float


def _slots(series: Iterable[Series], *, apart: bool) -> dict[Series, int]:
    """Return each series' place beside the others at a level; methods share one if not `apart`."""
    keys = {key: key if apart else key[:1] for key in series}
    places = {slot: place for place, slot in enumerate(dict.fromkeys(keys.values()))}
    return {key: places[slot] for key, slot in keys.items()}


def _canvas(grid: Grid, notes: Sequence[str]) -> _Canvas:
    rows, columns = grid.shape
    width = _WIDTHS.get(columns, PAGE)
    text = "\n".join(wrap(note, (width - 0.1) * _LETTERS) for note in notes)
    below = _LINE * (text.count("\n") + 1) + 0.06 if text else 0.0
    height = 1.15 + rows * _HEIGHTS.get(rows, 1.15) + below
    figure = Figure(figsize=(width, height))
    # No axis is shared: else all that share one are looked at whenever one of them changes.
    axes = figure.subplots(rows, columns, squeeze=False)
    for unused in axes.flat[len(grid.panels) :]:
        unused.set_axis_off()
    return _Canvas(figure, axes, text, below)


def _write(canvas: _Canvas) -> None:
    """Write the notes at the foot of a figure that does not grow any more."""
    if canvas.notes:
        width, height = canvas.figure.get_size_inches()
        at: dict[str, Any] = {"size": _SMALL, "va": "bottom", "linespacing": 1.25}
        canvas.figure.text(0.05 / width, 0.05 / height, canvas.notes, **at)


def _limits(
    grid: Grid, shown: Sequence[pd.DataFrame], look: Look, row: str | None
) -> list[tuple[float, float]]:
    """Return the ends of the vertical axis of each panel, which some have in common."""
    groups: dict[Any, list[int]] = {}
    for place, (panel, points) in enumerate(zip(grid.panels, shown, strict=True)):
        if look.whole or look.one_scale or row not in grid.rows[0]:
            group: Any = ""
        elif look.scale:
            group = points[look.scale].iloc[0] if len(points) else (panel.row,)
        else:
            group = place if grid.wrapped else panel.row
        groups.setdefault(group, []).append(place)
    found: dict[int, tuple[float, float]] = {}
    for places in groups.values():
        ends = _reach([shown[place] for place in places], look)
        found |= dict.fromkeys(places, ends)
    return [found[place] for place in range(len(shown))]


def _reach(panels: Sequence[pd.DataFrame], look: Look) -> tuple[float, float]:
    """Return the ends of an axis that holds all points, bars and lines of some panels."""
    values = [0.0] if look.from_zero else []
    for points in panels:
        estimate = points["estimate"].to_numpy(float)
        down, up = np.nan_to_num(bars(points, look))
        values += [*(estimate - down), *(estimate + up)]
        for height in look.reference(points):
            half = _half(height, points["n"].min()) if look.band else 0.0
            values += [height - half, height + half]
    known = [value for value in values if np.isfinite(value)]
    first, last = look.ends
    low, high = (min(known), max(known)) if known and not look.whole else look.ends
    room = _ROOM * (high - low or abs(high) or 1.0)
    low, high = max(low - room, first), min(high + room, last)
    margin = _MARGIN * (high - low)
    return (low - margin if low == first else low), (high + margin if high == last else high)


def _draw(
    ax: Axes,
    shown: pd.DataFrame,
    axis: Axis,
    series: Mapping[Series, Mark],
    slots: Mapping[Series, int],
    look: Look,
) -> None:
    for height in look.reference(shown):
        ax.axhline(height, color=GREY, linewidth=0.8, zorder=1)
        if look.band:
            _band(ax, height, shown, axis)
    known = shown[shown["estimate"].notna()]
    groups = dict(iter(known.groupby(["model", "method"], sort=False)))
    for (model, method), mark in series.items():
        if (model, method) not in groups:
            continue
        points = groups[model, method]
        x = axis.dodged(points, slots[model, method], max(slots.values()) + 1)
        order = np.argsort(x)
        x, y = x[order], points["estimate"].to_numpy(float)[order]
        down, up = bars(points, look)[:, order]
        line = Line2D(x, y, **mark.look(joined=axis.joined))
        ends = np.stack([np.column_stack([x, y - down]), np.column_stack([x, y + up])], axis=1)
        stems = LineCollection([*ends], colors=mark.colour, linewidths=0.9, zorder=line.zorder)
        ax.add_line(line)
        ax.add_collection(stems, autolim=False)
        label = f"{model}, {METHODS[method]}"
        ax.add_container(ErrorbarContainer((line, (), (stems,)), has_yerr=True, label=label))


def _band(ax: Axes, height: float, shown: pd.DataFrame, axis: Axis) -> None:
    """Draw what chance alone gives at each level of the axis, of the fewest replicates there."""
    fewest = shown.groupby(axis.name)["n"].min() if axis.name else shown["n"].agg(["min"])
    x, n = axis.through([*fewest.index] if axis.name else [None]), fewest.to_numpy(float)
    half = np.array([_half(height, one) for one in (n[0], *n, n[-1])])
    low, high = np.clip([height - half, height + half], 0, 1)
    ax.fill_between(x, low, high, color=GREY, alpha=BAND, linewidth=0, zorder=0)


def _half(height: float, n: float) -> float:
    """Return 1.96 Monte Carlo standard errors of a share of n replicates."""
    return float(Z * np.sqrt(height * (1 - height) / n))


def _dress(
    canvas: _Canvas,
    panel: Panel,
    grid: Grid,
    axis: Axis,
    ends: tuple[float, float],
    look: Look,
    room: float,
) -> None:
    """Set the axes of a panel; inner ones have no ticks, but the same grid."""
    axes, ax = canvas.axes, canvas.axes[panel.row, panel.column]
    below_is_empty = panel.row + 1 == len(axes) or not axes[panel.row + 1, panel.column].axison
    axis.dress(ax, room, labelled=below_is_empty)
    ax.set_ylim(*ends)
    ticks = [tick for tick in _TICKS.tick_values(*ends) if ends[0] <= tick <= ends[1]]
    ax.hlines(ticks, 0, 1, transform=ax.get_yaxis_transform(), **_GRID)
    if panel.column and not (grid.wrapped and not look.whole and not look.one_scale):
        ax.yaxis.set_major_locator(NullLocator())
        return
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    plain = ScalarFormatter(useOffset=False)
    plain.set_powerlimits((-5, 6))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1) if look.percent else plain)
