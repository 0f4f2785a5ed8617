"""Searches side by side: what takes time for all at once, each one's course by itself.

At each point the criterion, its derivatives and Newton's step in the effects' own order are
computed in lanes. A search in another order, or where the Hessian is not positive definite, makes
its own step of the derivatives.
"""

from __future__ import annotations

import numpy as np

from hlm.jit import kernel
from hlm.kernels.criterion import evaluate
from hlm.kernels.derivatives import differentiate
from hlm.kernels.fit import residual_within
from hlm.kernels.identified import bend_of
from hlm.kernels.lane_memory import (
    BEND,
    CRITERION,
    DECREMENT,
    N_OBS,
    NOBODY,
    RANK,
    RESIDUAL,
    lanes_problem,
    put,
    take,
)
from hlm.kernels.lane_start import search_in
from hlm.kernels.newton import positive_step, theta_derivatives
from hlm.kernels.problem import problem_of
from hlm.kernels.search import ANOTHER_POINT, find_step, has_natural_step, proceed, receive
from hlm.lanes import WIDTH, in_lanes

__all__ = ["look_at_trials", "search_on"]


@kernel
def look_at_trials(parametrization, reml, effects, present, work):
    """Evaluate and differentiate the criterion of each lane at its `trial`; find Newton's step."""
    searching = present.searching
    numbers, trial = in_lanes(searching.numbers), in_lanes(searching.trial)
    state, work = in_lanes(present.state), in_lanes(work)
    problem = lanes_problem(parametrization, effects, in_lanes(present.units), numbers, reml)
    numbers[CRITERION] = evaluate(problem, trial, state)
    differentiate(problem, state)
    numbers[RESIDUAL] = residual_within(problem, state)
    numbers[BEND] = bend_of(problem.units.rows.shape[0], state.XR)
    theta_derivatives(problem, trial, state, work.theta)
    n, step = len(problem.row), work.search.step
    numbers[RANK], numbers[DECREMENT] = positive_step(n, work.theta, work.factor, step)


@kernel
def search_on(parametrization, reml, searching, gradients, steps, own, pairs):
    """Take each search further; write the lanes of those that end into `pairs`, return how many.

    `gradients` and `steps` are Newton's, in lanes.
    """
    workspace, ended = own.workspace, 0
    state, work = workspace.state, workspace.work
    # The search in lane z goes on, or ends
    for z in range(WIDTH):
        if searching.sets[z] == NOBODY:
            continue
        n_obs = np.int64(searching.numbers[N_OBS, z])
        problem = problem_of(parametrization, workspace, n_obs, reml)
        search, goes_on = search_in(z, searching.searches), True
        if receive(problem, search, searching.numbers[CRITERION, z]) != ANOTHER_POINT:
            take(searching.state_block, z, own.curvature)
            is_positive = searching.numbers[RANK, z] == len(problem.row)
            if is_positive and has_natural_step(problem, search):
                decrement = searching.numbers[DECREMENT, z]
                take(gradients, z, work.theta.gradient)
                take(steps, z, search.step)
            else:
                decrement = find_step(problem, search, state, work)
            goes_on = proceed(problem, search, decrement, state, work)
        if goes_on:
            put(search.trial, searching.trial, z)
        else:
            pairs[0, ended] = z
            ended += 1
    return ended
