"""Results of searches that have ended, from the derivatives at their minima, side by side."""

from __future__ import annotations

import numpy as np

from hlm.jit import kernel
from hlm.kernels.fit import (
    PERFECT_FIT_TOLERANCE,
    conclude,
    may_be_saddle,
    may_be_undetermined,
)
from hlm.kernels.lane_memory import (
    BEND,
    CRITERION,
    ITERATIONS,
    N_OBS,
    NEEDS_MORE,
    NOBODY,
    RESIDUAL,
    STATUS,
    SUM_SQUARES,
    lanes_problem,
    move,
    put,
    take,
    take_matrix,
)
from hlm.kernels.lane_start import search_in
from hlm.kernels.problem import problem_of
from hlm.kernels.search import outcome
from hlm.kernels.stack import report_fit
from hlm.lanes import WIDTH, choose, in_lanes, negation

__all__ = ["gather", "infer_ended", "report_ended"]


@kernel
def gather(first, n, searching, ended, pairs):
    """Let the searches in lanes `first` to `n` - 1 of `pairs` leave; return how many have room."""
    stop = min(n, first + WIDTH - ended.there[0])
    # Into lanes that are free
    for one in range(first, stop):
        pairs[1, one] = ended.there[0] + one - first
    move(searching.numbers, ended.numbers, pairs, first, stop)
    move(searching.state_block, ended.state_block, pairs, first, stop)
    # From lane z into lane k
    for one in range(first, stop):
        z, k = pairs[0, one], pairs[1, one]
        search = search_in(z, searching.searches)
        status, iterations, criterion = outcome(search)
        ended.numbers[STATUS, k] = status
        ended.numbers[ITERATIONS, k] = iterations
        ended.numbers[CRITERION, k] = criterion
        put(search.Lambda, ended.fit.Lambda, k)
        ended.sets[k] = searching.sets[z]
        searching.sets[z] = NOBODY
    ended.there[0] += stop - first
    return stop


@kernel
def infer_ended(parametrization, reml, effects, units, ended, work):
    """Conclude from the derivatives of each lane."""
    numbers, state, fit = in_lanes(ended.numbers), in_lanes(ended.state), in_lanes(ended.fit)
    work, delta, no_rows_left = in_lanes(work), in_lanes(ended.delta), np.bool_(False)
    problem = lanes_problem(parametrization, effects, in_lanes(units), numbers, reml)
    found = numbers[STATUS], numbers[ITERATIONS], numbers[CRITERION]
    conclude(problem, fit, state, work, delta, parametrization, found)
    needs_more = (
        negation(numbers[RESIDUAL] > PERFECT_FIT_TOLERANCE * numbers[SUM_SQUARES])
        | may_be_saddle(fit.summary, work.theta.hessian)
        | may_be_undetermined(problem, fit.summary, state, work, numbers[BEND], no_rows_left)
    )
    numbers[NEEDS_MORE] = choose(needs_more, 1.0, 0.0)


@kernel
def report_ended(parametrization, by, ended, jacobians, own, left, asked):
    """Write the results of fits that need no more than their inference; there is room again.

    `by` is the method's number and whether it is REML; `jacobians` are the derivatives of Psi in
    theta, in lanes; `asked` are the joint tests and the results.
    """
    (method, reml), (tests, results) = by, asked
    workspace, delta, found = own.workspace, ended.delta, ended.fit.estimates
    out = workspace.fit.estimates
    wants_more = results.F.shape[2] > 0 or len(results.spread) > 0 or len(results.vcov) > 0
    # The fit in lane z
    for z in range(ended.there[0]):
        if ended.numbers[NEEDS_MORE, z] != 0.0:
            left[ended.sets[z]] = True
            continue
        take(found.estimate, z, out.estimate)
        take(found.se, z, out.se)
        take(found.df, z, out.df)
        take(ended.fit.summary, z, workspace.fit.summary)
        if wants_more:
            take(ended.state_block, z, own.state)
            take(delta.log_r2, z, workspace.delta.log_r2)
            take_matrix(delta.inverse_root, z, workspace.delta.inverse_root)
            take_matrix(jacobians, z, workspace.work.theta.jacobian)
            take_matrix(found.vcov, z, out.vcov)
            take_matrix(ended.fit.Lambda, z, workspace.fit.Lambda)
        n_obs = np.int64(ended.numbers[N_OBS, z])
        problem = problem_of(parametrization, workspace, n_obs, reml)
        report_fit(problem, parametrization, workspace, tests, results, ended.sets[z], method)
    ended.there[0] = 0
