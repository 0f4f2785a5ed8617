"""Covariates that come from others, and correlated ones: moments, reliabilities, distributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hlm.estimands.true_values import targets
from hlm.rows.origins import ORIGINS, Measured, UnitMean, origin_from_dict
from hlm.scenario import Model
from hlm.simulate import draw_rows

from .studies import drawn, scenario, study

N = 300  # data sets of 30 units of 8 rows

COVARIATES = {
    "x": {"level": "row", "mean": 5, "sd": 2, "icc": 0.3},
    "xm": {"mean_of": "x"},
    "xl": {"latent_mean_of": "x"},
    "xc": {"centred": "x"},
    "xg": {"centred": "x", "at": "grand"},
    "w": {"measures": "x", "reliability": 0.7},
    "wm": {"mean_of": "w"},
    "a": {"level": "unit", "sd": 3},
    "ag": {"centred": "a", "at": "grand"},
    "v": {"measures": "a", "reliability": 0.5},
}


def _near(found, wanted, error):
    assert abs(found - wanted) < 5.0 * error, (found, wanted, error)


@pytest.fixture(scope="module")
def rows():
    return drawn(scenario(covariates=COVARIATES), N)


@pytest.mark.parametrize("rows_of", [8, {"mean": 8, "cv": 0.5}])
def test_means_and_differences_are_those_of_the_rows(rows_of):
    """Computed again by pandas from what a replay shows."""
    data = pd.DataFrame(draw_rows(scenario(covariates=COVARIATES, rows=rows_of), 1, 4))
    unit = data.groupby("unit")
    assert_allclose(data["xm"], unit["x"].transform("mean"), rtol=1e-13)
    assert_allclose(data["wm"], unit["w"].transform("mean"), rtol=1e-13)
    assert_allclose(data["xc"], data["x"] - unit["x"].transform("mean"), atol=1e-13)
    assert_allclose(data["xg"], data["x"] - data["x"].mean(), atol=1e-12)
    assert_allclose(data["ag"], data["a"] - unit["a"].first().mean(), atol=1e-13)


def test_an_icc_splits_the_variance(rows):
    """Var x = 4, of which a share of 0.3 lies between units, and of the latent mean all does."""
    latent = rows.groupby(["part", "unit"])["xl"].first()
    assert rows.groupby(["part", "unit"])["xl"].nunique().max() == 1
    _near(latent.mean(), 5.0, latent.std() / np.sqrt(len(latent)))
    _near(latent.var(), 1.2, 1.2 * np.sqrt(2 / len(latent)))
    within = rows["x"] - rows["xl"]
    _near(within.var(), 2.8, 2.8 * np.sqrt(2 / len(within)))
    assert stats.kstest(within / np.sqrt(2.8), "norm").pvalue > 1e-4
    assert stats.kstest((latent - 5) / np.sqrt(1.2), "norm").pvalue > 1e-4


def test_the_reliability_of_a_manifest_mean(rows):
    """Cor(manifest, latent)^2 = icc n / (1 + (n - 1) icc), Spearman and Brown's."""
    means = rows.groupby(["part", "unit"])[["xm", "xl"]].first()
    reliability = 8 * 0.3 / (1 + 7 * 0.3)
    found = means.corr().iloc[0, 1] ** 2
    error = 2 * np.sqrt(reliability) * (1 - reliability) / np.sqrt(len(means))
    _near(found, reliability, error)


@pytest.mark.parametrize(("observed", "true", "reliability"), [("w", "x", 0.7), ("v", "a", 0.5)])
def test_a_measured_covariate_has_its_reliability(rows, observed, true, reliability):
    """Var(true) / Var(observed), and the squared correlation of the two."""
    pairs = rows.groupby(["part", "unit"])[[observed, true]].first()
    found = pairs.corr().iloc[0, 1] ** 2
    _near(found, reliability, 2 * np.sqrt(reliability) * (1 - reliability) / np.sqrt(len(pairs)))
    ratio = pairs[true].var() / pairs[observed].var()
    _near(ratio, reliability, reliability * np.sqrt(4 * (1 - reliability) / len(pairs)))


SET = {
    "u": {"level": "row", "distribution": "lognormal(0.5)", "mean": 3, "sd": 2},
    "x": {"level": "row", "distribution": "uniform", "low": -1, "high": 1},
    "z": {"level": "row", "mean": 10},
}


def test_correlated_sets_have_their_correlations_and_their_marginals():
    one = scenario(
        covariates=SET,
        correlated={
            "three": {"of": ["u", "x", "z"], "cor": [[1, 0.5, 0.3], [0.5, 1, -0.2], [0.3, -0.2, 1]]}
        },
    )
    rows = drawn(one, N)
    n = len(rows)
    for a, b, cor in (("u", "x", 0.5), ("u", "z", 0.3), ("x", "z", -0.2)):
        products = (rows[a] - rows[a].mean()) / rows[a].std() * (rows[b] - rows[b].mean())
        products /= rows[b].std()
        _near(products.mean(), cor, products.std() / np.sqrt(n))
    s = stats.lognorm(0.5)
    assert stats.kstest((rows["u"] - 3) / 2 * s.std() + s.mean(), s.cdf).pvalue > 1e-4
    assert stats.kstest(rows["x"], stats.uniform(-1, 2).cdf).pvalue > 1e-4
    assert stats.kstest(rows["z"] - 10, "norm").pvalue > 1e-4


