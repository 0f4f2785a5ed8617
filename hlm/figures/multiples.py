"""Small multiples: a rate or a measure over the grid, a series for each model and method."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter, ScalarFormatter

from hlm.figures.axis import Axis
from hlm.figures.facets import Grid, arrange
from hlm.figures.headers import name_panels, span_columns, wrap
from hlm.figures.style import COLUMN, GREY, INK, PAGE, Mark, legend_columns, marks, styled
from hlm.measures import share_limits
from hlm.words.fitting import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from numpy.typing import NDArray

__all__ = ["Look", "small_multiples"]

Series: TypeAlias = tuple[str, str]
"""A model and a method."""

Z = 1.959963984540054  # a bar reaches this many Monte Carlo standard errors to either side
_MARGIN = 0.04  # of the vertical axis, so that marks at its ends are whole
_SMALL = 6.5  # points, of the notes
_LETTERS = 8 / 6.5  # of the usual size that go where one note's letter goes
_LINE = 0.115  # inches, of the notes
_ENTRY = 0.16  # inches, of a line of the legend
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
    words : dict
        The text for a value of the column that makes the rows.
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
    words: Mapping[Any, str] = field(default_factory=dict)
    shares: bool = False
    series: str = "Model"
    models: Mapping[str, str] = field(default_factory=dict)
    notes: Callable[[pd.DataFrame], Sequence[str]] = lambda _: ()


@styled
def small_multiples(
    frame: pd.DataFrame,
    look: Look,
    *,
    row: str | None = None,
    at: Mapping[str, Any] | None = None,
    models: Sequence[str] | None = None,
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
    at : dict, optional
        Levels at which to hold factors.
    models : sequence of str, optional
        The models in the order of their marks; by default as they come.

    Returns
    -------
    Figure
    """
    grid = arrange(frame, row=row, at=at)
    for name, level in grid.held.items():
        frame = frame[frame[name] == level]
    axis = Axis.of(frame, grid.axis)
    series = _series(frame, models if models is not None else frame["model"].drop_duplicates())
    shown = [frame[_matches(frame, panel.where)] for panel in grid.panels]
    handles = _handles(series, look, named_line=_has_reference(frame, look), joined=axis.joined)
    notes = look.notes(pd.concat(shown))
    canvas = _canvas(grid, notes, handles, one_scale=look.whole or row not in grid.rows[0])
    slots = _slots(series, apart=row != "method")
    axis.dress(canvas.axes[0, 0], (canvas.figure.get_figwidth() - 0.9) / grid.shape[1])
    if look.scale:
        _give_room(canvas, grid, shown, look)
    for panel, points in zip(grid.panels, shown, strict=True):
        _draw(canvas.axes[panel.row, panel.column], points, axis, series, slots, look)
    _finish(canvas, grid, look, ticks=axis.name is not None)
    below = _name_axis(canvas.figure, axis, grid)
    _legend(canvas.figure, handles, _title(look, {method for _, method in series}))
    name_panels(canvas.figure, canvas.axes, grid, look.words)
    # Once, and not at each drawing: panels are many, and their places do not change.
    ConstrainedLayoutEngine(rect=(0, canvas.foot, 1, 1 - canvas.foot)).execute(canvas.figure)
    below.set_y(below.get_position()[1] + canvas.foot)
    span_columns(canvas.figure, canvas.axes[0], grid.columns)
    return canvas.figure


@dataclass(frozen=True)
class _Canvas:
    """A figure with its panels, those that share a vertical scale, and its foot for the notes.

    Attributes
    ----------
    figure : Figure
    axes : ndarray of Axes, (rows, columns)
    scales : str
        Whether `all` panels have one scale, those of a `row`, or `none`.
    foot : float
        Share of the height.
    """

    figure: Figure
    axes: Any
    scales: Literal["all", "row", "none"]
    foot: float


def _series(frame: pd.DataFrame, models: Iterable[str]) -> dict[Series, Mark]:
    """Give each model and method that there is its mark, whatever else is drawn."""
    found = set(frame[["model", "method"]].itertuples(index=False, name=None))
    return {
        (model, method): replace(mark, hollow=method == "ml")
        for model, mark in marks(models).items()
        for method in METHODS
        if (model, method) in found
    }


def _slots(series: Iterable[Series], *, apart: bool) -> dict[Series, int]:
    """Return each series' place beside the others at a level; methods share one if not `apart`."""
    keys = {key: key if apart else key[:1] for key in series}
    places = {slot: place for place, slot in enumerate(dict.fromkeys(keys.values()))}
    return {key: places[slot] for key, slot in keys.items()}


def _matches(frame: pd.DataFrame, where: Mapping[str, Any]) -> pd.Series:
    keep = pd.Series(data=True, index=frame.index)
    for name, level in where.items():
        keep &= frame[name] == level
    return keep


def _has_reference(frame: pd.DataFrame, look: Look) -> bool:
    return bool(look.reference_label) and len(look.reference(frame)) > 0


def _canvas(
    grid: Grid, notes: Sequence[str], handles: Sequence[Line2D], *, one_scale: bool
) -> _Canvas:
    rows, columns = grid.shape
    width = _WIDTHS.get(columns, PAGE)
    text = "\n".join(wrap(note, (width - 0.1) * _LETTERS) for note in notes)
    below = _LINE * (text.count("\n") + 1) + 0.06 if text else 0.0
    above = _ENTRY * max(0, _legend_lines(handles, width) - 2)
    height = 1.15 + rows * _HEIGHTS.get(rows, 1.15) + above + below
    figure = Figure(figsize=(width, height))
    share: Literal["all", "row", "none"]
    share = "all" if one_scale else "none" if grid.wrapped else "row"
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=share)
    for ax in axes.flat:  # else all that share a scale are measured anew for each series drawn
        ax.set_autoscaley_on(False)
    for unused in axes.flat[len(grid.panels) :]:
        unused.set_axis_off()
    if text:
        figure.text(0.05 / width, 0.05 / height, text, size=_SMALL, va="bottom", linespacing=1.25)
    return _Canvas(figure, axes, share, below / height)


