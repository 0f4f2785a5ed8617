"""What varies, as a user gives it -> the variables of a search, and values of the study."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from hlm.errors import InputError
from hlm.solver import Variable
from hlm.study.elsewhere import scenarios_at
from hlm.study.sought import MOST
from hlm.study.steps import step_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Scenario
    from hlm.solver import Point
    from hlm.study import Study
    from hlm.study.sought import Varied

__all__ = ["Ranges", "ranges_of"]

FEWEST = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50)
"""The least value is so many steps where the user names none: the first with a right design."""


@dataclass(frozen=True)
class Ranges:
    """The variables of a search.

    Attributes
    ----------
    varied : tuple of Varied
    variables : tuple of Variable
    signs : tuple of int
        -1 where the search is among the values with the other sign: it looks for the smallest
        value that meets the goals, and of effects below 0 that is the one nearest to it.
    """

    varied: tuple[Varied, ...]
    variables: tuple[Variable, ...]
    signs: tuple[int, ...]

    def values(self, point: Point) -> dict[str, float]:
        """Return the values of the study at a point, by path; whole numbers as such."""
        return {
            one.path: round(value) if one.is_size else float(value)
            for one, value in zip(self.varied, self.natural(point), strict=True)
        }

    def natural(self, point: Point) -> Point:
        """Return a point in the user's values."""
        return tuple(s * x for s, x in zip(self.signs, point, strict=True))

    @property
    def names(self) -> tuple[str, ...]:
        """The short names of what varies."""
        return tuple(one.name for one in self.varied)

    def turned(self) -> Ranges:
        """Return the same with the search in the other direction, for one variable."""
        (one,) = self.variables
        other = Variable(one.name, -one.most, -one.least, one.step, -one.origin)
        return Ranges(self.varied, (other,), (-self.signs[0],))


def ranges_of(study: Study, varied: Sequence[Varied], scenario: int) -> Ranges:
    """Return the variables of a search in one scenario of a study.

    Parameters
    ----------
    study : Study
    varied : sequence of Varied
    scenario : int
        Position of the scenario that has all other values.

    Raises
    ------
    InputError
        The study cannot have the least or the greatest of the values, or there are none.
    """
    base = study.scenarios[scenario]
    steps = [_step(one, base) for one in varied]
    most = {one.path: _most(one) for one in varied}
    found, signs = [], []
    for one, step in zip(varied, steps, strict=True):
        least = one.least
        if least is None:
            least = _least(study, one, step or 1.0, most, scenario)
        low, high, sign = least, most[one.path], 1
        if not one.is_size and high <= 0.0:
            low, high, sign = -high, -low, -1
        origin = low if one.step is not None else 0.0
        try:
            found.append(Variable(one.name, low, high, step, origin))
        except ValueError as error:
            raise InputError(
                str(error), path=f"solve.vary.{one.name}", allowed="a wider range, or another step"
            ) from None
        signs.append(sign)
    ranges = Ranges(tuple(varied), tuple(found), tuple(signs))
    corners = list(product(*(one.bounds for one in ranges.variables)))
    try:
        scenarios_at(study, [ranges.values(point) for point in corners], scenario=scenario)
    except InputError as error:
        raise error.at(path="solve.vary") from None
    return ranges


def _step(one: Varied, scenario: Scenario) -> float | None:
    """Return the step: the user's, or that which keeps arms of units or rows equal."""
    if one.step is not None or one.multiple_of is not None:
        return one.step or one.multiple_of
    step = step_of(scenario, one.path)
    return None if step is None else float(step)


def _most(one: Varied) -> float:
    """Return the user's greatest value, or one of our own; of a size as a whole number."""
    most = one.most
    if most is None:
        gridded = max(one.number.gridded, default=0.0)
        most = float(max(MOST[one.path], gridded, 2.0 * (one.least or 0.0)))
    return round(most) if one.is_size else most


def _least(study: Study, one: Varied, step: float, most: dict[str, float], scenario: int) -> float:
    """Return the smallest size of a few that gives a right design, all else being large."""
    error: InputError | None = None
    for k in FEWEST:
        least = int(k * step)
        if least < (2 if one.path == "design.units" else 1):
            continue
        try:
            scenarios_at(study, [{**most, one.path: least}], scenario=scenario)
        except InputError as found:
            error = found
        else:
            return float(least)
    assert error is not None
    raise error.at(path=f"solve.vary.{one.name}")
