"""What a solver is asked: which numbers may vary, what shall be reached, and who simulates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, log10, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from hlm.solver.tally import Tally

__all__ = ["Ask", "Floats", "Goal", "Oracle", "Point", "Predicted", "Tolerance", "Variable"]

Floats = NDArray[np.float64]
Point = tuple[float, ...]

DIGITS = 4
"""A variable of real numbers has values of so many digits."""

SLACK = 1e-9
FARTHEST = 8.0
"""Beyond it, on the probit scale, shares are 0 or 1 to all digits."""


@dataclass(frozen=True)
class Variable:
    """A number of the design or the truth that the solver may choose.

    Attributes
    ----------
    name : str
    least, most : float
        Its range, both ends within.
    step : float or None
        Admissible values are `origin` and multiples of the step from there: 2 for two arms of
        equally many units. None for real numbers, such as an effect.
    origin : float

    Examples
    --------
    >>> units = Variable("units", 5, 101, step=2)
    >>> units.bounds, units.floor(31.2), units.ceil(31.2), units.nearest(31.2)
    ((6.0, 100.0), 30.0, 32.0, 32.0)
    >>> Variable("effect", 0, 1, step=None).ceil(0.123412)
    0.1235
    """

    name: str
    least: float
    most: float
    step: float | None = 1.0
    origin: float = 0.0

    def __post_init__(self) -> None:
        if not (isfinite(self.least) and isfinite(self.most)):
            raise ValueError(f"the range of {self.name} has no end")
        if self.step is not None and not self.step > 0.0:
            raise ValueError(f"the step of {self.name} is not above 0")
        low, high = self.bounds
        if low > high:
            raise ValueError(f"{self.name} has no value within its range")

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest admissible value."""
        if self.step is None:
            return float(self.least), float(self.most)
        low = ceil((self.least - self.origin) / self.step - SLACK)
        high = floor((self.most - self.origin) / self.step + SLACK)
        return float(self.origin + low * self.step), float(self.origin + high * self.step)

    @property
    def is_size(self) -> bool:
        """Whether it counts something: more of it makes estimates better as its square root."""
        return self.step is not None and self.bounds[0] > 0.0

    @property
    def middle(self) -> float:
        """Where a search begins that knows nothing: not among sizes that take long."""
        low, high = self.bounds
        return min(sqrt(low * high), 8.0 * low) if self.is_size else (low + high) / 2.0

    def unit(self, x: float) -> float:
        """Return the distance of admissible values near x."""
        if self.step is not None:
            return self.step
        scale = abs(x) or max(abs(self.least), abs(self.most)) or 1.0
        return float(10.0 ** (floor(log10(scale)) + 1 - DIGITS))

    def nearest(self, x: float) -> float:
        """Return the admissible value nearest to x."""
        return self._at(x, round)

    def floor(self, x: float) -> float:
        """Return the greatest admissible value that is no more than x; the least where none is."""
        return self._at(x, lambda k: floor(k + SLACK))

    def ceil(self, x: float) -> float:
        """Return the least admissible value that is no less than x; the greatest if none is."""
        return self._at(x, lambda k: ceil(k - SLACK))

    def _at(self, x: float, whole: Callable[[float], int]) -> float:
        low, high = self.bounds
        if not low < x < high:
            return low if x <= low else high
        unit, origin = self.unit(x), self.origin if self.step is not None else 0.0
        value = origin + whole((x - origin) / unit) * unit
        return min(max(round(value, 12), low), high)

    def coordinate(self, x: Floats, centre: float) -> Floats:
        """Return where values are, seen from a centre, on a scale on which measures are smooth.

        Near the centre it is the relative distance: for sizes 2 (sqrt(x/c) - 1), in which a
        probit of power is nearly linear, for others (x - c)/|c|.
        """
        if self.is_size:
            return np.asarray(2.0 * (np.sqrt(np.maximum(x, 0.0) / centre) - 1.0))
        return np.asarray((x - centre) / self.scale(centre))

    def value(self, t: Floats, centre: float) -> Floats:
        """Return the value at a coordinate: the inverse of `coordinate`."""
        if self.is_size:
            return np.asarray(centre * np.maximum(1.0 + t / 2.0, 0.0) ** 2)
        return np.asarray(centre + t * self.scale(centre))

    def scale(self, centre: float) -> float:
        """Return by how much a value changes with its coordinate, at the centre."""
        if self.is_size:
            return centre
        return max(abs(centre), (self.most - self.least) / 20.0) or 1.0


