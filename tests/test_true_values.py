"""What terms estimate: worked out by hand, and held against fits of models that are the same."""

from __future__ import annotations

from dataclasses import replace
from math import isnan, log, nan, sqrt

import numpy as np
import pandas as pd
import pytest

from hlm.distributions import Binary, Normal, Points, Uniform
from hlm.estimands.model_estimands import estimands_of
from hlm.estimands.true_values import parameters_of, targets
from hlm.fits import fit_batch
from hlm.measures import summarize
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import simulate

X = Covariate("x", "row", Normal(5.0, 1.0))
Z = Covariate("z", "row")
A = Covariate("a", "unit", Normal(1.0, 2.0))
B = Covariate("b", "unit", Binary(0.3))
POSITIVE = Covariate("p", "row", Uniform(1.0, 3.0))
ARM = Covariate("arm", "unit", Points((0.0, 1.0) * 15))
OTHER_ARM = Covariate("other", "unit", Points((1.0, 0.0) * 15))
TIME = Covariate("t", "row", Points((0.0, 1.0, 2.0, 3.0)))
TWO = Covariate("t", "row", Points((0.0, 1.0)))
YEAR = Covariate("year", "row", Normal(2000.0, 3.0))

G = "(Intercept)"


def scenario(formula, fixed, covariates, sd=(0.5,), cor=None, sigma=1.0, units=30, rows=4):
    return Scenario(
        key="0" * 16,
        n_units=units,
        n_rows=rows,
        covariates=covariates,
        formula=formula,
        fixed=tuple(fixed.items()),
        sd=sd,
        cor=tuple(map(tuple, np.eye(len(sd)) if cor is None else cor)),
        sigma=sigma,
    )


def true(truth, formula, **options):
    return {t.term: t.true for t in targets(truth, Model("m", formula, **options))}


LINE = scenario("y ~ x + (1 | g)", {G: 1.0, "x": 0.3}, (X,))
CONTEXT = scenario("y ~ x + a + (1 | g)", {G: 0.5, "x": 0.3, "a": 0.7}, (A, X))
PRODUCT = scenario("y ~ x * a + (1 | g)", {G: 1.0, "x": 0.3, "a": 0.7, "x:a": 0.2}, (A, X))
LOG = scenario("y ~ log(p) + (1 | g)", {G: 1.0, "log(p)": 2.0}, (POSITIVE,))
ZERO_LOG = scenario("y ~ log(p) + (1 | g)", {G: 0.0, "log(p)": 2.0}, (POSITIVE,))
ARMS = scenario("y ~ arm * t + (1 | g)", {G: 1.0, "arm": 2.0, "t": 3.0, "arm:t": 4.0}, (ARM, TIME))
BINARY = scenario("y ~ b + (1 | g)", {G: 1.0, "b": 2.0}, (B,))
SQUARE = scenario("y ~ x + I(x^2) + (1 | g)", {G: 1.0, "x": 0.3, "I(x^2)": 0.1}, (X,))
LATE = scenario("y ~ year + (1 | g)", {G: 1.0, "year": 0.3}, (YEAR,))
MOOT = scenario("y ~ x + z + (1 | g)", {G: 1.0, "x": 0.3, "z": 0.0}, (X, Z))

