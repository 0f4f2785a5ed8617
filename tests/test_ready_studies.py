"""Ready studies: every one loads and has its page, and shows what is known, by closed forms."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.linalg import toeplitz

import hlm
from hlm.fits import fit_batch
from hlm.rows.sizes import Clustered
from hlm.simulate import simulate
from hlm.study import Study

ROOT = Path(__file__).parents[1]
STUDIES = sorted((ROOT / "config").glob("*.yaml"))
PAGES = ROOT / "docs" / "studies"
LIST = (PAGES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_loads_and_is_listed(path):
    study = Study.load(path)
    assert study.name == path.stem
    page = (PAGES / f"{path.stem}.md").read_text(encoding="utf-8")
    assert f"({path.stem}.md)" in LIST
    assert f"(../../config/{path.name})" in page
    assert f"hlm run config/{path.name}" in page
    assert f"{study.replicates:,} replicates" in page
    assert f"seed {study.seed}" in page


@pytest.mark.parametrize("image", sorted((PAGES / "images").iterdir()), ids=lambda one: one.name)
def test_every_picture_is_small_and_on_a_page(image):
    assert image.stat().st_size < 150_000
    pages = [page.read_text(encoding="utf-8") for page in PAGES.glob("*.md")]
    assert any(f"(images/{image.name})" in page for page in pages)


def measured(name, n, term, true, *, model=None, **point):
    """Return a term's measures on n data sets of one point of a ready study.

    The point by the columns of the study's grid; a frame with `estimate` and `mcse` by inference
    and measure.
    """
    frame = _estimates(name, n, model, tuple(point.items()))
    own = frame[frame["term"] == term]
    limits = {"se": "se", "df": "df", "lower": "lower", "upper": "upper"}
    table = hlm.performance(own, estimate="estimate", true=true, by="inference", **limits)
    return table.set_index(["inference", "measure"])[["estimate", "mcse"]]


@cache
def _estimates(name, n, model, point):
    study = Study.load(ROOT / "config" / f"{name}.yaml")
    (scenario,) = (
        scenario
        for scenario, levels in zip(study.scenarios, study.levels, strict=True)
        if set(point) <= set(levels.items())
    )
    models = [one for one in study.models if model in (None, one.name)]
    columns = fit_batch(scenario, models, simulate(scenario, models, 1, 0, n))["estimates"]
    return pd.DataFrame({name: _plain(column) for name, column in columns.items()})


def _plain(column):
    return np.array(column[0])[column[1]] if isinstance(column, tuple) else np.asarray(column)


def _near(found, wanted, *, of=4.0):
    """Compare a measure with its expectation, as far as so many data sets tell."""
    assert abs(found["estimate"] - wanted) < of * found["mcse"], (found, wanted)


SD = np.sqrt(0.125)


@pytest.mark.parametrize(
    ("shape", "kurtosis"), [("normal", 3.0), ("uniform", 1.8), ("laplace", 6.0), ("chisq(1)", 15.0)]
)
def test_errors_of_variances_are_wrong_by_the_kurtosis(shape, kurtosis):
    """Maas and Hox (2004): what is wrong is the standard error of variances.

    Units' means have the variance v = tau^2 + sigma^2 / n and the kurtosis 3 + k with
    k = (kurtosis - 3) (tau^2 / v)^2; the variance of their variance is (2 + k) v^2 / J, and by
    normal theory 2 v^2 / J. So the error is sqrt(2 / (2 + k)) of what it should be.
    """
    found = measured(
        "maas_hox_2004", 800, "sd_(Intercept)|group", SD, units=100, distribution=shape
    )
    found = found.loc["wald-variance"]
    excess = (kurtosis - 3.0) * (0.125 / (0.125 + 0.5 / 30)) ** 2
    ratio = np.sqrt(2.0 / (2.0 + excess))
    _near(found.loc["relative_error_se"], ratio - 1.0)
    _near(found.loc["coverage"], 2.0 * stats.norm.cdf(1.96 * ratio) - 1.0)


def test_coefficients_keep_their_errors_under_skewed_effects():
    """Maas and Hox (2004); Verbeke and Lesaffre (1997)."""
    found = measured("maas_hox_2004", 800, "x", 0.3, units=100, distribution="chisq(1)")
    _near(found.loc["satterthwaite", "relative_error_se"], 0.0)
    _near(found.loc["satterthwaite", "coverage"], 0.95)


def test_intervals_of_variances_from_30_groups_miss_as_often_as_published():
    """Maas and Hox (2005): 8.9 % of intervals from 30 groups miss, as remembered, not 5 %."""
    point = {"units": 30, "rows": 30, "icc": 0.2}
    found = measured(
        "maas_hox_2005", 2000, "sd_(Intercept)|group", SD, model="correlated", **point
    ).loc[("wald-variance", "coverage")]
    assert 0.065 < 1.0 - found["estimate"] < 0.11
    assert 1.0 - found["estimate"] > 0.05 + 4.0 * found["mcse"]


def _false_alarms_by_z(units, rows, icc):
    """Return how often z rejects: the REML estimates of balanced data follow from two chi-squares.

    Where the mean square between is below that within, both are pooled.
    """
    rng = np.random.default_rng(1)
    between_df, within_df = units - 2, units * (rows - 1)
    variance = rows * icc + 1.0 - icc
    between = variance * rng.chisquare(between_df, 1_000_000) / between_df
    within = (1.0 - icc) * rng.chisquare(within_df, 1_000_000) / within_df
    pooled = (between * between_df + within * within_df) / (between_df + within_df)
    ratio = np.sqrt(np.where(between > within, between, pooled) / variance)
    return (2.0 * stats.norm.sf(1.959964 * ratio)).mean()


@pytest.mark.parametrize(("units", "icc"), [(4, 0.05), (6, 0.2), (10, 0.2)])
def test_z_rejects_too_often_with_few_units(units, icc):
    found = measured("few_units", 4000, "arm", 0.0, units=units, icc=icc)
    by_z = found.loc["infinite", "rejection"]
    _near(by_z, _false_alarms_by_z(units, 20, icc))
    assert by_z["estimate"] > 0.05 + 4.0 * by_z["mcse"]


def test_kenward_and_roger_keep_the_level_with_few_units():
    found = measured("few_units", 4000, "arm", 0.0, units=10, icc=0.2)
    _near(found.loc["kenward-roger", "rejection"], 0.05)
    _near(found.loc["satterthwaite", "rejection"], 0.05)
    few = measured("few_units", 4000, "arm", 0.0, units=6, icc=0.05)
    assert few.loc["kenward-roger", "rejection"]["estimate"] < 0.05


def _slope_by_independence(rows, cor, units):
    """Return the error of the standard error of a slope, and how often t rejects without cause.

    Times t, centred, have the sum of squares S, the residuals of a unit the correlations R. The
    slope's variance is t' R t / (S^2 J); the model's is s^2 / (S J), with s^2 the mean square
    within units.
    """
    times = np.linspace(0.0, 1.0, rows) - 0.5
    correlations = toeplitz(cor ** np.arange(rows))
    squares = times @ times
    slope = times @ correlations @ times / squares
    df = units * (rows - 1) - 1
    within = units * (rows - correlations.sum() / rows) - slope
    ratio = np.sqrt(within / df / slope)
    return ratio - 1.0, 2.0 * stats.t.sf(stats.t.ppf(0.975, df) * ratio, df)


@pytest.mark.parametrize(("rows", "cor"), [(4, 0.4), (8, 0.4), (8, 0.8)])
def test_correlated_residuals_inflate_tests_of_slopes(rows, cor):
    """LeBeau (2016) in direction, the size by the variance of least squares under AR(1)."""
    found = measured("ar1_ignored", 2000, "t", 0.0, model="intercepts", rows=rows, ar1=cor)
    found = found.loc["satterthwaite"]
    error, rejection = _slope_by_independence(rows, cor, 50)
    _near(found.loc["relative_error_se"], error)
    _near(found.loc["rejection"], rejection)
    assert found.loc["rejection", "estimate"] > 0.05 + 4.0 * found.loc["rejection", "mcse"]


def test_random_slopes_take_up_the_correlation_of_residuals():
    found = measured("ar1_ignored", 1000, "t", 0.0, model="slopes", rows=8, ar1=0.4)
    _near(found.loc["satterthwaite", "rejection"], 0.05)
    none = measured("ar1_ignored", 1000, "sd_t|person", 0.0, model="slopes", rows=8, ar1=0.4)
    assert none.loc["wald", "mean"]["estimate"] > 0.8


@pytest.mark.parametrize("dropout", ["none", "MCAR", "MAR"])
def test_dropout_at_random_does_not_bias_slopes(dropout):
    for term, true in (("t", 0.2), ("t:arm", 0.2)):
        found = measured("dropout", 400, term, true, model="slopes", dropout=dropout)
        _near(found.loc["satterthwaite", "bias"], 0.0)
        _near(found.loc["satterthwaite", "coverage"], 0.95)


def test_dropout_biases_slopes_where_it_is_not_at_random_or_the_model_is_wrong():
    """By the response itself; and at random, where the model lacks the random slopes."""
    for dropout, model in (("MNAR", "slopes"), ("MAR", "intercepts")):
        found = measured("dropout", 400, "t", 0.2, model=model, dropout=dropout)
        bias = found.loc["satterthwaite", "bias"]
        assert bias["estimate"] < -10.0 * bias["mcse"]


def test_unequal_clusters_cost_the_efficiency_of_known_variances():
    """Var = sigma^2 (1 / sum w_1 + 1 / sum w_2), w = n / (n + (1 - icc) / icc), over drawn n."""
    least, shares = Clustered(20.0, 1.0).table()
    counts = np.arange(least, least + len(shares))
    rng = np.random.default_rng(1)
    n = rng.choice(counts, p=shares / shares.sum(), size=(20_000, 2, 30))
    weights = (n / (n + 0.95 / 0.05)).sum(axis=2)
    variance = (0.05 / weights).sum(axis=1).mean()
    found = measured("unequal_clusters", 2000, "arm", 0.0, cv=1.0, units=60, icc=0.05)
    error = found.loc["satterthwaite", "empirical_se"]
    _near(error, np.sqrt(variance))
    _near(found.loc["satterthwaite", "rejection"], 0.05)
    assert variance > 1.15 * 2 * 0.05 / (30 * 20 / 39)


def test_the_mean_of_rows_hides_the_effect_of_the_unit():
    """Ludtke et al. (2008): r 0.7 + (1 - r) 0.2, r = icc n / (1 + (n - 1) icc)."""
    for icc, rows in ((0.05, 5), (0.3, 30)):
        found = measured("manifest_means", 400, "xm", 0.7, model="manifest", x_icc=icc, rows=rows)
        reliability = icc * rows / (1.0 + (rows - 1) * icc)
        _near(found.loc["satterthwaite", "mean"], 0.2 + 0.5 * reliability)


@pytest.mark.parametrize(("assumptions", "ratio"), [("nominal", 1), ("noisy arm", 4)])
@pytest.mark.parametrize("difference", [0, 0.5])
def test_power_of_a_trial_is_that_of_the_means_of_its_schools(assumptions, ratio, difference):
    """By the noncentral t; with one variance four times the other it is near, in equal arms."""
    point = {"units": 40, "fixed.arm": difference, "assumptions": assumptions}
    found = measured("robust_trial", 2000, "arm", difference, **point)
    variances = 0.4**2 + np.array([1, ratio]) / 15
    far, limit = difference / np.sqrt(2 * variances.sum() / 40), stats.t.isf(0.025, 38)
    power = stats.nct.sf(limit, 38, far) + stats.nct.cdf(-limit, 38, far)
    _near(found.loc["satterthwaite", "rejection"], power)
