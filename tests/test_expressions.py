"""Expressions of a model's terms: read, valued, differentiated, inferred, and refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from hlm import lmer
from hlm.cli import main
from hlm.datasets import load_sleepstudy
from hlm.errors import InputError
from hlm.estimands.expressions import read_expression
from hlm.estimands.functions import Contrast, Function
from hlm.estimands.model_estimands import estimands_of, further_of, operands_of
from hlm.estimands.parameters import Parameters
from hlm.estimands.true_values import targets
from hlm.formula import terms_of
from hlm.inference import COEFFICIENTS, RANDOM_PART
from hlm.plan.batch import digest
from hlm.scenario import Covariate, Expression, Model, Scenario
from hlm.simulate import draw_rows
from hlm.study import Study
from tests.inference.studies import GRID, SEED, SLOPES, fitted, scenario, tables

HERE = Path(__file__).parent
FRAMES = {
    "sleepstudy": load_sleepstudy,
    "sim_unbalanced": lambda: pd.read_csv(HERE / "reference" / "sim_unbalanced.csv"),
}
CONTRASTS = json.loads((HERE / "contrasts.json").read_text())
MODEL = Model("m", SLOPES)
TERMS = terms_of(MODEL)


def read(text, model=MODEL):
    terms = terms_of(model)
    return read_expression(text, [(terms, operands_of(terms))])


def expressed(*texts, model=MODEL, scale="identity"):
    """Return the model with expressions f0, f1, ..."""
    found = [Expression(f"f{k}", read(text).program, scale) for k, text in enumerate(texts)]
    return replace(model, expressions=tuple(found))


@pytest.mark.parametrize("case", CONTRASTS, ids=[case["text"] for case in CONTRASTS])
@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger"])
def test_linear_combinations_are_those_of_lmertest(case, method):
    fit = lmer(case["formula"], FRAMES[case["frame"]]())
    (row,) = fit.estimands({"own": case["text"]}, df_method=method).to_dict("records")
    assert row.pop("term") == "own"
    for name, value in case[method].items():
        assert row[name] == pytest.approx(value, rel=1e-5), name


VALUES = {"b0": 1.2, "b1": -0.4, "b2": 0.7, "b3": 0.3, "s": 0.8, "r": 0.25, "u": 0.5, "e": 1.1}
"""Of the coefficients, sd of the intercept, correlation, sd of the slope, sigma."""

TEXTS = {
    "x + a": "b1 + b2",
    "(Intercept) - 2 * x:a / (1 + 3)": "b0 - 2 * b3 / 4",
    "a:x": "b3",
    "-x^2": "-(b1**2)",
    "2^-a": "2 ** -b2",
    "x / sigma": "b1 / e",
    "`sd_x|unit` / sigma": "u / e",
    "sd(x) * sd((Intercept)) * cor(x, (Intercept))": "u * s * r",
    "cov((Intercept), x)": "u * s * r",
    "var(x) + 2 * cov(x, (Intercept)) + var((Intercept))": "u**2 + 2 * u * s * r + s**2",
    "var((Intercept)) / (var((Intercept)) + `sigma^2`)": "s**2 / (s**2 + e**2)",
    "icc_unit * 3": "3 * s**2 / (s**2 + e**2)",
    "exp(x - log(sd(x)))": "np.exp(b1) / u",
    "sqrt(var(x))^3": "u**3",
    "logit(expit(a)) + atanh(tanh(x))": "b2 + b1",
    "sigma^a": "e**b2",
    "x * a * (x:a + 1)": "b1 * b2 * (b3 + 1)",
}


def parameters(values=VALUES):
    """Return the parameters with Psi and sigma^2 as `gradient` has them, and their function."""
    v = values
    psi = np.array([[v["s"] ** 2, v["s"] * v["u"] * v["r"]], [0.0, v["u"] ** 2]])
    psi[1, 0] = psi[0, 1]
    return np.array(
        [v["b0"], v["b1"], v["b2"], v["b3"], psi[0, 0], psi[1, 0], psi[1, 1], v["e"] ** 2]
    )


def at(point):
    psi = np.array([[point[4], point[5]], [point[5], point[6]]])
    return Parameters.of_covariance(point[:4], psi, np.array(np.sqrt(point[7])))


@pytest.mark.parametrize("text", TEXTS)
def test_values_and_gradients(text):
    (one,) = further_of(TERMS, (), expressed(text).expressions)
    point = parameters()
    assert float(one.value(at(point))) == pytest.approx(eval(TEXTS[text], {"np": np}, VALUES))
    gradient = one.gradient(at(point))
    for k, step in enumerate(1e-6 * np.eye(len(point))):
        change = one.value(at(point + step)) - one.value(at(point - step))
        assert gradient[k] == pytest.approx(float(change) / 2e-6, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    ("text", "weights", "constant"),
    [
        ("x + a", (0, 1, 1, 0), 0),
        ("2 * (x - a / 4) - 1", (0, 2, -0.5, 0), -1),
        ("(Intercept) + x * exp(0) + 2^3", (1, 1, 0, 0), 8),
        ("-x:a", (0, 0, 0, -1), 0),
    ],
)
def test_what_is_linear_in_the_coefficients_is_a_contrast(text, weights, constant):
    (one,) = further_of(TERMS, (), expressed(text).expressions)
    assert isinstance(one, Contrast)
    assert (one.weights, one.constant, one.part) == (weights, constant, "fixed")


@pytest.mark.parametrize("text", ["x * a", "x^1", "x + sigma", "1 / x", "exp(x)", "sd(x)"])
def test_what_is_not_is_a_function(text):
    (one,) = further_of(TERMS, (), expressed(text).expressions)
    assert isinstance(one, Function)
    assert one.part == "random"


BAD = {
    "xm + 1": ("no model has a term 'xm'", "x"),
    "Intercept": ("no model has a term 'Intercept'", "(Intercept)"),
    "ln(x)": ("there is no function 'ln' in expressions", "log"),
    "plogis(x)": ("there is no function 'plogis' in expressions", "expit"),
    "x +": ("the expression does not parse: it ends here", None),
    "x ~ a": ("the expression does not parse: unexpected '~'", None),
    "x ? a": ("the expression does not parse: unexpected '?'", None),
    "3 + 4": ("the expression has no term of a model", None),
    "x - x": ("the coefficients in the expression cancel", None),
    "sd(z)": ("no model has a random effect 'z'", None),
    "sd(x, a)": ("sd() of 2 random effects", None),
    "exp(x, a)": ("exp() of 2 values", None),
    "sd_x|unit / sigma": ("'|' is no arithmetic, and 'sd_x|unit/sigma' no name", "sd_x|unit"),
    "__import__(x)": ("the expression does not parse: unexpected '_'", None),
    "(" * 60 + "x" + ")" * 60: ("the expression is nested too deeply", None),
    "x" + " + x" * 5000: ("the expression has 20001 characters", None),
    "  ": ("the expression is empty", None),
}


@pytest.mark.parametrize("text", BAD, ids=[text[:20].strip() or "blank" for text in BAD])
def test_mistakes_in_the_text(text):
    problem, suggestion = BAD[text]
    with pytest.raises(InputError) as caught:
        read(text)
    assert caught.value.problem.startswith(problem)
    assert caught.value.suggestion == suggestion


def test_a_list_of_a_fit_may_hold_expressions():
    fit = lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy())
    table = fit.estimands(["icc", {"ratio": "Days / sigma", "twice": "2 * Days"}])
    assert table["term"].tolist() == ["icc_Subject", "ratio", "twice"]
    assert table["df"].notna().tolist() == [False, False, True]


def test_a_mistake_is_shown_where_it_is():
    with pytest.raises(InputError) as caught:
        read("x + 2 * foo(a)")
    assert caught.value.problem.splitlines()[1:] == ["    x + 2 * foo(a)", "            ^"]


def test_one_coefficient_has_the_inference_that_it_has():
    """By each inference, to rounding: L with a single 1; and twice it has twice the error."""
    model = replace(expressed("x", "2 * x:a"), df=tuple(COEFFICIENTS), limits=("wald",))
    model = replace(model, bootstrap=39)
    rows = fitted(scenario(GRID), model, 8)[0].set_index(
        ["replicate", "method", "inference", "term"]
    )
    for own, term, factor in (("f0", "x", 1.0), ("f1", "x:a", 2.0)):
        ours, theirs = (rows.xs(name, level="term") for name in (own, term))
        assert len(ours) == 8 * 2 * len(COEFFICIENTS)
        for column in ("estimate", "se", "lower", "upper"):
            np.testing.assert_allclose(ours[column], factor * theirs[column], rtol=1e-8)
        np.testing.assert_allclose(ours["df"], theirs["df"], rtol=1e-8)


def test_estimates_of_a_study_are_those_of_lmer_and_others_keep_their_bits():
    texts = {"f0": "x + x:a", "f1": "x / sigma", "f2": "var(x)", "f3": "exp(a) * sd(x)"}
    truth = scenario(GRID, sd=(1.0, 0.8))
    model = replace(expressed(*texts.values()), tests=(("x", ("x", "x:a")),))
    estimates, _ = tables(truth, model, 6)
    plain, _ = tables(truth, replace(model, expressions=()), 6)
    rest = estimates[~estimates["term"].isin(texts)].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, plain, check_exact=True)
    for replicate in range(6):
        for method in ("reml", "ml"):
            fit = lmer(SLOPES, draw_rows(truth, SEED, replicate), reml=method == "reml")
            theirs = fit.estimands(texts).set_index("term")
            own = estimates[(estimates.replicate == replicate) & (estimates.method == method)]
            own = own[own["term"].isin(texts)].set_index("term")[list(theirs)]
            np.testing.assert_allclose(own.loc[theirs.index], theirs, rtol=1e-5)


def test_f_tests_are_left_alone_by_contrasts():
    truth, tests = scenario(GRID), (("x", ("x", "x:a")), ("a", ("a",)))
    with_them = replace(expressed("x + a"), tests=tests, df=("satterthwaite", "kenward-roger"))
    pd.testing.assert_frame_equal(
        fitted(truth, with_them, 5)[2],
        fitted(truth, replace(with_them, expressions=()), 5)[2],
        check_exact=True,
    )


@pytest.mark.parametrize("reml", [True, False])
def test_errors_of_functions_are_by_the_delta_method(reml):
    fit = lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy(), reml=reml)
    (row,) = fit.estimands({"ratio": "Days / sd(Days)"}).to_dict("records")
    b, sd = fit.beta[1], np.sqrt(fit.psi[1, 1])
    g = np.array([0, 0, -0.5 * b / sd**3, 0])
    of_variances = g @ fit.vcov_random().to_numpy() @ g
    se = np.sqrt(fit.vcov[1, 1] / sd**2 + of_variances)
    assert row["estimate"] == pytest.approx(b / sd, rel=1e-12)
    assert row["se"] == pytest.approx(se, rel=1e-9)


def test_limits_are_on_the_scale_of_the_user_and_those_of_a_term_alone_its_own():
    model = replace(
        MODEL,
        limits=tuple(RANDOM_PART),
        estimands=("variance",),
        expressions=(
            Expression("ratio", read("sd(x) / sigma").program, "log"),
            Expression("share", read("var(x) / (var(x) + sigma^2)").program, "logit"),
            Expression("same", read("var(x)").program),
        ),
    )
    rows = tables(scenario(GRID, sd=(1.0, 0.8)), model, 10)[0]
    ratio, share = (rows[rows["term"] == name] for name in ("ratio", "share"))
    c = stats.norm.ppf(0.975)
    np.testing.assert_allclose(
        np.log(ratio["upper"] / ratio["estimate"]), c * ratio["se"] / ratio["estimate"]
    )
    r = share["estimate"]
    np.testing.assert_allclose(
        special.logit(share["lower"]), special.logit(r) - c * share["se"] / (r * (1 - r))
    )
    columns = ["inference", "estimate", "lower", "upper"]
    same, variance = (
        rows.loc[rows["term"] == name, columns].reset_index(drop=True)
        for name in ("same", "var_x|unit")
    )
    pd.testing.assert_frame_equal(same, variance, check_exact=True)


def test_beside_the_domain_of_a_scale_there_are_no_limits():
    model = replace(MODEL, expressions=(Expression("f", read("a * sigma").program, "log"),))
    rows = tables(scenario(GRID), model, 20)[0]
    rows = rows[rows["term"] == "f"]
    negative = rows["estimate"] < 0
    assert negative.any()
    assert rows.loc[negative, ["lower", "upper"]].isna().all(axis=None)
    assert rows.loc[negative, "se"].notna().all()


def test_coverage_of_a_combination_in_a_balanced_design_is_exact():
    """Of coefficients between units in m units t has m - 2 degrees of freedom: 4 MCSE."""
    n, units = 2000, 8
    truth = Scenario(
        "0" * 16, units, 6, (Covariate("a", "unit"),), "y ~ a + (1 | unit)",
        (("(Intercept)", 0.4), ("a", 0.3)), (2.0,), ((1.0,),), 0.5,
    )  # fmt: skip
    base = Model("m", truth.formula, methods=("reml",))
    read_ = read("(Intercept) + 2 * a", base).program
    model = replace(base, expressions=(Expression("at2", read_),))
    rows = fitted(truth, model, n)[0]
    rows = rows[rows["term"] == "at2"]
    np.testing.assert_allclose(rows["df"], units - 2, rtol=1e-3)
    covers = ((rows["lower"] <= 1.0) & (rows["upper"] >= 1.0)).mean()
    assert covers == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / n))


def test_coverage_of_a_total_effect():
    """Within and between effects together, 40 units; 4 MCSE and 0.005 for Satterthwaite's."""
    n, truth = 2000, scenario(GRID, units=40, sd=(0.6, 0.4))
    model = replace(expressed("x + a"), methods=("reml",))
    rows = fitted(truth, model, n)[0]
    rows = rows[rows["term"] == "f0"]
    covers = ((rows["lower"] <= 2.85) & (rows["upper"] >= 2.85)).mean()
    assert covers == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / n) + 0.005)


