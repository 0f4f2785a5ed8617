"""Simulated data sets and candidate models in, tables of estimates and fits out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.engine.adjust_stack import adjust_stack
from hlm.engine.fit import (
    BOUNDARY_RANK,
    CRITERION,
    GRADIENT_NORM,
    ITERATIONS,
    SINGULAR,
    SMALLEST_EIGENVALUE,
    STATUS,
    STATUSES,
    allocate_room,
)
from hlm.engine.gather import Design
from hlm.engine.inference import Parametrization
from hlm.engine.kenward_roger import allocate_kenward_roger
from hlm.engine.limits import confidence_limits
from hlm.engine.profile_stack import profile_limits
from hlm.engine.stack import StackResults, allocate_results, fit_stack
from hlm.formula import Formula, parse, random_names
from hlm.simulate import CrossProducts, ModelColumns, basis_of, model_columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Model, Scenario

__all__ = ["between_within", "fit_batch", "fit_model", "free_elements", "parametrize", "term_kinds"]

Table = dict[str, Any]
Floats = NDArray[np.float64]

EXPECTED_INFORMATION = ("satterthwaite-expected", "kenward-roger")
"""Methods of degrees of freedom that rest on the expected information."""


def fit_batch(
    scenario: Scenario, models: Sequence[Model], drawn: CrossProducts
) -> tuple[Table, Table]:
    """Fit every model to every replicate.

    Parameters
    ----------
    scenario : Scenario
    models : sequence of Model
        The models that `drawn` was made for.
    drawn : CrossProducts

    Returns
    -------
    estimates, fits : dict of str to array
        The columns of the files of these names; a row per replicate, model, method (and term).
    """
    basis = basis_of(scenario, models)
    estimates, fits = [], []
    for model in models:
        columns = model_columns_of(scenario, basis, model)
        results = fit_model(scenario, model, columns, drawn)
        _degrees_of_freedom(scenario, model, results)
        limits = limits_of(scenario, model, columns, drawn, results)
        estimates.append(_estimates_table(scenario, model, drawn, results, limits))
        fits.append(_fits_table(scenario, model, drawn, results))
    return _concatenate(estimates), _concatenate(fits)


def fit_model(
    scenario: Scenario, model: Model, columns: ModelColumns, drawn: CrossProducts
) -> StackResults:
    """Fit one model by its methods to every replicate."""
    parametrization = parametrize(parse(model.formula), columns)
    p, q, n_theta = len(columns.fixed), len(columns.random), len(parametrization.row)
    results = allocate_results(len(drawn.sum_squares), len(model.methods), p + n_theta + 1, q)
    cross = (drawn.gram, drawn.response, drawn.sum_squares, drawn.multipliers)
    design, n_obs = _design(columns), scenario.n_units * scenario.n_rows
    reml = np.array([method == "reml" for method in model.methods])
    room = allocate_room(scenario.n_units, q, p, n_theta, shared=_one_design(columns, drawn))
    fit_stack((0,) * q, p, cross, design, parametrization, n_obs, reml, room, results)
    if model.df in EXPECTED_INFORMATION:
        adjust_stack(
            (0,) * q,
            p,
            cross,
            design,
            parametrization,
            n_obs,
            reml,
            model.df == "kenward-roger",
            room,
            allocate_kenward_roger(q, p, n_theta),
            results,
        )
    return results


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
    parametrization = parametrize(formula, columns)
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
            (drawn.gram, drawn.response, drawn.sum_squares, drawn.multipliers),
            _design(columns),
            parametrization,
            [len(block.terms) for block in formula.random],
            scenario.n_units * scenario.n_rows,
            model.level,
            shared=_one_design(columns, drawn),
        )
        lower[..., p:], upper[..., p:] = limits[:, None, 0], limits[:, None, 1]
    return lower, upper


def parametrize(formula: Formula, columns: ModelColumns) -> Parametrization:
    """Return how the fit's parameters relate to the formula's."""
    row, col = free_elements([len(block.terms) for block in formula.random])
    transform = columns.fixed_transform
    return Parametrization(
        row,
        col,
        np.linalg.inv(transform),
        np.linalg.inv(columns.random_transform),
        columns.offset,
        2.0 * float(np.linalg.slogdet(transform)[1]),
    )


def free_elements(blocks: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows and columns of the free elements of a block-diagonal Lambda.

    Column by column within each block, as lme4 orders theta.

    Examples
    --------
    >>> row, col = free_elements([2, 1])
    >>> row.tolist(), col.tolist()
    ([0, 1, 1, 2], [0, 0, 1, 2])
    """
    pairs, start = [], 0
    for size in blocks:
        stop = start + size
        pairs += [(a, b) for b in range(start, stop) for a in range(b, stop)]
        start = stop
    row, col = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return np.ascontiguousarray(row), np.ascontiguousarray(col)


def term_names(formula: Formula) -> list[str]:
    """Return the names of everything that is estimated: fixed part, random part, sigma."""
    blocks = [[term.name for term in block.terms] for block in formula.random]
    return [t.name for t in formula.fixed] + random_names(blocks, formula.random[0].group)


def term_kinds(p: int, parametrization: Parametrization) -> list[str]:
    """Return 'fixed', 'sd' or 'cor' for each estimate."""
    pairs = zip(parametrization.row, parametrization.col, strict=True)
    return ["fixed"] * p + ["sd" if a == b else "cor" for a, b in pairs] + ["sd"]


