"""`performance` on data whose answers can be had by hand."""

from __future__ import annotations

from math import inf, nan, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlm.errors import InputError
from hlm.measures import performance
from hlm.measures.group import group_measures

ALL = (
    *("n_total", "n_used", "mean", "median", "bias", "relative_bias", "median_bias"),
    *("empirical_se", "mse", "rmse", "winsorized_bias", "winsorized_se", "winsorized_rmse"),
    *("clipped", "relative_precision", "model_se", "relative_error_se", "relative_bias_variance"),
    *("coverage", "below", "above", "bias_eliminated_coverage", "rejection", "ci_width"),
    *("median_ci_width", "unbounded", "absent", "type_s", "type_m"),
)
BY_HAND = {"b": [1.0, 2.0, 3.0, 6.0], "s": [1.0, 1.0, 2.0, 2.0]}


def measures(data, **options):
    table = performance(data, **{"estimate": "b", "se": "s", "true": 2.0, **options})
    return table.set_index("measure")


def test_without_a_mean_there_is_no_bias_eliminated_coverage():
    """No replicate has an estimate and a standard error, but limits were given."""
    columns = {"b": [1.0, 2.0], "s": [nan, nan], "l": [0.0, 1.0], "u": [2.0, 3.0]}
    found = performance(columns, estimate="b", se="s", lower="l", upper="u", true=1.5)
    estimate = found.set_index("measure").estimate
    assert np.isnan(estimate["bias_eliminated_coverage"])
    assert estimate["coverage"] == 1.0


@pytest.mark.parametrize("n_wide", [1, 4, 6, 8])
def test_most_of_the_intervals_may_be_unbounded(n_wide):
    width = np.array([1.0] * (10 - n_wide) + [1e5] * n_wide)
    columns = {"b": np.zeros(10), "l": -width / 2, "u": width / 2}
    found = performance(columns, estimate="b", lower="l", upper="u", true=0.0)
    estimate = found.set_index("measure").estimate
    assert estimate["unbounded"] == n_wide / 10
    assert np.isnan(estimate["ci_width"])


def test_every_formula_by_hand():
    # b - t = -1 0 1 4; b - mean = -2 -1 0 3; (b - t)^2 = 1 0 1 16; s^2 = 1 1 4 4.
    table = measures(BY_HAND)
    var_b, var_mse, var_s2 = 14 / 3, 177 / 3, 3.0
    expected = {
        "mean": (3, sqrt(var_b / 4)),
        "bias": (1, sqrt(var_b / 4)),
        "relative_bias": (0.5, sqrt(var_b / 4) / 2),
        "empirical_se": (sqrt(var_b), sqrt(var_b / 6)),
        "mse": (4.5, sqrt(var_mse / 4)),
        "rmse": (sqrt(4.5), sqrt(var_mse / 4) / (2 * sqrt(4.5))),
        "model_se": (sqrt(2.5), sqrt(var_s2 / (16 * 2.5))),
        "relative_error_se": (
            sqrt(2.5 / var_b) - 1,
            sqrt(2.5 / var_b) * sqrt(var_s2 / (16 * 2.5**2) + 1 / 6),
        ),
        # Limits: (-.96, 2.96), (.04, 3.96), (-.92, 6.92), (2.08, 9.92).
        "coverage": (0.75, sqrt(0.75 * 0.25 / 4)),
        "bias_eliminated_coverage": (0.75, sqrt(0.75 * 0.25 / 4)),
        "rejection": (0.5, sqrt(0.25 / 4)),
        "ci_width": (3 * 1.959963984540054, 1.959963984540054 * sqrt((4 / 3) / 4)),
    }
    for measure, (estimate, mcse) in expected.items():
        assert table.estimate[measure] == pytest.approx(estimate, rel=1e-14), measure
        assert table.mcse[measure] == pytest.approx(mcse, rel=1e-14), measure
    assert (table.n.drop(["type_s", "type_m"]) == 4).all()


