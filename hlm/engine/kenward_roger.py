r"""Kenward and Roger's covariance and df, and Satterthwaite's df by expected information.

The covariance parameters are the free elements of Psi (directions E_v) and the residual variance
(direction r = s), all in units of sigma^2; the fixed effects are in the basis in which S_xx = I, so
that Phi = sigma^2 I. With M, H, T_v as in `derivatives` and, of higher powers of V^{-1},

    M2 = Z'V^{-2}Z,  H2 = Z'V^{-2}X,  p_v = T_v,  p_s = X'V^{-2}X,
    q_vw = sum H'E_v M E_w H,   q_vs = sum H'E_v H2,   q_ss = X'V^{-3}X,
    I_rs = tr(V^{-1}G_r V^{-1}G_s) - 2 tr q_rs + tr(p_r p_s),   Omega = 2 I^{-1},

Kenward & Roger (1997) adjust the covariance of the fixed effects to

    Phi_A = sigma^2 (I + 2 sum_rs Omega_rs (q_rs - p_r p_s)),

and for one contrast k their degrees of freedom are 2 / (g'Omega g), g_r = k'p_r k / k'k: those of
Satterthwaite with the expected information in the place of the observed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.engine.criterion import whiten
from hlm.engine.derivatives import add_curvature
from hlm.engine.linalg import eigh_jacobi, solve_lower, solve_upper
from hlm.jit import kernel

__all__ = ["KenwardRoger", "allocate_kenward_roger", "kenward_roger"]

SINGULAR_INFORMATION = 1e-10
"""Eigenvalues of the information below this share of the largest are taken as zero."""


class KenwardRoger(NamedTuple):
    """Room and results, with n_v free elements of Psi and n_r = n_v + 1 parameters.

    Attributes
    ----------
    vcov : ndarray (p, p)
        The adjusted covariance of the formula's coefficients.
    df : ndarray (p,)
    P : ndarray (n_r, p, p)
        p_r, in the basis in which S_xx = I.
    Omega : ndarray (n_r, n_r)
        Covariance of the parameters in units of sigma^2.
    """

    vcov: np.ndarray
    df: np.ndarray
    P: np.ndarray
    Omega: np.ndarray
    information: np.ndarray
    vectors: np.ndarray
    delta: np.ndarray
    XB: np.ndarray
    XB2: np.ndarray
    XR2: np.ndarray
    HH: np.ndarray
    H2: np.ndarray
    M2: np.ndarray
    curvature: np.ndarray
    traces: np.ndarray
    gradient: np.ndarray
    contrasts: np.ndarray
    column: np.ndarray


def allocate_kenward_roger(q: int, p: int, n_theta: int) -> KenwardRoger:
    """Return room for one fit's results."""
    n_r = n_theta + 1
    return KenwardRoger(
        vcov=np.zeros((p, p)),
        df=np.zeros(p),
        P=np.zeros((n_r, p, p)),
        Omega=np.zeros((n_r, n_r)),
        information=np.zeros((n_r, n_r)),
        vectors=np.zeros((n_r, n_r)),
        delta=np.zeros((p, p)),
        XB=np.zeros((q, p)),
        XB2=np.zeros((q, p)),
        XR2=np.zeros((q, q)),
        HH=np.zeros((q, q)),
        H2=np.zeros((q, p)),
        M2=np.zeros((q, q)),
        curvature=np.zeros((n_theta, n_theta)),
        traces=np.zeros((n_theta, n_theta)),
        gradient=np.zeros(n_r),
        contrasts=np.zeros((p, p)),
        column=np.zeros(max(q, p)),
    )


@kernel
def kenward_roger(axes, p, units, n_obs, sigma2, parametrization, Lambda, state, out):
    """Fill `out` from the state at the minimum."""
    n_v = len(parametrization.row)
    start(axes, p, units, n_obs, n_v, state, out)
    for i in range(units.rows.shape[0]):
        unit_products(axes, p, i, units, Lambda, state, out)
        add_information(axes, p, parametrization.row, parametrization.col, state, out)
    invert_information(p, n_v, out)
    for i in range(units.rows.shape[0]):
        unit_products(axes, p, i, units, Lambda, state, out)
        add_adjustment(axes, p, parametrization.row, parametrization.col, state, out)
    report(p, n_v + 1, sigma2, parametrization, state, out)


