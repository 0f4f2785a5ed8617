r"""A data set whose units all have one Z, and row-level columns in common: the sums in closed form.

Column j of X is x_j u_ij, x_j the same in every unit and u_ij a number. With Z'Z = R'R and
w_j = R'^{-1} Z'x_j, the pseudo-rows are b_i = [w_1 u_i1, ..., w_p u_ip], and the sums over units

    sum_i b_ij'b_ik = w_j'w_k s_jk,  within_jk = (x_j'x_k - w_j'w_k) s_jk,  s_jk = sum_i u_ij u_ik,

need one pass over the units' numbers and responses only, a block of units at a time. Columns with
the same numbers u have the same sums of these with each other and with c.
"""

from __future__ import annotations

from hlm.jit import kernel
from hlm.kernels.cross import product
from hlm.kernels.linalg import cholesky, divided
from hlm.kernels.units import BLOCK, RANK_TOLERANCE

__all__ = ["load_shared"]


@kernel
def load_shared(q, p, data, design, units):
    """Write one data set's pseudo-rows, moments and remainder into `units`; return y'y."""
    n_units, rows = units.rows.shape[0], units.rows
    factor_design(q, p, data, design, units)
    clear_sums(q, p, units)
    total = data.sum_squares
    # A block of units after another
    for first in range(0, n_units, BLOCK):
        stop = min(first + BLOCK, n_units)
        rotate_responses(q, p, first, stop, data, design, units)
        if rows.shape[2] > 0:
            write_rows(q, p, first, stop, data, design.fixed, units)
        sum_columns(q, p, first, stop, data, design, units)
        sum_responses(q, p, first, stop, units)
        total += square_rest(first, stop, data, design)
    cross_columns(q, p, data, design.fixed, units)
    remainder = total
    # What sum_i c_i'c_i leaves of y'y, moment v that of (a, a)
    for a in range(q):
        v = a * (a + 3) // 2
        remainder -= units.moments[v, p, p]
    units.within[p, p] = max(remainder, 0.0)
    return total


@kernel
def factor_design(q, p, data, design, units):
    """Write R' and w_j."""
    gram, fixed, random = data.gram, design.fixed, design.random
    Rt, columns = units.Rt[0], units.columns
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


