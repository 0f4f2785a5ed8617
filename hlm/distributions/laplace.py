"""The Laplace distribution, standardized."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Symmetric

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["Laplace"]

SCALE = sqrt(0.5)
"""Of the Laplace distribution with sd 1: the mean of its absolute values."""


@dataclass(frozen=True)
class Laplace(Symmetric):
    """The Laplace or double exponential distribution, with the scale that makes its sd 1.

    Examples
    --------
    >>> import numpy as np
    >>> Laplace().quantile(np.array([0.05, 0.5, 0.95])).round(3).tolist()
    [-1.628, 0.0, 1.628]
    """

    family = "laplace"
    shape = ()
    call_example = "laplace"
    synonyms = ("doubleexponential", "doubleexp", "dexp", "laplacian", "biexponential")
    nanoseconds = 15.0
    nanoseconds_from_normal = 11.0
    skewness = 0.0
    kurtosis = 6.0

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities, scale log(2 p) below the median."""
        import numpy as np

        tail = np.minimum(probability, 1.0 - probability)
        return np.copysign(SCALE * np.log(2.0 * tail), probability - 0.5)

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw by inversion, as NumPy does."""
        import numpy as np

        drawn = rng.laplace(size=size)
        return np.multiply(drawn, SCALE, out=drawn if out is None else out)
