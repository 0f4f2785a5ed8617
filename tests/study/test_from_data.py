"""A truth from a pilot fit, a design from a data set: as if the study had the values itself."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hlm import lmer
from hlm.cli import main
from hlm.datasets import load_mathachieve, load_sleepstudy
from hlm.errors import InputError
from hlm.fits import fit_batch
from hlm.formula import parse
from hlm.operations import manifest
from hlm.pilot_design import PilotDesign
from hlm.plan import Plan, make_plan
from hlm.scenario import Model, Scenario
from hlm.simulate import draw_rows, simulate
from hlm.study import Study
from hlm.study.pilot_data import PilotData
from hlm.study.pilot_units import pilot_design

REFERENCE = Path(__file__).parents[1] / "reference"
CONFIG = Path(__file__).parents[2] / "config"

SLEEP = """\
name: sleep
seed: 1
replicates: 10
truth:
  fit: {data: sleepstudy, formula: "Reaction ~ Days + (1 + Days | Subject)"}
design:
  units: 18
  rows: 10
  covariates: {Days: {level: row, grid: {from: 0, to: 9}}}
models: {m: Reaction ~ Days + (1 + Days | Subject)}
"""

CODES = "codes: {sector: {Catholic: 0, Public: 1}}"
SCHOOLS = f"""\
name: schools
seed: 1
replicates: 10
truth:
  fit:
    data: mathachieve
    formula: mathach ~ meanses * cses + sector * cses + (1 + cses | school)
    {CODES}
design: {{from: mathachieve, {CODES}}}
models: {{m: mathach ~ meanses * cses + sector * cses + (1 + cses | school)}}
"""


def published(name, formula, *, reml=True):
    """Return lme4's estimates: coefficients, sds, correlation of two effects, sigma."""
    fits = json.loads((REFERENCE / f"{name}.json").read_text())["fits"]
    fit = next(one for one in fits if one["formula"] == formula and one["reml"] is reml)
    random = [row["sdcor"] for row in fit["random"]]
    return np.atleast_1d(fit["beta"]), random[:2], random[2], fit["sigma"]


def changed(text, *changes):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def truth_of(text, **options):
    """Return the one scenario of a study."""
    (scenario,) = Study.from_text(text, **options).scenarios
    return scenario


def of_published(scenario, published):
    beta, sd, cor, sigma = published
    assert [value for _, value in scenario.fixed] == pytest.approx(beta, rel=2e-6)
    assert scenario.sd == pytest.approx(sd, rel=2e-5)
    assert scenario.cor[0][1] == scenario.cor[1][0] == pytest.approx(cor, rel=1e-4)
    assert scenario.sigma == pytest.approx(sigma, rel=2e-6)


def test_the_estimates_of_mathachieve_are_those_of_lme4():
    formula = "mathach ~ meanses * cses + sector * cses + (1 + cses | school)"
    scenario = truth_of(SCHOOLS)
    of_published(scenario, published("mathachieve", formula))
    names = [name for name, _ in scenario.fixed]
    assert names == ["(Intercept)", "meanses", "cses", "sector", "meanses:cses", "cses:sector"]
    assert scenario.formula == formula


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_estimates_of_sleepstudy_are_those_of_lme4(method):
    text = SLEEP.replace('Subject)"}', f'Subject)", method: {method}}}')
    formula = "Reaction ~ Days + (1 + Days | Subject)"
    of_published(truth_of(text), published("sleepstudy", formula, reml=method == "reml"))


def test_without_correlation_there_is_none():
    scenario = truth_of(SLEEP.replace("1 + Days |", "1 + Days ||"))
    fits = json.loads((REFERENCE / "sleepstudy.json").read_text())["fits"]
    fit = next(one for one in fits if "||" in one["formula"] and one["reml"])
    assert scenario.sd == pytest.approx([row["sdcor"] for row in fit["random"][:2]], rel=2e-5)
    assert scenario.cor == ((1.0, 0.0), (0.0, 1.0))


def test_the_key_is_that_of_the_same_values_written_by_hand():
    found = truth_of(SLEEP)
    text = changed(
        SLEEP,
        (
            '  fit: {data: sleepstudy, formula: "Reaction ~ Days + (1 + Days | Subject)"}\n',
            """\
  formula: Reaction ~ Days + (1 + Days | Subject)
  fixed: {(Intercept): 251.4051, Days: 10.467286}
  random: {Subject: {sd: {(Intercept): 24.740451, Days: 5.9221331}, cor: 0.06555132}}
  residual: {sd: 25.591816}
""",
        ),
    )
    assert truth_of(text) == found


