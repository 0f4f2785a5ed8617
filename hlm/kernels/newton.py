r"""The minimum of the criterion, by Newton's method in theta without bounds.

The criterion is even in the sign of each column of Lambda, so no bound is needed, and bounds would
create false optima: at Lambda_11 = 0 != Lambda_21 a bounded search can be stuck where the function
still falls. The search ends at a point that satisfies the first-order conditions of a minimum over
all positive semidefinite Psi: G = d criterion / d Psi vanishes on the range of Psi, and has no
negative eigenvalue elsewhere (else the search goes on in that direction). The Hessian in theta adds
the second-order condition on the range; `hlm.kernels.fit` reports a saddle as not converged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import inlined, kernel
from hlm.kernels.boundary import escape, rectify, set_zeros, touches_boundary
from hlm.kernels.criterion import evaluate
from hlm.kernels.derivatives import differentiate
from hlm.kernels.linalg import cholesky, copy, eigh_jacobi, solve_lower, solve_upper
from hlm.kernels.order import is_skew, natural_order, pivot, restore_order
from hlm.kernels.start import MomentStart, allocate_start, moment_start

__all__ = [
    "CONVERGED",
    "DECREMENT_TOLERANCE",
    "MAX_ITERATIONS",
    "MAX_STEP",
    "NOT_CONVERGED",
    "NO_START",
    "POSITIVE_TOLERANCE",
    "ThetaDerivatives",
    "Work",
    "allocate_theta",
    "allocate_work",
    "minimize",
    "theta_derivatives",
]

MAX_ITERATIONS = 200
"""Newton steps before a fit is reported as not converged; the usual number is 0 to 6."""

DECREMENT_TOLERANCE = 1e-14
"""Converged when g'H^{-1}g, twice the criterion's distance from its minimum, is below this."""

POLISH_DECREMENT = 1e-8
"""Below this decrement the criterion's own rounding hides a decrease: full steps are taken, and
the search has converged when they no longer halve the decrement."""

MAX_STEP = 2.0
"""Longest step in theta, or the norm of theta if that is larger."""

SUFFICIENT_DECREASE = 1e-2
"""Share of the first-order decrease that a step must bring (Armijo): no less, or steps to and fro
between a point and its mirror image, the sign of a column changed, would pass."""

MAX_HALVINGS = 40
"""Of a step that does not bring its decrease."""

POSITIVE_TOLERANCE = 1e-12
"""The Hessian is positive definite if no pivot is below this share of its diagonal element ..."""

CURVATURE_FLOOR = 1e-6
"""... else its eigenvalues are made positive and at least this share of the largest."""

FEW_ROWS = 100
"""With so few rows the criterion may have several minima: the lowest from several starts is taken.
Of random data sets of up to 20 rows 2 % had a lower one than the moment start leads to, of those of
60 to 80 rows 1 in 8000, of more than 80 rows none; models with one random effect never had."""

FAR, NEAR = 10.0, 0.3
"""The diagonal of Lambda in these starts: for one effect or all, and for the others."""

LOWER = 1e-9
"""Another minimum counts as lower if it is so by more than this."""

CONVERGED, NOT_CONVERGED, NO_START = 0, 1, 2


class ThetaDerivatives(NamedTuple):
    """The derivatives in theta, of the criterion or, in a profile, of the deviance at a sigma.

    Attributes
    ----------
    gradient, hessian : ndarray (n_theta,), (n_theta, n_theta)
        The Hessian is set to 0 where the data determine nothing of Psi (`fit.look`).
    jacobian : ndarray (n_theta, n_theta)
        J[v, k], the derivative of the free element v of Psi in element k of theta.
    hessian_jacobian : ndarray (n_theta, n_theta)
        The Hessian in Psi times J.
    """

    gradient: np.ndarray
    hessian: np.ndarray
    jacobian: np.ndarray
    hessian_jacobian: np.ndarray


def allocate_theta(n_theta: int) -> ThetaDerivatives:
    """Return memory for the derivatives in `n_theta` parameters."""
    gradient, square = np.zeros(n_theta), (n_theta, n_theta)
    return ThetaDerivatives(gradient, np.zeros(square), np.zeros(square), np.zeros(square))


class Work(NamedTuple):
    """Memory of the search, n the larger of q and n_theta.

    Kernels that use little of it are given that: Numba passes on each array of a tuple by itself,
    and the code for that takes time to compile.

    Attributes
    ----------
    theta : ThetaDerivatives
    factor : ndarray (n_theta, n_theta)
        The Cholesky factor of the Hessian, where it is positive definite.
    step : ndarray (n_theta,)
        |H|^{-1} g as it is solved for, then Newton's step, -|H|^{-1} g, as long as allowed.
    trial : ndarray (q, q)
        A Lambda that is tried, made from its Psi in `boundary`.
    best : ndarray (q, q)
        The Lambda of the lowest minimum of several searches.
    order, place : ndarray of int (q,), (n_theta,)
        The order of the effects within the search, see `order`; the rows of theta's elements in it.
    G : ndarray (q, q)
        d criterion / d Psi, zero where Psi has no free element; diagonal once it is diagonalized.
    square : ndarray (n, n)
        A symmetric matrix that a kernel diagonalizes, in that kernel only: Hp (`reflected_step`,
        `inverse_root`, `smallest_inside`), the Hessian in Psi (`is_degenerate`), sum ee'
        (`closed_form`), Psi (`start.project`).
    vectors : ndarray (n, n)
        The eigenvectors of `square` or of `G`.
    start : MomentStart
    """

    theta: ThetaDerivatives
    factor: np.ndarray
    step: np.ndarray
    trial: np.ndarray
    best: np.ndarray
    order: np.ndarray
    place: np.ndarray
    G: np.ndarray
    square: np.ndarray
    vectors: np.ndarray
    start: MomentStart


def allocate_work(q: int, n_theta: int) -> Work:
    """Return memory for the search over `n_theta` parameters of `q` random effects."""
    n = max(q, n_theta)
    return Work(
        theta=allocate_theta(n_theta),
        factor=np.zeros((n_theta, n_theta)),
        step=np.zeros(n_theta),
        trial=np.zeros((q, q)),
        best=np.zeros((q, q)),
        order=np.zeros(q, dtype=np.int64),
        place=np.zeros(n_theta, dtype=np.int64),
        G=np.zeros((q, q)),
        square=np.zeros((n, n)),
        vectors=np.zeros((n, n)),
        start=allocate_start(q),
    )


@inlined
def minimize(problem, Lambda, state, work, from_moments):
    """Find the minimum, from the moment start or from the given Lambda.

    Return (status, iterations, criterion); `state` and `work` hold the derivatives at the minimum.
    With few rows other starts are tried after the moments'; the steps are those of the best search.
    """
    q = np.int64(len(problem.effects))
    if from_moments and not moment_start(problem, Lambda, state, work):
        return NO_START, 0, np.nan
    status, iterations, criterion = settle(problem, Lambda, state, work)
    if from_moments and iterations > 0 and q > 1 and problem.n_obs <= FEW_ROWS:
        copy(Lambda, work.best)
        # A search from each far start; the lowest minimum is kept
        for start in range(q + 1):
            far_start(q, start, Lambda)
            other_status, steps, other = settle(problem, Lambda, state, work)
            if other_status == CONVERGED and other < criterion - LOWER:
                status, iterations, criterion = other_status, steps, other
                copy(Lambda, work.best)
        copy(work.best, Lambda)
        criterion = evaluate(problem, Lambda, state)
        differentiate(problem, state)
    theta_derivatives(problem, Lambda, state, work.theta)
    return status, iterations, criterion


@kernel
def far_start(q, start, Lambda):
    """Write a start with a large variance of effect number `start`, or of all if it is q."""
    Lambda[:] = 0.0
    # Lambda = diag(FAR or NEAR)
    for a in range(q):
        Lambda[a, a] = FAR if start in (a, q) else NEAR


@kernel
def settle(problem, Lambda, state, work):
    """Search from Lambda, in and out of the boundary; return (status, iterations, criterion)."""
    q = np.int64(len(problem.effects))
    iterations = 0
    criterion = evaluate(problem, Lambda, state)
    while True:
        status, iterations, criterion = descend(problem, Lambda, state, work, criterion, iterations)
        if restore_order(q, Lambda, work.order):
            criterion = evaluate(problem, Lambda, state)
            differentiate(problem, state)
        rectify(q, Lambda)
        if not touches_boundary(q, Lambda) or iterations >= MAX_ITERATIONS:
            return status, iterations, criterion
        if not set_zeros(problem, Lambda, state, work.trial, criterion):
            if not escape(problem, Lambda, state, work):
                return status, iterations, criterion
            iterations += 1
        criterion = evaluate(problem, Lambda, state)


@inlined
def descend(problem, Lambda, state, work, criterion, iterations):
    """Newton steps until the decrement vanishes; return (status, iterations, criterion)."""
    q, row, col = np.int64(len(problem.effects)), problem.row, problem.col
    n_theta, order, place = len(row), work.order, work.place
    decrement = np.inf
    natural_order(q, row, order, place)
    while True:
        if is_skew(row, col, Lambda, order, place):
            pivot(q, row, col, Lambda, order, place)
        differentiate(problem, state)
        chain_rule(problem, place, Lambda, state, work.theta)
        previous = decrement
        decrement = newton_step(n_theta, work)
        if decrement < DECREMENT_TOLERANCE or 0.5 * previous < decrement < POLISH_DECREMENT:
            return CONVERGED, iterations, criterion
        if iterations >= MAX_ITERATIONS or not np.isfinite(decrement):
            return NOT_CONVERGED, iterations, criterion
        shrink_step(n_theta, place, col, Lambda, work.step)
        iterations += 1
        target = np.inf if decrement < POLISH_DECREMENT else criterion
        best = search(problem, Lambda, state, work, target)
        if best == np.inf:
            evaluate(problem, Lambda, state)
            differentiate(problem, state)
            return NOT_CONVERGED, iterations, criterion
        criterion = best


@kernel
def theta_derivatives(problem, Lambda, state, theta):
    """Gradient and Hessian in theta, the free elements of the lower triangular Lambda."""
    chain_rule(problem, problem.row, Lambda, state, theta)


@kernel
def chain_rule(problem, place, Lambda, state, theta):
    """From Psi to the elements (place, col) of Lambda: 2 G Lambda, J'(Hessian)J + tr(G d2Psi)."""
    q, row, col = len(problem.effects), problem.row, problem.col
    J, G, n = theta.jacobian, state.G, len(row)
    # g_k = 2 (G Lambda)[a, b],  J[v, k] = d Psi[c, d] / d Lambda[a, b]
    for k in range(n):
        a, b = place[k], col[k]
        element = 0.0
        for c in range(q):
            element += G[a, c] * Lambda[c, b]
        theta.gradient[k] = 2.0 * element
        for v in range(n):
            c, d = row[v], col[v]
            element = 0.0
            if c == a:
                element += Lambda[d, b]
            if d == a:
                element += Lambda[c, b]
            J[v, k] = element
    H, half = theta.hessian, theta.hessian_jacobian
    # Hessian J, the Hessian that in Psi
    for v in range(n):
        for k in range(n):
            element = 0.0
            for w in range(n):
                element += state.hessian_psi[v, w] * J[w, k]
            half[v, k] = element
    # H = J'(Hessian J) + 2 G[a, c] for elements (a, b), (c, b) of one column
    for k in range(n):
        for m in range(k + 1):
            element = 2.0 * G[place[k], place[m]] if col[k] == col[m] else 0.0
            for v in range(n):
                element += J[v, k] * half[v, m]
            H[k, m] = element
            H[m, k] = element


