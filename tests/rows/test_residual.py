"""Residuals of unequal variance and correlated ones: their moments against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hlm.rows.residual import VARIANCES, AutoRegressive, ByUnit, ByValue, variance_from_dict

from .studies import drawn, scenario

N = 400  # data sets of 240 rows


def _near(found, wanted, error):
    assert abs(found - wanted) < 5.0 * error, (found, wanted, error)


def test_a_variance_by_arm():
    one = scenario(
        residual={"sd": 0.5, "variance": {"by": "arm", "ratio": {"1": 2.5}}},
        covariates={"x": {"level": "row"}, "arm": {"level": "unit", "grid": [0, 1]}},
    )
    rows = drawn(one, N)
    for arm, variance in ((0, 0.25), (1, 0.625)):
        e = rows.loc[rows["arm"] == arm, "e"]
        assert len(e) == N * 120
        _near(e.var(), variance, variance * np.sqrt(2 / len(e)))
        assert stats.kstest(e / np.sqrt(variance), "norm").pvalue > 1e-4


@pytest.mark.parametrize(
    ("variance", "sd_of"),
    [
        ({"power_of": "t", "exponent": 0.5}, lambda t: np.sqrt(t)),
        ({"exponential_of": "t", "rate": -0.3}, lambda t: np.exp(-0.3 * t)),
    ],
)
def test_a_variance_that_follows_a_covariate(variance, sd_of):
    one = scenario(
        residual={"sd": 2.0, "variance": variance},
        covariates={"x": {"level": "row"}, "t": {"level": "row", "grid": {"from": 1, "to": 8}}},
    )
    for t, e in drawn(one, N).groupby("t")["e"]:
        wanted = (2.0 * sd_of(t)) ** 2
        _near(e.var(), wanted, wanted * np.sqrt(2 / len(e)))


@pytest.mark.parametrize("family", ["lognormal", "gamma"])
def test_a_variance_for_each_unit(family):
    """The sds have their distribution, the cv that is stated, and squares of the mean 1."""
    sds = ByUnit(family, 0.6).sds(np.random.default_rng(5).standard_normal(200_000))
    s2 = np.log(1.36)
    a = 1 / 0.36
    wanted = {
        "lognormal": stats.lognorm(np.sqrt(s2), scale=np.exp(-s2)),
        "gamma": stats.gamma(a, scale=1 / np.sqrt(a * (a + 1))),
    }[family]
    assert stats.kstest(sds, wanted.cdf).pvalue > 1e-4
    assert wanted.std() / wanted.mean() == pytest.approx(0.6)
    assert wanted.moment(2) == pytest.approx(1.0)
    one = scenario(
        residual={"sd": 3.0, "variance": {"by": "unit", "cv": 0.6, "distribution": family}}
    )
    rows = drawn(one, N)
    squares = rows.groupby(["part", "unit"])["e"].apply(lambda e: (e**2).mean())
    _near(squares.mean(), 9.0, squares.std() / np.sqrt(len(squares)))
    # of 8 normals with sd s: Var mean(e^2) = Var s^2 + 2 E s^4 / 8
    fourth = wanted.moment(4)
    variance = 81.0 * (fourth - 1.0 + fourth / 4.0)
    sampling = (squares - 9.0) ** 2
    _near(sampling.mean(), variance, sampling.std() / np.sqrt(len(sampling)))


def _lag(rows, positions, sd):
    wide = rows.pivot_table(index=["part", "unit"], columns="position", values="e")
    a, b = positions
    return (wide[a] * wide[b] / sd**2).dropna()


@pytest.mark.parametrize("cor", [0.6, -0.4])
def test_autoregressive_residuals(cor):
    one = scenario(residual={"sd": 2.0, "ar1": cor})
    rows = drawn(one, N)
    for a, b in ((0, 1), (3, 4), (2, 5), (0, 7)):
        products = _lag(rows, (a, b), 2.0)
        _near(products.mean(), cor ** (b - a), products.std() / np.sqrt(len(products)))
    for position in (0, 7):
        e = rows.loc[rows["position"] == position, "e"]
        _near(e.var(), 4.0, 4.0 * np.sqrt(2 / len(e)))


def test_autoregressive_residuals_at_unequal_times():
    """The correlation is cor^|t - s|; at times 0, 0.5, 2, 2.25, ... as in nlme's corCAR1."""
    times = [0, 0.5, 2, 2.25, 3, 5, 5.5, 9]
    one = scenario(
        residual={"ar1": {"cor": 0.5, "time": "t"}},
        covariates={"x": {"level": "row"}, "t": {"level": "row", "grid": times}},
    )
    rows = drawn(one, N)
    for a, b in ((0, 1), (1, 2), (2, 3), (1, 4), (0, 5)):
        products = _lag(rows, (a, b), 1.0)
        wanted = 0.5 ** (times[b] - times[a])
        _near(products.mean(), wanted, products.std() / np.sqrt(len(products)))


def test_a_negative_correlation_alternates_with_whole_distances():
    """(-0.5)^d at distances of 1, 2 and 3."""
    layout = type("Rows", (), {})()
    layout.position, layout.starts = np.array([0, 1, 2, 3]), np.array([0, 4])
    e = np.zeros(4)
    e[0] = 1.0
    AutoRegressive(-0.5, "t").apply(e, {"t": np.array([0.0, 1.0, 3.0, 6.0])}, layout)
    np.testing.assert_allclose(e, [1.0, -0.5, -0.125, 0.015625])


def test_unequal_variances_and_correlation_together():
    """The variance is put on correlated residuals: cov(e_1, e_2) = s_1 s_2 cor, as in nlme."""
    one = scenario(
        residual={"ar1": 0.5, "variance": {"power_of": "t", "exponent": 1}},
        covariates={"x": {"level": "row"}, "t": {"level": "row", "grid": {"from": 1, "to": 8}}},
    )
    products = _lag(drawn(one, N), (2, 3), 1.0)
    _near(products.mean(), 3 * 4 * 0.5, products.std() / np.sqrt(len(products)))


@pytest.mark.parametrize(
    "variance", [ByValue("arm", ((1.0, 2.0),)), ByUnit("gamma", 0.3)], ids=lambda one: one.kind
)
def test_files_have_them(variance):
    assert variance_from_dict(variance.to_dict()) == variance
    assert type(variance) is VARIANCES[variance.kind]


def test_non_normal_residuals_keep_their_shape_under_unequal_variances():
    one = scenario(
        residual={"distribution": "laplace", "variance": {"by": "arm", "ratio": {"1": 4}}},
        covariates={"x": {"level": "row"}, "arm": {"level": "unit", "grid": [0, 1]}},
    )
    rows = drawn(one, N)
    e = rows["e"] / np.where(rows["arm"] == 1, 2.0, 1.0)
    assert stats.kstest(e, stats.laplace(scale=np.sqrt(0.5)).cdf).pvalue > 1e-4
