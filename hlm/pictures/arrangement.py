"""Where the scenarios of a study go in a figure: along its axis, over its panels, on which page.

No library is loaded: the pages of a figure are known before there is a result.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.words.levels import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["MOST", "MOST_PAGES", "Grid", "Panel", "arrangements", "is_numeric", "varied"]

MOST = 6
"""Columns or rows of panels on a page."""

MOST_PAGES = 6
"""Pages of a figure; where the scenarios need more, one nested loop shows them all."""

WRAP = 4


@dataclass(frozen=True)
class Panel:
    """One panel: its place, and the levels of the rows of data it shows."""

    row: int
    column: int
    where: Mapping[str, Any]


@dataclass(frozen=True)
class Grid:
    """The place of each factor on one page of a figure.

    Attributes
    ----------
    axis : str or None
        The factor along the horizontal axis; None if there is one scenario.
    columns, rows : tuple of dict
        The levels that each column and each row of panels stands for.
    held : dict
        The factors that have no place on the page, each with the level that the page shows.
    wrapped : bool
        Whether `rows` are laid out along lines, for want of a factor for the columns.
    page, pages : int
        Which page this is, and of how many.
    """

    axis: str | None
    columns: tuple[dict[str, Any], ...]
    rows: tuple[dict[str, Any], ...]
    held: Mapping[str, Any]
    wrapped: bool = False
    page: int = 1
    pages: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of panels."""
        if self.wrapped:
            return -(-len(self.rows) // WRAP), min(WRAP, len(self.rows))
        return len(self.rows), len(self.columns)

    @property
    def title(self) -> str:
        """Which scenarios the page shows, in words; nothing if it shows all."""
        parts = [said(name, level) for name, level in self.held.items()]
        parts += [f"page {self.page} of {self.pages}"] if self.pages > 1 else []
        return "; ".join(parts)

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


def is_numeric(levels: Iterable[Any]) -> bool:
    """Tell whether levels are numbers, so that distances between them mean something.

    Examples
    --------
    >>> is_numeric([5, 0.5]), is_numeric([True, False]), is_numeric(["t(3)", 1])
    (True, False, False)
    """
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in levels)


