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
from hlm.lanes import choose

__all__ = ["State", "allocate_state", "evaluate", "whiten"]

LARGE = 2.0**300
"""A product of determinants is kept below this; each of them may be as large as that again and far
more."""


class State(NamedTuple):
    """The criterion's parts at one Lambda, named as in the equations here and in `derivatives`.

    "Of a unit" is of the one that was last looked at; m is the number of units.

    Attributes
    ----------
    S : ndarray (p + 1, p + 1)
        [X y]'V^{-1}[X y] summed over units, its lower triangle.
    Ls : ndarray (p, p)
        The Cholesky factor of S_xx, its lower triangle.
    beta, gamma : ndarray (p,), (p + 1,)
        The coefficients of X*, and (-beta, 1).
    r2 : ndarray (1,)
        r^2.
    XR : ndarray (m or 1, q, q)
        L^{-1} R of each unit, or of all that share a design.
    XF : ndarray (m or 1, q, p + 1)
        L^{-1}[b c] of each unit; not used where all share a design.
    R_Lambda : ndarray (q, q)
        R Lambda of a unit, or of all that share a design.
    L : ndarray (q, q)
        The Cholesky factor of O = I + R Psi R' of a unit, or of all that share a design.
    O_inverse, P : ndarray (q, q)
        O^{-1} and R'O^{-1} of a shared design; used for no other.
    XB, residual : ndarray (q, p), (q,)
        Of a unit: the columns XF of X in the basis in which S_xx = I, and XF gamma.
    M : ndarray (q, q)
        Z'V^{-1}Z of a unit, or of all that share a design.
    H, u : ndarray (q, p), (q,)
        Of a unit: Z'V^{-1}X in that basis, and Z'V^{-1}(y - X beta).
    Q : ndarray (q, q)
        2 f' uu' + 2 [REML] HH' - M of a unit, or its sum over all that share a design.
    pair, pair_u : ndarray (p + 1, p + 1), (p + 1,)
        Of two effects c and d, where units share a design: the symmetric part of
        sum_i (P_c rows_i)'(P_d rows_i), and that times gamma; then, but for the last row and
        column, those of sum H_c'H_d and of sum H_c'u_d in the basis in which S_xx = I. Where they
        do not share one, `pair` holds Ls^{-1}.
    G, hessian_psi : ndarray (q, q), (n_theta, n_theta)
        d criterion / d Psi, and the Hessian in the free elements of Psi. In `joint` they are those
        of the deviance with sigma given, in `identified.information` those of log|V| and, by REML,
        log|S_xx|.
    uu : ndarray (q, q)
        sum uu'.
    h, T : ndarray (n_theta, p), (n_theta, p, p)
        Of each free element of Psi: sum H'Eu and sum H'EH, in that basis; T is 0 in `joint`.
    contrasts : ndarray (p, p)
        Row j is k = Ls^{-1} T_x'^{-1} e_j: coefficient j of the formula in terms of those in that
        basis.
    """

    S: np.ndarray
    Ls: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    r2: np.ndarray
    XR: np.ndarray
    XF: np.ndarray
    R_Lambda: np.ndarray
    L: np.ndarray
    O_inverse: np.ndarray
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
        r2=np.zeros(1),
        XR=np.zeros((n_designs, q, q)),
        XF=np.zeros((n_designs, q, p + 1)),
        R_Lambda=np.zeros((q, q)),
        L=np.zeros((q, q)),
        O_inverse=np.zeros((q, q)),
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
        logdet = n_units * np.log(
            whiten(problem.effects, units.Rt[0], Lambda, scratch, state.L, state.XR[0])
        )
        add_shared(problem, state)
    else:
        logdet = add_units(problem, Lambda, state)
    return profile(problem, logdet, state)


