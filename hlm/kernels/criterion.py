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
from hlm.kernels.problem import divisor
from hlm.kernels.units import RANK_TOLERANCE

__all__ = ["State", "allocate_state", "evaluate", "whiten"]


class State(NamedTuple):
    """The criterion's parts at one Lambda, named as in the equations here and in `derivatives`.

    Attributes
    ----------
    S : ndarray (p + 1, p + 1)
        [X y]'V^{-1}[X y], its lower triangle.
    Ls : ndarray (p, p)
        The Cholesky factor of S_xx.
    beta, gamma : ndarray (p,), (p + 1,)
        The fixed effects, and (-beta, 1).
    scalars : ndarray (3,)
        The criterion, r^2 and log|S_xx|.
    XR : ndarray (m or 1, q, q)
        L^{-1} R of each unit, or of all that share a design.
    XF : ndarray (m or 1, q, p + 1)
        L^{-1}[b c] of each unit.
    R_Lambda : ndarray (q, q)
        R Lambda of a unit, or of all that share a design.
    Omega, Omega_inverse : ndarray (q, q)
        The Cholesky factor L of I + R Psi R', and the inverse of that matrix.
    P : ndarray (q, q)
        R'Omega^{-1} of a shared design.
    XB, residual : ndarray (q, p), (q,)
        Of a unit: the columns XF of X in the basis in which S_xx = I, and XF gamma.
    M, H, u, Q : ndarray (q, q), (q, p), (q,), (q, q)
        Of a unit: Z'V^{-1}Z, Z'V^{-1}X in that basis, Z'V^{-1}(y - X beta), and what M is weighed
        with in the Hessian.
    pair, pair_u : ndarray (p + 1, p + 1), (p + 1,)
        Of two effects c and d, where units share a design: sum_i (P_c rows_i)'(P_d rows_i), and
        that times gamma.
    G, uu : ndarray (q, q)
        d criterion / d Psi, and sum uu'.
    h, T : ndarray (n_theta, p), (n_theta, p, p)
        Of each free element of Psi: sum H'Eu and sum H'EH.
    hessian_psi : ndarray (n_theta, n_theta)
        The Hessian in the free elements of Psi.
    contrasts : ndarray (p, p)
        Row j: coefficient j of the formula in terms of those in the basis in which S_xx = I.
    """

    S: np.ndarray
    Ls: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    scalars: np.ndarray
    XR: np.ndarray
    XF: np.ndarray
    R_Lambda: np.ndarray
    Omega: np.ndarray
    Omega_inverse: np.ndarray
    P: np.ndarray
    XB: np.ndarray
    residual: np.ndarray
    M: np.ndarray
    H: np.ndarray
    u: np.ndarray
    Q: np.ndarray
    pair: np.ndarray
    pair_u: np.ndarray
    G: np.ndarray
    uu: np.ndarray
    h: np.ndarray
    T: np.ndarray
    hessian_psi: np.ndarray
    contrasts: np.ndarray


def allocate_state(n_units: int, q: int, p: int, n_theta: int, *, shared: bool) -> State:
    """Return memory for the criterion of one data set."""
    n_designs = 1 if shared else n_units
    return State(
        S=np.zeros((p + 1, p + 1)),
        Ls=np.zeros((p, p)),
        beta=np.zeros(p),
        gamma=np.zeros(p + 1),
        scalars=np.zeros(3),
        XR=np.zeros((n_designs, q, q)),
        XF=np.zeros((n_designs, q, p + 1)),
        R_Lambda=np.zeros((q, q)),
        Omega=np.zeros((q, q)),
        Omega_inverse=np.zeros((q, q)),
        P=np.zeros((q, q)),
        XB=np.zeros((q, p)),
        residual=np.zeros(q),
        M=np.zeros((q, q)),
        H=np.zeros((q, p)),
        u=np.zeros(q),
        Q=np.zeros((q, q)),
        pair=np.zeros((p + 1, p + 1)),
        pair_u=np.zeros(p + 1),
        G=np.zeros((q, q)),
        uu=np.zeros((q, q)),
        h=np.zeros((n_theta, p)),
        T=np.zeros((n_theta, p, p)),
        hessian_psi=np.zeros((n_theta, n_theta)),
        contrasts=np.zeros((p, p)),
    )


@kernel
def evaluate(problem, Lambda, state):
    """First pass: S, beta, r^2 and the criterion at Lambda. Return the criterion, or inf."""
    p, units, S = problem.p, problem.units, state.S
    # S = W
    for j in range(p + 1):
        for k in range(j + 1):
            S[j, k] = units.within[j, k]
    if units.shared:
        n_units, scratch = units.rows.shape[0], state.R_Lambda
        logdet = n_units * whiten(
            problem.effects, units.Rt[0], Lambda, scratch, state.Omega, state.XR[0]
        )
        add_shared(problem, state)
    else:
        logdet = add_units(problem, Lambda, state)
    return profile(problem, logdet, state)


