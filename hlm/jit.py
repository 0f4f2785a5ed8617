"""How every kernel is compiled: once, cached on disk, strict IEEE arithmetic, no threads.

Strict arithmetic (no `fastmath`) keeps each sum in the order in which it is written, so an estimate
is the same bit for bit whatever else is in the batch.
"""

from __future__ import annotations

from numba import njit

__all__ = ["kernel"]

kernel = njit(cache=True, error_model="numpy", nogil=True)
