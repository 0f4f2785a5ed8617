"""The same units with the random effects in another basis."""

from __future__ import annotations

import numpy as np

from hlm.engine.derivatives import combine_moments
from hlm.jit import kernel

__all__ = ["change_basis"]


@kernel
def change_basis(axes, p, units, transform, change, out):
    """Write into `out` the units with Z replaced by Z times `transform` (q, q).

    Rotations of its rows make B = R transform triangular, which gives the new root; the rows
    turn with it. What is outside the span of Z stays as it is. Of units that share a design only
    the moments change. B'B is not formed: it would square the condition of the transform.
    """
    q = np.int64(len(axes))
    for i in range(units.root.shape[0]):
        change_root(axes, units.root[i], transform, change, out.root[i])
        if not units.shared:
            change_rows(axes, p, change, units.rows[i], out.rows[i])
    if units.shared:
        v = 0
        for a in range(q):
            for b in range(a + 1):
                combine_moments(q, p, change[a], change[b], units.moments, out.moments[v])
                v += 1
    for j in range(p + 1):
        for k in range(p + 1):
            out.within[j, k] = units.within[j, k]


@kernel
def change_root(axes, old, transform, change, new):
    """Write the new root, and into `change` (q, q) the rotation that makes new rows of old ones."""
    q = np.int64(len(axes))
    for a in range(q):
        for b in range(q):
            new[b, a] = 0.0
            change[a, b] = 1.0 if a == b else 0.0
            for k in range(a, q):
                new[b, a] += old[k, a] * transform[k, b]
    for a in range(q):
        for b in range(a + 1, q):
            if new[a, b] != 0.0:
                turn(q, a, b, new, change)


@kernel
def turn(q, a, b, new, change):
    """Rotate columns a and b of the new root so that its element (a, b) is zero, and the rows."""
    length = np.hypot(new[a, a], new[a, b])
    c, s = new[a, a] / length, new[a, b] / length
    for k in range(q):
        left, right = new[k, a], new[k, b]
        new[k, a] = c * left + s * right
        new[k, b] = c * right - s * left
        left, right = change[a, k], change[b, k]
        change[a, k] = c * left + s * right
        change[b, k] = c * right - s * left
    new[a, b] = 0.0


@kernel
def change_rows(axes, p, change, old, new):
    """Write `change` times the old rows of a unit into its new ones."""
    q = len(axes)
    for a in range(q):
        for j in range(p + 1):
            element = 0.0
            for k in range(q):
                element += change[a, k] * old[k, j]
            new[a, j] = element
