"""Uncertain parameters of a truth: exact assurances, what is drawn, rows, streams, mistakes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.integrate import quad

import hlm
from hlm.audit import Engine, choose, compare
from hlm.cli import main
from hlm.datasets import load_sleepstudy
from hlm.errors import InputError
from hlm.estimands.true_values import DIFFERS, targets
from hlm.fits import fit_batch
from hlm.operations.kept_replicates import KeptReplicates
from hlm.operations.manifest import write_manifest
from hlm.plan import Plan, make_plan
from hlm.results import ESTIMATES, PREDICTIONS, to_table
from hlm.scenario import Scenario
from hlm.simulate import draw_rows, simulate
from hlm.study import Study
from hlm.uncertain import read_prior
from tests.results import make_results, summarize_results
from tests.test_audit import by_lmer

TRIAL = """
name: trial
seed: 11
replicates: {replicates}
common_random_numbers: true
truth:
  formula: y ~ t * arm + (1 + t | unit)
  fixed: {{(Intercept): 1, t: 0.5, arm: 0, "t:arm": 0.9}}
  random: {{unit: {{sd: {{(Intercept): 1, t: 0.6}}, cor: 0.3}}}}
  residual: {{sd: 1}}
design:
  units: 24
  rows: 5
  covariates: {{t: {{level: row, grid: [0, 1, 2, 3, 4]}}, arm: {{level: unit, grid: [0, 1]}}}}
grid:
  truth.uncertain:
    power: null
    effect: {{"fixed.t:arm": "normal(0.9, 0.5)"}}
    slopes: {{"fixed.t:arm": "normal(0.9, 0.5)", random.unit.sd.t: "uniform(0.3, 1.1)"}}
models: {{full: y ~ t * arm + (1 + t | unit)}}
estimation: {{methods: [reml]}}
"""
UNITS, SXX = 24, 10.0


def power(effect, slope_sd):
    """The exact power of the t test of t:arm: each unit's own slope is normal about its arm's.

    In balanced data with one t the REML estimate is the difference of the arms' mean slopes, its
    square standard error that of two samples, with units - 2 degrees of freedom: t^2 is of
    noncentral F.
    """
    se = np.sqrt((slope_sd**2 + 1.0 / SXX) * 4.0 / UNITS)
    critical = stats.f.isf(0.05, 1, UNITS - 2)
    return float(stats.ncf.sf(critical, 1, UNITS - 2, (effect / se) ** 2))


def assurance(slope_sd, mean=0.9, sd=0.5):
    """The mean power over a normal effect."""
    prior = stats.norm(mean, sd)
    ends = mean - 8.0 * sd, mean + 8.0 * sd
    return quad(lambda effect: power(effect, slope_sd) * prior.pdf(effect), *ends, limit=200)[0]


def test_the_rate_of_rejection_is_the_exact_assurance(tmp_path):
    """Through files and summaries; beside it the power at the central values, and what is left out.

    The three scenarios' exact values differ by 20 standard errors and more.
    """
    path = tmp_path / "study.yaml"
    path.write_text(TRIAL.format(replicates=20_000), encoding="utf-8")
    folder = make_results(tmp_path, study=path)
    summarize_results(Plan.read(folder / "plan.json"), folder)
    measures = pd.read_parquet(folder / "measures.parquet")
    exact = {
        "power": power(0.9, 0.6),
        "effect": assurance(0.6),
        "slopes": quad(assurance, 0.3, 1.1)[0] / 0.8,
    }
    for level, value in exact.items():
        of_term = measures[(measures["uncertain"] == level) & (measures["term"] == "t:arm")]
        found = of_term.set_index("measure")
        assert found.loc["rejection", "n"] == 20_000
        error = np.sqrt(value * (1.0 - value) / 20_000)
        assert abs(found.loc["rejection", "estimate"] - value) < 4.0 * error
        assert_allclose(found.loc["rejection", "mcse"], error, rtol=0.05)
        of_one_truth = {"bias", "rmse", "coverage", "relative_error_se", "bias_eliminated_coverage"}
        assert of_one_truth & {*found.index} == (of_one_truth if level == "power" else set())
        # arm is 0 in every data set: its test has its size, and its estimate a bias
        arm = measures[(measures["uncertain"] == level) & (measures["term"] == "arm")]
        arm = arm.set_index("measure")
        assert abs(arm.loc["rejection", "estimate"] - 0.05) < 4.0 * np.sqrt(0.05 * 0.95 / 20_000)
        assert {"bias", "coverage", "relative_error_se"} <= {*arm.index}
    values = np.array([*exact.values()])
    assert (np.abs(np.subtract.outer(values, values))[np.triu_indices(3, 1)] > 0.02).all()
    # The estimates scatter by chance and by the truth's sd 0.5
    spread = measures[(measures["uncertain"] == "effect") & (measures["term"] == "t:arm")]
    se = spread.set_index("measure").loc["empirical_se", "estimate"]
    total = np.sqrt((0.6**2 + 1.0 / SXX) * 4.0 / UNITS + 0.5**2)
    assert abs(se / total - 1.0) < 4.0 / np.sqrt(2.0 * 20_000)


COVARIATES = "x: {level: row, distribution: normal, mean: 0.5}, a: {level: unit}"
PATHS = {
    "plain": ("12", COVARIATES, ""),
    "unequal": ("{list: [6, 9, 12, 15]}", COVARIATES, ""),
    "drawn rows": ("{poisson: 12}", COVARIATES, ""),
    "missing": (
        "12",
        COVARIATES,
        "\n  missing: {rows: 0.2, logistic: {(Intercept): -2, 'y': 0.3}}",
    ),
    "fixed rows": ("12", "x: {level: row, grid: {from: 0, to: 11}}, a: {level: unit}", ""),
}
STUDY = """
name: uncertain
seed: 5
replicates: 12
common_random_numbers: true
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {{(Intercept): 1, x: 0.3, a: 0.2, "x:a": 0.1}}
  random: {{unit: {{sd: {{(Intercept): 0.9, x: 0.7}}, cor: 0.3}}}}
  residual: {{sd: 0.8}}
  uncertain: {uncertain}
