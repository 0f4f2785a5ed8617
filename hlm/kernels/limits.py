"""Wald limits, by t for coefficients, by the normal for the random part; p-values of F tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["confidence_limits", "critical_value", "f_p_value"]

Floats = NDArray[np.float64]


def critical_value(df: Floats, level: float) -> Floats:
    """Two-sided quantile of Student's t; of the normal where `df` is infinite or NaN.

    Examples
    --------
    >>> critical_value(np.array([28.0, np.inf]), 0.95).round(4)
    array([2.0484, 1.96  ])
    """
    from scipy.special import ndtri, stdtrit

    share = 0.5 + level / 2.0
    finite = np.isfinite(df)
    return np.where(finite, stdtrit(np.where(finite, df, 1.0), share), ndtri(share))


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


def confidence_limits(
    estimate: Floats,
    se: Floats,
    df: Floats,
    kinds: list[str],
    level: float,
    *,
    variance_scale: bool = False,
) -> tuple[Floats, Floats]:
    """Return lower and upper limits.

    Parameters
    ----------
    estimate, se, df : ndarray (..., n_terms)
    kinds : list of {'fixed', 'sd', 'cor'}
        What each term is: estimate +- c se; exp(log sd +- c se / sd);
        tanh(atanh rho +- c se / (1 - rho^2)), c the critical value.
    level : float
    variance_scale : bool
        Instead the roots of sd^2 +- 2 c sd se, of 0 where that is negative; rho +- c se, at most 1
        in size.

    Returns
    -------
    lower, upper : ndarray (..., n_terms)
        NaN where the standard error is: at the boundary.
    """
    half = critical_value(df, level) * se
    lower, upper = estimate - half, estimate + half
    sd = np.array([kind == "sd" for kind in kinds])
    cor = np.array([kind == "cor" for kind in kinds])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if variance_scale:
            square, width = estimate[..., sd] ** 2, 2.0 * estimate[..., sd] * half[..., sd]
            lower[..., sd] = np.sqrt(np.maximum(square - width, 0.0))
            upper[..., sd] = np.sqrt(square + width)
            lower[..., cor] = np.maximum(lower[..., cor], -1.0)
            upper[..., cor] = np.minimum(upper[..., cor], 1.0)
            return lower, upper
        factor = np.exp(half[..., sd] / estimate[..., sd])
        lower[..., sd], upper[..., sd] = estimate[..., sd] / factor, estimate[..., sd] * factor
        centre = np.arctanh(np.where(np.isnan(se[..., cor]), np.nan, estimate[..., cor]))
        width = half[..., cor] / (1.0 - estimate[..., cor] ** 2)
        lower[..., cor], upper[..., cor] = np.tanh(centre - width), np.tanh(centre + width)
    return lower, upper
