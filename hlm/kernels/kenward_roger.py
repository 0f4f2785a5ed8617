r"""Kenward and Roger's covariance and df, and Satterthwaite's df by expected information.

The covariance parameters are the free elements of Psi (directions E_v) and the residual variance
(direction r = s), all in units of sigma^2. With O = I + R Psi R' and b = `rows` of a unit, T_v as
in `derivatives`, and

    P = R'O^{-1},  P2 = R'O^{-2},  M = P R = Z'V^{-1}Z,  M2 = P2 R = Z'V^{-2}Z,
    C = b S_xx^{-1} b',  p_v = T_v,  p_s = X'V^{-2}X = W + sum b'O^{-2}b,
    tr q_vw = sum tr(E_v M E_w P C P'),  tr q_vs = sum tr(E_v P C P2'),
    tr q_ss = tr X'V^{-3}X = tr W + sum tr(C O^{-3}),
    I_rs = tr(V^{-1}G_r V^{-1}G_s) - 2 tr q_rs + tr(p_r p_s),   Omega = 2 I^{-1},

traces of p and q and W taken in the basis in which S_xx = I, Kenward & Roger (1997) adjust the
covariance of the fixed effects to

    Phi_A = sigma^2 (I + 2 sum_rs Omega_rs (q_rs - p_r p_s)),
    sum_rs Omega_rs q_rs = Omega_ss W + sum b'A b,
    A = P'(sum_vw Omega_vw E_v M E_w) P + sum_v Omega_vs (P'E_v P2 + P2'E_v P) + Omega_ss O^{-3},

and for one contrast k their degrees of freedom are 2 / (g'Omega g), g_r = k'p_r k / k'k: those of
Satterthwaite with the expected information in the place of the observed. The q by q matrices are
made once for all units that share a design, and sums of b'Ab taken from their moments.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.criterion import whiten
from hlm.kernels.derivatives import add_curvature
from hlm.kernels.linalg import eigh_jacobi, solve_lower, solve_upper

__all__ = ["KenwardRoger", "allocate_kenward_roger", "kenward_roger"]

SINGULAR_INFORMATION = 1e-10
"""Eigenvalues of the information below this share of the largest are taken as zero."""


class KenwardRoger(NamedTuple):
    """Memory and results, with n_v free elements of Psi and n_r = n_v + 1 parameters.

    Attributes
    ----------
    vcov : ndarray (p, p)
        Phi_A, the adjusted covariance of the formula's coefficients; in `infer_expected` NaN in the
        rows and columns of those without a standard error.
    df : ndarray (p,)
        2 / (g'Omega g) of each coefficient: Satterthwaite's and Kenward and Roger's.
    P : ndarray (n_r, p, p)
        p_r, in the basis in which S_xx = I once it is summed over units; P[n_v] is p_s.
    Omega : ndarray (n_r, n_r)
        Covariance of the parameters in units of sigma^2; sigma^2 itself comes last.
    information, vectors : ndarray (n_r, n_r)
        I, its lower triangle until all is summed, diagonal once it is diagonalized; its
        eigenvectors.
    delta : ndarray (p, p)
        sum_rs Omega_rs q_rs summed over units, then sum_rs Omega_rs (q_rs - p_r p_s) in the basis
        in which S_xx = I.
    S_inverse : ndarray (p, p)
        S_xx^{-1}.
    unit : ndarray (17, q, q)
        Products of a unit or of all that share a design, numbered below; C and Q of these are sums.
    gradient : ndarray (n_r,)
        g of one coefficient.
    contrasts : ndarray (p, p)
        Row j is k = Ls^{-1} T_x'^{-1} e_j: coefficient j of the formula in terms of those in the
        basis in which S_xx = I.
    combined : ndarray (p, p)
        sum_s Omega_rs p_s of one parameter r.
    """

    vcov: np.ndarray
    df: np.ndarray
    P: np.ndarray
    Omega: np.ndarray
    information: np.ndarray
    vectors: np.ndarray
    delta: np.ndarray
    S_inverse: np.ndarray
    unit: np.ndarray
    gradient: np.ndarray
    contrasts: np.ndarray
    combined: np.ndarray


(FACTOR, WHITENED, INVERSE, SQUARE, CUBE, P1, P2, M1, M2, C) = range(10)
"""Of a unit, in `unit`: L of O = LL', L^{-1}R, O^{-1}, O^{-2}, O^{-3}, P, P2, M, M2 and C."""

(PC, Q1, MIXED, INNER, RIGHT, WEIGHT, R_LAMBDA) = range(10, 17)
"""Products of these: PC, Q = M - 2 PCP', MIXED = sum_v Omega_sv E_v, INNER = sum_vw Omega_vw E_v M
E_w, RIGHT = INNER P + 2 MIXED P2, and A (its lower triangle); and R Lambda."""

N_PRODUCTS = 17


def allocate_kenward_roger(q: int, p: int, n_theta: int) -> KenwardRoger:
    """Return memory for one fit's results."""
    n_r = n_theta + 1
    return KenwardRoger(
        vcov=np.zeros((p, p)),
        df=np.zeros(p),
        P=np.zeros((n_r, p, p)),
        Omega=np.zeros((n_r, n_r)),
        information=np.zeros((n_r, n_r)),
        vectors=np.zeros((n_r, n_r)),
        delta=np.zeros((p, p)),
        S_inverse=np.zeros((p, p)),
        unit=np.zeros((N_PRODUCTS, q, q)),
        gradient=np.zeros(n_r),
        contrasts=np.zeros((p, p)),
        combined=np.zeros((p, p)),
    )


@kernel
def kenward_roger(problem, sigma2, fixed, Lambda, state, out):
    """Fill `out` from the state at the minimum; `fixed` is that of `Parametrization`."""
    effects, p, units = problem.effects, problem.p, problem.units
    row, col, n_v, Ls = problem.row, problem.col, len(problem.row), state.Ls
    start(problem, state, out)
    # Unit i's part of I_rs = tr(V^{-1}G_r V^{-1}G_s) - 2 tr q_rs and of p_s
    for i in range(units.Rt.shape[0]):
        design_products(effects, units.Rt[i], Lambda, out.unit)
        coefficient_product(problem, i, out.S_inverse, out.unit[C])
        add_information(effects, units.rows.shape[0] if units.shared else 1, row, col, out)
        add_rows(problem, i, out.unit[SQUARE], out.P[n_v])
    orthonormalize(p, Ls, out.P[n_v])
    invert_information(p, n_v, out)
    # sum_rs Omega_rs q_rs = Omega_ss W + sum b'A b
    for j in range(p):
        for k in range(p):
            out.delta[j, k] = out.Omega[n_v, n_v] * units.within[j, k]
    # + b'A b of unit i
    for i in range(units.Rt.shape[0]):
        design_products(effects, units.Rt[i], Lambda, out.unit)
        weigh(effects, row, col, out)
        add_rows(problem, i, out.unit[WEIGHT], out.delta)
    orthonormalize(p, Ls, out.delta)
    report(p, n_v + 1, sigma2, fixed, Ls, out)


@kernel
def start(problem, state, out):
    """Write S_xx^-1 and p_v; start p_s with W and the information with what is outside Z."""
    p, units, n_v = problem.p, problem.units, len(state.T)
    P, inverse, information = out.P, out.S_inverse, out.information
    information[:] = 0.0
    # S_xx^{-1} = Ls'^{-1} Ls^{-1};  p_s starts with W, p_v = T_v
    for j in range(p):
        for k in range(p):
            inverse[j, k] = 1.0 if j == k else 0.0
            P[n_v, j, k] = units.within[j, k]
            for v in range(n_v):
                P[v, j, k] = state.T[v, j, k]
        solve_lower(state.Ls, p, inverse[j])
        solve_upper(state.Ls, p, inverse[j])
    # I_ss starts with N - m q - 2 tr(S_xx^{-1} W)
    information[n_v, n_v] = problem.n_obs - units.rows.shape[0] * len(problem.effects)
    # - 2 tr(S_xx^{-1} W)
    for j in range(p):
        for k in range(p):
            information[n_v, n_v] -= 2.0 * inverse[j, k] * units.within[j, k]


@kernel
def design_products(effects, Rt, Lambda, unit):
    """Write the powers of O^-1, P, P2, M and M2 of a unit, or of all that share its design."""
    q = np.int64(len(effects))
    L, XR, inverse, P = unit[FACTOR], unit[WHITENED], unit[INVERSE], unit[P1]
    whiten(effects, Rt, Lambda, unit[R_LAMBDA], L, XR)
    # O^{-1} = L'^{-1} L^{-1},  P = XR'L^{-1}
    for a in range(q):
        for b in range(q):
            inverse[a, b] = 1.0 if a == b else 0.0
            P[a, b] = XR[b, a]
        solve_lower(L, q, inverse[a])
        solve_upper(L, q, inverse[a])
        solve_upper(L, q, P[a])
    # M = XR'XR,  O^{-2},  P2 = P O^{-1},  M2 = PP'
    for a in range(q):
        for b in range(q):
            whitened, square, second, M = 0.0, 0.0, 0.0, 0.0
            for k in range(q):
                whitened += XR[k, a] * XR[k, b]
                square += inverse[a, k] * inverse[k, b]
                second += P[a, k] * inverse[k, b]
                M += P[a, k] * P[b, k]
            unit[M1, a, b], unit[P2, a, b], unit[M2, a, b] = whitened, second, M
            unit[SQUARE, a, b] = square
    # O^{-3}
    for a in range(q):
        for b in range(q):
            unit[CUBE, a, b] = 0.0
            for k in range(q):
                unit[CUBE, a, b] += unit[SQUARE, a, k] * inverse[k, b]


@kernel
def coefficient_product(problem, i, S_inverse, out):
    """Write C = b S_xx^-1 b' of unit i, or its sum over all units that share a design."""
    p, units, v = problem.p, problem.units, 0
    # C_ab = b[a] S_xx^{-1} b[b]', or by sum_i b_i[a]'b_i[b]
    for a in range(len(problem.effects)):
        for b in range(a + 1):
            element = 0.0
            for j in range(p):
                for k in range(p):
                    if units.shared:
                        element += S_inverse[j, k] * units.moments[v, j, k]
                    else:
                        element += units.rows[i, a, j] * S_inverse[j, k] * units.rows[i, b, k]
            out[a, b] = element
            out[b, a] = element
            v += 1


@kernel
def add_rows(problem, i, weights, total):
    """Add b'A b of unit i to `total` (p, p), or its sum over all units that share a design."""
    p, units, v = problem.p, problem.units, 0
    # b'A b = sum_ab A_ab b[a]'b[b], symmetric part
    for a in range(len(problem.effects)):
        for b in range(a + 1):
            weight = weights[a, b] if a == b else 2.0 * weights[a, b]
            for j in range(p):
                for k in range(p):
                    if units.shared:
                        total[j, k] += weight * units.moments[v, j, k]
                    else:
                        total[j, k] += (
                            0.5
                            * weight
                            * (
                                units.rows[i, a, j] * units.rows[i, b, k]
                                + units.rows[i, b, j] * units.rows[i, a, k]
                            )
                        )
            v += 1


@kernel
def add_information(effects, n_units, row, col, out):
    """Add tr(V^-1 G_r V^-1 G_s) - 2 tr q_rs of a unit, or of `n_units` that share its design."""
    q, n_v, unit, information = len(effects), len(row), out.unit, out.information
    half, Q = unit[PC], unit[Q1]
    # PC; I_ss += tr O^{-2} - 2 tr(C O^{-3})
    for a in range(q):
        for b in range(q):
            half[a, b] = 0.0
            for k in range(q):
                half[a, b] += unit[P1, a, k] * unit[C, k, b]
            information[n_v, n_v] += n_units * (unit[INVERSE, a, b] * unit[INVERSE, a, b])
            information[n_v, n_v] -= 2.0 * unit[C, a, b] * unit[CUBE, a, b]
    # I_vw += tr(E_v M E_w Q), Q = M - 2 P C P'
    for a in range(q):
        for b in range(q):
            Q[a, b] = n_units * unit[M1, a, b]
            for k in range(q):
                Q[a, b] -= 2.0 * half[a, k] * unit[P1, b, k]
    add_curvature(row, col, unit[M1], Q, information)
    # I_sv += tr(E_v M2) - 2 tr(E_v P C P2')
    for v in range(n_v):
        a, b = row[v], col[v]
        element = n_units * unit[M2, a, b]
        for k in range(q):
            element -= half[a, k] * unit[P2, b, k] + half[b, k] * unit[P2, a, k]
        information[n_v, v] += element if a == b else 2.0 * element


@kernel
def orthonormalize(p, Ls, a):
    """Overwrite `a` (p, p) by Ls^-1 a Ls'^-1."""
    # a Ls'^{-1}
    for j in range(p):
        solve_lower(Ls, p, a[j])
    # Transposed: Ls^{-1} a, for `a` is symmetric
    for j in range(p):
        for k in range(j):
            a[j, k], a[k, j] = a[k, j], a[j, k]
    # Ls^{-1} a Ls'^{-1}
    for j in range(p):
        solve_lower(Ls, p, a[j])


@kernel
def invert_information(p, n_v, out):
    """Finish the information with tr(p_r p_s) and invert it: Omega = 2 I^-1."""
    information, vectors, n = out.information, out.vectors, n_v + 1
    # I_rs += tr(p_r p_s)
    for r in range(n):
        for s in range(r + 1):
            element = information[r, s]
            for j in range(p):
                for k in range(p):
                    element += out.P[r, j, k] * out.P[s, j, k]
            information[r, s] = element
            information[s, r] = element
    eigh_jacobi(information, n, vectors)
    largest = 0.0
    # max_k lambda_k
    for k in range(n):
        largest = max(largest, information[k, k])
    # Omega = 2 sum_k v_k v_k' / lambda_k, but for eigenvalues that count as zero
    for r in range(n):
        for s in range(n):
            element = 0.0
            for k in range(n):
                if information[k, k] > SINGULAR_INFORMATION * largest:
                    element += vectors[r, k] * vectors[s, k] / information[k, k]
            out.Omega[r, s] = 2.0 * element


@kernel
def weigh(effects, row, col, out):
    """Write A of a unit into `unit[WEIGHT]`."""
    q, n_v, unit, Omega = len(effects), len(row), out.unit, out.Omega
    inner, mixed, right, A = unit[INNER], unit[MIXED], unit[RIGHT], unit[WEIGHT]
    inner[:], mixed[:] = 0.0, 0.0
    # mixed = sum_v Omega_sv E_v, inner = sum_vw Omega_vw E_v M E_w
    for v in range(n_v):
        mixed[row[v], col[v]] = Omega[n_v, v]
        mixed[col[v], row[v]] = Omega[n_v, v]
        for w in range(n_v):
            add_product(row[v], col[v], row[w], col[w], Omega[v, w], unit[M1], inner)
    # right = inner P + 2 mixed P2
    for a in range(q):
        for b in range(q):
            right[a, b] = 0.0
            for k in range(q):
                right[a, b] += inner[a, k] * unit[P1, k, b] + 2.0 * mixed[a, k] * unit[P2, k, b]
    # A = the symmetric part of P'right, + Omega_ss O^{-3}; its lower triangle
    for a in range(q):
        for b in range(a + 1):
            element = Omega[n_v, n_v] * unit[CUBE, a, b]
            for k in range(q):
                element += 0.5 * (unit[P1, k, a] * right[k, b] + unit[P1, k, b] * right[k, a])
            A[a, b] = element


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
def report(p, n_r, sigma2, fixed, Ls, out):
    """Covariance and df of the formula's coefficients."""
    delta, P, contrasts, combined = out.delta, out.P, out.contrasts, out.combined
    # delta -= sum_r p_r (sum_s Omega_rs p_s)
    for r in range(n_r):
        combined[:] = 0.0
        # combined = sum_s Omega_rs p_s
        for s in range(n_r):
            for j in range(p):
                for k in range(p):
                    combined[j, k] += out.Omega[r, s] * P[s, j, k]
        # delta -= p_r combined
        for j in range(p):
            for k in range(p):
                for m in range(p):
                    delta[j, k] -= P[r, j, m] * combined[m, k]
    # Row j: k = Ls^{-1} T_x'^{-1} e_j
    for j in range(p):
        for k in range(p):
            contrasts[j, k] = fixed[j, k]
        solve_lower(Ls, p, contrasts[j])
    # vcov_jk = sigma^2 k'(I + 2 delta) l, k and l rows j and k of `contrasts`
    for j in range(p):
        for k in range(p):
            element = 0.0
            for m in range(p):
                element += contrasts[j, m] * contrasts[k, m]
                for n in range(p):
                    element += 2.0 * contrasts[j, m] * delta[m, n] * contrasts[k, n]
            out.vcov[j, k] = sigma2 * element
    # df = 2 / (g'Omega g), g_r = k'p_r k / k'k
    for j in range(p):
        norm = 0.0
        # k'k
        for m in range(p):
            norm += contrasts[j, m] * contrasts[j, m]
        # g_r = k'p_r k / k'k
        for r in range(n_r):
            out.gradient[r] = 0.0
            for m in range(p):
                for n in range(p):
                    out.gradient[r] += contrasts[j, m] * P[r, m, n] * contrasts[j, n]
            out.gradient[r] /= norm
        variance = 0.0
        # g'Omega g
        for r in range(n_r):
            for s in range(n_r):
                variance += out.gradient[r] * out.Omega[r, s] * out.gradient[s]
        out.df[j] = 2.0 / variance
