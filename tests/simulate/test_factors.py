"""Categorical covariates, factors and balanced arms, from the study file to estimates."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from math import sqrt

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from hlm import lmer
from hlm.audit.lme4 import fit_with_lme4, lme4_version
from hlm.cli import main
from hlm.distributions import Balanced, Binary, Categories, Points
from hlm.errors import InputError
from hlm.estimands.true_values import targets
from hlm.fits import fit_batch
from hlm.formula import formula_in, model_columns, parse, terms_in
from hlm.plan import make_plan
from hlm.plan.plan import Plan
from hlm.plan.report import figure_names
from hlm.scenario import BLOCK, Covariate, Model, Scenario
from hlm.simulate import draw, draw_rows, simulate
from hlm.study import Study

STUDY = """
name: factors
seed: 5
replicates: 400
truth:
  formula: y ~ school * x + factor(dose) + arm3 + arm + (1 + x | unit)
  fixed:
    (Intercept): 1
    schoolcatholic: 0.3
    schoolother: -0.2
    x: 0.5
    factor(dose)5: 0.4
    factor(dose)10: 0.7
    arm3control: -0.1
    arm3drug: 0.2
    arm: 0
    "schoolcatholic:x": 0.1
    "schoolother:x": -0.3
  random: {unit: {sd: {(Intercept): 0.5, x: 0.4}, cor: 0.3}}
  residual: {sd: 0.8}
design:
  units: 31
  rows: 8
  covariates:
    school: {level: unit, categories: {public: 0.5, catholic: 0.3, other: 0.2}, reference: public}
    dose: {level: row, categories: {0: 0.4, 5: 0.3, 10: 0.3}}
    arm: {level: unit, balanced: [0, 1]}
    arm3: {level: row, balanced: [control, drug, both]}
    x: {level: row}
models:
  full: y ~ school * x + factor(dose) + arm3 + arm + (1 + x | unit)
  cells: y ~ 0 + school + school:x + factor(dose) + arm3 + factor(arm) + (1 + x || unit)
  slopes: y ~ school * factor(dose) + x + (0 + arm3 | unit)
estimation: {df: satterthwaite, tests: {arm: [arm], school: [school], dose: ["factor(dose)"]}}
"""


def study(**changes):
    tree = yaml.safe_load(STUDY)
    for path, value in changes.items():
        at = tree
        *keys, last = path.split("__")
        for key in keys:
            at = at[key]
        at[last] = value
    return Study.from_text(yaml.safe_dump(tree, sort_keys=False))


def frame(table):
    return pd.DataFrame({name: np.asarray(column) for name, column in table.items()})


# names


COVARIATES = (
    Covariate("s", "unit", Categories((0.0, 1.0, 2.0), (0.5, 0.3, 0.2),
                                      ("public", "catholic", "other"))),
    Covariate("arm", "unit", Balanced.of((0.0, 1.0, 2.0), ("drug", "both", "control"))),
    Covariate("dose", "row", Categories((0.0, 5.0, 10.0), (0.4, 0.3, 0.3))),
    Covariate("x", "row"),
)  # fmt: skip

R_NAMES = [  # colnames(model.matrix(formula, data)) of R 4.3
    ("s", "(Intercept) scatholic sother"),
    ("factor(dose)", "(Intercept) factor(dose)5 factor(dose)10"),
    ("s * x", "(Intercept) scatholic sother x scatholic:x sother:x"),
    ("0 + s", "spublic scatholic sother"),
    ("0 + x + s + arm", "x spublic scatholic sother armboth armcontrol"),
    ("x:s", "(Intercept) x:spublic x:scatholic x:sother"),
    ("s + s:arm", ("(Intercept) scatholic sother spublic:armboth scatholic:armboth "
     "sother:armboth spublic:armcontrol scatholic:armcontrol sother:armcontrol")),
    ("s * factor(dose)", ("(Intercept) scatholic sother factor(dose)5 factor(dose)10 "
     "scatholic:factor(dose)5 sother:factor(dose)5 scatholic:factor(dose)10 "
     "sother:factor(dose)10")),
    ("0 + factor(dose):x", "factor(dose)0:x factor(dose)5:x factor(dose)10:x"),
    ("0 + x:arm + s", "spublic scatholic sother x:armdrug x:armboth x:armcontrol"),
    ("factor(s) + arm", "(Intercept) factor(s)catholic factor(s)other armboth armcontrol"),
    ("I(x^2):arm + s/x", ("(Intercept) scatholic sother I(x^2):armdrug I(x^2):armboth "
     "I(x^2):armcontrol spublic:x scatholic:x sother:x")),
    ("dose + s", "(Intercept) dose scatholic sother"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), R_NAMES, ids=[text for text, _ in R_NAMES])
def test_names_are_rs(text, names):
    """And columns those of the formula for data, of which R's rule has been tested."""
    formula = formula_in(f"y ~ {text} + (1 | g)", COVARIATES)
    assert [term.name for term in formula.fixed] == names.split()
    assert formula.text == f"y ~ {text} + (1 | g)"
    codes = {c.name: c.distribution.draw(np.random.default_rng(3), (50,)) for c in COVARIATES}
    labels = {
        c.name: pd.Series(
            pd.Categorical.from_codes(codes[c.name].astype(int), c.distribution.labels)
        )
        for c in COVARIATES
        if c.distribution.labels
    }
    wanted = model_columns(parse(f"y ~ {text} + (1 | g)").fixed, codes | labels)
    assert wanted[0] == names.split()
    assert_array_equal(model_columns(formula.fixed, codes)[1], wanted[1])


