r"""The criterion straight from its definition, to judge all programs alike.

With V = I + Z Psi Z' for each unit, e the residuals of generalized least squares and
r^2 = sum e'V^{-1}e,

    ML   : sum log|V| + N (1 + log(2 pi r^2 / N))
    REML : sum log|V| + log|X'V^{-1}X| + (N - p) (1 + log(2 pi r^2 / (N - p)))

(Bates, Maechler, Bolker & Walker 2015, eqs 34 and 41). It knows neither cross-products nor
Lambda: rows, and a Cholesky factor of each V.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["criterion_at"]


def criterion_at(
    psi: Floats, X: Floats, Z: Floats, y: Floats, starts: NDArray[np.int64], *, reml: bool
) -> float:
    """Evaluate the profiled criterion.

    Parameters
    ----------
    psi : ndarray (q, q)
        Covariance of the random effects over sigma^2.
    X, Z : ndarray (n, p), (n, q)
        The rows of a unit together.
    y : ndarray (n,)
    starts : ndarray of int (n_units,)
        The first row of each unit.
    reml : bool

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 4.0])
    >>> one = np.ones((3, 1))
    >>> bool(np.isclose(criterion_at(np.zeros((1, 1)), one, one, y, np.array([0, 2]), reml=False),
    ...                 3 * (1 + np.log(2 * np.pi * y.var()))))
    True
    """
    data = np.column_stack([X, y])
    logdet = 0.0
    whitened = []
    for rows in np.split(np.arange(len(y)), starts[1:]):
        V = np.eye(len(rows)) + Z[rows] @ psi @ Z[rows].T
        root = np.linalg.cholesky(V)
        logdet += 2.0 * float(np.log(np.diag(root)).sum())
        whitened.append(np.linalg.solve(root, data[rows]))
    # The triangular factor of [X y], whitened, holds |X'V^{-1}X| and r.
    triangle = np.linalg.qr(np.concatenate(whitened)).R
    p = X.shape[1]
    r2 = float(triangle[p, p]) ** 2
    n_star = len(y) - p if reml else len(y)
    if reml:
        logdet += 2.0 * float(np.log(np.abs(np.diag(triangle)[:p])).sum())
    return logdet + n_star * (1.0 + float(np.log(2.0 * np.pi * r2 / n_star)))
