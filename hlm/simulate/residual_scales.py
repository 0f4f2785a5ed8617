"""Sds of normal residuals that differ, where sums over rows are drawn all the same.

The rows of a unit, or those of a unit in each of a few groups, then have one sd. What such sds are
a function of follows from design and truth alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hlm.distributions import STANDARD_NORMAL, Normal
from hlm.rows.residual import STREAM, ByCovariate, ByUnit
from hlm.simulate.design_basis import design_basis
from hlm.simulate.normals import standard_numbers

if TYPE_CHECKING:
    from hlm.scenario import Scenario
    from hlm.simulate.layout import Layout
    from hlm.simulate.normal_streams import NormalStreams

__all__ = ["ResidualScales", "RowGroups", "UnitScales", "is_drawn_as_sums", "residual_scales"]

Floats = NDArray[np.float64]

MOST = 100
"""How many groups there may be, which are numbered by a byte."""

PAYS = 2.0
"""Groups are drawn as sums where a unit has so many times as many rows as they have coordinates."""


@dataclass(frozen=True)
class UnitScales:
    """An sd for each unit, over the stated one."""

    variance: ByCovariate | ByUnit

    def sds(
        self, n: int, data: dict[str, Floats], layout: Layout, streams: NormalStreams
    ) -> Floats:
        """Return the sds of the units of n data sets, (n or 1, n_units)."""
        if isinstance(self.variance, ByCovariate):
            return self.variance.of_values(data[self.variance.by][:, 0])
        z = standard_numbers(STANDARD_NORMAL, streams.named(STREAM), (n, len(layout.sizes)))
        found = self.variance.sds(z)
        return found if layout.order is None else found[:, layout.order]


@dataclass(frozen=True)
class RowGroups:
    """Rows in groups of one sd, by the value of a covariate.

    Attributes
    ----------
    by : str
    levels : tuple of float
        Its values, in ascending order.
    group : tuple of int
        That of each value, from 0 in the order of their least values.
    sds : tuple of float
        Of each group, over the stated one.

    Examples
    --------
    >>> RowGroups("x", (0.0, 1.0, 5.0), (0, 1, 0), (1.0, 2.0)).of(np.array([5.0, 1.0])).tolist()
    [0, 1]
    """

    by: str
    levels: tuple[float, ...]
    group: tuple[int, ...]
    sds: tuple[float, ...]

    def of(self, values: Floats) -> NDArray[np.int8]:
        """Return the groups of rows with these values."""
        found = np.zeros(values.shape, dtype=np.int8)
        for level, group in zip(self.levels, self.group, strict=True):
            if group:
                found[values == level] = group
        return found

    def row_sds(self, data: dict[str, Floats]) -> Floats:
        """Return the sds of rows, in the shape that `data` has its values in."""
        return np.array(self.sds)[self.of(data[self.by])]


ResidualScales: TypeAlias = "UnitScales | RowGroups"


@lru_cache(maxsize=64)
def residual_scales(scenario: Scenario) -> ResidualScales | None:
    """Return what sds of normal residuals are a function of: units, or groups of rows.

    None where they are all alike, where design or residuals are drawn as rows anyway, and where
    groups are too small for their sums to be fewer numbers than the rows.

    Examples
    --------
    >>> from hlm.distributions import Points
    >>> from hlm.rows.residual import ByPower
    >>> from hlm.scenario import Covariate, Scenario
    >>> t = Covariate("t", "row", Points((-1.0, 1.0, 2.0) * 4))
    >>> truth = Scenario("", 9, 12, (t,), "y ~ t + (1 | g)", (), (1.0,), ((1.0,),), 1.0,
    ...                  variance=ByPower("t", 1.0))
    >>> residual_scales(truth)
    RowGroups(by='t', levels=(-1.0, 1.0, 2.0), group=(0, 0, 1), sds=(1.0, 2.0))
    """
    variance = scenario.variance
    if not scenario.has_plain_design or not isinstance(scenario.residuals, Normal):
        return None
    if isinstance(variance, ByUnit):
        return UnitScales(variance)
    if not isinstance(variance, ByCovariate):
        return None
    covariate = next(c for c in scenario.covariates if c.name == variance.by)
    if covariate.level == "unit":
        return UnitScales(variance)
    levels = covariate.distribution.levels
    if not levels:
        return None
    sds = variance.of_values(np.array(levels)).tolist()
    distinct = list(dict.fromkeys(sds))
    coordinates = len(distinct) * len(design_basis(scenario).parts)
    if len(distinct) > MOST or PAYS * coordinates > scenario.mean_rows:
        return None
    return RowGroups(variance.by, levels, tuple(map(distinct.index, sds)), tuple(distinct))


def is_drawn_as_sums(scenario: Scenario) -> bool:
    """Whether sums over rows of normal residuals are drawn, and rows only where they are needed."""
    if scenario.is_plain:
        return isinstance(scenario.residuals, Normal)
    if scenario.autocorrelation is not None or scenario.missing is not None:
        return False
    return residual_scales(scenario) is not None
