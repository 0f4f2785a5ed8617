"""Which batch each grain of results is taken from, when several batches hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.plan.batch import GRAIN, Batch, Range, digest

if TYPE_CHECKING:
    from hlm.plan.plan import Plan

__all__ = ["Sources"]


class Sources:
    """For one scenario: model and grain -> batch.

    Parameters
    ----------
    plan : Plan
    scenario : str
        The scenario's key.

    Attributes
    ----------
    holders : list of (int, Batch)
        The batches with some of this scenario, and their positions in the plan.
    chosen : ndarray of int, (n_models, n_grains)
        Position in the plan of the first batch that holds all that is wanted of the grain.
    """

    def __init__(self, plan: Plan, scenario: str) -> None:
        self._replicates = plan.replicates
        self._scenario = scenario
        self._models = {digest(model.to_dict()): i for i, model in enumerate(plan.models)}
        self.holders = [
            (position, batch)
            for position, batch in enumerate(plan.batches)
            if any(part.scenario == scenario for part in batch.ranges)
        ]
        self.chosen = np.full((len(plan.models), -(-plan.replicates // GRAIN)), -1)
        for position, batch in self.holders:
            self._choose(position, batch)

    def groups(self, batch: Batch, start: int, stop: int) -> list[int]:
        """Return the positions of the batch's ranges that meet the replicates start to stop."""
        return [
            group
            for group, part in enumerate(batch.ranges)
            if part.scenario == self._scenario and part.start < stop and part.stop > start
        ]

    def _choose(self, position: int, batch: Batch) -> None:
        rows = [self._models.get(digest(model.to_dict())) for model in batch.models]
        known = [row for row in rows if row is not None]
        for part in batch.ranges:
            if part.scenario == self._scenario:
                grains = self._whole_grains(part)
                free = np.ix_(known, grains)
                self.chosen[free] = np.where(self.chosen[free] < 0, position, self.chosen[free])

    def _whole_grains(self, part: Range) -> list[int]:
        last = min(part.stop, self._replicates)
        return [
            grain
            for grain in range(part.start // GRAIN, -(-last // GRAIN))
            if part.stop >= min((grain + 1) * GRAIN, self._replicates)
        ]
