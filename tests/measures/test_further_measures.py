"""Winsorized measures, errors of tests, calibration, policies: against independent sources."""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hlm.errors import InputError
from hlm.measures import performance, share_limits
from hlm.measures.formulas import ks_distance, ks_p_value


def measures(data, **options):
    table = performance(data, **{"estimate": "b", "se": "s", "true": 0.5, **options})
    return table.set_index("measure")


def normal(n, mean, se, seed):
    return {"b": np.random.default_rng(seed).normal(mean, 1.0, n), "s": np.full(n, se)}


def test_winsorized_measures_are_those_of_clipped_estimates():
    b = np.append(np.random.default_rng(1).normal(0.5, 1.0, 97), [40.0, -30.0, 25.0])
    q25, q75 = np.quantile(b, [0.25, 0.75])
    for times in (3.0, 1.0):
        low, high = q25 - times * (q75 - q25), q75 + times * (q75 - q25)
        clipped = np.clip(b, low, high)
        table = measures({"b": b}, se=None, winsorize=times)
        expected = performance({"b": clipped}, estimate="b", true=0.5).set_index("measure")
        for name, own in (
            ("winsorized_bias", "bias"),
            ("winsorized_se", "empirical_se"),
            ("winsorized_rmse", "rmse"),
        ):
            columns = ["estimate", "mcse", "mcse_robust", "n"]
            np.testing.assert_allclose(table.loc[name, columns], expected.loc[own, columns])
        share = np.mean((b < low) | (b > high))
        assert table.estimate["clipped"] == pytest.approx(share)
        assert table.mcse["clipped"] == pytest.approx(sqrt(share * (1 - share) / 100))


def test_the_jackknife_of_the_variance_estimator_in_closed_form():
    rng = np.random.default_rng(2)
    b, s = rng.gamma(2.0, size=40), rng.uniform(0.5, 2.0, 40)
    row = measures({"b": b, "s": s}).loc["relative_bias_variance"]
    assert row.estimate == pytest.approx(np.mean(s**2) / np.var(b, ddof=1) - 1)
    left = [np.arange(40) != i for i in range(40)]
    ratios = [np.mean(s[keep] ** 2) / np.var(b[keep], ddof=1) for keep in left]
    assert row.mcse == pytest.approx(sqrt(39 / 40 * np.sum((ratios - np.mean(ratios)) ** 2)))


def test_misses_are_on_one_side_or_the_other():
    table = measures({"b": [0.0, 1.0, 3.0, 9.0], "s": [1.0, 1.0, 1.0, 1.0]}, true=4.0)
    assert table.estimate[["below", "coverage", "above"]].tolist() == [0.5, 0.25, 0.25]


def test_errors_of_sign_and_of_magnitude_of_normal_estimates():
    """Estimates N(t, 1) that are beyond 1.96: both are integrals of the normal density."""
    n, t, z = 200_000, 0.5, stats.norm.ppf(0.975)
    table = measures(normal(n, t, 1.0, 3), true=t)
    right, wrong = stats.norm.sf(z - t), stats.norm.cdf(-z - t)
    power = right + wrong
    row = table.loc["type_s"]
    assert row.estimate == pytest.approx(wrong / power, abs=4 * row.mcse)
    assert row.n == pytest.approx(n * power, rel=0.05)
    size = t * right + stats.norm.pdf(z - t) - t * wrong + stats.norm.pdf(-z - t)
    row = table.loc["type_m"]
    assert row.estimate == pytest.approx(size / power / t, abs=4 * row.mcse)
    assert not {"rejection_05", "ks_distance"} & {*table.index}


