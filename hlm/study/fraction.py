"""Fractions of a grid: the points of the crossing that a study keeps, or leaves out.

A point names levels of some factors, and stands for every combination of levels that has them.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, TypeAlias

from hlm.errors import InputError, Mistakes, nearest
from hlm.words.levels import is_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hlm.study.grid import Axis

__all__ = ["check_keys", "middle", "picks_of"]

MAX_SCENARIOS = 100_000

Pick: TypeAlias = tuple[int, ...]
Point: TypeAlias = "list[set[int]]"


def check_keys(tree: Mapping[str, Any]) -> None:
    """Refuse a study that keeps and leaves out, or does so without a grid.

    Raises
    ------
    InputError
        At `keep` or `leave_out`.
    """
    there = [key for key in ("keep", "leave_out") if key in tree]
    if len(there) == 2:
        raise InputError(
            "'keep' and 'leave_out' are both there",
            path="leave_out",
            allowed="one of them: the points of the grid that are kept, or those left out",
        )
    if there and not tree.get("grid"):
        raise InputError(f"'{there[0]}' without a grid", path=there[0], allowed="with a key grid")


def picks_of(found: Sequence[Axis], tree: Mapping[str, Any]) -> tuple[Pick, ...]:
    """Return the points of a grid that a study has, the first axis varying slowest.

    Parameters
    ----------
    found : sequence of Axis
    tree : mapping
        The study as written; where what it keeps or leaves out are no points there are none.

    Returns
    -------
    tuple of tuple of int (n_axes,)
        The number of a level of each axis.

    Raises
    ------
    InputError
        If a point has a factor or a level that there is not, or adds nothing to those before it;
        or no scenario is left, or too many are.

    Examples
    --------
    >>> from hlm.study.grid import axes
    >>> grid = {"design.units": [10, 30], "design.rows": [5, 50]}
    >>> found = axes(grid, {"design": {"units": 10, "rows": 5}})
    >>> picks_of(found, {"leave_out": [{"units": 30, "rows": 50}]})
    ((0, 0), (0, 1), (1, 0))
    >>> picks_of(found, {"keep": [{"units": 30, "rows": 50}]})
    ((1, 1),)
    """
    if "keep" in tree:
        return _kept(found, tree["keep"]) if _are_points(tree["keep"]) else ()
    _check_count(math.prod(len(axis.levels) for axis in found), "grid")
    every = tuple(itertools.product(*(range(len(axis.levels)) for axis in found)))
    if "leave_out" not in tree:
        return every
    points = tree["leave_out"]
    return _left(found, points, every) if _are_points(points) else ()


def middle(found: Sequence[Axis], picks: Sequence[Pick]) -> int:
    """Return the position of the point that is nearest to the middle level of every axis.

    Of violated assumptions that is the level at which there are none.

    Examples
    --------
    >>> from hlm.study.grid import axes
    >>> found = axes({"design.units": [10, 30, 100]}, {"design": {"units": 10}})
    >>> middle(found, [(0,), (1,), (2,)]), middle(found, [(0,), (2,)])
    (1, 0)
    """

    def distance(place: int) -> float:
        steps = zip(picks[place], found, strict=True)
        return sum(abs(pick - axis.centre) / len(axis.levels) for pick, axis in steps)

    return min(range(len(picks)), key=distance, default=0)


def _are_points(value: Any) -> bool:
    """Tell whether a value is a list of points: what is none the schema names."""
    is_list = isinstance(value, list) and bool(value)
    return is_list and all(isinstance(point, dict) and point for point in value)


def _check_count(count: int, path: str) -> None:
    if count > MAX_SCENARIOS:
        raise InputError("too many scenarios", path=path, allowed=f"at most {MAX_SCENARIOS}")


def _kept(found: Sequence[Axis], points: Sequence[Mapping[str, Any]]) -> tuple[Pick, ...]:
    kept: set[Pick] = set()
    with Mistakes() as mistakes:
        for place, read in _read(found, points, "keep", mistakes):
            _check_count(len(kept) + math.prod(map(len, read)), "keep")
            new = set(itertools.product(*map(sorted, read)))
            mistakes.keep(_adds, new - kept, place)
            kept |= new
    return tuple(sorted(kept))


def _left(
    found: Sequence[Axis], points: Sequence[Mapping[str, Any]], every: tuple[Pick, ...]
) -> tuple[Pick, ...]:
    left = every
    with Mistakes() as mistakes:
        for place, read in _read(found, points, "leave_out", mistakes):
            before = left
            left = tuple(
                pick
                for pick in before
                if not all(one in levels for one, levels in zip(pick, read, strict=True))
            )
            if before:
                mistakes.keep(_adds, len(before) - len(left), place)
    if not left:
        problem = f"all of the {len(every)} scenarios are left out"
        raise InputError(problem, path="leave_out", allowed="points that leave some of the grid")
    return left


def _adds(new: Any, place: str) -> None:
    if not new:
        raise InputError("this point adds nothing to those before it", path=place)


def _read(
    found: Sequence[Axis], points: Sequence[Mapping[str, Any]], key: str, mistakes: Mistakes
) -> Iterator[tuple[str, Point]]:
    """Yield each point's place and its levels of each axis; what is wrong in it is kept."""
    for number, point in enumerate(points):
        place = f"{key}[{number}]"
        read = mistakes.keep(_point, found, point, place)
        if read is not None:
            yield place, read


