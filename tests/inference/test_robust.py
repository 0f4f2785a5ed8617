"""Cluster-robust inference: clubSandwich's numbers, the definition from rows, size of tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import sqrtm

import hlm
from hlm.errors import InputError
from hlm.fits import fit_batch
from hlm.simulate import draw_rows, simulate
from tests.kernels.references import Reference

from .studies import as_frame

PRINTED = json.loads((Path(__file__).parent / "robust.json").read_text())


@cache
def fit_of(number):
    """Fit a model of robust.json."""
    printed = PRINTED[number]
    data = Reference(printed["data"], 0).frame
    return printed, hlm.lmer(printed["formula"], data, reml=printed["reml"])


def label(number):
    printed = PRINTED[number]
    return f"{printed['data']}: {printed['formula']} [{'reml' if printed['reml'] else 'ml'}]"


@pytest.mark.parametrize("number", range(len(PRINTED)), ids=label)
def test_errors_and_df_are_those_of_clubsandwich(number):
    printed, fit = fit_of(number)
    assert fit.criterion == pytest.approx(printed["criterion"], abs=1e-6)
    assert fit.singular == printed["singular"]
    p = len(fit.beta)
    se = np.sqrt(np.diag(np.array(printed["vcov"])))
    assert fit.tidy("cr2")["se"][:p].to_numpy() == pytest.approx(se, rel=2e-5)
    assert fit.df("cr2") == pytest.approx(printed["df"], rel=2e-5)


@pytest.mark.parametrize("number", range(len(PRINTED)), ids=label)
def test_f_tests_are_those_of_clubsandwich(number):
    """Its HTZ tests of all coefficients, all but the first, and the last two."""
    printed, fit = fit_of(number)
    for theirs in printed["tests"]:
        ours = fit.contest(np.eye(len(fit.beta))[theirs["coefs"]], "cr2")
        assert ours.df == theirs["df"]
        assert pytest.approx(theirs["F"], rel=5e-5) == ours.F
        assert ours.ddf == pytest.approx(theirs["ddf"], rel=2e-5)
        assert ours.p_value == pytest.approx(theirs["p"], rel=5e-4)


def test_kinds_of_references():
    """Singular fits are among them, and unequal units."""
    assert sum(printed["singular"] for printed in PRINTED) >= 6
    sizes = Reference("sim_unbalanced", 0).frame.groupby("unit").size()
    assert sizes.nunique() > 3


def test_definition_from_rows():
    """A_i of n_i rows with a symmetric root, df and eta from sums over all pairs of units."""
    data = Reference("sim_unbalanced", 0).frame.sort_values("unit")
    fit = hlm.lmer("y ~ x * a + (1 + x | unit)", data)
    unit, y, a = (data[name].to_numpy() for name in ("unit", "y", "a"))
    x, one = data["x"].to_numpy(), np.ones(len(data))
    X, Z = np.column_stack([one, x, a, x * a]), np.column_stack([one, x])
    V = np.eye(len(y)) + np.equal.outer(unit, unit) * (Z @ fit.psi @ Z.T) / fit.sigma**2
    W = np.linalg.inv(V)
    T = np.linalg.inv(X.T @ W @ X)
    leave = np.eye(len(y)) - X @ T @ X.T @ W
    e, of_residuals = leave @ y, leave @ V @ leave.T
    g, rows = [], []
    for i in np.unique(unit):
        k = unit == i
        root = np.real(sqrtm(V[np.ix_(k, k)]))
        A = root @ np.linalg.inv(sqrtm(root @ of_residuals[np.ix_(k, k)] @ root)) @ root
        weights = A @ np.linalg.inv(V[np.ix_(k, k)]) @ X[k] @ T
        g.append(weights.T @ e[k])
        rows.append(leave[k].T @ weights)
    vcov = np.einsum("ij,ik->jk", g, g)
    P = np.einsum("inj,nm,lmk->iljk", rows, V, rows)
    single = np.einsum("iljj->ilj", P)
    df = np.einsum("iij->j", single) ** 2 / (single**2).sum(axis=(0, 1))
    assert fit.tidy("cr2")["se"][:4].to_numpy() == pytest.approx(np.sqrt(np.diag(vcov)), rel=1e-9)
    assert fit.df("cr2") == pytest.approx(df, rel=1e-9)
    places, r = [1, 3], 2
    values, vectors = np.linalg.eigh(T[np.ix_(places, places)])
    root = vectors / np.sqrt(values)
    Q = np.einsum("iljk,js,kt->ilst", P[..., places, :][..., places], root, root)
    traces = np.einsum("ilss->il", Q)
    eta = r * (r + 1) / (np.sum(traces**2) + np.einsum("ilst,ilts->", Q, Q))
    b = fit.beta[places]
    wald = b @ np.linalg.solve(vcov[np.ix_(places, places)], b)
    test = fit.contest(["x", "x:a"], "cr2")
    assert test.ddf == pytest.approx(eta - r + 1, rel=1e-9)
    assert pytest.approx((eta - r + 1) / (eta * r) * wald, rel=1e-9) == test.F


def test_two_groups_are_welch():
    """Means of two groups of balanced units: Welch's standard error and degrees of freedom."""
    rng = np.random.default_rng(5)
    sizes, unit = (5, 9), np.repeat(np.arange(14), 4)
    arm = (unit >= sizes[0]) * 1.0
    y = rng.standard_normal(14)[unit] * (1 + 2 * arm) + rng.standard_normal(len(unit))
    fit = hlm.lmer("y ~ arm + (1 | unit)", pd.DataFrame({"y": y, "arm": arm, "unit": unit}))
    means = y.reshape(14, 4).mean(axis=1)
    error = [part.var(ddof=1) / len(part) for part in (means[: sizes[0]], means[sizes[0] :])]
    # The df are those of the working model, in which both groups have one variance
    share = np.array([1 / n for n in sizes])
    df = share.sum() ** 2 / (share**2 / (np.array(sizes) - 1)).sum()
    assert fit.tidy("cr2")["se"][1] == pytest.approx(np.sqrt(sum(error)), rel=1e-9)
    assert fit.df("cr2")[1] == pytest.approx(df, rel=1e-9)


