"""Missing rows: their shares against closed forms and integrals over what they depend on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit

from hlm.rows.missing import ByWave, Logistic, LogisticDropout, Missing, Weibull
from hlm.simulate import draw_rows, rows_left

from .studies import drawn, scenario, sizes

N = 400  # data sets of 240 rows


def _near(found, wanted, error):
    assert abs(found - wanted) < 5.0 * error, (found, wanted, error)


def _share(found, wanted, n):
    _near(found, wanted, np.sqrt(wanted * (1 - wanted) / n))


def test_rows_missing_completely_at_random():
    left = sizes(scenario(missing={"rows": 0.2}), N)
    _share(left.sum() / (8 * left.size), 0.8, 8 * left.size)
    counts = np.bincount(left.ravel(), minlength=9)
    expected = stats.binom(8, 0.8).pmf(np.arange(9)) * left.size
    often = expected > 5
    statistic = ((counts - expected)[often] ** 2 / expected[often]).sum()
    assert stats.chi2.sf(statistic, often.sum() - 1) > 1e-4


def test_whole_units_are_missing():
    left = sizes(scenario(missing={"units": 0.15}), N)
    assert set(np.unique(left)) == {0, 8}
    _share((left == 0).mean(), 0.15, left.size)


def _mean_of_normal(function, mean=0.0, sd=1.0):
    value, _ = integrate.quad(
        lambda z: function(mean + sd * z) * stats.norm.pdf(z), -9, 9, epsabs=1e-12
    )
    return value


def test_rows_missing_by_a_covariate():
    """P(missing) = E expit(-1 + 0.8 x), and x of the rows left has the mean that this leaves."""
    one = scenario(missing={"logistic": {"(Intercept)": -1, "x": 0.8}})
    rows = drawn(one, N)
    left = _mean_of_normal(lambda x: 1 - expit(-1 + 0.8 * x))
    _share(len(rows) / (240 * N), left, 240 * N)
    mean = _mean_of_normal(lambda x: x * (1 - expit(-1 + 0.8 * x))) / left
    _near(rows["x"].mean(), mean, rows["x"].std() / np.sqrt(len(rows)))


def test_rows_missing_by_the_response_itself():
    """Missing not at random: of y ~ N(1, 0.25 + 0.25 + 1) a share of E expit(-2 + y) is missing."""
    one = scenario(missing={"logistic": {"(Intercept)": -2, "y": 1}})
    left = sizes(one, N)
    share = _mean_of_normal(lambda y: 1 - expit(-2 + y), 1.0, np.sqrt(0.25 + 0.25 + 1))
    by_unit = left.mean(axis=1) / 8
    _near(by_unit.mean(), share, by_unit.std() / np.sqrt(N))


def test_dropout_by_shares_of_waves():
    gone = [0, 0.05, 0.05, 0.2, 0.4]
    left = sizes(scenario(missing={"dropout": {"waves": gone}}), N)
    assert left.min() >= 1
    for wave, share in enumerate([*gone, 0.4, 0.4, 0.4]):
        if share:
            _share((left <= wave).mean(), share, left.size)
        else:
            assert (left > wave).all()


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0])
def test_weibull_dropout(shape):
    """Of 8 rows at t = 0, 1/7, ..., 1 the share (1 - 0.3)^(t^shape) is there."""
    one = scenario(missing={"dropout": {"weibull": {"share": 0.3, "shape": shape}}})
    left = sizes(one, N)
    for row in range(1, 8):
        _share((left <= row).mean(), 1 - 0.7 ** ((row / 7) ** shape), left.size)


def test_dropout_by_the_response_before():
    """At random: of units that are there the share E expit(-2 + y_1) leaves at the second row."""
    one = scenario(missing={"dropout": {"logistic": {"(Intercept)": -2, "previous": 1}}})
    left = sizes(one, N)
    share = _mean_of_normal(lambda y: expit(-2 + y), 1.0, np.sqrt(1.5))
    _share((left == 1).mean(), share, left.size)
    # A unit of 3 rows or more has stayed twice: its first response is that of such units
    first = [draw_rows(one, 1, r) for r in range(100)]
    y = np.concatenate([pd.DataFrame(d).groupby("unit")["y"].first().to_numpy() for d in first])
    _near(y.mean(), 1.0, y.std() / np.sqrt(len(y)))


def test_dropout_by_the_response_that_is_not_seen():
    """Not at random: the same share leaves at the second row, but by the second response."""
    one = scenario(missing={"dropout": {"logistic": {"(Intercept)": -2, "y": 1}}})
    left = sizes(one, N)
    share = _mean_of_normal(lambda y: expit(-2 + y), 1.0, np.sqrt(1.5))
    _share((left == 1).mean(), share, left.size)
    rows = [pd.DataFrame(draw_rows(one, 1, r)) for r in range(300)]
    second = np.concatenate([d.groupby("unit")["y"].nth(1).to_numpy() for d in rows])
    there = _mean_of_normal(lambda y: 1 - expit(-2 + y), 1.0, np.sqrt(1.5))
    mean = _mean_of_normal(lambda y: y * (1 - expit(-2 + y)), 1.0, np.sqrt(1.5)) / there
    _near(second.mean(), mean, second.std() / np.sqrt(len(second)))


def test_mechanisms_are_independent():
    """Shares that are left multiply."""
    one = scenario(missing={"rows": 0.1, "units": 0.2, "dropout": {"waves": [0, 0, 0, 0, 0.5]}})
    left = sizes(one, N)
    share = 0.9 * 0.8 * (4 + 4 * 0.5) / 8
    means = left.mean(axis=1) / 8
    _near(means.mean(), share, means.std() / np.sqrt(N))


def test_what_is_left_is_part_of_what_was_complete():
    """With common random numbers, which rows are missing changes nothing in the others."""
    common = {"common_random_numbers": True, "covariates": {"x": {"level": "row"}}}
    whole = pd.DataFrame(draw_rows(scenario(**common), 1, 7))
    for missing in (
        {"rows": 0.3},
        {"logistic": {"previous": 0.5}, "units": 0.1},
        {"dropout": {"logistic": {"y": 1, "(Intercept)": -2}}},
    ):
        left = pd.DataFrame(draw_rows(scenario(missing=missing, **common), 1, 7))
        assert len(left) < len(whole)
        merged = left.merge(whole, on=["unit", "x", "y"])
        assert len(merged) == len(left)


def test_the_table_says_how_many_rows_are_left():
    one = scenario(missing={"rows": 0.25})
    _near(rows_left(one, 3, 1000), 180.0, np.sqrt(240 * 0.1875 / 200))


@pytest.mark.parametrize(
    "missing",
    [
        Missing(0.1, 0.2),
        Missing(logistic=Logistic(-1.0, (("x", 0.5),)), dropout=Weibull(0.3, 2.0)),
        Missing(dropout=ByWave((0.0, 0.5))),
        Missing(dropout=LogisticDropout(Logistic(0.0, (("previous", 1.0),)))),
    ],
    ids=str,
)
def test_files_have_them(missing):
    assert Missing.from_dict(missing.to_dict()) == missing
