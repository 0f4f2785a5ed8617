"""Studies: verdicts and inference do not depend on units, and what is not determined is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hlm.distributions import Binary, Normal, Points
from hlm.scenario import Covariate, Model, Scenario
from tests.inference.studies import with_tests

if TYPE_CHECKING:
    import pandas as pd

N = 60
FORMULAS = ("y ~ x + (1 + x | unit)", "y ~ x + (1 + x || unit)", "y ~ x + (0 + x | unit)")


def _scenario(mean: float, sd: float, *, unit: float = 1.0, level: str = "row") -> Scenario:
    """Units that differ by weak random intercepts; x, of mean and sd as given, has no effect."""
    return Scenario(
        key="2" * 16,
        n_units=12,
        n_rows=6,
        covariates=(Covariate("x", level, Normal(mean, sd)),),
        formula="y ~ 1 + (1 | unit)",
        fixed=(("(Intercept)", 3.0 * unit),),
        sd=(0.4 * unit,),
        cor=((1.0,),),
        sigma=unit,
    )


def _fitted(scenario: Scenario, model: Model) -> tuple[dict, pd.DataFrame]:
    table, fits, _ = with_tests(scenario, model, N)
    estimates = {
        name: table[name].to_numpy().reshape(N, len(model.methods), -1)
        for name in ("estimate", "se", "df", "lower", "upper")
    }
    return estimates, fits


def _assert_same(found: np.ndarray, expected: np.ndarray, what: str) -> None:
    """To five digits; but Wald's limits of an sd near zero explode on the log scale."""
    exploded = expected > 1e3
    assert_allclose(found[~exploded], expected[~exploded], rtol=2e-5, atol=2e-5, err_msg=what)
    assert (found[exploded] > 1e2).all()


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("limits", ["wald", "profile"])
@pytest.mark.parametrize(
    ("mean", "sd", "unit"),
    [(0, 1e-8, 1), (0, 3e7, 1e-8), (0, 0.7, 1e8), (1.9, 1, 1), (-2.1, 1, 1), (2020, 5, 1)],
)
def test_the_same_draws_of_x_in_other_units(formula, limits, mean, sd, unit):
    """Only a scale where the zero of x has a meaning; a shift too next to an intercept."""
    model = Model("m", formula, ("reml", "ml"), limits=(limits,))
    moves = "(1 + x | " in formula
    mean = mean if moves else 0.0
    plain, fits = _fitted(_scenario(0.0, 1.0), model)
    found, others = _fitted(_scenario(mean, sd, unit=unit), model)
    assert fits["singular"].any()
    assert not fits["singular"].all()
    for name in ("singular", "boundary_rank"):
        assert np.array_equal(fits[name], others[name]), name
    assert fits["status"].to_list() == others["status"].to_list()
    by_kind = {"(1 + x | unit)": 4, "(1 + x || unit)": 3, "(0 + x | unit)": 2}
    sd_of_slope = next(place for end, place in by_kind.items() if formula.endswith(end))
    for place, back in ((1, sd / unit), (sd_of_slope, sd / unit), (-1, 1 / unit)):
        for what in ("estimate", "se", "lower", "upper"):
            expected, values = plain[what][..., place], found[what][..., place] * back
            if what == "se" and place == sd_of_slope:  # of the variance: that of a small sd is wild
                expected = expected * plain["estimate"][..., place]
                values = values * found["estimate"][..., place] * back
            _assert_same(values, expected, f"{what} {place}")
    # Four digits: where a variance is nearly zero the search leaves it its last five.
    assert_allclose(found["df"][..., 1], plain["df"][..., 1], rtol=1e-4)


@pytest.mark.parametrize("formula", ["y ~ x + (0 + x | unit)", "y ~ x + (1 + x | unit)"])
def test_degrees_of_freedom_far_from_zero(formula):
    """Satterthwaite's by expected information, which a badly scaled Z made exceed the rows.

    A slope without an intercept, of an x that hardly varies, is an intercept but for its unit.
    """
    model = Model("m", formula, ("reml",), df=("kenward-roger",))
    near = Model("m", "y ~ x + (1 | unit)", ("reml",), df=("kenward-roger",))
    scenario = _scenario(1e6, 1.0)
    found, fits = _fitted(scenario, model)
    assert (found["df"][..., :2] < 72.0).all()
    assert set(fits["status"].to_list()) == {"ok"}
    if "(0 + x" in formula:
        expected, _ = _fitted(scenario, near)
        assert_allclose(found["df"][..., 1], expected["df"][..., 1], rtol=1e-3)
        assert_allclose(found["se"][..., 1], expected["se"][..., 1], rtol=1e-3)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("limits", ["wald", "profile"])
