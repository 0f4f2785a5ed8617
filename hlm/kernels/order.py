r"""The order of the random effects within the search.

Psi = Lambda Lambda' has many factors; the free elements of each, lower triangular in some order of
the effects of a block, are coordinates for a search. If effect 1 has a small variance and another a
large one, then in the effects' own order Lambda_11 is small beside Lambda_21, and the points with
nearly the same Psi_22 = Lambda_21^2 + Lambda_22^2 lie on a circle: Newton's straight steps along it
are short. With the larger variance first, Psi_11 is the square of that element alone, and what
belongs to the small variance is small: the valley is straight.
"""

from __future__ import annotations

import numpy as np

from hlm.jit import kernel
from hlm.lanes import choose, everywhere

__all__ = ["SKEW", "is_skew", "natural_order", "pivot", "restore_order", "triangularize"]

SKEW = 4.0
"""An element of Lambda this many times its column's diagonal element makes the search reorder the
effects: next to a small variance the criterion's valleys are curved in theta, unless it is last."""


@kernel
def natural_order(q, row, order, place):
    """Take the effects as they come: element k of theta is (row[k], col[k]) of Lambda."""
    # order_a = a
    for a in range(q):
        order[a] = a
    # place_k = row_k
    for k in range(len(row)):
        place[k] = row[k]


@kernel
def is_skew(row, col, Lambda, order, place):
    """Tell whether an element of Lambda is large against the diagonal element of its column."""
    # |Lambda_ab| > SKEW |Lambda_bb|, rows in the order of the search
    for k in range(len(row)):
        if abs(Lambda[place[k], col[k]]) > SKEW * abs(Lambda[order[col[k]], col[k]]):
            return True
    return False


@kernel
def pivot(q, row, col, Lambda, order, place):
    """Reorder the effects of each block by what earlier ones leave of their variances.

    Lambda stays a factor of Psi; its element k of theta is now (place[k], col[k]).
    """
    natural_order(q, row, order, place)
    # Place j: the effect a of the block with the most variance left, sum_{b >= j} Lambda_ab^2
    for j in range(q):
        best, largest = j, 0.0
        for k in range(len(row)):
            if col[k] == j:
                left = 0.0
                # sum_{b >= j} Lambda_ab^2
                for b in range(j, q):
                    left += Lambda[order[row[k]], b] ** 2
                if left > largest:
                    best, largest = row[k], left
        first = order[best]
        order[best] = order[j]
        order[j] = first
        rotate_columns(q, first, j, Lambda)
    # place_k = order[row_k]
    for k in range(len(row)):
        place[k] = order[row[k]]


@kernel
def rotate_columns(q, a, j, Lambda):
    """Rotate columns j, j + 1, ... of Lambda so that of row `a` only column j is left."""
    # Givens: (Lambda_aj, Lambda_ab) -> (its length, 0)
    for b in range(j + 1, q):
        is_zero = Lambda[a, b] == 0.0
        if not everywhere(is_zero):
            length = np.hypot(Lambda[a, j], Lambda[a, b])
            c, s = Lambda[a, j] / length, Lambda[a, b] / length
            # (Lambda_kj, Lambda_kb) -> (c Lambda_kj + s Lambda_kb, c Lambda_kb - s Lambda_kj)
            for k in range(q):
                left, right = Lambda[k, j], Lambda[k, b]
                Lambda[k, j] = choose(is_zero, left, c * left + s * right)
                Lambda[k, b] = choose(is_zero, right, c * right - s * left)
            Lambda[a, b] = choose(is_zero, Lambda[a, b], 0.0)


@kernel
def triangularize(q, Lambda):
    """Rotate the columns of Lambda, any factor of Psi, so that it is lower triangular.

    Nothing cancels, as it does where Psi is multiplied out and factored again; a zero column of a
    triangular Lambda stays one, wherever it ends.
    """
    # Lambda_ab = 0 for b > a
    for a in range(q):
        rotate_columns(q, a, a, Lambda)


@kernel
def restore_order(q, Lambda, order):
    """Make Lambda lower triangular again; return whether it was not."""
    changed = False
    # Is order_a != a for an effect?
    for a in range(q):
        changed = changed or order[a] != a
    if changed:
        triangularize(q, Lambda)
    return changed