def test_median_and_its_interval_by_hand():
    # n = 9: c = 5 - 3 = 2, P(Bin(9, 1/2) < 2) = 10/512, z is the normal quantile of that tail.
    b = np.array([1.0, 2, 4, 8, 16, 32, 64, 128, 256])
    table = measures({"b": b}, se=None, true=10.0)
    assert table.estimate["median"] == 16
    assert table.estimate["median_bias"] == 6
    z = NormalDist().inv_cdf(1 - 10 / 512)
    assert table.mcse["median"] == pytest.approx((128 - 2) / (2 * z))
    assert table.mcse["median_bias"] == table.mcse["median"]


def test_relative_precision_by_hand():
    # sd(b) is half sd(a) and they are uncorrelated: 4 - 1, and 2 x 4 sqrt(1/(n - 1)).
    data = pd.DataFrame(
        {
            "b": [2.0, 2, -2, -2, 1, -1, 1, -1],
            "m": ["a"] * 4 + ["b"] * 4,
            "i": [0, 1, 2, 3, 0, 1, 2, 3],
        }
    )
    table = performance(data, estimate="b", true=0, method="m", ref="a", id="i")
    gain = table[table.measure == "relative_precision"].set_index("m")
    assert gain.estimate.to_dict() == {"a": 0.0, "b": 3.0}
    assert gain.mcse.to_dict() == {"a": 0.0, "b": pytest.approx(8 / sqrt(3), rel=1e-15)}


def test_columns_and_order():
    data = pd.DataFrame({**BY_HAND, "m": "x", "i": range(4), "g": 1, "h": "u"})
    table = performance(
        data, estimate="b", se="s", true=2, by=["g", "h"], method="m", ref="x", id="i"
    )
    assert list(table) == ["g", "h", "m", "measure", "estimate", "mcse", "mcse_robust", "n"]
    assert tuple(table.measure) == ALL
    without = performance(data, estimate="b", true=2)
    assert list(without) == ["measure", "estimate", "mcse", "mcse_robust", "n"]
    assert tuple(without.measure) == ALL[:14]


def test_a_by_column_called_n_keeps_its_name():
    table = performance({**BY_HAND, "n": [30, 30, 50, 50]}, estimate="b", true=2, by="n")
    assert list(table) == ["n", "measure", "estimate", "mcse", "mcse_robust", "n_"]
    assert set(table.n) == {30, 50}
    assert set(table.n_) == {2}


def test_groups_are_sorted_and_a_missing_label_is_a_group():
    data = pd.DataFrame({"b": [1.0, 2, 3], "g": ["v", None, "u"]})
    table = performance(data, estimate="b", true=0, by="g")
    means = table[table.measure == "mean"]
    assert list(means.estimate) == [3, 1, 2]
    assert means.g.isna().sum() == 1


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("column", ["b", "s"])
def test_a_replicate_without_estimate_or_se_is_counted_and_not_used(bad, column):
    extra = {"b": 5.0, "s": 1.0, column: bad}
    data = {name: [*values, extra[name]] for name, values in BY_HAND.items()}
    table = measures(data)
    assert table.estimate[["n_total", "n_used"]].to_list() == [5, 4]
    clean = measures(BY_HAND)
    assert (table.estimate["absent"], table.n["absent"]) == (0.2, 5)
    counts = ["n_total", "absent"]
    pd.testing.assert_frame_equal(table.drop(counts), clean.drop(counts))


def test_missing_values_of_nullable_and_object_columns():
    for b in (pd.array([1, 2, 3, 6, None], dtype="Int64"), [1.0, 2.0, 3.0, 6.0, None]):
        table = measures(pd.DataFrame({"b": b}), se=None)
        assert table.estimate[["n_total", "n_used", "mean"]].to_list() == [5, 4, 3]


@pytest.mark.parametrize("n", [0, 1])
def test_none_or_one_replicate_gives_nan_in_silence(n):
    data = {"b": np.full(n, 3.0), "s": np.full(n, 1.0)}
    table = measures(data)
    assert table.loc["n_used", "estimate"] == n
    assert table.loc[["empirical_se", "relative_error_se"], "estimate"].isna().all()
    shares = ["coverage", "below", "above", "bias_eliminated_coverage", "rejection", "unbounded"]
    not_shares = table.drop([*shares, "absent", "clipped", *(["type_s"] if n else [])])
    assert not_shares.mcse.isna().all()
    if n == 0:
        assert table.drop(["n_total", "n_used"])[["estimate", "mcse"]].isna().all(axis=None)
    else:
        assert table.loc["bias", "estimate"] == 1


