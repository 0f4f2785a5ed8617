"""What every distribution can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Distribution", "Standardized", "Symmetric"]

MIDDLES = 4096


class Distribution(ABC):
    """A distribution of numbers; a family is a frozen dataclass of its parameters.

    Attributes
    ----------
    family : str
        Its name in files.
    nanoseconds : float
        What one number takes to draw.
    nanoseconds_from_normal : float
        What `from_normal` takes for one number.
    values : tuple of float
        The values themselves where they are fixed and the same in every unit, else empty.
    levels : tuple of float
        The distinct values in ascending order where there are finitely many, else empty.
    labels : tuple of str
        What the levels are codes of, where they are no numbers; else empty.
    """

    family: ClassVar[str]
    shape: ClassVar[tuple[str, ...] | None] = None
    """The parameters of its shape, which random effects and residuals may have; None if they may
    not have it."""
    call_example: ClassVar[str] = ""
    """How a study file writes the shape."""
    synonyms: ClassVar[tuple[str, ...]] = ()
    """Other names that a user may give it, small letters without spaces."""
    cases: ClassVar[Mapping[str, str]] = {}
    """Families that are cases of it, named as synonyms are, with how a study file writes one."""
    nanoseconds: ClassVar[float]
    nanoseconds_from_normal: ClassVar[float] = 500.0
    is_fixed: ClassVar[bool] = False
    """Whether nothing is drawn: `points` gives the values."""
    values: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    @abstractmethod
    def mean(self) -> float:
        """The mean."""

    @property
    @abstractmethod
    def sd(self) -> float:
        """The standard deviation."""

    @property
    @abstractmethod
    def skewness(self) -> float:
        """The third standardized moment; NaN if there is none."""

    @property
    @abstractmethod
    def kurtosis(self) -> float:
        """The fourth standardized moment, 3 for a normal one; infinite if there is none."""

    @property
    def variance(self) -> float:
        """The variance."""
        return self.sd**2

    @property
    def shape_alone(self) -> Distribution:
        """The distribution of which this one has the shape: itself, if it is not scaled."""
        return self

    @abstractmethod
    def quantile(self, probability: Floats) -> Floats:
        """Return the quantiles of probabilities between 0 and 1, exclusive."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Draw independent numbers, one after the other in the order of memory.

        So one call gives the same numbers as several for parts of them.
        """

    def arranged(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Draw the values of all units of a data set, or of all rows of a unit, on the last axis.

        They are drawn one data set after the other, as by `draw`.
        """
        return self.draw(rng, shape)

    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw numbers less the mean, divided by the sd.

        Parameters
        ----------
        rng : numpy.random.Generator
        size : tuple of int
        out : ndarray, optional
            Where to write them; fresh memory would cost a quarter of the drawing.
        """
        import numpy as np

        drawn = self.draw(rng, size)
        return np.divide(drawn - self.mean, self.sd, out=drawn if out is None else out)

    def from_normal(self, z: Floats) -> Floats:
        """Turn standard normals into numbers of this shape, with mean 0 and sd 1.

        It is the increasing function that does so: the quantile at Phi(z), standardized.
        """
        import numpy as np
        from scipy.special import ndtr

        probability = np.clip(ndtr(z), np.finfo(float).tiny, 1.0 - np.finfo(float).epsneg)
        return (self.quantile(probability) - self.mean) / self.sd

    def spread(self, shares: Floats) -> Floats:
        """Return values for shares that are spread evenly over (0, 1), each as often as it is."""
        return self.quantile(shares)

    def quadrature(self) -> tuple[Floats, Floats]:
        """Return nodes and weights, (n,) each: the mean of f is about the weighted sum of f.

        Quantiles at the middles of equal shares, unless a family knows better.
        """
        import numpy as np

        shares = (np.arange(MIDDLES) + 0.5) / MIDDLES
        return self.quantile(shares), np.full(MIDDLES, 1.0 / MIDDLES)

    def example(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Draw numbers that show what a formula makes of the values that there may be."""
        return self.draw(rng, size)

    def points(self, count: int) -> Floats:
        """Return the values of `count` units, or of the rows of a unit, where they are fixed."""
        raise NotImplementedError(f"{self.family} is drawn")

    def at(self, position: Integers, size: Integers) -> Floats:
        """Return the values of rows where they are fixed.

        Parameters
        ----------
        position : ndarray of int (n,)
            The number of each row within its unit, from 0.
        size : ndarray of int (n,)
            The number of rows of its unit.
        """
        raise NotImplementedError(f"{self.family} is drawn")

    def to_dict(self) -> dict[str, Any]:
        """Return family and parameters as builtin types, for JSON."""
        return {"family": self.family, **asdict(self)}  # type: ignore[call-overload]


class Standardized(Distribution):
    """A family that has mean 0 and sd 1 whatever its parameters, and is drawn in place."""

    mean = 0.0
    sd = 1.0

    @abstractmethod
    def standardized(
        self, rng: np.random.Generator, size: tuple[int, ...], out: Floats | None = None
    ) -> Floats:
        """Draw numbers, into `out` if it is given, one after the other in the order of memory."""

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Draw numbers, one after the other in the order of memory."""
        return self.standardized(rng, size)


class Symmetric(Standardized):
    """One that is its own mirror image."""

    def from_normal(self, z: Floats) -> Floats:
        """Return the quantiles at Phi(z), each from the lower tail, which has all its digits."""
        import numpy as np
        from scipy.special import ndtr

        return np.copysign(self.quantile(ndtr(-np.abs(z))), z)
