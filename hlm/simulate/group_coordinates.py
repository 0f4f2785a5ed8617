"""Coordinates of the rows of each group in units, given those of all rows of a unit."""

from __future__ import annotations

import numpy as np

from hlm.jit import entry, kernel

__all__ = ["cross_groups", "leave_out", "match_units"]


@entry
def cross_groups(columns, group, starts, gram):
    """Add to gram (groups, n, pairs, units), zero on entry, the products of columns in each group.

    The j-th rows of the units that have one are those from `starts[j]` to `starts[j + 1] - 1`.
    """
    n, k = gram.shape[1], columns.shape[1]
    # gram_gi = sum_j x_aij x_bij over the rows j of group g, for each pair (a, b), unit i
    for r in range(n):
        design, pair = columns[r if len(columns) > 1 else 0], 0
        for a in range(k):
            for b in range(a + 1):
                for j in range(len(starts) - 1):
                    first, last = starts[j], starts[j + 1]
                    left, right = design[a, first:last], design[b, first:last]
                    own = group[r if len(group) > 1 else 0, first:last]
                    for i in range(last - first):
                        gram[own[i], r, pair, i] += left[i] * right[i]
                pair += 1


@entry
def leave_out(lower, sizes, along):
    """Set absent coordinates to zero for which a unit has no row in a group.

    `lower` is (groups, n or 1, pairs, units or 1), `sizes` (groups, n or 1, units or 1), `along`
    (groups, k, n, units).
    """
    groups, k, n, n_units = along.shape
    for g in range(groups):
        for r in range(n):
            own = r if lower.shape[1] > 1 else 0
            for i in range(n_units):
                unit = i if lower.shape[3] > 1 else 0
                left = sizes[g, own, unit]
                for a in range(k):
                    left -= lower[g, own, a * (a + 1) // 2 + a, unit] > 0.0
                for a in range(k):
                    if lower[g, own, a * (a + 1) // 2 + a, unit] == 0.0:
                        if left <= 0:
                            along[g, a, r, i] = 0.0
                        left -= 1


@entry
def match_units(lower, whole, coordinates, squares, along, left, work):
    """Turn independent w in `along`, and chi-squares in `left`, into those of given rows.

    Of all rows of a unit the coordinates are `coordinates` (k, n, units), along columns with the
    factors `whole` (n or 1, pairs, units or 1), and `squares` (n,) is what they leave. `left` is
    (n, groups); `work` (k, units); `lower` and `along` are as in `leave_out`.
    """
    groups, k, n, n_units = along.shape
    for r in range(n):
        root = whole[r if whole.shape[0] > 1 else 0]
        own = r if lower.shape[1] > 1 else 0
        # v = M w = L^{-1} sum_g L_g w_g
        for a in range(k):
            work[a, :] = 0.0
            for g in range(groups):
                for b in range(a + 1):
                    add(lower[g, own, a * (a + 1) // 2 + b], 1.0, along[g, b, r], work[a])
        for a in range(k):
            for b in range(a):
                add(root[a * (a + 1) // 2 + b], -1.0, work[b], work[a])
            divide(work[a], root[a * (a + 1) // 2 + a])
        # f^2 = left / (|w - M'v|^2 + sum_g chi_g^2), |w - M'v|^2 = |w|^2 - |v|^2
        total = 0.0
        for g in range(groups):
            total += left[r, g]
            for a in range(k):
                total += square(along[g, a, r])
        for a in range(k):
            total -= square(work[a])
        f = np.sqrt(squares[r] / total) if squares[r] > 0.0 else 0.0
        for g in range(groups):
            left[r, g] *= f * f
        # c_g = f w_g + L_g' L'^{-1} (z - f v)
        for a in range(k):
            for i in range(n_units):
                work[a, i] = coordinates[a, r, i] - f * work[a, i]
        for back in range(k):
            a = k - 1 - back
            for b in range(a + 1, k):
                add(root[b * (b + 1) // 2 + a], -1.0, work[b], work[a])
            divide(work[a], root[a * (a + 1) // 2 + a])
        for g in range(groups):
            for b in range(k):
                out = along[g, b, r]
                for i in range(n_units):
                    out[i] *= f
                for a in range(b, k):
                    add(lower[g, own, a * (a + 1) // 2 + b], 1.0, work[a], out)


@kernel
def add(element, sign, numbers, out):
    """Add to `out` the numbers of units times an element of their factors, or of the one factor."""
    if len(element) == 1:
        value = sign * element[0]
        for i in range(len(out)):
            out[i] += value * numbers[i]
    else:
        for i in range(len(out)):
            out[i] += sign * element[i] * numbers[i]


@kernel
def divide(numbers, pivots):
    """Divide by the pivots of units, or by that of the one factor; zero where there is none."""
    for i in range(len(numbers)):
        pivot = pivots[i if len(pivots) > 1 else 0]
        numbers[i] = numbers[i] / pivot if pivot > 0.0 else 0.0


@kernel
def square(numbers):
    """Return the sum of squares."""
    total = 0.0
    for i in range(len(numbers)):
        total += numbers[i] * numbers[i]
    return total
