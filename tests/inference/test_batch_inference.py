"""`fit_batch` gives the df, standard errors, limits and F tests that `lmer` gives on the same rows.

Every method, REML and ML, one design for all units or one each, singular fits among them. Numbers
agree to 1e-6 of the standard error (or of sigma), the accuracy of the search.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from hlm import lmer
from hlm.distributions import Points
from hlm.formula import parse
from hlm.scenario import Model
from hlm.simulate import draw_rows

from .studies import (
    GRID,
    OF_COEFFICIENTS,
    OF_RANDOM_PART,
    ROW,
    SEED,
    SLOPES,
    scenario,
    tables,
    with_tests,
)

START, STOP = 10, 20
"""Among these replicates each model has singular fits in each design. None ends with a standard
deviation of a hundredth of sigma, where the criterion is so flat that df are known to 5 digits."""
X = {"shared": GRID, "general": ROW}
FORMULAS = (SLOPES, "y ~ x + (1 + x || unit)", "y ~ a + (1 | unit)")
COMBINATIONS = [
    *((df, "wald") for df in OF_COEFFICIENTS),
    *(("satterthwaite", limits) for limits in OF_RANDOM_PART[1:]),
    ("kenward-roger", "profile"),
]


@cache
def refitted(design, formula, replicate, reml):
    rows = pd.DataFrame(draw_rows(scenario(X[design]), SEED, replicate))
    return lmer(formula, rows, reml=reml)


@cache
def profiled(design, formula, replicate):
    return refitted(design, formula, replicate, False).confint("profile")


def expected(design, formula, replicate, reml, df, limits):
    """Put the table together from what `LmerFit` offers."""
    fit = refitted(design, formula, replicate, reml)
    if df == "kenward-roger" and not reml:
        df = "satterthwaite-expected"
    table = fit.tidy(df).set_index("term")
    if limits == "wald-variance":
        table[["lower", "upper"]] = fit.confint(limits, df_method=df)
    elif limits == "profile":
        profile = profiled(design, formula, replicate).drop(index=list(fit.coef_names))
        table.loc[profile.index, ["lower", "upper"]] = profile
    return fit, table


@pytest.mark.parametrize(("df", "limits"), COMBINATIONS)
@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("design", X)
def test_batch_is_lmer(design, formula, df, limits):
    model = Model("m", formula, df=(df,), limits=(limits,))
    estimates, fits = tables(scenario(X[design]), model, STOP, start=START)
    assert set(fits["status"]) == {"ok"}
    assert fits["singular"].any()
    parts = dict(list(estimates.groupby(["replicate", "method"])))
    for fit in fits.itertuples():
        reml = fit.method == "reml"
        theirs, table = expected(design, formula, fit.replicate, reml, df, limits)
        ours = parts[fit.replicate, fit.method].set_index("term")
        where = (fit.replicate, fit.method)
        assert fit.singular == theirs.singular, where
        assert list(ours.index) == list(table.index)
        unit = table["se"].fillna(theirs.sigma)
        for name in ("estimate", "se", "lower", "upper"):
            a, b = ours[name].to_numpy(), table[name].to_numpy()
            # Limits far from the data, as exp(8 / 0.2), magnify what the search leaves.
            size = np.maximum(unit.to_numpy(), 0.01 * np.abs(b))
            np.testing.assert_allclose(a / size, b / size, rtol=1e-4, atol=1e-6, err_msg=where)
        np.testing.assert_allclose(ours["df"], table["df"], rtol=1e-6, err_msg=where)


@pytest.mark.parametrize("df", OF_COEFFICIENTS)
@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("design", X)
def test_f_tests_of_a_batch_are_those_of_lmer(design, formula, df):
    """All coefficients, all but the intercept, and the last: its square of t."""
    names = [term.name for term in parse(formula).fixed]
    hypotheses = (("all", tuple(names)), ("slopes", tuple(names[1:])), ("last", (names[-1],)))
    model = Model("m", formula, df=(df,), tests=hypotheses)
    estimates, fits, found = with_tests(scenario(X[design]), model, STOP, start=START)
    assert fits["singular"].any()
    assert len(found) == (STOP - START) * 2 * len(hypotheses)
    coefficients = dict(hypotheses)
    for test in found.itertuples():
        reml = test.method == "reml"
        fit, _ = expected(design, formula, test.replicate, reml, df, "wald")
        by = "satterthwaite-expected" if df == "kenward-roger" and not reml else df
        theirs = fit.contest(coefficients[test.test], by)
        where = (test.replicate, test.method, test.test)
        assert test.df == theirs.df, where
        assert test.statistic == pytest.approx(theirs.F, rel=1e-5), where
        assert test.ddf == pytest.approx(theirs.ddf, rel=1e-5), where
        assert test.p_value == pytest.approx(theirs.p_value, rel=1e-3), where
    last = found[found["test"] == "last"].reset_index()
    single = estimates[estimates["term"] == names[-1]].reset_index()
    np.testing.assert_allclose(last["statistic"], (single["estimate"] / single["se"]) ** 2, 1e-9)
    np.testing.assert_allclose(last["ddf"], single["df"], 1e-9)


@pytest.mark.parametrize("df", OF_COEFFICIENTS)
@pytest.mark.parametrize("design", X)
def test_df_are_defined_at_the_boundary(design, df):
    """Positive and at most N for every fixed effect, of singular fits too; no others have df."""
    estimates, fits = tables(scenario(X[design]), Model("m", SLOPES, df=(df,)), 60)
    assert 0.2 < fits["singular"].mean() < 0.9
    fixed = ~estimates["term"].str.contains("^(?:sd|cor|sigma)")
    assert (estimates["df"][fixed] > 0.0).all()
    assert df == "infinite" or (estimates["df"][fixed] <= 60.0 + 1e-6).all()
    assert estimates["df"][~fixed].isna().all()
    assert estimates.loc[fixed, ["se", "lower", "upper"]].notna().all(axis=None)


@pytest.mark.parametrize("df", OF_COEFFICIENTS)
def test_failed_fits_have_no_inference(df):
    """Two units of two rows do not identify four coefficients."""
    few = scenario(replace(GRID, distribution=Points((-1.0, 1.0))), units=2, rows=2)
    model = Model("m", "y ~ x * a + (1 | unit)", df=(df,), tests=(("both", ("a", "x:a")),))
    estimates, fits, found = with_tests(few, model, 3)
    assert set(fits["status"]) == {"unidentified"}
    assert estimates[["estimate", "se", "df", "lower", "upper"]].isna().all(axis=None)
    assert found[["statistic", "ddf", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize("limits", OF_RANDOM_PART)
def test_limits_at_the_boundary(limits):
    """Wald's are missing where an sd is 0 or a correlation 1; those by profile never are."""
    estimates, _ = tables(scenario(ROW), Model("m", SLOPES, limits=(limits,)), 60)
    e = estimates[estimates["term"].str.contains("^(?:sd|cor|sigma)")]
    edge = e["se"].isna()
    assert 0.1 < edge.mean() < 0.9
    defined = e["lower"].notna() & e["upper"].notna()
    if limits != "profile":
        assert (defined == ~edge).all()
        return
    assert defined.all()
    inside = e[e["estimate"].notna()]
    reml = inside["method"] == "reml"
    ml = inside[~reml]
    assert (ml["lower"] <= ml["estimate"] + 1e-9).all()
    assert (ml["upper"] >= ml["estimate"] - 1e-9).all()
    zero = ml[(ml["estimate"] == 0.0)]
    assert (zero["lower"] == 0.0).all()
    assert (zero["upper"] > 0.0).all()
    undefined = e[e["estimate"].isna()]
    assert (undefined["lower"] == -1.0).all()
    assert (undefined["upper"] == 1.0).all()


def test_fits_without_estimates_have_nothing():
    """Three rows for four coefficients."""
    model = Model("m", SLOPES, df=("kenward-roger",), limits=("profile",))
    estimates, fits = tables(scenario(ROW, units=3, rows=1), model, 4)
    assert set(fits["status"]) == {"unidentified"}
    assert estimates[["estimate", "se", "df", "lower", "upper"]].isna().all(axis=None)
