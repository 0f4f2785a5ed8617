"""The fits of the models of a scenario, as the columns of the files of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hlm.estimands.model_estimands import contrasts_of, rows_of
from hlm.inference import COEFFICIENT_LIMITS, COEFFICIENTS, RANDOM_PART, RATIO_TESTS
from hlm.inference.coefficients import satterthwaite
from hlm.inference.further import by_contrast, by_delta_method, limits_of
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

    from hlm.estimands.kinds import Contrast, Estimand
    from hlm.fits.ratio_tests import RatioTests
    from hlm.inference import Fitted, Inferred
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
    estimands = rows_of(model)
    n, n_methods = fitted.estimate.shape[:2]
    inferences = list(dict.fromkeys([*model.df, *model.limits]))
    n_fixed = sum(one.part == "fixed" for one in estimands)
    n_rows = n_fixed * len(model.df) + (len(estimands) - n_fixed) * len(model.limits)
    columns = {name: np.empty((n, n_methods, n_rows)) for name in VALUES}
    terms, places = np.empty((2, n_rows), dtype=np.int32)
    for name, rows, of_terms, values in _by_inference(model, fitted, estimands):
        terms[rows], places[rows] = of_terms, inferences.index(name)
        for column, value in zip(columns.values(), values, strict=True):
            column[..., rows] = value
    return {
        "replicate": np.repeat(replicates(drawn), n_methods * n_rows),
        **labels(scenario, model, n, n_rows),
        "term": ([one.name for one in estimands], np.tile(terms, n * n_methods)),
        "inference": (inferences, np.tile(places, n * n_methods)),
        **{name: column.ravel() for name, column in columns.items()},
    }


def _by_inference(
    model: Model, fitted: Fitted, estimands: Sequence[Estimand]
) -> Iterator[tuple[str, slice, list[int], tuple[ArrayLike, ...]]]:
    """Yield an inference, its rows among those of a fit, its terms, and `VALUES` of these."""
    fixed, random = (
        [place for place, one in enumerate(estimands) if one.part == part]
        for part in ("fixed", "random")
    )
    contrasts = contrasts_of(estimands)
    end = len(fixed) * len(model.df)
    for place, name in enumerate(model.df):
        values = _of_fixed(fitted, _inferred(name, fitted), contrasts, model.level)
        yield name, slice(place, end, len(model.df)), fixed, values
    further = [estimands[place] for place in random[fitted.n_random :]]
    estimate, se = _with_further(fitted, further)
    for place, name in enumerate(model.limits):
        limits = RANDOM_PART[name].limits(fitted, model.level)
        if further:
            others = [limits_of(one, name, fitted, limits, model.level) for one in further]
            lower, upper = (
                np.dstack([side, *rest]) for side, *rest in zip(limits, *others, strict=True)
            )
            limits = lower, upper
        rows = slice(end + place, None, len(model.limits))
        yield name, rows, random, (estimate, se, np.nan, *limits)


def _inferred(name: str, fitted: Fitted) -> Inferred:
    """Return what an inference says of coefficients; one that has limits only, with Wald's else.

    Those of combinations of coefficients are then by t, for they have no limits of their own.
    """
    if name in COEFFICIENTS:
        return COEFFICIENTS[name].infer(fitted)
    lower, upper = COEFFICIENT_LIMITS[name](fitted)
    wald, none = satterthwaite(fitted), np.full_like(lower, np.nan)
    return wald._replace(df=none, limits=np.stack([lower, upper], axis=-2))


def _of_fixed(
    fitted: Fitted, inferred: Inferred, contrasts: Sequence[Contrast], level: float
) -> tuple[Floats, ...]:
    """Return `VALUES` of the coefficients, then of contrasts, by an inference."""
    own = fitted.estimate[..., : fitted.p], inferred.se, inferred.df
    found = [(*own, *_limits(*own, inferred.limits, level))]
    first = len(fitted.contrasts) - len(contrasts)
    for number, one in enumerate(contrasts):
        estimate, se, df = (
            value[..., None] for value in by_contrast(one, first + number, fitted, inferred)
        )
        limits = None
        if inferred.contrasts is not None:
            of_this = inferred.contrasts[..., [number]]
            se, limits = of_this[..., 0, :], of_this[..., 1:, :]
        found.append((estimate, se, df, *_limits(estimate, se, df, limits, level)))
    shape = fitted.estimate.shape[:-1]
    whole = [
        [np.broadcast_to(value, (*shape, value.shape[-1])) for value in values] for values in found
    ]
    return tuple(np.concatenate(parts, axis=-1) for parts in zip(*whole, strict=True))


def _limits(
    estimate: Floats, se: Floats, df: Floats, limits: Floats | None, level: float
) -> tuple[Floats, Floats]:
    """Return the limits that an inference has, (..., 2, n), or else those by t."""
    if limits is not None:
        return limits[..., 0, :], limits[..., 1, :]
    return confidence_limits(estimate, se, df, ["identity"] * estimate.shape[-1], level)


def _with_further(fitted: Fitted, further: Sequence[Estimand]) -> tuple[Floats, Floats]:
    """Return estimates and errors of the random part, then of what else is asked for."""
    estimate, se = fitted.estimate[..., fitted.p :], fitted.se[..., fitted.p :]
    if not further:
        return estimate, se
    values, errors = zip(*(by_delta_method(one, fitted) for one in further), strict=True)
    return np.dstack([estimate, *values]), np.dstack([se, *errors])


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
        "n_obs": np.repeat(drawn.cross.n_obs.astype(np.int32), n_methods),
        "singular": summary[:, SINGULAR] > 0.0,
        "status": (list(STATUSES), summary[:, STATUS].astype(np.int32)),
        "iterations": summary[:, ITERATIONS].astype(np.int32),
        "gradient_norm": summary[:, GRADIENT_NORM],
        "smallest_eigenvalue": summary[:, SMALLEST_EIGENVALUE],
        "boundary_rank": np.nan_to_num(summary[:, BOUNDARY_RANK], nan=-1.0).astype(np.int32),
    }


def tests_table(
    scenario: Scenario, model: Model, drawn: Drawn, fitted: Fitted, ratios: RatioTests
) -> Table:
    """Lay the tests out: F tests, one row by each inference of the coefficients; ratio tests."""
    n, n_methods, _ = fitted.estimate.shape
    by = [name for name in model.df if name in COEFFICIENTS]
    n_tests, n_fixed = len(model.tests), len(by)
    rows, fits = n_tests * n_fixed + len(ratios.tests), n * n_methods
    found = [COEFFICIENTS[name].infer(fitted) for name in by]
    shape = (n, n_methods, n_tests * n_fixed)
    F, ddf = (
        np.stack([getattr(one, name)[..., :n_tests] for one in found], axis=-1).reshape(shape)
        if found
        else np.zeros(shape)
        for name in ("F", "ddf")
    )
    df = np.repeat([len(L) for L in fitted.contrasts[:n_tests]], n_fixed).astype(np.int32)
    p_value = f_p_value(F, df, ddf)
    for place, one in enumerate(found):
        if one.p_value is not None:
            p_value[..., place::n_fixed] = one.p_value[..., :n_tests]
    return {
        "replicate": np.repeat(replicates(drawn), n_methods * rows),
        **labels(scenario, model, n, rows),
        "test": (
            [*(name for name, _ in model.tests), *(test.name for test in model.lrt)],
            _repeated(
                [*np.repeat(np.arange(n_tests), n_fixed), *np.add(ratios.tests, n_tests)], fits
            ),
        ),
        "inference": (
            [*by, *(RATIO_TESTS if model.lrt else ())],
            _repeated(
                [*np.tile(np.arange(n_fixed), n_tests), *np.add(ratios.inferences, n_fixed)], fits
            ),
        ),
        "statistic": np.dstack([F, ratios.statistic]).ravel(),
        "df": _repeated([*df, *ratios.df], fits),
        "ddf": np.dstack([ddf, np.full(ratios.statistic.shape, np.nan)]).ravel(),
        "p_value": np.dstack([p_value, ratios.p_value]).ravel(),
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


def concatenate(tables: list[Table], n: int) -> Table:
    """Put the models' tables of n replicates together; names become Arrow dictionaries.

    In the order of the sorted files, by replicate and then by model: nobody has to sort them again.
    """
    import pyarrow as pa

    from hlm.arrow_arrays import array_of_names, array_of_numbers

    def beside(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([part.reshape(n, -1) for part in parts], axis=1).ravel()

    whole: Table = {}
    for column in tables[0]:
        parts = [table[column] for table in tables]
        if not isinstance(parts[0], tuple):
            whole[column] = beside(parts)
            continue
        names = list(dict.fromkeys(name for values, _ in parts for name in values))
        codes = [
            np.array([names.index(name) for name in values], dtype=np.int32)[code]
            for values, code in parts
        ]
        whole[column] = pa.DictionaryArray.from_arrays(
            array_of_numbers(beside(codes)), array_of_names(names)
        )
    return whole
