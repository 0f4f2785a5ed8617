"""No verdict and no inference depends on the units of covariates and response, or on their zero."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from hlm import lmer, lmer_each
from hlm.datasets import load_ogorek2012, load_sleepstudy

RTOL = 1e-6
"""Of all that is inferred: shifts of up to 100,000 sds cost five of the sixteen digits."""

SHIFTED = ("{y} ~ {x} + (1 + {x} | {g})", "{y} ~ {x} + (1 | {g})")
SCALED = ("{y} ~ {x} + (1 + {x} || {g})", "{y} ~ {x} + (0 + {x} | {g})")
"""Where zero of x is matters to these: with a shifted x they are another model."""


def _noise(seed: int) -> pd.DataFrame:
    """Small data sets, of which most fits are singular."""
    rng = np.random.default_rng([31, seed])
    g, x, z = np.repeat(np.arange(10), 5), *rng.normal(size=(2, 50))
    b = rng.normal(scale=(0.4, 0.3), size=(10, 2))[g]
    return pd.DataFrame({"g": g, "x": x, "z": z, "y": rng.normal(size=50) + b[:, 0] + b[:, 1] * x})


SLEEP = load_sleepstudy().rename(columns={"Reaction": "y", "Days": "x", "Subject": "g"})
OGOREK = load_ogorek2012().rename(columns={"unit": "g"})
SINGULAR = pd.read_csv(Path(__file__).parents[1] / "reference" / "sim_singular.csv")
FRAMES = {
    "sleepstudy": SLEEP,
    "ogorek2012": OGOREK,
    "sim_singular": SINGULAR.rename(columns={"unit": "g"}),
    **{f"noise {seed}": _noise(seed) for seed in range(4)},
}


def _inferred(fit, x_unit: float, y_unit: float) -> dict[str, np.ndarray]:
    """Return what does not change, in the units of the data as they were."""
    columns = ["estimate", "se", "df", "p_value", "lower", "upper"]
    table = fit.tidy(level=0.9).set_index("term")[columns]
    profile = fit.confint("profile", level=0.9)
    found = {"criterion": [fit.criterion], "sigma": _in(1 / y_unit, table.loc["sigma"])}
    slope = np.array([abs(x_unit) / y_unit, abs(x_unit) / y_unit, 1.0, 1.0])
    found["slope"] = np.abs(table.loc["x"].to_numpy()[:4]) * slope
    found["width of slope"] = (table["upper"] - table["lower"])[["x"]] * abs(x_unit) / y_unit
    if "sd_x|g" in table.index:
        found["sd of slope"] = _in(abs(x_unit) / y_unit, table.loc["sd_x|g"])
        found["its profile"] = profile.loc["sd_x|g"] * abs(x_unit) / y_unit
    found["profile of sigma"] = profile.loc["sigma"] / y_unit
    found["kenward-roger"] = fit.df("satterthwaite-expected")[-1:]
    return {name: np.asarray(values, dtype=float) for name, values in found.items()}


def _in(unit: float, row: pd.Series) -> np.ndarray:
    return row[["estimate", "se", "lower", "upper"]].to_numpy() * unit


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("form", [*SHIFTED, *SCALED])
@pytest.mark.parametrize("reml", [True, False])
def test_units_change_nothing(name, form, reml):
    """Random factors of 1e-8 to 1e8, of either sign, and random shifts."""
    frame, formula = FRAMES[name], form.format(y="y", x="x", g="g")
    rng = np.random.default_rng([9, len(name), len(form), reml])
    plain = lmer(formula, frame, reml=reml)
    expected = _inferred(plain, 1.0, 1.0)
    for _ in range(3):
        x_unit, y_unit = 10.0 ** rng.uniform(-8.0, 8.0, 2) * (rng.choice([-1.0, 1.0]), 1.0)
        x_zero, y_zero = 10.0 ** rng.uniform(-2.0, 5.0, 2) * frame[["x", "y"]].std().to_numpy()
        x_zero = x_zero if form in SHIFTED else 0.0
        moved = frame.assign(x=x_unit * (frame["x"] + x_zero), y=y_unit * (frame["y"] + y_zero))
        fit = lmer(formula, moved, reml=reml)
        assert (fit.status, fit.singular, fit.boundary_rank, fit.frame.dropped) == (
            plain.status, plain.singular, plain.boundary_rank, ()
        )  # fmt: skip
        found = _inferred(fit, x_unit, y_unit)
        n, p = len(frame), len(fit.beta)
        found["criterion"] -= 2 * (n - p if reml else n) * np.log(y_unit)
        found["criterion"] -= 2 * np.log(abs(x_unit)) if reml else 0.0
        for what, values in expected.items():
            assert_allclose(found[what], values, rtol=RTOL, atol=1e-9, err_msg=what)
        assert_allclose(fit.fitted() / y_unit - y_zero, plain.fitted(), atol=1e-6)
        assert fit.vcov_random().isna().all(axis=None) == plain.singular


def test_singular_and_other_fits_are_among_these():
    ranks = [lmer(SHIFTED[0].format(y="y", x="x", g="g"), f).boundary_rank for f in FRAMES.values()]
    assert {0, 1} <= set(ranks)


def test_lmer_each_says_the_same_in_any_unit():
    formula = "y ~ x + (1 + x | g)"
    stack = pd.concat([_noise(seed).assign(rep=seed) for seed in range(12)])
    plain = lmer_each(formula, stack)
    assert 0 < plain["singular"].sum() < 12
    for x_unit, x_zero, y_unit in ((8.64e7, 0.0, 1.0), (1.0, 20_000.0, 1e-8), (1e-6, -1e3, 1e8)):
        moved = stack.assign(x=x_unit * (stack["x"] + x_zero), y=y_unit * stack["y"])
        table = lmer_each(formula, moved)
        for column in ("status", "singular"):
            assert table[column].tolist() == plain[column].tolist()
        assert_allclose(table["x"] * x_unit / y_unit, plain["x"], rtol=RTOL)
        assert_allclose(table["se_x"] * x_unit / y_unit, plain["se_x"], rtol=RTOL)


def test_milliseconds_and_days_since_1970_of_sleepstudy():
    """No variance is zero there, whatever lme4's `isSingular` says of theta."""
    for x in (SLEEP["x"] * 8.64e7, SLEEP["x"] + 20_000.0, (SLEEP["x"] + 20_000.0) * 8.64e7):
        fit = lmer("y ~ x + (1 + x | g)", SLEEP.assign(x=x))
        assert (fit.status, fit.singular, fit.boundary_rank) == ("ok", False, 0)
        assert fit.vcov_random().notna().all(axis=None)
        assert "singular" not in fit.summary()


