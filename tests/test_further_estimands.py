"""Variances and the intraclass correlation: against formulas, brute force and simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from hlm import lmer
from hlm.datasets import load_sleepstudy
from hlm.errors import InputError
from hlm.estimands.kinds import FURTHER
from hlm.estimands.model_estimands import estimands_of, rows_of
from hlm.estimands.true_values import targets
from hlm.measures import summarize_estimates
from hlm.results.shown import with_words
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import draw_rows
from hlm.study import Study
from hlm.words.levels import WORDS
from tests.inference.brute import Deviance
from tests.inference.studies import GRID, SEED, SLOPES, scenario, tables

KINDS = ("variance", "icc")
SLEEP = "Reaction ~ Days + (1 + Days | Subject)"


def one_way(icc, *, units=40, rows=10):
    """Return a truth of random intercepts with a total variance of 1."""
    fixed, sd, sigma = (("(Intercept)", 2.0),), (np.sqrt(icc),), np.sqrt(1 - icc)
    formula = "y ~ 1 + (1 | unit)"
    return Scenario("0" * 16, units, rows, (), formula, fixed, sd, ((1.0,),), sigma)


def test_names_and_words():
    model = Model("m", SLOPES, estimands=KINDS)
    words = {one.name: one.words for one in estimands_of(model)[-4:]}
    assert words == {
        "var_(Intercept)|unit": "variance (Intercept)",
        "var_x|unit": "variance x",
        "sigma^2": "residual variance",
        "icc_unit": "ICC",
    }


def test_a_model_without_random_intercepts_has_no_icc():
    model = Model("m", "y ~ x + (0 + x | unit)", estimands=("icc",))
    assert [one.name for one in rows_of(model)] == ["(Intercept)", "x", "sd_x|unit", "sigma"]


def test_a_model_has_none_that_it_is_not_asked_for():
    assert {one.kind for one in rows_of(Model("m", SLOPES))} == {
        *("coefficient", "sd", "cor", "sigma")
    }


def _hessian(function, at):
    """Central differences, steps of a thousandth."""
    n, steps = len(at), np.diag(1e-3 * np.abs(at))
    found = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            a, b = steps[i], steps[j]
            corners = function(at + a + b) - function(at + a - b)
            corners -= function(at - a + b) - function(at - a - b)
            found[i, j] = corners / (4 * a[i] * b[j])
    return found


@pytest.mark.parametrize("reml", [True, False])
def test_errors_are_those_of_a_numerical_hessian_in_the_variances(reml):
    fit = lmer(SLEEP, load_sleepstudy(), reml=reml)
    deviance = Deviance(fit)

    def criterion(eta):
        psi = np.array([[eta[0], eta[1]], [eta[1], eta[2]]]) / eta[3]
        return (deviance.restricted if reml else deviance)(psi, np.sqrt(eta[3]))

    eta = np.array([*fit.psi[[0, 1, 1], [0, 0, 1]], fit.sigma**2])
    covariance = 2 * np.linalg.inv(_hessian(criterion, eta))
    table = fit.estimands(KINDS).set_index("term")
    variances = ["var_(Intercept)|Subject", "var_Days|Subject", "sigma^2"]
    np.testing.assert_allclose(table.estimate[variances], eta[[0, 2, 3]], rtol=1e-12)
    expected = np.sqrt(np.diag(covariance))[[0, 2, 3]]
    np.testing.assert_allclose(table.se[variances], expected, rtol=1e-4)
    total = eta[0] + eta[3]
    g = np.array([eta[3], 0, 0, -eta[0]]) / total**2
    assert table.estimate["icc_Subject"] == pytest.approx(eta[0] / total, rel=1e-12)
    assert table.se["icc_Subject"] == pytest.approx(np.sqrt(g @ covariance @ g), rel=1e-4)


def _rows(n_units=14, n_rows=6, icc=0.4, seed=3):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_units), n_rows)
    b = rng.normal(0, np.sqrt(icc), n_units)
    return pd.DataFrame({"unit": unit, "y": b[unit] + rng.normal(0, np.sqrt(1 - icc), len(unit))})


def test_the_icc_of_a_balanced_one_way_design_is_that_of_the_analysis_of_variance():
    """Fisher's estimator; its error by Swiger, Harvey, Everson & Gregory (1964), Biometrics 20."""
    data = _rows()
    n, k = 14, 6
    means = data.groupby("unit")["y"].mean()
    between = k * means.var(ddof=1)
    within = ((data["y"] - means[data["unit"]].to_numpy()) ** 2).sum() / (n * (k - 1))
    t = (between - within) / (between + (k - 1) * within)
    error = (1 - t) * (1 + (k - 1) * t) * np.sqrt(2 * (n * k - 1) / (k**2 * n * (k - 1) * (n - 1)))
    (row,) = lmer("y ~ 1 + (1 | unit)", data).estimands(["icc"], level=0.9).to_dict("records")
    assert row["term"] == "icc_unit"
    assert row["estimate"] == pytest.approx(t, rel=1e-9)
    assert row["se"] == pytest.approx(error, rel=1e-9)
    half = stats.norm.ppf(0.95) * error / (t * (1 - t))
    limits = special.expit(special.logit(t) + np.array([-half, half]))
    np.testing.assert_allclose([row["lower"], row["upper"]], limits, rtol=1e-9)


