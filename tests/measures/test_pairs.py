"""Differences of methods and of policies, and errors that assume no distribution."""

from __future__ import annotations

from math import nan

import numpy as np
import pandas as pd
import pytest

from hlm.measures import differences, formulas, influence, performance
from hlm.measures.group import Rules
from hlm.measures.pairs import between_contestants, between_policies

N = 300
MEASURES = (
    *("bias", "empirical_se", "mse", "rmse", "relative_precision", "model_se"),
    *("relative_error_se", "coverage", "rejection", "ci_width"),
)


def draw(seed, n=N):
    """Return estimates of two methods on the same data sets: skewed, correlated, true value 1."""
    rng = np.random.default_rng(seed)
    shared = rng.gamma(2.0, size=n)
    ones = []
    for scale in (0.3, 0.5):
        b = 1.0 + scale * (0.8 * shared + 0.6 * rng.gamma(2.0, size=n) - 2.5)
        s = scale * np.sqrt(rng.chisquare(8, n) / 8)
        ones.append(
            {"estimate": b, "se": s, "lower": b - 2 * s, "upper": b + 2 * s, "true": np.ones(n)}
        )
    return ones


def some(columns, rows):
    return {name: values[rows] for name, values in columns.items()}


def spread(values):
    return {name: np.std([one[name] for one in values], ddof=1) for name in values[0]}


def test_errors_of_differences_are_those_of_a_paired_bootstrap():
    """500 resamples give an sd with an error of 3.2 %: four of these, and 1/N."""
    one, two = draw(1)
    found = between_contestants(one, two, "all", Rules())
    assert set(found) == set(MEASURES)
    rng, again = np.random.default_rng(2), []
    for _ in range(500):
        rows = rng.integers(0, N, N)
        resampled = between_contestants(some(one, rows), some(two, rows), "all", Rules())
        again.append({name: value.difference for name, value in resampled.items()})
    for name, sd in spread(again).items():
        assert found[name].mcse == pytest.approx(sd, rel=0.13), name
        assert found[name].n == N


def test_a_difference_is_that_of_the_measures():
    one, two = draw(3)
    frame = pd.concat(
        [pd.DataFrame(m).assign(method=k, id=range(N)) for k, m in (("x", one), ("y", two))]
    )
    columns = {"estimate": "estimate", "se": "se", "true": "true", "method": "method"}
    columns |= {"lower": "lower", "upper": "upper", "ref": "y", "id": "id"}
    table = performance(frame, **columns).set_index(["method", "measure"]).estimate
    found = differences(frame, **columns)
    assert set(found["measure"]) == set(MEASURES)
    assert set(found["method"]) == {"x"}
    assert set(found["against"]) == {"y"}
    for row in found.itertuples():
        wanted = table["x", row.measure]
        wanted -= 0.0 if row.measure == "relative_precision" else table["y", row.measure]
        assert row.difference == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    # Rows in another order are the same pairs: to the last bit.
    shuffled = frame.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(differences(shuffled, **columns), found, check_exact=True)


def test_the_error_of_relative_precision_is_the_closed_form_of_normal_estimates():
    """2 R sqrt((1 - rho^2)/(n - 1)), R = var(a)/var(b) (simsum)."""
    n, rng = 200_000, np.random.default_rng(6)
    a = rng.normal(size=n)
    b = 0.4 * a + 0.5 * rng.normal(size=n)
    gain = influence.relative_precision(b, a)
    ratio, rho = np.var(a) / np.var(b), np.corrcoef(a, b)[0, 1]
    assert gain.estimate == pytest.approx(ratio - 1)
    # A fourth moment of normals, from n of them.
    closed = 2 * ratio * np.sqrt((1 - rho**2) / (n - 1))
    assert gain.mcse == pytest.approx(closed, rel=0.02)


def test_robust_errors_are_those_over_studies_of_skewed_estimates():
    """Of chi-square(2) estimates the errors for normal ones are half as large as they should be."""
    studies, s = np.random.default_rng(7).chisquare(2, (1000, 400)), np.full(400, 2.0)
    for values in (
        [formulas.empirical_se(b) for b in studies],
        [formulas.relative_error_se(b, s) for b in studies],
    ):
        sd = np.std([value.estimate for value in values], ddof=1)
        # An sd of 1000 has an error of 2.2 %; errors from 400 squares are a little small.
        assert np.mean([value.robust for value in values]) == pytest.approx(sd, rel=0.12)
        assert np.mean([value.mcse for value in values]) < 0.7 * sd


def test_only_data_sets_that_both_have_count():
    data = pd.DataFrame(
        {
            "b": [1.0, 2.0, nan, 4.0, 1.5, 2.5, 3.0],
            "m": list("xxxxyyy"),
            "i": [0, 1, 2, 3, 3, 1, 2],
        }
    )
    found = differences(data, estimate="b", true=0, method="m", ref="x", id="i")
    bias = found.set_index("measure").loc["bias"]
    assert (bias.difference, bias.n) == (pytest.approx((2.5 - 2.0 + 1.5 - 4.0) / 2), 2)
    assert bias.mcse == pytest.approx(np.std([0.5, -2.5], ddof=1) / np.sqrt(2))


def test_policies_differ_with_the_error_of_a_bootstrap():
    columns = draw(8)[0]
    counts = np.random.default_rng(9).random(N) < 0.4 + 0.3 * (columns["estimate"] > 1)
    columns["lower"][:20] = nan
    masks = {"all": None, "converged": counts, "absent_as_miss": None}

    def both(columns, counts):
        masks["converged"] = counts
        return {
            policy: between_policies(columns, masks, policy, "all", Rules(needs_se=False))
            for policy in ("converged", "absent_as_miss")
        }

    found = both(columns, counts)
    assert set(found["absent_as_miss"]) == {"coverage", "rejection"}
    assert {value.n for value in found["absent_as_miss"].values()} == {N}
    assert found["converged"]["bias"].n == counts.sum()
    mean = columns["estimate"][counts].mean() - columns["estimate"].mean()
    assert found["converged"]["bias"].difference == pytest.approx(mean)
    rng, again = np.random.default_rng(10), []
    for _ in range(500):
        rows = rng.integers(0, N, N)
        again.append(both(some(columns, rows), counts[rows]))
    for policy, own in found.items():
        sds = spread([{k: v.difference for k, v in one[policy].items()} for one in again])
        for name, sd in sds.items():
            assert own[name].mcse == pytest.approx(sd, rel=0.13), (policy, name)


def test_f_tests_are_compared_by_their_rejections():
    one = {"rejected": np.array([1.0, 1.0, 0.0, nan]), "true": np.zeros(4)}
    two = {"rejected": np.array([0.0, 1.0, 0.0, 1.0]), "true": np.zeros(4)}
    found = between_contestants(one, two, "all", Rules())
    assert found["rejection"] == (pytest.approx(1 / 3), pytest.approx(1 / 3), 3)
    missed = between_contestants(one, two, "absent_as_miss", Rules())
    assert missed["rejection"][::2] == (0.0, 4)
