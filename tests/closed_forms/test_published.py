"""Closed forms against published power and sizes, of studies as a user writes them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hlm.closed_forms import closed_form, effect_for_power, units_for_power, units_for_width
from hlm.rows.sizes import Clustered

from .studies import INTERCEPTS, MEANS, SLOPES, of_text, two_arms

Z80 = stats.norm.ppf(0.80)
ONE_SIDED = "level: 0.90, df: infinite"


def size_by_z(level, variance, difference):
    """Return units an arm for a power of 0.80: 2 (z + z_.80)^2 variance / difference^2."""
    z = stats.norm.isf(0.5 * (1 - level))
    return 2.0 * (z + Z80) ** 2 * variance / difference**2


def power_by_t(standardized, df):
    """Return the power of a two-sided t test at 0.05, and of its upper tail alone."""
    t = stats.t.isf(0.025, df)
    upper = stats.nct.sf(t, df, standardized)
    return upper + stats.nct.cdf(-t, df, standardized), upper


def growth(ratio, *, units, arm="{level: unit, grid: [0, 1]}"):
    """Return the study of powerlmm's vignette: a difference of 0.5 sds after ten units of time."""
    truth = f"""\
fixed: {{(Intercept): 0, time: 0, arm: 0}}
effect_sizes:
  icc: 0.5
  total_variance: 2
  slope_variance_ratio: {{time: {ratio}}}
  d: {{"time:arm": 0.05}}
"""
    time = "grid: {from: 0, to: 10}"
    return two_arms(SLOPES, truth, units=units, rows=11, time=time, arm=arm)


POWERLMM = {
    0.01: [0.19168927, 0.27261679, 0.35125795, 0.42599746, 0.49575126],
    0.02: [0.14196723, 0.19511492, 0.24823202, 0.30066036, 0.35184744],
    0.05: [0.09453344, 0.12011950, 0.14598735, 0.17204597, 0.19819649],
}


@pytest.mark.parametrize("ratio", POWERLMM)
def test_powerlmm_two_level_vignette(ratio):
    for n, power in zip([10, 15, 20, 25, 30], POWERLMM[ratio], strict=True):
        found = closed_form(*growth(ratio, units=2 * n), "time:arm")
        assert found.power == pytest.approx(power, abs=5e-9)
        assert found.df == pytest.approx(2 * n - 2, rel=1e-9)


def test_powerlmm_ratio_0019():
    found = closed_form(*growth(0.019, units=60), "time:arm")
    assert found.power == pytest.approx(0.3622166, abs=5e-8)


def test_powerlmm_unequal_arms():
    values = ", ".join(["0"] * 10 + ["1"] * 50)
    study = growth(0.019, units=60, arm=f"{{level: unit, values: [{values}]}}")
    assert closed_form(*study, "time:arm").power == pytest.approx(0.2237726, abs=5e-8)


DIGGLE_29 = {0.2: [313, 625, 938], 0.5: [196, 391, 586], 0.8: [79, 157, 235]}


@pytest.mark.parametrize("cor", DIGGLE_29)
def test_longpower_diggle_p29(cor):
    """One-sided at 0.05: two-sided at 0.10, whose other tail is less than a unit in 10,000."""
    for variance, published in zip([100, 200, 300], DIGGLE_29[cor], strict=True):
        truth = f"""\
fixed: {{(Intercept): 0, time: 0, arm: 0, "time:arm": 0.5}}
effect_sizes: {{icc: {cor}, total_variance: {variance}}}
"""
        time = "grid: [0, 2, 5]"
        study = two_arms(INTERCEPTS, truth, units=20, rows=3, time=time, estimation=ONE_SIDED)
        found = units_for_power(*study, "time:arm", 0.80) / 2
        assert np.ceil(found) == published
        spread = np.var([0.0, 2.0, 5.0])
        by_formula = size_by_z(0.90, variance * (1 - cor) / (3 * spread), 0.5)
        assert 0.0 < 1.0 - found / by_formula < 1e-4


DIGGLE_30 = {0.2: [145, 65, 37, 24], 0.5: [207, 92, 52, 33], 0.8: [268, 120, 67, 43]}


@pytest.mark.parametrize("cor", DIGGLE_30)
def test_longpower_diggle_p30(cor):
    for difference, published in zip([0.2, 0.3, 0.4, 0.5], DIGGLE_30[cor], strict=True):
        truth = f"""\
fixed: {{(Intercept): 0}}
effect_sizes: {{icc: {cor}, total_variance: 1, d: {{arm: {difference}}}}}
"""
        study = two_arms(MEANS, truth, units=20, rows=3, estimation=ONE_SIDED)
        found = units_for_power(*study, "arm", 0.80) / 2
        assert np.ceil(found) == published
        by_formula = size_by_z(0.90, (1 + 2 * cor) / 3, difference)
        assert 0.0 < 1.0 - found / by_formula < 1e-4


def other_tail(level=0.95):
    return stats.norm.cdf(-2.0 * stats.norm.isf(0.5 * (1 - level)) - Z80)


