"""The horizontal axis: where levels and models go, and which tick labels there is room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from hlm.results.grid_columns import levels, numeric
from hlm.words.levels import level_words, said

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["Axis"]

LOG_RATIO = 5  # levels that span more than this factor are spaced by their logarithms
_DODGE = 0.13  # of the smallest gap between levels, from one model to the next
_SPREAD = 0.6  # of that gap, for all models together at most
_DIGIT = 0.062  # inches, of a tick label's character


@dataclass(frozen=True)
class Axis:
    """The factor along the horizontal axis.

    Attributes
    ----------
    name : str or None
        None if there is no factor: then there is one place, without a tick.
    levels : tuple
    joined : bool
        Whether the levels are numbers, so that lines between them mean something.
    log : bool
    """

    name: str | None
    levels: tuple[Any, ...]
    joined: bool
    log: bool

    @classmethod
    def of(cls, frame: pd.DataFrame, name: str | None) -> Axis:
        """Describe the axis for one factor of a frame.

        Examples
        --------
        >>> import pandas as pd
        >>> Axis.of(pd.DataFrame({"units": [10, 100]}), "units").log
        True
        """
        if name is None:
            return cls(None, (None,), joined=False, log=False)
        found = levels(frame[name])
        number = numeric(frame[name])
        log = number and found[0] > 0 and found[-1] > LOG_RATIO * found[0]
        return cls(name, tuple(found), joined=number, log=log)

    @property
    def label(self) -> str:
        """What is written below the axis."""
        return said(self.name) if self.name else ""

    @property
    def _places(self) -> NDArray[np.float64]:
        """Where the levels are, on the scale on which they are evenly dodged."""
        if not self.joined:
            return np.arange(len(self.levels), dtype=float)
        values = np.array(self.levels, dtype=float)
        return np.log(values) if self.log else values

    @property
    def _gap(self) -> float:
        places = self._places
        return float(np.diff(places).min()) if len(places) > 1 else 1.0

    def dodged(self, points: pd.DataFrame, place: int, count: int) -> NDArray[np.float64]:
        """Return where to draw some rows of the `place`-th of `count` models."""
        where = dict(zip(self.levels, self._places, strict=True))
        values = [None] * len(points) if self.name is None else points[self.name]
        step = self._gap * min(_DODGE, _SPREAD / count)
        x = np.array([where[value] for value in values]) + (place - (count - 1) / 2) * step
        return np.exp(x) if self.log else x

    def through(self, found: Sequence[Any]) -> NDArray[np.float64]:
        """Return the ends of the axis, and between them the places of some levels in order."""
        where = dict(zip(self.levels, self._places, strict=True))
        low, high = self._limits
        x = np.array([low, *(where[level] for level in found), high])
        return np.exp(x) if self.log else x

    @property
    def _limits(self) -> NDArray[np.float64]:
        places = self._places
        margin = max(0.5 * self._gap, 0.06 * (places[-1] - places[0]))
        return np.array([places[0] - margin, places[-1] + margin])

    def dress(self, ax: Axes, room: float, *, labelled: bool = True) -> None:
        """Set scale and limits of a panel `room` inches wide, and its ticks if it has any."""
        places, limits = self._places, self._limits
        if self.log:
            ax.set_xscale("log")
        ax.set_xlim(*(np.exp(limits) if self.log else limits))
        ax.xaxis.set_minor_locator(NullLocator())
        if not labelled or self.name is None:
            ax.xaxis.set_major_locator(NullLocator())
            return
        ax.xaxis.set_major_locator(FixedLocator(list(np.exp(places) if self.log else places)))
        labels = self._labels(room, limits)
        if not self.joined and "" in labels:
            # A number left out between others is known; a text is not, so all of them are slanted
            ax.set_xticklabels([level_words(level) for level in self.levels])
            for label in ax.get_xticklabels():
                label.set(rotation=45, ha="right", rotation_mode="anchor")
        else:
            ax.set_xticklabels(labels)

    def _labels(self, room: float, limits: NDArray[np.float64]) -> list[str]:
        """Return the levels' labels, empty where a label would touch the one before."""
        inches = (self._places - limits[0]) / (limits[1] - limits[0]) * room
        labels, end = [], -np.inf
        for level, centre in zip(self.levels, inches, strict=True):
            text = "" if level is None else level_words(level)
            half = _DIGIT * len(text) / 2
            fits = centre - half > end
            labels.append(text if fits else "")
            end = centre + half + _DIGIT if fits else end
        return labels
