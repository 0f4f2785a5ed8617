"""`hlm power`: against noncentral t, and through the whole path to what is printed."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from hlm import InputError, Study
from hlm.cli import main
from hlm.solver import Tally, Variable
from hlm.whatif.met import goal_of, where_met
from hlm.whatif.pieces import Ask, drawn_and_fitted
from hlm.whatif.power import power
from hlm.whatif.twins import twin_without

ICC, EFFECT, ROWS = 0.1, 0.4, 20
TRIAL = f"""
name: trial
seed: 7
replicates: 1000
truth:
  formula: y ~ arm + (1 | school)
  fixed: {{(Intercept): 0, arm: {EFFECT}}}
  effect_sizes: {{icc: {ICC}, total_variance: 1}}
design:
  units: 20
  rows: {ROWS}
  covariates:
    arm: {{level: unit, balanced: [0, 1]}}
grid:
  design.units: [20, 26, 32, 40, 60]
models:
  trial: y ~ arm + (1 | school)
estimation: {{methods: [reml]}}
"""


def exact_power(units: float, effect: float = EFFECT) -> float:
    """Power of the t test of two arms, exactly: noncentral t with units - 2 degrees of freedom."""
    se = np.sqrt(4.0 * (ICC + (1.0 - ICC) / ROWS) / units)
    quantile = stats.t.ppf(0.975, units - 2)
    of_t = stats.nct(units - 2, effect / se)
    # SciPy has no value of the other tail where it is below 1e-40
    return float(of_t.sf(quantile) + np.nan_to_num(of_t.cdf(-quantile)))


@pytest.fixture(scope="module")
def trial():
    return Study.from_text(TRIAL)


@pytest.fixture(scope="module")
def curve(trial):
    (found,) = power(trial, terms=["arm"], replicates=8000).curves
    return found


def test_power_and_size_of_a_balanced_trial(curve):
    assert [point.at for point in curve.points] == [20, 26, 32, 40, 60]
    for point in curve.points:
        expected = exact_power(point.at)
        error = np.sqrt(expected * (1.0 - expected) / 8000)
        assert abs(point.rate.value - expected) < 4.0 * error
        assert abs(point.size.value - 0.05) < 4.0 * np.sqrt(0.05 * 0.95 / 8000)
        assert point.rate.low < point.rate.value < point.rate.high
        assert (point.word, point.rate.n, point.rate.drawn) == ("power", 8000, 8000)


def test_closed_form_stands_beside(curve):
    for point in curve.points:
        assert point.closed.value == pytest.approx(exact_power(point.at), abs=1e-9)
        assert not point.differs


def test_size_at_which_power_is_reached(curve):
    exact = optimize.brentq(lambda n: exact_power(n) - 0.8, 10, 60)
    assert curve.met.low < exact < curve.met.high
    assert abs(curve.met.at - exact) < 1.0
    assert curve.met.admissible == 32  # two arms: the next even number


def test_the_interval_of_the_size_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(20)
    exact = optimize.brentq(lambda n: exact_power(n) - 0.8, 10, 60)
    sizes, held, runs = (20, 26, 32, 40, 60), 0, 400
    for _ in range(runs):
        hits = {n: rng.binomial(2000, exact_power(n)) for n in sizes}
        seen = {n: Tally.of_share(k, 2000) for n, k in hits.items()}
        found = where_met(Variable("units", 20, 60, step=2), goal_of("rejection", 0.8), seen)
        held += found.low < exact < found.high
    assert abs(held / runs - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / runs)


def test_width_of_the_interval(trial):
    (found,) = power(trial, terms=["arm"], measure="ci_width", target=0.6, replicates=4000).curves

    def width(n):
        # E(s) of a variance that is a multiple of chi-square with n - 2 degrees of freedom
        df, se = n - 2, np.sqrt(4.0 * (ICC + (1.0 - ICC) / ROWS) / n)
        shrink = np.exp(stats.chi.logpdf(0, 1) * 0) * np.sqrt(2.0 / df)
        shrink *= np.exp(_lgamma((df + 1) / 2) - _lgamma(df / 2))
        return 2.0 * stats.t.ppf(0.975, df) * se * shrink

    for point in found.points:
        assert abs(point.rate.value - width(point.at)) < 5.0 * point.rate.mcse
        assert point.size is None
    exact = optimize.brentq(lambda n: width(n) - 0.6, 10, 200)
    assert found.met.low < exact < found.met.high


def _lgamma(x):
    from scipy.special import gammaln

    return gammaln(x)


def test_twin_is_the_same_data_less_the_effect(trial):
    """Estimates of the effect differ by the effect, all else is the same to rounding."""
    scenario, (model,) = trial.scenarios[0], trial.models
    twin = twin_without(scenario, model, "arm")
    assert twin.key != scenario.key
    asks = [Ask(scenario, 0, 200), Ask(twin, 0, 200)]
    one, other = drawn_and_fitted(asks, [model], seed=trial.seed)
    frames = [piece.tables["estimates"].to_pandas() for piece in (one, other)]
    shift = frames[0]["estimate"] - frames[1]["estimate"]
    is_arm = frames[0]["term"] == "arm"
    np.testing.assert_allclose(shift[is_arm], EFFECT, rtol=1e-9)
    np.testing.assert_allclose(shift[~is_arm], 0.0, atol=1e-8)


SLOPES = """
name: slopes
seed: 3
replicates: 100
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {(Intercept): 0, x: 0.2, a: 0, "x:a": 0.3}
  random: {unit: {sd: {(Intercept): 0.5, x: 0.3}}}
  residual: {sd: 1}
