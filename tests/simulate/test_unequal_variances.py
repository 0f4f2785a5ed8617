"""Residuals whose sd differs by unit or by group of rows, drawn as sums: their law, their rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chi2, ks_2samp, kstest

from hlm.distributions import Binary, Categories, Normal, Points, StudentT, Uniform
from hlm.rows.missing import Missing
from hlm.rows.residual import AutoRegressive, ByExponential, ByPower, ByUnit, ByValue
from hlm.scenario import BLOCK, Covariate, Model
from hlm.simulate import draw_by_row, simulate
from hlm.simulate.residual_scales import (
    RowGroups,
    UnitScales,
    is_drawn_as_sums,
    residual_scales,
)

from .test_coordinates import SE, UNEVEN, P, check_any_range, check_rows, scenario

A, ARM = Covariate("a", "unit"), Covariate("arm", "unit", Points((0.0, 1.0, 1.0) * 3))
X, U = Covariate("x", "row", Normal(50.0, 2.0)), Covariate("u", "row", Uniform(0.0, 3.0))
T = Covariate("t", "row", Points((0.0, 1.0, 1.0, 0.0, 2.0) * 6))
B = Covariate("b", "row", Binary(0.3))
KIND = Covariate("kind", "row", Categories((0.0, 1.0, 2.0), (0.5, 0.3, 0.2), ("p", "q", "r")))
FAR = Covariate("x", "row", Normal(1000.0, 0.01))
MANY = (20, 18, 19, 20, 30, 17, 17, 2, 1)
TRIPLE = ByValue("b", ((1.0, 3.0),))

DESIGNS = {
    "by unit": scenario("y ~ t * a + (1 + t | g)", [A, T], 10, variance=ByUnit("lognormal", 0.5)),
    "by unit, uneven": scenario(
        "y ~ x * a + (1 + x | g)", [A, X], UNEVEN, variance=ByUnit("gamma", 0.5)
    ),
    "by unit, fewer rows than columns": scenario(
        "y ~ x + u + (1 | g)", [X, U], 2, variance=ByUnit("lognormal", 0.5)
    ),
    "by arm": scenario("y ~ x * arm + (1 + x | g)", [ARM, X], 5,
                       variance=ByValue("arm", ((1.0, 3.0),))),
    "by a": scenario("y ~ u * a + (1 | g)", [A, U], UNEVEN, variance=ByExponential("a", 0.3)),
    "by t": scenario("y ~ t * a + (1 + t | g)", [A, T], 30, variance=ByExponential("t", 0.4)),
    "by t, uneven": scenario("y ~ t + x + (1 + t | g)", [X, T], MANY,
                             variance=ByValue("t", ((1.0, 3.0),))),
    "by t, a square": scenario("y ~ t + I(x^2) + (1 | g)", [X, T], 30,
                               variance=ByValue("t", ((0.0, 0.2),))),
    "by t, far from zero": scenario(
        "y ~ t + x + I(x^2) + (1 | g)", [FAR, T], 30, variance=ByValue("t", ((1.0, 3.0),))
    ),
    "by b": scenario("y ~ b + x + (1 + x | g)", [X, B], 14, variance=TRIPLE),
    "by b, uneven": scenario("y ~ b + x + (1 + x | g)", [X, B], MANY, variance=TRIPLE),
    "by b, products": scenario("y ~ b * x + b * t + (1 + x | g)", [X, B, T], 30, variance=TRIPLE),
    "by kind": scenario("y ~ t + kind + (1 + t | g)", [T, KIND], 30,
                        variance=ByValue("kind", ((1.0, 3.0), (2.0, 0.5)))),
    "by kind alone": scenario("y ~ t + (1 + t | g)", [T, KIND], 30,
                              variance=ByValue("kind", ((1.0, 3.0), (2.0, 0.5)))),
    "by kind alone, uneven": scenario("y ~ t + (1 + t | g)", [T, KIND], MANY,
                                      variance=ByValue("kind", ((1.0, 3.0),))),
}  # fmt: skip


def more(one):
    """Return a model with a column that no truth here has."""
    x = next(c.name for c in one.covariates if c.level == "row" and not c.distribution.labels)
    return Model("more", f"y ~ {x} + exp(0.01 * {x}) + (0 + cos({x}) | g)")


@pytest.mark.parametrize("name", DESIGNS)
def test_rows_have_the_sums_that_were_drawn(name):
    """To 1e-12 of the lengths of what is multiplied, whatever the models."""
    one = DESIGNS[name]
    assert is_drawn_as_sums(one)
    models = [Model("truth", one.formula), more(one)]
    for some in (models[:1], models):
        for replicate in (0, 7, BLOCK + 1):
            cross = simulate(one, some, 5, replicate, replicate + 1).cross
            check_rows(one, some, replicate, cross, 0, within=1e-12)


@pytest.mark.parametrize("name", DESIGNS)
def test_another_model_moves_no_bit(name):
    one = DESIGNS[name]
    truth = [Model("truth", one.formula)]
    alone = simulate(one, truth, 5, 990, 1012).cross
    both = simulate(one, [*truth, more(one)], 5, 990, 1012).cross
    k = alone.response.shape[1]
    assert_array_equal(alone.response, both.response[:, :k])
    assert_array_equal(alone.sum_squares, both.sum_squares)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_same_bits_from_any_range(name, monkeypatch):
    one = DESIGNS[name]
    check_any_range(one, [Model("truth", one.formula), more(one)], monkeypatch)


def test_what_is_drawn_as_sums():
    """It follows from the truth and the design: never where each row has an sd of its own."""
    assert isinstance(residual_scales(DESIGNS["by arm"]), UnitScales)
    assert residual_scales(DESIGNS["by t"]).group == (0, 1, 2)
    one, by_x = DESIGNS["by b"], ByExponential("x", 0.1)
    assert residual_scales(one) == RowGroups("b", (0.0, 1.0), (0, 1), (1.0, np.sqrt(3.0)))
    for other in (
        replace(one, variance=by_x),
        replace(one, n_rows=11),  # twice two groups of three coordinates
        replace(one, residuals=StudentT(5.0)),
        replace(one, autocorrelation=AutoRegressive(0.3)),
        replace(one, missing=Missing(rows=0.2)),
    ):
        assert not is_drawn_as_sums(other)
    assert is_drawn_as_sums(replace(one, n_rows=12))


ALMOST = 1.0 + 1e-9


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("by unit, uneven", ByUnit("lognormal", 1e-9)),
        ("by unit, fewer rows than columns", ByUnit("lognormal", 1e-9)),
        ("by t", ByValue("t", ((1.0, ALMOST), (2.0, ALMOST**2)))),
        ("by t, uneven", ByValue("t", ((1.0, ALMOST),))),
        ("by b, uneven", ByValue("b", ((1.0, ALMOST),))),
        ("by kind alone", ByValue("kind", ((1.0, ALMOST), (2.0, ALMOST**2)))),
    ],
)
def test_a_twin_is_of_the_nominal_numbers(name, variance):
    """Where sds differ by one part in 10^9 the data are those of equal ones, to as much."""
    one = replace(DESIGNS[name], variance=variance)
    assert is_drawn_as_sums(one)
    model = [Model("truth", one.formula)]
    ours, nominal = (
        simulate(each, model, 5, 0, 40).cross for each in (one, replace(one, variance=None))
    )
    size = np.sqrt(nominal.sum_squares)[:, None, None]
    gram = nominal.gram[:, [a * (a + 3) // 2 for a in range(ours.response.shape[1])]]
    assert (abs(ours.response - nominal.response) <= 1e-8 * size * np.sqrt(gram)).all()
    assert_allclose(ours.sum_squares, nominal.sum_squares, rtol=1e-8)


@pytest.mark.parametrize("name", ["by t", "by t, uneven", "by b", "by b, uneven"])
def test_squares_of_a_group_are_a_chi_square(name):
    """Where all but one group have an sd of 0: with as many degrees of freedom as it has rows."""
    one = DESIGNS[name]
    by = one.variance.by
    one = replace(one, sd=(0.0,) * len(one.sd), variance=ByPower(by, 1.0))
    if by == "t":  # 0, 1, 2: those of 1, less what 2 would have
        one = replace(one, variance=ByValue("t", ((0.0, 0.0), (2.0, 0.0))))
    cross = simulate(one, [Model("truth", one.formula)], 11, 0, 5_000).cross
    sizes = [one.n_rows] * one.n_units if isinstance(one.n_rows, int) else one.n_rows
    if by == "t":
        rows = sum(sum(v == 1.0 for v in T.distribution.points(size)) for size in sizes)
        p = kstest(cross.sum_squares / 0.49, chi2(rows).cdf).pvalue
    else:
        rows = draw_sizes(one)
        p = kstest(chi2(rows).cdf(cross.sum_squares / 0.49), "uniform").pvalue
    assert p > P


def draw_sizes(one):
    """Return the rows of each data set in which b is 1."""
    found = [
        np.add.reduceat(some.by_rows["b"], some.rows.starts[: -1 : one.n_units])
        for some in draw_by_row(one, 11, 0, 5_000)
    ]
    return np.concatenate(found)


N = 40_000
THREE = ByUnit("lognormal", 0.6)
F = Covariate("f", "row", Points((0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)))
PLAIN = {
    "by unit": scenario("y ~ f + (1 | g)", [F], 8, 3, sd=(0.0,), sigma=1.0, variance=THREE),
    "by unit, x": scenario("y ~ x + (1 | g)", [Covariate("x", "row")], 8, 3, sd=(0.0,), sigma=1.0,
                           variance=THREE),
    "by f": scenario("y ~ f + (1 | g)", [F], 8, 3, sd=(0.0,), sigma=1.0,
                     variance=ByValue("f", ((1.0, 4.0),))),
    "by b": scenario("y ~ b + (1 | g)", [B], 8, 3, sd=(0.0,), sigma=1.0,
                     variance=ByValue("b", ((1.0, 4.0),))),
}  # fmt: skip


def rows_of(name, rng):
    """Return x and e of N data sets of three units of eight rows, (N, 3, 8), by NumPy alone."""
    x = np.broadcast_to(np.array(F.distribution.values), (N, 3, 8))
    e = rng.standard_normal((N, 3, 8))
    if name == "by unit, x":
        x = rng.standard_normal((N, 3, 8))
    if name == "by b":
        x = (rng.random((N, 3, 8)) < 0.3).astype(float)
    if name.startswith("by unit"):
        s2 = np.log(1.36)
        return x, e * np.exp(np.sqrt(s2) * rng.standard_normal((N, 3, 1)) - s2)
    return x, np.where(x == 1.0, 2.0, 1.0) * e


def features(x, xx, e, xe, ee):
    """Return the sums of each unit, and the squares, a column each."""
    return np.column_stack([x, xx, e, xe, ee])


@pytest.mark.parametrize("name", PLAIN)
def test_the_joint_law_is_that_of_rows(name):
    """Moments of all pairs of sums, and laws along directions and of functions of them."""
    one = PLAIN[name]
    assert is_drawn_as_sums(one)
    cross = simulate(one, [Model("truth", one.formula)], 3, 0, N).cross
    scale = 2.0 if one.covariates[0] is F or one.covariates[0] is B else 1.0  # f / 0.5
    gram = np.broadcast_to(cross.gram, (N, 3, 3))
    ours = features(gram[:, 1] / scale, gram[:, 2] / scale**2, cross.response[:, 0],
                    cross.response[:, 1] / scale, cross.sum_squares)  # fmt: skip
    x, e = rows_of(name, np.random.default_rng(1))
    theirs = features(x.sum(2), (x * x).sum(2), e.sum(2), (x * e).sum(2), (e * e).sum((1, 2)))
    for power in (1, 2):
        for a in range(ours.shape[1]):
            for b in range(a + 1):
                first, second = (s[:, a] ** power * s[:, b] ** power for s in (ours, theirs))
                error = np.hypot(first.std(), second.std()) / np.sqrt(N)
                assert abs(first.mean() - second.mean()) <= SE * error + 1e-9, (a, b, power)
    assert_same_laws(ours, theirs)


def assert_same_laws(ours, theirs):
    """Compare what fits make of the sums, and directions in all of them."""

    def functions(s):
        x, xx, e, xe = (s[:, 3 * a : 3 * a + 3] for a in range(4))
        within, across, squares = xx - x * x / 8.0, xe - x * e / 8.0, s[:, 12]
        means = e.var(axis=1, ddof=1)
        left = squares - (e**2).sum(1) / 8.0
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = np.where(within > 1e-9, across / within, 0.0)
            explained = np.where(within > 1e-9, across**2 / within, 0.0).sum(1)
        yield from (squares, left, left - explained, means, means / left, np.log(squares))
        yield from (slopes[:, 0], slopes.var(axis=1), explained / (left - explained))
        yield from (e[:, 0] * across[:, 0], e[:, 1] ** 2 / squares, across[:, 2] ** 2 / left)

    for first, second in zip(functions(ours), functions(theirs), strict=True):
        assert ks_2samp(first, second).pvalue > P
    size = theirs.std(axis=0) + 1e-12
    for direction in np.random.default_rng(2).standard_normal((8, ours.shape[1])):
        first, second = (s / size @ direction for s in (ours, theirs))
        assert ks_2samp(first, second).pvalue > P


BY_ARM = scenario("y ~ f + arm + (1 | g)", [F, Covariate("arm", "unit", Points((0.0, 1.0, 1.0)))],
                  8, 3, variance=ByValue("arm", ((1.0, 4.0),)))  # fmt: skip


@pytest.mark.parametrize("one", [BY_ARM, PLAIN["by f"], PLAIN["by b"]], ids=["arm", "f", "b"])
def test_rows_are_independent_normals(one):
    """Over their sds: each row's law, all covariances, and those of squares, of all units."""
    parts = [
        some.residuals / np.where(some.by_rows[one.variance.by] == 1.0, 2.0, 1.0)
        for some in draw_by_row(one, 8, 0, N)
    ]
    e = np.concatenate(parts).reshape(N, 24)
    for column in e.T[::5]:
        assert kstest(column, "norm").pvalue > P
    for values, variance, fourth in ((e, 1.0, 3.0), (e**2 - 1.0, 2.0, 60.0)):
        error = abs(values.T @ values / N - variance * np.eye(24))
        spread = np.where(np.eye(24), np.sqrt(fourth - variance**2), variance)
        assert (error < SE * spread / np.sqrt(N)).all()
