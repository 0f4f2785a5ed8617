"""Normals and chi-squares of compiled code: NumPy's own, or of their law where those are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import chi2, kstest

from hlm.distributions import Normal, StudentT
from hlm.pcg64 import following, state_of, word_of
from hlm.simulate.normals import (
    chi_squares,
    fill_normals,
    standard_numbers,
    states_of,
    stream_of,
)

N = 1_000_000


def generators(k):
    return [np.random.default_rng((7, number)) for number in range(k)]


def test_words_of_python_are_those_of_the_bit_generator():
    rng = np.random.default_rng(3)
    high, low, *step = state_of(rng)
    words = []
    for _ in range(50):
        high, low = following(high, low, *step)
        words.append(word_of(high, low))
    assert_array_equal(words, rng.integers(1 << 64, size=50, dtype=np.uint64))
    assert_array_equal(state_of(rng)[:2], (high, low))


def test_normals_are_numpys_however_they_are_cut():
    """A million have some thousand from the edges of layers, and some three hundred of the tail."""
    states, out = states_of(generators(2)), np.empty((2, N))
    for first, last in ((0, 1), (1, 1000), (1000, N)):
        part = np.empty((2, last - first))
        fill_normals(states, part)
        out[:, first:last] = part
    theirs = generators(2)
    assert_array_equal(out, [rng.standard_normal(N) for rng in theirs])
    assert_array_equal(states, [state_of(rng) for rng in theirs])
    assert (abs(out) > 3.6541528853610088).sum() > 300


@pytest.mark.parametrize("df", [3, 4, 7, 28, 900])
def test_chi_squares_are_twice_numpys_gamma_numbers(df):
    found = chi_squares(states_of(generators(1)), np.array([df, 0.0, df]), 100_000)
    (rng,) = generators(1)
    assert_array_equal(found[:, [0, 2]], 2.0 * rng.standard_gamma(df / 2.0, (100_000, 2)))
    assert not found[:, 1].any()


@pytest.mark.parametrize("df", [1, 2, 3, 28])
def test_chi_squares_have_their_law(df):
    found = chi_squares(states_of(generators(1)), np.full(4, float(df)), 50_000)
    assert kstest(found.ravel(), chi2(df).cdf).pvalue > 1e-3


def test_chi_squares_of_different_degrees_do_not_mix():
    """Each of a row has its own law, whatever the degrees of the one before."""
    freedom = np.array([5.0, 1.0, 40.0, 2.0, 5.0, 0.0, 3.0])
    found = chi_squares(states_of(generators(1)), freedom, 50_000)
    for df, own in zip(freedom, found.T, strict=True):
        if df:
            assert kstest(own, chi2(df).cdf).pvalue > 1e-3
    correlation = np.corrcoef(found[:, freedom > 0.0].T)
    assert abs(correlation - np.eye(6)).max() < 4.5 / np.sqrt(50_000)


def test_streams_of_other_shapes_are_generators():
    for shape in (Normal(), StudentT(5.0)):
        ours, theirs = generators(2)[0], generators(2)[0]
        found = standard_numbers(shape, stream_of(shape, ours), (3, 4))
        assert_array_equal(found, shape.standardized(theirs, (3, 4)))
