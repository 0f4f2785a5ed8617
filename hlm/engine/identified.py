r"""What the data cannot tell apart in the random part.

The data depend on Psi by V_i = I + Z_i Psi Z_i' alone, which is linear in it. So a symmetric
direction E of Psi, within its free elements, leaves every criterion as it is if Z_i E Z_i' = 0 in
every unit: if it is in the null space of

    A(E, F) = sum_i tr(Z_i E Z_i' Z_i F Z_i') = sum_i tr(E M_i F M_i),   M_i = Z_i'Z_i.

A variance or covariance is determined if it does not change along that space.
"""

from __future__ import annotations

import numpy as np

from hlm.engine.boundary import ESCAPE_DECREASE, curvature_along, symmetric_gradient
from hlm.engine.derivatives import add_curvature
from hlm.engine.inference import element_of_psi
from hlm.engine.linalg import eigh_jacobi
from hlm.jit import kernel

__all__ = ["LOOK_TOLERANCE", "certified_rank", "leave_out_undetermined"]

LOOK_TOLERANCE = 1e-3
"""Only where the smallest eigenvalue of the Hessian in theta is below this share of its largest
element may something be undetermined: where the search ends it is flat but for what is left of G,
and G may be a thousandth where an sd is a hundredth of sigma."""

NULL_TOLERANCE = 1e-10
"""An eigenvalue of A, in units of its diagonal, below this share of the largest is zero."""

SHARE_TOLERANCE = 1e-4
"""What lies in the null space by more than this share of its length is not determined."""


@kernel
def leave_out_undetermined(p, units, parametrization, state, work, out):
    """Write NaN for the sds and correlations that are not determined; tell if there are any."""
    row, col = parametrization.row, parametrization.col
    null_space(units, row, col, state, work)
    found = False
    for k in range(len(row)):
        a, b = row[k], col[k]
        if (
            is_undetermined(a, a, parametrization, work)
            or is_undetermined(b, b, parametrization, work)
            or is_undetermined(a, b, parametrization, work)
        ):
            out.estimate[p + k], out.se[p + k] = np.nan, np.nan
            found = True
    return found


@kernel
def null_space(units, row, col, state, work):
    """Diagonalize A, scaled to a unit diagonal; `direction` holds the roots of its diagonal.

    The eigenvalues of the null space are left as zeros on the diagonal of `square`.
    """
    n, q, A, M, scale = len(row), len(state.M), work.square, state.M, work.direction
    A[:] = 0.0
    for i in range(units.root.shape[0]):
        lower = units.root[i]
        for a in range(q):
            for b in range(a + 1):
                M[a, b] = 0.0
                for k in range(b + 1):
                    M[a, b] += lower[a, k] * lower[b, k]
                M[b, a] = M[a, b]
        add_curvature(row, col, M, M, A)
    for v in range(n):
        scale[v] = np.sqrt(A[v, v]) if A[v, v] > 0.0 else 1.0
    for v in range(n):
        for w in range(v + 1):
            A[v, w] /= scale[v] * scale[w]
            A[w, v] = A[v, w]
    eigh_jacobi(A, n, work.vectors)
    largest = 0.0
    for k in range(n):
        largest = max(largest, A[k, k])
    for k in range(n):
        if A[k, k] <= NULL_TOLERANCE * largest:
            A[k, k] = 0.0


@kernel
def is_undetermined(a, b, parametrization, work):
    """Tell whether Psi[a, b], in the formula's units, changes along the null space."""
    row, col, gradient = parametrization.row, parametrization.col, work.change
    n, length, inside = len(row), 0.0, 0.0
    for v in range(n):
        gradient[v] = element_of_psi(a, b, row[v], col[v], parametrization.random)
        gradient[v] /= work.direction[v]
        length += gradient[v] * gradient[v]
    for k in range(n):
        if work.square[k, k] == 0.0:
            share = 0.0
            for v in range(n):
                share += work.vectors[v, k] * gradient[v]
            inside += share * share
    return inside > SHARE_TOLERANCE * SHARE_TOLERANCE * length


@kernel
def certified_rank(q, row, col, state, work):
    """Return how many dimensions every equivalent Psi lacks: in how many the criterion rises.

    Of two variances that cannot be told apart one may be zero, but need not be.
    """
    G, rank = work.square, 0
    symmetric_gradient(row, col, state.G, G)
    eigh_jacobi(G, q, work.vectors)
    for k in range(q):
        if G[k, k] > 0.0:
            curvature = curvature_along(work.vectors[:, k], row, col, state.hessian_psi)
            length = min(1.0, G[k, k] / curvature) if curvature > 0.0 else 1.0
            if 0.5 * G[k, k] * length >= ESCAPE_DECREASE:
                rank += 1
    return rank
