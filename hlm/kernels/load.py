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
    """Fill `units` from the cross-products of data set r, `cross`; return y'y."""
    gram = cross.gram[r if cross.gram.shape[0] > 1 else 0]
    response, sum_squares = cross.response[r], cross.sum_squares[r]
    levels = cross.multipliers[r if cross.multipliers.shape[0] > 1 else 0]
    if units.shared:
        return load_shared(axes, p, gram, response, sum_squares, levels, design, units)
    q = np.int64(len(axes))
    total = gather(q, p, gram, response, sum_squares, levels, design, units)
    rotate_units(q, p, units)
    return total
