"""The order of intervals in a zip plot, and some at even places of it.

A zip plot has an interval for each replicate, sorted by how far the true value is from the estimate
in units of the interval's half on that side: those above the nominal level should miss it.

T. P. Morris, I. R. White, M. J. Crowther (2019). Using simulation studies to evaluate statistical
methods. Statistics in Medicine 38, 2074-2102.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.measures.ordering import ascending

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["at_even_places", "zip_order"]


def zip_order(
    estimate: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    true: float,
) -> NDArray[np.int64]:
    """Return the replicates that have limits, by how far the true value is from their estimates.

    The distance is in units of that from the estimate to the limit on the same side, so that
    intervals that cover come first. For symmetric intervals it is |z| over its critical value.

    Examples
    --------
    >>> b, half = np.array([0.0, 2.0, 0.5, 1.0]), np.array([1.0, 1.0, 1.0, np.nan])
    >>> zip_order(b, b - half, b + half, 0.4).tolist()
    [2, 0, 1]
    """
    known = np.flatnonzero(~(np.isnan(lower) | np.isnan(upper)))
    b, low, high = estimate[known], lower[known], upper[known]
    covers = (low <= true) & (true <= high)
    half = np.where(true >= b, high - b, b - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(half > 0, np.abs(true - b) / half, np.inf)
    hits, misses = np.flatnonzero(covers), np.flatnonzero(~covers)
    return known[np.concatenate([rows[ascending(far[rows])] for rows in (hits, misses)])]


def at_even_places(order: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of some replicates, at even places of their order.

    Examples
    --------
    >>> at_even_places(np.arange(10), 5).tolist(), at_even_places(np.arange(3), 5).tolist()
    ([1, 3, 5, 7, 9], [0, 1, 2])
    """
    if len(order) <= most:
        return order
    return order[((np.arange(most) + 0.5) * len(order) / most).astype(int)]
