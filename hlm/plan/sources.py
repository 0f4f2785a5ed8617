"""Which batch each grain of results is taken from, when several batches hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.plan.batch import GRAIN, Batch, Range, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hlm.plan.plan import Plan

__all__ = ["Sources", "ranges_by_scenario"]


def ranges_by_scenario(plan: Plan) -> dict[str, dict[int, list[int]]]:
    """Return scenario -> position of a batch in the plan -> positions of the ranges in it."""
    found: dict[str, dict[int, list[int]]] = {scenario.key: {} for scenario in plan.scenarios}
    for position, batch in enumerate(plan.batches):
        for group, part in enumerate(batch.ranges):
            if part.scenario in found:
                found[part.scenario].setdefault(position, []).append(group)
    return found


class Sources:
    """For one scenario: model and grain -> batch.

    Parameters
    ----------
    plan : Plan
    scenario : str
        Its key.
    ranges : mapping of int to list of int
        Those of the scenario, from `ranges_by_scenario`.

    Attributes
    ----------
    holders : list of (int, Batch)
        The batches with some of this scenario, and their positions in the plan.
    chosen : ndarray of int, (n_models, n_grains)
        Position in the plan of the first batch that holds all that is wanted of the grain.
    """

    def __init__(self, plan: Plan, scenario: str, ranges: Mapping[int, list[int]]) -> None:
        self._replicates = plan.replicates_of(scenario)
        self._ranges = ranges
        self._models = {digest(model.definition()): i for i, model in enumerate(plan.models)}
        self._batches = {position: plan.batches[position] for position in ranges}
        self.holders = list(self._batches.items())
        self.chosen = np.full((len(plan.models), -(-self._replicates // GRAIN)), -1)
        for position, batch in self.holders:
            self._choose(position, batch)

    def groups(self, position: int, start: int, stop: int) -> list[int]:
        """Return the positions of the ranges of a holder that meet the replicates start to stop."""
        batch = self._batches[position]
        return [
            group
            for group in self._ranges[position]
            if batch.ranges[group].start < stop and batch.ranges[group].stop > start
        ]

    def _choose(self, position: int, batch: Batch) -> None:
        rows = [self._models.get(digest(model.definition())) for model in batch.models]
        known = [row for row in rows if row is not None]
        for group in self._ranges[position]:
            grains = self._whole_grains(batch.ranges[group])
            free = np.ix_(known, grains)
            self.chosen[free] = np.where(self.chosen[free] < 0, position, self.chosen[free])

    def _whole_grains(self, part: Range) -> list[int]:
        last = min(part.stop, self._replicates)
        return [
            grain
            for grain in range(part.start // GRAIN, -(-last // GRAIN))
            if part.stop >= min((grain + 1) * GRAIN, self._replicates)
        ]
