"""Distributions: moments and quantiles against SciPy and closed forms, draws against both."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, isnan, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from hlm.distributions import (
    FAMILIES,
    SHAPES,
    Binary,
    Normal,
    Points,
    Span,
    StudentT,
    Uniform,
    from_dict,
    read_call,
    written,
)
from hlm.errors import InputError
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import draw, draw_rows, simulate

SE = 4.5  # standard errors that a mean may be away from its expectation
N = 400_000


def student(df):
    """Return Student's t of SciPy, standardized."""
    return stats.t(df, scale=sqrt((df - 2) / df))


DRAWN = [
    (Normal(3.0, 2.0), stats.norm(3, 2)),
    (Uniform(-1.0, 4.0), stats.uniform(-1, 5)),
    (Binary(0.3), stats.bernoulli(0.3)),
    *((StudentT(df), student(df)) for df in (2.1, 3.0, 4.0, 4.5, 5.0, 10.0, 1e6)),
]
NAMES = [str(ours) for ours, _ in DRAWN]
FIXED = [Points((4.0, -1.0, 7.0, 2.0)), Span(-1.0, 4.0)]


@pytest.mark.parametrize(("ours", "theirs"), DRAWN, ids=NAMES)
def test_moments_are_scipys(ours, theirs):
    mean, variance, skewness, excess = (float(v) for v in theirs.stats("mvsk"))
    assert ours.mean == pytest.approx(mean, rel=1e-14, abs=1e-14)
    assert ours.variance == pytest.approx(variance, rel=1e-13)
    assert ours.sd == pytest.approx(theirs.std(), rel=1e-13)
    assert ours.skewness == pytest.approx(skewness, rel=1e-12, abs=1e-14, nan_ok=True)
    if isinstance(ours, StudentT) and ours.df <= 4:
        assert ours.kurtosis == inf
    else:
        assert ours.kurtosis == pytest.approx(3 + excess, rel=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), DRAWN, ids=NAMES)
def test_quantiles_are_scipys_to_13_digits(ours, theirs):
    """And of a continuous one the distribution function at a quantile is the probability."""
    u = np.array([1e-12, 1e-6, 0.001, 0.1, 0.25, 0.5, 0.69, 0.71, 0.9, 0.999, 1 - 1e-6])
    assert_allclose(ours.quantile(u), theirs.ppf(u), rtol=1e-13, atol=1e-13)
    if not isinstance(ours, Binary):
        assert_allclose(theirs.cdf(ours.quantile(u)), u, rtol=1e-10, atol=1e-15)


def test_quantiles_of_t_with_4_df_are_those_of_the_closed_form():
    """Shaw 2006: 2 sqrt(cos(arccos(sqrt(a)) / 3) / sqrt(a) - 1) with a = 4 u (1 - u)."""
    u = np.array([0.6, 0.75, 0.9, 0.99, 0.9999])
    a = 4 * u * (1 - u)
    t = 2 * np.sqrt(np.cos(np.arccos(np.sqrt(a)) / 3) / np.sqrt(a) - 1)
    assert_allclose(StudentT(4.0).quantile(u), t / sqrt(2), rtol=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), DRAWN[:-1], ids=NAMES[:-1])
