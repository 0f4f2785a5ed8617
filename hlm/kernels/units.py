r"""A data set as the criterion sees it: q pseudo-rows per unit, and what is left over.

Rotate the rows of unit i by the Q of Z_i = Q_i R_i. The first q rows then hold all that the random
effects touch; the remaining rows know the fixed effects and the residual only:

    Q_i'[Z_i | X_i | y_i] = [R_i | b_i | c_i]   (q rows)
                            [ 0  | the rest  ]   (n_i - q rows)

With A = Z'Z = R'R (Cholesky), b = R'^{-1} Z'X and c = R'^{-1} Z'y come from the cross-products,
and the rest enters only by the sum over units of its own cross-products,
W = sum [X y]'[X y] - [b c]'[b c].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.linalg import cholesky
from hlm.lanes import choose

__all__ = ["BLOCK", "RANK_TOLERANCE", "Units", "allocate_units", "rotate_units"]

RANK_TOLERANCE = 1e-11
"""A pivot of Z'Z or X'V^{-1}X below this share of its diagonal element counts as zero."""


BLOCK = 32
"""Units that are looked at together where all share a design: side by side with those of other data
sets their numbers are in the first cache."""


class Units(NamedTuple):
    """The rotated data set.

    Attributes
    ----------
    Rt : ndarray (m or 1, q, q)
        R_i', the lower Cholesky factor of Z_i'Z_i; a single one when all units share a design.
        Z_i'Z_i until it is factored.
    rows : ndarray (m, q, p + 1)
        [b_i | c_i], the pseudo-rows; Z_i'[X_i y_i] until they are made of it. The last axis is of
        length 0 where nothing needs them: that of a criterion with a shared design are the moments.
    moments : ndarray (q (q + 1) / 2 or 1, p + 1, p + 1)
        Symmetric parts of sum_i rows_i[a]' rows_i[b] for a >= b, when all units share a design;
        then the criterion needs nothing else and costs the same for any number of units. Else a
        single one that is not used.
    within : ndarray (p + 1, p + 1)
        W, what the rotation leaves over; the lower triangle of [X y]'[X y] until it is made of it.
    columns, with_response : ndarray (q, p), (p + BLOCK, q)
        When all units share a design: w_j = R'^{-1} Z'x_j of the row-level part of each column, and
        sum_i u_ij c_i of each of them, below it c_i of a block of units; see `shared`.
    shared : bool
        All units share one design Z.
    """

    Rt: np.ndarray
    rows: np.ndarray
    moments: np.ndarray
    within: np.ndarray
    columns: np.ndarray
    with_response: np.ndarray
    shared: bool


def allocate_units(n_units: int, q: int, p: int, *, shared: bool, has_rows: bool = True) -> Units:
    """Return memory for one data set of `n_units` units, with or without pseudo-rows."""
    return Units(
        Rt=np.zeros((1 if shared else n_units, q, q)),
        rows=np.zeros((n_units, q, p + 1 if has_rows else 0)),
        moments=np.zeros((q * (q + 1) // 2 if shared else 1, p + 1, p + 1)),
        within=np.zeros((p + 1, p + 1)),
        columns=np.zeros((q, p)),
        with_response=np.zeros((p + BLOCK, q)),
        shared=shared,
    )


@kernel
def rotate_units(q, p, units):
    """Turn cross-products into pseudo-rows, in place.

    On entry `Rt` holds Z'Z, `rows` Z'[X y] and `within` [X y]'[X y] summed over units.
    """
    Rt, rows, within = units.Rt, units.rows, units.within
    # Z'Z = R'R
    for i in range(Rt.shape[0]):
        cholesky(Rt[i], q, RANK_TOLERANCE)
    # Unit i: [b_i | c_i], and W without it
    for i in range(rows.shape[0]):
        lower = Rt[i]
        for a in range(q):
            pivot = lower[a, a]
            regular = pivot != 0.0
            inverse = choose(regular, 1.0 / choose(regular, pivot, 1.0), 0.0)
            # R'[b c] = Z'[X y]
            for j in range(p + 1):
                element = rows[i, a, j]
                for k in range(a):
                    element -= lower[a, k] * rows[i, k, j]
                rows[i, a, j] = element * inverse
            # W -= [b c]'[b c]
            for j in range(p + 1):
                for k in range(j + 1):
                    within[j, k] -= rows[i, a, j] * rows[i, a, k]
    # The upper triangle of W, and W_jj >= 0
    for j in range(p + 1):
        for k in range(j):
            within[k, j] = within[j, k]
        within[j, j] = max(within[j, j], 0.0)
