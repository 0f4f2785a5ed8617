"""A mixture of two normal distributions of one mean, standardized."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Standardized
from hlm.distributions.inversion import invert
from hlm.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["Mixture"]


@dataclass(frozen=True)
class Mixture(Standardized):
    """A normal, or with probability `share` one with an sd `ratio` times as large.

    Attributes
    ----------
    share : float
        Of the second normal, above 0 and below 1.
    ratio : float
        Its sd over that of the first, above 0.

    Examples
    --------
    >>> round(Mixture(0.1, 3.0).kurtosis, 2)
    8.33
    """

    share: float
    ratio: float

    family = "mixture"
    shape = ("share", "ratio")
    call_example = "mixture(0.1, 3)"
    synonyms = (
        *("mix", "normalmixture", "mixturenormal", "mixnormal", "mixtureofnormals"),
        *("contaminated", "contaminatednormal", "scalemixture"),
    )
    nanoseconds = 24.0
    nanoseconds_from_normal = 300.0
    skewness = 0.0

    def __post_init__(self) -> None:
        wrong = []
        if not 0.0 < self.share < 1.0:
            wrong.append("a share of the second normal above 0 and below 1")
        if not (self.ratio > 0.0 and isfinite(self.ratio)):
            wrong.append("a ratio of its sd to the first one's above 0")
        if wrong:
            raise InputError(
                f"there is no mixture({self.share:g}, {self.ratio:g})",
                allowed=f"{' and '.join(wrong)}, such as {self.call_example}",
            )

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment, three times the mean of the sds' fourth powers."""
        first, second = self._sds
        return 3.0 * ((1.0 - self.share) * first**4 + self.share * second**4)

    @property
    def _sds(self) -> tuple[float, float]:
        """Of the two normals, of which the mean variance is 1."""
        # (1 - share) s^2 + share (ratio s)^2 = 1; the larger sd is factored out
        largest = max(1.0, self.ratio)
        first, second = 1.0 / largest, self.ratio / largest
        whole = sqrt((1.0 - self.share) * first**2 + self.share * second**2)
        return first / whole, second / whole

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities, to some units in the last place."""
        from scipy.special import ndtri

        return self.from_normal(ndtri(probability))

    def from_normal(self, z: Floats) -> Floats:
        """Return the quantiles at Phi(z), each from the nearer tail, by Newton's method."""
        import numpy as np

        # F(-x) = Phi(-z), where F is between the distribution functions of the two normals
        size = np.abs(z).ravel()
        x = invert(self._normal_of, size, size * min(self._sds), size * max(self._sds))
        return np.copysign(x.reshape(np.shape(z)), z)

    def _normal_of(self, x: Floats) -> tuple[Floats, Floats]:
        """Return z with Phi(-z) = F(-x) for x from 0 on, and its derivative."""
        import numpy as np
        from scipy.special import ndtr, ndtri

        (first, second), share = self._sds, self.share
        z = -ndtri((1.0 - share) * ndtr(-x / first) + share * ndtr(-x / second))
        # dz/dx = f(x) / phi(z), with phi(x / s) / phi(z) = exp((z^2 - x^2 / s^2) / 2)
        slope = sum(
            weight / sd * np.exp((z - x / sd) * (z + x / sd) / 2.0)
            for weight, sd in ((1.0 - share, first), (share, second))
        )
        return z, slope

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw pairs of normals: the second says which sd the first has."""
        import numpy as np
        from scipy.special import ndtri

        pairs = rng.standard_normal((*size, 2))
        first, second = self._sds
        sds = np.where(pairs[..., 1] < ndtri(self.share), second, first)
        return np.multiply(pairs[..., 0], sds, out=sds if out is None else out)
