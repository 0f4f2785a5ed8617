"""Confidence limits of shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["share_limits"]


def share_limits(
    p: ArrayLike, n: ArrayLike, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's limits of a share p of n.

    They are the values pi with abs(p - pi) = z sqrt(pi(1 - pi)/n), the roots of a square:

        (p + z^2/(2n) -/+ z sqrt(p(1 - p)/n + z^2/(4n^2)))/(1 + z^2/n)

    They lie between 0 and 1, and are apart where p is 0 or 1, other than p -/+ z MCSE.

    Parameters
    ----------
    p, n : array_like
    level : float
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        NaN where p is or n is 0.

    References
    ----------
    E. B. Wilson (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> [limit.round(4) for limit in share_limits([0.0, 0.5], 100)]
    [array([0.    , 0.4038]), array([0.037 , 0.5962])]
    """
    from scipy.special import ndtri

    share, of = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(n, dtype=float))
    z = float(ndtri((1.0 + level) / 2.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = z * z / of
        middle = share + 0.5 * shrink
        half = z * np.sqrt((share * (1.0 - share) + 0.25 * shrink) / of)
        lower, upper = (middle - half) / (1.0 + shrink), (middle + half) / (1.0 + shrink)
    unknown = np.isnan(share) | ~(of > 0)
    lower = np.where(unknown, np.nan, np.clip(lower, 0.0, share))
    return lower, np.where(unknown, np.nan, np.clip(upper, share, 1.0))
