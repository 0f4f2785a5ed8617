"""Data drawn by coordinates: their law, their rows, and what adding a model leaves as it was."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from operator import mul

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.spatial.distance import cdist
from scipy.stats import chi2, ks_2samp, kstest, t

from hlm.distributions import Binary, Normal, Points, Span, Uniform
from hlm.fits import fit_batch
from hlm.formula import formula_in
from hlm.scenario import BLOCK, Covariate, Model, Scenario
from hlm.simulate import basis_of, draw, draw_by_row, draw_rows, simulate
from hlm.simulate.design_basis import design_basis
from hlm.simulate.orthonormal import factors_of

SE = 4.5
P = 1e-3  # fixed seeds: a test of a hundred p-values may show one of some 0.01


def scenario(formula, covariates, n_rows, n_units=9, *, sd=None, sigma=0.7, **other):
    """Return a truth of which every coefficient is 1, with independent random effects."""
    found = formula_in(formula, covariates)
    q = len(found.effects)
    return Scenario(
        key="0123456789abcdef",
        n_units=n_units,
        n_rows=n_rows,
        covariates=tuple(covariates),
        formula=formula,
        fixed=tuple((term.name, 1.0) for term in found.fixed),
        sd=(0.5,) * q if sd is None else sd,
        cor=tuple(tuple(float(a == b) for a in range(q)) for b in range(q)),
        sigma=sigma,
        **other,
    )


A, X = Covariate("a", "unit"), Covariate("x", "row", Normal(50.0, 2.0))
T = Covariate("t", "row", Points((-1.5, 0.0, 1.0, 4.0)))
W = Covariate("w", "row", Normal(-3.0, 0.3))
YEAR = Covariate("year", "row", Span(2000.0, 2010.0))
U, B = Covariate("u", "row", Uniform(0.0, 3.0)), Covariate("b", "row", Binary(0.3))
UNEVEN = (5, 2, 1, 7, 7, 3, 2, 2, 9)

DESIGNS = {
    "fixed": scenario("y ~ t * a + (1 + t | g)", [A, T], 4),
    "fixed, a square": scenario("y ~ t + I(t^2) + a + (1 + t | g)", [A, T], 4),
    "normal": scenario("y ~ x * a + (1 + x | g)", [A, X], 5),
    "two normals": scenario("y ~ x + w + (1 + x | g)", [A, X, W], 6),
    "normal and fixed, uneven": scenario(
        "y ~ year + x * a + w + (1 + x | g)", [A, YEAR, X, W], UNEVEN
    ),
    "one row": scenario("y ~ x + w + (1 | g)", [X, W], 1),
    "fewer rows than columns": scenario("y ~ x + w + (1 | g)", [X, W], 2, 30),
    "normal, squared": scenario("y ~ x + I(x^2) + (1 | g)", [X], 5),
    "uniform": scenario("y ~ u * a + (1 + u | g)", [A, U], 5),
    "binary, uneven": scenario("y ~ b * x + (1 + b | g)", [X, B], UNEVEN),
    "a covariate named residual": scenario(
        "y ~ residual + x + (1 | g)", [Covariate("residual", "row"), X], 6
    ),
}  # fmt: skip

MODELS = {
    "within": "y ~ 1 + (1 | g)",
    "square": "y ~ 1 + I({}^2) + (1 | g)",
    "exponential": "y ~ a0 + (0 + exp(0.01 * {}) | g)",
}


def model(name, one):
    """Return a model in the covariates of a scenario, the first one of rows."""
    x = next(c.name for c in one.covariates if c.level == "row")
    return Model(name, MODELS[name].format(x).replace("a0", x))


def of_rows(one, models, replicate):
    """Return gram, response and y*'y* by sums over rows, and what they are measured by.

    The same numbers are drawn where all coefficients are 0; the response is then y*.
    """
    rows = draw_rows(replace(one, fixed=tuple((name, 0.0) for name, _ in one.fixed)), 5, replicate)
    rows = {name: getattr(values, "codes", values) for name, values in rows.items()}
    order = np.arange(one.n_units)
    if not isinstance(one.n_rows, int):
        order = np.argsort(-np.array(one.n_rows), kind="stable")
    unit = np.argsort(order)[rows["g"] - 1]
    total = lambda v: np.bincount(unit, v, minlength=one.n_units)  # noqa: E731
    parts = basis_of(one, models).columns
    columns = [np.broadcast_to(part.values(rows), unit.shape) for part in parts]
    y = rows["y"]
    pairs = [(a, b) for a in range(len(columns)) for b in range(a + 1)]
    size = [np.sqrt(total(column**2)) for column in columns]
    return (
        np.array([total(columns[a] * columns[b]) for a, b in pairs]),
        np.array([size[a] * size[b] for a, b in pairs]),
        np.array([total(column * y) for column in columns]),
        np.array([one_size * np.sqrt(total(y**2)) for one_size in size]),
        y @ y,
    )


def check_rows(one, models, replicate, cross, place, *, within):
    """Hold rows against the sums of a data set, within so much of the lengths."""
    gram, of_gram, response, of_response, squares = of_rows(one, models, replicate)
    assert (abs(cross.gram[place] - gram) <= within * of_gram).all()
    assert (abs(cross.response[place] - response) <= within * of_response).all()
    assert abs(cross.sum_squares[place] - squares) <= within * squares


@pytest.mark.parametrize("name", DESIGNS)
def test_rows_have_the_sums_that_were_drawn(name):
    """To 1e-12 of the lengths of what is multiplied, whatever the models."""
    one = DESIGNS[name]
    models = [Model("truth", one.formula), *(model(name, one) for name in MODELS)]
    for some in (models[:1], models):
        for replicate in (0, 7, BLOCK + 1):
            cross = simulate(one, some, 5, replicate, replicate + 1).cross
            check_rows(one, some, replicate, cross, 0, within=1e-12)


CLOSE = {
    "two rows": scenario("y ~ x + (1 + x | g)", [X], 2, 200),
    "three rows": scenario("y ~ x + w + (1 + x | g)", [X, W], 3, 200),
    "uniform, two rows": scenario("y ~ u + (1 + u | g)", [U], 2, 200),
    "uniform and normal": scenario("y ~ u + x + (1 | g)", [U, X], 3, 200),
    "cubic": scenario("y ~ u + I(u^2) + I(u^3) + (1 + u | g)", [U], 4, 200),
    "cubic, rows to spare": scenario("y ~ x + I(x^2) + I(x^3) + (1 | g)", [X], 6, 200),
    "far from zero": scenario(
        "y ~ x + I(x^2) + (1 | g)", [Covariate("x", "row", Normal(1000.0, 0.01))], 6, 200
    ),
}


@pytest.mark.parametrize("name", CLOSE)
def test_rows_have_the_sums_where_columns_are_nearly_dependent(name):
    """Of some of 20,000 units a column has next to nothing apart from the others.

    Of some x itself happens to be a thousandth of its sd, by which the rows are rounded: so 1e-11.
    """
    one, models = CLOSE[name], [Model("truth", CLOSE[name].formula)]
    whole = simulate(one, models, 5, 0, 100).cross
    for replicate in range(100):
        check_rows(one, models, replicate, whole, replicate, within=1e-11)


@pytest.mark.parametrize("sd", [1.0, 1e-4, 1e-9])
def test_factors_are_those_of_exact_arithmetic(sd):
    """Of columns (1, x, x^2 and what is 0, or depends on them) of which little is their own."""
    rng = np.random.default_rng(3)
    x = 1.0 + sd * rng.integers(-8, 9, (6, 5)) / 8.0
    columns = np.stack([np.ones((6, 5)), x, x * x, np.zeros((6, 5)), 3.0 - 2.0 * x])[None]
    flat, starts = columns.reshape(1, 5, 30), np.arange(7) * 5
    gram = np.array(
        [[(a * b).sum(0) for j, a in enumerate(columns[0]) for b in columns[0][: j + 1]]]
    )
    lower = factors_of(flat, starts, gram, np.full(5, 6))[0]
    for i in range(5):
        exact = [[Fraction(v) for v in column[:, i]] for column in columns[0]]
        for a in range(5):
            rest = exact[a]
            for q in exact[:a]:
                if any(q):
                    share = sum(map(mul, rest, q)) / sum(map(mul, q, q))
                    rest = [one - share * other for one, other in zip(rest, q, strict=True)]
            exact[a] = rest
            wanted = float(sum(map(mul, rest, rest))) ** 0.5
            # The square and the last column are themselves right to rounding only
            assert abs(lower[a * (a + 3) // 2, i] - wanted) < 1e-5 * wanted + 1e-15, (a, i)


@pytest.mark.parametrize("name", DESIGNS)
def test_another_model_moves_no_bit(name):
    one = DESIGNS[name]
    truth = [Model("truth", one.formula)]
    alone = simulate(one, truth, 5, 990, 1012)
    k = alone.cross.response.shape[1]
    pairs = k * (k + 1) // 2
    for more in MODELS:
        both = simulate(one, [*truth, model(more, one)], 5, 990, 1012)
        assert_array_equal(alone.cross.response, both.cross.response[:, :k])
        assert_array_equal(alone.cross.sum_squares, both.cross.sum_squares)
        gram = np.broadcast_to(both.cross.gram[:, :pairs], alone.cross.gram.shape)
        assert_array_equal(alone.cross.gram, gram)


def test_two_models_beside_the_truth_see_the_same_data_in_any_order():
    one = DESIGNS["two normals"]
    first, second = Model("first", "y ~ I(x^2) + (1 | g)"), Model("second", "y ~ exp(w) + (1 | g)")
    there, back = (
        fit_batch(one, some, simulate(one, some, 5, 0, 30))["estimates"]
        for some in ([first, second], [second, first])
    )
    names = np.array(there["model"]), np.array(back["model"])
    for each in np.unique(names[0]):
        first_way = np.array(there["estimate"])[names[0] == each]
        assert_array_equal(first_way, np.array(back["estimate"])[names[1] == each])


@pytest.mark.parametrize("name", ["fixed", "normal and fixed, uneven", "uniform"])
def test_estimates_are_the_same_bits_beside_models_with_new_columns(name):
    """Whether these come first or last, and though they predict, in any range of replicates."""
    one = DESIGNS[name]
    truth = Model("truth", one.formula)
    more = [replace(model(name, one), predictions=True) for name in MODELS]

    def estimates(models, start, stop):
        found = fit_batch(one, models, simulate(one, models, 5, start, stop))["estimates"]
        replicate, own = np.array(found["replicate"]), np.array(found["model"]).astype(str)
        chosen = (own == "truth") & (replicate >= 17) & (replicate < 20)
        return [np.array(found[name])[chosen] for name in ("estimate", "se", "df", "lower")]

    alone = estimates([truth], 0, 30)
    assert len(alone[0]) >= 3 * 2 * 3
    for models, start, stop in (
        ([truth, *more], 0, 30), ([*more, truth], 0, 30), ([*more[::-1], truth], 17, 20)
    ):  # fmt: skip
        for ours, theirs in zip(estimates(models, start, stop), alone, strict=True):
            assert_array_equal(ours, theirs)


def check_any_range(one, models, monkeypatch):
    """Hold data sets that are drawn in ranges of any size, and pieces, against those of a whole."""
    for some in (models[:1], models):
        whole = simulate(one, some, 5, 0, BLOCK + 20).cross
        with monkeypatch.context() as patch:
            patch.setattr("hlm.simulate.draws.CHUNK_VALUES", 3000)
            for start, stop in ((0, 3), (17, 18), (BLOCK - 2, BLOCK + 3)):
                part = simulate(one, some, 5, start, stop).cross
                for field, array in part._asdict().items():
                    full = getattr(whole, field)
                    assert_array_equal(array, full[start:stop] if len(full) > 1 else full, field)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_same_bits_from_any_range(name, monkeypatch):
    one = DESIGNS[name]
    check_any_range(one, [Model("truth", one.formula), model("square", one)], monkeypatch)


def test_no_column_of_the_basis_is_a_models():
    names = design_basis(DESIGNS["normal and fixed, uneven"]).names
    assert names == ("along", "along year", "along w", "along x")
    assert design_basis(DESIGNS["fixed, a square"]).names == ("along", "along t", "along I(t^2)")


@pytest.mark.parametrize("name", DESIGNS)
def test_squares_of_residuals_are_a_chi_square(name):
    """Without random effects y*'y*/sigma^2 has the law of as many squares as there are rows.

    Wherever columns depend on one another within units, as where units have few rows.
    """
    one = replace(DESIGNS[name], sd=(0.0,) * len(DESIGNS[name].sd))
    cross = simulate(one, [Model("truth", one.formula)], 11, 0, 5_000).cross
    assert kstest(cross.sum_squares / 0.49, chi2(one.n_obs).cdf).pvalue > P


UNITS = 1000
PLAIN = scenario("y ~ x + (1 + x | g)", [Covariate("x", "row")], 4, UNITS, sd=(0.0, 0.0), sigma=1.0)


@cache
def million():
    """Return sums of 10^6 units of four rows: x, x^2, e, xe; and e^2 of data sets of 1000 units."""
    cross = simulate(PLAIN, [Model("truth", PLAIN.formula)], 3, 0, 1000).cross
    sums = [cross.gram[:, 1], cross.gram[:, 2], cross.response[:, 0], cross.response[:, 1]]
    return np.stack([one.ravel() for one in sums]), cross.sum_squares


@cache
def million_of_rows():
    """Return the same from rows, drawn by NumPy alone."""
    rng = np.random.default_rng(1)
    x, e = rng.standard_normal((2, 1_000_000, 4))
    sums = np.stack([x.sum(1), (x**2).sum(1), e.sum(1), (x * e).sum(1)])
    return sums, (e**2).reshape(1000, -1).sum(1)


def test_moments_of_a_million_units_are_those_of_rows():
    """All products of up to two of the sums, and their squares' products: means by both ways."""
    ours, theirs = million()[0], million_of_rows()[0]
    for power in (1, 2):
        for a in range(4):
            for b in range(a + 1):
                first, second = (s[a] ** power * s[b] ** power for s in (ours, theirs))
                error = np.hypot(first.std(), second.std()) / 1000.0
                assert abs(first.mean() - second.mean()) < SE * error, (a, b, power)
    # In closed form: E[(x'x)^2] = n (n + 2), E[(x'e)^4] = 3 n (n + 2), E[(x'1)^2 x'x] = n (n + 2)
    for values, mean in (
        (ours[1], 4.0), (ours[1] ** 2, 24.0), (ours[3] ** 2, 4.0), (ours[3] ** 4, 72.0),
        (ours[0] ** 2 * ours[1], 24.0), (ours[0] * ours[2] * ours[3], 4.0),
    ):  # fmt: skip
        assert abs(values.mean() - mean) < SE * values.std() / 1000.0


