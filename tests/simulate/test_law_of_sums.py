"""The joint law of the sums that fits see, against rows that NumPy alone has drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2, f, ks_2samp, kstest, t

from hlm.distributions import Binary, Normal, Points, Span, Uniform
from hlm.fits import fit_batch
from hlm.formula import formula_in, product_of
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import basis_of, simulate

Z = 5.0
P = 1e-3  # of the least of all p-values of a test, times their number
UNEVEN = (3, 1, 5, 2, 7, 1)

A = Covariate("a", "unit", Uniform(0.0, 2.0))
X, W, V = (
    Covariate("x", "row", Normal(3.0, 2.0)),
    Covariate("w", "row"),
    Covariate("v", "row", Normal(-1.0, 0.5)),
)
U, B = Covariate("u", "row", Uniform(0.0, 3.0)), Covariate("b", "row", Binary(0.3))
T = Covariate("t", "row", Points((0.0, 1.0, 2.0, 3.0)))
YEAR = Covariate("year", "row", Span(2000.0, 2010.0))
K = Covariate("k", "row", Points((1.0, 1.0, 1.0, 1.0)))

# Truth, covariates, rows, units, and models that have columns the truth lacks, or lack some of its
CASES = {
    "no random effects": ("y ~ x + (1 | g)", [X], 4, 6, ["y ~ 1 + (1 | g)"]),
    "fixed columns": ("y ~ t * a + (1 + t | g)", [A, T], 4, 6, ["y ~ t + I(t^2) + (1 | g)"]),
    "three effects": (
        "y ~ t + I(t^2) + I(t^3) + (1 + t + I(t^2) | g)", [T], 4, 6, ["y ~ exp(t) + (1 | g)"]
    ),
    "two rows": ("y ~ x * a + (1 + x | g)", [A, X], 2, 6, ["y ~ I(x^2) + (1 | g)"]),
    "one row": ("y ~ x + (1 | g)", [X], 1, 12, ["y ~ I(x^2) + (1 | g)"]),
    "more columns than rows": (
        "y ~ x + w + v + (1 + x || g)", [X, W, V], 2, 9, ["y ~ x:w + (1 | g)"]
    ),
    "as many columns as rows": ("y ~ x + w + (1 | g)", [X, W], 3, 9, ["y ~ x:w + (1 | g)"]),
    "uneven": (
        "y ~ year * x + w + (1 | g)", [X, W, YEAR], UNEVEN, 6,
        ["y ~ x + (1 | g)", "y ~ exp(w) + (1 | g)"],
    ),
    "without intercept": (
        "y ~ 0 + year + x + (0 + year | g)", [X, YEAR], UNEVEN, 6, ["y ~ x:year + (1 | g)"]
    ),
    "a product of normals": ("y ~ x * w + (1 + x + w | g)", [X, W], 4, 4, ["y ~ I(w^2) + (1 | g)"]),
    "uniform": ("y ~ u * a + (1 + u | g)", [A, U], 3, 6, ["y ~ I(u^2) + (1 | g)"]),
    "binary, uneven": ("y ~ b * x + (1 + b | g)", [X, B], UNEVEN, 6, ["y ~ I(x^2) + (1 | g)"]),
    "constant": ("y ~ x + (1 | g)", [K, X], 4, 6, ["y ~ I(k * x) + (1 | g)"]),
    "unused": ("y ~ 1 + (1 | g)", [A, X, U, T], 4, 4, ["y ~ x + u + t + I(u^2) + (1 | g)"]),
}  # fmt: skip


def case(name):
    """Return a scenario, with independent random effects, and models."""
    formula, covariates, n_rows, n_units, others = CASES[name]
    found = formula_in(formula, covariates)
    q = len(found.effects)
    one = Scenario(
        key="0123456789abcdef",
        n_units=n_units,
        n_rows=n_rows,
        covariates=tuple(covariates),
        formula=formula,
        fixed=tuple((term.name, 1.0) for term in found.fixed),
        sd=(0.0 if name == "no random effects" else 0.5,) * q,
        cor=tuple(tuple(float(a == b) for a in range(q)) for b in range(q)),
        sigma=0.7,
    )
    models = [Model(f"m{k}", each) for k, each in enumerate([formula, *others])]
    return one, models


def drawn(one, models, n):
    """Return gram, response, y*'y* of n data sets, with units in their own order."""
    cross = simulate(one, models, 77, 0, n).cross
    order = np.argsort(-np.broadcast_to(one.n_rows, one.n_units), kind="stable")
    gram = np.broadcast_to(cross.gram, (n, cross.gram.shape[1], one.n_units))
    own = np.argsort(order)
    return gram[..., own], cross.response[..., own], cross.sum_squares