def test_the_key_does_not_depend_on_where_the_data_lie(tmp_path):
    load_sleepstudy().to_csv(tmp_path / "pilot.csv", index=False)
    (tmp_path / "below").mkdir()
    frame = load_sleepstudy().sample(frac=1, random_state=1)
    frame.assign(other="text").to_parquet(tmp_path / "below" / "p.parquet", index=False)
    keys = {
        truth_of(SLEEP.replace("sleepstudy", name), file=tmp_path / "study.yaml").key
        for name in ("sleepstudy", "pilot.csv", "below/p.parquet", str(tmp_path / "pilot.csv"))
    }
    assert len(keys) == 1


def test_a_file_beside_the_study_comes_before_a_data_set_of_its_name(tmp_path):
    doubled = load_sleepstudy().assign(Reaction=lambda d: 2.0 * d.Reaction)
    doubled.to_csv(tmp_path / "sleepstudy", index=False)
    scenario = truth_of(SLEEP, file=tmp_path / "study.yaml")
    assert scenario.sigma == pytest.approx(2.0 * truth_of(SLEEP).sigma, rel=1e-7)


@pytest.mark.parametrize(
    ("written", "changes"),
    [
        ("fixed: {Days: 0}", {"fixed": (("(Intercept)", 251.4051), ("Days", 0.0))}),
        ("random: {Subject: {cor: 0.5}}", {"cor": ((1.0, 0.5), (0.5, 1.0))}),
        ("residual: {sd: 10}", {"sigma": 10.0}),
    ],
)
def test_what_is_written_takes_the_place_of_an_estimate(written, changes):
    found = truth_of(SLEEP.replace("design:", f"  {written}\ndesign:"))
    expected = {**vars(truth_of(SLEEP)), **changes, "key": found.key}
    assert vars(found) == expected


def test_a_part_of_the_random_part_may_be_written():
    written = "  random: {Subject: {sd: {Days: 2}, distribution: chisq(1)}}\ndesign:"
    found, plain = truth_of(SLEEP.replace("design:", written)), truth_of(SLEEP)
    assert found.sd == (plain.sd[0], 2.0)
    assert found.cor == plain.cor
    assert found.effects.to_dict() == {"family": "chisq", "df": 1.0}


def test_a_formula_of_the_truth_may_have_other_terms():
    """What the fit has not must be written, and nothing else."""
    text = changed(
        SLEEP,
        ("truth:\n", "truth:\n  formula: Reaction ~ Days + I(Days^2) + (1 | Subject)\n"),
        ("design:", "  fixed: {I(Days^2): 0.5}\ndesign:"),
        ("m: Reaction ~ Days +", "m: Reaction ~ Days + I(Days^2) +"),
    )
    found, plain = truth_of(text), truth_of(SLEEP)
    assert found.fixed == (*plain.fixed, ("I(Days^2)", 0.5))
    assert (found.sd, found.cor, found.sigma) == (plain.sd[:1], ((1.0,),), plain.sigma)


def test_correlations_of_three_effects_are_a_matrix():
    formula = "mathach ~ cses + (1 + cses + minority | school)"
    text = SCHOOLS.replace("{sector: {Catholic: 0, Public: 1}}", "{minority: {No: 0, Yes: 1}}")
    text = re.sub(r"mathach ~ .*\)", formula, text)
    data = load_mathachieve()
    fit = lmer(formula, data.assign(minority=(data["minority"] == "Yes") * 1.0))
    sd = np.sqrt(np.diag(fit.psi))
    scenario = truth_of(text)
    assert scenario.sd == pytest.approx(sd, rel=1e-7)
    assert np.array(scenario.cor) == pytest.approx(fit.psi / np.outer(sd, sd), abs=1e-6)
    assert scenario.cor[1][2] != 0.0


def test_the_grid_varies_an_estimate_and_an_override():
    text = changed(
        SLEEP,
        ("design:", "  fixed: {Days: 0}\ndesign:"),
        (
            "models:",
            "grid:\n  truth.fixed.Days: [0, 5]\n  truth.random.Subject.sd.Days: [1, 2]\nmodels:",
        ),
    )
    study = Study.from_text(text)
    assert [s.fixed[1][1] for s in study.scenarios] == [0.0, 0.0, 5.0, 5.0]
    assert [s.sd[1] for s in study.scenarios] == [1.0, 2.0, 1.0, 2.0]
    assert {s.fixed[0] for s in study.scenarios} == {("(Intercept)", 251.4051)}
    assert study.levels[0] == {"fixed.Days": 0, "sd.Days": 1}