def test_the_exact_interval_of_the_icc_is_that_of_the_delta_method_in_many_units():
    """Searle's F limits in a balanced one-way design, of 2000 units of 5 rows."""
    m, k, rng = 2000, 5, np.random.default_rng(4)
    unit = np.repeat(np.arange(m), k)
    y = rng.normal(0, 0.6, m)[unit] + rng.normal(0, 1.0, m * k)
    data = pd.DataFrame({"unit": unit, "y": y})
    text = "var((Intercept)) / (var((Intercept)) + sigma^2)"
    model = Model("m", "y ~ 1 + (1 | unit)")
    (kind,) = lmer(model.formula, data).estimands(["icc"]).to_dict("records")
    (own,) = lmer(model.formula, data).estimands({"icc": text}).to_dict("records")
    assert own["se"] == pytest.approx(kind["se"], rel=1e-9)
    means = data.groupby("unit")["y"].mean().to_numpy()
    within = ((y - means[unit]) ** 2).sum() / (m * (k - 1))
    F = k * means.var(ddof=1) / within
    exact = [F / stats.f.ppf(p, m - 1, m * (k - 1)) for p in (0.975, 0.025)]
    exact = [(f - 1) / (f + k - 1) for f in exact]
    width = exact[1] - exact[0]
    np.testing.assert_allclose([kind["lower"], kind["upper"]], exact, atol=0.02 * width)


