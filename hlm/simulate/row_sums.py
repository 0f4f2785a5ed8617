"""Sums over rows: products of columns with each other, with residuals, with the response."""

from __future__ import annotations

import numpy as np

from hlm.jit import entry, vectorized

__all__ = [
    "add_effects",
    "cross_row_columns",
    "cross_row_noise",
    "products_of_columns",
    "products_with_noise",
]


def products_of_columns(columns, starts):
    """Return the products of columns (n, k, rows) in each unit, (n, pairs, units).

    The j-th rows of the units that have one are those from `starts[j]` to `starts[j + 1] - 1`.
    """
    n, k = columns.shape[:2]
    gram = np.zeros((n, k * (k + 1) // 2, starts[1]))
    cross_columns(columns, starts, gram)
    return gram


def products_with_noise(columns, noise, starts):
    """Return products of columns with n data sets' noise, (n, k, units), and its squares.

    `columns` have a value for each of the rows that begin at `starts`, or one for all of them.
    """
    n, k = len(noise), columns.shape[1]
    response, squares = np.zeros((n, k, starts[1])), np.zeros((n, starts[1]))
    cross_noise(columns, noise.reshape(n, -1), starts, response, squares)
    return response, squares


@vectorized
def cross_columns(columns, starts, gram):
    """Add to gram (n, pairs, units), zero on entry, the sums over rows of products of columns."""
    n, k = columns.shape[:2]
    # gram_i = sum_j x_aij x_bij for each pair (a, b), unit i, its rows j
    for r in range(n):
        pair = 0
        for a in range(k):
            for b in range(a + 1):
                total = gram[r, pair]
                for j in range(len(starts) - 1):
                    first, last = starts[j], starts[j + 1]
                    left, right = columns[r, a, first:last], columns[r, b, first:last]
                    for i in range(last - first):
                        total[i] += left[i] * right[i]
                pair += 1


@vectorized
def cross_noise(columns, noise, starts, response, squares):
    """Add x'e of each unit to response (n, k, units), e'e to squares (n, units), zero on entry."""
    n, k, wide = len(noise), columns.shape[1], columns.shape[2] >= starts[-1]
    # squares_i = sum_j e_ij^2 and response_i = sum_j x_aij e_ij for each column a, unit i
    for r in range(n):
        design = columns[r if columns.shape[0] > 1 else 0]
        for j in range(len(starts) - 1):
            first, last = starts[j], starts[j + 1]
            e, total = noise[r, first:last], squares[r]
            for i in range(last - first):
                total[i] += e[i] * e[i]
            for a in range(k):
                sums = response[r, a]
                if wide:
                    column = design[a, first:last]
                    # + x_aij e_ij
                    for i in range(last - first):
                        sums[i] += column[i] * e[i]
                else:
                    value = design[a, j]
                    # + x_aj e_ij, x_aj the same in all units
                    for i in range(last - first):
                        sums[i] += value * e[i]


@entry
def cross_row_columns(columns, starts, gram):
    """Write x'x of each unit, from rows that lie unit after unit.

    `columns` (k, total) have the rows of the units of data set 0, then those of data set 1, ...;
    unit i of data set r has those from `starts[r n_units + i]` on.
    """
    k = len(columns)
    n, _, n_units = gram.shape
    # gram_i = sum_j x_aij x_bij for each pair (a, b), unit i, its rows j
    for r in range(n):
        for i in range(n_units):
            first, last = starts[r * n_units + i], starts[r * n_units + i + 1]
            pair = 0
            for a in range(k):
                left = columns[a]
                for b in range(a + 1):
                    right, total = columns[b], 0.0
                    for j in range(first, last):
                        total += left[j] * right[j]
                    gram[r, pair, i] = total
                    pair += 1


@entry
def cross_row_noise(columns, noise, starts, response, squares):
    """Write x'e and e'e of each unit, from rows that lie unit after unit.

    `noise` (total,) has the rows of all data sets, `columns` (k, total) too, or those of one data
    set that all have.
    """
    n, k, n_units = response.shape
    wide = columns.shape[1] == len(noise)
    # response_i = sum_j x_aij e_ij and squares_i = sum_j e_ij^2 of unit i, over its rows j
    for r in range(n):
        back = 0 if wide else starts[r * n_units]
        for i in range(n_units):
            first, last = starts[r * n_units + i], starts[r * n_units + i + 1]
            total = 0.0
            for j in range(first, last):
                total += noise[j] * noise[j]
            squares[r, i] = total
            for a in range(k):
                column, total = columns[a], 0.0
                for j in range(first, last):
                    total += column[j - back] * noise[j]
                response[r, a, i] = total


@vectorized
def add_effects(truth, scales, gram, multipliers, effects, response, squares, sum_squares, weights):
    """Add Z b to the noise: y*'y* = e'e + 2 b'Z'e + b'Z'Zb, and x'y* = x'e + x'Zb of each column x.

    `response` (n, k, units) holds x'e, then x'y*; `squares` (n, units) e'e of each unit, then its
    y*'y*, which is added to `sum_squares` (n,). Column `truth[t, 0]` times multiplier `truth[t, 1]`
    and `scales[t]` is column t of Z, whose random effects are `effects[:, t]`; `weights` (q, units)
    is memory for w.
    """
    n, q, n_units = effects.shape
    k, wide = response.shape[1], gram.shape[2] > 1
    # Unit i of data set r: Z b = sum_t w_t x_t
    for r in range(n):
        products = gram[r if gram.shape[0] > 1 else 0]
        levels = multipliers[r if multipliers.shape[0] > 1 else 0]
        total = squares[r]
        # w_t = scale_t u_t b_t
        for t in range(q):
            scale, level, effect = scales[t], levels[truth[t, 1]], effects[r, t]
            for i in range(n_units):
                weights[t, i] = scale * level[i] * effect[i]
        # y*'y* = e'e + 2 sum_t w_t x_t'e + sum_tu w_t w_u x_t'x_u
        for t in range(q):
            a = truth[t, 0]
            own, sums = weights[t], response[r, a]
            for i in range(n_units):
                total[i] += 2.0 * own[i] * sums[i]
            for u in range(q):
                b, other = truth[u, 0], weights[u]
                pair = products[a * (a + 1) // 2 + b if a >= b else b * (b + 1) // 2 + a]
                for i in range(n_units):
                    total[i] += own[i] * other[i] * pair[i if wide else 0]
        for i in range(n_units):
            sum_squares[r] += total[i]
        # x_c'y* = x_c'e + sum_t w_t x_c'x_t
        for c in range(k):
            sums = response[r, c]
            for t in range(q):
                a, own = truth[t, 0], weights[t]
                pair = products[a * (a + 1) // 2 + c if a >= c else c * (c + 1) // 2 + a]
                for i in range(n_units):
                    sums[i] += own[i] * pair[i if wide else 0]
