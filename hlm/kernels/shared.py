r"""A data set whose units all have one Z, and row-level columns in common: the sums in closed form.

Column j of X is x_j u_ij, x_j the same in every unit and u_ij a number. With Z'Z = R'R and
w_j = R'^{-1} Z'x_j, the pseudo-rows are b_i = [w_1 u_i1, ..., w_p u_ip], and the sums over units

    sum_i b_ij'b_ik = w_j'w_k s_jk,  within_jk = (x_j'x_k - w_j'w_k) s_jk,  s_jk = sum_i u_ij u_ik,

need one pass over the units' numbers and responses only.
"""

from __future__ import annotations

from hlm.jit import kernel
from hlm.kernels.cross import product
from hlm.kernels.linalg import cholesky, divided
from hlm.kernels.units import RANK_TOLERANCE

__all__ = ["load_shared"]


@kernel
def load_shared(q, p, data, design, units):
    """Write one data set's pseudo-rows, moments and remainder into `units`; return y'y."""
    fixed, random, rest, coef = design.fixed, design.random, design.rest, design.rest_coef
    gram, response, u = data.gram, data.response, data.multipliers
    Rt, columns, rows = units.Rt[0], units.columns, units.rows
    # Z'Z = R'R
    for a in range(q):
        for b in range(a + 1):
            Rt[a, b] = product(gram, random[a, 0], random[b, 0], 0)
    cholesky(Rt, q, RANK_TOLERANCE)
    # w_j = R'^{-1} Z'x_j
    for j in range(p):
        for a in range(q):
            element = product(gram, random[a, 0], fixed[j, 0], 0)
            for k in range(a):
                element -= Rt[a, k] * columns[k, j]
            columns[a, j] = divided(element, Rt[a, a])
    # c_i = R'^{-1} Z'(y_i + R_i coef),  b_ij = w_j u_ij
    for i in range(rows.shape[0]):
        for a in range(q):
            element = response[random[a, 0], i]
            for k in range(len(rest)):
                level = u[rest[k, 1], i]
                element += coef[k] * product(gram, random[a, 0], rest[k, 0], 0) * level
            for k in range(a):
                element -= Rt[a, k] * rows[i, k, p]
            rows[i, a, p] = divided(element, Rt[a, a])
            for j in range(p):
                rows[i, a, j] = columns[a, j] * u[fixed[j, 1], i]
    # Sums of column j of X with the columns of X up to it, then with y
    for j in range(p):
        cross_fixed(q, j, data, fixed, units)
        cross_response(q, p, j, data, design, units)
    return square_response(q, p, data, design, units)


@kernel
def cross_fixed(q, j, data, fixed, units):
    """Write the sums of column j with the columns up to it."""
    columns, within, moments = units.columns, units.within, units.moments
    left = data.multipliers[fixed[j, 1]]
    # Columns k <= j
    for k in range(j + 1):
        right = data.multipliers[fixed[k, 1]]
        # s_jk = sum_i u_ij u_ik
        scale = 0.0
        for i in range(units.rows.shape[0]):
            scale += left[i] * right[i]
        # within_jk = (x_j'x_k - w_j'w_k) s_jk
        element = product(data.gram, fixed[j, 0], fixed[k, 0], 0)
        for a in range(q):
            element -= columns[a, j] * columns[a, k]
        if j == k:
            element = max(element, 0.0)
        within[j, k] = element * scale
        within[k, j] = within[j, k]
        # The symmetric part of sum_i b_ij[a] b_ik[b] = w_j[a] w_k[b] s_jk
        v = 0
        for a in range(q):
            for b in range(a + 1):
                pair = columns[a, j] * columns[b, k] + columns[b, j] * columns[a, k]
                moments[v, j, k] = 0.5 * pair * scale
                moments[v, k, j] = moments[v, j, k]
                v += 1


@kernel
def cross_response(q, p, j, data, design, units):
    """Write the sums of column j with the response."""
    fixed, rest, coef = design.fixed, design.rest, design.rest_coef
    gram, response, multipliers = data.gram, data.response, data.multipliers
    columns, rows, within, moments = units.columns, units.rows, units.within, units.moments
    sum_uc = units.with_response
    x, u = fixed[j, 0], multipliers[fixed[j, 1]]
    # sum_uc starts at 0
    for a in range(q):
        sum_uc[a] = 0.0
    total = 0.0
    # total = sum_i u_ij x_j'(y_i + R_i coef), sum_uc = sum_i u_ij c_i
    for i in range(rows.shape[0]):
        element = response[x, i]
        for k in range(len(rest)):
            element += coef[k] * product(gram, x, rest[k, 0], 0) * multipliers[rest[k, 1], i]
        total += u[i] * element
        for a in range(q):
            sum_uc[a] += u[i] * rows[i, a, p]
    # within_yj = total - w_j'sum_uc
    for a in range(q):
        total -= columns[a, j] * sum_uc[a]
    within[p, j] = total
    within[j, p] = total
    v = 0
    # The symmetric part of sum_i b_ij[a] c_i[b] = w_j[a] sum_uc[b]
    for a in range(q):
        for b in range(a + 1):
            pair = columns[a, j] * sum_uc[b] + columns[b, j] * sum_uc[a]
            moments[v, p, j] = 0.5 * pair
            moments[v, j, p] = 0.5 * pair
            v += 1


@kernel
def square_response(q, p, data, design, units):
    """Write the sums of the response with itself; return y'y."""
    rest, coef = design.rest, design.rest_coef
    gram, response, u = data.gram, data.response, data.multipliers
    rows, within, moments = units.rows, units.within, units.moments
    n_units = units.rows.shape[0]
    total = data.sum_squares
    # y'y + coef'R'(2 y + R coef)
    for k in range(len(rest)):
        for i in range(n_units):
            element = 2.0 * response[rest[k, 0], i]
            for m in range(len(rest)):
                level = u[rest[m, 1], i]
                element += coef[m] * level * product(gram, rest[k, 0], rest[m, 0], 0)
            total += coef[k] * u[rest[k, 1], i] * element
    remainder, v = total, 0
    # sum_i c_i c_i', and what its trace leaves of y'y
    for a in range(q):
        for b in range(a + 1):
            element = 0.0
            for i in range(n_units):
                element += rows[i, a, p] * rows[i, b, p]
            moments[v, p, p] = element
            if a == b:
                remainder -= element
            v += 1
    within[p, p] = max(remainder, 0.0)
    return total