SPANNED = [
    (LINE, "y ~ x", {G: 1.0, "x": 0.3}),
    (LINE, "y ~ I(x - 5)", {G: 2.5, "I(x - 5)": 0.3}),
    (LINE, "y ~ I(2 * x)", {G: 1.0, "I(2 * x)": 0.15}),
    (LINE, "y ~ I(10 - x)", {G: 4.0, "I(10 - x)": -0.3}),
    (LINE, "y ~ x + I(x^2)", {G: 1.0, "x": 0.3, "I(x^2)": 0.0}),
    (CONTEXT, "y ~ I(x + a) + a", {G: 0.5, "I(x + a)": 0.3, "a": 0.4}),
    (CONTEXT, "y ~ I(x - a) + a", {G: 0.5, "I(x - a)": 0.3, "a": 1.0}),
    (CONTEXT, "y ~ I(x + a) + I(x - a)", {G: 0.5, "I(x + a)": 0.5, "I(x - a)": -0.2}),
    (CONTEXT, "y ~ a + x", {G: 0.5, "a": 0.7, "x": 0.3}),
    (PRODUCT, "y ~ a * x", {G: 1.0, "a": 0.7, "x": 0.3, "a:x": 0.2}),
    (
        PRODUCT,
        "y ~ I(x - 5) * I(a - 1)",
        {G: 4.2, "I(x - 5)": 0.5, "I(a - 1)": 1.7, "I(x - 5):I(a - 1)": 0.2},
    ),
    (PRODUCT, "y ~ x + a + I(x * a)", {G: 1.0, "x": 0.3, "a": 0.7, "I(x * a)": 0.2}),
    (ZERO_LOG, "y ~ log2(p)", {G: 0.0, "log2(p)": 2 * log(2)}),
    (LOG, "y ~ log2(p)", {G: 1.0, "log2(p)": 2 * log(2)}),
    (LOG, "y ~ log10(p)", {G: 1.0, "log10(p)": 2 * log(10)}),
    (LOG, "y ~ log(I(3 * p))", {G: 1.0 - 2 * log(3), "log(I(3 * p))": 2.0}),
    (LOG, "y ~ I(log(p) - log(p^2))", {G: 1.0, "I(log(p) - log(p^2))": -2.0}),
    (BINARY, "y ~ I(1 - b)", {G: 3.0, "I(1 - b)": -2.0}),
    (BINARY, "y ~ I(b^2)", {G: 1.0, "I(b^2)": 2.0}),
    (BINARY, "y ~ I(2 * b - 1)", {G: 2.0, "I(2 * b - 1)": 1.0}),
    (BINARY, "y ~ 0 + b + I(1 - b)", {"b": 3.0, "I(1 - b)": 1.0}),
    (
        ARMS,
        "y ~ I(1 - arm) * I(t - 3)",
        {G: 24.0, "I(1 - arm)": -14.0, "I(t - 3)": 7.0, "I(1 - arm):I(t - 3)": -4.0},
    ),
    (SQUARE, "y ~ I(x - 5) + I((x - 5)^2)", {G: 5.0, "I(x - 5)": 1.3, "I((x - 5)^2)": 0.1}),
    (LATE, "y ~ I(year - 2000)", {G: 601.0, "I(year - 2000)": 0.3}),
    (LATE, "y ~ I((year - 2000) / 10)", {G: 601.0, "I((year - 2000)/10)": 3.0}),
    # What the truth has with a coefficient of 0 is nothing that a model could lack.
    (MOOT, "y ~ I(x - 5)", {G: 2.5, "I(x - 5)": 0.3}),
]


@pytest.mark.parametrize(("truth", "formula", "expected"), SPANNED)
def test_a_model_that_is_the_truth_in_other_terms(truth, formula, expected):
    found = true(truth, f"{formula} + (1 | g)")
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-13, abs=1e-13)
    assert all(found[name] == 0.0 for name, value in expected.items() if value == 0.0)


@pytest.mark.parametrize(
    ("truth", "formula", "expected"),
    [case for case in SPANNED if case[0] is not MOOT and len(case[2]) == len(case[0].fixed)],
)
def test_the_coefficients_of_one_fit_are_linked_as_the_true_values_are(truth, formula, expected):
    """Two fits of one model in two sets of terms, to one data set: the same change of terms."""
    own = Model("own", truth.formula, ("ml",))
    other = Model("other", f"{formula} + (1 | g)", ("ml",))
    table = fit_batch(truth, [own, other], simulate(truth, [own, other], 7, 0, 1))["estimates"]
    frame = pd.DataFrame({name: np.asarray(table[name]) for name in ("model", "term", "estimate")})
    found = frame.set_index(["model", "term"])["estimate"]
    fitted = replace(truth, fixed=tuple((n, float(found["own", n])) for n, _ in truth.fixed))
    linked = true(fitted, other.formula)
    for name in expected:
        assert found["other", name] == pytest.approx(linked[name], rel=1e-7, abs=1e-8), name


