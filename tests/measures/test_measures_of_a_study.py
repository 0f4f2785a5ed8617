"""`summarize`: the two tables of a study."""

from __future__ import annotations

from math import nan

import numpy as np
import pandas as pd
import pytest

from hlm.errors import InputError
from hlm.measures import performance, summarize

SD, COR, SIGMA = "sd_x|unit", "cor_x.(Intercept)|unit", "sigma"
TERMS = ["x", "x:a", SD, COR, SIGMA]
TRUTH = {("s1", "x"): 3.0, ("s1", SD): 0.5, ("s1", SIGMA): 1.0, ("s2", "x"): 2.0}


@pytest.fixture
def files():
    """Return estimates and fits of 2 scenarios x 40 replicates x 2 models x 2 methods."""
    rng = np.random.default_rng(3)
    keys = {"scenario": ["s1", "s2"], "replicate": range(40), "model": ["a", "b"]}
    keys["method"] = ["reml", "ml"]
    fits = pd.MultiIndex.from_product(keys.values(), names=keys).to_frame(index=False)
    fits = fits.assign(
        aic=rng.normal(size=len(fits)), npar=4, singular=rng.random(len(fits)) < 0.2, status="ok"
    )
    fits.loc[fits.replicate == 0, "aic"] = nan
    fits.loc[fits.replicate == 0, "status"] = "unidentified"
    fits = fits.assign(bic=-fits.aic)
    estimates = fits[list(keys)].merge(pd.DataFrame({"term": TERMS}), how="cross")
    b, s = rng.uniform(0.1, 0.9, (2, len(estimates)))
    estimates = estimates.assign(estimate=b, se=s, df=20.0, lower=b * 0.8, upper=b * 1.2)
    boundary = (estimates.term == SD) & (estimates.replicate < 10)
    estimates.loc[boundary, ["estimate", "se", "lower", "upper"]] = [0, nan, nan, nan]
    return estimates, fits


def test_measures_of_the_estimates(files):
    measures, _ = summarize(*files, truth=TRUTH)
    assert list(measures) == [
        *("scenario", "model", "method", "term", "true", "measure", "estimate", "mcse", "n")
    ]
    group = files[0].query("scenario == 's1' and model == 'a' and method == 'ml' and term == 'x'")
    alone = performance(group, estimate="estimate", se="se", true=3.0, lower="lower", upper="upper")
    found = measures.query("scenario == 's1' and model == 'a' and method == 'ml' and term == 'x'")
    assert set(found.true) == {3.0}
    columns = ["measure", "estimate", "mcse", "n"]
    pd.testing.assert_frame_equal(found[columns].reset_index(drop=True), alone, check_exact=True)


def test_a_term_that_the_truth_lacks(files):
    measures, _ = summarize(*files, truth=TRUTH)
    true = measures.query("scenario == 's2'").groupby("term").true.first()
    assert true["x:a"] == 0
    assert true[SD] == 0
    assert np.isnan(true[COR])
    assert measures.query("term == @COR and measure == 'bias'").estimate.isna().all()


def test_estimates_at_the_boundary_count_though_they_have_no_se(files):
    measures, _ = summarize(*files, truth=TRUTH)
    of_sd = measures.query("scenario == 's1' and model == 'a' and method == 'ml' and term == @SD")
    n = of_sd.set_index("measure").n
    assert n["bias"] == 40
    assert n["model_se"] == n["coverage"] == 30


def test_sds_have_no_rejection(files):
    measures, _ = summarize(*files, truth=TRUTH)
    assert set(measures[measures.measure == "rejection"].term) == {"x", "x:a", COR}


def test_rates_of_fits(files):
    measures, _ = summarize(*files, truth=TRUTH)
    of_fits = measures[measures.term == ""]
    assert set(of_fits.measure) == {"singular", "failed"}
    assert of_fits.true.isna().all()
    failed = of_fits[of_fits.measure == "failed"]
    assert failed.estimate.to_list() == [1 / 40] * 8
    assert failed.n.to_list() == [40] * 8