def test_p_values_of_a_true_hypothesis():
    n = 4000
    right = measures(normal(n, 0.0, 1.0, 4), true=0.0)
    for name, alpha in (("rejection_01", 0.01), ("rejection_05", 0.05), ("rejection_10", 0.10)):
        assert right.estimate[name] == pytest.approx(alpha, abs=4 * sqrt(alpha * (1 - alpha) / n))
    assert right.estimate["ks_p_value"] > 0.001
    assert "type_s" not in right.index
    wrong = measures(normal(n, 0.0, 0.8, 4), true=0.0)
    assert wrong.estimate["rejection_05"] == pytest.approx(2 * stats.norm.sf(1.96 * 0.8), abs=0.02)
    assert wrong.estimate["ks_p_value"] < 1e-6


def test_p_values_are_those_of_t():
    b, df = np.array([2.3, 1.0, 0.4, 3.0]), np.array([3.0, 9.0, np.inf, nan])
    data = {"b": b, "s": np.ones(4), "df": df}
    found = measures(data, true=0.0, df="df")
    p = 2 * np.append(stats.t.sf(b[:2], df[:2]), stats.norm.sf(b[2:]))
    assert found.estimate["ks_distance"] == pytest.approx(stats.kstest(p, "uniform").statistic)
    assert found.estimate["rejection_10"] == np.mean(p < 0.1)


def test_the_p_value_of_uniformity():
    for n in (1, 5, 100, 5000):
        p = np.random.default_rng(n).uniform(size=n)
        found, wanted = ks_distance(p), stats.kstest(p, "uniform")
        assert found.estimate == pytest.approx(wanted.statistic)
        assert ks_p_value(found).estimate == pytest.approx(wanted.pvalue)


def test_limits_of_shares_are_wilsons():
    for hits, n in ((0, 20), (1, 20), (13, 50), (50, 50), (950, 1000)):
        for level in (0.9, 0.95):
            wanted = stats.binomtest(hits, n).proportion_ci(level, method="wilson")
            np.testing.assert_allclose(share_limits(hits / n, n, level), wanted, atol=1e-12)
    lower, upper = share_limits([nan, 0.5, 0.0], [10, 0, 10])
    assert np.isnan([lower[:2], upper[:2]]).all()
    assert lower[2] == 0.0 < upper[2]


FITS = pd.DataFrame(
    {
        "b": [1.0, 2.0, 3.0, 9.0, 0.2],
        "s": [1.0, 1.0, 1.0, nan, 0.1],
        "converged": [True, True, True, False, True],
        "singular": [False, False, True, None, False],
    }
)


def test_policies_count_the_replicates_of_some_fits():
    policies = ["all", "converged", "nonsingular", "absent_as_miss"]
    columns = {"converged": "converged", "singular": "singular", "policies": policies}
    table = measures(FITS, **columns).reset_index().set_index(["policy", "measure"])
    assert list(dict.fromkeys(table.index.get_level_values(0))) == policies
    n = table.n
    assert [n[policy, "bias"] for policy in policies[:3]] == [4, 4, 3]
    assert [n[policy, "n_total"] for policy in policies] == [5] * 4
    alone = measures(FITS[FITS["converged"]].iloc[[0, 1, 3]])
    own = table.loc["nonsingular"].drop("n_total")
    pd.testing.assert_frame_equal(own, alone.drop("n_total"), check_exact=True)
    # The one without limits covers nothing: 2 of 5, 2 of 4 of the others.
    covered = table.estimate[:, "coverage"]
    assert covered["all"] == 0.5
    assert covered["absent_as_miss"] == 0.4
    assert set(table.loc["absent_as_miss"].index) == {"n_total", "coverage", "rejection"}


def test_a_policy_that_leaves_nobody_has_no_measures():
    data = FITS.assign(converged=False)
    table = measures(data, converged="converged", policies=["converged"])
    assert table.n["bias"] == 0
    assert np.isnan(table.estimate["bias"])
    assert table.n["n_total"] == 5


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        (["convergd"], "unknown policy 'convergd'.*did you mean 'converged'"),
        (["nonsingular"], "the policy 'nonsingular' without converged="),
    ],
    ids=["unknown", "without its column"],
)
def test_mistakes_about_policies(policies, message):
    with pytest.raises(InputError, match=f"(?s){message}"):
        measures(FITS, policies=policies)
