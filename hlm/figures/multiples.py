"""Small multiples: a rate or a measure over the grid, one series per model, with its error bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter, ScalarFormatter

from hlm.figures.axis import Axis
from hlm.figures.grid import Grid, arrange
from hlm.figures.headers import name_panels, span_columns, wrap
from hlm.figures.style import COLUMN, GREY, PAGE, Mark, legend_columns, marks, styled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["Look", "small_multiples"]

Z = 1.959963984540054  # a bar reaches this many Monte Carlo standard errors to either side
_MARGIN = 0.04  # of the vertical axis, so that marks at its ends are whole
_WIDTHS = {1: COLUMN, 2: 5.2}
_HEIGHTS = {1: 1.7, 2: 1.45, 3: 1.25}


@dataclass(frozen=True)
class Look:
    """What the vertical axis of a figure of small multiples says.

    Attributes
    ----------
    label : str
    legend : str
        The heading of the legend.
    reference : function, optional
        From the rows of a panel to the height of a line to compare with, or None for no line.
    reference_label : str
        What that line is called in the legend; nothing if it needs no name.
    percent : bool
        Whether fractions are written as percentages.
    ends : tuple of float
        What the axis may not reach beyond.
    whole : bool
        Whether the axis shows all between the ends; `from_zero` whether it begins at 0.
    words : dict
        The text for a value of the column that makes the rows.
    """

    label: str
    legend: str = "Model"
    reference: Callable[[pd.DataFrame], float | None] = lambda _: None
    reference_label: str = ""
    percent: bool = False
    ends: tuple[float, float] = (-np.inf, np.inf)
    whole: bool = False
    from_zero: bool = False
    words: Mapping[Any, str] = field(default_factory=dict)


@styled
def small_multiples(
    frame: pd.DataFrame,
    look: Look,
    *,
    row: str | None = None,
    at: Mapping[str, Any] | None = None,
    models: Sequence[str] | None = None,
) -> Figure:
    """Draw estimates with bars of 1.96 Monte Carlo standard errors over a grid.

    Parameters
    ----------
    frame : DataFrame
        The columns of the grid, `model`, `estimate`, `mcse`, and the column `row`.
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
    series = marks(models if models is not None else frame["model"].drop_duplicates())
    series = {name: mark for name, mark in series.items() if name in set(frame["model"])}
    figure, axes = _canvas(grid, one_scale=look.whole or row not in grid.rows[0])
    for panel in grid.panels:
        shown = frame[_matches(frame, panel.where)]
        _draw(axes[panel.row, panel.column], shown, axis, series, look)
    _finish(figure, axes, grid, axis, look)
    _legend(figure, series, look, _has_reference(frame, look), joined=axis.joined)
    name_panels(figure, axes, grid, look.words)
    # Once, and not at each drawing: panels are many, and their places do not change.
    ConstrainedLayoutEngine().execute(figure)
    span_columns(figure, axes[0], grid.columns)
    return figure


def _matches(frame: pd.DataFrame, where: Mapping[str, Any]) -> pd.Series:
    keep = pd.Series(data=True, index=frame.index)
    for name, level in where.items():
        keep &= frame[name] == level
    return keep


def _has_reference(frame: pd.DataFrame, look: Look) -> bool:
    return bool(look.reference_label) and look.reference(frame) is not None


def _canvas(grid: Grid, *, one_scale: bool) -> tuple[Figure, Any]:
    rows, columns = grid.shape
    width = _WIDTHS.get(columns, PAGE)
    height = 1.15 + rows * _HEIGHTS.get(rows, 1.15)
    figure = Figure(figsize=(width, height))
    share: Any = "all" if one_scale else "none" if grid.wrapped else "row"
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=share)
    for unused in axes.flat[len(grid.panels) :]:
        unused.set_axis_off()
    return figure, axes


def _draw(
    ax: Axes, shown: pd.DataFrame, axis: Axis, series: Mapping[str, Mark], look: Look
) -> None:
    reference = look.reference(shown)
    if reference is not None:
        ax.axhline(reference, color=GREY, linewidth=0.8, zorder=1)
    if look.from_zero:
        ax.update_datalim([(0, 0)], updatex=False)
    for place, (model, mark) in enumerate(series.items()):
        points = shown[(shown["model"] == model) & shown["estimate"].notna()]
        if points.empty:
            continue
        x = axis.dodged(points, place, len(series))
        order = np.argsort(x)
        _series(ax, x[order], points.iloc[order], mark, model, joined=axis.joined)


def _series(
    ax: Axes, x: np.ndarray, points: pd.DataFrame, mark: Mark, label: str, *, joined: bool
) -> None:
    ax.errorbar(
        x,
        points["estimate"].to_numpy(float),
        yerr=Z * points["mcse"].to_numpy(float),
        label=label,
        color=mark.colour,
        linestyle=mark.dashes if joined else "none",
        linewidth=0.9,
        elinewidth=0.9,
        marker=mark.marker,
        markersize=mark.size,
        markerfacecolor=mark.fill,
        markeredgewidth=0.9,
    )


def _finish(figure: Figure, axes: Any, grid: Grid, axis: Axis, look: Look) -> None:
    columns = grid.shape[1]
    room = (figure.get_figwidth() - 0.9) / columns
    for panel in grid.panels:
        ax = axes[panel.row, panel.column]
        axis.dress(ax, room)
        _dress_values(ax, look)
        below_is_empty = panel.row + 1 == len(axes) or not axes[panel.row + 1, panel.column].axison
        ax.tick_params(labelbottom=below_is_empty)
        if panel.column and not grid.wrapped:
            ax.tick_params(left=False)
    figure.supylabel(wrap(look.label, figure.get_figheight() - 0.2))
    figure.supxlabel("\n".join(filter(None, [axis.label, grid.note])))


def _dress_values(ax: Axes, look: Look) -> None:
    ax.grid(visible=True, axis="y")
    first, last = look.ends
    low, high = (-np.inf, np.inf) if look.whole else ax.get_ylim()
    margin = _MARGIN * (min(high, last) - max(low, first))
    ax.set_ylim(max(low, first - margin), min(high, last + margin))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    plain = ScalarFormatter(useOffset=False)
    plain.set_powerlimits((-5, 6))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1) if look.percent else plain)
    ax.yaxis.set_minor_locator(NullLocator())


def _legend(
    figure: Figure, series: Mapping[str, Mark], look: Look, named_line: bool, *, joined: bool
) -> None:
    handles = [_handle(name, mark, joined=joined) for name, mark in series.items()]
    if named_line:
        handles.append(Line2D([], [], color=GREY, linewidth=0.8, label=look.reference_label))
    labels = [str(handle.get_label()) for handle in handles]
    figure.legend(
        handles=handles,
        title=look.legend,
        loc="outside upper center",
        ncols=legend_columns(labels, figure.get_figwidth()),
    )


def _handle(name: str, mark: Mark, *, joined: bool) -> Line2D:
    return Line2D(
        [],
        [],
        label=wrap(name, 2.6),
        color=mark.colour,
        linestyle=mark.dashes if joined else "none",
        linewidth=0.9,
        marker=mark.marker,
        markersize=mark.size,
        markerfacecolor=mark.fill,
        markeredgewidth=0.9,
    )
