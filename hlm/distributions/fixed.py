"""Values that are fixed, the same in every data set."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Distribution
from hlm.distributions.uniform import Uniform

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats, Integers

__all__ = ["Points", "Span"]


@dataclass(frozen=True)
class Points(Distribution):
    """Fixed values, one for each unit or one for each row; a unit with fewer rows has the first.

    Examples
    --------
    >>> three = Points((0.0, 1.0, 5.0))
    >>> three.mean, three.points(2).tolist()
    (2.0, [0.0, 1.0])
    """

    values: tuple[float, ...]

    family = "points"
    nanoseconds = 0.0
    is_fixed = True

    @property
    def levels(self) -> tuple[float, ...]:  # type: ignore[override]
        """The distinct values in ascending order."""
        return tuple(sorted(set(self.values)))

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return sum(self.values) / len(self.values)

    @property
    def variance(self) -> float:
        """The variance of the values."""
        return self._moment(2)

    @property
    def sd(self) -> float:
        """The standard deviation of the values."""
        return sqrt(self.variance)

    @property
    def skewness(self) -> float:
        """The third standardized moment of the values."""
        return self._moment(3) / self.sd**3

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment of the values."""
        return self._moment(4) / self.variance**2

    def _moment(self, power: int) -> float:
        return sum((value - self.mean) ** power for value in self.values) / len(self.values)

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of a value taken at random."""
        import numpy as np

        ordered = np.sort(self.values)
        return ordered[np.ceil(probability * len(ordered)).astype(int) - 1]

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Take values at random."""
        return rng.choice(self.values, size)

    def spread(self, shares: Floats) -> Floats:
        """Return the values in their order."""
        import numpy as np

        return np.array(self.values)[(shares * len(self.values)).astype(int)]

    def points(self, count: int) -> Floats:
        """Return the first `count` values."""
        import numpy as np

        return np.array(self.values[:count])

    def at(self, position: Integers, size: Integers) -> Floats:  # noqa: ARG002
        """Return the values of rows, repeated for units with more of them."""
        import numpy as np

        return np.array(self.values)[position % len(self.values)]


@dataclass(frozen=True)
class Span(Uniform):
    """Points evenly spaced from `low` on, as many as a unit has rows: each unit spans all of it.

    The last point is `high`, or without `endpoint` the one before it. Taken at random, a value is
    nearly uniform.

    Examples
    --------
    >>> Span(0.0, 4.0).points(3).tolist(), Span(0.0, 4.0).points(5).tolist()
    ([0.0, 2.0, 4.0], [0.0, 1.0, 2.0, 3.0, 4.0])
    """

    endpoint: bool = True

    family = "span"
    nanoseconds = 0.0
    is_fixed = True

    def points(self, count: int) -> Floats:
        """Return the values of a unit of `count` rows, as R's seq() computes them."""
        import numpy as np

        return self.at(np.arange(count), np.full(1, count))

    def at(self, position: Integers, size: Integers) -> Floats:
        """Return low + k step, with the step of units of each size."""
        import numpy as np

        step = (self.high - self.low) / np.maximum(1, size - 1 if self.endpoint else size)
        return np.asarray(self.low + position * step, dtype=np.float64)
