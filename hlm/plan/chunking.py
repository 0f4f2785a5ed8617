"""Chunks of scenarios, each summarized by one job."""

from __future__ import annotations

import itertools
from math import ceil
from typing import TYPE_CHECKING

from hlm.plan.cost import summary_seconds

if TYPE_CHECKING:
    from hlm.plan.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["chunks", "holding"]

CHUNK_SECONDS = 6.0
"""Seconds of work in a chunk, a small multiple of what it takes to start the job."""


def chunks(plan: Plan) -> list[tuple[Scenario, ...]]:
    """Cut the study's scenarios into chunks of about the same work, in their order."""
    seconds = summary_seconds(plan.models, plan.replicates)
    n = min(len(plan.scenarios), max(1, ceil(len(plan.scenarios) * seconds / CHUNK_SECONDS)))
    edges = [len(plan.scenarios) * i // n for i in range(n + 1)]
    return [plan.scenarios[start:stop] for start, stop in itertools.pairwise(edges)]


def holding(plan: Plan, chunk: int) -> list[str]:
    """Return the names of the batches that hold something of a chunk's scenarios."""
    keys = {scenario.key for scenario in chunks(plan)[chunk]}
    return [
        batch.name for batch in plan.batches if any(part.scenario in keys for part in batch.ranges)
    ]
