"""One fit: the search, its verdict, and everything that is reported of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import inlined, kernel
from hlm.kernels.criterion import State, allocate_state
from hlm.kernels.identified import (
    LOOK_TOLERANCE,
    NullSpace,
    allocate_null,
    bend_of,
    certified_rank,
    is_degenerate,
    leave_out_undetermined,
    null_space,
)
from hlm.kernels.inference import (
    DeltaMethod,
    Estimates,
    Parametrization,
    allocate_delta,
    allocate_estimates,
    infer,
)
from hlm.kernels.linalg import copy, eigh_jacobi
from hlm.kernels.minimum import CONVERGED, NO_START, Work, allocate_work, minimize
from hlm.kernels.newton import theta_derivatives
from hlm.kernels.problem import divisor
from hlm.kernels.start import WITHIN_TOLERANCE, rank_of
from hlm.kernels.units import Units, allocate_units
from hlm.lanes import choose, everywhere, negation

__all__ = [
    "BOUNDARY_RANK",
    "CRITERION",
    "GRADIENT_NORM",
    "ITERATIONS",
    "PARTLY_IDENTIFIED",
    "PERFECT_FIT",
    "PERFECT_FIT_TOLERANCE",
    "SADDLE_TOLERANCE",
    "SINGULAR",
    "SMALLEST_EIGENVALUE",
    "STATUS",
    "STATUSES",
    "Fit",
    "Workspace",
    "allocate_fit",
    "allocate_workspace",
    "fit_units",
]

STATUSES = (
    "ok",
    "not_converged",
    "unidentified",
    "perfect_fit",
    "not_finite",
    "partly_identified",
)
"""What can become of a fit; all but the first are failures, the last of some parameters only."""

OK, NOT_CONVERGED, UNIDENTIFIED, PERFECT_FIT, NOT_FINITE, PARTLY_IDENTIFIED = range(6)

PERFECT_FIT_TOLERANCE = 1e-13
"""Residuals with less than this share of the response's sum of squares are rounding error."""

SADDLE_TOLERANCE = 1e-6
"""An eigenvalue of the Hessian below minus this share of its largest element is negative: the
search ended at a saddle."""

(CRITERION, STATUS, ITERATIONS, GRADIENT_NORM, SMALLEST_EIGENVALUE, SINGULAR, BOUNDARY_RANK) = (
    range(7)
)
"""Columns of a fit's summary."""

N_SUMMARY = 7


class Fit(NamedTuple):
    """What is known of one fit.

    Attributes
    ----------
    Lambda : ndarray (q, q)
        Where the search is; at its end the minimum.
    estimates : Estimates
        What is reported of the fit, and ...
    summary : ndarray (7,)
        ... what became of it, in the order of `CRITERION`, `STATUS`, ...
    """

    Lambda: np.ndarray
    estimates: Estimates
    summary: np.ndarray


def allocate_fit(q: int, p: int, n_theta: int) -> Fit:
    """Return memory for what is known of one fit."""
    return Fit(np.zeros((q, q)), allocate_estimates(p, n_theta), np.zeros(N_SUMMARY))


class Workspace(NamedTuple):
    """All the memory that fitting one data set needs, allocated once for a stack of them.

    Attributes
    ----------
    effects : tuple of int
        An entry for each of the q random effects, see `problem.Problem`.
    units : Units
        The data set.
    fit : Fit
    state : State
        The criterion's parts, in the end those at the minimum.
    work : Work
        Memory of the search, in the end with the derivatives at the minimum.
    delta : DeltaMethod
        Memory of the inference, in the end with B and v at the minimum.
    null : NullSpace
        Memory for what the data do not determine.
    """

    effects: tuple[int, ...]
    units: Units
    fit: Fit
    state: State
    work: Work
    delta: DeltaMethod
    null: NullSpace


def allocate_workspace(
    parametrization: Parametrization, n_units: int, *, shared: bool
) -> Workspace:
    """Return memory for data sets of `n_units` units."""
    p, q = len(parametrization.fixed), len(parametrization.random)
    n_theta = len(parametrization.row)
    return Workspace(
        effects=(0,) * q,
        units=allocate_units(n_units, q, p, shared=shared),
        fit=allocate_fit(q, p, n_theta),
        state=allocate_state(n_units, q, p, n_theta, shared=shared),
        work=allocate_work(q, n_theta),
        delta=allocate_delta(q, n_theta),
        null=allocate_null(q, n_theta),
    )


