"""Simulated data sets and candidate models in, tables of estimates, fits and F tests out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.fits.degrees_of_freedom import replace_df
from hlm.fits.tables import Table, concatenate, estimates_table, fits_table, tests_table
from hlm.formula import terms_of
from hlm.kernels.adjust_stack import adjust_stack
from hlm.kernels.elements import free_elements, open_elements
from hlm.kernels.fit import allocate_room
from hlm.kernels.inference import Parametrization
from hlm.kernels.joint_tests import JointTests, allocate_joint_tests
from hlm.kernels.kenward_roger import allocate_kenward_roger
from hlm.kernels.limits import confidence_limits
from hlm.kernels.profile_stack import profile_limits
from hlm.kernels.stack import StackResults, allocate_results, fit_stack
from hlm.scenario import EXPECTED_INFORMATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.kernels.data import CrossProducts, ModelColumns
    from hlm.scenario import Model, Scenario
    from hlm.simulate import Drawn

__all__ = ["fit_batch", "fit_model", "parametrize", "term_kinds"]

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
        replicate, model, method (and term or F test).
    """
    estimates, fits, tests = [], [], []
    for model, columns in zip(models, drawn.columns, strict=True):
        results, joint = fit_model(model, columns, drawn.cross)
        replace_df(model, columns, drawn.cross, results, joint)
        limits = limits_of(model, columns, drawn.cross, results)
        estimates.append(estimates_table(scenario, model, drawn, results, limits))
        fits.append(fits_table(scenario, model, drawn, results))
        tests.append(tests_table(scenario, model, drawn, joint))
    tables = {"estimates": estimates, "fits": fits, "tests": tests}
    return {kind: concatenate(parts) for kind, parts in tables.items()}


def fit_model(
    model: Model, columns: ModelColumns, cross: CrossProducts
) -> tuple[StackResults, JointTests]:
    """Fit one model by its methods to every replicate, and make its F tests."""
    terms = terms_of(model)
    parametrization = parametrize(terms.sizes, columns)
    p, q, n_theta = len(columns.fixed), len(columns.random), len(parametrization.row)
    n, n_methods = len(cross.sum_squares), len(model.methods)
    results = allocate_results(n, n_methods, p + n_theta + 1, q)
    tests = allocate_joint_tests(contrasts_of(terms.fixed, model), p, n_theta, n, n_methods)
    reml = np.array([method == "reml" for method in model.methods])
    is_expected, shared = model.df in EXPECTED_INFORMATION, _one_design(columns, cross)
    room = allocate_room(
        cross.response.shape[2], q, p, n_theta, shared=shared, tests=None if is_expected else tests
    )
    fit_stack((0,) * q, p, cross, columns, parametrization, reml, room, results)
    if is_expected:
        adjust_stack(
            (0,) * q,
            p,
            cross,
            columns,
            parametrization,
            reml,
            model.df == "kenward-roger",
            room._replace(tests=tests),
            allocate_kenward_roger(q, p, n_theta),
            results,
        )
    return results, tests


def contrasts_of(names: Sequence[str], model: Model) -> list[Floats]:
    """Return the contrasts of each F test of a model, (r, p); its coefficients have these names."""
    return [np.eye(len(names))[[names.index(name) for name in test]] for _, test in model.tests]


def _one_design(columns: ModelColumns, cross: CrossProducts) -> bool:
    """Tell whether all units have one Z."""
    return cross.gram.shape[2] == 1 and not columns.random[:, 1].any()


def limits_of(
    model: Model,
    columns: ModelColumns,
    cross: CrossProducts,
    results: StackResults,
) -> tuple[Floats, Floats]:
    """Confidence limits of every term, lower and upper, (n, methods, n_terms) each."""
    blocks, p = terms_of(model).sizes, len(columns.fixed)
    parametrization = parametrize(blocks, columns)
    kinds = term_kinds(p, parametrization)
    lower, upper = confidence_limits(
        results.estimate,
        results.se,
        results.df,
        kinds,
        model.level,
        variance_scale=model.limits == "wald-variance",
    )
    if model.limits == "profile":
        limits = profile_limits(
            cross,
            columns,
            parametrization,
            blocks,
            model.level,
            shared=_one_design(columns, cross),
        )
        lower[..., p:], upper[..., p:] = limits[:, None, 0], limits[:, None, 1]
        is_open = open_elements(results.estimate[..., p:-1], blocks)
        lower[..., p:-1][is_open], upper[..., p:-1][is_open] = np.nan, np.nan
    return lower, upper


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


def term_kinds(p: int, parametrization: Parametrization) -> list[str]:
    """Return 'fixed', 'sd' or 'cor' for each estimate."""
    pairs = zip(parametrization.row, parametrization.col, strict=True)
    return ["fixed"] * p + ["sd" if a == b else "cor" for a, b in pairs] + ["sd"]
