"""Random effects, fitted values and predictions against lme4's of the reference data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from hlm import InputError, lmer
from hlm.datasets import load_mathachieve, load_ogorek2012, load_sleepstudy

from .frames import REFERENCE, machines, made

LOADERS = {
    "ogorek2012": load_ogorek2012,
    "sleepstudy": load_sleepstudy,
    **{
        name: lambda name=name: pd.read_csv(REFERENCE / f"{name}.csv")
        for name in ("sim_unbalanced", "sim_singular", "sim_tiny")
    },
}
FITS = [
    (name, fit)
    for name in LOADERS
    for fit in json.loads((REFERENCE / f"{name}.json").read_text())["fits"]
    if "ranef" in fit
]
IDS = [f"{name}-{fit['formula']}-{'reml' if fit['reml'] else 'ml'}" for name, fit in FITS]


@pytest.mark.parametrize(("name", "reference"), FITS, ids=IDS)
def test_effects_are_those_of_lme4(name, reference):
    data = LOADERS[name]()
    fit = lmer(reference["formula"], data, reml=reference["reml"])
    if fit.criterion < reference["criterion"] - 1e-6:
        pytest.skip("lme4 stopped above the minimum")
    # Where variances are nearly zero the criterion is flat, and lme4 stops up to 1e-4 off.
    close = {"abs": (2e-3 if reference["singular"] or fit.singular else 1e-4) * fit.sigma}
    ranef = fit.ranef()
    assert list(ranef.columns) == np.atleast_1d(reference["ranef_names"]).tolist()
    assert [str(label) for label in ranef.index] == reference["ranef_levels"]
    assert ranef.to_numpy() == pytest.approx(np.array(reference["ranef"], ndmin=2), **close)
    assert fit.fitted()[: len(reference["fitted_head"])] == pytest.approx(
        np.ravel(reference["fitted_head"]), **close
    )
    assert fit.residuals()[: len(reference["resid_head"])] == pytest.approx(
        np.ravel(reference["resid_head"]), **close
    )
    for unit, key in ((0, "cond_var_first"), (-1, "cond_var_last")):
        if key in reference:
            expected = np.array(reference[key]).reshape(fit.cond_var()[unit].shape)
            assert fit.cond_var()[unit] == pytest.approx(expected, abs=close["abs"] * fit.sigma)
    if reference["reml"]:
        expected = pytest.approx(reference["ml_deviance_at_reml"], abs=1e-3)
        assert fit.deviance == expected


def test_effects_are_the_conditional_mean():
    """b = G Z'V^-1 (y - X beta) and its variance G - G Z'V^-1 Z G, by the N x N matrices."""
    data = made()
    fit = lmer("y ~ x + a + (1 + x | unit)", data, weights="w")
    unit = fit.frame.units == 3
    Z, W = fit.frame.Z[unit], np.diag(1.0 / fit.frame.weights[unit])
    V = Z @ fit.psi @ Z.T + fit.sigma**2 * W
    gain = fit.psi @ Z.T @ np.linalg.inv(V)
    residual = (fit.frame.y - fit.frame.X @ fit.beta)[unit]
    assert fit.ranef().iloc[3].to_numpy() == pytest.approx(gain @ residual, rel=1e-9)
    assert fit.cond_var()[3] == pytest.approx(fit.psi - gain @ Z @ fit.psi, abs=1e-12)


def test_prediction_of_the_data_is_the_fit():
    data = made()
    for formula in ("y ~ x * f + offset(z) + (1 + x | unit)", "y ~ 1 + (1 | unit)"):
        fit = lmer(formula, data)
        assert fit.predict(data) == pytest.approx(fit.fitted(), abs=1e-12)
        assert fit.residuals() == pytest.approx(data["y"] - fit.fitted(), abs=1e-12)


def test_prediction_of_unknown_units_is_the_population_mean():
    fit = lmer("y ~ x + (1 + x | unit)", made())
    new = pd.DataFrame({"x": [0.0, 1.0, 1.0], "unit": [-5, -5, 3]})
    line = np.array([fit.beta[0], fit.beta.sum()])
    b = fit.ranef().loc[3].sum()
    expected = pytest.approx([*line, line[1] + b])
    assert fit.predict(new, new_units="population") == expected
    with pytest.warns(
        UserWarning, match=r"units of 'unit' that were not in the data: -5; predicted"
    ):
        assert fit.predict(new) == expected
    with pytest.raises(InputError, match="not in the data: -5"):
        fit.predict(new, new_units="error")
    with pytest.raises(InputError, match="did you mean 'error'"):
        fit.predict(new, new_units="errors")


def test_prediction_without_a_column_of_units_is_the_population_mean_and_says_so():
    """lme4 refuses it unless re.form = NA asks for it."""
    fit = lmer("y ~ x + (1 + x | unit)", made())
    line = pytest.approx([fit.beta[0], fit.beta.sum()])
    new = {"x": [0.0, 1.0]}
    with pytest.warns(UserWarning, match="no column 'unit' of units; predicted is") as caught:
        assert fit.predict(new) == line
    assert caught[0].filename == __file__
    assert fit.predict(new, new_units="population") == line
    with pytest.raises(InputError, match=r"no column 'unit' of units\n.*'population'"):
        fit.predict(new, new_units="error")


def test_prediction_knows_the_levels_of_the_data():
    fit = lmer("mathach ~ sector * ses + (1 | school)", load_mathachieve())
    new = {"sector": ["Public", "Public"], "ses": [0.0, 1.0]}
    b = dict(zip(fit.coef_names, fit.beta, strict=True))
    public = b["(Intercept)"] + b["sectorPublic"]
    slope = b["ses"] + b["sectorPublic:ses"]
    predicted = fit.predict(new, new_units="population")
    assert predicted == pytest.approx([public, public + slope])


def test_prediction_of_missing_values_is_missing():
    fit = lmer("y ~ x + (1 | unit)", made())
    with pytest.warns(UserWarning, match="a missing one"):
        predicted = fit.predict({"x": [np.nan, 1.0], "unit": [1, None]})
    assert np.isnan(predicted).tolist() == [True, False]
    nullable = pd.DataFrame({"x": pd.array([None, 1], dtype="Int64")})
    assert np.isnan(fit.predict(nullable, new_units="population")).tolist() == [True, False]
    assert np.isnan(fit.predict({"x": [None, np.nan]}, new_units="population")).all()


def test_prediction_of_a_missing_level_is_missing():
    """As predict() of lme4 for NA in newdata; the other rows are as they are."""
    fit = lmer("y ~ x * f + (1 | unit)", made())
    for missing in (None, np.nan, pd.NA):
        new = pd.DataFrame({"x": [1.0, 1.0], "f": ["b", missing], "unit": [3, 3]}, dtype=object)
        prediction, se = fit.predict(new.astype({"x": float}), se=True)
        assert np.isnan(prediction).tolist() == np.isnan(se).tolist() == [False, True]
        assert prediction[0] == fit.predict({"x": [1.0], "f": ["b"], "unit": [3]})[0]


# predict(lmer(Reaction ~ Days + (Days | Subject), sleepstudy), data.frame(Days = 9, Subject = s))
# of lme4 for s = 308, 308L and "308".
AT_NINE = 430.66


@pytest.mark.parametrize("kind", [int, float, str, "category", "Int64", object])
@pytest.mark.parametrize("new", [308, 308.0, "308", np.int64(308), np.float32(308)])
def test_units_are_compared_as_text(kind, new):
    data = load_sleepstudy()
    fit = lmer("Reaction ~ Days + (Days | Subject)", data.assign(Subject=data.Subject.astype(kind)))
    assert fit.predict({"Days": [9], "Subject": [new]})[0] == pytest.approx(AT_NINE, abs=1e-3)
    for column in (pd.Categorical([new]), pd.array([new], dtype=object), np.array([new])):
        found = fit.predict({"Days": [9], "Subject": column}, new_units="error")
        assert found[0] == pytest.approx(AT_NINE, abs=1e-3)


def test_a_text_that_r_writes_for_a_number_is_that_unit():
    data = load_sleepstudy()
    number = (data.Subject * 100000.0).where(data.Subject != 308, 100000.0)
    fit = lmer("Reaction ~ Days + (Days | Subject)", data.assign(Subject=number))
    for label in ("1e+05", "100000", 100000, 1e5):
        found = fit.predict({"Days": [9], "Subject": [label]}, new_units="error")
        assert found[0] == pytest.approx(AT_NINE, abs=1e-3)


def test_units_of_any_kind_are_recognized():
    data = machines()
    plain = lmer("score ~ Machine + (1 | Worker)", data)
    number = data["Worker"].astype(int)
    for worker in (number, number.astype(float), data["Worker"].astype("category")):
        fit = lmer("score ~ Machine + (1 | Worker)", data.assign(Worker=worker))
        assert fit.fitted().tolist() == plain.fitted().tolist()
        predicted = fit.predict(data.assign(Worker=worker))
        assert predicted == pytest.approx(plain.fitted(), abs=1e-10)
    order = pd.Categorical(data["Worker"], categories=list("654321"))
    fit = lmer("score ~ Machine + (1 | Worker)", data.assign(Worker=order))
    assert list(fit.ranef().index) == list("654321")
    assert fit.ranef().index.name == "Worker"


def test_mistakes_in_new_data():
    fit = lmer("y ~ x * f + (1 | unit)", made())
    with pytest.raises(InputError, match="no column 'f'"):
        fit.predict({"x": [1.0]})
    with pytest.raises(InputError, match="new level 'q'"):
        fit.predict({"x": [1.0], "f": ["q"], "unit": [3]})
    with pytest.raises(InputError, match="different lengths"):
        fit.predict({"x": [1.0, 2.0], "f": ["a"]})
