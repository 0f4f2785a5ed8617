"""Random effects that are not normal: each of its own family, mixed or by a copula."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations_with_replacement
from math import asin, exp, expm1, log, pi, sqrt

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats

from hlm.cli import main
from hlm.distributions import (
    ChiSquare,
    Laplace,
    LogNormal,
    Mixture,
    Normal,
    SkewNormal,
    StudentT,
    Uniform,
)
from hlm.distributions.copula import _series, normal_correlation, normal_correlations, reach
from hlm.errors import InputError
from hlm.fits import fit_batch
from hlm.plan import make_plan
from hlm.plan.plan import Plan
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import draw, draw_rows, simulate
from hlm.simulate.random_effects import recipe_of
from hlm.study import Study

from .test_distributions import DRAWN, standard
from .test_distributions import SCENARIO as OF_STUDENT

SE = 4.5
"""Standard errors that a mean may be away from its expectation."""

KS = 2.7
"""Kolmogorov and Smirnov's distance times sqrt(n) at its 1e-6 point."""

FAMILIES = [
    Normal(),
    StudentT(5.0),
    ChiSquare(1.0),
    Uniform(),
    Laplace(),
    LogNormal(0.5),
    SkewNormal(4.0),
    Mixture(0.1, 3.0),
]


# the correlation of the normals


@pytest.mark.parametrize(
    ("one", "other", "correlation", "quantile"),
    [
        (
            ChiSquare(1.0),
            LogNormal(0.5),
            0.4,
            (
                lambda z: (special.ndtri(special.ndtr(-z) / 2) ** 2 - 1) / sqrt(2),
                lambda z: (exp(0.5 * z) - exp(0.125)) / sqrt(exp(0.5) - exp(0.25)),
            ),
        ),
        (
            Laplace(),
            ChiSquare(2.0),
            -0.6,
            (
                lambda z: -np.sign(z) * log(2 * special.ndtr(-abs(z))) / sqrt(2),
                lambda z: -special.log_ndtr(-z) - 1,
            ),
        ),
    ],
)
def test_the_correlation_is_that_of_brute_force(one, other, correlation, quantile):
    """E h(z_1) h(z_2) by QUADPACK in two dimensions, with quantiles in closed form."""
    r = normal_correlation(one, other, correlation)
    first, second = quantile
    spread = sqrt(1 - r**2)

    def density(e, z):
        return first(z) * second(r * z + spread * e) * exp(-(z**2 + e**2) / 2) / (2 * pi)

    # apart at 0, where the Laplace distribution has its kink
    parts = [
        integrate.dblquad(density, *ends, -9, 9, epsabs=1e-9, epsrel=1e-9)[0]
        for ends in ((-9, 0), (0, 9))
    ]
    assert sum(parts) == pytest.approx(correlation, abs=1e-7)


@pytest.mark.parametrize("pair", [*combinations_with_replacement(FAMILIES, 2)], ids=str)
@pytest.mark.parametrize("r", [-0.8, 0.5])
def test_the_series_is_the_sum_over_a_grid(pair, r):
    """The trapezoidal rule, of which the error is that of the Laplace distribution's kink."""
    z = np.linspace(-14, 14, 1121)
    step, spread = z[1] - z[0], sqrt(1 - r**2)
    weights = np.exp(-(z**2) / 2) / sqrt(2 * pi) * step
    left, right = (shape.from_normal(z) for shape in pair)
    near = np.exp(-(((z - r * z[:, None]) / spread) ** 2) / 2) / sqrt(2 * pi) / spread * step
    assert _series(*pair).at(r) == pytest.approx((weights * left) @ near @ right, abs=2e-6)
    if Laplace() not in pair:
        assert _series(*pair).at(r) == pytest.approx((weights * left) @ near @ right, abs=1e-9)


