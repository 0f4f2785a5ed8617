"""Values that are fixed, the same in every data set."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from hlm.distributions.base import Distribution
from hlm.distributions.uniform import Uniform

if TYPE_CHECKING:
    import numpy as np

    from hlm.distributions.base import Floats, Integers

__all__ = ["GeneratedRows", "GeneratedUnits", "Points", "RowValues", "Span", "UnitValues"]


class _Listed(Distribution):
    """Fixed values that are listed."""

    nanoseconds = 0.0
    is_fixed = True

    @property
    @abstractmethod
    def listed(self) -> tuple[float, ...]:
        """The values."""

    @property
    def levels(self) -> tuple[float, ...]:  # type: ignore[override]
        """The distinct values in ascending order."""
        return tuple(sorted(set(self.listed)))

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return sum(self.listed) / len(self.listed)

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
        mean = self.mean
        return sum((value - mean) ** power for value in self.listed) / len(self.listed)

    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of a value taken at random."""
        import numpy as np

        ordered = np.sort(self.listed)
        return ordered[np.ceil(probability * len(ordered)).astype(int) - 1]

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Take values at random."""
        return rng.choice(self.listed, size)

    def spread(self, shares: Floats) -> Floats:
        """Return the values in their order."""
        import numpy as np

        return np.array(self.listed)[(shares * len(self.listed)).astype(int)]


@dataclass(frozen=True)
class Points(_Listed):
    """Fixed values, one for each unit or one for each row; a unit with fewer rows has the first.

    Examples
    --------
    >>> three = Points((0.0, 1.0, 5.0))
    >>> three.mean, three.points(2).tolist()
    (2.0, [0.0, 1.0])
    """

    values: tuple[float, ...]

    family = "points"

    @property
    def listed(self) -> tuple[float, ...]:
        """The values."""
        return self.values

    def points(self, count: int) -> Floats:
        """Return the first `count` values."""
        import numpy as np

        return np.array(self.values[:count])

    def at(self, position: Integers, size: Integers) -> Floats:  # noqa: ARG002
        """Return the values of rows, repeated for units with more of them."""
        import numpy as np

        return np.array(self.values)[position % len(self.values)]


@dataclass(frozen=True)
class RowValues(_Listed):
    """Fixed values of the rows of each unit, which differ from unit to unit.

    Attributes
    ----------
    sizes : tuple of int (n_units,)
        Rows of each unit.
    rows : tuple of float (n_obs,)
        The values, unit after unit.

    Examples
    --------
    >>> RowValues((2, 1), (0.0, 1.0, 5.0)).mean
    2.0
    """

    sizes: tuple[int, ...]
    rows: tuple[float, ...]

    family = "row_values"

    @property
    def listed(self) -> tuple[float, ...]:
        """The values."""
        return self.rows

    def of_units(self, unit: Integers, position: Integers) -> Floats:
        """Return the values of rows: those of a unit again where more are asked than it has.

        Parameters
        ----------
        unit, position : ndarray of int (n,)
            The unit of each row, and its number within the unit, from 0.
        """
        import numpy as np

        sizes = np.array(self.sizes)
        starts = np.append(0, np.cumsum(sizes))[:-1]
        return np.array(self.rows)[starts[unit] + position % sizes[unit]]


@dataclass(frozen=True)
class UnitValues(Points):
    """Fixed values of units of data, of which data sets have those that are drawn."""

    family = "unit_values"


@dataclass(frozen=True)
class GeneratedRows(RowValues):
    """Values of rows that a generator has drawn once: what is known of those that it draws."""

    family = "generated_rows"
    is_fixed = False
    levels = ()


@dataclass(frozen=True)
class GeneratedUnits(UnitValues):
    """The same of values of units."""

    family = "generated_units"
    is_fixed = False
    levels = ()


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
