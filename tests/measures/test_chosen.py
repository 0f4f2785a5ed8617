"""Which model a criterion chooses: by hand, by brute force, and what is measured after it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chi2, norm

from hlm.criteria import Selection, Step
from hlm.measures.after_selection import NO_CHOICE, fits_with_selected, with_selected
from hlm.measures.arrays import VALUES, Contestant, FitArrays, TermArrays
from hlm.measures.chosen import chosen_by, corrected
from hlm.measures.formulas import quantile

METHODS = ("reml", "ml")


def fits_of(deviance, npar, *, n_obs=50, methods=("ml",)):
    """Return the arrays of fits of models a, b, c, ... with these criteria, (models, n)."""
    deviance = np.asarray(deviance, dtype=float)
    models, n = deviance.shape
    names = "abc"[:models]
    fits = tuple((name, method) for name in names for method in methods)
    wide = np.repeat(deviance, len(methods), axis=0)
    k = np.repeat(np.asarray(npar, dtype=float), len(methods))[:, None] + np.zeros(n)
    status = np.isnan(wide).astype(np.int8)
    columns = {
        "criterion": wide,
        "aic": wide + 2.0 * k,
        "bic": wide + k * np.log(n_obs),
        "npar": k,
        "n_obs": np.full(wide.shape, float(n_obs)),
    }
    return FitArrays(fits, columns, np.where(status, -1, 0).astype(np.int8), ("ok", "bad"), status)


def places(fits, **how):
    (one,) = chosen_by(fits, Selection(**how))
    return one.place.tolist()


def test_the_correction_is_that_of_burnham_and_anderson():
    # K = 4 parameters, n = 24, AIC = 108: 108 + 2 x 4 x 5/19
    found = corrected(np.array([108.0, 108.0]), np.array([4.0, 4.0]), np.array([24.0, 5.0]))
    assert_allclose(found, [108.0 + 40.0 / 19.0, np.inf])


def test_the_smallest_wins_and_ties_go_to_fewer_parameters():
    fits = fits_of([[10.0, 10.0, 20.0], [5.0, 8.0, 20.0]], (2, 3))
    # AIC 14 and 11; 14 and 14, a tie; 24 and 26
    assert places(fits, criteria=("aic",)) == [1, 0, 0]
    (one,) = chosen_by(fits, Selection(criteria=("aic",)))
    assert_array_equal(one.margin, [[3.0, 0.0, -2.0], [-3.0, 0.0, 2.0]])


def test_nobody_is_chosen_where_a_fit_failed():
    fits = fits_of([[10.0, np.nan], [5.0, 8.0]], (2, 3))
    assert places(fits, criteria=("bic",)) == [1, -1]
    step = Step("a", "b", 1, boundary=False, one_fixed_part=True)
    assert places(fits, criteria=("lrt",), steps=(step,)) == [1, -1]


STEPS = (
    Step("a", "b", 1, boundary=True, one_fixed_part=True),
    Step("b", "c", 2, boundary=False, one_fixed_part=True),
)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("criterion", ["lrt", "lrt-mixture"])
def test_steps_are_those_of_a_loop(criterion, direction):
    rng = np.random.default_rng(3)
    drops = rng.chisquare(2, size=(2, 400)) * 2
    deviance = 100.0 - np.array([np.zeros(400), drops[0], drops.sum(axis=0)])
    fits = fits_of(deviance, (2, 3, 5))
    found = places(fits, criteria=(criterion,), steps=STEPS, direction=direction, alpha=0.1)
    half = 0.5 if criterion == "lrt-mixture" else 1.0
    wanted = []
    for first, second in drops.T:
        # A mixture of chi-squares with 0 and 1 df has half the tail of that with 1
        rejects = half * chi2.sf(first, 1) < 0.1, chi2.sf(second, 2) < 0.1
        if direction == "forward":
            wanted.append(0 if not rejects[0] else 1 if not rejects[1] else 2)
        else:
            wanted.append(2 if rejects[1] else 1 if rejects[0] else 0)
    assert found == wanted
    assert len(set(found)) == 3


def test_tests_are_not_of_reml_fits_with_different_fixed_parts():
    fits = fits_of([[10.0], [5.0]], (2, 3), methods=METHODS)
    apart = Step("a", "b", 1, boundary=False, one_fixed_part=False)
    selection = Selection(criteria=("aic", "lrt"), steps=(apart,))
    found = [(one.criterion, one.method) for one in chosen_by(fits, selection)]
    assert found == [("aic", "reml"), ("aic", "ml"), ("lrt", "ml")]


def term(kind, values, true, models="ab"):
    contestants = tuple(Contestant(model, "ml", "wald") for model in models)
    return TermArrays(kind, "x", contestants, np.array(true), VALUES, np.array(values))


def test_after_selection_values_are_those_of_the_chosen_model():
    fits = fits_of([[10.0, 10.0, np.nan], [5.0, 9.0, 1.0]], (2, 3))
    chosen = list(chosen_by(fits, Selection(criteria=("aic",))))
    values = np.arange(30.0).reshape(2, 5, 3)
    found = with_selected(term("sd", values, [0.5, 0.5]), chosen)
    assert found.contestants[-1] == Contestant("selected (AIC)", "ml", "wald")
    assert found.true[-1] == 0.5
    assert_array_equal(found.values[-1, :, 0], values[1, :, 0])
    assert_array_equal(found.values[-1, :, 1], values[0, :, 1])
    assert np.isnan(found.values[-1, :, 2]).all()
    assert_array_equal(found.values[:2], values)


@pytest.mark.parametrize(("kind", "left"), [("coefficient", 0.0), ("cor", np.nan)])
def test_what_the_chosen_model_lacks_is_zero_by_it(kind, left):
    fits = fits_of([[10.0, 10.0], [5.0, 9.0]], (2, 3))
    chosen = list(chosen_by(fits, Selection(criteria=("aic",))))
    found = with_selected(term(kind, np.ones((1, 5, 2)), [0.3], models="b"), chosen)
    assert_array_equal(found.values[-1, :, 0], 1.0)
    estimate, se, df, lower, upper = found.values[-1, :, 1]
    assert_array_equal([estimate, lower, upper], left)
    assert np.isnan([se, df]).all()


def test_models_that_disagree_on_a_true_value_have_none_together():
    chosen = list(chosen_by(fits_of([[10.0], [5.0]], (2, 3)), Selection(criteria=("aic",))))
    found = with_selected(term("sd", np.ones((2, 5, 1)), [0.5, 0.7]), chosen)
    assert np.isnan(found.true[-1])


def test_the_fits_of_the_chosen_models_are_accounted_for():
    fits = fits_of([[10.0, 10.0, np.nan], [5.0, 9.0, 1.0]], (2, 3))
    fits.singular[0, 1] = 1
    found = fits_with_selected(fits, list(chosen_by(fits, Selection(criteria=("aic",)))))
    assert found.fits[-1] == ("selected (AIC)", "ml")
    assert [found.statuses[code] for code in found.status[-1]] == ["ok", "ok", NO_CHOICE]
    assert found.singular[-1].tolist() == [0, 1, -1]
    assert_array_equal(found.columns["criterion"][-1], [5.0, 10.0, np.nan])


def test_margins_have_their_mean_and_quantiles():
    rng = np.random.default_rng(8)
    x = rng.normal(size=100_000)
    for q in (0.05, 0.25, 0.5, 0.95):
        value = quantile(x, q)
        density = norm.pdf(norm.ppf(q))
        assert value.mcse == pytest.approx(np.sqrt(q * (1 - q) / x.size) / density, rel=0.05)
        assert abs(value.estimate - norm.ppf(q)) < 4 * value.mcse
