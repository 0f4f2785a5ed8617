r"""F tests that several coefficients are zero, by Satterthwaite and by Kenward and Roger.

The variance of r contrasts L beta depends on parameters that are estimated, with covariance Omega;
in the basis in which S_xx = I, in units of sigma^2, P_r (p, p) is its derivative in parameter r and
U (r, p) are orthonormal rows that span the contrasts, C_r = U P_r U'. The rows of U are those of
L T_x^{-1} Ls'^{-1}, rotated to the eigenvectors of L Phi L' / sigma^2 and divided by the roots of
its eigenvalues lambda_m.

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
        Those of the equations by the observed information.
    U, C : ndarray (r, p), (n_theta + 1, r, r)
        L T_x^{-1} Ls'^{-1}, then U of the equations, and C_r. Of one test, as large as the largest
        needs, as is all that follows.
    gram, vectors : ndarray (r, r)
        L Phi L' / sigma^2, diagonal once it is diagonalized, and its eigenvectors.
    column : ndarray (r,)
        One column of L T_x^{-1} Ls'^{-1}.
    nu : ndarray (r,)
        Degrees of freedom of the rotated contrasts.
    covariance, estimate : ndarray (r, r), (r,)
        L Phi_A L' (its lower triangle) and L beta, then the Cholesky factor K and K^{-1} L beta.
    """

    L: np.ndarray
    first: np.ndarray
    P: np.ndarray
    Omega: np.ndarray
    U: np.ndarray
    C: np.ndarray
    gram: np.ndarray
    vectors: np.ndarray
    column: np.ndarray
    nu: np.ndarray
    covariance: np.ndarray
    estimate: np.ndarray


class Information(NamedTuple):
    """How precisely the coefficients are known, and how precisely that is known.

    Attributes
    ----------
    Ls : ndarray (p, p)
        The Cholesky factor of S_xx, which makes the basis of P.
    P : ndarray (n_theta + 1, p, p)
        Derivatives of the coefficients' covariance in its parameters, as in the equations.
    Omega : ndarray (n_theta + 1, n_theta + 1)
        The covariance of these parameters.
    vcov : ndarray (p, p)
        Phi, by Kenward and Roger Phi_A: the covariance of the formula's coefficients.
    """

    Ls: np.ndarray
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
        gram=np.zeros((r, r)),
        vectors=np.zeros((r, r)),
        column=np.zeros(r),
        nu=np.zeros(r),
        covariance=np.zeros((r, r)),
        estimate=np.zeros(r),
    )


@kernel
def observed_information(n_star, T, jacobian, delta, tests):
    """Write P and Omega, from what `inference.infer` leaves: v, and B with B'B = Hp^{-1}."""
    P, Omega, B = tests.P, tests.Omega, delta.inverse_root
    n_v, p, J, v = T.shape[0], T.shape[1], jacobian, delta.log_r2
    # P_v = T_v and, for log sigma^2, P_s = I
    for j in range(p):
        for k in range(p):
            P[n_v, j, k] = 1.0 if j == k else 0.0
            for r in range(n_v):
                P[r, j, k] = T[r, j, k]
    Omega[:] = 0.0
    Omega[n_v, n_v] = 2.0 / n_star
    # Omega += 2 (B [J' v])'(B [J' v]), row k of B after row k
    for k in range(n_v):
        for r in range(n_v + 1):
            left = 0.0
            for m in range(n_v):
                left += B[k, m] * (v[m] if r == n_v else J[r, m])
            for s in range(r + 1):
                right = 0.0
                for m in range(n_v):
                    right += B[k, m] * (v[m] if s == n_v else J[s, m])
                Omega[r, s] += 2.0 * left * right
    # The upper triangle
    for r in range(n_v + 1):
        for s in range(r):
            Omega[s, r] = Omega[r, s]


