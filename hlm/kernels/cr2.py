r"""Cluster-robust inference: the CR2 covariance, Satterthwaite's df of it, and the HTZ F test.

Units are the clusters and the fit is the working model. Of a unit, with V = I + Z Psi Z',
e = y - X beta and T = S_xx^{-1}, all in units of sigma^2 (Bell & McCaffrey 2002; Pustejovsky &
Tipton 2018),

    V_CR2 = T (sum g g') T,    g = X'V^{-1} A e,    A = L (L'G L)^{-1/2} L',
    V = L L',    G = V - X T X',

where ^{-1/2} leaves out eigenvalues of zero. A is the one symmetric matrix with A G A = V, so the
rows may be rotated: by the Q of [Z X], after which at most q + p of them are not those of a unit
matrix in V, G and A and of zeros in X. In the basis in which S_xx = I, with B = L'G L,

    Y = A V^{-1} X = L B^{-1/2} L^{-1} X,    g = Y'e,    J = Y'V Y,    H = X'Y.

Of r contrasts, U (r, p) their orthonormal rows in this basis, the products of units i and j under
the working model are the r x r matrices

    P_ij = delta_ij E_i - v_i'v_j,    E_i = U J_i U',    v_i = H_i U',

and what is wanted of them, sums over all pairs of units, are sums over units: with h_i = v_i'v_i
and M[as, bt] = sum_i v_i[a, s] v_i[b, t],

    sum_ij (tr P_ij)^2 + tr P_ij^2 = sum_i (tr E_i)^2 - 2 tr E_i tr h_i + tr E_i^2 - 2 tr(E_i h_i)
                                     + sum_abst M[as, bt]^2 + M[as, bt] M[at, bs].

For one contrast, r = 1, both parts are sum_ij P_ij^2, and df = (sum_i P_ii)^2 / sum_ij P_ij^2. For
several, Hotelling's T^2 with estimated df, with eta = r (r + 1) / that sum:

    F = (eta - r + 1) / (eta r) (C beta)'(C V_CR2 C')^{-1}(C beta),    ddf = eta - r + 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.criterion import whiten
from hlm.kernels.cross import cross_unit
from hlm.kernels.joint_tests import has_no_variance, quadratic_form, rotate_contrasts
from hlm.kernels.linalg import cholesky, eigh_graded, solve_lower
from hlm.kernels.units import RANK_TOLERANCE

if TYPE_CHECKING:
    from hlm.kernels.joint_tests import JointTests

__all__ = [
    "Clusters",
    "RobustResults",
    "allocate_clusters",
    "allocate_robust",
    "infer_robust",
    "rotate_clusters",
]

NO_RESIDUAL = 1e-10
"""Rows whose residuals have less than this share of the variance of their errors have none. The
same share of the variance of a contrast is rounding: all of it comes from such rows."""


class RobustResults(NamedTuple):
    """Cluster-robust inference for n data sets by several methods.

    Attributes
    ----------
    se, df : ndarray (n or 0, methods, p)
        CR2 standard errors of the coefficients, and Satterthwaite's degrees of freedom of them.
    F, ddf : ndarray (n or 0, methods, n_tests)
        HTZ tests.
    """

    se: np.ndarray
    df: np.ndarray
    F: np.ndarray
    ddf: np.ndarray


def allocate_robust(n: int, n_methods: int, p: int, n_tests: int) -> RobustResults:
    """Return arrays for n data sets."""
    terms, of_tests = (n, n_methods, p), (n, n_methods, n_tests)
    return RobustResults(
        np.full(terms, np.nan),
        np.full(terms, np.nan),
        np.full(of_tests, np.nan),
        np.full(of_tests, np.nan),
    )


class Clusters(NamedTuple):
    """The units of one data set, and memory; q + p is k, r that of the largest test or 1.

    Attributes
    ----------
    rotated : ndarray (m or 0, k + 1, k)
        Of each unit the lower Cholesky factor of [Z X]'[Z X], its transpose being Q'[Z X], and in
        the last row Q'y. Of no unit where nobody asks.
    L, square, B, vectors : ndarray (k, k)
        Of a unit, as in the equations: the factor of V, L'L, B until it is diagonalized, and its
        eigenvectors.
    XR : ndarray (q, q)
        Not used: what `whiten` makes beside L.
    X, Y, scratch : ndarray (k, p)
        Of a unit, as in the equations; XF = L^{-1} X, then L'Y.
    residual, column : ndarray (k,)
        Of a unit: e; one column.
    g : ndarray (m, p)
    J, H : ndarray (m, p, p)
    vcov : ndarray (p, p)
        V_CR2 of the formula's coefficients.
    contrasts : ndarray (p, p)
        Row j is Ls^{-1} T_x'^{-1} e_j: coefficient j of the formula in terms of those in the basis
        in which S_xx = I.
    along : ndarray (m, p)
        g'k of each unit, k the rows of `contrasts`.
    E, v : ndarray (r, r), (p, r)
        Of a unit, as in the equations.
    M : ndarray (p r, p r)
    sums : ndarray (2,)
        sum_i tr P_ii, and the sum over all pairs.
    tests : JointTests
    """

    rotated: np.ndarray
    L: np.ndarray
    square: np.ndarray
    B: np.ndarray
    vectors: np.ndarray
    XR: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    scratch: np.ndarray
    residual: np.ndarray
    column: np.ndarray
    g: np.ndarray
    J: np.ndarray
    H: np.ndarray
    vcov: np.ndarray
    contrasts: np.ndarray
    along: np.ndarray
    E: np.ndarray
    v: np.ndarray
    M: np.ndarray
    sums: np.ndarray
    tests: JointTests


def allocate_clusters(n_units: int, q: int, p: int, tests: JointTests) -> Clusters:
    """Return memory for data sets of `n_units` units; of 0 where nothing is to be inferred."""
    k, r = q + p, max(1, len(tests.U))
    return Clusters(
        rotated=np.zeros((n_units, k + 1, k)),
        L=np.zeros((k, k)),
        square=np.zeros((k, k)),
        B=np.zeros((k, k)),
        vectors=np.zeros((k, k)),
        XR=np.zeros((q, q)),
        X=np.zeros((k, p)),
        Y=np.zeros((k, p)),
        scratch=np.zeros((k, p)),
        residual=np.zeros(k),
        column=np.zeros(k),
        g=np.zeros((n_units, p)),
        J=np.zeros((n_units, p, p)),
        H=np.zeros((n_units, p, p)),
        vcov=np.zeros((p, p)),
        contrasts=np.zeros((p, p)),
        along=np.zeros((n_units, p)),
        E=np.zeros((r, r)),
        v=np.zeros((p, r)),
        M=np.zeros((p * r, p * r)),
        sums=np.zeros(2),
        tests=tests,
    )


@kernel
def rotate_clusters(data, design, clusters):
    """Write Q'[Z X y] of each unit of a data set, where it is asked for."""
    if clusters is None:
        return
    q, p, rotated = len(design.random), len(design.fixed), clusters.rotated
    # Unit i: [Z X]'[Z X] = R'R, Q'y = R'^{-1}[Z X]'y
    for i in range(len(rotated)):
        cross_unit(i, data, design, rotated[i])
        cholesky(rotated[i], q + p, RANK_TOLERANCE)
        solve_lower(rotated[i], q + p, rotated[i, q + p])