@kernel
def start(axes, p, units, n_obs, n_v, state, out):
    """Start the sums with p_v = T_v and with W, the part of X outside the span of Z."""
    P, information, delta = out.P, out.information, out.delta
    information[:] = 0.0
    out.curvature[:] = 0.0
    out.traces[:] = 0.0
    for j in range(p):
        for k in range(p):
            delta[j, k] = units.within[j, k]
    for j in range(p):
        solve_lower(state.Ls, p, delta[j])
    for k in range(p):
        solve_lower(state.Ls, p, delta[:, k])
    for j in range(p):
        for k in range(p):
            P[n_v, j, k] = delta[j, k]
            for v in range(n_v):
                P[v, j, k] = state.T[v, j, k]
        information[n_v, n_v] -= 2.0 * delta[j, j]
    information[n_v, n_v] += n_obs - units.rows.shape[0] * len(axes)


@kernel
def unit_products(axes, p, i, units, Lambda, state, out):
    """L^-1 [R b] and L'^-1 of it for unit i, and M, M2, H, H2 from them."""
    if i == 0 or not units.shared:
        design_products(axes, units.root[i], Lambda, state, out)
    q = len(axes)
    Omega, XR, column = state.Omega, state.XR[0], out.column
    for a in range(q):
        for j in range(p):
            out.XB[a, j] = units.rows[i, a, j]
        solve_lower(state.Ls, p, out.XB[a])
    for j in range(p):
        for a in range(q):
            column[a] = out.XB[a, j]
        solve_lower(Omega, q, column)
        for a in range(q):
            out.XB[a, j] = column[a]
        solve_upper(Omega, q, column)
        for a in range(q):
            out.XB2[a, j] = column[a]
    for a in range(q):
        for j in range(p):
            first, second = 0.0, 0.0
            for k in range(q):
                first += XR[k, a] * out.XB[k, j]
                second += out.XR2[k, a] * out.XB2[k, j]
            state.H[a, j] = first
            out.H2[a, j] = second


@kernel
def design_products(axes, root, Lambda, state, out):
    """L^-1 R and L'^-1 of it, M and M2, of one unit or of all that share its design."""
    q = len(axes)
    XR, column = state.XR[0], out.column
    whiten(axes, root, Lambda, state.Omega, XR)
    for b in range(q):
        for a in range(q):
            column[a] = XR[a, b]
        solve_upper(state.Omega, q, column)
        for a in range(q):
            out.XR2[a, b] = column[a]
    for a in range(q):
        for b in range(q):
            first, second = 0.0, 0.0
            for k in range(q):
                first += XR[k, a] * XR[k, b]
                second += out.XR2[k, a] * out.XR2[k, b]
            state.M[a, b] = first
            out.M2[a, b] = second


@kernel
def add_information(axes, p, row, col, state, out):
    """Add unit i's part of the information: tr(V^-1 G_r V^-1 G_s) - 2 tr q_rs, and of p_s."""
    q, n_v = len(axes), len(row)
    H, H2, HH, column = state.H, out.H2, out.HH, out.column
    for a in range(q):
        for b in range(q):
            HH[a, b] = 0.0
            for j in range(p):
                HH[a, b] += H[a, j] * H[b, j]
    add_curvature(row, col, state.M, state.M, out.traces)
    add_curvature(row, col, state.M, HH, out.curvature)
    for v in range(n_v):
        a, b = row[v], col[v]
        weight = 1.0 if a == b else 2.0
        cross = 0.0
        for j in range(p):
            cross += 0.5 * weight * (H[a, j] * H2[b, j] + H[b, j] * H2[a, j])
        out.information[n_v, v] += weight * out.M2[a, b] - 2.0 * cross
    for j in range(p):
        for k in range(p):
            for a in range(q):
                out.P[n_v, j, k] += out.XB2[a, j] * out.XB2[a, k]
        for a in range(q):
            column[a] = out.XB2[a, j]
        solve_lower(state.Omega, q, column)
        for a in range(q):
            out.information[n_v, n_v] -= 2.0 * column[a] * column[a]
    for b in range(q):
        for a in range(q):
            column[a] = 1.0 if a == b else 0.0
        solve_lower(state.Omega, q, column)
        solve_upper(state.Omega, q, column)
        for a in range(q):
            out.information[n_v, n_v] += column[a] * column[a]