STUDY = """\
name: own
seed: 1
replicates: 60
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {(Intercept): 1, x: 0.3, a: 0.2, "x:a": 0.4}
  random: {unit: {sd: {(Intercept): 0.5, x: 0.3}, cor: 0.4}}
  residual: {sd: 1}
design:
  units: 15
  rows: 6
  covariates: {x: {level: row, grid: [-2, -1, 0, 0, 1, 2]}, a: {level: unit}}
models:
  small: y ~ x + (1 + x | unit)
  full: y ~ x * a + (1 + x | unit)
estimation:
  methods: [reml]
  estimands: ASKED
"""


def study(asked):
    return Study.from_text(STUDY.replace("ASKED", asked))


def test_a_model_has_the_expressions_whose_terms_it_has():
    asked = '{i: icc, total: "x + x:a", ratio: {expression: sd(x) / sigma, scale: log}}'
    small, full = study(asked).models
    assert [one.name for one in small.expressions] == ["ratio"]
    assert [one.name for one in full.expressions] == ["total", "ratio"]
    assert full.estimands == ("icc",)
    assert (
        study('[icc, {total: "x + x:a"}, {ratio: {expression: sd(x)/sigma, scale: log}}]').models[1]
        == full
    )
    assert Model.from_dict(json.loads(json.dumps(full.to_dict()))) == full


