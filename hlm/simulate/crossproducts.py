r"""Per-unit cross-products of simulated data: all that any Gaussian mixed model needs of them.

Of the response only y* = Z b + e, what is random, is reduced; the truth's fixed part X beta is
added exactly where a model lacks a part of it, and otherwise only to the estimates. So no digits
are lost to large fixed effects. Where coefficients are uncertain, y* has X d too, with d what those
of the data set differ by from beta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from hlm.jit import entry
from hlm.kernels.data import CrossProducts, ModelColumns
from hlm.simulate.columns import (
    Basis,
    Part,
    basis_of,
    model_columns_of,
    smaller_columns_of,
    truth_effects,
)
from hlm.simulate.draws import Draws, draw
from hlm.simulate.ragged import RowDraws, draw_by_row
from hlm.simulate.unit_design import UnitDesign, unit_design_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hlm.scenario import Model, Scenario
    from hlm.simulate.layout import Layout
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
    scenario: Scenario, models: Sequence[Model], seed: int, start: int, stop: int
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

    Returns
    -------
    Drawn
        Each number is independent of what else is drawn or needed.
    """
    basis = basis_of(scenario, models)
    truth, scales = truth_effects(scenario, basis)
    kept: list[AnyKept] | None = [] if any(model.predictions for model in models) else None
    if scenario.is_plain:
        drawn = _keeping(kept, draw(scenario, seed, start, stop))
        chunks = [_reduce(basis, truth, scales, scenario, draws) for draws in drawn]
    else:
        by_row = _keeping(kept, draw_by_row(scenario, seed, start, stop))
        chunks = [_reduce_rows(basis, truth, scales, scenario, draws) for draws in by_row]
    cross = CrossProducts(
        gram=_join([chunk.gram for chunk in chunks]),
        response=np.concatenate([chunk.response for chunk in chunks]),
        sum_squares=np.concatenate([chunk.sum_squares for chunk in chunks]),
        multipliers=_join([chunk.multipliers for chunk in chunks]),
        n_obs=np.concatenate([chunk.n_obs for chunk in chunks]),
    )
    columns = [model_columns_of(scenario, basis, model) for model in models]
    units = tuple(
        unit_design_of(scenario, basis, model, own.offset, own.fixed_transform)
        if model.predictions
        else None
        for model, own in zip(models, columns, strict=True)
    )
    for model in models:
        columns += smaller_columns_of(scenario, basis, model)
    effects, coefficients = _together(kept)
    return Drawn(scenario.key, start, stop, cross, tuple(columns), effects, units, coefficients)


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


def _join(arrays: Sequence[Floats]) -> Floats:
    """Put replicates together; of what is the same in all, one copy is kept."""
    same = all(len(a) == 1 and np.array_equal(a, arrays[0]) for a in arrays)
    return arrays[0] if same else np.concatenate(arrays)


