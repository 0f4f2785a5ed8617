"""The grid: paths into truth and design, their levels, and all combinations of these.

Names in a path may themselves hold dots (``truth.fixed.sd.x``): a path is read by walking down
the study, at each mapping along the longest key that leads to the end.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, Mistakes, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Axis", "axes", "cross"]

MAX_SCENARIOS = 100_000

# Columns of the result files, which a short name must not hide.
_COLUMNS = frozenset(
    (
        *("scenario", "replicate", "model", "method", "term", "true", "measure", "estimate"),
        *("mcse", "n", "criterion", "rate", "n_units", "n_rows"),
    )
)


@dataclass(frozen=True)
class Axis:
    """One key of the grid.

    Attributes
    ----------
    path : str
        As written in the study.
    keys : tuple of str
        The same, as the keys to walk along.
    name : str
        The shortest end of the path that no other axis has.
    levels : tuple
        As written.
    labels : tuple
        The levels as the values of a column: all whole numbers, all numbers or all texts.
    """

    path: str
    keys: tuple[str, ...]
    name: str
    levels: tuple[Any, ...]
    labels: tuple[Any, ...]


def axes(grid: Mapping[str, Sequence[Any]], study: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Read the grid of a study.

    Parameters
    ----------
    grid : mapping of str to sequence
    study : mapping
        The truth and the design, defaults filled in.

    Raises
    ------
    InputError
        If a path leads nowhere, two axes are one below the other, a level is there twice, or
        there are too many scenarios.

    Examples
    --------
    >>> [axis] = axes({"design.units": [10, 30]}, {"design": {"units": 5}})
    >>> axis.name, axis.keys, axis.labels
    ('units', ('design', 'units'), (10, 30))
    """
    with Mistakes() as mistakes:
        led = {path: mistakes.keep(_walk, path, study) for path in grid}
        walks = {path: keys for path, keys in led.items() if keys is not None}
        mistakes.keep(_refuse_overlaps, walks)
        for path in grid:
            mistakes.keep(_refuse_duplicates, path, grid[path])
    found = tuple(
        Axis(path, keys, _short(path, keys, grid), tuple(grid[path]), _labels(grid[path]))
        for path, keys in walks.items()
    )
    if math.prod(len(axis.levels) for axis in found) > MAX_SCENARIOS:
        raise InputError("too many scenarios", path="grid", allowed=f"at most {MAX_SCENARIOS}")
    return found


def cross(
    found: Sequence[Axis], tree: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield, for every combination of levels, these and the tree with them put in.

    The first axis varies slowest. Trees share what they have in common.

    Examples
    --------
    >>> tree = {"design": {"units": 5, "rows": 2}}
    >>> list(cross(axes({"design.units": [10]}, tree), tree))
    [({'units': 10}, {'design': {'units': 10, 'rows': 2}})]
    """
    for picks in itertools.product(*(range(len(axis.levels)) for axis in found)):
        changed = tree
        for axis, pick in zip(found, picks, strict=True):
            changed = _put(changed, axis.keys, axis.levels[pick])
        labels = {axis.name: axis.labels[pick] for axis, pick in zip(found, picks, strict=True)}
        yield labels, changed


def _put(tree: dict[str, Any], keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a copy of the tree with one value replaced."""
    first, *rest = keys
    return tree | {first: _put(tree.get(first, {}), tuple(rest), value) if rest else value}


def _walk(path: str, study: Mapping[str, Any]) -> tuple[str, ...]:
    """Turn a path into keys, or say how far it leads."""
    keys: tuple[str, ...] = ()
    here: Any = study
    rest = path
    while rest:
        steps = here if isinstance(here, dict) else {}
        fits = [key for key in steps if rest == key or rest.startswith(f"{key}.")]
        if not fits:
            raise _lost(path, rest, keys, steps)
        key = max(fits, key=len)
        keys, here, rest = (*keys, key), steps[key], rest[len(key) + 1 :]
    if len(keys) < 2:
        raise InputError(
            "no part of the study to vary",
            path=f"grid.{path}",
            allowed="a path such as design.units",
        )
    return keys


def _lost(path: str, rest: str, keys: tuple[str, ...], steps: Mapping[str, Any]) -> InputError:
    above = ".".join(keys)
    first, *tail = rest.split(".", 1)
    near = nearest(first, steps)
    if near is None:
        near, tail = nearest(rest, steps), []
    return InputError(
        f"'{path}' is no path of this study: {f'{above} has' if above else 'there is'} no '{rest}'",
        path=f"grid.{path}",
        allowed=", ".join(".".join([*keys, step]) for step in steps) or f"{above} itself",
        suggestion=".".join([*keys, near, *tail]) if near else None,
    )


def _refuse_overlaps(walks: Mapping[str, tuple[str, ...]]) -> None:
    with Mistakes() as mistakes:
        for (path, keys), (other, others) in itertools.permutations(walks.items(), 2):
            if others[: len(keys)] == keys:
                problem = f"'{other}' is a part of '{path}'"
                mistakes.add(InputError(problem, path=f"grid.{other}"))


def _short(path: str, keys: tuple[str, ...], paths: Iterable[str]) -> str:
    for count in range(1, len(keys)):
        name = ".".join(keys[-count:])
        if name not in _COLUMNS and sum(f".{other}".endswith(f".{name}") for other in paths) == 1:
            return name
    return path


def _labels(levels: Sequence[Any]) -> tuple[Any, ...]:
    """Give all levels of an axis one type."""
    kinds = {type(level) for level in levels}
    if len(kinds) == 1 and kinds <= {int, float, str, bool}:
        return tuple(levels)
    if kinds == {int, float}:
        return tuple(float(level) for level in levels)
    return tuple(x if isinstance(x, str) else json.dumps(x, separators=(",", ":")) for x in levels)


def _refuse_duplicates(path: str, levels: Sequence[Any]) -> None:
    seen = set()
    with Mistakes() as mistakes:
        for i, level in enumerate(levels):
            value = json.dumps(level) if isinstance(level, list | dict) else level
            if value in seen:
                problem = f"the level {level} is there twice"
                mistakes.add(InputError(problem, path=f"grid.{path}[{i}]"))
            seen.add(value)
