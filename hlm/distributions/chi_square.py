"""The chi-square distribution, standardized."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Standardized
from hlm.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["ChiSquare"]


@dataclass(frozen=True)
class ChiSquare(Standardized):
    """The chi-square distribution less its mean df, over its sd sqrt(2 df).

    It is the gamma distribution of shape df / 2, and with 2 degrees of freedom the exponential.

    Attributes
    ----------
    df : float
        The degrees of freedom, above 0.

    Examples
    --------
    >>> ChiSquare(2.0).skewness, ChiSquare(1.0).kurtosis
    (2.0, 15.0)
    """

    df: float

    family = "chisq"
    shape = ("df",)
    call_example = "chisq(1)"
    synonyms = ("chi", "chisquare", "chisquared", "chisqr", "xsquared")
    cases = {"exponential": "chisq(2)", "exp": "chisq(2)", "gamma": "chisq(1)"}  # noqa: RUF012
    nanoseconds = 16.0
    nanoseconds_from_normal = 430.0

    def __post_init__(self) -> None:
        if not (self.df > 0.0 and isfinite(self.df)):
            raise InputError(
                f"there is no chisq({self.df:g})",
                allowed="degrees of freedom above 0, such as chisq(1)",
            )

    @property
    def skewness(self) -> float:
        """The third standardized moment, sqrt(8 / df)."""
        return sqrt(8.0 / self.df)

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment, 3 + 12 / df."""
        return 3.0 + 12.0 / self.df

    @property
    def _gamma_shape(self) -> float:
        """Of half a chi-square, which is also its mean and variance."""
        return self.df / 2.0

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities, by SciPy."""
        from scipy.special import gammaincinv

        return self._of_gamma(gammaincinv(self._gamma_shape, probability))

    def from_normal(self, z: Floats) -> Floats:
        """Return the quantiles at Phi(z), each from the nearer tail."""
        import numpy as np
        from scipy.special import gammainccinv, gammaincinv, ndtr, ndtri

        tail, upper = ndtr(-np.abs(z)), z > 0.0
        if self.df == 1.0:
            # P(w^2 > c) = 2 Phi(-sqrt(c))
            return self._of_gamma(ndtri(np.where(upper, tail, 1.0 - tail) / 2.0) ** 2 / 2.0)
        k = self._gamma_shape
        halves = np.empty_like(tail)
        halves[upper], halves[~upper] = gammainccinv(k, tail[upper]), gammaincinv(k, tail[~upper])
        return self._of_gamma(halves)

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw a square of a normal, or a gamma by NumPy."""
        import numpy as np

        if self.df == 1.0:
            drawn = rng.standard_normal(size, out=out)
            np.square(drawn, out=drawn)
            drawn -= 1.0
            drawn *= sqrt(0.5)
            return drawn
        drawn = rng.standard_gamma(self._gamma_shape, size, out=out)
        drawn -= self._gamma_shape
        drawn /= sqrt(self._gamma_shape)
        return drawn

    def _of_gamma(self, halves: Floats) -> Floats:
        """Standardize halves of chi-squares."""
        return (halves - self._gamma_shape) / sqrt(self._gamma_shape)
