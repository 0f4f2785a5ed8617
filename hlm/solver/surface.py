"""A measure as a smooth function of the variables, fitted to what was simulated.

On the scale of the link (probit of a share, log of a width) the measure is

    y(x) = L(x) + f(t)'b + delta,    b ~ N(m, S),    delta ~ N(0, (LACK |t|^4)^2),

with L a closed form where there is one, t the coordinates of x about a centre (`Variable`), f
their monomials up to a degree, and delta, of each simulated point its own, what these do not
follow. At the centre it is 0: far points tell of the slopes and little of the value here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.solver.closed import Closed
    from hlm.solver.question import Floats, Goal, Point, Variable
    from hlm.solver.tally import Tally

__all__ = ["CUBIC", "LINEAR", "Surface", "coordinates", "fit_surface", "fit_surfaces"]

LINEAR, CUBIC = 1, 3

INTERCEPT_SD = 5.0
SLOPE_SD = 1.0
CURVATURE_SD = {2: 0.5, 3: 0.3}
"""Prior sds of the coefficients of monomials, by degree, in units of the link for each doubling or
so of a size. Of a plateau in rows the quadratic one is 1.05 r (1 - r), 0 < r < 1, at power 0.8."""

BESIDE_CLOSED_FORM = 0.6
"""What a closed form leaves is so much flatter."""

LACK = 0.2
FARTHEST_LACK = 2.0
SMALLEST_SPREAD = 1e-8
MOST_STEPS = 60
CONVERGED = 1e-10


@dataclass(frozen=True)
class Surface:
    """A fitted measure.

    Attributes
    ----------
    goal : Goal
    variables : tuple of Variable
    centre : Point
    degree : int
    closed : Closed or None
        The closed form of this measure.
    coefficients : ndarray, (p,)
    covariance : ndarray, (p, p)
    """

    goal: Goal
    variables: tuple[Variable, ...]
    centre: Point
    degree: int
    closed: Closed | None
    coefficients: Floats
    covariance: Floats

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Return the measure on the scale of the link, and its standard error.

        Parameters
        ----------
        points : ndarray, (n, v)

        Returns
        -------
        ndarray, (n,), ndarray, (n,)
        """
        t = coordinates(self.variables, points, self.centre)
        X = monomials(t, self.degree)
        variance = ((X @ self.covariance) * X).sum(axis=1) + lack(t) ** 2
        return self._values(points, X), np.sqrt(variance)

    def margin(self, points: Floats) -> Floats:
        """Return by how much the goal is met at points, (n, v), on the scale of the link."""
        X = monomials(coordinates(self.variables, points, self.centre), self.degree)
        return self.goal.sign * (self._values(points, X) - self.goal.link(self.goal.value))

    def margin_and_error(self, points: Floats) -> tuple[Floats, Floats]:
        """Return `margin` with its standard error."""
        y, se = self.predict(points)
        return self.goal.sign * (y - self.goal.link(self.goal.value)), se

    def _values(self, points: Floats, X: Floats) -> Floats:
        y = X @ self.coefficients
        return y if self.closed is None else y + self.closed(points)


def fit_surface(
    goal: Goal,
    variables: Sequence[Variable],
    tallies: Mapping[Point, Tally],
    centre: Point,
    *,
    degree: int = CUBIC,
    closed: Closed | None = None,
) -> Surface:
    """Fit a measure about a centre to tallies at points.

    The coefficients are where the posterior density is greatest, by Fisher scoring; the covariance
    is the inverse of the information there.

    Parameters
    ----------
    goal : Goal
    variables : sequence of Variable, v of them
    tallies : mapping of Point to Tally
        Each with replicates that count.
    centre : Point
    degree : {1, 3}
    closed : Closed, optional

    Returns
    -------
    Surface

    Examples
    --------
    A width that falls with the square root of a size:

    >>> from hlm.solver import Goal, Tally, Variable
    >>> width = Goal("width", 0.4, at_least=False, share=False)
    >>> seen = {(float(n),): Tally(100, 100, 4 / n**0.5, 1e-6, False) for n in (80, 100, 125)}
    >>> surface = fit_surface(width, [Variable("units", 2, 500)], seen, (100.0,))
    >>> y, se = surface.predict(np.array([[90.0], [110.0]]))
    >>> width.unlink(y).round(3).tolist()
    [0.422, 0.381]
    """
    points = np.array(list(tallies), dtype=float)
    variables, centre = tuple(variables), tuple(map(float, centre))
    offset = np.zeros(len(points)) if closed is None else closed(points)
    t = coordinates(variables, points, centre)
    X = monomials(t, degree)
    likelihood = (_Shares if goal.share else _Means)(tuple(tallies.values()))
    level = float(np.average(likelihood.start - offset, weights=likelihood.n))
    mean, sd = prior(goal, variables, degree, level, beside=closed is not None)
    n, p = X.shape
    wide = np.hstack([X, np.diag(lack(t))])
    b, covariance = scored(
        likelihood, wide, offset, np.append(mean, np.zeros(n)), np.append(sd, np.ones(n))
    )
    return Surface(goal, variables, centre, degree, closed, b[:p], covariance[:p, :p])


def fit_surfaces(
    goals: Sequence[Goal],
    variables: Sequence[Variable],
    seen: Mapping[Point, tuple[Tally, ...]],
    centre: Point,
    *,
    degree: int = CUBIC,
    closed: Sequence[Closed | None],
) -> tuple[Surface, ...]:
    """Fit the measure of each goal about a centre (`fit_surface`)."""
    return tuple(
        fit_surface(
            goal,
            variables,
            {point: tallies[place] for point, tallies in seen.items()},
            centre,
            degree=degree,
            closed=closed[place],
        )
        for place, goal in enumerate(goals)
    )


