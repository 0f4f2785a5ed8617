r"""Normal rows as coordinates: sums over rows from coordinates, and rows from them.

Column a of a unit is x_a = sum_{b<=a} L_ab q_b, with q_b orthonormal and L the Cholesky factor of
the columns' cross-products. Of a normal e the coordinates q_b'e are independent normals z_b, and
e'e - sum z_b^2 is a chi-square number. Where x_a depends on the columns before it, L_aa is zero and
q_a absent; its z_a^2 then is part of that number, as long as the unit has rows for it: so how many
numbers are drawn depends on no rank. Factors are packed, pairs (0, 0), (1, 0), (1, 1), ...
"""

from __future__ import annotations

import numpy as np

from hlm.jit import entry, kernel, vectorized

__all__ = [
    "add_multiples",
    "dot",
    "factor_columns",
    "factor_of_normal",
    "make_rows",
    "place_coordinates",
    "products_of_factors",
    "scale",
    "spare_squares",
]

DEPENDENT = 1e-11
"""What a column has apart from those before it counts as nothing below this share of its square."""


@entry
def factor_columns(gram, sizes, lower):
    """Write the Cholesky factor of each unit's cross-products, both (n, pairs, units or 1).

    A unit of `sizes[i]` rows has no more than so many pivots.
    """
    n, pairs, n_units = gram.shape
    k = 0
    while k * (k + 1) // 2 < pairs:
        k += 1
    for r in range(n):
        products, root = gram[r], lower[r]
        for i in range(n_units):
            left = sizes[i]
            for b in range(k):
                own = b * (b + 1) // 2
                # L_bb = (x_b'x_b - sum_{c<b} L_bc^2)^{1/2}
                pivot = products[own + b, i]
                for c in range(b):
                    pivot -= root[own + c, i] * root[own + c, i]
                there = left > 0 and pivot > DEPENDENT * products[own + b, i]
                left -= there
                inverse = 0.0
                root[own + b, i] = 0.0
                if there:
                    root[own + b, i] = np.sqrt(pivot)
                    inverse = 1.0 / root[own + b, i]
                # L_ab = (x_a'x_b - sum_{c<b} L_ac L_bc) / L_bb
                for a in range(b + 1, k):
                    row = a * (a + 1) // 2
                    element = products[row + b, i]
                    for c in range(b):
                        element -= root[row + c, i] * root[own + c, i]
                    root[row + b, i] = element * inverse


