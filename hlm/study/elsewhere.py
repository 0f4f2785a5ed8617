"""Scenarios of a study at values that its grid does not have.

What is asked at other sample sizes or effects is what the study would be with these values in its
grid: the same checks, and the same keys, so the same random numbers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, Mistakes
from hlm.study.effect_sizes import completed
from hlm.study.from_data import from_data
from hlm.study.numeric import find_number, numbers_in
from hlm.study.reading import read_tree
from hlm.study.study import Study, resolve
from hlm.words.assumptions import ASSUMPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.scenario import Scenario
    from hlm.study.numeric import Numeric

__all__ = ["find_value", "numeric_values", "scenarios_at", "tree_of"]

AXIS = "elsewhere"
"""The factor of the grid whose levels are the points."""

OF_AXIS = re.compile(rf"(, | (?<=\(scenario )){AXIS} = p\d+")
"""Where a message names one of them."""


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
    return numbers_in(tree_of(study))


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
    return find_number(tree_of(study), word, place=place)


def scenarios_at(
    study: Study,
    points: Sequence[Mapping[str, float]],
    *,
    scenario: int = 0,
    independent: bool = False,
) -> tuple[Scenario, ...]:
    """Return the scenarios of a study at other values.

    Parameters
    ----------
    study : Study
    points : sequence of mapping of str to number
        Path -> value, the same paths in each, no two points alike.
    scenario : int
        Position of the scenario that has all other values.
    independent : bool
        Whether each has random numbers of its own where those of the study are common.

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
    for key in ("keep", "leave_out", "solve"):
        tree.pop(key, None)
    tree["grid"] = {**grid, AXIS: labels}
    if independent:
        tree["common_random_numbers"] = False
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
    problem = OF_AXIS.sub("", first.problem).replace(" (scenario)", "")
    return InputError(
        f"{problem} (with {values})", allowed=first.allowed, suggestion=first.suggestion
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


def tree_of(study: Study) -> dict[str, Any]:
    """Return the study as written, with what data give it."""
    written = read_tree(study.text, file=None).tree
    return completed(from_data(written, Path(study.folder), Mistakes()).tree)
