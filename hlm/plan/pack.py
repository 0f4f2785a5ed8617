"""Pack work into batches: small pieces together, large ones apart, the same way every time."""

from __future__ import annotations

from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from hlm.plan.batch import GRAIN, Batch, Range
from hlm.plan.cost import replicate_cost
from hlm.scenario import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.scenario import Model, Scenario

__all__ = ["Piece", "pack", "target_seconds"]

MIN_JOB_SECONDS = 2.0
"""A job below this costs more to start than to run."""

MIN_BATCHES = 8
"""A study large enough for it is cut at least so far, so that a few cores share it evenly."""

MAX_BATCH_BYTES = 1e9
"""Bound on the temporary file of a batch."""

MAX_RANGE_BYTES = 64e6
"""Bound on the cross-products in memory: a job holds those of one range."""

MAX_RANGE_REPLICATES = 5000
"""Bound on the results in memory: a job holds those of one range."""


class Piece(NamedTuple):
    """One grain of replicates of a scenario and the models to fit to it."""

    scenario: Scenario
    grain: int
    stop: int
    models: tuple[Model, ...]

    @property
    def replicates(self) -> int:
        """How many replicates there are in it."""
        return self.stop - self.grain * GRAIN


class _Load(NamedTuple):
    piece: Piece
    seconds: float
    bytes: float


def pack(pieces: Sequence[Piece], *, seed: int, batch_seconds: float) -> list[Batch]:
    """Return batches that hold all pieces, each batch about as long as the others.

    Parameters
    ----------
    pieces : sequence of Piece
        In the order of the scenarios and their grains.
    seed : int
        The study's.
    batch_seconds : float
        Seconds of work that one batch should hold at most.
    """
    loads = _loads(pieces)
    target = target_seconds(sum(load.seconds for load in loads), batch_seconds)
    by_models: dict[tuple[Model, ...], list[_Load]] = {}
    for load in loads:
        by_models.setdefault(load.piece.models, []).append(load)
    return [
        Batch.make(seed, tuple(_ranges(part)), models)
        for models, group in by_models.items()
        for part in _shares(group, target)
    ]


def target_seconds(total: float, batch_seconds: float) -> float:
    """Return the seconds of work per batch, for that many seconds in all.

    Examples
    --------
    >>> target_seconds(1000, batch_seconds=30), target_seconds(40, batch_seconds=30)
    (30, 5.0)
    >>> target_seconds(3, batch_seconds=30)
    2.0
    """
    return min(batch_seconds, max(MIN_JOB_SECONDS, total / MIN_BATCHES))


def _loads(pieces: Sequence[Piece]) -> list[_Load]:
    costs = {}
    loads = []
    for piece in pieces:
        key = (piece.scenario.key, piece.models)
        if key not in costs:
            costs[key] = replicate_cost(piece.scenario, piece.models)
        cost, n = costs[key], piece.replicates
        loads.append(_Load(piece, n * cost.seconds, n * cost.temporary_bytes))
    return loads


def _shares(loads: list[_Load], target: float) -> list[list[_Load]]:
    """Cut the list where the running weight passes each of `n` equal shares."""
    weights = [max(load.seconds / target, load.bytes / MAX_BATCH_BYTES) for load in loads]
    total = sum(weights)
    n = max(1, ceil(total - 1e-9))
    shares: list[list[_Load]] = [[] for _ in range(n)]
    before = 0.0
    for load, weight in zip(loads, weights, strict=True):
        shares[min(n - 1, int((before + weight / 2) * n / total))].append(load)
        before += weight
    return [share for share in shares if share]


def _ranges(loads: list[_Load]) -> Iterator[Range]:
    """Join the grains that follow each other, as far as memory allows."""
    for _, group in groupby(enumerate(loads), lambda item: _run(*item)):
        run = [load for _, load in group]
        step = _grains_in_memory(max(load.bytes for load in run))
        for first in range(0, len(run), step):
            part = [load.piece for load in run[first : first + step]]
            yield Range(part[0].scenario.key, part[0].grain * GRAIN, part[-1].stop)


def _grains_in_memory(per_grain: float) -> int:
    """Return how many grains make a range: whole blocks of random streams where these fit."""
    grains = min(int(MAX_RANGE_BYTES // per_grain), MAX_RANGE_REPLICATES // GRAIN)
    block = BLOCK // GRAIN
    return grains // block * block or max(1, grains)


def _run(position: int, load: _Load) -> tuple[str, int]:
    # Within a run of consecutive grains, grain minus position stays the same.
    return load.piece.scenario.key, load.piece.grain - position
