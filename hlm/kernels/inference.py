r"""Standard errors, degrees of freedom and the random part, from the derivatives at the minimum.

All quantities f that are reported are functions of (theta, sigma). Their variance follows from the
Hessian of the criterion in both; since sigma is profiled out in closed form, with Hp the profiled
Hessian, n* as in `criterion` and v = d log r^2 / d theta = -(u'Eu)/r^2 summed over units,

    Var(log sigma^2) = 2/n* + 2 v'Hp^{-1}v,      Var(f) = f_s^2 2/n* + 2 d'Hp^{-1}d,
    d = df/dtheta along the profile,  f_s = df / d log sigma^2.

Satterthwaite's degrees of freedom of k'beta are 2 f^2 / Var(f) with f = sigma^2 k'S_xx^{-1}k, so

    1 / df = 1/n* + d'Hp^{-1}d,   d = (k'S_xx^{-1} T_E S_xx^{-1} k)/(k'S_xx^{-1}k) + v,

the observed-information form of lmerTest. Where a diagonal element of Lambda is zero, its direction
leaves Psi unchanged to first order and drops out: the boundary counts as known. Directions in which
the Hessian is flat are dropped too (Moore-Penrose inverse).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.boundary import rectify
from hlm.kernels.linalg import copy, eigh_jacobi, solve_lower
from hlm.kernels.order import triangularize
from hlm.lanes import choose

__all__ = [
    "FLAT_TOLERANCE",
    "DeltaMethod",
    "Estimates",
    "Parametrization",
    "allocate_delta",
    "allocate_estimates",
    "infer",
    "spread_of_variances",
]

FLAT_TOLERANCE = 1e-9
"""Eigenvalues of the Hessian below this share of the largest are flat directions."""


class Parametrization(NamedTuple):
    """How the columns of the fit relate to the columns of the formula.

    The fit uses centred and scaled columns X* and Z* with X = X* T_x and Z = Z* T_z.

    Attributes
    ----------
    row, col : ndarray of int (n_theta,)
        The free elements of Lambda, in the order of the reported random part.
    fixed : ndarray (p, p)
        T_x^{-1}: beta = T_x^{-1} beta*.
    random : ndarray (q, q)
        T_z^{-1}: Psi = T_z^{-1} Psi* T_z^{-1}'.
    offset : ndarray (p,)
        Coefficients in beta* that were taken off y before the fit.
    logdet : float
        2 log|det T_x|, added to the REML criterion.
    """

    row: np.ndarray
    col: np.ndarray
    fixed: np.ndarray
    random: np.ndarray
    offset: np.ndarray
    logdet: float


class Estimates(NamedTuple):
    """What is reported of one fit; the random part is sd, cor, ..., then sigma.

    Attributes
    ----------
    estimate, se, df : ndarray (p + n_theta + 1,)
        Of the formula's coefficients, of the sd or correlation of each free element of Psi, and of
        sigma; df, Satterthwaite's, of the coefficients only, else NaN.
    theta : ndarray (n_theta,)
        lme4's: the relative Cholesky factor in the units of the formula's columns.
    vcov : ndarray (p, p)
        Phi = sigma^2 S_xx^{-1} in these units: the covariance of the coefficients.
    """

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    theta: np.ndarray
    vcov: np.ndarray


def allocate_estimates(p: int, n_theta: int) -> Estimates:
    """Return memory for one fit's results."""
    n = p + n_theta + 1
    return Estimates(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n_theta), np.zeros((p, p)))


class DeltaMethod(NamedTuple):
    """Memory of the delta method.

    Attributes
    ----------
    inverse_root : ndarray (n_theta, n_theta)
        B with B'B the pseudo-inverse of the Hessian in theta.
    log_r2 : ndarray (n_theta,)
        v, the derivative of log r^2 in theta.
    Psi, lower : ndarray (q, q)
        Psi in the formula's units and a factor of it, made triangular.
    direction, part : ndarray (n_theta,)
        d of one quantity, its gradient in theta along the profile, and dPsi_ab / dtheta, a part.
    gradient_psi : ndarray (n_theta,)
        The gradient of one quantity in the free elements of Psi.
    """

    inverse_root: np.ndarray
    log_r2: np.ndarray
    Psi: np.ndarray
    lower: np.ndarray
    direction: np.ndarray
    part: np.ndarray
    gradient_psi: np.ndarray