@pytest.mark.parametrize("r", [-0.95, -0.2, 1e-6, 0.5, 0.99])
def test_correlations_in_closed_form(r):
    """Lognormal: (exp(s t r) - 1) over the sds. Uniform: 6 / pi asin(r / 2). Normal: r."""
    s, t = 0.5, 1.5
    correlation = expm1(s * t * r) / sqrt(expm1(s**2) * expm1(t**2))
    assert normal_correlation(LogNormal(s), LogNormal(t), correlation) == pytest.approx(r, abs=1e-9)
    uniform = normal_correlation(Uniform(), Uniform(), 6 / pi * asin(r / 2))
    assert uniform == pytest.approx(r, abs=1e-9)
    assert normal_correlation(Normal(), Normal(), r) == pytest.approx(r, abs=1e-12)


def test_bounds_in_closed_form():
    """Two exponentials: 1 - pi^2 / 6. Two lognormals: as above, r = -1. With a normal: E z h(z)."""
    assert_allclose(reach(ChiSquare(2.0), ChiSquare(2.0)), (1 - pi**2 / 6, 1), atol=1e-10)
    low, high = reach(LogNormal(1.0), LogNormal(2.0))
    spread = sqrt(expm1(1) * expm1(4))
    assert_allclose((low, high), (expm1(-2) / spread, expm1(2) / spread), rtol=1e-10)
    assert_allclose(reach(Normal(), Uniform()), (-sqrt(3 / pi), sqrt(3 / pi)), rtol=1e-10)
    for shape in FAMILIES:
        low, high = reach(shape, shape)
        assert high == pytest.approx(1.0, abs=1e-10)
        assert low == pytest.approx(-1.0, abs=1e-10) or shape.skewness


@pytest.mark.parametrize("shape", FAMILIES, ids=str)
def test_two_of_one_family_can_be_the_same(shape):
    assert normal_correlation(shape, shape, 1.0) == pytest.approx(1.0, abs=1e-7)
    if shape.skewness == 0:
        assert normal_correlation(shape, shape, -1.0) == pytest.approx(-1.0, abs=1e-7)


@pytest.mark.parametrize(
    ("correlation", "pair"), [(-0.45, (ChiSquare(1.0),) * 2), (0.95, (Normal(), ChiSquare(1.0)))]
)
def test_a_correlation_out_of_reach_is_refused(correlation, pair):
    low, high = reach(*pair)
    with pytest.raises(InputError, match="no copula gives") as caught:
        normal_correlation(*pair, correlation)
    assert f"{low:.4f} to {high:.4f}" in caught.value.allowed


@pytest.mark.parametrize("shape", [StudentT(2.05), Mixture(0.001, 30.0)], ids=str)
def test_what_cannot_be_computed_is_refused(shape):
    with pytest.raises(InputError, match="cannot be computed to 8 digits"):
        normal_correlation(shape, shape, 0.5)


def test_normals_must_exist():
    """Three chi-squares of which two pairs are near their bound and the third is independent."""
    shapes, low = (ChiSquare(1.0),) * 3, reach(ChiSquare(1.0), ChiSquare(1.0))[0]
    cor = [[1, low * 0.95, 0], [low * 0.95, 1, low * 0.95], [0, low * 0.95, 1]]
    assert np.linalg.eigvalsh(np.array(cor))[0] > 0
    with pytest.raises(InputError, match="no copula gives these correlations together"):
        normal_correlations(shapes, cor)


# what is drawn

SCENARIO = replace(OF_STUDENT, cor=((1.0, 0.4), (0.4, 1.0)), effects=Normal(), residuals=Normal())
SCIPY = {Normal(): stats.norm(), Uniform(): standard(stats.uniform()), **dict(DRAWN)}


def cdf(shape):
    return SCIPY[shape].cdf


