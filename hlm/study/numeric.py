"""The numbers in the truth and the design of a study, as a user may name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Numeric", "find_number", "numbers_in"]


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


def numbers_in(tree: Mapping[str, Any]) -> tuple[Numeric, ...]:
    """Return the numbers of a study that can be varied, those of the sample sizes first.

    Parameters
    ----------
    tree : mapping
        The study as written, with what data give it.

    Examples
    --------
    >>> tree = {"truth": {"fixed": {"x": 0.5}}, "design": {"units": 5, "rows": 4},
    ...         "grid": {"design.units": [5, 10]}}
    >>> [(one.name, one.value, one.gridded) for one in numbers_in(tree)]
    [('units', 5, (5, 10)), ('rows', 4, ()), ('x', 0.5, ())]
    """
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


def find_number(tree: Mapping[str, Any], word: str, *, place: str) -> Numeric:
    """Find a number of a study by its path, or by an end of it that is its own.

    Parameters
    ----------
    tree : mapping
        As for `numbers_in`.
    word : str
        Such as ``units``, ``x:a`` or ``truth.fixed.x:a``.
    place : str
        Where the user wrote it, for messages.

    Raises
    ------
    InputError
        No number of the study is called so, or several are.
    """
    known = numbers_in(tree)
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
