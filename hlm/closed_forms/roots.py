"""A power or a width that is wanted -> the real number of units, or the effect, that gives it.

Units are counted as a real number: each type of unit as many times, so that arms keep their
shares. All that follows is then smooth in the number, and a root is found as of any function.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from hlm.closed_forms.closed_form import NoClosedForm, asked
from hlm.closed_forms.noncentral import power_of
from hlm.closed_forms.truth_information import UndeterminedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hlm.closed_forms.question import Question
    from hlm.scenario import Model, Scenario

__all__ = ["effect_for_power", "units_for_power", "units_for_width"]

MOST_UNITS = 1e6
MOST_ERRORS = 1e3
"""No effect that is looked for is more standard errors from 0."""

PRECISION = 1e-13


def units_for_power(
    scenario: Scenario,
    model: Model,
    term: str,
    power: float,
    *,
    most: float = MOST_UNITS,
    inference: str | None = None,
    method: str = "reml",
) -> float | NoClosedForm:
    """Return the real number of units with which a term has a power.

    Parameters
    ----------
    scenario, model, term, inference, method
        As of `closed_form`. The scenario's own number of units does not count where its design is
        fixed and balanced; else designs are those of its units, as many times as it takes.
    power : float
    most : float
        No more units are looked at.

    Returns
    -------
    float or NoClosedForm
        Why there is none: also that not even `most` units have the power.

    Examples
    --------
    Diggle et al. (2002), p. 30, by z: 65 units an arm.

    >>> from hlm.distributions import Points
    >>> from hlm.scenario import Covariate, Model, Scenario
    >>> arms = Covariate("a", "unit", Points((0.0, 1.0) * 10))
    >>> trial = Scenario("0" * 16, 20, 3, (arms,), "y ~ a + (1 | g)",
    ...                  (("(Intercept)", 0.0), ("a", 0.3)), (0.2**0.5,), ((1.0,),), 0.8**0.5)
    >>> model = Model("m", "y ~ a + (1 | g)", level=0.9, df=("infinite",))
    >>> round(units_for_power(trial, model, "a", 0.8) / 2, 3)
    64.112
    """
    question = asked(scenario, model, term, inference=inference, method=method)
    if isinstance(question, NoClosedForm):
        return question
    of = _Units(question, most, "power")
    return of.where(lambda share: float(question.answers(share).power.mean()), power)


def units_for_width(
    scenario: Scenario,
    model: Model,
    term: str,
    width: float,
    *,
    most: float = MOST_UNITS,
    inference: str | None = None,
    method: str = "reml",
) -> float | NoClosedForm:
    """Return the real number of units with which a term's interval has an expected width.

    Parameters and what is returned are as of `units_for_power`.
    """
    question = asked(scenario, model, term, inference=inference, method=method)
    if isinstance(question, NoClosedForm):
        return question
    if len(question.values) > 1:
        return NoClosedForm(f"'{term}' has no interval")
    of = _Units(question, most, "width")
    return of.where(lambda share: float(question.answers(share).width.mean()), width)


def effect_for_power(
    scenario: Scenario,
    model: Model,
    term: str,
    power: float,
    *,
    inference: str | None = None,
    method: str = "reml",
) -> float | NoClosedForm:
    """Return how far from 0 a coefficient or contrast must be to have a power.

    Parameters and what is returned are as of `units_for_power`. No other value of the scenario
    changes.
    """
    question = asked(scenario, model, term, inference=inference, method=method)
    if isinstance(question, NoClosedForm):
        return question
    if len(question.values) > 1:
        return NoClosedForm(f"'{term}' tests several effects")
    try:
        of, df = question.distribution()
    except UndeterminedError as error:
        return NoClosedForm(str(error))

    def powered(size: float) -> float:
        noncentrality = of.noncentrality(np.array([size]))
        return float(power_of(of, df, question.level, noncentrality).mean())

    largest = MOST_ERRORS * float(np.sqrt(of.covariance.max()))
    if not powered(0.0) < power < 1.0:
        return NoClosedForm(
            f"no effect has a power of {power:g}: without one it is {powered(0.0):.3g}"
        )
    size = brentq(lambda size: powered(size) - power, 0.0, largest, xtol=PRECISION * largest)
    return question.sigma * float(size)


@dataclass(frozen=True)
class _Units:
    """Numbers of units from the least that determine a question to a largest."""

    question: Question
    most: float
    what: str

    def where(self, measure: Callable[[float], float], target: float) -> float | NoClosedForm:
        """Return the number where a measure, of the share of the units, is what it is to be."""
        own = self.question.types.n_units

        def excess(log_units: float) -> float:
            return measure(np.exp(log_units) / own) - target

        try:
            least = self._least(measure)
            ends = excess(log(least)), excess(log(self.most))
            if ends[0] * ends[1] > 0.0:
                return NoClosedForm(
                    f"no number of units has a {self.what} of {target:g}: it is "
                    f"{ends[0] + target:.4g} of {least:.4g} units and "
                    f"{ends[1] + target:.4g} of {self.most:g}"
                )
            return float(np.exp(brentq(excess, log(least), log(self.most), xtol=PRECISION)))
        except UndeterminedError as error:
            return NoClosedForm(str(error))

    def _least(self, measure: Callable[[float], float]) -> float:
        """Return the smallest of some numbers of units, each a quarter more, that has a value."""
        own = self.question.types.n_units
        units = 2.0
        while units < self.most:
            try:
                if np.isfinite(measure(units / own)):
                    return units
            except UndeterminedError:
                pass
            units *= 1.25
        return self.most
