"""Normal and gamma numbers of NumPy's streams, drawn by compiled code.

They are NumPy's own to the last bit, which Numba's functions of the same names give in a third of
the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.distributions import Normal
from hlm.jit import stream

if TYPE_CHECKING:
    from hlm.distributions import Distribution

__all__ = ["chi_squares", "fill_gammas", "fill_normals", "standard_numbers"]

Floats = NDArray[np.float64]


def standard_numbers(
    shape: Distribution, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
) -> Floats:
    """Draw numbers of a shape with mean 0 and sd 1, as `Distribution.standardized` does.

    Examples
    --------
    >>> first, second = np.random.default_rng(1), np.random.default_rng(1)
    >>> bool((standard_numbers(Normal(), first, (2, 3)) == second.standard_normal((2, 3))).all())
    True
    """
    if not isinstance(shape, Normal):
        return shape.standardized(rng, size, out=out)
    made = np.empty(size) if out is None else out
    fill_normals(rng, made.reshape(-1))
    return made


def chi_squares(rng: np.random.Generator, freedom: Floats, n: int) -> Floats:
    """Draw chi-square numbers, (n, k), with these k degrees of freedom; 0 where they are 0."""
    made = np.empty((n, len(freedom)))
    fill_gammas(rng, freedom / 2.0, made)
    made *= 2.0
    return made


@stream
def fill_normals(rng, out):
    """Write standard normals, one after the other."""
    for i in range(len(out)):
        out[i] = rng.standard_normal()


@stream
def fill_gammas(rng, shapes, out):
    """Write gamma numbers of these shapes, row after row; 0 for the shape 0."""
    for r in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[r, i] = rng.standard_gamma(shapes[i]) if shapes[i] > 0.0 else 0.0
