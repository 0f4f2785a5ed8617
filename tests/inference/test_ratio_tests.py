"""Likelihood ratio tests of studies: against single fits, a closed form, and their exact size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from numpy.testing import assert_allclose
from scipy.stats import chi2
from scipy.stats import f as f_distribution

import hlm
from hlm.distributions import Normal, Points
from hlm.estimands.kinds import PARTS
from hlm.figures import measure_against_units
from hlm.fits import fit_batch
from hlm.formula import parse
from hlm.model.frame import model_frame
from hlm.operations.parts import part_file
from hlm.operations.receipts import receipt_file
from hlm.plan import Plan, make_plan
from hlm.results import SUMMARIES, read_frame
from hlm.scenario import Covariate, Model, RatioTest, Scenario
from hlm.simulate import draw_rows, simulate
from hlm.stages.fit import simulate_and_fit
from hlm.stages.summarize import join_chunks, summarize_chunk
from hlm.study.ratio_tests import ratio_tests_of
from hlm.tables import wide_table
from hlm.words.measures import TEST_KINDS

from .studies import SEED, SLOPES, as_frame, scenario

STOP = 3

DESIGNS = {
    "drawn": Covariate("x", "row"),
    "far": Covariate("x", "row", Normal(50.0, 1.0)),
    "shared": Covariate("x", "row", Points((-2.0, -1.0, 0.0, 1.0, 2.0))),
}

# Test: its terms, the fixed part and the random part under the hypothesis
TESTS = {
    "product": (["a:x"], "x + a", "(1 + x | unit)"),
    "x": (["x", "x:a"], "a", "(1 + x | unit)"),
    "intercept": (["(Intercept)"], "0 + x * a", "(1 + x | unit)"),
    "slopes": (["sd_x|unit"], "x * a", "(1 | unit)"),
    "intercepts": (["sd_(Intercept)|unit"], "x * a", "(0 + x | unit)"),
    "cor": (["cor_x.(Intercept)|unit"], "x * a", "(1 + x || unit)"),
    "both": (["x:a", "sd_x|unit"], "x + a", "(1 | unit)"),
    "none": (["sd_x|unit", "sd_(Intercept)|unit"], "x * a", ""),
    "mean": (["x:a", "sd_x|unit", "sd_(Intercept)|unit"], "x + a", ""),
}
DF = {"product": 1, "x": 2, "intercept": 1, "slopes": 2, "intercepts": 2, "cor": 1, "both": 3,
      "none": 3, "mean": 4}  # fmt: skip
LOST = {"slopes": 1, "intercepts": 1, "both": 1, "none": 2, "mean": 2}
OF_COEFFICIENTS = {"product", "x", "intercept", "both", "mean"}


def model(methods=("reml", "ml"), tests=TESTS, formula=SLOPES):
    wanted = {name: terms for name, (terms, *_) in tests.items()}
    return Model("m", formula, methods, lrt=ratio_tests_of(parse(formula), wanted))


def rows_of(truth, one, stop, start=0):
    return as_frame(fit_batch(truth, [one], simulate(truth, [one], SEED, start, stop))["tests"])


def criterion(fixed, random, rows, *, reml):
    """Return the criterion of a model from the rows; without random effects by least squares."""
    if random:
        return hlm.lmer(f"y ~ {fixed} + {random}", rows, reml).criterion
    frame = model_frame(f"y ~ {fixed} + (1 | unit)", rows)
    n, p = frame.X.shape
    residual = frame.y - frame.X @ np.linalg.lstsq(frame.X, frame.y, rcond=None)[0]
    n_star = n - p if reml else n
    found = n_star * (1 + np.log(2 * np.pi * (residual @ residual) / n_star))
    return found + reml * np.linalg.slogdet(frame.X.T @ frame.X)[1]


@pytest.mark.parametrize("methods", [("reml", "ml"), ("reml",)], ids="+".join)
@pytest.mark.parametrize("design", DESIGNS)
def test_tests_of_a_batch_are_those_of_single_fits(design, methods):
    """Of the same rows, with formulas that are typed; coefficients by ML whatever the method."""
    truth = scenario(DESIGNS[design])
    found = rows_of(truth, model(methods), STOP)
    rows = [draw_rows(truth, SEED, replicate) for replicate in range(STOP)]
    assert len(found) == STOP * len(methods) * (len(TESTS) + 3)
    for row in found.itertuples():
        _, fixed, random = TESTS[row.test]
        reml = row.method == "reml" and row.test not in OF_COEFFICIENTS
        data = rows[row.replicate]
        large, small = (
            criterion(*parts, data, reml=reml)
            for parts in (("x * a", "(1 + x | unit)"), (fixed, random))
        )
        where = (row.replicate, row.method, row.test)
        assert row.df == DF[row.test], where
        assert np.isnan(row.ddf), where
        assert row.statistic == pytest.approx(max(small - large, 0.0), abs=2e-6), where
        if row.inference == "chi-square":
            expected = chi2.sf(row.statistic, row.df)
        else:
            assert LOST[row.test] == 1, where
            tails = [chi2.sf(row.statistic, row.df - k) for k in (0, 1)]
            expected = sum(tails) / 2 if row.statistic > 0 else 1.0
        assert row.p_value == pytest.approx(expected, rel=1e-9), where


def test_a_smaller_model_that_lacks_part_of_the_truth_is_fitted_to_all_of_the_response():
    """The sum of what two models leave: from y to y - 50 x, a large part of the truth."""
    truth = scenario(DESIGNS["far"])
    truth = replace(truth, fixed=(("(Intercept)", 1e3), ("x", 40.0), ("a", -0.15), ("x:a", 5.0)))
    one = model(("ml",), {"x": TESTS["x"], "mean": TESTS["mean"]})
    for row in rows_of(truth, one, 2).itertuples():
        _, fixed, random = TESTS[row.test]
        rows = draw_rows(truth, SEED, row.replicate)
        less = criterion(fixed, random, rows, reml=False)
        assert row.statistic == pytest.approx(
            less - criterion("x * a", "(1 + x | unit)", rows, reml=False), rel=1e-7
        )


def test_other_numbers_of_a_fit_are_the_same_with_and_without_tests():
    truth, one = scenario(DESIGNS["far"]), model()
    for kind in ("estimates", "fits"):
        tables = [
            as_frame(fit_batch(truth, [m], simulate(truth, [m], SEED, 0, STOP))[kind])
            for m in (one, replace(one, lrt=()))
        ]
        assert tables[0].equals(tables[1])


def test_correlations_of_three_effects_leave_blocks():
    formula = "y ~ x + (1 + x + z | g)"
    terms = ["cor_x.(Intercept)|g", "cor_z.(Intercept)|g", "cor_z.x|g"]
    found = ratio_tests_of(
        parse(formula),
        {"one": terms[:1], "two": terms[:2], "all": terms, "gone": [terms[0], "sd_z|g"]},
    )
    assert {test.name: test.blocks for test in found} == {
        "two": ((0,), (1, 2)),
        "all": ((0,), (1,), (2,)),
        "gone": ((0,), (1,)),
    }


def one_way(units, rows, sd=0.0):
    fixed = (("(Intercept)", 0.0),)
    return Scenario("0" * 16, units, rows, (), "y ~ 1 + (1 | g)", fixed, (sd,), ((1.0,),), 1.0)


def of_ratio(ratio, units, rows, *, reml):
    """Return the statistic of a balanced one-way layout from F, the ratio of its mean squares.

    With W the mean square within, B = F W that between, and lost = 1 by REML, else 0, the criteria
    are, but for a constant, M (n - 1) log W + (M - lost) log(SSB / (M - lost)) and (N - lost)
    log((SSB + SSW) / (N - lost)); the first only where it has the larger variance between.
    """
    lost, within = int(reml), units * (rows - 1)
    ssb = ratio * (units - 1)
    between = ssb / (units - lost)
    total = units * rows - lost
    gain = total * np.log((ssb + within) / total) - (units - lost) * np.log(between)
    return np.where(between > 1.0, gain, 0.0)


UNITS, ROWS = 8, 4


def test_the_statistic_of_a_one_way_layout_is_in_closed_form():
    truth = one_way(UNITS, ROWS, 0.2)
    one = Model("m", truth.formula, lrt=(RatioTest("g", (0,), ()),))
    drawn = simulate(truth, [one], SEED, 0, 300)
    found = as_frame(fit_batch(truth, [one], drawn)["tests"])
    found = found[found["inference"] == "mixture"]
    sums = drawn.cross.response[:, 0]
    ssb = (sums**2).sum(axis=1) / ROWS - sums.sum(axis=1) ** 2 / (UNITS * ROWS)
    ssw = drawn.cross.sum_squares - (sums**2).sum(axis=1) / ROWS
    ratio = ssb / (UNITS - 1) / (ssw / (UNITS * (ROWS - 1)))
    for method in ("reml", "ml"):
        own = found[found["method"] == method]["statistic"]
        expected = of_ratio(ratio, UNITS, ROWS, reml=method == "reml")
        assert_allclose(own, expected, rtol=1e-7, atol=2e-8)
        assert (own.to_numpy() == 0.0).sum() == (expected == 0.0).sum()


EXACT = {
    ("reml", "chi-square"): 0.021,
    ("reml", "mixture"): 0.042,
    ("ml", "chi-square"): 0.0137,
    ("ml", "mixture"): 0.0284,
}
"""Those by REML are in the manual."""


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_both_tests_have_their_exact_size_in_a_one_way_layout(method):
    """P(reject) = P(F > c) with the c at which the statistic is the quantile; 4 standard errors."""
    n, truth = 20_000, one_way(UNITS, ROWS)
    one = Model("m", truth.formula, (method,), lrt=(RatioTest("g", (0,), ()),))
    found = as_frame(fit_batch(truth, [one], simulate(truth, [one], SEED, 0, n))["tests"])
    grid = np.linspace(1.0, 12.0, 200_001)
    statistic = of_ratio(grid, UNITS, ROWS, reml=method == "reml")
    for inference, quantile in (("chi-square", chi2.isf(0.05, 1)), ("mixture", chi2.isf(0.1, 1))):
        c = grid[np.argmax(statistic > quantile)]
        exact = f_distribution.sf(c, UNITS - 1, UNITS * (ROWS - 1))
        own = found[found["inference"] == inference]["p_value"]
        error = np.sqrt(exact * (1 - exact) / n)
        assert abs((own < 0.05).mean() - exact) < 4 * error
        assert exact == pytest.approx(EXACT[method, inference], abs=5e-4)


STUDY = """
name: ratios
seed: 3
replicates: 60
truth:
  formula: y ~ x * a + (1 | unit)
  fixed: {(Intercept): 1, x: 0.3, a: 0.2, "x:a": 0}
  random: {unit: {sd: {(Intercept): 0.5}}}
  residual: {sd: 1}