@vectorized
def factor_of_normal(a, coordinates, left, lower):
    """Write row `a` of factors: a normal column with these coordinates along those before it.

    `coordinates` is (a, n, units); `left` (n, units) the square of what it has apart from them;
    `lower` (n, pairs, units).
    """
    n, n_units = left.shape
    row = a * (a + 1) // 2
    for r in range(n):
        root = lower[r]
        for b in range(a):
            pivots, numbers, out = root[b * (b + 1) // 2 + b], coordinates[b, r], root[row + b]
            for i in range(n_units):
                out[i] = numbers[i] if pivots[i] > 0.0 else 0.0
        for i in range(n_units):
            root[row + a, i] = np.sqrt(left[r, i])


@vectorized
def products_of_factors(lower, places, slopes, shifts, gram):
    """Write cross-products of columns shift + slope x_a, a the place of each in the factors.

    `gram` is (n, pairs, units), and so is `lower`, of other pairs. Columns whose place is negative
    are left out.
    """
    n, _, n_units = gram.shape
    # x_a'x_b = sum_{c<=b} L_ac L_bc, and n x_0 = 1: x_a'1 = L_a0 L_00
    for r in range(n):
        root, pair = lower[r], 0
        ones = root[0]
        for j in range(len(places)):
            for k in range(j + 1):
                a, b = max(places[j], places[k]), min(places[j], places[k])
                out = gram[r, pair]
                pair += 1
                if b < 0:
                    continue
                left, right = a * (a + 1) // 2, b * (b + 1) // 2
                both = slopes[j] * slopes[k]
                for i in range(n_units):
                    out[i] = 0.0
                for c in range(b + 1):
                    one, other = root[left + c], root[right + c]
                    for i in range(n_units):
                        out[i] += one[i] * other[i]
                if both != 1.0:
                    for i in range(n_units):
                        out[i] *= both
                if shifts[j] != 0.0 or shifts[k] != 0.0:
                    of_j = root[places[j] * (places[j] + 1) // 2]
                    of_k = root[places[k] * (places[k] + 1) // 2]
                    for i in range(n_units):
                        means = slopes[j] * shifts[k] * of_j[i] + slopes[k] * shifts[j] * of_k[i]
                        out[i] += ones[i] * (means + shifts[j] * shifts[k] * ones[i])


@vectorized
def place_coordinates(lower, sizes, places, coordinates, response, squares):
    """Write x_a'e of each column into response[:, places[a]], and sum z_a^2 into `squares`.

    `coordinates` is (k, n, units), `lower` (n or 1, pairs, units or 1). Of a unit with fewer rows
    than columns only as many z_a count, those of pivots first.
    """
    k, n, n_units = coordinates.shape
    same = lower.shape[2] == 1
    for r in range(n):
        root, total = lower[r if lower.shape[0] > 1 else 0], squares[r]
        # x_a'e = sum_{b<=a} L_ab z_b
        for a in range(k):
            out = response[r, places[a]]
            for i in range(n_units):
                out[i] = 0.0
            for b in range(a + 1):
                row, numbers = root[a * (a + 1) // 2 + b], coordinates[b, r]
                if same:
                    value = row[0]
                    for i in range(n_units):
                        out[i] += value * numbers[i]
                else:
                    for i in range(n_units):
                        out[i] += row[i] * numbers[i]
        for i in range(n_units):
            total[i] = 0.0
        for a in range(k):
            numbers = coordinates[a, r]
            for i in range(n_units):
                total[i] += numbers[i] * numbers[i]
        for i in range(n_units):
            if sizes[i] < k:
                total[i] = few_squares(root, 0 if same else i, sizes[i], coordinates[:, r, i])


@kernel
def few_squares(root, i, size, numbers):
    """Return the sum of as many z^2 of a unit as it has rows, those of pivots first."""
    total, left = 0.0, size
    for a in range(len(numbers)):
        if root[a * (a + 1) // 2 + a, i] > 0.0:
            total += numbers[a] * numbers[a]
            left -= 1
    for a in range(len(numbers)):
        if root[a * (a + 1) // 2 + a, i] == 0.0 and left > 0:
            total += numbers[a] * numbers[a]
            left -= 1
    return total


@entry
def spare_squares(lower, sizes, coordinates, spare):
    """Write into `spare` (n, units) the z_a^2 of absent q_a that count as left over."""
    k, n, n_units = coordinates.shape
    same = lower.shape[2] == 1
    for r in range(n):
        root = lower[r if lower.shape[0] > 1 else 0]
        for i in range(n_units):
            g, total, left = 0 if same else i, 0.0, sizes[i]
            for a in range(k):
                left -= root[a * (a + 1) // 2 + a, g] > 0.0
            for a in range(k):
                if root[a * (a + 1) // 2 + a, g] == 0.0 and left > 0:
                    total += coordinates[a, r, i] * coordinates[a, r, i]
                    left -= 1
            spare[r, i] = total


@entry
def make_rows(q, starts, lower, root, coordinates, left, noise, work):
    """Turn normals in `noise` (n, rows) into rows e with given coordinates and squares.

    The rows are those that begin at `starts`; `q` (n or 1, k, rows, or one for all of each) those
    of the orthonormal columns, and `root` their factors R, which are L to rounding. What e has
    apart from them has the direction of the normals' own, and the square `left` of each unit
    (n, units), or of all together (n, 1). `work` is (2, k + 1, units).
    """
    k, n, n_units = coordinates.shape
    sums, steps, size = work[0], work[1], work[1, k]
    for r in range(n):
        design, e = q[r if q.shape[0] > 1 else 0], noise[r]
        own = lower[r if lower.shape[0] > 1 else 0]
        factors = root[r if root.shape[0] > 1 else 0]
        # e -= Q Q'e
        sum_rows(design, starts, k, e, sums)
        for i in range(n_units):
            size[i] = 1.0
            for a in range(k):
                steps[a, i] = -sums[a, i]
        add_rows(design, starts, k, steps, e)
        # e = f e + Q (c - f Q'e), with what rounding has left of Q'e, by R c = L z = B'e
        sum_rows(design, starts, k, e, sums)
        change = 0.0
        for i in range(n_units):
            c = steps[:, i]
            change += coordinates_of_rows(own, factors, i, k, coordinates[:, r, i], c)
        lengths(left[r], change, sums[k], size)
        for i in range(n_units):
            for a in range(k):
                steps[a, i] -= size[i] * sums[a, i]
        add_rows(design, starts, k, steps, e)


@kernel
def coordinates_of_rows(lower, root, i, k, z, c):
    """Write c = R^{-1} L z of a unit, and return z'z - c'c, z without those of absent columns."""
    g, h, change = i if lower.shape[1] > 1 else 0, i if root.shape[1] > 1 else 0, 0.0
    # c = z + R^{-1} (L - R) z, which is z where L and R are the same
    for a in range(k):
        row, total = a * (a + 1) // 2, 0.0
        for b in range(a + 1):
            total += (lower[row + b, g] - root[row + b, h]) * z[b]
        c[a] = total
    solve_unit(root, h, k, c)
    for a in range(k):
        pivot = a * (a + 1) // 2 + a
        if root[pivot, h] > 0.0:
            c[a] += z[a]
        if lower[pivot, g] > 0.0:
            change += z[a] * z[a]
        change -= c[a] * c[a]
    return change


@kernel
def lengths(left, change, squares, size):
    """Write f, by which rows with these squares have those that are left, in units or together.

    Together they make up for the `change` that rounding in L has made elsewhere.
    """
    together, total = len(left) == 1, 0.0
    for i in range(len(size)):
        total += squares[i]
    for i in range(len(size)):
        own = total if together else squares[i]
        wanted = left[0] + change if together else left[i]
        there = wanted > 0.0 and left[0 if together else i] > 0.0
        size[i] = np.sqrt(wanted / own) if there else 0.0


@kernel
def sum_rows(design, starts, k, e, sums):
    """Write x_a'e of each unit, k of them, and e'e below."""
    for a in range(k):
        dot(design[a], e, starts, sums[a])
    dot(e, e, starts, sums[k])


@kernel
def add_rows(design, starts, k, steps, e):
    """Multiply the rows of each unit by steps[k], and add sum_a x_a steps[a] of the unit."""
    scale(e, steps[k], starts)
    for a in range(k):
        add_multiples(design[a], steps[a], starts, e)


@kernel
def dot(column, rows, starts, sums):
    """Write the products x'e of each unit, x a column of rows or one with a value for all units."""
    wide = len(column) >= starts[-1]
    for i in range(len(sums)):
        sums[i] = 0.0
    for j in range(len(starts) - 1):
        first, last = starts[j], starts[j + 1]
        e = rows[first:last]
        if wide:
            x = column[first:last]
            for i in range(last - first):
                sums[i] += x[i] * e[i]
        else:
            value = column[j]
            for i in range(last - first):
                sums[i] += value * e[i]


@kernel
def add_multiples(column, factors, starts, rows):
    """Add to rows a column, as `dot` takes it, times a factor of each unit."""
    wide = len(column) >= starts[-1]
    for j in range(len(starts) - 1):
        first, last = starts[j], starts[j + 1]
        e = rows[first:last]
        if wide:
            x = column[first:last]
            for i in range(last - first):
                e[i] += x[i] * factors[i]
        else:
            value = column[j]
            for i in range(last - first):
                e[i] += value * factors[i]


@kernel
def scale(rows, factors, starts):
    """Multiply the rows of each unit by its factor."""
    for j in range(len(starts) - 1):
        first, last = starts[j], starts[j + 1]
        e = rows[first:last]
        for i in range(last - first):
            e[i] *= factors[i]


@kernel
def solve_unit(root, i, k, numbers):
    """Overwrite b by L^{-1} b, zero where L has no pivot."""
    for a in range(k):
        row = a * (a + 1) // 2
        pivot, element = root[row + a, i], numbers[a]
        for b in range(a):
            element -= root[row + b, i] * numbers[b]
        numbers[a] = element / pivot if pivot > 0.0 else 0.0


@kernel
def solve_unit_back(root, i, k, numbers):
    """Overwrite b by L'^{-1} b, zero where L has no pivot."""
    for back in range(k):
        a = k - 1 - back
        pivot, element = root[a * (a + 1) // 2 + a, i], numbers[a]
        for b in range(a + 1, k):
            element -= root[b * (b + 1) // 2 + a, i] * numbers[b]
        numbers[a] = element / pivot if pivot > 0.0 else 0.0