@kernel
def whiten(effects, Rt, Lambda, R_Lambda, L, XR):
    """Write L, the Cholesky factor of O = I + R Psi R', and XR = L^-1 R; return |O|."""
    q = len(effects)
    # R Lambda
    for a in range(q):
        for b in range(q):
            element = 0.0
            for k in range(a, q):
                element += Rt[k, a] * Lambda[k, b]
            R_Lambda[a, b] = element
    # L holds O = I + (R Lambda)(R Lambda)'
    for a in range(q):
        for b in range(a + 1):
            element = 1.0 if a == b else 0.0
            for k in range(q):
                element += R_Lambda[a, k] * R_Lambda[b, k]
            L[a, b] = element
    determinant = 1.0
    # O = L L', |O| = prod L_aa^2
    for a in range(q):
        for b in range(a):
            element = L[a, b]
            for k in range(b):
                element -= L[a, k] * L[b, k]
            L[a, b] = element / L[b, b]
        pivot = L[a, a]
        for k in range(a):
            pivot -= L[a, k] * L[a, k]
        determinant *= pivot
        L[a, a] = np.sqrt(pivot)
    # XR = L^{-1} R
    for a in range(q):
        inverse = 1.0 / L[a, a]
        for b in range(q):
            element = Rt[b, a] if b >= a else 0.0
            for k in range(a):
                element -= L[a, k] * XR[k, b]
            XR[a, b] = element * inverse
    return determinant


@kernel
def add_units(problem, Lambda, state):
    """Add each unit's XF'XF to S; return the sum of log|O_i|."""
    q, p, units = len(problem.effects), problem.p, problem.units
    L, S, scratch = state.L, state.S, state.R_Lambda
    product, powers = 1.0, 0.0
    # Unit i: log|O_i|, XR_i = L_i^{-1} R_i, XF_i and its part of S
    for i in range(units.rows.shape[0]):
        product *= whiten(problem.effects, units.Rt[i], Lambda, scratch, L, state.XR[i])
        # prod |O_i| = product LARGE^powers: one logarithm for all units
        is_large = product > LARGE
        product = choose(is_large, product / LARGE, product)
        powers += choose(is_large, 1.0, 0.0)
        rows, XF = units.rows[i], state.XF[i]
        # XF = L^{-1} [b_i | c_i]
        for a in range(q):
            inverse = 1.0 / L[a, a]
            for j in range(p + 1):
                element = rows[a, j]
                for k in range(a):
                    element -= L[a, k] * XF[k, j]
                XF[a, j] = element * inverse
        # S += XF'XF
        for j in range(p + 1):
            for k in range(j + 1):
                element = S[j, k]
                for a in range(q):
                    element += XF[a, j] * XF[a, k]
                S[j, k] = element
    return np.log(product) + powers * np.log(LARGE)


@kernel
def add_shared(problem, state):
    """Add sum_i rows_i' O^-1 rows_i to S for a shared design; P = R'O^-1."""
    q, p, units = np.int64(len(problem.effects)), problem.p, problem.units
    L, P, S = state.L, state.P, state.S
    # P = XR'L^{-1} = R'O^{-1}
    for a in range(q):
        for b in range(q):
            P[a, b] = state.XR[0, b, a]
        for b in range(q - 1, -1, -1):
            element = P[a, b]
            for k in range(b + 1, q):
                element -= L[k, b] * P[a, k]
            P[a, b] = element / L[b, b]
    inverse = state.O_inverse
    # O^{-1} = L'^{-1} L^{-1}
    for a in range(q):
        for b in range(q):
            inverse[a, b] = 1.0 if a == b else 0.0
        solve_lower(L, q, inverse[a])
        solve_upper(L, q, inverse[a])
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
    rank = cholesky(Ls, p, RANK_TOLERANCE)
    solve_lower(Ls, p, beta)
    r2 = S[p, p]
    logdet_xx = 0.0
    # r^2 = S_yy - |Ls^{-1} S_xy|^2, log|S_xx| = 2 sum_j log Ls_jj
    for j in range(p):
        r2 -= beta[j] * beta[j]
        logdet_xx += 2.0 * np.log(choose(Ls[j, j] > 0.0, Ls[j, j], 1.0))
    solve_upper(Ls, p, beta)
    # gamma = (-beta, 1)
    for j in range(p):
        gamma[j] = -beta[j]
    gamma[p] = 1.0
    is_defined = (rank == p) & (r2 > 0.0)
    r2 = choose(is_defined, r2, 1.0)
    n_star = divisor(problem)
    criterion = logdet + n_star * (1.0 + np.log(2.0 * np.pi * r2 / n_star))
    if problem.reml:
        criterion += logdet_xx
    state.r2[0] = r2
    return choose(is_defined, criterion, np.inf)
