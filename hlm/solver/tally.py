"""What replicates of one point said of one measure, in numbers that add up."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

__all__ = ["Tally"]


@dataclass(frozen=True)
class Tally:
    """One measure at one point, over replicates.

    Attributes
    ----------
    n : int
        Replicates that have the measure.
    n_drawn : int
        The replicates drawn, those without the measure among them.
    mean : float
        Of outcomes 0 and 1 for a share (power, coverage, selection), else of values such as widths.
    variance : float
        Of one replicate's value; p (1 - p) for a share.
    share : bool

    Examples
    --------
    >>> Tally.of_share(70, 100) + Tally.of_share(90, 100)
    Tally(n=200, n_drawn=200, mean=0.8, variance=0.15999999999999998, share=True)
    """

    n: int
    n_drawn: int
    mean: float
    variance: float
    share: bool

    @classmethod
    def of_share(cls, hits: int, n: int, n_drawn: int | None = None) -> Tally:
        """Return the tally of so many hits among n replicates."""
        p = hits / n if n else nan
        return cls(n, n if n_drawn is None else n_drawn, p, p * (1.0 - p), share=True)

    def __add__(self, other: Tally) -> Tally:
        """Pool two tallies of different replicates, by the formula of Chan et al. (1983)."""
        n, n_drawn = self.n + other.n, self.n_drawn + other.n_drawn
        if not (self.n and other.n):
            one = self if self.n else other
            return Tally(one.n, n_drawn, one.mean, one.variance, self.share)
        mean = (self.n * self.mean + other.n * other.mean) / n
        if self.share:
            return Tally(n, n_drawn, mean, mean * (1.0 - mean), share=True)
        between = (self.mean - other.mean) ** 2 * self.n * other.n / n
        squares = sum((one.n - 1) * one.variance for one in (self, other) if one.n > 1)
        return Tally(n, n_drawn, mean, (squares + between) / (n - 1), share=False)

    @property
    def mcse(self) -> float:
        """The Monte Carlo standard error of the mean; NaN without replicates."""
        return sqrt(self.variance / self.n) if self.n else nan
