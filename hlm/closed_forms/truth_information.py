r"""Units at the true variances -> covariance of the coefficients, and how well it is estimated.

With V_j = I + Z_j Psi Z_j' in units of sigma^2, from q by q matrices of each type of unit:

    H = (I + Psi Z'Z)^{-1},  M = H Psi,  Z'V^{-k}X = H'^k Z'X,  Z'V^{-k}Z = H'^k Z'Z,
    X'V^{-1}X = X'X - X'Z M Z'X,  X'V^{-k-1}X = X'V^{-k}X - X'V^{-k}Z M Z'X,
    tr V^{-2} = rows - q + tr H^2,

Phi = (sum X'V^{-1}X)^{-1}; and with G_r = Z E_r Z' of a free element of Psi, I of the residual
variance, A_r = sum X'V^{-1}G_rV^{-1}X, the expected information by REML is

    I_rs = (tr V^{-1}G_rV^{-1}G_s - 2 tr Phi X'V^{-1}G_rV^{-1}G_sV^{-1}X + tr Phi A_r Phi A_s) / 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hlm.closed_forms.unit_types import UnitTypes

__all__ = ["TruthInformation", "UndeterminedError", "information_at", "least_squares_covariance"]

Floats = NDArray[np.float64]

SINGULAR = 1e-10
"""An eigenvalue of an information, scaled to a diagonal of ones, below which it is singular."""


class UndeterminedError(Exception):
    """The design does not determine the coefficients, or the variances."""


class TruthInformation(NamedTuple):
    """What is known of the coefficients of n designs, in units of sigma^2.

    Attributes
    ----------
    vcov : ndarray (n, p, p)
        Phi, of the coefficients of X*.
    slopes : ndarray (n, r, p, p)
        Phi A_r Phi, its derivatives in the parameters of the variances; sigma^2 comes last.
    spread : ndarray (n, r, r)
        The covariance of these parameters, the inverse of their information.
    """

    vcov: Floats
    slopes: Floats
    spread: Floats


def information_at(types: UnitTypes, psi: Floats, directions: Floats) -> TruthInformation:
    """Return what the design tells of the coefficients, at given variances.

    Parameters
    ----------
    types : UnitTypes
    psi : ndarray (q, q)
        The covariance of the effects of Z*, in units of sigma^2.
    directions : ndarray (k, q, q)
        E_r of each element of it that is estimated.

    Raises
    ------
    UndeterminedError
        The information of the coefficients or of the variances is singular.
    """
    H: Floats = np.linalg.inv(np.eye(len(psi)) + psi @ types.zz)
    M, Ht = H @ psi, _transposed(H)
    Q1, S1 = Ht @ types.zx, Ht @ types.zz
    Q2, S2 = Ht @ Q1, Ht @ S1
    X1 = types.xx - _transposed(types.zx) @ M @ types.zx
    X2 = X1 - _transposed(Q1) @ M @ types.zx
    X3 = X2 - _transposed(Q2) @ M @ types.zx
    vcov = _inverse(_summed(types, X1), "the coefficients")
    A = [_summed(types, _transposed(Q1) @ E @ Q1) for E in directions]
    p = vcov[:, None] @ np.stack([*A, _summed(types, X2)], axis=1)
    first, second = (Q @ vcov[:, None] @ _transposed(Q1) for Q in (Q1, Q2))
    information = np.einsum("nrab,nsba->nrs", p, p)
    # tr E_r S1 E_s (S1 - 2 Z'V^{-1}X Phi X'V^{-1}Z) of two elements of Psi, and with sigma^2
    ES, EN = (directions @ each[:, :, None] for each in (S1, S1 - 2.0 * first))
    information[:, :-1, :-1] += _summed(types, np.einsum("ntrab,ntsba->ntrs", ES, EN))
    of_both = _summed(types, _trace(directions @ (S2 - 2.0 * second)[:, :, None]))
    information[:, :-1, -1] += of_both
    information[:, -1, :-1] += of_both
    of_rows = types.rows - len(psi) + _trace(H @ H)
    information[:, -1, -1] += _summed(types, of_rows - 2.0 * _trace(vcov[:, None] @ X3))
    spread = _inverse(0.5 * information, "the variances")
    return TruthInformation(vcov, p @ vcov[:, None], spread)


def least_squares_covariance(types: UnitTypes, psi: Floats) -> Floats:
    """Return the covariance of least squares, (n, p, p): (X'X)^{-1} sum X'VX (X'X)^{-1}."""
    inverse = _inverse(_summed(types, types.xx), "the coefficients")
    meat = _summed(types, types.xx + _transposed(types.zx) @ psi @ types.zx)
    return np.asarray(inverse @ meat @ inverse)


def _summed(types: UnitTypes, values: Floats) -> Floats:
    """Sum over units, (n or 1, n_types or 1, ...) -> (n or 1, ...)."""
    count = types.count.reshape(-1, *(1,) * (values.ndim - 2))
    return np.asarray((count * values).sum(axis=1))


def _transposed(matrices: Floats) -> Floats:
    return matrices.swapaxes(-1, -2)


def _trace(matrices: Floats) -> Floats:
    return np.asarray(np.trace(matrices, axis1=-2, axis2=-1))


def _inverse(information: Floats, of: str) -> Floats:
    """Return the inverses of information matrices, (n, k, k), scaled to a diagonal of ones."""
    diagonal = np.diagonal(information, axis1=-2, axis2=-1)
    if not (diagonal > 0.0).all():
        raise UndeterminedError(of)
    root = np.sqrt(diagonal)
    scale = root[..., :, None] * root[..., None, :]
    scaled = information / scale
    if not (np.linalg.eigvalsh(scaled) > SINGULAR).all():
        raise UndeterminedError(of)
    return np.asarray(np.linalg.inv(scaled) / scale)
