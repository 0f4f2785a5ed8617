"""Pieces of data sets, put together: the same whatever the pieces, and in memory used again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from hlm.kernels.data import CrossProducts
from hlm.scenario import Model
from hlm.simulate import Memory, simulate
from hlm.simulate.gathered import gather
from tests.simulate.test_coordinates import DESIGNS


def piece(first, last, *, shared):
    """Return data sets that have their number everywhere, or what they share in one copy."""
    numbers = np.arange(first, last, dtype=float)
    own = np.ones((1, 1, 1)) if shared else numbers.reshape(-1, 1, 1)
    return CrossProducts(own, numbers.reshape(-1, 1, 1), numbers, own, numbers.astype(int))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("cuts", [(0, 5), (0, 1, 5), (0, 1, 2, 3, 4, 5), (0, 4, 5)])
def test_pieces_of_any_size_make_the_same_whole(shared, cuts):
    whole = gather([piece(a, b, shared=shared) for a, b in pairwise(cuts)], 5)
    for part, wanted in zip(whole, piece(0, 5, shared=shared), strict=True):
        assert part.dtype == wanted.dtype
        assert_array_equal(part, wanted)
        assert part.shape == wanted.shape


@pytest.mark.parametrize("name", ["fixed", "normal", "uniform", "binary, uneven"])
def test_memory_that_is_used_again_changes_no_bit(name):
    """Of ranges that become longer and shorter, and of other scenarios between them."""
    one, other, memory = DESIGNS[name], DESIGNS["two normals"], Memory()
    models = [Model("truth", one.formula)]
    for first, last in ((0, 7), (7, 40), (40, 41), (990, 1010)):
        found = simulate(one, models, 5, first, last, memory=memory).cross
        for ours, fresh in zip(found, simulate(one, models, 5, first, last).cross, strict=True):
            assert ours.shape == fresh.shape
            assert_array_equal(ours, fresh)
        simulate(other, [Model("truth", other.formula)], 5, first, last, memory=memory)


@pytest.mark.parametrize("name", ["fixed", "normal", "uniform", "binary, uneven"])
def test_pieces_of_one_data_set(name, monkeypatch):
    one = DESIGNS[name]
    models = [Model("truth", one.formula)]
    whole = simulate(one, models, 5, 0, 6).cross
    monkeypatch.setattr("hlm.simulate.draws.CHUNK_VALUES", 1)
    for ours, wanted in zip(simulate(one, models, 5, 0, 6).cross, whole, strict=True):
        assert ours.shape == wanted.shape
        assert_array_equal(ours, wanted)