def test_units_that_the_fit_passes_through():
    """A unit with a coefficient of its own leaves no residual, so its share of errors is missing.

    clubSandwich's values; where nothing else is left it has rounding errors, and we have NaN.
    """
    data = Reference("sim_unbalanced", 0).frame
    data = data.assign(first=(data["unit"] == data["unit"].iloc[0]) * 1.0)
    data["rest"] = 1.0 - data["first"]
    fit = hlm.lmer("y ~ first + x + (1 | unit)", data)
    se, df = [0.1022834039, 0.1001355184, 0.1275081832], [22.61634439, 22.56263395, 17.22083381]
    assert fit.tidy("cr2")["se"][:3].to_numpy() == pytest.approx(se, rel=1e-5)
    assert fit.df("cr2") == pytest.approx(df, rel=1e-5)
    fit = hlm.lmer("y ~ 0 + first + rest + (1 | unit)", data)
    table = fit.tidy("cr2").set_index("term")
    assert table.loc["first", ["se", "df", "p_value"]].isna().all()
    assert table.loc["rest", "se"] == pytest.approx(0.2238306930, rel=1e-5)
    assert table.loc["rest", "df"] == pytest.approx(21.84824631, rel=1e-5)
    assert np.isnan(fit.contest(["first", "rest"], "cr2").F)


def test_more_contrasts_than_the_units_allow():
    """Three units and three coefficients: eta is below r."""
    data = Reference("sim_tiny", 0).frame
    fit = hlm.lmer("y ~ x + a + (1 | unit)", data[data["unit"] <= 3])
    test = fit.contest(np.eye(3), "cr2")
    assert np.isnan([test.F, test.ddf, test.p_value]).all()


@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_where_zero_and_one_of_a_covariate_are_does_not_count(scale):
    """Also where the variances of units are far larger than that of rows."""
    data = Reference("sim_unbalanced", 0).frame
    shift, slope = np.random.default_rng(1).standard_normal((2, data["unit"].max() + 1))
    shift, slope = shift[data["unit"]], slope[data["unit"]]
    data = data.assign(y=data["y"] + scale * (shift + slope * data["x"]), z=1000 + data["x"] / 50)
    plain = hlm.lmer("y ~ x + a + (1 + x | unit)", data)
    other = hlm.lmer("y ~ z + a + (1 + z | unit)", data)
    assert other.df("cr2")[1:] == pytest.approx(plain.df("cr2")[1:], rel=1e-4)
    se, other_se = (fit.tidy("cr2")["se"].to_numpy()[1:3] for fit in (plain, other))
    assert other_se == pytest.approx(se * [50, 1], rel=1e-4)


