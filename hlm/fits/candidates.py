"""Candidate models fitted to simulated data sets: tables of estimates, fits and F tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.kinds import parameters_of
from hlm.fits.result_columns import Table, concatenate, estimates_table, fits_table, tests_table
from hlm.fits.unit_errors import predictions_table
from hlm.fits.variants import Kernels, kernels_of
from hlm.formula import terms_of
from hlm.inference import COEFFICIENTS, Expected, Fitted, wants_expected, wants_profile
from hlm.kernels.elements import free_elements, open_elements
from hlm.kernels.expected import Adjustment, allocate_expected
from hlm.kernels.fit import allocate_workspace
from hlm.kernels.inference import Parametrization
from hlm.kernels.joint_tests import allocate_joint_tests
from hlm.kernels.kenward_roger import allocate_kenward_roger
from hlm.kernels.profile_stack import Profile, allocate_profile
from hlm.kernels.stack import Inferences, StackResults, allocate_results, fit_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.kernels.data import CrossProducts, ModelColumns
    from hlm.scenario import Model, Scenario
    from hlm.simulate import Drawn

__all__ = ["fit_batch", "fit_model", "fitted_of", "parametrize"]

Floats = NDArray[np.float64]


def fit_batch(scenario: Scenario, models: Sequence[Model], drawn: Drawn) -> dict[str, Table]:
    """Fit every model to every replicate.

    Parameters
    ----------
    scenario : Scenario
    models : sequence of Model
        The models that `drawn` was made for.
    drawn : Drawn

    Returns
    -------
    dict of str to dict of str to array
        `estimates`, `fits` and `tests`: the columns of the files of these names; a row per
        replicate, model, method (and term or F test, and inference). Where a model has them,
        `predictions` too.
    """
    estimates, fits, tests, predictions = [], [], [], []
    kernels = {one.q: one for one in kernels_of(models)}
    of_units = drawn.units or (None,) * len(models)
    for model, columns, units in zip(models, drawn.columns, of_units, strict=True):
        results = fit_model(model, columns, drawn.cross, kernels[len(columns.random)])
        fitted = fitted_of(model, columns, drawn.cross, results)
        estimates.append(estimates_table(scenario, model, drawn, fitted))
        fits.append(fits_table(scenario, model, drawn, results))
        tests.append(tests_table(scenario, model, drawn, fitted))
        if units is not None:
            predictions.append(predictions_table(scenario, model, drawn, columns, units, results))
    tables = {"estimates": estimates, "fits": fits, "tests": tests, "predictions": predictions}
    return {kind: concatenate(parts) for kind, parts in tables.items() if parts}


def fit_model(
    model: Model, columns: ModelColumns, cross: CrossProducts, kernels: Kernels | None = None
) -> StackResults:
    """Fit one model by its methods to every replicate, with what all its inferences need.

    By `kernels`, which are those of the model and perhaps of others with as many random effects.
    """
    kernels = kernels or kernels_of([model])[0]
    terms, parametrization = terms_of(model), parametrize(terms_of(model).sizes, columns)
    p, q, n_theta = len(columns.fixed), len(columns.random), len(parametrization.row)
    n, n_units, shared = len(cross.n_obs), cross.response.shape[2], _one_design(columns, cross)
    workspace = allocate_workspace(parametrization, n_units, shared=shared)
    tests = allocate_joint_tests(_contrasts(terms.fixed, model), p, n_theta)
    inferences = Inferences(
        tests,
        Adjustment(allocate_kenward_roger(q, p, n_theta), tests) if kernels.expected else None,
        _allocate_profile(model, parametrization, n_units, shared=shared)
        if kernels.profile
        else None,
    )
    units = (n_units, q) if model.predictions else (0, 0)
    results = _allocate(model, n, p, n_theta, kernels, units)
    reml = np.array([method == "reml" for method in _fitted_methods(model)])
    fit_stack(cross, columns, parametrization, reml, workspace, inferences, results)
    return results


def _allocate_profile(
    model: Model, parametrization: Parametrization, n_units: int, *, shared: bool
) -> Profile:
    """Return what the profile of a model needs, or of one that has none beside one that has."""
    ml = _fitted_methods(model).index("ml") if wants_profile(model.limits) else -1
    blocks = terms_of(model).sizes
    return allocate_profile(parametrization, blocks, n_units, model.level, method=ml, shared=shared)


def _fitted_methods(model: Model) -> tuple[str, ...]:
    """Return the methods of a model, and ML if its limits need that and it is not among them."""
    if wants_profile(model.limits) and "ml" not in model.methods:
        return (*model.methods, "ml")
    return model.methods


def _allocate(
    model: Model, n: int, p: int, n_theta: int, kernels: Kernels, units: tuple[int, int]
) -> StackResults:
    """Return arrays for the results of n data sets: only what is wanted has any."""
    n_methods, n_tests = len(model.methods), len(model.tests)
    wanted = [COEFFICIENTS[name] for name in model.df]
    expected = allocate_expected(
        n if wants_expected(model.df) else 0,
        n_methods,
        p,
        n_tests=n_tests if any(i.expected and not i.adjusts for i in wanted) else 0,
        n_adjusted=n_tests if any(i.adjusts for i in wanted) else 0,
    )
    limits = np.full((n if wants_profile(model.limits) else 0, 2, n_theta + 1), np.nan)
    return allocate_results(
        n,
        n_methods,
        p + n_theta + 1,
        n_tests=0 if all(i.expected for i in wanted) else n_tests,
        expected=expected if kernels.expected else None,
        limits=limits if kernels.profile else None,
        n_spread=n_theta if model.estimands else 0,
        units=units,
    )


def _contrasts(names: Sequence[str], model: Model) -> list[Floats]:
    """Return the contrasts of each F test of a model, (r, p); its coefficients have these names."""
    return [np.eye(len(names))[[names.index(name) for name in test]] for _, test in model.tests]


def _one_design(columns: ModelColumns, cross: CrossProducts) -> bool:
    """Tell whether all units have one Z."""
    return cross.gram.shape[2] == 1 and not columns.random[:, 1].any()


def fitted_of(
    model: Model, columns: ModelColumns, cross: CrossProducts, results: StackResults
) -> Fitted:
    """Return what the fits of a model leave for inference, with leading axes (n, methods)."""
    terms, p = terms_of(model), len(columns.fixed)
    between = columns.fixed[:, 0] == 0  # no part of its rows but the constant
    return Fitted(
        parameters=tuple(parameters_of(terms)),
        estimate=results.estimate,
        se=results.se,
        df=results.df[..., :p],
        F=results.F,
        ddf=results.ddf,
        contrasts=_contrasts(terms.fixed, model),
        n_obs=cross.n_obs[:, None, None],
        n_units=_units_there(cross),
        constant=between & (columns.fixed[:, 1] == 0),
        between=between,
        expected=None if results.expected is None else Expected(**results.expected._asdict()),
        profile=_profile(results, p, terms.sizes),
        spread=results.spread,
        n_star=cross.n_obs[:, None] - p * np.array([method == "reml" for method in model.methods]),
    )


def _units_there(cross: CrossProducts) -> NDArray[np.int64]:
    """Return the number of units that have rows, with axes (n or 1, 1, 1).

    The first product is that of the constant with itself: the number of rows.
    """
    there = np.broadcast_to(cross.gram[:, 0] > 0.0, (len(cross.gram), cross.response.shape[2]))
    return there.sum(axis=1)[:, None, None]


def _profile(results: StackResults, p: int, blocks: Sequence[int]) -> Floats | None:
    """Return the limits of every method, (n, methods, 2, n_theta + 1): those of the ML fits.

    NaN where the method's own fit leaves the parameter open.
    """
    if results.limits is None or not len(results.limits):
        return None
    is_open = np.zeros(results.estimate[..., p:].shape, dtype=bool)
    is_open[..., :-1] = open_elements(results.estimate[..., p:-1], blocks)
    return np.where(is_open[:, :, None], np.nan, results.limits[:, None])


def parametrize(blocks: Sequence[int], columns: ModelColumns) -> Parametrization:
    """Return how the fit's parameters relate to the formula's."""
    row, col = free_elements(blocks)
    transform = columns.fixed_transform
    return Parametrization(
        row,
        col,
        np.linalg.inv(transform),
        np.linalg.inv(columns.random_transform),
        columns.offset,
        2.0 * float(np.linalg.slogdet(transform)[1]),
    )
