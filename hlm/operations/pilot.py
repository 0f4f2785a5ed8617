"""A few data sets of a study simulated and fitted here and now, to correct what is predicted.

Scenarios are drawn with probabilities proportional to their predicted cost, so the mean ratio of
measured to predicted seconds is unbiased for the ratio of the totals.
"""

from __future__ import annotations

from math import ceil
from time import process_time
from typing import TYPE_CHECKING, NamedTuple

from hlm.plan.cost import replicate_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.fits.result_columns import Table
    from hlm.plan.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["Pilot", "Tried", "cost_ratio", "proportional", "try_out"]

SCENARIOS = 8

SECONDS = 0.1
"""Predicted seconds of the data sets of one scenario."""

FEWEST, MOST = 20, 1000
"""Data sets of one scenario."""


class Tried(NamedTuple):
    """Some data sets of a scenario and the results of their fits, by the kind of table."""

    scenario: Scenario
    n: int
    tables: dict[str, Table]


class Pilot(NamedTuple):
    """What was tried out: how many times as long as predicted it took, and what came of it."""

    ratio: float
    tried: tuple[Tried, ...]


def cost_ratio(plan: Plan) -> float:
    """Measure how many times as long as predicted simulating and fitting takes; see `try_out`."""
    return try_out(plan).ratio


def try_out(plan: Plan) -> Pilot:
    """Simulate and fit data sets of some scenarios, in about a second.

    The kernels are compiled first if they are not yet. What takes least is tried too, but does not
    count for the ratio: small designs have the largest Monte Carlo standard errors.

    Parameters
    ----------
    plan : Plan
    """
    from hlm.fits import warm_up

    warm_up(plan.models)
    predicted = [replicate_cost(s, plan.models).compute_seconds for s in plan.scenarios]
    chosen = proportional(predicted, SCENARIOS)
    first = plan.scenarios[chosen[0]]
    _fitted(plan, first, 2)  # reads the compiled kernels
    ratios, tried = {}, []
    for place in dict.fromkeys([*chosen, predicted.index(min(predicted))]):
        n = min(MOST, max(FEWEST, ceil(SECONDS / predicted[place])))
        seconds, tables = _fitted(plan, plan.scenarios[place], n)
        ratios[place] = seconds / (n * predicted[place])
        tried.append(Tried(plan.scenarios[place], n, tables))
    return Pilot(sum(ratios[place] for place in chosen) / len(chosen), tuple(tried))


def proportional(sizes: Sequence[float], n: int) -> list[int]:
    """Return n places, evenly spread over the running sum of the sizes.

    Examples
    --------
    >>> proportional([1.0, 1.0, 6.0], 4)
    [0, 2, 2, 2]
    """
    step = sum(sizes) / n
    places, running, place = [], sizes[0], 0
    for k in range(n):
        while running < (k + 0.5) * step and place < len(sizes) - 1:
            place += 1
            running += sizes[place]
        places.append(place)
    return places


def _fitted(plan: Plan, scenario: Scenario, n: int) -> tuple[float, dict[str, Table]]:
    """Return the seconds that some data sets of a scenario take, and the results."""
    from hlm.fits import fit_batch
    from hlm.simulate import simulate

    start = process_time()
    drawn = simulate(scenario, plan.models, plan.seed, 0, n)
    tables = fit_batch(scenario, plan.models, drawn, seed=plan.seed)
    return process_time() - start, tables