def allocate_delta(q: int, n_theta: int) -> DeltaMethod:
    """Return memory for the inference of one model."""
    return DeltaMethod(
        inverse_root=np.zeros((n_theta, n_theta)),
        log_r2=np.zeros(n_theta),
        Psi=np.zeros((q, q)),
        lower=np.zeros((q, q)),
        direction=np.zeros(n_theta),
        part=np.zeros(n_theta),
        gradient_psi=np.zeros(n_theta),
    )


@kernel
def infer(n_star, parametrization, Lambda, state, work, delta, out):
    """Fill `out` from the state at the minimum; return the smallest eigenvalue of the Hessian."""
    row, col = parametrization.row, parametrization.col
    n_theta, p = len(row), len(parametrization.fixed)
    r2 = state.r2[0]
    sigma2 = r2 / n_star
    smallest = inverse_root(n_theta, work, delta.inverse_root)
    jacobian, log_r2 = work.theta.jacobian, delta.log_r2
    # v_k = -sum u'E_k u / r^2, E_k = d Psi / d theta_k
    for k in range(n_theta):
        log_r2[k] = 0.0
        for v in range(n_theta):
            uu_v = state.uu[row[v], col[v]] * (1.0 if row[v] == col[v] else 2.0)
            log_r2[k] -= jacobian[v, k] * uu_v / r2
    fixed_effects(n_star, sigma2, parametrization, state, jacobian, delta, out)
    random_part(n_star, sigma2, parametrization, Lambda, jacobian, delta, out)
    n = p + n_theta
    out.estimate[n] = np.sqrt(sigma2)
    spread = quadratic(n_theta, log_r2, delta.inverse_root)
    out.se[n] = 0.5 * out.estimate[n] * np.sqrt(2.0 / n_star + 2.0 * spread)
    out.df[n] = np.nan
    return smallest


@kernel
def inverse_root(n, work, B):
    """Write B with B'B the pseudo-inverse of the Hessian; return its smallest eigenvalue."""
    a, vectors = work.square, work.vectors
    copy(work.theta.hessian, a)
    eigh_jacobi(a, n, vectors)
    largest, smallest = 0.0, np.inf
    # max_k lambda_k and min_k lambda_k
    for k in range(n):
        largest = max(largest, a[k, k])
        smallest = min(smallest, a[k, k])
    # B = lambda^{-1/2} v', but for flat directions
    for k in range(n):
        is_bent = a[k, k] > FLAT_TOLERANCE * largest
        scale = choose(is_bent, 1.0 / np.sqrt(choose(is_bent, a[k, k], 1.0)), 0.0)
        for m in range(n):
            B[k, m] = vectors[m, k] * scale
    return smallest


@kernel
def quadratic(n, d, B):
    """Return d'Hp^-1 d."""
    total = 0.0
    # |B d|^2
    for k in range(n):
        element = 0.0
        for m in range(n):
            element += B[k, m] * d[m]
        total += element * element
    return total


