"""Simulated data sets and candidate models in, tables of estimates, fits and F tests out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.kinds import parameters_of
from hlm.estimands.parameters import Columns
from hlm.fits.degrees_of_freedom import replace_df
from hlm.fits.further import scale_of, with_further
from hlm.fits.tables import Table, concatenate, estimates_table, fits_table, tests_table
from hlm.formula import Formula, parse
from hlm.kernels.adjust_stack import adjust_stack
from hlm.kernels.cross import Design
from hlm.kernels.elements import free_elements, open_elements
from hlm.kernels.fit import allocate_room
from hlm.kernels.inference import Parametrization
from hlm.kernels.joint_tests import JointTests, allocate_joint_tests
from hlm.kernels.kenward_roger import allocate_kenward_roger
from hlm.kernels.limits import confidence_limits
from hlm.kernels.profile_stack import profile_limits
from hlm.kernels.stack import StackResults, allocate_results, fit_stack
from hlm.scenario import EXPECTED_INFORMATION
from hlm.simulate import CrossProducts, ModelColumns, basis_of, model_columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Model, Scenario

__all__ = ["fit_batch", "fit_model", "parametrize"]

Floats = NDArray[np.float64]


def fit_batch(
    scenario: Scenario, models: Sequence[Model], drawn: CrossProducts
) -> dict[str, Table]:
    """Fit every model to every replicate.

    Parameters
    ----------
    scenario : Scenario
    models : sequence of Model
        The models that `drawn` was made for.
    drawn : CrossProducts

    Returns
    -------
    dict of str to dict of str to array
        `estimates`, `fits` and `tests`: the columns of the files of these names; a row per
        replicate, model, method (and term or F test).
    """
    basis = basis_of(scenario, models)
    estimates, fits, tests = [], [], []
    for model in models:
        columns = model_columns_of(scenario, basis, model)
        results, joint = fit_model(scenario, model, columns, drawn)
        replace_df(scenario, model, results, joint)
        limits = limits_of(scenario, model, columns, drawn, results)
        own = (results.estimate, results.se, results.df, *limits)
        n_obs = scenario.n_units * scenario.n_rows
        found = with_further(model, n_obs, results.spread, own)
        estimates.append(estimates_table(scenario, model, drawn, found))
        fits.append(fits_table(scenario, model, drawn, results))
        tests.append(tests_table(scenario, model, drawn, joint))
    tables = {"estimates": estimates, "fits": fits, "tests": tests}
    return {kind: concatenate(parts) for kind, parts in tables.items()}


def fit_model(
    scenario: Scenario, model: Model, columns: ModelColumns, drawn: CrossProducts
) -> tuple[StackResults, JointTests]:
    """Fit one model by its methods to every replicate, and make its F tests."""
    formula = parse(model.formula)
    parametrization = parametrize(formula, columns)
    p, q, n_theta = len(columns.fixed), len(columns.random), len(parametrization.row)
    n, n_methods = len(drawn.sum_squares), len(model.methods)
    results = allocate_results(
        n, n_methods, p + n_theta + 1, q, n_spread=n_theta if model.estimands else 0
    )
    tests = allocate_joint_tests(contrasts_of(formula, model), p, n_theta, n, n_methods)
    cross = (drawn.gram, drawn.response, drawn.sum_squares, drawn.multipliers)
    design, n_obs = _design(columns), scenario.n_units * scenario.n_rows
    reml = np.array([method == "reml" for method in model.methods])
    is_expected, shared = model.df in EXPECTED_INFORMATION, _one_design(columns, drawn)
    room = allocate_room(
        scenario.n_units, q, p, n_theta, shared=shared, tests=None if is_expected else tests
    )
    fit_stack((0,) * q, p, cross, design, parametrization, n_obs, reml, room, results)
    if is_expected:
        adjust_stack(
            (0,) * q,
            p,
            cross,
            design,
            parametrization,
            n_obs,
            reml,
            model.df == "kenward-roger",
            room._replace(tests=tests),
            allocate_kenward_roger(q, p, n_theta),
            results,
        )
    return results, tests


def contrasts_of(formula: Formula, model: Model) -> list[Floats]:
    """Return the contrasts of each F test of a model, (r, p): its coefficients."""
    names = [term.name for term in formula.fixed]
    return [np.eye(len(names))[[names.index(name) for name in test]] for _, test in model.tests]


def _design(columns: ModelColumns) -> Design:
    return Design(columns.fixed, columns.random, columns.rest, columns.rest_coef)


def _one_design(columns: ModelColumns, drawn: CrossProducts) -> bool:
    """Tell whether all units have one Z."""
    return drawn.gram.shape[2] == 1 and not columns.random[:, 1].any()


def limits_of(
    scenario: Scenario,
    model: Model,
    columns: ModelColumns,
    drawn: CrossProducts,
    results: StackResults,
) -> tuple[Floats, Floats]:
    """Confidence limits of every term, lower and upper, (n, methods, n_terms) each."""
    formula = parse(model.formula)
    p = len(formula.fixed)
    scales = [scale_of(one, model.limits) for one in parameters_of(Columns.of_formula(formula))]
    lower, upper = confidence_limits(results.estimate, results.se, results.df, scales, model.level)
    if model.limits == "profile":
        limits = profile_limits(
            (drawn.gram, drawn.response, drawn.sum_squares, drawn.multipliers),
            _design(columns),
            parametrize(formula, columns),
            formula.blocks,
            scenario.n_units * scenario.n_rows,
            model.level,
            shared=_one_design(columns, drawn),
        )
        lower[..., p:], upper[..., p:] = limits[:, None, 0], limits[:, None, 1]
        is_open = open_elements(results.estimate[..., p:-1], formula.blocks)
        lower[..., p:-1][is_open], upper[..., p:-1][is_open] = np.nan, np.nan
    return lower, upper


def parametrize(formula: Formula, columns: ModelColumns) -> Parametrization:
    """Return how the fit's parameters relate to the formula's."""
    row, col = free_elements(formula.blocks)
    transform = columns.fixed_transform
    return Parametrization(
        row,
        col,
        np.linalg.inv(transform),
        np.linalg.inv(columns.random_transform),
        columns.offset,
        2.0 * float(np.linalg.slogdet(transform)[1]),
    )