@kernel
def newton_step(n, work):
    """Fill `step` with -|H|^-1 g; return the decrement g'|H|^-1 g."""
    g, step, factor = work.theta.gradient, work.step, work.factor
    # H = LL'
    for k in range(n):
        step[k] = g[k]
        for m in range(k + 1):
            factor[k, m] = work.theta.hessian[k, m]
    if cholesky(factor, n, POSITIVE_TOLERANCE) == n:
        solve_lower(factor, n, step)
        solve_upper(factor, n, step)
    else:
        reflected_step(n, work)
    decrement = 0.0
    # g'|H|^{-1}g, and the step -|H|^{-1}g
    for k in range(n):
        decrement += g[k] * step[k]
        step[k] = -step[k]
    return decrement


@kernel
def reflected_step(n, work):
    """|H|^-1 g with |H| the Hessian with its eigenvalues made positive and bounded away from 0."""
    a, vectors, g, step = work.square, work.vectors, work.theta.gradient, work.step
    copy(work.theta.hessian, a)
    eigh_jacobi(a, n, vectors)
    largest = 0.0
    # max_k |lambda_k|
    for k in range(n):
        largest = max(largest, abs(a[k, k]))
    step[:] = 0.0
    if largest == 0.0:
        return
    # |H|^{-1}g = sum_k v_k (v_k'g) / |lambda_k|
    for k in range(n):
        projection = 0.0
        for m in range(n):
            projection += vectors[m, k] * g[m]
        projection /= max(abs(a[k, k]), CURVATURE_FLOOR * largest)
        for m in range(n):
            step[m] += vectors[m, k] * projection


