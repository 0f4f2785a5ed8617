r"""The profiled ML and REML criterion with its gradient and Hessian in theta.

With Lambda lower triangular, Psi = Lambda Lambda' and the pseudo-rows [R | b | c] of `units`,

    O_i = I + R_i Psi R_i' = L_i L_i',           [XR | XF] = L_i^{-1} [R_i | b_i c_i]
    S   = W + sum XF'XF = [X y]'V^{-1}[X y],     S_xx = Ls Ls',  beta = S_xx^{-1} S_xy
    r^2 = S_yy - S_xy' S_xx^{-1} S_xy

    ML   : sum log|O_i| + N (1 + log(2 pi r^2 / N)),                      n* = N
    REML : sum log|O_i| + log|S_xx| + n* (1 + log(2 pi r^2 / n*)),        n* = N - p

(Bates, Maechler, Bolker & Walker 2015, eqs 34 and 41). Everything is a sum of squares: Psi is never
inverted, so a singular Psi is a point like any other. For the derivatives, per unit,

    M = Z'V^{-1}Z = XR'XR,   H = Z'V^{-1}X = XR'XB,   u = Z'V^{-1}(y - X beta) = XR'(XF gamma),

gamma = (-beta, 1), and with the fixed effects in the basis in which S_xx = I (H Ls'^{-1} for H):

    G = d criterion / d Psi = sum M - (n*/r^2) sum uu' - [REML] sum HH'
    gradient = lower triangle of 2 G Lambda

and, for symmetric directions E, F of Psi,

    Hessian(E, F) = sum tr(E M F (2 (n*/r^2) uu' + 2 [REML] HH' - M)) - 2 (n*/r^2) h_E'h_F
                    - (n*/r^4)(sum u'Eu)(sum u'Fu) - [REML] tr(T_E T_F),
    h_E = sum H'Eu,  T_E = sum H'EH.

The directions E are numbered v = 0, 1, ... by the elements (row[v], col[v]), row >= col, of Lambda
that are free, which also number theta.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.engine.linalg import cholesky, solve_lower, solve_upper
from hlm.engine.units import RANK_TOLERANCE
from hlm.jit import kernel

__all__ = ["State", "allocate_state", "differentiate", "evaluate"]


class State(NamedTuple):
    """The criterion's parts at one Lambda, named as in the module's equations.

    `scalars` holds criterion, r^2 and log|S_xx|. `XR` (m or 1, q, q) and `XF` (m, q, p + 1) are
    kept between the two passes; `P` is R'Omega^{-1} of a shared design.
    """

    S: np.ndarray
    Ls: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    scalars: np.ndarray
    XR: np.ndarray
    XF: np.ndarray
    Omega: np.ndarray
    P: np.ndarray
    M: np.ndarray
    H: np.ndarray
    u: np.ndarray
    Q: np.ndarray
    G: np.ndarray
    uu: np.ndarray
    h: np.ndarray
    T: np.ndarray
    hessian_psi: np.ndarray


def allocate_state(n_units: int, q: int, p: int, n_theta: int, *, shared: bool) -> State:
    """Return room for the criterion of one data set."""
    return State(
        S=np.zeros((p + 1, p + 1)),
        Ls=np.zeros((p, p)),
        beta=np.zeros(p),
        gamma=np.zeros(p + 1),
        scalars=np.zeros(3),
        XR=np.zeros((1 if shared else n_units, q, q)),
        XF=np.zeros((1 if shared else n_units, q, p + 1)),
        Omega=np.zeros((q, q)),
        P=np.zeros((q, q)),
        M=np.zeros((q, q)),
        H=np.zeros((q, p)),
        u=np.zeros(q),
        Q=np.zeros((q, q)),
        G=np.zeros((q, q)),
        uu=np.zeros((q, q)),
        h=np.zeros((n_theta, p)),
        T=np.zeros((n_theta, p, p)),
        hessian_psi=np.zeros((n_theta, n_theta)),
    )


@kernel
def evaluate(axes, p, units, n_obs, reml, Lambda, state):
    """First pass: S, beta, r^2 and the criterion at Lambda. Return the criterion, or inf."""
    S = state.S
    for j in range(p + 1):
        for k in range(j + 1):
            S[j, k] = units.within[j, k]
    if units.shared:
        logdet = units.rows.shape[0] * whiten(axes, units.root[0], Lambda, state.Omega, state.XR[0])
        add_shared(axes, p, units, state)
    else:
        logdet = add_units(axes, p, units, Lambda, state)
    return profile(p, n_obs, reml, logdet, state)


@kernel
def whiten(axes, root, Lambda, Omega, XR):
    """Omega = I + R Psi R' = L L' (L overwrites Omega) and XR = L^-1 R; return log|Omega|."""
    q = len(axes)
    for a in range(q):
        for b in range(q):
            element = 0.0
            for k in range(max(a, b), q):
                element += root[k, a] * Lambda[k, b]
            XR[a, b] = element
    for a in range(q):
        for b in range(a + 1):
            element = 1.0 if a == b else 0.0
            for k in range(q):
                element += XR[a, k] * XR[b, k]
            Omega[a, b] = element
    determinant = 1.0
    for a in range(q):
        for b in range(a):
            element = Omega[a, b]
            for k in range(b):
                element -= Omega[a, k] * Omega[b, k]
            Omega[a, b] = element / Omega[b, b]
        pivot = Omega[a, a]
        for k in range(a):
            pivot -= Omega[a, k] * Omega[a, k]
        determinant *= pivot
        Omega[a, a] = np.sqrt(pivot)
    for a in range(q):
        inverse = 1.0 / Omega[a, a]
        for b in range(q):
            element = root[b, a] if b >= a else 0.0
            for k in range(a):
                element -= Omega[a, k] * XR[k, b]
            XR[a, b] = element * inverse
    return np.log(determinant)


@kernel
def add_units(axes, p, units, Lambda, state):
    """Add each unit's XF'XF to S; return the sum of log|O_i|."""
    q = len(axes)
    Omega, S = state.Omega, state.S
    logdet = 0.0
    for i in range(units.rows.shape[0]):
        logdet += whiten(axes, units.root[i], Lambda, Omega, state.XR[i])
        rows, XF = units.rows[i], state.XF[i]
        for a in range(q):
            inverse = 1.0 / Omega[a, a]
            for j in range(p + 1):
                element = rows[a, j]
                for k in range(a):
                    element -= Omega[a, k] * XF[k, j]
                XF[a, j] = element * inverse
        for j in range(p + 1):
            for k in range(j + 1):
                element = S[j, k]
                for a in range(q):
                    element += XF[a, j] * XF[a, k]
                S[j, k] = element
    return logdet


@kernel
def add_shared(axes, p, units, state):
    """Add sum_i rows_i' Omega^-1 rows_i to S for a shared design; P = R'Omega^-1."""
    q = len(axes)
    Omega, P, S = state.Omega, state.P, state.S
    for a in range(q):
        for b in range(q):
            P[a, b] = state.XR[0, b, a]
        for b in range(q - 1, -1, -1):
            element = P[a, b]
            for k in range(b + 1, q):
                element -= Omega[k, b] * P[a, k]
            P[a, b] = element / Omega[b, b]
    inverse = state.M
    for a in range(q):
        for b in range(q):
            inverse[a, b] = 1.0 if a == b else 0.0
        solve_lower(Omega, q, inverse[a])
        solve_upper(Omega, q, inverse[a])
    v = 0
    for a in range(q):
        for b in range(a + 1):
            weight = inverse[a, b] if a == b else 2.0 * inverse[a, b]
            for j in range(p + 1):
                for k in range(j + 1):
                    S[j, k] += weight * units.moments[v, j, k]
            v += 1


@kernel
def profile(p, n_obs, reml, logdet, state):
    """Profile beta and sigma out of S; return the criterion, inf where it is not defined."""
    S, Ls, beta, gamma = state.S, state.Ls, state.beta, state.gamma
    for j in range(p):
        for k in range(j + 1):
            Ls[j, k] = S[j, k]
        beta[j] = S[p, j]
    if cholesky(Ls, p, RANK_TOLERANCE) < p:
        return np.inf
    solve_lower(Ls, p, beta)
    r2 = S[p, p]
    logdet_xx = 0.0
    for j in range(p):
        r2 -= beta[j] * beta[j]
        logdet_xx += 2.0 * np.log(Ls[j, j])
    solve_upper(Ls, p, beta)
    for j in range(p):
        gamma[j] = -beta[j]
    gamma[p] = 1.0
    if not r2 > 0.0:
        return np.inf
    n_star = n_obs - p if reml else n_obs
    criterion = logdet + n_star * (1.0 + np.log(2.0 * np.pi * r2 / n_star))
    if reml:
        criterion += logdet_xx
    state.scalars[0] = criterion
    state.scalars[1] = r2
    state.scalars[2] = logdet_xx
    return criterion


@kernel
def differentiate(axes, p, units, n_obs, reml, row, col, state):
    """Second pass, after `evaluate`: G, and the Hessian in the free elements of Psi."""
    q, n_v = len(axes), len(row)
    G, uu, T, h, hessian = state.G, state.uu, state.T, state.h, state.hessian_psi
    G[:], uu[:], T[:], h[:], hessian[:] = 0.0, 0.0, 0.0, 0.0, 0.0
    scale = (n_obs - p if reml else n_obs) / state.scalars[1]
    if units.shared:
        differentiate_shared(axes, p, units, scale, reml, row, col, state)
    else:
        for i in range(units.rows.shape[0]):
            differentiate_unit(axes, p, i, scale, reml, row, col, state)
    for a in range(q):
        for b in range(a):
            G[b, a] = G[a, b]
            uu[b, a] = uu[a, b]
    for v in range(n_v):
        uu_v = uu[row[v], col[v]] * (1.0 if row[v] == col[v] else 2.0)
        for w in range(v + 1):
            uu_w = uu[row[w], col[w]] * (1.0 if row[w] == col[w] else 2.0)
            element = hessian[v, w] - scale * uu_v * uu_w / state.scalars[1]
            for j in range(p):
                element -= 2.0 * scale * h[v, j] * h[w, j]
            if reml:
                for j in range(p):
                    for k in range(p):
                        element -= T[v, j, k] * T[w, j, k]
            hessian[v, w] = element
            hessian[w, v] = element


@kernel
def differentiate_unit(axes, p, i, scale, reml, row, col, state):
    """Add unit i to the sums over units."""
    q = len(axes)
    XR, XF, Ls, gamma = state.XR[i], state.XF[i], state.Ls, state.gamma
    M, H, u, Q, G, uu, h, T = (
        state.M, state.H, state.u, state.Q, state.G, state.uu, state.h, state.T,
    )  # fmt: skip
    for a in range(q):
        residual = 0.0
        for j in range(p + 1):
            residual += XF[a, j] * gamma[j]
        solve_lower(Ls, p, XF[a])
        XF[a, p] = residual
    for a in range(q):
        for b in range(a + 1):
            element = 0.0
            for k in range(q):
                element += XR[k, a] * XR[k, b]
            M[a, b] = element
            M[b, a] = element
        for j in range(p):
            element = 0.0
            for k in range(q):
                element += XR[k, a] * XF[k, j]
            H[a, j] = element
        element = 0.0
        for k in range(q):
            element += XR[k, a] * XF[k, p]
        u[a] = element
    for a in range(q):
        for b in range(a + 1):
            product = u[a] * u[b]
            weighted = scale * product
            if reml:
                for j in range(p):
                    weighted += H[a, j] * H[b, j]
            G[a, b] += M[a, b] - weighted
            uu[a, b] += product
            Q[a, b] = 2.0 * weighted - M[a, b]
            Q[b, a] = Q[a, b]
    add_curvature(row, col, 1.0, M, Q, state.hessian_psi)
    for v in range(len(row)):
        a, b = row[v], col[v]
        half = 0.5 if a == b else 1.0
        for j in range(p):
            h[v, j] += half * (H[a, j] * u[b] + H[b, j] * u[a])
            for k in range(p):
                T[v, j, k] += half * (H[a, j] * H[b, k] + H[b, j] * H[a, k])


@kernel
def add_curvature(row, col, weight, M, Q, hessian):
    """Add `weight` times tr(E_v M E_w Q) for every pair of directions v >= w."""
    for v in range(len(row)):
        a, b = row[v], col[v]
        for w in range(v + 1):
            c, d = row[w], col[w]
            trace = M[b, c] * Q[d, a]
            if c != d:
                trace += M[b, d] * Q[c, a]
            if a != b:
                trace += M[a, c] * Q[d, b]
                if c != d:
                    trace += M[a, d] * Q[c, b]
            hessian[v, w] += weight * trace


@kernel
def differentiate_shared(axes, p, units, scale, reml, row, col, state):
    """Fill the sums over units of a shared design: H_i = P b_i, u_i = P (rows_i gamma)."""
    q, n_units = len(axes), units.rows.shape[0]
    XR, P, Ls, gamma, moments = state.XR[0], state.P, state.Ls, state.gamma, units.moments
    M, Q, G, uu = state.M, state.Q, state.G, state.uu
    pair = state.S
    for a in range(q):
        for b in range(a + 1):
            element = 0.0
            for k in range(q):
                element += XR[k, a] * XR[k, b]
            M[a, b] = element
            M[b, a] = element
    for c in range(q):
        for d in range(c + 1):
            combine_moments(q, p, P[c], P[d], moments, pair)
            product = 0.0
            for j in range(p + 1):
                moment = 0.0
                for k in range(p + 1):
                    moment += pair[k, j] * gamma[k]
                product += gamma[j] * moment
                pair[p, j] = moment
            for j in range(p):
                solve_lower(Ls, p, pair[j])
            for k in range(p):
                solve_lower(Ls, p, pair[:, k])
            solve_lower(Ls, p, pair[p])
            weighted = scale * product
            if reml:
                for j in range(p):
                    weighted += pair[j, j]
            G[c, d] = n_units * M[c, d] - weighted
            uu[c, d] = product
            Q[c, d] = 2.0 * weighted - n_units * M[c, d]
            Q[d, c] = Q[c, d]
            for v in range(len(row)):
                if row[v] == c and col[v] == d:
                    factor = 1.0 if c == d else 2.0
                    for j in range(p):
                        state.h[v, j] = factor * pair[p, j]
                        for k in range(p):
                            state.T[v, j, k] = factor * pair[j, k]
    add_curvature(row, col, 1.0, M, Q, state.hessian_psi)


@kernel
def combine_moments(q, p, left, right, moments, pair):
    """Write the symmetric part of sum_i (left'rows_i)'(right'rows_i) into `pair` (p + 1, p + 1)."""
    pair[:] = 0.0
    v = 0
    for a in range(q):
        for b in range(a + 1):
            weight = left[a] * right[b]
            if a != b:
                weight += left[b] * right[a]
            for j in range(p + 1):
                for k in range(p + 1):
                    pair[j, k] += weight * moments[v, j, k]
            v += 1
