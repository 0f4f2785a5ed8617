"""Designs of a scenario -> the cross-products of its units, those that are alike counted once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.scenario import Model
from hlm.simulate import simulate

if TYPE_CHECKING:
    from hlm.kernels.data import CrossProducts, ModelColumns
    from hlm.scenario import Scenario

__all__ = ["UnitTypes", "unit_types_of"]

Floats = NDArray[np.float64]

SEED = 20
"""Of the designs that are drawn; no study's data are drawn from it but by chance."""

MOST_DESIGNS, MOST_ROWS = 400, 400_000
"""So many designs are drawn, or fewer where they have more rows than that together."""

FEWEST_DESIGNS = 20


@dataclass(frozen=True)
class UnitTypes:
    """Cross-products of units in n designs: one design, or several where they differ.

    X* and Z* are the columns of `hlm.simulate.columns`, X = X* T_x and Z = Z* T_z. An axis is 1
    long where the same holds for all designs, or for all types of unit.

    Attributes
    ----------
    zz, zx, xx : ndarray (n or 1, n_types or 1, q, q), (..., q, p), (..., p, p)
        Z*'Z*, Z*'X* and X*'X* of a unit of each type.
    rows : ndarray (n or 1, n_types or 1)
        Rows of a unit of each type.
    count : ndarray (n_types,)
        How many units are of each type; of several designs each unit is one.
    columns : ModelColumns
        With T_x and T_z.
    """

    zz: Floats
    zx: Floats
    xx: Floats
    rows: Floats
    count: Floats
    columns: ModelColumns

    @property
    def n_designs(self) -> int:
        """The number of designs."""
        return len(self.xx)

    @property
    def n_units(self) -> float:
        """The number of units, those without rows among them."""
        return float(self.count.sum())

    @property
    def totals(self) -> tuple[Floats, Floats]:
        """The numbers of rows and of units that have some, (n or 1,) each."""
        return (self.count * self.rows).sum(axis=1), (self.count * (self.rows > 0.0)).sum(axis=1)

    def first(self) -> UnitTypes:
        """Return the first design alone."""
        zz, zx, xx, rows = (each[:1] for each in (self.zz, self.zx, self.xx, self.rows))
        return replace(self, zz=zz, zx=zx, xx=xx, rows=rows)


def unit_types_of(scenario: Scenario, model: Model) -> UnitTypes:
    """Return the units of a scenario's design, or of designs that are drawn where they differ.

    Parameters
    ----------
    scenario : Scenario
        The designs are the same whatever its key: so what is a function of them is a smooth
        function of the scenario's values.
    model : Model

    Examples
    --------
    >>> from hlm.distributions import Points
    >>> from hlm.scenario import Covariate, Scenario
    >>> arms = Covariate("a", "unit", Points((0.0, 1.0) * 50))
    >>> trial = Scenario("0" * 16, 100, 5, (arms,), "y ~ a + (1 | g)",
    ...                  (("(Intercept)", 0.0), ("a", 0.3)), (0.5,), ((1.0,),), 1.0)
    >>> unit_types_of(trial, Model("m", "y ~ a + (1 | g)")).count.tolist()
    [50.0, 50.0]
    """
    n = 1 if _is_fixed(scenario) else _designs(scenario)
    alone = Model(model.name, model.formula, terms=model.terms)
    drawn = simulate(replace(scenario, common_random_numbers=True), [alone], SEED, 0, n)
    return _crossed(drawn.cross, drawn.columns[0])


def _is_fixed(scenario: Scenario) -> bool:
    """Tell whether all data sets have one design."""
    plain = (c.is_plain and c.distribution.is_fixed for c in scenario.covariates)
    return scenario.has_fixed_rows and all(plain)


def _designs(scenario: Scenario) -> int:
    return int(np.clip(MOST_ROWS // scenario.n_obs, FEWEST_DESIGNS, MOST_DESIGNS))


def _crossed(cross: CrossProducts, columns: ModelColumns) -> UnitTypes:
    """Make a model's cross-products, (designs, types, ., .), of those of columns of rows."""
    gram = np.moveaxis(cross.gram, 1, 2)
    levels = np.moveaxis(cross.multipliers, 1, 2)
    count = np.ones(levels.shape[1])
    if len(gram) == len(levels) == 1:
        gram, levels, count = _grouped(gram, levels)
    products = _symmetric(gram)
    (fixed, u), (random, v) = ((places[:, 0], _numbers(places, levels))
                               for places in (columns.fixed, columns.random))  # fmt: skip
    return UnitTypes(
        zz=_between(products, random, random, v, v),
        zx=_between(products, random, fixed, v, u),
        xx=_between(products, fixed, fixed, u, u),
        rows=products[..., 0, 0],
        count=count,
        columns=columns,
    )


def _grouped(gram: Floats, levels: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the distinct units of one design, and how many there are of each."""
    units = np.concatenate([np.broadcast_to(gram[0], (levels.shape[1], gram.shape[2])), levels[0]],
                           axis=1)  # fmt: skip
    _, first, count = np.unique(units, axis=0, return_index=True, return_counts=True)
    return gram if gram.shape[1] == 1 else gram[:, first], levels[:, first], count.astype(float)


def _symmetric(packed: Floats) -> Floats:
    """Return matrices (..., k, k) of which the lower triangles are packed row by row."""
    k = int(np.sqrt(2 * packed.shape[-1]))
    row, column = np.tril_indices(k)
    whole = np.empty((*packed.shape[:-1], k, k))
    whole[..., row, column] = whole[..., column, row] = packed
    return whole


def _numbers(places: NDArray[np.int64], levels: Floats) -> Floats:
    """Return the numbers of the units that multiply each column, (n or 1, n_types or 1, columns).

    Multiplier 0 is the constant 1.
    """
    return levels[..., places[:, 1]] if places[:, 1].any() else np.ones((1, 1, len(places)))


def _between(
    products: Floats, left: NDArray[np.int64], right: NDArray[np.int64], u: Floats, v: Floats
) -> Floats:
    crossed = products[..., left[:, None], right[None, :]]
    return np.asarray(crossed * u[..., :, None] * v[..., None, :])
