r"""Covariance of contrasts and its spread -> distribution of their F, power, width of an interval.

U are the rows of L, rotated and scaled such that U Phi U' = I, and C_r = U Phi A_r Phi U' is the
derivative of their covariance in parameter r of the variances, of which Omega is the covariance.
Satterthwaite's degrees of freedom pool 2 / nu_m = sum_rs Omega_rs C_r[m, m] C_s[m, m] (Fai &
Cornelius 1996, as lmerTest). They are those of the critical value, as the inference has it. What F
is distributed as is told by its first two moments (Kenward & Roger 1997): k F is about noncentral F
with r and nu degrees of freedom. For one contrast k is 1 and both are the same nu; where the
estimated covariance is that of independent normal vectors, F is Hotelling's T^2 / r, and k F is
exactly noncentral F.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hlm.kernels.joint_tests import EQUAL_DF, NEAR_TWO

if TYPE_CHECKING:
    from hlm.closed_forms.truth_information import TruthInformation

__all__ = ["FDistribution", "f_distribution", "mean_width", "power_of"]

Floats = NDArray[np.float64]


class FDistribution(NamedTuple):
    """What the F of r contrasts is distributed as, in n designs.

    Attributes
    ----------
    r : int
    covariance : ndarray (n, r, r)
        L Phi L', in units of sigma^2.
    pooled : ndarray (n,)
        Satterthwaite's denominator degrees of freedom.
    nu, scale : ndarray (n,)
        `scale` times F is noncentral F with r and `nu` degrees of freedom.
    """

    r: int
    covariance: Floats
    pooled: Floats
    nu: Floats
    scale: Floats

    def noncentrality(self, values: Floats) -> Floats:
        """Return b'L'(L Phi L')^{-1}L b, (n,), of L b in units of sigma, (r,)."""
        solved = np.linalg.solve(self.covariance, np.broadcast_to(
            values[:, None], (len(self.covariance), self.r, 1)))  # fmt: skip
        return np.asarray(solved[..., 0] @ values)


def f_distribution(L: Floats, known: TruthInformation) -> FDistribution:
    """Return what the F of contrasts L, (r, p), of the coefficients of X* is distributed as."""
    covariance = L @ known.vcov @ L.T
    size, vectors = np.linalg.eigh(covariance)
    U = vectors.swapaxes(-1, -2) @ L / np.sqrt(size)[..., None]
    C = U[:, None] @ known.slopes @ U[:, None].swapaxes(-1, -2)
    each = np.einsum("nrmm,nrs,nsmm->nm", C, known.spread, C)
    a1 = np.einsum("nrmm,nrs,nskk->n", C, known.spread, C)
    a2 = np.einsum("nrmk,nrs,nskm->n", C, known.spread, C)
    nu, scale = _matched(len(L), a1, a2)
    return FDistribution(len(L), covariance, _pooled(2.0 / each), nu, scale)


def _pooled(nu: Floats) -> Floats:
    """Return 2E / (E - r) with E = sum nu / (nu - 2), (n,), of those of the contrasts, (n, r)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = (2.0 / (nu - 2.0)).sum(axis=1)
        pooled = 2.0 * (nu.shape[1] + excess) / excess
    equal = np.ptp(nu, axis=1) < EQUAL_DF * nu.max(axis=1)
    return np.where(equal, nu.mean(axis=1), np.where(nu.min(axis=1) <= 2.0, 2.0, pooled))


def _matched(r: int, a1: Floats, a2: Floats) -> tuple[Floats, Floats]:
    """Return degrees of freedom and scale by two moments: Kenward & Roger (1997), section 2."""
    if r == 1:
        return 2.0 / a2, np.ones_like(a2)
    with np.errstate(divide="ignore", invalid="ignore"):
        b = (a1 + 6.0 * a2) / (2.0 * r)
        g = ((r + 1.0) * a1 - (r + 4.0) * a2) / ((r + 2.0) * a2)
        h = 3.0 * r + 2.0 * (1.0 - g)
        expectation = 1.0 - a2 / r
        ratio = expectation / (1.0 - (r - g) / h * b)
        rho = ratio**2 * (1.0 + g / h * b) / (1.0 - (r + 2.0 - g) / h * b) / r
        nu = 4.0 + (r + 2.0) / (r * rho - 1.0)
        scale = np.where(np.abs(nu - 2.0) < NEAR_TWO, 1.0, nu * expectation / (nu - 2.0))
    return nu, scale


def critical_value(r: int, df: Floats, level: float) -> Floats:
    """Return the quantile of F with r and df degrees of freedom; of chi-square / r if infinite."""
    known = np.isinf(df)
    by_f = special.fdtri(r, np.where(known, 1.0, df), level)
    return np.where(known, special.chdtri(r, 1.0 - level) / r, by_f)


def power_of(of: FDistribution, df: Floats, level: float, noncentrality: Floats) -> Floats:
    """Return how often F exceeds its critical value.

    Parameters
    ----------
    of : FDistribution
    df : ndarray (n,)
        The denominator degrees of freedom of the critical value; where they are infinite the
        variances count as known, and r F is chi-square.
    level : float
        One less the level of the test.
    noncentrality : ndarray (n,)

    Returns
    -------
    ndarray (n,)
        NaN where there are too few units for two moments to be those of an F.
    """
    known, critical = np.isinf(df), critical_value(of.r, df, level)
    by_f = special.ncfdtr(of.r, of.nu, noncentrality, of.scale * critical)
    by_chi_square = special.chndtr(of.r * critical, of.r, noncentrality)
    there = known | ((of.nu > 0.0) & (of.scale > 0.0))
    return np.where(there, 1.0 - np.where(known, by_chi_square, by_f), np.nan)


def mean_width(of: FDistribution, df: Floats, level: float) -> Floats:
    """Return the expected width of the interval of one contrast, (n,), in units of sigma.

    NaN of several contrasts.

    Twice t times E s, where s^2 / SE^2 is chi-square with nu degrees of freedom over nu.
    """
    if of.r > 1:
        return np.full(len(df), np.nan)
    half = 0.5 * of.nu
    shrinks = np.exp(special.gammaln(half + 0.5) - special.gammaln(half)) / np.sqrt(half)
    se = np.sqrt(of.covariance[:, 0, 0]) * np.where(np.isinf(df), 1.0, shrinks)
    return np.asarray(2.0 * np.sqrt(critical_value(1, df, level)) * se)