@kernel
def infer_robust(problem, parametrization, workspace, clusters, results, r, method):
    """Fill data set r of `results` from the fit in a workspace, where they have arrays for it."""
    if clusters is None:
        return
    p, out, state = problem.p, workspace.fit.estimates, workspace.state
    if len(clusters.rotated) == 0 or not np.isfinite(out.estimate[-1]):
        return
    # Unit i: g, J and H
    for i in range(len(clusters.rotated)):
        n = place_rows(problem, i, workspace.fit.Lambda, state, clusters)
        adjust_rows(n, p, clusters)
        cross_rows(n, p, i, clusters)
    robust_covariance(p, parametrization.fixed, state.Ls, clusters)
    for j in range(p):
        results.se[r, method, j], results.df[r, method, j] = robust_error(p, j, out, clusters)
    robust_f_tests(
        parametrization.fixed, out.estimate, state.Ls, clusters,
        results.F[r, method], results.ddf[r, method],
    )  # fmt: skip


@kernel
def place_rows(problem, i, Lambda, state, clusters):
    """Write L, X in the basis in which S_xx = I, and e of unit i; return the number of rows."""
    q, p, rotated = len(problem.effects), problem.p, clusters.rotated[i]
    L, X, residual, n = clusters.L, clusters.X, clusters.residual, np.int64(q)
    # Rows of Z, then those rows of X that are not zero: X and Q'y
    for a in range(q + p):
        if a >= q and rotated[a, a] == 0.0:
            continue
        place = a if a < q else n
        for j in range(p):
            X[place, j] = rotated[q + j, a] if q + j >= a else 0.0
        residual[place] = rotated[q + p, a]
        n = max(n, place + 1)
    # L = I but for the rows of Z
    for a in range(n):
        for b in range(n):
            L[a, b] = 1.0 if a == b else 0.0
    whiten(problem.effects, rotated, Lambda, state.R_Lambda, L, clusters.XR)
    # e = y - X beta, then X Ls'^{-1}
    for a in range(n):
        for j in range(p):
            residual[a] -= X[a, j] * state.beta[j]
        solve_lower(state.Ls, p, X[a])
    return n


