"""Influence functions of performance measures: what each replicate adds to a measure's error.

A measure M of n replicates is, up to smaller terms, its expectation plus the mean of psi_i, a
function of replicate i alone, so that

    MCSE(M) = sd(psi)/sqrt(n),        MCSE(M_a - M_b) = sd(psi_a - psi_b)/sqrt(n),

the latter for two methods on the same data sets. Neither assumes a distribution. psi is the
derivative of M in its means, times their terms: of sd(b) for example, with k = n/(n - 1),

    M^2 = k mean((b - mean(b))^2),    psi_i = (k (b_i - mean(b))^2 - M^2)/(2 M).

For one method these are the robust errors of White's simsum, to a factor sqrt(n/(n - 1)), by which
its errors of ratios differ among themselves.
"""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Influence",
    "empirical_se",
    "mean",
    "model_se",
    "mse",
    "relative_error_se",
    "relative_precision",
    "rmse",
]


class Influence(NamedTuple):
    """A measure and psi_i of its replicates, whose mean is 0."""

    estimate: float
    psi: NDArray[np.float64]

    @property
    def mcse(self) -> float:
        """sd(psi)/sqrt(n), NaN for one replicate."""
        n = self.psi.size
        return sqrt(float(self.psi @ self.psi) / (n * (n - 1))) if n > 1 else nan


def mean(x: NDArray[np.float64] | NDArray[np.bool_]) -> Influence:
    """Return mean(x), with psi = x - mean(x); the share of hits, if x says which are.

    Examples
    --------
    >>> mean(np.array([1.0, 2.0, 6.0])).psi
    array([-2., -1.,  3.])
    """
    if x.size == 0:
        return Influence(nan, np.zeros(0))
    of_all = float(x.mean())
    return Influence(of_all, np.subtract(x, of_all, dtype=np.float64))


def mse(b: NDArray[np.float64], t: NDArray[np.float64] | float) -> Influence:
    """Return mean((b - t)^2)."""
    return mean((b - t) ** 2)


def rmse(b: NDArray[np.float64], t: NDArray[np.float64] | float) -> Influence:
    """Return the root of the MSE, with psi = psi_MSE/(2 RMSE)."""
    return _root(mse(b, t))


def empirical_se(b: NDArray[np.float64]) -> Influence:
    """Return sd(b), the root of mean(k (b - mean(b))^2)."""
    return _root(mean(_squares(b)))


def model_se(s: NDArray[np.float64]) -> Influence:
    """Return the root of mean(s^2)."""
    return _root(mean(s**2))


def relative_error_se(b: NDArray[np.float64], s: NDArray[np.float64]) -> Influence:
    """Return sqrt(R) - 1 with R = mean(s^2)/var(b)."""
    root = _root(_ratio(s**2, _squares(b)))
    return Influence(root.estimate - 1.0, root.psi)


def relative_precision(b: NDArray[np.float64], a: NDArray[np.float64]) -> Influence:
    """Return var(a)/var(b) - 1."""
    ratio = _ratio(_squares(a), _squares(b))
    return Influence(ratio.estimate - 1.0, ratio.psi)


def _squares(b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return k (b - mean(b))^2, whose mean is var(b); exactly 0 where all b are equal."""
    if b.size < 2:
        return np.full(b.size, nan)
    centred = b - b[0]
    squares: NDArray[np.float64] = (centred - centred.mean()) ** 2 * (b.size / (b.size - 1))
    return squares


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> Influence:
    """Return R = mean(T)/mean(B), with psi = (T - R B)/mean(B)."""
    top, bottom = mean(above).estimate, mean(below).estimate
    if not bottom > 0.0:
        return Influence(nan, np.full(above.size, nan))
    ratio = top / bottom
    return Influence(ratio, (above - ratio * below) / bottom)


def _root(square: Influence) -> Influence:
    root = sqrt(square.estimate) if square.estimate >= 0.0 else nan
    half = 0.5 / root if root > 0.0 else nan
    return Influence(root, half * square.psi)