def replayed_effects(effects, dependence, cor=0.4):
    """Return the random effects of 100,000 units, in sds, from the rows that `hlm replay` shows.

    Two rows of each unit, at x = 0 and x = 1, nearly without residuals.
    """
    scenario = replace(
        SCENARIO,
        n_units=100_000,
        n_rows=2,
        covariates=(Covariate("x", "row", Uniform()),),
        cor=((1.0, cor), (cor, 1.0)),
        sigma=1e-13,
        effects=effects,
        dependence=dependence,
    )
    rows = draw_rows(scenario, 1, 0)
    x, y = (rows[name].reshape(-1, 2) for name in ("x", "y"))
    slope = (y[:, 1] - y[:, 0]) / (x[:, 1] - x[:, 0])
    return (y[:, 0] - slope * x[:, 0] - 1) / 2.0, (slope - 3) / 0.5


def check_correlation(first, second, cor):
    products = first * second
    assert abs(products.mean() - cor) < SE * products.std() / sqrt(len(first))


@pytest.mark.parametrize(
    "effects",
    [
        *FAMILIES,
        (ChiSquare(1.0), Normal()),
        (Laplace(), SkewNormal(4.0)),
        (Uniform(), StudentT(5.0)),
    ],
    ids=str,
)
def test_a_copula_keeps_shapes_sds_and_correlation(effects):
    shapes = effects if isinstance(effects, tuple) else (effects,) * 2
    found = replayed_effects(effects, "copula")
    for values, shape in zip(found, shapes, strict=True):
        n = len(values)
        assert stats.kstest(values, cdf(shape)).statistic < KS / sqrt(n)
        assert abs(values.mean()) < SE / sqrt(n)
        assert abs((values**2).mean() - 1) < SE * (values**2).std() / sqrt(n)
    check_correlation(*found, 0.4)


@pytest.mark.parametrize(
    "effects",
    [*FAMILIES, (ChiSquare(1.0), Normal()), (Normal(), Laplace()), (Uniform(), StudentT(5.0))],
    ids=str,
)
def test_mixing_keeps_sds_and_correlation_and_the_shape_of_the_first(effects):
    """The second less its share of the first has its own shape, and is independent of it."""
    shapes = effects if isinstance(effects, tuple) else (effects,) * 2
    first, second = replayed_effects(effects, "mixing", cor=0.6)
    own, n = (second - 0.6 * first) / 0.8, len(first)
    assert stats.kstest(first, cdf(shapes[0])).statistic < KS / sqrt(n)
    assert stats.kstest(own, cdf(shapes[1])).statistic < KS / sqrt(n)
    check_correlation(first, own, 0.0)
    check_correlation(first, second, 0.6)
    assert abs((second**2).mean() - 1) < SE * (second**2).std() / sqrt(n)


@pytest.mark.parametrize("shape", FAMILIES, ids=str)
def test_residuals_have_their_shape(shape):
    still = replace(SCENARIO, sd=(0.0, 0.0), n_units=1000, residuals=shape)
    rows = [draw_rows(still, 1, replicate) for replicate in range(10)]
    found = np.concatenate([(r["y"] - 1 - 3 * r["x"]) / 0.75 for r in rows])
    assert stats.kstest(found, cdf(shape)).statistic < KS / sqrt(len(found))
    assert abs((found**2).mean() - 1) < SE * (found**2).std() / sqrt(len(found))


@pytest.mark.parametrize("shape", [*FAMILIES, ChiSquare(3.0)], ids=str)
@pytest.mark.parametrize("dependence", ["mixing", "copula"])
@pytest.mark.parametrize("n_rows", [8, (3, 9, 5, 2) * 5], ids=["equal", "unequal"])
def test_a_part_is_that_of_the_whole_bit_for_bit(shape, dependence, n_rows):
    scenario = replace(
        SCENARIO, effects=shape, residuals=shape, dependence=dependence, n_rows=n_rows
    )
    check_parts(scenario)
    check_parts(replace(scenario, effects=(shape, Normal())))
    check_parts(replace(scenario, effects=(Laplace(), shape)))


def check_parts(scenario):
    found = {name: [] for name in ("effects", "noise")}
    for chunk in draw(scenario, 1, 0, 600):
        for name, values in found.items():
            values.append(getattr(chunk, name).copy())
    whole = {name: np.concatenate(values) for name, values in found.items()}
    for start, stop in ((0, 1), (408, 411), (599, 600)):
        (part,) = draw(scenario, 1, start, stop)
        for name, values in whole.items():
            assert_array_equal(getattr(part, name), values[start:stop])