@kernel
def adjust_rows(n, p, clusters):
    """Write Y = L B^{-1/2} L^{-1} X of a unit of n rows."""
    L, square, B, vectors = clusters.L, clusters.square, clusters.B, clusters.vectors
    X, Y, XF, column = clusters.X, clusters.Y, clusters.scratch, clusters.column
    # L'L, and L'X, in the place of Y
    for a in range(n):
        for b in range(n):
            square[a, b] = 0.0
            for c in range(max(a, b), n):
                square[a, b] += L[c, a] * L[c, b]
        for j in range(p):
            Y[a, j] = 0.0
            for c in range(a, n):
                Y[a, j] += L[c, a] * X[c, j]
    # B = L'(V - XX')L = (L'L)^2 - L'X (L'X)'
    for a in range(n):
        for b in range(n):
            B[a, b] = 0.0
            for c in range(n):
                B[a, b] += square[a, c] * square[c, b]
            for j in range(p):
                B[a, b] -= Y[a, j] * Y[b, j]
    eigh_graded(B, n, vectors)
    # XF = L^{-1} X
    for j in range(p):
        for a in range(n):
            column[a] = X[a, j]
        solve_lower(L, n, column)
        for a in range(n):
            XF[a, j] = column[a]
    Y[:n] = 0.0
    # Y = sum_c L v_c lambda_c^{-1/2} v_c'XF
    for c in range(n):
        weight = inverse_root_of(n, p, c, clusters)
        # L v_c
        for a in range(n):
            column[a] = 0.0
            for b in range(a + 1):
                column[a] += L[a, b] * vectors[b, c]
        for j in range(p):
            element = 0.0
            for a in range(n):
                element += vectors[a, c] * XF[a, j]
            for a in range(n):
                Y[a, j] += column[a] * weight * element


@kernel
def inverse_root_of(n, p, c, clusters):
    """Return lambda^{-1/2} of eigenvector c of B, 0 for rows without a residual.

    With u = L'L v, lambda = u'(I - XF XF')u: a share of |u|^2 that does not depend on V.
    """
    square, vectors, XF, u = clusters.square, clusters.vectors, clusters.scratch, clusters.column
    length = 0.0
    # u = L'L v and |u|^2
    for a in range(n):
        u[a] = 0.0
        for b in range(n):
            u[a] += square[a, b] * vectors[b, c]
        length += u[a] * u[a]
    rest = length
    # u'u - |XF'u|^2
    for j in range(p):
        element = 0.0
        for a in range(n):
            element += XF[a, j] * u[a]
        rest -= element * element
    return 1.0 / np.sqrt(rest) if rest > NO_RESIDUAL * length else 0.0


@kernel
def cross_rows(n, p, i, clusters):
    """Write g = Y'e, H = X'Y and J = Y'VY of unit i, of n rows."""
    L, X, Y, scratch = clusters.L, clusters.X, clusters.Y, clusters.scratch
    g, J, H = clusters.g[i], clusters.J[i], clusters.H[i]
    # L'Y
    for a in range(n):
        for j in range(p):
            scratch[a, j] = 0.0
            for c in range(a, n):
                scratch[a, j] += L[c, a] * Y[c, j]
    # g, H and J = (L'Y)'(L'Y)
    for j in range(p):
        g[j] = 0.0
        for a in range(n):
            g[j] += Y[a, j] * clusters.residual[a]
        for k in range(p):
            H[j, k], J[j, k] = 0.0, 0.0
            for a in range(n):
                H[j, k] += X[a, j] * Y[a, k]
                J[j, k] += scratch[a, j] * scratch[a, k]