@inlined
def fit_units(problem, workspace, parametrization, sum_squares):
    """Fit the data set of a problem; the results are left in `estimates` and `summary`.

    `sum_squares` is the response's own, against which a residual counts as zero.
    """
    units, state, work = problem.units, workspace.state, workspace.work
    out, summary = workspace.fit.estimates, workspace.fit.summary
    if not np.isfinite(sum_squares):
        without_estimates(out, summary)
        summary[STATUS] = NOT_FINITE
        return
    if problem.n_obs <= problem.p:
        without_estimates(out, summary)
        summary[STATUS] = UNIDENTIFIED
        return
    status, iterations, criterion = minimize(problem, workspace.fit.Lambda, state, work, True)
    if status == NO_START:
        without_estimates(out, summary)
        summary[STATUS] = UNIDENTIFIED
        return
    no_rows_left = False
    residual = residual_within(problem, state)
    if not residual > PERFECT_FIT_TOLERANCE * sum_squares:
        no_rows_left = rows_left(problem) <= 0
        residual = state.r2[0] if no_rows_left else residual
    if not residual > PERFECT_FIT_TOLERANCE * sum_squares:
        without_estimates(out, summary)
        summary[STATUS], summary[ITERATIONS] = PERFECT_FIT, iterations
        return
    ended = status, iterations, criterion
    conclude(problem, workspace.fit, state, work, workspace.delta, parametrization, ended)
    largest = largest_bend(work.theta.hessian)
    if (
        may_be_saddle(summary, work.theta.hessian)
        and smallest_inside(parametrization.col, workspace.fit.Lambda, work)
        < -SADDLE_TOLERANCE * largest
    ):
        summary[STATUS] = NOT_CONVERGED
    bend = bend_of(units.rows.shape[0], state.XR)
    if may_be_undetermined(problem, summary, state, work, bend, no_rows_left):
        look(problem, workspace, parametrization)
        summary[SINGULAR] = 1.0 if summary[BOUNDARY_RANK] > 0.0 else 0.0


@kernel
def residual_within(problem, state):
    """Return gamma'W gamma, the residual sum of squares within units."""
    gamma, within, residual = state.gamma, problem.units.within, 0.0
    # sum_jk gamma_j W_jk gamma_k
    for j in range(problem.p + 1):
        for k in range(problem.p + 1):
            residual += gamma[j] * within[j, k] * gamma[k]
    return residual


@kernel
def conclude(problem, fit, state, work, delta, parametrization, ended):
    """Fill `estimates` and `summary` from the derivatives where the search ended.

    `ended` is what it leaves: status, iterations, criterion.
    """
    Lambda, summary, norm = fit.Lambda, fit.summary, 0.0
    theta_derivatives(problem, Lambda, state, work.theta)
    # |g|^2, g the gradient in theta
    for k in range(len(work.theta.gradient)):
        norm += work.theta.gradient[k] * work.theta.gradient[k]
    status, iterations, criterion = ended
    summary[STATUS] = choose(status == CONVERGED, 1.0 * OK, 1.0 * NOT_CONVERGED)
    summary[ITERATIONS] = iterations
    summary[CRITERION] = criterion + (parametrization.logdet if problem.reml else 0.0)
    summary[GRADIENT_NORM] = np.sqrt(norm)
    summary[SMALLEST_EIGENVALUE] = infer(
        divisor(problem), parametrization, Lambda, state, work, delta, fit.estimates
    )
    rank = 0.0
    # q - rank Psi, the number of zeros Lambda_aa
    for a in range(len(problem.effects)):
        rank += choose(Lambda[a, a] == 0.0, 1.0, 0.0)
    summary[BOUNDARY_RANK] = rank
    summary[SINGULAR] = choose(rank > 0.0, 1.0, 0.0)


@kernel
def may_be_saddle(summary, hessian):
    """Tell whether the Hessian has a negative eigenvalue."""
    return summary[SMALLEST_EIGENVALUE] < -SADDLE_TOLERANCE * largest_bend(hessian)


