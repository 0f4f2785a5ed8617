"""Where a study is looked at: its scenarios over one of its numbers, and their twins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.study.elsewhere import find_value, numeric_values, scenarios_at
from hlm.study.reading import read_tree
from hlm.whatif.shown_rows import words_of
from hlm.whatif.twins import certain_twin, twin_without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hlm.scenario import Model, Scenario
    from hlm.study import Study
    from hlm.study.numeric import Numeric

__all__ = ["Point", "Twins", "number_varied", "points_over", "twins_of", "with_twins"]


@dataclass(frozen=True)
class Twins:
    """The twins of scenarios.

    Attributes
    ----------
    without : dict of (str, str, str) to Scenario
        Key of a scenario, model and term -> the twin without what is tested.
    certain : dict of str to Scenario
        Key of a scenario with uncertain parameters -> the twin at the values written.
    """

    without: Mapping[tuple[str, str, str], Scenario]
    certain: Mapping[str, Scenario]

    def __iter__(self) -> Iterator[tuple[str, Scenario]]:
        """Yield the key of each scenario with each of its twins."""
        yield from ((key, twin) for (key, _, _), twin in self.without.items())
        yield from self.certain.items()


@dataclass(frozen=True)
class Point:
    """A scenario, the value of what is varied in it, and its other levels."""

    scenario: Scenario
    at: float | None
    levels: dict[str, Any]
    others: dict[str, Any]


def number_varied(study: Study, over: str | None, values: Sequence[float] | None) -> Numeric | None:
    """Return which number is varied."""
    if over is not None:
        found = find_value(study, over, place="over")
        if values is None and not found.gridded:
            raise InputError(
                f"{found.path} is not in the grid, so it has no values",
                path="over",
                allowed=f"values for it, or levels in the study file: {found.path}: [10, 20, 40]",
            )
        return found
    known = [one for one in numeric_values(study) if len(one.gridded) > 1]
    first = [one for one in known if one.path == "design.units"] or known[:1]
    if values is not None:
        raise InputError("values of nothing", path="values", allowed="together with over")
    if len(known) > 1 and known != first and first[0].path != "design.units":
        names = ", ".join(one.name for one in known)
        raise InputError("several numbers are in the grid", path="over", allowed=names)
    return first[0] if first else None


def points_over(
    study: Study, varied: Numeric | None, values: Sequence[float] | None
) -> list[Point]:
    """Return the scenarios, those with all other levels alike one after the other."""
    if varied is None:
        return [
            Point(s, None, dict(own), dict(own))
            for s, own in zip(study.scenarios, study.levels, strict=True)
        ]
    place = list(_grid(study)).index(varied.path) if varied.gridded else None
    name = list(study.levels[0])[place] if place is not None else varied.name
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, own in enumerate(study.levels):
        others = tuple((k, v) for k, v in own.items() if k != name)
        groups.setdefault(others, []).append(number)
    found = []
    for others, numbers in groups.items():
        if values is None:
            pairs = [(study.levels[k][name], study.scenarios[k]) for k in numbers]
        else:
            wanted = sorted(dict.fromkeys(values))
            at = [{varied.path: value} for value in wanted]
            pairs = [*zip(wanted, scenarios_at(study, at, scenario=numbers[0]), strict=True)]
        for value, scenario in sorted(pairs, key=lambda pair: pair[0]):
            found.append(Point(scenario, value, {**dict(others), name: value}, dict(others)))
    return found


def _grid(study: Study) -> Iterable[str]:
    return list(read_tree(study.text, file=None).tree.get("grid") or {})


def twins_of(points: Sequence[Point], models: Sequence[Model], terms: Sequence[str]) -> Twins:
    """Return the twins of scenarios: for each model and term without it, and certain ones."""
    found = {}
    for point, model in product(points, models):
        known = {name for _, name in words_of(point.scenario, [model])}
        for term in (term for term in terms if term in known):
            twin = twin_without(point.scenario, model, term)
            if twin is not None:
                found[point.scenario.key, model.name, term] = twin
    certain = {point.scenario.key: certain_twin(point.scenario) for point in points}
    return Twins(found, {key: twin for key, twin in certain.items() if twin is not None})


def with_twins(points: Sequence[Point], twins: Twins) -> Iterator[Point]:
    """Yield the points, then each twin as one, at the value of the scenario whose twin it is."""
    yield from points
    nominal = {point.scenario.key: point for point in points}
    for key, twin in twins:
        yield replace(nominal[key], scenario=twin)