def prior(
    goal: Goal, variables: Sequence[Variable], degree: int, level: float, *, beside: bool
) -> tuple[Floats, Floats]:
    """Return the mean and the sd of each coefficient before anything was simulated.

    Power grows by about (probit(power) + 1.96)/2 where a size grows by its own amount, and by the
    double where an effect does; a width falls by a half.
    """
    mean, sd = [], []
    for places in exponents(len(variables), degree):
        if not places:
            mean.append(level)
            sd.append(INTERCEPT_SD)
            continue
        scale = BESIDE_CLOSED_FORM if beside else 1.0
        one = variables[places[0]]
        if len(places) > 1:
            mean.append(0.0)
            sd.append(CURVATURE_SD[len(places)] * scale)
        else:
            twice = 1.0 if one.is_size else 2.0
            expected = goal.sign * twice if goal.share else -0.5 if one.is_size else 0.0
            mean.append(0.0 if beside else expected)
            sd.append(SLOPE_SD * scale * twice)
    return np.array(mean), np.array(sd)


def exponents(n_variables: int, degree: int) -> list[tuple[int, ...]]:
    """Return the monomials up to a degree as the variables that they multiply.

    Examples
    --------
    >>> exponents(2, 1)
    [(), (0,), (1,)]
    """
    return [
        places
        for d in range(degree + 1)
        for places in combinations_with_replacement(range(n_variables), d)
    ]


def monomials(t: Floats, degree: int) -> Floats:
    """Return the monomials of coordinates, (n, v) -> (n, p)."""
    n, n_variables = t.shape
    columns: dict[tuple[int, ...], Floats] = {(): np.ones(n)}
    for places in exponents(n_variables, degree)[1:]:
        columns[places] = columns[places[:-1]] * t[:, places[-1]]
    return np.stack(list(columns.values()), axis=1)


def coordinates(variables: Sequence[Variable], points: Floats, centre: Point) -> Floats:
    """Return the coordinates of points, (n, v), about a centre."""
    columns = [
        one.coordinate(points[:, k], c)
        for k, (one, c) in enumerate(zip(variables, centre, strict=True))
    ]
    return np.stack(columns, axis=1)


def lack(t: Floats) -> Floats:
    """Return the sd of what the monomials do not follow, (n,)."""
    distance = np.minimum(np.sqrt((t**2).sum(axis=1)), FARTHEST_LACK)
    return np.asarray(LACK * distance**4)


class _Shares:
    """The binomial likelihood of shares with a probit link."""

    def __init__(self, tallies: Sequence[Tally]) -> None:
        self.n = np.array([tally.n for tally in tallies], dtype=float)
        self.hits = self.n * np.array([tally.mean for tally in tallies])
        p = (self.hits + 2.0) / (self.n + 4.0)
        self.start = np.asarray(ndtri(p))

    def value(self, y: Floats) -> float:
        """Return the log likelihood."""
        return float(self.hits @ log_ndtr(y) + (self.n - self.hits) @ log_ndtr(-y))

    def slope(self, y: Floats) -> tuple[Floats, Floats]:
        """Return its derivative in y and the expected information about y."""
        log_density = -0.5 * y**2 - 0.5 * np.log(2.0 * pi)
        up, down = log_ndtr(y), log_ndtr(-y)
        slope = self.hits * np.exp(log_density - up)
        slope -= (self.n - self.hits) * np.exp(log_density - down)
        return slope, self.n * np.exp(2.0 * log_density - up - down)


class _Means:
    """The normal likelihood of logarithms of means."""

    def __init__(self, tallies: Sequence[Tally]) -> None:
        self.n = np.array([tally.n for tally in tallies], dtype=float)
        mean = np.array([tally.mean for tally in tallies])
        spread = np.array([tally.variance for tally in tallies]) / mean**2
        # Of one replicate, or where all are alike, nothing is known of the spread.
        self.information = self.n / np.where(spread > SMALLEST_SPREAD, spread, SMALLEST_SPREAD)
        self.start = np.log(mean)

    def value(self, y: Floats) -> float:
        """Return the log likelihood."""
        return float(-0.5 * self.information @ (self.start - y) ** 2)

    def slope(self, y: Floats) -> tuple[Floats, Floats]:
        """Return its derivative in y and the information about y."""
        return self.information * (self.start - y), self.information


def scored(
    likelihood: _Shares | _Means, X: Floats, offset: Floats, mean: Floats, sd: Floats
) -> tuple[Floats, Floats]:
    """Return where the posterior density is greatest, and the inverse of the information there."""
    precision = 1.0 / sd**2

    def objective(b: Floats) -> float:
        return likelihood.value(offset + X @ b) - 0.5 * float(precision @ (b - mean) ** 2)

    b = mean.copy()
    now = objective(b)
    for _ in range(MOST_STEPS):
        slope, weight = likelihood.slope(offset + X @ b)
        information = X.T @ (weight[:, None] * X) + np.diag(precision)
        step = np.linalg.solve(information, X.T @ slope - precision * (b - mean))
        size = 1.0
        while (after := objective(b + size * step)) < now and size > CONVERGED:
            size /= 2.0
        b, gained, now = b + size * step, after - now, after
        if abs(gained) <= CONVERGED * (1.0 + sqrt(abs(now))):
            break
    _, weight = likelihood.slope(offset + X @ b)
    information = X.T @ (weight[:, None] * X) + np.diag(precision)
    return b, np.asarray(np.linalg.inv(information), dtype=float)
