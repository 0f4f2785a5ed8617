"""What a study seeks, and at which points of its grid."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, Mistakes
from hlm.estimands.true_values import targets
from hlm.study.elsewhere import tree_of
from hlm.study.messages import validate
from hlm.study.ranges import ranges_of
from hlm.study.schema_solve import Solve
from hlm.study.sought import sought_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hlm.scenario import Scenario
    from hlm.study.sought import Sought, Wanted
    from hlm.study.study import Study

__all__ = ["check_search", "check_true", "points_of", "sought_of", "true_value"]


def check_search(study: Study) -> None:
    """Refuse a search that cannot be made: beside `sought_in`, what the scenarios tell.

    Raises
    ------
    InputError
        A range has values that the study cannot have, a coverage is of what has no true value, or
        the power of what is 0 everywhere.
    """
    sought = sought_of(study)
    keys = {one.key for one in study.scenarios}
    places = [place for place, _ in points_of(study, sought, keys)]
    check_true(study, sought, places)
    ranges_of(study, sought.varied, places[0])


def sought_of(study: Study, options: Mapping[str, Any] | None = None) -> Sought:
    """Return what a study seeks, with options in the place of what its file says.

    Raises
    ------
    InputError
        Nothing is sought, or there is a mistake in it.
    """
    tree = tree_of(study)
    given = {name: value for name, value in (options or {}).items() if value is not None}
    written = {**(tree.get("solve") or {}), **given}
    if not written:
        raise InputError(
            "the study says nothing of a design to be found",
            path="solve",
            allowed="{target: {power: {TERM: 0.8}}, vary: units}",
        )
    return sought_in(validate(Solve, written, path="solve"), tree, study.models)


def points_of(study: Study, sought: Sought, keys: set[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the position of a scenario for each point of the grid without what varies.

    With it the levels of the rest of the grid; of the scenarios with some keys.
    """
    paths = {one.path for one in sought.varied}
    axes = list(tree_of(study).get("grid") or {})
    # Violated assumptions have a place too, after those of the grid.
    places = range(len(study.levels[0]))
    held = [place for place in places if place >= len(axes) or axes[place] not in paths]
    seen = set()
    for position, scenario in enumerate(study.scenarios):
        picks = tuple(study.picks[position][place] for place in held)
        if scenario.key in keys and picks not in seen:
            seen.add(picks)
            levels = list(study.levels[position].items())
            yield position, dict(levels[place] for place in held)


def check_true(study: Study, sought: Sought, places: Sequence[int]) -> None:
    """Refuse a coverage of what has no true value, and to look for nothing everywhere."""
    moved = {one.path for one in sought.varied}
    with Mistakes() as mistakes:
        for one in sought.wanted:
            path = f"solve.target.{one.word}.{one.of}"
            values = [true_value(study, study.scenarios[place], one) for place in places]
            if one.measure == "coverage" and any(map(isnan, values)):
                mistakes.add(
                    InputError(
                        f"'{one.of}' has no true value in the model '{one.model}'",
                        path=path,
                        allowed=f"models.{one.model}.true, or another term",
                    )
                )
            effects = any(path.startswith("truth.") for path in moved)
            if one.measure == "rejection" and not effects and not any(values):
                alpha = 1.0 - next(m.level for m in study.models if m.name == one.model)
                mistakes.add(
                    InputError(
                        f"'{one.of}' is 0 in the truth: its power is the size of its test, about "
                        f"{alpha:.4g}, in designs of any size",
                        path=path,
                        allowed="a truth in which it is not 0",
                    )
                )


def true_value(study: Study, scenario: Scenario, one: Wanted) -> float:
    """Return the true value of a target's term in a scenario; NaN where it is not known."""
    model = next((model for model in study.models if model.name == one.model), None)
    if model is None:
        return nan
    known = {target.term: float(target.true) for target in targets(scenario, model)}
    return known.get(one.of, nan)
