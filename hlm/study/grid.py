"""The grid: paths into truth and design, their levels, and all combinations of these.

Names in a path may themselves hold dots (``truth.fixed.sd.x``): a path is read by walking down
the study, at each mapping along the longest key that leads to the end. A key of the grid that is no
path names values that vary together.
"""

from __future__ import annotations

import itertools
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from hlm.errors import InputError, Mistakes, nearest
from hlm.study.labels import given, made
from hlm.study.schema import Design, Residual, Truth
from hlm.study.sized import sized_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    Levels: TypeAlias = "Sequence[Any] | Mapping[str, Any]"

__all__ = ["Axis", "Derived", "axes", "changes", "cross", "keys_of_path", "put"]

Keys: TypeAlias = tuple[str, ...]

# Columns of the result files, which a short name must not hide.
_COLUMNS = frozenset(
    (
        *("scenario", "replicate", "model", "method", "term", "kind", "true", "measure"),
        *("estimate", "mcse", "n", "n_total", "unbounded", "criterion", "rate"),
        *("n_units", "n_rows"),
    )
)
_NAME = re.compile(r"[^\W\d][\w.-]*")
_TOGETHER = "NAME: {LABEL: {PATH: value, PATH: value}, ...}, such as icc: {low: {...}, high: {...}}"


@runtime_checkable
class Derived(Protocol):
    """A value that is made of the one that it replaces."""

    def of(self, value: Any) -> Any:
        """Return it."""


@dataclass(frozen=True)
class Axis:
    """One key of the grid, or the violated assumptions of a study.

    Attributes
    ----------
    path : str
        As written in the study: a path, or a name of its own.
    name : str
        The shortest end of the path that no other axis has and that is no name of a term; or the
        name of its own.
    levels : tuple of dict of tuple of str to value
        For each level, the keys to walk along -> the value there.
    labels : tuple
        The levels as the values of a column: all whole numbers, all numbers or all texts.
    places : tuple of dict of tuple of str to str
        Of violated assumptions: for each level, keys -> where in the study their value stands. The
        first level violates none.
    """

    path: str
    name: str
    levels: tuple[dict[Keys, Any], ...]
    labels: tuple[Any, ...]
    places: tuple[dict[Keys, str], ...] = field(default=())

    @property
    def keys(self) -> list[Keys]:
        """The keys of the values that it varies."""
        return list(dict.fromkeys(keys for level in self.levels for keys in level))

    @property
    def centre(self) -> int:
        """The number of the level that stands for all: the middle one, or that of no violation."""
        return 0 if self.places else len(self.levels) // 2

    def places_of(self, label: Any) -> Iterator[tuple[str, str]]:
        """Yield the paths of the values that a level sets, and where in the study they stand."""
        if not self.places:
            yield from ((".".join(keys), f"grid.{self.path}") for keys in self.keys)
            return
        places = self.places[self.labels.index(label)]
        yield from ((".".join(keys), place) for keys, place in places.items())


