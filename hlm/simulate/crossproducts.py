r"""Per-unit cross-products of simulated data: all that any Gaussian mixed model needs of them.

Of the response only y* = Z b + e, what is random, is reduced; the truth's fixed part X beta is
added exactly where a model lacks a part of it, and otherwise only to the estimates. So no digits
are lost to large fixed effects. Where coefficients are uncertain, y* has X d too, with d what those
of the data set differ by from beta.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from hlm.kernels.data import CrossProducts, ModelColumns
from hlm.simulate.columns import (
    Basis,
    basis_of,
    model_columns_of,
    smaller_columns_of,
    truth_effects,
)
from hlm.simulate.design_basis import design_basis
from hlm.simulate.draws import Draws, draw
from hlm.simulate.gathered import Memory, gather
from hlm.simulate.part_values import columns_of, multipliers_of, stack_values
from hlm.simulate.ragged import RowDraws, draw_by_row
from hlm.simulate.residual_scales import is_drawn_as_sums
from hlm.simulate.row_sums import (
    add_effects,
    cross_row_columns,
    cross_row_noise,
    products_of_columns,
    products_with_noise,
)
from hlm.simulate.sums_from_coordinates import CoordinateSums, places_in
from hlm.simulate.unit_design import UnitDesign, unit_design_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hlm.scenario import Model, Scenario
    from hlm.uncertain import DrawnTruth

__all__ = ["Drawn", "simulate"]

Floats = NDArray[np.float64]
AnyDraws = TypeVar("AnyDraws", Draws, RowDraws)
AnyKept: TypeAlias = "tuple[Floats, DrawnTruth | None]"


@dataclass(frozen=True)
class Drawn:
    """The replicates `start` to `stop - 1` of a scenario, reduced to what models need of them.

    Attributes
    ----------
    key : str
        The scenario's.
    start, stop : int
    cross : CrossProducts
        With what is random of the response, y*.
    columns : tuple of ModelColumns
        Of each model; after them those of the smaller model of each likelihood ratio test, model by
        model.
    effects : ndarray (n, q, n_units), optional
        The random effects of the truth, where a model's predictions are held against them.
    units : tuple of UnitDesign or None
        Of each model: how coefficients of units are made of effects, where they are predicted.
    coefficients : ndarray (n, p), optional
        Those of the truth in each data set, where some are uncertain and `effects` are kept.
    """

    key: str
    start: int
    stop: int
    cross: CrossProducts
    columns: tuple[ModelColumns, ...]
    effects: Floats | None = None
    units: tuple[UnitDesign | None, ...] = ()
    coefficients: Floats | None = None


def simulate(
    scenario: Scenario,
    models: Sequence[Model],
    seed: int,
    start: int,
    stop: int,
    *,
    memory: Memory | None = None,
) -> Drawn:
    """Draw replicates and reduce them to the cross-products that the models need.

    Parameters
    ----------
    scenario : Scenario
    models : sequence of Model
    seed : int
        The study's.
    start, stop : int
        The replicates from `start` to `stop - 1`.
    memory : Memory, optional
        For the cross-products, which then are valid until this is used again.

    Returns
    -------
    Drawn
        Each number is independent of what else is drawn or needed.
    """
    asked = _asked(scenario, tuple(models))
    kept: list[AnyKept] | None = [] if any(model.predictions for model in models) else None
    if scenario.is_plain or is_drawn_as_sums(scenario):
        places = places_in(asked.basis, design_basis(scenario))
        drawn = _keeping(kept, draw(scenario, seed, start, stop, rows=places.need_rows))
        sums = CoordinateSums(asked.basis, places, fixed=scenario.has_fixed_rows)
        pieces = (_reduce(asked, sums, scenario, draws) for draws in drawn)
    else:
        by_row = _keeping(kept, draw_by_row(scenario, seed, start, stop))
        pieces = (_reduce_rows(asked, scenario, draws) for draws in by_row)
    cross = gather(pieces, stop - start, memory)
    effects, coefficients = _together(kept)
    return Drawn(
        scenario.key, start, stop, cross, asked.columns, effects, asked.units, coefficients
    )


class _Asked(NamedTuple):
    """What scenario and models say of the sums, whatever is drawn.

    Attributes
    ----------
    basis : Basis
    truth, scales : ndarray
        Column, multiplier and scale of each of the truth's random effects.
    columns, units : tuple
        Those of `Drawn`.
    """

    basis: Basis
    truth: NDArray[np.int64]
    scales: Floats
    columns: tuple[ModelColumns, ...]
    units: tuple[UnitDesign | None, ...]


@lru_cache(maxsize=64)
def _asked(scenario: Scenario, models: tuple[Model, ...]) -> _Asked:
    """Look at scenario and models, once for all ranges of replicates."""
    basis = basis_of(scenario, models)
    truth, scales = truth_effects(scenario, basis)
    columns = [model_columns_of(scenario, basis, model) for model in models]
    units = tuple(
        unit_design_of(scenario, basis, model, own.offset, own.fixed_transform)
        if model.predictions
        else None
        for model, own in zip(models, columns, strict=True)
    )
    for model in models:
        columns += smaller_columns_of(scenario, basis, model)
    return _Asked(basis, truth, scales, tuple(columns), units)


def _keeping(kept: list[AnyKept] | None, draws: Iterable[AnyDraws]) -> Iterator[AnyDraws]:
    """Yield draws, and keep their random effects and truths if there is a list for them."""
    for some in draws:
        if kept is not None:
            kept.append((some.effects, some.truth))
        yield some


def _together(kept: list[AnyKept] | None) -> tuple[Floats | None, Floats | None]:
    """Return the random effects, and the coefficients where some are uncertain."""
    if kept is None:
        return None, None
    coefficients = [truth.fixed for _, truth in kept if truth is not None]
    return (
        np.concatenate([effects for effects, _ in kept]),
        np.concatenate(coefficients) if coefficients else None,
    )


def _reduce(asked: _Asked, sums: CoordinateSums, scenario: Scenario, draws: Draws) -> CrossProducts:
    """Reduce some replicates."""
    layout, n = draws.layout, len(draws.effects)
    multipliers = multipliers_of(asked.basis.multipliers, draws.covariates, len(layout.sizes))
    if draws.coordinates is None:
        gram, response, squares = _of_rows(asked.basis, draws)
    else:
        gram, response, squares = sums.of(draws)
    _scale(response, squares, draws.sigma)
    effects = _with_coefficients(scenario, draws)
    sum_squares = _add_effects(asked, gram, multipliers, effects, response, squares)
    n_obs = np.full(n, layout.starts[-1])
    return CrossProducts(gram, response, sum_squares, multipliers, n_obs)


def _of_rows(basis: Basis, draws: Draws) -> tuple[Floats, Floats, Floats]:
    """Return the cross-products of columns and residuals, and the residuals' squares."""
    assert draws.noise is not None
    columns, starts = columns_of(basis.columns, draws.covariates, draws.layout)
    sums = products_with_noise(columns, draws.noise, draws.layout.starts)
    return products_of_columns(columns, starts), *sums


