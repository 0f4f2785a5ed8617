r"""Columns of rows made orthonormal within units, B = Q L', by Gram-Schmidt steps taken twice.

Cholesky factors of the cross-products B'B lose what a column has apart from those before it, where
that is a small share of its square: an error of 1e-16 in the square is one of 1e-16 / share in
L_aa. Made from rows L is right to rounding, and so is Q, whatever the columns. It takes some six
times as long; so sums take Cholesky factors but for data sets in which such a share is small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.jit import entry
from hlm.simulate.coordinates import add_multiples, dot, factor_columns, scale

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["factors_of", "from_rows_where_close", "orthonormal", "orthonormalize"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CLOSE = 1e-5
"""Factors are computed from rows where the shares of what columns have apart multiply to less."""

ROUNDING = 1e-26
"""Below this share of its square what a column has apart from those before it is nothing."""


def factors_of(columns: Floats, starts: Integers, gram: Floats, sizes: Integers) -> Floats:
    """Return the Cholesky factors of cross-products, (n, pairs, units), right to rounding.

    Parameters
    ----------
    columns : ndarray (n, k, rows)
        The rows of which `gram` are the sums, those that begin at `starts`.
    starts : ndarray of int
    gram : ndarray (n, pairs, units)
    sizes : ndarray of int (units,)
        A unit has no more pivots than rows.

    Examples
    --------
    >>> columns = np.array([[[1.0, 1.0, 1.0], [2.0, 2.0 + 1e-7, 2.0]]])
    >>> gram = np.array([[[3.0], [columns[0, 1].sum()], [(columns[0, 1] ** 2).sum()]]])
    >>> lower = factors_of(columns, np.arange(4), gram, np.array([3]))
    >>> bool(abs(lower[0, 2, 0] / np.sqrt(2e-14 / 3) - 1) < 1e-8)
    True
    """
    lower = np.empty_like(gram)
    factor_columns(gram, sizes, lower)
    everywhere, all_of_them = np.ones((1, 1), dtype=np.bool_), list(range(columns.shape[1]))
    from_rows_where_close(columns, all_of_them, everywhere, starts, gram, sizes, lower)
    return lower


def from_rows_where_close(
    columns: Floats,
    kept: Sequence[int],
    inside: NDArray[np.bool_],
    starts: Integers,
    gram: Floats,
    sizes: Integers,
    lower: Floats,
) -> None:
    """Overwrite factors of the columns `kept`, rows `inside`, where these are close to dependent.

    Parameters
    ----------
    columns : ndarray (n or 1, k, rows)
    kept : sequence of int
    inside : ndarray of bool (n or 1, rows or 1)
    starts : ndarray of int
    gram, lower : ndarray (n, pairs, units)
    sizes : ndarray of int (units,)
    """
    close = np.empty(len(gram), dtype=np.bool_)
    find_close(gram, sizes, lower, CLOSE, close)
    if close.any():
        own = (columns[close] if len(columns) == len(gram) else columns)[:, kept]
        rows = inside[close] if len(inside) == len(gram) else inside
        lower[close] = orthonormal(own * rows[:, None], starts, sizes)[1]


def orthonormal(columns: Floats, starts: Integers, sizes: Integers) -> tuple[Floats, Floats]:
    """Return Q, as columns are given, and L, (n, pairs, units)."""
    n, k, _ = columns.shape
    q, m = columns.copy(), int(starts[1])
    lower = np.empty((n, k * (k + 1) // 2, m))
    orthonormalize(q, starts, sizes, lower, np.empty((2, m)))
    return q, lower


@entry
def find_close(gram, sizes, lower, least, close):
    """Tell of which data sets a unit has columns whose shares multiply to less than `least`.

    A column's share is that of its square which it has apart from those before it. Columns for
    which a unit has no rows do not count, nor do those that are 0.
    """
    n, pairs, n_units = gram.shape
    for r in range(n):
        close[r] = False
        for i in range(n_units):
            left, product, a, pair = sizes[i], 1.0, 0, 0
            while pair < pairs and left > 0:
                if gram[r, pair, i] > 0.0:
                    product *= lower[r, pair, i] * lower[r, pair, i] / gram[r, pair, i]
                left -= lower[r, pair, i] > 0.0
                a += 1
                pair += a + 1
            close[r] |= product < least


@entry
def orthonormalize(q, starts, sizes, lower, sums):
    """Overwrite columns (n, k, rows) by Q, absent ones by 0; `sums` is memory, (2, units)."""
    n, k, _ = q.shape
    size, left = sums
    m = len(size)
    for r in range(n):
        design, root = q[r], lower[r]
        for i in range(m):
            left[i] = sizes[i]
        for a in range(k):
            row, column = a * (a + 1) // 2, design[a]
            for b in range(a + 1):
                root[row + b, :] = 0.0
            dot(column, column, starts, root[row + a])
            # x -= q_b q_b'x for each b < a, twice: L_ab is the sum of both
            for _ in range(2):
                for b in range(a):
                    dot(design[b], column, starts, size)
                    for i in range(m):
                        root[row + b, i] += size[i]
                        size[i] = -size[i]
                    add_multiples(design[b], size, starts, column)
            # L_aa = |x|, q_a = x / |x|
            dot(column, column, starts, size)
            for i in range(m):
                there = left[i] > 0.0 and size[i] > ROUNDING * root[row + a, i]
                left[i] -= there
                root[row + a, i] = np.sqrt(size[i]) if there else 0.0
                size[i] = 1.0 / root[row + a, i] if there else 0.0
            scale(column, size, starts)
