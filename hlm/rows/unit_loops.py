"""Loops over the rows of units that lie one after the other."""

from __future__ import annotations

from hlm.jit import entry

__all__ = ["add_up_units", "correlate_rows", "leave_at_first"]


@entry
def add_up_units(values, starts, sums):
    """Write the sum of values[starts[i]:starts[i + 1]] to sums[i]."""
    # sums_i = sum_j v_ij, in the order of rows
    for i in range(len(sums)):
        total = 0.0
        for j in range(starts[i], starts[i + 1]):
            total += values[j]
        sums[i] = total


@entry
def correlate_rows(noise, retained, starts):
    """Turn independent numbers z into e, in place, with the correlation retained[j] of neighbours.

    e_1 = z_1, e_j = r_j e_{j-1} + (1 - r_j^2)^{1/2} z_j: each e has the variance of z.
    """
    for i in range(len(starts) - 1):
        for j in range(starts[i] + 1, starts[i + 1]):
            r = retained[j]
            noise[j] = r * noise[j - 1] + (1.0 - r * r) ** 0.5 * noise[j]


@entry
def leave_at_first(leaves, starts, kept):
    """Write to kept (total,) whether a row is before the first of its unit at which it leaves.

    The first row of a unit is kept.
    """
    for i in range(len(starts) - 1):
        there = True
        for j in range(starts[i], starts[i + 1]):
            there = there and (j == starts[i] or not leaves[j])
            kept[j] = there
