"""Chunks of scenarios, each summarized by one job."""

from __future__ import annotations

import itertools
from bisect import bisect_right
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
    """Cut the scenarios to be summarized into chunks of about the same work, in their order."""
    scenarios = plan.summarized
    sizes = [plan.replicates_of(scenario.key) for scenario in scenarios]
    seconds = sum(summary_seconds(plan.models, size) for size in sizes)
    n = min(len(scenarios), max(1, ceil(seconds / CHUNK_SECONDS)), MAX_CHUNKS)
    # Edge i is after as many scenarios as have i/n of all replicates.
    running = list(itertools.accumulate(sizes))
    edges = {bisect_right(running, running[-1] * i // n) for i in range(n)} | {len(scenarios)}
    return [scenarios[start:stop] for start, stop in itertools.pairwise(sorted({0, *edges}))]


def holdings(plan: Plan) -> list[list[str]]:
    """Return, for each chunk, the names of the batches that hold something that it needs.

    That is of its scenarios, and of those whose twins they are.
    """
    cut = chunks(plan)
    needed: dict[str, set[int]] = {}
    for number, chunk in enumerate(cut):
        for key in (key for scenario in chunk for key in (scenario.key, scenario.twin_of) if key):
            needed.setdefault(key, set()).add(number)
    held: list[list[str]] = [[] for _ in cut]
    for batch in plan.batches:
        numbers = {number for part in batch.ranges for number in needed.get(part.scenario, ())}
        for number in sorted(numbers):
            held[number].append(batch.name)
    return held
