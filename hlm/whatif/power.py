"""A study -> how often its tests reject, over one of its numbers; where that is often enough.

Beside power stands the size: the rate of rejections in a twin of each scenario, which lacks what is
tested and is made of the same random numbers. A replicate without a test counts neither way, and
how many do is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.measures.share_limits import share_limits
from hlm.precision import SHARES, Target
from hlm.study.elsewhere import find_value, numeric_values, scenarios_at
from hlm.whatif.asked_terms import terms_named, usual_terms
from hlm.whatif.preview import REPLICATES, growing
from hlm.whatif.shown_rows import words_of
from hlm.whatif.twins import twin_without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from hlm.scenario import Model, Scenario
    from hlm.study import Study
    from hlm.study.elsewhere import Numeric
    from hlm.whatif.preview_results import Results

__all__ = ["Curve", "Power", "PowerPoint", "Rate", "power", "power_growing"]

KEYS = ("scenario", "model", "method", "term", "inference")

LEVEL = 0.95
"""Of the intervals of simulated values."""


@dataclass(frozen=True)
class Rate:
    """A simulated measure with its error.

    Attributes
    ----------
    value, mcse : float
    low, high : float
        Its 95 % interval: Wilson's for a share.
    n, drawn : int
        Replicates that count, of so many.
    """

    value: float
    mcse: float
    low: float
    high: float
    n: int
    drawn: int


@dataclass(frozen=True)
class PowerPoint:
    """A measure of a term in a scenario.

    Attributes
    ----------
    at : float or None
        The value of the number that is varied.
    scenario : Scenario
    word : str
        What the rate is: power, or size where the effect is 0 already.
    rate : Rate
    size : Rate or None
        In the twin without the effect; None for other measures than the rate of rejection, and
        where there is no such twin.
    failed, singular : float
        Shares of the fits.
    """

    at: float | None
    scenario: Scenario
    word: str
    rate: Rate
    size: Rate | None
    failed: float
    singular: float


@dataclass(frozen=True)
class Curve:
    """A measure of a term by one fit, over a number of the study.

    Attributes
    ----------
    levels : dict
        The other levels of the grid.
    model, method, term, inference, measure : str
    points : tuple of PowerPoint
        From the least value to the largest.
    """

    levels: Mapping[str, Any]
    model: str
    method: str
    term: str
    inference: str
    measure: str
    points: tuple[PowerPoint, ...]


@dataclass(frozen=True)
class Power:
    """Rates over one number of a study.

    Attributes
    ----------
    study : Study
    over : Numeric or None
        What is varied; None where nothing is.
    measure : str
    curves : tuple of Curve
    data_sets : int
        Drawn so far, of twins too.
    """

    study: Study
    over: Numeric | None
    measure: str
    curves: tuple[Curve, ...]
    data_sets: int


def power(study: Study, **options: Any) -> Power:
    """Return the rates of rejections of a study's tests; see `power_growing`.

    Examples
    --------
    >>> from hlm import Study
    >>> study = Study.of(
    ...     name="trial", seed=1, replicates=100,
    ...     truth={"formula": "y ~ arm + (1 | school)", "fixed": {"(Intercept)": 0, "arm": 0.5},
    ...            "random": {"school": {"sd": {"(Intercept)": 0.3}}}, "residual": {"sd": 1}},
    ...     design={"units": 20, "rows": 20,
    ...             "covariates": {"arm": {"level": "unit", "balanced": [0, 1]}}},
    ...     grid={"design.units": [10, 20]},
    ...     models={"trial": "y ~ arm + (1 | school)"},
    ...     estimation={"methods": ["reml"]},
    ... )
    >>> found = power(study, terms=["arm"], replicates=200)
    >>> [(point.at, point.word) for point in found.curves[0].points]
    [(10, 'power'), (20, 'power')]
    """
    *_, last = power_growing(study, **options)
    return last


def power_growing(
    study: Study,
    *,
    terms: Sequence[str] | None = None,
    over: str | None = None,
    values: Sequence[float] | None = None,
    measure: str = "rejection",
    replicates: int = REPLICATES,
    mcse: float | None = None,
    cores: int | None = None,
) -> Iterator[Power]:
    """Yield what is known after each piece of work.

    Parameters
    ----------
    study : Study
    terms : sequence of str, optional
        Coefficients and tests; by default all that is tested.
    over : str, optional
        The number that is varied, by its path or an end of it, such as ``units``; by default the
        only one with levels in the grid, or the number of units if it has any.
    values : sequence of number, optional
        Its values, where they are not those of the grid.
    measure : str
        The rate of rejections, or any other measure of a term.
    replicates : int
        Data sets of each scenario; with `mcse` the most.
    mcse : float, optional
        Stop where the measure has this Monte Carlo standard error.
    cores : int, optional

    Raises
    ------
    InputError
        A term, or a number, is none of the study's; or a number has no values.
    """
    named = terms_named(study.models, terms or (), place="terms") or usual_terms(study.models)
    varied = _varied(study, over, values)
    points = _points(study, varied, values)
    twins = _twins(points, study.models, named) if measure == "rejection" else {}
    if mcse is not None and not mcse > 0.0:
        raise InputError(f"{mcse} is not allowed", path="mcse", allowed="a number above 0")
    targets = [Target(measure, term, mcse) for term in named if mcse is not None]
    alone = {one.scenario.key: one for one in (*points, *_as_points(twins.values(), points))}
    for found in growing(
        study,
        replicates=replicates,
        scenarios=[one.scenario for one in alone.values()],
        levels=[one.levels for one in alone.values()],
        terms=named,
        targets=targets,
        cores=cores,
    ):
        yield _Read(study, varied, measure, named, points, twins).at(found)


@dataclass(frozen=True)
class _Point:
    """A scenario, the value of what is varied in it, and its other levels."""

    scenario: Scenario
    at: float | None
    levels: dict[str, Any]
    others: dict[str, Any]


def _varied(study: Study, over: str | None, values: Sequence[float] | None) -> Numeric | None:
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


def _points(study: Study, varied: Numeric | None, values: Sequence[float] | None) -> list[_Point]:
    """Return the scenarios, those with all other levels alike one after the other."""
    if varied is None:
        return [
            _Point(s, None, dict(own), dict(own))
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
            found.append(_Point(scenario, value, {**dict(others), name: value}, dict(others)))
    return found


def _grid(study: Study) -> Iterable[str]:
    from hlm.study.reading import read_tree

    return list(read_tree(study.text, file=None).tree.get("grid") or {})


def _twins(
    points: Sequence[_Point], models: Sequence[Model], terms: Sequence[str]
) -> dict[tuple[str, str, str], Scenario]:
    """Return the twin of each scenario, model and term that has one of its own."""
    found = {}
    for point in points:
        for model in models:
            known = {name for of, name in words_of(point.scenario, [model])}
            for term in (term for term in terms if term in known):
                twin = twin_without(point.scenario, model, term)
                if twin is not None:
                    found[point.scenario.key, model.name, term] = twin
    return found


def _as_points(twins: Iterable[Scenario], points: Sequence[_Point]) -> Iterator[_Point]:
    nominal = {point.scenario.streams: point for point in points}
    known = {point.scenario.key for point in points}
    for twin in twins:
        if twin.key not in known:
            yield replace(nominal[twin.streams], scenario=twin)


@dataclass(frozen=True)
class _Read:
    """Reads curves from the results of points and twins."""

    study: Study
    varied: Numeric | None
    measure: str
    terms: Sequence[str]
    points: Sequence[_Point]
    twins: Mapping[tuple[str, str, str], Scenario]

    def at(self, found: Results) -> Power:
        drawn = sum(found.replicates_of(scenario.key) for scenario in found.scenarios)
        curves = tuple(self._curves(found)) if drawn else ()
        return Power(self.study, self.varied, self.measure, curves, drawn)

    def _curves(self, found: Results) -> Iterator[Curve]:
        frame = found.measures
        policy = self.study.policies[0]
        its = frame[frame["policy"].isin(["", policy])]
        of_measure = its[its["measure"] == self.measure]
        rates = self._rates(of_measure, found)
        keys = dict.fromkeys(
            zip(*(of_measure[k] for k in ("model", "method", "term", "inference")), strict=True)
        )
        ends = _shares_of_fits(its)
        words = {one.scenario.key: words_of(one.scenario, found.models) for one in self.points}
        groups: dict[tuple[Any, ...], list[_Point]] = {}
        for point in self.points:
            groups.setdefault(tuple(point.others.items()), []).append(point)
        for others, points in groups.items():
            for key in keys:
                there = [
                    PowerPoint(
                        point.at,
                        point.scenario,
                        words[point.scenario.key][key[0], key[2]]
                        if self.measure == "rejection"
                        else self.measure,
                        rates[point.scenario.key, *key],
                        self._size(rates, point, key),
                        ends.get(("failed", point.scenario.key, *key[:2]), 0.0),
                        ends.get(("singular", point.scenario.key, *key[:2]), 0.0),
                    )
                    for point in points
                    if (point.scenario.key, *key) in rates
                ]
                model, method, term, inference = key
                yield Curve(
                    dict(others), model, method, term, inference, self.measure, tuple(there)
                )

    def _size(
        self, rates: Mapping[tuple[str, ...], Rate], point: _Point, key: tuple[str, str, str, str]
    ) -> Rate | None:
        twin = self.twins.get((point.scenario.key, key[0], key[2]))
        return None if twin is None else rates.get((twin.key, *key))

    def _rates(self, rows: pd.DataFrame, found: Results) -> dict[tuple[str, ...], Rate]:
        keys = zip(*(rows[name] for name in KEYS), strict=True)
        numbers = zip(*(rows[name] for name in ("estimate", "mcse", "n")), strict=True)
        return {
            key: _rate(self.measure, *values, found.replicates_of(key[0]))
            for key, values in zip(keys, numbers, strict=True)
        }


def _rate(measure: str, value: float, mcse: float, n: int, drawn: int) -> Rate:
    if measure in SHARES:
        low, high = (float(limit) for limit in share_limits(value, n, LEVEL))
    else:
        low, high = value - 1.96 * mcse, value + 1.96 * mcse
    return Rate(float(value), float(mcse), low, high, int(n), drawn)


def _shares_of_fits(frame: pd.DataFrame) -> dict[tuple[str, ...], float]:
    its = frame[frame["measure"].isin(["failed", "singular"])]
    keys = zip(*(its[name] for name in ("measure", "scenario", "model", "method")), strict=True)
    return dict(zip(keys, its["estimate"], strict=True))
