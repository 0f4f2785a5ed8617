r"""What is predicted of each unit: its random effects by the model, and its own least squares.

With R, b and c the pseudo-rows of `units` and Psi = Lambda Lambda', the best linear unbiased
predictor of a unit's random effects at the estimates (Henderson 1975) is

    b^ = Psi Z'V^{-1} (y - X beta) = Lambda (R Lambda)' O^{-1} (c - b beta),
    O  = I + R Lambda (R Lambda)' = L L'.

Where Psi is singular, so is what is predicted; nothing is inverted but O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.jit import entry, kernel
from hlm.kernels.criterion import whiten
from hlm.kernels.cross import product
from hlm.kernels.fit import PARTLY_IDENTIFIED, STATUS
from hlm.kernels.linalg import cholesky, solve_lower, solve_upper
from hlm.kernels.units import RANK_TOLERANCE

if TYPE_CHECKING:
    from hlm.kernels.data import CrossProducts, ModelColumns

__all__ = ["fit_units_apart", "predict_effects"]


@kernel
def predict_effects(problem, random, workspace, effects, r, method):
    """Write b^ of each unit, in the formula's units, from the fit in a workspace.

    `effects` (n or 0, methods, n_units, q) are NaN on entry; `random` is T_z^{-1}. They stay NaN
    where there are no estimates, or where the data do not determine all of Psi.
    """
    if len(effects) == 0:
        return
    fit, units, state = workspace.fit, workspace.units, workspace.state
    if not np.isfinite(fit.estimates.estimate[-1]) or fit.summary[STATUS] == PARTLY_IDENTIFIED:
        return
    q, p, Lambda, v = len(problem.effects), problem.p, fit.Lambda, state.u
    L, residual, predicted = state.L, state.residual, effects[r, method]
    # Unit i
    for i in range(units.rows.shape[0]):
        design = 0 if units.shared else i
        if i == design:
            whiten(
                problem.effects, units.Rt[i], Lambda, state.R_Lambda, L, state.XR[i]
            )  # R Lambda and L, of the first unit for all that share a design
        # O^{-1} (c - b beta), gamma = (-beta, 1)
        for a in range(q):
            element = 0.0
            for j in range(p + 1):
                element += units.rows[i, a, j] * state.gamma[j]
            residual[a] = element
        solve_lower(L, q, residual)
        solve_upper(L, q, residual)
        # v = (R Lambda)' O^{-1} (c - b beta)
        for a in range(q):
            element = 0.0
            for k in range(q):
                element += state.R_Lambda[k, a] * residual[k]
            v[a] = element
        # Lambda v, in the columns Z*
        for a in range(q):
            element = 0.0
            for k in range(a + 1):
                element += Lambda[a, k] * v[k]
            residual[a] = element
        # b^ = T_z^{-1} Lambda v
        for a in range(q):
            element = 0.0
            for k in range(q):
                element += random[a, k] * residual[k]
            predicted[i, a] = element


@entry
def fit_units_apart(
    cross: CrossProducts, design: ModelColumns, columns, memory, coefficients
) -> None:
    """Fit the rows of each unit by least squares; of y* + R coef, what the model's X* leaves.

    Parameters
    ----------
    cross : CrossProducts
        Those of n data sets.
    design : ModelColumns
        With the columns R.
    columns : ndarray of int (k,)
        Those that are fitted, among the columns of the cross-products.
    memory : ndarray (k, k)
    coefficients : ndarray (n, n_units, k)
        Filled: G^{-1} g, with G the products of the columns and g those with the response. NaN
        where the rows do not determine them all.
    """
    rest, coef, k = design.rest, design.rest_coef, len(columns)
    n, n_units = coefficients.shape[:2]
    # Unit i of data set r
    for r in range(n):
        gram = cross.gram[r if cross.gram.shape[0] > 1 else 0]
        levels = cross.multipliers[r if cross.multipliers.shape[0] > 1 else 0]
        rank = 0
        for i in range(n_units):
            # G = L L', of the first unit for all that have its rows
            if i == 0 or gram.shape[1] > 1:
                for a in range(k):
                    for b in range(a + 1):
                        memory[a, b] = product(gram, columns[a], columns[b], i)
                rank = cholesky(memory, k, RANK_TOLERANCE)
            found = coefficients[r, i]
            if rank < k:
                found[:] = np.nan
                continue
            # g = x'y* + x'R coef
            for a in range(k):
                element = cross.response[r, columns[a], i]
                for t in range(len(rest)):
                    level = coef[t] * levels[rest[t, 1], i]
                    element += level * product(gram, columns[a], rest[t, 0], i)
                found[a] = element
            # L'^{-1} L^{-1} g
            solve_lower(memory, k, found)
            solve_upper(memory, k, found)
