"""What surrounds the panels of a figure: notes at the foot, axes of values, layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter, ScalarFormatter

from hlm.figures.headers import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from hlm.figures.multiples import Look

__all__ = ["dress_values", "lay_out", "reach"]

SMALL = 6.5
"""Points, of the notes and of the names of levels."""

_LETTERS = 8 / SMALL  # of the usual size that go where one note's letter goes
_LINE = 0.115  # inches, of the notes
_MARGIN = 0.04  # of an axis of values, so that marks at its ends are whole
_GAP = 0.03  # inches


def lay_out(figure: Figure, notes: Sequence[str]) -> None:
    """Write sentences at the foot of a figure, which grows by them, and place all that is above.

    Parameters
    ----------
    figure : Figure
        With all its panels, labels and legends, and no layout engine.
    notes : sequence of str

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure(figsize=(7, 3))
    >>> panel = figure.subplots()
    >>> lay_out(figure, ["A note."])
    >>> figure.texts[0].get_text()
    'A note.'
    """
    width = figure.get_figwidth()
    text = "\n".join(wrap(note, (width - 0.1) * _LETTERS) for note in notes)
    foot = _LINE * (text.count("\n") + 1) + 0.06 if text else 0.0
    height = figure.get_figheight() + foot
    figure.set_figheight(height)
    share = foot / height
    # Once, and not at each drawing: panels are many, and their places do not change.
    engine = ConstrainedLayoutEngine(
        rect=(0, share, 1, 1 - share), w_pad=_GAP, h_pad=_GAP, hspace=0, wspace=0.02
    )
    engine.execute(figure)
    for label in figure.texts:
        if label.get_text() == figure.get_supxlabel():  # the layout puts it at the very foot
            label.set_y(label.get_position()[1] + share)
    if text:
        at: dict[str, Any] = {"size": SMALL, "va": "bottom", "linespacing": 1.25}
        figure.text(0.05 / width, 0.05 / height, text, **at)


def reach(look: Look, *values: ArrayLike) -> tuple[float, float]:
    """Return the limits of an axis that holds some values and what a look wants.

    Parameters
    ----------
    look : Look
    *values : array_like
        Estimates, ends of bars, lines to compare with; what is not finite does not count.

    Examples
    --------
    >>> from hlm.figures.multiples import Look
    >>> reach(Look("Share", ends=(0, 1), whole=True), [0.5])
    (-0.04, 1.04)
    >>> [round(end, 3) for end in reach(Look("Size", from_zero=True), [1.0, float("nan")])]
    [-0.04, 1.04]
    """
    known = np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in values])
    known = known[np.isfinite(known)]
    first, last = look.ends
    if look.whole:
        low, high = first, last
    else:
        known = np.append(known, 0.0) if look.from_zero or not len(known) else known
        low, high = max(float(known.min()), first), min(float(known.max()), last)
    room = _MARGIN * (high - low or abs(high) or 1.0)
    return low - room, high + room


def dress_values(axis: Axis, look: Look, *, nbins: int = 5) -> None:
    """Give an axis of values its ticks, and write fractions as percentages where a look says so."""
    axis.set_major_locator(MaxNLocator(nbins=nbins, steps=[1, 2, 2.5, 5, 10]))
    plain = ScalarFormatter(useOffset=False)
    plain.set_powerlimits((-5, 6))
    axis.set_major_formatter(PercentFormatter(xmax=1) if look.percent else plain)
    axis.set_minor_locator(NullLocator())


def name_row(ax: Axes, words: str, room: float) -> None:
    """Name a row of panels at the right of its last one, `room` inches tall."""
    ax.annotate(
        wrap(words, room),
        (1, 0.5),
        xytext=(6, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        rotation=270,
        va="center",
        ha="left",
        size=7.5,
        multialignment="center",
    )
