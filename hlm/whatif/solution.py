"""What `hlm solve` found, for each point of the grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.figure import Figure

    from hlm.closed_forms import ClosedForm, NoClosedForm
    from hlm.solver import Answer, Point
    from hlm.study import Study
    from hlm.study.ranges import Ranges
    from hlm.study.sought import Sought
    from hlm.whatif.tallies import Counted

__all__ = ["Solution", "Solved"]


@dataclass(frozen=True)
class Solved:
    """The answer at one point of the grid.

    Attributes
    ----------
    levels : dict
        The levels of what the grid has besides.
    ranges : Ranges
        What varies.
    answer : Answer
        In the variables of the search.
    fresh : Counted or None
        What fresh replicates of the answer said; None where there is no answer.
    closed : tuple of ClosedForm or NoClosedForm
        For each target, at the answer; or at the point that comes nearest to the goals.
    closed_size : float or None
        The smallest admissible value of one variable by the closed forms, where all targets have
        one and it meets them.
    cost : callable or None
        The costs of points, (n, v) -> (n,).
    no_effect : tuple of bool
        For each target, whether it is the power to find what is 0 in the truth.
    data_sets : int
        All that were simulated.
    seconds : float
    """

    levels: dict[str, Any]
    ranges: Ranges
    answer: Answer
    fresh: Counted | None
    closed: tuple[ClosedForm | NoClosedForm, ...]
    closed_size: float | None
    cost: Callable[[Any], Any] | None
    no_effect: tuple[bool, ...]
    data_sets: int
    seconds: float

    @property
    def point(self) -> Point | None:
        """The answer in the user's values; None where there is none."""
        design = self.answer.design
        return None if design is None else self.ranges.natural(design.point)

    @property
    def exact(self) -> tuple[float, float, float] | None:
        """The value of one variable at which the targets are met, with its interval."""
        found = self.answer.exact
        if found is None or len(self.ranges.variables) > 1 or self.answer.design is None:
            return None
        low, high = sorted(self.ranges.signs[0] * x for x in (found.low, found.high))
        return self.ranges.signs[0] * found.value, low, high


@dataclass(frozen=True)
class Solution:
    """What was sought, and the answers.

    Attributes
    ----------
    study : Study
    sought : Sought
    answers : tuple of Solved
        One for each point of the grid without what varies.
    """

    study: Study
    sought: Sought
    answers: tuple[Solved, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The answers, a row for each point of the grid.

        Columns are the levels of the grid; what varies, of one number with `low` and `high`, the
        limits of its 95 % interval; `cost`; each target by its label with `mcse` and `n` behind
        it, from fresh replicates; `data_sets`, `precise`, and `reached`.
        """
        import pandas as pd

        return pd.DataFrame([self._row(one) for one in self.answers])

    def _row(self, one: Solved) -> dict[str, Any]:
        nan = float("nan")
        point = one.point or (nan,) * len(one.ranges.names)
        row = {**one.levels, **dict(zip(one.ranges.names, point, strict=True))}
        if len(point) == 1:
            _, row["low"], row["high"] = one.exact or (nan, nan, nan)
        if one.cost is not None:
            design = one.answer.design
            row["cost"] = nan if design is None else design_cost(one)
        for place, wanted in enumerate(self.sought.wanted):
            tally = one.fresh.tallies[place] if one.fresh else None
            row[wanted.label] = tally.mean if tally else nan
            row[f"mcse of {wanted.label}"] = tally.mcse if tally else nan
            row[f"n of {wanted.label}"] = tally.n if tally else 0
        return row | {
            "data_sets": one.data_sets,
            "precise": one.answer.precise,
            "reached": one.answer.design is not None,
        }

    @property
    def text(self) -> str:
        """The answers in words, as `hlm solve` prints them."""
        from hlm.whatif.solution_lines import solution_lines

        return "\n".join(solution_lines(self))

    def plot(self, number: int = 0) -> Figure:
        """Draw an answer: the points tried, the fitted curve or contour, target and answer.

        Parameters
        ----------
        number : int
            Position in `answers`.
        """
        from hlm.figures.searched import searched

        one = self.answers[number]
        return searched(one.answer, one.ranges.names, signs=one.ranges.signs, cost=one.cost)


def design_cost(one: Solved) -> float:
    """Return the cost of the answer."""
    assert one.cost is not None
    assert one.answer.design is not None
    return float(one.cost(np.array([one.answer.design.point]))[0])
