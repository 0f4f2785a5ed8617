"""Closed forms against simulated data sets and their fits, and what has none.

Fixed seeds; four Monte Carlo standard errors are allowed, and that of the drawn designs.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from hlm.closed_forms import NoClosedForm, closed_form, effect_for_power, units_for_power
from hlm.distributions import Balanced, Binary, Points, StudentT
from hlm.errors import InputError
from hlm.fits import fit_batch
from hlm.rows.missing import Logistic, Missing, Weibull
from hlm.rows.residual import AutoRegressive
from hlm.rows.sizes import Clustered
from hlm.scenario import Covariate, Expression, Model, RatioTest, Scenario
from hlm.simulate import simulate

N = 4000
"""Data sets of each study."""

SLOPES = "y ~ x * a + (1 + x | unit)"
FIXED = (("(Intercept)", 1.0), ("x", 0.4), ("a", 0.5), ("x:a", -0.3))
TIMES = Covariate("x", "row", Points((-2.0, -1.0, 0.0, 1.0, 2.0)))
MORE_TIMES = Covariate("x", "row", Points(tuple(np.linspace(-2.0, 2.0, 10))))
DRAWN = Covariate("x", "row")
TOTAL = Expression("total", (("term", "x"), ("term", "x:a"), ("apply", "+")))
MODEL = Model(
    "m",
    SLOPES,
    methods=("reml",),
    df=("satterthwaite", "kenward-roger", "residual"),
    tests=(("arm", ("a", "x:a")),),
    expressions=(TOTAL,),
)


def arms(*values, units=24):
    return Covariate("a", "unit", Points(values * (units // len(values))))


def scenario(x=TIMES, a=None, *, units=24, rows=5, sd=(0.8, 0.8), **options):
    covariates = (a or arms(0.0, 1.0, units=units), x)
    cor = ((1.0, 0.2), (0.2, 1.0))
    return Scenario("2" * 16, units, rows, covariates, SLOPES, FIXED, sd, cor, 0.7, **options)


STUDIES = {
    "balanced": scenario(sd=(1.2, 1.0)),
    "unequal sizes": scenario(MORE_TIMES, rows=(3, 5, 10, 5, 3, 10) * 4, sd=(1.2, 1.0)),
    "all drawn": scenario(DRAWN, Covariate("a", "unit")),
    "sizes drawn": scenario(DRAWN, rows=Clustered(8.0, 0.5)),
    "dropout": scenario(rows=5, missing=Missing(rows=0.1, dropout=Weibull(0.3, 1.0))),
}


@cache
def simulated(name):
    """Return p-values by term and inference, and the widths of intervals."""
    truth = STUDIES[name]
    tables = fit_batch(truth, [MODEL], simulate(truth, [MODEL], 7, 0, N))
    rows = {key: as_list(values) for key, values in tables["estimates"].items()}
    rejected, width = {}, {}
    for term, inference, low, high in zip(
        rows["term"], rows["inference"], rows["lower"], rows["upper"], strict=True
    ):
        rejected.setdefault((term, inference), []).append(not low <= 0.0 <= high)
        width.setdefault((term, inference), []).append(high - low)
    rows = {key: as_list(values) for key, values in tables["tests"].items()}
    for term, inference, p in zip(rows["test"], rows["inference"], rows["p_value"], strict=True):
        rejected.setdefault((f"F({term})", inference), []).append(p < 0.05)
    return rejected, width


def as_list(values):
    return values.to_pylist() if hasattr(values, "to_pylist") else np.asarray(values).tolist()


@pytest.mark.parametrize("inference", MODEL.df)
@pytest.mark.parametrize("term", ["a", "x:a", "total", "F(arm)"])
@pytest.mark.parametrize("name", STUDIES)
def test_power_is_that_of_simulated_fits(name, term, inference):
    found = closed_form(STUDIES[name], MODEL, term, inference=inference)
    rejected, width = simulated(name)
    share = np.mean(rejected[term, inference])
    mcse = np.hypot(np.sqrt(found.power * (1 - found.power) / N), found.error)
    assert abs(share - found.power) < 4 * mcse
    if term != "F(arm)":
        widths = width[term, inference]
        assert np.mean(widths) == pytest.approx(found.width, rel=0.02)


def test_singular_fits_are_said_and_are_at_least_so_many():
    """In the balanced study hardly any is; with small sds in 8 units every third or more."""
    exact = closed_form(STUDIES["balanced"], MODEL, "a")
    assert exact.exact
    assert exact.reason == "exact: the design is balanced, so that t has 22 degrees of freedom"
    truth = scenario(units=8, sd=(0.5, 0.3))
    found = closed_form(truth, MODEL, "a")
    assert not found.exact
    least = float(found.reason.partition("but ")[2].partition(" %")[0]) / 100
    drawn = simulate(truth, [MODEL], 7, 0, N)
    share = np.mean(fit_batch(truth, [MODEL], drawn)["fits"]["singular"])
    assert 0.1 < least < share < 4 * least


def test_the_share_of_singular_fits_of_random_intercepts():
    """It is not a bound then, but that of negative estimates of variance: an F of two strata."""
    formula = "y ~ a + (1 | unit)"
    truth = replace(
        scenario(units=12), formula=formula, fixed=FIXED[:1] + FIXED[2:3], sd=(0.3,), cor=((1.0,),)
    )
    model = Model("m", formula, methods=("reml",))
    found = closed_form(truth, model, "a")
    expected = stats.f.cdf(0.49 / (0.49 + 5 * 0.09), 10, 48)
    assert f"{100 * expected:.2g} % of fits" in found.reason
    share = np.mean(
        fit_batch(truth, [model], simulate(truth, [model], 7, 0, N))["fits"]["singular"]
    )
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / N)


def test_arms_allotted_at_random_are_one_design():
    """Which units are treated is random, and how many are not; so nothing is averaged."""
    allotted = Covariate("a", "unit", Balanced.of((0.0, 1.0)))
    found = closed_form(scenario(a=allotted, sd=(1.2, 1.0)), MODEL, "a")
    assert found.power == pytest.approx(
        closed_form(STUDIES["balanced"], MODEL, "a").power, rel=1e-12
    )
    assert found.exact
    assert found.error == 0.0


def test_without_an_effect_designs_that_differ_are_still_said():
    null = replace(STUDIES["all drawn"], fixed=tuple((name, 0.0) for name, _ in FIXED))
    found = closed_form(null, MODEL, "a")
    assert found.power == pytest.approx(0.05, abs=1e-12)
    assert not found.exact
    assert "the design differs between data sets" in found.reason


def test_designs_do_not_depend_on_the_key():
    """So a power is a smooth function of a scenario's values."""
    found = closed_form(STUDIES["all drawn"], MODEL, "a")
    again = closed_form(replace(STUDIES["all drawn"], key="3" * 16), MODEL, "a")
    assert found == again


