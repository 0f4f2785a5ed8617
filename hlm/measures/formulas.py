"""Performance measures of one group of replicates, each with its Monte Carlo standard error.

Notation: estimates b_i with standard errors s_i and limits L_i, U_i, i = 1..n; true value t;
sd and var with divisor n - 1. Every function returns a `Value`: the measure, its Monte Carlo
standard error (MCSE) and n. What is undefined is NaN.

References
----------
T. P. Morris, I. R. White, M. J. Crowther (2019). Using simulation studies to evaluate statistical
methods. Statistics in Medicine 38, 2074-2102, Table 6.
R. M. Price, D. G. Bonett (2001). Estimating the variance of the sample median. Journal of
Statistical Computation and Simulation 68, 295-305.
"""

from __future__ import annotations

from math import isnan, nan, sqrt
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Value",
    "bias",
    "bias_eliminated_coverage",
    "ci_width",
    "coverage",
    "empirical_se",
    "is_unbounded",
    "mean",
    "median",
    "median_bias",
    "model_se",
    "mse",
    "proportion",
    "rejection",
    "relative_bias",
    "relative_error_se",
    "relative_precision",
    "rmse",
]

VERY_WIDE = 1000.0
"""An interval so many times as wide as the narrow ones counts as unbounded: Wald limits on the log
scale are so where an estimated sd is near 0."""


Array: TypeAlias = NDArray[np.float64]


class Value(NamedTuple):
    """A measure, its Monte Carlo standard error, and the number of replicates it rests on."""

    estimate: float
    mcse: float
    n: int


def mean(x: Array) -> Value:
    """Return mean(x), with MCSE sd(x)/sqrt(n).

    Examples
    --------
    >>> mean(np.array([1.0, 2.0, 3.0, 6.0]))
    Value(estimate=3.0, mcse=1.0801234497346435, n=4)
    """
    n = x.size
    return Value(_mean(x), _divide(sqrt(_variance(x)), sqrt(n)), n)


