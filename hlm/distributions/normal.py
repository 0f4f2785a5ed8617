"""The normal distribution."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from hlm.distributions.base import Distribution

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["Normal"]

NODES = 40


@dataclass(frozen=True)
class Normal(Distribution):
    """A normal distribution.

    Examples
    --------
    >>> import numpy as np
    >>> Normal(10.0, 2.0).quantile(np.array([0.5, 0.975])).round(2).tolist()
    [10.0, 13.92]
    """

    mean: float = 0.0
    sd: float = 1.0

    family = "normal"
    shape = ()
    call_example = "normal"
    synonyms = ("gaussian", "gauss", "norm", "n")
    nanoseconds = 9.3
    nanoseconds_from_normal = 0.0
    skewness = 0.0
    kurtosis = 3.0

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities, (n,)."""
        import numpy as np

        standard = NormalDist().inv_cdf
        return self.mean + self.sd * np.array([standard(p) for p in probability])

    def quadrature(self) -> tuple[Floats, Floats]:
        """Return nodes and weights of Gauss and Hermite, exact for polynomials."""
        import numpy as np

        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        return self.mean + self.sd * nodes, weights / weights.sum()

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Draw by NumPy's ziggurat."""
        return self.mean + self.sd * rng.standard_normal(size)

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw standard normals."""
        return rng.standard_normal(size, out=out)

    def from_normal(self, z: Floats) -> Floats:
        """Return the normals themselves."""
        return z
