"""Coverage of limits over simulated data sets, where theory says what it is.

Fixed seeds; four Monte Carlo standard errors are allowed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hlm.scenario import Model

from .studies import GRID, ROW, SLOPES, scenario, tables, with_tests

N = 1500
TRUTH = {"(Intercept)": 1.0, "x": 3.0, "a": -0.15, "x:a": 0.3}


def coverage(estimates, true):
    """Share of replicates that cover, by term."""
    value = estimates["term"].map(true)
    covers = (estimates["lower"] <= value) & (value <= estimates["upper"])
    return covers.groupby(estimates["term"]).mean()


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_kenward_roger_is_exact_in_a_balanced_design(level):
    """Large sds, so no fit is singular: each t is exactly t with m - 2 = 6 df.

    By the law of the mean squares a fit is singular with a probability of less than 1e-5 here. With
    sds of 3 it was 2e-4, which is 1 in 4 that one of 1,500 is.
    """
    truth = scenario(GRID, units=8, sd=(10.0, 10.0))
    model = Model("m", SLOPES, methods=("reml",), df=("kenward-roger",), level=level)
    estimates, fits = tables(truth, model, N)
    assert not fits["singular"].any()
    fixed = estimates[estimates["term"].isin(TRUTH)]
    assert fixed["df"].to_numpy() == pytest.approx(6.0, rel=1e-6)
    mcse = np.sqrt(level * (1 - level) / N)
    assert (coverage(fixed, TRUTH) - level).abs().max() < 4 * mcse
    z = stats.norm.ppf(0.5 + level / 2)
    wald = 2 * stats.t.cdf(z, 6) - 1
    narrow = fixed.assign(
        lower=fixed["estimate"] - z * fixed["se"], upper=fixed["estimate"] + z * fixed["se"]
    )
    mcse = np.sqrt(wald * (1 - wald) / N)
    assert (coverage(narrow, TRUTH) - wald).abs().max() < 4 * mcse


@pytest.mark.parametrize(
    ("df", "ddf", "level"),
    [("kenward-roger", 5.0, 1.0), ("satterthwaite", 6.0, 5 / 6), ("infinite", np.inf, 5 / 6)],
)
def test_f_tests_of_a_true_hypothesis_in_a_balanced_design(df, ddf, level):
    """Two contrasts, m - 2 = 6 df: Hotelling's T^2. Kenward-Roger's F is exactly F with 2, 5 df.

    Without the scale F is 6/5 of that.
    """
    truth = scenario(GRID, units=8, sd=(10.0, 10.0))
    truth = replace(truth, fixed=tuple((name, 0.0) for name, _ in truth.fixed))
    tests = (("a", ("a", "x:a")),)
    model = Model("m", SLOPES, methods=("reml",), df=(df,), tests=tests)
    _, fits, found = with_tests(truth, model, N)
    assert not fits["singular"].any()
    assert found["ddf"].to_numpy() == pytest.approx(ddf, rel=1e-6)
    uniform = stats.f.sf(level * found["statistic"], 2, 5)
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4
    critical = stats.chi2.isf(0.05, 2) / 2 if np.isinf(ddf) else stats.f.isf(0.05, 2, ddf)
    rate = stats.f.sf(level * critical, 2, 5)
    assert abs((found["p_value"] < 0.05).mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / N)


def test_kenward_roger_in_a_general_design():
    """Unequal x, 10 units: nearly nominal, where Wald's z would cover 0.918 (t with 8 df)."""
    truth = scenario(ROW, units=10, rows=6, sd=(0.8, 0.8))
    model = Model("m", SLOPES, methods=("reml",), df=("kenward-roger",))
    estimates, _ = tables(truth, model, N)
    mcse = np.sqrt(0.95 * 0.05 / N)
    found = coverage(estimates[estimates["term"].isin(TRUTH)], TRUTH)
    assert (found - 0.95).abs().max() < 4 * mcse


def test_profile_limits_cover():
    """100 units: chi-square of the likelihood ratio holds but for ML's bias, about 0.003 here."""
    truth = scenario(GRID, units=100, sd=(0.6, 0.6))
    model = Model("m", SLOPES, methods=("ml",), limits=("profile",))
    estimates, _ = tables(truth, model, 600)
    true = {
        "sd_(Intercept)|unit": 0.6,
        "cor_x.(Intercept)|unit": 0.3,
        "sd_x|unit": 0.6,
        "sigma": 0.75,
    }
    found = coverage(estimates[estimates["term"].isin(true)], true)
    assert (found - 0.95).abs().max() < 4 * np.sqrt(0.95 * 0.05 / 600) + 0.003


def test_profile_limits_of_a_variance_that_is_zero():
    """The likelihood ratio is 0 or chi-square(1), half each: 0.975 of limits hold 0, not 0.95."""
    truth = scenario(GRID, units=60, sd=(0.0, 0.0))
    model = Model("m", "y ~ x * a + (1 | unit)", methods=("ml",), limits=("profile",))
    estimates, fits = tables(truth, model, N)
    sd = estimates[estimates["term"].str.startswith("sd_")]
    assert (sd["lower"] == 0.0).mean() == pytest.approx(
        0.975, abs=4 * np.sqrt(0.975 * 0.025 / N) + 0.005
    )
    assert fits["singular"].mean() == pytest.approx(0.55, abs=0.1)
