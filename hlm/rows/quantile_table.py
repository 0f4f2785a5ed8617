r"""Numbers of a shape from standard normals, h(z), by polynomials where h itself takes long.

Between knots h is a polynomial through its values at Chebyshev's nodes. It is taken only where it
agrees with h to 11 digits at other points: h itself has some units in the 13th digit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hlm.distributions import Distribution

__all__ = ["from_normal"]

Floats = NDArray[np.float64]

REACH = 8.0
"""Normals beyond are one in 10^15; they are taken to h itself."""

PIECES = 16
"""Polynomials for each unit of z."""

DEGREE = 10

SLOW = 40.0
"""Nanoseconds above which a polynomial is faster than h."""

AGREES = 1e-11


def from_normal(shape: Distribution, z: Floats) -> Floats:
    """Turn standard normals into numbers of a shape, with mean 0 and sd 1.

    Parameters
    ----------
    shape : Distribution
    z : ndarray

    Examples
    --------
    >>> from hlm.distributions import ChiSquare
    >>> z = np.linspace(-3.0, 3.0, 7)
    >>> bool(np.allclose(from_normal(ChiSquare(1.0), z), ChiSquare(1.0).from_normal(z), rtol=1e-12))
    True
    """
    pieces = None if shape.nanoseconds_from_normal < SLOW else _pieces(shape)
    if pieces is None:
        return shape.from_normal(z)
    from hlm.rows.piecewise import evaluate_pieces  # with numba

    z = np.ascontiguousarray(z)
    found = np.empty_like(z)
    evaluate_pieces(z.ravel(), pieces, REACH, found.ravel())
    far = np.abs(z) >= REACH
    if far.any():
        found[far] = shape.from_normal(z[far])
    return found


@lru_cache(maxsize=256)
def _pieces(shape: Distribution) -> Floats | None:
    """Return the coefficients of each piece in its own variable from -1 to 1, lowest first.

    (2 REACH PIECES, DEGREE + 1); None if these do not agree with h.
    """
    from hlm.rows.piecewise import evaluate_pieces  # with numba

    nodes = chebyshev.chebpts1(DEGREE + 1)
    fitted = chebyshev.chebfit(nodes, shape.from_normal(_places(nodes)).T, DEGREE)
    powers = np.zeros((DEGREE + 1, DEGREE + 1))
    for k in range(DEGREE + 1):
        powers[: k + 1, k] = chebyshev.cheb2poly(np.eye(DEGREE + 1)[k])[: k + 1]
    coefficients = np.ascontiguousarray((powers @ fitted).T)
    z = _places(np.linspace(-0.96, 0.96, 9))
    found, wanted = np.empty(z.size), shape.from_normal(z).ravel()
    evaluate_pieces(z.ravel(), coefficients, REACH, found)
    agrees = (np.abs(found - wanted) <= AGREES * (1.0 + np.abs(wanted))).all()
    return coefficients if agrees else None


def _places(u: Floats) -> Floats:
    """Return z at some places of every piece, (pieces, n)."""
    piece = np.arange(int(2 * REACH * PIECES))[:, None]
    return -REACH + (piece + (u + 1.0) / 2.0) / PIECES