def _point(found: Sequence[Axis], point: Mapping[str, Any], place: str) -> Point:
    levels = [set(range(len(axis.levels))) for axis in found]
    named: dict[int, str] = {}
    with Mistakes() as mistakes:
        for name, value in point.items():
            path = f"{place}.{name}"
            number = mistakes.keep(_number, name, found, path)
            if number is None:
                continue
            if number in named:
                problem = f"'{name}' and '{named[number]}' are one factor"
                mistakes.add(InputError(problem, path=path, allowed="each factor once"))
                continue
            named[number] = name
            levels[number] = mistakes.keep(_levels, found[number], value, path) or set()
    return levels


def _number(name: str, found: Sequence[Axis], path: str) -> int:
    """Return the number of the axis of a name, short or whole."""
    for number, axis in enumerate(found):
        if name in (axis.name, axis.path):
            return number
    names = [axis.name for axis in found]
    raise InputError(
        f"no factor '{name}' in the grid",
        path=path,
        allowed=", ".join(names),
        suggestion=nearest(name, [*names, *(axis.path for axis in found)]),
    )


def _levels(axis: Axis, value: Any, path: str) -> set[int]:
    """Return the numbers of the levels of a value: one of the axis, or a list of some of them."""
    is_whole = any(value in changes.values() for changes in axis.levels if len(changes) == 1)
    if not isinstance(value, list) or is_whole:
        return _level(axis, value, path)
    if not value:
        raise InputError("there is nothing in it", path=path, allowed="at least one level")
    with Mistakes() as mistakes:
        found = [mistakes.keep(_level, axis, one, f"{path}[{k}]") for k, one in enumerate(value)]
    return set().union(*(one for one in found if one))


def _level(axis: Axis, value: Any, path: str) -> set[int]:
    """Return the number of a level, by its label or as it is written in the grid."""
    pairs = enumerate(zip(axis.labels, axis.levels, strict=True))
    matches = {
        number
        for number, (label, changes) in pairs
        if is_level(label, str(value)) or (len(changes) == 1 and value in changes.values())
    }
    if matches:
        return matches
    raise InputError(
        f"no level '{value}' of {axis.name}",
        path=path,
        allowed=", ".join(map(str, axis.labels)),
        suggestion=_nearest(value, axis.labels),
    )


def _nearest(value: Any, labels: Iterable[Any]) -> str | None:
    """Return the level that is nearest to one that there is not: of numbers by their distance."""
    numbers = [one for one in labels if isinstance(one, int | float)]
    if numbers and isinstance(value, int | float):
        return str(min(numbers, key=lambda one: abs(one - value)))
    return nearest(str(value), map(str, labels))