def test_random_terms_have_rs_coding():
    """As lme4's: with an intercept contrasts, without all levels, also under two bars."""
    formula = formula_in("y ~ x + (1 + s | g)", COVARIATES)
    assert [term.name for term in formula.effects] == ["(Intercept)", "scatholic", "sother"]
    formula = formula_in("y ~ x + (1 + s || g)", COVARIATES)
    assert formula.blocks == (1, 3)
    assert [term.name for term in formula.effects[1:]] == ["spublic", "scatholic", "sother"]


def test_a_formula_without_factors_is_as_it_was():
    text = "y ~ dose * x + (1 | g)"
    assert formula_in(text, COVARIATES) is parse(text)


def test_names_of_grids_and_binary_covariates():
    covariates = [
        Covariate("t", "row", Points((0.5, 1e5, -1.0, 0.5))),
        Covariate("b", "unit", Binary(0.2)),
    ]
    formula = formula_in("y ~ factor(t) + factor(b) + (1 | g)", covariates)
    names = ["(Intercept)", "factor(t)0.5", "factor(t)1e+05", "factor(b)1"]
    assert [term.name for term in formula.fixed] == names


def test_labels_are_sorted_as_r_sorts_them_and_a_reference_comes_first():
    spec = {"level": "unit", "balanced": ["b", "a", "C", "d"]}
    found = study(design__covariates__extra=spec).scenarios[0].covariates
    assert found[3].name == "extra"
    assert found[3].distribution.labels == ("C", "a", "b", "d")
    found = study(design__covariates__extra={**spec, "reference": "b"}).scenarios[0].covariates
    assert found[3].distribution.labels == ("b", "C", "a", "d")


# what is drawn


def test_shares_and_moments():
    """By hand: dose has mean 0.3 * 5 + 0.3 * 10 = 4.5 and variance 7.5 + 30 - 4.5^2 = 17.25."""
    dose = Categories((0.0, 5.0, 10.0), (0.4, 0.3, 0.3))
    drawn = dose.draw(np.random.default_rng(1), (200_000,))
    assert (dose.mean, dose.variance) == pytest.approx((4.5, 17.25))
    for level, share in zip(dose.levels, dose.shares, strict=True):
        assert abs((drawn == level).mean() - share) < 4 * sqrt(share * (1 - share) / 200_000)
    assert dose.skewness == pytest.approx(stats.skew(drawn), abs=0.01)
    assert dose.kurtosis == pytest.approx(stats.kurtosis(drawn, fisher=False), abs=0.01)
    assert Counter(dose.example(np.random.default_rng(1), (3, 4)).ravel()) == {0: 4, 5: 4, 10: 4}


