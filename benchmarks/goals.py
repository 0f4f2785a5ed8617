"""What a data set costs in a long batch, beside what it should: drawn, and fitted side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.cases import Case, design, hard_case
from benchmarks.timing import time_case
from hlm.distributions import Uniform
from hlm.plan.cost import replicate_cost
from hlm.plan.pack import MAX_RANGE_BYTES, MAX_RANGE_REPLICATES
from hlm.scenario import Model

__all__ = ["Goal", "goals", "print_goals"]


@dataclass(frozen=True)
class Goal:
    """A design, and the microseconds that a data set of it should take at most.

    Attributes
    ----------
    case : Case
    tasks : tuple of str
        What counts: tasks of `time_case`.
    most : float
    """

    case: Case
    tasks: tuple[str, ...]
    most: float

    @property
    def n(self) -> int:
        """The data sets that a batch draws at a time."""
        size = replicate_cost(self.case.scenario, [self.case.model]).cross_product_bytes
        return min(MAX_RANGE_REPLICATES, int(MAX_RANGE_BYTES / size))


def goals() -> list[Goal]:
    """Return what `print_goals` times."""
    both = ("simulate", "lanes")
    shared, drawn = design(30, 30, shared=True), design(30, 30)
    a, x = drawn.covariates
    uniform = replace(x, distribution=Uniform(-np.sqrt(3.0), np.sqrt(3.0)))
    evenly = replace(drawn, key="7d" * 8, covariates=(a, uniform))
    designs = (
        ("30 x 30, one x", shared, 5.0),
        ("30 x 30, normal x per row", drawn, 12.0),
        ("30 x 30, uniform x per row", evenly, 30.0),
        ("100 x 10, normal x per row", design(100, 10), 45.0),
        ("1000 x 20, one x", design(1000, 20, shared=True), 45.0),
        ("30 x 300, one x", design(30, 300, shared=True), 5.0),
    )
    found = [
        Goal(Case(label, one, Model("truth", one.formula)), both, most)
        for label, one, most in designs
    ]
    return [*found, Goal(hard_case(), ("lanes",), 15.0)]


HEADING = """
Microseconds of processor time per data set of a long batch, and what it should take
   simulate: draw and reduce to cross-products. REML: fit with SEs and Satterthwaite df, one data
   set after another; lanes: sixteen side by side, the same numbers. sum: of simulate and lanes,
   or of the weak fit alone; its median (range of the middle half of the repeats)
"""


def print_goals(repeats: int = 15) -> None:
    """Print what a data set of a long batch costs beside what it should."""
    print(HEADING)
    print(f"{'design':36}{'simulate':>9}{'REML':>8}{'lanes':>8}{'sum':>8}{'':16}{'at most':>8}")
    for goal in goals():
        timing = time_case(goal.case, repeats, ("simulate", "reml", "lanes"), n=goal.n)
        sums = np.sum([timing.seconds[task] for task in goal.tasks], axis=0) * 1e6
        low, middle, high = np.quantile(sums, [0.25, 0.5, 0.75])
        times = [timing.microseconds(task) for task in ("simulate", "reml", "lanes")]
        over = "  OVER" if middle > goal.most else ""
        print(
            f"{goal.case.label:36}{times[0]:9.1f}{times[1]:8.1f}{times[2]:8.1f}{middle:8.1f}"
            f"{f' ({low:.1f}-{high:.1f})':16}{goal.most:8g}{over}"
        )