def _scale(response: Floats, squares: Floats, sigma: Floats) -> None:
    """Multiply the products of the noise by the residual sds, (n or 1, n_units or 1)."""
    response *= sigma[:, None]
    squares *= sigma * sigma


def _with_coefficients(scenario: Scenario, draws: Draws | RowDraws) -> Floats:
    """Return the random effects, and what uncertain coefficients differ by from the truth's."""
    places = list(scenario.uncertain_coefficients)
    if draws.truth is None or not places:
        return draws.effects
    centre = np.array([value for _, value in scenario.fixed])
    differences = (draws.truth.fixed - centre)[:, places, None]
    n_units = draws.effects.shape[2]
    in_units = np.broadcast_to(differences, (*differences.shape[:2], n_units))
    return np.concatenate([draws.effects, in_units], axis=1)


def _add_effects(
    asked: _Asked,
    gram: Floats,
    multipliers: Floats,
    effects: Floats,
    response: Floats,
    squares: Floats,
) -> Floats:
    """Add the random effects to the noise in `response` and `squares`; return y*'y*, (n,)."""
    sum_squares, weights = np.zeros(len(effects)), np.empty((len(asked.truth), effects.shape[2]))
    add_effects(
        asked.truth,
        asked.scales,
        gram,
        multipliers,
        effects,
        response,
        squares,
        sum_squares,
        weights,
    )
    return sum_squares


def _reduce_rows(asked: _Asked, scenario: Scenario, draws: RowDraws) -> CrossProducts:
    """Reduce some replicates of which each has rows of its own.

    Of a design that is the same in all of them only the first one's columns are looked at, and of
    units with the same rows only the first one's products.
    """
    basis, rows, k = asked.basis, draws.rows, len(asked.basis.columns)
    n, _, n_units = draws.effects.shape
    one = scenario.has_fixed_rows
    data, total = draws.by_rows, int(rows.starts[n_units if one else -1])
    if one:
        data = {name: values[:total] for name, values in data.items()}
    columns = np.empty((k, total))
    for a, part in enumerate(basis.columns):
        columns[a] = part.values(data)
    levels = [part.values(draws.covariates) for part in basis.multipliers]
    levels = [level.reshape(-1, 1, level.shape[-1]) for level in levels]
    multipliers = stack_values(levels, (1, n_units))[:, :, 0]
    gram = np.empty((1 if one else n, k * (k + 1) // 2, n_units))
    response, squares = np.empty((n, k, n_units)), np.empty((n, n_units))
    cross_row_columns(columns, rows.starts, gram)
    cross_row_noise(columns, draws.residuals, rows.starts, response, squares)
    sigma = scenario.sigma if draws.truth is None else draws.truth.sigma
    _scale(response, squares, np.reshape(sigma, (-1, 1)))
    if one and scenario.has_equal_rows:
        gram = np.ascontiguousarray(gram[:, :, :1])
    effects = _with_coefficients(scenario, draws)
    sum_squares = _add_effects(asked, gram, multipliers, effects, response, squares)
    return CrossProducts(gram, response, sum_squares, multipliers, rows.n_obs)
