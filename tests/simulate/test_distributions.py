"""Distributions: moments and quantiles against SciPy and closed forms, draws against both."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, isnan, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, optimize, special, stats

from hlm.distributions import (
    FAMILIES,
    SHAPES,
    Balanced,
    Binary,
    Categories,
    ChiSquare,
    Laplace,
    LogNormal,
    Mixture,
    Normal,
    Points,
    RowValues,
    Scaled,
    SkewNormal,
    Span,
    StudentT,
    Uniform,
    UnitValues,
    from_dict,
    read_call,
    written,
)
from hlm.distributions.fixed import GeneratedRows, GeneratedUnits
from hlm.errors import InputError
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import draw, draw_rows, simulate

SE = 4.5  # standard errors that a mean may be away from its expectation
N = 400_000


class TwoNormals:
    """A mixture of two normals as a sum over SciPy's, with variance 1: the first has the sd s."""

    def __init__(self, share, ratio):
        s = (1 - share + share * ratio**2) ** -0.5
        self.parts = [(1 - share, stats.norm(0, s)), (share, stats.norm(0, s * ratio))]

    def _sum(self, name, *args):
        return sum(weight * getattr(part, name)(*args) for weight, part in self.parts)

    def cdf(self, x):
        return self._sum("cdf", x)

    def ppf(self, u):
        """By root finding on the nearer tail."""
        tails = np.minimum(u, 1 - u)
        roots = [
            optimize.brentq(lambda x, p=p: self.cdf(x) / p - 1, -80, 0, xtol=1e-15) for p in tails
        ]
        return np.where(u < 0.5, roots, np.negative(roots))

    def stats(self, _):
        return 0.0, self._sum("moment", 2), self._sum("moment", 3), self._sum("moment", 4) - 3

    def std(self):
        return sqrt(self._sum("moment", 2))


def student(df):
    """Return Student's t of SciPy, standardized."""
    return stats.t(df, scale=sqrt((df - 2) / df))


def standard(own):
    """Return a distribution of SciPy with mean 0 and sd 1."""
    mean, sd, name, shape = own.mean(), own.std(), own.dist, own.args
    loc, scale = own.kwds.get("loc", 0.0), own.kwds.get("scale", 1.0)
    return name(*shape, loc=(loc - mean) / sd, scale=scale / sd)


def moved(theirs, mean, sd):
    """Return SciPy's distribution, of a shape parameter, with another mean and sd."""
    scale = sd / theirs.std()
    return theirs.dist(*theirs.args, loc=mean - scale * theirs.mean(), scale=scale)


DRAWN = [
    (Normal(3.0, 2.0), stats.norm(3, 2)),
    (Uniform(-1.0, 4.0), stats.uniform(-1, 5)),
    (Binary(0.3), stats.bernoulli(0.3)),
    *((ChiSquare(df), standard(stats.chi2(df))) for df in (0.3, 1.0, 2.0, 3.0, 50.0)),
    (Laplace(), stats.laplace(scale=sqrt(0.5))),
    *((LogNormal(s), standard(stats.lognorm(s))) for s in (0.1, 0.5, 1.0)),
    *((SkewNormal(a), standard(stats.skewnorm(a))) for a in (-20.0, -1.0, 0.0, 0.7, 4.0)),
    *((Mixture(w, r), TwoNormals(w, r)) for w, r in ((0.1, 3.0), (0.4, 0.2), (0.01, 10.0))),
    (Scaled(LogNormal(0.5), 10.0, 2.0), moved(stats.lognorm(0.5), 10, 2)),
    (Scaled(ChiSquare(3.0), -1.0, 0.1), moved(stats.chi2(3), -1, 0.1)),
    *((StudentT(df), student(df)) for df in (2.1, 3.0, 4.0, 4.5, 5.0, 10.0, 1e6)),
]
NAMES = [str(ours) for ours, _ in DRAWN]
FINITE = [
    Categories((-1.0, 0.5, 3.0), (0.2, 0.5, 0.3)),
    Balanced.of((0.0, 1.0, 4.0), ("a", "b", "c")),
]
FIXED = [
    Points((4.0, -1.0, 7.0, 2.0)),
    Span(-1.0, 4.0),
    UnitValues((4.0, -1.0, 7.0, 2.0)),
    RowValues((3, 1), (4.0, -1.0, 7.0, 2.0)),
    GeneratedUnits((4.0, -1.0, 7.0, 2.0)),
    GeneratedRows((3, 1), (4.0, -1.0, 7.0, 2.0)),
]


