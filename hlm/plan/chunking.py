"""Chunks of scenarios, each summarized by one job."""

from __future__ import annotations

import itertools
from math import ceil
from typing import TYPE_CHECKING

from hlm.plan.cost import summary_seconds

if TYPE_CHECKING:
    from hlm.plan.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["chunks", "holdings"]

CHUNK_SECONDS = 6.0
"""Seconds of work in a chunk, a small multiple of what it takes to start the job."""

MAX_CHUNKS = 2000
"""A study is not cut further than this, whatever its chunks then take."""


def chunks(plan: Plan) -> list[tuple[Scenario, ...]]:
    """Cut the study's scenarios into chunks of about the same work, in their order."""
    seconds = summary_seconds(plan.models, plan.replicates)
    wanted = max(1, ceil(len(plan.scenarios) * seconds / CHUNK_SECONDS))
    n = min(len(plan.scenarios), wanted, MAX_CHUNKS)
    edges = [len(plan.scenarios) * i // n for i in range(n + 1)]
    return [plan.scenarios[start:stop] for start, stop in itertools.pairwise(edges)]


def holdings(plan: Plan) -> list[list[str]]:
    """Return, for each chunk, the names of the batches that hold something of its scenarios."""
    cut = chunks(plan)
    place = {scenario.key: number for number, chunk in enumerate(cut) for scenario in chunk}
    held: list[list[str]] = [[] for _ in cut]
    for batch in plan.batches:
        numbers = {place[part.scenario] for part in batch.ranges if part.scenario in place}
        for number in sorted(numbers):
            held[number].append(batch.name)
    return held