@kernel
def shrink_step(n, place, col, Lambda, step):
    """Shorten the step to the longest allowed."""
    length, norm = 0.0, 0.0
    # |step|^2 and |theta|^2
    for k in range(n):
        length += step[k] ** 2
        norm += Lambda[place[k], col[k]] ** 2
    longest = max(MAX_STEP, np.sqrt(norm))
    if length > longest * longest:
        # step = longest step / |step|
        for k in range(n):
            step[k] *= longest / np.sqrt(length)


@kernel
def search(problem, Lambda, state, work, criterion):
    """Halve the step until the criterion falls; move Lambda, return the new criterion or inf."""
    place, col, trial, n = work.place, problem.col, work.trial, len(problem.col)
    slope = 0.0
    # g'step
    for k in range(n):
        slope += work.theta.gradient[k] * work.step[k]
    length = 1.0
    # theta + step, + step / 2, + step / 4, ...
    for _ in range(MAX_HALVINGS):
        trial[:] = 0.0
        # theta + length step
        for k in range(n):
            trial[place[k], col[k]] = Lambda[place[k], col[k]] + length * work.step[k]
        value = evaluate(problem, trial, state)
        if value <= criterion + SUFFICIENT_DECREASE * length * slope:
            copy(trial, Lambda)
            return value
        length *= 0.5
    return np.inf