@pytest.mark.parametrize(("ours", "theirs"), DRAWN, ids=NAMES)
def test_moments_are_scipys(ours, theirs):
    mean, variance, skewness, excess = (float(v) for v in theirs.stats("mvsk"))
    assert ours.mean == pytest.approx(mean, rel=1e-14, abs=1e-14)
    assert ours.variance == pytest.approx(variance, rel=1e-13)
    assert ours.sd == pytest.approx(theirs.std(), rel=1e-13)
    assert ours.skewness == pytest.approx(skewness, rel=1e-11, abs=1e-14, nan_ok=True)
    if isinstance(ours, StudentT) and ours.df <= 4:
        assert ours.kurtosis == inf
    else:
        assert ours.kurtosis == pytest.approx(3 + excess, rel=1e-12)


PROBABILITIES = np.array([1e-12, 1e-6, 0.001, 0.1, 0.25, 0.5, 0.69, 0.71, 0.9, 0.999, 1 - 1e-6])


@pytest.mark.parametrize(("ours", "theirs"), DRAWN, ids=NAMES)
def test_quantiles_are_scipys_to_13_digits(ours, theirs):
    """And of a continuous one the distribution function at a quantile is the probability.

    SciPy's quantiles of the skew-normal have but 6 digits, see the next test.
    """
    u = PROBABILITIES
    if not isinstance(ours, SkewNormal):
        assert_allclose(ours.quantile(u), theirs.ppf(u), rtol=1e-13, atol=2e-13)
        if not isinstance(ours, Binary | ChiSquare):  # of which the lower tail ends
            assert_allclose(theirs.cdf(ours.quantile(u)), u, rtol=1e-10, atol=1e-15)
    else:
        assert_allclose(ours.quantile(u), theirs.ppf(u), atol=1e-5)


@pytest.mark.parametrize("alpha", [0.1, 0.7, 1.0, 4.0, 20.0, -4.0])
def test_quantiles_of_the_skew_normal_are_those_of_its_density(alpha):
    """The integral of 2 phi(x) Phi(alpha x) beyond a quantile is the probability, by QUADPACK.

    With alpha 1 it is the larger of two normals, whose distribution function is Phi^2.
    """
    delta = alpha / sqrt(1 + alpha**2)
    mean, sd = delta * sqrt(2 / np.pi), sqrt(1 - 2 * delta**2 / np.pi)
    x = mean + sd * SkewNormal(alpha).quantile(PROBABILITIES)
    for quantile, p in zip(x, PROBABILITIES, strict=True):
        density = 2 * stats.norm.pdf(quantile) * special.ndtr(alpha * quantile)
        ends = (quantile - 10, quantile) if p < 0.5 else (quantile, quantile + 10)
        tail = integrate.quad(
            lambda t: 2 * np.exp(-t * t / 2) / sqrt(2 * np.pi) * special.ndtr(alpha * t),
            *ends, epsabs=0, epsrel=1e-13, limit=500,
        )[0]  # fmt: skip
        error = abs(tail - (p if p < 0.5 else 1 - p)) / density
        assert error < 1e-11
    if alpha == 1.0:
        assert_allclose(x[1:], special.ndtri(np.sqrt(PROBABILITIES[1:])), atol=1e-12)


@pytest.mark.parametrize("ours", [one for one, _ in DRAWN if one.shape is not None], ids=str)
def test_normals_become_quantiles(ours):
    """Also far out, where the probability of an upper tail is no difference from 1."""
    z = np.array([-6.0, -2.5, -0.3, 0.0, 0.4, 3.0, 5.0])
    expected = (ours.quantile(special.ndtr(z)) - ours.mean) / ours.sd
    assert_allclose(ours.from_normal(z), expected, rtol=1e-9, atol=1e-13)
    far = ours.from_normal(np.linspace(-37, 37, 3001))
    assert np.isfinite(far).all()
    assert (np.diff(far) >= 0).all()
    reshaped = ours.from_normal(z[:6].reshape(2, 3))
    assert_array_equal(reshaped.ravel(), ours.from_normal(z[:6]))
    assert_array_equal(ours.from_normal(z[2:3]), ours.from_normal(z)[2:3])


