r"""Units at the true variances -> covariance of the coefficients, and how well it is estimated.

With V_j = I + Z_j Psi Z_j' in units of sigma^2, from q by q matrices of each type of unit:

    H = (I + Psi Z'Z)^{-1},  M = H Psi,  Z'V^{-k}X = H'^k Z'X,  Z'V^{-k}Z = H'^k Z'Z,
    X'V^{-1}X = X'X - X'Z M Z'X,  X'V^{-k-1}X = X'V^{-k}X - X'V^{-k}Z M Z'X,
    tr V^{-2} = rows - q + tr H^2,

Phi = (sum X'V^{-1}X)^{-1}; and with G_r = Z E_r Z' of a free element of Psi, I of the residual
variance, A_r = sum X'V^{-1}G_rV^{-1}X, the expected information by REML is

    I_rs = (tr V^{-1}G_rV^{-1}G_s - 2 tr Phi X'V^{-1}G_rV^{-1}G_sV^{-1}X + tr Phi A_r Phi A_s) / 2.

With k times the units of each type Phi is 1/k times as large; of I_rs the first trace is k times as
large, and the others are as they were.
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
    """A design does not determine the coefficients, or the variances."""


class TruthInformation(NamedTuple):
    """What is known of the coefficients of n designs, in units of sigma^2.

    Attributes
    ----------
    vcov : ndarray (n, p, p)
        Phi, of the coefficients of X*.
    slopes : ndarray (n, r, p, p)
        Phi A_r Phi, its derivatives in the parameters of the variances; sigma^2 comes last.
    of_units, of_coefficients : ndarray (n, r, r)
        The information of these parameters, I: the first trace of the equation, and the others.
    """

    vcov: Floats
    slopes: Floats
    of_units: Floats
    of_coefficients: Floats

    def scaled(self, share: float) -> TruthInformation:
        """Return what is known with so many times the units of each type."""
        return TruthInformation(
            self.vcov / share, self.slopes / share, share * self.of_units, self.of_coefficients
        )

    @property
    def spread(self) -> Floats:
        """The covariance I^{-1} of the variances' parameters, (n, r, r).

        Raises
        ------
        UndeterminedError
            The information is singular.
        """
        return _inverse(self.of_units + self.of_coefficients, "the variances")


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
        The information of the coefficients is singular.
    """
    H = np.asarray(np.linalg.inv(np.eye(len(psi)) + psi @ types.zz), dtype=np.float64)
    Ht, MZX = _transposed(H), H @ psi @ types.zx
    Q1, S1 = Ht @ types.zx, Ht @ types.zz
    Q2, S2 = Ht @ Q1, Ht @ S1
    X1 = _summed(types, types.xx) - _crossed(types, types.zx, MZX)
    X2 = X1 - _crossed(types, Q1, MZX)
    X3 = X2 - _crossed(types, Q2, MZX)
    vcov = _inverse(X1, "the coefficients")
    A = [_crossed(types, Q1, E @ Q1) for E in directions]
    p = vcov[:, None] @ np.stack([*A, X2], axis=1)
    first, second = (Q @ vcov[:, None] @ _transposed(Q1) for Q in (Q1, Q2))
    ES = directions @ S1[:, :, None]
    of_units = _symmetric(
        _summed(types, np.einsum("ntrab,ntsba->ntrs", ES, ES)),
        _summed(types, _trace(directions @ S2[:, :, None])),
        _summed(types, types.rows - len(psi) + _trace(H @ H)),
    )
    EN = directions @ first[:, :, None]
    lost = _symmetric(
        _summed(types, np.einsum("ntrab,ntsba->ntrs", ES, EN)),
        _summed(types, _trace(directions @ second[:, :, None])),
        _trace(vcov @ X3),
    )
    of_coefficients = 0.5 * np.einsum("nrab,nsba->nrs", p, p) - lost
    return TruthInformation(vcov, p @ vcov[:, None], 0.5 * of_units, of_coefficients)


def _symmetric(corner: Floats, side: Floats, end: Floats) -> Floats:
    """Return matrices (n, r, r) of which the last row and column are a side and an end."""
    n, r = side.shape
    whole = np.empty((n, r + 1, r + 1))
    whole[:, :r, :r], whole[:, :r, r], whole[:, r, :r], whole[:, r, r] = corner, side, side, end
    return whole


def least_squares_covariance(types: UnitTypes, psi: Floats) -> Floats:
    """Return the covariance of least squares, (n, p, p): (X'X)^{-1} sum X'VX (X'X)^{-1}."""
    inverse = _inverse(_summed(types, types.xx), "the coefficients")
    meat = _summed(types, types.xx) + _crossed(types, types.zx, psi @ types.zx)
    return np.asarray(inverse @ meat @ inverse)


def _summed(types: UnitTypes, values: Floats) -> Floats:
    """Sum over units, (n or 1, n_types or 1, ...) -> (n or 1, ...)."""
    count = types.count.reshape(-1, *(1,) * (values.ndim - 2))
    return np.asarray((count * values).sum(axis=1))


def _crossed(types: UnitTypes, left: Floats, right: Floats) -> Floats:
    """Sum left'right over units, (n, n_types or 1, q, p) each -> (n, p, p)."""
    weighted = types.count[:, None, None] * left
    rows = (len(left), -1, left.shape[-1])
    stacked = np.broadcast_to(right, weighted.shape).reshape(rows)
    return np.asarray(_transposed(weighted.reshape(rows)) @ stacked)


def _transposed(matrices: Floats) -> Floats:
    return matrices.swapaxes(-1, -2)


def _trace(matrices: Floats) -> Floats:
    return np.asarray(np.trace(matrices, axis1=-2, axis2=-1))


def _inverse(information: Floats, of: str) -> Floats:
    """Return the inverses of information matrices, (n, k, k), scaled to a diagonal of ones."""
    diagonal = np.diagonal(information, axis1=-2, axis2=-1)
    root = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scale = root[..., :, None] * root[..., None, :]
    scaled = information / scale
    there = np.linalg.eigvalsh(scaled)[:, 0] > SINGULAR
    if not there.any():
        raise UndeterminedError(f"the design does not determine {of}")
    if not there.all():
        raise UndeterminedError(f"not every design that is drawn determines {of}")
    return np.asarray(np.linalg.inv(scaled) / scale)
