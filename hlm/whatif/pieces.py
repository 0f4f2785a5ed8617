"""Replicates that are asked for -> their tables, drawn and fitted on threads.

The kernels let go of the interpreter, so threads use all cores, share what is compiled and start
in no time. No result depends on how the replicates are cut or on which thread does them.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import cpu_count, sched_getaffinity
from typing import TYPE_CHECKING, NamedTuple

from hlm.errors import InputError
from hlm.fits import fit_batch, has_lanes, warm_up
from hlm.plan.batch import GRAIN
from hlm.plan.cost import replicate_cost
from hlm.results import KINDS, to_table
from hlm.scenario import BLOCK
from hlm.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    import pyarrow as pa

    from hlm.scenario import Model, Scenario

__all__ = ["Ask", "Piece", "check_cores", "drawn_and_fitted", "pieces_of", "usable_cores"]

SECONDS = 0.5
"""Predicted seconds of work of a piece: short enough to be shown."""

FEWEST = 2
"""Grains of a piece. Drawing begins at the first replicate of a block, whose streams it shares: the
smaller pieces are, the more is drawn in vain."""

AHEAD = 2
"""Pieces for each core that wait or are done before they are taken."""


class Ask(NamedTuple):
    """The replicates `first` to `stop - 1` of a scenario."""

    scenario: Scenario
    first: int
    stop: int


class Piece(NamedTuple):
    """Replicates drawn and fitted: their rows, by the kind of table, as in the files of results."""

    scenario: Scenario
    first: int
    stop: int
    tables: dict[str, pa.Table]


def usable_cores() -> int:
    """Return on how many processors this process may run."""
    try:
        return len(sched_getaffinity(0))
    except AttributeError:  # outside Linux
        return cpu_count() or 1


def check_cores(cores: int | None) -> int:
    """Return the number of threads to use: all processors unless a number is given.

    Raises
    ------
    InputError
        If it is below 1.
    """
    if cores is None:
        return usable_cores()
    if cores < 1:
        raise InputError(f"{cores} cores", path="cores", allowed="1 or more")
    return cores


def pieces_of(ask: Ask, models: Sequence[Model]) -> Iterator[Ask]:
    """Cut what is asked for into whole grains: a block, or half a second of work if that is less.

    Examples
    --------
    >>> from hlm.scenario import Model, Scenario
    >>> s = Scenario("0" * 16, 2, 3, (), "y ~ 1 + (1 | g)", (("(Intercept)", 0.0),), (1.0,),
    ...              ((1.0,),), 1.0)
    >>> [one[1:] for one in pieces_of(Ask(s, 0, 1500), [Model("m", "y ~ 1 + (1 | g)")])]
    [(0, 1000), (1000, 1500)]
    """
    predicted = replicate_cost(ask.scenario, models).compute_seconds
    size = min(BLOCK, GRAIN * max(FEWEST, int(SECONDS / predicted / GRAIN)))
    first = ask.first
    while first < ask.stop:
        stop = min(ask.stop, (first // size + 1) * size)
        yield Ask(ask.scenario, first, stop)
        first = stop


def drawn_and_fitted(
    asks: Iterable[Ask], models: Sequence[Model], *, seed: int, cores: int | None = None
) -> Iterator[Piece]:
    """Draw and fit data sets; yield them piece by piece, in the order in which they are asked for.

    Parameters
    ----------
    asks : iterable of Ask
        Each is cut by `pieces_of`, and looked at only when its turn comes.
    models : sequence of Model
    seed : int
        The study's.
    cores : int, optional
        Threads; by default as many as there are processors.

    Yields
    ------
    Piece
    """
    n = check_cores(cores)
    warm_up(models)
    lanes = has_lanes(models)
    waiting: deque[Future[Piece]] = deque()
    with _threads(n) as pool:
        for ask in asks:
            for piece in pieces_of(ask, models):
                waiting.append(pool.submit(_fitted, piece, models, seed, lanes))
                if len(waiting) >= AHEAD * n:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _threads(n: int) -> Iterator[ThreadPoolExecutor]:
    """Give threads; if what uses them ends early, pieces that have not begun are left."""
    pool = ThreadPoolExecutor(n)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _fitted(ask: Ask, models: Sequence[Model], seed: int, lanes: bool) -> Piece:
    drawn = simulate(ask.scenario, models, seed, ask.first, ask.stop)
    tables = fit_batch(ask.scenario, models, drawn, seed=seed, lanes=lanes)
    return Piece(*ask, {kind: to_table(table, KINDS[kind]) for kind, table in tables.items()})
