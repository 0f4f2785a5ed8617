"""Which columns of a scenario's rows the pictures of its data are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlm.formula import parse

if TYPE_CHECKING:
    from hlm.scenario import Scenario

__all__ = ["Variables", "variables"]


@dataclass(frozen=True)
class Variables:
    """The columns of a scenario's rows that its pictures are about.

    Attributes
    ----------
    unit, response : str
    covariate : str or None
        The row covariate that the units' lines are lines in.
    attribute : str or None
        The unit covariate that their intercepts and slopes may depend on.
    other_rows, other_units : tuple of str
        The other covariates of either level.
    """

    unit: str
    response: str
    covariate: str | None
    attribute: str | None
    other_rows: tuple[str, ...]
    other_units: tuple[str, ...]


def variables(scenario: Scenario) -> Variables:
    """Choose the covariate and the attribute: the first of each level with a coefficient.

    Covariates that are labels are left out.

    Examples
    --------
    >>> from hlm.scenario import Covariate, Scenario
    >>> covariates = (Covariate("a", "unit"), Covariate("x", "row"))
    >>> use = variables(Scenario("", 30, 30, covariates, "y ~ x + (1 + x | unit)",
    ...                          (("(Intercept)", 1.0), ("x", 3.0)), (), (), 1.0))
    >>> use.unit, use.response, use.covariate, use.attribute
    ('unit', 'y', 'x', 'a')
    """
    formula = parse(scenario.formula)
    rows = _ordered(scenario, "row")
    units = _ordered(scenario, "unit")
    return Variables(
        unit=formula.random[0].group,
        response=formula.response,
        covariate=rows[0] if rows else None,
        attribute=units[0] if units else None,
        other_rows=tuple(rows[1:]),
        other_units=tuple(units[1:]),
    )


def _ordered(scenario: Scenario, level: str) -> list[str]:
    coefficients = {name for name, _ in scenario.fixed}
    numbers = [c for c in scenario.covariates if not c.distribution.labels]
    names = [c.name for c in numbers if c.level == level]
    return sorted(names, key=lambda name: name not in coefficients)
