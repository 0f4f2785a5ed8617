"""Likelihood ratio tests of random terms against lmerTest's `ranova`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2

import hlm
from hlm.datasets import load_sleepstudy

from .frames import REFERENCE, machines

THEIRS = json.loads((Path(__file__).parent / "ranova.json").read_text())
FRAMES = {
    "sleepstudy": load_sleepstudy,
    "made": lambda: pd.read_csv(REFERENCE / "sim_unbalanced.csv"),
    "machines": machines,
}


def name(case):
    return f"{case['frame']}: {case['formula']}, {'REML' if case.get('reml') else 'ML'}"


@pytest.mark.parametrize("case", THEIRS["ranova"], ids=name)
def test_ranova_is_that_of_lmertest(case):
    """The statistic to what R's search leaves of its criteria, never more than 1e-6."""
    table = hlm.lmer(case["formula"], FRAMES[case["frame"]](), case["reml"]).ranova().table
    assert table["npar"].tolist() == case["npar"]
    assert table["Df"].tolist()[1:] == np.atleast_1d(case["Df"]).tolist()
    assert (table["logLik"] > np.array(case["logLik"]) - 5e-7).all()
    assert_allclose(table["logLik"], case["logLik"], rtol=0, atol=1e-6)
    assert_allclose(table["AIC"], case["AIC"], rtol=0, atol=2e-6)
    assert_allclose(table["LRT"].iloc[1:], np.atleast_1d(case["LRT"]), rtol=0, atol=2e-6)
    assert_allclose(table["p_value"].iloc[1:], np.atleast_1d(case["p_value"]), rtol=2e-6)


@pytest.mark.parametrize("case", THEIRS["anova"], ids=name)
def test_the_test_of_coefficients_is_that_of_anova(case):
    """The reference of `anova`, which tests of studies are held against."""
    data = FRAMES[case["frame"]]()
    fits = [hlm.lmer(case[key], data) for key in ("formula", "smaller")]
    last = hlm.anova(*fits).table.iloc[-1]
    assert last["Df"] == case["Df"]
    assert_allclose(last["Chisq"], case["Chisq"], rtol=0, atol=2e-6)
    assert_allclose(last["p_value"], case["p_value"], rtol=2e-6)


def test_the_mixture_is_of_single_effects():
    table = hlm.lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).ranova().table
    x = table["LRT"].iloc[1]
    assert_allclose(table["p_boundary"].iloc[1], (chi2.sf(x, 1) + chi2.sf(x, 2)) / 2, rtol=1e-12)
    table = hlm.lmer("score ~ Machine + (Machine | Worker)", machines()).ranova().table
    assert table["p_boundary"].isna().all()


def test_weights_are_those_of_the_fit():
    """Beside models that are typed; without random effects, beside the normal density."""
    data = FRAMES["made"]().assign(w=lambda d: 1.0 + np.arange(len(d)) % 3)
    fit = hlm.lmer("y ~ x + (1 + x || unit)", data, reml=False, weights="w")
    found = fit.ranova().table
    for row, formula in (("(1 | unit)", "0 + x"), ("x in (0 + x | unit)", "1")):
        other = hlm.lmer(f"y ~ x + ({formula} | unit)", data, reml=False, weights="w")
        assert found.loc[row, "logLik"] == pytest.approx(other.loglik, abs=1e-9)
    table = hlm.lmer("y ~ x + (1 | unit)", data, reml=False, weights="w").ranova().table
    root = np.sqrt(data["w"].to_numpy())
    X = np.column_stack([np.ones(len(data)), data["x"]]) * root[:, None]
    residual = data["y"] * root - X @ np.linalg.lstsq(X, data["y"] * root, rcond=None)[0]
    n = len(data)
    density = -n / 2 * (1 + np.log(2 * np.pi * (residual @ residual) / n)) + np.log(root).sum()
    assert table["logLik"].iloc[1] == pytest.approx(density, abs=1e-9)


def test_terms_of_several_columns_leave_together_and_the_last_block_leaves_least_squares():
    fit = hlm.lmer("score ~ Machine + (0 + Machine | Worker)", machines())
    table = fit.ranova().table
    assert table.index.tolist() == ["<none>", "Machine in (0 + Machine | Worker)"]
    assert table["npar"].tolist() == [10, 4]
    assert "ANOVA-like table" in str(fit.ranova())
