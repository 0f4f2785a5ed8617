r"""How far predicted coefficients of units are from the true ones, on each data set.

In unit i the coefficient of a column of rows is, with the terms k of the fixed and t of the random
part that have this column, and u the unit's numbers of these terms,

    average        sum_k u_ik beta^_k
    BLUP           sum_k u_ik beta^_k + sum_t u_it b^_it
    least squares  that of the unit's own rows on all columns of rows of the model
    true           C times the same sum over the truth's terms, with beta and b_i.

Kept is the mean over units of the squared error of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.kinds import unit_coefficients_of
from hlm.fits.result_columns import labels, replicates
from hlm.formula import terms_of
from hlm.kernels.predict import fit_units_apart
from hlm.words.predictors import AVERAGE, BLUP, LEAST_SQUARES, PREDICTORS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hlm.fits.result_columns import Table
    from hlm.kernels.data import ModelColumns
    from hlm.kernels.stack import StackResults
    from hlm.scenario import Model, Scenario
    from hlm.simulate import Drawn
    from hlm.simulate.unit_design import UnitDesign, UnitTerm

__all__ = ["least_squares", "predicted", "predictions_table", "true_coefficients"]

Floats = NDArray[np.float64]


def predictions_table(
    scenario: Scenario,
    model: Model,
    drawn: Drawn,
    columns: ModelColumns,
    design: UnitDesign,
    results: StackResults,
) -> Table:
    """Lay the errors out: a row for each coefficient that has a true value, by each predictor.

    `n_units` are the units that have rows and a prediction; `mse_paired` is of the `n_paired` of
    them whose rows determine their own least squares, so that all predictors have the same units.
    """
    names = [one.name for one in unit_coefficients_of(terms_of(model))]
    kept = [(name, place) for name, place in zip(names, design.places, strict=True) if place >= 0]
    n, n_methods, n_rows = len(drawn.cross.n_obs), len(model.methods), len(kept) * len(PREDICTORS)
    shape = n, n_methods, len(kept), len(PREDICTORS)
    mse, count = np.empty((2, *shape)), np.empty((2, *shape), dtype=np.int32)
    there, apart = _with_rows(drawn), least_squares(drawn, columns, design)
    determined = there & np.isfinite(apart).all(axis=-1)
    for e, (_, place) in enumerate(kept):
        true, own = true_coefficients(drawn, design, place), _whole(drawn, design, apart, place)
        for method in range(n_methods):
            average, blup = predicted(drawn, design, results, method, place)
            by_name = {BLUP: blup, LEAST_SQUARES: own, AVERAGE: average}
            for k, name in enumerate(PREDICTORS):
                for which, units in enumerate((there, determined)):
                    found = _mean_square(by_name[name] - true, units)
                    mse[which, :, method, e, k], count[which, :, method, e, k] = found
    terms, predictors = np.indices(shape[2:], dtype=np.int32).reshape(2, -1)
    return {
        "replicate": np.repeat(replicates(drawn), n_methods * n_rows),
        **labels(scenario, model, n, n_rows),
        "term": ([name for name, _ in kept], np.tile(terms, n * n_methods)),
        "predictor": (list(PREDICTORS), np.tile(predictors, n * n_methods)),
        "mse": mse[0].ravel(),
        "n_units": count[0].ravel(),
        "mse_paired": mse[1].ravel(),
        "n_paired": count[1].ravel(),
    }


def true_coefficients(drawn: Drawn, design: UnitDesign, place: int) -> Floats:
    """Return the true coefficient of a column of rows in each unit, (n, n_units)."""
    assert drawn.effects is not None
    numbers, change = drawn.cross.multipliers, design.change[place]
    total = np.zeros((len(drawn.effects), drawn.effects.shape[2]))
    betas = np.atleast_2d(design.beta if drawn.coefficients is None else drawn.coefficients)
    for term, beta in zip(design.true_fixed, betas.T, strict=True):
        total += change[term.column] * beta[:, None] * term.numbers(numbers)
    for t, term in enumerate(design.true_random):
        total += change[term.column] * term.numbers(numbers) * drawn.effects[:, t]
    return total


def predicted(
    drawn: Drawn, design: UnitDesign, results: StackResults, method: int, place: int
) -> tuple[Floats, Floats]:
    """Return what a fit says of that coefficient: its fixed part, and with b^, (n, n_units) each.

    NaN where it says nothing.
    """
    numbers, effects = drawn.cross.multipliers, results.effects[:, method]
    beta = results.estimate[:, method, : len(design.fixed)]
    average = _sum_up(design.fixed, numbers, beta, place, effects.shape[:2])
    blup = average.copy()
    for t, term in enumerate(design.random):
        if term.column == place:
            blup += term.numbers(numbers) * effects[:, :, t]
    return average, blup


def least_squares(drawn: Drawn, columns: ModelColumns, design: UnitDesign) -> Floats:
    """Fit the rows of each unit, (n, n_units, k); NaN where they do not determine all columns.

    The response is without X* offset, which `_whole` adds; the coefficients are the formula's.
    """
    k, (n, _, n_units) = len(design.columns), drawn.cross.response.shape
    found = np.empty((n, n_units, k))
    fit_units_apart(drawn.cross, columns, design.columns, np.zeros((k, k)), found)
    apart = np.zeros_like(found)
    # Term by term in a fixed order, so that no number depends on what else is computed
    for j, row in enumerate(design.to_formula):
        for a, weight in enumerate(row):
            if weight or j == a:
                apart[..., j] += weight * found[..., a]
    return apart


def _whole(drawn: Drawn, design: UnitDesign, apart: Floats, place: int) -> Floats:
    """Return the least-squares coefficient of a column, (n, n_units), X* offset in it."""
    n, n_units = apart.shape[:2]
    offset = np.broadcast_to(design.offset, (n, len(design.offset)))
    fixed = _sum_up(design.fixed, drawn.cross.multipliers, offset, place, (n, n_units))
    return fixed + apart[..., place]


def _sum_up(
    terms: Iterable[UnitTerm], numbers: Floats, beta: Floats, place: int, shape: tuple[int, ...]
) -> Floats:
    """Return the sum of u_ik beta_k over the terms with a column, (n, n_units); beta is (n, p)."""
    total = np.zeros(shape)
    for k, term in enumerate(terms):
        if term.column == place:
            total += term.numbers(numbers) * beta[:, k, None]
    return total


def _with_rows(drawn: Drawn) -> NDArray[np.bool_]:
    """Tell which units have rows, (n, n_units): the first product is of ones with themselves."""
    n, _, n_units = drawn.cross.response.shape
    return np.broadcast_to(drawn.cross.gram[:, 0] > 0.0, (n, n_units))


def _mean_square(error: Floats, units: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
    """Return the mean of squares over the units that are marked and have one, and their number."""
    known = units & np.isfinite(error)
    count = known.sum(axis=1)
    total = np.where(known, error, 0.0) ** 2
    return np.where(count > 0, total.sum(axis=1) / np.maximum(count, 1), np.nan), count
