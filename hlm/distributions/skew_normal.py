"""The skew-normal distribution, standardized."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, isfinite, pi, sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Standardized
from hlm.distributions.inversion import invert
from hlm.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["SkewNormal"]

FAR, NODES = 40.0, 32
"""Where (1 + alpha^2) x^2 is more, the lower tail is an integral by so many nodes."""


@dataclass(frozen=True)
class SkewNormal(Standardized):
    """Azzalini's skew-normal distribution, with density 2 phi(x) Phi(alpha x), standardized.

    Attributes
    ----------
    alpha : float
        Its slant, skewed to the right if positive; 0 is the normal, and far from it half of one.

    Examples
    --------
    >>> round(SkewNormal(4.0).skewness, 3), round(SkewNormal(-4.0).skewness, 3)
    (0.784, -0.784)
    """

    alpha: float

    family = "skew_normal"
    shape = ("alpha",)
    call_example = "skew_normal(4)"
    synonyms = ("skewnormal", "skewnorm", "skewednormal", "snorm", "sn", "azzalini")
    nanoseconds = 21.0
    nanoseconds_from_normal = 1300.0

    def __post_init__(self) -> None:
        if not isfinite(self.alpha):
            raise InputError(
                f"there is no skew_normal({self.alpha:g})",
                allowed="a finite number, such as skew_normal(4)",
            )

    @property
    def skewness(self) -> float:
        """The third standardized moment."""
        return (4.0 - pi) / 2.0 * (self._mean / self._sd) ** 3

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment."""
        return 3.0 + 2.0 * (pi - 3.0) * (self._mean / self._sd) ** 4

    @property
    def _delta(self) -> float:
        """The correlation with the normal whose size makes it skew."""
        return self.alpha / hypot(1.0, self.alpha)

    @property
    def _mean(self) -> float:
        """Before it is standardized."""
        return self._delta * sqrt(2.0 / pi)

    @property
    def _sd(self) -> float:
        """Before it is standardized."""
        return sqrt(1.0 - self._mean**2)

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities, to an error below 1e-11."""
        from scipy.special import ndtri

        return self.from_normal(ndtri(probability))

    def from_normal(self, z: Floats) -> Floats:
        """Return the quantiles at Phi(z), each from the nearer tail, by Newton's method."""
        import numpy as np
        from scipy.special import ndtr, ndtri

        # With alpha > 0 it is above a normal and below the size of one; else its mirror image is
        sign = 1.0 if self.alpha >= 0.0 else -1.0
        target = sign * np.ravel(z)
        x = invert(self._normal_of, target, target, -ndtri(ndtr(-target) / 2.0))
        return ((sign * x - self._mean) / self._sd).reshape(np.shape(z))

    def _normal_of(self, x: Floats) -> tuple[Floats, Floats]:
        """Return z with Phi(z) = F(x), the distribution function for |alpha|; its derivative."""
        import numpy as np
        from scipy.special import log_ndtr, ndtri

        upper = x > 0.0
        z = np.empty_like(x)
        z[upper] = -ndtri(self._upper_tail(x[upper]))
        z[~upper] = ndtri(self._lower_tail(-x[~upper]))
        # dz/dx = 2 phi(x) Phi(alpha x) / phi(z)
        return z, 2.0 * np.exp((z - x) * (z + x) / 2.0 + log_ndtr(abs(self.alpha) * x))

    def _upper_tail(self, x: Floats) -> Floats:
        """Return P(X > x) for x from 0 on: Phi(-x) + 2 T(x, alpha), with Owen's T."""
        from scipy.special import ndtr, owens_t

        return ndtr(-x) + 2.0 * owens_t(x, abs(self.alpha))

    def _lower_tail(self, x: Floats) -> Floats:
        """Return P(X < -x) for x from 0 on: Phi(-x) - 2 T(x, alpha).

        With alpha above 1 as 2 T(a, 1 / alpha) - Phi(-a) (1 - 2 Phi(-x)), a = alpha x: these are
        small where it is.
        """
        from scipy.special import ndtr, owens_t

        alpha = abs(self.alpha)
        if alpha <= 1.0:
            tail = ndtr(-x) - 2.0 * owens_t(x, alpha)
        else:
            a = alpha * x
            tail = 2.0 * owens_t(a, 1.0 / alpha) - ndtr(-a) * (1.0 - 2.0 * ndtr(-x))
        far = (1.0 + alpha**2) * x**2 > FAR
        if far.any():
            tail[far] = self._far_tail(x[far])
        return tail

    def _far_tail(self, x: Floats) -> Floats:
        """Return P(X < -x) far out, where differences as above lose their digits.

        With c = 1 + alpha^2 and t = c x s in the integral of the density at -x - s it is

            exp(-c x^2 / 2) / (sqrt(2 pi) c x) int_0^inf exp(-t) exp(-t^2 / (2 c x^2)) E(t) dt,

        E(t) = erfcx(alpha (x + t / (c x)) / sqrt(2)), by Gauss and Laguerre's rule.
        """
        import numpy as np
        from scipy.special import erfcx, roots_laguerre

        c = 1.0 + self.alpha**2
        t, weights = roots_laguerre(NODES)
        s = t / (c * x[:, None])
        E = erfcx(abs(self.alpha) * (x[:, None] + s) / sqrt(2.0))
        integral = (np.exp(-c * s**2 / 2.0) * E) @ weights
        return np.exp(-c * x**2 / 2.0) / (sqrt(2.0 * pi) * c * x) * integral

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw delta |z| + sqrt(1 - delta^2) w from pairs of normals z, w."""
        import numpy as np

        pairs = rng.standard_normal((*size, 2))
        drawn = np.abs(pairs[..., 0], out=out)
        drawn *= self._delta
        drawn += pairs[..., 1] / hypot(1.0, self.alpha)
        drawn -= self._mean
        drawn /= self._sd
        return drawn