def axes(grid: Mapping[str, Levels], study: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Read the grid of a study.

    Parameters
    ----------
    grid : mapping of str to sequence or mapping
        The levels of each path, as a list, or under labels; or, under a name that is no path, the
        values of several paths under labels.
    study : mapping
        The truth and the design, defaults filled in.

    Raises
    ------
    InputError
        If a path leads nowhere, two axes vary one value, or a level is there twice.

    Examples
    --------
    >>> [axis] = axes({"design.units": [10, 30]}, {"design": {"units": 5}})
    >>> axis.name, axis.labels
    ('units', (10, 30))
    >>> [axis] = axes({"size": {"small": {"design.units": 5, "design.rows": 2},
    ...                         "large": {"design.units": 50, "design.rows": 20}}},
    ...               {"design": {"units": 5, "rows": 2}})
    >>> axis.name, axis.labels, axis.levels[1]
    ('size', ('small', 'large'), {('design', 'units'): 50, ('design', 'rows'): 20})
    """
    names = names_of_terms(study)
    with Mistakes() as mistakes:
        read = (
            mistakes.keep(_together, name, levels, study, names)
            if _varies_together(name, levels)
            else mistakes.keep(_single, name, levels, study, list(grid), names)
            for name, levels in grid.items()
        )
        found = tuple(axis for axis in read if axis is not None)
        mistakes.keep(_refuse_overlaps, found)
    return found


def names_of_terms(study: Mapping[str, Any]) -> set[str]:
    """Return the names of covariates, coefficients and random effects: none names a factor."""
    truth, design = study.get("truth", {}), study.get("design", {})
    random = (truth.get("random") or {}).values()
    effects = [name for part in random for name in part["sd"]]
    sized = set().union(*sized_names(truth))
    return {*(design.get("covariates") or ()), *(truth.get("fixed") or ()), *effects, *sized}


def _varies_together(name: str, levels: Levels) -> bool:
    return isinstance(levels, dict) and name.split(".")[0] not in ("truth", "design")


def _single(
    path: str, levels: Levels, study: Mapping[str, Any], paths: Sequence[str], names: set[str]
) -> Axis:
    """Read the levels of one path."""
    if path in ("keep", "leave_out"):
        raise InputError(
            f"'{path}' is no factor of the grid",
            path=f"grid.{path}",
            allowed=f"a key {path} beside grid, not in it",
        )
    keys = keys_of_path(path, f"grid.{path}", study)
    values = list(levels.values()) if isinstance(levels, dict) else list(levels)
    labels = given(levels, path) if isinstance(levels, dict) else made(values)
    axis = Axis(path, _short(path, keys, paths, names), tuple({keys: v} for v in values), labels)
    _refuse_duplicates(axis, levels)
    return axis


def _together(name: str, levels: Levels, study: Mapping[str, Any], names: set[str]) -> Axis:
    """Read the levels of values that vary together."""
    place = f"grid.{name}"
    if not _NAME.fullmatch(name) or name in _COLUMNS or name in names:
        raise InputError(
            f"'{name}' cannot name values that vary together",
            path=place,
            allowed="letters, digits, _ . -, a letter first; no column of the results, no term",
        )
    found = []
    for label, values in dict(levels).items():
        if not isinstance(values, dict) or not values:
            raise InputError(
                f"'{name}' is no path of this study, and its level '{label}' no mapping of paths "
                "to values",
                path=f"{place}.{label}",
                allowed=f"a path such as design.units; or {_TOGETHER}",
            )
        found.append({keys_of_path(p, f"{place}.{label}.{p}", study): v for p, v in values.items()})
        if found[-1].keys() != found[0].keys():
            raise InputError(
                f"the level '{label}' sets other values than the one before it",
                path=f"{place}.{label}",
                allowed=", ".join(".".join(keys) for keys in found[0]),
            )
    return Axis(name, name, tuple(found), given(levels, name))


def changes(
    grid: Mapping[str, Levels], tree: dict[str, Any]
) -> Iterator[tuple[str, Keys, dict[str, Any], dict[str, Any]]]:
    """Yield each value that a grid sets, by itself, though the rest of the grid may be wrong.

    Yields
    ------
    place : str
        The path of the value in the study.
    keys : tuple of str
        Those of the value that it changes, which begin with the section.
    changed, whatever : dict
        The tree with the value put in, and with one in its place that no key allows.

    Examples
    --------
    >>> tree = {"design": {"units": 5}}
    >>> [(place, changed) for place, _, changed, _ in changes({"design.units": [10]}, tree)]
    [('grid.design.units[0]', {'design': {'units': 10}})]
    """
    for place, path, value in _values(grid):
        keys = _keys_of(path, place, tree)
        if keys:
            yield place, keys, put(tree, keys, value), put(tree, keys, object())


def _keys_of(path: str, place: str, tree: dict[str, Any]) -> Keys:
    """Return the keys of a path, the last of which may be left out in the tree; none if lost."""
    with suppress(InputError):
        return keys_of_path(path, place, tree)
    above, _, last = path.rpartition(".")
    with suppress(InputError):
        keys = keys_of_path(above, place, tree)
        if isinstance(reduce(getitem, keys, tree), dict):
            return (*keys, last)
    return ()


def _values(grid: Mapping[str, Levels]) -> Iterator[tuple[str, str, Any]]:
    """Yield the values of a grid: where each stands, the path that it is for, and itself."""
    for name, levels in grid.items():
        together, labelled = _varies_together(name, levels), isinstance(levels, dict)
        for label, value in levels.items() if isinstance(levels, dict) else enumerate(levels):
            place = f"grid.{name}.{label}" if labelled else f"grid.{name}[{label}]"
            if not together:
                yield place, name, value
            elif isinstance(value, dict):
                yield from ((f"{place}.{path}", path, one) for path, one in value.items())


def cross(
    found: Sequence[Axis], points: Iterable[tuple[int, ...]], tree: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield, for every point of the grid, its levels and the tree with them put in.

    Trees share what they have in common.

    Parameters
    ----------
    found : sequence of Axis
    points : iterable of tuple of int (n_axes,)
        The number of a level of each axis.
    tree : dict

    Examples
    --------
    >>> tree = {"design": {"units": 5, "rows": 2}}
    >>> list(cross(axes({"design.units": [10, 30]}, tree), [(1,)], tree))
    [({'units': 30}, {'design': {'units': 30, 'rows': 2}})]
    """
    for picks in points:
        changed = tree
        for axis, pick in zip(found, picks, strict=True):
            for keys, value in axis.levels[pick].items():
                changed = put(changed, keys, value)
        yield labels_at(found, picks), changed


def labels_at(found: Sequence[Axis], picks: tuple[int, ...]) -> dict[str, Any]:
    """Return the label of each axis at a point of the grid."""
    return {axis.name: axis.labels[pick] for axis, pick in zip(found, picks, strict=True)}


def put(tree: dict[str, Any], keys: Keys, value: Any) -> dict[str, Any]:
    """Return a copy of the tree with one value replaced."""
    first, *rest = keys
    if rest:
        return tree | {first: put(tree.get(first, {}), tuple(rest), value)}
    return tree | {first: value.of(tree.get(first)) if isinstance(value, Derived) else value}


def keys_of_path(path: str, place: str, study: Mapping[str, Any]) -> Keys:
    """Turn a path into keys, or say how far it leads.

    Parameters
    ----------
    path : str
    place : str
        Where in the study it stands.
    study : mapping
        The truth and the design, defaults filled in.

    Raises
    ------
    InputError
        If it leads nowhere.
    """
    keys: Keys = ()
    here: Any = study
    rest = path
    while rest:
        steps = here if isinstance(here, dict) else {}
        fits = [key for key in steps if rest == key or rest.startswith(f"{key}.")]
        if not fits:
            raise _lost(path, place, rest, keys, steps)
        key = max(fits, key=len)
        keys, here, rest = (*keys, key), steps[key], rest[len(key) + 1 :]
    if len(keys) < 2:
        raise InputError(
            "no part of the study to vary", path=place, allowed="a path such as design.units"
        )
    return keys


_OTHER_NAMES: dict[Keys, dict[str, str]] = {
    ("design",): Design.synonyms,
    ("truth",): Truth.synonyms,
    ("truth", "residual"): Residual.synonyms,
}
"""What users call keys, by those that lead to them."""


def _lost(path: str, place: str, rest: str, keys: Keys, steps: Mapping[str, Any]) -> InputError:
    above = ".".join(keys)
    first, *tail = rest.split(".", 1)
    meant = _OTHER_NAMES.get(keys, {}).get(first.lower())
    before = () if meant and meant.split(".")[0] in ("truth", "design") else keys
    near = meant or nearest(first, steps)
    if near is None:
        near, tail = nearest(rest, steps), []
    return InputError(
        f"'{path}' is no path of this study: {f'{above} has' if above else 'there is'} no '{rest}'",
        path=place,
        allowed=", ".join(".".join([*keys, step]) for step in steps) or f"{above} itself",
        suggestion=".".join([*before, near, *tail]) if near else None,
    )


def _refuse_overlaps(found: Sequence[Axis]) -> None:
    """Refuse a value that is varied twice, by itself or as a part of another."""
    varied = [(axis.path, keys) for axis in found for keys in axis.levels[0]]
    with Mistakes() as mistakes:
        for (_, keys), (other, others) in itertools.permutations(varied, 2):
            if others[: len(keys)] == keys and others != keys:
                problem = f"'{'.'.join(others)}' is a part of '{'.'.join(keys)}'"
                mistakes.add(InputError(problem, path=f"grid.{other}"))
        for (_, keys), (other, others) in itertools.combinations(varied, 2):
            if others == keys:
                problem = f"'{'.'.join(keys)}' is varied twice"
                mistakes.add(InputError(problem, path=f"grid.{other}"))


def _short(path: str, keys: Keys, paths: Collection[str], names: set[str]) -> str:
    for count in range(1, len(keys)):
        name = ".".join(keys[-count:])
        taken = name in _COLUMNS or name in names
        if not taken and sum(f".{other}".endswith(f".{name}") for other in paths) == 1:
            return name
    return path


def _refuse_duplicates(axis: Axis, levels: Levels) -> None:
    seen = set()
    named = isinstance(levels, dict)
    places = list(levels) if named else range(len(levels))
    with Mistakes() as mistakes:
        for place, changes in zip(places, axis.levels, strict=True):
            (level,) = changes.values()
            value = json.dumps(level) if isinstance(level, list | dict) else level
            if value in seen:
                path = f"grid.{axis.path}.{place}" if named else f"grid.{axis.path}[{place}]"
                mistakes.add(InputError(f"the level {level} is there twice", path=path))
            seen.add(value)
