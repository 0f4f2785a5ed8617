"""The bootstrap of studies: against rows drawn and fitted, known laws, and what it promises."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hlm
from hlm.fits import bootstrap_fits, candidates, fit_batch
from hlm.inference import Bootstrap
from hlm.kernels.joint_tests import allocate_joint_tests
from hlm.kernels.limits import percentile_limits
from hlm.kernels.refits import refit
from hlm.model.moments import fit_moments
from hlm.simulate import simulate

from .data import frame
from .studies import as_frame

STUDY = """
name: boot
seed: %(seed)s
replicates: %(replicates)s
truth:
  formula: y ~ x + a + (1 + x | unit)
  fixed: {(Intercept): 0, x: 0, a: 0.5}
  random: {unit: {sd: {(Intercept): 0.5, x: 0.3}}}
  residual: {sd: 1}
design:
  units: 8
  rows: 5
  covariates: {x: {level: row, %(x)s}, a: {level: unit, distribution: normal}}
models: {slopes: "y ~ x + a + (1 + x | unit)", plain: "y ~ x + a + (1 | unit)"}
estimation:
  methods: [reml, ml]
  df: [satterthwaite, bootstrap]
  limits: [wald, bootstrap]
  bootstrap: %(draws)s
  tests: {both: [x, a]}