design:
  units: 40
  rows: {rows}
  covariates: {{{covariates}}}{more}
models:
  full: y ~ x * a + (1 + x | unit)
  less: y ~ x + (1 | unit)
estimation: {{methods: [reml, ml], predictions: {predictions}, lrt: [a]}}
"""
ALL = (
    '{fixed.x: "normal(0.3, 0.4)", "fixed.x:a": "lognormal(-2, 1)", '
    'residual.sd: "uniform(0.5, 1)", random.unit.cor: "uniform(-0.5, 0.8)", '
    'random.unit.sd.x: "truncated_normal(0.7, 0.1, 0.3, 2)"}'
)


def study_of(path="plain", uncertain=ALL, predictions="false"):
    rows, covariates, more = PATHS[path]
    text = STUDY.format(
        uncertain=uncertain, rows=rows, covariates=covariates, more=more, predictions=predictions
    )
    return Study.from_text(text)


def truth_of(scenario, study, replicate):
    """The certain scenario with the parameters of one replicate, drawn as its block's."""
    from hlm.simulate.draws import Seeds

    block = replicate // scenario.block
    drawn = Seeds(scenario, study.seed, block).truths()
    first = replicate % scenario.block
    return scenario.with_truth(drawn.part(first, first + 1))


@pytest.mark.parametrize("path", PATHS)
def test_a_replicate_is_that_of_a_study_with_its_own_truth(path):
    """Row by row: all other random numbers are those of a scenario without uncertainty."""
    study = study_of(path)
    (scenario,) = study.scenarios
    truths = []
    for replicate in (0, 7, 1003):
        own = truth_of(scenario, study, replicate)
        found, wanted = (draw_rows(one, study.seed, replicate) for one in (scenario, own))
        assert found.keys() == wanted.keys()
        for name, values in found.items():
            assert_allclose(values, wanted[name], rtol=1e-13, atol=1e-13)
        truths.append((*own.fixed, *own.sd, own.cor[0][1], own.sigma))
    assert len(set(truths)) == 3


