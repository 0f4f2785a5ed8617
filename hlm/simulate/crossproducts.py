r"""Per-unit cross-products of simulated data: all that any Gaussian mixed model needs of them.

Of the response only y* = Z b + e, what is random, is reduced; the truth's fixed part X beta is
added exactly where a model lacks a part of it, and otherwise only to the estimates. So no digits
are lost to large fixed effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.formula import Term, evaluate, parse
from hlm.jit import entry
from hlm.kernels.data import CrossProducts, ModelColumns
from hlm.simulate.columns import Basis, Part, basis_of, model_columns_of, truth_effects
from hlm.simulate.draws import Draws, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Model, Scenario

__all__ = ["Drawn", "draw_rows", "simulate"]

Floats = NDArray[np.float64]


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
        Of each model.
    """

    key: str
    start: int
    stop: int
    cross: CrossProducts
    columns: tuple[ModelColumns, ...]


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
    chunks = [
        _reduce(basis, truth, scales, scenario.sigma, draws)
        for draws in draw(scenario, seed, start, stop)
    ]
    cross = CrossProducts(
        gram=_join([chunk.gram for chunk in chunks]),
        response=np.concatenate([chunk.response for chunk in chunks]),
        sum_squares=np.concatenate([chunk.sum_squares for chunk in chunks]),
        multipliers=_join([chunk.multipliers for chunk in chunks]),
        n_obs=np.concatenate([chunk.n_obs for chunk in chunks]),
    )
    columns = tuple(model_columns_of(scenario, basis, model) for model in models)
    return Drawn(scenario.key, start, stop, cross, columns)


def _join(arrays: Sequence[Floats]) -> Floats:
    """Put replicates together; of what is the same in all, one copy is kept."""
    same = all(len(a) == 1 and np.array_equal(a, arrays[0]) for a in arrays)
    return arrays[0] if same else np.concatenate(arrays)


def _reduce(
    basis: Basis, truth: NDArray[np.int64], scales: Floats, sigma: float, draws: Draws
) -> CrossProducts:
    """Reduce some replicates."""
    n, n_rows, n_units = draws.noise.shape
    columns = _stack(basis.columns, draws.covariates, n_rows, n_units)
    multipliers = _stack(basis.multipliers, draws.covariates, 1, n_units)[:, :, 0]
    k = len(basis.columns)
    gram = np.zeros((len(columns), k * (k + 1) // 2, columns.shape[3]))
    response, squares = np.zeros((n, k, n_units)), np.zeros((n, n_units))
    cross_columns(columns, gram)
    cross_noise(columns, draws.noise, sigma, response, squares)
    sum_squares = np.zeros(n)
    weights = np.zeros(len(truth))
    add_effects(
        truth, scales, gram, multipliers, draws.effects, response, squares, sum_squares, weights
    )
    n_obs = np.full(n, n_rows * n_units)
    return CrossProducts(gram, response, sum_squares, multipliers, n_obs)


def _stack(parts: Sequence[Part], data: dict[str, Floats], n_rows: int, n_units: int) -> Floats:
    """Put parts together as (n or 1, parts, rows, units); rows of a fixed design have one unit."""
    values = [part.values(data) for part in parts]
    values = [value.reshape((1,) * (3 - value.ndim) + value.shape) for value in values]
    n = max(len(value) for value in values)
    units = n_units if n_rows == 1 else max(value.shape[2] for value in values)
    return np.ascontiguousarray(
        np.stack([np.broadcast_to(value, (n, n_rows, units)) for value in values], axis=1)
    )


@entry
def cross_columns(columns, gram):
    """Fill gram (n, pairs, units) with the sums over rows of products of columns."""
    n, k, n_rows, n_units = columns.shape
    for r in range(n):
        pair = 0
        for a in range(k):
            for b in range(a + 1):
                total = gram[r, pair]
                for j in range(n_rows):
                    left, right = columns[r, a, j], columns[r, b, j]
                    for i in range(n_units):
                        total[i] += left[i] * right[i]
                pair += 1


@entry
def cross_noise(columns, noise, sigma, response, squares):
    """Fill response (n, k, units) and squares (n, units) with the sums over rows of sigma noise."""
    n, n_rows, n_units = noise.shape
    k, wide = columns.shape[1], columns.shape[3] > 1
    for r in range(n):
        design = columns[r if columns.shape[0] > 1 else 0]
        for j in range(n_rows):
            e, total = noise[r, j], squares[r]
            for i in range(n_units):
                total[i] += e[i] * e[i]
            for a in range(k):
                column, sums = design[a, j], response[r, a]
                if wide:
                    for i in range(n_units):
                        sums[i] += column[i] * e[i]
                else:
                    value = column[0]
                    for i in range(n_units):
                        sums[i] += value * e[i]
        for i in range(n_units):
            squares[r, i] *= sigma * sigma
            for a in range(k):
                response[r, a, i] *= sigma


@entry
def add_effects(truth, scales, gram, multipliers, effects, response, squares, sum_squares, weights):
    """Add Z b to the noise: y*'y* = e'e + 2 b'Z'e + b'Z'Zb, and R'y* = R'e + R'Zb."""
    n, q, n_units = effects.shape
    k, wide = response.shape[1], gram.shape[2] > 1
    for r in range(n):
        products = gram[r if gram.shape[0] > 1 else 0]
        levels = multipliers[r if multipliers.shape[0] > 1 else 0]
        for i in range(n_units):
            g = i if wide else 0
            total = squares[r, i]
            for t in range(q):
                weights[t] = scales[t] * levels[truth[t, 1], i] * effects[r, t, i]
            for t in range(q):
                a = truth[t, 0]
                total += 2.0 * weights[t] * response[r, a, i]
                for u in range(q):
                    b = truth[u, 0]
                    pair = a * (a + 1) // 2 + b if a >= b else b * (b + 1) // 2 + a
                    total += weights[t] * weights[u] * products[pair, g]
            sum_squares[r] += total
            for c in range(k):
                for t in range(q):
                    a = truth[t, 0]
                    pair = a * (a + 1) // 2 + c if a >= c else c * (c + 1) // 2 + a
                    response[r, c, i] += weights[t] * products[pair, g]


def draw_rows(scenario: Scenario, seed: int, replicate: int) -> dict[str, NDArray[np.float64]]:
    """Draw one replicate again, as rows.

    Returns
    -------
    dict of str to ndarray, (n_units * n_rows,)
        The group (numbers from 1), the covariates in the scenario's order, the response; the rows
        of a unit together.
    """
    draws = next(draw(scenario, seed, replicate, replicate + 1))
    shape = (scenario.n_rows, scenario.n_units)
    data = {name: _flat(value[0], shape) for name, value in draws.covariates.items()}
    formula = parse(scenario.formula)
    values = dict(scenario.fixed)
    y = scenario.sigma * _flat(draws.noise[0], shape)
    for term in formula.fixed:
        y = y + values[term.name] * _product(term, data)
    for term, b in zip(formula.effects, draws.effects[0], strict=True):
        y = y + _flat(b[None, :], shape) * _product(term, data)
    unit = _flat(np.arange(1, scenario.n_units + 1)[None, :], shape)
    return {formula.random[0].group: unit, **data, formula.response: y}


def _flat(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Turn (rows, units) into one column, unit after unit."""
    return np.broadcast_to(values, shape).T.ravel()


def _product(term: Term, data: dict[str, Floats]) -> Floats:
    product = np.ones(1)
    for factor in term.factors:
        product = product * evaluate(factor, data)
    return product
