"""Piecewise polynomials, compiled: apart, so that numba is loaded where they are used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hlm.jit import entry

__all__ = ["evaluate_pieces"]

Floats = NDArray[np.float64]


@entry
def evaluate_pieces(z: Floats, pieces: Floats, reach: float, found: Floats) -> None:
    """Write the polynomial of each number's piece to found (n,), or 0 beyond all pieces.

    The pieces (count, terms) are of one width, from -reach to reach.
    """
    count, terms = pieces.shape
    per_unit = count / (2.0 * reach)
    for i in range(len(z)):
        at = (z[i] + reach) * per_unit
        found[i] = 0.0
        if 0.0 <= at < count:
            piece = int(at)
            u = 2.0 * (at - piece) - 1.0
            # sum_k c_k u^k by Horner's rule
            total = pieces[piece, terms - 1]
            for k in range(terms - 2, -1, -1):
                total = total * u + pieces[piece, k]
            found[i] = total
