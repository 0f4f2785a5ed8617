"""Results of scenarios and their twins -> a measure of each term as a curve over a number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import hypot, sqrt
from typing import TYPE_CHECKING, Any

from hlm.closed_forms import ClosedForm, closed_form
from hlm.measures.share_limits import share_limits
from hlm.solver import Goal, Tally, Variable
from hlm.study.steps import step_of
from hlm.whatif.met import SELECTION, is_share, where_met
from hlm.whatif.shown_rows import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from hlm.scenario import Scenario
    from hlm.study import Study
    from hlm.study.numeric import Numeric
    from hlm.whatif.met import Met
    from hlm.whatif.power_points import Point, Twins
    from hlm.whatif.preview_results import Results

__all__ = ["Curve", "PowerPoint", "Rate", "Reader", "Theory", "theories_of"]

KEYS = ("scenario", "model", "method", "term", "inference")

MOST_ERRORS = 3.0
"""Standard errors that a simulated value and a closed form may be apart."""

ROUNDING = 5e-4
"""What does not show in three decimals is no difference."""

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
class Theory:
    """What a closed form says of a measure.

    Attributes
    ----------
    value : float
    error : float
        Its own standard error, where it is a mean over designs.
    exact : bool
    reason : str
        Why it is exact or an approximation.
    """

    value: float
    error: float
    exact: bool
    reason: str


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
    certain : Rate or None
        The power at the values written, where parameters are uncertain.
    closed : Theory or None
        None where there is no closed form.
    failed, singular : float
        Shares of the fits.
    """

    at: float | None
    scenario: Scenario
    word: str
    rate: Rate
    size: Rate | None
    certain: Rate | None
    closed: Theory | None
    failed: float
    singular: float

    @property
    def differs(self) -> bool:
        """Whether what is simulated and the closed form differ by more than their error.

        The error of a rate is what it would be if the closed form were right: that of a rate of 1
        is 0, however few replicates there are.
        """
        if self.closed is None or not self.rate.n:
            return False
        p = self.closed.value
        own = sqrt(p * (1.0 - p) / self.rate.n) if self.word == "power" else self.rate.mcse
        apart = abs(self.rate.value - p)
        return apart > MOST_ERRORS * hypot(own, self.closed.error) + ROUNDING


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
    met : Met or None
        Where the target is met; None where it is not, between the values that are there.
    """

    levels: Mapping[str, Any]
    model: str
    method: str
    term: str
    inference: str
    measure: str
    points: tuple[PowerPoint, ...]
    met: Met | None = None


@dataclass(frozen=True)
class Reader:
    """Reads curves from the results of points and twins."""

    study: Study
    varied: Numeric | None
    measure: str
    goal: Goal | None
    points: Sequence[Point]
    twins: Twins
    theories: Mapping[tuple[str, ...], Theory]
    shown: Sequence[str] | None = None

    def curves(self, found: Results) -> Iterator[Curve]:
        """Yield the curves, those of other levels one after the other."""
        frame = found.measures
        policy = self.study.policies[0]
        its = frame[frame["policy"].isin(["", policy])]
        of_measure = its[its["measure"] == self.measure]
        if self.measure == SELECTION:
            of_measure = _as_measures(found.selection)
        rates = self._rates(of_measure, found)
        keys = dict.fromkeys(key[1:] for key in rates if self.shown is None or key[1] in self.shown)
        ends = _shares_of_fits(its)
        words: dict[tuple[str, ...], str] = {
            (one.scenario.key, *key): word
            for one in self.points
            for key, word in words_of(one.scenario, found.models).items()
        }
        groups: dict[tuple[Any, ...], list[Point]] = {}
        for point in self.points:
            groups.setdefault(tuple(point.others.items()), []).append(point)
        for others, points in groups.items():
            for key in keys:
                there = [
                    self._point(point, key, rates, words, ends)
                    for point in points
                    if (point.scenario.key, *key) in rates
                ]
                model, method, term, inference = key
                yield Curve(
                    levels=dict(others),
                    model=model,
                    method=method,
                    term=term,
                    inference=inference,
                    measure=self.measure,
                    points=tuple(there),
                    met=self._met(there),
                )

    def _point(
        self,
        point: Point,
        key: tuple[str, ...],
        rates: Mapping[tuple[str, ...], Rate],
        words: Mapping[tuple[str, ...], str],
        ends: Mapping[tuple[str, ...], float],
    ) -> PowerPoint:
        model, method, term, _ = key
        own = point.scenario.key
        without = self.twins.without.get((own, model, term))
        certain = self.twins.certain.get(own)
        return PowerPoint(
            at=point.at,
            scenario=point.scenario,
            word=words[own, model, term] if self.measure == "rejection" else self.measure,
            rate=rates[own, *key],
            size=rates.get((without.key, *key)) if without else None,
            certain=rates.get((certain.key, *key)) if certain else None,
            closed=self.theories.get((own, *key)),
            failed=ends.get(("failed", own, model, method), 0.0),
            singular=ends.get(("singular", own, model, method), 0.0),
        )

    def _met(self, points: Sequence[PowerPoint]) -> Met | None:
        if self.goal is None or self.varied is None:
            return None
        seen = {float(p.at): _tally(p.rate, self.goal) for p in points if p.at is not None}
        if len(seen) < 2:
            return None
        step = step_of(points[0].scenario, self.varied.path)
        variable = Variable(self.varied.name, min(seen), max(seen), step, min(seen))
        return where_met(variable, self.goal, seen)

    def _rates(self, rows: pd.DataFrame, found: Results) -> dict[tuple[str, ...], Rate]:
        keys = zip(*(rows[name] for name in KEYS), strict=True)
        numbers = zip(*(rows[name] for name in ("estimate", "mcse", "n")), strict=True)
        return {
            key: _rate(self.measure, values, found.replicates_of(key[0]))
            for key, values in zip(keys, numbers, strict=True)
        }


def _rate(measure: str, values: tuple[float, float, float], drawn: int) -> Rate:
    value, mcse, n = values
    if is_share(measure):
        low, high = (float(limit) for limit in share_limits(value, n, LEVEL))
    else:
        low, high = value - 1.96 * mcse, value + 1.96 * mcse
    return Rate(float(value), float(mcse), low, high, int(n), drawn)


def _shares_of_fits(frame: pd.DataFrame) -> dict[tuple[str, ...], float]:
    its = frame[frame["measure"].isin(["failed", "singular"])]
    keys = zip(*(its[name] for name in ("measure", "scenario", "model", "method")), strict=True)
    return dict(zip(keys, its["estimate"], strict=True))


def theories_of(
    points: Sequence[Point], study: Study, measure: str, terms: Sequence[str]
) -> dict[tuple[str, ...], Theory]:
    """Return the closed forms there are: by scenario, model, method, term and inference."""
    if measure not in ("rejection", "ci_width"):
        return {}
    found: dict[tuple[str, ...], Theory] = {}
    for point, model in product(points, study.models):
        known = {term for _, term in words_of(point.scenario, [model])}
        for term, inference, method in product(terms, model.df, model.methods):
            if term not in known:
                continue
            one = closed_form(point.scenario, model, term, inference=inference, method=method)
            if isinstance(one, ClosedForm):
                value = one.power if measure == "rejection" else one.width
                error = one.error if measure == "rejection" else 0.0
                key = (point.scenario.key, model.name, method, term, inference)
                found[key] = Theory(value, error, one.exact, one.reason)
    return found


def _tally(rate: Rate, goal: Goal) -> Tally:
    spread = rate.value * (1.0 - rate.value) if goal.share else rate.mcse**2 * rate.n
    return Tally(rate.n, rate.drawn, rate.value, spread, goal.share)


def _as_measures(selection: pd.DataFrame) -> pd.DataFrame:
    """Return rates of selection as measures whose term is the criterion."""
    named = {"criterion": "term", "rate": "estimate"}
    return selection.rename(columns=named).assign(inference="")
