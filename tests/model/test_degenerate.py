"""Data with which something is wrong: lme4's answer where it has one, else a status or a message.

degenerate.json is made by degenerate.R.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hlm import lmer, lmer_each
from hlm.distributions import Normal
from hlm.errors import InputError
from hlm.fits import fit_batch
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import simulate

from .frames import made

FITS = json.loads(Path(__file__).with_name("degenerate.json").read_text())
PARTLY = ("x_constant_slope", "x_zero_slope", "dependent_slopes")
"""lme4 gives one of many equivalent covariance matrices; the rest of the fit is determined."""

LARGE = ("four_effects", "five_effects", "six_effects", "six_variances")


def _data() -> pd.DataFrame:
    d = made()
    k = np.arange(len(d))
    d = d.assign(**{f"c{j}": np.cos(j * k) for j in range(13, 31)})
    return d.assign(place=d.groupby("unit").cumcount() + 1)


DATA = _data()
FIRST = DATA.groupby("unit")["x"].transform("first")
ODD = pd.Series(np.arange(len(DATA)) == 3)

FRAMES = {
    "x_of_units": DATA.assign(x=FIRST),
    "x_constant": DATA.assign(x=2.0),
    "x_constant_slope": DATA.assign(x=2.0),
    "x_zero_slope": DATA.assign(x=0.0),
    "one_row_in_most": DATA[(DATA["unit"] <= 5) | (DATA["place"] == 1)],
    "two_rows": DATA[DATA["place"] <= 2],
    "two_units": DATA[DATA["unit"] <= 2],
    "two_units_three_effects": DATA[DATA["unit"] <= 2],
    "three_units_three_effects": DATA[DATA["unit"] <= 3],
    "dependent_slopes": DATA.assign(x2=2.0 * DATA["x"]),
    "dependent_thirty": DATA.assign(c30=DATA["c1"] - DATA["c2"], c29=DATA["c3"] + 1.0),
}

IDS = [f"{fit['name']}-{'reml' if fit['reml'] else 'ml'}" for fit in FITS]
SMALL = [(fit, name) for fit, name in zip(FITS, IDS, strict=True) if fit["name"] not in LARGE]


def _frame(name: str) -> pd.DataFrame:
    return FRAMES.get(name, DATA)


@pytest.mark.parametrize("reference", [f for f, _ in SMALL], ids=[name for _, name in SMALL])
def test_lme4_has_an_answer(reference):
    fit = lmer(reference["formula"], _frame(reference["name"]), reml=reference["reml"])
    assert fit.status == ("partly_identified" if reference["name"] in PARTLY else "ok")
    assert fit.criterion <= reference["criterion"] + 1e-7
    assert fit.criterion == pytest.approx(reference["criterion"], abs=2e-6)
    assert list(fit.coef_names) == reference["coef_names"]
    assert list(fit.frame.dropped) == reference["dropped"]
    said = f"rank deficient, so dropped: {', '.join(reference['dropped'])}"
    assert (said in fit.summary()) == bool(reference["dropped"])
    se = np.array(reference["se"])
    assert fit.beta == pytest.approx(np.array(reference["beta"]), abs=1e-3 * se.min())
    assert fit.se == pytest.approx(se, rel=1e-3)
    assert fit.sigma == pytest.approx(reference["sigma"], rel=1e-3)


@pytest.mark.parametrize("reference", [f for f, _ in SMALL], ids=[name for _, name in SMALL])
def test_lmer_each_gives_the_same(reference):
    frame = _frame(reference["name"])
    table = lmer_each(
        reference["formula"],
        pd.concat([frame.assign(rep=1), frame.assign(rep=2)]),
        reml=reference["reml"],
    )
    status = "partly_identified" if reference["name"] in PARTLY else "ok"
    assert list(table["status"]) == [status] * 2
    assert table["criterion"].to_numpy() == pytest.approx(reference["criterion"], abs=2e-6)
    for name in reference["dropped"]:
        assert table[name].isna().all()


LARGE_PROGRAM = """
import json, sys
from hlm import lmer
from tests.model.test_degenerate import DATA, FITS, LARGE
found = [lmer(f["formula"], DATA, reml=f["reml"]) for f in FITS if f["name"] in LARGE]
json.dump([[f.status, f.criterion, list(f.beta), list(f.se)] for f in found], sys.stdout)
"""


def test_four_to_six_random_effects():
    """As plain Python, which takes less time than to compile for each number of effects."""
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", LARGE_PROGRAM],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        check=True,
    )
    references = [fit for fit in FITS if fit["name"] in LARGE]
    for found, reference in zip(json.loads(answer.stdout), references, strict=True):
        status, criterion, beta, se = found
        assert status == "ok"
        assert criterion <= reference["criterion"] + 1e-7
        if criterion > reference["criterion"] - 1e-5:
            assert beta == pytest.approx(reference["beta"], abs=1e-3 * min(se))
            assert se == pytest.approx(reference["se"], rel=1e-3)


STATUSES = {
    "constant": (DATA.assign(y=3.0), "y ~ x + (1 + x | unit)", "constant_response"),
    "zero": (DATA.assign(y=0.0), "y ~ x + (1 | unit)", "constant_response"),
    "a line": (DATA.assign(y=1 + 2 * DATA["x"]), "y ~ x + (1 + x | unit)", "perfect_fit"),
    "lines of units": (
        DATA.assign(y=1 + 2 * DATA["x"] + np.sin(DATA["unit"])),
        "y ~ x + (1 | unit)",
        "perfect_fit",
    ),
    "as many columns as rows": (
        DATA[(DATA["place"] <= 3) & (DATA["unit"] <= 3)],
        "y ~ x + z + c1 + c2 + c3 + c4 + c5 + c6 + (1 | unit)",
        "unidentified",
    ),
    "more columns than rows": (
        DATA[(DATA["place"] <= 3) & (DATA["unit"] <= 2)],
        "y ~ x + z + c1 + c2 + c3 + c4 + c5 + c6 + (1 | unit)",
        "unidentified",
    ),
}


@pytest.mark.parametrize("name", STATUSES)
@pytest.mark.parametrize("reml", [True, False])
def test_no_estimates_but_a_status(name, reml):
    frame, formula, status = STATUSES[name]
    fit = lmer(formula, frame, reml=reml)
    assert fit.status == status
    assert not fit.converged
    assert np.isnan([fit.criterion, fit.sigma, *fit.beta, *fit.se, *fit.theta]).all()
    assert fit.tidy()[["estimate", "se", "df", "lower", "upper"]].isna().all(axis=None)
    stack = pd.concat([frame.assign(rep=1), DATA.assign(rep=2)])
    table = lmer_each(formula, stack, reml=reml)
    assert list(table["status"]) == [status, "ok"]
    assert table.drop(columns=["rep", "singular", "status"]).iloc[0].isna().all()


MESSAGES = {
    "one unit": (DATA[DATA["unit"] == 1], "y ~ x + (1 | unit)", "'unit' has 1 unit"),
    "units of one row": (DATA[DATA["place"] == 1], "y ~ x + (1 | unit)", "25 rows are too few"),
    "units of two rows, two effects": (
        DATA[DATA["place"] <= 2],
        "y ~ x + (1 + x | unit)",
        "50 rows are too few for 2 random effects in each of 25 units",
    ),
    "infinite y": (
        DATA.assign(y=DATA["y"].mask(ODD, np.inf)),
        "y ~ x + (1 | unit)",
        "response 'y' is not finite",
    ),
    "infinite x": (
        DATA.assign(x=DATA["x"].mask(ODD, -np.inf)),
        "y ~ x + (1 | unit)",
        "column 'x' of the model is not finite",
    ),
    "infinite slope": (
        DATA.assign(x=DATA["x"].mask(ODD, np.inf)),
        "y ~ z + (1 + x | unit)",
        "column 'x' of the model is not finite",
    ),
    "infinite function": (
        DATA.assign(x=DATA["x"].abs().mask(ODD, 0.0)),
        "y ~ log(x) + (1 | unit)",
        "column 'log\\(x\\)' of the model is not finite",
    ),
    "nothing left": (DATA.assign(y=np.nan), "y ~ x + (1 | unit)", "no rows are left"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_cannot_be_fitted_is_said(name):
    """One data set: a message; one of several: a status, and the others are fitted."""
    frame, formula, message = MESSAGES[name]
    with np.errstate(divide="ignore"), pytest.raises(InputError, match=message):
        lmer(formula, frame)
    stack = pd.concat([frame.assign(rep=1), DATA.assign(rep=2, x=DATA["x"].abs() + 0.1)])
    with np.errstate(divide="ignore"):
        table = lmer_each(formula, stack)
    infinite = "not_finite" if name.startswith("infinite") else "unidentified"
    if name == "nothing left":
        assert list(table["status"]) == ["unidentified", "ok"]
    else:
        assert list(table["status"]) == [infinite, "ok"]


def test_rows_with_nan_are_left_out():
    for column in ("y", "x"):
        holed = DATA.assign(**{column: DATA[column].mask(ODD)})
        fit, without = (lmer("y ~ x + (1 + x | unit)", d) for d in (holed, DATA[~ODD]))
        assert fit.criterion == without.criterion
        assert "1 row with a missing value left out" in fit.summary()


@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_scale_of_simulated_covariates_does_not_matter(factor):
    """The same draws times a factor: the same fits in other units."""
    formula = "y ~ x * a + (1 + x | g)"
    plain = Scenario(
        key="0" * 16,
        n_units=12,
        n_rows=8,
        covariates=(Covariate("a", "unit"), Covariate("x", "row")),
        formula=formula,
        fixed=(("(Intercept)", 1.0), ("x", 3.0), ("a", -0.15), ("x:a", 0.3)),
        sd=(0.4, 0.5),
        cor=((1.0, 0.3), (0.3, 1.0)),
        sigma=0.75,
    )
    scales = {"x": factor, "a": 1.0 / factor, "x:a": 1.0, "sd_x|g": factor}
    scaled = replace(
        plain,
        covariates=tuple(
            replace(c, distribution=Normal(0.0, scales[c.name])) for c in plain.covariates
        ),
        fixed=tuple((name, value / scales.get(name, 1.0)) for name, value in plain.fixed),
        sd=(0.4, 0.5 / factor),
    )
    models = [Model("m", formula, tests=(("slopes", ("x", "x:a")),))]
    found, other = (
        fit_batch(scenario, models, simulate(scenario, models, 3, 0, 20))
        for scenario in (scaled, plain)
    )
    for tables in (found, other):
        assert set(tables["fits"]["status"].to_pylist()) == {"ok"}
    assert found["tests"]["statistic"] == pytest.approx(other["tests"]["statistic"], rel=1e-6)
    ours, theirs = found["estimates"], other["estimates"]
    terms, codes = ours["term"].dictionary.to_pylist(), ours["term"].indices.to_numpy()
    units = np.array([scales.get(term, 1.0) for term in terms])[codes]
    for column in ("estimate", "se", "lower", "upper"):
        # Limits of sds next to 0 are exponentials of wide intervals: above 1e9 they say nothing
        values = np.clip(ours[column] * units, -1e9, 1e9)
        expected = np.clip(theirs[column], -1e9, 1e9)
        assert values == pytest.approx(expected, rel=1e-7, abs=1e-7, nan_ok=True)
    assert ours["df"] == pytest.approx(theirs["df"], rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("column", ["x", "y"])
@pytest.mark.parametrize("factor", [1e200, 1e-200])
def test_numbers_whose_squares_are_none_are_refused(column, factor):
    rng = np.random.default_rng(1)
    data = {"g": np.repeat(np.arange(10), 5), "x": rng.normal(size=50), "y": rng.normal(size=50)}
    data[column] = data[column] * factor
    with pytest.raises(InputError, match=f"'{column}'.* has values of size [1-9]e[+-]"):
        lmer("y ~ x + (1 + x | g)", data)