@pytest.mark.parametrize("path", PATHS)
def test_the_fit_is_that_of_the_rows(path):
    """Replayed rows through lmer: the estimates are those that were kept."""
    study = study_of(path)
    (scenario,) = study.scenarios
    drawn = simulate(scenario, study.models, study.seed, 996, 1004)
    tables = fit_batch(scenario, study.models, drawn)
    kept = to_table(tables["estimates"], ESTIMATES).to_pandas()
    tests = tables["tests"]
    for replicate in (996, 1000, 1003):
        rows = pd.DataFrame(draw_rows(scenario, study.seed, replicate))
        for model in study.models:
            for method in model.methods:
                fit = hlm.lmer(model.formula, rows, method == "reml")
                own = kept[
                    (kept["replicate"] == replicate)
                    & (kept["model"] == model.name)
                    & (kept["method"] == method)
                ]
                assert not fit.singular
                assert_allclose(own["estimate"], [*fit.beta, *fit.random[0]], rtol=1e-8, atol=1e-8)
                assert_allclose(own["se"], [*fit.se, *fit.random[1]], rtol=1e-6)
    # The likelihood-ratio test of a in `full`, whose smaller model lacks part of the truth
    statistic = pd.DataFrame({"replicate": tests["replicate"], "statistic": tests["statistic"]})
    rows = pd.DataFrame(draw_rows(scenario, study.seed, 1000))
    large, small = (
        hlm.lmer(f"y ~ {fixed} + (1 + x | unit)", rows, reml=False)
        for fixed in ("x * a", "x + x:a")
    )
    found = statistic[statistic["replicate"] == 1000]["statistic"].iloc[0]
    assert_allclose(found, small.criterion - large.criterion, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("path", ["plain", "missing"])
def test_predictions_are_held_against_the_replicates_own_coefficients(path):
    study = study_of(path, predictions="true")
    (scenario,) = study.scenarios

    def errors(one, first, stop):
        drawn = simulate(one, study.models, study.seed, first, stop)
        table = fit_batch(one, study.models, drawn)["predictions"]
        return to_table(table, PREDICTIONS).to_pandas()

    found = errors(scenario, 0, 6)
    for replicate in (0, 5):
        wanted = errors(truth_of(scenario, study, replicate), replicate, replicate + 1)
        own = found[found["replicate"] == replicate]
        assert_array_equal(own["predictor"], wanted["predictor"])
        assert_allclose(own["mse"], wanted["mse"], rtol=1e-6)


@pytest.mark.parametrize("path", PATHS)
def test_no_bit_depends_on_the_range(path):
    study = study_of(path)
    (scenario,) = study.scenarios
    whole = simulate(scenario, study.models, study.seed, 0, 1010).cross
    for first, stop in ((0, 3), (3, 10), (998, 1002), (1009, 1010)):
        part = simulate(scenario, study.models, study.seed, first, stop).cross
        for name in ("response", "sum_squares", "n_obs"):
            assert_array_equal(getattr(part, name), getattr(whole, name)[first:stop])


@pytest.mark.parametrize("path", PATHS)
def test_a_degenerate_distribution_is_the_certain_study(path):
    """Parameters that hardly differ from the truth's give its estimates, by common numbers."""
    tiny = (
        '{fixed.x: "normal(0.3, 1e-13)", "fixed.x:a": "normal(0.1, 1e-13)", '
        'residual.sd: "lognormal(-0.2231435513142097, 1e-13)", '
        'random.unit.sd.x: "lognormal(-0.35667494393873245, 1e-13)", '
        'random.unit.cor: "tanh_normal(0.30951960420311175, 1e-13)"}'
    )
    certain, uncertain = (study_of(path, uncertain=text) for text in ("null", tiny))
    found, wanted = (
        to_table(
            fit_batch(
                study.scenarios[0],
                study.models,
                simulate(study.scenarios[0], study.models, study.seed, 0, 12),
            )["estimates"],
            ESTIMATES,
        ).to_pandas()
        for study in (uncertain, certain)
    )
    assert_allclose(found["estimate"], wanted["estimate"], rtol=1e-6, atol=1e-6)
    fixed = ~found["term"].str.contains("_|sigma")
    assert_allclose(found["estimate"][fixed], wanted["estimate"][fixed], rtol=1e-8, atol=1e-8)
    assert certain.scenarios[0].key == study_of(path, uncertain="{}").scenarios[0].key


def test_the_pilot_says_how_uncertain_its_estimates_are():
    """Against lmer's own covariances, by the delta method of this test, from 400,000 draws."""
    data = load_sleepstudy()
    fit = hlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    (scenario,) = pilot().scenarios
    drawn = scenario.truths(np.random.default_rng(1), 400_000)
    error = 4.0 / np.sqrt(400_000)
    assert_allclose(drawn.fixed.mean(axis=0), fit.beta, atol=error * fit.se.max())
    assert_allclose(np.cov(drawn.fixed.T), fit.vcov, rtol=0.02, atol=0.02)
    cor = drawn.cor[:, 1, 0]
    scales = [np.log(drawn.sd[:, 0]), np.arctanh(cor), np.log(drawn.sd[:, 1]), np.log(drawn.sigma)]
    estimate, se = fit.random
    sd0, rho, sd1, sigma = estimate
    centres = np.array([np.log(sd0), np.arctanh(rho), np.log(sd1), np.log(sigma)])
    ses = se / [sd0, 1.0 - rho**2, sd1, sigma]
    assert_allclose(np.mean(scales, axis=1), centres, atol=error * ses.max())
    assert_allclose(np.std(scales, axis=1), ses, rtol=0.01)
    # d(log sd, z, log sigma) / d(var_0, cov, var_1, sigma^2)
    var0, cov, var1, s2 = sd0**2, rho * sd0 * sd1, sd1**2, sigma**2
    z = 1.0 / (1.0 - rho**2)
    J = np.array(
        [
            [0.5 / var0, 0.0, 0.0, 0.0],
            [-0.5 * z * rho / var0, z * rho / cov, -0.5 * z * rho / var1, 0.0],
            [0.0, 0.0, 0.5 / var1, 0.0],
            [0.0, 0.0, 0.0, 0.5 / s2],
        ]
    )
    wanted = J @ fit.vcov_random().to_numpy() @ J.T
    correlations = wanted / np.outer(ses, ses)
    assert_allclose(np.corrcoef(scales), correlations, atol=1.5 * error)
    assert np.abs(correlations - np.eye(4)).max() > 0.2
    assert abs(np.corrcoef(drawn.fixed[:, 0], scales[0])[0, 1]) < error


def pilot(more="", fit='data: sleepstudy, formula: "Reaction ~ Days + (Days | Subject)"'):
    text = f"""
name: pilot
seed: 3
replicates: 10
truth:
  fit: {{{fit}}}
  uncertain: {{from: fit}}
  {more}
design: {{from: sleepstudy}}
models: {{full: "Reaction ~ Days + (Days | Subject)"}}
"""
    return Study.from_text(text)


def test_three_correlated_effects_have_partial_correlations(tmp_path):
    """Their scales and covariance by finite differences of another formula for the partial one."""
    data = load_sleepstudy()
    data["z"] = np.tile([0.0, 1.0], len(data) // 2)
    rng = np.random.default_rng(4)
    units = data["Subject"].astype("category").cat.codes
    data["Reaction"] += np.where(data["z"] == 1.0, rng.normal(0, 40, units.max() + 1)[units], 0.0)
    data.to_csv(tmp_path / "own.csv", index=False)
    formula = "Reaction ~ Days + z + (1 + Days + z | Subject)"
    fit = hlm.lmer(formula, data)
    assert not fit.singular
    text = f"""
name: pilot
seed: 3
replicates: 10
truth: {{fit: {{data: own.csv, formula: "{formula}"}}, uncertain: {{from: fit}}}}
design: {{from: own.csv}}
models: {{full: "{formula}"}}
"""
    (scenario,) = Study.from_text(text, file=tmp_path / "s.yaml").scenarios

    def scales(eta):
        psi = np.zeros((3, 3))
        psi[np.tril_indices(3)[1], np.tril_indices(3)[0]] = 0.0
        for value, (a, b) in zip(eta, fit.frame.terms.elements, strict=False):
            psi[a, b] = psi[b, a] = value
        sd = np.sqrt(np.diag(psi))
        r = psi / np.outer(sd, sd)
        partial = (r[2, 1] - r[2, 0] * r[1, 0]) / np.sqrt((1 - r[2, 0] ** 2) * (1 - r[1, 0] ** 2))
        return np.array(
            [*np.log(sd), *np.arctanh([r[1, 0], r[2, 0], partial]), np.log(eta[-1]) / 2.0]
        )

    eta = np.array([fit.psi[a, b] for a, b in fit.frame.terms.elements] + [fit.sigma**2])
    J = np.empty((7, 7))
    for k in range(7):
        step = np.zeros(7)
        step[k] = 1e-4 * np.sqrt(fit.vcov_random().to_numpy()[k, k])
        J[:, k] = (scales(eta + step) - scales(eta - step)) / (2.0 * step[k])
    wanted = J @ fit.vcov_random().to_numpy() @ J.T
    n = 200_000
    drawn = scenario.truths(np.random.default_rng(1), n)
    r = drawn.cor
    partial = (r[:, 2, 1] - r[:, 2, 0] * r[:, 1, 0]) / np.sqrt(
        (1 - r[:, 2, 0] ** 2) * (1 - r[:, 1, 0] ** 2)
    )
    found = [*np.log(drawn.sd.T), *np.arctanh([r[:, 1, 0], r[:, 2, 0], partial])]
    found.append(np.log(drawn.sigma))
    se = np.sqrt(np.diag(wanted))
    assert_allclose(np.mean(found, axis=1), scales(eta), atol=4.0 * se.max() / np.sqrt(n))
    assert_allclose(np.std(found, axis=1), se, rtol=0.015)
    assert_allclose(np.corrcoef(found), wanted / np.outer(se, se), atol=6.0 / np.sqrt(n))
    assert (np.linalg.eigvalsh(r[:1000])[:, 0] > 0.0).all()


def test_what_is_written_beside_the_fit_is_not_drawn():
    (scenario,) = pilot("fixed: {Days: 5}\n  random: {Subject: {cor: 0}}").scenarios
    drawn = {(one.part, one.place) for one in scenario.uncertain.parameters}
    assert drawn == {("fixed", (0,)), ("sd", (0,)), ("sd", (1,)), ("sigma", ())}
    truth = scenario.truths(np.random.default_rng(1), 100)
    assert (truth.fixed[:, 1] == 5.0).all()
    assert truth.root is None


def test_what_is_at_the_boundary_stays_there(tmp_path):
    data = load_sleepstudy()
    rng = np.random.default_rng(8)
    data["Reaction"] = 100.0 + rng.normal(size=len(data))
    fit = hlm.lmer("Reaction ~ Days + (Days || Subject)", data)
    zero = [name for name, sd in zip(fit.terms[2:4], fit.random[0], strict=False) if sd == 0.0]
    assert zero
    data.to_csv(tmp_path / "own.csv", index=False)
    text = """
name: pilot
seed: 3
replicates: 10
truth:
  fit: {data: own.csv, formula: "Reaction ~ Days + (Days || Subject)"}
  uncertain: {from: fit}
design: {from: own.csv}
models: {full: "Reaction ~ Days + (Days | Subject)"}
"""
    study = Study.from_text(text, file=tmp_path / "s.yaml")
    (scenario,) = study.scenarios
    drawn = scenario.truths(np.random.default_rng(1), 50)
    named = [f"sd_{name}|Subject" for name in ("(Intercept)", "Days")]
    for place, name in enumerate(named):
        assert (name in zero) == (drawn.sd[:, place] == 0.0).all()
    (remark,) = [one for source in study.sources for one in source.remarks if "boundary" in one]
    for name in zero:
        assert f"random.Subject.sd.{name[3:].partition('|')[0]}" in remark


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("normal(0.3, 0.1)", stats.norm(0.3, 0.1)),
        ("lognormal(-1, 0.5)", stats.lognorm(0.5, scale=np.exp(-1))),
        ("uniform(0.1, 0.5)", stats.uniform(0.1, 0.4)),
        ("truncated_normal(0.5, 0.4, 0, 1)", stats.truncnorm(-1.25, 1.25, 0.5, 0.4)),
        ("truncated_normal(0, 1, 2, 4)", stats.truncnorm(2, 4)),
        ("truncated_normal(0, 1, -9, -3)", stats.truncnorm(-9, -3)),
        ("beta(2, 8)", stats.beta(2, 8)),
    ],
)
def test_distributions_are_scipys(text, known):
    prior = read_prior(text)
    for probability in (0.001, 0.05, 0.5, 0.9, 0.999):
        assert_allclose(prior.quantile(probability), known.ppf(probability), rtol=1e-9)
    assert_allclose(prior.expected, known.mean(), rtol=1e-6)