def test_what_no_data_set_determines(shared, limits):
    """k is zero everywhere; x is the same in all units, or not."""
    x = (
        Covariate("x", "row", Points((0.0, 1.0, 2.0, 3.0, 4.0, 5.0)))
        if shared
        else Covariate("x", "row")
    )
    zeros = Covariate("k", "row", Points((0.0,) * 6))
    scenario = replace(_scenario(0.0, 1.0), covariates=(zeros, x))
    open_model = Model("m", "y ~ x + (1 + k | unit)", ("reml", "ml"), limits=(limits,))
    known_model = Model("m", "y ~ x + (1 | unit)", ("reml", "ml"), limits=(limits,))
    found, fits = _fitted(scenario, open_model)
    known, expected = _fitted(scenario, known_model)
    assert set(fits["status"].to_list()) == {"partly_identified"}
    assert np.array_equal(fits["singular"], expected["singular"])
    assert_allclose(fits["criterion"], expected["criterion"], atol=1e-7)
    for what, values in found.items():
        assert np.isnan(values[..., 3:5]).all()
        _assert_same(values[..., [0, 1, 2, 5]], known[what], what)


@pytest.mark.parametrize(
    "formula", ["y ~ x + (1 + x + I(2 * x) || unit)", "y ~ x + (1 + w | unit)"]
)
def test_dependent_slopes_and_binary_numbers_of_units(formula):
    """But where a variance is zero the others that make it up are too, and all is determined."""
    scenario = replace(
        _scenario(0.0, 1.0),
        covariates=(Covariate("w", "unit", Binary(0.5)), Covariate("x", "row")),
        formula="y ~ x + (1 + x | unit)",
        fixed=(("(Intercept)", 0.0), ("x", 0.0)),
        sd=(1.0, 1.0),
        cor=((1.0, 0.0), (0.0, 1.0)),
    )
    found, fits = _fitted(scenario, Model("m", formula, ("reml",)))
    statuses = np.array(fits["status"].to_list())
    left_open = statuses == "partly_identified"
    assert left_open.mean() > 0.8
    assert set(statuses[~left_open]) <= {"ok"}
    assert fits["singular"][~left_open].all()
    assert np.isnan(found["estimate"][left_open][..., 3:5]).all()
    assert np.isfinite(found["estimate"][..., [0, 1, 2, 5]]).all()
    assert np.isfinite(found["df"][..., :2]).all()


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger", "between-within"])
def test_one_unit_in_each_arm(shared, df):
    """By REML the intercepts' variance is open, and with it the test of the arms; by ML it is 0."""
    x = (
        Covariate("x", "row", Points((0.0, 1.0, 2.0, 3.0, 4.0, 5.0)))
        if shared
        else Covariate("x", "row")
    )
    arms = Covariate("w", "unit", Points((0.0, 1.0)))
    scenario = replace(_scenario(0.0, 1.0), n_units=2, covariates=(arms, x))
    tests = (("w", ("w",)), ("x", ("x",)))
    model = Model(
        "m", "y ~ w + x + (1 | unit)", ("reml", "ml"), (df,), limits=("profile",), tests=tests
    )
    found, fits = _fitted(scenario, model)
    _, _, of_tests = with_tests(scenario, model, N)
    assert fits["status"].to_list() == ["partly_identified", "ok"] * N
    assert fits["singular"].to_list() == [False, True] * N
    for name in ("se", "df", "lower", "upper"):
        assert np.isnan(found[name][:, 0, [0, 1, 3]]).all(), name
        assert np.isfinite(found[name][:, :, 2]).all(), name
    assert np.isnan(found["estimate"][:, 0, 3]).all()
    assert (found["estimate"][:, 1, 3] == 0.0).all()
    assert_allclose(found["df"][:, 0, 2], 9.0, rtol=1e-6)
    assert_allclose(found["estimate"][:, 0, 4], found["estimate"][:, 1, 4] * np.sqrt(12 / 9))
    for name in ("statistic", "ddf", "p_value"):
        values = of_tests[name].to_numpy().reshape(N, 2, 2)
        assert np.isnan(values[:, 0, 0]).all(), name
        assert np.isfinite(values[:, 0, 1]).all(), name
    slope, se = found["estimate"][:, 0, 2], found["se"][:, 0, 2]
    assert_allclose(of_tests["statistic"].to_numpy().reshape(N, 2, 2)[:, 0, 1], (slope / se) ** 2)


@pytest.mark.parametrize("limits", ["wald", "profile"])
def test_as_many_random_effects_as_rows(limits):
    """The residual within units is 0 for every response, and the fits are like any other."""
    scenario = replace(_scenario(0.0, 1.0), n_rows=2)
    found, fits = _fitted(
        scenario, Model("m", "y ~ x + (x || unit)", ("reml", "ml"), limits=(limits,))
    )
    assert set(fits["status"].to_list()) == {"ok"}
    assert (found["estimate"][..., -1] > 0.0).all()
    assert np.isfinite(fits["criterion"]).all()
