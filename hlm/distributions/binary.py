"""The Bernoulli distribution."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Distribution

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["Binary"]


@dataclass(frozen=True)
class Binary(Distribution):
    """1 with probability `p`, else 0.

    Examples
    --------
    >>> Binary(0.2).mean, Binary(0.2).sd
    (0.2, 0.4)
    """

    p: float = 0.5

    family = "binary"
    nanoseconds = 4.0
    levels = (0.0, 1.0)

    @property
    def mean(self) -> float:
        """The probability of a 1."""
        return self.p

    @property
    def sd(self) -> float:
        """The standard deviation."""
        return sqrt(self.p * (1.0 - self.p))

    @property
    def skewness(self) -> float:
        """The third standardized moment."""
        return (1.0 - 2.0 * self.p) / self.sd

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment."""
        return 1.0 / self.variance - 3.0

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities."""
        return (probability > 1.0 - self.p).astype(float)

    def quadrature(self) -> tuple[Floats, Floats]:
        """Return both values and their probabilities."""
        import numpy as np

        return np.array([0.0, 1.0]), np.array([1.0 - self.p, self.p])

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Draw zeros and ones."""
        return (rng.random(size) < self.p).astype(float)

    def spread(self, shares: Floats) -> Floats:
        """Return ones for the smallest shares."""
        return (shares < self.p).astype(float)

    def example(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Return as many ones as zeros, so that a rare value does not pass for a constant."""
        import numpy as np

        return rng.permutation(np.arange(prod(size)) % 2).reshape(size).astype(float)