def _reduce(
    basis: Basis, truth: NDArray[np.int64], scales: Floats, scenario: Scenario, draws: Draws
) -> CrossProducts:
    """Reduce some replicates."""
    layout, n, k = draws.layout, len(draws.noise), len(basis.columns)
    n_units = len(layout.sizes)
    columns, starts = _columns(basis, draws)
    levels = [part.values(draws.covariates) for part in basis.multipliers]
    multipliers = _stack(levels, (1, n_units))[:, :, 0]
    gram = np.zeros((len(columns), k * (k + 1) // 2, starts[1]))
    response, squares = np.zeros((n, k, n_units)), np.zeros((n, n_units))
    cross_columns(columns, starts, gram)
    cross_noise(columns, draws.noise.reshape(n, -1), layout.starts, response, squares)
    _scale(response, squares, draws.sigma)
    effects = _with_coefficients(scenario, draws)
    sum_squares = _add_effects(truth, scales, gram, multipliers, effects, response, squares)
    n_obs = np.full(n, layout.starts[-1])
    return CrossProducts(gram, response, sum_squares, multipliers, n_obs)


def _scale(response: Floats, squares: Floats, sigma: float | Floats) -> None:
    """Multiply the products of the noise by the residual sd, of all data sets or of each."""
    sigma = np.reshape(sigma, (-1, 1))
    response *= sigma[:, :, None]
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
    truth: NDArray[np.int64],
    scales: Floats,
    gram: Floats,
    multipliers: Floats,
    effects: Floats,
    response: Floats,
    squares: Floats,
) -> Floats:
    """Add the random effects to the noise in `response` and `squares`; return y*'y*, (n,)."""
    sum_squares, weights = np.zeros(len(effects)), np.zeros(len(truth))
    add_effects(truth, scales, gram, multipliers, effects, response, squares, sum_squares, weights)
    return sum_squares


def _reduce_rows(
    basis: Basis, truth: NDArray[np.int64], scales: Floats, scenario: Scenario, draws: RowDraws
) -> CrossProducts:
    """Reduce some replicates of which each has rows of its own.

    Of a design that is the same in all of them only the first one's columns are looked at, and of
    units with the same rows only the first one's products.
    """
    rows, k = draws.rows, len(basis.columns)
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
    multipliers = _stack(levels, (1, n_units))[:, :, 0]
    gram = np.empty((1 if one else n, k * (k + 1) // 2, n_units))
    response, squares = np.empty((n, k, n_units)), np.empty((n, n_units))
    cross_row_columns(columns, rows.starts, gram)
    cross_row_noise(columns, draws.residuals, rows.starts, response, squares)
    _scale(response, squares, scenario.sigma if draws.truth is None else draws.truth.sigma)
    if one and scenario.has_equal_rows:
        gram = np.ascontiguousarray(gram[:, :, :1])
    effects = _with_coefficients(scenario, draws)
    sum_squares = _add_effects(truth, scales, gram, multipliers, effects, response, squares)
    return CrossProducts(gram, response, sum_squares, multipliers, rows.n_obs)


def _columns(basis: Basis, draws: Draws) -> tuple[Floats, NDArray[np.int64]]:
    """Return the columns, (n or 1, k, rows), and where the first, the second, ... rows begin.

    Columns of a fixed design have the rows of one unit if all are equal.
    """
    layout, data = draws.layout, draws.covariates
    if not layout.is_equal:
        rows = (1, int(layout.starts[-1]))
        values = [part.values(_by_rows(part, data, layout)) for part in basis.columns]
        return _stack(values, rows).reshape(-1, len(values), rows[1]), layout.starts
    n_rows, n_units = draws.noise.shape[1:]
    values = [part.values(data) for part in basis.columns]
    if n_rows > 1 and all(value.shape[-1] == 1 for value in values):
        n_units = 1
    columns = _stack(values, (n_rows, n_units))
    return columns.reshape(-1, len(values), n_rows * n_units), np.arange(n_rows + 1) * n_units


def _by_rows(part: Part, data: dict[str, Floats], layout: Layout) -> dict[str, Floats]:
    """Return the covariates of a part with a value for each row."""
    names = {name for factor in part.factors for name in factor.variables}
    n_units = len(layout.sizes)
    return {
        name: data[name][..., layout.unit] if data[name].shape[-1] == n_units else data[name]
        for name in names
    }


def _stack(values: Sequence[Floats], shape: tuple[int, int]) -> Floats:
    """Put arrays together as (n or 1, parts, *shape)."""
    values = [value.reshape((1,) * (3 - value.ndim) + value.shape) for value in values]
    n = max(len(value) for value in values)
    return np.ascontiguousarray(
        np.stack([np.broadcast_to(value, (n, *shape)) for value in values], axis=1)
    )


@entry
def cross_columns(columns, starts, gram):
    """Add to gram (n, pairs, units), zero on entry, the sums over rows of products of columns.

    The j-th rows of the units that have one are those from `starts[j]` to `starts[j + 1] - 1`.
    """
    n, k = columns.shape[:2]
    # gram_i = sum_j x_aij x_bij for each pair (a, b), unit i, its rows j
    for r in range(n):
        pair = 0
        for a in range(k):
            for b in range(a + 1):
                total = gram[r, pair]
                for j in range(len(starts) - 1):
                    first, last = starts[j], starts[j + 1]
                    left, right = columns[r, a, first:last], columns[r, b, first:last]
                    for i in range(last - first):
                        total[i] += left[i] * right[i]
                pair += 1


@entry
def cross_noise(columns, noise, starts, response, squares):
    """Add x'e of each unit to response (n, k, units) and e'e to squares (n, units), zero on entry.

    `columns` have a value for each of the rows that begin at `starts`, or one for all of them.
    """
    n, k, wide = len(noise), columns.shape[1], columns.shape[2] >= starts[-1]
    # squares_i = sum_j e_ij^2 and response_i = sum_j x_aij e_ij for each column a, unit i
    for r in range(n):
        design = columns[r if columns.shape[0] > 1 else 0]
        for j in range(len(starts) - 1):
            first, last = starts[j], starts[j + 1]
            e, total = noise[r, first:last], squares[r]
            for i in range(last - first):
                total[i] += e[i] * e[i]
            for a in range(k):
                sums = response[r, a]
                if wide:
                    column = design[a, first:last]
                    # + x_aij e_ij
                    for i in range(last - first):
                        sums[i] += column[i] * e[i]
                else:
                    value = design[a, j]
                    # + x_aj e_ij, x_aj the same in all units
                    for i in range(last - first):
                        sums[i] += value * e[i]


@entry
def cross_row_columns(columns, starts, gram):
    """Write x'x of each unit, from rows that lie unit after unit.

    `columns` (k, total) have the rows of the units of data set 0, then those of data set 1, ...;
    unit i of data set r has those from `starts[r n_units + i]` on.
    """
    k = len(columns)
    n, _, n_units = gram.shape
    # gram_i = sum_j x_aij x_bij for each pair (a, b), unit i, its rows j
    for r in range(n):
        for i in range(n_units):
            first, last = starts[r * n_units + i], starts[r * n_units + i + 1]
            pair = 0
            for a in range(k):
                left = columns[a]
                for b in range(a + 1):
                    right, total = columns[b], 0.0
                    for j in range(first, last):
                        total += left[j] * right[j]
                    gram[r, pair, i] = total
                    pair += 1


@entry
def cross_row_noise(columns, noise, starts, response, squares):
    """Write x'e and e'e of each unit, from rows that lie unit after unit.

    `noise` (total,) has the rows of all data sets, `columns` (k, total) too, or those of one data
    set that all have.
    """
    n, k, n_units = response.shape
    wide = columns.shape[1] == len(noise)
    # response_i = sum_j x_aij e_ij and squares_i = sum_j e_ij^2 of unit i, over its rows j
    for r in range(n):
        back = 0 if wide else starts[r * n_units]
        for i in range(n_units):
            first, last = starts[r * n_units + i], starts[r * n_units + i + 1]
            total = 0.0
            for j in range(first, last):
                total += noise[j] * noise[j]
            squares[r, i] = total
            for a in range(k):
                column, total = columns[a], 0.0
                for j in range(first, last):
                    total += column[j - back] * noise[j]
                response[r, a, i] = total


@entry
def add_effects(truth, scales, gram, multipliers, effects, response, squares, sum_squares, weights):
    """Add Z b to the noise: y*'y* = e'e + 2 b'Z'e + b'Z'Zb, and x'y* = x'e + x'Zb of each column x.

    `response` (n, k, units) holds x'e, then x'y*; `squares` (n, units) e'e of each unit; y*'y* is
    added to `sum_squares` (n,). Column `truth[t, 0]` times multiplier `truth[t, 1]` and `scales[t]`
    is column t of Z, whose random effects are `effects[:, t]`; `weights` (q,) is memory for w.
    """
    n, q, n_units = effects.shape
    k, wide = response.shape[1], gram.shape[2] > 1
    # Unit i of data set r: Z b = sum_t w_t x_t
    for r in range(n):
        products = gram[r if gram.shape[0] > 1 else 0]
        levels = multipliers[r if multipliers.shape[0] > 1 else 0]
        for i in range(n_units):
            g = i if wide else 0
            total = squares[r, i]
            # w_t = scale_t u_t b_t
            for t in range(q):
                weights[t] = scales[t] * levels[truth[t, 1], i] * effects[r, t, i]
            # y*'y* = e'e + 2 sum_t w_t x_t'e + sum_tu w_t w_u x_t'x_u
            for t in range(q):
                a = truth[t, 0]
                total += 2.0 * weights[t] * response[r, a, i]
                for u in range(q):
                    b = truth[u, 0]
                    pair = a * (a + 1) // 2 + b if a >= b else b * (b + 1) // 2 + a
                    total += weights[t] * weights[u] * products[pair, g]
            sum_squares[r] += total
            # x_c'y* = x_c'e + sum_t w_t x_c'x_t
            for c in range(k):
                for t in range(q):
                    a = truth[t, 0]
                    pair = a * (a + 1) // 2 + c if a >= c else c * (c + 1) // 2 + a
                    response[r, c, i] += weights[t] * products[pair, g]
