"""The worked examples of docs/extending.md: what is added there works through the whole path."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import hlm
from hlm.datasets import load_sleepstudy
from hlm.distributions import FAMILIES, SHAPES
from hlm.estimands.kinds import FURTHER, KINDS
from hlm.fits import fit_batch
from hlm.inference.registry import COEFFICIENTS
from hlm.results import ESTIMATES, to_table
from hlm.scenario import Covariate
from hlm.simulate import draw, draw_rows, simulate

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
LISTS = (KINDS, FURTHER, COEFFICIENTS, FAMILIES, SHAPES)


@pytest.fixture(scope="module")
def page():
    """The names that the page defines; the lists are as they were afterwards."""
    before = [dict(one) for one in LISTS]
    names = {"__name__": "extending"}
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    try:
        for part in code:
            exec(compile(part, str(PAGE), "exec"), names)
        yield names
    finally:
        for one, old in zip(LISTS, before, strict=True):
            one.clear()
            one.update(old)


def estimates_of(study):
    scenario = study.scenarios[0]
    drawn = simulate(scenario, study.models, study.seed, 0, study.replicates)
    return to_table(fit_batch(scenario, study.models, drawn)["estimates"], ESTIMATES).to_pandas()


@pytest.mark.usefixtures("page")
def test_the_gradient_of_the_estimand_is_that_of_its_value():
    """By central differences of theta^2 in the variances; its se by the delta method alone."""
    fit = hlm.lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy())
    table = fit.estimands(["relative_variance"]).set_index("term")
    covariance = fit.vcov_random().to_numpy()
    for place, effect in ((0, "(Intercept)"), (2, "Days")):
        psi = fit.psi[place // 2, place // 2]
        gradient = np.zeros(len(covariance))
        gradient[place], gradient[-1] = 1 / fit.sigma**2, -psi / fit.sigma**4
        row = table.loc[f"relvar_{effect}|Subject"]
        assert row["estimate"] == pytest.approx(psi / fit.sigma**2, rel=1e-10)
        assert row["se"] == pytest.approx(np.sqrt(gradient @ covariance @ gradient), rel=1e-6)
        assert row["lower"] < row["estimate"] < row["upper"]


def test_the_estimand_is_in_a_study_with_its_true_value(page):
    study = hlm.Study.from_text(
        page["TRIAL"].replace("df: [clusters, infinite]", "estimands: [relative_variance]")
    )
    rows = estimates_of(study)
    own = rows[rows["term"] == "relvar_(Intercept)|cluster"]
    parts = rows.pivot_table(
        index="replicate", columns="term", values="estimate", observed=True, aggfunc="first"
    )
    expected = (parts["sd_(Intercept)|cluster"] / parts["sigma"]) ** 2
    assert len(own) == study.replicates
    np.testing.assert_allclose(own["estimate"], expected, rtol=1e-12)


def test_the_inference_has_its_own_degrees_of_freedom_beside_the_other(page):
    arm = page["arm"].set_index(["inference", "replicate"])
    t, z = arm.loc["clusters"], arm.loc["infinite"]
    assert (t["estimate"] == z["estimate"]).all()
    half = (t["upper"] - t["lower"]) / 2
    np.testing.assert_allclose(half, stats.t.ppf(0.975, 4) * t["se"], rtol=1e-9)
    assert t["rejected"].mean() < z["rejected"].mean()


def test_the_distribution_is_that_of_scipy(page):
    logistic, p = page["Logistic"](), np.linspace(0.01, 0.99, 99)
    own = stats.logistic(scale=np.sqrt(3) / np.pi)
    np.testing.assert_allclose(logistic.quantile(p), own.ppf(p), rtol=1e-12, atol=1e-15)
    mean, variance, skewness, excess = own.stats("mvsk")
    assert (logistic.mean, logistic.skewness) == (mean, skewness)
    assert (logistic.variance, logistic.kurtosis) == pytest.approx((variance, excess + 3))
    drawn = logistic.draw(np.random.default_rng(1), (20_000,))
    assert stats.kstest(drawn, own.cdf).pvalue > 1e-4


def test_a_copula_of_the_distribution_has_its_correlation(page):
    """And keeps its shape, by the quantile alone."""
    (plain,) = hlm.Study.from_text(page["TRIAL"]).scenarios
    scenario = replace(
        plain,
        formula="y ~ arm + (arm | cluster)",
        n_units=20_000,
        n_rows=1,
        covariates=(Covariate("arm", "row"),),
        sd=(1.0, 1.0),
        cor=((1.0, 0.7), (0.7, 1.0)),
        effects=page["Logistic"](),
        dependence="copula",
    )
    first, second = next(draw(scenario, 1, 0, 1)).effects[0]
    own = stats.logistic(scale=np.sqrt(3) / np.pi)
    assert stats.kstest(first, own.cdf).pvalue > 1e-4
    assert stats.kstest(second, own.cdf).pvalue > 1e-4
    products = first * second
    assert abs(products.mean() - 0.7) < 4.5 * products.std() / np.sqrt(len(first))


def test_residuals_of_a_study_have_the_distribution(page):
    """The rows that `hlm replay` shows: within units, kurtosis 4.2 and not 3."""
    study, n = page["peaked"], 30
    units = [draw_rows(study.scenarios[0], study.seed, k)["y"].reshape(-1, n) for k in range(800)]
    y = np.concatenate([u - u.mean(axis=1, keepdims=True) for u in units]).ravel()
    assert y.std() * np.sqrt(n / (n - 1)) == pytest.approx(2.0, rel=0.02)
    # Of means over n the fourth cumulant is less: (1 - 1/n)^4 + (n - 1) / n^4 of it.
    share = ((1 - 1 / n) ** 4 + (n - 1) / n**4) / (1 - 1 / n) ** 2
    assert stats.kurtosis(y) == pytest.approx(1.2 * share, abs=0.5)  # 4.5 standard errors