def test_correlated_covariates_of_units():
    one = scenario(
        covariates={"x": {"level": "row"}, "a": {"level": "unit"}, "b": {"level": "unit"}},
        correlated={"pair": {"of": ["a", "b"], "cor": 0.6}},
    )
    units = drawn(one, N).groupby(["part", "unit"])[["a", "b"]].first()
    _near(units.corr().iloc[0, 1], 0.6, 0.64 / np.sqrt(len(units)))


def test_a_covariate_of_a_shape_has_its_mean_and_sd():
    one = scenario(covariates={"x": {"level": "row", "distribution": "chisq(2)", "mean": 4}})
    x = drawn(one, N)["x"]
    assert stats.kstest(x, stats.expon(loc=3).cdf).pvalue > 1e-4


def test_true_values_in_terms_of_derived_covariates():
    """x = xc + xm, so the within and between slopes are those of x, and xm adds to them."""
    one = scenario(
        covariates={**COVARIATES},
        formula="y ~ x + xm + (1 | unit)",
        fixed={"(Intercept)": 1.0, "x": 0.3, "xm": 0.5},
    )
    found = {t.term: t.true for t in targets(one, Model("m", "y ~ xc + xm + (1 | unit)"))}
    assert found["xc"] == pytest.approx(0.3)
    assert found["xm"] == pytest.approx(0.8)
    assert found["(Intercept)"] == pytest.approx(1.0)


def test_no_true_value_of_a_manifest_mean_where_the_truth_has_the_latent_one():
    one = scenario(
        covariates=COVARIATES,
        formula="y ~ x + xl + (1 | unit)",
        fixed={"(Intercept)": 1.0, "x": 0.3, "xl": 0.5},
    )
    found = {t.term: t for t in targets(one, Model("m", "y ~ x + xm + (1 | unit)"))}
    assert np.isnan(found["xm"].true)
    assert found["xm"].reason.startswith("xl of the truth is no combination of")


def test_residual_structures_leave_no_true_sigma_or_only_a_target():
    base = {"covariates": {"x": {"level": "row"}, "arm": {"level": "unit", "grid": [0, 1]}}}
    by_arm = scenario(residual={"variance": {"by": "arm", "ratio": {"1": 2}}}, **base)
    found = {t.term: t for t in targets(by_arm, Model("m", "y ~ x + (1 | unit)"))}
    assert np.isnan(found["sigma"].true)
    assert found["sigma"].reason == "the residual variance differs by arm"
    assert found["x"].follows
    assert not found["sd_(Intercept)|unit"].follows
    in_time = scenario(residual={"sd": 2.0, "ar1": 0.4}, **base)
    found = {t.term: t for t in targets(in_time, Model("m", "y ~ x + (1 | unit)"))}
    assert (found["sigma"].true, found["sigma"].left_out) == (
        2.0,
        ("the correlation of residuals",),
    )


@pytest.mark.parametrize("origin", [UnitMean("x"), Measured("x", 0.5)], ids=str)
def test_files_have_them(origin):
    assert origin_from_dict(origin.to_dict()) == origin
    assert type(origin) is ORIGINS[origin.kind]


def test_the_known_bias_of_manifest_means():
    """With reliability r, the coefficient of the mean is r b_between + (1 - r) b_within.

    Ludtke et al. (2008): the between-slope is 0.7, the within-slope 0.2; r = icc n / (1 + (n - 1)
    icc). So the contextual effect b_between - b_within is r times too small.
    """
    found = study(
        formula="y ~ x + xl + (1 | unit)",
        fixed={"(Intercept)": 0.0, "x": 0.2, "xl": 0.5},
        covariates={
            "x": {"level": "row", "icc": 0.2},
            "xl": {"latent_mean_of": "x"},
            "xm": {"mean_of": "x"},
            "xc": {"centred": "x"},
        },
        models={"manifest": "y ~ xc + xm + (1 | unit)", "latent": "y ~ x + xl + (1 | unit)"},
        random={"sd": {"(Intercept)": 0.3}},
        units=100,
        rows=10,
    )
    from hlm.fits import fit_batch
    from hlm.simulate import simulate

    (one,) = found.scenarios
    tables = fit_batch(one, found.models, simulate(one, found.models, 1, 0, 500))
    estimates = pd.DataFrame(
        {
            name: np.array(value[0])[value[1]] if isinstance(value, tuple) else np.asarray(value)
            for name, value in tables["estimates"].items()
        }
    )
    reml = estimates[estimates["method"] == "reml"].groupby(["model", "term"])["estimate"]
    mean, error = reml.mean(), reml.std() / np.sqrt(500)
    reliability = 10 * 0.2 / (1 + 9 * 0.2)
    wanted = {
        ("manifest", "xc"): 0.2,
        ("manifest", "xm"): reliability * 0.7 + (1 - reliability) * 0.2,
        ("latent", "x"): 0.2,
        ("latent", "xl"): 0.5,
    }
    for key, value in wanted.items():
        assert abs(mean[key] - value) < 4 * error[key], (key, mean[key], value, error[key])
    assert abs(mean["manifest", "xm"] - 0.7) > 20 * error["manifest", "xm"]
