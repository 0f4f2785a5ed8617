"""Simulated data: their moments, their independence, and their cross-products."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from hlm.distributions import Binary, Normal, Points, StudentT, Uniform
from hlm.formula import evaluate, model_columns, parse
from hlm.scenario import BLOCK, Covariate, Model, Scenario
from hlm.simulate import basis_of, draw, draw_rows, model_columns_of, simulate
from hlm.simulate.columns import _moments

A = Covariate("a", "unit")
X = Covariate("x", "row", Points(tuple(np.linspace(-4, 4, 30, endpoint=False))))

ARTICLE = Scenario(
    key="00c0ffee00c0ffee",
    n_units=30,
    n_rows=30,
    covariates=(A, X),
    formula="y ~ x * a + (1 + x | unit)",
    fixed=(("(Intercept)", 1.0), ("x", 3.0), ("a", -0.15), ("x:a", 0.3)),
    sd=(0.2, 0.5),
    cor=((1.0, 0.9), (0.9, 1.0)),
    sigma=0.75,
)

SE = 4.5  # standard errors that an estimate may be away from the truth


def within(estimates, truth, what=""):
    """Assert that the mean of independent estimates is near the truth."""
    estimates = np.asarray(estimates).ravel()
    error = (estimates.mean() - truth) / (estimates.std(ddof=1) / np.sqrt(len(estimates)))
    assert abs(error) < SE, (what, error)


def rows_of(draws):
    """Return a chunk of draws as y less the fixed part, (n, rows, units)."""
    x = draws.covariates["x"]
    return draws.effects[:, 0, None] + draws.effects[:, 1, None] * x + 0.75 * draws.noise


def all_of(draws):
    """Return all draws; each one's noise is overwritten by the next."""
    return [replace(d, noise=d.noise.copy()) for d in draws]


@pytest.fixture(scope="module")
def article():
    """Draw 1000 replicates of the founding article: 30,000 units."""
    return all_of(draw(ARTICLE, 2345, 0, 1000))


def _least_squares(chunks):
    """Return intercepts and slopes given a, and the residual variance of each unit."""
    x = np.array(X.distribution.values)
    design = np.column_stack([np.ones(30), x])
    y = np.concatenate([rows_of(chunk) for chunk in chunks])
    b = np.einsum("kj,rji->rki", np.linalg.pinv(design), y)
    residual = y - np.einsum("jk,rki->rji", design, b)
    return b[:, 0].ravel(), b[:, 1].ravel(), (residual**2).sum(1).ravel() / 28


def test_least_squares_lines_have_the_articles_moments(article):
    """Intercepts and slopes given a: mean 0 about the truth, variance Psi + sigma^2 (X'X)^-1."""
    intercept, slope, variance = _least_squares(article)
    design = np.column_stack([np.ones(30), X.distribution.values])
    expected = np.array([[0.04, 0.09], [0.09, 0.25]]) + 0.75**2 * np.linalg.inv(design.T @ design)
    within(intercept, 0.0)
    within(slope, 0.0)
    within(intercept**2, expected[0, 0])
    within(slope**2, expected[1, 1])
    within(intercept * slope, expected[0, 1])
    within(variance, 0.75**2)
    within((intercept**2 - expected[0, 0]) ** 2, 2 * expected[0, 0] ** 2, "normal: kurtosis")
    within(variance**2, 0.75**4 * (1 + 2 / 28), "chi-square with 28 df")


def test_random_effects_and_residuals_have_their_moments(article):
    u1, u2 = (np.concatenate([c.effects[:, k].ravel() for c in article]) for k in (0, 1))
    noise = 0.75 * np.concatenate([c.noise.ravel() for c in article])
    a = np.concatenate([c.covariates["a"].ravel() for c in article])
    assert len(u1) == 30_000
    assert len(noise) == 900_000
    for values, sd in ((u1, 0.2), (u2, 0.5), (noise, 0.75), (a, 1.0)):
        within(values, 0.0)
        within(values**2, sd**2)
        within(values**3, 0.0)
        within(values**4, 3 * sd**4)
    rho = np.corrcoef(u1, u2)[0, 1]
    assert abs(rho - 0.9) < SE * (1 - 0.9**2) / np.sqrt(len(u1))


