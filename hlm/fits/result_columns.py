"""The fits of the models of a scenario, as the columns of the files of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hlm.estimands.model_estimands import further_of, rows_of
from hlm.formula import terms_of
from hlm.inference import COEFFICIENTS, RANDOM_PART
from hlm.inference.further import by_delta_method, limits_of
from hlm.kernels.fit import (
    BOUNDARY_RANK,
    CRITERION,
    GRADIENT_NORM,
    ITERATIONS,
    SINGULAR,
    SMALLEST_EIGENVALUE,
    STATUS,
    STATUSES,
)
from hlm.kernels.limits import confidence_limits, f_p_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.estimands.kinds import Estimand
    from hlm.inference import Fitted
    from hlm.kernels.stack import StackResults
    from hlm.scenario import Model, Scenario
    from hlm.simulate import Drawn

__all__ = [
    "Table",
    "concatenate",
    "estimates_table",
    "fits_table",
    "labels",
    "replicates",
    "tests_table",
]

VALUES = ("estimate", "se", "df", "lower", "upper")

Table = dict[str, Any]
Floats = NDArray[np.float64]


def estimates_table(scenario: Scenario, model: Model, drawn: Drawn, fitted: Fitted) -> Table:
    """Lay the estimates out: a row for each term by each inference of its part of the model."""
    further = further_of(terms_of(model), model.estimands)
    estimate, se = _with_further(fitted, further)
    n, n_methods, n_terms = estimate.shape
    n_random, inferences = n_terms - fitted.p, [*model.df, *model.limits]
    n_rows = fitted.p * len(model.df) + n_random * len(model.limits)
    columns = {name: np.empty((n, n_methods, n_rows)) for name in VALUES}
    terms, places = np.empty((2, n_rows), dtype=np.int32)
    found = _by_inference(model, fitted, estimate, se, further)
    for place, (rows, of_terms, values) in enumerate(found):
        terms[rows], places[rows] = np.arange(n_terms)[of_terms], place
        for column, value in zip(columns.values(), values, strict=True):
            column[..., rows] = value
    return {
        "replicate": np.repeat(replicates(drawn), n_methods * n_rows),
        **labels(scenario, model, n, n_rows),
        "term": ([one.name for one in rows_of(model)], np.tile(terms, n * n_methods)),
        "inference": (inferences, np.tile(places, n * n_methods)),
        **{name: column.ravel() for name, column in columns.items()},
    }


def _by_inference(
    model: Model, fitted: Fitted, estimate: Floats, se: Floats, further: Sequence[Estimand]
) -> Iterator[tuple[slice, slice, tuple[ArrayLike, ...]]]:
    """Yield an inference's rows among those of a fit, its terms, and `VALUES` of these.

    `estimate` and `se` (n, methods, n_terms) are those of the parameters, then of `further`.
    """
    fixed, random = slice(0, fitted.p), slice(fitted.p, None)
    end = fitted.p * len(model.df)
    for place, name in enumerate(model.df):
        own, df, *_ = COEFFICIENTS[name].infer(fitted)
        scales = ["identity"] * fitted.p
        limits = confidence_limits(estimate[..., fixed], own, df, scales, model.level)
        yield slice(place, end, len(model.df)), fixed, (estimate[..., fixed], own, df, *limits)
    for place, name in enumerate(model.limits):
        limits = RANDOM_PART[name].limits(fitted, model.level)
        if further:
            others = [limits_of(one, name, fitted, limits, model.level) for one in further]
            lower, upper = (
                np.dstack([side, *rest]) for side, *rest in zip(limits, *others, strict=True)
            )
            limits = lower, upper
        rows = slice(end + place, None, len(model.limits))
        yield rows, random, (estimate[..., random], se[..., random], np.nan, *limits)


def _with_further(fitted: Fitted, further: Sequence[Estimand]) -> tuple[Floats, Floats]:
    """Return estimates and errors of the parameters, then of what else is asked for."""
    if not further:
        return fitted.estimate, fitted.se
    values, errors = zip(*(by_delta_method(one, fitted) for one in further), strict=True)
    return np.dstack([fitted.estimate, *values]), np.dstack([fitted.se, *errors])


def fits_table(scenario: Scenario, model: Model, drawn: Drawn, results: StackResults) -> Table:
    """Lay the fits out, one row each; AIC and BIC are those of the method's own criterion."""
    n, n_methods, n_terms = results.estimate.shape
    summary = results.summary.reshape(n * n_methods, -1)
    criterion = summary[:, CRITERION]
    # Of a data set without rows there is no criterion, and so no BIC
    log_n = np.log(np.maximum(drawn.cross.n_obs, 1))
    return {
        "replicate": np.repeat(replicates(drawn), n_methods),
        **labels(scenario, model, n, 1),
        "criterion": criterion,
        "loglik": -0.5 * criterion,
        "aic": criterion + 2.0 * n_terms,
        "bic": criterion + n_terms * np.repeat(log_n, n_methods),
        "npar": np.full(n * n_methods, n_terms, dtype=np.int32),
        "singular": summary[:, SINGULAR] > 0.0,
        "status": (list(STATUSES), summary[:, STATUS].astype(np.int32)),
        "iterations": summary[:, ITERATIONS].astype(np.int32),
        "gradient_norm": summary[:, GRADIENT_NORM],
        "smallest_eigenvalue": summary[:, SMALLEST_EIGENVALUE],
        "boundary_rank": np.nan_to_num(summary[:, BOUNDARY_RANK], nan=-1.0).astype(np.int32),
    }


def tests_table(scenario: Scenario, model: Model, drawn: Drawn, fitted: Fitted) -> Table:
    """Lay the F tests out: a row for each test by each inference of the coefficients."""
    n, n_methods, _ = fitted.estimate.shape
    n_tests, n_fixed = len(model.tests), len(model.df)
    rows, fits = n_tests * n_fixed, n * n_methods
    found = [COEFFICIENTS[name].infer(fitted) for name in model.df]
    F = np.stack([inferred.F for inferred in found], axis=-1).ravel()
    ddf = np.stack([inferred.ddf for inferred in found], axis=-1).ravel()
    df = _repeated(np.repeat([len(L) for L in fitted.contrasts], n_fixed), fits)
    return {
        "replicate": np.repeat(replicates(drawn), n_methods * rows),
        **labels(scenario, model, n, rows),
        "test": (
            [name for name, _ in model.tests],
            _repeated(np.repeat(np.arange(n_tests), n_fixed), fits),
        ),
        "inference": (list(model.df), _repeated(np.tile(np.arange(n_fixed), n_tests), fits)),
        "statistic": F,
        "df": df,
        "ddf": ddf,
        "p_value": f_p_value(F, df, ddf),
    }


def _repeated(codes: ArrayLike, times: int) -> NDArray[np.int32]:
    return np.tile(np.asarray(codes, dtype=np.int32), times)


def replicates(drawn: Drawn) -> NDArray[np.int32]:
    """Return the numbers of the replicates, (n,)."""
    return np.arange(drawn.start, drawn.stop, dtype=np.int32)


def labels(scenario: Scenario, model: Model, n: int, n_terms: int) -> Table:
    """Scenario, model and method as (names, codes)."""
    methods = np.repeat(np.arange(len(model.methods), dtype=np.int32), n_terms)
    rows = n * len(methods)
    return {
        "scenario": ([scenario.key], np.zeros(rows, dtype=np.int32)),
        "model": ([model.name], np.zeros(rows, dtype=np.int32)),
        "method": (list(model.methods), np.tile(methods, n)),
    }


def concatenate(tables: list[Table]) -> Table:
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
