"""A few data sets of a study simulated and fitted here and now, to correct what is predicted.

Scenarios are drawn with probabilities proportional to their predicted cost, so the mean ratio of
measured to predicted seconds is unbiased for the ratio of the totals.
"""

from __future__ import annotations

from math import ceil
from time import process_time
from typing import TYPE_CHECKING

from hlm.plan.cost import replicate_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.plan.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["cost_ratio", "proportional"]

SCENARIOS = 8

SECONDS = 0.1
"""Predicted seconds of the data sets of one scenario."""

FEWEST, MOST = 20, 1000
"""Data sets of one scenario."""


def cost_ratio(plan: Plan) -> float:
    """Measure how many times as long as predicted simulating and fitting takes, in about a second.

    The kernels are compiled first if they are not yet.

    Parameters
    ----------
    plan : Plan
    """
    from hlm.fits import warm_up

    warm_up(plan.models)
    predicted = [replicate_cost(s, plan.models).compute_seconds for s in plan.scenarios]
    chosen = proportional(predicted, SCENARIOS)
    first = plan.scenarios[chosen[0]]
    _seconds(plan, first, 2)  # reads the compiled kernels
    ratios = {}
    for place in dict.fromkeys(chosen):
        n = min(MOST, max(FEWEST, ceil(SECONDS / predicted[place])))
        ratios[place] = _seconds(plan, plan.scenarios[place], n) / (n * predicted[place])
    return sum(ratios[place] for place in chosen) / len(chosen)


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


def _seconds(plan: Plan, scenario: Scenario, n: int) -> float:
    from hlm.fits import fit_batch
    from hlm.simulate import simulate

    start = process_time()
    drawn = simulate(scenario, plan.models, plan.seed, 0, n)
    fit_batch(scenario, plan.models, drawn, seed=plan.seed)
    return process_time() - start