def test_a_singular_fit_is_allowed_and_said(tmp_path, capsys):
    shutil.copy(REFERENCE / "sim_singular.csv", tmp_path)
    study = tmp_path / "study.yaml"
    fits = json.loads((REFERENCE / "sim_singular.json").read_text())["fits"]
    fit = next(one for one in fits if one["singular"] and "(1 |" in one["formula"])
    group = fit["formula"].rpartition("| ")[2].rstrip(")")
    text = changed(
        SLEEP,
        ("data: sleepstudy", "data: sim_singular.csv"),
        ('"Reaction ~ Days + (1 + Days | Subject)"', f'"{fit["formula"]}"'),
        ("covariates: {Days", "covariates: {a: {level: unit}, x"),
        ("m: Reaction ~ Days + (1 + Days | Subject)", f"m: {fit['formula']}"),
    )
    study.write_text(text)
    assert main(["check", str(study), "--no-pilot"]) == 0
    assert "truth.fit: the fit to sim_singular.csv is singular" in capsys.readouterr().out
    assert truth_of(text, file=study).sd == (0.0,)
    assert group in text


def test_check_says_what_was_fitted_and_its_values(tmp_path, capsys):
    frame = load_sleepstudy()
    frame.loc[3, "Reaction"] = np.nan
    frame.to_csv(tmp_path / "pilot.csv", index=False)
    study = tmp_path / "study.yaml"
    study.write_text(SLEEP.replace("sleepstudy", "pilot.csv"))
    assert main(["check", str(study), "--no-pilot"]) == 0
    out = capsys.readouterr().out
    assert (
        "truth.fit: estimates of Reaction ~ Days + (1 + Days | Subject) by REML from pilot.csv: "
        "179 rows of 18 units, 1 row with missing values left out\n"
    ) in out
    fit = lmer("Reaction ~ Days + (1 + Days | Subject)", frame)
    assert re.search(rf"\(Intercept\) +{fit.beta[0]:.6g}\n", out)


def test_results_need_no_pilot_data(tmp_path, capsys):
    """What the data gave is in the plan: a data set is drawn again from results alone."""
    load_sleepstudy().to_csv(tmp_path / "pilot.csv", index=False)
    file = tmp_path / "study.yaml"
    file.write_text(SLEEP.replace("sleepstudy", "pilot.csv"))
    study = Study.load(file)
    folder = tmp_path / "results" / "sleep"
    folder.mkdir(parents=True)
    make_plan(study).write(folder / "plan.json")
    assert main(["replay", str(file), "1", "3"]) == 0
    before = capsys.readouterr().out
    (tmp_path / "pilot.csv").rename(tmp_path / "moved.csv")
    assert main(["replay", str(folder), "1", "3"]) == 0
    assert capsys.readouterr().out == before
    plan = Plan.read(folder / "plan.json")
    assert plan.scenarios == study.scenarios
    assert plan.sources == study.sources
    with pytest.raises(InputError, match=r"there is no file 'pilot\.csv'"):
        Study.load(file)


def test_the_manifest_names_the_data(tmp_path, monkeypatch):
    load_sleepstudy().to_csv(tmp_path / "pilot.csv", index=False)
    text = SLEEP.replace("sleepstudy", str(tmp_path / "pilot.csv"))
    plan = make_plan(Study.from_text(text))
    receipt = type("R", (), {"versions": {}, "machine": {}, "started": 0, "finished": 0,
                             "seconds": 0.0, "files": {}})()  # fmt: skip
    monkeypatch.setattr(manifest, "read_receipt", lambda _: receipt)
    found = manifest.make_manifest(plan, tmp_path, study="study.yaml")["sources"]
    checksum = manifest.checksum(tmp_path / "pilot.csv")
    assert found == [{"key": "truth.fit", "data": "pilot.csv", "blake2b": checksum}]


def test_a_plan_of_before_has_no_data():
    plan = make_plan(Study.from_text((CONFIG / "ogorek2012.yaml").read_text()))
    assert plan.sources == ()


# Designs


def test_units_as_they_are_in_the_data():
    data, scenario = load_mathachieve(), truth_of(SCHOOLS)
    sizes = data.groupby("school", sort=False).size()
    assert scenario.n_rows == tuple(sizes)
    assert (scenario.n_units, scenario.n_obs) == (160, 7185)
    levels = {c.name: c.level for c in scenario.covariates}
    assert levels == {"cses": "row", "meanses": "unit", "sector": "unit", "ses": "row"}
    rows = pd.DataFrame(draw_rows(scenario, 1, 0))
    for name in ("cses", "ses", "meanses"):
        np.testing.assert_array_equal(rows[name], data[name])
    np.testing.assert_array_equal(rows["sector"], (data["sector"] == "Public") * 1.0)
    np.testing.assert_array_equal(rows["school"], data["school"].factorize()[0] + 1)


