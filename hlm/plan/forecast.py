"""What a plan will take: core seconds, wall seconds, disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlm.plan.cost import Cost, replicate_cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.plan.plan import Plan
    from hlm.scenario import Model

__all__ = ["Forecast", "batch_seconds", "forecast"]

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

    @property
    def rest_seconds(self) -> float:
        """Seconds from the last fit to the report."""
        return 20.0

    def wall_seconds(self, cores: int) -> float:
        """Return the wall time on so many cores."""
        work = self.core_seconds + BATCH_START_SECONDS * self.batches
        return START_SECONDS + work / max(1, min(cores, self.batches))


def forecast(plan: Plan) -> Forecast:
    """Predict what it takes to run all batches of a plan."""
    batches = list(_costs(plan))
    flat = [item for batch in batches for item in batch]
    temporary = [sum(n * cost.temporary_bytes for n, cost in batch) for batch in batches]
    return Forecast(
        core_seconds=sum(n * cost.seconds for n, cost in flat),
        batches=len(batches),
        kept_bytes=2 * sum(n * cost.kept_bytes for n, cost in flat),
        temporary_bytes=max(temporary, default=0.0),
    )


def batch_seconds(plan: Plan) -> dict[str, float]:
    """Predict the core seconds of each batch, by name."""
    seconds = [sum(n * cost.seconds for n, cost in costs) for costs in _costs(plan)]
    return dict(zip([batch.name for batch in plan.batches], seconds, strict=True))


def _costs(plan: Plan) -> Iterator[list[tuple[int, Cost]]]:
    """Yield for each batch the replicates of its ranges and the cost of one."""
    scenarios = {scenario.key: scenario for scenario in (*plan.scenarios, *plan.retired)}
    known: dict[tuple[str, tuple[Model, ...]], Cost] = {}
    for batch in plan.batches:
        for part in batch.ranges:
            if (part.scenario, batch.models) not in known:
                cost = replicate_cost(scenarios[part.scenario], batch.models)
                known[part.scenario, batch.models] = cost
        yield [(p.stop - p.start, known[p.scenario, batch.models]) for p in batch.ranges]
