"""Pack work into batches: small pieces together, large ones apart, the same way every time."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from hlm.plan.batch import GRAIN, Batch, Range
from hlm.plan.cost import replicate_cost
from hlm.scenario import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hlm.scenario import Model, Scenario

__all__ = ["Piece", "pack", "target_seconds"]

MIN_JOB_SECONDS = 2.0
"""A job below this costs more to start than to run."""

MIN_BATCHES = 8
"""A study large enough for it is cut at least so far, so that a few cores share it evenly."""

LANES_SECONDS = 15.0
"""From so many seconds of work on, as it would be one data set after another, those of a batch are
fitted side by side. A study with such batches takes minutes, and has the seconds to compile for
that back several times. Shorter batches do so too where that is compiled already."""

MAX_RANGE_BYTES = 64e6
"""Bound on the cross-products in memory: a job holds those of one range."""

MAX_RANGE_REPLICATES = 5000
"""Bound on the results in memory: a job holds those of one range. A window of the sorted files."""


MAX_BATCHES = 8000
"""A study is not cut further than this: Snakemake handles twenty thousand jobs well, not more."""


class Piece(NamedTuple):
    """The replicates `start` to `stop - 1` of a scenario and the models to fit to them."""

    scenario: Scenario
    start: int
    stop: int
    models: tuple[Model, ...]


class _Load(NamedTuple):
    """A piece with the seconds and bytes of one replicate."""

    piece: Piece
    seconds: float
    bytes: float

    def total_seconds(self) -> float:
        return self.seconds * (self.piece.stop - self.piece.start)


def pack(
    pieces: Sequence[Piece], *, seed: int, batch_seconds: float, code: str = ""
) -> list[Batch]:
    """Return batches that hold all pieces, each batch about as long as the others.

    Parameters
    ----------
    pieces : sequence of Piece
        In the order of the scenarios and their grains.
    seed : int
        The study's.
    batch_seconds : float
        Seconds of work that one batch should hold at most.
    code : str
        Fingerprint of the code that simulates and fits.
    """
    by_models: dict[tuple[Model, ...], list[_Load]] = {}
    for piece in pieces:
        by_models.setdefault(piece.models, []).append(_load(piece))
    target = _target(by_models, batch_seconds)
    with_lanes = {
        models for models, loads in by_models.items() if _have_lanes(models, loads, target)
    }
    for models in with_lanes:
        by_models[models] = [_load(load.piece, lanes=True) for load in by_models[models]]
    target = _target(by_models, batch_seconds)
    return [
        Batch.make(seed, tuple(_ranges(part)), models, code, lanes=models in with_lanes)
        for models, loads in by_models.items()
        for part in _shares(loads, target)
    ]


def _target(by_models: Mapping[tuple[Model, ...], list[_Load]], batch_seconds: float) -> float:
    total = sum(load.total_seconds() for loads in by_models.values() for load in loads)
    return target_seconds(total, batch_seconds)


def target_seconds(total: float, batch_seconds: float) -> float:
    """Return the seconds of work per batch, for that many seconds in all.

    Examples
    --------
    >>> target_seconds(1000, batch_seconds=30), target_seconds(40, batch_seconds=30)
    (30, 5.0)
    >>> target_seconds(3, batch_seconds=30), target_seconds(800_000, batch_seconds=30)
    (2.0, 100.0)
    """
    target = min(batch_seconds, max(MIN_JOB_SECONDS, total / MIN_BATCHES))
    return max(target, total / MAX_BATCHES)


def _have_lanes(models: Sequence[Model], loads: list[_Load], target: float) -> bool:
    """Tell whether batches are long enough for data sets side by side, and a model is fitted so."""
    from hlm.inference.variants import has_only_own_inference

    seconds = min(target, sum(load.total_seconds() for load in loads))
    return seconds >= LANES_SECONDS and any(has_only_own_inference(model) for model in models)


def _load(piece: Piece, *, lanes: bool = False) -> _Load:
    cost = replicate_cost(piece.scenario, piece.models, lanes=lanes)
    return _Load(piece, cost.seconds, cost.cross_product_bytes)


def _shares(loads: list[_Load], target: float) -> list[list[_Load]]:
    """Cut the list at the grains where the running weight passes each of `n` equal shares."""
    weights = [load.seconds / target for load in loads]
    sizes = [load.piece.stop - load.piece.start for load in loads]
    total = sum(weight * size for weight, size in zip(weights, sizes, strict=True))
    n = min(MAX_BATCHES, max(1, ceil(total - 1e-9)))
    shares: list[list[_Load]] = [[] for _ in range(n)]
    before = 0.0
    for load, weight in zip(loads, weights, strict=True):
        at, stop = load.piece.start, load.piece.stop
        grain = weight * GRAIN
        while at < stop:
            # A grain belongs to the share in which its middle lies.
            share = min(n - 1, int((before + grain / 2) * n / total))
            grains = ceil(((share + 1) * total / n - before) / grain - 0.5)
            end = stop if share == n - 1 else min(stop, at + GRAIN * max(1, grains))
            shares[share].append(load._replace(piece=load.piece._replace(start=at, stop=end)))
            before += weight * (end - at)
            at = end
    return [share for share in shares if share]


def _ranges(loads: list[_Load]) -> Iterator[Range]:
    """Cut pieces where memory asks for it, at places that do not depend on where they begin.

    So most ranges are windows of the sorted files, and are read once.
    """
    for (scenario, start, stop, _), _, size in loads:
        step = GRAIN * _grains_in_memory(size * GRAIN)
        edges = [start, *range(start // step * step + step, stop, step), stop]
        for first, end in pairwise(edges):
            yield Range(scenario.key, first, end)


def _grains_in_memory(per_grain: float) -> int:
    """Return how many grains make a range: whole blocks of random streams where these fit."""
    grains = min(int(MAX_RANGE_BYTES // per_grain), MAX_RANGE_REPLICATES // GRAIN)
    block = BLOCK // GRAIN
    return grains // block * block or max(1, grains)