def test_the_rows_are_those_that_were_reduced():
    scenario = replace(
        SCENARIO, effects=(ChiSquare(1.0), Laplace()), residuals=LogNormal(0.5), dependence="copula"
    )
    cross = simulate(scenario, [Model("m", scenario.formula)], 1, 30, 33).cross
    for r in range(3):
        rows = draw_rows(scenario, 1, 30 + r)
        random = rows["y"] - 1 - 3 * rows["x"]
        assert cross.sum_squares[r] == pytest.approx((random**2).sum(), rel=1e-12)


def test_moments_of_mixed_effects():
    scenario = replace(SCENARIO, effects=(ChiSquare(4.0), LogNormal(0.3)))
    found = replayed_effects(scenario.effects, "mixing", cor=0.4)
    for values, (skewness, kurtosis) in zip(found, recipe_of(scenario).moments(), strict=True):
        n = len(values)
        assert abs((values**3).mean() - skewness) < SE * (values**3).std() / sqrt(n)
        assert abs((values**4).mean() - kurtosis) < SE * (values**4).std() / sqrt(n)


def test_scenarios_survive_json():
    scenario = replace(
        SCENARIO,
        effects=(Mixture(0.1, 3.0), SkewNormal(4.0)),
        residuals=Laplace(),
        dependence="copula",
    )
    assert Scenario.from_dict(json.loads(json.dumps(scenario.to_dict()))) == scenario


# in a study

TEXT = """
name: shapes
seed: 11
replicates: 400
truth:
  formula: y ~ x + (1 + x | unit)
  fixed: {(Intercept): 1, x: 2}
  random: {unit: {sd: {(Intercept): 1.5, x: 1}, cor: 0.4 RANDOM}}
  residual: {sd: 0.5 RESIDUAL}
design: {units: 30, rows: 6, covariates: {x: {level: row}}}
models: {own: y ~ x + (1 + x | unit)}
GRID
"""


def text(random="", residual="", grid=""):
    return TEXT.replace(" RANDOM", random).replace(" RESIDUAL", residual).replace("GRID", grid)


def study(*args, **parts):
    return Study.from_text(text(*args, **parts))


def only(*args, **parts):
    (scenario,) = study(*args, **parts).scenarios
    return scenario


def test_effects_by_name():
    """Those that are not named are normal; one for all is as well one for each."""
    found = only(", distribution: {x: chisq(1)}")
    assert (found.effects, found.dependence) == ((Normal(), ChiSquare(1.0)), "mixing")
    said = only(', distribution: {x: chisq( 1.0 ), "(Intercept)": normal}, dependence: mixing')
    assert said == found
    both = only(", distribution: {x: chisq(1), (Intercept): chisq(1)}")
    assert both == only(", distribution: chisq(1)")
    assert both.effects == ChiSquare(1.0)
    plain = only()
    for same in ("normal", "{}", "{x: normal}"):
        assert only(f", distribution: {same}, dependence: mixing") == plain
    keys = {found.key, both.key, plain.key, only(", dependence: copula").key}
    assert len(keys) == 4


def test_shapes_are_varied(tmp_path):
    grid = """grid:
  truth.random.unit.dependence: [mixing, copula]
  truth.random.unit.distribution.x: [normal, skew_normal(4)]
  truth.residual.distribution: [normal, "mixture(0.1, 3)"]
"""
    found = study(", distribution: chisq(1)", grid=grid)
    assert list(found.levels[0]) == ["dependence", "distribution.x", "distribution"]
    assert [(s.dependence, s.effects, s.residuals) for s in found.scenarios] == [
        (dependence, (ChiSquare(1.0), effect), residual)
        for dependence in ("mixing", "copula")
        for effect in (Normal(), SkewNormal(4.0))
        for residual in (Normal(), Mixture(0.1, 3.0))
    ]
    assert len({s.key for s in found.scenarios}) == 8
    assert found.scenarios[0] == only(", distribution: {(Intercept): chisq(1)}")
    make_plan(found).write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json").scenarios == found.scenarios
    whole = study(grid="grid: {truth.random.unit.distribution: [normal, {x: laplace}, chisq(1)]}")
    effects = [Normal(), (Normal(), Laplace()), ChiSquare(1.0)]
    assert [s.effects for s in whole.scenarios] == effects
    labels = [level["distribution"] for level in whole.levels]
    assert labels == ["normal", '{"x":"laplace"}', "chisq(1)"]


