"""The lognormal distribution, standardized."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Standardized
from hlm.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["LogNormal"]

LEAST, MOST = 1e-6, 10.0
"""Below, it is a normal to all digits that count; above, sd and kurtosis leave the doubles."""


@dataclass(frozen=True)
class LogNormal(Standardized):
    """The exponential of a normal, less its mean and over its sd.

    With s the sd of the normal z, that is (exp(s z - s^2 / 2) - 1) / sqrt(exp(s^2) - 1).

    Attributes
    ----------
    log_sd : float
        The sd of the logarithm, s.

    Examples
    --------
    >>> round(LogNormal(0.5).skewness, 2), round(LogNormal(0.5).kurtosis, 2)
    (1.75, 8.9)
    """

    log_sd: float

    family = "lognormal"
    shape = ("log_sd",)
    call_example = "lognormal(0.5)"
    synonyms = ("lognorm", "lnorm", "galton", "logn")
    nanoseconds = 11.0
    nanoseconds_from_normal = 3.0

    def __post_init__(self) -> None:
        if not LEAST <= self.log_sd <= MOST:
            raise InputError(
                f"there is no lognormal({self.log_sd:g})",
                allowed=f"the sd of the logarithm, {LEAST:g} to {MOST:g}, such as lognormal(0.5)",
            )

    @property
    def skewness(self) -> float:
        """The third standardized moment, (w + 2) sqrt(w - 1) with w = exp(s^2)."""
        return (exp(self.log_sd**2) + 2.0) * self._spread

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment, w^4 + 2 w^3 + 3 w^2 - 3."""
        w = exp(self.log_sd**2)
        return w**4 + 2.0 * w**3 + 3.0 * w**2 - 3.0

    @property
    def _spread(self) -> float:
        """The sd over the mean before it is standardized, sqrt(w - 1)."""
        return sqrt(expm1(self.log_sd**2))

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities, by SciPy's of the normal."""
        from scipy.special import ndtri

        return self.from_normal(ndtri(probability))

    def from_normal(self, z: Floats) -> Floats:
        """Return the exponentials, standardized."""
        import numpy as np

        return self._exponential(np.array(z, dtype=float))

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw the exponential of a normal."""
        return self._exponential(rng.standard_normal(size, out=out))

    def _exponential(self, z: Floats) -> Floats:
        """Turn normals into lognormals in place."""
        import numpy as np

        z *= self.log_sd
        z -= self.log_sd**2 / 2.0
        np.expm1(z, out=z)
        z /= self._spread
        return z