@kernel
def fixed_effects(n_star, sigma2, parametrization, state, jacobian, delta, out):
    """Coefficients of the formula's columns, their covariance, SEs and Satterthwaite df."""
    p, n_theta, contrasts = len(parametrization.fixed), len(parametrization.row), state.contrasts
    # beta = T_x^{-1} beta*;  contrasts = T_x^{-1} Ls'^{-1}
    for j in range(p):
        out.estimate[j] = 0.0
        for k in range(p):
            out.estimate[j] += parametrization.fixed[j, k] * (
                state.beta[k] + parametrization.offset[k]
            )
            contrasts[j, k] = parametrization.fixed[j, k]
        solve_lower(state.Ls, p, contrasts[j])
    # sigma^2 T_x^{-1} S_xx^{-1} T_x'^{-1}
    for j in range(p):
        for k in range(j + 1):
            product = 0.0
            for m in range(p):
                product += contrasts[j, m] * contrasts[k, m]
            out.vcov[j, k] = sigma2 * product
            out.vcov[k, j] = sigma2 * product
    d, change = delta.direction, delta.gradient_psi
    # 1 / df_j = 1/n* + d'Hp^{-1}d, d = J'(k'T_v k)_v / k'k + v, k row j of `contrasts`
    for j in range(p):
        variance = out.vcov[j, j] / sigma2
        # change_v = k'T_v k
        for v in range(n_theta):
            change[v] = 0.0
            for k in range(p):
                element = 0.0
                for m in range(p):
                    element += state.T[v, k, m] * contrasts[j, m]
                change[v] += contrasts[j, k] * element
        # d = J'change / k'k + v
        for k in range(n_theta):
            d[k] = delta.log_r2[k]
            for v in range(n_theta):
                d[k] += jacobian[v, k] * change[v] / variance
        out.se[j] = np.sqrt(out.vcov[j, j])
        out.df[j] = 1.0 / (1.0 / n_star + quadratic(n_theta, d, delta.inverse_root))


@kernel
def random_part(n_star, sigma2, parametrization, Lambda, jacobian, delta, out):
    """Sds and correlations of the random effects in the formula's units, with delta-method SEs."""
    row, col = parametrization.row, parametrization.col
    q, n_theta, p = len(Lambda), len(row), len(parametrization.fixed)
    Psi, lower = delta.Psi, delta.lower
    # T_z^{-1} Lambda
    for a in range(q):
        for b in range(q):
            lower[a, b] = 0.0
            for k in range(q):
                lower[a, b] += parametrization.random[a, k] * Lambda[k, b]
    # Psi = (T_z^{-1} Lambda)(T_z^{-1} Lambda)'
    for a in range(q):
        for b in range(q):
            Psi[a, b] = 0.0
            for k in range(q):
                Psi[a, b] += lower[a, k] * lower[b, k]
    triangularize(q, lower)
    rectify(q, lower)
    # theta_k, and the sd or the correlation that element (a, b) of Psi makes
    for k in range(n_theta):
        a, b = row[k], col[k]
        out.theta[k] = lower[a, b]
        if a == b:
            sd_of(k, n_star, sigma2, parametrization, jacobian, delta, out)
        else:
            cor_of(k, parametrization, jacobian, delta, out)
        out.df[p + k] = np.nan


@kernel
def is_perfect(a, b, rho, lower):
    """Tell whether a correlation is 1 or -1: a and b have parallel rows in the factor of Psi.

    At the boundary they have so exactly, for the lost dimensions are zero columns there. Else the
    correlation may still be so near that its last digit does not tell.
    """
    minors = 0.0
    # 2 x 2 minors of rows a and b that are not zero
    for j in range(len(lower)):
        for k in range(j):
            differs = lower[a, j] * lower[b, k] != lower[a, k] * lower[b, j]
            minors += choose(differs, 1.0, 0.0)
    return (1.0 - rho * rho <= 0.0) | (minors == 0.0)


@kernel
def element_of_psi(a, b, c, e, K):
    """Return d Psi[a, b] / d Psi*[c, e] for the symmetric element (c, e) of the fit's Psi*."""
    direction = K[a, c] * K[b, e]
    if c != e:
        direction += K[a, e] * K[b, c]
    return direction


@kernel
def psi_gradient(a, b, parametrization, jacobian, d):
    """Write d Psi[a, b] / d theta, Psi in the formula's units."""
    row, col, K = parametrization.row, parametrization.col, parametrization.random
    # d starts at 0
    for k in range(len(row)):
        d[k] = 0.0
    # d = J' dPsi_ab / dPsi*
    for v in range(len(row)):
        direction = element_of_psi(a, b, row[v], col[v], K)
        for k in range(len(row)):
            d[k] += direction * jacobian[v, k]