def test_the_response_is_the_truths_lines():
    """Rows regressed unit by unit recover 1 - 0.15 a and 3 + 0.3 a."""
    intercepts, slopes, attributes = [], [], []
    for replicate in range(200):
        rows = draw_rows(ARTICLE, 2345, replicate)
        y, x = rows["y"].reshape(30, 30), np.array(X.distribution.values)
        b = y @ np.linalg.pinv(np.column_stack([np.ones(30), x])).T
        intercepts.append(b[:, 0])
        slopes.append(b[:, 1])
        attributes.append(rows["a"].reshape(30, 30)[:, 0])
    a, intercept, slope = map(np.concatenate, (attributes, intercepts, slopes))
    within(intercept - (1 - 0.15 * a), 0.0)
    within(slope - (3 + 0.3 * a), 0.0)
    within(a * (intercept - 1), -0.15)
    within(a * (slope - 3), 0.3)


def test_three_random_effects_have_their_correlations():
    cor = ((1.0, 0.5, -0.3), (0.5, 1.0, 0.2), (-0.3, 0.2, 1.0))
    truth = replace(
        ARTICLE, formula="y ~ x * a + (1 + x + a | unit)", sd=(1.0, 0.5, 2.0), cor=cor, n_rows=30
    )
    effects = np.concatenate([c.effects for c in draw(truth, 1, 0, 500)])
    for a, b in combinations(range(3), 2):
        within(effects[:, a] * effects[:, b], cor[a][b] * truth.sd[a] * truth.sd[b])


@pytest.mark.parametrize("rho", [1.0, -1.0])
def test_perfectly_correlated_random_effects(rho):
    chunk = next(draw(replace(ARTICLE, cor=((1.0, rho), (rho, 1.0))), 1, 0, 5))
    assert_allclose(chunk.effects[:, 1], rho * 2.5 * chunk.effects[:, 0], rtol=1e-12)


COVARIATES = (
    Covariate("nu", "unit", Normal(5.0, 2.0)),
    Covariate("uu", "unit", Uniform(-1.0, 3.0)),
    Covariate("bu", "unit", Binary(0.2)),
    Covariate("gu", "unit", Points(tuple(np.arange(12.0)))),
    Covariate("nr", "row", Normal(-3.0, 0.5)),
    Covariate("ur", "row", Uniform(0.0, 10.0)),
    Covariate("br", "row", Binary(0.7)),
    Covariate("gr", "row", Points(tuple(np.arange(6.0) ** 2))),
)

EVERYTHING = Scenario(
    key="fedcba9876543210",
    n_units=12,
    n_rows=6,
    covariates=COVARIATES,
    formula="y ~ nu * nr + uu:ur + bu + I(gr^2) + (1 + nr | unit) + (0 + uu:br | unit)",
    fixed=(
        ("(Intercept)", 1.0), ("nu", 2.0), ("nr", 3.0), ("bu", 4.0), ("I(gr^2)", 5.0),
        ("nu:nr", 6.0), ("uu:ur", 7.0),
    ),
    sd=(1.0, 2.0, 3.0),
    cor=((1.0, 0.4, 0.0), (0.4, 1.0, 0.0), (0.0, 0.0, 1.0)),
    sigma=0.5,
)  # fmt: skip


def test_covariates_have_their_distributions():
    chunks = all_of(draw(EVERYTHING, 9, 0, 2000))
    values = {c.name: np.concatenate([k.covariates[c.name] for k in chunks]) for c in COVARIATES}
    for name, mean, variance in (
        ("nu", 5.0, 4.0), ("uu", 1.0, 16 / 12), ("bu", 0.2, 0.16),
        ("nr", -3.0, 0.25), ("ur", 5.0, 100 / 12), ("br", 0.7, 0.21),
    ):  # fmt: skip
        within(values[name], mean, name)
        within((values[name] - mean) ** 2, variance, name)
    assert values["nu"].shape == (2000, 1, 12)
    assert values["nr"].shape == (2000, 6, 12)
    assert set(values["bu"].ravel()) == {0.0, 1.0}
    assert -1.0 <= values["uu"].min() < -0.99
    assert 2.99 < values["uu"].max() <= 3.0
    assert_array_equal(values["gu"][0, 0], np.arange(12.0))
    assert_array_equal(values["gr"][0, :, 0], np.arange(6.0) ** 2)


