"""Units of unequal size, from the study file to estimates."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.testing import assert_allclose, assert_array_equal

from hlm import lmer
from hlm.cli import main
from hlm.distributions import Binary, Normal, Points, Span, StudentT
from hlm.errors import InputError
from hlm.fits import fit_batch
from hlm.plan import make_plan
from hlm.plan.plan import Plan
from hlm.scenario import BLOCK, Covariate, Model, Scenario
from hlm.simulate import basis_of, draw, draw_rows, simulate
from hlm.simulate.layout import layout_of
from hlm.stages.compact import write_scenarios
from hlm.study import Study

SIZES = (3, 9, 1, 5, 9, 2, 7, 4)
COVARIATES = (
    Covariate("a", "unit"),
    Covariate("b", "unit", Points(tuple(float(i) for i in range(8)))),
    Covariate("t", "row", Points(tuple(float(j) for j in range(9)))),
    Covariate("v", "row", Span(-4.0, 4.0)),
    Covariate("w", "row", Binary(0.4)),
    Covariate("x", "row", Normal(2000.0, 3.0)),
)
SCENARIO = Scenario(
    key="fedcba9876543210",
    n_units=8,
    n_rows=SIZES,
    covariates=COVARIATES,
    formula="y ~ x * a + t + v + w + I(t * b) + (1 + t | unit)",
    fixed=(
        ("(Intercept)", 1.0), ("x", 0.5), ("a", 2.0), ("t", 3.0), ("v", 4.0), ("w", 5.0),
        ("I(t * b)", 0.25), ("x:a", 0.75),
    ),
    sd=(1.0, 0.5),
    cor=((1.0, 0.3), (0.3, 1.0)),
    sigma=0.5,
)  # fmt: skip
MODELS = [Model("own", SCENARIO.formula), Model("less", "y ~ t + a + (1 | unit)")]

ROWS = """
name: unequal
seed: 7
replicates: 30
truth:
  formula: y ~ x * a + t + (1 + x | unit)
  fixed: {(Intercept): 1, x: 3, a: -0.15, t: 0.2, "x:a": 0.3}
  random: {unit: {sd: {(Intercept): 0.8, x: 0.5}, cor: 0.4}}
  residual: {sd: 0.75}
design:
  units: 12
  rows: {list: [3, 8, 15]}
  covariates:
    a: {level: unit}
    x: {level: row}
    t: {level: row, grid: {from: 0, to: 1}}
models:
  own: y ~ x * a + t + (1 + x | unit)
  less: {formula: y ~ x + (1 | unit)}