def test_weights_are_refused():
    data = Reference("sim_unbalanced", 0).frame
    data = data.assign(w=np.where(np.arange(len(data)) % 2, 1.0, 2.0))
    fit = hlm.lmer("y ~ x + (1 | unit)", data, weights="w")
    with pytest.raises(InputError, match="without weights"):
        fit.df("cr2")


def test_without_estimates():
    fit = hlm.lmer("y ~ 1 + (1 | g)", pd.DataFrame({"y": [1.0] * 6, "g": [1, 1, 2, 2, 3, 3]}))
    assert np.isnan(fit.df("cr2")).all()


UNITS_DIFFER = """
name: size
seed: 11
replicates: 4000
truth:
  formula: y ~ a + (1 + z | unit)
  fixed: {(Intercept): 0, a: 0}
  random: {unit: {sd: {(Intercept): 0.1, z: 1}}}
  residual: {sd: 1}
design:
  units: 10
  rows: 5
  covariates:
    a: {level: unit, grid: [-1, -1, -1, 0, 0, 0, 0, 1, 1, 1]}
    z: {level: unit, grid: [1, 1, 1, 0, 0, 0, 0, 1, 1, 1]}
models: {m: "y ~ a + (1 | unit)"}
estimation: {methods: [reml], df: [satterthwaite, cr2], tests: {wanted: [a]}}
"""

NO_SLOPES = """
name: size
seed: 12
replicates: 4000
truth:
  formula: y ~ x + (1 + x | unit)
  fixed: {(Intercept): 0, x: 0}
  random: {unit: {sd: {(Intercept): 0.1, x: 0.3}}}
  residual: {sd: 1}
design: {units: 10, rows: 5, covariates: {x: {level: row, grid: [-2, -1, 0, 1, 2]}}}
models: {m: "y ~ x + (1 | unit)"}
estimation: {methods: [reml], df: [satterthwaite, cr2], tests: {wanted: [x]}}
"""


@pytest.mark.parametrize("text", [UNITS_DIFFER, NO_SLOPES], ids=["variances", "slopes"])
def test_size_where_the_model_of_variances_is_wrong(text):
    """Means of units that vary more at both ends of a; slopes of units that the model leaves out.

    The latter is the t test of the units' slopes, which is exact. By t and by F, which are one.
    """
    study = hlm.Study.from_text(text)
    (scenario,) = study.scenarios
    drawn = simulate(scenario, study.models, study.seed, 0, study.replicates)
    tables = fit_batch(scenario, study.models, drawn)
    tests, terms = as_frame(tables["tests"]), as_frame(tables["estimates"])
    rejected = (tests["p_value"] < 0.05).groupby(tests["inference"], observed=True).mean()
    error = np.sqrt(0.05 * 0.95 / study.replicates)
    assert abs(rejected["cr2"] - 0.05) < 4 * error
    assert rejected["satterthwaite"] > 0.1
    own = terms[(terms["term"].isin(["a", "x"])) & (terms["inference"] == "cr2")]
    assert ((own["lower"] > 0) | (own["upper"] < 0)).mean() == rejected["cr2"]


def test_units_without_rows_are_none():
    """Rows and whole units are missing: a batch has what `lmer` has of the rows that are there."""
    text = UNITS_DIFFER.replace("  rows: 5\n", "  rows: 5\n  missing: {rows: 0.3, units: 0.2}\n")
    study = hlm.Study.from_text(text)
    (scenario,), n = study.scenarios, 6
    tables = fit_batch(scenario, study.models, simulate(scenario, study.models, study.seed, 0, n))
    terms, tests = (
        frame[frame["inference"] == "cr2"].set_index("replicate")
        for frame in map(as_frame, (tables["estimates"], tables["tests"]))
    )
    units = []
    for replicate in range(n):
        rows = pd.DataFrame(draw_rows(scenario, study.seed, replicate))
        units.append(rows["unit"].nunique())
        fit = hlm.lmer("y ~ a + (1 | unit)", rows)
        own, test = terms.loc[replicate], fit.contest("a", "cr2")
        theirs = fit.tidy("cr2")[["se", "df"]].to_numpy()[:2]
        assert own[["se", "df"]].to_numpy() == pytest.approx(theirs, rel=1e-5)
        found = tests.loc[replicate, ["statistic", "ddf"]].to_numpy(float)
        assert found == pytest.approx([test.F, test.ddf], rel=1e-5)
    assert min(units) < 10
