"""What statistical theory says of simulated and fitted data, where it is exact.

In a balanced design with the same x in every unit the REML estimates of the full model are those
of the regression of the units' least-squares lines on a: the t statistics are exact with units - 2
degrees of freedom as long as the estimate of Psi is positive definite.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hlm.distributions import Points
from hlm.fits import fit_batch
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import draw_rows, simulate

REPLICATES = 20_000
UNITS, ROWS = 12, 8
MCSE = 4.0
X = tuple(np.linspace(-4, 4, ROWS, endpoint=False))

SCENARIO = Scenario(
    key="5eed5eed5eed5eed",
    n_units=UNITS,
    n_rows=ROWS,
    covariates=(Covariate("a", "unit"), Covariate("x", "row", Points(X))),
    formula="y ~ x * a + (1 + x | unit)",
    fixed=(("(Intercept)", 1.0), ("x", 3.0), ("a", 0.0), ("x:a", 0.3)),
    sd=(1.0, 0.5),
    cor=((1.0, 0.4), (0.4, 1.0)),
    sigma=0.75,
)
TERMS = dict(SCENARIO.fixed)
MODEL = Model("full", SCENARIO.formula, methods=("reml",))


@pytest.fixture(scope="module")
def fits():
    """Return each column of the estimates as (replicates, terms), and the fits."""
    drawn = simulate(SCENARIO, [MODEL], 1, 0, REPLICATES)
    tables = fit_batch(SCENARIO, [MODEL], drawn)
    estimates, summary = tables["estimates"], tables["fits"]
    columns = ("estimate", "se", "df", "lower", "upper")
    return {name: estimates[name].reshape(REPLICATES, 8) for name in columns}, summary


def _near(share, expected):
    assert abs(share - expected) < MCSE * np.sqrt(expected * (1 - expected) / REPLICATES)


def test_every_fit_is_regular(fits):
    estimates, summary = fits
    assert set(summary["status"].to_pylist()) == {"ok"}
    regular = ~summary["singular"]
    assert regular.mean() > 0.999
    assert_allclose(estimates["df"][regular, :4], UNITS - 2, rtol=1e-6)


def test_fixed_effects_are_unbiased(fits):
    estimate = fits[0]["estimate"]
    error = estimate[:, :4].mean(0) - list(TERMS.values())
    assert (abs(error) < MCSE * estimate[:, :4].std(0) / np.sqrt(REPLICATES)).all()


def test_variances_are_unbiased(fits):
    """REML in a balanced design: E(sd^2) = the true variance, and the covariance too."""
    sd1, rho, sd2, sigma = fits[0]["estimate"][:, 4:].T
    for values, true in ((sd1**2, 1.0), (sd2**2, 0.25), (sd1 * sd2 * rho, 0.2), (sigma**2, 0.5625)):
        assert abs(values.mean() - true) < MCSE * values.std() / np.sqrt(REPLICATES)
    scaled = sigma**2 / 0.5625 * (UNITS * (ROWS - 2))
    assert stats.kstest(scaled[:2000], "chi2", (UNITS * (ROWS - 2),)).pvalue > 1e-4


def test_limits_cover_at_their_level(fits):
    lower, upper = fits[0]["lower"], fits[0]["upper"]
    for j, true in enumerate(TERMS.values()):
        _near(((lower[:, j] <= true) & (true <= upper[:, j])).mean(), 0.95)


def test_a_true_null_is_rejected_at_its_level(fits):
    estimate, se, df = (fits[0][name][:, 2] for name in ("estimate", "se", "df"))
    p = 2 * stats.t.sf(abs(estimate / se), df)
    for level in (0.01, 0.05, 0.5):
        _near((p < level).mean(), level)
    assert stats.kstest(p[:5000], "uniform").pvalue > 1e-4


def test_estimates_are_those_of_the_regression_of_unit_lines(fits):
    """The closed form, replicate by replicate."""
    design = np.column_stack([np.ones(ROWS), X])
    for replicate in range(5):
        rows = draw_rows(SCENARIO, 1, replicate)
        y, a = rows["y"].reshape(UNITS, ROWS), rows["a"].reshape(UNITS, ROWS)[:, 0]
        lines = y @ np.linalg.pinv(design).T
        W = np.column_stack([np.ones(UNITS), a])
        gamma = np.linalg.lstsq(W, lines, rcond=None)[0]
        between = (lines - W @ gamma).T @ (lines - W @ gamma) / (UNITS - 2)
        sigma2 = ((y - lines @ design.T) ** 2).sum() / (UNITS * (ROWS - 2))
        Psi = between - sigma2 * np.linalg.inv(design.T @ design)
        se = np.sqrt(np.kron(between.diagonal(), np.linalg.inv(W.T @ W).diagonal()))
        ours = {name: values[replicate] for name, values in fits[0].items()}
        assert_allclose(ours["estimate"][:4], gamma[[0, 0, 1, 1], [0, 1, 0, 1]], rtol=1e-8)
        assert_allclose(ours["se"][:4], se[[0, 2, 1, 3]], rtol=1e-6)
        sd = np.sqrt(Psi.diagonal())
        expected = [sd[0], Psi[0, 1] / sd.prod(), sd[1], np.sqrt(sigma2)]
        assert_allclose(ours["estimate"][4:], expected, rtol=1e-6)
