"""What only data frames can ask for, against lme4: lme4.json, made by lme4.R."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hlm import lmer

from .frames import FRAMES, machines, made

FITS = json.loads(Path(__file__).with_name("lme4.json").read_text())
IDS = [f"{fit['name']}-{'reml' if fit['reml'] else 'ml'}" for fit in FITS]

# lme4 takes the badly scaled model for one without random slopes.
LME4_FAILED = ("scales",)
# An intercept and all levels of a factor have no unique variances.
NO_UNIQUE_VARIANCES = ("factor_double_bar",)


def _fit(reference):
    weights = {"weights": reference["weights"]} if reference["weights"] else {}
    data = FRAMES[reference["frame"]]()
    return data, lmer(reference["formula"], data, reml=reference["reml"], **weights)


@pytest.mark.parametrize("reference", FITS, ids=IDS)
def test_fit(reference):
    _, fit = _fit(reference)
    unique = reference["name"] not in NO_UNIQUE_VARIANCES
    assert fit.status == ("ok" if unique else "partly_identified")
    assert fit.criterion <= reference["criterion"] + 1e-7
    assert list(fit.coef_names) == reference["coef_names"]
    assert list(fit.frame.dropped) == reference["dropped"]
    assert fit.nobs == reference["nobs"]
    if reference["name"] in LME4_FAILED:
        return
    for name in ("criterion", "aic", "bic"):
        assert getattr(fit, name) == pytest.approx(reference[name], abs=1e-7), name
    assert fit.deviance == pytest.approx(reference["deviance"], abs=2e-5)
    se = np.array(reference["se"])
    assert fit.beta == pytest.approx(np.array(reference["beta"]), abs=1e-5 * se.min())
    assert fit.se == pytest.approx(se, rel=1e-5)
    assert fit.sigma == pytest.approx(reference["sigma"], rel=1e-5)
    if unique:
        estimates = fit.tidy()["estimate"][len(fit.beta) :].to_numpy()
        assert estimates == pytest.approx(np.array(reference["sdcor"]), abs=1e-5)


@pytest.mark.parametrize("reference", FITS, ids=IDS)
def test_rows(reference):
    if reference["name"] in LME4_FAILED:
        pytest.skip("lme4 itself fails")
    data, fit = _fit(reference)
    some = data.iloc[reference["rows"]]
    group = fit.frame.formula.random[0].group
    assert fit.fitted()[:6] == pytest.approx(np.array(reference["fitted"]), abs=1e-5)
    assert fit.residuals()[:6] == pytest.approx(np.array(reference["residuals"]), abs=1e-5)
    assert fit.predict(some) == pytest.approx(np.array(reference["predicted"]), abs=1e-5)
    without = fit.predict(some.drop(columns=group), new_units="population")
    assert without == pytest.approx(np.array(reference["population"]), abs=1e-5)


@pytest.mark.parametrize("reml", [True, False])
def test_scale_of_columns_does_not_matter(reml):
    """Columns of 1e-8 and 1e8 times their size: the same fit in other units."""
    plain = lmer("y ~ x + a + (1 + x | unit)", made(), reml=reml)
    scaled = lmer("y ~ small + large + (1 + small | unit)", made(), reml=reml)
    assert scaled.criterion == pytest.approx(plain.criterion, abs=1e-9)
    assert scaled.deviance == pytest.approx(plain.deviance, abs=1e-9)
    factor = np.array([1.0, 1e8, 1e-8])
    assert scaled.beta == pytest.approx(plain.beta * factor, rel=1e-9)
    assert scaled.se == pytest.approx(plain.se * factor, rel=1e-9)
    assert scaled.df() == pytest.approx(plain.df(), rel=1e-7)
    units = np.array([1.0, 1.0, 1e8, 1.0])
    ours, theirs = (f.tidy()["estimate"][3:].to_numpy() for f in (scaled, plain))
    assert ours == pytest.approx(theirs * units, rel=1e-7)
    assert scaled.fitted() == pytest.approx(plain.fitted(), abs=1e-9)


@pytest.mark.parametrize("reml", [True, False])
def test_mean_of_a_column_does_not_matter(reml):
    """Years about 2000: the same fit, but that the intercept is elsewhere."""
    near = lmer("y ~ since + x + (1 + since | unit)", made(), reml=reml)
    far = lmer("y ~ year + x + (1 + year | unit)", made(), reml=reml)
    assert far.criterion == pytest.approx(near.criterion, abs=1e-8)
    assert far.beta[1:] == pytest.approx(near.beta[1:], rel=1e-9)
    assert far.se[1:] == pytest.approx(near.se[1:], rel=1e-9)
    assert far.beta[0] == pytest.approx(near.beta[0] - 2000 * near.beta[1], rel=1e-9)
    shift = np.array([[1.0, -2000.0], [0.0, 1.0]])
    assert far.psi == pytest.approx(shift @ near.psi @ shift.T, rel=1e-6)
    assert far.fitted() == pytest.approx(near.fitted(), abs=1e-8)
    assert far.cond_var()[:, 1, 1] == pytest.approx(near.cond_var()[:, 1, 1], abs=1e-9)


def test_response_in_other_units():
    """A hundred million plus a thousandth of y keeps five digits of it."""
    plain = lmer("y ~ x + (1 + x | unit)", made())
    moved = lmer("y ~ x + (1 + x | unit)", made().assign(y=lambda d: 1e8 + 1e-3 * d["y"]))
    assert moved.status == "ok"
    assert moved.beta[1] == pytest.approx(1e-3 * plain.beta[1], rel=1e-4)
    assert moved.sigma == pytest.approx(1e-3 * plain.sigma, rel=1e-4)


def test_three_effects_are_those_that_nlme_published():
    """Pinheiro & Bates (2000), Machines: log-likelihood, sds, correlations, standard errors."""
    fit = lmer("score ~ Machine + (0 + Machine | Worker)", machines())
    assert round(fit.loglik, 2) == -104.16
    table = fit.tidy().set_index("term")["estimate"]
    sds = [table[f"sd_Machine{m}|Worker"] for m in "ABC"]
    assert sds == pytest.approx([4.07928, 8.62529, 4.38948], abs=1e-5)
    pairs = ("B.MachineA", "C.MachineA", "C.MachineB")
    correlations = [table[f"cor_Machine{pair}|Worker"] for pair in pairs]
    assert correlations == pytest.approx([0.803, 0.623, 0.771], abs=5e-4)
    assert fit.se == pytest.approx([1.6807, 2.4209, 1.5401], abs=1e-4)


def test_names_of_terms():
    fit = lmer("score ~ Machine + (Machine | Worker)", machines())
    sd, cor = "sd_{}|Worker".format, "cor_{}|Worker".format
    assert fit.terms == [
        *("(Intercept)", "MachineB", "MachineC"),
        *(sd("(Intercept)"), cor("MachineB.(Intercept)"), cor("MachineC.(Intercept)")),
        *(sd("MachineB"), cor("MachineC.MachineB"), sd("MachineC"), "sigma"),
    ]
    fit = lmer("score ~ Machine + (1 + Machine || Worker)", machines())
    assert fit.terms[3:5] == [sd("(Intercept)"), sd("MachineA")]
    assert fit.frame.blocks == (1, 3)


def test_weights_as_numbers_and_by_name():
    data = made()
    named = lmer("y ~ x + (1 | unit)", data, weights="w")
    given = lmer("y ~ x + (1 | unit)", data, weights=data["w"].to_numpy())
    assert named.criterion == given.criterion
    doubled = lmer("y ~ x + (1 | unit)", data, weights=2.0 * data["w"])
    assert doubled.beta == pytest.approx(named.beta, rel=1e-9)
    assert doubled.criterion == pytest.approx(named.criterion, abs=1e-8)
    assert doubled.sigma == pytest.approx(np.sqrt(2.0) * named.sigma, rel=1e-8)