def test_laws_of_a_million_units_are_those_of_rows():
    """Two-sample tests of what fits see: sums, slopes, squares about the mean, and directions."""
    rng = np.random.default_rng(2)

    def functions(sums):
        x, xx, e, xe = sums
        within, across = xx - x * x / 4.0, xe - x * e / 4.0
        yield from (x, xx, e, xe, within, across, across / within, e * across, within * across**2)
        yield from (np.hypot(x, e), np.arctan2(across, e), np.log(within) + across**2 / within)

    for ours, theirs in zip(functions(million()[0]), functions(million_of_rows()[0]), strict=True):
        assert ks_2samp(ours, theirs).pvalue > P
    assert ks_2samp(million()[1], million_of_rows()[1]).pvalue > P
    # Along directions of all four together
    for direction in rng.standard_normal((8, 4)):
        ours, theirs = (direction @ some for some in (million()[0], million_of_rows()[0]))
        assert ks_2samp(ours, theirs).pvalue > P


def test_energy_distance_of_the_joint_law():
    """Szekely and Rizzo's statistic of four sums, among those of random relabellings."""
    rng = np.random.default_rng(4)
    chosen = rng.choice(1_000_000, 1000, replace=False)
    both = np.concatenate([million()[0][:, chosen].T, million_of_rows()[0][:, chosen].T])
    distance = cdist(both, both)

    def energy(sign):
        return -sign @ distance @ sign

    sign = np.repeat([1.0, -1.0], 1000)
    others = [energy(rng.permutation(sign)) for _ in range(499)]
    assert np.mean(np.array(others) >= energy(sign)) > 0.01
    # It sees that a sample has another correlation
    wrong = both.copy()
    wrong[:1000, 3] += 0.4 * wrong[:1000, 0] * wrong[:1000, 2]
    distance = cdist(wrong, wrong)
    assert energy(sign) > max(energy(rng.permutation(sign)) for _ in range(99))


