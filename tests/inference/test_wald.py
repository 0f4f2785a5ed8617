"""Wald's limits on the scale of variances, and the covariance of the variances.

SAS prints six digits of its asymptotic covariance matrix; central differences give about eight.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hlm import lmer

from .brute import Deviance, hessian
from .data import fitted, frame


def test_covariance_of_the_variances_is_that_of_sas():
    """PROC MIXED ASYCOV of sleepstudy by REML, as MixedModelsSmallSample.jl records it."""
    covariance = fitted("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)").vcov_random()
    assert list(covariance.index) == [
        "var_(Intercept)|Subject", "cov_Days.(Intercept)|Subject", "var_Days|Subject", "sigma^2",
    ]  # fmt: skip
    published = [83395.42, 2178.88, 218.509, 5957.61]
    assert np.diag(covariance) == pytest.approx(published, rel=3e-6)


def test_covariance_of_the_variances_of_a_balanced_design():
    """Searle, Casella & McCulloch (1992): random intercepts, n rows in each of m units, REML.

    MSA and MSE are independent, var MS = 2 MS^2 / df; sigma_a^2 = (MSA - MSE) / n.
    """
    data = frame("sleepstudy")
    fit = lmer("Reaction ~ 1 + (1 | Subject)", data)
    n, m = 10, 18
    mse = fit.sigma**2
    msa = mse + n * fit.psi[0, 0]
    var_msa, var_mse = 2 * msa**2 / (m - 1), 2 * mse**2 / (m * (n - 1))
    expected = [[(var_msa + var_mse) / n**2, -var_mse / n], [-var_mse / n, var_mse]]
    assert fit.vcov_random().to_numpy() == pytest.approx(np.array(expected), rel=1e-7)


CASES = [
    ("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)", {}),
    ("made", "y ~ x * a + (1 + x | unit)", {"weights": "w"}),
    ("made", "y ~ x + (1 | unit) + (0 + x | unit)", {}),
    ("machines", "score ~ Machine + (0 + Machine | Worker)", {}),
]


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(("name", "formula", "options"), CASES, ids=[c[1] for c in CASES])
def test_covariance_of_the_variances_by_differences(name, formula, options, reml):
    """Twice the inverse Hessian of the criterion in the elements of the covariance matrix.

    Correlations near 0.9 leave central differences three to four digits, by the processor's last
    ones; else they have five or more.
    """
    fit = lmer(formula, frame(name), reml=reml, **options)
    deviance = Deviance(fit)
    row, col = np.nonzero(np.tril(np.abs(fit.psi) > 0))
    order = np.lexsort((row, col))
    row, col = row[order], col[order]

    def criterion(eta):
        G = np.zeros_like(fit.psi)
        G[row, col], G[col, row] = eta[:-1], eta[:-1]
        f = deviance.restricted if reml else deviance
        return f(G / eta[-1], np.sqrt(eta[-1]))

    at = np.append(fit.psi[row, col], fit.sigma**2)
    scale = np.append(np.sqrt(fit.psi[row, row] * fit.psi[col, col]), fit.sigma**2)
    numeric = 2 * np.linalg.inv(hessian(criterion, at, 2e-3 * scale))
    ours = fit.vcov_random().to_numpy()
    sd = np.sqrt(np.diag(numeric))
    tolerance = 5e-4 if name == "machines" else 1e-5
    assert ours / np.outer(sd, sd) == pytest.approx(numeric / np.outer(sd, sd), abs=tolerance)


def test_standard_errors_of_sds_follow_from_it():
    fit = fitted("made", "y ~ x + (1 + x | unit)")
    variance = np.diag(fit.vcov_random())[[0, 2, 3]]
    table = fit.tidy().set_index("term")
    terms = [fit.terms[2], fit.terms[4], fit.terms[5]]
    se = np.sqrt(variance) / (2 * table["estimate"][terms].to_numpy())
    assert table["se"][terms].to_numpy() == pytest.approx(se, rel=1e-9)


def test_limits_on_the_scale_of_variances():
    """sd^2 +- z se(sd^2), the roots; se of the variances from SAS's matrix."""
    fit = fitted("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)")
    limits = fit.confint("wald-variance", 0.9)
    z = stats.norm.ppf(0.95)
    for term, variance, sampling in (
        ("sd_(Intercept)|Subject", 612.0900, 83395.42),
        ("sd_Days|Subject", 35.07166, 218.509),
        ("sigma", 654.9410, 5957.61),
    ):
        expected = variance + z * np.sqrt(sampling) * np.array([-1.0, 1.0])
        assert limits.loc[term].to_numpy() == pytest.approx(np.sqrt(expected), rel=2e-6)
    cor = fit.tidy().set_index("term").loc["cor_Days.(Intercept)|Subject"]
    expected = cor["estimate"] + z * cor["se"] * np.array([-1.0, 1.0])
    assert limits.loc["cor_Days.(Intercept)|Subject"].to_numpy() == pytest.approx(expected)
    t = fit.confint("wald", 0.9)
    assert limits.iloc[:2].to_numpy().tolist() == t.iloc[:2].to_numpy().tolist()


def test_negative_variances_are_zero_and_correlations_end_at_one():
    limits = fitted("sim_tiny", "y ~ x * a + (1 + x | unit)").confint("wald-variance", 0.99)
    assert limits.loc["sd_(Intercept)|unit", "lower"] == 0.0
    assert limits.loc["sd_(Intercept)|unit", "upper"] > 0.0
    assert limits.loc["cor_x.(Intercept)|unit", "upper"] == 1.0


def test_nothing_at_the_boundary():
    """A variance of zero has no standard error; sigma has, and limits."""
    fit = fitted("sim_singular", "y ~ x * a + (1 + x | unit)")
    assert fit.vcov_random().isna().all(axis=None)
    for method in ("wald", "wald-variance"):
        limits = fit.confint(method)
        assert limits.filter(regex="^(sd|cor)", axis=0).isna().all(axis=None)
        assert limits.loc["sigma"].notna().all()
