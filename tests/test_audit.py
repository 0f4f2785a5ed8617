"""The audit by another program: what is chosen, how it is judged, what is found."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hlm.audit import (
    ENGINES,
    SAME,
    Engine,
    available_engines,
    choose,
    compare,
    each_fit,
    not_compared,
    summarize,
)
from hlm.audit.criterion import criterion_at
from hlm.audit.engines import OtherFit, OtherInference
from hlm.cli import main
from hlm.kernels.elements import free_elements
from hlm.model import lmer
from hlm.model.frame import model_frame
from hlm.operations.kept_replicates import KeptReplicates
from hlm.results import ESTIMATES, read, write
from hlm.simulate import draw_rows

from .kernels.references import all_references
from .results import TINY, make_results

WEAK = """
name: weak
seed: 3
replicates: 40
truth:
  formula: y ~ x + (1 + x | unit)
  fixed: {(Intercept): 2000.0, x: 3.0}
  random: {unit: {sd: {(Intercept): 0.2, x: 0.1}, cor: 0.0}}
  residual: {sd: 1.0}
design:
  units: 12
  rows: 5
  covariates: {x: {level: row, distribution: normal}}
grid: {design.rows: [5, 8, 11]}
models: {blocks: y ~ x + (1 + x || unit), whole: y ~ x + I(x^2) + (1 + x | unit)}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "weak.yaml").write_text(WEAK)
    return make_results(folder, study=folder / "weak.yaml")


@pytest.fixture(scope="module")
def results(made):
    return KeptReplicates(made)


@pytest.fixture(scope="module")
def chosen(results):
    """Data sets and their rows."""
    sets = choose(results, 9, np.random.default_rng(1))
    return sets, [draw_rows(item.scenario, results.plan.seed, item.replicate) for item in sets]


def test_every_scenario_gives_as_many_and_half_are_hard(results):
    sets = choose(results, 48, np.random.default_rng(1))
    keys = [item.scenario.key for item in sets]
    assert {keys.count(key) for key in keys} == {16}
    assert len({(item.scenario.key, item.replicate) for item in sets}) == 48
    fits = read(results.folder / "fits.parquet").to_pandas()
    fits = fits.astype({"scenario": str}).set_index(["scenario", "replicate"]).sort_index()
    reasons = [item.reason for item in sets]
    assert reasons.count("random") == 24
    assert reasons.count("singular") == reasons.count("slow") == 12
    for item in sets:
        if item.reason == "singular":
            assert fits.loc[(item.scenario.key, item.replicate), "singular"].any()
    slowest = next(item for item in sets if item.reason == "slow")
    most = fits.loc[slowest.scenario.key, "iterations"].max()
    assert fits.loc[(slowest.scenario.key, slowest.replicate), "iterations"].max() == most


def test_fewer_data_sets_than_scenarios_and_more_than_there_are(results):
    assert len({s.scenario.key for s in choose(results, 2, np.random.default_rng(1))}) == 2
    assert len(choose(results, 1000, np.random.default_rng(1))) == 120


@pytest.mark.parametrize("reference", all_references(), ids=str)
def test_the_criterion_is_that_of_lme4_at_its_own_optimum(reference):
    printed = reference.printed
    frame = model_frame(printed["formula"], reference.frame)
    order = np.argsort(frame.units, kind="stable")
    starts = np.searchsorted(frame.units[order], np.arange(len(frame.unit_names)))
    Lambda = np.zeros((sum(frame.blocks),) * 2)
    Lambda[free_elements(frame.blocks)] = printed["theta"]
    rows = (frame.X[order], frame.Z[order], frame.y[order])
    value = criterion_at(Lambda @ Lambda.T, *rows, starts, reml=printed["reml"])
    assert value == pytest.approx(printed["criterion"], abs=1e-6)


def by_lmer(sets, models):
    """Fit with this package's own lmer, from rows."""
    return [
        _other(number, model, method, lmer(model.formula, rows, reml=method == "reml"))
        for number, rows in enumerate(sets)
        for model in models
        for method in model.methods
    ]


def _other(number, model, method, fit):
    Lambda = np.zeros((sum(fit.frame.blocks),) * 2)
    Lambda[free_elements(fit.frame.blocks)] = fit.theta
    return OtherFit(
        number,
        model.name,
        method,
        "ok",
        psi=Lambda @ Lambda.T,
        coef=dict(zip(fit.coef_names, fit.beta, strict=True)),
        se=dict(zip(fit.coef_names, np.sqrt(np.diag(fit.vcov)), strict=True)),
        criterion=fit.criterion,
        singular=fit.singular,
        seconds=0.0,
    )


