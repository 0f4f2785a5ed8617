"""All scenarios along one axis, ordered by factor within factor, and the steps of the factors.

The axis of a nested-loop plot: the level of the outermost factor changes least often, that of the
innermost from each scenario to the next.

G. Ruecker, G. Schwarzer (2014). Presenting simulation results in a nested loop plot. BMC Medical
Research Methodology 14, 129.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hlm.errors import InputError, nearest
from hlm.figures.facets import rows_at
from hlm.figures.sheet import SMALL
from hlm.figures.style import INK
from hlm.results.grid_columns import factors, levels, numeric
from hlm.words.levels import level_words, said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = "NDArray[np.float64]"

__all__ = ["LANE", "Steps", "at_levels", "innermost_last", "shown_for"]

LANE = 0.27
"""Inches, of the steps of one factor with their heading."""

_RISE = 0.36  # of a lane, from the lowest level to the highest
_FOOT = 0.14  # of a lane, below the lowest level
_MOST_LISTED = 8  # levels in a heading


@dataclass(frozen=True)
class Steps:
    """The scenarios of a full or a partial grid in nested order.

    Attributes
    ----------
    names : tuple of str
        The factors, outermost first.
    levels : tuple of tuple
        Of each factor, in their order.
    codes : ndarray of int, (n_scenarios, n_factors)
        The place of each scenario's level among those of each factor, scenarios in order.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[Any, ...], ...]
    codes: NDArray[np.int64]

    @classmethod
    def of(
        cls, frame: pd.DataFrame, order: Sequence[str] | None = None, inner: str | None = None
    ) -> Steps:
        """Order the scenarios of a frame.

        Parameters
        ----------
        frame : DataFrame
            With the columns of the grid.
        order : sequence of str, optional
            Factors, outermost first. Those not named follow, in the study's order.
        inner : str, optional
            The innermost factor; by default that which other figures have along their axis, unless
            `order` names it.

        Raises
        ------
        InputError
            If a name is that of no factor.

        Examples
        --------
        >>> import pandas as pd
        >>> points = [(u, r) for u in (10, 30) for r in (5, 15)]
        >>> steps = Steps.of(pd.DataFrame(points, columns=["units", "rows"]))
        >>> steps.names, steps.codes.tolist()
        (('rows', 'units'), [[0, 0], [0, 1], [1, 0], [1, 1]])
        """
        found = innermost_last(frame)
        for name in (*(order or ()), *([inner] if inner else [])):
            if name not in found:
                raise InputError(
                    f"the grid has no factor '{name}'",
                    allowed=", ".join(found) or "no name: nothing varies",
                    suggestion=nearest(name, found),
                )
        first = [name for name in (order or ()) if name != inner]
        last = [inner] if inner else []
        between = [name for name in found if name != inner]
        names = tuple(dict.fromkeys([*first, *between, *last]))
        known = tuple(tuple(levels(frame[name])) for name in names)
        codes = np.unique(_codes(frame, names, known), axis=0)
        return cls(names, known, codes)

    def __len__(self) -> int:
        """Return the number of scenarios."""
        return len(self.codes)

    @property
    def edges(self) -> NDArray[np.float64]:
        """Where scenarios begin and end along the axis, (n_scenarios + 1,)."""
        return np.arange(len(self) + 1, dtype=np.float64) - 0.5

    def places(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Return the place of the scenario of each row of a frame."""
        if not self.names:
            return np.zeros(len(frame), dtype=np.int64)
        width = [len(own) for own in self.levels]
        own = np.ravel_multi_index(tuple(_codes(frame, self.names, self.levels).T), width)
        return np.searchsorted(np.ravel_multi_index(tuple(self.codes.T), width), own)

    def along(self, values: ArrayLike, frame: pd.DataFrame) -> Floats:
        """Return values of the rows of a frame over the scenarios, NaN where there is no row.

        Raises
        ------
        InputError
            If the frame has several rows of one scenario.
        """
        at = self.places(frame)
        if len(np.unique(at)) < len(at):
            raise InputError("several values for one series in one scenario", allowed="one")
        over = np.full(len(self), np.nan)
        over[at] = np.asarray(values, dtype=float)
        return over

    def stepped(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the corners of a line that has a value over the whole width of each scenario.

        Examples
        --------
        >>> import pandas as pd
        >>> steps = Steps.of(pd.DataFrame({"units": [10, 30]}))
        >>> [part.tolist() for part in steps.stepped(np.array([1.0, 2.0]))]
        [[-0.5, 0.5, 0.5, 1.5], [1.0, 1.0, 2.0, 2.0]]
        """
        return np.repeat(self.edges, 2)[1:-1], np.repeat(values, 2)

    def breaks(self) -> Floats:
        """Return where the level of the outermost factor changes."""
        if len(self.names) < 2:
            return np.empty(0)
        return np.flatnonzero(np.diff(self.codes[:, 0])).astype(np.float64) + 0.5

    def draw(self, ax: Axes) -> None:
        """Draw a line for each factor that steps with its level, under a heading."""
        first, last = self.edges[[0, -1]]
        for lane, (name, own) in enumerate(zip(self.names, self.levels, strict=True)):
            heights = self.codes[:, lane] / max(len(own) - 1, 1)
            y = -lane - 1 + _FOOT + _RISE * heights
            ax.plot(*self.stepped(y), color=INK, linewidth=0.7, label=name)
            text = f"{said(name)}: {_listed(own)}"
            ax.text(first, -lane - 0.03, text, size=SMALL, va="top", ha="left")
        ax.set(xlim=(first, last), ylim=(-max(len(self.names), 1), 0))
        ax.set_axis_off()


def innermost_last(frame: pd.DataFrame) -> list[str]:
    """Return the factors of a grid, that which other figures have along their axis last.

    It is `units` if the study varies it, else the first numeric factor, else the first.

    Examples
    --------
    >>> import pandas as pd
    >>> innermost_last(pd.DataFrame({"units": [1, 2], "rows": [1, 2]}))
    ['rows', 'units']
    """
    found = factors(frame)
    numbers = [name for name in found if numeric(frame[name])]
    axis = next((name for name in ("units", *numbers, *found) if name in found), None)
    if axis == "units" and "units" not in numbers:
        axis = next(iter([*numbers, *found]))
    return [*(name for name in found if name != axis), *([axis] if axis else [])]


def at_levels(frame: pd.DataFrame, at: Mapping[str, Any] | None) -> pd.DataFrame:
    """Return the rows at the levels of some factors; names of no column do not matter.

    Raises
    ------
    InputError
        If no point of the grid is at these levels.

    Examples
    --------
    >>> import pandas as pd
    >>> len(at_levels(pd.DataFrame({"units": [10, 30]}), {"units": 30}))
    1
    """
    found = {name: level for name, level in (at or {}).items() if name in frame}
    frame = rows_at(frame, found)
    if frame.empty:
        words = ", ".join(said(name, level) for name, level in found.items())
        raise InputError(f"no point of the grid has {words}", allowed="levels that it has")
    return frame


def shown_for(frame: pd.DataFrame, at: Mapping[str, Any] | None) -> list[str]:
    """Say at which levels factors are held that vary in a frame.

    Examples
    --------
    >>> import pandas as pd
    >>> shown_for(pd.DataFrame({"units": [10, 30]}), {"units": 30})
    ['Shown for 30 units.']
    """
    varied = factors(frame)
    held = [said(name, level) for name, level in (at or {}).items() if name in varied]
    return [f"Shown for {', '.join(held)}."] if held else []


def _codes(
    frame: pd.DataFrame, names: Sequence[str], known: Sequence[Sequence[Any]]
) -> NDArray[np.int64]:
    """Return the place of each row's level of each factor, (n_rows, n_factors)."""
    codes = np.zeros((len(frame), len(names)), dtype=np.int64)
    for column, (name, own) in enumerate(zip(names, known, strict=True)):
        codes[:, column] = frame[name].map({level: k for k, level in enumerate(own)})
    return codes


def _listed(own: Sequence[Any]) -> str:
    words = [level_words(level) for level in own]
    if len(words) > _MOST_LISTED:
        words = [*words[:3], "\N{HORIZONTAL ELLIPSIS}", words[-1]]
    return ", ".join(words)
