"""Which data sets are audited: some of every scenario, some at random, some singular, some slow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from hlm.operations.sample import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hlm.operations.kept_replicates import KeptReplicates
    from hlm.scenario import Scenario

__all__ = ["DataSet", "choose"]

REASONS = ("random", "singular", "random", "slow")
"""What is looked for, in turn; where there is none of the kind, any."""


@dataclass(frozen=True)
class DataSet:
    """A replicate to be audited, and why it was chosen.

    Attributes
    ----------
    scenario : Scenario
    replicate : int
    reason : {'random', 'singular', 'slow'}
        'singular': some fit to it is; 'slow': a fit took the most iterations of those at hand.
    """

    scenario: Scenario
    replicate: int
    reason: str


def choose(results: KeptReplicates, n: int, rng: np.random.Generator) -> list[DataSet]:
    """Choose data sets of all scenarios alike, n in all, half of them singular or slow ones.

    From a scenario with very many replicates, those of one window of the file are at hand.

    Parameters
    ----------
    results : KeptReplicates
    n : int
    rng : numpy.random.Generator
    """
    plan = results.plan
    quotas = shares(n, [plan.replicates_of(scenario.key) for scenario in plan.scenarios], rng)
    reasons = cycle(REASONS)
    chosen = []
    for scenario, quota in zip(plan.scenarios, quotas, strict=True):
        if quota:
            window = int(rng.integers(results.windows_of(scenario.key)))
            found = _Candidates(results, scenario.key, window, rng)
            for _ in range(min(quota, found.left)):
                replicate, reason = found.take(next(reasons))
                chosen.append(DataSet(scenario, replicate, reason))
    return chosen


class _Candidates:
    """The replicates of one window of a scenario, less those taken."""

    def __init__(
        self, results: KeptReplicates, scenario: str, window: int, rng: np.random.Generator
    ) -> None:
        table = results.window("fits", scenario, window)
        replicate = np.asarray(table["replicate"])
        self._replicates, place = np.unique(replicate, return_inverse=True)
        self._singular = np.zeros(len(self._replicates), dtype=bool)
        np.logical_or.at(self._singular, place, np.asarray(table["singular"]))
        self._iterations = np.zeros(len(self._replicates), dtype=np.int64)
        np.maximum.at(self._iterations, place, np.asarray(table["iterations"]))
        self._free = np.ones(len(self._replicates), dtype=bool)
        self._rng = rng

    @property
    def left(self) -> int:
        return int(self._free.sum())

    def take(self, reason: str) -> tuple[int, str]:
        """Take a replicate for a reason, or any where there is none for it."""
        places = self._places(reason)
        if not len(places):
            reason, places = "random", self._places("random")
        place = self._rng.choice(places)
        self._free[place] = False
        return int(self._replicates[place]), reason

    def _places(self, reason: str) -> NDArray[np.int64]:
        match reason:
            case "singular":
                return np.flatnonzero(self._free & self._singular)
            case "slow":
                most = self._iterations[self._free].max()
                return np.flatnonzero(self._free & (self._iterations == most))
            case _:
                return np.flatnonzero(self._free)