def test_a_grid_may_vary_which_effects_there_are():
    varied = """grid:
  which:
    both: {truth.formula: y ~ x + (1 + x || unit), truth.random.unit.sd: {(Intercept): 1, x: 1}}
    one: {truth.formula: y ~ x + (1 | unit), truth.random.unit.sd: {(Intercept): 1}}
"""
    body = text(", distribution: chisq(1)", grid=varied).replace("cor: 0.4", "cor: 0")
    found = Study.from_text(body.replace("(1 + x | unit)}\n", "(1 | unit)}\n"))
    assert [s.effects for s in found.scenarios] == [ChiSquare(1.0)] * 2


@pytest.mark.parametrize(
    ("random", "residual"),
    [
        (", distribution: {x: chisq(1)}, dependence: copula", ", distribution: laplace"),
        (', distribution: "mixture(0.1, 3)", dependence: copula', ", distribution: uniform"),
        (", distribution: {(Intercept): lognormal(0.5), x: skew_normal(4)}", ""),
    ],
)
def test_estimates_are_unbiased_where_the_truth_is_not_normal(random, residual):
    """Those of Gaussian likelihood are consistent for the sds and the correlation that are stated.

    Means of variances and of the covariance over replicates that are not singular, within 4.5
    standard errors.
    """
    found = study(random, residual)
    (scenario,) = found.scenarios
    drawn = simulate(scenario, found.models, found.seed, 0, 400)
    table = fit_batch(scenario, found.models, drawn)["estimates"]
    frame = pd.DataFrame(
        {k: np.asarray(table[k]) for k in ("replicate", "term", "method", "estimate")}
    )
    wide = frame[frame["method"] == "reml"].pivot_table(
        index="replicate", columns="term", values="estimate", observed=True
    )
    sds = wide["sd_(Intercept)|unit"], wide["sd_x|unit"]
    for values, true in (
        (wide["(Intercept)"], 1.0),
        (wide["x"], 2.0),
        (sds[0] ** 2, 2.25),
        (sds[1] ** 2, 1.0),
        (wide["cor_x.(Intercept)|unit"] * sds[0] * sds[1], 0.6),
        (wide["sigma"] ** 2, 0.25),
    ):
        assert len(values.dropna()) == 400
        assert abs(values.mean() - true) < SE * values.std() / 20


def test_check_says_how_effects_come_out(tmp_path, capsys):
    path = tmp_path / "study.yaml"
    grid = "grid: {truth.random.unit.dependence: [mixing, copula]}"
    path.write_text(text(", distribution: {x: chisq(1)}", ", distribution: t(3)", grid))
    assert main(["check", str(path), "--no-pilot"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("distributions"))
    # sqrt(0.84)^3 sqrt(8) and 3 + 0.84^2 12
    assert [line.split() for line in lines[at : at + 5]] == [
        ["distributions", "skewness", "kurtosis"],
        ["(Intercept)|unit", "normal", "0", "3"],
        ["x|unit", "mixed", "of", "normal", "and", "chisq(1)", "2.18", "11.5"],
        ["chisq(1)", "2.83", "15"],
        ["residual", "t(3)", "none", "inf"],
    ]
    path.write_text(text())
    assert main(["check", str(path), "--no-pilot"]) == 0
    assert "distributions" not in capsys.readouterr().out
