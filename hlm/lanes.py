"""Several data sets side by side: a number that stands for one of each of `WIDTH` data sets.

Kernels are written for numbers. Where arrays have one more axis, for the data sets, `in_lanes`
has Numba see them as arrays of such numbers, and the same kernels do for all of these data sets
what they do for one (`hlm.lanes_in_numba`). Each operation is that of IEEE arithmetic on each, in
the order in which it is written: no bit depends on what else is in the lanes, on their number, or
on the processor, which has them in vectors as long as its own.

What differs between data sets cannot be branched on: it is chosen by `choose`, from values that are
all computed.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from hlm.kernel_cache import LANES, WIDTH

__all__ = ["LANES", "WIDTH", "allocate_lanes", "choose", "everywhere", "in_lanes", "negation"]

Allocated = TypeVar("Allocated")


def choose(condition: Any, a: Any, b: Any) -> Any:
    """Return `a` where the condition holds and `b` elsewhere; both are numbers, or lanes of them.

    Examples
    --------
    >>> choose(2.0 > 1.0, 3.0, 4.0)
    3.0
    """
    return a if condition else b


def everywhere(condition: Any) -> bool:
    """Tell whether a condition holds, or in each lane.

    By this it may be told only whether to leave out what would change nothing.

    Examples
    --------
    >>> everywhere(2.0 > 1.0)
    True
    """
    return bool(condition)


def negation(condition: Any) -> Any:
    """Return whether the condition does not hold; of lanes, in each.

    Examples
    --------
    >>> negation(2.0 > 1.0)
    False
    """
    return not condition


def in_lanes(memory: Any) -> Any:
    """Show a kernel arrays of floats, and those in named tuples, as arrays of lanes.

    Their last axis is that of the data sets. Compiled kernels only.
    """
    raise NotImplementedError


def allocate_lanes(one: Allocated) -> Allocated:
    """Return memory like that for one data set, with one more axis for `WIDTH` of them.

    Parameters
    ----------
    one : array or named tuple of such
        Arrays of other types than double, and all else, are as they are.

    Examples
    --------
    >>> allocate_lanes(np.zeros((2, 3))).shape == (2, 3, WIDTH)
    True
    """
    if isinstance(one, np.ndarray) and one.dtype == np.float64:
        # From a multiple of 64 bytes on, or each vector would lie in two lines of the cache
        room = np.zeros(one.size * WIDTH + 8)
        start = -room.ctypes.data // 8 % 8
        return room[start : start + one.size * WIDTH].reshape(*one.shape, WIDTH)  # type: ignore[return-value]
    if isinstance(one, tuple) and hasattr(one, "_fields"):
        return type(one)(*map(allocate_lanes, one))
    return one
