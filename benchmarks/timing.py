"""Times of tasks that take turns, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import SEED, Case, normals_of, simulate_case
from hlm.fits import fit_batch
from hlm.fits.candidates import fit_model
from hlm.formula import parse
from hlm.inference.variants import kernels_of
from hlm.kernels.fit import ITERATIONS
from hlm.simulate import Memory

if TYPE_CHECKING:
    from hlm.kernels.stack import StackResults
    from hlm.scenario import Model

__all__ = ["Timing", "interleave", "time_case", "time_shapes"]

Floats = NDArray[np.float64]
Task = Callable[[], object]

CHUNK = 1 << 16
"""Normals drawn at a time, as the simulator does: more do not stay in the processor's cache."""

PROFILE_SHARE, FEWEST = 25, 4
"""Profile limits are timed on one of so many data sets, and on so many at least."""


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

    def ratios(self, *tasks: str, base: str = "normals") -> Floats:
        """Return each repeat's time of some tasks together, over that of the base."""
        if not self.seconds.keys() >= {base, *tasks}:
            return np.full(1, np.nan)
        return np.sum([self.seconds[task] for task in tasks], axis=0) / self.seconds[base]


def interleave(tasks: Mapping[str, Task], repeats: int) -> dict[str, Floats]:
    """Run each task once, then time all of them `repeats` times in turn.

    Return seconds of processor time, (repeats,) each.
    """
    for task in tasks.values():
        task()
    seconds = np.empty((len(tasks), repeats))
    for r in range(repeats):
        for k, task in enumerate(tasks.values()):
            start = process_time()
            task()
            seconds[k, r] = process_time() - start
    return dict(zip(tasks, seconds, strict=True))


def time_case(
    case: Case, repeats: int = 9, only: Collection[str] = (), *, n: int | None = None
) -> Timing:
    """Time one case: its normals alone, and each step from them to tables; or `only` some.

    Of n data sets, if that is given drawn into memory that is used again, as a batch does.
    """
    memory = None if n is None else Memory()
    n, scenario = n or case.n, case.scenario
    drawn, few = simulate_case(case, n), simulate_case(case, max(FEWEST, n // PROFILE_SHARE))
    columns = drawn.columns[0]
    reml = replace(case.model, methods=("reml",))
    profile = replace(case.model, methods=("ml",), limits=("profile",))
    beside = replace(reml, df=("satterthwaite", "kenward-roger"))
    names = tuple(term.name for term in parse(reml.formula).fixed)
    f_test = replace(reml, tests=(("all", names),))

    (side_by_side,) = kernels_of([reml], lanes=True)

    def fit(model: Model) -> StackResults:
        return fit_model(model, columns, drawn.cross)

    found = fit(reml)
    tasks: dict[str, Task] = {
        "normals": lambda: _draw(n * normals_of(scenario), CHUNK),
        "one call": lambda: _draw(n * normals_of(scenario), n * normals_of(scenario)),
        "simulate": lambda: simulate_case(case, n, memory),
        "reml": lambda: fit(reml),
        "lanes": lambda: fit_model(reml, columns, drawn.cross, side_by_side),
        "both": lambda: fit(case.model),
        "kenward-roger": lambda: fit(replace(reml, df=("kenward-roger",))),
        "side by side": lambda: fit(beside),
        "F test": lambda: fit(f_test),
        "profile": lambda: fit_model(profile, columns, few.cross),
        "tables": lambda: fit_batch(scenario, [reml], drawn),
    }
    chosen = {
        name: task
        for name, task in tasks.items()
        if (name in only or not only) and not (name == "simulate" and case.sizes)
    }
    seconds = {
        name: times / (len(few.cross.sum_squares) if name == "profile" else n)
        for name, times in interleave(chosen, repeats).items()
    }
    return Timing(case, seconds, float(found.summary[:, 0, ITERATIONS].mean()))


def time_shapes(cases: Mapping[str, Case], repeats: int = 9) -> dict[str, Floats]:
    """Time to simulate and fit by REML, of one design with several distributions in turn.

    Return seconds per data set, (repeats,) each, and those of the first one's `normals` by NumPy.
    """

    def whole(case: Case) -> StackResults:
        drawn = simulate_case(case, case.n)
        return fit_model(replace(case.model, methods=("reml",)), drawn.columns[0], drawn.cross)

    tasks: dict[str, Task] = {name: partial(whole, case) for name, case in cases.items()}
    first = next(iter(cases.values()))
    n = first.n
    tasks["normals"] = partial(_draw, n * normals_of(first.scenario), CHUNK)
    return {name: seconds / n for name, seconds in interleave(tasks, repeats).items()}


def _draw(count: int, size: int) -> None:
    """Draw normals, `size` at a time."""
    rng = np.random.default_rng(SEED)
    for start in range(0, count, size):
        rng.standard_normal(min(size, count - start))
