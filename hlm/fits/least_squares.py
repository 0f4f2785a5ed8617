r"""The criterion of models without random effects, in closed form.

    ML   : N (1 + log(2 pi RSS / N)),
    REML : (N - p)(1 + log(2 pi RSS / (N - p))) + log|X'X|,

those of `kernels.criterion` at Psi = 0. Gaussian elimination of [X y]'[X y] has all: the pivots of
X'X multiply to its determinant, and the last one is the residual sum of squares RSS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.kernels.fit import PERFECT_FIT_TOLERANCE
from hlm.kernels.units import RANK_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.kernels.data import CrossProducts, ModelColumns

__all__ = ["least_squares_criteria"]

Floats = NDArray[np.float64]


def least_squares_criteria(
    columns: ModelColumns, cross: CrossProducts, methods: Sequence[str]
) -> Floats:
    """Return -2 log L or the REML criterion of n data sets by each method, (n, methods).

    NaN where X'X is singular or nothing is left of the response.
    """
    S, p = _crossed(columns, cross), len(columns.fixed)
    size = np.diagonal(S, axis1=1, axis2=2).copy()
    logdet = np.full(len(S), 2.0 * float(np.linalg.slogdet(columns.fixed_transform)[1]))
    n_obs = cross.n_obs.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        for k in range(p):
            pivot = np.where(S[:, k, k] > RANK_TOLERANCE * size[:, k], S[:, k, k], np.nan)
            logdet += np.log(pivot)
            S = S - S[:, :, k, None] * S[:, None, k, :] / pivot[:, None, None]
        rss = np.where(S[:, p, p] > PERFECT_FIT_TOLERANCE * size[:, p], S[:, p, p], np.nan)
        rss[n_obs <= p] = np.nan
        found = []
        for method in methods:
            n = n_obs - p if method == "reml" else n_obs
            found.append(n * (1.0 + np.log(2.0 * np.pi * rss / n)))
            if method == "reml":
                found[-1] += logdet
    return np.stack(found, axis=-1)


def _crossed(columns: ModelColumns, cross: CrossProducts) -> Floats:
    """Return [X* y]'[X* y] over all units, (n, p + 1, p + 1), y = y* + R coef.

    The columns X* and R are columns times multipliers u: x_j'x_k = sum_i g_i,jk u_ij u_ik.
    """
    p, n = len(columns.fixed), len(cross.sum_squares)
    row, unit = np.concatenate([columns.fixed, columns.rest]).T
    u = cross.multipliers[:, unit]
    k = len(row)
    crossed = np.empty((n, k + 1, k + 1))
    for a in range(k):
        for b in range(a + 1):
            first, second = max(row[a], row[b]), min(row[a], row[b])
            products = cross.gram[:, first * (first + 1) // 2 + second]
            crossed[:, a, b] = crossed[:, b, a] = (products * u[:, a] * u[:, b]).sum(axis=1)
        crossed[:, a, k] = crossed[:, k, a] = (cross.response[:, row[a]] * u[:, a]).sum(axis=1)
    crossed[:, k, k] = cross.sum_squares
    # [X y] = [X R y*] C
    C = np.zeros((k + 1, p + 1))
    C[range(p), range(p)] = 1.0
    C[p:k, p], C[k, p] = columns.rest_coef, 1.0
    return np.asarray(C.T @ crossed @ C)
