"""Numbers of rows: their probabilities against SciPy, closed forms and numerical integrals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from hlm.errors import InputError
from hlm.rows.sizes import (
    SIZES,
    Clustered,
    NegativeBinomial,
    Poisson,
    UniformRange,
    sizes_from_dict,
)

ALL = [
    Clustered(30.0, 0.6),
    Clustered(10.0, 0.2),
    Clustered(7.3, 0.25),
    Clustered(30.0, 2.0),
    Clustered(1.4, 0.9),
    Clustered(12.0, 0.0),
    Poisson(20.0),
    Poisson(0.3),
    NegativeBinomial(20.0, 2.0),
    UniformRange(5, 40),
]


@pytest.mark.parametrize("sizes", ALL, ids=str)
def test_a_table_is_one_of_probabilities(sizes):
    least, probabilities = sizes.table()
    assert least >= 1
    assert (probabilities >= 0.0).all()


@pytest.mark.parametrize("sizes", [one for one in ALL if isinstance(one, Clustered)], ids=str)
def test_a_mean_and_a_cv_are_exact(sizes):
    """Of the table itself, in another summation than the one that solves for them."""
    least, probabilities = sizes.table()
    values = np.arange(least, least + len(probabilities))
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-12)
    mean = np.average(values, weights=probabilities)
    assert mean == pytest.approx(sizes.mean_rows, rel=1e-10)
    spread = np.sqrt(np.average(values.astype(float) ** 2, weights=probabilities) - mean**2)
    assert spread == pytest.approx(sizes.cv * sizes.mean_rows, rel=1e-8, abs=1e-6)


def test_rounded_gamma_numbers_have_the_probabilities_of_the_integral():
    """P(k) = E max(0, 1 - |G - k|), by quadrature of the gamma density."""
    sizes = Clustered(8.0, 0.5)
    sd = sizes._gamma_sd()
    gamma = stats.gamma((7.0 / sd) ** 2, scale=sd**2 / 7.0)
    _, probabilities = sizes.table()
    for k in (0, 1, 5, 12, 25):
        value, _ = integrate.quad(
            lambda g, k=k: max(0.0, 1.0 - abs(g - k)) * gamma.pdf(g),
            max(k - 1, 0),
            k + 1,
            points=[k],
            epsabs=1e-13,
        )
        assert probabilities[k] == pytest.approx(value, rel=1e-8)


def test_poisson_and_negative_binomial_numbers_are_those_from_1_on():
    rate, size = 3.0, 1.5
    p = size / (size + rate)
    for sizes, scipy in (
        (Poisson(rate), stats.poisson(rate)),
        (NegativeBinomial(rate, size), stats.nbinom(size, p)),
    ):
        _, probabilities = sizes.table()
        k = np.arange(1, 12)
        assert_allclose(
            (probabilities / probabilities.sum())[:11], scipy.pmf(k) / (1.0 - scipy.pmf(0)),
            rtol=1e-10,
        )  # fmt: skip
        assert sizes.mean == pytest.approx(scipy.mean() / (1.0 - scipy.pmf(0)), rel=1e-9)


def test_a_range_has_the_moments_of_the_discrete_uniform():
    assert UniformRange(5, 40).mean == pytest.approx(22.5)
    assert UniformRange(5, 40).sd == pytest.approx(np.sqrt((36**2 - 1) / 12))


@pytest.mark.parametrize("sizes", ALL, ids=str)
def test_draws_have_the_distribution(sizes):
    """A chi-square test over the sizes that are often enough, at one in 10,000."""
    drawn = sizes.draw(np.random.default_rng(3), (100, 1000)).ravel()
    least, probabilities = sizes.table()
    assert drawn.min() >= least
    counts = np.bincount(drawn - least, minlength=len(probabilities))[: len(probabilities)]
    expected = len(drawn) * probabilities / probabilities.sum()
    often = expected > 20
    observed = np.append(counts[often], counts[~often].sum())
    wanted = np.append(expected[often], expected[~often].sum())
    keep = wanted > 5
    if keep.sum() > 1:
        scaled = wanted[keep] * observed[keep].sum() / wanted[keep].sum()
        assert stats.chisquare(observed[keep], scaled).pvalue > 1e-4
    assert abs(drawn.mean() - sizes.mean) < 5 * sizes.sd / np.sqrt(len(drawn)) + 1e-12


@pytest.mark.parametrize("sizes", ALL, ids=str)
def test_held_sizes_have_about_the_same_moments(sizes):
    """Quantiles at (i + 1/2) / n differ from a draw by what lies within 1/n of a probability."""
    held = np.array(sizes.held(2000))
    assert (np.diff(held) >= 0).all()
    assert held.mean() == pytest.approx(sizes.mean, rel=0.01)
    assert held.std() == pytest.approx(sizes.sd, rel=0.03, abs=1e-9)


@pytest.mark.parametrize("sizes", ALL, ids=str)
def test_files_have_them(sizes):
    assert sizes_from_dict(sizes.to_dict()) == sizes
    assert type(sizes) is SIZES[sizes.to_dict()["family"]]


@pytest.mark.parametrize(
    ("mean", "cv", "allowed"),
    [
        (1.0, 0.5, "a cv of 0, or a mean above 1: a unit has at least one row"),
        (0.5, 0.5, "a mean of at least 1"),
        (2.5, 0.1, "a cv of at least 0.2"),
    ],
)
def test_what_no_whole_numbers_have_is_refused(mean, cv, allowed):
    """A mean of 2.5 takes 2 and 3 equally often at least: sd 0.5, cv 0.2."""
    with pytest.raises(InputError) as caught:
        Clustered(mean, cv)
    assert caught.value.problem == f"no sizes have the mean {mean:g} and the cv {cv:g}"
    assert caught.value.allowed == allowed
