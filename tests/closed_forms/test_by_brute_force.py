"""The same numbers from the matrices of all rows: unequal units, covariates that differ, blocks."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from hlm.closed_forms import closed_form, effect_for_power, units_for_power, units_for_width
from hlm.distributions import Points, RowValues
from hlm.formula import formula_in, model_columns
from hlm.scenario import Covariate, Expression, Model, Scenario
from hlm.simulate import draw_rows

SLOPES = "y ~ x * a + (1 + x | g)"
FIXED = (("(Intercept)", 1.0), ("x", 0.4), ("a", 0.8), ("x:a", -0.5))
HALVES = Covariate("a", "unit", Points((0.0, 0.0, 1.0) * 4))
SIZES = (3, 4, 9, 3, 12, 5, 3, 4, 9, 3, 12, 5)
GRID = Covariate("x", "row", Points(tuple(np.arange(12.0))))
OWN = Covariate("x", "row", RowValues(SIZES, tuple(np.random.default_rng(3).normal(1, 1, 72))))
YEARS = Covariate("x", "row", Points(tuple(np.arange(2000.0, 2012.0))))


def scenario(x=GRID, *, formula=SLOPES, sd=(0.8, 0.3), cor=0.4, rows=SIZES):
    q = len(sd)
    cors = tuple(tuple(1.0 if i == j else cor for j in range(q)) for i in range(q))
    return Scenario("1" * 16, 12, rows, (HALVES, x), formula, FIXED, sd, cors, 0.9)


CASES = {
    "grid": scenario(),
    "own x": scenario(OWN),
    "years": scenario(YEARS, sd=(40.0, 0.02), cor=0.1),
    "blocks": scenario(OWN, formula="y ~ x * a + (1 | g) + (0 + x | g)", cor=0.0),
    "intercepts": scenario(OWN, formula="y ~ x * a + (1 | g)", sd=(0.8,)),
    "unit-level column": scenario(OWN, formula="y ~ x * a + (1 + a:x | g)"),
    "balanced": scenario(rows=6),
}


class Brute:
    """Matrices of all rows; derivatives in the variances by differences."""

    def __init__(self, truth):
        data = draw_rows(truth, 1, 0)
        formula = formula_in(truth.formula, truth.covariates)
        values = {name: np.asarray(data[name], dtype=float) for name in ("x", "a")}
        self.X, Z = (model_columns(terms, values)[1] for terms in (formula.fixed, formula.effects))
        same = data["g"][:, None] == data["g"]
        block = np.repeat(np.arange(len(formula.blocks)), formula.blocks)
        pairs = [(i, j) for i in range(len(block)) for j in range(i + 1) if block[i] == block[j]]
        self.G = [np.eye(len(Z))]
        self.eta = [truth.sigma**2]
        for i, j in pairs:
            both = same * np.outer(Z[:, i], Z[:, j])
            self.G.append(both if i == j else both + both.T)
            self.eta.append(truth.cor[i][j] * truth.sd[i] * truth.sd[j])

    def vcov(self, eta):
        V = sum(e * G for e, G in zip(eta, self.G, strict=True))
        return np.linalg.inv(self.X.T @ np.linalg.solve(V, self.X))

    def gradients(self, L):
        """Return the covariance of contrasts and its derivatives, and the inverse information."""
        V = sum(e * G for e, G in zip(self.eta, self.G, strict=True))
        W = np.linalg.inv(V)
        P = W - W @ self.X @ self.vcov(self.eta) @ self.X.T @ W
        PG = [P @ G for G in self.G]
        information = [[0.5 * np.sum(A * B.T) for B in PG] for A in PG]
        slopes = []
        for r, e in enumerate(self.eta):
            h = 1e-4 * max(abs(e), 1e-3)
            up, down = (np.array(self.eta) + s * h * np.eye(len(self.eta))[r] for s in (1, -1))
            slopes.append(L @ (self.vcov(up) - self.vcov(down)) @ L.T / (2 * h))
        return L @ self.vcov(self.eta) @ L.T, np.array(slopes), np.linalg.inv(information)

    def df(self, L):
        v, g, covariance = self.gradients(L)
        g = g[:, 0, 0]
        return 2 * v[0, 0] ** 2 / (g @ covariance @ g)


def model_of(truth, **options):
    return Model("m", truth.formula, **options)


@pytest.mark.parametrize("name", CASES)
def test_coefficients(name):
    truth = CASES[name]
    brute = Brute(truth)
    for j, (term, b) in enumerate(FIXED):
        found = closed_form(truth, model_of(truth), term)
        L = np.eye(4)[[j]]
        se = sqrt(brute.vcov(brute.eta)[j, j])
        assert found.se == pytest.approx(se, rel=1e-5 if name == "years" else 1e-9)
        if name == "years":
            continue  # differences of matrices with columns such as 2000 have no digits
        df = brute.df(L)
        assert found.df == pytest.approx(df, rel=1e-6)
        t = stats.t.isf(0.025, df)
        power = stats.nct.sf(t, df, b / se) + stats.nct.cdf(-t, df, b / se)
        assert found.power == pytest.approx(power, rel=1e-6)
        shrinks = stats.chi.mean(df) / sqrt(df)
        assert found.width == pytest.approx(2 * t * se * shrinks, rel=1e-6)


def test_years_are_as_good_as_years_from_2000():
    """Slopes do not depend on where zero is, nor do their degrees of freedom."""
    sd, slope, cor = 1.3, 0.2, 0.3
    near = scenario(replace(GRID), sd=(sd, slope), cor=cor)
    psi = np.array([[sd**2, cor * sd * slope], [cor * sd * slope, slope**2]])
    T = np.array([[1.0, -2000.0], [0.0, 1.0]])
    moved = T @ psi @ T.T
    sds = np.sqrt(np.diag(moved))
    far = scenario(YEARS, sd=tuple(sds), cor=moved[0, 1] / np.prod(sds))
    ours, theirs = (closed_form(one, model_of(one), "x:a") for one in (far, near))
    assert ours.df == pytest.approx(theirs.df, rel=1e-5)
    assert ours.power == pytest.approx(theirs.power, rel=1e-5)


TESTS = {"tests": (("arm", ("a", "x:a")),)}


@pytest.mark.parametrize("name", ["grid", "own x", "intercepts"])
def test_f_tests_of_lmertest(name):
    """Satterthwaite's pooled degrees of freedom, of contrasts along the eigenvectors of LVL'."""
    truth = CASES[name]
    brute, L = Brute(truth), np.eye(4)[2:]
    covariance, slopes, spread = brute.gradients(L)
    size, vectors = np.linalg.eigh(covariance)
    g = np.einsum("am,rab,bm->mr", vectors, slopes, vectors)
    nu = 2 * size**2 / np.einsum("mr,rs,ms->m", g, spread, g)
    E = (nu / (nu - 2)).sum()
    found = closed_form(truth, model_of(truth, **TESTS), "F(arm)")
    assert found.df == pytest.approx(2 * E / (E - 2), rel=1e-6)
    b = np.array([0.8, -0.5])
    assert found.ncp == pytest.approx(b @ np.linalg.solve(covariance, b), rel=1e-8)
    assert np.isnan(found.width)


def test_f_of_two_contrasts_of_unit_lines_is_hotellings():
    """With m - 2 = 10 df: (9/10) F is exactly noncentral F with 2 and 9 df."""
    truth = CASES["balanced"]
    b, L = np.array([0.8, -0.5]), np.eye(4)[2:]
    covariance = L @ Brute(truth).vcov(Brute(truth).eta) @ L.T
    ncp = b @ np.linalg.solve(covariance, b)
    model = model_of(truth, **TESTS)
    exact = closed_form(truth, model, "F(arm)", inference="kenward-roger")
    assert exact.df == pytest.approx(9, rel=1e-8)
    power = stats.ncf.sf(stats.f.isf(0.05, 2, 9), 2, 9, ncp)
    assert exact.power == pytest.approx(power, rel=1e-8)
    liberal = closed_form(truth, model, "F(arm)", inference="satterthwaite")
    assert liberal.df == pytest.approx(10, rel=1e-8)
    power = stats.ncf.sf(0.9 * stats.f.isf(0.05, 2, 10), 2, 9, ncp)
    assert liberal.power == pytest.approx(power, rel=1e-8)


def test_an_f_test_of_one_coefficient_is_its_t_test():
    truth = CASES["grid"]
    one = closed_form(truth, model_of(truth, tests=(("t", ("a",)),)), "F(t)")
    t = closed_form(truth, model_of(truth), "a")
    assert (one.power, one.df) == (t.power, t.df)


@pytest.mark.parametrize(
    ("inference", "df"),
    [("residual", 68.0), ("between-within", 58.0), ("infinite", np.inf)],
)
def test_degrees_of_freedom_that_are_a_count(inference, df):
    """Rows less coefficients; rows less units less within columns; what is known."""
    truth = CASES["own x"]
    found = closed_form(truth, model_of(truth), "x:a", inference=inference)
    assert found.df == df
    own = Brute(truth).df(np.eye(4)[[3]])
    critical = stats.t.isf(0.025, df)
    if inference == "infinite":
        power = stats.norm.sf(critical - found.ncp) + stats.norm.cdf(-critical - found.ncp)
    else:
        power = stats.nct.sf(critical, own, found.ncp) + stats.nct.cdf(-critical, own, found.ncp)
    assert found.power == pytest.approx(power, rel=1e-6)


AT_2 = Expression("at 2", (("term", "a"), ("number", 2.0), ("term", "x:a"), ("apply", "*"),
                           ("apply", "+"), ("number", 0.3), ("apply", "-")))  # fmt: skip


def test_linear_combinations_have_their_weights_and_their_constant():
    truth = CASES["own x"]
    found = closed_form(truth, model_of(truth, expressions=(AT_2,)), "at 2")
    L = np.array([[0.0, 0.0, 1.0, 2.0]])
    brute = Brute(truth)
    se = sqrt((L @ brute.vcov(brute.eta) @ L.T).item())
    assert found.ncp == pytest.approx((0.8 - 2 * 0.5 - 0.3) / se, rel=1e-9)
    assert found.df == pytest.approx(brute.df(L), rel=1e-6)


def test_a_model_that_is_the_truth_in_other_terms():
    """Of x less 2 the coefficient of a is that where x is 2."""
    truth = CASES["own x"]
    moved = closed_form(truth, Model("m", "y ~ I(x - 2) * a + (1 + I(x - 2) | g)"), "a")
    brute, L = Brute(truth), np.array([[0.0, 0.0, 1.0, 2.0]])
    assert moved.se == pytest.approx(sqrt((L @ brute.vcov(brute.eta) @ L.T).item()), rel=1e-9)
    assert moved.ncp * moved.se == pytest.approx(0.8 - 2 * 0.5, rel=1e-9)
    assert moved.df == pytest.approx(brute.df(L), rel=1e-6)


def test_an_effect_that_does_not_vary_counts_as_left_out():
    """Of the model without it, in which the same numbers are those of its variances."""
    truth, less = scenario(OWN, sd=(0.8, 0.0)), CASES["intercepts"]
    found = closed_form(truth, model_of(truth), "a")
    without = closed_form(less, model_of(less), "a")
    assert found.power == pytest.approx(without.power, rel=1e-12)
    assert "sd_x|g is 0" in found.reason
    assert not found.exact


INTERCEPTS = "y ~ x * a + (1 | g)"
BLOCKS = "y ~ x * a + (1 + x || g)"
CENTRED = Covariate("x", "row", Points((-2.0, -1.0, 0.0, 0.5, 1.0, 1.5)))
SAME_SIZES = Covariate("x", "row", RowValues((6,) * 12, OWN.distribution.rows))


@pytest.mark.parametrize(
    ("truth", "df"),
    [
        (scenario(CENTRED, rows=6, sd=(4.0, 3.0)), 10),
        (scenario(CENTRED, rows=6, formula=INTERCEPTS, sd=(4.0,)), 72 - 12 - 2),
        (scenario(CENTRED, rows=6, formula=BLOCKS, sd=(4.0, 3.0), cor=0.0), 10),
    ],
)
def test_what_is_exact(truth, df):
    """A slope of units has units less 2, one of rows the rows less units less 2."""
    found = closed_form(truth, model_of(truth), "x:a")
    assert found.exact
    assert found.reason == f"exact: the design is balanced, so that t has {df} degrees of freedom"
    assert found.df == pytest.approx(df, rel=1e-9)


@pytest.mark.parametrize(
    ("truth", "term", "reason"),
    [
        (scenario(sd=(4.0, 3.0)), "a", "the number of rows differs between units"),
        (scenario(SAME_SIZES, rows=6, sd=(4.0, 3.0)), "a", "random part's covariates differ"),
        (
            scenario(rows=6, formula=INTERCEPTS, sd=(4.0,)),
            "a",  # where x is 0, and the mean of x is 2.5
            "its standard error is made of several variances",
        ),
        (
            scenario(rows=6, formula=BLOCKS, sd=(4.0, 3.0), cor=0.0),
            "a",  # least squares of units has correlated errors, the model uncorrelated effects
            "its standard error is made of several variances",
        ),
        (scenario(CENTRED, rows=6, sd=(0.4, 0.3)), "a", "of fits or more are singular"),
    ],
)
def test_what_is_not_exact(truth, term, reason):
    found = closed_form(truth, model_of(truth), term)
    assert not found.exact
    assert found.reason.startswith("an approximation: ")
    assert reason in found.reason


def test_roots():
    """The number of units that makes the power, or the width, that a number of units has."""
    truth = CASES["own x"]
    model = model_of(truth)
    found = closed_form(truth, model, "x:a")
    assert units_for_power(truth, model, "x:a", found.power) == pytest.approx(12, rel=1e-9)
    assert units_for_width(truth, model, "x:a", found.width) == pytest.approx(12, rel=1e-9)
    assert effect_for_power(truth, model, "x:a", found.power) == pytest.approx(0.5, rel=1e-9)


def test_twice_the_units_are_as_many_of_each():
    truth = CASES["own x"]
    twice = replace(
        truth,
        n_units=24,
        n_rows=SIZES * 2,
        covariates=(
            replace(HALVES, distribution=Points(HALVES.distribution.values * 2)),
            replace(OWN, distribution=RowValues(SIZES * 2, OWN.distribution.rows * 2)),
        ),
    )
    model = model_of(truth)
    found = closed_form(twice, model, "x:a")
    assert units_for_power(truth, model, "x:a", found.power) == pytest.approx(24, rel=1e-9)
