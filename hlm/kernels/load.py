"""One data set of a stack, by the way that its design allows."""

from __future__ import annotations

import numpy as np

from hlm.jit import kernel
from hlm.kernels.cross import DataSet, gather
from hlm.kernels.shared import load_shared
from hlm.kernels.units import rotate_units

__all__ = ["data_set", "load"]


@kernel
def data_set(cross, r):
    """Return data set r of a stack."""
    return DataSet(
        cross.gram[r if cross.gram.shape[0] > 1 else 0],
        cross.response[r],
        cross.sum_squares[r],
        cross.multipliers[r if cross.multipliers.shape[0] > 1 else 0],
    )


@kernel
def load(effects, data, design, units):
    """Fill `units` from the cross-products of a data set; return y'y."""
    q, p = np.int64(len(effects)), len(design.fixed)
    if units.shared:
        return load_shared(q, p, data, design, units)
    total = gather(q, p, data, design, units)
    rotate_units(q, p, units)
    return total