design:
  units: 10
  rows: 5
  covariates:
    x: {level: row, distribution: normal}
    a: {level: unit, distribution: normal}
models:
  full: y ~ x * a + (1 + x | unit)
  small: y ~ x + (1 | unit)
estimation:
  tests: {f: ["x:a"]}
  lrt: {slope: ["sd_x|unit"], effect: [x], product: ["a:x"], joint: ["x:a", "sd_x|unit"],
        units: ["sd_(Intercept)|unit"]}
"""


@pytest.fixture(scope="module")
def study():
    return hlm.Study.from_text(STUDY)


def test_a_model_has_the_tests_of_terms_that_it_has(study):
    assert [test.name for test in study.models[1].lrt] == ["effect", "units"]
    assert [test.blocks for test in study.models[1].lrt] == [((0,),), ()]
    assert len(study.models[0].lrt) == 5


def test_a_list_of_terms_is_a_test_of_each(study):
    del study
    text = STUDY.partition("  lrt:")[0] + '  lrt: ["sd_x|unit", "a:x"]\n'
    tests = hlm.Study.from_text(text).models[0].lrt
    assert [test.name for test in tests] == ["sd_x|unit", "a:x"]


def measures_of(study, folder):
    """Plan, simulate, fit and summarize; return the measures and the tests of all replicates."""
    make_plan(study).write(folder / "plan.json")
    plan = Plan.read(folder / "plan.json")
    frames = []
    for batch in plan.batches:
        files = {kind: part_file(folder, batch.name, kind) for kind in plan.kinds}
        receipt = receipt_file(folder, batch.name)
        simulate_and_fit(plan, batch.name, files=files, receipt=receipt)
        frames.append(read_frame(files["tests"]))
    pieces = {kind: folder / f"0.{kind}" for kind in SUMMARIES}
    summarize_chunk(plan, 0, folder, pieces)
    join_chunks(plan, [pieces["measures"]], folder / "measures.parquet", "measures")
    return read_frame(folder / "measures.parquet"), pd.concat(frames)


def test_rejections_of_a_study_are_those_of_its_tests(study, tmp_path):
    """Through the files: the share of p-values below 0.05, its true value, table and figure."""
    measures, tests = measures_of(study, tmp_path)
    rates = measures[(measures["kind"] == "ratio_test") & (measures["measure"] == "rejection")]
    truths = {"slope": 0.0, "effect": np.nan, "product": 0.0, "joint": 0.0, "units": np.nan}
    assert set(rates["term"]) == {f"LRT({name})" for name in truths}
    keys = ["model", "method", "test", "inference"]
    shares = tests.assign(hit=tests["p_value"] < 0.05).groupby(keys, observed=True)["hit"].mean()
    for row in rates.itertuples():
        test = row.term[4:-1]
        assert row.estimate == shares[row.model, row.method, test, row.inference]
        assert_allclose(row.true, truths[test])
        assert row.n == 60
    assert set(measures.loc[measures["kind"] == "test", "inference"]) == {"satterthwaite", ""}
    table = wide_table(measures, "tests")
    assert set(table["kind"]) == set(TEST_KINDS) == set(PARTS["tests"])
    assert {"satterthwaite", "chi-square", "mixture"} == set(table["inference"])
    figure = measure_against_units(measures, "rejection", term="tests")
    titles = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "LRT(slope)" in titles
    assert "Mixture of chi-squares" in titles