design:
  units: 20
  rows: 8
  covariates:
    x: {level: row, distribution: uniform}
    a: {level: unit, balanced: [0, 1]}
models:
  slopes: y ~ x * a + (1 + x | unit)
  smaller: y ~ x + (1 | unit)
estimation:
  methods: [reml]
  tests: {both: [a, "x:a"]}
  lrt: {varying: [sd_x|unit]}
"""


def test_what_has_a_twin_and_what_has_none():
    study = Study.from_text(SLOPES)
    scenario, (slopes, smaller) = study.scenarios[0], study.models
    assert dict(twin_without(scenario, slopes, "x:a").fixed)["x:a"] == 0.0
    assert dict(twin_without(scenario, slopes, "F(both)").fixed) == {
        **dict(scenario.fixed),
        "x:a": 0.0,
    }
    assert twin_without(scenario, slopes, "LRT(varying)").sd == (0.5, 0.0)
    assert twin_without(scenario, slopes, "a") is scenario  # it is 0 already
    assert twin_without(scenario, slopes, "sd_x|unit") is None  # its rate is no test
    with pytest.raises(InputError, match="has no term 'x:a'"):
        twin_without(scenario, smaller, "x:a")


def test_terms_tests_and_models_together():
    study = Study.from_text(SLOPES)
    terms = ["x:a", "a", "both", "varying", "x"]
    found = power(study, terms=terms, replicates=1000)
    assert found.over is None
    by_term = {(curve.model, curve.term): curve.points[0] for curve in found.curves}
    assert set(by_term) == {
        *(("slopes", term) for term in ("x:a", "a", "F(both)", "LRT(varying)", "x")),
        ("smaller", "x"),
    } | {key for key in by_term if key[1] == "LRT(varying)"}
    assert by_term["slopes", "a"].word == "size"
    assert by_term["slopes", "F(both)"].word == "power"
    for term in ("x:a", "F(both)"):
        size = by_term["slopes", term].size
        assert abs(size.value - 0.05) < 5.0 * np.sqrt(0.05 * 0.95 / 1000)


def test_the_numbers_are_those_of_the_study(trial, curve):
    measures = trial.preview(replicates=8000, terms=["arm"]).measures
    rates = measures[measures["measure"] == "rejection"]
    assert rates["estimate"].tolist() == [point.rate.value for point in curve.points]


def test_values_that_the_grid_does_not_have(trial):
    (found,) = power(trial, terms=["arm"], over="units", values=[50, 30], replicates=100).curves
    assert [point.at for point in found.points] == [30, 50]
    assert [point.scenario.n_units for point in found.points] == [30, 50]


def test_over_an_effect(trial):
    """Minimal detectable effect: at 40 units the power of each effect is exact."""
    only = replace(
        trial,
        scenarios=trial.scenarios[3:4],
        levels=trial.levels[3:4],
        picks=trial.picks[3:4],
    )
    values = [0.25, 0.3, 0.35, 0.4]
    (found,) = power(only, terms=["arm"], over="fixed.arm", values=values, replicates=8000).curves
    exact = optimize.brentq(lambda d: exact_power(40, d) - 0.8, 0.1, 1.0)
    assert found.met.low < exact < found.met.high
    assert found.met.admissible is None


HALF = """
name: half
seed: 5
replicates: 100
truth:
  formula: y ~ z + (1 | unit)
  fixed: {(Intercept): 0, z: 0.5}
  random: {unit: {sd: {(Intercept): 0.5}}}
  residual: {sd: 1}
design:
  units: 12
  rows: 5
  covariates:
    z: {level: unit, distribution: binary, p: 0.056}
grid:
  design.units: [12, 40]
