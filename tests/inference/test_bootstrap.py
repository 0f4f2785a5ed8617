"""The parametric bootstrap against the theory of balanced designs, and against `lmer`.

The Monte Carlo error of a quantile is sqrt(p (1 - p) / n) over the density there; four of them are
allowed.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hlm import InputError, lmer

from .data import fitted, frame

N = 3000
SLEEP = "Reaction ~ Days + (1 + Days | Subject)"
SHARE = np.array([0.025, 0.975])


def mc_error(density):
    """Of the quantiles, from the density at them."""
    return np.sqrt(SHARE * (1 - SHARE) / N) / density


@pytest.fixture(scope="module")
def limits():
    return {
        reml: fitted("sleepstudy", SLEEP, reml=reml).confint("boot", n=N, rng=7)
        for reml in (True, False)
    }


@pytest.mark.parametrize("reml", [True, False])
def test_fixed_effects_are_normal(limits, reml):
    """Balanced: the estimates do not depend on the variances, their covariance is that of beta."""
    fit = fitted("sleepstudy", SLEEP, reml=reml)
    z = stats.norm.ppf(SHARE)
    for k, name in enumerate(fit.coef_names):
        expected = fit.beta[k] + z * fit.se[k]
        error = mc_error(stats.norm.pdf(z)) * fit.se[k]
        assert (np.abs(limits[reml].loc[name] - expected) < 4 * error).all(), name


@pytest.mark.parametrize("reml", [True, False])
def test_residual_sd_is_chi(limits, reml):
    """RSS within units / sigma^2 is chi-square with N - 2 m df, but for fits at the boundary."""
    fit = fitted("sleepstudy", SLEEP, reml=reml)
    df = 180 - 36
    chi = stats.chi2(df)
    expected = fit.sigma * np.sqrt(chi.ppf(SHARE) / df)
    density = chi.pdf(chi.ppf(SHARE)) * 2 * expected * df / fit.sigma**2
    assert (np.abs(limits[reml].loc["sigma"] - expected) < 4 * mc_error(density)).all()


def test_variance_of_the_slopes_is_chi_square(limits):
    """Sum of squares of the units' own slopes over its expectation: chi-square, m - 1 df (REML)."""
    fit = fitted("sleepstudy", SLEEP)
    m, noise = 18, fit.sigma**2 / 82.5
    chi = stats.chi2(m - 1)
    total = fit.psi[1, 1] + noise
    expected = np.sqrt(np.maximum(total * chi.ppf(SHARE) / (m - 1) - noise, 0.0))
    density = chi.pdf(chi.ppf(SHARE)) * (m - 1) / total * 2 * expected
    ours = limits[True].loc["sd_Days|Subject"]
    # sigma of the sample, not of the truth, is taken off: it is known to 6 %.
    assert (np.abs(ours - expected) < 4 * mc_error(density) + 0.02).all()


BY_LME4 = {
    "sd_(Intercept)|Subject": (12.25443965, 36.37116351),
    "cor_Days.(Intercept)|Subject": (-0.48201976, 0.89762838),
    "sd_Days|Subject": (3.40826275, 8.33239638),
    "sigma": (22.68139506, 28.46444184),
    "(Intercept)": (237.75547976, 264.39525766),
    "Days": (7.49465656, 13.57444428),
}
"""confint(fit, method = "boot", nsim = 4000, boot.type = "perc") after set.seed(1), lme4 1.1-31."""


def test_limits_are_those_of_lme4(limits):
    """The normal gives the size of the Monte Carlo error; tails of correlations are longer."""
    ours, theirs = limits[True], np.array([BY_LME4[name] for name in limits[True].index])
    sd = (theirs[:, 1] - theirs[:, 0])[:, None] / (2 * stats.norm.ppf(0.975))
    error = mc_error(stats.norm.pdf(stats.norm.ppf(SHARE))) * np.sqrt(1 + N / 4000) * sd
    assert (np.abs(ours - theirs) < 4 * error).all(axis=None)


