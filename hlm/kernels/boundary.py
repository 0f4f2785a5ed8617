r"""In and out of the boundary of the cone of positive semidefinite Psi, between searches in theta.

Small diagonal elements of Lambda are tried at exactly zero; and where Psi is singular, a negative
eigenvalue of G = d criterion / d Psi shows a direction in which the criterion falls.
"""

from __future__ import annotations

import numpy as np

from hlm.jit import kernel
from hlm.kernels.linalg import cholesky, copy, eigh_jacobi
from hlm.lanes import choose

__all__ = [
    "ESCAPE_DECREASE",
    "FACTOR_TOLERANCE",
    "ZERO_RISE",
    "ZERO_THETA",
    "curvature_along",
    "escape",
    "lower_factor",
    "rectify",
    "symmetric_gradient",
    "touches_boundary",
    "without_column",
]

FACTOR_TOLERANCE = 1e-14
"""A pivot of Psi below this share of its diagonal element is zero in Lambda."""

ZERO_THETA = 1e-2
"""A diagonal element of Lambda below this is tried at exactly zero ..."""

ZERO_RISE = 1e-9
"""... and stays there if the criterion rises by no more than this."""

ESCAPE_DECREASE = 1e-9
"""A descent direction out of the boundary is taken if it promises a decrease above this."""


@kernel
def rectify(q, Lambda):
    """Give every column of Lambda a nonnegative diagonal element."""
    # The sign of a column leaves Psi as it is
    for j in range(q):
        is_negative = Lambda[j, j] < 0.0
        # Lambda_ij -> -Lambda_ij
        for i in range(j, q):
            Lambda[i, j] = choose(is_negative, -Lambda[i, j], Lambda[i, j])


@kernel
def touches_boundary(q, Lambda):
    """Tell whether a diagonal element is near zero."""
    smallest = np.inf
    # min_j Lambda_jj
    for j in range(q):
        smallest = min(smallest, Lambda[j, j])
    return smallest < ZERO_THETA


@kernel
def without_column(q, j, Lambda, trial):
    """Write into `trial` the Cholesky factor of Psi with Lambda[j, j] taken as zero."""
    diagonal = Lambda[j, j]
    Lambda[j, j] = 0.0
    # Psi = Lambda Lambda', Lambda[j, j] = 0
    for a in range(q):
        for b in range(q):
            trial[a, b] = 0.0
            for k in range(q):
                trial[a, b] += Lambda[a, k] * Lambda[b, k]
    Lambda[j, j] = diagonal
    lower_factor(q, trial)
    # Column j is zero: Psi_jj = sum_{k<j} Lambda_jk^2 leaves no pivot
    for i in range(j, q):
        trial[i, j] = 0.0


@kernel
def lower_factor(q, Psi):
    """Overwrite Psi by its Cholesky factor, zeros above the diagonal."""
    cholesky(Psi, q, FACTOR_TOLERANCE)
    # Zeros above the diagonal
    for a in range(q):
        for b in range(a + 1, q):
            Psi[a, b] = 0.0


@kernel
def symmetric_gradient(row, col, G, out):
    """Copy G, zero where Psi has no free element."""
    out[:] = 0.0
    # G_ab = G_ba of each free element (a, b)
    for v in range(len(row)):
        out[row[v], col[v]] = G[row[v], col[v]]
        out[col[v], row[v]] = G[row[v], col[v]]


@kernel
def curvature_along(direction, row, col, hessian):
    """Return the second derivative of the criterion along vv', v the direction."""
    curvature = 0.0
    # Hessian(dd', dd') = sum_vw (d_a d_b) Hessian_vw (d_c d_e), v = (a, b), w = (c, e)
    for v in range(len(row)):
        for w in range(len(row)):
            curvature += (
                direction[row[v]] * direction[col[v]]
                * hessian[v, w]
                * direction[row[w]] * direction[col[w]]
            )  # fmt: skip
    return curvature


@kernel
def escape(problem, Lambda, state, work):
    """Leave the boundary along an eigenvector v of G with a negative eigenvalue, if there is one.

    Psi + t vv' changes the criterion by t v'Gv + t^2 Hessian(vv', vv') / 2.
    """
    q, row, col = np.int64(len(problem.effects)), problem.row, problem.col
    G, vectors = work.G, work.vectors
    symmetric_gradient(row, col, state.G, G)
    eigh_jacobi(G, q, vectors)
    best = 0
    # The smallest eigenvalue of G
    for k in range(1, q):
        if G[k, k] < G[best, best]:
            best = k
    slope = G[best, best]
    if slope >= 0.0:
        return False
    direction = vectors[:, best]
    curvature = curvature_along(direction, row, col, state.hessian_psi)
    length = -slope / curvature if curvature > 0.0 else 1.0
    if -0.5 * slope * length < ESCAPE_DECREASE:
        return False
    trial = work.trial
    # Psi + t vv', t the step, and its Cholesky factor
    for a in range(q):
        for b in range(q):
            element = length * direction[a] * direction[b]
            for k in range(q):
                element += Lambda[a, k] * Lambda[b, k]
            trial[a, b] = element
    lower_factor(q, trial)
    copy(trial, Lambda)
    return True
