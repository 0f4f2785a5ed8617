"""The names of the columns and rows of small multiples, around their panels."""

from __future__ import annotations

from itertools import groupby
from textwrap import fill
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from hlm.figures.style import INK, RC
from hlm.words.levels import said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hlm.pictures.arrangement import Grid, Panel

__all__ = ["name_panels", "span_columns", "wrap"]

_LETTER = 0.062  # inches, of a title's character


def name_panels(figure: Figure, axes: Any, grid: Grid, words: Mapping[Any, str]) -> None:
    """Name the columns above the first row, and the rows at the right of the last column.

    Parameters
    ----------
    figure : Figure
    axes : ndarray of Axes, (rows, columns)
    grid : Grid
    words : dict
        The text for a value of the column that makes the rows.
    """
    room = (figure.get_figwidth() - 0.9) / grid.shape[1]
    if grid.wrapped:
        for panel in grid.panels:
            axes[panel.row, panel.column].set_title(wrap(_words(panel, words), room))
        return
    titles = [_title(column, room) for column in grid.columns]
    lines = max(title.count("\n") + 1 for title in titles)
    nested = max(len(column) for column in grid.columns) > 1
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title("\n" * (lines - title.count("\n")) * nested + title)
    column_names = grid.columns[0].keys()
    tall = (figure.get_figheight() - 1.1) / grid.shape[0]
    for ax, panel in zip(axes[:, -1], grid.panels[:: len(grid.columns)], strict=True):
        if panel.where.keys() - column_names:
            _name_row(ax, wrap(_words(panel, words), tall))


def _title(column: Mapping[str, Any], room: float) -> str:
    return wrap(said(*list(column.items())[-1]), room) if column else ""


def wrap(text: str, room: float) -> str:
    r"""Break lines that are longer than some inches, and keep the breaks there are.

    Examples
    --------
    >>> wrap("a longer name", 0.6).splitlines()
    ['a longer', 'name']
    """
    most = max(6, int(room / _LETTER))
    return "\n".join(fill(line, most, break_on_hyphens=False) for line in text.split("\n"))


def _words(panel: Panel, words: Mapping[Any, str]) -> str:
    name, value = next(iter(panel.where.items()))
    return words.get(value, said(name, value))


def _name_row(ax: Axes, words: str) -> None:
    ax.annotate(
        words,
        (1, 0.5),
        xytext=(6, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        rotation=270,
        va="center",
        ha="left",
        size=RC["axes.titlesize"],
        multialignment="center",
    )


def span_columns(figure: Figure, top: Sequence[Axes], columns: Sequence[Mapping[str, Any]]) -> None:
    """Write the outer factor's level once over the columns that share it, over a thin rule.

    Parameters
    ----------
    figure : Figure
        Laid out.
    top : sequence of Axes
        The first row of panels, named by `name_panels`, which left a line for the outer factor.
    columns : sequence of dict
        The levels that each column stands for; nothing is written unless they are two.
    """
    outer = [next(iter(column.items())) for column in columns if len(column) > 1]
    lines = top[0].get_title().count("\n")
    line = 1.2 * RC["axes.titlesize"] / 72 / figure.get_figheight()
    pad = RC["axes.titlepad"] / 72 / figure.get_figheight()
    for level, places in groupby(range(len(outer)), key=outer.__getitem__):
        boxes = [top[k].get_position() for k in places]
        left, right, base = boxes[0].x0, boxes[-1].x1, boxes[0].y1 + pad + (lines + 0.3) * line
        text = said(*level)
        figure.text(
            (left + right) / 2, base, text, ha="center", va="bottom", size=RC["axes.titlesize"]
        )
        rule = Line2D([left, right], [base - 0.1 * line] * 2, color=INK, linewidth=0.5)
        figure.add_artist(rule)