@dataclass(frozen=True)
class Goal:
    """A value that a measure shall have at least, or at most.

    Attributes
    ----------
    label : str
    value : float
    at_least : bool
        True for power, coverage and selection, False for the width of an interval.
    share : bool
        A proportion of replicates, looked at on the probit scale; else a positive number, on
        that of logarithms.

    Examples
    --------
    >>> Goal("power[x]", 0.8).margin(0.5), Goal("width[x]", 2.0, False, False).margin(1.0)
    (-0.8416212335729143, 0.6931471805599453)
    """

    label: str
    value: float
    at_least: bool = True
    share: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.value < (1.0 if self.share else inf):
            raise ValueError(f"no measure can be asked to reach {self.value}")

    def link(self, value: float) -> float:
        """Return a value of the measure on the scale of the regression."""
        return float(self.links(np.array(value)))

    def links(self, values: Floats) -> Floats:
        """Return values of the measure on the scale of the regression, for arrays."""
        if self.share:
            return np.asarray(np.clip(ndtri(values), -FARTHEST, FARTHEST))
        return np.asarray(np.log(values))

    def unlink(self, y: Floats) -> Floats:
        """Return values of the measure from the scale of the regression."""
        return np.asarray(ndtr(y) if self.share else np.exp(y))

    @property
    def sign(self) -> float:
        """1 where the measure shall be at least the value, else -1."""
        return 1.0 if self.at_least else -1.0

    def margin(self, value: float) -> float:
        """Return by how much a value is on the right side, on the scale of the regression."""
        return self.sign * (self.link(value) - self.link(self.value))

    def observed(self, tally: Tally) -> tuple[float, float]:
        """Return the margin of what was simulated, with its standard error.

        A share has two hits and two misses more (Agresti and Coull, 1998), for 0 and 1 are
        infinitely far away.
        """
        if not self.share:
            return self.margin(tally.mean), tally.mcse / tally.mean
        p = (tally.n * tally.mean + 2.0) / (tally.n + 4.0)
        density = np.exp(-0.5 * ndtri(p) ** 2) / sqrt(2.0 * np.pi)
        return self.margin(p), sqrt(p * (1.0 - p) / (tally.n + 4.0)) / density


@dataclass(frozen=True)
class Ask:
    """Replicates `first` to `stop` - 1 of a point."""

    point: Point
    first: int
    stop: int


Oracle = Callable[[Sequence[Ask]], Sequence[tuple[Tally, ...]]]
"""Simulates: for each ask one tally of each goal. It gets a whole round at a time."""

Predicted = Callable[[Point], Sequence[float]]
"""A closed form: a value of each goal's measure at a point, NaN where there is none."""


@dataclass(frozen=True)
class Tolerance:
    """When an answer is precise: half its interval is within a share of it, or some steps.

    Attributes
    ----------
    relative : float
    steps : float

    Examples
    --------
    >>> units = Variable("units", 2, 1000)
    >>> Tolerance().around(300.0, units), Tolerance().around(20.0, units)
    (3.0, 1.0)
    """

    relative: float = 0.01
    steps: float = 1.0

    def around(self, x: float, variable: Variable) -> float:
        """Return half the width that an interval around x may have."""
        return max(self.relative * abs(x), self.steps * (variable.step or 0.0))