def test_rows_are_independent_normals():
    """Of two covariates and residuals: each row's law, all covariances, and fourth moments."""
    one = scenario("y ~ x + w + (1 | g)", [Covariate("w", "row"), Covariate("x", "row")], 5, 4,
                   sd=(0.0,), sigma=1.0)  # fmt: skip
    parts = list(draw_by_row(one, 8, 0, 10_000))
    found = {
        name: np.concatenate([values(some) for some in parts]).reshape(40_000, 5)
        for name, values in (
            ("w", lambda some: some.covariates["w"]),
            ("x", lambda some: some.covariates["x"]),
            ("e", lambda some: some.residuals),
        )
    }
    rows = np.concatenate(list(found.values()), axis=1)
    for column in rows.T:
        assert kstest(column, "norm").pvalue > P
    n = len(rows)
    for power, variances in ((1, np.ones(15)), (2, np.full(15, 2.0))):
        values = rows if power == 1 else rows**2 - 1.0
        error = abs(values.T @ values / n - np.diag(variances))
        size = np.sqrt((values**2).T @ (values**2) / n - np.diag(variances) ** 2)
        assert (error < SE * size / np.sqrt(n)).all()
    # Also between the units of a data set, which share one chi-square number
    e = found["e"].reshape(10_000, 20)
    squares = e**2 - 1.0
    error = abs(squares.T @ squares / 10_000 - 2.0 * np.eye(20))
    assert (error < SE * np.where(np.eye(20), np.sqrt(56.0), 2.0) / 100.0).all()
    # Products of three, one of each kind: rows of one are not tied to signs of another
    three = found["w"] * found["x"] * found["e"]
    assert (abs(three.mean(0)) < SE / np.sqrt(n)).all()


