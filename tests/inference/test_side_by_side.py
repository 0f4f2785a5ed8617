"""Several inferences of one model: from one fit, each as it is alone, through to the measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hlm.fits import fit_batch
from hlm.plan import Plan
from hlm.scenario import Model
from hlm.simulate import simulate
from tests.results import make_results, summarize_results

from .studies import (
    GRID,
    OF_COEFFICIENTS,
    OF_RANDOM_PART,
    ROW,
    SEED,
    SLOPES,
    as_frame,
    scenario,
)

TRIAL = """
name: trial
seed: 11
replicates: {n}
truth:
  formula: y ~ arm + (1 | cluster)
  fixed: {{(Intercept): 1.0, arm: 0.0}}
  random: {{cluster: {{sd: {{(Intercept): 0.22941573387056174}}}}}}
  residual: {{sd: 1.0}}
design:
  units: 6
  rows: 30
  covariates: {{arm: {{level: unit, grid: [0, 1]}}}}
models: {{trial: y ~ arm + (1 | cluster)}}
estimation:
  methods: [reml]
  df: [infinite, satterthwaite, kenward-roger]
  limits: [wald, profile]
"""
"""Cluster trials: 6 clusters of 30, an intraclass correlation of 0.05, two arms of 3 clusters."""


@pytest.mark.parametrize("design", [GRID, ROW], ids=["shared", "general"])
def test_each_is_what_it_is_alone(design):
    """To the last bit: estimates, standard errors, df, limits and F tests, singular fits too."""
    tests = (("both", ("x", "x:a")), ("a", ("a",)))
    together = Model("m", SLOPES, df=OF_COEFFICIENTS, limits=OF_RANDOM_PART, tests=tests)
    alone = [
        *(replace(together, name=df, df=(df,), limits=("wald",)) for df in OF_COEFFICIENTS),
        *(replace(together, name=by, df=("infinite",), limits=(by,)) for by in OF_RANDOM_PART),
    ]
    models, truth = [together, *alone], scenario(design)
    tables = fit_batch(truth, models, simulate(truth, models, SEED, 0, 25))
    assert as_frame(tables["fits"])["singular"].any()
    for kind, term in (("estimates", "term"), ("tests", "test")):
        frame = as_frame(tables[kind])
        found = frame[frame["model"] == "m"]
        keys = ["replicate", "method", term, "inference"]
        assert not found.duplicated(keys).any()
        for inference, rows in found.groupby("inference"):
            single = frame[(frame["model"] == inference) & (frame["inference"] == inference)]
            assert len(single) == len(rows) > 0
            pd.testing.assert_frame_equal(
                rows.drop(columns="model").reset_index(drop=True),
                single.drop(columns="model").reset_index(drop=True),
                check_exact=True,
            )


def test_rows_are_in_the_order_of_the_model():
    """Each term by all inferences of its part, in the order in which the model names them."""
    model = Model(
        "m", SLOPES, ("ml",), df=("residual", "infinite"), limits=("wald-variance", "wald")
    )
    truth = scenario(GRID)
    frame = as_frame(fit_batch(truth, [model], simulate(truth, [model], SEED, 0, 2))["estimates"])
    assert list(frame["term"][:18]) == [
        *np.repeat(["(Intercept)", "x", "a", "x:a"], 2),
        *np.repeat(["sd_(Intercept)|unit", "cor_x.(Intercept)|unit", "sd_x|unit", "sigma"], 2),
        *("(Intercept)", "(Intercept)"),
    ]
    assert list(frame["inference"][:16]) == ["residual", "infinite"] * 4 + list(model.limits) * 4


def expected_rejections(n=1_000_000):
    """Type I errors of z, Satterthwaite and Kenward-Roger from mean squares, with no engine.

    The clusters' mean square B has 4 df, the residual one W has 174, and REML takes the variance of
    a mean from B, or, where B < W, from both pooled: then the variance of the clusters is 0, which
    Satterthwaite with the observed information takes as known, with 178 df.
    """
    rng = np.random.default_rng(1)
    between = 1.0 + 30.0 * 0.05 / 0.95
    B, W = between * rng.chisquare(4, n) / 4, rng.chisquare(174, n) / 174
    singular = B < W
    t = np.sqrt(between * rng.chisquare(1, n) / np.where(singular, (4 * B + 174 * W) / 178, B))
    df = {"infinite": np.inf, "satterthwaite": np.where(singular, 178, 4), "kenward-roger": 4}
    return {name: (2.0 * stats.t.sf(t, nu) < 0.05).mean() for name, nu in df.items()}


@pytest.mark.parametrize("n", [2000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_type_one_errors_of_cluster_trials_side_by_side(tmp_path, n):
    """The rates of mean squares drawn directly, and those reported: 0.103, 0.049 and 0.023.

    Of how many replicates these are was not said; they are taken as of 1,000.
    """
    study = tmp_path / "trial.yaml"
    study.write_text(TRIAL.lstrip().format(n=n), encoding="utf-8")
    folder = make_results(tmp_path, study=study)
    summarize_results(Plan.read(folder / "plan.json"), folder)
    measures = pd.read_parquet(folder / "measures.parquet")
    arm = measures[measures["term"] == "arm"]
    found = arm[arm["measure"] == "rejection"].set_index("inference")
    assert list(found.index) == ["infinite", "satterthwaite", "kenward-roger"]
    assert (found["n"] == n).all()
    reported = {"infinite": 0.103, "satterthwaite": 0.049, "kenward-roger": 0.023}
    for name, rate in expected_rejections().items():
        error = np.sqrt(rate * (1.0 - rate) / n)
        assert found.loc[name, "estimate"] == pytest.approx(rate, abs=4.0 * error), name
        assert found.loc[name, "mcse"] == pytest.approx(error, rel=0.25)
        of_1000 = np.sqrt(rate * (1.0 - rate) / 1000)
        assert found.loc[name, "estimate"] == pytest.approx(reported[name], abs=3.0 * of_1000)
    once = arm[arm["inference"] == ""]
    assert once["measure"].is_unique
    assert {"n_total", "n_used", "bias", "empirical_se", "rmse"} <= set(once["measure"])
    sd = measures[measures["term"] == "sd_(Intercept)|cluster"]
    assert list(sd[sd["measure"] == "coverage"]["inference"]) == ["wald", "profile"]
    estimates = pd.read_parquet(folder / "estimates.parquet")
    assert len(estimates) == n * (2 * 3 + 2 * 2)
    assert estimates.groupby(["replicate", "term"], observed=True)["estimate"].nunique().max() == 1
