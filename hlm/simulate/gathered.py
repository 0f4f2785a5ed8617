"""Data sets that are made some at a time, put where all of them are to be.

Each piece is copied while it is in the processor's cache: joined at the end, all would be read from
memory again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.kernels.data import CrossProducts
from hlm.simulate.part_values import Room

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Memory", "gather"]

SHARED = ("gram", "multipliers")
"""What data sets may have in common."""

Array = NDArray[Any]


class Memory:
    """Memory for the cross-products of one range of replicates after another."""

    def __init__(self) -> None:
        self._rooms = {name: Room() for name in CrossProducts._fields}

    def empty(self, name: str, like: Array, n: int) -> Array:
        """Return an array of this name for n data sets, instead of the last of this name."""
        shape = (n, *like.shape[1:])
        if like.dtype == np.float64:
            return self._rooms[name].array(shape)
        return np.empty(shape, like.dtype)


def gather(pieces: Iterable[CrossProducts], n: int, memory: Memory | None = None) -> CrossProducts:
    """Return the cross-products of n data sets, from those of some at a time.

    Of what is the same in all, one copy is kept.

    Parameters
    ----------
    pieces : iterable of CrossProducts
        In the order of the data sets.
    n : int
        Of all pieces together.
    memory : Memory, optional
        For the result, which then is valid until this is used again.

    Examples
    --------
    >>> one = np.ones((1, 1, 1))
    >>> piece = CrossProducts(one, np.ones((2, 1, 5)), np.ones(2), one, np.full(2, 9))
    >>> whole = gather([piece, piece], 4)
    >>> whole.response.shape, whole.gram.shape
    ((4, 1, 5), (1, 1, 1))
    """
    memory = Memory() if memory is None else memory
    whole: dict[str, Array] = {}
    at = 0
    for piece in pieces:
        stop = at + len(piece.n_obs)
        for name, part in piece._asdict().items():
            known = whole.get(name)
            if name in SHARED and _is_same(known, part):
                whole[name] = part if known is None else known
                continue
            if known is None or len(known) < n:
                whole[name] = memory.empty(name, part, n)
                whole[name][:at] = 0.0 if known is None else known
            whole[name][at:stop] = part
        at = stop
    return CrossProducts(**whole)


def _is_same(known: Array | None, part: Array) -> bool:
    """Tell whether a part is that of all data sets up to now, or may be as the first."""
    if len(part) > 1 or (known is not None and len(known) > 1):
        return False
    return known is None or known is part or np.array_equal(known, part)
