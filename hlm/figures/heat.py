"""Heat maps: a measure in cells, with its numbers where there is room for them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from hlm.errors import InputError
from hlm.figures.headers import wrap
from hlm.figures.scenario_steps import Steps, at_levels, shown_for
from hlm.figures.series import name_of, series_of
from hlm.figures.sheet import SMALL, lay_out
from hlm.figures.style import INK, PAGE, styled
from hlm.results.grid_columns import levels
from hlm.words.fitting import METHODS
from hlm.words.levels import MINUS, level_words, said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap
    from numpy.typing import NDArray

    from hlm.figures.multiples import Look

__all__ = ["decimals_of", "heat"]

MOST_ROWS = 80
"""Rows of cells in all panels below each other: more do not fit on a page."""

_CELL = (0.115, 0.2)  # inches: a cell's height, at least and at most
_ROOM = 7.6  # inches, for all panels
_DIGIT = 0.05  # inches, of a number's character in a cell
_BAR = 0.1  # inches, of the scale of colours
_SIZE = 5.8  # points, of these
_BOTH_SIDES = 0.84  # of a map of two colours: its ends are too dark for numbers


@dataclass(frozen=True)
class _Cells:
    """Where the rows of a frame go: block, panel within it, row and column of cells.

    Attributes
    ----------
    place : ndarray of int, (4, n_rows)
    blocks, panels, down, across : tuple of str
        The words for each block and so on.
    heading : str
        The factors whose levels `down` names, if it does.
    """

    place: NDArray[np.int64]
    blocks: tuple[str, ...]
    panels: tuple[str, ...]
    down: tuple[str, ...]
    across: tuple[str, ...]
    heading: str


@styled
def heat(
    frame: pd.DataFrame,
    look: Look,
    *,
    row: str | None = None,
    at: Mapping[str, Any] | None = None,
    models: Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    inner: str | None = None,
) -> Figure:
    """Draw a measure as coloured cells: a factor along the axis, all others down the rows.

    A panel for each model, below each other by method and by the column `row`, whose values have a
    scale of colours each. Where the measure is compared with a value, one colour stands for what is
    below and another for what is above it. Numbers have the decimals of the first digit of their
    Monte Carlo standard error. Where they do not fit, cells below the value are hatched, so that
    they differ in grey print too. With one factor, models and methods are rows of cells.

    Parameters
    ----------
    frame : DataFrame
        The columns of the grid, `model`, `method`, `estimate`, `mcse`, and the column `row`.
    look : Look
    row : str, optional
        A column with panels for each of its values.
    at : dict, optional
        Levels at which to hold factors.
    models : sequence of str, optional
        The models in their order; by default as they come.
    order : sequence of str, optional
        Factors down the rows, outermost first; those not named follow.
    inner : str, optional
        The factor along the axis.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such factor or level, or a panel has too many cells.

    Examples
    --------
    >>> from hlm.figures.multiples import Look
    >>> import pandas as pd
    >>> points = [(u, r) for u in (10, 30) for r in (5, 15)]
    >>> frame = pd.DataFrame(points, columns=["units", "rows"])
    >>> frame = frame.assign(model="m", method="ml", estimate=[0.1, 0.2, 0.3, 0.4], mcse=0.02)
    >>> [text.get_text() for text in heat(frame, Look("Size")).axes[0].texts]
    ['0.10', '0.30', '0.20', '0.40']
    """
    held = shown_for(frame, at)
    frame = at_levels(frame, at)
    frame = frame[frame["estimate"].notna()]
    steps = Steps.of(frame, order, inner)
    cells = _cells(frame, steps, look, row, models)
    rows = len(cells.blocks) * len(cells.down)
    if rows > MOST_ROWS:
        raise InputError(
            f"a heat map would have {rows} rows of cells",
            allowed=f"at most {MOST_ROWS}: take fewer terms, hold factors, or draw a nested loop",
        )
    figure, axes = _canvas(cells)
    room = (PAGE - 1.6) / len(cells.panels) / len(cells.across)
    hatched = False
    for block, line in enumerate(axes):
        own = frame[cells.place[0] == block]
        at_cell = cells.place[1:, cells.place[0] == block]
        hatched |= _draw_block(figure, line, own, at_cell, cells, look, room, block)
    _name(figure, axes, cells, steps, look)
    below = ["Hatched: below the value of the colour in the middle."] if hatched else []
    lay_out(figure, [*held, *look.notes(frame), *below])
    return figure


def _cells(
    frame: pd.DataFrame,
    steps: Steps,
    look: Look,
    row: str | None,
    models: Sequence[str] | None,
) -> _Cells:
    """Give every row its cell; with one factor, models and methods are rows of cells."""
    series = list(series_of(frame, models))
    methods = [method for method in METHODS if any(key[1] == method for key in series)]
    names = list(dict.fromkeys(model for model, _ in series))
    values = [None] if row is None else levels(frame[row])
    by_value = np.zeros(len(frame), int) if row is None else _places(frame[row], values)
    words = ["" if value is None else look.words.get(value, str(value)) for value in values]
    codes = steps.codes[steps.places(frame)] if steps.names else np.zeros((len(frame), 1), int)
    across = tuple(map(level_words, steps.levels[-1])) if steps.names else ("",)
    by_model, by_method = _places(frame["model"], names), _places(frame["method"], methods)
    if len(steps.names) < 2:
        keys = [series.index(key) for key in zip(frame["model"], frame["method"], strict=True)]
        place = np.array([by_value, 0 * by_value, keys, codes[:, -1]])
        down = tuple(name_of(key, look, methods) for key in series)
        return _Cells(place, tuple(words), ("",), down, across, "")
    outer, row_of = np.unique(codes[:, :-1], axis=0, return_inverse=True)
    place = np.array([by_value * len(methods) + by_method, by_model, row_of.ravel(), codes[:, -1]])
    blocks = [
        "\n".join(part for part in (text, METHODS[method] if len(methods) > 1 else "") if part)
        for text in words
        for method in methods
    ]
    down = tuple(
        ", ".join(level_words(own[k]) for own, k in zip(steps.levels, codes_of, strict=False))
        for codes_of in outer
    )
    heading = ", ".join(map(said, steps.names[:-1]))
    panels = tuple(look.models.get(name, name) for name in names)
    return _Cells(place, tuple(blocks), panels, down, across, heading)


def _places(column: pd.Series, values: Sequence[Any]) -> NDArray[np.int64]:
    found = {value: k for k, value in enumerate(values)}
    return np.array([found[value] for value in column], dtype=np.int64)


def _canvas(cells: _Cells) -> tuple[Figure, Any]:
    rows = len(cells.blocks)
    low, high = _CELL
    cell = min(high, max(low, _ROOM / (rows * len(cells.down))))
    figure = Figure(figsize=(PAGE, 0.75 + rows * max(0.7, cell * len(cells.down) + 0.12)))
    axes = figure.subplots(rows, len(cells.panels), squeeze=False, sharex=True, sharey=True)
    return figure, axes


def _draw_block(
    figure: Figure,
    line: Sequence[Axes],
    own: pd.DataFrame,
    at: NDArray[np.int64],
    cells: _Cells,
    look: Look,
    room: float,
    block: int,
) -> bool:
    """Draw the panels that share a scale of colours; tell whether some cells are hatched."""
    shape = (len(cells.panels), len(cells.down), len(cells.across))
    table = np.full(shape, np.nan)
    _check_single(at, shape)
    table[tuple(at)] = own["estimate"].to_numpy(float)
    compared = np.full(len(line), np.nan)
    for panel in range(len(line)):
        rows = own[at[0] == panel]
        compared[panel] = next(iter(look.reference(rows)), np.nan) if len(rows) else np.nan
    known = compared[np.isfinite(compared)]
    colours, zero = _colours(table, compared)
    decimals = decimals_of(own["mcse"].to_numpy(float) * (100 if look.percent else 1))
    texts = np.vectorize(lambda value: _number(value, decimals, percent=look.percent))(table)
    fits = _DIGIT * max(map(len, texts.ravel())) < room
    for panel, ax in enumerate(line):
        shown = table[panel] - _or_zero(compared, zero)[panel]
        edges = [np.arange(n + 1) - 0.5 for n in shape[:0:-1]]
        mesh = ax.pcolormesh(
            *edges, shown, cmap=colours[0], norm=colours[1], edgecolors="white", linewidth=0.5
        )
        if fits:
            _write(ax, texts[panel], shown, colours)
        elif len(known):
            _hatch(ax, shown)
    tall = (figure.get_figheight() - 0.75) / len(cells.blocks)
    bar = figure.colorbar(mesh, ax=list(line), fraction=0.05, pad=0.02, aspect=tall / _BAR)
    away = np.append(
        (table - _or_zero(compared, zero)[:, None, None]).ravel(), 0.0 if len(known) else np.nan
    )
    bar.ax.set_ylim(np.nanmin(away), np.nanmax(away))
    middle = known[0] if len(set(known)) == 1 else zero
    several = len(set(known)) > 1
    _dress_bar(bar, middle, look, cells.blocks[block], several=several)
    return bool(len(known)) and not fits


def _or_zero(compared: NDArray[np.float64], zero: float) -> NDArray[np.float64]:
    return np.where(np.isfinite(compared), compared, zero)


def _check_single(at: NDArray[np.int64], shape: tuple[int, ...]) -> None:
    if len(np.unique(np.ravel_multi_index(tuple(at), shape))) < at.shape[1]:
        raise InputError("several values for one series in one scenario", allowed="one")


def _colours(
    table: NDArray[np.float64], compared: NDArray[np.float64]
) -> tuple[tuple[Colormap, Normalize], float]:
    """Return the map and the scale of values less what they are compared with, and that of none.

    Two colours from the middle if there is something to compare with, else one scale of lightness.
    """
    if not np.isfinite(compared).any():
        low, high = float(np.nanmin(table)), float(np.nanmax(table))
        room = 0.0 if high > low else abs(low) or 1.0
        return (mpl.colormaps["cividis"], Normalize(low - room, high + room)), 0.0
    away = np.abs(table - compared[:, None, None])
    far = float(np.nanmax(away)) if np.isfinite(away).any() else 0.0
    ends = (1 - _BOTH_SIDES) / 2
    some = mpl.colormaps["PuOr"](np.linspace(ends, 1 - ends, 256))
    colours = LinearSegmentedColormap.from_list("two sides", some)
    return (colours, Normalize(-(far or 1.0), far or 1.0)), float(np.nanmax(compared))


def _write(
    ax: Axes, texts: NDArray[Any], shown: NDArray[np.float64], colours: tuple[Colormap, Normalize]
) -> None:
    colour_map, norm = colours
    for y, x in product(*map(range, texts.shape)):
        if not np.isfinite(shown[y, x]):
            continue
        red, green, blue, _ = colour_map(norm(shown[y, x]))
        is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        ax.text(
            x, y, texts[y, x], size=_SIZE, ha="center", va="center_baseline",
            color="white" if is_dark else INK,
        )  # fmt: skip


def _hatch(ax: Axes, shown: NDArray[np.float64]) -> None:
    for y, x in zip(*np.nonzero(shown < 0), strict=True):
        ax.add_patch(
            Rectangle(
                (x - 0.5, y - 0.5), 1, 1, fill=False, hatch="//////", linewidth=0, edgecolor=INK
            )
        )


def decimals_of(errors: NDArray[np.float64]) -> int:
    """Return the decimals that show the first digit of the median Monte Carlo standard error.

    Examples
    --------
    >>> decimals_of(np.array([0.004, 0.006, np.nan])), decimals_of(np.array([0.0]))
    (3, 3)
    """
    known = errors[np.isfinite(errors) & (errors > 0)]
    if not len(known):
        return 3
    return int(np.clip(-np.floor(np.log10(np.median(known))), 0, 8))


def _number(value: float, decimals: int, *, percent: bool) -> str:
    if np.isnan(value):
        return ""
    text = f"{100 * value if percent else value:.{decimals}f}"
    return text.removeprefix("-" * (float(text) == 0)).replace("-", MINUS)


def _dress_bar(bar: Colorbar, middle: float, look: Look, words: str, *, several: bool) -> None:
    scale = 100 if look.percent else 1
    shift = 0.0 if several else middle
    bar.ax.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    write = FuncFormatter(lambda v, _: f"{scale * (v + shift):.4g}".replace("-", MINUS))
    bar.ax.yaxis.set_major_formatter(write)
    bar.outline.set_visible(False)
    label = f"{words}\n(from its nominal level)" if several else words
    bar.set_label(label, rotation=270, va="bottom", size=7.5)


def _name(figure: Figure, axes: Any, cells: _Cells, steps: Steps, look: Look) -> None:
    for ax, title in zip(axes[0], cells.panels, strict=True):
        ax.set_title(wrap(title, (PAGE - 1.4) / len(cells.panels)))
    for ax in axes.flat:
        ax.set_xticks(range(len(cells.across)), cells.across)
        ax.set_yticks(range(len(cells.down)), cells.down, size=SMALL)
        ax.tick_params(length=0)
        ax.set_ylim(len(cells.down) - 0.5, -0.5)
        for spine in ax.spines.values():
            spine.set_visible(False)
    if steps.names:
        figure.supxlabel(said(steps.names[-1]))
    if cells.heading:
        figure.supylabel(wrap(cells.heading, figure.get_figheight() - 0.2))
    figure.suptitle(wrap(look.label, PAGE), size=8)