def test_the_same_optimum_is_found_to_be_the_same(results, chosen):
    table = compare(results, *chosen, Engine("own", "1", by_lmer))
    assert len(table) == 9 * 4
    # Criterion, rows and cross-products agree, whatever the mean of the response.
    assert table["replayed"].abs().max() < 1e-7
    assert table["difference"].abs().max() < 1e-8
    assert table["coef"].max() < 1e-5
    assert table["se"].max() < 1e-5
    assert (table["singular"] == table["other_singular"]).all()
    summary = summarize(table)
    assert (summary["fits"] == 9).all()
    assert (summary["same"] == 9).all()
    assert list(summary["model"]) == ["blocks", "blocks", "whole", "whole"]


def test_worse_and_failed_fits_are_told_apart(results, chosen):
    def spoilt(sets, models):
        fits = by_lmer(sets, models)
        fits[0] = replace(fits[0], psi=fits[0].psi + np.eye(2))
        fits[1] = OtherFit(0, fits[1].model, fits[1].method, "it fell over")
        return fits

    table = compare(results, *chosen, Engine("spoilt", "1", spoilt))
    assert table["difference"][0] < -0.1
    assert np.isnan(table["theirs"][1])
    summary = summarize(table)
    assert summary["ours_lower"].tolist() == [1, 0, 0, 0]
    assert summary["by_at_most"][0] == pytest.approx(-table["difference"][0])
    assert summary["theirs_failed"].tolist() == [0, 1, 0, 0]


def test_a_fit_of_ours_that_is_not_the_lowest_is_found(made, tmp_path, monkeypatch, capsys):
    folder = shutil.copytree(made, tmp_path / "weak")
    spoil(folder / "estimates.parquet")
    monkeypatch.setitem(ENGINES, "lme4", lambda: Engine("own", "1", by_lmer))
    for other in ("statsmodels", "glmm"):
        monkeypatch.setitem(ENGINES, other, lambda: None)
    assert main(["audit", str(made), "--n", "3"]) == 0
    assert "engines: own 1\n" in capsys.readouterr().out
    assert main(["audit", str(folder), "--n", "120"]) == 1
    out = capsys.readouterr().out
    assert "own is lower by" in out
    assert "replicate 7, whole, reml" in out
    table = pd.read_csv(folder / "audit.csv")
    assert (table["difference"] > SAME).sum() == 1
    page = (folder / "audit.html").read_text()
    assert "120 data sets fitted again by own 1" in page
    assert "theirs lower" in page


def spoil(path):
    """Change the standard deviation of one fit."""
    table = read(path, ESTIMATES).to_pandas().astype({"term": str, "model": str, "method": str})
    place = table.query("replicate == 7 and model == 'whole' and method == 'reml'").index
    place = next(i for i in place if table["term"][i] == "sd_(Intercept)|unit")
    table.loc[place, "estimate"] += 0.3
    write({name: table[name].to_numpy() for name in ESTIMATES.names}, path, ESTIMATES)


@pytest.mark.parametrize("name", list(ENGINES))
def test_by_another_program_no_criterion_is_lower(name, results, chosen):
    engine = ENGINES[name]()
    if engine is None:
        pytest.skip(f"{name} is not installed")
    n = 9 if name == "lme4" else 2
    table = compare(results, chosen[0][:n], chosen[1][:n], engine)
    assert len(table) == n * 4
    possible = table[table["model"] != "blocks"] if name == "glmm" else table  # it has no ||
    assert (possible["other_status"] == "ok").mean() > 0.9
    assert table["difference"].max() < 1e-7
    same = table[table["difference"].abs() < SAME]
    if name == "lme4":
        assert len(same) > 18
        assert same["coef"].max() < 0.01
        assert same["se"].max() < 0.01
        assert (table["stated"] - table["theirs"]).abs().max() < 1e-7


INFERENCE = """
name: inference
seed: 8
replicates: 6
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {(Intercept): 0.3, x: 0.2, a: -0.2, "x:a": 0.1}
  random: {unit: {sd: {(Intercept): 1.0, x: 0.8}, cor: 0.3}}
  residual: {sd: 1.0}
design:
  units: 12
  rows: 6
  covariates:
    x: {level: row, distribution: normal}
    a: {level: unit, distribution: normal}
models: {all: y ~ x * a + (1 + x | unit), mean: y ~ 1 + (1 | unit)}
estimation: {df: %s, tests: {a_matters: [a, "x:a"], line: ["(Intercept)", x]}}
"""