def of_rows(one, models, n, seed=12345):
    """Return the same from rows: every number of each from one generator of NumPy."""
    rng = np.random.default_rng(seed)
    sizes = np.broadcast_to(one.n_rows, one.n_units)
    unit = np.repeat(np.arange(one.n_units), sizes)
    data = {}
    for c in one.covariates:
        if c.level == "unit":
            data[c.name] = rng.uniform(0.0, 2.0, (n, one.n_units))[:, unit]
        elif c.distribution.is_fixed:
            points = np.concatenate([c.distribution.points(int(size)) for size in sizes])
            data[c.name] = np.broadcast_to(points, (n, len(unit)))
        else:
            shape = (n, len(unit))
            data[c.name] = {
                "x": lambda: rng.normal(3.0, 2.0, shape),  # noqa: B023
                "w": lambda: rng.normal(0.0, 1.0, shape),  # noqa: B023
                "v": lambda: rng.normal(-1.0, 0.5, shape),  # noqa: B023
                "u": lambda: rng.uniform(0.0, 3.0, shape),  # noqa: B023
                "b": lambda: (rng.random(shape) < 0.3).astype(float),  # noqa: B023
            }[c.name]()
    y = 0.7 * rng.standard_normal((n, len(unit)))
    for sd, term in zip(one.sd, formula_in(one.formula, one.covariates).effects, strict=True):
        y += sd * rng.standard_normal((n, one.n_units))[:, unit] * product_of(term.factors, data)
    columns = [
        np.broadcast_to(part.values(data), y.shape) for part in basis_of(one, models).columns
    ]
    of_unit = np.eye(one.n_units)[unit]
    k = len(columns)
    gram = [(columns[a] * columns[b]) @ of_unit for a in range(k) for b in range(a + 1)]
    response = [(column * y) @ of_unit for column in columns]
    return np.stack(gram, 1), np.stack(response, 1), (y**2).sum(1)


def check_alike(ours, theirs, seed=9):
    """Compare the laws of rows of numbers, each (n, d): all d, pairs, triples, directions."""
    n, d = ours.shape
    assert min(ks_2samp(*pair).pvalue for pair in zip(ours.T, theirs.T, strict=True)) * d > P
    # Of heavy tails the logarithms: means of products need variances of their own
    both = [np.sign(some) * np.log1p(abs(some)) for some in (ours, theirs)]
    for power in (1, 2):
        means, errors = [], 0.0
        for some in both:
            values = some**power
            means.append(values.T @ values / n)
            errors = errors + ((values**2).T @ (values**2) / n - means[-1] ** 2) / n
        assert (abs(means[0] - means[1]) < Z * np.sqrt(errors)).all(), power
    rng = np.random.default_rng(seed)
    for triple in rng.integers(0, d, (300, 3)):
        one, other = (some[:, triple].prod(axis=1) for some in both)
        assert abs(one.mean() - other.mean()) < Z * np.sqrt((one.var() + other.var()) / n)
    for direction in rng.standard_normal((20, d)):
        assert ks_2samp(*(some @ direction for some in both)).pvalue * 20 > P