def test_no_rows_with_groups_gives_an_empty_table():
    table = performance(pd.DataFrame({"b": [], "g": []}), estimate="b", true=0, by="g")
    assert list(table) == ["g", "measure", "estimate", "mcse", "mcse_robust", "n"]
    assert table.empty


def test_equal_estimates():
    table = measures({"b": np.full(7, 0.1), "s": np.full(7, 0.2)}, true=0.3)
    assert table.loc[["empirical_se", "mse", "model_se"], "mcse"].to_list() == [0, 0, 0]
    assert table.estimate["empirical_se"] == 0
    assert np.isnan(table.estimate["relative_error_se"])
    assert table.mcse["median"] == 0


@pytest.mark.parametrize("scale", [1e-170, 1e100, 1e170])
def test_estimates_of_absurd_size_are_no_error(scale):
    data = {
        "b": [1.0 * scale, 2.0 * scale, 4.0 * scale] * 2,
        "s": [scale] * 6,
        "m": list("aaabbb"),
        "i": [0, 1, 2] * 2,
    }
    table = performance(data, estimate="b", se="s", true=0, method="m", ref="a", id="i")
    medians = table[table.measure == "median"].estimate
    assert medians.to_list() == [2 * scale, 2 * scale]


@pytest.mark.parametrize("share", [0, 1])
def test_shares_of_none_and_all_have_mcse_0(share):
    table = measures(BY_HAND, true=2.0 if share else 99.0, level=1 - 1e-6)
    assert table.loc["coverage", ["estimate", "mcse"]].to_list() == [share, 0]


def test_relative_bias_is_undefined_at_0():
    row = measures(BY_HAND, true=0).loc["relative_bias"]
    assert np.isnan(row.estimate)
    assert np.isnan(row.mcse)


def test_an_unknown_truth_leaves_what_does_not_need_it():
    table = measures(BY_HAND, true=nan)
    need = ["bias", "relative_bias", "median_bias", "mse", "rmse", "coverage", "below", "above"]
    need += ["winsorized_bias", "winsorized_rmse"]
    assert table.loc[need, ["estimate", "mcse"]].isna().all(axis=None)
    assert table.drop(need).estimate.notna().all()


def test_true_as_a_column():
    data = {**BY_HAND, "t": [2.0, 2.0, 5.0, 5.0]}
    table = performance(data, estimate="b", se="s", true="t", by="t")
    assert table[table.measure == "bias"].estimate.to_list() == [-0.5, -0.5]
    assert table[table.measure == "relative_bias"].estimate.to_list() == [-0.25, -0.1]


def test_limits_are_closed_and_override_se():
    data = {**BY_HAND, "lo": [2.0, 1.0, 2.5, -inf], "hi": [3.0, 2.0, 4.0, inf]}
    table = measures(data, lower="lo", upper="hi")
    assert table.estimate["coverage"] == 0.75
    assert table.estimate["rejection"] == 0.75
    # Only the interval (1, 2) leaves out mean(b) = 3.
    assert table.estimate["bias_eliminated_coverage"] == 0.75
    # Widths 1, 1, 1.5 and infinite: no mean is to be had of them.
    assert table.loc["ci_width", ["estimate", "mcse"]].isna().all()
    assert table.estimate["median_ci_width"] == 1.25
    assert table.estimate["unbounded"] == 0.25


def test_an_interval_that_says_nothing_is_counted_as_one():
    """A Wald limit on the log scale explodes near 0: 1e8 is no width to take a mean of."""
    b, width = np.arange(9.0), np.array([1.0, 1, 2, 2, 2, 3, 3, 999, 1001])
    table = measures({"b": b, "lo": b, "hi": b + width}, se=None, lower="lo", upper="hi")
    assert table.estimate["unbounded"] == pytest.approx(1 / 9)
    assert table.mcse["unbounded"] == pytest.approx(sqrt(8 / 9 / 9 / 9))
    assert table.estimate["median_ci_width"] == 2
    assert np.isnan(table.estimate["ci_width"])
    bounded = measures(
        {"b": b, "lo": b, "hi": b + np.minimum(width, 999)}, se=None, lower="lo", upper="hi"
    )
    assert bounded.estimate[["unbounded", "ci_width"]].to_list() == [0, pytest.approx(2012 / 9)]