def varied(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the factors with several levels: numbers by size, other levels as they come.

    Examples
    --------
    >>> varied([{"units": 30, "rows": 5}, {"units": 10, "rows": 5}])
    {'units': [10, 30]}
    """
    found = {name: [*dict.fromkeys(one[name] for one in points)] for name in points[0]}
    ordered = {n: sorted(own) if is_numeric(own) else own for n, own in found.items()}
    return {name: own for name, own in ordered.items() if len(own) > 1}


def arrangements(
    points: Sequence[Mapping[str, Any]],
    *,
    stacked: bool = False,
    x: str | None = None,
    panels: Sequence[str] | None = None,
    at: Mapping[str, Any] | None = None,
) -> tuple[Grid, ...]:
    """Give every factor its place, and every scenario a page.

    The axis is `units` if the study varies it, else the first factor of numbers, else the first.
    Others make the panels, as far as there is room: the next two in the study's order where all
    find a place, else those by which there are fewest pages. Each combination of the levels of
    the rest has a page of its own, and levels beyond `MOST` go on to further pages.

    Parameters
    ----------
    points : sequence of dict
        The level of each factor in each scenario.
    stacked : bool
        Whether something else makes the rows of panels, such as terms; then factors have the
        columns, and `rows` is empty.
    x : str, optional
        The factor along the axis.
    panels : sequence of str, optional
        The factors of the panels, side by side and one below the other; at most two.
    at : dict, optional
        Levels that are shown alone, such as ``{"skew": 0}``.

    Returns
    -------
    tuple of Grid
        One for each page.

    Raises
    ------
    InputError
        If no scenario has these levels.

    Examples
    --------
    >>> points = [{"units": u, "rows": r, "cor": c}
    ...           for u in (10, 30) for r in (5, 15) for c in (0.0, 0.9)]
    >>> one, = arrangements(points)
    >>> one.axis, one.columns, one.rows
    ('units', ({'rows': 5}, {'rows': 15}), ({'cor': 0.0}, {'cor': 0.9}))
    >>> [page.held for page in arrangements(points, panels=["rows"])]
    [{'cor': 0.0}, {'cor': 0.9}]
    """
    known = varied(points)
    chosen = {name: level for name, level in (at or {}).items() if name in known}
    shown = [one for one in points if all(one[n] == level for n, level in chosen.items())]
    if not shown:
        words = ", ".join(said(name, level) for name, level in chosen.items())
        raise InputError(f"no point of the grid has {words}", allowed="levels that it has")
    free = [name for name in known if name not in chosen]
    axis = x if x is not None else _axis({name: known[name] for name in free})
    rest = [name for name in free if name != axis]
    wanted = [name for name in (rest if panels is None else panels) if name in rest]
    across, down = _facets(wanted, known, room_below=not stacked)
    left = [name for name in rest if name not in (*across, *down)]
    found = [
        (held, columns, rows)
        for held, here in _by_combination(shown, left, known)
        for rows in _chunks([own for own, _ in _by_combination(here, down, known)])
        for columns in _chunks([own for own, _ in _by_combination(here, across, known)])
    ]
    return tuple(
        Grid(axis, tuple(columns), tuple(rows), {**chosen, **held}, page=place, pages=len(found))
        for place, (held, columns, rows) in enumerate(found, start=1)
    )


def _axis(free: Mapping[str, Sequence[Any]]) -> str | None:
    numbers = [name for name, levels in free.items() if is_numeric(levels)]
    return "units" if "units" in numbers else next(iter([*numbers, *free]), None)


def _facets(
    wanted: Sequence[str], known: Mapping[str, Sequence[Any]], *, room_below: bool
) -> tuple[list[str], list[str]]:
    """Return the factors of the columns, the outer one first, and those of the rows."""
    sizes = {name: len(known[name]) for name in wanted}
    if room_below:
        two = [*wanted] if len(wanted) <= 2 else _widest(sizes, 2)
        return two[:1], two[1:]
    if not wanted:
        return [], []
    beside = [two for two in combinations(wanted, 2) if prod(sizes[name] for name in two) <= MOST]
    options = [*((name,) for name in _widest(sizes, 1)), *beside]
    best = max(options, key=lambda names: prod(map(_on_one_page, (sizes[n] for n in names))))
    return [*reversed(best)], []


def _on_one_page(size: int) -> float:
    """Return how many levels of a factor a page shows, on average."""
    return size / -(-size // MOST)


def _widest(sizes: Mapping[str, int], count: int) -> list[str]:
    """Return the factors by which there are fewest pages, in the study's order."""
    ranked = sorted(sizes, key=lambda name: -_on_one_page(sizes[name]))
    return [name for name in sizes if name in ranked[:count]]


def _by_combination(
    points: Sequence[Mapping[str, Any]], names: Sequence[str], known: Mapping[str, Sequence[Any]]
) -> list[tuple[dict[str, Any], list[Mapping[str, Any]]]]:
    """Return the combinations of levels that there are, in their order, each with its scenarios."""
    places = {name: {level: k for k, level in enumerate(known[name])} for name in names}
    groups: dict[tuple[int, ...], list[Mapping[str, Any]]] = {}
    for one in points:
        groups.setdefault(tuple(places[name][one[name]] for name in names), []).append(one)
    return [({name: own[0][name] for name in names}, own) for _, own in sorted(groups.items())]


def _chunks(combinations: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Cut into pieces for a page each, of one size as nearly as can be."""
    pieces = -(-len(combinations) // MOST)
    size = -(-len(combinations) // pieces)
    return [combinations[k : k + size] for k in range(0, len(combinations), size)]