BY_Y = Missing(logistic=Logistic(-1.0, (("y", 0.5),)))
WITH_LRT = replace(MODEL, lrt=(RatioTest("slopes", (0, 1, 2, 3), ((0,),)),))


@pytest.mark.parametrize(
    ("truth", "model", "term", "reason"),
    [
        (scenario(effects=StudentT(5.0)), MODEL, "a", "random effects of the truth are not normal"),
        (scenario(residuals=StudentT(5.0)), MODEL, "a", "residuals are not normal"),
        (scenario(missing=BY_Y), MODEL, "a", "missing depends on the response"),
        (
            scenario(autocorrelation=AutoRegressive(0.3)),
            MODEL,
            "a",
            "the model lacks the correlation of residuals",
        ),
        (scenario(), replace(MODEL, formula="y ~ x + (1 + x | unit)", tests=(), expressions=()),
         "x", "the model lacks a and x:a"),
        (scenario(), replace(MODEL, formula="y ~ x * a + (1 | unit)"), "a",
         "the model lacks sd_x|unit"),
        (scenario(), replace(MODEL, formula="y ~ x * a + (1 + x || unit)"), "a",
         "the model lacks cor_x.(Intercept)|unit"),
        (scenario(), MODEL, "sd_x|unit", "neither a t nor an F test"),
        (scenario(), WITH_LRT, "LRT(slopes)", "neither a t nor an F test"),
        (scenario(rows=1, x=Covariate("x", "row")), MODEL, "a", "does not determine the variances"),
        (scenario(a=arms(1.0)), MODEL, "a", "does not determine the coefficients"),
        (scenario(a=Covariate("a", "unit", Binary(0.5)), units=6), MODEL, "a",
         "not every design that is drawn determines the coefficients"),
    ],
)  # fmt: skip
def test_what_has_no_closed_form_says_why(truth, model, term, reason):
    for found in (
        closed_form(truth, model, term),
        units_for_power(truth, model, term, 0.8),
        effect_for_power(truth, model, term, 0.8),
    ):
        assert isinstance(found, NoClosedForm)
        assert reason in found.reason


@pytest.mark.parametrize("inference", ["cr2", "bootstrap", "profile"])
def test_inferences_that_have_none(inference):
    found = closed_form(scenario(), MODEL, "a", inference=inference)
    assert found == NoClosedForm(f"there is none for the inference '{inference}'")


def test_ml_has_none():
    assert isinstance(closed_form(scenario(), MODEL, "a", method="ml"), NoClosedForm)


def test_a_term_that_is_in_no_model():
    with pytest.raises(InputError, match=r"has no term 'x:b'[\s\S]*did you mean 'x:a'"):
        closed_form(scenario(), MODEL, "x:b")


def test_what_no_number_of_units_reaches():
    truth = replace(scenario(), fixed=(*FIXED[:2], ("a", 0.0), FIXED[3]))
    found = units_for_power(truth, MODEL, "a", 0.8)
    assert isinstance(found, NoClosedForm)
    assert found.reason.startswith("no number of units has a power of 0.8: it is 0.05 of ")
    few = units_for_power(scenario(), MODEL, "a", 0.8, most=50)
    assert isinstance(few, NoClosedForm)
    assert few.reason.endswith("of 50")
    assert isinstance(units_for_power(scenario(), MODEL, "F(arm)", 0.8), float)
    assert isinstance(effect_for_power(scenario(), MODEL, "a", 0.04), NoClosedForm)
    assert isinstance(effect_for_power(scenario(), MODEL, "F(arm)", 0.8), NoClosedForm)
