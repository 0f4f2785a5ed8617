"""Quantiles of Student's t: those of its distribution function, however many degrees of freedom."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri, stdtr
from scipy.stats import t

from hlm.kernels.limits import critical_value


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99, 0.9999, 1 - 1e-9])
def test_quantiles_have_the_share_of_the_distribution_below_them(level):
    df = np.concatenate([[0.3, 1.0, 1.99, 2.0, 2.01], np.geomspace(2.1, 1e12, 400)])
    found = critical_value(df, level)
    assert_allclose(found, t.ppf(0.5 + level / 2, df), rtol=2e-13)
    assert_allclose(stdtr(df, -found), 1.0 - (0.5 + level / 2), rtol=1e-9)


def test_without_degrees_of_freedom_they_are_the_normal_one():
    assert_array_equal(critical_value(np.array([[np.inf], [np.nan]]), 0.9), ndtri(0.95))


def test_published_quantiles():
    """Fisher and Yates, Statistical Tables, table III."""
    df = np.array([1.0, 2.0, 4.0, 10.0, 30.0, 120.0])
    assert_array_equal(
        critical_value(df, 0.95).round(3), [12.706, 4.303, 2.776, 2.228, 2.042, 1.980]
    )