def test_chi_squares_in_closed_form():
    """With 1 df a square of a normal, with 2 an exponential: 2 log(1 / p) beyond p."""
    z = np.array([-3.0, -1.0, 0.0, 0.5, 2.0, 8.0])
    tail = special.ndtr(-z)
    assert_allclose(
        ChiSquare(1.0).from_normal(z), (special.ndtri(tail / 2) ** 2 - 1) / sqrt(2), rtol=1e-13
    )
    assert_allclose(ChiSquare(2.0).from_normal(z), -np.log(tail) - 1, rtol=1e-12, atol=1e-14)
    root = np.array([0.1, 1.0, 2.0, 5.0])
    p = special.erf(root / sqrt(2))
    assert_allclose(ChiSquare(1.0).quantile(p), (root**2 - 1) / sqrt(2), rtol=1e-9, atol=1e-14)


def test_the_tails_of_t_are_powers():
    """The density is nearly f_0 t^-(df + 1) far out, so that P(T > t) is f_0 t^-df / df."""
    for df in (2.1, 3.0, 7.0):
        front = special.gamma((df + 1) / 2) / special.gamma(df / 2) / sqrt(df * np.pi)
        p = np.array([1e-60, 1e-200, 1e-290])
        t = (front * df ** ((df + 1) / 2) / df / p) ** (1 / df)
        assert_allclose(StudentT(df).quantile(p), -t * sqrt((df - 2) / df), rtol=1e-12)


def test_the_far_tail_of_the_skew_normal_is_its_integral():
    """By QUADPACK, of the density over its value at the end of the tail."""
    for alpha in (0.3, 1.0, 4.0, 50.0):
        c = 1 + alpha**2
        for square in (41.0, 100.0, 1000.0):
            x = sqrt(square / c)
            scaled = integrate.quad(
                lambda s, x=x, a=alpha, q=square: np.exp(
                    q / 2 - (x + s) ** 2 / 2 + special.log_ndtr(-a * (x + s))
                ),
                0, 40 / (c * x), epsabs=0, epsrel=1e-12,
            )[0]  # fmt: skip
            own = SkewNormal(alpha)._far_tail(np.array([x]))[0] * np.exp(square / 2)
            assert own == pytest.approx(2 / sqrt(2 * np.pi) * scaled, rel=1e-11)


def test_upper_quantiles_far_out():
    """A chi-square with 2 df is exponential, and of a lognormal the tail is one of a normal."""
    z = np.array([9.0, 20.0, 37.0])
    assert_allclose(ChiSquare(2.0).from_normal(z), -special.log_ndtr(-z) - 1, rtol=1e-12)
    expected = np.expm1(0.5 * z - 0.125) / sqrt(np.expm1(0.25))
    assert_allclose(LogNormal(0.5).from_normal(z), expected, rtol=1e-12)
    assert_allclose(
        Laplace().from_normal(z), -(np.log(2) + special.log_ndtr(-z)) / sqrt(2), rtol=1e-12
    )
    assert_allclose(Mixture(0.1, 3.0).from_normal(-z), -Mixture(0.1, 3.0).from_normal(z))


def test_a_skew_normal_is_the_mirror_image_of_the_other():
    z = np.linspace(-5, 5, 21)
    assert_allclose(SkewNormal(-4.0).from_normal(z), -SkewNormal(4.0).from_normal(-z), rtol=1e-13)


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