@pytest.mark.parametrize(
    ("truth", "formula", "expected"),
    [
        (PRODUCT, "y ~ x", {G: 1.0, "x": 0.3}),
        (PRODUCT, "y ~ a + x", {G: 1.0, "a": 0.7, "x": 0.3}),
        (PRODUCT, "y ~ x:a", {G: 1.0, "x:a": 0.2}),
        (PRODUCT, "y ~ I(2 * x)", {G: 1.0, "I(2 * x)": 0.15}),
        (SQUARE, "y ~ x", {G: 1.0, "x": 0.3}),
        (CONTEXT, "y ~ a", {G: 0.5, "a": 0.7}),
        (CONTEXT, "y ~ 1", {G: 0.5}),
    ],
)
def test_a_model_that_is_the_truth_less_some_terms_aims_at_the_truths(truth, formula, expected):
    found = targets(truth, Model("m", f"{formula} + (1 | g)"))[: len(expected)]
    assert {t.term: t.true for t in found} == pytest.approx(expected)
    assert all(t.left_out for t in found)


@pytest.mark.parametrize(
    ("truth", "formula"),
    [
        (CONTEXT, "y ~ I(x + a)"),
        (LINE, "y ~ I(x^2)"),
        (LINE, "y ~ log(I(x + 100))"),
        (SQUARE, "y ~ I(x - 5)"),  # leaving out I(x^2) leaves the slope at 0, not that at 5
        (PRODUCT, "y ~ x + I(a^2)"),
        (ARMS, "y ~ arm + I(t^2)"),
    ],
)
def test_a_model_that_is_neither_has_no_true_values(truth, formula):
    found = targets(truth, Model("m", f"{formula} + (1 | g)"))
    coefficients = [t for t in found if t.kind == "coefficient"]
    assert all(isnan(t.true) and "no combination of" in t.reason for t in coefficients)
    assert {t.term: t.true for t in found if t.kind != "coefficient"} == {
        "sd_(Intercept)|g": 0.5,
        "sigma": 1.0,
    }


def test_the_design_decides_what_is_one_function():
    """On two points every function is a line; on four it is not. Grids of one level go together."""
    few = scenario("y ~ t + (1 | g)", {G: 1.0, "t": 2.0}, (TWO,), rows=2)
    assert true(few, "y ~ I(t^2) + (1 | g)")["I(t^2)"] == 2.0
    many = scenario("y ~ t + (1 | g)", {G: 1.0, "t": 2.0}, (TIME,))
    assert isnan(true(many, "y ~ I(t^2) + (1 | g)")["I(t^2)"])
    arms = scenario("y ~ arm + (1 | g)", {G: 1.0, "arm": 2.0}, (ARM, OTHER_ARM))
    assert true(arms, "y ~ other + (1 | g)") == {
        G: 3.0,
        "other": -2.0,
        "sd_(Intercept)|g": 0.5,
        "sigma": 1.0,
    }


def test_a_grid_of_zeros_and_a_single_one():
    """Not to be missed among 997 values, or the indicator would pass for nothing."""
    place = tuple(float(k) for k in range(997))
    covariates = (
        Covariate("place", "unit", Points(place)),
        Covariate("special", "unit", Points(tuple(float(k == 500) for k in range(997)))),
    )
    truth = scenario(
        "y ~ place + special + (1 | g)", {G: 1.0, "place": 2.0, "special": 3.0}, covariates
    )
    assert isnan(true(truth, "y ~ I(place + special) + (1 | g)")["I(place + special)"])
    found = true(truth, "y ~ I(place + special) + special + (1 | g)")
    assert (found["I(place + special)"], found["special"]) == (2.0, 1.0)


COR = ((1.0, 0.4), (0.4, 1.0))
SLOPES = scenario("y ~ x + (1 + x | g)", {G: 1.0, "x": 0.3}, (X,), (0.5, 0.2), COR)
APART = scenario("y ~ x + (1 + x || g)", {G: 1.0, "x": 0.3}, (X,), (0.5, 0.2))


def test_the_random_part_in_other_terms():
    """b0 + b1 x = (b0 + 5 b1) + b1 (x - 5), so the variance at 5 is that of b0 + 5 b1."""
    at_5 = 0.5**2 + 2 * 5 * 0.4 * 0.5 * 0.2 + 25 * 0.2**2
    found = true(SLOPES, "y ~ x + (1 + I(x - 5) | g)")
    assert found["sd_(Intercept)|g"] == pytest.approx(sqrt(at_5))
    assert found["sd_I(x - 5)|g"] == pytest.approx(0.2)
    covariance = 0.4 * 0.5 * 0.2 + 5 * 0.2**2
    correlation = covariance / (sqrt(at_5) * 0.2)
    assert found["cor_I(x - 5).(Intercept)|g"] == pytest.approx(correlation)
    halved = true(SLOPES, "y ~ x + (1 + I(-2 * x) | g)")
    assert halved["sd_I(-2 * x)|g"] == pytest.approx(0.1)
    assert halved["cor_I(-2 * x).(Intercept)|g"] == pytest.approx(-0.4)