def test_rows_are_in_order_and_named():
    rows = draw_rows(EVERYTHING, 9, 4)
    assert list(rows) == ["unit", *(c.name for c in COVARIATES), "y"]
    assert {len(column) for column in rows.values()} == {72}
    assert_array_equal(rows["unit"], np.repeat(np.arange(1, 13), 6))
    assert rows["unit"].dtype.kind == "i"
    assert_array_equal(rows["gr"], np.tile(np.arange(6.0) ** 2, 12))
    assert_array_equal(rows["gu"], np.repeat(np.arange(12.0), 6))
    assert (np.ptp(rows["nu"].reshape(12, 6), axis=1) == 0).all()
    assert (np.ptp(rows["nr"].reshape(12, 6), axis=1) > 0).all()


def test_rows_are_the_draws_put_together():
    draws, rows = next(draw(EVERYTHING, 9, 4, 5)), draw_rows(EVERYTHING, 9, 4)
    long = lambda v: np.broadcast_to(v, (6, 12)).T.ravel()  # noqa: E731
    d = {name: long(value[0]) for name, value in draws.covariates.items()}
    y = 1 + 2 * d["nu"] + 3 * d["nr"] + 4 * d["bu"] + 5 * d["gr"] ** 2
    y += 6 * d["nu"] * d["nr"] + 7 * d["uu"] * d["ur"]
    b = [long(effect[None]) for effect in draws.effects[0]]
    y += b[0] + b[1] * d["nr"] + b[2] * d["uu"] * d["br"]
    y += EVERYTHING.sigma * long(draws.noise[0])
    assert_allclose(rows["y"], y, rtol=1e-12)


@pytest.mark.parametrize("truth", [ARTICLE, EVERYTHING], ids=["fixed x", "random x"])
def test_a_replicate_is_the_same_from_any_range(truth):
    small = replace(truth, n_rows=6, covariates=tuple(_short(c) for c in truth.covariates))
    models = [Model("m", truth.formula)]
    whole = simulate(small, models, 5, 0, BLOCK + 30)
    for start, stop in ((0, 3), (17, 18), (500, 760), (BLOCK - 2, BLOCK + 3), (BLOCK, BLOCK + 1)):
        part = simulate(small, models, 5, start, stop)
        for name, array in part.cross._asdict().items():
            full = getattr(whole.cross, name)
            wanted = full[start:stop] if len(full) > 1 else full
            assert_array_equal(array, wanted, err_msg=f"{name} {start}:{stop}")
    for replicate in (3, BLOCK + 7):
        single = simulate(small, models, 5, replicate, replicate + 1)
        assert_array_equal(single.cross.response[0], whole.cross.response[replicate])
        rows = draw_rows(small, 5, replicate)
        assert_array_equal(rows["y"], draw_rows(small, 5, replicate)["y"])


def _short(covariate):
    first = covariate.distribution.values[:6]
    long = covariate.level == "row" and first
    return replace(covariate, distribution=Points(first)) if long else covariate


def test_chunks_do_not_matter(monkeypatch):
    whole = [np.concatenate(parts) for parts in _parts(ARTICLE)]
    monkeypatch.setattr("hlm.simulate.draws.CHUNK_VALUES", 1)
    assert_array_equal(whole[0], np.concatenate(_parts(ARTICLE)[0]))
    assert_array_equal(whole[1], np.concatenate(_parts(ARTICLE)[1]))


def _parts(truth):
    chunks = all_of(draw(truth, 5, 3, 90))
    return [c.noise for c in chunks], [c.effects for c in chunks]


