"""Searches side by side: what takes time for all at once, each one's course by itself.

At each point the criterion, its derivatives and Newton's step in the effects' own order are
computed in lanes. A search in another order, or where the Hessian is not positive definite, makes
its own step of the derivatives.
"""

from __future__ import annotations

from hlm.jit import inlined, kernel
from hlm.kernels.criterion import evaluate
from hlm.kernels.derivatives import differentiate
from hlm.kernels.fit import residual_within
from hlm.kernels.identified import bend_of
from hlm.kernels.lane_memory import (
    BEND,
    CRITERION,
    DECREMENT,
    RANK,
    RESIDUAL,
    lanes_problem,
    put,
    take,
)
from hlm.kernels.newton import positive_step, theta_derivatives
from hlm.kernels.search import ANOTHER_POINT, find_step, has_natural_step, proceed, receive
from hlm.lanes import in_lanes

__all__ = ["go_on", "look_at_trials"]


@kernel
def look_at_trials(parametrization, reml, effects, present, work):
    """Evaluate and differentiate the criterion of each lane at its `trial`; find Newton's step."""
    numbers, trial, state = (
        in_lanes(present.numbers), in_lanes(present.trial), in_lanes(present.state),
    )  # fmt: skip
    work = in_lanes(work)
    problem = lanes_problem(parametrization, effects, in_lanes(present.units), numbers, reml)
    numbers[CRITERION] = evaluate(problem, trial, state)
    differentiate(problem, state)
    numbers[RESIDUAL] = residual_within(problem, state)
    numbers[BEND] = bend_of(problem.units.rows.shape[0], state.XR)
    theta_derivatives(problem, trial, state, work.theta)
    n, step = len(problem.row), work.search.step
    numbers[RANK], numbers[DECREMENT] = positive_step(n, work.theta, work.factor, step)


@inlined
def go_on(problem, z, search, present, lanes, own):
    """Take the search in lane z further; return whether it needs another point."""
    state, work, goes_on = own.workspace.state, own.workspace.work, True
    needed = receive(problem, search, present.numbers[CRITERION, z])
    if needed != ANOTHER_POINT:
        take(present.state_block, z, own.curvature)
        is_positive = present.numbers[RANK, z] == len(problem.row)
        if is_positive and has_natural_step(problem, search):
            decrement = present.numbers[DECREMENT, z]
            take(lanes.theta.gradient, z, work.theta.gradient)
            take(lanes.search.step, z, search.step)
        else:
            decrement = find_step(problem, search, state, work)
        goes_on = proceed(problem, search, decrement, state, work)
    put(search.trial, present.trial, z)
    return goes_on
