"""Nested-loop plots: measures at all scenarios of a study along one axis.

G. Ruecker, G. Schwarzer (2014). Presenting simulation results in a nested loop plot. BMC Medical
Research Methodology 14, 129.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hlm.figures.headers import wrap
from hlm.figures.scenario_steps import LANE, Steps, at_levels, shown_for
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
from hlm.figures.sheet import dress_values, lay_out, name_row, reach
from hlm.figures.style import GREY, PAGE, RC, styled
from hlm.results.grid_columns import levels
from hlm.words.inferences import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hlm.figures.multiples import Look
    from hlm.figures.scenario_steps import Floats
    from hlm.figures.series import Series
    from hlm.figures.style import Mark

__all__ = ["LoopRow", "loops", "nested_loop"]

_HEIGHTS = {1: 2.6, 2: 1.75, 3: 1.45, 4: 1.25}
_LEAST_HEIGHT = 1.1
_CLEAR, _FAINT = 0.16, 0.09  # opacity, and that where there are many series
_FEW = 4  # series
_MOST_MARKED = 60  # scenarios of which each has a mark
_MARKS = 24  # about so many of a series, where not all scenarios have one
_MANY = 300  # scenarios, from which lines are thinner


@dataclass(frozen=True)
class LoopRow:
    """One panel of a nested-loop plot.

    Attributes
    ----------
    frame : DataFrame
        Columns of the grid, `model`, `method`, `estimate`, `mcse`, and what `look` needs.
    look : Look
    words : str
        What stands at its right.
    """

    frame: pd.DataFrame
    look: Look
    words: str = ""


def nested_loop(
    frame: pd.DataFrame,
    look: Look,
    *,
    row: str | None = None,
    at: Mapping[str, Any] | None = None,
    models: Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    inner: str | None = None,
) -> Figure:
    """Draw a measure at all scenarios along one axis, with the factors' levels as steps below.

    A stepped line for each model and method, with a light band of 1.96 Monte Carlo standard errors
    to either side, or of the limits of shares. Scenarios are those that there are, of a full or a
    partial grid. Factors are in the study's order from the outermost to the innermost, but that
    which other figures have along their axis is innermost, unless `order` or `inner` say
    otherwise. Steps rise with levels.

    Parameters
    ----------
    frame : DataFrame
        The columns of the grid, `model`, `method`, `estimate`, `mcse`, and the column `row`.
    look : Look
    row : str, optional
        A column with a panel for each of its values.
    at : dict, optional
        Levels at which to hold factors.
    models : sequence of str, optional
        The models in the order of their marks; by default as they come.
    order : sequence of str, optional
        Factors, outermost first; those not named follow.
    inner : str, optional
        The innermost factor.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such factor or level, or a series has several values in a scenario.

    Examples
    --------
    >>> from hlm.figures.multiples import Look
    >>> points = [(u, r) for u in (10, 30) for r in (5, 15)]
    >>> frame = pd.DataFrame(points, columns=["units", "rows"])
    >>> frame = frame.assign(model="m", method="ml", estimate=[1.0, 2.0, 3.0, 4.0], mcse=0.1)
    >>> panel, steps = nested_loop(frame, Look("Size")).axes
    >>> [step.get_label() for step in steps.lines]
    ['rows', 'units']
    >>> panel.lines[-1].get_ydata().tolist()
    [1.0, 3.0, 2.0, 4.0]
    """
    held = shown_for(frame, at)
    frame = at_levels(frame, at)
    if row is None:
        rows = [LoopRow(frame, look)]
    else:
        parts = ((value, frame[frame[row] == value]) for value in levels(frame[row]))
        rows = [LoopRow(own, look, look.words.get(value, str(value))) for value, own in parts]
        if len(rows) == 1:
            rows = [LoopRow(frame, look, look.words.get(frame[row].iloc[0], ""))]
    return loops(rows, models=models, order=order, inner=inner, remarks=held)


@styled
def loops(
    rows: Sequence[LoopRow],
    *,
    models: Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    inner: str | None = None,
    remarks: Sequence[str] = (),
) -> Figure:
    """Draw panels of a nested-loop plot above each other, the steps of the factors below them.

    Parameters
    ----------
    rows : sequence of LoopRow
    models, order, inner
        As in `nested_loop`.
    remarks : sequence of str
        Sentences for the foot, before those of the looks.

    Returns
    -------
    Figure
    """
    # Some measures have columns that others lack: factors of the grid are in all of them
    shared = [name for name in rows[0].frame if all(name in one.frame for one in rows)]
    every = pd.concat([one.frame[shared] for one in rows])
    steps, series = Steps.of(every, order, inner), series_of(every, models)
    figure, panels, below = _canvas(len(rows), len(steps.names))
    named = _line_names(rows)
    line = next(iter(named)) if len(named) == 1 else "compared with" if named else ""
    for ax, one in zip(panels, rows, strict=True):
        _draw(ax, one, steps, series)
    below.set_visible(bool(steps.names))
    steps.draw(below)
    _name(figure, panels, rows)
    look = rows[0].look
    handles = entries(series, look, joined=True, line=line)
    title = legend_title(look, series, "bands")
    if len({one.look.shares for one in rows}) > 1:
        title = f"{legend_title(look, series, '')}; bands: ±1.96 Monte Carlo SE, shares: 95% limits"
    add_legend(figure, handles, title)
    lines = [f"Grey lines: {joined(named)}."] if len(named) > 1 else []
    lay_out(figure, [*dict.fromkeys([*remarks, *lines, *_notes(rows)])])
    return figure


def _notes(rows: Sequence[LoopRow]) -> Iterator[str]:
    for look in dict.fromkeys(id(one.look) for one in rows):
        own = [one for one in rows if id(one.look) == look]
        yield from own[0].look.notes(pd.concat([one.frame for one in own]))


def _line_names(rows: Sequence[LoopRow]) -> list[str]:
    """Return what the grey lines of the panels are called, those that need a name."""
    found = (line_words(one.look, [one.frame]) for one in rows)
    return [name for name in dict.fromkeys(found) if name]


def _canvas(rows: int, lanes: int) -> tuple[Figure, list[Axes], Axes]:
    """Return a figure, its panels and the place below them for the steps."""
    each = _HEIGHTS.get(rows, _LEAST_HEIGHT)
    heights = [each] * rows + [max(LANE * lanes, 0.02)]
    figure = Figure(figsize=(PAGE, 0.75 + sum(heights)))
    axes = figure.subplots(rows + 1, 1, sharex=True, height_ratios=heights)
    return figure, list(axes[:-1]), axes[-1]


def _name(figure: Figure, panels: Sequence[Axes], rows: Sequence[LoopRow]) -> None:
    height = 0.9 * _HEIGHTS.get(len(rows), _LEAST_HEIGHT)
    for ax, one in zip(panels, rows, strict=True):
        if one.words:
            name_row(ax, one.words, height)
    labels = dict.fromkeys(one.look.label for one in rows)
    if len(labels) == 1:
        figure.supylabel(wrap(next(iter(labels)), figure.get_figheight() - 0.9))
        return
    for ax, one in zip(panels, rows, strict=True):
        ax.set_ylabel(wrap(one.look.label, height), size=RC["axes.titlesize"])


def _draw(ax: Axes, one: LoopRow, steps: Steps, series: Mapping[Series, Mark]) -> None:
    look, edges = one.look, steps.edges
    for x in steps.breaks():
        ax.axvline(x, color=RC["grid.color"], linewidth=0.8, zorder=0)
    drawn = [_compare(ax, one, steps)]
    for place, ((model, method), mark) in enumerate(series.items()):
        own = one.frame[(one.frame["model"] == model) & (one.frame["method"] == method)]
        down, up = bars(own, look)
        values = steps.along(own["estimate"], own)
        if np.isnan(values).all():
            continue
        low = values - np.nan_to_num(steps.along(down, own))
        high = values + np.nan_to_num(steps.along(up, own))
        drawn += [values, low, high]
        _draw_series(ax, f"{model}, {method}", mark, steps, values, low, high, len(series))
        at = _marked(values, place, len(series))
        marked = {**mark.look(joined=False), "markersize": 0.8 * mark.size}
        ax.plot(at, values[at], label=f"marks of {model}, {method}", zorder=3, **marked)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(*reach(look, np.concatenate(drawn)))
    ax.grid(visible=True, axis="y")
    dress_values(ax.yaxis, look)
    ax.tick_params(bottom=False, labelbottom=False)
    ax.spines["bottom"].set_visible(False)


def _draw_series(
    ax: Axes,
    name: str,
    mark: Mark,
    steps: Steps,
    values: Floats,
    low: Floats,
    high: Floats,
    count: int,
) -> None:
    """Draw one series as a line and a band, fainter the more series and scenarios there are."""
    x, y = steps.stepped(values)
    ax.fill_between(
        x,
        steps.stepped(low)[1],
        steps.stepped(high)[1],
        color=mark.colour,
        alpha=_CLEAR if count <= _FEW else _FAINT,
        linewidth=0,
        label=f"band of {name}",
        zorder=1.5,
    )
    ax.plot(
        x,
        y,
        color=mark.colour,
        linestyle=mark.look(joined=True)["linestyle"],
        linewidth=1.0 if len(steps) <= _MANY else 0.45,
        label=name,
    )


def _marked(values: NDArray[np.float64], place: int, count: int) -> NDArray[np.int64]:
    """Return the scenarios at which a series has marks: all, or some that other series have not."""
    every = max(1, -(-len(values) // _MARKS)) if len(values) > _MOST_MARKED else 1
    at = np.arange(place * every // count, len(values), every)
    return at[~np.isnan(values[at])]


def _compare(ax: Axes, one: LoopRow, steps: Steps) -> Floats:
    """Draw the lines to compare with, each over the scenarios that it holds for."""
    frame, look = one.frame, one.look
    found: list[Floats] = []
    null = frame["true"] == 0 if "true" in frame else pd.Series(data=True, index=frame.index)
    over: dict[float, set[int]] = {}
    for own in (frame[null], frame[~null]):
        for height in look.reference(own) if len(own) else ():
            over.setdefault(float(height), set()).update(steps.places(own).tolist())
    for height, places in over.items():
        values = np.full(len(steps), np.nan)
        values[sorted(places)] = height
        ax.plot(*steps.stepped(values), color=GREY, linewidth=0.8, zorder=1, label="compared")
        found.append(values)
        if look.band:
            found += _draw_band(ax, height, frame, steps, values)
    return np.concatenate([np.empty(0), *found])


def _draw_band(
    ax: Axes, height: float, frame: pd.DataFrame, steps: Steps, values: Floats
) -> list[Floats]:
    """Draw where shares lie by chance alone, by the fewest replicates of each scenario."""
    n = np.full(len(steps), np.inf)
    np.minimum.at(n, steps.places(frame), frame["n"].to_numpy(float))
    half = Z * np.sqrt(height * (1 - height) / n)
    low, high = np.clip(values - half, 0, 1), np.clip(values + half, 0, 1)
    x, lower = steps.stepped(low)
    of_chance: dict[str, Any] = {"color": GREY, "alpha": BAND, "linewidth": 0, "zorder": 0.5}
    ax.fill_between(x, lower, steps.stepped(high)[1], label="chance", **of_chance)
    return [low, high]
