"""Cross-products of a stack -> one data set as the criterion sees it."""

from __future__ import annotations

from hlm.jit import kernel

__all__ = ["gather", "product"]


@kernel
def product(gram, a, b, i):
    """Sum over unit i's rows of column a times column b."""
    pair = a * (a + 1) // 2 + b if a >= b else b * (b + 1) // 2 + a
    return gram[pair, i if gram.shape[1] > 1 else 0]


@kernel
def gather(q, p, gram, response, sum_squares, levels, design, units):
    """Write one data set's Z'Z, Z'[X y] and [X y]'[X y] into `units`; return y'y."""
    fixed, random, rest, coef = design.fixed, design.random, design.rest, design.rest_coef
    root, rows, within = units.root, units.rows, units.within
    n_rest = len(rest)
    within[:] = 0.0
    total = sum_squares
    for i in range(rows.shape[0]):
        for a in range(q):
            za, ua = random[a, 0], levels[random[a, 1], i]
            for b in range(a + 1):
                root[i, a, b] = product(gram, za, random[b, 0], i) * ua * levels[random[b, 1], i]
            for j in range(p):
                rows[i, a, j] = product(gram, za, fixed[j, 0], i) * ua * levels[fixed[j, 1], i]
            element = response[za, i]
            for k in range(n_rest):
                element += coef[k] * product(gram, za, rest[k, 0], i) * levels[rest[k, 1], i]
            rows[i, a, p] = element * ua
        for j in range(p):
            xj, uj = fixed[j, 0], levels[fixed[j, 1], i]
            for k in range(j + 1):
                within[j, k] += product(gram, xj, fixed[k, 0], i) * uj * levels[fixed[k, 1], i]
            element = response[xj, i]
            for k in range(n_rest):
                element += coef[k] * product(gram, xj, rest[k, 0], i) * levels[rest[k, 1], i]
            within[p, j] += element * uj
        for k in range(n_rest):
            weight = coef[k] * levels[rest[k, 1], i]
            element = 2.0 * response[rest[k, 0], i]
            for m in range(n_rest):
                element += (
                    coef[m] * levels[rest[m, 1], i] * product(gram, rest[k, 0], rest[m, 0], i)
                )
            total += weight * element
    within[p, p] = total
    return total
