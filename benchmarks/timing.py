"""Times of tasks that take turns, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import SEED, Case, normals_of, simulate_case
from hlm.engine import fit_batch
from hlm.engine.batch import fit_model
from hlm.engine.fit import ITERATIONS
from hlm.simulate import basis_of, model_columns_of

if TYPE_CHECKING:
    from hlm.scenario import Method

__all__ = ["Timing", "interleave", "time_case"]

Floats = NDArray[np.float64]
Task = Callable[[], object]

CHUNK = 1 << 16
"""Normals drawn at a time, as the simulator does: more do not stay in the processor's cache."""


@dataclass(frozen=True)
class Timing:
    """What a case costs.

    Attributes
    ----------
    case : Case
    seconds : dict of str to ndarray (repeats,)
        Of each task, per data set.
    iterations : float
        Newton steps of a REML fit, on average.
    """

    case: Case
    seconds: dict[str, Floats]
    iterations: float

    def microseconds(self, task: str) -> float:
        """Return the median time of a task, NaN if it was not timed."""
        return float(np.median(self.seconds[task])) * 1e6 if task in self.seconds else np.nan

    def ratios(self, *tasks: str) -> Floats:
        """Return each repeat's time of some tasks together, over that of the same normals."""
        if not self.seconds.keys() >= set(tasks):
            return np.full(1, np.nan)
        return np.sum([self.seconds[task] for task in tasks], axis=0) / self.seconds["normals"]


def interleave(tasks: Mapping[str, Task], repeats: int) -> dict[str, Floats]:
    """Run each task once, then time all of them `repeats` times in turn; return seconds."""
    for task in tasks.values():
        task()
    seconds = np.empty((len(tasks), repeats))
    for r in range(repeats):
        for k, task in enumerate(tasks.values()):
            start = perf_counter()
            task()
            seconds[k, r] = perf_counter() - start
    return dict(zip(tasks, seconds, strict=True))


def time_case(case: Case, repeats: int = 9, only: Collection[str] = ()) -> Timing:
    """Time one case: its normals alone, and each step from them to tables; or `only` some."""
    n, scenario = case.n, case.scenario
    drawn = simulate_case(case, n)
    columns = model_columns_of(scenario, basis_of(scenario, [case.model]), case.model)

    def fit(*methods: Method) -> Floats:
        return fit_model(scenario, replace(case.model, methods=methods), columns, drawn).summary

    tasks: dict[str, Task] = {
        "normals": lambda: _draw(n * normals_of(scenario), CHUNK),
        "one call": lambda: _draw(n * normals_of(scenario), n * normals_of(scenario)),
        "simulate": lambda: simulate_case(case, n),
        "reml": lambda: fit("reml"),
        "both": lambda: fit("reml", "ml"),
        "tables": lambda: fit_batch(scenario, [replace(case.model, methods=("reml",))], drawn),
    }
    chosen = {
        name: task
        for name, task in tasks.items()
        if (name in only or not only) and not (name == "simulate" and case.sizes)
    }
    seconds = {name: times / n for name, times in interleave(chosen, repeats).items()}
    return Timing(case, seconds, float(fit("reml")[:, 0, ITERATIONS].mean()))


def _draw(count: int, size: int) -> None:
    """Draw normals, `size` at a time."""
    rng = np.random.default_rng(SEED)
    for start in range(0, count, size):
        rng.standard_normal(min(size, count - start))
