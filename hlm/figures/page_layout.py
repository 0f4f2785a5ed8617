"""Where panels go on a page, from the sizes of what stands around them.

Matplotlib's constrained layout asks each panel for each of its texts, twice; of small multiples
only the outer ones have any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from hlm.figures.empty_labels import settle_empty_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

__all__ = ["lay_out_panels"]

GAP = 0.05  # inches, between any two things
EDGE = 0.04  # inches, around the page


def lay_out_panels(figure: Figure, axes: Any, labels: tuple[Text, Text], foot: float) -> None:
    """Give panels of one size their places, and axis labels theirs at the middle of the panels.

    Parameters
    ----------
    figure : Figure
        With a legend, which stays at the top.
    axes : ndarray of Axes, (rows, columns)
        With their ticks, titles and annotations; those that are off have none.
    labels : (Text, Text)
        Of the horizontal and of the vertical axis of all panels.
    foot : float
        Inches at the foot that are taken.
    """
    settle_empty_labels(figure)
    renderer = FigureCanvasAgg(figure).get_renderer()
    inch = figure.dpi
    width, height = figure.get_size_inches()
    rows, columns = axes.shape
    around = {place: _around(ax, renderer) for place, ax in np.ndenumerate(axes) if ax.axison}
    left = [_most(around, 2, column=j) / inch for j in range(columns)]
    right = max((one[3] for (_, j), one in around.items() if j == columns - 1), default=0.0) / inch
    above = [_most(around, 0, row=i) / inch for i in range(rows)]
    below = [_most(around, 1, row=i) / inch for i in range(rows)]
    legends = [one.get_window_extent(renderer).height / inch for one in figure.legends]
    tall, wide = (_size(labels[k], renderer)[1 - k] / inch for k in (0, 1))
    free_across = width - sum(left) - right - wide - GAP * (columns + 1) - 2 * EDGE
    free_down = height - sum(above) - sum(below) - sum(legends) - tall - foot
    free_down -= GAP * (rows + 1) + 2 * EDGE
    across, down = free_across / columns, free_down / rows
    y = height - EDGE - sum(legends) - GAP
    for i in range(rows):
        y -= above[i] + down
        x = EDGE + wide + GAP
        for j in range(columns):
            x += left[j]
            axes[i, j].set_position((x / width, y / height, across / width, down / height))
            x += across + GAP
        y -= below[i] + GAP
    first, last = axes[0, 0].get_position(), axes[-1, -1].get_position()
    labels[0].set(x=(first.x0 + last.x1) / 2, y=(foot + EDGE) / height, va="bottom")
    half = (_size(labels[1], renderer)[1] / 2 / inch + EDGE) / height
    middle = min(max((first.y1 + last.y0) / 2, half), 1 - half)
    labels[1].set(x=EDGE / width, y=middle, ha="left")


def _around(ax: Axes, renderer: Any) -> tuple[float, float, float, float]:
    """Return how far what a panel has around it reaches: above, below, left, right, in dots."""
    inside = ax.get_window_extent(renderer)
    boxes = [axis.get_tightbbox(renderer) for axis in (ax.xaxis, ax.yaxis)]
    texts = [text for text in (ax.title, *ax.texts) if text.get_text()]
    boxes += [text.get_window_extent(renderer) for text in texts]
    found = [box for box in boxes if box is not None]
    return (
        max((box.y1 - inside.y1 for box in found), default=0.0),
        max((inside.y0 - box.y0 for box in found), default=0.0),
        max((inside.x0 - box.x0 for box in found), default=0.0),
        max((box.x1 - inside.x1 for box in found), default=0.0),
    )


def _most(
    around: Mapping[Any, tuple[float, ...]],
    side: int,
    *,
    row: int | None = None,
    column: int | None = None,
) -> float:
    own = (one[side] for (i, j), one in around.items() if row in (None, i) and column in (None, j))
    return max([0.0, *own])


def _size(text: Text, renderer: Any) -> tuple[float, float]:
    if not text.get_text():
        return 0.0, 0.0
    box = text.get_window_extent(renderer)
    return box.width, box.height