models: {m: y ~ z + (1 | unit)}
estimation: {methods: [reml]}
"""


def test_fits_without_a_test_are_in_sight(tmp_path, capsys):
    """In half of the data sets no unit has z: X'X is singular, and there is no test.

    (1 - 0.056)^12 = 0.50. The rate is that of the others, and what it would be if these counted is
    said, with their number.
    """
    file = tmp_path / "half.yaml"
    file.write_text(HALF)
    (found,) = power(Study.load(file), terms=["z"], replicates=2000).curves
    rate = found.points[0].rate
    lost = 1.0 - rate.n / rate.drawn
    assert abs(lost - 0.944**12) < 4.0 * np.sqrt(0.25 / 2000)
    assert found.points[0].failed == pytest.approx(lost)
    assert main(["power", str(file), "--term", "z", "--replicates", "2000"]) == 0
    printed = capsys.readouterr().out
    gone = rate.drawn - rate.n
    assert f"units 12: {gone:,} of 2,000 replicates have no value and do not count" in printed
    counted = re.search(r"units 12: .* counted as no rejections: (0\.\d+)", printed)[1]
    assert float(counted) == pytest.approx(rate.value * rate.n / rate.drawn, abs=6e-4)


def test_what_is_printed(tmp_path, capsys):
    file = tmp_path / "trial.yaml"
    file.write_text(TRIAL)
    figure = tmp_path / "power.png"
    assert main(["power", str(file), "--replicates", "500", "--figure", str(figure)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("trial: 5,000 data sets in ")
    assert lines[1] == "model trial, REML, arm, satterthwaite"
    assert lines[2].split()[:5] == ["units", "power", "95", "%", "interval"]
    assert any("power 0.8 at units " in line and "so 3" in line for line in lines)
    assert figure.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--term", "amr"], "did you mean 'arm'"),
        (["--over", "unitz"], "did you mean 'units'"),
        (["--over", "rows"], "design.rows is not in the grid, so it has no values"),
        (["--values", "10,20"], "together with over"),
        (["--over", "units", "--values", "10,x"], "'10,x' is no list of numbers"),
        (["--over", "units", "--values", "1,20"], "(with design.units from 1 to 20)"),
        (["--measure", "pwer"], "did you mean 'power'"),
        (["--model", "trail"], "did you mean 'trial'"),
        (["--method", "ml"], "no model is fitted so"),
        (["--replicates", "-1"], "-1 replicates"),
        (["--mcse", "-1"], "a number above 0"),
        (["--target", "1.5"], "between 0 and 1"),
        (["--cores", "0"], "0 cores"),
        (["--figure", "power.xyz"], "power.xyz"),
    ],
)
def test_mistakes(tmp_path, capsys, arguments, message):
    file = tmp_path / "trial.yaml"
    file.write_text(TRIAL)
    assert main(["power", str(file), *arguments]) == 2
    assert message in capsys.readouterr().err


UNCERTAIN = """
name: assured
seed: 7
replicates: 1000
truth:
  formula: y ~ arm + (1 | school)
  fixed: {(Intercept): 0, arm: 0.4}
  effect_sizes: {icc: 0.1, total_variance: 1}
  uncertain:
    fixed.arm: normal(0.4, 0.15)
design:
  units: 20
  rows: 20
  covariates:
    arm: {level: unit, balanced: [0, 1]}
grid:
  design.units: [20, 60]
models:
  trial: y ~ arm + (1 | school)
estimation: {methods: [reml]}
"""


def test_assurance_beside_power_and_size():
    """Assurance is the mean of power over the prior: an integral of noncentral t."""
    (found,) = power(Study.from_text(UNCERTAIN), terms=["arm"], replicates=8000).curves
    nodes, weights = np.polynomial.hermite_e.hermegauss(14)
    for point in found.points:
        over_prior = [exact_power(point.at, 0.4 + 0.15 * node) for node in nodes]
        expected = float(np.dot(weights, over_prior) / weights.sum())
        for rate, p in (
            (point.rate, expected),
            (point.certain, exact_power(point.at)),
            (point.size, 0.05),
        ):
            assert abs(rate.value - p) < 4.0 * np.sqrt(p * (1.0 - p) / 8000)
        assert (point.word, point.closed) == ("assurance", None)
        assert abs(expected - exact_power(point.at)) > 0.01  # or there were nothing to tell apart


def test_what_violated_assumptions_do_is_paired_by_data_set():
    text = TRIAL.replace("grid:\n", "robust: [ar1 0.3]\ngrid:\n").replace(
        "[20, 26, 32, 40, 60]", "[20]"
    )
    study = Study.from_text(text)
    found = power(study, terms=["arm"], replicates=1000)
    (row,) = found.violated
    estimates = study.preview(replicates=1000, terms=["arm"]).estimates.query("term == 'arm'")
    rejects = (estimates["lower"] > 0.0) | (estimates["upper"] < 0.0)
    both = estimates.assign(r=rejects.astype(float)).pivot(
        index="replicate", columns="assumptions", values="r"
    )
    gap = both["ar1 0.3"] - both["nominal"]
    assert row.difference == pytest.approx(gap.mean())
    assert row.mcse == pytest.approx(gap.std() / np.sqrt(1000))
    # Size: the same of the twins without the effect, whose estimates are lower by the effect.
    shifted = (estimates["lower"] > EFFECT) | (estimates["upper"] < EFFECT)
    both = estimates.assign(r=shifted.astype(float)).pivot(
        index="replicate", columns="assumptions", values="r"
    )
    gap = both["ar1 0.3"] - both["nominal"]
    assert row.size == pytest.approx((gap.mean(), gap.std() / np.sqrt(1000)))