def test_fishers_z_is_normal():
    prior = read_prior("tanh_normal(0.5, 0.2)")
    assert_allclose(np.arctanh(prior.quantile(0.975)), 0.5 + 0.2 * stats.norm.ppf(0.975))


def test_true_values_are_those_that_do_not_differ():
    study = study_of()
    (scenario,) = study.scenarios
    full, less = ({t.term: t for t in targets(scenario, model)} for model in study.models)
    assert {name for name, one in full.items() if one.reason == DIFFERS} == {
        *("x", "x:a", "cor_x.(Intercept)|unit", "sd_x|unit", "sigma"),
    }
    assert (full["(Intercept)"].true, full["a"].true, full["sd_(Intercept)|unit"].true) == (
        1,
        0.2,
        0.9,
    )
    assert less["x"].reason == DIFFERS
    assert "x:a" in less["(Intercept)"].left_out


def test_a_coefficient_of_zero_that_is_drawn_is_part_of_the_truth():
    """A model without it is the truth less a term, and the test of it has no true hypothesis."""
    (scenario,) = study_of(uncertain='{fixed.a: "normal(0, 0.1)"}').scenarios
    zero = replace(scenario, fixed=tuple((k, 0.0 if k == "a" else v) for k, v in scenario.fixed))
    model = study_of().models[1]
    assert "a" in {t.term: t for t in targets(zero, model)}["(Intercept)"].left_out
    full = study_of().models[0]
    tests = [t for t in targets(zero, full) if t.kind == "ratio_test"]
    assert tests
    assert all(np.isnan(t.true) for t in tests)