def test_plain_draws_are_those_rows():
    one = DESIGNS["two normals"]
    draws, rows = next(draw(one, 5, 4, 5)), draw_rows(one, 5, 4)
    assert_array_equal(draws.covariates["x"][0].T.ravel(), rows["x"])
    some = next(draw(one, 5, 4, 5, rows=False))
    assert "x" not in some.covariates
    assert_array_equal(some.coordinates.along, draws.coordinates.along)
    assert_array_equal(some.lower, draws.lower)


def test_tests_of_fits_have_their_exact_laws():
    """In a balanced design with m units and one x: each t has m - 2 degrees of freedom.

    Every unit's intercept and slope are regressed on 1 and a, so that least squares of these is
    what the fit gives, and its variance a chi-square number.
    """
    grid = Covariate("x", "row", Points((-2.0, -1.0, 0.0, 1.0, 2.0)))
    a = Covariate("a", "unit", Points(tuple(np.linspace(-1, 1, 8))))
    one = scenario("y ~ x * a + (1 + x | g)", [a, grid], 5, 8, sd=(3.0, 2.0))
    models = [Model("truth", one.formula, ("reml",))]
    found = fit_batch(one, models, simulate(one, models, 6, 0, 5_000))["estimates"]
    term = np.array(found["term"]).astype(str)
    statistic = (np.array(found["estimate"]) - 1.0) / np.array(found["se"])
    for name in ("(Intercept)", "x", "a", "x:a"):
        own = statistic[term == name]
        assert len(own) == 5_000
        assert kstest(own, t(6).cdf).pvalue > P, name


def test_twins_have_the_rows_of_the_nominal_scenario():
    """Also where they are drawn row by row: missing rows, and other residuals."""
    from hlm.rows.missing import Missing
    from hlm.rows.residual import AutoRegressive

    one = DESIGNS["normal and fixed, uneven"]
    whole = draw_rows(one, 5, 3)
    left = draw_rows(replace(one, key="f" * 16, twin_of=one.key, missing=Missing(rows=0.3)), 5, 3)
    place = np.flatnonzero(np.isin(whole["y"], left["y"]))
    assert 10 < len(place) == len(left["y"]) < one.n_obs
    for name in ("x", "year", "g"):
        assert_array_equal(whole[name][place], left[name])
    other = replace(one, key="e" * 16, twin_of=one.key, autocorrelation=AutoRegressive(0.5))
    tied = draw_rows(other, 5, 3)
    assert_array_equal(tied["x"], whole["x"])
    first = np.flatnonzero(np.diff(whole["g"], prepend=0))
    np.testing.assert_allclose(tied["y"][first], whole["y"][first], rtol=1e-14)
    assert (tied["y"] != whole["y"]).sum() == one.n_obs - len(first)
