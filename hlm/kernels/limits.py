"""Wald limits, by t for coefficients, by the normal for the random part; percentiles; p-values."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "chi_square_p",
    "confidence_limits",
    "critical_value",
    "f_p_value",
    "percentile_limits",
]

Floats = NDArray[np.float64]

FEWEST_SMOOTH, DEGREE, AGREES = 2.0, 24, 1e-13
"""Degrees of freedom from which quantiles of t are a polynomial, its degree, and the relative error
from which it is not."""


def critical_value(df: Floats, level: float) -> Floats:
    """Two-sided quantile of Student's t; of the normal where `df` is infinite or NaN.

    Examples
    --------
    >>> critical_value(np.array([28.0, np.inf]), 0.95).round(4)
    array([2.0484, 1.96  ])
    """
    from scipy.special import ndtri, stdtrit

    share = 0.5 + level / 2.0
    coefficients = _in_reciprocal(share)
    finite = np.isfinite(df)
    known = np.where(finite, df, 1.0)
    smooth = finite & (known >= FEWEST_SMOOTH) & (coefficients is not None)
    found = np.full(np.shape(df), ndtri(share))
    if coefficients is not None:
        found[smooth] = chebyshev.chebval(2.0 * FEWEST_SMOOTH / known[smooth] - 1.0, coefficients)
    few = finite & ~smooth
    found[few] = stdtrit(known[few], share)
    return found


@lru_cache(maxsize=64)
def _in_reciprocal(share: float) -> Floats | None:
    """Return the quantile of t at a share as a polynomial in u = 2 FEWEST_SMOOTH / df - 1.

    In 1 / df it is smooth as far as the normal's at 0, so that few Chebyshev coefficients give all
    its digits, in a tenth of the time of a root of the distribution function. None where they do
    not, far out in the tail.
    """
    from scipy.special import ndtri, stdtrit

    def quantile(u: Floats) -> Floats:
        reciprocal = (u + 1.0) / (2.0 * FEWEST_SMOOTH)
        some = np.where(reciprocal > 0.0, reciprocal, 1.0)
        return np.where(reciprocal > 0.0, stdtrit(1.0 / some, share), ndtri(share))

    nodes, between = chebyshev.chebpts1(DEGREE + 1), np.linspace(-1.0, 1.0, 8 * DEGREE)
    coefficients: Floats = chebyshev.chebfit(nodes, quantile(nodes), DEGREE).astype(float)
    error = np.abs(chebyshev.chebval(between, coefficients) / quantile(between) - 1.0)
    return coefficients if error.max() < AGREES else None


def f_p_value(statistic: ArrayLike, df: ArrayLike, ddf: ArrayLike) -> Floats:
    """P-values of F statistics; of chi-square / df where `ddf` is infinite.

    In the smallest samples Kenward and Roger's ddf may be negative, which gives NaN, or the scale
    of their F, which gives 1.

    Examples
    --------
    >>> f_p_value([4.0, 4.0, 4.0, -1.0], 2, [10.0, np.inf, -3.0, 1.5]).round(4)
    array([0.0529, 0.0183,    nan, 1.    ])
    """
    from scipy.special import chdtrc, fdtrc

    F, r, nu = (np.asarray(values, dtype=float) for values in (statistic, df, ddf))
    F = np.maximum(F, 0.0)
    finite = np.isfinite(nu) & (nu > 0.0)
    p = np.where(nu == np.inf, chdtrc(r, r * F), np.nan)
    return np.where(finite, fdtrc(r, np.where(finite, nu, 1.0), F), p)


def chi_square_p(statistic: ArrayLike, df: ArrayLike, *, boundary: bool) -> Floats:
    """P-values of likelihood ratio statistics, by chi-square or by the mixture at the boundary.

    Parameters
    ----------
    statistic, df : array_like
        Chi-square with 0 df is a point mass at 0.
    boundary : bool
        By the mixture of df - 1 and df.

    Examples
    --------
    >>> chi_square_p([3.84, 3.84], [1, 2], boundary=False).round(4)
    array([0.05  , 0.1466])
    >>> chi_square_p([3.84, 3.84], [1, 2], boundary=True).round(4)
    array([0.025 , 0.0983])
    """
    from scipy.special import chdtrc

    x, k = np.maximum(np.asarray(statistic, dtype=float), 0.0), np.asarray(df, dtype=float)

    def tail(k: Floats) -> Floats:
        mass = np.where(np.isnan(x), np.nan, np.where(x > 0.0, 0.0, 1.0))
        return np.where(k > 0.0, chdtrc(np.maximum(k, 1.0), x), mass)

    return 0.5 * (tail(k - 1.0) + tail(k)) if boundary else tail(k)


def confidence_limits(
    estimate: Floats, se: Floats, df: Floats, scales: Sequence[str], level: float
) -> tuple[Floats, Floats]:
    """Return lower and upper limits.

    Parameters
    ----------
    estimate, se, df : ndarray (..., n_terms)
    scales : sequence of str, (n_terms,)
        The scale of each term, with c the critical value: 'identity', estimate +- c se; 'log',
        exp(log estimate +- c se / estimate); 'square', the roots of estimate^2 +- 2 c estimate se,
        of 0 where that is negative; 'atanh', tanh(atanh rho +- c se / (1 - rho^2)); 'correlation',
        rho +- c se, at most 1 in size; 'logit', expit(logit r +- c se / (r (1 - r))); 'share',
        r +- c se, within 0 and 1.
    level : float

    Returns
    -------
    lower, upper : ndarray (..., n_terms)
        NaN where the standard error is: at the boundary.

    Examples
    --------
    >>> sd, se, df = np.array([2.0, 2.0, 2.0]), np.full(3, 0.5), np.full(3, np.inf)
    >>> confidence_limits(sd, se, df, ["identity", "log", "square"], 0.95)[0].round(3)
    array([1.02 , 1.225, 0.283])
    """
    half = critical_value(df, level) * se
    lower, upper = np.empty_like(half), np.empty_like(half)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for scale in set(scales):
            of = np.array([one == scale for one in scales])
            limits = _ON_SCALE[scale](estimate[..., of], half[..., of])
            lower[..., of], upper[..., of] = limits
    return lower, upper


def percentile_limits(draws: Floats, level: float, least: float = 1) -> Floats:
    """Return percentile limits of bootstrap draws, as `boot.ci(type = "perc")` of R.

    Parameters
    ----------
    draws : ndarray (n, n_terms)
        NaN counts out.
    level : float
    least : float
        How many draws a term must have.

    Returns
    -------
    ndarray (2, n_terms)
        Of N draws, in order, number (N + 1) share; between two of them by the quantiles of the
        normal (Davison & Hinkley 1997, 5.8), beyond them the last one. NaN of terms with
        fewer than `least`.

    Examples
    --------
    >>> percentile_limits(np.arange(1.0, 200.0)[:, None], 0.95).ravel().round(6)
    array([  5., 195.])
    """
    from scipy.special import ndtri

    ordered, n = np.sort(draws, axis=0), np.isfinite(draws).sum(axis=0)
    limits = np.full((2, draws.shape[1]), np.nan)
    known = np.flatnonzero((n > 0) & (n >= least))
    n = n[known]
    for limit, share in zip(limits, (0.5 - level / 2.0, 0.5 + level / 2.0), strict=True):
        below = np.floor((n + 1) * share)
        inside = (below >= 1) & (below < n)
        first, last = (ndtri(np.where(inside, k / (n + 1), 0.5)) for k in (below, below + 1))
        part = np.where(inside, (ndtri(share) - first) / np.where(inside, last - first, 1.0), 0.0)
        places = (np.clip(below + k, 1, n).astype(int) - 1 for k in (0, 1))
        low, high = (ordered[place, known] for place in places)
        limit[known] = low + part * (high - low)
    return limits


def _identity(estimate: Floats, half: Floats) -> tuple[Floats, Floats]:
    return estimate - half, estimate + half


def _log(estimate: Floats, half: Floats) -> tuple[Floats, Floats]:
    factor = np.exp(half / estimate)
    return estimate / factor, estimate * factor


def _square(estimate: Floats, half: Floats) -> tuple[Floats, Floats]:
    square, width = estimate**2, 2.0 * estimate * half
    return np.sqrt(np.maximum(square - width, 0.0)), np.sqrt(square + width)


def _atanh(estimate: Floats, half: Floats) -> tuple[Floats, Floats]:
    centre = np.arctanh(np.where(np.isnan(half), np.nan, estimate))
    width = half / (1.0 - estimate**2)
    return np.tanh(centre - width), np.tanh(centre + width)


def _correlation(estimate: Floats, half: Floats) -> tuple[Floats, Floats]:
    return np.maximum(estimate - half, -1.0), np.minimum(estimate + half, 1.0)


def _logit(estimate: Floats, half: Floats) -> tuple[Floats, Floats]:
    odds = estimate / (1.0 - estimate)
    factor = np.exp(half / (estimate * (1.0 - estimate)))
    return odds / (odds + factor), 1.0 / (1.0 + 1.0 / (odds * factor))


def _share(estimate: Floats, half: Floats) -> tuple[Floats, Floats]:
    return np.maximum(estimate - half, 0.0), np.minimum(estimate + half, 1.0)


_ON_SCALE: dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "identity": _identity,
    "log": _log,
    "square": _square,
    "atanh": _atanh,
    "correlation": _correlation,
    "logit": _logit,
    "share": _share,
}