@kernel
def whiten(effects, Rt, Lambda, R_Lambda, Omega, XR):
    """Omega = I + R Psi R' = L L' (L overwrites Omega) and XR = L^-1 R; return log|Omega|."""
    q = len(effects)
    # R Lambda
    for a in range(q):
        for b in range(q):
            element = 0.0
            for k in range(a, q):
                element += Rt[k, a] * Lambda[k, b]
            R_Lambda[a, b] = element
    # Omega = I + (R Lambda)(R Lambda)'
    for a in range(q):
        for b in range(a + 1):
            element = 1.0 if a == b else 0.0
            for k in range(q):
                element += R_Lambda[a, k] * R_Lambda[b, k]
            Omega[a, b] = element
    determinant = 1.0
    # O = L L', |O| = prod L_aa^2
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
    # XR = L^{-1} R
    for a in range(q):
        inverse = 1.0 / Omega[a, a]
        for b in range(q):
            element = Rt[b, a] if b >= a else 0.0
            for k in range(a):
                element -= Omega[a, k] * XR[k, b]
            XR[a, b] = element * inverse
    return np.log(determinant)


@kernel
def add_units(problem, Lambda, state):
    """Add each unit's XF'XF to S; return the sum of log|O_i|."""
    q, p, units = len(problem.effects), problem.p, problem.units
    Omega, S, scratch = state.Omega, state.S, state.R_Lambda
    logdet = 0.0
    # Unit i: log|O_i|, XR_i = L_i^{-1} R_i, XF_i and its part of S
    for i in range(units.rows.shape[0]):
        logdet += whiten(problem.effects, units.Rt[i], Lambda, scratch, Omega, state.XR[i])
        rows, XF = units.rows[i], state.XF[i]
        # XF = L^{-1} [b_i | c_i]
        for a in range(q):
            inverse = 1.0 / Omega[a, a]
            for j in range(p + 1):
                element = rows[a, j]
                for k in range(a):
                    element -= Omega[a, k] * XF[k, j]
                XF[a, j] = element * inverse
        # S += XF'XF
        for j in range(p + 1):
            for k in range(j + 1):
                element = S[j, k]
                for a in range(q):
                    element += XF[a, j] * XF[a, k]
                S[j, k] = element
    return logdet


@kernel
def add_shared(problem, state):
    """Add sum_i rows_i' Omega^-1 rows_i to S for a shared design; P = R'Omega^-1."""
    q, p, units = np.int64(len(problem.effects)), problem.p, problem.units
    Omega, P, S = state.Omega, state.P, state.S
    # P = XR'L^{-1} = R'Omega^{-1}
    for a in range(q):
        for b in range(q):
            P[a, b] = state.XR[0, b, a]
        for b in range(q - 1, -1, -1):
            element = P[a, b]
            for k in range(b + 1, q):
                element -= Omega[k, b] * P[a, k]
            P[a, b] = element / Omega[b, b]
    inverse = state.Omega_inverse
    # O^{-1} = L'^{-1} L^{-1}
    for a in range(q):
        for b in range(q):
            inverse[a, b] = 1.0 if a == b else 0.0
        solve_lower(Omega, q, inverse[a])
        solve_upper(Omega, q, inverse[a])
    v = 0
    # S += sum_ab O^{-1}[a, b] sum_i rows_i[a]'rows_i[b]
    for a in range(q):
        for b in range(a + 1):
            weight = inverse[a, b] if a == b else 2.0 * inverse[a, b]
            for j in range(p + 1):
                for k in range(j + 1):
                    S[j, k] += weight * units.moments[v, j, k]
            v += 1


@kernel
def profile(problem, logdet, state):
    """Profile beta and sigma out of S; return the criterion, inf where it is not defined."""
    p, S, Ls, beta, gamma = problem.p, state.S, state.Ls, state.beta, state.gamma
    # S_xx = Ls Ls', beta = Ls'^{-1} Ls^{-1} S_xy
    for j in range(p):
        for k in range(j + 1):
            Ls[j, k] = S[j, k]
        beta[j] = S[p, j]
    if cholesky(Ls, p, RANK_TOLERANCE) < p:
        return np.inf
    solve_lower(Ls, p, beta)
    r2 = S[p, p]
    logdet_xx = 0.0
    # r^2 = S_yy - |Ls^{-1} S_xy|^2, log|S_xx| = 2 sum_j log Ls_jj
    for j in range(p):
        r2 -= beta[j] * beta[j]
        logdet_xx += 2.0 * np.log(Ls[j, j])
    solve_upper(Ls, p, beta)
    # gamma = (-beta, 1)
    for j in range(p):
        gamma[j] = -beta[j]
    gamma[p] = 1.0
    if not r2 > 0.0:
        return np.inf
    n_star = divisor(problem)
    criterion = logdet + n_star * (1.0 + np.log(2.0 * np.pi * r2 / n_star))
    if problem.reml:
        criterion += logdet_xx
    state.scalars[0] = criterion
    state.scalars[1] = r2
    state.scalars[2] = logdet_xx
    return criterion
