"""The free elements of Psi and Lambda: where they stand, and which of them the data leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["free_elements", "open_elements", "open_theta"]

Floats = NDArray[np.float64]


def free_elements(blocks: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows and columns of the free elements of a block-diagonal Lambda.

    Column by column within each block, as lme4 orders theta.

    Examples
    --------
    >>> row, col = free_elements([2, 1])
    >>> row.tolist(), col.tolist()
    ([0, 1, 1, 2], [0, 0, 1, 2])
    """
    pairs, start = [], 0
    for size in blocks:
        stop = start + size
        pairs += [(a, b) for b in range(start, stop) for a in range(b, stop)]
        start = stop
    row, col = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return np.ascontiguousarray(row), np.ascontiguousarray(col)


def open_elements(estimate: Floats, blocks: Sequence[int]) -> NDArray[np.bool_]:
    """Tell the sds and correlations that the data do not determine.

    Parameters
    ----------
    estimate : ndarray (..., n_theta)
        NaN where nothing is known; a correlation with an sd of zero is NaN too.
    blocks : sequence of int
        Sizes of the blocks of random effects.

    Returns
    -------
    ndarray of bool (..., n_theta)

    Examples
    --------
    >>> open_elements(np.array([[1.2, np.nan, np.nan], [1.2, np.nan, 0.0]]), [2]).tolist()
    [[False, True, True], [False, False, False]]
    """
    row, col = free_elements(blocks)
    sd = estimate[..., row == col]
    beside_zero = (sd[..., row] * sd[..., col] == 0.0) & (row != col)
    return np.asarray(np.isnan(estimate) & ~beside_zero)


def open_theta(is_open: NDArray[np.bool_], blocks: Sequence[int]) -> NDArray[np.bool_]:
    """Tell the elements of theta that the data do not determine, (n_theta,).

    Element (a, b) of the Cholesky factor is made of the elements of Psi among effects up to b and
    of those of a with them.

    Examples
    --------
    >>> open_theta(np.array([False, True, True]), [2]).tolist()
    [False, True, True]
    >>> open_theta(np.array([True, False, False]), [1, 1, 1]).tolist()
    [True, False, False]
    """
    row, col = free_elements(blocks)
    spread = np.zeros(len(row), dtype=bool)
    for v in np.flatnonzero(is_open):
        reached = (col >= col[v]) & ((row == row[v]) | (col >= row[v]))
        start = np.searchsorted(np.cumsum(blocks), col, side="right")
        spread |= reached & (start == start[v])
    return spread