def test_limits_count_wherever_there_are_limits():
    """A profile has limits where an sd is 0 and has no se, and where a correlation is none."""
    data = {
        "b": [0.0, 0.5, 1.0, nan],
        "s": [nan, 0.2, 0.2, nan],
        "lo": [0.0, 0.2, 1.0, -1.0],
        "hi": [0.8, 1.1, 2.0, 1.0],
    }
    table = measures(data, true=0.6, lower="lo", upper="hi")
    assert table.n[["bias", "model_se", "coverage", "median_ci_width"]].to_list() == [2, 2, 4, 4]
    assert table.estimate["coverage"] == 0.75
    assert table.estimate["ci_width"] == pytest.approx((0.8 + 0.9 + 1.0 + 2.0) / 4)


def test_a_missing_true_value_leaves_no_measure_that_needs_it():
    """As bias and rmse: a median over the others would be of other replicates than n says."""
    data = {"b": [1.0, 2.0, 30.0], "t": [0.0, nan, 0.0], "lo": 0.0, "hi": 3.0}
    table = measures(data, se=None, true="t", lower="lo", upper="hi")
    need = ["bias", "relative_bias", "median_bias", "mse", "rmse", "coverage", "below", "above"]
    need += ["winsorized_bias", "winsorized_rmse"]
    assert table.loc[need, ["estimate", "mcse"]].isna().all(axis=None)
    assert table.estimate["median"] == 2


def test_a_negative_standard_error_is_refused():
    data = {"b": [1.0, 2.0, 3.0], "s": [0.1, -0.1, -0.2]}
    with pytest.raises(InputError, match=r"row 2 of column 's' is -0\.1, and 1 more are negative"):
        measures(data)


def test_a_limit_of_0_does_not_reject():
    data = {"b": [1.0, -1.0], "lo": [0.0, -2.0], "hi": [2.0, 0.0]}
    assert measures(data, se=None, lower="lo", upper="hi").estimate["rejection"] == 0


def test_a_missing_limit_leaves_the_replicate_to_the_other_measures():
    data = {**BY_HAND, "lo": [1.0, nan, 1.0, 3.0], "hi": [3.0, 3.0, 3.0, 7.0]}
    table = measures(data, lower="lo", upper="hi")
    assert table.n["bias"] == 4
    assert table.loc["coverage", ["estimate", "n"]].to_list() == [pytest.approx(2 / 3), 3]


@pytest.mark.parametrize(
    ("level", "df", "quantile"),
    [(0.95, nan, 1.959964), (0.9, nan, 1.644854), (0.95, 5, 2.570582), (0.99, 10, 3.169273)],
)
def test_quantiles_of_the_tables(level, df, quantile):
    table = measures({**BY_HAND, "df": df}, df="df", level=level)
    assert table.estimate["ci_width"] == pytest.approx(3 * quantile, abs=3e-6)


def test_methods_are_paired_by_id_not_by_row():
    rng = np.random.default_rng(5)
    a = rng.normal(size=50)
    first = pd.DataFrame({"i": range(50), "m": "a", "b": a})
    second = pd.DataFrame({"i": range(50), "m": "b", "b": a + 0.1 * rng.normal(size=50)})
    options = {"estimate": "b", "true": 0, "method": "m", "ref": "a", "id": "i"}
    expected = (
        2
        * (first.b.var() / second.b.var())
        * sqrt((1 - np.corrcoef(first.b, second.b)[0, 1] ** 2) / 49)
    )
    mixed = pd.concat([first.sample(frac=1, random_state=1), second.sample(frac=1, random_state=2)])
    table = performance(mixed, **options).query("measure == 'relative_precision' and m == 'b'")
    assert table.mcse.item() == pytest.approx(expected, rel=1e-10)


def test_pairs_are_those_both_methods_have():
    data = pd.DataFrame(
        {
            "m": ["a"] * 4 + ["b"] * 4,
            "i": [0, 1, 2, 3, 1, 2, 3, 4],
            "b": [50.0, 1, 2, 3, 1.5, 1.8, 3.3, 99],
        }
    )
    table = performance(data, estimate="b", true=0, method="m", ref="a", id="i")
    gain = table.query("measure == 'relative_precision' and m == 'b'").iloc[0]
    assert gain.n == 3
    assert gain.estimate == pytest.approx(1 / np.var([1.5, 1.8, 3.3], ddof=1) - 1)


