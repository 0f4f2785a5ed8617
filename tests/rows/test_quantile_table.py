"""Polynomials in the place of quantiles: those of SciPy, and of the shapes themselves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hlm.distributions import ChiSquare, SkewNormal, StudentT, read_call
from hlm.rows.quantile_table import REACH, from_normal

CALLS = [
    *("t(2.1)", "t(5)", "t(50)", "chisq(0.3)", "chisq(1)", "chisq(3)", "chisq(50)"),
    *("skew_normal(4)", "skew_normal(-20)", "skew_normal(0.7)", "mixture(0.1, 3)"),
    *("mixture(0.01, 10)", "lognormal(0.5)", "laplace", "uniform", "normal"),
]


@pytest.mark.parametrize("call", CALLS)
def test_numbers_are_those_of_the_shape(call):
    """At many normals, and beyond the last piece."""
    shape = read_call(call)
    z = np.append(np.random.default_rng(1).standard_normal(20_000), [-REACH, REACH, -8.2, 8.1, 0.0])
    wanted = shape.from_normal(z)
    found = from_normal(shape, z.copy())
    assert (np.abs(found - wanted) <= 3e-12 * (1.0 + np.abs(wanted))).all()


@pytest.mark.parametrize(
    ("shape", "scipy"),
    [
        (StudentT(5.0), stats.t(5)),
        (ChiSquare(3.0), stats.chi2(3)),
        (SkewNormal(4.0), stats.skewnorm(4)),
    ],
    ids=["t", "chisq", "skew_normal"],
)
def test_numbers_are_scipys_quantiles(shape, scipy):
    z = np.linspace(-5.0, 5.0, 101)
    lower = scipy.ppf(stats.norm.cdf(z[z < 0]))
    upper = scipy.isf(stats.norm.sf(z[z >= 0]))
    wanted = (np.append(lower, upper) - scipy.mean()) / scipy.std()
    assert_allclose(from_normal(shape, z), wanted, rtol=1e-8, atol=1e-9)


def test_arrays_of_any_shape_and_layout():
    z = np.random.default_rng(2).standard_normal((3, 4, 5))[:, 1]
    assert_allclose(from_normal(ChiSquare(3.0), z), ChiSquare(3.0).from_normal(z), rtol=1e-11)