estimation: {df: [infinite, satterthwaite, kenward-roger, between-within, residual], \
limits: [wald, profile]}
"""


def study(**changes):
    tree = yaml.safe_load(ROWS)
    for path, value in changes.items():
        *above, last = path.split("__")
        here = tree
        for key in above:
            here = here[key]
        here[last] = value
    return Study.from_text(yaml.safe_dump(tree, sort_keys=False))


# rows


def test_rows_are_those_of_their_units():
    rows = draw_rows(SCENARIO, 5, 3)
    assert_array_equal(rows["unit"], np.repeat(np.arange(1, 9), SIZES))
    places = np.cumsum((0, *SIZES))
    for i, (first, last) in enumerate(pairwise(places)):
        n = SIZES[i]
        assert len(set(rows["a"][first:last])) == 1
        assert_array_equal(rows["b"][first:last], np.full(n, i))
        assert_array_equal(rows["t"][first:last], np.arange(n))
        assert_allclose(rows["v"][first:last], np.linspace(-4, 4, n) if n > 1 else [-4])
    assert len(set(rows["a"])) == 8
    assert len(set(rows["x"])) == sum(SIZES)
    assert set(rows["w"]) == {0.0, 1.0}


def test_rows_are_the_draws_put_together():
    draws, rows = next(draw(SCENARIO, 9, 4, 5)), draw_rows(SCENARIO, 9, 4)
    layout = layout_of(SCENARIO)
    order = layout.order
    assert_array_equal(np.array(SIZES)[order], sorted(SIZES, reverse=True))
    for place, i in enumerate(order):
        own = rows["unit"] == i + 1
        cells = layout.starts[: SIZES[i]] + place
        b = draws.effects[0, :, place]
        fixed = sum(value * _term(name, rows)[own] for name, value in SCENARIO.fixed)
        y = fixed + b[0] + b[1] * rows["t"][own] + 0.5 * draws.noise[0, 0, cells]
        assert_allclose(rows["y"][own], y, rtol=1e-12)
        assert_array_equal(rows["x"][own], draws.covariates["x"][0, 0, cells])


def _term(name, rows):
    columns = {"(Intercept)": 1.0 + 0 * rows["x"], "I(t * b)": rows["t"] * rows["b"]}
    return columns.get(name, rows["x"] * rows["a"] if name == "x:a" else rows.get(name))


def test_effects_are_those_of_equal_units():
    """A unit's random effects and unit-level covariates do not depend on how many rows it has."""
    equal = next(draw(replace(SCENARIO, n_rows=9), 5, 0, 4))
    unequal = next(draw(SCENARIO, 5, 0, 4))
    order = layout_of(SCENARIO).order
    assert_array_equal(unequal.effects, equal.effects[..., order])
    assert_array_equal(unequal.covariates["a"], equal.covariates["a"][..., order])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_cross_products_are_those_of_the_rows(model):
    cross, basis = simulate(SCENARIO, [model], 7, 20, 23).cross, basis_of(SCENARIO, [model])
    order, k = layout_of(SCENARIO).order, len(basis.columns)
    pairs = [(a, b) for a in range(k) for b in range(a + 1)]
    assert_array_equal(cross.n_obs, sum(SIZES))
    for r in range(3):
        rows = draw_rows(SCENARIO, 7, 20 + r)
        columns = np.array([np.broadcast_to(c.values(rows), sum(SIZES)) for c in basis.columns])
        random = rows["y"] - sum(value * _term(name, rows) for name, value in SCENARIO.fixed)
        gram = cross.gram[r if len(cross.gram) > 1 else 0]
        for place, i in enumerate(order):
            own = columns[:, rows["unit"] == i + 1]
            wanted = [own[a] @ own[b] for a, b in pairs]
            assert_allclose(gram[:, place], wanted, rtol=1e-9, atol=1e-9)
            y = random[rows["unit"] == i + 1]
            assert_allclose(cross.response[r, :, place], own @ y, rtol=1e-7, atol=1e-9)
        assert cross.sum_squares[r] == pytest.approx(random @ random, rel=1e-8)


def test_equal_units_given_one_by_one_have_the_same_cross_products():
    """Bit for bit: the layout of unequal units is that of equal ones where they are equal."""
    equal = replace(SCENARIO, n_rows=9, covariates=COVARIATES[:3] + COVARIATES[4:])
    equal = replace(
        equal,
        formula="y ~ x * a + w + (1 + x | unit)",
        fixed=tuple((n, 1.0) for n in ("(Intercept)", "x", "a", "w", "x:a")),
    )
    models = [Model("own", equal.formula)]
    one, other = (
        simulate(scenario, models, 3, 5, 40).cross
        for scenario in (equal, replace(equal, n_rows=(9,) * 8))
    )
    for name, array in one._asdict().items():
        assert_array_equal(getattr(other, name), array, name)
    for name, column in draw_rows(equal, 3, 6).items():
        assert_array_equal(draw_rows(replace(equal, n_rows=(9,) * 8), 3, 6)[name], column, name)


@pytest.mark.parametrize("shape", [Normal(), StudentT(5.0)], ids=str)
def test_a_replicate_is_the_same_from_any_range(shape, monkeypatch):
    scenario = replace(SCENARIO, effects=shape, residuals=shape)
    whole = simulate(scenario, MODELS, 5, 0, BLOCK + 30).cross
    monkeypatch.setattr("hlm.simulate.draws.CHUNK_VALUES", 2000)
    for start, stop in ((0, 3), (17, 18), (BLOCK - 2, BLOCK + 3)):
        part = simulate(scenario, MODELS, 5, start, stop).cross
        for name, array in part._asdict().items():
            full = getattr(whole, name)
            assert_array_equal(array, full[start:stop] if len(full) > 1 else full, name)


# fits