def test_longpower_random_slopes():
    """By z; the tail that the formula leaves out is 0.001 units, and t takes 0.965 more an arm."""
    truth = """\
fixed: {(Intercept): 0, time: 0, arm: 0, "time:arm": 1.5}
random: {unit: {sd: {(Intercept): 7.416198487095663, time: 4.898979485566356}, cor: 0.8}}
residual: {sd: 3.1622776601683795}
"""
    time = "grid: {from: 0, to: 1.5}"
    study = two_arms(SLOPES, truth, units=100, rows=7, time=time)
    with_tail = units_for_power(*study, "time:arm", 0.80 + other_tail(), inference="infinite")
    assert with_tail / 2 == pytest.approx(207.310093, abs=5e-7)
    by_z = units_for_power(*study, "time:arm", 0.80, inference="infinite")
    assert by_z / 2 == pytest.approx(207.310093, abs=1e-3)
    by_t = units_for_power(*study, "time:arm", 0.80)
    assert (by_t - by_z) / 2 == pytest.approx(0.965, abs=5e-4)
    n = by_t / 2
    se = np.sqrt(2 / n * (24 + 10 / 1.75))
    assert power_by_t(1.5 / se, 2 * n - 2)[0] == pytest.approx(0.80, abs=1e-9)


def test_longpower_sleepstudy():
    """The pilot is the data set of lme4; a slope that is slowed by 30 % is 0.3 of its estimate."""
    formula = "Reaction ~ Days * arm + (1 + Days | Subject)"
    study = of_text(f"""\
name: sleep
seed: 1
replicates: 100
truth:
  formula: {formula}
  fit: {{data: sleepstudy, formula: "Reaction ~ Days + (1 + Days | Subject)"}}
  fixed: {{arm: 0, "Days:arm": -3.1401858}}
design:
  units: 100
  rows: 10
  covariates:
    arm: {{level: unit, grid: [0, 1]}}
    Days: {{level: row, grid: {{from: 0, to: 9}}}}
models: {{m: {formula}}}
""")
    scenario, _ = study
    assert dict(scenario.fixed)["Days"] * -0.3 == pytest.approx(-3.1401858, rel=1e-7)
    found = units_for_power(*study, "Days:arm", 0.80, inference="infinite")
    assert found / 2 == pytest.approx(68.47, abs=5e-3)


CLUSTERS = """\
fixed: {{(Intercept): 0, arm: {difference}}}
effect_sizes: {{icc: 0.1, total_variance: {variance}}}
"""


def test_clusterpower_means():
    """Its power is of one tail of the two; the other is less than the last digit."""
    truth = CLUSTERS.format(difference=1, variance=5)
    found = closed_form(*two_arms(MEANS, truth, units=32, rows=10), "arm")
    both, upper = power_by_t(1 / np.sqrt(2 / 16 * (0.5 + 4.5 / 10)), 30)
    assert found.df == pytest.approx(30, rel=1e-9)
    assert found.power == pytest.approx(both, rel=1e-9)
    assert found.power == pytest.approx(0.801766, abs=2e-6)
    assert upper == pytest.approx(0.801766, abs=5e-7)


def test_effect_and_units_of_a_cluster_trial_by_t():
    """The least detectable difference, and the units for a width, by nct and the mean of chi."""
    study = two_arms(MEANS, CLUSTERS.format(difference=1, variance=5), units=32, rows=10)
    se = np.sqrt(2 / 16 * (0.5 + 4.5 / 10))
    effect = effect_for_power(*study, "arm", 0.9)
    assert power_by_t(effect / se, 30)[0] == pytest.approx(0.9, abs=1e-9)
    n = units_for_width(*study, "arm", 1.0) / 2
    df = 2 * n - 2
    se = np.sqrt(2 / n * (0.5 + 4.5 / 10)) * stats.chi.mean(df) / np.sqrt(df)
    assert 2 * stats.t.isf(0.025, df) * se == pytest.approx(1.0, rel=1e-9)


def test_clusterpower_unequal_clusters():
    """Van Breukelen's relative efficiency is 0.001 above the mean over sizes that are drawn.

    The mean by brute force has 38 degrees of freedom, as the published power; ours are those of
    the unequal sizes, which are less.
    """
    truth = CLUSTERS.format(difference=0.2, variance=1)
    study = two_arms(MEANS, truth, units=40, rows="{mean: 100, cv: 0.5}")
    found = closed_form(*study, "arm")
    sizes = Clustered(100.0, 0.5).draw(np.random.default_rng(1), (4000, 2, 20))
    information = (sizes / (0.9 + 0.1 * sizes)).sum(axis=2)
    standardized = 0.2 / np.sqrt((1 / information).sum(axis=1))
    brute = power_by_t(standardized, 38)[0].mean()
    assert not found.exact
    assert found.power == pytest.approx(brute, abs=1e-3)
    assert found.power == pytest.approx(0.4559881, abs=2e-3)


@pytest.mark.parametrize("units", [8, 30])
def test_balanced_designs_are_exact(units):
    """Each unit's own line is a sufficient statistic: nct with units - 2 df, at any zero of x."""
    truth = """\
fixed: {(Intercept): 1, time: 3, arm: 0.7, "time:arm": -0.45}
random: {unit: {sd: {(Intercept): 0.8, time: 0.6}, cor: 0.3}}
residual: {sd: 0.75}
"""
    x = np.linspace(3, 7, 9)
    time = "grid: {from: 3, to: 7}"
    study = two_arms(SLOPES, truth, units=units, rows=9, time=time)
    R = np.stack([np.ones(9), x], axis=1)
    psi = np.array([[0.64, 0.144], [0.144, 0.36]])
    se = np.sqrt(np.diag(psi + 0.75**2 * np.linalg.inv(R.T @ R)) * 4 / units)
    for term, b, s in (("arm", 0.7, se[0]), ("time:arm", -0.45, se[1])):
        found = closed_form(*study, term)
        assert found.df == pytest.approx(units - 2, rel=1e-8)
        assert found.se == pytest.approx(s, rel=1e-8)
        assert found.ncp == pytest.approx(b / s, rel=1e-8)
        assert found.power == pytest.approx(power_by_t(b / s, units - 2)[0], rel=1e-8)
