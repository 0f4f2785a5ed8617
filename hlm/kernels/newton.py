r"""Newton's step in theta, without bounds.

The criterion is even in the sign of each column of Lambda, so no bound is needed, and bounds would
create false optima: at Lambda_11 = 0 != Lambda_21 a bounded search can be stuck where the function
still falls.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.linalg import cholesky, copy, eigh_jacobi, solve_lower, solve_upper

__all__ = [
    "DECREMENT_TOLERANCE",
    "MAX_HALVINGS",
    "MAX_STEP",
    "POLISH_DECREMENT",
    "POSITIVE_TOLERANCE",
    "SUFFICIENT_DECREASE",
    "ThetaDerivatives",
    "allocate_theta",
    "chain_rule",
    "newton_step",
    "positive_step",
    "shrink_step",
    "theta_derivatives",
]

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
def newton_step(n, work, step):
    """Fill `step` with -|H|^-1 g; return the decrement g'|H|^-1 g."""
    rank, decrement = positive_step(n, work.theta, work.factor, step)
    if rank == n:
        return decrement
    reflected_step(n, work, step)
    return turn_downhill(n, work.theta.gradient, step)


@kernel
def positive_step(n, theta, factor, step):
    """Fill `step` with -H^-1 g; return the rank of H and g'H^-1 g.

    Where H is not positive definite, and the rank not n, these mean nothing.
    """
    # H = LL'
    for k in range(n):
        step[k] = theta.gradient[k]
        for m in range(k + 1):
            factor[k, m] = theta.hessian[k, m]
    rank = cholesky(factor, n, POSITIVE_TOLERANCE)
    solve_lower(factor, n, step)
    solve_upper(factor, n, step)
    return rank, turn_downhill(n, theta.gradient, step)


@kernel
def turn_downhill(n, g, step):
    """Return g'|H|^-1 g, and turn |H|^-1 g into the step -|H|^-1 g."""
    decrement = 0.0
    # g'|H|^{-1}g
    for k in range(n):
        decrement += g[k] * step[k]
        step[k] = -step[k]
    return decrement


@kernel
def reflected_step(n, work, step):
    """|H|^-1 g with |H| the Hessian with its eigenvalues made positive and bounded away from 0."""
    a, vectors, g = work.square, work.vectors, work.theta.gradient
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
