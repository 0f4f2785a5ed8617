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
from hlm.kernels.lane_memory import N_OBS, NEEDS_MORE, NOBODY
from hlm.kernels.lane_results import gather, infer_ended, report
from hlm.kernels.lane_search import go_on, look_at_trials
from hlm.kernels.lane_start import enter, fill, load_next, pair_up, search_in
from hlm.kernels.problem import problem_of
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
    workspace, pairs, effects = own.workspace, memory.pairs, own.workspace.effects
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
                taken, begun = pair_up(
                    waiting.numbers, p, taken, n, present.sets, pairs, memory.left
                )
                enter(q, parametrization.row, begun, waiting, present, pairs)
                active += begun
            look_at_trials(parametrization, by_reml, effects, present, lanes)
            n_ended = np.int64(0)
            # The search in lane z goes on, or ends
            for z in range(WIDTH):
                if present.sets[z] != NOBODY:
                    n_obs = np.int64(present.numbers[N_OBS, z])
                    problem = problem_of(parametrization, workspace, n_obs, by_reml)
                    search = search_in(z, present.searches)
                    if not go_on(problem, z, search, present, lanes, own):
                        pairs[0, n_ended] = z
                        n_ended += 1
            active -= n_ended
            first, is_last = np.int64(0), taken == n and active == 0
            # Those that have ended, until there are enough to conclude from
            while first < n_ended or (is_last and ended.count[0] > 0):
                first = gather(first, n_ended, present, ended, pairs)
                if ended.count[0] == WIDTH or (is_last and first == n_ended):
                    infer_ended(parametrization, by_reml, effects, present.units, ended, lanes)
                    for z in range(ended.count[0]):
                        if ended.numbers[NEEDS_MORE, z] != 0.0:
                            memory.left[ended.sets[z]] = True
                            continue
                        n_obs = np.int64(ended.numbers[N_OBS, z])
                        problem = problem_of(parametrization, workspace, n_obs, by_reml)
                        report(
                            problem, parametrization, method, z, ended, lanes, own, tests, results
                        )
                    ended.count[0] = 0