@pytest.fixture
def audited(request, tmp_path):
    """The audit of the fits of `mean` and of `all` by an engine, with a method of df."""
    name, df = request.param
    engine = ENGINES[name]()
    if engine is None:
        pytest.skip(f"{name} is not installed")
    (tmp_path / "study.yaml").write_text(INFERENCE % df, encoding="utf-8")
    folder = make_results(tmp_path, study=tmp_path / "study.yaml")
    results = KeptReplicates(folder)
    sets = choose(results, 6, np.random.default_rng(1))
    rows = [draw_rows(item.scenario, results.plan.seed, item.replicate) for item in sets]
    table = compare(results, sets, rows, engine)
    assert (table["other_status"] == "ok").all()
    summary = summarize(table).set_index(["model", "method"])
    assert (summary["same"] >= 5).all()
    return summary


def nothing(row, *columns):
    return row[list(columns)].isna().all()


@pytest.mark.parametrize(
    "audited", [("lme4", "kenward-roger"), ("lme4", "satterthwaite")], indirect=True, ids=str
)
def test_lmertest_and_pbkrtest_give_the_same_inference(audited, request):
    """Adjusted standard errors beside adjusted ones: plain ones are 3e-2 away."""
    if "absent" in ENGINES["lme4"]().version:
        pytest.skip("lmerTest or pbkrtest is not installed")
    kenward_roger = "kenward" in request.node.name
    for (model, method), row in audited.iterrows():
        assert row["se"] < 1e-3
        if kenward_roger and method == "ml":
            assert nothing(row, "df", "p", "f", "f_df", "f_p")
            continue
        assert row["df"] < 1e-3
        assert row["p"] < 1e-3
        if model == "all":
            assert row["f"] < 1e-3
            assert row["f_df"] < 1e-3
            assert row["f_p"] < 1e-3
        else:
            assert nothing(row, "f", "f_df", "f_p")