def _degrees_of_freedom(scenario: Scenario, model: Model, results: StackResults) -> None:
    """Replace Satterthwaite's degrees of freedom where the model asks for others."""
    fixed = parse(model.formula).fixed
    n_obs, p = scenario.n_units * scenario.n_rows, len(fixed)
    match model.df:
        case "residual":
            df = np.full(p, n_obs - p, dtype=float)
        case "infinite":
            df = np.full(p, np.inf)
        case "between-within":
            of_units = {c.name for c in scenario.covariates if c.level == "unit"}
            between = [of_units.issuperset(term.variables) for term in fixed]
            constant = [not term.factors for term in fixed]
            df = between_within(n_obs, scenario.n_units, constant, between)
        case _:
            return
    failed = np.isnan(results.estimate[..., :p])
    results.df[..., :p] = np.where(failed, np.nan, df)


def between_within(
    n_obs: int, n_units: int, constant: Sequence[bool], between: Sequence[bool]
) -> Floats:
    """Degrees of freedom by levels, as nlme's `lme`.

    Parameters
    ----------
    n_obs, n_units : int
    constant, between : sequence of bool, (p,)
        Which columns are the intercept; which are constant within every unit.

    Returns
    -------
    ndarray (p,)
        Units less between columns for these, rows less units less within columns for the
        others, one more if there is no intercept; the intercept, which is estimated at every level,
        takes the larger.

    Examples
    --------
    >>> between_within(900, 30, [True, False, False, False], [True, False, True, False])
    array([868., 868.,  28., 868.])
    """
    of_units = n_units - sum(between)
    of_rows = n_obs - n_units - sum(not column for column in between) + (not any(constant))
    pairs = zip(constant, between, strict=True)
    return np.array(
        [float(max(of_units, of_rows) if c else of_units if b else of_rows) for c, b in pairs]
    )


def _estimates_table(
    scenario: Scenario,
    model: Model,
    drawn: CrossProducts,
    results: StackResults,
    limits: tuple[Floats, Floats],
) -> Table:
    """Lay the estimates out, one row each."""
    names = term_names(parse(model.formula))
    shape = results.estimate.shape
    return {
        "replicate": np.repeat(_replicates(drawn), shape[1] * shape[2]),
        **_labels(scenario, model, shape[0], shape[2]),
        "term": (names, np.tile(np.arange(shape[2], dtype=np.int32), shape[0] * shape[1])),
        "estimate": results.estimate.ravel(),
        "se": results.se.ravel(),
        "df": results.df.ravel(),
        "lower": limits[0].ravel(),
        "upper": limits[1].ravel(),
    }


def _fits_table(
    scenario: Scenario, model: Model, drawn: CrossProducts, results: StackResults
) -> Table:
    """Lay the fits out, one row each; AIC and BIC are those of the method's own criterion."""
    n, n_methods, n_terms = results.estimate.shape
    summary = results.summary.reshape(n * n_methods, -1)
    criterion = summary[:, CRITERION]
    n_obs = scenario.n_units * scenario.n_rows
    return {
        "replicate": np.repeat(_replicates(drawn), n_methods),
        **_labels(scenario, model, n, 1),
        "criterion": criterion,
        "loglik": -0.5 * criterion,
        "aic": criterion + 2.0 * n_terms,
        "bic": criterion + n_terms * np.log(n_obs),
        "npar": np.full(n * n_methods, n_terms, dtype=np.int32),
        "singular": summary[:, SINGULAR] > 0.0,
        "status": (list(STATUSES), summary[:, STATUS].astype(np.int32)),
        "iterations": summary[:, ITERATIONS].astype(np.int32),
        "gradient_norm": summary[:, GRADIENT_NORM],
        "smallest_eigenvalue": summary[:, SMALLEST_EIGENVALUE],
        "boundary_rank": np.nan_to_num(summary[:, BOUNDARY_RANK], nan=-1.0).astype(np.int32),
    }


def _replicates(drawn: CrossProducts) -> NDArray[np.int32]:
    return np.arange(drawn.start, drawn.stop, dtype=np.int32)


def _labels(scenario: Scenario, model: Model, n: int, n_terms: int) -> Table:
    """Scenario, model and method as (names, codes)."""
    methods = np.repeat(np.arange(len(model.methods), dtype=np.int32), n_terms)
    rows = n * len(methods)
    return {
        "scenario": ([scenario.key], np.zeros(rows, dtype=np.int32)),
        "model": ([model.name], np.zeros(rows, dtype=np.int32)),
        "method": (list(model.methods), np.tile(methods, n)),
    }


def _concatenate(tables: list[Table]) -> Table:
    """Put the models' tables below each other; names become Arrow dictionaries."""
    import pyarrow as pa

    whole: Table = {}
    for column in tables[0]:
        parts = [table[column] for table in tables]
        if not isinstance(parts[0], tuple):
            whole[column] = np.concatenate(parts)
            continue
        names = list(dict.fromkeys(name for values, _ in parts for name in values))
        codes = [
            np.array([names.index(name) for name in values], dtype=np.int32)[code]
            for values, code in parts
        ]
        whole[column] = pa.DictionaryArray.from_arrays(np.concatenate(codes), pa.array(names))
    return whole
