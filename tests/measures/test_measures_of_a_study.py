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
KINDS = dict(zip(TERMS, ("coefficient", "coefficient", "sd", "cor", "sigma"), strict=True))
TRUE = {"s1": {"x": 3.0, SD: 0.5, SIGMA: 1.0}, "s2": {"x": 2.0, "x:a": 0.0}}


def truth_of(true, kinds=KINDS):
    """Return a row for each term of both models in each scenario, NaN where `true` has none."""
    return pd.DataFrame(
        [
            (scenario, model, term, kind, values.get(term, nan))
            for scenario, values in true.items()
            for model in "ab"
            for term, kind in kinds.items()
        ],
        columns=["scenario", "model", "term", "kind", "true"],
    )


TRUTH = truth_of(TRUE)


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
        *("scenario", "model", "method", "term", "kind", "true"),
        *("inference", "policy", "measure", "estimate", "mcse", "mcse_robust", "n"),
    ]
    group = files[0].query("scenario == 's1' and model == 'a' and method == 'ml' and term == 'x'")
    alone = performance(group, estimate="estimate", se="se", true=3.0, lower="lower", upper="upper")
    found = measures.query("scenario == 's1' and model == 'a' and method == 'ml' and term == 'x'")
    assert set(found.true) == {3.0}
    columns = ["measure", "estimate", "mcse", "mcse_robust", "n"]
    pd.testing.assert_frame_equal(found[columns].reset_index(drop=True), alone, check_exact=True)


def test_each_inference_has_measures_of_its_own_and_the_others_are_there_once(files):
    """What rests on the estimates alone is what it is with one inference, to the last bit."""
    estimates, fits = files
    wide = estimates.assign(
        se=2 * estimates.se, lower=estimates.lower - 1, upper=estimates.upper + 1
    )
    both = pd.concat([estimates.assign(inference="a"), wide.assign(inference="b")])
    measures, _ = summarize(both, fits, truth=TRUTH)
    own = {
        name: summarize(table, fits, truth=TRUTH)[0].query("term != ''")
        for name, table in (("a", estimates), ("b", wide))
    }
    keys = ["scenario", "model", "method", "term", "measure"]
    assert not measures.duplicated([*keys, "inference"]).any()
    of_term = measures.query("term != ''")
    assert set(of_term.query("inference == ''").measure) == {
        *("n_total", "n_used", "mean", "median", "bias", "relative_bias", "median_bias"),
        *("empirical_se", "mse", "rmse"),
        *("winsorized_bias", "winsorized_se", "winsorized_rmse", "clipped"),
    }
    for name, alone in own.items():
        found = of_term[of_term.inference.isin(["", name])]
        columns = [*keys, "estimate", "mcse", "n"]
        pd.testing.assert_frame_equal(
            found[columns].reset_index(drop=True),
            alone[columns].reset_index(drop=True),
            check_exact=True,
        )


def test_the_performance_of_estimates_by_several_inferences_is_of_each(files):
    """A replicate counts once for each, whatever a caller groups by."""
    estimates, _ = files
    group = estimates.query("scenario == 's1' and model == 'a' and method == 'ml'")
    both = pd.concat([group.assign(inference=name) for name in "ab"])
    columns = {"estimate": "estimate", "se": "se", "lower": "lower", "upper": "upper", "true": 1.0}
    alone = performance(group, **columns, by="term")
    for by in ("term", ["term", "inference"]):
        found = performance(both, **columns, by=by)
        for _, rows in found.groupby("inference"):
            rows = rows.drop(columns="inference").reset_index(drop=True)
            pd.testing.assert_frame_equal(rows, alone, check_exact=True)


def test_without_a_true_value_there_is_what_does_not_need_one(files):
    measures, _ = summarize(*files, truth=TRUTH)
    of_cor = measures.query("term == @COR")
    assert of_cor.true.isna().all()
    assert set(of_cor.measure) == {
        *("n_total", "n_used", "mean", "median", "empirical_se", "model_se", "relative_error_se"),
        *("bias_eliminated_coverage", "rejection", "ci_width", "median_ci_width", "unbounded"),
        *("winsorized_se", "clipped", "relative_bias_variance", "absent"),
    }
    assert of_cor.estimate.notna().all()
    # 0 is a true value where the truth says so, and nowhere else.
    of_product = measures.query("term == 'x:a' and measure == 'bias'")
    assert set(of_product.scenario) == {"s2"}


