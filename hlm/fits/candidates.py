"""Candidate models fitted to simulated data sets: tables of estimates, fits and tests."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.kinds import is_asked_for, parameters_of
from hlm.estimands.model_estimands import contrasts_of, rows_of
from hlm.estimands.population import of_design
from hlm.fits.bootstrap_fits import Source, Streams, bootstrap
from hlm.fits.lanes_of_stacks import Task, fit_in_lanes
from hlm.fits.least_squares import least_squares_criteria
from hlm.fits.ratio_tests import RatioTests, ratio_tests
from hlm.fits.result_columns import Table, concatenate, estimates_table, fits_table, tests_table
from hlm.fits.unit_errors import predictions_table
from hlm.formula import terms_of
from hlm.inference import (
    COEFFICIENTS,
    Bootstrap,
    Expected,
    Fitted,
    Robust,
    wants_bootstrap,
    wants_coefficient_profile,
    wants_expected,
    wants_profile,
    wants_robust,
)
from hlm.inference.variants import Kernels, has_only_own_inference, kernels_of
from hlm.kernels.cr2 import allocate_clusters, allocate_robust
from hlm.kernels.elements import free_elements, open_elements
from hlm.kernels.expected import Adjustment, allocate_expected
from hlm.kernels.fit import CRITERION, allocate_workspace
from hlm.kernels.held_coefficient import HeldCoefficient, allocate_held_coefficient
from hlm.kernels.inference import Parametrization
from hlm.kernels.joint_tests import allocate_joint_tests
from hlm.kernels.kenward_roger import allocate_kenward_roger
from hlm.kernels.profile_stack import Profile, allocate_profile
from hlm.kernels.stack import Inferences, StackResults, allocate_results, fit_stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.estimands.estimand import Part
    from hlm.kernels.data import CrossProducts, ModelColumns
    from hlm.scenario import Model, Scenario
    from hlm.simulate import Drawn

__all__ = ["fit_batch", "fit_model", "fitted_of", "parametrize"]

Floats = NDArray[np.float64]


def fit_batch(
    scenario: Scenario,
    models: Sequence[Model],
    drawn: Drawn,
    *,
    seed: int | None = None,
    lanes: bool = False,
) -> dict[str, Table]:
    """Fit every model to every replicate.

    Parameters
    ----------
    scenario : Scenario
    models : sequence of Model
        The models that `drawn` was made for.
    drawn : Drawn
    seed : int, optional
        The study's; a bootstrap needs it.
    lanes : bool
        Fit data sets side by side where a model allows it; no number depends on it.

    Returns
    -------
    dict of str to dict of str to array
        `estimates`, `fits` and `tests`: the columns of the files of these names; a row per
        replicate, model, method (and term or test, and inference). Where a model has them,
        `predictions` too.
    """
    estimates, fits, tests, predictions = [], [], [], []
    kernels = {one.q: one for one in kernels_of(models, lanes=lanes)}
    streams = Streams(scenario, seed, drawn.start)
    own, rest = drawn.columns[: len(models)], iter(drawn.columns[len(models) :])
    of_units = drawn.units or (None,) * len(models)
    for model, columns, units in zip(models, own, of_units, strict=True):
        results = fit_model(model, columns, drawn.cross, kernels[len(columns.random)])
        fitted = fitted_of(model, columns, drawn.cross, results)
        if wants_bootstrap(model.df, model.limits):
            again = _bootstrap(model, columns, drawn.cross, results, streams)
            fitted = fitted._replace(bootstrap=again)
        if any(one.of_columns for one in rows_of(model)):
            fitted = fitted._replace(population=of_design(scenario, model))
        smaller = list(islice(rest, len(model.lrt)))
        ratios = _ratio_tests(model, [columns, *smaller], drawn.cross, kernels, results)
        estimates.append(estimates_table(scenario, model, drawn, fitted))
        fits.append(fits_table(scenario, model, drawn, results))
        tests.append(tests_table(scenario, model, drawn, fitted, ratios))
        if units is not None:
            predictions.append(predictions_table(scenario, model, drawn, columns, units, results))
    tables = {"estimates": estimates, "fits": fits, "tests": tests, "predictions": predictions}
    n = drawn.stop - drawn.start
    return {kind: concatenate(parts, n) for kind, parts in tables.items() if parts}


def _ratio_tests(
    model: Model,
    columns: Sequence[ModelColumns],
    cross: CrossProducts,
    kernels: Mapping[int, Kernels],
    results: StackResults,
) -> RatioTests:
    """Return the likelihood ratio tests; `columns` are of the model, then of its smaller ones."""

    def criteria(one: Model, places: ModelColumns) -> Floats:
        q = len(places.random)
        if q == 0:
            return least_squares_criteria(places, cross, one.methods)
        return fit_model(one, places, cross, kernels[q]).summary[..., CRITERION]

    return ratio_tests(model, columns, results.summary[..., CRITERION], criteria)


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
    contrasts = _contrasts(terms.fixed, model)
    tests = allocate_joint_tests(contrasts, p, n_theta)
    inferences = Inferences(
        tests,
        Adjustment(allocate_kenward_roger(q, p, n_theta), tests) if kernels.expected else None,
        _allocate_profile(model, parametrization, n_units, shared=shared)
        if kernels.profile
        else None,
        allocate_clusters(n_units if wants_robust(model.df) else 0, q, p, tests)
        if kernels.robust
        else None,
        _allocate_held(model, parametrization, n_units, shared=shared)
        if kernels.coefficients
        else None,
    )
    units = (n_units, q) if model.predictions else (0, 0)
    sizes = p, n_theta, len(contrasts), kernels, units
    results = _allocate(model, n, *sizes)
    reml = np.array([method == "reml" for method in _fitted_methods(model)])
    if kernels.lanes and has_only_own_inference(model):
        task = Task(cross, columns, parametrization, reml, workspace, inferences)
        fit_in_lanes(task, results, lambda k: _allocate(model, k, *sizes))
    else:
        fit_stack(cross, columns, parametrization, reml, workspace, inferences, results)
    return results


def _bootstrap(
    model: Model,
    columns: ModelColumns,
    cross: CrossProducts,
    results: StackResults,
    streams: Streams,
) -> Bootstrap:
    """Return the bootstrap of the fits of a model."""
    terms, parametrization = terms_of(model), parametrize(terms_of(model).sizes, columns)
    p, n_theta = len(columns.fixed), len(parametrization.row)
    n_units, shared = cross.response.shape[2], _one_design(columns, cross)
    workspace = allocate_workspace(parametrization, n_units, shared=shared)
    contrasts = _contrasts(terms.fixed, model) if wants_bootstrap(model.df, ()) else []
    tests = allocate_joint_tests(contrasts, p, n_theta)
    source = Source(columns, cross, parametrization, workspace, tests)
    return bootstrap(model, source, results, streams)


def _allocate_profile(
    model: Model, parametrization: Parametrization, n_units: int, *, shared: bool
) -> Profile:
    """Return what the profile of a model needs, or of one that has none beside one that has."""
    ml = _fitted_methods(model).index("ml") if wants_profile(model.limits) else -1
    blocks = terms_of(model).sizes
    return allocate_profile(parametrization, blocks, n_units, model.level, method=ml, shared=shared)


def _allocate_held(
    model: Model, parametrization: Parametrization, n_units: int, *, shared: bool
) -> HeldCoefficient:
    """Return what the profile of a model's coefficients needs, as `_allocate_profile`."""
    wanted = wants_coefficient_profile(model.df)
    ml = _fitted_methods(model).index("ml") if wanted else -1
    return allocate_held_coefficient(
        parametrization, n_units, model.level, method=ml, shared=shared
    )


