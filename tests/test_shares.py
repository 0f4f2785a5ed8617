"""Covariance, conditional ICC, reliability and R2: from rows, from `implied`, by differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hlm import lmer
from hlm.datasets import load_sleepstudy
from hlm.distributions import Normal
from hlm.errors import InputError
from hlm.estimands.implied import implied
from hlm.estimands.kinds import FURTHER
from hlm.estimands.model_estimands import further_of, rows_of
from hlm.estimands.parameters import Parameters
from hlm.estimands.population import of_design, of_rows
from hlm.estimands.true_values import targets
from hlm.formula import terms_of
from hlm.scenario import Covariate, Model, Scenario
from tests.inference.studies import fitted

FORMULA = "y ~ x * a + (1 + x | unit)"
SHARES = ("conditional_icc", "reliability", "r2")


def truth(**others):
    covariates = (
        Covariate("x", "row", Normal(1.0, 2.0)),
        Covariate("a", "unit", Normal(-0.5, 0.7)),
    )
    fixed = (("(Intercept)", 1.0), ("x", 0.3), ("a", 0.4), ("x:a", -0.2))
    cor = ((1.0, 0.3), (0.3, 1.0))
    whole = Scenario("0" * 16, 20, 8, covariates, FORMULA, fixed, (0.6, 0.25), cor, 1.1)
    return replace(whole, **others)


def true_values(scenario, formula=FORMULA, kinds=tuple(FURTHER)):
    found = targets(scenario, Model("m", formula, estimands=kinds))
    return {target.term: target for target in found}


def test_at_the_truth_they_are_what_the_truth_implies():
    found, whole = true_values(truth()), implied(truth())
    assert found["r2_rows"].true == pytest.approx(whole.r2_rows, rel=1e-12)
    assert found["r2_units"].true == pytest.approx(whole.r2_units, rel=1e-12)
    fixed = whole.fixed_rows + whole.fixed_units
    random = whole.slopes + whole.units
    assert found["r2_marginal"].true == pytest.approx(fixed / whole.total, rel=1e-12)
    assert found["r2_conditional"].true == pytest.approx(1 - whole.residual / whole.total)
    assert found["conditional_icc_unit"].true == pytest.approx(random / whole.total, rel=1e-12)
    assert found["cov_x.(Intercept)|unit"].true == pytest.approx(0.3 * 0.6 * 0.25)


def test_the_reliability_of_means_and_slopes_is_that_of_raudenbush_and_bryk():
    """Equations 3.58 and 3.53: with an intercept (Z'Z)^-1 of the slope is 1 / (n var x)."""
    found, random = true_values(truth()), 0.6**2 + 0.25**2 + 2 * 0.3 * 0.6 * 0.25
    error = 1.1**2 / 8
    assert found["reliability_unit"].true == pytest.approx(random / (random + error))
    slope = 0.25**2 / (0.25**2 + error / 2.0**2)
    assert found["reliability_x|unit"].true == pytest.approx(slope)
    plain = true_values(truth(n_rows=(4, 16) * 10), "y ~ 1 + (1 | unit)")["reliability_unit"]
    assert np.isnan(plain.true)
    assert "lacks x, a, x:a" in plain.reason


def test_units_of_all_sizes_count():
    scenario = Scenario("0" * 16, 3, (2, 2, 8), (), "y ~ 1 + (1 | unit)", (("(Intercept)", 0.0),),
                        (1.0,), ((1.0,),), 2.0)  # fmt: skip
    found = true_values(scenario, "y ~ 1 + (1 | unit)")["reliability_unit"].true
    assert found == pytest.approx((2 / (1 + 4 / 2) + 1 / (1 + 4 / 8)) / 3)


def test_a_model_that_lacks_something_has_no_true_share_and_says_why():
    found = true_values(truth(), "y ~ x + a + (1 + x | unit)", SHARES)
    assert all(np.isnan(found[name].true) for name in ("r2_rows", "conditional_icc_unit"))
    assert found["r2_rows"].reason == "the model lacks x:a, and variance with it"


@pytest.mark.parametrize("formula", [FORMULA, "y ~ x * a + (1 + x || unit)", "y ~ x + (1 | unit)"])
def test_gradients_of_all_kinds_are_differences(formula):
    scenario, model = truth(), Model("m", formula)
    terms, moments = terms_of(model), of_design(truth(), model)
    p, elements = len(terms.fixed), terms.elements
    beta, rng = np.array([1.0, 0.3, 0.4, -0.2])[:p], np.random.default_rng(1)
    values = [{(0, 0): 0.4, (1, 1): 0.1}.get(pair, 0.05) for pair in elements]
    at = np.array([*beta, *values, 1.3]) * rng.uniform(0.9, 1.1, p + len(values) + 1)

    def parameters(point):
        q = len(terms.effects)
        psi = np.zeros((q, q))
        for (a, b), value in zip(elements, point[p:-1], strict=True):
            psi[a, b] = psi[b, a] = value
        sigma = np.array(np.sqrt(point[-1]))
        return Parameters.of_covariance(point[:p], psi, sigma)._replace(population=moments)

    for one in further_of(terms, tuple(FURTHER)):
        gradient = one.gradient(parameters(at))
        for k, step in enumerate(np.diag(1e-6 * np.maximum(1.0, np.abs(at)))):
            change = one.value(parameters(at + step)) - one.value(parameters(at - step))
            expected = change / (2 * step[k])
            assert gradient[k] == pytest.approx(float(expected), rel=1e-6, abs=1e-8), one.name
    assert scenario.sigma == 1.1


def test_of_a_data_set_they_are_sums_over_its_rows():
    """As MuMIn, performance and Johnson (2014) have them; reliabilities unit by unit."""
    data = load_sleepstudy().iloc[:-7]
    fit = lmer("Reaction ~ Days + (1 + Days | Subject)", data)
    table = fit.estimands(["covariance", *SHARES]).set_index("term").estimate
    days = data["Days"].to_numpy(dtype=float)
    Z = np.column_stack([np.ones(len(days)), days])
    fixed = np.var(Z @ fit.beta, ddof=1)
    random = np.mean(np.einsum("ia,ab,ib->i", Z, fit.psi, Z))
    total = fixed + random + fit.sigma**2
    assert table["r2_marginal"] == pytest.approx(fixed / total, rel=1e-12)
    assert table["r2_conditional"] == pytest.approx((fixed + random) / total, rel=1e-12)
    assert table["conditional_icc_Subject"] == pytest.approx(random / total, rel=1e-12)
    assert table["cov_Days.(Intercept)|Subject"] == pytest.approx(fit.psi[1, 0], rel=1e-12)
    of_means, of_slopes, between, within = [], [], 0.0, 0.0
    for _, unit in data.groupby("Subject"):
        own = np.column_stack([np.ones(len(unit)), unit["Days"]])
        mean = own.mean(axis=0)
        signal = mean @ fit.psi @ mean
        of_means.append(signal / (signal + fit.sigma**2 / len(unit)))
        error = fit.sigma**2 * np.linalg.inv(own.T @ own)[1, 1]
        of_slopes.append(fit.psi[1, 1] / (fit.psi[1, 1] + error))
        between += len(unit) * (mean @ fit.psi @ mean) / len(data)
        within += np.sum(((own - mean) @ fit.psi) * (own - mean)) / len(data)
    assert table["reliability_Subject"] == pytest.approx(np.mean(of_means), rel=1e-12)
    assert table["reliability_Days|Subject"] == pytest.approx(np.mean(of_slopes), rel=1e-12)
    means = data.groupby("Subject")["Days"].transform("mean")
    rows = fit.beta[1] ** 2 * np.sum((days - means) ** 2) / (len(data) - 1)
    units = fit.beta[1] ** 2 * np.sum((means - days.mean()) ** 2) / (len(data) - 1)
    assert table["r2_rows"] == pytest.approx(rows / (rows + within + fit.sigma**2), rel=1e-12)
    assert table["r2_units"] == pytest.approx(units / (units + between), rel=1e-12)


def test_a_unit_with_too_few_rows_has_no_reliability_of_its_slope():
    Z = np.column_stack([np.ones(5), [0.0, 0.0, 1.0, 2.0, 4.0]])
    moments = of_rows(Z, Z, np.array([0, 0, 1, 1, 1]))
    assert np.isnan(moments.errors[0]).all()
    assert np.isfinite(moments.errors[1]).all()


def test_shares_of_rows_with_weights_are_refused():
    data = pd.DataFrame({"y": np.arange(12.0) % 5, "u": np.arange(12) // 3})
    fit = lmer("y ~ 1 + (1 | u)", data, weights=np.arange(1.0, 13.0))
    with pytest.raises(InputError, match="weights"):
        fit.estimands(["r2"])


def test_names_and_words():
    words = {one.name: one.words for one in rows_of(Model("m", FORMULA, estimands=SHARES))[8:]}
    assert words == {
        "conditional_icc_unit": "conditional ICC",
        "reliability_unit": "reliability of means",
        "reliability_x|unit": "reliability x",
        "r2_rows": "R2 within units",
        "r2_units": "R2 between units",
        "r2_marginal": "marginal R2",
        "r2_conditional": "conditional R2",
    }


def test_errors_and_coverage_in_many_units():
    """150 units of 8 rows, 1000 data sets: 4 MCSE, and 0.02 and 0.01 for the asymptotics."""
    n = 1000
    scenario = truth(n_units=150)
    model = Model("m", FORMULA, methods=("reml",), estimands=("covariance", *SHARES))
    true, rows = true_values(scenario), fitted(scenario, model, n)[0]
    names = [one.name for one in rows_of(model)[8:]]
    assert len(names) == 8
    for name in names:
        own, value = rows[rows["term"] == name], true[name].true
        ratio = own["se"].mean() / own["estimate"].std()
        assert ratio == pytest.approx(1.0, abs=4 / np.sqrt(2 * n) + 0.02), name
        covers = ((own["lower"] <= value) & (own["upper"] >= value)).mean()
        assert covers == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / n) + 0.01), name