@kernel
def clear_sums(q, p, units):
    """Let all sums over units be 0."""
    # Of u_ij with u_ik and, by x_j, with y; of u_ij with c_i
    for j in range(p):
        for k in range(j + 1):
            units.within[j, k] = 0.0
        units.within[p, j] = 0.0
        for a in range(q):
            units.with_response[j, a] = 0.0
    # Of c_i with c_i
    for v in range(q * (q + 1) // 2):
        units.moments[v, p, p] = 0.0


@kernel
def rotate_responses(q, p, first, stop, data, design, units):
    """Write c_i of units `first` to `stop` - 1 below the sums with it."""
    random, rest, coef, u = design.random, design.rest, design.rest_coef, data.multipliers
    Rt, block = units.Rt[0], units.with_response
    # c_i = R'^{-1} Z'(y_i + R_i coef)
    for a in range(q):
        z, inverse = random[a, 0], divided(1.0, Rt[a, a])
        for i in range(first, stop):
            element = data.response[z, i]
            for k in range(len(rest)):
                element += coef[k] * product(data.gram, z, rest[k, 0], 0) * u[rest[k, 1], i]
            for k in range(a):
                element -= Rt[a, k] * block[p + i - first, k]
            block[p + i - first, a] = element * inverse


@kernel
def write_rows(q, p, first, stop, data, fixed, units):
    """Write the pseudo-rows of units `first` to `stop` - 1."""
    columns, rows, u = units.columns, units.rows, data.multipliers
    # b_ij = w_j u_ij, and c_i
    for i in range(first, stop):
        for a in range(q):
            for j in range(p):
                rows[i, a, j] = columns[a, j] * u[fixed[j, 1], i]
            rows[i, a, p] = units.with_response[p + i - first, a]


@kernel
def sum_columns(q, p, first, stop, data, design, units):
    """Add units `first` to `stop` - 1 to the sums of the columns of X."""
    fixed, rest, coef, u = design.fixed, design.rest, design.rest_coef, data.multipliers
    within, sums = units.within, units.with_response
    # Column j
    for j in range(p):
        x, left, total = fixed[j, 0], u[fixed[j, 1]], within[p, j]
        # sum_i u_ij x_j'(y_i + R_i coef)
        for i in range(first, stop):
            element = data.response[x, i]
            for k in range(len(rest)):
                element += coef[k] * product(data.gram, x, rest[k, 0], 0) * u[rest[k, 1], i]
            total += left[i] * element
        within[p, j] = total
        if first_like(j, fixed) < j:
            continue
        # s_jk = sum_i u_ij u_ik
        for k in range(j + 1):
            if first_like(k, fixed) == k:
                right, total = u[fixed[k, 1]], within[j, k]
                for i in range(first, stop):
                    total += left[i] * right[i]
                within[j, k] = total
        # sum_i u_ij c_i
        for a in range(q):
            total = sums[j, a]
            for i in range(first, stop):
                total += left[i] * sums[p + i - first, a]
            sums[j, a] = total


@kernel
def first_like(j, fixed):
    """Return the first column with the same numbers of units as column j."""
    # u_k = u_j
    for k in range(j):
        if fixed[k, 1] == fixed[j, 1]:
            return k
    return j


@kernel
def sum_responses(q, p, first, stop, units):
    """Add units `first` to `stop` - 1 to sum_i c_i c_i'."""
    block, v = units.with_response, 0
    # sum_i c_i[a] c_i[b]
    for a in range(q):
        for b in range(a + 1):
            total = units.moments[v, p, p]
            for i in range(p, p + stop - first):
                total += block[i, a] * block[i, b]
            units.moments[v, p, p] = total
            v += 1


@kernel
def square_rest(first, stop, data, design):
    """Return what R coef adds to y'y in units `first` to `stop` - 1."""
    rest, coef, u, total = design.rest, design.rest_coef, data.multipliers, 0.0
    # coef'R'(2 y + R coef)
    for k in range(len(rest)):
        for i in range(first, stop):
            element = 2.0 * data.response[rest[k, 0], i]
            for m in range(len(rest)):
                level = u[rest[m, 1], i]
                element += coef[m] * level * product(data.gram, rest[k, 0], rest[m, 0], 0)
            total += coef[k] * u[rest[k, 1], i] * element
    return total


@kernel
def cross_columns(q, p, data, fixed, units):
    """Write the sums of the columns of X with each other and with the response."""
    columns, within, moments = units.columns, units.within, units.moments
    # Column j; the last is the first, as sums of earlier ones may be its own
    for j in range(p - 1, -1, -1):
        like_j = first_like(j, fixed)
        sum_uc, total, v = units.with_response[like_j], within[p, j], 0
        # within_yj = sum_i u_ij x_j'y_i - w_j' sum_i u_ij c_i
        for a in range(q):
            total -= columns[a, j] * sum_uc[a]
        within[p, j] = total
        within[j, p] = total
        # The symmetric part of sum_i b_ij[a] c_i[b] = w_j[a] sum_i u_ij c_i[b]
        for a in range(q):
            for b in range(a + 1):
                pair = columns[a, j] * sum_uc[b] + columns[b, j] * sum_uc[a]
                moments[v, p, j] = 0.5 * pair
                moments[v, j, p] = 0.5 * pair
                v += 1
        # Columns k <= j
        for k in range(j, -1, -1):
            like_k = first_like(k, fixed)
            scale = within[max(like_j, like_k), min(like_j, like_k)]
            cross_pair(q, j, k, scale, product(data.gram, fixed[j, 0], fixed[k, 0], 0), units)


@kernel
def cross_pair(q, j, k, scale, element, units):
    """Write the sums of columns j and k, x_j'x_k = `element` and s_jk = `scale`."""
    columns, within, moments, v = units.columns, units.within, units.moments, 0
    # within_jk = (x_j'x_k - w_j'w_k) s_jk
    for a in range(q):
        element -= columns[a, j] * columns[a, k]
    if j == k:
        element = max(element, 0.0)
    within[j, k] = element * scale
    within[k, j] = within[j, k]
    # The symmetric part of sum_i b_ij[a] b_ik[b] = w_j[a] w_k[b] s_jk
    for a in range(q):
        for b in range(a + 1):
            pair = columns[a, j] * columns[b, k] + columns[b, j] * columns[a, k]
            moments[v, j, k] = 0.5 * pair * scale
            moments[v, k, j] = moments[v, j, k]
            v += 1