"""
GRID, DRAWN = "grid: [-2, -1, 0, 1, 2]", "distribution: normal"


def study_of(x=GRID, replicates=6, draws=39, seed=3):
    numbers = {"x": x, "replicates": replicates, "draws": draws, "seed": seed}
    return hlm.Study.from_text(STUDY % numbers)


def batch(study, start=0, stop=None, models=None):
    """Simulate and fit a range of replicates."""
    (scenario,), models = study.scenarios, models or study.models
    drawn = simulate(scenario, models, study.seed, start, stop or study.replicates)
    return fit_batch(scenario, models, drawn, seed=study.seed)


def numbers(tables, *, replicates, model):
    """Return the numbers of some replicates and a model, in order."""
    found = []
    for kind in ("estimates", "tests"):
        table = as_frame(tables[kind])
        own = table[(table["model"] == model) & table["replicate"].isin(replicates)]
        found.append(own.select_dtypes("number").drop(columns="replicate").to_numpy().ravel())
    return np.concatenate(found)


@pytest.mark.parametrize("x", [GRID, DRAWN], ids=["shared", "drawn"])
def test_neither_batches_nor_other_models_move_a_number(x):
    study = study_of(x, seed=4)
    whole = batch(study)
    for model in study.models:
        parts = [batch(study, 0, 2), batch(study, 2, 3, [model]), batch(study, 3, 6, [model])]
        for part, places in zip(parts, ([0, 1], [2], [3, 4, 5]), strict=True):
            ours = numbers(part, replicates=places, model=model.name)
            theirs = numbers(whole, replicates=places, model=model.name)
            assert np.isfinite(ours).mean() > 0.7
            np.testing.assert_array_equal(ours, theirs)


def test_the_seed_and_the_fit_count():
    """Other replicates, methods and seeds have other draws; without a seed there are none."""
    study = study_of()
    table = as_frame(batch(study)["estimates"])
    own = table[(table["inference"] == "bootstrap") & (table["term"] == "sigma")]
    assert own["lower"].is_unique
    (scenario,) = study.scenarios
    drawn = simulate(scenario, study.models, study.seed, 0, 1)
    other = as_frame(fit_batch(scenario, study.models, drawn, seed=4)["estimates"])
    there = (other["inference"] == "bootstrap") & (other["term"] == "sigma")
    assert not other.loc[there, "lower"].isin(own["lower"]).any()
    with pytest.raises(ValueError, match="seed"):
        fit_batch(scenario, study.models, drawn)


def test_other_inferences_stay_as_they_are():
    study = study_of()
    plain = [replace(m, df=("satterthwaite",), limits=("wald",), bootstrap=0) for m in study.models]
    for kind, theirs in batch(study, models=plain).items():
        ours = as_frame(batch(study)[kind])
        if "inference" in ours:
            ours = ours[ours["inference"] != "bootstrap"].reset_index(drop=True)
        pd.testing.assert_frame_equal(ours, as_frame(theirs), check_exact=True)


def test_limits_of_the_random_part_alone():
    """They are the same whatever the inference of the coefficients and F tests is."""
    study = study_of(replicates=2)
    alone = [replace(m, df=("between-within",), limits=("bootstrap",)) for m in study.models]
    tables = batch(study, models=alone)
    assert set(as_frame(tables["tests"])["inference"]) == {"between-within"}
    assert as_frame(tables["tests"])["p_value"].notna().all()
    ours, theirs = (
        table[(table["inference"] == "bootstrap") & ~table["term"].isin(["(Intercept)", "x", "a"])]
        for table in map(as_frame, (tables["estimates"], batch(study)["estimates"]))
    )
    pd.testing.assert_frame_equal(
        ours.reset_index(drop=True), theirs.reset_index(drop=True), check_exact=True
    )


def test_one_design_for_all_units_is_a_design_for_each(monkeypatch):
    study = study_of(GRID)
    shared = batch(study)
    monkeypatch.setattr(candidates, "_one_design", lambda *_: False)
    for model in ("slopes", "plain"):
        ours, theirs = (
            numbers(tables, replicates=range(6), model=model) for tables in (shared, batch(study))
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@cache
def draws_of_rows(formula, n):
    """Return a fit, and estimates and F of n data sets drawn from it as rows and fitted."""
    data = frame("made").iloc[:90]
    fit = hlm.lmer(formula, data)
    rng, X, Z = np.random.default_rng(5), fit.frame.X, fit.frame.Z
    root = np.linalg.cholesky(fit.psi)
    found, F = [], []
    for _ in range(n):
        b = rng.standard_normal((fit.n_groups, len(root))) @ root.T
        noise = fit.sigma * rng.standard_normal(len(X))
        y = X @ fit.beta + (Z * b[fit.frame.units]).sum(axis=1) + noise
        again = hlm.lmer(formula, data.assign(y=y))
        found.append(again.tidy()["estimate"].to_numpy())
        error = again.beta - fit.beta
        F.append(error[1:] @ np.linalg.solve(again.vcov[1:, 1:], error[1:]) / (len(error) - 1))
    return fit, np.array(found), np.array(F)


@pytest.mark.parametrize("formula", ["y ~ x + a + (1 | unit)", "y ~ x + a + (1 + x | unit)"])
def test_draws_are_distributed_as_those_of_rows(formula):
    """Unequal units: every estimate, products of their ranks, and F, by two-sample tests."""
    fit, rows, F_rows = draws_of_rows(formula, 150)
    moments, p = fit.engine.moments, len(fit.beta)
    draws, F = refit(
        moments.parametrization,
        fit_moments(moments, reml=True),
        fit.nobs,
        reml=True,
        tests=allocate_joint_tests([np.eye(p)[1:]], p, len(fit.theta)),
        n=4000,
        rng=np.random.default_rng(1),
    )
    draws[:, :p] += fit.beta
    for name, ours, theirs in zip(fit.terms, draws.T, rows.T, strict=True):
        ours, theirs = ours[np.isfinite(ours)], theirs[np.isfinite(theirs)]
        assert stats.ks_2samp(ours, theirs).pvalue > 1e-3, name
    assert stats.ks_2samp(F[:, 0], F_rows).pvalue > 1e-3
    ours, theirs = (np.corrcoef(stats.rankdata(part, axis=0).T) for part in (draws, rows))
    assert np.nanmax(np.abs(ours - theirs)) < 5 / np.sqrt(150)


ONE_WAY = """
name: one-way
seed: 8
replicates: 5
truth:
  formula: y ~ 1 + (1 | unit)
  fixed: {(Intercept): 0.3}
  random: {unit: {sd: {(Intercept): 1}}}
  residual: {sd: 1}
design: {units: 10, rows: 6}
models: {m: "y ~ 1 + (1 | unit)"}
estimation:
  methods: [reml]
  df: [satterthwaite, bootstrap]
  bootstrap: 4999
  tests: {mean: ["(Intercept)"]}