def test_draws_have_the_distribution(ours, theirs):
    """Kolmogorov and Smirnov's distance is below its 1e-6 point, 2.7 / sqrt(n)."""
    drawn = ours.draw(np.random.default_rng(5), (N,))
    if isinstance(ours, Binary):
        assert set(drawn) == {0.0, 1.0}
        assert abs(drawn.mean() - ours.p) < SE * ours.sd / sqrt(N)
    else:
        assert stats.kstest(drawn, theirs.cdf).statistic < 2.7 / sqrt(N)
    standard = ours.standardized(np.random.default_rng(5), (N,))
    assert_allclose(standard, (drawn - ours.mean) / ours.sd, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("ours", [one for one, _ in DRAWN], ids=str)
def test_draws_do_not_depend_on_how_many_are_drawn_at_once(ours):
    whole, parts = (np.random.default_rng(5) for _ in range(2))
    together = np.concatenate([ours.draw(parts, (size,)) for size in (1, 40, 59)])
    assert_array_equal(ours.draw(whole, (100,)), together)
    room = np.empty((2, 50))
    filled = ours.standardized(np.random.default_rng(5), (2, 50), out=room)
    assert filled is room
    assert_array_equal(room.ravel(), ours.standardized(np.random.default_rng(5), (100,)))


@pytest.mark.parametrize("ours", [*(one for one, _ in DRAWN), *FIXED], ids=str)
def test_distributions_survive_json(ours):
    assert from_dict(json.loads(json.dumps(ours.to_dict()))) == ours


def test_all_families_are_tested():
    tested = {type(one) for one, _ in DRAWN} | {type(one) for one in FIXED}
    assert tested == set(FAMILIES.values())
    assert {type(read_call(one.call_example)) for one in SHAPES.values()} <= tested


def test_fixed_values():
    points, span = FIXED
    assert (points.mean, points.variance) == (3.0, np.var([4, -1, 7, 2]))
    assert points.skewness == pytest.approx(stats.skew([4, -1, 7, 2]))
    assert points.kurtosis == pytest.approx(stats.kurtosis([4, -1, 7, 2], fisher=False))
    assert points.quantile(np.array([0.2, 0.26, 0.5, 0.9])).tolist() == [-1.0, 2.0, 2.0, 7.0]
    assert_array_equal(points.points(3), [4.0, -1.0, 7.0])
    assert_array_equal(span.points(6), np.arange(-1.0, 5.0))
    assert_array_equal(Span(0.0, 4.0, endpoint=False).points(4), [0.0, 1.0, 2.0, 3.0])
    assert_array_equal(Span(2.0, 0.0).points(1), [2.0])
    assert isnan(StudentT(3.0).skewness)


@pytest.mark.parametrize(
    ("text", "made", "canonical"),
    [
        ("normal", Normal(), "normal"),
        (" normal( ) ", Normal(), "normal"),
        ("t(5)", StudentT(5.0), "t(5)"),
        ("t( 5.0 )", StudentT(5.0), "t(5)"),
        ("t(2.5)", StudentT(2.5), "t(2.5)"),
        ("t(1e1)", StudentT(10.0), "t(10)"),
    ],
)
def test_calls_are_read_and_written(text, made, canonical):
    assert read_call(text) == made
    assert written(made) == canonical
    assert read_call(canonical) == made


@pytest.mark.parametrize("df", [2.0, 1.0, 0.0, -3.0, float("nan")])
def test_a_variance_must_be_finite(df):
    with pytest.raises(InputError, match=r"the variance of t\(.*\) is infinite"):
        StudentT(df)


# in simulated data

SCENARIO = Scenario(
    key="00c0ffee00c0ffee",
    n_units=20,
    n_rows=8,
    covariates=(Covariate("x", "row"),),
    formula="y ~ x + (1 + x | unit)",
    fixed=(("(Intercept)", 1.0), ("x", 3.0)),
    sd=(2.0, 0.5),
    cor=((1.0, 0.6), (0.6, 1.0)),
    sigma=0.75,
    effects=StudentT(8.0),
    residuals=StudentT(5.0),
)


@pytest.fixture(scope="module")
def drawn():
    chunks = list(draw(SCENARIO, 1, 0, 2000))
    assert len(chunks) > 1
    return chunks


def test_random_effects_and_residuals_have_their_shapes(drawn):
    """The first effect is Student's t itself, the others are mixtures of independent ones."""
    effects = np.concatenate([chunk.effects for chunk in drawn]).transpose(1, 0, 2).reshape(2, -1)
    n = effects.shape[1]
    assert stats.kstest(effects[0] / 2.0, student(8).cdf).statistic < 2.7 / sqrt(n)
    mixed = (effects[1] / 0.5 - 0.6 * effects[0] / 2.0) / sqrt(1 - 0.6**2)
    assert stats.kstest(mixed, student(8).cdf).statistic < 2.7 / sqrt(n)
    assert abs(np.corrcoef(effects[0], mixed)[0, 1]) < SE / sqrt(n)
    for k, sd in enumerate(SCENARIO.sd):
        squares = effects[k] ** 2
        assert abs(squares.mean() - sd**2) < SE * squares.std() / sqrt(n)
    products = effects[0] * effects[1]
    assert abs(products.mean() - 0.6) < SE * products.std() / sqrt(n)


def test_replayed_residuals_are_those_that_were_stated():
    """What the rows have beside the truth's lines: t(5) times 0.75 sqrt(3/5)."""
    still = replace(SCENARIO, sd=(0.0, 0.0))
    found = []
    for replicate in range(300):
        rows = draw_rows(still, 1, replicate)
        found.append((rows["y"] - 1 - 3 * rows["x"]) / 0.75)
    residuals = np.concatenate(found)
    assert stats.kstest(residuals, student(5).cdf).statistic < 2.7 / sqrt(len(residuals))
    assert stats.kstest(residuals, stats.norm.cdf).pvalue < 1e-9


def test_the_rows_are_those_that_were_reduced():
    cross = simulate(SCENARIO, [Model("m", SCENARIO.formula)], 1, 30, 33).cross
    for r in range(3):
        rows = draw_rows(SCENARIO, 1, 30 + r)
        random = rows["y"] - 1 - 3 * rows["x"]
        assert cross.sum_squares[r] == pytest.approx((random**2).sum(), rel=1e-12)


def test_scenarios_survive_json():
    assert Scenario.from_dict(json.loads(json.dumps(SCENARIO.to_dict()))) == SCENARIO


def test_plans_from_before_distributions_were_objects_are_read():
    """Keys of scenarios and data are the same, so `hlm verify` can draw these again."""
    old = {"level": "row", "a": 0.0, "b": 1.0, "values": []}
    covariates = [
        old | {"name": "n", "distribution": "normal", "a": 5.0, "b": 2.0},
        old | {"name": "u", "distribution": "uniform", "a": -1.0, "b": 3.0},
        old | {"name": "b", "distribution": "binary", "a": 0.2, "b": 0.0},
        old | {"name": "g", "distribution": "grid", "values": [0.0, 4.0]},
    ]
    data = {"covariates": covariates, "effects": None, "residuals": None}
    whole = SCENARIO.to_dict() | data
    del whole["effects"], whole["residuals"]
    found = Scenario.from_dict(json.loads(json.dumps(whole)))
    made = [Normal(5.0, 2.0), Uniform(-1.0, 3.0), Binary(0.2), Points((0.0, 4.0))]
    assert [covariate.distribution for covariate in found.covariates] == made
    assert (found.effects, found.residuals) == (Normal(), Normal())
