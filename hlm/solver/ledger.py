"""Rounds of simulations: what was asked so far, and what came back."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from hlm.solver.question import Ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.solver.question import Goal, Oracle, Point
    from hlm.solver.tally import Tally

__all__ = ["FEWEST", "GRAIN", "Ledger", "hundreds"]

GRAIN = 100
"""Replicates are asked for in multiples of it."""

FEWEST = 1000
"""With fewer data sets there is no search."""


def hundreds(n: float) -> int:
    """Return a number of replicates as whole hundreds, at least one.

    Examples
    --------
    >>> hundreds(0), hundreds(100), hundreds(101)
    (100, 100, 200)
    """
    return GRAIN * max(1, ceil(n / GRAIN))


class Ledger:
    """Asks the oracle, each replicate once, and adds up the tallies of each point.

    What it asks is a function of what came back before. So a run that was stopped goes on where
    it is repeated with an oracle that remembers.

    Attributes
    ----------
    tallies : dict of Point to tuple of Tally
        One for each goal.
    data_sets : int
        How many were simulated.
    rounds : int
    most : int
        So many data sets are not to be passed.
    """

    def __init__(self, goals: Sequence[Goal], oracle: Oracle, most: int) -> None:
        if most < FEWEST:
            raise ValueError(f"a search takes {FEWEST} data sets at least, not {most}")
        self.goals = tuple(goals)
        self.oracle = oracle
        self.most = most
        self.tallies: dict[Point, tuple[Tally, ...]] = {}
        self.drawn: dict[Point, int] = {}
        self.data_sets = 0
        self.rounds = 0

    @property
    def left(self) -> int:
        """The replicates that may still be asked for, in whole hundreds."""
        return GRAIN * max(0, (self.most - self.data_sets) // GRAIN)

    def run(self, wanted: Mapping[Point, float]) -> None:
        """Simulate one round: so many more replicates of each point, in whole hundreds.

        Of the last points there are fewer, or none, where no more may be simulated.
        """
        asks, left = [], self.left
        for point, n in wanted.items():
            n_more = min(hundreds(n), left)
            if n_more:
                first = self.drawn.get(point, 0)
                asks.append(Ask(point, first, first + n_more))
                left -= n_more
        for ask, tallies in zip(asks, self._answers(asks), strict=True):
            known = self.tallies.get(ask.point)
            pooled = tallies if known is None else map(sum_of, known, tallies)
            self.tallies[ask.point] = tuple(pooled)

    def fresh(self, point: Point, n: int) -> tuple[Tally, ...]:
        """Return tallies of replicates of a point that no fit sees."""
        first = self.drawn.get(point, 0)
        return self._answers([Ask(point, first, first + hundreds(n))])[0]

    def _answers(self, asks: Sequence[Ask]) -> list[tuple[Tally, ...]]:
        if not asks:
            return []
        answers = [tuple(tallies) for tallies in self.oracle(asks)]
        for ask in asks:
            self.drawn[ask.point] = ask.stop
            self.data_sets += ask.stop - ask.first
        self.rounds += 1
        return answers

    @property
    def seen(self) -> dict[Point, tuple[Tally, ...]]:
        """The points at which each goal's measure is known, in the order of the points."""
        return {
            point: tallies
            for point, tallies in sorted(self.tallies.items())
            if all(tally.n for tally in tallies)
        }

    def margin(self, point: Point) -> tuple[float, float]:
        """Return the margin of the goal farthest from being met at a point, and its error."""
        observed = [
            goal.observed(t) for goal, t in zip(self.goals, self.tallies[point], strict=True)
        ]
        return min(observed)


def sum_of(one: Tally, other: Tally) -> Tally:
    """Return the pooled tally of two."""
    return one + other
