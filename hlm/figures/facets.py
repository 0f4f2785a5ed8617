"""Which factor of a study's grid goes where on a page: along the axis, or over the panels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from hlm.errors import InputError
from hlm.pictures.arrangement import Grid, arrangements
from hlm.results.grid_columns import factors, levels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = ["Places", "arrange", "of_rows_there", "points_in", "rows_at"]


class Places(TypedDict, total=False):
    """Where factors go, and which page is drawn; see `hlm.pictures.arrangement.arrangements`.

    Attributes
    ----------
    x : str
        The factor along the axis.
    panels : sequence of str
        The factors of the panels: side by side, and one below the other.
    at : dict
        Levels that are shown alone, such as ``{"skew": 0}``.
    page : int
        Which page, the first by default.
    points : sequence of dict
        The levels of the scenarios, where the rows that are drawn may lack some.
    stacked : bool
        Whether terms have the rows of panels, though there may be one.
    """

    x: str | None
    panels: Sequence[str] | None
    at: Mapping[str, Any] | None
    page: int
    points: Sequence[Mapping[str, Any]] | None
    stacked: bool


def rows_at(frame: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows at the levels of some factors, of a panel or of a page."""
    for name, level in where.items():
        frame = frame[frame[name] == level]
    return frame


def points_in(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the levels of the scenarios in a frame.

    Examples
    --------
    >>> import pandas as pd
    >>> points_in(pd.DataFrame({"units": [10, 10, 30], "estimate": [1.0, 2.0, 3.0]}))
    [{'units': 10}, {'units': 30}]
    """
    names = factors(frame)
    rows = frame[names].drop_duplicates().itertuples(index=False, name=None)
    return [dict(zip(names, row, strict=True)) for row in rows] if names else [{}]


def arrange(
    frame: pd.DataFrame,
    *,
    row: str | None = None,
    x: str | None = None,
    panels: Sequence[str] | None = None,
    at: Mapping[str, Any] | None = None,
    page: int = 1,
    points: Sequence[Mapping[str, Any]] | None = None,
    stacked: bool = False,
) -> Grid:
    """Give every factor of a frame's grid its place on a page.

    Parameters
    ----------
    frame : DataFrame
        Rows of `measures` or `selection`.
    row : str, optional
        A column, such as the term, with a row of panels for each of its values.
    x, panels, at, page, points, stacked
        As `Places` has them.

    Returns
    -------
    Grid

    Raises
    ------
    InputError
        If no point of the grid is at these levels, or there is no such page.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame([(u, r) for u in (10, 30) for r in (5, 15)], columns=["units", "rows"])
    >>> grid = arrange(frame)
    >>> grid.axis, grid.columns, grid.shape
    ('units', ({'rows': 5}, {'rows': 15}), (1, 2))
    """
    rows = tuple({row: value} for value in levels(frame[row])) if row else ()
    beside = stacked or len(rows) > 1
    there = points_in(frame) if points is None else points
    pages = arrangements(there, stacked=beside, x=x, panels=panels, at=at)
    if not 1 <= page <= len(pages):
        raise InputError(f"no page {page}", path="page", allowed=f"1 to {len(pages)}")
    grid = pages[page - 1]
    if not beside:
        return grid
    return replace(grid, rows=rows or ({},), wrapped=len(rows) > 1 and grid.columns == ({},))


def of_rows_there(grid: Grid, frame: pd.DataFrame, row: str | None) -> Grid:
    """Leave out rows of panels that have nothing on this page, such as a hypothesis not true."""
    if row is None or row not in grid.rows[0]:
        return grid
    there = set(frame[row])
    return replace(grid, rows=tuple(one for one in grid.rows if one[row] in there))