def test_the_true_value_is_that_of_the_model(files):
    """A term of one name may mean one thing in one model and another in the next."""
    truth = TRUTH.copy()
    truth.loc[(truth.model == "b") & (truth.term == "x"), "true"] = nan
    measures, _ = summarize(*files, truth=truth)
    bias = measures.query("term == 'x' and measure == 'bias'")
    assert set(bias.model) == {"a"}
    assert set(measures.query("term == 'x' and measure == 'mean'").model) == {"a", "b"}


def test_estimates_at_the_boundary_count_though_they_have_no_se(files):
    measures, _ = summarize(*files, truth=TRUTH)
    of_sd = measures.query("scenario == 's1' and model == 'a' and method == 'ml' and term == @SD")
    n = of_sd.set_index("measure").n
    assert n["bias"] == 40
    assert n["model_se"] == n["coverage"] == 30
    assert n["n_total"] == n["n_used"] == 40


def test_limits_at_the_boundary_count_though_there_is_no_se(files):
    """Those of a profile: (0, 0.6) where the sd is 0, which holds the true value 0.5."""
    estimates, fits = files
    boundary = (estimates.term == SD) & (estimates.replicate < 10)
    profiled = estimates.copy()
    profiled.loc[boundary, ["lower", "upper"]] = [0.0, 0.6]
    place = "scenario == 's1' and model == 'a' and method == 'ml' and term == @SD"
    with_limits = summarize(profiled, fits, truth=TRUTH)[0].query(place).set_index("measure")
    without = summarize(estimates, fits, truth=TRUTH)[0].query(place).set_index("measure")
    assert with_limits.n["coverage"] == 40
    hits = without.estimate["coverage"] * 30
    assert with_limits.estimate["coverage"] == pytest.approx((hits + 10) / 40)


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
    kinds = KINDS | {"F(t)": "test", "F(u)": "test"}
    truth = truth_of({"s1": {**TRUE["s1"], "F(t)": 0.0}, "s2": TRUE["s2"]}, kinds)
    measures, _ = summarize(*files, truth=truth, tests=tests, level=0.9)
    found = measures[measures.term.str.startswith("F(")]
    totals = found[found.measure == "n_total"]
    assert totals.estimate.tolist() == totals.n.tolist() == [40] * 2 * 2 * 2
    found = found[found.measure == "rejection"]
    assert len(found) == 2 * 2 * 2
    assert (found.n == 39).all()
    row = found.query("scenario == 's1' and method == 'ml' and term == 'F(t)'").iloc[0]
    p = tests.query("scenario == 's1' and method == 'ml' and test == 't'").p_value.dropna()
    assert row.true == 0
    assert row.estimate == (p < 0.1).mean()
    assert row.mcse == pytest.approx(np.sqrt(row.estimate * (1 - row.estimate) / 39))
    assert found.query("not (scenario == 's1' and term == 'F(t)')").true.isna().all()
    # Each model at its own level.
    own, _ = summarize(*files, truth=truth, tests=tests, level={"a": 0.9, "b": 0.5})
    own = own[own.term.str.startswith("F(") & (own.measure == "rejection")]
    pd.testing.assert_frame_equal(own, found)
    without, _ = summarize(*files, truth=TRUTH, level=0.9)
    pd.testing.assert_frame_equal(
        measures[~measures.term.str.startswith("F(")].reset_index(drop=True), without
    )


def test_f_tests_by_several_inferences_are_counted_once(files):
    tests, truth = f_tests(files), truth_of(TRUE, KINDS | {"F(t)": "test", "F(u)": "test"})
    again = tests.assign(p_value=tests.p_value / 2)
    both = pd.concat([tests.assign(inference="a"), again.assign(inference="b")])
    found = summarize(*files, truth=truth, tests=both)[0].query("term == 'F(t)'")
    alone = summarize(*files, truth=truth, tests=tests)[0].query("term == 'F(t)'")
    keys = ["scenario", "model", "method", "measure", "estimate", "mcse", "n"]
    for name in ("", "a"):
        rows = found[found.inference == name][keys].reset_index(drop=True)
        other = "n_total" if name == "" else "rejection"
        wanted = alone[alone.measure == other][keys].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, wanted, check_exact=True)
    assert set(found[found.inference == "b"].measure) == {"rejection"}


def test_the_order_of_rows_does_not_matter(files):
    estimates, fits = files
    shuffled = (table.sample(frac=1, random_state=4) for table in files)
    for one, other in zip(
        summarize(estimates, fits, truth=TRUTH), summarize(*shuffled, truth=TRUTH), strict=True
    ):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_term_that_the_truth_says_nothing_of_is_named(files):
    lacking = TRUTH[~((TRUTH.scenario == "s2") & (TRUTH.model == "b"))]
    with pytest.raises(InputError, match="of scenario 's2', model 'b', term 'cor_x"):
        summarize(*files, truth=lacking)


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