def test_seeds_keys_and_blocks_give_other_data():
    base = draw_rows(ARTICLE, 1, 0)["y"]
    others = {
        "seed": draw_rows(ARTICLE, 2, 0)["y"],
        "large seed": draw_rows(ARTICLE, 1 + 2**40, 0)["y"],
        "key": draw_rows(replace(ARTICLE, key="00c0ffee00c0ffef"), 1, 0)["y"],
        "key's first half": draw_rows(replace(ARTICLE, key="00c0ffef00c0ffee"), 1, 0)["y"],
        "replicate": draw_rows(ARTICLE, 1, 1)["y"],
        "block": draw_rows(ARTICLE, 1, BLOCK)["y"],
    }
    for what, other in others.items():
        assert not np.isclose(base, other).any(), what


def test_the_draws_of_a_covariate_do_not_depend_on_which_others_there_are():
    """The key is the same by hand; in studies another covariate is another scenario."""
    names = ("a", "b", "c", "B", "ä")
    drawn = tuple(Covariate(name, "row", Uniform(-1.0, 1.0)) for name in names)
    alone = {
        c.name: next(draw(replace(ARTICLE, covariates=(c,)), 1, 7, 9)).covariates[c.name]
        for c in drawn
    }
    for covariates in (drawn, drawn[::-1], drawn[::2]):
        together = next(draw(replace(ARTICLE, covariates=covariates), 1, 7, 9))
        for name, values in together.covariates.items():
            assert_array_equal(values, alone[name], name)
    for one, two in combinations(names, 2):
        assert not np.isclose(alone[one], alone[two]).any(), (one, two)


def test_normal_covariates_of_rows_are_drawn_one_given_the_others():
    """In the order of names: the first as if alone, all with the means that they have alone."""
    names = ("B", "a", "b")
    drawn = tuple(Covariate(name, "row") for name in names)
    alone = {
        c.name: next(draw(replace(ARTICLE, covariates=(c,)), 1, 7, 9)).covariates[c.name]
        for c in drawn
    }
    for covariates in (drawn, drawn[::-1]):
        together = next(draw(replace(ARTICLE, covariates=covariates), 1, 7, 9)).covariates
        assert_array_equal(together["B"], alone["B"])
        for name in ("a", "b"):
            assert_allclose(together[name].mean(1), alone[name].mean(1), atol=1e-13)
            assert not np.isclose(together[name], alone[name]).any()


def test_effects_and_other_residuals_are_as_they_were_in_the_first_version():
    """Their seeds stay (0, block, key, seed) and (1, ...), where residuals are not normal."""
    key = (0x00C0FFEE, 0x00C0FFEE)
    (chunk,) = draw(replace(ARTICLE, residuals=StudentT(5.0)), 2345, BLOCK, BLOCK + 2)
    noise = StudentT(5.0).standardized(np.random.default_rng((0, 1, *key, 2345)), (2, 30, 30))
    assert_array_equal(chunk.noise, noise)
    z = np.random.default_rng((1, 1, *key, 2345)).standard_normal((2, 2, 30))
    assert_allclose(chunk.effects[:, 0], 0.2 * z[:, 0], rtol=1e-15)


def test_coordinates_have_streams_named_by_their_columns():
    """(2, two halves of the name's hash, block, key, seed): normals, and twice a gamma number."""

    def stream(name):
        digits = blake2b(name.encode(), digest_size=8).hexdigest()
        words = int(digits[:8], 16), int(digits[8:], 16)
        return np.random.default_rng((2, *words, 1, 0x00C0FFEE, 0x00C0FFEE, 2345))

    (chunk,) = draw(ARTICLE, 2345, BLOCK, BLOCK + 2)
    for k, name in enumerate(("residual along", "residual along x")):
        assert_array_equal(chunk.coordinates.along[k], stream(name).standard_normal((2, 30)))
    left = 2.0 * stream("residual left").standard_gamma(30 * 28 / 2, 2)
    assert_array_equal(chunk.coordinates.left[:, 0], left)
    (chunk,) = draw(replace(ARTICLE, covariates=(A, Covariate("x", "row"))), 2345, BLOCK, BLOCK + 2)
    along = stream("x along").standard_normal((2, 30))
    left = 2.0 * stream("x left").standard_gamma(29 / 2, (2, 30))
    assert_array_equal(chunk.lower[:, 1:].swapaxes(0, 1), [along, np.sqrt(left)])
    x = chunk.covariates["x"]
    assert_allclose(x.sum(1), np.sqrt(30) * along, rtol=1e-12, atol=1e-12)
    assert_allclose((x**2).sum(1), along**2 + left, rtol=1e-12)


