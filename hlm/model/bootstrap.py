r"""The parametric bootstrap of a fit: new responses from its own truth, fitted by the same kernels.

The design stays, so of each data set only y* = Z b + e is reduced: [Z* X*]'y* per unit and y*'y*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.kernels.fit import allocate_workspace
from hlm.kernels.inference import Parametrization
from hlm.kernels.stack import allocate_results, fit_stack, only_the_fit

if TYPE_CHECKING:
    from hlm.model.moments import Moments

__all__ = ["bootstrap"]

Floats = NDArray[np.float64]

CHUNK_VALUES = 1 << 22
"""Normals in memory at a time."""


def bootstrap(
    moments: Moments,
    starts: NDArray[np.int64],
    beta: Floats,
    Lambda: Floats,
    sigma: float,
    *,
    reml: bool,
    n: int,
    rng: np.random.Generator,
) -> Floats:
    """Simulate and refit n data sets.

    Parameters
    ----------
    moments : Moments
        Of the fit.
    starts : ndarray of int (n_units,)
        The first row of each unit.
    beta : ndarray (p,)
        The truth on X*.
    Lambda : ndarray (q, q)
        The truth's relative covariance factor on Z*.
    sigma : float
    reml : bool
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray (n, p + n_theta + 1)
        Estimates of the formula's terms.
    """
    old = moments.parametrization
    parametrization = Parametrization(old.row, old.col, old.fixed, old.random, beta, old.logdet)
    q, n_terms = len(Lambda), len(beta) + len(old.row) + 1
    columns = moments.columns
    workspace = allocate_workspace(parametrization, len(starts), shared=False)
    estimates = np.empty((n, n_terms))
    size = max(1, CHUNK_VALUES // columns.shape[1])
    for first in range(0, n, size):
        last = min(first + size, n)
        response, squares = _responses(columns, starts, q, Lambda, sigma, last - first, rng)
        part = allocate_results(last - first, 1, n_terms)
        fit_stack(
            moments.cross._replace(
                response=response,
                sum_squares=squares,
                n_obs=np.full(len(squares), columns.shape[1]),
            ),
            moments.places,
            parametrization,
            np.array([reml]),
            workspace,
            only_the_fit(parametrization),
            part,
        )
        estimates[first:last] = part.estimate[:, 0]
    return estimates


def _responses(
    columns: Floats,
    starts: NDArray[np.int64],
    q: int,
    Lambda: Floats,
    sigma: float,
    n: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draw y* = Z b + e; return [Z* X*]'y* per unit, (n, q + p, n_units), and y*'y*, (n,)."""
    counts = np.diff(np.append(starts, columns.shape[1]))
    b = rng.standard_normal((n, len(starts), q)) @ Lambda.T
    y = rng.standard_normal((n, columns.shape[1]))
    for a in range(q):
        y += np.repeat(b[:, :, a], counts, axis=1) * columns[a]
    y *= sigma
    response = np.stack([np.add.reduceat(y * column, starts, axis=1) for column in columns], axis=1)
    return response, np.einsum("ri,ri->r", y, y)