@pytest.mark.parametrize("n", [2, 3, 7, 31])
def test_arms_are_balanced_and_at_random(n):
    """Each place has each arm as often, each arm one more as often, and pairs are as of an urn."""
    arms, k, sets = Balanced.of((0.0, 1.0, 2.0)), 3, 30_000
    found = arms.arranged(np.random.default_rng(4), (sets, n))
    counts = np.stack([(found == level).sum(axis=1) for level in arms.levels], axis=1)
    assert np.ptp(counts, axis=1).max() <= 1
    at_place = np.stack([(found == level).mean(axis=0) for level in arms.levels])
    assert np.abs(at_place - 1 / k).max() < 5 * sqrt(2 / 9 / sets)
    if n % k:
        more = (counts == n // k + 1).mean(axis=0)
        assert_allclose(more, (n % k) / k, atol=5 * sqrt(0.25 / sets))
    # Two places have one arm with the chance sum of c (c - 1) / (n (n - 1)) over the arms
    same = (found[:, 0] == found[:, -1]).mean()
    chance = (counts[0] * (counts[0] - 1)).sum() / (n * (n - 1))
    assert abs(same - chance) < 5 * sqrt(0.25 / sets)


@pytest.mark.parametrize("rows", [8, (3, 8, 1, 5, 8, 2, 7)], ids=["equal", "unequal"])
def test_rows_are_balanced_within_each_unit(rows):
    arms = (
        Covariate("r", "row", Balanced.of((0.0, 1.0, 2.0))),
        Covariate("u", "unit", Balanced.of((0.0, 1.0))),
    )
    one = Scenario("0123456789abcdef", 7, rows, arms, "y ~ r + (1 | g)",
                   (("(Intercept)", 1.0), ("r", 0.0)), (0.5,), ((1.0,),), 1.0)  # fmt: skip
    seen = Counter()
    for replicate in range(60):
        data = pd.DataFrame(draw_rows(one, 1, replicate))
        counts = pd.crosstab(data["g"], data["r"])
        assert (counts.max(axis=1) - counts.reindex(columns=[0, 1, 2], fill_value=0).min(axis=1)
                ).max() <= 1  # fmt: skip
        units = data.groupby("g")["u"].first()
        assert sorted(Counter(units).values()) == [3, 4]
        seen[tuple(units)] += 1
    assert len(seen) > 40


@pytest.mark.parametrize("rows", [8, {"list": [8] * 30 + [3]}], ids=["equal", "unequal"])
def test_a_replicate_is_the_same_from_any_range(rows, monkeypatch):
    found = study(design__rows=rows)
    (scenario,) = found.scenarios
    whole = simulate(scenario, found.models, 5, 0, BLOCK + 30).cross
    monkeypatch.setattr("hlm.simulate.draws.CHUNK_VALUES", 2000)
    for start, stop in ((0, 3), (17, 18), (BLOCK - 2, BLOCK + 3)):
        part = simulate(scenario, found.models, 5, start, stop).cross
        for name, array in part._asdict().items():
            full = getattr(whole, name)
            assert_array_equal(array, full[start:stop] if len(full) > 1 else full, name)


def test_covariates_do_not_depend_on_one_another():
    found = study()
    (scenario,) = found.scenarios
    alone = replace(scenario, covariates=scenario.covariates[1:2], formula="y ~ 1 + (1 | unit)",
                    fixed=(("(Intercept)", 0.0),), sd=(1.0,), cor=((1.0,),))  # fmt: skip
    name = alone.covariates[0].name
    whole, part = (next(draw(one, 5, 0, 3)).covariates[name] for one in (scenario, alone))
    assert_array_equal(whole, part)


# fits


@pytest.mark.parametrize("rows", [8, {"list": [8] * 30 + [4]}], ids=["equal", "unequal"])
def test_coefficients_are_lmers_on_the_replayed_rows(rows):
    """To 1e-8, under the same names; the rows have labels, of the reference first."""
    found = study(design__rows=rows)
    (scenario,) = found.scenarios
    for replicate in (0, 11):
        drawn = simulate(scenario, found.models, found.seed, replicate, replicate + 1)
        estimates = frame(fit_batch(scenario, found.models, drawn)["estimates"])
        data = pd.DataFrame(draw_rows(scenario, found.seed, replicate))
        assert set(data["arm3"]) == {"both", "control", "drug"}
        for model in found.models:
            for method in model.methods:
                fit = lmer(model.formula, data, reml=method == "reml")
                own = estimates[(estimates["model"] == model.name)
                                & (estimates["method"] == method)].set_index("term")  # fmt: skip
                assert tuple(fit.frame.names) == model.terms.fixed
                coefficients = own.loc[list(fit.frame.names)]
                assert_allclose(coefficients["estimate"], fit.beta, rtol=1e-8, atol=1e-8)
                assert_allclose(coefficients["se"], fit.se, rtol=1e-6)
                tidy = fit.tidy().set_index("term")
                rest = own.index.difference(fit.frame.names)
                assert_allclose(own.loc[rest, "estimate"], tidy.loc[rest, "estimate"], rtol=1e-5)


def test_a_factor_of_a_fixed_grid_shares_one_design():
    """Where nothing is drawn at the rows all units have one Z'Z, and factors keep it so."""
    found = Study.from_text("""
name: grid
seed: 1
replicates: 5
truth:
  formula: y ~ factor(t) * w + (1 + factor(t) | unit)
  fixed: {(Intercept): 1, factor(t)1: 1, factor(t)2: 2, w: 3, "factor(t)1:w": 4, "factor(t)2:w": 5}
  random: {unit: {sd: {(Intercept): 1, factor(t)1: 1, factor(t)2: 1}}}
  residual: {sd: 1}
design:
  units: 24
  rows: 6
  covariates:
    t: {level: row, grid: [0, 1, 2]}
    w: {level: unit, balanced: [0, 1]}
models: {full: y ~ factor(t) * w + (1 + factor(t) | unit)}
""")
    (scenario,), (model,) = found.scenarios, found.models
    assert len(simulate(scenario, [model], 1, 0, 3).cross.gram) == 1
    estimates = frame(
        fit_batch(scenario, [model], simulate(scenario, [model], 1, 2, 3))["estimates"]
    )
    fit = lmer(model.formula, pd.DataFrame(draw_rows(scenario, 1, 2)))
    own = estimates[estimates["method"] == "reml"].set_index("term").loc[list(fit.frame.names)]
    assert_allclose(own["estimate"], fit.beta, rtol=1e-8, atol=1e-8)


def test_replay_prints_labels_that_fit_to_the_same_numbers(tmp_path, capsys):
    """As text, where the reference is the first of the sorted labels."""
    tree = yaml.safe_load(STUDY)
    del tree["design"]["covariates"]["school"]["reference"]
    fixed = tree["truth"]["fixed"]
    for end in ("", ":x"):
        fixed[f"schoolpublic{end}"] = fixed.pop(f"schoolcatholic{end}")
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    assert main(["replay", str(file), "1", "3"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("unit,arm,arm3,dose,school,x,y\n")
    data, found = pd.read_csv(io.StringIO(text)), Study.load(file)
    (scenario,) = found.scenarios
    drawn = simulate(scenario, found.models, found.seed, 3, 4)
    estimates = frame(fit_batch(scenario, found.models, drawn)["estimates"])
    for model in found.models:
        fit = lmer(model.formula, data)
        own = estimates[(estimates["model"] == model.name) & (estimates["method"] == "reml")]
        own = own.set_index("term").loc[list(fit.frame.names)]
        assert_allclose(own["estimate"], fit.beta, rtol=1e-8, atol=1e-8)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_has_the_same_columns(tmp_path):
    """Names and X'y of R's model.matrix, from the printed rows, the reference set in R."""
    found = study()
    (scenario,) = found.scenarios
    data = pd.DataFrame(draw_rows(scenario, found.seed, 2))
    data.to_csv(tmp_path / "rows.csv", index=False)
    code = f"""
    d <- read.csv("{tmp_path / "rows.csv"}")
    d$school <- relevel(factor(d$school), "public")
    X <- model.matrix(~ school * x + factor(dose) + arm3 + arm, d)
    cat(paste0(colnames(X), "=", sprintf("%.15g", crossprod(X, d$y))), sep = "\\n")
    """
    done = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True)
    theirs = dict(line.rsplit("=", 1) for line in done.stdout.split("\n") if line)
    formula = formula_in(found.models[0].formula, scenario.covariates)
    codes = {n: c.cat.codes if c.dtype == "category" else c for n, c in data.items()}
    names, X = model_columns(formula.fixed, codes)
    assert list(theirs) == names
    assert_allclose(X.T @ data["y"].to_numpy(), [float(v) for v in theirs.values()], rtol=1e-12)


def test_lme4_has_the_same_estimates():
    """Labels reach R with their order, the reference first. (At replicate 1 lme4 ends higher.)"""
    if lme4_version() is None:
        pytest.skip("lme4 is not installed")
    found = study()
    (scenario,) = found.scenarios
    drawn = simulate(scenario, found.models, found.seed, 2, 3)
    estimates = frame(fit_batch(scenario, found.models, drawn)["estimates"])
    others = fit_with_lme4([draw_rows(scenario, found.seed, 2)], found.models)
    assert len(others) == 2 * len(found.models)
    for other in others:
        own = estimates[
            (estimates["model"] == other.model) & (estimates["method"] == other.method)
        ].set_index("term")
        terms = next(model.terms for model in found.models if model.name == other.model)
        assert tuple(other.coef) == terms.fixed
        for name, value in other.coef.items():
            assert own.loc[name, "estimate"] == pytest.approx(value, abs=2e-4)


def test_estimates_are_unbiased_through_the_whole_path():
    """Within 4 Monte Carlo standard errors; the F test of what is 0 rejects at its level."""
    found = study()
    (scenario,) = found.scenarios
    models = found.models[:2]
    drawn = simulate(scenario, models, found.seed, 0, found.replicates)
    tables = fit_batch(scenario, models, drawn)
    for model in models:
        true = {t.term: t.true for t in targets(scenario, model)}
        estimates = frame(tables["estimates"])
        own = estimates[(estimates["model"] == model.name) & (estimates["method"] == "reml")]
        for name in model.terms.fixed:
            values = own.loc[own["term"] == name, "estimate"]
            error = values.std() / sqrt(len(values))
            assert len(values) == 400
            assert abs(values.mean() - true[name]) < 4 * error, name
    assert true["schoolpublic"] == 1.0
    assert true["schoolcatholic"] == pytest.approx(1.3)
    assert true["schoolcatholic:x"] == pytest.approx(0.6)
    tests = frame(tables["tests"])
    tests = tests[(tests["model"] == "full") & (tests["method"] == "reml")]
    p = tests.loc[tests["test"] == "arm", "p_value"]
    assert abs((p < 0.05).mean() - 0.05) < 4 * sqrt(0.05 * 0.95 / 400)
    for name in ("school", "dose"):
        assert (tests.loc[tests["test"] == name, "p_value"] < 0.05).mean() > 0.15


def test_balanced_arms_spare_the_variance_of_unequal_ones():
    """The variance of a difference of means is 4 v / m with m / 2 units in each arm, exactly."""
    tree = {"level": "unit", "balanced": [0, 1]}
    text = """
name: trial
seed: 9
replicates: 3000
truth:
  formula: y ~ arm + (1 | unit)
  fixed: {(Intercept): 0, arm: 0}
  random: {unit: {sd: {(Intercept): 1}}}
  residual: {sd: 1}
design: {units: 8, rows: 4, covariates: {arm: %s}}
models: {full: y ~ arm + (1 | unit)}
estimation: {methods: [reml]}
"""
    found = Study.from_text(text % json.dumps(tree))
    (scenario,) = found.scenarios
    tables = fit_batch(scenario, found.models, simulate(scenario, found.models, 9, 0, 3000))
    estimates = frame(tables["estimates"])
    variance = estimates.loc[estimates["term"] == "arm", "estimate"].var()
    assert variance == pytest.approx(4 * 1.25 / 8, rel=4 * sqrt(2 / 2999))


# true values


def truth(formula, fixed, *covariates):
    return Scenario("0" * 16, 30, 4, covariates, formula, tuple(fixed.items()), (0.5,),
                    ((1.0,),), 1.0)  # fmt: skip


def true_of(one, formula):
    """Return the true values of a model whose names are those of its formula in the scenario."""
    model = Model("m", formula, terms=terms_in(formula_in(formula, one.covariates)))
    found = {t.term: t.true for t in targets(one, model)}
    return {name: value for name, value in found.items() if "|" not in name and name != "sigma"}


S, ARM, DOSE, X = COVARIATES


def test_a_model_of_all_levels_is_the_truth_in_other_terms():
    one = truth("y ~ s + (1 | g)", {"(Intercept)": 1.0, "scatholic": 0.3, "sother": -0.2}, S)
    found = true_of(one, "y ~ 0 + s + (1 | g)")
    assert found == {"spublic": 1.0, "scatholic": 1.3, "sother": 0.8}


def test_a_line_in_the_dose_is_a_factor_of_it_and_not_the_reverse():
    line = truth("y ~ dose + (1 | g)", {"(Intercept)": 1.0, "dose": 0.1}, DOSE)
    found = true_of(line, "y ~ factor(dose) + (1 | g)")
    assert found == {"(Intercept)": 1.0, "factor(dose)5": 0.5, "factor(dose)10": 1.0}
    steps = {"(Intercept)": 1.0, "factor(dose)5": 0.5, "factor(dose)10": 0.6}
    bent = truth("y ~ factor(dose) + (1 | g)", steps, DOSE)
    assert np.isnan(true_of(bent, "y ~ dose + (1 | g)")["dose"])
    # 0.5 = 5 b + 25 c and 0.6 = 10 b + 100 c
    found = true_of(bent, "y ~ dose + I(dose^2) + (1 | g)")
    assert found == pytest.approx({"(Intercept)": 1.0, "dose": 0.14, "I(dose^2)": -0.008})


def test_cells_of_two_factors_and_slopes_in_each():
    fixed = {"(Intercept)": 1.0, "scatholic": 0.3, "sother": -0.2, "armboth": 0.5,
             "armcontrol": 0.0, "scatholic:armboth": 0.1, "sother:armboth": 0.0,
             "scatholic:armcontrol": 0.0, "sother:armcontrol": -0.4}  # fmt: skip
    one = truth("y ~ s * arm + (1 | g)", fixed, S, ARM)
    found = true_of(one, "y ~ 0 + s:arm + (1 | g)")
    assert found["scatholic:armboth"] == pytest.approx(1 + 0.3 + 0.5 + 0.1)
    assert found["sother:armcontrol"] == pytest.approx(1 - 0.2 - 0.4)
    assert found["spublic:armdrug"] == 1.0
    slopes = {"(Intercept)": 1.0, "x": 0.5, "scatholic": 0.0, "sother": 0.0, "x:scatholic": 0.25,
              "x:sother": -0.25}  # fmt: skip
    one = truth("y ~ x * s + (1 | g)", slopes, S, X)
    found = true_of(one, "y ~ x:s + (1 | g)")
    assert found == {"(Intercept)": 1.0, "x:spublic": 0.5, "x:scatholic": 0.75, "x:sother": 0.25}


def test_every_level_of_a_factor_beside_a_long_grid_is_looked_at():
    """A level that only a few of a thousand units have, and combinations of many levels."""
    rare = Covariate("r", "unit", Points((0.0,) * 997 + (1.0, 2.0, 3.0)))
    line = Covariate("z", "unit", Points(tuple(float(i) for i in range(1000))))
    fixed = {"(Intercept)": 1.0, "z": 1.0, **{f"factor(r){k}": float(k) for k in (1, 2, 3)}}
    one = truth("y ~ z + factor(r) + (1 | g)", fixed, rare, line)
    assert true_of(one, "y ~ z + factor(r) + (1 | g)") == fixed
    many = [
        Covariate(name, "row", Categories(tuple(map(float, range(8))), (0.125,) * 8))
        for name in ("p", "q")
    ]
    names = [term.name for term in formula_in("y ~ factor(p) * factor(q) + (1 | g)", many).fixed]
    fixed = {name: float(k) for k, name in enumerate(names)}
    one = truth("y ~ factor(p) * factor(q) + (1 | g)", fixed, *many)
    assert true_of(one, "y ~ factor(p) * factor(q) + (1 | g)") == fixed


# studies


def test_shares_vary_over_a_grid_and_labels_do_not():
    shares = {"even": {"public": 0.4, "catholic": 0.3, "other": 0.3},
              "uneven": {"public": 0.8, "catholic": 0.1, "other": 0.1}}  # fmt: skip
    found = study(grid={"design.covariates.school.categories": shares})
    assert [levels["categories"] for levels in found.levels] == ["even", "uneven"]
    assert len({scenario.key for scenario in found.scenarios}) == 2
    school = found.scenarios[1].covariates[3].distribution
    assert (school.labels, school.shares) == (("public", "catholic", "other"), (0.8, 0.1, 0.1))


def test_the_order_in_which_categories_are_written_does_not_count():
    tree = {"level": "unit", "categories": {"other": 0.2, "catholic": 0.3, "public": 0.5},
            "reference": "public"}  # fmt: skip
    assert study(design__covariates__school=tree).scenarios == study().scenarios


def test_a_test_may_name_a_factor_for_its_coefficients():
    full, cells, slopes = study().models
    assert dict(full.tests)["school"] == ("schoolcatholic", "schoolother")
    assert dict(full.tests)["dose"] == ("factor(dose)5", "factor(dose)10")
    assert dict(cells.tests)["school"] == ("schoolpublic", "schoolcatholic", "schoolother")
    assert "arm" not in dict(slopes.tests)


def test_a_plan_survives_its_file(tmp_path):
    plan = make_plan(study())
    plan.write(tmp_path / "plan.json")
    read = Plan.read(tmp_path / "plan.json")
    assert read == plan
    assert read.models[0].terms == plan.models[0].terms
    assert read.models[0].terms.fixed[1:3] == ("schoolcatholic", "schoolother")
    assert plan.models[0].formula == yaml.safe_load(STUDY)["models"]["full"]
    assert "units_against_attribute" not in figure_names(plan)


def test_what_depends_on_exact_balance_is_refused():
    """Two rows, one in each arm: V of every unit has three elements, and the model four."""
    text = """
name: pairs
seed: 1
replicates: 10
truth:
  formula: y ~ 1 + (1 | unit)
  fixed: {(Intercept): 0}
  random: {unit: {sd: {(Intercept): 1}}}
  residual: {sd: 1}
design: {units: 30, rows: 2, covariates: {arm: {level: row, %s}}}
models: {m: y ~ arm + (1 | unit) + (0 + arm | unit) + (0 + I(1 - arm) | unit)}
"""
    assert Study.from_text(text % "distribution: binary").models
    with pytest.raises(InputError, match="depend on one another"):
        Study.from_text(text % "balanced: [0, 1]")