@kernel
def sd_of(k, n_star, sigma2, parametrization, jacobian, delta, out):
    """Sd of random effect a: log sd = (log Psi_aa + log sigma^2) / 2."""
    a, n_theta, d = parametrization.row[k], len(parametrization.row), delta.direction
    p, Psi = len(parametrization.fixed), delta.Psi
    sd = np.sqrt(sigma2 * Psi[a, a])
    is_zero = sd == 0.0
    variance = choose(is_zero, 1.0, Psi[a, a])
    psi_gradient(a, a, parametrization, jacobian, d)
    # d = dPsi_aa / Psi_aa + v
    for m in range(n_theta):
        d[m] = d[m] / variance + delta.log_r2[m]
    spread = quadratic(n_theta, d, delta.inverse_root)
    out.estimate[p + k] = sd
    out.se[p + k] = choose(is_zero, np.nan, 0.5 * sd * np.sqrt(2.0 / n_star + 2.0 * spread))


@kernel
def cor_of(k, parametrization, jacobian, delta, out):
    """Correlation rho of random effects a and b: d rho = rho (dPsi_ab / Psi_ab - ...)."""
    a, b = parametrization.row[k], parametrization.col[k]
    n_theta, d, total = len(parametrization.row), delta.part, delta.direction
    p, Psi = len(parametrization.fixed), delta.Psi
    is_zero = Psi[a, a] * Psi[b, b] == 0.0
    variance_a, variance_b = choose(is_zero, 1.0, Psi[a, a]), choose(is_zero, 1.0, Psi[b, b])
    scale = np.sqrt(variance_a * variance_b)
    rho = Psi[a, b] / scale
    out.estimate[p + k] = choose(is_zero, np.nan, min(max(rho, -1.0), 1.0))
    psi_gradient(a, b, parametrization, jacobian, d)
    # dPsi_ab / (Psi_aa Psi_bb)^{1/2}
    for m in range(n_theta):
        total[m] = d[m] / scale
    psi_gradient(a, a, parametrization, jacobian, d)
    # - rho dPsi_aa / (2 Psi_aa)
    for m in range(n_theta):
        total[m] -= 0.5 * rho * d[m] / variance_a
    psi_gradient(b, b, parametrization, jacobian, d)
    # - rho dPsi_bb / (2 Psi_bb)
    for m in range(n_theta):
        total[m] -= 0.5 * rho * d[m] / variance_b
    has_none = is_zero | is_perfect(a, b, rho, delta.lower)
    spread = quadratic(n_theta, total, delta.inverse_root)
    out.se[p + k] = choose(has_none, np.nan, np.sqrt(2.0 * spread))


@kernel
def spread_of_variances(sigma2, parametrization, Lambda, jacobian, delta, spread):
    """Write B d with B'B = Hp^-1 for each free element of Psi, then for sigma^2.

    With eta = sigma^2 (Psi, 1), Cov(eta) = eta eta' 2/n* + 2 spread spread'.
    """
    row, col, d = parametrization.row, parametrization.col, delta.direction
    n_theta = len(row)
    # d = d eta_u / d theta along the profile: sigma^2 (d Psi_u / d theta + Psi_u v)
    for u in range(n_theta + 1):
        relative = 1.0
        for k in range(n_theta):
            d[k] = 0.0
        if u < n_theta:
            psi_gradient(row[u], col[u], parametrization, jacobian, d)
            relative = relative_covariance(row[u], col[u], parametrization.random, Lambda)
        for k in range(n_theta):
            d[k] = sigma2 * (d[k] + relative * delta.log_r2[k])
        # spread_u = B d
        for k in range(n_theta):
            spread[u, k] = 0.0
            for m in range(n_theta):
                spread[u, k] += delta.inverse_root[k, m] * d[m]


@kernel
def relative_covariance(a, b, K, Lambda):
    """Return Psi[a, b] / sigma^2 in the formula's units: that of K Lambda Lambda' K'."""
    q, total = len(Lambda), 0.0
    # sum_k (K Lambda)_ak (K Lambda)_bk
    for k in range(q):
        left, right = 0.0, 0.0
        for c in range(q):
            left += K[a, c] * Lambda[c, k]
            right += K[b, c] * Lambda[c, k]
        total += left * right
    return total