def test_a_correlation_that_the_truth_keeps_apart_is_0():
    assert true(APART, "y ~ x + (1 + x | g)")["cor_x.(Intercept)|g"] == 0.0


def test_random_effects_that_are_left_out():
    found = targets(SLOPES, Model("m", "y ~ x + (1 | g)"))
    assert {t.term: t.true for t in found[2:]} == {"sd_(Intercept)|g": 0.5, "sigma": 1.0}
    assert found[2].left_out == ("sd_x|g",)
    kept = targets(SLOPES, Model("m", "y ~ x + (1 + x || g)"))
    assert [t.true for t in kept[2:]] == [0.5, 0.2, 1.0]
    assert kept[2].left_out == ("cor_x.(Intercept)|g",)


def test_random_effects_in_terms_in_which_the_model_has_no_correlation():
    found = targets(SLOPES, Model("m", "y ~ x + (1 + I(x - 5) || g)"))
    assert all(isnan(t.true) and "no correlation where" in t.reason for t in found[2:4])
    assert found[4].true == 1.0


def test_an_effect_that_does_not_vary_has_no_correlation():
    still = replace(SLOPES, sd=(0.5, 0.0))
    found = {t.term: t for t in targets(still, Model("m", "y ~ x + (1 + x | g)"))}
    assert found["sd_x|g"].true == 0.0
    assert found["cor_x.(Intercept)|g"].reason == "an effect that does not vary has no correlation"


def test_a_correlation_with_what_the_truth_keeps_still_is_none():
    """Also where the model is the truth less a slope."""
    still = Scenario(
        "",
        10,
        5,
        (LATE.covariates[0], Covariate("z", "row")),
        "y ~ year + z + (1 + year + z | g)",
        ((G, 1.0), ("year", 0.3), ("z", 0.2)),
        (0.5, 0.0, 0.4),
        ((1.0, 0.3, 0.3), (0.3, 1.0, 0.3), (0.3, 0.3, 1.0)),
        1.0,
    )
    found = {t.term: t for t in targets(still, Model("m", "y ~ year + z + (1 + year | g)"))}
    assert isnan(found["cor_year.(Intercept)|g"].true)
    assert found["sd_year|g"].true == 0.0
    assert found["sigma"].left_out == ("sd_z|g",)


DAYS = scenario("y ~ x + (1 | g)", {G: 100.0, "x": 0.3}, (Covariate("x", "row", Normal(2e4, 3)),))
YEARS = scenario(
    "y ~ x + (1 | g)",
    {G: 100.0, "x": 0.3},
    (Covariate("x", "row", Points(tuple(map(float, range(2010, 2021))))),),
)


@pytest.mark.parametrize(
    ("truth", "formula", "expected"),
    [
        (DAYS, "y ~ x + I(x^2)", {G: 100.0, "x": 0.3, "I(x^2)": 0.0}),
        (DAYS, "y ~ I(x^2) + x", {G: 100.0, "x": 0.3, "I(x^2)": 0.0}),
        (
            DAYS,
            "y ~ I(x - 20000) + I((x - 20000)^2)",
            {G: 6100.0, "I(x - 20000)": 0.3, "I((x - 20000)^2)": 0.0},
        ),
        (YEARS, "y ~ x + I(x^2) + I(x^3)", {G: 100.0, "x": 0.3, "I(x^2)": 0.0, "I(x^3)": 0.0}),
    ],
)
def test_what_is_not_needed_is_0_where_columns_are_nearly_dependent(truth, formula, expected):
    assert {name: true(truth, f"{formula} + (1 | g)")[name] for name in expected} == expected


def test_columns_that_are_nearly_the_same_far_from_zero_are_not():
    far = replace(DAYS, covariates=(Covariate("x", "row", Normal(1e6, 1.0)),))
    assert isnan(true(far, "y ~ log(x) + (1 | g)")["log(x)"])


