"""Units drawn from data, and arms that are balanced among rows whose numbers are drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hlm.datasets import load_mathachieve
from hlm.estimands.implied import implied
from hlm.simulate import draw_rows
from hlm.study import Study

from .studies import drawn, scenario, sizes

STUDY = """
name: schools
seed: 5
replicates: 100
truth:
  formula: mathach ~ ses + sector + (1 | school)
  fixed: {(Intercept): 12, ses: 2, sector: -2}
  random: {school: {sd: {(Intercept): 2}}}
  residual: {sd: 6}
design:
  from: mathachieve
  codes: {sector: {Catholic: 0, Public: 1}}
  resample: units
  units: 40
models: {m: mathach ~ ses + sector + (1 | school)}
"""


@pytest.fixture(scope="module")
def schools():
    (found,) = Study.from_text(STUDY).scenarios
    return found


def test_each_unit_is_one_of_the_data_with_all_its_rows(schools):
    data = load_mathachieve()
    known = {tuple(rows["ses"]): rows["sector"].iloc[0] for _, rows in data.groupby("school")}
    rows = pd.DataFrame(draw_rows(schools, 5, 3))
    assert rows["school"].nunique() == 40
    for _, unit in rows.groupby("school"):
        sector = known[tuple(unit["ses"])]
        assert (unit["sector"] == (sector == "Public")).all()


def test_units_are_drawn_with_replacement_and_equally_often(schools):
    """Sizes of units have the mean and the variance of the data's; some units are there twice."""
    data = load_mathachieve().groupby("school").size().to_numpy()
    found = sizes(schools, 300, seed=5)
    error = data.std() / np.sqrt(found.size)
    assert abs(found.mean() - data.mean()) < 5 * error
    wanted, spread = data.var(), ((data - data.mean()) ** 2).std() / np.sqrt(found.size)
    assert abs(found.var() - wanted) < 5 * spread
    counts = np.bincount(found.ravel(), minlength=data.max() + 1)
    expected = np.bincount(data, minlength=data.max() + 1) / len(data) * found.size
    there = expected > 0
    assert counts[~there].sum() == 0
    statistic = ((counts - expected)[there] ** 2 / expected[there]).sum()
    assert stats.chi2.sf(statistic, there.sum() - 1) > 1e-4


def test_the_same_units_whatever_is_drawn_at_once(schools):
    one = draw_rows(schools, 5, 17)
    again = draw_rows(schools, 5, 17)
    assert_allclose(one["mathach"], again["mathach"], rtol=0)
    other = draw_rows(schools, 5, 18)
    assert len(other["ses"]) != len(one["ses"]) or not np.array_equal(other["ses"], one["ses"])


def test_the_number_of_units_may_be_a_factor():
    grid = "grid: {design.units: [20, 300]}\nmodels"
    found = Study.from_text(STUDY.replace("models", grid)).scenarios
    assert [one.n_units for one in found] == [20, 300]
    assert found[0].key != found[1].key


@pytest.mark.parametrize("rows", [{"mean": 9, "cv": 0.5}, {"list": [3, 8, 7]}, 5])
def test_rows_are_balanced_within_each_unit_whatever_their_number(rows):
    """Counts differ by at most one, and each arm is first, and has the extra row, as often."""
    one = scenario(
        rows=rows,
        covariates={"x": {"level": "row"}, "arm": {"level": "row", "balanced": [0, 1, 5]}},
    )
    data = drawn(one, 100)
    counts = pd.crosstab([data["part"], data["unit"]], data["arm"])
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1
    for position in (0, 2):
        shares = data.loc[data["position"] == position, "arm"].value_counts()
        assert stats.chisquare(shares).pvalue > 1e-4
    uneven = counts[counts.sum(axis=1) % 3 == 1]
    more = (uneven.gt(uneven.min(axis=1), axis=0)).sum()
    if len(uneven):
        assert stats.chisquare(more).pvalue > 1e-4


def test_arms_of_units_stay_balanced_where_rows_are_drawn_and_missing():
    one = scenario(
        rows={"mean": 9, "cv": 0.5},
        missing={"rows": 0.2},
        covariates={"x": {"level": "row"}, "arm": {"level": "unit", "balanced": [0, 1]}},
    )
    data = drawn(one, 100)
    first = data.groupby(["part", "unit"])["arm"].first()
    assert abs(first.mean() - 0.5) < 0.02  # units whose rows are all missing are not there


VARIED = {
    "covariates": {
        "x": {"level": "row", "icc": 0.4},
        "xm": {"mean_of": "x"},
        "a": {"level": "unit", "balanced": [0, 1]},
    },
    "formula": "y ~ x + xm + a + (1 + x | unit)",
    "fixed": {"(Intercept)": 1.0, "x": 0.5, "xm": 0.7, "a": 1.0},
    "random": {"sd": {"(Intercept)": 0.5, "x": 0.3}, "cor": 0.2},
    "residual": {"sd": 1.0, "variance": {"by": "a", "ratio": {"1": 3}}},
}


def test_what_a_truth_implies_is_the_variance_of_its_data():
    """The response's variance within and between units, of 2,000 data sets against a sample."""
    one = scenario(**VARIED)
    found = implied(one)
    assert found.about
    assert found.residual == pytest.approx(2.0)  # the mean of 1 and 3
    y = np.array([draw_rows(one, 2, r)["y"] for r in range(500)]).reshape(500, 30, 8)
    within = y.var(axis=2, ddof=1).mean()
    between = y.mean(axis=2).var(axis=1, ddof=1).mean() - within / 8
    wanted = found.fixed_rows + found.slopes + found.residual
    assert within == pytest.approx(wanted, rel=0.03)
    assert between == pytest.approx(found.fixed_units + found.units, rel=0.08)