@pytest.mark.parametrize(
    "audited",
    [("lme4", "residual"), ("lme4", "infinite"), ("lme4", "between-within")],
    indirect=True,
    ids=str,
)
def test_degrees_of_freedom_that_are_counts_are_those_of_their_definition(audited):
    assert (audited["df"] == 0.0).all()
    assert (audited["p"] < 1e-3).all()
    assert audited[["f", "f_df", "f_p"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "audited",
    [
        ("statsmodels", "kenward-roger"),
        ("glmm", "kenward-roger"),
        ("statsmodels", "cr2"),
        ("statsmodels", "bootstrap"),
        ("lme4", "satterthwaite-expected"),
    ],
    indirect=True,
    ids=str,
)
def test_what_a_program_does_not_have_is_not_compared(audited, request):
    assert audited[["df", "p", "f", "f_df", "f_p"]].isna().all(axis=None)
    by_reml = audited.xs("reml", level="method")
    if any(name in request.node.name for name in ("kenward", "cr2", "bootstrap")):
        assert by_reml["se"].isna().all()
    else:
        assert (by_reml["se"] < 1e-3).all()


EVERY = "[infinite, kenward-roger, satterthwaite-expected, satterthwaite]"


def test_each_of_several_inferences_is_compared(tmp_path, capsys):
    """Through the command: of each the numbers that it has alone, and what no engine has is named.

    In REML fits the standard errors of Kenward and Roger are not those of the others.
    """
    if ENGINES["lme4"]() is None or "absent" in ENGINES["lme4"]().version:
        pytest.skip("lme4, lmerTest or pbkrtest is not installed")
    (tmp_path / "study.yaml").write_text(INFERENCE % EVERY, encoding="utf-8")
    folder = make_results(tmp_path, study=tmp_path / "study.yaml")
    command = ["audit", str(folder), "--engine", "lme4", "--n", "6", "--seed", "1"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "no engine has anything by: satterthwaite-expected\n" in out
    assert "\n24 fits in " in out
    table = pd.read_csv(folder / "audit.csv")
    names = EVERY.strip("[]").split(", ")
    assert len(table) == 6 * 2 * 2 * len(names)
    assert table["inference"].value_counts().to_dict() == dict.fromkeys(names, 24)
    summary = summarize(table).set_index(["inference", "model", "method"])
    assert (summary["fits"] == 6).all()
    assert (summary["se"] < 1e-3).all()
    for (inference, model, method), row in summary.iterrows():
        has_t = inference != "satterthwaite-expected" and (inference, method) != (
            "kenward-roger",
            "ml",
        )
        assert (row[["df", "p"]] < 1e-3).all() if has_t else nothing(row, "df", "p")
        has_f = has_t and inference != "infinite" and model == "all"
        tests = ("f", "f_df", "f_p")
        assert (row[list(tests)] < 1e-3).all() if has_f else nothing(row, *tests)
    page = (folder / "audit.html").read_text()
    assert all(f">{name}<" in page for name in names)


def test_a_wrong_number_of_one_inference_is_found_there(tmp_path):
    """Of several, the last: it is not hidden behind the first."""
    (tmp_path / "study.yaml").write_text(INFERENCE % "[residual, satterthwaite]", encoding="utf-8")
    results = KeptReplicates(make_results(tmp_path, study=tmp_path / "study.yaml"))
    sets = choose(results, 3, np.random.default_rng(1))
    rows = [draw_rows(item.scenario, results.plan.seed, item.replicate) for item in sets]

    def spoilt(data, models):
        fits = by_lmer(data, models)
        wrong = OtherInference(df=dict.fromkeys(fits[0].coef, 7.0))
        return [replace(fits[0], inferences={"satterthwaite": wrong}), *fits[1:]]

    table = compare(results, sets, rows, Engine("spoilt", "1", spoilt))
    assert len(table) == 2 * len(each_fit(table)) == 2 * 12
    by = table.set_index("inference")["df"]
    assert (by["residual"] == 0.0).all()
    assert (by["satterthwaite"] > 0.01).tolist() == [True] + [False] * 11
    assert not_compared(table) == []
    assert not_compared(table.iloc[2:]) == ["satterthwaite"]


@pytest.mark.parametrize("audited", [("glmm", "satterthwaite")], indirect=True, ids=str)
def test_glmm_gives_the_same_satterthwaite_df(audited):
    assert (audited[["se", "df", "p"]] < 1e-3).all(axis=None)


def test_glmm_says_what_it_cannot_do_and_fits_the_rest(results, chosen):
    engine = ENGINES["glmm"]()
    if engine is None:
        pytest.skip("glmm is not installed")
    table = compare(results, chosen[0][:2], chosen[1][:2], engine).set_index("model")
    assert table.loc["blocks", "other_status"].str.contains("double-bar").all()
    assert (table.loc["whole", "other_status"] == "ok").all()
    summary = summarize(table.reset_index()).set_index("model")
    assert (summary.loc["blocks", "theirs_failed"] == 2).all()


def test_wrong_inference_is_found(results, chosen):
    """Of the other program's numbers, one of each kind is spoilt."""

    def spoilt(sets, models):
        fits = by_lmer(sets, models)
        names = fits[2].coef
        df, p = dict.fromkeys(names, 7.0), dict.fromkeys(names, 0.5)
        fits[2] = replace(fits[2], inferences={"satterthwaite": OtherInference(df=df, p=p)})
        return fits

    table = compare(results, *chosen, Engine("spoilt", "1", spoilt))
    assert table["df"].notna().tolist() == [k == 2 for k in range(len(table))]
    assert table["df"][2] > 0.01
    assert table["p"][2] > 0.01


def refusal(capsys, *arguments):
    assert main(["audit", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_mistakes_are_named(made, tmp_path, monkeypatch, capsys):
    assert "did you mean 'lme4'" in refusal(capsys, made, "--engine", "lme")
    assert "--n" in refusal(capsys, made, "--n", "0")
    for name in ENGINES:
        monkeypatch.setitem(ENGINES, name, lambda: None)
    assert "no other engine is installed" in refusal(capsys, made)
    for name in ENGINES:
        assert f"{name} is not installed" in refusal(capsys, made, "--engine", name)
    assert main(["run", str(TINY), "--audit", "5", "--results", str(tmp_path)]) == 2
    assert "no other engine" in capsys.readouterr().err
    monkeypatch.setitem(ENGINES, "lme4", lambda: Engine("own", "1", by_lmer))
    assert [engine.name for engine in available_engines()] == ["own"]
    assert "no results of a study" in refusal(capsys, tmp_path)