@pytest.mark.parametrize("replicate", [0, 11])
def test_fits_equal_lmer_on_the_replayed_rows(replicate):
    """Every number of every inference, through the whole path."""
    found = study()
    (scenario,) = found.scenarios
    drawn = simulate(scenario, found.models, found.seed, replicate, replicate + 1)
    tables = fit_batch(scenario, found.models, drawn)
    estimates, fits = (_frame(tables[kind]) for kind in ("estimates", "fits"))
    rows = pd.DataFrame(draw_rows(scenario, found.seed, replicate))
    assert len(rows) == 4 * (3 + 8 + 15)
    for model in found.models:
        for method in ("reml", "ml"):
            fit = lmer(model.formula, rows, reml=method == "reml")
            ours = fits[(fits["model"] == model.name) & (fits["method"] == method)].iloc[0]
            assert ours["loglik"] == pytest.approx(fit.loglik, rel=1e-9)
            assert ours["bic"] == pytest.approx(-2 * fit.loglik + ours["npar"] * np.log(104))
            assert ours["status"] == "ok"
            own = estimates[(estimates["model"] == model.name) & (estimates["method"] == method)]
            for name in model.df:
                if (name, method) == ("kenward-roger", "ml"):
                    continue
                table = fit.tidy(name).set_index("term")
                part = own[own["inference"] == name].set_index("term")
                assert len(part) > 0
                for column in ("estimate", "se", "df"):
                    theirs = table.loc[part.index, column]
                    assert_allclose(part[column], theirs, rtol=2e-5, err_msg=f"{name} {column}")
            sds = own[own["inference"] == "wald"].set_index("term")
            table = fit.tidy().set_index("term")
            assert_allclose(sds["estimate"], table.loc[sds.index, "estimate"], rtol=1e-6)
            assert_allclose(sds["se"], table.loc[sds.index, "se"], rtol=1e-4)
            profile = own[own["inference"] == "profile"].set_index("term")
            limits = fit.confint(method="profile").loc[profile.index]
            assert_allclose(profile[["lower", "upper"]], limits, rtol=1e-4, atol=1e-6)


def _frame(table):
    return pd.DataFrame(
        {
            name: np.array(one[0])[one[1]] if isinstance(one, tuple) else np.asarray(one)
            for name, one in table.items()
        }
    )


LME4 = """
suppressMessages(library(lme4))
d <- read.csv('rows.csv')
f <- lmer(y ~ x * a + t + (1 + x | unit), d, REML = TRUE, control =
  lmerControl(optimizer = 'bobyqa', optCtrl = list(rhoend = 1e-9)))
v <- as.data.frame(VarCorr(f))
cat(format(c(fixef(f), sqrt(diag(as.matrix(vcov(f)))), v$sdcor, -2 * logLik(f)), digits = 15))
"""


