"""What a plan will take: core seconds, wall seconds, disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlm.plan.cost import Cost, replicate_cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.plan.batch import Batch
    from hlm.plan.plan import Plan

__all__ = ["Forecast", "forecast"]

START_SECONDS = 25.0
"""Seconds for the steps that every study has: planning, figures, tables, report."""

BATCH_START_SECONDS = 2.5
"""Seconds to start the two jobs of a batch."""


@dataclass(frozen=True)
class Forecast:
    """A prediction from the cost model.

    Attributes
    ----------
    core_seconds : float
        Simulating and fitting, on one core.
    batches : int
    kept_bytes : float
        Results: the files of the batches, and the sorted file of all.
    temporary_bytes : float
        Cross-products of the largest batch; each core holds one such file at a time.
    """

    core_seconds: float
    batches: int
    kept_bytes: float
    temporary_bytes: float

    def wall_seconds(self, cores: int) -> float:
        """Return the wall time on so many cores."""
        work = self.core_seconds + BATCH_START_SECONDS * self.batches
        return START_SECONDS + work / max(1, min(cores, self.batches))


def forecast(plan: Plan) -> Forecast:
    """Predict what it takes to run all batches of a plan."""
    batches = [list(_costs(plan, batch)) for batch in plan.batches]
    flat = [item for batch in batches for item in batch]
    temporary = [sum(n * cost.temporary_bytes for n, cost in batch) for batch in batches]
    return Forecast(
        core_seconds=sum(n * cost.seconds for n, cost in flat),
        batches=len(batches),
        kept_bytes=2 * sum(n * cost.kept_bytes for n, cost in flat),
        temporary_bytes=max(temporary, default=0.0),
    )


def _costs(plan: Plan, batch: Batch) -> Iterator[tuple[int, Cost]]:
    for part in batch.ranges:
        cost = replicate_cost(plan.scenario(part.scenario), batch.models)
        yield part.stop - part.start, cost