"""


def test_a_balanced_one_way_design():
    """The mean's bootstrap law is the normal with the sd se, and that of F the t of m - 1 df."""
    study = hlm.Study.from_text(ONE_WAY)
    tables = batch(study)
    terms, tests = as_frame(tables["estimates"]), as_frame(tables["tests"])
    assert not as_frame(tables["fits"])["singular"].any()
    by = dict(list(terms[terms["term"] == "(Intercept)"].groupby("inference")))
    known, ours = (by[name].set_index("replicate") for name in ("satterthwaite", "bootstrap"))
    assert ours["df"].isna().all()
    n, z = 4999, stats.norm.ppf(0.975)
    assert (ours["se"] / known["se"] - 1).abs().max() < 4 / np.sqrt(2 * n)
    error = 4 * known["se"] * np.sqrt(0.025 * 0.975 / n) / stats.norm.pdf(z)
    assert ((ours["lower"] - known["estimate"] + z * known["se"]).abs() < error).all()
    assert ((ours["upper"] - known["estimate"] - z * known["se"]).abs() < error).all()
    p = tests.set_index(["replicate", "inference"])["p_value"]
    p = {name: p.xs(name, level="inference") for name in ("satterthwaite", "bootstrap")}
    mc_error = np.sqrt(p["satterthwaite"] * (1 - p["satterthwaite"]) / n)
    # The fits of draws that are at the boundary, a few in a thousand, have another law of F
    assert ((p["bootstrap"] - p["satterthwaite"]).abs() < 4 * mc_error + 0.005).all()


PERCENTILES = {
    0.95: [-0.99760782129528, 0.99821680844944],
    0.9: [-0.99057377308046, 0.98494970165168],
    0.99: [-0.99999086224131, 0.99976572902354],
}


def test_percentiles_are_those_of_boot():
    """boot:::norm.inter of R 4.2.2, boot 1.3-28.1, of 101 numbers."""
    draws = np.sin(np.arange(1.0, 102.0) ** 2)
    for level, expected in PERCENTILES.items():
        limits = percentile_limits(draws[:, None], level)
        assert limits.ravel() == pytest.approx(expected, rel=1e-9)
    holes = np.column_stack([draws, np.where(np.arange(101) < 60, np.nan, draws)])
    assert np.isfinite(percentile_limits(holes, 0.9)).all()
    assert np.isnan(percentile_limits(holes, 0.9, 50.5)[:, 1]).all()


def test_failed_fits_count_out():
    """Limits, errors and p-values are of the draws that there are; of fewer than half, none."""
    estimates = np.random.default_rng(2).standard_normal((99, 3))
    F = np.arange(99.0)[:, None] + np.zeros(2)
    estimates[:40, 1], estimates[:60, 2], F[:9, 0], F[:60, 1] = np.nan, np.nan, np.nan, np.nan
    shapes = (2,), (2, 3), (2,), (3, 0)
    found = Bootstrap(*(np.full((1, 1, *rest), np.nan) for rest in shapes))
    bootstrap_fits._summarize(estimates, F, np.array([50.0, 50.0]), 0.9, found, (0, 0))
    ordered = np.sort(estimates[40:, 1])
    assert found.limits[0, 0, :, 1] == pytest.approx([ordered[2], ordered[56]])
    assert np.isnan(found.limits[0, 0, :, 2]).all()
    assert found.se[0, 0, 1] == pytest.approx(estimates[40:, 1].std(ddof=1))
    assert found.p_value[0, 0, 0] == (1 + 49) / (1 + 90)
    assert np.isnan(found.p_value[0, 0, 1])


def test_what_is_asked_for_is_in_the_definition():
    study = study_of()
    assert all(model.definition()["bootstrap"] == 39 for model in study.models)
    text = STUDY % {"x": GRID, "replicates": 1, "draws": 39, "seed": 3}
    silent = hlm.Study.from_text(text.replace("  bootstrap: 39\n", ""))
    assert {model.bootstrap for model in silent.models} == {199}
    none = text.replace("  bootstrap: 39\n", "").replace(", bootstrap]", "]")
    assert all("bootstrap" not in m.definition() for m in hlm.Study.from_text(none).models)


@pytest.mark.slow
def test_coverage():
    """Of the mean of 10 units: percentiles by the normal with the fit's se cover as z does."""
    study = hlm.Study.from_text(
        ONE_WAY.replace("replicates: 5", "replicates: 4000").replace("4999", "399")
    )
    terms = as_frame(batch(study)["estimates"])
    own = terms[(terms["term"] == "(Intercept)") & (terms["inference"] == "bootstrap")]
    covered = ((own["lower"] < 0.3) & (own["upper"] > 0.3)).mean()
    # t of 9 df within 1.96, less what 399 draws leave
    expected = 2 * stats.t.cdf(stats.norm.ppf(0.975), 9) - 1
    assert abs(covered - expected) < 4 * np.sqrt(0.05 * 0.95 / 4000) + 0.005