def test_fits_equal_lme4s(tmp_path):
    asked = ["Rscript", "-e", "library(lme4)"]
    if shutil.which("Rscript") is None or subprocess.run(asked, capture_output=True).returncode:
        pytest.skip("lme4 is not installed")
    found = study()
    (scenario,) = found.scenarios
    pd.DataFrame(draw_rows(scenario, found.seed, 4)).to_csv(tmp_path / "rows.csv", index=False)
    run = subprocess.run(
        ["Rscript", "-e", LME4], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    theirs = [float(word) for word in run.stdout.split()]
    drawn = simulate(scenario, found.models[:1], found.seed, 4, 5)
    tables = fit_batch(scenario, found.models[:1], drawn)
    estimates, fits = (_frame(tables[kind]) for kind in ("estimates", "fits"))
    own = estimates[
        (estimates["method"] == "reml") & estimates["inference"].isin(["infinite", "wald"])
    ]
    ours = own.set_index("term")
    fixed = ["(Intercept)", "x", "a", "t", "x:a"]
    random = ["sd_(Intercept)|unit", "sd_x|unit", "cor_x.(Intercept)|unit", "sigma"]
    assert_allclose(ours.loc[fixed, "estimate"], theirs[:5], rtol=1e-5)
    assert_allclose(ours.loc[fixed, "se"], theirs[5:10], rtol=1e-5)
    assert_allclose(ours.loc[random, "estimate"], theirs[10:14], rtol=2e-4)
    criterion = fits.loc[fits["method"] == "reml", "criterion"].iloc[0]
    assert criterion <= theirs[14] + 1e-7
    assert criterion == pytest.approx(theirs[14], abs=1e-5)


def test_units_without_enough_rows_are_data():
    """Units of one row beside a random slope: fitted, and counted in all that counts rows."""
    found = study(design__rows={"list": [1, 1, 12]})
    (scenario,) = found.scenarios
    drawn = simulate(scenario, found.models, found.seed, 0, 20)
    fits = _frame(fit_batch(scenario, found.models, drawn)["fits"])
    assert (fits["status"] == "ok").mean() > 0.9


# the study


def test_a_list_is_repeated_to_fill_the_units():
    (scenario,) = study().scenarios
    assert scenario.n_rows == (3, 8, 15) * 4
    assert (scenario.n_obs, scenario.is_balanced) == (104, False)
    assert scenario.mean_rows == pytest.approx(26 / 3)
    assert {c.name: c.distribution for c in scenario.covariates}["t"] == Span(0.0, 1.0)
    assert Scenario.from_dict(json.loads(json.dumps(scenario.to_dict()))) == scenario


@pytest.mark.parametrize(
    ("one", "other"),
    [([3, 8], [3, 8, 3, 8]), ([6], 6), ([6, 6, 6], 6), ([3, 8, 3, 8, 3, 8], [3, 8])],
)
def test_the_same_rows_have_the_same_key(one, other):
    rows = [{"list": each} if isinstance(each, list) else each for each in (one, other)]
    first, second = (study(design__rows=each).scenarios[0] for each in rows)
    assert first == second


def test_other_rows_are_other_scenarios():
    grid = {"design.rows": [5, {"list": [3, 7]}, {"list": [7, 3]}, {"list": [1, 9]}]}
    found = study(grid=grid)
    assert len({scenario.key for scenario in found.scenarios}) == 4
    assert [scenario.n_obs for scenario in found.scenarios] == [60] * 4
    labelled = study(grid={"design.rows": {"equal": 5, "unequal": {"list": [3, 7]}}})
    assert [s.key for s in labelled.scenarios] == [s.key for s in found.scenarios[:2]]
    assert [level["rows"] for level in labelled.levels] == ["equal", "unequal"]
    inside = study(grid={"design.rows.list": [[3, 7], [7, 3]]})
    assert [s.key for s in inside.scenarios] == [s.key for s in found.scenarios[1:3]]


def test_a_list_of_values_is_cut_at_the_rows_of_each_unit():
    waves = {"level": "row", "grid": [0, 1, 2, 5]}
    found = study(design__covariates__t=waves, design__rows={"list": [2, 4, 6]})
    rows = draw_rows(found.scenarios[0], 1, 0)
    assert_array_equal(rows["t"][:12], [0, 1, 0, 1, 2, 5, 0, 1, 2, 5, 0, 1])


def test_check_and_the_table_of_scenarios_show_the_rows(tmp_path, capsys):
    path = tmp_path / "unequal.yaml"
    path.write_text(ROWS + "grid: {design.rows: {equal: 9, unequal: {list: [3, 8, 15]}}}\n")
    assert main(["check", str(path), "--no-pilot"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["scenario", "rows", "n_units", "n_rows", "n_obs"] in lines
    assert [line[-3:] for line in lines if line[2:3] == ["equal"]] == [["12", "9", "108"]]
    assert [line[-5:] for line in lines if line[2:3] == ["unequal"]] == [
        ["12", "3", "to", "15", "104"]
    ]
    plan = make_plan(Study.load(path))
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json").scenarios == plan.scenarios
    write_scenarios(plan, tmp_path / "s.parquet", tmp_path / "s.csv")
    table = pd.read_parquet(tmp_path / "s.parquet")
    assert_allclose(table["n_rows"], [9.0, 26 / 3])
    assert_array_equal(table["n_units"], [12, 12])


def test_models_are_refused_for_what_the_rows_lack():
    """With one row each there is no residual variance; with two in some units there is."""
    with pytest.raises(InputError, match=r"12 observations for 24 random effects"):
        study(design__rows={"list": [1, 1]})
    assert study(design__rows={"list": [1, 1, 12]}).scenarios
