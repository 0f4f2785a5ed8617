"""Data sets that are made some at a time, put where all of them are to be.

Each piece is copied while it is in the processor's cache: joined at the end, all would be read from
memory again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.kernels.data import CrossProducts

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["gather"]

SHARED = ("gram", "multipliers")
"""What data sets may have in common."""

Array = NDArray[Any]


def gather(pieces: Iterable[CrossProducts], n: int) -> CrossProducts:
    """Return the cross-products of n data sets, from those of some at a time.

    Of what is the same in all, one copy is kept.

    Parameters
    ----------
    pieces : iterable of CrossProducts
        In the order of the data sets.
    n : int
        Of all pieces together.

    Examples
    --------
    >>> one = np.ones((1, 1, 1))
    >>> piece = CrossProducts(one, np.ones((2, 1, 5)), np.ones(2), one, np.full(2, 9))
    >>> whole = gather([piece, piece], 4)
    >>> whole.response.shape, whole.gram.shape
    ((4, 1, 5), (1, 1, 1))
    """
    whole: dict[str, Array] = {}
    at = 0
    for piece in pieces:
        stop = at + len(piece.n_obs)
        for name, part in piece._asdict().items():
            known = whole.get(name)
            if name not in SHARED or not _is_same(known, part):
                whole[name] = _put(known, part, at, stop, n)
            elif known is None:
                whole[name] = part
        at = stop
    return CrossProducts(**whole)


def _is_same(known: Array | None, part: Array) -> bool:
    """Tell whether a part is that of all data sets up to now, or may be as the first."""
    if len(part) > 1 or (known is not None and len(known) > 1):
        return False
    return known is None or known is part or np.array_equal(known, part)


def _put(whole: Array | None, part: Array, at: int, stop: int, n: int) -> Array:
    """Return the whole with a part at `at` to `stop - 1`."""
    if whole is None or len(whole) < n:
        before, whole = whole, np.empty((n, *part.shape[1:]), part.dtype)
        if before is not None:
            whole[:at] = before
    whole[at:stop] = part
    return whole
