"""Performance measures of one group of replicates, each with its Monte Carlo standard error.

Notation: estimates b_i with standard errors s_i and limits L_i, U_i, i = 1..n; true value t;
sd and var with divisor n - 1. Every function returns a `Value`: the measure, its Monte Carlo
standard error (MCSE), n and, where the MCSE assumes a distribution, one that does not. What is
undefined is NaN.

References
----------
T. P. Morris, I. R. White, M. J. Crowther (2019). Using simulation studies to evaluate statistical
methods. Statistics in Medicine 38, 2074-2102, Table 6.
R. M. Price, D. G. Bonett (2001). Estimating the variance of the sample median. Journal of
Statistical Computation and Simulation 68, 295-305.
I. R. White (2010). simsum: analyses of simulation studies including Monte Carlo error. The Stata
Journal 10, 369-385 (the robust errors).
M. Joshi, J. E. Pustejovsky. simhelpers: helper functions for simulation studies (the variance
estimator, Winsorizing).
A. Gelman, J. Carlin (2014). Beyond power calculations: assessing type S (sign) and type M
(magnitude) errors. Perspectives on Psychological Science 9, 641-651.
"""

from __future__ import annotations

from math import isnan, nan, sqrt
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hlm.measures import influence

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Value",
    "above",
    "below",
    "bias",
    "bias_eliminated_coverage",
    "ci_width",
    "coverage",
    "empirical_se",
    "is_unbounded",
    "ks_distance",
    "ks_p_value",
    "mean",
    "median",
    "median_bias",
    "model_se",
    "mse",
    "p_values",
    "proportion",
    "quantile",
    "quantiles",
    "rejection",
    "relative_bias",
    "relative_bias_variance",
    "relative_error_se",
    "relative_precision",
    "rmse",
    "type_m",
    "type_s",
    "winsorized",
]

VERY_WIDE = 1000.0
"""An interval so many times as wide as the narrow ones counts as unbounded: Wald limits on the log
scale are so where an estimated sd is near 0."""


Array: TypeAlias = NDArray[np.float64]


class Value(NamedTuple):
    """A measure, its Monte Carlo standard error, and the number of replicates it rests on.

    `mcse_robust` is an MCSE that assumes no distribution; None where `mcse` assumes none itself.
    """

    estimate: float
    mcse: float
    n: int
    mcse_robust: float | None = None

    @property
    def robust(self) -> float:
        """The Monte Carlo standard error that assumes no distribution."""
        return self.mcse if self.mcse_robust is None else self.mcse_robust