def test_a_group_without_the_reference_has_no_relative_precision():
    data = pd.DataFrame({"g": [1, 1, 2, 2], "m": list("aabb"), "i": [0, 1, 0, 1], "b": range(4)})
    table = performance(data, estimate="b", true=0, by="g", method="m", ref="a", id="i")
    gain = table.query("measure == 'relative_precision' and g == 2").iloc[0]
    assert np.isnan(gain.estimate)
    assert gain.n == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "g": np.repeat(["u", "v"], 60),
            "m": np.tile(["a", "b", "c"], 40),
            "i": np.tile(np.repeat(range(20), 3), 2),
            "b": rng.normal(size=120).round(1),
            "s": rng.uniform(0.5, 2, size=120),
            "df": np.where(rng.random(120) < 0.1, nan, 8.0),
        }
    )
    data.loc[rng.random(120) < 0.1, "b"] = nan
    options = {
        "estimate": "b", "se": "s", "true": 0.2, "by": "g", "method": "m", "ref": "b", "id": "i",
        "df": "df",
    }  # fmt: skip
    shuffled = data.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(
        performance(data, **options), performance(shuffled, **options), check_exact=True
    )


def test_groups_do_not_meet():
    rng = np.random.default_rng(11)
    data = pd.DataFrame({"g": rng.integers(0, 5, 400), "b": rng.normal(size=400), "s": 1.0})
    table = performance(data, estimate="b", se="s", true=0, by="g")
    for g, rows in data.groupby("g"):
        alone = performance(rows, estimate="b", se="s", true=0)
        together = table[table.g == g].drop(columns="g").reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, together, check_exact=True)


def test_tables_from_elsewhere():
    frame = pd.DataFrame(BY_HAND)
    expected = measures(frame)
    pd.testing.assert_frame_equal(measures(pa.table(BY_HAND)), expected)
    pd.testing.assert_frame_equal(measures(BY_HAND), expected)


def test_one_group_in_numpy():
    values = group_measures({"estimate": np.array(BY_HAND["b"]), "true": np.full(4, 2.0)})
    assert tuple(values) == ALL[:14]
    assert values["bias"].estimate == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimate": "estimat"}, "estimate: no column 'estimat'.*did you mean 'estimate'"),
        ({"se": "sse"}, "se: no column 'sse'.*did you mean 'se'"),
        ({"true": "treu"}, "true: no column 'treu'.*did you mean 'true'"),
        ({"by": ["metod"]}, "no column 'metod'.*did you mean 'method'"),
        ({"true": None}, "true value None"),
        ({"lower": "se"}, "one limit without the other"),
        ({"level": 95}, "level 95.*between 0 and 1"),
        (
            {"estimate": "method"},
            r"column 'method', row 1: 'reml' \(and 1 more cell\) is no number",
        ),
        ({"se": "mixed"}, "column 'mixed', row 2: 'x' is no number"),
        ({"se": "objects"}, r"column 'objects' does not hold numbers: .*sequence"),
        ({"method": "method", "id": "i", "ref": "remll"}, "no method 'remll'.*mean 'reml'"),
        ({"method": "method", "ref": "reml"}, "same data sets.*id="),
        ({"method": "method", "ref": "reml", "id": "se"}, "more than one estimate of.*se=1"),
    ],
)
def test_mistakes_are_named(options, message):
    data = pd.DataFrame(
        {
            "estimate": [1.0, 2.0],
            "se": 1.0,
            "true": 0.0,
            "method": "reml",
            "i": [0, 1],
            "mixed": ["1.5", "x"],
            "objects": [1.0, []],
        }
    )
    with pytest.raises(InputError, match=f"(?s){message}"):
        performance(data, **{"estimate": "estimate", "true": 0, **options})


@pytest.mark.parametrize("data", [3, {"b": [1, 2], "s": [1]}])
def test_what_is_not_a_table_is_refused(data):
    with pytest.raises(InputError, match="cannot read a table"):
        performance(data, estimate="b", true=0)