@kernel
def largest_bend(hessian):
    """Return the largest element of the diagonal of the Hessian."""
    largest = 0.0
    # max_k |H_kk|
    for k in range(len(hessian)):
        largest = max(largest, abs(hessian[k, k]))
    return largest


@kernel
def may_be_undetermined(problem, summary, state, work, bend, no_rows_left):
    """Tell whether to look at what the data determine: the Hessian is nearly flat somewhere.

    `bend` is what `bend_of` gives.
    """
    largest, rank = largest_bend(work.theta.hessian), summary[BOUNDARY_RANK]
    is_flat = negation(summary[SMALLEST_EIGENVALUE] > LOOK_TOLERANCE * largest)
    if not everywhere(negation(is_flat & (rank > 0.0))):
        is_degenerate_there = is_degenerate(len(problem.row), state.hessian_psi, work)
        is_flat = is_flat & ((rank == 0.0) | is_degenerate_there)
    if problem.reml or no_rows_left:
        is_flat = is_flat | (largest <= LOOK_TOLERANCE * bend)
    return is_flat


@kernel
def look(problem, workspace, parametrization):
    """Leave out what the data do not determine.

    Where that is all of Psi, nothing depends on where the search ended.
    """
    state, work, null, Lambda = (
        workspace.state, workspace.work, workspace.null, workspace.fit.Lambda,
    )  # fmt: skip
    out, summary = workspace.fit.estimates, workspace.fit.summary
    count, moves_sigma = null_space(problem, Lambda, state, null)
    if count == 0:
        return
    if moves_sigma:
        without_estimates(out, summary)
        summary[STATUS] = UNIDENTIFIED
        return
    if count == len(problem.row):
        work.theta.hessian[:] = 0.0
        infer(divisor(problem), parametrization, Lambda, state, work, workspace.delta, out)
        null_space(problem, Lambda, state, null)
        summary[STATUS] = OK
    if leave_out_undetermined(problem.reml, parametrization, state, null, out):
        summary[BOUNDARY_RANK] = certified_rank(problem, state, work)
        if summary[STATUS] == OK:
            summary[STATUS] = PARTLY_IDENTIFIED


@kernel
def without_estimates(out, summary):
    """Leave NaN."""
    out.estimate[:], out.se[:], out.df[:] = np.nan, np.nan, np.nan
    out.theta[:], out.vcov[:], summary[:] = np.nan, np.nan, np.nan
    summary[ITERATIONS], summary[SINGULAR] = 0.0, 0.0


@kernel
def rows_left(problem):
    """Return how many dimensions of the data are outside the random effects, by REML and of X.

    If there are none the residual within units is zero whatever the response.
    """
    units, n_units = problem.units, problem.units.rows.shape[0]
    rows, left = units.rows, problem.n_obs
    # N - sum_i rank Z_i
    for i in range(n_units):
        left -= rank_of(rows.shape[1], units.Rt[0 if units.shared else i])
    # x_j'x_j = within_jj + sum_i b_ij'b_ij: is there anything within?
    for j in range(problem.p if problem.reml else 0):
        length = units.within[j, j]
        for i in range(n_units):
            for a in range(rows.shape[1]):
                length += rows[i, a, j] * rows[i, a, j]
        if units.within[j, j] > WITHIN_TOLERANCE * length:
            left -= 1
    return left


@kernel
def smallest_inside(col, Lambda, work):
    """Return the smallest eigenvalue of the Hessian apart from the columns of Lambda that are zero.

    The Hessian in these is a part of 2 G, apart from the others: `escape` has looked at it, and
    what it does not promise is no saddle, though an eigenvalue may be a little below zero.
    """
    n, inside = len(col), work.square
    copy(work.theta.hessian, inside)
    # Hp without the rows and columns of the zero columns of Lambda
    for k in range(n):
        if Lambda[col[k], col[k]] == 0.0:
            inside[k, :] = 0.0
            inside[:, k] = 0.0
    eigh_jacobi(inside, n, work.vectors)
    smallest = 0.0
    # min(0, its eigenvalues)
    for k in range(n):
        smallest = min(smallest, inside[k, k])
    return smallest
