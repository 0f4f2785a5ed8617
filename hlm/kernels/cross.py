"""Cross-products of a stack -> one data set as the criterion sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hlm.jit import kernel

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DataSet", "cross_unit", "gather", "product"]


class DataSet(NamedTuple):
    """The cross-products of one data set, cut from `data.CrossProducts` of a stack.

    Attributes
    ----------
    gram : ndarray (k (k + 1) / 2, n_units or 1)
        Of the k columns with each other, pairs (0, 0), (1, 0), (1, 1), ...
    response : ndarray (k, n_units)
        Of the columns with y.
    sum_squares : float
        y'y.
    multipliers : ndarray (n_multipliers, n_units)
        The numbers u of the units that columns are multiplied by.
    """

    gram: np.ndarray
    response: np.ndarray
    sum_squares: float
    multipliers: np.ndarray


@kernel
def product(gram, a, b, i):
    """Return the sum over unit i's rows of column a times column b."""
    pair = a * (a + 1) // 2 + b if a >= b else b * (b + 1) // 2 + a
    return gram[pair, i if gram.shape[1] > 1 else 0]


@kernel
def gather(q, p, data, design, units):
    """Write one data set's Z'Z, Z'[X y] and [X y]'[X y] into `units`; return y'y.

    The response is that of the data plus R coef, the part of the truth that the model lacks.
    """
    fixed, random, rest, coef = design.fixed, design.random, design.rest, design.rest_coef
    gram, response, u = data.gram, data.response, data.multipliers
    Rt, rows, within = units.Rt, units.rows, units.within
    n_rest = len(rest)
    within[:] = 0.0
    total = data.sum_squares
    # Unit i: Z'Z and Z'[X, y + R coef]; over units the sum of [X, y + R coef]'[X, y + R coef]
    for i in range(rows.shape[0]):
        for a in range(q):
            za, ua = random[a, 0], u[random[a, 1], i]
            # Z'Z
            for b in range(a + 1):
                Rt[i, a, b] = product(gram, za, random[b, 0], i) * ua * u[random[b, 1], i]
            # Z'X
            for j in range(p):
                rows[i, a, j] = product(gram, za, fixed[j, 0], i) * ua * u[fixed[j, 1], i]
            # Z'y + Z'R coef
            element = response[za, i]
            for k in range(n_rest):
                element += coef[k] * product(gram, za, rest[k, 0], i) * u[rest[k, 1], i]
            rows[i, a, p] = element * ua
        for j in range(p):
            xj, uj = fixed[j, 0], u[fixed[j, 1], i]
            # X'X
            for k in range(j + 1):
                within[j, k] += product(gram, xj, fixed[k, 0], i) * uj * u[fixed[k, 1], i]
            # X'y + X'R coef
            element = response[xj, i]
            for k in range(n_rest):
                element += coef[k] * product(gram, xj, rest[k, 0], i) * u[rest[k, 1], i]
            within[p, j] += element * uj
        # y'y + coef'R'(2 y + R coef)
        for k in range(n_rest):
            weight = coef[k] * u[rest[k, 1], i]
            element = 2.0 * response[rest[k, 0], i]
            for m in range(n_rest):
                element += coef[m] * u[rest[m, 1], i] * product(gram, rest[k, 0], rest[m, 0], i)
            total += weight * element
    within[p, p] = total
    return total


@kernel
def cross_unit(i, data, design, out):
    """Write unit i's [Z X]'[Z X], its lower triangle, and below it y'[Z X].

    `out` is (q + p + 1, q + p); the response is that of `gather`.
    """
    q, p, rest, coef = len(design.random), len(design.fixed), design.rest, design.rest_coef
    gram, response, u = data.gram, data.response, data.multipliers
    # Column a of [Z X] with those up to it
    for a in range(q + p):
        left = design.random[a] if a < q else design.fixed[a - q]
        for b in range(a + 1):
            right = design.random[b] if b < q else design.fixed[b - q]
            level = u[left[1], i] * u[right[1], i]
            out[a, b] = product(gram, left[0], right[0], i) * level
        # y'[Z X] + coef'R'[Z X]
        element = response[left[0], i]
        for k in range(len(rest)):
            element += coef[k] * product(gram, left[0], rest[k, 0], i) * u[rest[k, 1], i]
        out[q + p, a] = element * u[left[1], i]
