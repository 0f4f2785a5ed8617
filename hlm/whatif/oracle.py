"""Points of a search -> scenarios of the study -> data sets -> tallies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hlm.study.elsewhere import scenarios_at
from hlm.whatif.pieces import Ask, drawn_and_fitted
from hlm.whatif.tallies import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hlm import solver
    from hlm.scenario import Model, Scenario
    from hlm.solver import Tally
    from hlm.study import Study
    from hlm.study.ranges import Ranges
    from hlm.study.sought import Wanted
    from hlm.whatif.pieces import Piece
    from hlm.whatif.tallies import Counted

__all__ = ["Draw", "Oracle", "here"]


class Draw(Protocol):
    """Whoever draws and fits: in this process, or a workflow."""

    def __call__(self, asks: Sequence[Ask], models: Sequence[Model]) -> Iterator[list[Piece]]:
        """Yield the pieces of each ask, in their order."""


def here(seed: int, cores: int | None = None) -> Draw:
    """Return who draws and fits on threads of this process.

    Parameters
    ----------
    seed : int
        The study's.
    cores : int, optional
        Threads; by default as many as there are processors.
    """

    def draw(asks: Sequence[Ask], models: Sequence[Model]) -> Iterator[list[Piece]]:
        left = iter(drawn_and_fitted(asks, models, seed=seed, cores=cores))
        for ask in asks:
            pieces = [next(left)]
            while pieces[-1].stop < ask.stop:
                pieces.append(next(left))
            yield pieces

    return draw


class Oracle:
    """Simulates what a search asks for; called with a round of asks.

    Parameters
    ----------
    study : Study
    models : sequence of Model
        What is fitted.
    wanted : sequence of Wanted
    ranges : Ranges
        From points to values of the study.
    scenario : int
        Position of the scenario that has all other values.
    draw : Draw
    told : callable
        Is given the number of data sets so far, after each ask.

    Attributes
    ----------
    known : dict of Point to Scenario
        Those that were asked for.
    latest : dict of Point to Counted
        The counts of the last ask of each point.
    data_sets : int
    """

    def __init__(
        self,
        study: Study,
        models: Sequence[Model],
        wanted: Sequence[Wanted],
        ranges: Ranges,
        *,
        scenario: int,
        draw: Draw,
        told: Callable[[int], None],
    ) -> None:
        self.study, self.models, self.wanted = study, tuple(models), tuple(wanted)
        self.ranges, self.scenario = ranges, scenario
        self.draw, self.told = draw, told
        self.known: dict[solver.Point, Scenario] = {}
        self.latest: dict[solver.Point, Counted] = {}
        self.data_sets = 0

    def __call__(self, asks: Sequence[solver.Ask]) -> list[tuple[Tally, ...]]:
        """Return a tally of each target for each ask."""
        scenarios = self.scenarios([ask.point for ask in asks])
        wanted = [
            Ask(scenario, ask.first, ask.stop)
            for scenario, ask in zip(scenarios, asks, strict=True)
        ]
        found = []
        for ask, pieces in zip(asks, self.draw(wanted, self.models), strict=True):
            counts = counted(
                pieces,
                self.models,
                self.wanted,
                policy=self.study.policies[0],
                selection=self.study.selection,
            )
            self.latest[ask.point] = counts
            self.data_sets += ask.stop - ask.first
            self.told(self.data_sets)
            found.append(counts.tallies)
        return found

    def turn(self) -> None:
        """Search in the other direction."""
        self.ranges = self.ranges.turned()
        self.known = {tuple(-x for x in point): one for point, one in self.known.items()}

    def scenarios(self, points: Sequence[solver.Point]) -> list[Scenario]:
        """Return the scenarios at points, made where they are not yet known.

        Each has random numbers of its own, in a study with common ones too: the search takes what
        it sees at two points as independent.
        """
        new = [point for point in dict.fromkeys(points) if point not in self.known]
        if new:
            values = [self.ranges.values(point) for point in new]
            made = scenarios_at(self.study, values, scenario=self.scenario, independent=True)
            self.known.update(zip(new, made, strict=True))
        return [self.known[point] for point in points]