def table(one, models, sums):
    """Return gram, response and y*'y* as one row for each data set, and what y* has within units.

    The last is the square that the columns of rows of the truth leave, in all units together, if
    any unit has more rows than there are columns.
    """
    gram, response, squares = sums
    n, k = len(squares), len(basis_of(one, models[:1]).columns)
    places = [[max(a, b) * (max(a, b) + 1) // 2 + min(a, b) for a in range(k)] for b in range(k)]
    products = np.moveaxis(gram[:, places], -1, 1)
    along = np.moveaxis(response[:, :k], -1, 1)
    inverse = np.linalg.pinv(products, rcond=1e-9, hermitian=True)
    left = squares - np.einsum("nia,niab,nib->n", along, inverse, along)
    columns = [gram.reshape(n, -1), response.reshape(n, -1), squares[:, None]]
    return np.concatenate([*columns, left[:, None]] if np.max(one.n_rows) > k else columns, axis=1)


def standardized(ours, theirs):
    """Return both in units of the sds of `theirs`, without what does not vary; check that."""
    centre, scale = theirs.mean(0), theirs.std(0)
    varies = scale > 1e-7 * np.maximum(abs(centre), 1.0)
    assert_allclose(ours[:, ~varies], theirs[:, ~varies], rtol=1e-12, atol=1e-6)
    return ((some[:, varies] - centre[varies]) / scale[varies] for some in (ours, theirs))


@pytest.mark.parametrize("name", CASES)
def test_the_joint_law_is_that_of_rows(name):
    """X'X, X'y*, y*'y* of all columns of truth and models, unit by unit and together."""
    one, models = case(name)
    ours, theirs = (way(one, models, 5_000) for way in (drawn, of_rows))
    check_alike(*standardized(table(one, models, ours), table(one, models, theirs)))


@pytest.mark.parametrize("wrong", ["a square too many", "other rows"])
def test_another_law_is_seen(wrong):
    """One degree of freedom more than 6, or x^2 of rows that are not those of the sums."""
    one, models = case("uniform")
    gram, response, squares = drawn(one, models, 5_000)
    if wrong == "a square too many":
        squares = squares + (0.7 * np.random.default_rng(1).standard_normal(5_000)) ** 2
    else:
        response[:, -1] = of_rows(one, models, 5_000, seed=1)[1][:, -1]
    ours = table(one, models, (gram, response, squares))
    theirs = table(one, models, of_rows(one, models, 5_000))
    with pytest.raises(AssertionError):
        check_alike(*standardized(ours, theirs))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["two rows", "more columns than rows", "uniform", "binary, uneven"]
)
def test_the_joint_law_at_a_million_units(name):
    """As above, with 10^6 units in data sets that each have one of every size."""
    one, models = case(name)
    n = 1_000_000 // one.n_units
    ours, theirs = (way(one, models, n) for way in (drawn, of_rows))
    check_alike(*standardized(table(one, models, ours), table(one, models, theirs)))


def estimates_of(one, formula, n, **options):
    """Return the estimates and statuses of a model, by term."""
    models = [Model("m", formula, ("reml",), **options)]
    found = fit_batch(one, models, simulate(one, models, 6, 0, n))
    term, value = (np.array(found["estimates"][name]) for name in ("term", "estimate"))
    return {name: value[term.astype(str) == name] for name in np.unique(term.astype(str))}


@pytest.mark.parametrize("n_rows", [2, 3, 40])
def test_analysis_of_variance_is_exact(n_rows):
    """Mean squares of a balanced one-way layout: REML gives both, and their ratio has F's law.

    The design has a normal covariate of rows, which the model lacks.
    """
    m = 7
    truth, _ = case("two rows")
    one = replace(truth, n_units=m, n_rows=n_rows, formula="y ~ 1 + (1 | g)",
                  fixed=(("(Intercept)", 2.0),), sd=(0.5,), cor=((1.0,),))  # fmt: skip
    found = estimates_of(one, "y ~ 1 + (1 | g)", 5_000)
    sigma, sd = found["sigma"], found["sd_(Intercept)|g"]
    between = (n_rows * 0.25 + 0.49) / 0.49
    inside = sd > 0.0
    ratio = (n_rows * sd**2 + sigma**2) / sigma**2 / between
    # Where the ratio of mean squares is below 1 the fit is singular: of it that is known
    law = f(m - 1, m * (n_rows - 1))
    singular = law.cdf(1.0 / between)
    assert abs((~inside).mean() - singular) < 4.5 * np.sqrt(singular / 5_000)
    above = (law.cdf(ratio[inside]) - singular) / (1.0 - singular)
    assert kstest(above, "uniform").pvalue > P
    # In a singular fit sigma^2 is the total mean square
    total = (m * (n_rows - 1) * sigma**2 + (m - 1) * (n_rows * sd**2 + sigma**2)) / 0.49
    mean = m * (n_rows - 1) + (m - 1) * between
    assert abs(total.mean() - mean) < 4.5 * total.std() / np.sqrt(5_000)
    if singular < 1e-3:
        assert kstest(sigma**2 * m * (n_rows - 1) / 0.49, chi2(m * (n_rows - 1)).cdf).pvalue > P


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_f_of_a_normal_covariate_within_units_is_exact(df):
    """By models with an intercept for each unit as good as fixed: t with m (n - 1) - 1 df.

    sds of 10^4 leave the slope of x to rows within units, whatever x is.
    """
    one = replace(case("two rows")[0], n_units=6, n_rows=4, formula="y ~ x + (1 | g)",
                  fixed=(("(Intercept)", 1.0), ("x", 1.0)), sd=(1e4,), cor=((1.0,),))  # fmt: skip
    models = [Model("m", one.formula, ("reml",), df=(df,))]
    found = fit_batch(one, models, simulate(one, models, 6, 0, 5_000))["estimates"]
    own = np.array(found["term"]).astype(str) == "x"
    value, se, freedom = (np.array(found[name])[own] for name in ("estimate", "se", "df"))
    assert len(value) == 5_000
    assert_allclose(freedom, 17.0, rtol=1e-4)
    assert kstest((value - 1.0) / se, t(17).cdf).pvalue > P
