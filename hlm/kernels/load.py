"""One data set of a stack, by the way that its design allows."""

from __future__ import annotations

import numpy as np

from hlm.jit import kernel
from hlm.kernels.cross import gather
from hlm.kernels.shared import load_shared
from hlm.kernels.units import rotate_units

__all__ = ["load"]


@kernel
def load(axes, p, cross, r, design, units):
    """Fill `units` from the cross-products of data set r; return y'y.

    What is the same in all data sets of `cross` (gram, response, sum_squares, multipliers) is there
    once.
    """
    gram = cross[0][r if cross[0].shape[0] > 1 else 0]
    response, sum_squares = cross[1][r], cross[2][r]
    levels = cross[3][r if cross[3].shape[0] > 1 else 0]
    if units.shared:
        return load_shared(axes, p, gram, response, sum_squares, levels, design, units)
    q = np.int64(len(axes))
    total = gather(q, p, gram, response, sum_squares, levels, design, units)
    rotate_units(q, p, units)
    return total
