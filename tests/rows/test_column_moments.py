"""Moments of columns that depend on one another, by a sample, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from hlm.estimands.column_moments import column_moments
from hlm.estimands.implied import implied
from hlm.formula import parse

from .studies import scenario

N, ICC = 10, 0.3
COVARIATES = {
    "x": {"level": "row", "icc": ICC},
    "xm": {"mean_of": "x"},
    "xc": {"centred": "x"},
    "t": {"level": "row", "grid": {"from": 0, "to": 9}},
    "b": {"level": "row", "balanced": [0, 1]},
}
T, T2 = 4.5, 28.5
"""Mean and mean square of 0, ..., 9."""

WITHIN_AND_BETWEEN = {
    "x": (1 - ICC, ICC),
    "xm": (0.0, ICC + (1 - ICC) / N),
    "xc": ((1 - ICC) * (1 - 1 / N), 0.0),
    "t": (T2 - T**2, 0.0),
    "b": (0.25, 0.0),
    "t:x": (T2 - T**2 * ICC, T**2 * ICC),  # given b: t^2 (b^2 + w^2), less (T b)^2
}


@pytest.fixture(scope="module")
def moments():
    one = scenario(rows=N, covariates=COVARIATES)
    terms = parse(f"y ~ 0 + {' + '.join(WITHIN_AND_BETWEEN)} + (1 | unit)").fixed
    assert [term.name for term in terms][:5] == [*WITHIN_AND_BETWEEN][:5]
    return column_moments(terms, one.covariates, N)


@pytest.mark.parametrize("place", range(len(WITHIN_AND_BETWEEN)))
def test_variances_are_those_of_the_population(moments, place):
    """A grid and what is centred in the unit have none between units, a mean none within.

    Standard errors of variances of 4000 units are 2.2%.
    """
    within, between = [*WITHIN_AND_BETWEEN.values()][place]
    scale = within + between
    assert moments.within[place, place] == pytest.approx(within, rel=0.08, abs=1e-9 * scale)
    assert moments.between[place, place] == pytest.approx(between, rel=0.1, abs=1e-9 * scale)


def test_parts_of_one_covariate_have_its_variance(moments):
    """x is what is centred and its mean: their covariance within is the variance of xc."""
    x, _, xc = range(3)
    assert moments.within[x, xc] == pytest.approx(moments.within[xc, xc], rel=1e-9)
    assert abs(moments.between[x, xc]) < 1e-9


def test_fixed_times_beside_a_covariate_that_is_shared_give_units_no_variance():
    one = scenario(
        rows=N,
        covariates={k: COVARIATES[k] for k in ("x", "xc", "t")},
        formula="y ~ t + xc + (1 | unit)",
        fixed={"(Intercept)": 0.0, "t": 2.0, "xc": 1.0},
    )
    found = implied(one)
    assert found.about
    assert found.fixed_units == pytest.approx(0.0, abs=1e-9)
    assert found.fixed_rows == pytest.approx(4 * (T2 - T**2) + (1 - ICC) * (1 - 1 / N), rel=0.02)
    assert np.isclose(found.total, found.fixed_rows + 1.25)