def _fitted_methods(model: Model) -> tuple[str, ...]:
    """Return the methods of a model, and ML if its limits need that and it is not among them."""
    by_ml = wants_profile(model.limits) or wants_coefficient_profile(model.df)
    if by_ml and "ml" not in model.methods:
        return (*model.methods, "ml")
    return model.methods


def _allocate(
    model: Model,
    n: int,
    p: int,
    n_theta: int,
    n_tests: int,
    kernels: Kernels,
    units: tuple[int, int],
) -> StackResults:
    """Return arrays for the results of n data sets: only what is wanted has any."""
    n_methods = len(model.methods)
    wanted = [COEFFICIENTS[name] for name in model.df if name in COEFFICIENTS]
    observed = wants_coefficient_profile(model.df) or not all(
        one.expected or one.robust for one in wanted
    )
    expected = allocate_expected(
        n if wants_expected(model.df) else 0,
        n_methods,
        p,
        n_tests=n_tests if any(i.expected and not i.adjusts for i in wanted) else 0,
        n_adjusted=n_tests if any(i.adjusts for i in wanted) else 0,
    )
    robust = allocate_robust(n if wants_robust(model.df) else 0, n_methods, p, n_tests)
    limits = np.full((n if wants_profile(model.limits) else 0, 2, n_theta + 1), np.nan)
    n_held = n if wants_coefficient_profile(model.df) else 0
    return allocate_results(
        n,
        n_methods,
        p + n_theta + 1,
        n_tests=n_tests if observed else 0,
        expected=expected if kernels.expected else None,
        robust=robust if kernels.robust else None,
        limits=limits if kernels.profile else None,
        n_spread=n_theta if _wants(model, "random") else 0,
        n_vcov=p if _wants(model, "fixed") else 0,
        coefficient_limits=np.full((n_held, 2, p), np.nan) if kernels.coefficients else None,
        units=units,
    )


def _wants(model: Model, part: Part) -> bool:
    """Tell whether errors by the delta method need the covariance of a part's parameters."""
    further = [one for one in rows_of(model) if is_asked_for(one.kind) and one.part == "random"]
    return bool(further) if part == "random" else any(part in one.parts for one in further)


def _contrasts(names: Sequence[str], model: Model) -> list[Floats]:
    """Return the contrasts of each F test of a model, (r, p); its coefficients have these names.

    Those of its estimands that are linear in the coefficients, (1, p) each, are the last.
    """
    tests = [np.eye(len(names))[[names.index(name) for name in test]] for _, test in model.tests]
    return [*tests, *(one.L for one in contrasts_of(rows_of(model)))]


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
        robust=None if results.robust is None else Robust(*results.robust),
        profile=_profile(results, p, terms.sizes),
        spread=results.spread,
        vcov=results.vcov if len(results.vcov) else None,
        n_star=cross.n_obs[:, None] - p * np.array([method == "reml" for method in model.methods]),
        coefficient_profile=_coefficient_profile(results),
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


def _coefficient_profile(results: StackResults) -> Floats | None:
    """Return the limits of every method, (n, methods, 2, p): those of the ML fits."""
    limits, (n, n_methods, _) = results.coefficient_limits, results.estimate.shape
    if limits is None or not len(limits):
        return None
    return np.broadcast_to(limits[:, None], (n, n_methods, *limits.shape[1:]))


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