def _bars(points: pd.DataFrame, look: Look) -> NDArray[np.float64]:
    """Return how far bars reach down and up, (2, n)."""
    estimate = points["estimate"].to_numpy(float)
    if look.shares:
        lower, upper = share_limits(estimate, points["n"].to_numpy(float))
        return np.array([estimate - lower, upper - estimate])
    half = Z * points["mcse"].to_numpy(float)
    return np.array([half, half])


def _give_room(canvas: _Canvas, grid: Grid, shown: Sequence[pd.DataFrame], look: Look) -> None:
    """Let the axis of each panel reach as far as those of all with the same value of a column."""
    every, column = pd.concat(shown), look.scale
    down, up = np.nan_to_num(_bars(every, look))
    ends = every.assign(low=every["estimate"] - down, high=every["estimate"] + up)
    reach = ends.groupby(column).agg({"low": "min", "high": "max"})
    for panel, points in zip(grid.panels, shown, strict=True):
        for low, high in reach.loc[points[column].unique()].to_numpy():
            corners = [(0, low), (0, high)]
            canvas.axes[panel.row, panel.column].update_datalim(corners, updatex=False)


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
    if look.from_zero:
        ax.update_datalim([(0, 0)], updatex=False)
    for (model, method), mark in series.items():
        own = (shown["model"] == model) & (shown["method"] == method)
        points = shown[own & shown["estimate"].notna()]
        if points.empty:
            continue
        x = axis.dodged(points, slots[model, method], max(slots.values()) + 1)
        order = np.argsort(x)
        ax.errorbar(
            x[order],
            points["estimate"].to_numpy(float)[order],
            yerr=_bars(points, look)[:, order],
            label=f"{model}, {METHODS[method]}",
            elinewidth=0.9,
            **mark.look(joined=axis.joined),
        )


def _finish(canvas: _Canvas, grid: Grid, look: Look, *, ticks: bool) -> None:
    figure, axes = canvas.figure, canvas.axes
    for panel in grid.panels:
        ax = axes[panel.row, panel.column]
        ax.grid(visible=True, axis="y")
        ax.tick_params(bottom=ticks)
        if canvas.scales == "none" or panel.column == 0:
            _dress_values(ax, look)
        below_is_empty = panel.row + 1 == len(axes) or not axes[panel.row + 1, panel.column].axison
        ax.tick_params(labelbottom=below_is_empty)
        if panel.column and not grid.wrapped:
            ax.tick_params(left=False)
    figure.supylabel(wrap(look.label, figure.get_figheight() - 0.2))


def _name_axis(figure: Figure, axis: Axis, grid: Grid) -> Text:
    lines = [wrap(text, figure.get_figwidth()) for text in (axis.label, grid.note) if text]
    return figure.supxlabel("\n".join(lines))


def _dress_values(ax: Axes, look: Look) -> None:
    ax.autoscale(axis="y")
    first, last = look.ends
    low, high = (-np.inf, np.inf) if look.whole else ax.get_ylim()
    margin = _MARGIN * (min(high, last) - max(low, first))
    ax.set_ylim(max(low, first - margin), min(high, last + margin))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    plain = ScalarFormatter(useOffset=False)
    plain.set_powerlimits((-5, 6))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1) if look.percent else plain)
    ax.yaxis.set_minor_locator(NullLocator())


def _handles(
    series: Mapping[Series, Mark], look: Look, *, named_line: bool, joined: bool
) -> list[Line2D]:
    """Return the entries of the legend: models, methods if there are two, the reference."""
    entries: dict[str, Mark] = {}
    for (model, _), mark in series.items():
        entries.setdefault(wrap(look.models.get(model, model), 2.6), mark)
    if len({method for _, method in series}) > 1:
        filled = Mark(INK, "o", 3.8)
        marks_of = {"reml": filled, "ml": replace(filled, hollow=True)}
        entries |= {METHODS[method]: mark for method, mark in marks_of.items()}
    lines = [Line2D([], [], label=k, **mark.look(joined=joined)) for k, mark in entries.items()]
    if named_line:
        lines.append(Line2D([], [], color=GREY, linewidth=0.8, label=look.reference_label))
    return lines


def _title(look: Look, methods: set[str]) -> str:
    by = "and method" if len(methods) > 1 else f"({METHODS[min(methods)]})"
    bars = "95% limits" if look.shares else "±1.96 Monte Carlo SE"
    return f"{look.series} {by}; bars: {bars}"


def _legend(figure: Figure, handles: Sequence[Line2D], title: str) -> None:
    labels = _labels(handles)
    figure.legend(
        handles,
        labels,
        title=title,
        loc="outside upper center",
        ncols=legend_columns(labels, figure.get_figwidth()),
    )


def _legend_lines(handles: Sequence[Line2D], width: float) -> int:
    """Return the lines of text of the longest column of the legend."""
    labels = _labels(handles)
    rows = -(-len(labels) // legend_columns(labels, width))
    lines = [label.count("\n") + 1 for label in labels]
    return max(sum(lines[first : first + rows]) for first in range(0, len(lines), rows))


def _labels(handles: Sequence[Line2D]) -> list[str]:
    return [str(handle.get_label()) for handle in handles]
