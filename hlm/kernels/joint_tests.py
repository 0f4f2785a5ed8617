r"""F tests that several coefficients are zero, by Satterthwaite and by Kenward and Roger.

The variance of r contrasts L beta depends on parameters that are estimated, with covariance Omega;
in the basis in which S_xx = I, in units of sigma^2, P_r (p, p) is its derivative in parameter r and
U (r, p) are orthonormal rows that span the contrasts, C_r = U P_r U'. The rows of U are those of
L Ls'^{-1} rotated to the eigenvectors of L S_xx^{-1} L'.

Satterthwaite, as lmerTest: the m-th rotated contrast has 2 / nu_m = sum_rs Omega_rs C_r[m, m]
C_s[m, m]; with E = sum nu_m / (nu_m - 2),

    F = (L beta)'(L Phi L')^{-1}(L beta) / r,     ddf = 2 E / (E - r).

Kenward & Roger (1997): A1 = sum_rs Omega_rs tr C_r tr C_s, A2 = sum_rs Omega_rs tr(C_r C_s), F with
the adjusted covariance, its scale and ddf such that two moments are those of an F distribution.

Observed information: the parameters are the free elements of Psi / sigma^2 and log sigma^2, with
P_v = T_v, P_s = I and, J = dPsi / dtheta, v = d log r^2 / d theta and Hp as in `inference`,

    Omega = 2 [J Hp^{-1} J'    J Hp^{-1} v        ]
              [  .             1/n* + v'Hp^{-1} v ].

Expected information: P and Omega are those of `kenward_roger`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import inlined, kernel
from hlm.kernels.linalg import cholesky, eigh_jacobi, solve_lower

__all__ = [
    "Information",
    "JointTests",
    "allocate_joint_tests",
    "f_tests",
    "observed_information",
]

EQUAL_DF = 1e-8
"""Degrees of freedom this near to each other count as equal (lmerTest's `get_Fstat_ddf`)."""

NEAR_TWO = 1e-2
"""Kenward and Roger's F is not scaled if its ddf are this near to 2 (pbkrtest's `KRmodcomp`)."""

NEAR_ZERO = 1e-10
"""Below this 1 - A2 / r and 1 - c2 B are rounding errors, and their ratio is taken as 1 (as there):
in balanced designs with r random effects and r + 2 units, where ddf are 2."""


class JointTests(NamedTuple):
    """Hypotheses L beta = 0, and memory for one test.

    Attributes
    ----------
    L : ndarray (n_contrasts, p)
        The contrasts of all tests, in the formula's coefficients; those of a test independent.
    first : ndarray of int (n_tests + 1,)
        Where the contrasts of each test begin, and the end.
    P, Omega : ndarray (n_theta + 1, p, p), (n_theta + 1, n_theta + 1)
        By the observed information.
    U, C : ndarray (r, p), (n_theta + 1, r, r)
        Of one test, as large as the largest needs, as are `square`, `vectors` and `vector`.
    """

    L: np.ndarray
    first: np.ndarray
    P: np.ndarray
    Omega: np.ndarray
    U: np.ndarray
    C: np.ndarray
    square: np.ndarray
    vectors: np.ndarray
    vector: np.ndarray


class Information(NamedTuple):
    """How precisely the coefficients are known, and how precisely that is known.

    Attributes
    ----------
    P : ndarray (n_theta + 1, p, p)
        Derivatives of the coefficients' covariance in its parameters, as in the equations.
    Omega : ndarray (n_theta + 1, n_theta + 1)
        The covariance of these parameters.
    vcov : ndarray (p, p)
        The covariance of the formula's coefficients.
    """

    P: np.ndarray
    Omega: np.ndarray
    vcov: np.ndarray


def allocate_joint_tests(contrasts: list[np.ndarray], p: int, n_theta: int) -> JointTests:
    """Return memory for tests of contrasts, (r, p) each."""
    sizes = [len(L) for L in contrasts]
    r, n_r = max(sizes, default=0), n_theta + 1
    return JointTests(
        L=np.concatenate([np.zeros((0, p)), *contrasts]),
        first=np.cumsum([0, *sizes]),
        P=np.zeros((n_r, p, p)),
        Omega=np.zeros((n_r, n_r)),
        U=np.zeros((r, p)),
        C=np.zeros((n_r, r, r)),
        square=np.zeros((r, r)),
        vectors=np.zeros((r, r)),
        vector=np.zeros(r),
    )


@kernel
def observed_information(n_star, workspace, tests):
    """Write P and Omega, from what `inference.infer` leaves: v, and B with B'B = Hp^{-1}."""
    T, work, P, Omega = workspace.state.T, workspace.work, tests.P, tests.Omega
    (n_v, p, _), J, v = T.shape, work.jacobian, work.log_r2
    for j in range(p):
        for k in range(p):
            P[n_v, j, k] = 1.0 if j == k else 0.0
            for r in range(n_v):
                P[r, j, k] = T[r, j, k]
    Omega[:] = 0.0
    Omega[n_v, n_v] = 2.0 / n_star
    for k in range(n_v):
        for r in range(n_v + 1):
            # Element k of B (J' v)', B'B = Hp^-1.
            work.change[k] = 0.0
            for m in range(n_v):
                work.change[k] += work.inverse_root[k, m] * (v[m] if r == n_v else J[r, m])
            for s in range(r + 1):
                element = 0.0
                for m in range(n_v):
                    element += work.inverse_root[k, m] * (v[m] if s == n_v else J[s, m])
                Omega[r, s] += 2.0 * work.change[k] * element
    for r in range(n_v + 1):
        for s in range(r):
            Omega[s, r] = Omega[r, s]


@kernel
def f_tests(parametrization, workspace, tests, information, adjust, F, ddf):
    """Write F and ddf (n_tests,) of the fit in a workspace, by an `Information`.

    With `adjust` they are Kenward and Roger's, by their covariance. Both are NaN where that of the
    coefficients is.
    """
    p, beta = len(parametrization.fixed), workspace.estimates.estimate
    sigma2, Ls = beta[-1] ** 2, workspace.state.Ls
    P, Omega, vcov = information.P, information.Omega, information.vcov
    for t in range(len(tests.first) - 1):
        L = tests.L[tests.first[t] : tests.first[t + 1]]
        if has_no_variance(p, L, vcov):
            F[t], ddf[t] = np.nan, np.nan
            continue
        F[t] = rotate_contrasts(p, L, beta, sigma2, parametrization.fixed, Ls, tests)
        project(p, len(L), P, tests)
        if adjust:
            ddf[t], scale = matched_moments(len(L), Omega, tests)
            F[t] = scale * quadratic_form(p, L, beta, vcov, tests) / len(L)
        else:
            ddf[t] = pooled_df(len(L), Omega, tests)


@kernel
def has_no_variance(p, L, vcov):
    """Tell whether contrasts have a coefficient whose variance the data do not determine."""
    for m in range(len(L)):
        for j in range(p):
            if L[m, j] != 0.0 and np.isnan(vcov[j, j]):
                return True
    return False


@inlined
def rotate_contrasts(p, L, beta, sigma2, fixed, Ls, tests):
    """Write U; return F without adjustment."""
    r, U, gram, vectors, column = len(L), tests.U, tests.square, tests.vectors, tests.vector
    for m in range(r):
        for k in range(p):
            U[m, k] = 0.0
            for j in range(p):
                U[m, k] += L[m, j] * fixed[j, k]
        solve_lower(Ls, p, U[m])
    for m in range(r):
        for n in range(r):
            gram[m, n] = 0.0
            for k in range(p):
                gram[m, n] += U[m, k] * U[n, k]
    eigh_jacobi(gram, r, vectors)
    for k in range(p):
        for m in range(r):
            column[m] = U[m, k]
        for m in range(r):
            U[m, k] = 0.0
            for n in range(r):
                U[m, k] += vectors[n, m] * column[n] / np.sqrt(gram[m, m])
    total = 0.0
    for m in range(r):
        rotated = 0.0
        for n in range(r):
            for j in range(p):
                rotated += vectors[n, m] * L[n, j] * beta[j]
        total += rotated * rotated / (sigma2 * gram[m, m])
    return total / r


@kernel
def project(p, r, P, tests):
    """Write C_r = U P_r U'."""
    U, C = tests.U, tests.C
    for v in range(len(P)):
        for m in range(r):
            for n in range(m + 1):
                element = 0.0
                for j in range(p):
                    for k in range(p):
                        element += U[m, j] * P[v, j, k] * U[n, k]
                C[v, m, n] = element
                C[v, n, m] = element


@kernel
def pooled_df(r, Omega, tests):
    """Satterthwaite's ddf of F from those of the rotated contrasts."""
    C, nu = tests.C, tests.vector
    smallest, largest = np.inf, 0.0
    for m in range(r):
        variance = 0.0
        for v in range(len(Omega)):
            for w in range(len(Omega)):
                variance += Omega[v, w] * C[v, m, m] * C[w, m, m]
        nu[m] = 2.0 / variance
        smallest, largest = min(smallest, nu[m]), max(largest, nu[m])
    if largest - smallest < EQUAL_DF:
        return 0.5 * (smallest + largest)
    if smallest <= 2.0:
        return 2.0
    excess = 0.0
    for m in range(r):
        excess += 2.0 / (nu[m] - 2.0)
    return 2.0 * (r + excess) / excess


@kernel
def matched_moments(r, Omega, tests):
    """Denominator df and scale by Kenward & Roger (1997), section 2."""
    C = tests.C
    a1, a2 = 0.0, 0.0
    for v in range(len(Omega)):
        for w in range(len(Omega)):
            trace_v, trace_w, trace_vw = 0.0, 0.0, 0.0
            for m in range(r):
                trace_v += C[v, m, m]
                trace_w += C[w, m, m]
                for n in range(r):
                    trace_vw += C[v, m, n] * C[w, n, m]
            a1 += Omega[v, w] * trace_v * trace_w
            a2 += Omega[v, w] * trace_vw
    if r == 1:
        return 2.0 / a2, 1.0
    b = (a1 + 6.0 * a2) / (2.0 * r)
    g = ((r + 1.0) * a1 - (r + 4.0) * a2) / ((r + 2.0) * a2)
    d = 3.0 * r + 2.0 * (1.0 - g)
    c1, c2, c3 = g / d, (r - g) / d, (r + 2.0 - g) / d
    expectation = 1.0 - a2 / r
    ratio = expectation / (1.0 - c2 * b)
    if abs(expectation) < NEAR_ZERO and abs(1.0 - c2 * b) < NEAR_ZERO:
        ratio = 1.0
    rho = ratio**2 * (1.0 + c1 * b) / (1.0 - c3 * b) / r
    ddf = 4.0 + (r + 2.0) / (r * rho - 1.0)
    if abs(ddf - 2.0) < NEAR_TWO:
        return ddf, 1.0
    return ddf, ddf * expectation / (ddf - 2.0)


@inlined
def quadratic_form(p, L, beta, vcov, tests):
    """Return (L beta)'(L vcov L')^{-1}(L beta)."""
    r, square, difference = len(L), tests.square, tests.vector
    for m in range(r):
        difference[m] = 0.0
        for j in range(p):
            difference[m] += L[m, j] * beta[j]
        for n in range(m + 1):
            square[m, n] = 0.0
            for j in range(p):
                for k in range(p):
                    if L[m, j] != 0.0 and L[n, k] != 0.0:  # vcov may be NaN elsewhere
                        square[m, n] += L[m, j] * vcov[j, k] * L[n, k]
    cholesky(square, r, 0.0)
    solve_lower(square, r, difference)
    total = 0.0
    for m in range(r):
        total += difference[m] * difference[m]
    return total
