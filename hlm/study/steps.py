"""By which steps a number of a study varies: whole units, arms that are equally large."""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING

from hlm.distributions import Balanced

if TYPE_CHECKING:
    from hlm.scenario import Scenario

__all__ = ["step_of"]

LEVELS = {"design.units": "unit", "design.rows": "row"}
"""The numbers that count something, and the level of the covariates that are balanced over it."""


def step_of(scenario: Scenario, path: str) -> int | None:
    """Return the step of a number of units or rows; None of any other number.

    Examples
    --------
    >>> from hlm.distributions import Balanced
    >>> from hlm.scenario import Covariate, Scenario
    >>> arm = Covariate("arm", "unit", Balanced.of((0.0, 1.0)))
    >>> trial = Scenario("0" * 16, 20, 3, (arm,), "y ~ arm + (1 | g)",
    ...                  (("(Intercept)", 0.0), ("arm", 0.3)), (0.5,), ((1.0,),), 1.0)
    >>> [step_of(trial, path) for path in ("design.units", "design.rows", "truth.fixed.arm")]
    [2, 1, None]
    """
    if path not in LEVELS:
        return None
    covariates = (one for one in scenario.covariates if one.level == LEVELS[path])
    balanced = (one.distribution for one in covariates if isinstance(one.distribution, Balanced))
    return lcm(1, *(len(one.codes) for one in balanced))