def test_what_the_user_gives_stands_where_nothing_is_computed():
    given = (("I(x + a)", 0.5), ("x", 9.0), ("sd_(Intercept)|g", 0.6))
    found = true(CONTEXT, "y ~ I(x + a) + (1 | g)", true=given)
    assert found["I(x + a)"] == 0.5
    assert isnan(found[G])
    assert found["sd_(Intercept)|g"] == 0.6  # in place of the target
    found = true(CONTEXT, "y ~ x + a + (1 | g)", true=given)
    assert found["sd_(Intercept)|g"] == 0.5  # it follows from the truth
    assert true(CONTEXT, "y ~ x + (1 | g)", true=given)["x"] == 9.0  # in place of the truth's own


@pytest.mark.parametrize(
    ("truth", "formula", "coefficients", "expected"),
    [
        (LINE, "y ~ x", ("x",), nan),
        (LINE, "y ~ x + I(x^2)", ("I(x^2)",), 0.0),
        (LINE, "y ~ x + I(x^2)", ("x", "I(x^2)"), nan),
        (MOOT, "y ~ x + z", ("z",), 0.0),
        (CONTEXT, "y ~ I(x + a) + I(0.7 * x + 0.3 * a)", ("I(0.7 * x + 0.3 * a)",), nan),
        (CONTEXT, "y ~ I(0.3 * x + 0.7 * a) + a", ("a",), 0.0),
    ],
)
def test_the_hypothesis_of_an_f_test(truth, formula, coefficients, expected):
    found = true(truth, f"{formula} + (1 | g)", tests=(("t", coefficients),))["F(t)"]
    assert found == pytest.approx(expected, nan_ok=True)


def test_the_parameters_of_a_truth_with_several_random_blocks():
    truth = scenario(
        "y ~ x + z + (1 + x | g) + (0 + z | g)",
        {G: 1.0, "x": 2.0, "z": 3.0},
        (X, Z),
        (0.1, 0.2, 0.3),
        ((1.0, 0.5, 0.0), (0.5, 1.0, 0.0), (0.0, 0.0, 1.0)),
        sigma=4.0,
    )
    found = {target.term: target.true for target in parameters_of(truth)}
    assert found == {
        G: 1.0,
        "x": 2.0,
        "z": 3.0,
        "sd_(Intercept)|g": 0.1,
        "cor_x.(Intercept)|g": 0.5,
        "sd_x|g": 0.2,
        "sd_z|g": 0.3,
        "sigma": 4.0,
    }
    model = Model("m", truth.formula)
    assert (
        [one.name for one in estimands_of(model)] == list(found) == list(true(truth, truth.formula))
    )
    assert [target.kind for target in parameters_of(truth)] == [
        *["coefficient"] * 3,
        *("sd", "cor", "sd", "sd", "sigma"),
    ]


@pytest.mark.parametrize(
    ("truth", "formula"),
    [
        (LINE, "y ~ I(x - 5) + (1 | g)"),
        (CONTEXT, "y ~ I(x + a) + a + (1 | g)"),
        (ARMS, "y ~ I(1 - arm) * I(t - 3) + (1 | g)"),
        (SLOPES, "y ~ I(x - 5) + (1 + I(x - 5) | g)"),
    ],
)
def test_bias_and_coverage_of_a_model_in_other_terms(truth, formula):
    """400 data sets: the bias of each coefficient is chance, and its intervals keep their level."""
    model = Model("m", formula, ("reml",))
    tables = fit_batch(truth, [model], simulate(truth, [model], 11, 0, 400))
    estimates, fits = (
        pd.DataFrame({name: np.asarray(column) for name, column in tables[kind].items()})
        for kind in ("estimates", "fits")
    )
    rows = [(truth.key, "m", t.term, t.kind, t.true) for t in targets(truth, model)]
    table = pd.DataFrame(rows, columns=["scenario", "model", "term", "kind", "true"])
    measures, _ = summarize(estimates, fits, truth=table)
    bias = measures.query("kind == 'coefficient' and measure == 'bias'")
    assert len(bias) == sum(t.kind == "coefficient" for t in targets(truth, model))
    assert (bias.estimate.abs() < 4.5 * bias.mcse).all()
    coverage = measures.query("kind == 'coefficient' and measure == 'coverage'")
    assert ((coverage.estimate - 0.95).abs() < 4.5 * sqrt(0.95 * 0.05 / 400)).all()
    sds = measures.query("kind in ('sd', 'sigma') and measure == 'bias'")
    assert (sds.estimate.abs() < 0.06).all()
