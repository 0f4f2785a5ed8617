"""The arrays of a scenario -> rows of its measures, differences, accounts and selection rates."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.criteria import USUAL, Selection
from hlm.estimands.kinds import KINDS
from hlm.measures import formulas as f
from hlm.measures.accounting import accounts
from hlm.measures.after_selection import fits_with_selected, with_selected
from hlm.measures.arrays import ERRORS, P_VALUE
from hlm.measures.chosen import chosen_by
from hlm.measures.compared import both_count, compared_columns, rules_of
from hlm.measures.group import calibration, measures_by_policy
from hlm.measures.pairs import between_contestants, between_policies
from hlm.measures.predictions import prediction_measures
from hlm.measures.violations import fits_from_nominal, from_nominal
from hlm.words.criteria_words import selected_by
from hlm.words.measures import NEED_TRUE, OF_INFERENCE, OF_PREDICTIONS
from hlm.words.policies import OF_POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.measures.arrays import Contestant, FitArrays, TermArrays
    from hlm.measures.chosen import Chosen
    from hlm.measures.group import Values
    from hlm.measures.violations import Nominal

__all__ = [
    "ACCOUNTING",
    "DIFFERENCES",
    "MARGINS",
    "MEASURES",
    "SELECTION",
    "Summary",
    "summarize_scenario",
]

MEASURES = (
    *("scenario", "model", "method", "term", "kind", "true", "inference", "policy"),
    *("measure", "estimate", "mcse", "mcse_robust", "n"),
)
DIFFERENCES = (
    *("scenario", "factor", "model", "method", "inference", "against", "term", "kind", "policy"),
    *("measure", "difference", "mcse", "n"),
)
ACCOUNTING = ("scenario", "model", "method", "outcome", "count", "n")
SELECTION = ("scenario", "criterion", "method", "model", "rate", "mcse", "n")
MARGINS = ("scenario", "criterion", "method", "model", "statistic", "margin", "mcse", "n")
"""The columns of each table."""

ALL = ("all",)

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
"""Quantiles of the margins by which criteria choose."""

ROUNDING = 1e-12
"""Correlations so near to -1 or 1 are there: fits on the boundary end within 1e-15 of it, others
1e-8 and more away."""


@dataclass
class Summary:
    """Rows of the tables of a study, each a tuple of the table's columns."""

    measures: list[tuple[Any, ...]] = field(default_factory=list)
    differences: list[tuple[Any, ...]] = field(default_factory=list)
    accounting: list[tuple[Any, ...]] = field(default_factory=list)
    selection: list[tuple[Any, ...]] = field(default_factory=list)
    margins: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, other: Summary) -> None:
        """Put the rows of another one below these."""
        for name, rows in vars(other).items():
            getattr(self, name).extend(rows)


def summarize_scenario(
    scenario: str,
    terms: Iterable[TermArrays],
    fits: FitArrays | None,
    *,
    alphas: Mapping[str, float],
    policies: Sequence[str] = ALL,
    selection: Selection = USUAL,
    nominal: Nominal | None = None,
) -> Summary:
    """Summarize a scenario, one term at a time.

    Parameters
    ----------
    scenario : str
    terms : iterable of TermArrays
        Tests and predictions among them; of the latter there are no differences, and none after a
        selection.
    fits : FitArrays or None
        Without them there are no rates of fits, and no policy that looks at them.
    alphas : mapping of str to float
        Model -> the p-value below which its F tests reject.
    policies : sequence of str
        The first is the one that differences between policies are against.
    selection : Selection
        With estimates after it, the model that a criterion chooses is a further one.
    nominal : Nominal, optional
        Where assumptions are violated, the scenario in which they are not: differences from it.
    """
    found = Summary()
    chosen, after, fits = _with_selected(fits, selection)
    alphas = {**alphas, **{selected_by(one.criterion): alphas[one.models[0]] for one in after}}
    twin = _Twin.of(nominal, selection) if nominal is not None else None
    at_boundary: dict[tuple[str, str], NDArray[np.bool_]] = {}
    of_terms: list[tuple[Any, ...]] = []
    for of_models in terms:
        predicted = of_models.names == ERRORS
        arrays = of_models if predicted else with_selected(of_models, after)
        of_terms += _measures_of(scenario, arrays, fits, policies, alphas)
        if not predicted:
            found.differences += _differences_of(scenario, arrays, fits, policies, alphas)
            if twin is not None:
                rows = twin.differences(arrays, fits, policies, alphas)
                found.differences += [(scenario, *row) for row in rows]
        if arrays.kind == "cor":
            _count_boundary(at_boundary, arrays)
    if fits is not None:
        found.measures += _rates_of_fits(scenario, fits)
        found.selection += _selection_rates(scenario, chosen)
        found.margins += _margins(scenario, chosen)
        found.accounting += [(scenario, *row) for row in accounts(fits, at_boundary)]
        if twin is not None and twin.fits is not None:
            found.differences += [(scenario, *row) for row in fits_from_nominal(fits, twin.fits)]
    found.measures += of_terms
    return found