def test_a_scenario_with_uncertainty_is_kept_in_plans(tmp_path):
    study = study_of()
    (scenario,) = study.scenarios
    assert Scenario.from_dict(json.loads(json.dumps(scenario.to_dict()))) == scenario
    assert "uncertain" not in study_of(uncertain="null").scenarios[0].to_dict()
    plan = make_plan(study)
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json").scenarios == plan.scenarios


def test_commands(tmp_path, capsys):
    """The check prints mean and quantiles; verification and audit find nothing wrong."""
    text = STUDY.format(
        uncertain=ALL, rows="12", covariates=COVARIATES, more="", predictions="false"
    )
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    assert main(["check", str(path)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "drawn for each data set mean 5 % 95 % distribution" in lines
    assert "x 0.3 -0.3579 0.9579 normal(0.3, 0.4)" in lines
    assert "sigma 0.75 0.525 0.975 uniform(0.5, 1)" in lines
    folder = make_results(tmp_path, study=path)
    write_manifest(Plan.read(folder / "plan.json"), folder, study=path)
    assert main(["verify", str(folder)]) == 0
    capsys.readouterr()
    results = KeptReplicates(folder)
    sets = choose(results, 6, np.random.default_rng(1))
    of_sets = [draw_rows(one.scenario, results.plan.seed, one.replicate) for one in sets]
    table = compare(results, sets, of_sets, Engine("own", "1", by_lmer))
    assert table["replayed"].abs().max() < 1e-7
    assert main(["replay", str(path), "1", "3"]) == 0
    shown = capsys.readouterr().out
    study = Study.load(path)
    rows = draw_rows(study.scenarios[0], study.seed, 3)
    assert f"{rows['y'][0]:.6f}"[:6] in shown


PATHS_OF_TRUTH = (
    "fixed.(Intercept), fixed.x, fixed.a, fixed.x:a, random.unit.sd.(Intercept), "
    "random.unit.sd.x, random.unit.cor, residual.sd"
)


@pytest.mark.parametrize(
    ("uncertain", "message"),
    [
        (
            '{fixed.a:x: "normal(0, 1)"}',
            (
                "truth.uncertain.fixed.a:x: 'fixed.a:x' is no parameter of the truth\n"
                f"  allowed: {PATHS_OF_TRUTH}\n  did you mean 'fixed.x:a'?"
            ),
        ),
        (
            '{truth.fixed.x: "normal(0, 1)"}',
            (
                "truth.uncertain.truth.fixed.x: 'truth.fixed.x' is no parameter of the truth\n"
                f"  allowed: {PATHS_OF_TRUTH}\n  did you mean 'fixed.x'?"
            ),
        ),
        (
            '{fixed.x: "gaussian(0, 1)"}',
            "did you mean 'normal(0.3, 0.1)'?",
        ),
        ('{fixed.x: "normal(0.3)"}', "truth.uncertain.fixed.x: 'normal(0.3)' does not have 2"),
        ('{fixed.x: "normal(0.3, 0)"}', "there is no normal(0.3, 0): its sd is not above 0"),
        ('{fixed.x: "uniform(1, 0.5)"}', "its least value is not below its greatest"),
        ("{fixed: {x: 1}}", "the whole path of a parameter, such as fixed.x: normal(0.3, 0.1)"),
        (
            '{residual.sd: "normal(0.5, 0.1)"}',
            (
                "truth.uncertain.residual.sd: 'normal(0.5, 0.1)' may be negative, which a standard "
                "deviation is not\n  allowed: lognormal, uniform, truncated_normal, beta, all "
                "values 0 or more\n  did you mean 'lognormal(-0.7128, 0.198)'?"
            ),
        ),
        (
            '{random.unit.cor: "normal(0.5, 0.1)"}',
            "truth.uncertain.random.unit.cor: 'normal(0.5, 0.1)' may be beyond -1 or 1",
        ),
        ("{from: fit}", "truth.uncertain.from: there is no fit in the truth"),
        ("{from: pilot}", "truth.uncertain.from: 'pilot' is not allowed\n  allowed: fit"),
        (
            '{effect_sizes.icc: "uniform(0.05, 0.2)"}',
            (
                "truth.uncertain.effect_sizes.icc: an effect size is not drawn: the raw values "
                "follow from it once\n  allowed: the path of a raw value: fixed.(Intercept)"
            ),
        ),
        (
            "{from: {names: [fixed.x, fixed.b], se: [1], cor: [[1, 2], [2, 1]]}}",
            "truth.uncertain.from.names[1]: 'fixed.b' is no parameter",
        ),
        (
            "{from: {names: [fixed.x, fixed.a], se: [1, 1], cor: [[1, 2], [2, 1]]}}",
            "truth.uncertain.from.cor: the correlation 2 is not allowed",
        ),
    ],
)
def test_mistakes(uncertain, message):
    with pytest.raises(InputError) as caught:
        study_of(uncertain=uncertain)
    assert message in str(caught.value)


def test_all_mistakes_are_said():
    with pytest.raises(InputError) as caught:
        study_of(uncertain='{fixed.b: "normal(0, 1)", residual.sd: "normal(1, 1)", from: fit}')
    assert [one.path for one in caught.value.errors] == [
        *("truth.uncertain.fixed.b", "truth.uncertain.residual.sd", "truth.uncertain.from"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "models:",
            "grid: {truth.fixed.x: [0, 0.3]}\nmodels:",
            "grid.truth.fixed.x: 'truth.fixed.x' is varied here, and drawn by truth.uncertain",
        ),
        (
            "models:",
            "grid: {truth.random.unit.cor: [0, 0.3]}\nmodels:",
            "grid.truth.random.unit.cor: 'truth.random.unit.cor' is varied here, and drawn",
        ),
        (
            "a: 0.2, ",
            "a: 0.2, ",
            None,
        ),
        (
            "x: 0.3, a: 0.2",
            "a: 0.2",
            "'fixed.x' has its value by truth.effect_sizes",
        ),
        ("cor: 0.3}", "cor: 0.3, dependence: copula}", "joined by a copula is not drawn"),
    ],
)
def test_mistakes_beside_other_keys(old, new, message):
    text = STUDY.format(
        uncertain=ALL, rows="12", covariates=COVARIATES, more="", predictions="false"
    ).replace(old, new)
    if "effect_sizes" in str(message):
        text = text.replace("  residual:", "  effect_sizes: {d: {x: 0.3}}\n  residual:")
    if message is None:
        assert Study.from_text(text).scenarios
        return
    with pytest.raises(InputError) as caught:
        Study.from_text(text)
    assert message in str(caught.value)


def test_coefficients_are_drawn_beside_effect_sizes():
    text = STUDY.format(
        uncertain='{fixed.x: "normal(0.3, 0.1)"}',
        rows="12",
        covariates=COVARIATES,
        more="",
        predictions="false",
    ).replace("(Intercept): 0.9, x: 0.7", "x: 0.7")
    text = text.replace("  residual:", "  effect_sizes: {icc: 0.2}\n  residual:")
    (scenario,) = Study.from_text(text).scenarios
    assert_allclose(scenario.sd[0], 0.4)
    assert scenario.uncertain_coefficients == (1,)
    with pytest.raises(InputError, match=r"is drawn, and truth\.effect_sizes rest"):
        Study.from_text(text.replace('fixed.x: "normal(0.3, 0.1)"', 'residual.sd: "beta(2, 8)"'))


def test_a_grid_varies_distributions():
    text = STUDY.format(
        uncertain='{fixed.x: "normal(0.3, 0.1)"}',
        rows="12",
        covariates=COVARIATES,
        more="",
        predictions="false",
    ).replace(
        "models:",
        'grid: {truth.uncertain.fixed.x: ["normal(0.3, 0.1)", "normal(0.3, 0.2)"]}\nmodels:',
    )
    found = [one.uncertain.parameters[0].prior.sd for one in Study.from_text(text).scenarios]
    assert found == [0.1, 0.2]
    with pytest.raises(InputError, match="'norm' is no distribution") as caught:
        Study.from_text(text.replace('"normal(0.3, 0.2)"', '"norm"'))
    assert "grid.truth.uncertain.fixed.x" in str(caught.value)


def test_a_grid_has_power_beside_assurance_from_a_fit():
    text = """
name: pilot
seed: 3
replicates: 10
truth: {fit: {data: sleepstudy, formula: "Reaction ~ Days + (Days | Subject)"}}
design: {from: sleepstudy}
grid: {truth.uncertain: {power: null, assurance: {from: fit}}}
models: {full: "Reaction ~ Days + (Days | Subject)"}
"""
    power_, assured = Study.from_text(text).scenarios
    assert power_.uncertain is None
    assert assured.uncertain == pilot().scenarios[0].uncertain
    without = Study.from_text(text.replace("grid:", "# grid:")).scenarios[0]
    assert without.key == power_.key
