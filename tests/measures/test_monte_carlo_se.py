"""Monte Carlo standard errors against what they estimate: the sd of a measure over many studies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hlm.measures import performance

STUDIES, N, TRUE = 3000, 200, 2.0
# The sd of 3000 values has a relative standard error of 1.3 %: the bound is 4 of them.
BOUND = 4 / np.sqrt(2 * STUDIES)


def studies(draw):
    """Return two methods' estimates, correlated 0.6, with SEs from 8 df and limits from both."""
    rng = np.random.default_rng(20240607)
    shared, own = draw(rng, (STUDIES * N, 1)), draw(rng, (STUDIES * N, 2))
    noise = np.sqrt(0.6) * shared + np.sqrt(0.4) * own
    columns = {"study": np.repeat(np.arange(STUDIES), N), "id": np.tile(np.arange(N), STUDIES)}
    parts = [
        pd.DataFrame(columns).assign(
            method=method,
            b=TRUE + 0.1 + sd * noise[:, k],
            s=sd * np.sqrt(rng.chisquare(8, STUDIES * N) / 8),
        )
        for k, (method, sd) in enumerate([("a", 1.0), ("b", 0.8)])
    ]
    return pd.concat(parts)


@pytest.fixture(scope="module")
def measures_of_normal():
    data = studies(lambda rng, size: rng.standard_normal(size))
    return performance(
        data, estimate="b", se="s", true=TRUE, by="study", method="method", ref="a", id="id"
    )


def sd_and_mcse(table, measure):
    rows = table[(table.measure == measure) & (table.method == "b")]
    return rows.estimate.std(), np.sqrt((rows.mcse**2).mean())


@pytest.mark.parametrize(
    "measure",
    [
        "mean",
        "median",
        "bias",
        "relative_bias",
        "median_bias",
        "empirical_se",
        "mse",
        "rmse",
        "relative_precision",
        "model_se",
        "relative_error_se",
        "coverage",
        "bias_eliminated_coverage",
        "rejection",
        "ci_width",
    ],
)
def test_mcse_is_the_sd_over_studies(measures_of_normal, measure):
    sd, mcse = sd_and_mcse(measures_of_normal, measure)
    assert mcse == pytest.approx(sd, rel=BOUND)


def test_mcse_of_the_median_needs_no_normality():
    data = studies(lambda rng, size: rng.standard_exponential(size) ** 2)
    table = performance(data, estimate="b", true=TRUE, by="study", method="method")
    sd, mcse = sd_and_mcse(table, "median")
    assert mcse == pytest.approx(sd, rel=BOUND)
