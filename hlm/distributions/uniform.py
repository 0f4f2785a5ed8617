"""The uniform distribution."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Distribution

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["Uniform"]

NODES = 40


@dataclass(frozen=True)
class Uniform(Distribution):
    """A uniform distribution from `low` to `high`.

    Examples
    --------
    >>> Uniform(2.0, 8.0).mean, round(Uniform(2.0, 8.0).variance, 12)
    (5.0, 3.0)
    """

    low: float = 0.0
    high: float = 1.0

    family = "uniform"
    shape = ()
    call_example = "uniform"
    synonyms = ("unif", "rectangular", "flat", "u")
    nanoseconds = 4.0
    nanoseconds_from_normal = 11.0
    skewness = 0.0
    kurtosis = 1.8

    @property
    def mean(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2.0

    @property
    def sd(self) -> float:
        """The standard deviation."""
        return abs(self.high - self.low) / sqrt(12.0)

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities."""
        return self.low + (self.high - self.low) * probability

    def quadrature(self) -> tuple[Floats, Floats]:
        """Return nodes and weights of Gauss and Legendre, exact for polynomials."""
        import numpy as np

        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        return self.quantile((nodes + 1.0) / 2.0), weights / 2.0

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Draw from low, inclusive, to high, exclusive."""
        drawn = rng.random(size)
        drawn *= self.high - self.low
        drawn += self.low
        return drawn

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw between the roots of 3, which does not depend on low and high."""
        drawn = rng.random(size, out=out)
        drawn -= 0.5
        drawn *= sqrt(12.0)
        return drawn