@kernel
def robust_covariance(p, fixed, Ls, clusters):
    """Write V_CR2 of the formula's coefficients, and these in the basis in which S_xx = I."""
    contrasts, along, vcov = clusters.contrasts, clusters.along, clusters.vcov
    # Row j: k = Ls^{-1} T_x'^{-1} e_j
    for j in range(p):
        for k in range(p):
            contrasts[j, k] = fixed[j, k]
        solve_lower(Ls, p, contrasts[j])
    # Unit i: g'k
    for i in range(len(along)):
        for j in range(p):
            along[i, j] = 0.0
            for k in range(p):
                along[i, j] += contrasts[j, k] * clusters.g[i, k]
    # V_CR2 = sum_i (g'k_j)(g'k_l)
    for j in range(p):
        for m in range(p):
            vcov[j, m] = 0.0
            for i in range(len(along)):
                vcov[j, m] += along[i, j] * along[i, m]


@kernel
def robust_error(p, j, out, clusters):
    """Return the standard error and df of coefficient j; NaN where the fit has none.

    So they are where all of the coefficient's variance is in rows without a residual; V_CR2 then
    has NaN in its row and column.
    """
    U, vcov, length = clusters.contrasts[j : j + 1], clusters.vcov, 0.0
    # k'k
    for k in range(p):
        length += U[0, k] * U[0, k]
    sum_products(p, 1, U, clusters)
    if np.isnan(out.se[j]) or not clusters.sums[0] > NO_RESIDUAL * length:
        vcov[j, :], vcov[:, j] = np.nan, np.nan
        return np.nan, np.nan
    # Twice the sum, for the square of a trace is the trace of the square
    return np.sqrt(vcov[j, j]), 2.0 * clusters.sums[0] ** 2 / clusters.sums[1]


@kernel
def robust_f_tests(fixed, estimate, Ls, clusters, F, ddf):
    """Write the HTZ tests F and ddf (n_tests,); NaN where they are not defined."""
    p, sigma2, tests, vcov = len(fixed), estimate[-1] ** 2, clusters.tests, clusters.vcov
    # F and ddf of test t
    for t in range(len(F)):
        L = tests.L[tests.first[t] : tests.first[t + 1]]
        r = len(L)
        F[t], ddf[t] = np.nan, np.nan
        if has_no_variance(p, L, vcov):
            continue
        rotate_contrasts(p, L, estimate, sigma2, fixed, Ls, tests)
        sum_products(p, r, tests.U, clusters)
        eta = r * (r + 1.0) / clusters.sums[1]
        if eta - r + 1.0 > 0.0:
            ddf[t] = eta - r + 1.0
            F[t] = ddf[t] / (eta * r) * quadratic_form(p, L, estimate, vcov, tests)


@kernel
def sum_products(p, r, U, clusters):
    """Write the two sums over units of r contrasts, U (r, p) in the basis in which S_xx = I."""
    E, v, M, sums = clusters.E, clusters.v, clusters.M, clusters.sums
    sums[:], M[:] = 0.0, 0.0
    # Unit i
    for i in range(len(clusters.g)):
        J, H = clusters.J[i], clusters.H[i]
        # E = U J U', v = H U'
        for s in range(r):
            for t in range(r):
                E[s, t] = 0.0
                for a in range(p):
                    for b in range(p):
                        E[s, t] += U[s, a] * J[a, b] * U[t, b]
            for a in range(p):
                v[a, s] = 0.0
                for b in range(p):
                    v[a, s] += H[a, b] * U[s, b]
        trace_E, trace_h = 0.0, 0.0
        # tr E, tr h, tr E^2 - 2 tr(E h)
        for s in range(r):
            trace_E += E[s, s]
            for t in range(r):
                h = 0.0
                for a in range(p):
                    h += v[a, s] * v[a, t]
                trace_h += h if s == t else 0.0
                sums[1] += E[s, t] * (E[s, t] - 2.0 * h)
        sums[0] += trace_E - trace_h
        sums[1] += trace_E * (trace_E - 2.0 * trace_h)
        # M[as, bt] += v[a, s] v[b, t]
        for a in range(p):
            for s in range(r):
                for b in range(p):
                    for t in range(r):
                        M[a * r + s, b * r + t] += v[a, s] * v[b, t]
    # + sum_abst M[as, bt]^2 + M[as, bt] M[at, bs]
    for a in range(p):
        for s in range(r):
            for b in range(p):
                for t in range(r):
                    product = M[a * r + s, b * r + t]
                    sums[1] += product * (product + M[a * r + t, b * r + s])
