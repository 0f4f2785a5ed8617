"""Likelihood ratio tests against lme4's, and their mixture at the boundary against simulation."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2

import hlm
from hlm.datasets import load_sleepstudy
from hlm.fits import fit_batch
from hlm.measures.likelihood_ratio import chi_square_p
from hlm.scenario import Model, Scenario
from hlm.simulate import simulate

LME4 = json.loads((Path(__file__).parent / "anova.json").read_text())
FORMULAS = (
    "Reaction ~ 1 + (1 | Subject)",
    "Reaction ~ Days + (1 | Subject)",
    "Reaction ~ Days + (Days | Subject)",
)


@pytest.fixture(scope="module")
def fits():
    return [hlm.lmer(formula, load_sleepstudy()) for formula in FORMULAS]


def check(table, theirs):
    for name, values in theirs.items():
        assert_allclose(table[name], np.array(values, dtype=float), rtol=1e-7, err_msg=name)


def test_reml_fits_are_refitted_by_ml_in_any_order(fits):
    found = hlm.anova(fits[2], fits[0], fits[1])
    assert found.refitted
    assert list(found.table.index) == ["m2", "m3", "m1"]
    check(found.table, LME4["ml"])


def test_reml_criteria_of_one_fixed_part_are_compared_as_they_are(fits):
    found = hlm.anova(fits[1], fits[2], refit=False)
    assert not found.refitted
    check(found.table, LME4["reml"])


def test_only_a_step_of_one_random_effect_has_a_mixture(fits):
    table = hlm.anova(*fits).table
    assert table["p_boundary"].notna().tolist() == [False, False, True]
    x = table["Chisq"].iloc[2]
    assert_allclose(table["p_boundary"].iloc[2], (chi2.sf(x, 1) + chi2.sf(x, 2)) / 2, rtol=1e-12)


def test_what_cannot_be_compared_is_refused(fits):
    data = load_sleepstudy()
    for others, options, message in (
        ([fits[0]], {}, "1 model"),
        ([fits[0], hlm.lmer(FORMULAS[1], data.iloc[:100])], {}, "not fitted to the same rows"),
        ([fits[0], fits[1]], {"refit": False}, "different fixed effects"),
        ([fits[1], hlm.lmer(FORMULAS[2], data, reml=False)], {"refit": False}, "by one method"),
    ):
        with pytest.raises(hlm.InputError, match=message):
            hlm.anova(*others, **options)


def test_p_values_at_zero_and_of_missing_statistics():
    assert_allclose(chi_square_p([0.0, np.nan], 1, boundary=True), [1.0, np.nan])
    assert_allclose(chi_square_p([0.0, 2.0], 0, boundary=False), [1.0, 0.0])
    assert_allclose(chi_square_p([-1e-9], 2, boundary=False), [1.0])


def test_the_mixture_holds_its_size_and_the_plain_test_is_conservative():
    """An intercept variance of 0, 100 units: REML tests of it at 5 %, within 4 standard errors."""
    truth = Scenario(
        "0" * 16, 100, 5, (), "y ~ 1 + (1 | g)", (("(Intercept)", 0.0),), (0.0,), ((1.0,),), 1.0
    )
    n = 4000
    model = Model("random", "y ~ 1 + (1 | g)", ("reml",))
    fits = fit_batch(truth, [model], simulate(truth, [model], 3, 0, n))["fits"]
    drawn = simulate(truth, [model], 3, 0, n).cross
    # Without random effects the REML criterion is in closed form.
    total = drawn.response[:, 0].sum(axis=1)
    r2 = drawn.sum_squares - total**2 / 500
    flat = 499 * (1 + np.log(2 * np.pi * r2 / 499)) + np.log(500)
    frame = pd.DataFrame(
        {
            "replicate": np.tile(np.arange(n), 2),
            "model": np.repeat(["none", "random"], n),
            "criterion": np.concatenate([flat, fits["criterion"]]),
            "npar": np.repeat([2, 3], n),
        }
    )
    shares = [
        (hlm.likelihood_ratio(frame, "none", "random", by=[], boundary=b)["p_value"] < 0.05).mean()
        for b in (True, False)
    ]
    error = np.sqrt(0.05 * 0.95 / n)
    assert abs(shares[0] - 0.05) < 4 * error
    assert shares[1] < 0.05 - 4 * error


def test_models_of_a_study_are_named_right():
    fits = {"replicate": [0, 0], "model": ["a", "b"], "criterion": [3.0, 1.0], "npar": [3, 4]}
    with pytest.raises(hlm.InputError, match="no model 'B'"):
        hlm.likelihood_ratio(fits, "a", "B", by=[])
    with pytest.raises(hlm.InputError, match="as many parameters"):
        hlm.likelihood_ratio(fits, "b", "a", by=[])