def _with_selected(
    fits: FitArrays | None, selection: Selection
) -> tuple[tuple[Chosen, ...], tuple[Chosen, ...], FitArrays | None]:
    """Return what is chosen, that of which there are estimates, and the fits with its own."""
    chosen = tuple(chosen_by(fits, selection)) if fits is not None else ()
    after = chosen if selection.estimate else ()
    return chosen, after, fits_with_selected(fits, after) if fits is not None and after else fits


@dataclass(frozen=True)
class _Twin:
    """The terms of a scenario without violation, one at a time, and its fits."""

    terms: Iterator[TermArrays]
    after: tuple[Chosen, ...]
    fits: FitArrays | None

    @classmethod
    def of(cls, nominal: Nominal, selection: Selection) -> _Twin:
        _, after, fits = _with_selected(nominal.fits, selection)
        return cls(iter(nominal.terms), after, fits)

    def differences(
        self,
        arrays: TermArrays,
        fits: FitArrays | None,
        policies: Sequence[str],
        alphas: Mapping[str, float],
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of the next term, which is the same in both scenarios."""
        own = with_selected(next(self.terms), self.after)
        if (own.kind, own.term) != (arrays.kind, arrays.term):
            raise RuntimeError(f"{own.kind} {own.term} beside {arrays.kind} {arrays.term}")
        yield from from_nominal(
            arrays, own, fits=fits, nominal_fits=self.fits, alphas=alphas, policies=policies
        )


def _measures_of(
    scenario: str,
    arrays: TermArrays,
    fits: FitArrays | None,
    policies: Sequence[str],
    alphas: Mapping[str, float],
) -> Iterator[tuple[Any, ...]]:
    """Yield the measures of a term; what rests on no inference is there once, before the rest.

    Of a predicted coefficient a predictor stands as the inference.
    """
    rules = rules_of(arrays.kind)
    of_each = OF_PREDICTIONS if arrays.names == ERRORS else OF_INFERENCE
    seen: set[tuple[str, str]] = set()
    for place, contestant in enumerate(arrays.contestants):
        masks = fits.policies(policies, contestant.fit) if fits else dict.fromkeys(policies)
        columns, true = arrays.columns(place), float(arrays.true[place])
        if arrays.names == P_VALUE:
            by_policy = _of_tests(columns, masks, alphas[contestant.model])
        elif arrays.names == ERRORS:
            by_policy = prediction_measures(arrays, place, masks)
        else:
            by_policy = measures_by_policy(columns, masks, rules)
        first = contestant.fit not in seen
        seen.add(contestant.fit)
        label = (scenario, *contestant.fit, arrays.term, arrays.kind, true)
        for policy, values in by_policy.items():
            for name, value in values.items():
                if np.isnan(true) and name in NEED_TRUE:
                    continue  # nothing is known of what it needs
                if name in OF_INFERENCE and not KINDS[arrays.kind].of_one_fit:
                    continue  # it has neither standard errors nor limits
                if name in of_each:
                    yield (*label, contestant.inference, policy, name, *_numbers(value))
                elif first:
                    yield (*label, "", policy, name, *_numbers(value))


def _numbers(value: f.Value) -> tuple[float, float, float, int]:
    return value.estimate, value.mcse, value.robust, value.n


def _of_tests(
    columns: Mapping[str, Any], masks: Mapping[str, Any], alpha: float
) -> dict[str, Values]:
    """Return how often an F test rejects, and whether its p-values are uniform where they ought."""
    p, n = columns["p_value"], columns["p_value"].size
    total = {"n_total": f.Value(float(n), nan, n)}
    found = {}
    for policy, mask in masks.items():
        if policy in OF_POLICIES:
            found[policy] = total | {"rejection": f.proportion(p < alpha)}
            continue
        known = p[~np.isnan(p) if mask is None else mask & ~np.isnan(p)]
        found[policy] = total | {"rejection": f.proportion(known < alpha)}
        if columns["true"][0] == 0:
            found[policy] |= calibration(known)
    return found


def _differences_of(
    scenario: str,
    arrays: TermArrays,
    fits: FitArrays | None,
    policies: Sequence[str],
    alphas: Mapping[str, float],
) -> Iterator[tuple[Any, ...]]:
    rules = rules_of(arrays.kind)
    seen: set[tuple[Any, ...]] = set()
    for factor, place, other in comparisons(arrays.contestants):
        one, two = arrays.contestants[place], arrays.contestants[other]
        against = getattr(two, factor)
        mine, theirs = (compared_columns(arrays, at, alphas) for at in (place, other))
        first = factor != "inference" and (factor, *one.fit, against) not in seen
        seen.add((factor, *one.fit, against))
        for policy in policies:
            counted = both_count(_counted(fits, policy, one), _counted(fits, policy, two))
            found = between_contestants(mine, theirs, policy, rules, counted)
            for name, value in found.items():
                if first or name in OF_INFERENCE:
                    inference = one.inference if name in OF_INFERENCE else ""
                    label = (scenario, factor, *one.fit, inference, against)
                    yield (*label, arrays.term, arrays.kind, policy, name, *value)
    yield from _of_policies(scenario, arrays, fits, policies, alphas)


def comparisons(contestants: Sequence[Contestant]) -> Iterator[tuple[str, int, int]]:
    """Yield what is compared: the factor, and the places of a contestant and of the one against it.

    Two contestants differ in the factor only, and the one against is the first of all such.

    Examples
    --------
    >>> from hlm.measures.arrays import Contestant
    >>> two = [Contestant("m", method, "wald") for method in ("reml", "ml")]
    >>> list(comparisons(two))
    [('method', 1, 0)]
    """
    for factor in ("method", "model", "inference"):
        first: dict[Contestant, int] = {}
        for place, contestant in enumerate(contestants):
            others = contestant._replace(**{factor: ""})
            against = first.setdefault(others, place)
            if against != place:
                yield factor, place, against


def _counted(fits: FitArrays | None, policy: str, one: Contestant) -> NDArray[np.bool_] | None:
    return None if fits is None else fits.policies([policy], one.fit)[policy]


def _of_policies(
    scenario: str,
    arrays: TermArrays,
    fits: FitArrays | None,
    policies: Sequence[str],
    alphas: Mapping[str, float],
) -> Iterator[tuple[Any, ...]]:
    """Yield the differences of each policy from the first one, where the two have any."""
    if fits is None or len(policies) < 2:
        return
    rules, against = rules_of(arrays.kind), policies[0]
    seen: set[tuple[str, str]] = set()
    for place, contestant in enumerate(arrays.contestants):
        masks, columns = (
            fits.policies(policies, contestant.fit),
            compared_columns(arrays, place, alphas),
        )
        first = contestant.fit not in seen
        seen.add(contestant.fit)
        for policy in policies[1:]:
            found = between_policies(columns, masks, policy, against, rules)
            for name, value in found.items():
                if first or name in OF_INFERENCE:
                    inference = contestant.inference if name in OF_INFERENCE else ""
                    label = (scenario, "policy", *contestant.fit, inference, against)
                    yield (*label, arrays.term, arrays.kind, policy, name, *value)


def _rates_of_fits(scenario: str, fits: FitArrays) -> Iterator[tuple[Any, ...]]:
    """Yield the shares of singular fits, of those of which it is known, and of failed ones."""
    ok = fits.statuses.index("ok") if "ok" in fits.statuses else -1
    for place, fit in enumerate(fits.fits):
        singular, status = fits.singular[place], fits.status[place]
        for name, value in (
            ("singular", f.proportion(singular[singular >= 0] == 1)),
            ("failed", f.proportion(status != ok)),
        ):
            yield (scenario, *fit, "", "", nan, "", "", name, *_numbers(value))


def _selection_rates(scenario: str, chosen: Iterable[Chosen]) -> Iterator[tuple[Any, ...]]:
    for one in chosen:
        counts = one.place[one.place >= 0]
        for place, model in enumerate(one.models):
            rate = f.proportion(counts == place)
            yield scenario, one.criterion, one.method, model, rate.estimate, rate.mcse, rate.n


def _margins(scenario: str, chosen: Iterable[Chosen]) -> Iterator[tuple[Any, ...]]:
    """Yield mean and quantiles of the margin of each model."""
    for one in chosen:
        if one.margin is None:
            continue
        for model, margins in zip(one.models, one.margin, strict=True):
            known = margins[np.isfinite(margins)]
            found = {"mean": f.mean(known)}
            found |= dict(zip(QUANTILES, f.quantiles(known, [*QUANTILES.values()]), strict=True))
            for statistic, (value, mcse, n, *_) in found.items():
                yield scenario, one.criterion, one.method, model, statistic, value, mcse, n


def _count_boundary(
    at_boundary: dict[tuple[str, str], NDArray[np.bool_]], arrays: TermArrays
) -> None:
    """Mark the replicates of each fit of which this correlation is -1 or 1."""
    estimate = arrays.names.index("estimate")
    for place, contestant in enumerate(arrays.contestants):
        marked = np.abs(arrays.values[place, estimate]) >= 1.0 - ROUNDING
        known = at_boundary.get(contestant.fit)
        at_boundary[contestant.fit] = marked if known is None else known | marked
