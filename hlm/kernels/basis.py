"""The same units with the random effects in another basis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.derivatives import combine_moments
from hlm.kernels.linalg import cholesky, solve_lower
from hlm.kernels.units import RANK_TOLERANCE

__all__ = ["BasisChange", "allocate_basis", "change_basis"]


class BasisChange(NamedTuple):
    """Memory of a change of basis.

    Attributes
    ----------
    product : ndarray (q, q)
        B = R transform, then B R^{-1}, the second R the new one.
    change : ndarray (q, q)
        R'^{-1} B', which makes new rows of old ones.
    """

    product: np.ndarray
    change: np.ndarray


def allocate_basis(q: int) -> BasisChange:
    """Return memory for changes of the basis of `q` random effects."""
    return BasisChange(np.zeros((q, q)), np.zeros((q, q)))


@kernel
def change_basis(problem, transform, basis, out):
    """Write into `out` the units with Z replaced by Z times `transform` (q, q).

    With B = R transform, the new R' is the Cholesky factor of B'B, and the new rows are
    R'^{-1} B' rows; what is outside the span of Z stays as it is. Of units that share a design only
    the moments change.
    """
    effects, p, units = problem.effects, problem.p, problem.units
    q, change = np.int64(len(effects)), basis.change
    # R_i' of each unit, or of all that share a design, and change rows_i
    for i in range(units.Rt.shape[0]):
        change_factor(effects, units.Rt[i], transform, basis, out.Rt[i])
        if not units.shared:
            change_rows(effects, p, change, units.rows[i], out.rows[i])
    if units.shared:
        v = 0
        # sum_i (change rows_i)[a]'(change rows_i)[b]
        for a in range(q):
            for b in range(a + 1):
                combine_moments(q, p, change[a], change[b], units.moments, out.moments[v])
                v += 1
    # W as it is
    for j in range(p + 1):
        for k in range(p + 1):
            out.within[j, k] = units.within[j, k]


@kernel
def change_factor(effects, old, transform, basis, new):
    """Write the new R', and into `basis.change` what makes new rows of old ones."""
    q, B, change = np.int64(len(effects)), basis.product, basis.change
    # B = R transform
    for a in range(q):
        for b in range(q):
            B[a, b] = 0.0
            for k in range(a, q):
                B[a, b] += old[k, a] * transform[k, b]
    # B'B, and its Cholesky factor
    for a in range(q):
        for b in range(q):
            new[a, b] = 0.0
            for k in range(q):
                new[a, b] += B[k, a] * B[k, b]
    cholesky(new, q, RANK_TOLERANCE)
    # change = R'^{-1} B', R the new one
    for k in range(q):
        solve_lower(new, q, B[k])
        for a in range(q):
            change[a, k] = B[k, a]


@kernel
def change_rows(effects, p, change, old, new):
    """Write `change` times the old rows of a unit into its new ones."""
    q = len(effects)
    # new = change old
    for a in range(q):
        for j in range(p + 1):
            element = 0.0
            for k in range(q):
                element += change[a, k] * old[k, j]
            new[a, j] = element