def test_streams_are_independent():
    """Correlations of 900,000 draws: replicates, blocks, scenarios, seeds and purposes."""
    many = replace(ARTICLE, covariates=(A, Covariate("x", "row")))
    key = replace(many, key="10c0ffee00c0ffee")
    first, block = (
        np.concatenate([c.noise for c in all_of(draw(many, 1, at, at + 1000))]) for at in (0, BLOCK)
    )
    draws = {
        "first": first,
        "block": block,
        "next": np.roll(first, 1, axis=0),
        "key": np.concatenate([c.noise for c in all_of(draw(key, 1, 0, 1000))]),
        "seed": np.concatenate([c.noise for c in all_of(draw(many, 2, 0, 1000))]),
        "covariate": np.concatenate([c.covariates["x"] for c in all_of(draw(many, 1, 0, 1000))]),
    }
    for (one, left), (two, right) in combinations(draws.items(), 2):
        correlation = np.corrcoef(left.ravel(), right.ravel())[0, 1]
        assert abs(correlation) < SE / np.sqrt(left.size), (one, two)
    units = [
        np.concatenate([c.effects[:, k] for c in all_of(draw(many, 1, 0, 1000))]) for k in (0, 1)
    ]
    units.append(np.concatenate([c.covariates["a"][:, 0] for c in all_of(draw(many, 1, 0, 1000))]))
    units.append(first[:, 0])
    for left, right in ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3)):
        correlation = np.corrcoef(units[left].ravel(), units[right].ravel())[0, 1]
        assert abs(correlation) < SE / np.sqrt(units[0].size), (left, right)
    assert abs(np.corrcoef(first.reshape(1000, -1)[:, :30].T) - np.eye(30)).max() < 6 / 1000**0.5


MODELS = [
    Model("all", EVERYTHING.formula),
    Model("some", "y ~ nu * nr * gr + (1 + gr | unit)"),
    Model("few", "y ~ 0 + ur + bu:br + (0 + ur | unit)"),
]


@pytest.mark.parametrize("truth", [EVERYTHING, ARTICLE], ids=["random x", "fixed x"])
def test_cross_products_equal_those_of_the_rows(truth):
    models = MODELS if truth is EVERYTHING else [Model("m", truth.formula)]
    basis, drawn = basis_of(truth, models), simulate(truth, models, 7, 20, 26).cross
    shape, k = (truth.n_units, truth.n_rows), len(basis.columns)
    for r, replicate in enumerate(range(20, 26)):
        rows = draw_rows(truth, 7, replicate)
        data = {name: rows[name] for name in rows if name not in ("unit", "y")}
        columns = [np.broadcast_to(c.values(data), shape[0] * shape[1]) for c in basis.columns]
        columns = np.array(columns).reshape(k, *shape)
        pairs = [(a, b) for a in range(k) for b in range(a + 1)]
        gram = np.array([(columns[a] * columns[b]).sum(1) for a, b in pairs])
        ours = drawn.gram[r if len(drawn.gram) > 1 else 0]
        assert_allclose(np.broadcast_to(ours, gram.shape), gram, rtol=1e-10, atol=1e-10)
        random = rows["y"].reshape(shape)
        for name, value in truth.fixed:
            random = random - value * _column(truth, name, data).reshape(shape)
        assert_allclose(drawn.response[r], (columns * random).sum(2), rtol=1e-9, atol=1e-9)
        assert drawn.sum_squares[r] == pytest.approx((random**2).sum(), rel=1e-10)
        for number, part in enumerate(basis.multipliers):
            values = np.broadcast_to(part.values(data), shape[0] * shape[1]).reshape(shape)[:, 0]
            ours = drawn.multipliers[r if len(drawn.multipliers) > 1 else 0, number]
            assert_allclose(ours, values, rtol=1e-12)


