r"""Gradient and Hessian of the criterion, in the free elements of Psi.

After `evaluate`, per unit,

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

import numpy as np

from hlm.jit import kernel
from hlm.kernels.linalg import invert_lower, solve_lower
from hlm.kernels.problem import divisor

__all__ = ["add_curvature", "differentiate", "sum_derivatives"]


@kernel
def differentiate(problem, state):
    """Second pass, after `evaluate`: G, and the Hessian in the free elements of Psi."""
    slope = divisor(problem) / state.r2[0]
    sum_derivatives(problem, slope, -slope / state.r2[0], np.bool_(True), state)


@kernel
def sum_derivatives(problem, slope, bend, needs_T, state):
    """Differentiate sum log|O_i| + f(r^2) [+ log|S_xx|], `slope` and `bend` being f' and f''.

    f is n* log r^2 where sigma is profiled out and r^2 / sigma^2 where it is given. T is for REML
    and for inference on beta; without `needs_T` it is left out.
    """
    p, row, col = problem.p, problem.row, problem.col
    q, n_v = len(problem.effects), len(row)
    G, uu, T, h, hessian = state.G, state.uu, state.T, state.h, state.hessian_psi
    G[:], uu[:], T[:], h[:], hessian[:] = 0.0, 0.0, 0.0, 0.0, 0.0
    if problem.units.shared:
        differentiate_shared(problem, slope, needs_T, state)
    else:
        invert_lower(state.Ls, p, state.pair)
        # Unit i's part of G, uu, h, T and of the Hessian's first sum
        for i in range(problem.units.rows.shape[0]):
            differentiate_unit(problem, i, slope, needs_T, state)
        # The upper triangles of T
        for v in range(n_v):
            for j in range(p):
                for k in range(j):
                    T[v, k, j] = T[v, j, k]
    # The upper triangles
    for a in range(q):
        for b in range(a):
            G[b, a] = G[a, b]
            uu[b, a] = uu[a, b]
    # Hessian(v, w) += f'' (u'E_v u)(u'E_w u) - 2 f' h_v'h_w - [REML] tr(T_v T_w)
    for v in range(n_v):
        uu_v = uu[row[v], col[v]] * (1.0 if row[v] == col[v] else 2.0)
        for w in range(v + 1):
            uu_w = uu[row[w], col[w]] * (1.0 if row[w] == col[w] else 2.0)
            element = hessian[v, w] + bend * uu_v * uu_w
            for j in range(p):
                element -= 2.0 * slope * h[v, j] * h[w, j]
            if problem.reml:
                # - tr(T_v T_w)
                for j in range(p):
                    for k in range(p):
                        element -= T[v, j, k] * T[w, j, k]
            hessian[v, w] = element
            hessian[w, v] = element


@kernel
def differentiate_unit(problem, i, slope, needs_T, state):
    """Add unit i to the sums over units."""
    q, p, row, col = len(problem.effects), problem.p, problem.row, problem.col
    XR, XF, XB, gamma, Ls_inverse = (
        state.XR[i], state.XF[i], state.XB, state.gamma, state.pair,
    )  # fmt: skip
    M, H, u, Q, G, uu, h, T, residual = (
        state.M, state.H, state.u, state.Q, state.G, state.uu, state.h, state.T, state.residual,
    )  # fmt: skip
    # The residual XF gamma, and XB = XF_x Ls'^{-1}: X in the basis in which S_xx = I
    for a in range(q):
        element = 0.0
        for j in range(p + 1):
            element += XF[a, j] * gamma[j]
        residual[a] = element
        for j in range(p):
            element = 0.0
            for k in range(j + 1):
                element += Ls_inverse[j, k] * XF[a, k]
            XB[a, j] = element
    # M = XR'XR, H = XR'XB, u = XR'(XF gamma)
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
                element += XR[k, a] * XB[k, j]
            H[a, j] = element
        element = 0.0
        for k in range(q):
            element += XR[k, a] * residual[k]
        u[a] = element
    # G += M - f' uu' - [REML] HH',  Q = 2 f' uu' + 2 [REML] HH' - M
    for a in range(q):
        for b in range(a + 1):
            product = u[a] * u[b]
            weighted = slope * product
            if problem.reml:
                # + (HH')_ab
                for j in range(p):
                    weighted += H[a, j] * H[b, j]
            G[a, b] += M[a, b] - weighted
            uu[a, b] += product
            Q[a, b] = 2.0 * weighted - M[a, b]
            Q[b, a] = Q[a, b]
    add_curvature(row, col, M, Q, state.hessian_psi)
    # h_v += H'E_v u, and T_v
    for v in range(len(row)):
        a, b = row[v], col[v]
        for j in range(p):
            element = H[a, j] * u[b]
            if a != b:
                element += H[b, j] * u[a]
            h[v, j] += element
            # T_v += H'E_v H, its lower triangle
            for k in range(j + 1 if needs_T else 0):
                element = H[a, j] * H[b, k]
                if a != b:
                    element += H[b, j] * H[a, k]
                T[v, j, k] += element


@kernel
def add_curvature(row, col, M, Q, hessian):
    """Add tr(E_v M E_w Q) for every pair of directions v >= w."""
    # tr(E_ab M E_cd Q), over both orders of (a, b) and of (c, d)
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
            hessian[v, w] += trace


@kernel
def differentiate_shared(problem, slope, needs_T, state):
    """Fill the sums over units of a shared design: H_i = P b_i, u_i = P (rows_i gamma)."""
    q, p, row, col = np.int64(len(problem.effects)), problem.p, problem.row, problem.col
    n_units, moments = problem.units.rows.shape[0], problem.units.moments
    XR, P, Ls, gamma = state.XR[0], state.P, state.Ls, state.gamma
    M, Q, G, uu, pair, pair_u = state.M, state.Q, state.G, state.uu, state.pair, state.pair_u
    # M = XR'XR
    for a in range(q):
        for b in range(a + 1):
            element = 0.0
            for k in range(q):
                element += XR[k, a] * XR[k, b]
            M[a, b] = element
            M[b, a] = element
    # For each pair of effects: sum_i (P_c rows_i)'(P_d rows_i), from the moments
    for c in range(q):
        for d in range(c + 1):
            combine_moments(q, p, P[c], P[d], moments, pair)
            # sum u_c u_d = gamma'pair gamma, and sum H_c'u_d in the basis in which S_xx = I
            product = 0.0
            for j in range(p + 1):
                moment = 0.0
                for k in range(p + 1):
                    moment += pair[k, j] * gamma[k]
                product += gamma[j] * moment
                pair_u[j] = moment
            solve_lower(Ls, p, pair_u)
            # sum H_c'H_d in the basis in which S_xx = I
            if needs_T:
                # pair Ls'^{-1}
                for j in range(p):
                    solve_lower(Ls, p, pair[j])
                # Ls^{-1} pair Ls'^{-1}
                for k in range(p):
                    solve_lower(Ls, p, pair[:, k])
            # G = m M - f' sum uu' - [REML] sum HH', Q = 2 f' sum uu' + 2 [REML] sum HH' - m M
            weighted = slope * product
            if problem.reml:
                # + (sum HH')_cd = tr pair
                for j in range(p):
                    weighted += pair[j, j]
            G[c, d] = n_units * M[c, d] - weighted
            uu[c, d] = product
            Q[c, d] = 2.0 * weighted - n_units * M[c, d]
            Q[d, c] = Q[c, d]
            for v in range(len(row)):
                if row[v] == c and col[v] == d:
                    factor = 1.0 if c == d else 2.0
                    # h_v = sum H'E_v u, T_v = sum H'E_v H
                    for j in range(p):
                        state.h[v, j] = factor * pair_u[j]
                        for k in range(p if needs_T else 0):
                            state.T[v, j, k] = factor * pair[j, k]
    add_curvature(row, col, M, Q, state.hessian_psi)


@kernel
def combine_moments(q, p, left, right, moments, pair):
    """Write the symmetric part of sum_i (left'rows_i)'(right'rows_i) into `pair` (p + 1, p + 1)."""
    pair[:] = 0.0
    v = 0
    # sum_ab (left_a right_b) sum_i rows_i[a]'rows_i[b], symmetric part
    for a in range(q):
        for b in range(a + 1):
            weight = left[a] * right[b]
            if a != b:
                weight += left[b] * right[a]
            for j in range(p + 1):
                for k in range(p + 1):
                    pair[j, k] += weight * moments[v, j, k]
            v += 1
