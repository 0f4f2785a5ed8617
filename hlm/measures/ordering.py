"""The order of numbers, where those that are equal stay in theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ascending"]


def ascending(
    x: NDArray[np.float64], beside: Sequence[NDArray[np.float64]] = ()
) -> NDArray[np.intp]:
    """Return the order of numbers, equal ones by what is beside them, and then as they come.

    NaN is last, and all of them are equal. The order is that of `numpy.lexsort([*beside[::-1], x])`
    in a fifth of its time: numbers are sorted by an algorithm that mixes equal ones up, for which
    processors have instructions, and then the few that are equal by another.

    Parameters
    ----------
    x : ndarray, (n,)
    beside : sequence of ndarray, (n,)

    Examples
    --------
    >>> ascending(np.array([2.0, np.nan, 1.0, 2.0])).tolist()
    [2, 0, 3, 1]
    >>> ascending(np.array([2.0, 1.0, 2.0]), [np.array([5.0, 3.0, 4.0])]).tolist()
    [1, 2, 0]
    """
    order = np.argsort(x)
    ordered = x[order]
    rises = ordered[1:] > ordered[:-1]
    if not rises.all():
        ends = np.concatenate([[False], ~rises, [False]])
        tied = ends[1:] | ends[:-1]
        rows = np.sort(order[tied])
        keys = [column[rows] for column in beside]
        order[tied] = rows[np.lexsort([*reversed(keys), x[rows]])]
    return order
