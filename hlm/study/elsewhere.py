"""Scenarios of a study at values that its grid does not have.

What is asked at other sample sizes or effects is what the study would be with these values in its
grid: the same checks, and the same keys, so the same random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, Mistakes, nearest
from hlm.study.effect_sizes import completed
from hlm.study.from_data import from_data
from hlm.study.reading import read_tree
from hlm.study.study import Study, resolve
from hlm.words.assumptions import ASSUMPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hlm.scenario import Scenario

__all__ = ["Numeric", "find_value", "numeric_values", "scenarios_at"]

AXIS = "elsewhere"
"""The factor of the grid whose levels are the points."""


@dataclass(frozen=True)
class Numeric:
    """A number in the truth or the design of a study.

    Attributes
    ----------
    path : str
        Such as ``design.units`` or ``truth.fixed.x:a``.
    name : str
        The shortest end of the path that no other one has.
    value : int or float or None
        As written above the grid; None where it is no single number there.
    gridded : tuple
        Its levels in the grid, in their order; empty where it is not varied there by itself.
    """

    path: str
    name: str
    value: float | None
    gridded: tuple[float, ...] = ()


def numeric_values(study: Study) -> tuple[Numeric, ...]:
    """Return the numbers of a study that can be varied, those of the sample sizes first.

    Examples
    --------
    >>> from hlm import Study
    >>> study = Study.of(
    ...     name="tiny", seed=1, replicates=10,
    ...     truth={"formula": "y ~ 1 + (1 | unit)", "fixed": {"(Intercept)": 0},
    ...            "random": {"unit": {"sd": {"(Intercept)": 1}}}, "residual": {"sd": 1}},
    ...     design={"units": 5, "rows": 4}, grid={"design.units": [5, 10]},
    ...     models={"mean": "y ~ 1 + (1 | unit)"},
    ... )
    >>> [(one.name, one.value, one.gridded) for one in numeric_values(study)]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('units', 5, (5, 10)), ('rows', 4, ()), ('fixed.(Intercept)', 0, ()),
     ('sd.(Intercept)', 1, ()), ('sd', 1, ())]
    """
    tree = _tree(study)
    grid = tree.get("grid") or {}
    found: dict[str, float | None] = {
        **dict(_leaves(tree.get("design"), "design")),
        **dict(_leaves(tree.get("truth"), "truth")),
    }
    for path, levels in grid.items():  # what is a number in the grid only, such as rows drawn else
        if _are_numbers(levels):
            found.setdefault(path, None)
    names = _short_names(list(found))
    return tuple(
        Numeric(path, names[path], value, tuple(grid[path]) if _are_numbers(grid.get(path)) else ())
        for path, value in found.items()
    )


def find_value(study: Study, word: str, *, place: str) -> Numeric:
    """Find a number of a study by its path, or by an end of it that is its own.

    Parameters
    ----------
    study : Study
    word : str
        Such as ``units``, ``x:a`` or ``truth.fixed.x:a``.
    place : str
        Where the user wrote it, for messages.

    Raises
    ------
    InputError
        No number of the study is called so, or several are.
    """
    known = numeric_values(study)
    fits = [one for one in known if one.path == word]
    fits = fits or [one for one in known if f".{one.path}".endswith(f".{word}")]
    fixed = [one for one in fits if one.path.startswith("truth.fixed.")]
    if len(fits) > 1 and len(fixed) == 1:  # a coefficient is what a bare term means
        fits = fixed
    if len(fits) == 1:
        return fits[0]
    names = [one.name for one in known]
    raise InputError(
        f"several numbers of the study end in '{word}'"
        if fits
        else f"'{word}' is no number of the study",
        path=place,
        allowed=", ".join(one.path for one in fits) if fits else ", ".join(names),
        suggestion=None if fits else nearest(word, [*names, *(one.path for one in known)]),
    )


def scenarios_at(
    study: Study, points: Sequence[Mapping[str, float]], *, scenario: int = 0
) -> tuple[Scenario, ...]:
    """Return the scenarios of a study at other values.

    Parameters
    ----------
    study : Study
    points : sequence of mapping of str to number
        Path -> value, the same paths in each, no two points alike.
    scenario : int
        Position of the scenario that has all other values.

    Raises
    ------
    InputError
        If the study cannot have one of the values.

    Examples
    --------
    >>> from hlm import Study
    >>> study = Study.of(
    ...     name="tiny", seed=1, replicates=10,
    ...     truth={"formula": "y ~ 1 + (1 | unit)", "fixed": {"(Intercept)": 0},
    ...            "random": {"unit": {"sd": {"(Intercept)": 1}}}, "residual": {"sd": 1}},
    ...     design={"units": 5, "rows": 4}, grid={"design.units": [5, 10]},
    ...     models={"mean": "y ~ 1 + (1 | unit)"},
    ... )
    >>> found = scenarios_at(study, [{"design.units": 7}, {"design.units": 10}])
    >>> [one.n_units for one in found], found[1].key == study.scenarios[1].key
    ([7, 10], True)
    """
    tree = dict(read_tree(study.text, file=None).tree)
    grid = _held(tree.get("grid") or {}, study.picks[scenario], set(points[0]))
    labels = {f"p{number}": dict(point) for number, point in enumerate(points)}
    for key in ("keep", "leave_out"):
        tree.pop(key, None)
    tree["grid"] = {**grid, AXIS: labels}
    try:
        found = resolve(tree, Path(study.folder), allow_code=study.allow_code)
    except InputError as error:
        raise _without_axis(error, points) from None
    own = study.levels[scenario].get(ASSUMPTIONS)
    both = zip(found["scenarios"], found["levels"], strict=True)
    return tuple(one for one, levels in both if levels.get(ASSUMPTIONS) == own)


def _without_axis(error: InputError, points: Sequence[Mapping[str, float]]) -> InputError:
    """Say of which values a mistake is, not where they were put."""
    first = error.errors[0]
    values = ", ".join(
        f"{path} from {min(p[path] for p in points):g} to {max(p[path] for p in points):g}"
        for path in points[0]
    )
    return InputError(
        f"{first.problem} (with {values})", allowed=first.allowed, suggestion=first.suggestion
    )


def _held(grid: Mapping[str, Any], picks: Sequence[int], varied: set[str]) -> dict[str, Any]:
    """Return a grid of the levels that a scenario has, without what is varied otherwise."""
    held: dict[str, Any] = {}
    # Assumptions that are violated have a level too, after those of the grid.
    for (path, levels), pick in zip(grid.items(), picks, strict=False):
        if path in varied:
            continue
        if isinstance(levels, dict):
            label = list(levels)[pick]
            held[path] = {label: levels[label]}
        else:
            held[path] = [levels[pick]]
    return held


def _tree(study: Study) -> dict[str, Any]:
    """Return the study as written, with what data give it."""
    written = read_tree(study.text, file=None).tree
    return completed(from_data(written, Path(study.folder), Mistakes()).tree)


def _leaves(here: Any, path: str) -> Iterator[tuple[str, float]]:
    """Yield the numbers below a path."""
    if isinstance(here, dict):
        for key, value in here.items():
            yield from _leaves(value, f"{path}.{key}")
    elif _is_number(here):
        yield path, here


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(levels: Any) -> bool:
    return isinstance(levels, list) and all(map(_is_number, levels))


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    """Return the shortest end of each path that is the end of no other one."""
    found = {}
    for path in paths:
        parts = path.split(".")
        ends = (".".join(parts[-n:]) for n in range(1, len(parts)))
        others = [other for other in paths if other != path]
        own = (e for e in ends if not any(f".{other}".endswith(f".{e}") for other in others))
        found[path] = next(own, path)
    return found