@kernel
def invert_information(p, n_v, out):
    """Finish the information with tr(p_r p_s) and invert it: Omega = 2 I^-1."""
    information, vectors, n = out.information, out.vectors, n_v + 1
    for r in range(n):
        for s in range(r + 1):
            element = information[r, s]
            if r < n_v:
                element += out.traces[r, s] - 2.0 * out.curvature[r, s]
            for j in range(p):
                for k in range(p):
                    element += out.P[r, j, k] * out.P[s, j, k]
            information[r, s] = element
            information[s, r] = element
    eigh_jacobi(information, n, vectors)
    largest = 0.0
    for k in range(n):
        largest = max(largest, information[k, k])
    for r in range(n):
        for s in range(n):
            element = 0.0
            for k in range(n):
                if information[k, k] > SINGULAR_INFORMATION * largest:
                    element += vectors[r, k] * vectors[s, k] / information[k, k]
            out.Omega[r, s] = 2.0 * element
    for j in range(p):
        for k in range(p):
            out.delta[j, k] *= out.Omega[n_v, n_v]


@kernel
def add_adjustment(axes, p, row, col, state, out):
    """Add unit i's part of sum_rs Omega_rs q_rs to delta."""
    q, n_v = len(axes), len(row)
    M, H, H2, Omega, inner, column = state.M, state.H, out.H2, out.Omega, out.HH, out.column
    inner[:] = 0.0
    for v in range(n_v):
        for w in range(n_v):
            add_product(row[v], col[v], row[w], col[w], Omega[v, w], M, inner)
    for j in range(p):
        for a in range(q):
            column[a] = out.XB2[a, j]
        solve_lower(state.Omega, q, column)
        for a in range(q):
            out.XB[a, j] = column[a]
    for j in range(p):
        for k in range(p):
            element = 0.0
            for a in range(q):
                element += Omega[n_v, n_v] * out.XB[a, j] * out.XB[a, k]
                for b in range(q):
                    element += H[a, j] * inner[a, b] * H[b, k]
            for v in range(n_v):
                a, b = row[v], col[v]
                weight = Omega[n_v, v] * (0.5 if a == b else 1.0)
                element += weight * (H[a, j] * H2[b, k] + H[b, j] * H2[a, k])
                element += weight * (H2[a, j] * H[b, k] + H2[b, j] * H[a, k])
            out.delta[j, k] += element


@kernel
def add_product(a, b, c, d, weight, M, inner):
    """Add `weight` times E_ab M E_cd to `inner`."""
    inner[a, d] += weight * M[b, c]
    if c != d:
        inner[a, c] += weight * M[b, d]
    if a != b:
        inner[b, d] += weight * M[a, c]
        if c != d:
            inner[b, c] += weight * M[a, d]


@kernel
def report(p, n_r, sigma2, parametrization, state, out):
    """Covariance and df of the formula's coefficients."""
    delta, P, contrasts = out.delta, out.P, out.contrasts
    for r in range(n_r):
        for s in range(n_r):
            for j in range(p):
                for k in range(p):
                    element = 0.0
                    for m in range(p):
                        element += P[r, j, m] * P[s, m, k]
                    delta[j, k] -= out.Omega[r, s] * element
    for j in range(p):
        for k in range(p):
            contrasts[j, k] = parametrization.fixed[j, k]
        solve_lower(state.Ls, p, contrasts[j])
    for j in range(p):
        for k in range(p):
            element = 0.0
            for m in range(p):
                element += contrasts[j, m] * contrasts[k, m]
                for n in range(p):
                    element += 2.0 * contrasts[j, m] * delta[m, n] * contrasts[k, n]
            out.vcov[j, k] = sigma2 * element
    for j in range(p):
        norm = 0.0
        for m in range(p):
            norm += contrasts[j, m] * contrasts[j, m]
        for r in range(n_r):
            out.gradient[r] = 0.0
            for m in range(p):
                for n in range(p):
                    out.gradient[r] += contrasts[j, m] * P[r, m, n] * contrasts[j, n]
            out.gradient[r] /= norm
        variance = 0.0
        for r in range(n_r):
            for s in range(n_r):
                variance += out.gradient[r] * out.Omega[r, s] * out.gradient[s]
        out.df[j] = 2.0 / variance
