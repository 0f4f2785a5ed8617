"""Labels and titles that say nothing, for which Matplotlib looks for a place at each drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["settle_empty_labels"]


def settle_empty_labels(figure: Figure) -> None:
    """Give empty labels of axes and empty titles of panels a place, whatever it is.

    Else the boxes of all labels of ticks are measured to keep clear of them, a fifth of the time
    of a drawing: the axes of most panels are labelled once for the page.

    Parameters
    ----------
    figure : Figure

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> panel = figure.subplots()
    >>> settle_empty_labels(figure)
    >>> panel.xaxis.label.get_position()
    (0.5, 0.5)
    """
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if not axis.label.get_text():
                axis.set_label_coords(0.5, 0.5)
        if not any(ax.get_title(place) for place in ("left", "center", "right")):
            ax.set_title("", y=1.0)
