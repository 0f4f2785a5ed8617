"""One data set of a stack, by the way that its design allows."""

from __future__ import annotations

from hlm.engine.gather import gather
from hlm.engine.shared import load_shared
from hlm.engine.units import rotate_units
from hlm.jit import entry

__all__ = ["load"]


@entry
def load(axes, p, gram, response, sum_squares, levels, design, units):
    """Fill `units` from one data set's cross-products; return y'y."""
    if units.shared:
        return load_shared(axes, p, gram, response, sum_squares, levels, design, units)
    total = gather(axes, p, gram, response, sum_squares, levels, design, units)
    rotate_units(axes, p, units)
    return total
