"""Which factor of a study's grid goes where: along the axis, over the panels, or held fixed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.results.grid_columns import factors, levels, numeric
from hlm.words.assumptions import ASSUMPTIONS, NOMINAL
from hlm.words.levels import said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = ["Grid", "Panel", "arrange"]

MOST = 6  # columns or rows of panels
WRAP = 4


@dataclass(frozen=True)
class Panel:
    """One panel: its place, and the levels of the rows of data it shows."""

    row: int
    column: int
    where: Mapping[str, Any]


@dataclass(frozen=True)
class Grid:
    """The place of each factor in a figure.

    Attributes
    ----------
    axis : str or None
        The factor along the horizontal axis; None if the study has one scenario.
    columns, rows : tuple of dict
        The levels that each column and each row of panels stands for.
    held : dict
        The factors that found no place, each with the level shown.
    thinned : tuple of str
        The factors with more levels than there is room for panels.
    wrapped : bool
        Whether `rows` were laid out along lines, for want of a factor for the columns.
    """

    axis: str | None
    columns: tuple[dict[str, Any], ...]
    rows: tuple[dict[str, Any], ...]
    held: Mapping[str, Any]
    thinned: tuple[str, ...] = ()
    wrapped: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of panels."""
        if self.wrapped:
            return -(-len(self.rows) // WRAP), min(WRAP, len(self.rows))
        return len(self.rows), len(self.columns)

    @property
    def note(self) -> str:
        """What is not shown, in words."""
        parts = [f"shown for {_words(self.held)}"] if self.held else []
        parts += [f"some levels of {name} left out" for name in self.thinned]
        return f"({'; '.join(parts)})" if parts else ""

    @property
    def panels(self) -> list[Panel]:
        """The panels, row by row."""
        if self.wrapped:
            return [Panel(k // WRAP, k % WRAP, where) for k, where in enumerate(self.rows)]
        return [
            Panel(i, j, {**row, **column})
            for i, row in enumerate(self.rows)
            for j, column in enumerate(self.columns)
        ]


def arrange(
    frame: pd.DataFrame,
    *,
    row: str | None = None,
    at: Mapping[str, Any] | None = None,
) -> Grid:
    """Give every factor of a frame's grid its place.

    The axis is `units` if the study varies it, else the first numeric factor, else the first.
    The next two factors make the panels; any others are held at their middle level, or as near to
    it as there are points: of a fraction of a grid not all combinations are there. Violated
    assumptions are held at none.

    Parameters
    ----------
    frame : DataFrame
        Rows of `measures` or `selection`.
    row : str, optional
        A column, such as the term, with a row of panels for each of its values.
    at : dict, optional
        The level at which to hold a factor, such as ``{"skew": 0}``.

    Returns
    -------
    Grid

    Raises
    ------
    InputError
        If no point of the grid is at these levels.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame([(u, r) for u in (10, 30) for r in (5, 15)], columns=["units", "rows"])
    >>> grid = arrange(frame)
    >>> grid.axis, grid.columns, grid.shape
    ('units', ({'rows': 5}, {'rows': 15}), (1, 2))
    """
    found = {name: levels(frame[name]) for name in factors(frame)}
    held = {name: level for name, level in (at or {}).items() if name in found}
    free = [name for name in found if name not in held]
    axis = _axis(frame, free)
    facets = [name for name in free if name != axis]
    stacked = levels(frame[row]) if row else [None]
    rows = [{row: value} for value in stacked] if row and len(stacked) > 1 else []
    shown = _at(frame, held)
    if shown.empty:
        raise InputError(f"no point of the grid has {_words(held)}", allowed="levels that it has")
    left = _facets(facets, found, room_below=not rows)[2]
    held |= _middle(shown, {name: found[name] for name in left})
    shown = _at(shown, held)
    there = {name: levels(shown[name]) for name in facets if name not in left}
    columns, down, _ = _facets([*there], there, room_below=not rows)
    thinned = tuple(name for name in facets if name not in left and len(found[name]) > MOST)
    wrapped = bool(rows) and not facets
    return Grid(axis, tuple(columns), tuple(rows or down), held, thinned, wrapped)


def _words(held: Mapping[str, Any]) -> str:
    return ", ".join(said(name, level) for name, level in held.items())


def _at(frame: pd.DataFrame, held: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows at the levels of some factors."""
    for name, level in held.items():
        frame = frame[frame[name] == level]
    return frame


def _middle(frame: pd.DataFrame, found: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return the levels of some factors together that are nearest to the middle of each."""
    if not found:
        return {}
    places = {name: {level: k for k, level in enumerate(own)} for name, own in found.items()}
    points = frame[[*found]].drop_duplicates()

    def distance(point: Sequence[Any]) -> tuple[float, list[int]]:
        at = [places[name][level] for name, level in zip(found, point, strict=True)]
        steps = zip(at, found.items(), strict=True)
        return sum(abs(k - _centre(*own)) / len(own[1]) for k, own in steps), at

    nearest = min(points.itertuples(index=False, name=None), key=distance)
    return dict(zip(found, nearest, strict=True))


def _centre(name: str, own: list[Any]) -> int:
    """Return the place of the level that stands for all: the middle one, or no violation."""
    is_of_violations = name == ASSUMPTIONS and NOMINAL in own
    return own.index(NOMINAL) if is_of_violations else len(own) // 2


def _axis(frame: pd.DataFrame, free: Sequence[str]) -> str | None:
    if "units" in free and numeric(frame["units"]):
        return "units"
    return next((name for name in free if numeric(frame[name])), free[0] if free else None)


def _facets(
    facets: Sequence[str], found: Mapping[str, list[Any]], *, room_below: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """Return the columns, the rows and the factors left over."""
    if not facets:
        return [{}], [{}], []
    first, *others = facets
    inner = [{first: level} for level in spread(found[first], MOST)]
    if not others:
        return inner, [{}], []
    second, *left = others
    outer = [{second: level} for level in spread(found[second], MOST)]
    if room_below:
        return inner, outer, left
    if len(inner) * len(outer) <= MOST:
        return [{**o, **i} for o, i in product(outer, inner)], [{}], left
    return inner, [{}], others


def spread(values: list[Any], most: int) -> list[Any]:
    """Return at most `most` of the values, evenly spread, the first and the last among them.

    Examples
    --------
    >>> spread([1, 2, 3, 4, 5], 3)
    [1, 3, 5]
    """
    if len(values) <= most:
        return values
    return [values[round(k * (len(values) - 1) / (most - 1))] for k in range(most)]
