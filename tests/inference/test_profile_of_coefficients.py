"""Profile limits of coefficients in studies, and where their models have one coefficient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2

import hlm
from hlm.distributions import Normal, Points
from hlm.fits import fit_batch
from hlm.scenario import Covariate, Model
from hlm.simulate import draw_rows, simulate

from .data import frame
from .studies import SEED, SLOPES, as_frame, scenario

STOP = 3
X = {
    "drawn": Covariate("x", "row"),
    "far": Covariate("x", "row", Normal(50.0, 1.0)),
    "shared": Covariate("x", "row", Points((-2.0, -1.0, 0.0, 1.0, 2.0))),
}


def estimates_of(truth, model, stop=STOP):
    found = fit_batch(truth, [model], simulate(truth, [model], SEED, 0, stop))
    return as_frame(found["estimates"])


@pytest.mark.parametrize("methods", [("reml", "ml"), ("reml",)], ids="+".join)
@pytest.mark.parametrize("formula", [SLOPES, "y ~ x + (1 | unit)"])
@pytest.mark.parametrize("design", X)
def test_limits_of_a_batch_are_those_of_single_fits(design, formula, methods):
    """Of a model that lacks part of the truth too; by ML whatever the method."""
    truth = scenario(X[design])
    found = estimates_of(truth, Model("m", formula, methods, df=("profile",)))
    for replicate in range(STOP):
        rows = draw_rows(truth, SEED, replicate)
        for method in methods:
            fit = hlm.lmer(formula, rows, method == "reml")
            theirs = fit.confint("profile").loc[list(fit.coef_names)]
            own = found[(found["replicate"] == replicate) & (found["method"] == method)]
            own = own[own["inference"] == "profile"].set_index("term")
            assert list(own.index) == list(fit.coef_names)
            off = (own[["lower", "upper"]] - theirs).abs().div(fit.se, axis=0)
            assert off.to_numpy().max() < 1e-6
            assert_allclose(own["se"], fit.se, rtol=1e-6)
            assert own["df"].isna().all()


def test_other_numbers_are_the_same_beside_them():
    """Side by side with other inferences of both parts; F tests by those that have df."""
    truth = scenario(X["far"])
    alone = Model("m", SLOPES, limits=("wald", "profile"), tests=(("t", ("x", "x:a")),))
    both = replace(alone, df=("satterthwaite", "profile"))
    tables = [fit_batch(truth, [m], simulate(truth, [m], SEED, 0, STOP)) for m in (alone, both)]
    whole = as_frame(tables[1]["estimates"])
    of_coefficients = whole["term"].isin(["(Intercept)", "x", "a", "x:a"])
    added = of_coefficients & (whole["inference"] == "profile")
    assert added.sum() == STOP * 2 * 4
    assert whole[~added].reset_index(drop=True).equals(as_frame(tables[0]["estimates"]))
    for kind in ("fits", "tests"):
        assert as_frame(tables[1][kind]).equals(as_frame(tables[0][kind]))


def test_limits_where_one_coefficient_is_all():
    """In closed form without a variance between units: n log(1 + d^2 / (n s^2)) = z^2."""
    data = frame("sim_unbalanced")
    data = data.assign(y=data["y"] - data.groupby("unit")["y"].transform("mean"))
    fit = hlm.lmer("y ~ 1 + (1 | unit)", data, reml=False)
    assert fit.singular
    n, s2 = len(data), data["y"].var(ddof=0)
    half = np.sqrt(s2 * np.expm1(chi2.isf(0.05, 1) / n))
    limits = fit.confint("profile").loc["(Intercept)"]
    assert limits["upper"] - fit.beta[0] <= half * 1.5
    assert limits["upper"] - fit.beta[0] == pytest.approx(fit.beta[0] - limits["lower"], rel=1e-6)
    assert limits["upper"] - fit.beta[0] == pytest.approx(half, rel=1e-6)


STUDY = """
name: profiled
seed: 3
replicates: 10
truth:
  formula: y ~ x + (1 | unit)
  fixed: {(Intercept): 1, x: 0.3}
  random: {unit: {sd: {(Intercept): 0.5}}}
  residual: {sd: 1}
design: {units: 10, rows: 5, covariates: {x: {level: row, distribution: normal}}}
models: {m: y ~ x + (1 | unit)}
estimation: ESTIMATION
"""


def test_a_study_asks_for_them_in_df():
    text = STUDY.replace("ESTIMATION", "{df: [infinite, profile], limits: profile}")
    (model,) = hlm.Study.from_text(text).models
    assert model.df == ("infinite", "profile")
    with pytest.raises(hlm.InputError, match="no degrees of freedom for F tests"):
        hlm.Study.from_text(STUDY.replace("ESTIMATION", "{df: profile, tests: {t: [x]}}"))


def test_they_cover_as_they_should_where_the_normal_does_not():
    """Six units: the coverage of a unit-level coefficient is above that of z; 3 standard errors."""
    n = 600
    truth = scenario(X["shared"], units=6, sd=(0.6, 0.3))
    found = estimates_of(truth, Model("m", SLOPES, ("ml",), df=("infinite", "profile")), n)
    found = found[found["term"] == "a"]
    hit = (found["lower"] <= -0.15) & (found["upper"] >= -0.15)
    z, profile = (hit[found["inference"] == name].to_numpy() for name in ("infinite", "profile"))
    gain = profile.astype(float) - z
    assert gain.mean() > 3 * gain.std() / np.sqrt(n)
    assert profile.mean() < 0.95
