"""A shape with a stated mean and sd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hlm.distributions.base import Distribution

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["Scaled"]


@dataclass(frozen=True)
class Scaled(Distribution):
    """A distribution of the shape of another, moved and stretched.

    Attributes
    ----------
    base : Distribution
        Of which only the shape counts.
    mean, sd : float

    Examples
    --------
    >>> import numpy as np
    >>> from hlm.distributions.laplace import Laplace
    >>> Scaled(Laplace(), 10.0, 2.0).quantile(np.array([0.5])).tolist()
    [10.0]
    """

    base: Distribution
    mean: float = 0.0
    sd: float = 1.0

    family = "scaled"

    @property
    def nanoseconds(self) -> float:  # type: ignore[override]
        """What one number takes to draw."""
        return self.base.nanoseconds

    @property
    def skewness(self) -> float:
        """That of the shape."""
        return self.base.skewness

    @property
    def kurtosis(self) -> float:
        """That of the shape."""
        return self.base.kurtosis

    @property
    def shape_alone(self) -> Distribution:
        """The shape."""
        return self.base

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities."""
        return self.mean + self.sd * (
            (self.base.quantile(probability) - self.base.mean) / self.base.sd
        )

    def quadrature(self) -> tuple[Floats, Floats]:
        """Return the nodes of the shape, moved and stretched, and their weights."""
        nodes, weights = self.base.quadrature()
        return self.mean + self.sd * ((nodes - self.base.mean) / self.base.sd), weights

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Draw standardized numbers, stretched and moved."""
        drawn = self.base.standardized(rng, size)
        drawn *= self.sd
        drawn += self.mean
        return drawn

    def from_normal(self, z: Floats) -> Floats:
        """Turn standard normals into numbers of the shape, with mean 0 and sd 1."""
        return self.base.from_normal(z)

    def to_dict(self) -> dict[str, Any]:
        """Return family and parameters as builtin types, for JSON."""
        parts = {"mean": self.mean, "sd": self.sd}
        return {"family": self.family, "base": self.base.to_dict(), **parts}
