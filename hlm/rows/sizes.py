r"""How many rows units have, where their numbers are drawn.

Each family is a table of probabilities of whole numbers from 1 on: a unit without rows would not be
in the data. One uniform number a unit gives its size by inversion.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import floor, sqrt
from typing import TYPE_CHECKING, Any, ClassVar

from hlm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = [
    "SIZES",
    "Clustered",
    "NegativeBinomial",
    "Poisson",
    "Resampled",
    "Sizes",
    "UniformRange",
    "sizes_from_dict",
]

MOST = 10_000_000
TAIL = 1e-13
"""The probability that is left out at the end of a table."""


class Sizes(ABC):
    """A distribution of the number of rows of a unit."""

    family: ClassVar[str]

    @abstractmethod
    def table(self) -> tuple[int, Floats]:
        """Return the least size and the probabilities of it and those that follow."""

    @property
    def mean(self) -> float:
        """The mean number of rows, to the 10 digits that a table surely has."""
        return float(f"{_moments(self)[0]:.10g}")

    @property
    def sd(self) -> float:
        """The standard deviation of the number of rows."""
        return _moments(self)[1]

    @property
    def least(self) -> int:
        """The smallest size."""
        return self.table()[0]

    @property
    def most(self) -> int:
        """The largest size; where there is none, what is beyond it has a probability of 1e-13.

        Examples
        --------
        >>> UniformRange(5, 40).most, Poisson(2.0).most
        (40, 20)
        """
        least, probabilities = self.table()
        return least + len(probabilities) - 1

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Integers:
        """Draw sizes, one uniform number each."""
        return self._of(rng.random(shape))

    def held(self, n_units: int) -> tuple[int, ...]:
        """Return sizes that are the same in every data set: evenly spread quantiles, (n_units,).

        Examples
        --------
        >>> UniformRange(5, 9).held(5)
        (5, 6, 7, 8, 9)
        """
        import numpy as np

        return tuple(self._of((np.arange(n_units) + 0.5) / n_units).tolist())

    def _of(self, probability: Floats) -> Integers:
        import numpy as np

        least, cumulative = _cumulative(self)
        return least + np.searchsorted(cumulative, probability, side="right")

    def to_dict(self) -> dict[str, Any]:
        """Return family and parameters as builtin types, for JSON."""
        return {"family": self.family, **asdict(self)}  # type: ignore[call-overload]


@lru_cache(maxsize=256)
def _cumulative(sizes: Sizes) -> tuple[int, Floats]:
    """Return the least size and the cumulative probabilities, without the last one, which is 1."""
    import numpy as np

    least, probabilities = sizes.table()
    return least, np.cumsum(probabilities / probabilities.sum())[:-1]


@lru_cache(maxsize=256)
def _moments(sizes: Sizes) -> tuple[float, float]:
    least, probabilities = sizes.table()
    return _mean_and_sd(least, probabilities)


def _mean_and_sd(least: int, probabilities: Floats) -> tuple[float, float]:
    import numpy as np

    share = probabilities / probabilities.sum()
    values = least + np.arange(len(share), dtype=float)
    mean = float(share @ values)
    return mean, sqrt(float(share @ (values - mean) ** 2))


@dataclass(frozen=True)
class Poisson(Sizes):
    """Poisson numbers with a rate, given that there is at least one row.

    Examples
    --------
    >>> round(Poisson(2.0).mean, 4)    # 2 / (1 - exp(-2))
    2.313
    """

    rate: float

    family = "poisson"

    def table(self) -> tuple[int, Floats]:
        """Return 1 and the probabilities of 1, 2, ...; not of 0."""
        import numpy as np
        from scipy.stats import poisson

        last = int(poisson.isf(TAIL, self.rate)) + 1
        return 1, poisson.pmf(np.arange(1, last + 1), self.rate)


@dataclass(frozen=True)
class NegativeBinomial(Sizes):
    """Negative binomial numbers with variance rate + rate^2 / size, given at least one row.

    A gamma mixture of Poisson numbers, as `size` and `mu` of R's `rnbinom`.
    """

    rate: float
    size: float

    family = "negative_binomial"

    def table(self) -> tuple[int, Floats]:
        """Return 1 and the probabilities of 1, 2, ...; not of 0."""
        import numpy as np
        from scipy.stats import nbinom

        p = self.size / (self.size + self.rate)
        last = int(nbinom.isf(TAIL, self.size, p)) + 1
        return 1, nbinom.pmf(np.arange(1, last + 1), self.size, p)


@dataclass(frozen=True)
class UniformRange(Sizes):
    """Every number from `low` to `high` equally often."""

    low: int
    high: int

    family = "uniform"

    def table(self) -> tuple[int, Floats]:
        """Return `low` and equal probabilities."""
        import numpy as np

        return self.low, np.ones(self.high - self.low + 1)


@dataclass(frozen=True)
class Clustered(Sizes):
    r"""Sizes with exactly a mean and a coefficient of variation: one row, and a gamma number more.

    G is gamma with the mean m - 1 and rounded at random to one of its two neighbours such that its
    mean stays, P(up) = G - floor(G). That adds E f (1 - f), with f the fraction of G, to its
    variance; the variance of G is what is then left of (cv m)^2.

    Attributes
    ----------
    mean_rows, cv : float

    Raises
    ------
    InputError
        No distribution of whole numbers from 1 on has these.

    Examples
    --------
    >>> sizes = Clustered(30.0, 0.6)
    >>> round(sizes.mean, 9), round(sizes.sd, 9)
    (30.0, 18.0)
    """

    mean_rows: float
    cv: float

    family = "mean_cv"

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        self._gamma_sd()

    def table(self) -> tuple[int, Floats]:
        """Return 1 and the probabilities of 1, 2, ..."""
        return 1, _rounded_gamma(self.mean_rows - 1.0, self._gamma_sd())

    def _gamma_sd(self) -> float:
        return _gamma_sd(self.mean_rows, self.cv)


@lru_cache(maxsize=256)
def _gamma_sd(mean: float, cv: float) -> float:
    """Return the sd of the gamma number that, rounded at random, has the sd cv mean."""
    from scipy.optimize import brentq

    sd, fraction = cv * mean, mean - floor(mean)
    least = sqrt(fraction * (1.0 - fraction))
    if mean < 1.0 or sd < least or (mean == 1.0 and cv > 0.0):
        allowed = "a mean of at least 1" if mean < 1.0 else f"a cv of at least {least / mean:.4g}"
        if mean == 1.0:
            allowed = "a cv of 0, or a mean above 1: a unit has at least one row"
        raise InputError(f"no sizes have the mean {mean:g} and the cv {cv:g}", allowed=allowed)
    if sd == least:
        return 0.0

    def excess(gamma_sd: float) -> float:
        return _mean_and_sd(1, _rounded_gamma(mean - 1.0, gamma_sd))[1] - sd

    return float(brentq(excess, 0.0, sd, xtol=1e-13, rtol=1e-14)) if excess(sd) > 0.0 else sd


def _rounded_gamma(mean: float, sd: float) -> Floats:
    r"""Return the probabilities of 0, 1, ... of a gamma number rounded at random.

    P(k) = E max(0, 1 - |G - k|) = H(k + 1) - 2 H(k) + H(k - 1), H the integral of the distribution
    function F: H(x) = x F(x; a) - mean F(x; a + 1), with the shape a.
    """
    import numpy as np
    from scipy.special import gammainc, gammaincc, gammainccinv

    if sd < 1e-9 * max(1.0, mean):
        low = floor(mean)
        found = np.zeros(low + 2)
        found[low], found[low + 1] = 1.0 - (mean - low), mean - low
        return found
    shape, scale = (mean / sd) ** 2, sd * sd / mean
    last = int(scale * gammainccinv(shape, TAIL)) + 2
    x = np.arange(last + 2, dtype=float)
    # Above the mean from the upper tail, which keeps its digits: H(x) = x - mean + E (G - x)+
    below = x * gammainc(shape, x / scale) - mean * gammainc(shape + 1.0, x / scale)
    above = mean * gammaincc(shape + 1.0, x / scale) - x * gammaincc(shape, x / scale)
    before = np.append(0.0, below[:-1])
    lower = np.diff(below, append=np.nan)[:-1] - (below - before)[:-1]
    upper = np.append(np.nan, above[2:] - 2.0 * above[1:-1] + above[:-2])
    return np.clip(np.where(x[:-1] > mean + 1.0, upper, lower), 0.0, None)


@dataclass(frozen=True)
class Resampled(Sizes):
    """The sizes of units that are drawn, with replacement, from given ones.

    Attributes
    ----------
    sizes : tuple of int
        Rows of each unit of the data.

    Examples
    --------
    >>> Resampled((2, 2, 5)).mean
    3.0
    """

    sizes: tuple[int, ...]

    family = "resampled"

    def table(self) -> tuple[int, Floats]:
        """Return the least size and the shares of it and those that follow."""
        import numpy as np

        return min(self.sizes), np.bincount(self.sizes)[min(self.sizes) :].astype(float)

    def pick(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Integers:
        """Draw units, as their places in `sizes`."""
        return (rng.random(shape) * len(self.sizes)).astype(int)


SIZES: dict[str, type[Sizes]] = {
    one.family: one for one in (Clustered, Poisson, NegativeBinomial, UniformRange, Resampled)
}
"""The families by name, as files have them."""


def sizes_from_dict(data: Mapping[str, Any]) -> Sizes:
    """Read what `Sizes.to_dict` wrote.

    Examples
    --------
    >>> sizes_from_dict(Poisson(20.0).to_dict())
    Poisson(rate=20.0)
    """
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "family"}
    return SIZES[data["family"]](**fields)
