"""A model fitted to a stack of data sets, `WIDTH` of them side by side.

What takes time is computed for all of them at once: see `hlm.lanes`. Each search goes its own way
(`lane_search`), and where one has ended the next data set takes its lane; from those that have
ended results are made in lanes again. So no search waits for another, and none knows of another:
results are those of `stack.fit_stack`, bit for bit. Data sets of which a fit needs more than a
search and its inference are left to that:

- one that has no fit, or may be fitted perfectly;
- one that may have ended at a saddle, or may leave part of Psi undetermined.
"""

from __future__ import annotations

import numpy as np

from hlm.jit import entry
from hlm.kernels.lane_results import gather, infer_ended, report_ended
from hlm.kernels.lane_search import look_at_trials, search_on
from hlm.kernels.lane_start import enter, fill, load_next, pair_up
from hlm.lanes import WIDTH

__all__ = ["fit_side_by_side"]


@entry
def fit_side_by_side(cross, design, parametrization, reml, memory, tests, results):
    """Fit the data sets of a stack by every method, with the inference that the fit itself allows.

    Parameters
    ----------
    cross, design, parametrization, reml, results
        As in `stack.fit_stack`.
    memory : SideBySide
    tests : JointTests
    """
    waiting, present, ended, lanes, own = (
        memory.waiting, memory.present, memory.ended, memory.work, memory.own,
    )  # fmt: skip
    searching, pairs, left, effects = (
        present.searching, memory.pairs, memory.left, own.workspace.effects,
    )  # fmt: skip
    n, p, q = len(cross.sum_squares), len(parametrization.fixed), np.int64(len(effects))
    # By each method
    for method in range(len(reml)):
        taken, active, by_reml = np.int64(0), np.int64(0), reml[method]
        while taken < n or active > 0:
            # The next data sets into the lanes that are free
            while active < WIDTH and taken < n:
                if taken % WIDTH == 0:
                    fill(cross, taken, waiting.cross, waiting.numbers)
                    load_next(
                        design, parametrization, by_reml, effects, waiting, present.state, lanes
                    )
                taken, begun = pair_up(waiting.numbers, p, taken, n, searching.sets, pairs, left)
                enter(q, parametrization.row, begun, waiting, present.block, searching, pairs)
                active += begun
            look_at_trials(parametrization, by_reml, effects, present, lanes)
            gradients, steps = lanes.theta.gradient, lanes.search.step
            n_ended = search_on(parametrization, by_reml, searching, gradients, steps, own, pairs)
            active -= n_ended
            first, is_last = np.int64(0), taken == n and active == 0
            # Those that have ended, until there are enough to infer from
            while first < n_ended or (is_last and ended.there[0] > 0):
                first = gather(first, n_ended, searching, ended, pairs)
                if ended.there[0] == WIDTH or (is_last and first == n_ended):
                    infer_ended(parametrization, by_reml, effects, present.units, ended, lanes)
                    report_ended(
                        parametrization, (method, by_reml), ended, lanes.theta.jacobian,
                        own, left, (tests, results),
                    )  # fmt: skip