def test_digests_depend_on_what_is_done_and_not_on_how_it_is_written():
    plain, one, same, other = (
        digest(study(asked).models[1].definition())
        for asked in ("[]", '{t: "x + x:a"}', '{t: "  x +(a:x)"}', '{t: "x - x:a"}')
    )
    assert one == same
    assert len({plain, one, other}) == 3
    assert "expressions" not in study("[icc]").models[1].definition()


def test_true_values():
    whole = study('{total: "x + x:a", p: "x * sd(x)", q: "cor(x, (Intercept)) + x"}')
    small, full = (
        {t.term: t for t in targets(whole.scenarios[0], model)} for model in whole.models
    )
    assert full["total"].true == 0.7
    assert full["p"].true == pytest.approx(0.09)
    assert full["q"].true == pytest.approx(0.7)
    assert small["p"].left_out == ("a", "x:a")
    given = study('{p: {expression: "x * sd(x)", true: 0.2}}').models[0]
    target = {t.term: t for t in targets(whole.scenarios[0], given)}["p"]
    assert (target.true, target.left_out) == (0.2, ())


MISTAKES = {
    '["x + a"]': ("[0]", "'x + a' is no kind of estimands"),
    '{x: "a + 1"}': (".x", "'x' is the name of a term"),
    '{q: "x + xm"}': (".q", "no model has a term 'xm'"),
    '{q: {expresion: "x"}}': (".q.expresion", "unknown key 'expresion'"),
    '{q: {expression: "x", scale: probit}}': (".q.scale", "'probit' is not allowed"),
    '{q: "x / (a - 0.2)"}': (".q", "division by zero at the truth of a scenario"),
    '{q: {expression: "log(x - 1)"}}': (".q.expression", "'log' has no value at the truth"),
    '{q: "x + log(0)"}': (".q", "'log' has no value at the truth"),
    '{q: "x * (1 / 0)"}': (".q", "division by zero at the truth of a scenario"),
    '{q: {expression: "sigma - 3", scale: log}}': (".q.scale", "at the truth of a scenario"),
    "{q: {expression: x + a, scale: log}}": (".q.scale", "the expression is linear in coeff"),
    '{"b b": "a"}': (".b b", "the name 'b b' is not safe for files"),
    "{q: 3}": (".q", "3 is not allowed"),
    "[icc, {i: icc}]": ("[1].i", "'icc' is there twice"),
    "[{t: x}, {t: a}]": ("[0].t", "the name 't' is there twice"),
    "{e: {less: nul, more: full, variance: x}}": (".e.less", "there is no model 'nul'"),
    "{e: {less: full, more: full, variance: x}}": (".e.more", "a model and itself"),
    "{e: {less: small, more: full, variance: z}}": (".e.variance", "no random effect 'z'"),
    "{e: {less: small, larger: full, variance: x}}": (".e.larger", "unknown key 'larger'"),
    "{e: {null_model: small, full: full, of: x}}": (".e.null_model", "unknown key 'null_model'"),
}


@pytest.mark.parametrize("asked", MISTAKES)
def test_mistakes_in_a_study(asked):
    path, problem = MISTAKES[asked]
    with pytest.raises(InputError) as caught:
        study(asked)
    assert caught.value.path == f"estimation.estimands{path}"
    assert caught.value.problem.startswith(problem)


def test_words_of_what_is_asked_for():
    one = study('{total: "x + x:a"}').models[1]
    assert {e.words for e in estimands_of(one) if e.kind == "contrast"} == {"total"}


def test_the_command_fit_has_them(capsys):
    arguments = ["fit", "Reaction ~ Days + (1 + Days | Subject)", "sleepstudy"]
    asked = ["--estimand", "after_week=(Intercept) + 7 * Days", "--estimand", "icc"]
    assert main([*arguments, *asked]) == 0
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split()[0] for line in lines] == ["term", "icc_Subject", "after_week"]
    assert lines[-1].split()[1:4] == ["324.68", "11.973", "17"]
