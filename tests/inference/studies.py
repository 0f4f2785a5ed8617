"""Scenarios to fit, and the tables of `fit_batch` as data frames."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hlm.distributions import Points
from hlm.fits import fit_batch
from hlm.inference import COEFFICIENTS, RANDOM_PART
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = 5

OF_COEFFICIENTS, OF_RANDOM_PART = (
    tuple(name for name, one in registry.items() if not one.bootstrap)
    for registry in (COEFFICIENTS, RANDOM_PART)
)
"""Inferences of one fit, in which there is no chance."""

SLOPES = "y ~ x * a + (1 + x | unit)"
GRID = Covariate("x", "row", Points((-2.0, -1.0, 0.0, 1.0, 2.0)))
ROW = Covariate("x", "row")


def scenario(x: Covariate, *, units: int = 12, rows: int = 5, sd: Sequence[float] = (0.3, 0.3)):
    """Return a scenario with a unit-level covariate and x."""
    fixed = (("(Intercept)", 1.0), ("x", 3.0), ("a", -0.15), ("x:a", 0.3))
    covariates = (Covariate("a", "unit"), x)
    cor = ((1.0, 0.3), (0.3, 1.0))
    return Scenario("0" * 16, units, rows, covariates, SLOPES, fixed, tuple(sd), cor, 0.75)


def tables(
    truth: Scenario, model: Model, stop: int, *, start: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate and fit replicates `start` to `stop`; return estimates and fits."""
    estimates, fits, _ = with_tests(truth, model, stop, start=start)
    return estimates, fits


def with_tests(
    truth: Scenario, model: Model, stop: int, *, start: int = 0
) -> tuple[pd.DataFrame, ...]:
    """Return the F tests of the model too.

    It is fitted with all inferences, of which those of the model are kept: so one set of kernels
    serves all, and each fit all the tests that look at it.
    """
    asked = set(model.df) | set(model.limits)
    everything = replace(
        model,
        df=OF_COEFFICIENTS,
        limits=OF_RANDOM_PART,
    )
    estimates, fits, found = fitted(truth, everything, stop, start)
    estimates, found = (
        frame[frame["inference"].isin(asked)].reset_index(drop=True) for frame in (estimates, found)
    )
    return estimates, fits.copy(), found


@cache
def fitted(truth: Scenario, model: Model, stop: int, start: int = 0) -> tuple[pd.DataFrame, ...]:
    """Simulate and fit; return estimates, fits and F tests."""
    found = fit_batch(truth, [model], simulate(truth, [model], SEED, start, stop), seed=SEED)
    return tuple(as_frame(found[kind]) for kind in ("estimates", "fits", "tests"))


def as_frame(table) -> pd.DataFrame:
    columns = {
        name: values.to_pylist() if hasattr(values, "to_pylist") else np.asarray(values)
        for name, values in table.items()
    }
    return pd.DataFrame(columns)