@kernel
def f_tests(fixed, estimate, information, adjust, tests, F, ddf):
    """Write F and ddf (n_tests,) of a fit's estimates.

    With `adjust` they are Kenward and Roger's, by their covariance. Both are NaN where that of the
    coefficients is. `fixed` is that of `Parametrization`.
    """
    p, sigma2, Ls = len(fixed), estimate[-1] ** 2, information.Ls
    P, Omega, vcov = information.P, information.Omega, information.vcov
    # F and ddf of test t
    for t in range(len(tests.first) - 1):
        L = tests.L[tests.first[t] : tests.first[t + 1]]
        if has_no_variance(p, L, vcov):
            F[t], ddf[t] = np.nan, np.nan
            continue
        F[t] = rotate_contrasts(p, L, estimate, sigma2, fixed, Ls, tests)
        project(p, len(L), P, tests)
        if adjust:
            ddf[t], scale = matched_moments(len(L), Omega, tests)
            F[t] = scale * quadratic_form(p, L, estimate, vcov, tests) / len(L)
        else:
            ddf[t] = pooled_df(len(L), Omega, tests)


@kernel
def has_no_variance(p, L, vcov):
    """Tell whether contrasts have a coefficient whose variance the data do not determine."""
    # L_mj != 0 where vcov_jj is NaN
    for m in range(len(L)):
        for j in range(p):
            if L[m, j] != 0.0 and np.isnan(vcov[j, j]):
                return True
    return False


@inlined
def rotate_contrasts(p, L, beta, sigma2, fixed, Ls, tests):
    """Write U; return F without adjustment."""
    r, U, gram, vectors, column = len(L), tests.U, tests.gram, tests.vectors, tests.column
    # L T_x^{-1} Ls'^{-1}
    for m in range(r):
        for k in range(p):
            U[m, k] = 0.0
            for j in range(p):
                U[m, k] += L[m, j] * fixed[j, k]
        solve_lower(Ls, p, U[m])
    # gram = U U' = L Phi L' / sigma^2, and its eigenvectors
    for m in range(r):
        for n in range(r):
            gram[m, n] = 0.0
            for k in range(p):
                gram[m, n] += U[m, k] * U[n, k]
    eigh_jacobi(gram, r, vectors)
    # Rotated to these, and of length 1: U = lambda^{-1/2} vectors' U
    for k in range(p):
        for m in range(r):
            column[m] = U[m, k]
        for m in range(r):
            U[m, k] = 0.0
            for n in range(r):
                U[m, k] += vectors[n, m] * column[n] / np.sqrt(gram[m, m])
    total = 0.0
    # sum_m (vectors' L beta)_m^2 / (sigma^2 lambda_m)
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
    # C_v = U P_v U'
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
    C, nu = tests.C, tests.nu
    smallest, largest = np.inf, 0.0
    # 2 / nu_m = sum_vw Omega_vw C_v[m, m] C_w[m, m]
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
    # E - r = sum_m 2 / (nu_m - 2)
    for m in range(r):
        excess += 2.0 / (nu[m] - 2.0)
    return 2.0 * (r + excess) / excess


@kernel
def matched_moments(r, Omega, tests):
    """Denominator df and scale by Kenward & Roger (1997), section 2."""
    C = tests.C
    a1, a2 = 0.0, 0.0
    # A1 = sum_vw Omega_vw tr C_v tr C_w,  A2 = sum_vw Omega_vw tr(C_v C_w)
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
    h = 3.0 * r + 2.0 * (1.0 - g)
    c1, c2, c3 = g / h, (r - g) / h, (r + 2.0 - g) / h
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
    r, covariance, estimate = len(L), tests.covariance, tests.estimate
    # L beta and L vcov L' = KK'
    for m in range(r):
        estimate[m] = 0.0
        for j in range(p):
            estimate[m] += L[m, j] * beta[j]
        for n in range(m + 1):
            covariance[m, n] = 0.0
            for j in range(p):
                for k in range(p):
                    if L[m, j] != 0.0 and L[n, k] != 0.0:  # vcov may be NaN elsewhere
                        covariance[m, n] += L[m, j] * vcov[j, k] * L[n, k]
    cholesky(covariance, r, 0.0)
    solve_lower(covariance, r, estimate)
    total = 0.0
    # |K^{-1} L beta|^2
    for m in range(r):
        total += estimate[m] * estimate[m]
    return total
