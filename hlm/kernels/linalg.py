"""Small dense linear algebra for the kernels: no allocation, no LAPACK call for a 2 x 2 matrix."""

from __future__ import annotations

import numpy as np

from hlm.jit import kernel
from hlm.lanes import choose, everywhere

__all__ = [
    "cholesky",
    "copy",
    "copy_vector",
    "divided",
    "eigh_graded",
    "eigh_jacobi",
    "invert_lower",
    "solve_lower",
    "solve_upper",
]


OFF_DIAGONAL = 1e-32
"""Off-diagonal elements whose squares are below this share of the diagonal's are rounding."""

MAX_SWEEPS = 60
"""Of Jacobi's method, which needs fewer than ten."""


@kernel
def copy(source, target):
    """Write the matrix `source` into the top left corner of `target`; allocates nothing."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            target[i, j] = source[i, j]


@kernel
def copy_vector(source, target):
    """Write the vector `source` into `target`."""
    for i in range(len(source)):
        target[i] = source[i]


@kernel
def cholesky(a, n, tolerance):
    """Overwrite the lower triangle of `a` (n, n) by L with a = L L'; return the rank.

    A pivot of at most `tolerance` times its own diagonal element is taken as zero, and so is its
    column: for a positive semidefinite `a` this is the Cholesky factor with exact zeros.
    """
    rank = 0.0
    # Column j: L_jj = (a_jj - sum_{k<j} L_jk^2)^{1/2}
    for j in range(n):
        diagonal = a[j, j]
        pivot = diagonal
        for k in range(j):
            pivot -= a[j, k] * a[j, k]
        positive = (pivot > tolerance * diagonal) & (pivot > 0.0)
        root = np.sqrt(choose(positive, pivot, 1.0))
        a[j, j] = choose(positive, root, 0.0)
        # L_ij = (a_ij - sum_{k<j} L_ik L_jk) / L_jj
        for i in range(j + 1, n):
            element = a[i, j]
            for k in range(j):
                element -= a[i, k] * a[j, k]
            a[i, j] = choose(positive, element / root, 0.0)
        rank += choose(positive, 1.0, 0.0)
    return rank


@kernel
def divided(element, pivot):
    """Return the element over the pivot; zero if that is zero."""
    regular = pivot != 0.0
    return choose(regular, element / choose(regular, pivot, 1.0), 0.0)


@kernel
def solve_lower(lower, n, x):
    """Overwrite `x` (n,) by L^-1 x; rows with a zero pivot give zero."""
    # x_i = (x_i - sum_{k<i} L_ik x_k) / L_ii
    for i in range(n):
        element = x[i]
        for k in range(i):
            element -= lower[i, k] * x[k]
        x[i] = divided(element, lower[i, i])


@kernel
def solve_upper(lower, n, x):
    """Overwrite `x` (n,) by L'^-1 x; rows with a zero pivot give zero."""
    # x_i = (x_i - sum_{k>i} L_ki x_k) / L_ii
    for i in range(n - 1, -1, -1):
        element = x[i]
        for k in range(i + 1, n):
            element -= lower[k, i] * x[k]
        x[i] = divided(element, lower[i, i])


@kernel
def invert_lower(lower, n, inverse):
    """Write L^-1 into the lower triangle of `inverse` (n, n), zeros above.

    A row with a zero pivot gives zeros.
    """
    # Column j solves L x = e_j
    for j in range(n):
        for i in range(j):
            inverse[i, j] = 0.0
        inverse[j, j] = divided(1.0, lower[j, j])
        for i in range(j + 1, n):
            element = 0.0
            for k in range(j, i):
                element -= lower[i, k] * inverse[k, j]
            inverse[i, j] = divided(element, lower[i, i])


@kernel
def eigh_jacobi(a, n, vectors):
    """Diagonalize the symmetric `a` (n, n) in place by cyclic Jacobi rotations.

    The eigenvalues end on the diagonal of `a`, unsorted; column j of `vectors` belongs to a[j, j].
    """
    # vectors = I
    for i in range(n):
        for j in range(n):
            vectors[i, j] = 1.0 if i == j else 0.0
    # Sweeps over all pairs until what is off the diagonal is rounding
    for _ in range(MAX_SWEEPS):
        off = 0.0
        total = 0.0
        # total = sum_i a_ii^2, off = sum_{i>j} a_ij^2
        for i in range(n):
            total += a[i, i] * a[i, i]
            for j in range(i):
                off += a[i, j] * a[i, j]
        done = (off <= OFF_DIAGONAL * total) | (off == 0.0)
        if everywhere(done):
            return
        # a_pq = 0 for one pair after another
        for p in range(n - 1):
            for q in range(p + 1, n):
                is_zero = done | (a[p, q] == 0.0)
                if not everywhere(is_zero):
                    rotate(a, n, vectors, p, q, is_zero)


@kernel
def eigh_graded(a, n, vectors):
    """Do as `eigh_jacobi`, until each element is rounding beside the two on its own diagonal.

    So small eigenvalues of D K D keep their digits, D diagonal and K well conditioned, however far
    the elements of D are apart (Demmel & Veselic 1992).
    """
    # vectors = I
    for i in range(n):
        for j in range(n):
            vectors[i, j] = 1.0 if i == j else 0.0
    # Sweeps over all pairs until none is rotated
    for _ in range(MAX_SWEEPS):
        done = True
        # a_pq = 0 for one pair after another
        for p in range(n - 1):
            for q in range(p + 1, n):
                if a[p, q] * a[p, q] > OFF_DIAGONAL * abs(a[p, p] * a[q, q]):
                    rotate(a, n, vectors, p, q, np.bool_(False))
                    done = False
        if done:
            return


@kernel
def rotate(a, n, vectors, p, q, is_zero):
    """One Jacobi rotation that annihilates a[p, q] (Golub and Van Loan, section 8.5).

    Where that is zero as it is, nothing changes.
    """
    tau = (a[q, q] - a[p, p]) / (2.0 * a[p, q])
    t = choose(tau >= 0.0, 1.0, -1.0) / (abs(tau) + np.sqrt(1.0 + tau * tau))
    c = 1.0 / np.sqrt(1.0 + t * t)
    s = t * c
    # a J, the rotation J = [c s; -s c] in columns p and q
    for k in range(n):
        akp, akq = a[k, p], a[k, q]
        a[k, p] = choose(is_zero, akp, c * akp - s * akq)
        a[k, q] = choose(is_zero, akq, s * akp + c * akq)
    # J'(a J)
    for k in range(n):
        apk, aqk = a[p, k], a[q, k]
        a[p, k] = choose(is_zero, apk, c * apk - s * aqk)
        a[q, k] = choose(is_zero, aqk, s * apk + c * aqk)
    a[p, q] = choose(is_zero, a[p, q], 0.0)
    a[q, p] = choose(is_zero, a[q, p], 0.0)
    # vectors J
    for k in range(n):
        vkp, vkq = vectors[k, p], vectors[k, q]
        vectors[k, p] = choose(is_zero, vkp, c * vkp - s * vkq)
        vectors[k, q] = choose(is_zero, vkq, s * vkp + c * vkq)