def median(x: Array) -> Value:
    """Return the median, with an MCSE that assumes no density.

    The order statistics x_(c), x_(n-c+1) with c = (n + 1)/2 - sqrt(n), rounded and at least 1,
    hold the median with probability 1 - 2 P(Bin(n, 1/2) < c) = 2 Phi(z) - 1 exactly, so

        MCSE = (x_(n-c+1) - x_(c)) / (2 z)        (Price and Bonett 2001).
    """
    from scipy.special import bdtr, ndtri

    n = x.size
    if n == 0 or np.isnan(x).any():
        return Value(nan, nan, n)
    ordered = np.sort(x)
    middle = 0.5 * float(ordered[(n - 1) // 2] + ordered[n // 2])
    c = max(1, round((n + 1) / 2 - sqrt(n)))
    z = -float(ndtri(bdtr(c - 1, n, 0.5)))
    return Value(middle, _divide(float(ordered[n - c] - ordered[c - 1]), 2 * z), n)


def bias(b: Array, t: Array) -> Value:
    """Return mean(b) - t, with MCSE sd(b)/sqrt(n)."""
    return mean(b - t)


def relative_bias(b: Array, t: Array) -> Value:
    """Return mean((b - t)/t), with MCSE sd((b - t)/t)/sqrt(n); NaN where t is 0."""
    return mean((b - t) / np.where(t == 0, nan, t))


def median_bias(b: Array, t: Array) -> Value:
    """Return median(b) - t, with the MCSE of the median."""
    return median(b - t)


def empirical_se(b: Array) -> Value:
    """Return sd(b), with MCSE sd(b)/sqrt(2(n - 1))."""
    sd = sqrt(_variance(b))
    return Value(sd, _divide(sd, sqrt(2 * max(b.size - 1, 0))), b.size)


def mse(b: Array, t: Array) -> Value:
    """Return mean((b - t)^2), with MCSE sd((b - t)^2)/sqrt(n)."""
    return mean((b - t) ** 2)


def rmse(b: Array, t: Array) -> Value:
    """Return sqrt(MSE), with MCSE(MSE)/(2 RMSE)."""
    square, mcse, n = mse(b, t)
    root = sqrt(square)
    return Value(root, _divide(mcse, 2 * root), n)


def relative_precision(b: Array, a: Array) -> Value:
    """Return (sd(a)/sd(b))^2 - 1, the gain over reference estimates a_i of the same data sets.

    MCSE 2 (sd(a)/sd(b))^2 sqrt((1 - cor(a, b)^2)/(n - 1)).
    """
    n = b.size
    var_a, var_b = _variance(a), _variance(b)
    ratio = _divide(var_a, var_b)
    covariance = _covariance(a, b)
    unshared = 1 - _divide(covariance * covariance, var_a * var_b)
    return Value(ratio - 1, 2 * ratio * sqrt(_divide(max(unshared, 0.0), n - 1)), n)


def model_se(s: Array) -> Value:
    """Return sqrt(mean(s^2)), with MCSE sqrt(var(s^2)/(4 n modelSE^2))."""
    n = s.size
    square = _mean(s**2)
    return Value(sqrt(square), sqrt(_divide(_variance(s**2), 4 * n * square)), n)


def relative_error_se(b: Array, s: Array) -> Value:
    """Return modelSE/sd(b) - 1.

    MCSE (modelSE/sd(b)) sqrt(var(s^2)/(4 n modelSE^4) + 1/(2(n - 1))).
    """
    n = s.size
    square = _mean(s**2)
    ratio = _divide(sqrt(square), sqrt(_variance(b)))
    of_model = _divide(_variance(s**2), 4 * n * square * square)
    return Value(ratio - 1, ratio * sqrt(of_model + _divide(1.0, 2 * (n - 1))), n)


def proportion(hits: NDArray[np.bool_]) -> Value:
    """Return the share p of hits, with MCSE sqrt(p(1 - p)/n), which is 0 where p is 0 or 1.

    Examples
    --------
    >>> proportion(np.array([True, True, True, False]))
    Value(estimate=0.75, mcse=0.21650635094610965, n=4)
    """
    n = hits.size
    p = _divide(float(np.count_nonzero(hits)), n)
    return Value(p, sqrt(_divide(p * (1 - p), n)), n)


def coverage(lower: Array, upper: Array, t: Array) -> Value:
    """Return the share of L <= t <= U, with the MCSE of a proportion; NaN where t is."""
    if np.isnan(t).any():
        return Value(nan, nan, lower.size)
    return proportion((lower <= t) & (t <= upper))


def bias_eliminated_coverage(lower: Array, upper: Array, centre: float) -> Value:
    """Return the share of L <= mean(b) <= U, with the MCSE of a proportion; NaN without a mean."""
    if isnan(centre):
        return Value(nan, nan, lower.size)
    return proportion((lower <= centre) & (centre <= upper))


def rejection(lower: Array, upper: Array) -> Value:
    """Return the share of intervals that leave out 0, with the MCSE of a proportion."""
    return proportion((lower > 0) | (upper < 0))


def ci_width(width: Array, unbounded: NDArray[np.bool_]) -> Value:
    """Return mean(U - L), with MCSE sd(U - L)/sqrt(n); NaN where an interval is unbounded."""
    return Value(nan, nan, width.size) if unbounded.any() else mean(width)


def is_unbounded(width: Array) -> NDArray[np.bool_]:
    """Tell the intervals with no end, or `VERY_WIDE` times as wide as the narrowest tenth.

    The yardstick is the 10 % quantile of the widths above 0: most of them may have exploded.

    Examples
    --------
    >>> is_unbounded(np.array([1.0, 2.0, 3.0, 1e5]))
    array([False, False, False,  True])
    """
    positive = width[width > 0.0]
    narrow = np.quantile(positive, 0.1, method="lower") if positive.size else np.inf
    return ~np.isfinite(width) | (width > VERY_WIDE * narrow)


def _divide(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else nan


def _mean(x: Array) -> float:
    return _divide(float(x.sum()), x.size)


def _variance(x: Array) -> float:
    return _covariance(x, x)


def _covariance(x: Array, y: Array) -> float:
    if x.size < 2:
        return nan
    # Differences from the first value make equal values exactly 0 apart.
    dx, dy = x - x[0], y - y[0]
    return float((dx - _mean(dx)) @ (dy - _mean(dy))) / (x.size - 1)