def test_at_the_boundary_there_is_an_estimate_and_nothing_else():
    data = _rows(icc=0.0, seed=4)
    fit = lmer("y ~ 1 + (1 | unit)", data)
    assert fit.singular
    table = fit.estimands(KINDS).set_index("term")
    for term in ("var_(Intercept)|unit", "icc_unit"):
        assert table.estimate[term] == 0.0
        assert table.loc[term, ["se", "lower", "upper"]].isna().all()
    assert table.loc["sigma^2"].notna().all()


def test_what_the_data_leave_open_has_no_estimate_and_the_icc_still_has():
    data = load_sleepstudy().assign(hours=lambda d: 24 * d.Days)
    fit = lmer("Reaction ~ Days + (1 + Days + hours || Subject)", data)
    plain = lmer("Reaction ~ Days + (1 + Days || Subject)", data)
    table, other = (one.estimands(KINDS).set_index("term") for one in (fit, plain))
    assert table.loc[["var_Days|Subject", "var_hours|Subject"]].isna().all(axis=None)
    names = ["var_(Intercept)|Subject", "sigma^2", "icc_Subject"]
    np.testing.assert_allclose(table.loc[names], other.loc[names], rtol=1e-4)


def test_limits_of_a_variance_are_the_squares_of_those_of_the_sd():
    model = Model("m", SLOPES, limits=("wald", "wald-variance", "profile"), estimands=("variance",))
    estimates, _ = tables(scenario(GRID), model, 20)
    rows = estimates.set_index(["method", "inference", "replicate", "term"])[["lower", "upper"]]
    pairs = {"sd_(Intercept)|unit": "var_(Intercept)|unit", "sigma": "sigma^2"}
    for sd, variance in pairs.items():
        a, b = (rows.xs(term, level="term") for term in (sd, variance))
        assert len(a) == 2 * 3 * 20
        np.testing.assert_array_equal(a**2, b)
    wald = estimates[(estimates.inference == "wald-variance") & (estimates.term == "sigma^2")]
    half = stats.norm.ppf(0.975) * wald["se"]
    np.testing.assert_allclose(wald["upper"], wald["estimate"] + half, rtol=1e-12)


def test_limits_of_the_icc_on_its_own_scale_stay_within_0_and_1():
    model = Model("m", "y ~ 1 + (1 | unit)", limits=("wald-variance",), estimands=("icc",))
    estimates, _ = tables(one_way(0.05, units=6, rows=4), model, 200)
    rows = estimates[(estimates.term == "icc_unit") & estimates.se.notna()]
    half = stats.norm.ppf(0.975) * rows["se"]
    np.testing.assert_allclose(rows["lower"], np.maximum(rows["estimate"] - half, 0), rtol=1e-12)
    np.testing.assert_allclose(rows["upper"], np.minimum(rows["estimate"] + half, 1), rtol=1e-12)
    assert (rows["lower"] == 0).any()


def test_estimates_of_a_study_are_those_of_lmer():
    truth, model = scenario(GRID, sd=(1.0, 0.8)), Model("m", SLOPES, estimands=KINDS)
    estimates, _ = tables(truth, model, 12)
    plain, _ = tables(truth, replace(model, estimands=()), 12)
    names = {one.name for one in rows_of(model)} - {one.name for one in rows_of(Model("m", SLOPES))}
    rows = estimates[~estimates["term"].isin(names)].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, plain, check_exact=True)
    for replicate in range(12):
        data = draw_rows(truth, SEED, replicate)
        for method in ("reml", "ml"):
            theirs = lmer(SLOPES, data, reml=method == "reml").estimands(KINDS).set_index("term")
            own = estimates[(estimates.replicate == replicate) & (estimates.method == method)]
            own = own[own["term"].isin(names)].set_index("term")[list(theirs)]
            np.testing.assert_allclose(own.loc[theirs.index], theirs, rtol=1e-6)


def test_true_values():
    truth = scenario(GRID, sd=(0.3, 0.5))
    found = {t.term: t.true for t in targets(truth, Model("m", SLOPES, estimands=KINDS))}
    assert found["var_(Intercept)|unit"] == 0.09
    assert found["var_x|unit"] == 0.25
    assert found["sigma^2"] == 0.5625
    assert found["icc_unit"] == pytest.approx(0.09 / (0.09 + 0.5625), rel=1e-14)


def test_the_true_icc_is_that_where_the_models_covariates_are_0():
    """With x - 2 in the place of x, the intercepts are those at x = 2."""
    truth = scenario(GRID, sd=(0.3, 0.5))
    model = Model("m", "y ~ I(x - 2) * a + (1 + I(x - 2) | unit)", estimands=KINDS)
    found = {t.term: t for t in targets(truth, model)}
    variance = 0.09 + 2 * 2 * 0.3 * 0.3 * 0.5 + 4 * 0.25
    assert found["var_(Intercept)|unit"].true == pytest.approx(variance, rel=1e-14)
    assert found["icc_unit"].true == pytest.approx(variance / (variance + 0.5625), rel=1e-14)
    assert found["icc_unit"].follows