def _column(truth, name, data):
    term = next(t for t in parse(truth.formula).fixed if t.name == name)
    column = np.ones(truth.n_units * truth.n_rows)
    for factor in term.factors:
        column = column * evaluate(factor, data)
    return column


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_models_columns_are_those_of_the_formula(model):
    """X = X* T_x, Z = Z* T_z, and the truth's fixed part is X* offset + what the model lacks."""
    basis, formula = basis_of(EVERYTHING, MODELS), parse(model.formula)
    columns, rows = model_columns_of(EVERYTHING, basis, model), draw_rows(EVERYTHING, 7, 3)

    def make(places):
        made = np.empty((72, len(places)))
        for k, (column, multiplier) in enumerate(places):
            made[:, k] = basis.columns[column].values(rows)
            made[:, k] *= basis.multipliers[multiplier].values(rows)
        return made

    X = model_columns(formula.fixed, rows)[1]
    Z = np.hstack([model_columns(block.terms, rows)[1] for block in formula.random])
    assert_allclose(make(columns.fixed) @ columns.fixed_transform, X, rtol=1e-10, atol=1e-10)
    assert_allclose(make(columns.random) @ columns.random_transform, Z, rtol=1e-10, atol=1e-10)
    fixed = sum(value * _column(EVERYTHING, name, rows) for name, value in EVERYTHING.fixed)
    ours = make(columns.fixed) @ columns.offset + make(columns.rest) @ columns.rest_coef
    assert_allclose(ours, fixed, rtol=1e-10, atol=1e-9)


def test_covariates_far_from_zero_are_centred_exactly():
    """A year has centre 2000 and scale 8: powers of two, so that nothing is rounded."""
    year = Covariate("x", "row", Normal(2000.0, 10.0))
    truth = replace(ARTICLE, covariates=(A, year))
    models = [Model("m", truth.formula)]
    (centred,) = (part for part in basis_of(truth, models).columns if part.centre)
    assert [factor.name for factor in centred.factors] == ["x"]
    assert centred.scale == 8.0
    assert abs(centred.centre - 2000) < 8
    assert centred.centre % centred.scale == 0


def test_products_of_many_covariates_are_scaled_by_their_sd():
    """For independent N(0, 1) the sd of x_i x_j is 1; it was sqrt(2) for two covariates eight
    apart, whose reference points were the same. A power of two needs it to sqrt(2) only; among
    the first eight, which stay as they were, the largest errors are 0.117 and 0.153.
    """
    names = [f"x{k:02d}" for k in range(20)]
    covariates = tuple(Covariate(name, "row") for name in names)
    for one, two in combinations(names, 2):
        (term,) = parse(f"y ~ 0 + {one}:{two} + (1 | g)").fixed
        mean, sd = _moments(covariates, term.factors)
        assert (abs(mean) < 0.2, abs(sd - 1.0) < 0.2) == (True, True), (one, two, mean, sd)


def test_a_study_of_ten_covariates_scales_the_product_of_the_first_and_the_ninth():
    """Of x0 and x8 in {0, 1} with P(x = 1) = 1/4, x0 x8 has sd 0.242, not 0.433."""
    names = [f"x{k}" for k in range(10)]
    truth = replace(
        ARTICLE,
        covariates=tuple(Covariate(name, "row", Binary(0.25)) for name in names),
        formula="y ~ x0 * x8 + (1 | unit)",
        fixed=tuple((name, 1.0) for name in ("(Intercept)", "x0", "x8", "x0:x8")),
        sd=(1.0,),
        cor=((1.0,),),
    )
    basis = basis_of(truth, [Model("m", truth.formula)])
    (product,) = [part for part in basis.columns if len(part.factors) == 2]
    assert product.scale == 2.0**-2