def test_rows_of_a_unit_need_not_lie_together():
    data = load_mathachieve().sample(frac=1, random_state=3)
    order = np.argsort(data["school"].factorize()[0], kind="stable")
    design = _design_of(data)
    assert dict(design.row_values)["cses"] == tuple(data["cses"].iloc[order])


def _design_of(data):
    pilot = PilotData("d", "design.from", "", data)
    return pilot_design(pilot, parse("mathach ~ cses + (1 | school)"), ["cses"])


def test_equal_units_with_rows_of_their_own(tmp_path):
    """Where all units have as many rows, values of rows still differ between units."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"g": np.repeat([*"abcdef"], 5), "x": rng.normal(size=30)})
    frame.assign(y=1.0).to_csv(tmp_path / "d.csv", index=False)
    text = """\
name: s
seed: 3
replicates: 4
truth:
  formula: y ~ x + (1 + x | g)
  fixed: {(Intercept): 0, x: 1}
  random: {g: {sd: {(Intercept): 1, x: 0.5}}}
  residual: {sd: 1}
design: {from: d.csv}
models: {m: y ~ x + (1 + x | g)}
"""
    scenario = truth_of(text, file=tmp_path / "s.yaml")
    assert scenario.n_rows == 5
    np.testing.assert_array_equal(draw_rows(scenario, 3, 1)["x"], frame["x"])
    fits_are_those_of_the_rows(scenario, "y ~ x + (1 + x | g)", 3)
    assert Scenario.from_dict(json.loads(json.dumps(scenario.to_dict()))) == scenario


def test_fits_of_cross_products_are_those_of_the_rows():
    scenario = truth_of(SCHOOLS)
    formula = "mathach ~ meanses * cses + sector * cses + (1 + cses | school)"
    fits_are_those_of_the_rows(scenario, formula, 1)


def fits_are_those_of_the_rows(scenario, formula, seed):
    """Compare fits of cross-products with `lmer` of the rows."""
    models = [Model("m", formula, methods=("reml",))]
    tables = fit_batch(scenario, models, simulate(scenario, models, seed, 2, 3))
    found = np.asarray(tables["estimates"]["estimate"])
    fit = lmer(formula, pd.DataFrame(draw_rows(scenario, seed, 2)))
    np.testing.assert_allclose(found, fit.tidy()["estimate"], rtol=1e-5)


def test_a_covariate_beside_those_of_the_data():
    text = changed(
        SCHOOLS,
        (
            "design: {from: mathachieve,",
            "design: {from: mathachieve, covariates: {z: {level: row}},",
        ),
        ("m: mathach ~ meanses", "m: mathach ~ z + meanses"),
    )
    scenario = truth_of(text)
    assert [c.name for c in scenario.covariates] == ["cses", "meanses", "sector", "ses", "z"]
    assert scenario.covariates[-1].distribution.family == "normal"


def test_the_key_of_a_design_is_of_its_values(tmp_path):
    data = load_mathachieve()
    data.to_csv(tmp_path / "a.csv", index=False)
    data.assign(cses=lambda d: d.cses.where(d.index > 0, 0.0)).to_csv(tmp_path / "b.csv")
    file = tmp_path / "study.yaml"
    one, same, other = (
        truth_of(SCHOOLS.replace("from: mathachieve", f"from: {name}"), file=file).key
        for name in ("mathachieve", "a.csv", "b.csv")
    )
    assert one == same != other


def test_resampled_units_are_drawn_evenly():
    design = PilotDesign((1, 2, 3), (), ())
    drawn = design.resampled(np.random.default_rng(5), 30_000)
    counts = np.bincount(drawn, minlength=3)
    assert len(counts) == 3
    assert counts == pytest.approx([10_000] * 3, abs=4 * np.sqrt(30_000 * 2 / 9))


def test_the_key_of_units_is_of_their_values():
    design = PilotDesign((1, 2), (("a", (0.0, 1.0)),), (("x", (1.0, 2.0, 3.0)),))
    other = PilotDesign((2, 1), design.unit_values, design.row_values)
    again = PilotDesign.from_dict(json.loads(json.dumps(design.to_dict())))
    assert again == design
    assert again.key == design.key != other.key


def test_the_example_of_mathachieve_is_a_study():
    study = Study.load(CONFIG / "mathachieve_pilot.yaml")
    formula = "mathach ~ meanses * cses + sector * cses + (1 + cses | school)"
    assert len(study.scenarios) == 8
    of_published(study.scenarios[-1], published("mathachieve", formula))