def mean(x: Array) -> Value:
    """Return mean(x), with MCSE sd(x)/sqrt(n).

    Examples
    --------
    >>> mean(np.array([1.0, 2.0, 3.0, 6.0]))
    Value(estimate=3.0, mcse=1.0801234497346435, n=4, mcse_robust=None)
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
    c = max(1, round((n + 1) / 2 - sqrt(n)))
    ordered = np.sort(x)
    middle = 0.5 * float(ordered[(n - 1) // 2] + ordered[n // 2])
    z = -float(ndtri(bdtr(c - 1, n, 0.5)))
    return Value(middle, _divide(float(ordered[n - c] - ordered[c - 1]), 2 * z), n)


def quantile(x: Array, q: float) -> Value:
    """Return the quantile at q, with an MCSE that assumes no density; see `quantiles`.

    Examples
    --------
    >>> quantile(np.arange(101.0), 0.25).estimate
    25.0
    """
    return quantiles(x, [q])[0]


def quantiles(x: Array, shares: Sequence[float]) -> list[Value]:
    """Return quantiles, each with an MCSE that assumes no density.

    As for the median: the order statistics x_(a), x_(b), with (n + 1) q -/+ 2 sqrt(n q(1 - q))
    rounded, hold the quantile with probability P(a <= Bin(n, q) < b) = 2 Phi(z) - 1, and

        MCSE = (x_(b) - x_(a)) / (2 z).
    """
    from scipy.special import bdtr, ndtri

    n = x.size
    if n == 0 or np.isnan(x).any():
        return [Value(nan, nan, n) for _ in shares]
    ordered = np.sort(x)
    found = []
    for q in shares:
        half = 2.0 * sqrt(n * q * (1.0 - q))
        a, b = max(1, round((n + 1) * q - half)), min(n, round((n + 1) * q + half))
        inside = float(bdtr(b - 1, n, q) - bdtr(a - 1, n, q))
        z = float(ndtri(0.5 + inside / 2.0))
        mcse = _divide(float(ordered[b - 1] - ordered[a - 1]), 2 * z)
        place = (n - 1) * q
        i = int(place)
        # That of the two it lies between: NumPy would look for these among all.
        found.append(Value(float(np.quantile(ordered[i : i + 2], place - i)), mcse, n))
    return found


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
    """Return sd(b), with MCSE sd(b)/sqrt(2(n - 1)), that of a normal b."""
    sd = sqrt(_variance(b))
    robust = influence.empirical_se(b).mcse
    return Value(sd, _divide(sd, sqrt(2 * max(b.size - 1, 0))), b.size, robust)


def mse(b: Array, t: Array) -> Value:
    """Return mean((b - t)^2), with MCSE sd((b - t)^2)/sqrt(n)."""
    return mean((b - t) ** 2)


def rmse(b: Array, t: Array) -> Value:
    """Return sqrt(MSE), with MCSE(MSE)/(2 RMSE)."""
    square, mcse, n, _ = mse(b, t)
    root = sqrt(square)
    return Value(root, _divide(mcse, 2 * root), n)


def relative_precision(b: Array, a: Array) -> Value:
    """Return (sd(a)/sd(b))^2 - 1, the gain over reference estimates a_i of the same data sets.

    MCSE 2 (sd(a)/sd(b))^2 sqrt((1 - cor(a, b)^2)/(n - 1)), that of normal a and b.
    """
    n = b.size
    var_a, var_b = _variance(a), _variance(b)
    ratio = _divide(var_a, var_b)
    covariance = _covariance(a, b)
    unshared = 1 - _divide(covariance * covariance, var_a * var_b)
    mcse = 2 * ratio * sqrt(_divide(max(unshared, 0.0), n - 1))
    return Value(ratio - 1, mcse, n, influence.relative_precision(b, a).mcse)


def model_se(s: Array) -> Value:
    """Return sqrt(mean(s^2)), with MCSE sqrt(var(s^2)/(4 n modelSE^2))."""
    n = s.size
    square = _mean(s**2)
    return Value(sqrt(square), sqrt(_divide(_variance(s**2), 4 * n * square)), n)


def relative_error_se(b: Array, s: Array) -> Value:
    """Return modelSE/sd(b) - 1.

    MCSE (modelSE/sd(b)) sqrt(var(s^2)/(4 n modelSE^4) + 1/(2(n - 1))), that of a normal b which
    does not depend on s.
    """
    n = s.size
    square = _mean(s**2)
    ratio = _divide(sqrt(square), sqrt(_variance(b)))
    of_model = _divide(_variance(s**2), 4 * n * square * square)
    mcse = ratio * sqrt(of_model + _divide(1.0, 2 * (n - 1)))
    return Value(ratio - 1, mcse, n, influence.relative_error_se(b, s).mcse)


def relative_bias_variance(b: Array, s: Array) -> Value:
    """Return mean(s^2)/var(b) - 1, with the MCSE of the jackknife, in closed form.

    Without replicate i, mean(s^2) is (n mean(s^2) - s_i^2)/(n - 1), and the sum of squares about
    the mean is less by n/(n - 1) (b_i - mean(b))^2. With R_i the ratio of these,

        MCSE^2 = (n - 1)/n sum_i (R_i - mean(R))^2.
    """
    n = b.size
    if n < 3:
        return Value(nan, nan, n)
    variance, square = _variance(b), s**2
    centred = b - b[0]
    deviation = (centred - _mean(centred)) ** 2
    left = ((n - 1) * variance - n / (n - 1) * deviation) / (n - 2)
    ratios = (square.sum() - square) / (n - 1) / np.where(left > 0.0, left, nan)
    spread = _variance(ratios) * (n - 1)
    return Value(_divide(_mean(square), variance) - 1, sqrt((n - 1) / n * spread), n)


def proportion(hits: NDArray[np.bool_]) -> Value:
    """Return the share p of hits, with MCSE sqrt(p(1 - p)/n), which is 0 where p is 0 or 1.

    Examples
    --------
    >>> proportion(np.array([True, True, True, False]))
    Value(estimate=0.75, mcse=0.21650635094610965, n=4, mcse_robust=None)
    """
    n = hits.size
    p = _divide(float(np.count_nonzero(hits)), n)
    return Value(p, sqrt(_divide(p * (1 - p), n)), n)


def coverage(lower: Array, upper: Array, t: Array) -> Value:
    """Return the share of L <= t <= U, with the MCSE of a proportion; NaN where t is."""
    if np.isnan(t).any():
        return Value(nan, nan, lower.size)
    return proportion((lower <= t) & (t <= upper))


def below(upper: Array, t: Array) -> Value:
    """Return the share of intervals that lie below the true value, U < t; NaN where t is."""
    return Value(nan, nan, upper.size) if np.isnan(t).any() else proportion(upper < t)


def above(lower: Array, t: Array) -> Value:
    """Return the share of intervals that lie above the true value, L > t; NaN where t is."""
    return Value(nan, nan, lower.size) if np.isnan(t).any() else proportion(lower > t)


def bias_eliminated_coverage(lower: Array, upper: Array, centre: float) -> Value:
    """Return the share of L <= mean(b) <= U, with the MCSE of a proportion; NaN without a mean."""
    if isnan(centre):
        return Value(nan, nan, lower.size)
    return proportion((lower <= centre) & (centre <= upper))


def rejection(lower: Array, upper: Array) -> Value:
    """Return the share of intervals that leave out 0, with the MCSE of a proportion."""
    return proportion((lower > 0) | (upper < 0))


def type_s(b: Array, t: Array) -> Value:
    """Return the share of significant estimates b with the other sign than t, which is not 0."""
    return proportion(np.sign(b) != np.sign(t))


def type_m(b: Array, t: Array) -> Value:
    """Return mean(abs(b)/abs(t)) of significant estimates b, by how much they exaggerate."""
    return mean(np.abs(b) / np.abs(t))


def p_values(b: Array, s: Array, df: Array | None) -> Array:
    """Return two-sided p-values of b = 0: of t with `df`, normal where that is NaN or infinite.

    Examples
    --------
    >>> p_values(np.array([1.96, 2.0]), np.ones(2), np.array([np.inf, 5.0])).round(3)
    array([0.05 , 0.102])
    """
    from scipy.special import ndtr, stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(s > 0.0, -np.abs(b / s), nan)
    p: Array = 2.0 * ndtr(t)
    if df is not None:
        finite = np.isfinite(df) & ~np.isnan(t)
        p[finite] = 2.0 * stdtr(df[finite], t[finite])
    return p


def ks_distance(p: Array) -> Value:
    """Return the largest distance of the distribution of p-values from the uniform one.

    D = max_i max(i/n - p_(i), p_(i) - (i - 1)/n), by Kolmogorov and Smirnov; it has no MCSE.
    """
    n = p.size
    if n == 0:
        return Value(nan, nan, 0)
    ordered, steps = np.sort(p), np.arange(n + 1) / n
    return Value(float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max())), nan, n)


def ks_p_value(distance: Value) -> Value:
    """Return the probability of a larger distance if p-values are uniform, exactly."""
    from scipy.stats import kstwo

    if isnan(distance.estimate):
        return distance
    return Value(float(kstwo.sf(distance.estimate, distance.n)), nan, distance.n)


def winsorized(b: Array, times: float) -> Array:
    """Return b, ascending, clipped at q25 - times IQR and q75 + times IQR, IQR = q75 - q25.

    Quantiles are interpolated as by R's default. MCSEs of measures of the clipped estimates take
    the two points as given.

    Examples
    --------
    >>> winsorized(np.array([1.0, 2.0, 3.0, 4.0, 99.0]), 3.0)
    array([ 1.,  2.,  3.,  4., 10.])
    """
    if b.size == 0:
        return b
    first, third = (_quantile_of_sorted(b, share) for share in (0.25, 0.75))
    reach = times * (third - first)
    return np.clip(b, first - reach, third + reach)


def _quantile_of_sorted(x: Array, share: float) -> float:
    place = share * (x.size - 1)
    i = int(place)
    return float(x[i] + (place - i) * (x[min(i + 1, x.size - 1)] - x[i]))


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
    if width.size and width.min() > 0.0 and width.max() <= VERY_WIDE * width.min() < np.inf:
        return np.zeros(width.size, dtype=bool)
    positive = width[width > 0.0]
    narrow = np.quantile(positive, 0.1, method="lower") if positive.size else np.inf
    return ~np.isfinite(width) | (width > VERY_WIDE * narrow)


def _divide(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else nan


def _mean(x: Array) -> float:
    return _divide(float(x.sum()), x.size)


def _variance(x: Array) -> float:
    if x.size < 2:
        return nan
    dx = _centred(x)
    return float(dx @ dx) / (x.size - 1)


def _covariance(x: Array, y: Array) -> float:
    if x.size < 2:
        return nan
    return float(_centred(x) @ _centred(y)) / (x.size - 1)


def _centred(x: Array) -> Array:
    # Differences from the first value make equal values exactly 0 apart.
    dx = x - x[0]
    dx -= _mean(dx)
    return dx