def test_selection(files):
    _, selection = summarize(*files, truth=TRUTH)
    assert list(selection) == ["scenario", "criterion", "method", "model", "rate", "mcse", "n"]
    rate = selection.set_index(["scenario", "criterion", "method", "model"])
    one = files[1].query("scenario == 's1' and method == 'ml' and replicate > 0")
    a, b = (one[one.model == model].aic.to_numpy() for model in "ab")
    # bic = -aic here, and replicate 0 has neither.
    assert rate.loc[("s1", "aic", "ml", "a")].to_list()[::2] == [(a < b).mean(), 39]
    assert rate.loc[("s1", "bic", "ml", "a")].to_list()[::2] == [(a > b).mean(), 39]


def f_tests(files):
    """Two tests of model a on each data set; the p-values of replicate 0 are missing."""
    fits = files[1].query("model == 'a'")[["scenario", "replicate", "model", "method"]]
    table = fits.merge(pd.DataFrame({"test": ["t", "u"]}), how="cross")
    p = np.random.default_rng(4).uniform(0, 0.2, len(table))
    return table.assign(p_value=np.where(table.replicate == 0, nan, p))


def test_rejections_of_f_tests(files):
    tests = f_tests(files)
    truth = TRUTH | {("s1", "F(t)"): 0.0, ("s2", "F(t)"): nan}
    measures, _ = summarize(*files, truth=truth, tests=tests, level=0.9)
    found = measures[measures.term.str.startswith("F(")]
    assert set(found.measure) == {"rejection"}
    assert len(found) == 2 * 2 * 2
    assert (found.n == 39).all()
    row = found.query("scenario == 's1' and method == 'ml' and term == 'F(t)'").iloc[0]
    p = tests.query("scenario == 's1' and method == 'ml' and test == 't'").p_value.dropna()
    assert row.true == 0
    assert row.estimate == (p < 0.1).mean()
    assert row.mcse == pytest.approx(np.sqrt(row.estimate * (1 - row.estimate) / 39))
    assert found.query("not (scenario == 's1' and term == 'F(t)')").true.isna().all()
    without, _ = summarize(*files, truth=TRUTH, level=0.9)
    pd.testing.assert_frame_equal(
        measures[~measures.term.str.startswith("F(")].reset_index(drop=True), without
    )


def test_the_order_of_rows_does_not_matter(files):
    estimates, fits = files
    shuffled = (table.sample(frac=1, random_state=4) for table in files)
    for one, other in zip(
        summarize(estimates, fits, truth=TRUTH), summarize(*shuffled, truth=TRUTH), strict=True
    ):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_truth_as_a_frame(files):
    frame = pd.DataFrame([(*key, value) for key, value in TRUTH.items()])
    frame.columns = ["scenario", "term", "true"]
    for one, other in zip(
        summarize(*files, truth=TRUTH), summarize(*files, truth=frame), strict=True
    ):
        pd.testing.assert_frame_equal(one, other)


def test_a_scenario_without_truth_is_named(files):
    with pytest.raises(InputError, match="scenario 's2' has no true values"):
        summarize(*files, truth={("s1", "x"): 1.0})


def test_level_and_df_make_the_limits_of_estimates_that_have_none(files):
    estimates, fits = files
    without = estimates.drop(columns=["lower", "upper"])
    measures, _ = summarize(without, fits, truth=TRUTH, level=0.9)
    width = measures.query("measure == 'ci_width' and term == 'x'")
    se = measures.query("measure == 'model_se' and term == 'x'")
    # 2 x t quantile of 20 df; the mean se is below its root mean square.
    ratio = width.estimate.to_numpy() / se.estimate.to_numpy()
    assert (ratio < 2 * 1.7247).all()
    assert (ratio > 0.8 * 2 * 1.7247).all()