@pytest.mark.parametrize("ours", FINITE, ids=str)
def test_finitely_many_values_are_scipys(ours):
    theirs = stats.rv_discrete(values=(range(3), ours.shares))
    ranks, levels = theirs.ppf(PROBABILITIES).astype(int), np.array(ours.levels)
    assert_array_equal(ours.quantile(PROBABILITIES), levels[ranks])
    mean = theirs.expect(lambda k: levels[k.astype(int)])
    moments = [
        theirs.expect(lambda k, power=power: (levels[k.astype(int)] - mean) ** power)
        for power in (2, 3, 4)
    ]
    assert ours.mean == pytest.approx(mean)
    assert (ours.variance, ours.sd**2) == pytest.approx((moments[0], moments[0]))
    assert ours.skewness == pytest.approx(moments[1] / ours.sd**3)
    assert ours.kurtosis == pytest.approx(moments[2] / ours.sd**4)
    rng, parts = (np.random.default_rng(5) for _ in range(2))
    drawn = ours.draw(rng, (N,))
    assert_array_equal(drawn[:100], np.concatenate([ours.draw(parts, (k,)) for k in (1, 40, 59)]))
    for level, share in zip(ours.levels, ours.shares, strict=True):
        assert abs((drawn == level).mean() - share) < SE * sqrt(share * (1 - share) / N)
    spread = ours.spread((np.arange(1000) + 0.5) / 1000)
    assert spread.mean() == pytest.approx(ours.mean, abs=0.01)
    assert {*ours.example(rng, (7, 2)).ravel()} == {*ours.levels}


@pytest.mark.parametrize("ours", [*(one for one, _ in DRAWN), *FINITE, *FIXED], ids=str)
def test_distributions_survive_json(ours):
    assert from_dict(json.loads(json.dumps(ours.to_dict()))) == ours


def test_all_families_are_tested():
    tested = {type(one) for one, _ in DRAWN} | {type(one) for one in (*FINITE, *FIXED)}
    assert tested == set(FAMILIES.values())
    assert {type(read_call(one.call_example)) for one in SHAPES.values()} <= tested


def test_fixed_values():
    points, span, _, of_rows, *_ = FIXED
    for values in (one for one in FIXED if one is not span):
        assert (values.mean, values.variance) == (3.0, np.var([4, -1, 7, 2]))
        assert values.skewness == pytest.approx(stats.skew([4, -1, 7, 2]))
        assert values.kurtosis == pytest.approx(stats.kurtosis([4, -1, 7, 2], fisher=False))
        assert values.quantile(np.array([0.2, 0.26, 0.5, 0.9])).tolist() == [-1.0, 2.0, 2.0, 7.0]
        assert values.levels == ((-1.0, 2.0, 4.0, 7.0) if values.is_fixed else ())
    unit, position = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 4, 0, 1])
    assert_array_equal(of_rows.of_units(unit, position), [4.0, -1.0, -1.0, 2.0, 2.0])
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
        ("chisq(1)", ChiSquare(1.0), "chisq(1)"),
        ("uniform()", Uniform(), "uniform"),
        ("laplace", Laplace(), "laplace"),
        ("lognormal(.5)", LogNormal(0.5), "lognormal(0.5)"),
        ("skew_normal(-4)", SkewNormal(-4.0), "skew_normal(-4)"),
        ("mixture(0.10,3)", Mixture(0.1, 3.0), "mixture(0.1, 3)"),
    ],
)
def test_calls_are_read_and_written(text, made, canonical):
    assert read_call(text) == made
    assert written(made) == canonical
    assert read_call(canonical) == made


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(
            (name, "chisq(1)")
            for name in ("chi2(1)", "chi-square(3)", "Chi squared", "X-squared(1)")
        ),
        *((name, "laplace") for name in ("double exponential", "Laplace()", "laplac", "dexp")),
        *((name, "lognormal(0.5)") for name in ("log-normal(1)", "lnorm(0, 1)", "logNormal(1)")),
        *(
            (name, "skew_normal(4)")
            for name in ("skewnormal(4)", "skew normal", "skewed_normal(2)")
        ),
        *((name, "mixture(0.1, 3)") for name in ("contaminated normal", "mix(0.1, 3)")),
        *((name, "uniform") for name in ("unif", "Uniform(0, 1)", "rectangular")),
        *((name, "chisq(2)") for name in ("exponential", "exp(1)")),
        *((name, "t(5)") for name in ("student", "Student's t(5)", "students_t(4)")),
        *((name, "normal") for name in ("gaussian", "N(0, 1)")),
        ({"family": "chisq", "df": 1}, "chisq(1)"),
        ("cauchy", None),
    ],
)
def test_what_was_meant(text, meant):
    with pytest.raises(InputError, match="is no distribution") as caught:
        read_call(text)
    assert caught.value.suggestion == meant


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
