"""Results of the models of a scenario -> the columns of the files of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.of_models import estimands_of
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
from hlm.kernels.limits import f_p_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.kernels.joint_tests import JointTests
    from hlm.kernels.stack import StackResults
    from hlm.scenario import Model, Scenario
    from hlm.simulate import CrossProducts

__all__ = ["concatenate", "estimates_table", "fits_table", "tests_table"]

Table = dict[str, Any]
Floats = NDArray[np.float64]


def estimates_table(
    scenario: Scenario,
    model: Model,
    drawn: CrossProducts,
    estimates: Sequence[Floats],
) -> Table:
    """Lay the estimates out, one row each.

    `estimates` are `estimate`, `se`, `df`, `lower` and `upper`, (n, methods, n_terms) each.
    """
    names = [one.name for one in estimands_of(model) if one.part != "tests"]
    shape = estimates[0].shape
    values = zip(("estimate", "se", "df", "lower", "upper"), estimates, strict=True)
    return {
        "replicate": np.repeat(_replicates(drawn), shape[1] * shape[2]),
        **_labels(scenario, model, shape[0], shape[2]),
        "term": (names, np.tile(np.arange(shape[2], dtype=np.int32), shape[0] * shape[1])),
        **{column: array.ravel() for column, array in values},
    }


def fits_table(
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


def tests_table(scenario: Scenario, model: Model, drawn: CrossProducts, tests: JointTests) -> Table:
    """Lay the F tests out, one row each."""
    n, n_methods, n_tests = tests.F.shape
    df = np.tile(np.diff(tests.first), n * n_methods)
    F, ddf = tests.F.ravel(), tests.ddf.ravel()
    return {
        "replicate": np.repeat(_replicates(drawn), n_methods * n_tests),
        **_labels(scenario, model, n, n_tests),
        "test": (
            [name for name, _ in model.tests],
            np.tile(np.arange(n_tests, dtype=np.int32), n * n_methods),
        ),
        "statistic": F,
        "df": df.astype(np.int32),
        "ddf": ddf,
        "p_value": f_p_value(F, df, ddf),
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
