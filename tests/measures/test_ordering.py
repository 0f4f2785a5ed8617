"""The order of numbers with equal ones, against NumPy's stable sorts."""

from __future__ import annotations

import numpy as np
import pytest

from hlm.measures.ordering import ascending
from hlm.measures.zip_order import zip_order

FEW = np.array([0.0, -0.0, 1.0, 2.0, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("seed", range(20))
def test_equal_numbers_stay_in_the_order_of_stable_sorts(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 400))
    x = rng.choice(np.concatenate([FEW, rng.normal(size=50)]), n)
    y, z = rng.integers(0, 3, (2, n)).astype(float)
    assert ascending(x).tolist() == np.argsort(x, kind="stable").tolist()
    assert ascending(x, [y, z]).tolist() == np.lexsort([z, y, x]).tolist()


def test_intervals_equally_far_from_the_truth_stay_in_their_order():
    """At the boundary many intervals have no half on the side of the true value."""
    rng = np.random.default_rng(1)
    b = np.where(rng.random(2000) < 0.5, 0.0, rng.integers(0, 9, 2000) / 4.0)
    lower, upper = b - rng.integers(0, 3, 2000), np.where(b > 0.0, b + 1.0, b)
    true = 1.0
    half = np.where(true >= b, upper - b, b - lower)
    far = np.full(2000, np.inf)
    np.divide(np.abs(true - b), half, out=far, where=half > 0)
    misses = ~((lower <= true) & (true <= upper))
    assert len(np.unique(far)) < 100
    assert zip_order(b, lower, upper, true).tolist() == np.lexsort((far, misses)).tolist()