def test_unbalanced_and_weighted():
    """Columns far from zero, prior weights: the mean and spread of beta and sigma."""
    data = frame("made").assign(year=lambda d: 2000.0 + d["x"])
    fit = lmer("y ~ year * a + (1 + year | unit)", data, weights="w")
    limits = fit.confint("boot", n=N, rng=3)
    spread = (limits["upper"] - limits["lower"]) / (2 * stats.norm.ppf(0.975))
    centre = (limits["upper"] + limits["lower"]) / 2
    p = len(fit.beta)
    assert (np.abs(centre[:p] - fit.beta) < 0.12 * fit.se).all()
    assert spread[:p].to_numpy() == pytest.approx(fit.se, rel=0.08)
    assert centre["sigma"] == pytest.approx(fit.sigma, rel=0.02)


@pytest.mark.parametrize("reml", [True, False])
def test_one_sample_is_the_fit_of_its_rows(reml):
    """Make rows of the statistics that the bootstrap draws, and fit them by `lmer`."""
    data = frame("sleepstudy").sort_values("Subject", kind="stable")
    fit = lmer(SLEEP, data, reml=reml)
    limits = fit.confint("boot", n=1, rng=11)
    assert (limits["lower"] == limits["upper"]).all()
    rng = np.random.default_rng(11)
    normals, rest = rng.standard_normal(18 * 2 + 2), rng.chisquare(180 - 36)
    Z = np.column_stack([np.ones(10), np.arange(10)])
    Q, R = np.linalg.qr(Z - [0, 4.5])
    Q, R = Q * np.sign(np.diag(R)), R * np.sign(np.diag(R))[:, None]
    to_centred = np.array([[1, 4.5], [0, 1]])
    covariance = R @ to_centred @ fit.psi @ to_centred.T @ R.T + fit.sigma**2 * np.eye(2)
    c = normals[:36].reshape(18, 2) @ np.linalg.cholesky(covariance).T
    # X is in the span of Z: any rows orthogonal to Z with the rest for their sum of squares
    left = np.random.default_rng(1).standard_normal((18, 10))
    left -= left @ Q @ Q.T
    left *= fit.sigma * np.sqrt(rest / (left**2).sum())
    X = np.column_stack([np.ones(180), data["Days"]])
    y = X @ fit.beta + (c @ Q.T + left).ravel()
    again = lmer(SLEEP, data.assign(Reaction=y), reml=reml)
    assert limits["lower"].to_numpy() == pytest.approx(
        again.tidy()["estimate"].to_numpy(), rel=1e-6
    )


def test_same_rng_same_limits():
    fit = fitted("sim_tiny", "y ~ x + (1 + x | unit)")
    one, same, other = (fit.confint("boot", n=50, rng=rng) for rng in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)
    generator = fit.confint("boot", n=50, rng=np.random.default_rng(1))
    assert generator.equals(one)


def test_samples_without_an_estimate_do_not_count():
    """At the boundary most samples have no correlation; with one sample there may be none."""
    fit = fitted("sim_singular", "y ~ x * a + (1 + x | unit)")
    limits = fit.confint("boot", n=200, rng=1)
    assert limits.notna().all(axis=None)
    assert limits.loc["sd_x|unit", "lower"] == 0.0
    single = [fit.confint("boot", n=1, rng=rng) for rng in range(8)]
    without = [one for one in single if one.loc["cor_x.(Intercept)|unit"].isna().all()]
    assert without
    for one in single:
        assert one.drop("cor_x.(Intercept)|unit").notna().all(axis=None)


def test_mistakes():
    fit = fitted("sim_tiny", "y ~ x + (1 + x | unit)")
    with pytest.raises(InputError, match="0 bootstrap samples"):
        fit.confint("boot", n=0)
    perfect = lmer("y ~ x + (1 | unit)", frame("sim_tiny").assign(y=lambda d: 3.0 * d["x"]))
    assert perfect.confint("boot", n=5).isna().all(axis=None)