@pytest.mark.parametrize("zero", [2e4, 1e6, -1e7])
def test_profile_limits_far_from_zero(zero):
    """Those of the slope's sd and of sigma are lme4's; the intercept's and the correlation move.

    Psi moves to T Psi T', T = [[1, -zero], [0, 1]]. Near 1 or -1 a correlation is known by 1 - t^2,
    of which 1e-16 is what the computer's numbers resolve.
    """
    near = lmer("y ~ x + (1 + x | g)", SLEEP).confint("profile")
    fit = lmer("y ~ x + (1 + x | g)", SLEEP.assign(x=SLEEP["x"] + zero))
    limits = fit.confint("profile")
    for term in ("sd_x|g", "sigma"):
        assert_allclose(limits.loc[term], near.loc[term], rtol=1e-7)
    assert_allclose(near.loc["sd_x|g"], [3.8011, 8.7534], atol=2e-3)
    assert_allclose(near.loc["sigma"], [22.898, 28.858], atol=2e-3)
    # The intercept at x = 0 is what the slope makes of the way there, and little else.
    far = abs(zero) * near.loc["sd_x|g"]
    assert_allclose(limits.loc["sd_(Intercept)|g"], far, rtol=20.0 / abs(zero))
    correlation = limits.loc["cor_x.(Intercept)|g"]
    assert correlation.notna().all()
    assert_allclose(correlation, -np.sign(zero), atol=100.0 / zero**2)
    assert correlation["lower"] <= correlation["upper"]


def test_correlation_limits_tend_to_what_they_must():
    """Far from zero 1 - t^2 of a limit t is a constant over the square of the way, but for 8 / way.

    With c the covariance and D the determinant of Psi, t / sqrt(1 - t^2) = c / sqrt(D); D stays,
    and c grows by the way times the slope's variance.
    """
    shares = []
    for zero in (1e3, 1e5, 1e6):
        fit = lmer("y ~ x + (1 + x | g)", SLEEP.assign(x=SLEEP["x"] + zero))
        limits = fit.confint("profile").loc["cor_x.(Intercept)|g"].to_numpy()
        shares.append((1.0 - limits**2) * zero**2)
    assert_allclose(shares[0], shares[1], rtol=2e-2)
    assert_allclose(shares[1], shares[2], rtol=1e-4)


def test_effects_and_predictions_far_from_zero():
    """The units' effects and the errors of predictions keep their digits."""
    near = lmer("y ~ x + (1 + x | g)", SLEEP)
    rows = SLEEP.head(12)
    for zero in (1e4, 1e6):
        far = lmer("y ~ x + (1 + x | g)", SLEEP.assign(x=SLEEP["x"] + zero))
        assert_allclose(far.ranef()["x"], near.ranef()["x"], rtol=1e-6)
        assert_allclose(far.fitted(), near.fitted(), rtol=1e-9)
        for group in ({}, {"g": [-1] * 12}):
            options = {"se": True, "new_units": "population"}
            there = far.predict(rows.assign(x=rows["x"] + zero, **group), **options)
            here = near.predict(rows.assign(**group), **options)
            for found, expected in zip(there, here, strict=True):
                assert_allclose(found, expected, rtol=1e-7)


def test_no_column_is_dropped_for_where_its_zero_is():
    """Seconds of an hour, counted since 1970 in milliseconds; but a constant is dropped."""
    rng = np.random.default_rng(8)
    seconds = rng.uniform(0.0, 3600.0, len(SLEEP))
    formula = "y ~ t + x + (1 | g)"
    near, far = (lmer(formula, SLEEP.assign(t=t)) for t in (seconds, 1e3 * seconds + 1.7e12))
    assert far.frame.dropped == ()
    assert_allclose(1e3 * far.beta[1:] / [1.0, 1e3], near.beta[1:], rtol=1e-6)
    assert lmer(formula, SLEEP.assign(t=0.1)).frame.dropped == ("t",)
