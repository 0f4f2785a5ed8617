"""The same units with the random effects in another basis."""

from __future__ import annotations

from hlm.engine.linalg import cholesky
from hlm.engine.units import RANK_TOLERANCE, pair_moments
from hlm.jit import kernel

__all__ = ["change_basis"]


@kernel
def change_basis(axes, p, units, transform, square, column, out):
    """Write into `out` the units with Z replaced by Z times `transform` (q, q).

    With B = R transform the new root is the Cholesky factor of B'B, and the new rows are
    root^-1 B' rows; what is outside the span of Z stays as it is.
    """
    q = len(axes)
    for i in range(units.rows.shape[0]):
        old, new = units.root[0 if units.shared else i], out.root[0 if units.shared else i]
        for a in range(q):
            for b in range(q):
                square[a, b] = 0.0
                for k in range(a, q):
                    square[a, b] += old[k, a] * transform[k, b]
        if i == 0 or not units.shared:
            for a in range(q):
                for b in range(q):
                    new[a, b] = 0.0
                    for k in range(q):
                        new[a, b] += square[k, a] * square[k, b]
            cholesky(new, q, RANK_TOLERANCE)
        for j in range(p + 1):
            for a in range(q):
                element = 0.0
                for k in range(q):
                    element += square[k, a] * units.rows[i, k, j]
                for k in range(a):
                    element -= new[a, k] * column[k]
                column[a] = element / new[a, a] if new[a, a] != 0.0 else 0.0
            for a in range(q):
                out.rows[i, a, j] = column[a]
    for j in range(p + 1):
        for k in range(p + 1):
            out.within[j, k] = units.within[j, k]
    if units.shared:
        pair_moments(axes, p, out)
