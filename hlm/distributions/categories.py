"""Values of which there are finitely many: drawn by their shares, or balanced."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Distribution

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats

__all__ = ["Balanced", "Categories"]


@dataclass(frozen=True)
class Categories(Distribution):
    """Each value with its share.

    Attributes
    ----------
    codes : tuple of float (k,)
        The values, in ascending order.
    shares : tuple of float (k,)
        Their probabilities, of sum 1.
    labels : tuple of str (k,)
        What the values are codes of; empty if they are numbers in their own right.

    Examples
    --------
    >>> dose = Categories((0.0, 5.0, 10.0), (0.4, 0.3, 0.3))
    >>> round(dose.mean, 2), round(dose.variance, 2)
    (4.5, 17.25)
    """

    codes: tuple[float, ...]
    shares: tuple[float, ...]
    labels: tuple[str, ...] = ()

    family = "categories"
    nanoseconds = 25.0

    @property
    def levels(self) -> tuple[float, ...]:  # type: ignore[override]
        """The values."""
        return self.codes

    @property
    def mean(self) -> float:
        """The mean."""
        return sum(share * level for share, level in zip(self.shares, self.codes, strict=True))

    @property
    def variance(self) -> float:
        """The variance."""
        return self._moment(2)

    @property
    def sd(self) -> float:
        """The standard deviation."""
        return sqrt(self.variance)

    @property
    def skewness(self) -> float:
        """The third standardized moment."""
        return self._moment(3) / self.sd**3

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment."""
        return self._moment(4) / self.variance**2

    def _moment(self, power: int) -> float:
        pairs = zip(self.shares, self.codes, strict=True)
        return sum(share * (level - self.mean) ** power for share, level in pairs)

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities: the least values with as much at or below them."""
        import numpy as np

        # A probability at the end of a share, which is a rounded sum, belongs to it
        ends = np.cumsum(self.shares)[:-1] * (1.0 + 4.0 * np.finfo(float).eps)
        return np.array(self.codes)[np.searchsorted(ends, probability, side="left")]

    def quadrature(self) -> tuple[Floats, Floats]:
        """Return the values and their shares."""
        import numpy as np

        return np.array(self.codes), np.array(self.shares)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Draw values, each by one uniform number."""
        import numpy as np

        ends = np.cumsum(self.shares)[:-1]
        return np.array(self.codes)[np.searchsorted(ends, rng.random(size), side="right")]

    def example(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Return each value as often, so that a rare one does not pass for absent."""
        import numpy as np

        places = rng.permutation(np.arange(prod(size)) % len(self.codes))
        return np.array(self.codes)[places].reshape(size)


@dataclass(frozen=True)
class Balanced(Categories):
    """Each value as often as any other among some units or rows, or once more; at random which.

    Examples
    --------
    >>> import numpy as np
    >>> arms = Balanced.of((0.0, 1.0))
    >>> np.sort(arms.arranged(np.random.default_rng(1), (2, 4)), axis=1).tolist()
    [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
    """

    family = "balanced"
    nanoseconds = 70.0

    @classmethod
    def of(cls, codes: tuple[float, ...], labels: tuple[str, ...] = ()) -> Balanced:
        """Return the distribution of values in ascending order."""
        return cls(codes, (1.0 / len(codes),) * len(codes), labels)

    def arranged(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Allot the values along the last axis, one place on the other axes after the other."""
        return self.arrange(rng.random((*shape[:-1], shape[-1] + len(self.codes))))

    def arrange(self, keys: Floats) -> Floats:
        """Allot the values by uniform numbers.

        Parameters
        ----------
        keys : ndarray (..., n + k)
            Of the n places, then of the k values: their ranks are permutations at random.

        Returns
        -------
        ndarray (..., n)
        """
        import numpy as np

        n = keys.shape[-1] - len(self.codes)
        rank = np.argsort(keys[..., :n], axis=-1, kind="stable")
        order = np.argsort(keys[..., n:], axis=-1, kind="stable")
        picked = np.take_along_axis(order, rank % len(self.codes), axis=-1)
        return np.array(self.codes)[picked]