def test_what_a_model_leaves_out_keeps_a_variance_from_the_truths():
    truth = scenario(GRID, sd=(0.3, 0.5))
    model = Model("m", "y ~ x * a + (1 | unit)", estimands=KINDS)
    found = {t.term: t for t in targets(truth, model)}
    assert found["var_(Intercept)|unit"].true == 0.09
    assert found["icc_unit"].left_out == ("sd_x|unit",)


def test_there_is_no_true_icc_where_there_is_no_true_variance():
    truth = scenario(Covariate("x", "row"), sd=(0.3, 0.5))
    model = Model("m", "y ~ x * a + (1 + I(x^2) | unit)", estimands=KINDS)
    found = {t.term: t for t in targets(truth, model)}
    assert np.isnan(found["icc_unit"].true)
    assert "no combination" in found["icc_unit"].reason
    assert found["sigma^2"].true == 0.5625
    given = replace(model, true=(("icc_unit", 0.2),))
    assert {t.term: t.true for t in targets(truth, given)}["icc_unit"] == 0.2


def test_measures_have_bias_and_coverage_and_no_test_of_0():
    truth = one_way(0.2)
    model = Model("m", truth.formula, methods=("reml",), estimands=KINDS)
    estimates, _ = tables(truth, model, 200)
    known = pd.DataFrame(
        [(truth.key, "m", t.term, t.kind, t.true) for t in targets(truth, model)],
        columns=["scenario", "model", "term", "kind", "true"],
    )
    measures = summarize_estimates(estimates, truth=known, level={"m": 0.95})
    icc = measures[measures["term"] == "icc_unit"].set_index("measure")
    rows = estimates[estimates["term"] == "icc_unit"]
    assert set(icc["kind"]) == {"icc"}
    assert icc.estimate["bias"] == pytest.approx(rows["estimate"].mean() - 0.2, abs=1e-12)
    inside = (rows["lower"] <= 0.2) & (rows["upper"] >= 0.2)
    assert icc.estimate["coverage"] == pytest.approx(inside[rows["lower"].notna()].mean())
    assert "rejection" not in icc.index
    shown = with_words(measures, [model])
    assert set(shown.loc[shown["term"] == "icc_unit", WORDS]) == {"ICC"}


@pytest.mark.parametrize("icc", [0.1, 0.3])
def test_coverage_of_the_icc(icc):
    """100 units of 10 rows: no fit is singular, and the logit is nearly normal.

    Four Monte Carlo standard errors, and 0.01 for what the asymptotics leave.
    """
    n, truth = 2000, one_way(icc, units=100)
    model = Model("m", truth.formula, methods=("reml",), estimands=("icc",))
    estimates, fits = tables(truth, model, n)
    rows = estimates[estimates["term"] == "icc_unit"]
    assert not fits["singular"].any()
    covers = ((rows["lower"] <= icc) & (icc <= rows["upper"])).mean()
    assert covers == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / n) + 0.01)
    ratio = rows["se"].mean() / rows["estimate"].std()
    assert ratio == pytest.approx(1.0, abs=4 / np.sqrt(2 * n) + 0.01)


STUDY = """\
name: one
seed: 1
replicates: 1
truth:
  formula: y ~ x + (1 | unit)
  fixed: {(Intercept): 0, x: 1}
  random: {unit: {sd: {(Intercept): 1}}}
  residual: {sd: 1}
design: {units: 10, rows: 5, covariates: {x: {level: row}}}
models: {line: "MODEL"}
estimation: {estimands: ASKED}
"""


def study(asked, model="y ~ x + (1 | unit)"):
    return Study.from_text(STUDY.replace("ASKED", asked).replace("MODEL", model))


def test_a_study_asks_for_kinds():
    assert study("[icc, variance]").models[0].estimands == ("icc", "variance")
    assert study("[]").models[0].estimands == ()


@pytest.mark.parametrize(
    ("asked", "model", "path", "problem", "allowed", "suggestion"),
    [
        ("[varience]", None, "[0]", "no kind of estimands", ", ".join(FURTHER), "variance"),
        ("[icc, icc]", None, "[1]", "'icc' is there twice", "each kind once", None),
        (
            "[icc]",
            "y ~ x + (0 + x | unit)",
            "[0]",
            "no model has 'icc'",
            "a random intercept",
            None,
        ),
    ],
)
def test_mistakes(asked, model, path, problem, allowed, suggestion):
    with pytest.raises(InputError, match=problem) as caught:
        study(asked, model or "y ~ x + (1 | unit)")
    assert caught.value.path == f"estimation.estimands{path}"
    assert (caught.value.allowed, caught.value.suggestion) == (allowed, suggestion)


def test_a_fit_knows_the_kinds_too():
    with pytest.raises(InputError, match="no kind of estimands is called 'ICC'") as caught:
        lmer("y ~ 1 + (1 | unit)", _rows()).estimands(["ICC"])
    assert caught.value.suggestion == "icc"
