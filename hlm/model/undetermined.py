"""Which parameters of the random part a fit of status 'partly_identified' leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.engine import batch
from hlm.engine.batch import free_elements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["open_elements", "open_theta"]


def open_elements(estimate: NDArray[np.float64], blocks: Sequence[int]) -> NDArray[np.bool_]:
    """Tell the sds and correlations that the data do not determine.

    Parameters
    ----------
    estimate : ndarray (n_theta,)
        NaN where nothing is known; a correlation with an sd of zero is NaN too.
    blocks : sequence of int
        Sizes of the blocks of random effects.

    Returns
    -------
    ndarray of bool (n_theta,)

    Examples
    --------
    >>> open_elements(np.array([1.2, np.nan, np.nan]), [2]).tolist()
    [False, True, True]
    >>> open_elements(np.array([1.2, np.nan, 0.0]), [2]).tolist()
    [False, False, False]
    """
    return batch.open_elements(estimate, *free_elements(blocks))


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
