r"""The profiled ML and REML criterion.

With Lambda lower triangular, Psi = Lambda Lambda' and the pseudo-rows [R | b | c] of `units`,

    O_i = I + R_i Psi R_i' = L_i L_i',           [XR | XF] = L_i^{-1} [R_i | b_i c_i]
    S   = W + sum XF'XF = [X y]'V^{-1}[X y],     S_xx = Ls Ls',  beta = S_xx^{-1} S_xy
    r^2 = S_yy - S_xy' S_xx^{-1} S_xy

    ML   : sum log|O_i| + N (1 + log(2 pi r^2 / N)),                      n* = N
    REML : sum log|O_i| + log|S_xx| + n* (1 + log(2 pi r^2 / n*)),        n* = N - p

(Bates, Maechler, Bolker & Walker 2015, eqs 34 and 41). Everything is a sum of squares: Psi is never
inverted, so a singular Psi is a point like any other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.linalg import cholesky, solve_lower, solve_upper
from hlm.kernels.units import RANK_TOLERANCE

__all__ = ["State", "allocate_state", "evaluate", "whiten"]


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
            for k in range(a, q):
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
    q = np.int64(len(axes))
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
