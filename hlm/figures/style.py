"""How every figure looks: sizes, type, colours, and marks that stay apart in grey print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from textwrap import fill
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "COLUMN",
    "GREY",
    "INK",
    "PAGE",
    "RC",
    "Mark",
    "blank",
    "legend_columns",
    "marks",
    "styled",
]

COLUMN, PAGE = 3.5, 7.2  # inches: one column, and the whole width of a page
INK, GREY = "#222222", "#8C8C8C"
_LINE = 48  # characters of a sentence across a column

# Okabe and Ito's colours, safe for colour-blind readers, ordered so that neighbours differ in
# lightness; the marks go on where the colours would be told apart by hue alone.
_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#000000",
    "#56B4E9",
    "#D55E00",
    "#8C8C8C",
)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
_SIZES = (3.8, 3.6, 4.4, 3.5, 4.4, 4.6, 4.6, 4.4)
_DOTS: Any = (0, (1.2, 1.2))

RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlepad": 5,
    "axes.titlesize": 7.5,
    "figure.dpi": 150,
    "figure.labelsize": 8,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.title_fontsize": 8,
    "lines.linewidth": 1.0,
    "mathtext.fontset": "dejavusans",
    "pdf.fonttype": 42,
    "savefig.dpi": 250,
    "svg.hashsalt": "hlm",  # names within the file, which are random otherwise
    "text.color": INK,
    "text.parse_math": False,  # a name may hold dollar signs
    "xtick.color": INK,
    "xtick.labelsize": 7,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.color": INK,
    "ytick.labelsize": 7,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.6,
}

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Mark:
    """How one series is drawn, the same in every figure of a study.

    Attributes
    ----------
    colour, marker : str
    size : float
        Of the marker, in points.
    hollow : bool
        Whether the marker is white inside and the line dotted, as for fits by ML.
    """

    colour: str
    marker: str
    size: float
    hollow: bool = False

    def look(self, *, joined: bool) -> dict[str, Any]:
        """Return Matplotlib's properties of a line with these markers, of none if not joined."""
        return {
            "color": self.colour,
            "linestyle": (_DOTS if self.hollow else "-") if joined else "none",
            "linewidth": 0.9,
            "marker": self.marker,
            "markersize": self.size,
            "markerfacecolor": "white" if self.hollow else self.colour,
            "markeredgewidth": 0.8,
        }


def marks(names: Iterable[str]) -> dict[str, Mark]:
    """Give each name a mark, by its place in the list; the first 64 differ.

    Examples
    --------
    >>> [mark.marker for mark in marks(["first", "second"]).values()]
    ['o', 's']
    """
    series = {}
    for place, name in enumerate(names):
        turn, colour = divmod(place, len(_COLOURS))
        marker = (place + turn) % len(_MARKERS)
        series[name] = Mark(_COLOURS[colour], _MARKERS[marker], _SIZES[marker])
    return series


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw under the style, and leave the caller's settings as they were."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(RC):
            return draw(*args, **kwargs)

    return inside


def legend_columns(labels: Sequence[str], width: float) -> int:
    """Return how many columns of a legend with these labels fit in a width in inches.

    Examples
    --------
    >>> legend_columns(["slopes_on_a", "ignoring_a"], 7.2), legend_columns(["m" * 30] * 4, 7.2)
    (2, 2)
    """
    widths = [0.65 + 0.068 * len(label) for label in labels]
    return len(labels) if sum(widths) < width else max(1, int(width / max(widths)))


@styled
def blank(message: str) -> Figure:
    """Return a figure that says why there is nothing to see.

    Examples
    --------
    >>> blank("No fit succeeded.").texts[0].get_text()
    'No fit succeeded.'
    """
    lines = fill(message, _LINE, break_on_hyphens=False)
    figure = Figure(figsize=(COLUMN, max(1.0, 0.4 + 0.15 * (lines.count("\n") + 1))))
    figure.text(0.5, 0.5, lines, ha="center", va="center")
    return figure
