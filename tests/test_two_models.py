"""Explained variance, and expressions, from a study file to its measures, tables and words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hlm.cli import main
from hlm.estimands.true_values import targets
from hlm.plan import Plan, make_plan
from hlm.plan.batch import digest
from hlm.results import read_frame
from hlm.results.shown import with_words
from hlm.stages import summarize as stage
from hlm.study import Study
from hlm.tables.wide import wide_table
from hlm.words.levels import WORDS
from tests.plan.test_summarize import summarized
from tests.results import make_results, summarize_results
from tests.test_expressions import STUDY

ASKED = (
    '{total: "x + x:a", ratio: {expression: "sd(x) / sigma", scale: log}, r2: r2, '
    "explained: {less: small, more: full, variance: x}}"
)
TEXT = STUDY.replace("ASKED", ASKED)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    file = folder / "own.yaml"
    file.write_text(TEXT)
    return whole(make_results(folder, study=file))


def whole(results):
    """Summarize too."""
    summarize_results(Plan.read(results / "plan.json"), results)
    return results


@pytest.fixture(scope="module")
def measures(results):
    return read_frame(results / "measures.parquet")


def values(measures, term, model="full"):
    rows = measures[(measures["term"] == term) & (measures["model"] == model)]
    return rows.set_index("measure")


def estimates(results, term, model):
    rows = read_frame(results / "estimates.parquet")
    rows = rows[(rows["term"] == term) & (rows["model"] == model)]
    return rows.sort_values("replicate").reset_index(drop=True)


def test_explained_variance_is_that_of_pairs_of_fits(results, measures):
    small, full = (estimates(results, "sd_x|unit", model) for model in ("small", "full"))
    share = 1 - (full["estimate"] / small["estimate"]) ** 2
    share = share[np.isfinite(share)]
    found = values(measures, "explained")
    assert set(found["kind"]) == {"explained"}
    assert found.estimate["mean"] == pytest.approx(share.mean(), rel=1e-12)
    assert found.estimate["empirical_se"] == pytest.approx(share.std(ddof=1), rel=1e-12)
    assert found.estimate["n_used"] == len(share)
    assert found["true"].isna().all()
    for measure in ("bias", "coverage", "model_se", "rejection", "ci_width"):
        assert measure not in found.index


def test_with_a_true_value_there_are_bias_and_rmse(results):
    text = TEXT.replace("variance: x}", "variance: x, true: 0.6}")
    plan = make_plan(Study.from_text(text))
    known = {t.term: t.true for t in targets(plan.scenarios[0], plan.models[1])}
    assert known["explained"] == 0.6
    old = Plan.read(results / "plan.json")
    assert plan.wanted != old.wanted
    assert [digest(m.definition()) for m in plan.models] == [
        digest(m.definition()) for m in old.models
    ]


def test_there_is_a_true_value_where_both_models_have_one():
    text = TEXT.replace('"x:a": 0.4', '"x:a": 0').replace(" a: 0.2", " a: 0")
    whole = Study.from_text(text)
    found = {t.term: t for t in targets(whole.scenarios[0], whole.models[1])}
    assert found["explained"].true == 0.0
    lost = {t.term: t for t in targets(Study.from_text(TEXT).scenarios[0], whole.models[1])}
    assert lost["explained"].reason == "the model 'small' lacks a and x:a, and sd_x|unit with them"


def test_it_does_not_depend_on_portions_nor_on_what_batches_hold(tmp_path, results, monkeypatch):
    plan = Plan.read(results / "plan.json")
    whole = summarized_of(plan, results, tmp_path / "whole")
    monkeypatch.setattr(stage, "ROWS", 1)
    assert summarized_of(plan, results, tmp_path / "portions").equals(whole)


def summarized_of(plan, results, folder):
    folder.mkdir()
    (folder / "parts").symlink_to(results / "parts")
    return summarized(plan, folder)["measures"]


def test_a_batch_that_holds_one_model_does(tmp_path, measures):
    """The small model comes later: its batch has it alone."""
    one = TEXT.replace("  small: y ~ x + (1 + x | unit)\n", "").replace(
        ", explained: {less: small, more: full, variance: x}", ""
    )
    file = tmp_path / "own.yaml"
    file.write_text(one)
    make_results(tmp_path, study=file)
    file.write_text(TEXT)
    folder = whole(make_results(tmp_path, study=file))
    plan = Plan.read(folder / "plan.json")
    assert [len(batch.models) for batch in plan.batches] == [1, 1]
    grown = read_frame(folder / "measures.parquet")
    pd.testing.assert_frame_equal(grown, measures, check_exact=True)


def test_expressions_have_bias_and_coverage(results, measures):
    for term, true, kind in (("total", 0.7, "contrast"), ("ratio", 0.3, "positive_function")):
        rows, found = estimates(results, term, "full"), values(measures, term)
        assert set(found["kind"]) == {kind}
        known = rows["lower"].notna()
        covers = ((rows["lower"] <= true) & (true <= rows["upper"]))[known].mean()
        assert found.estimate["bias"] == pytest.approx(rows["estimate"].mean() - true, abs=1e-12)
        assert found.estimate["coverage"] == pytest.approx(covers, abs=1e-12)
        assert ("rejection" in found.index) == (kind == "contrast")


def test_r2_has_bias_and_coverage_where_it_has_a_true_value(measures):
    assert {"bias", "coverage"} <= set(values(measures, "r2_rows").index)
    assert "bias" not in values(measures, "r2_rows", "small").index


def test_tables_have_them(measures):
    shown = with_words(measures, Study.from_text(TEXT).models)
    words = dict(zip(shown["term"], shown[WORDS], strict=True))
    assert words["r2_rows"] == "R2 within units"
    assert "total" in set(wide_table(shown, "fixed")["term"])
    random = wide_table(shown, "random")
    assert {"ratio", "r2_rows", "explained"} <= set(random["term"])


def test_check_prints_them(tmp_path, capsys):
    file = tmp_path / "own.yaml"
    file.write_text(TEXT)
    assert main(["check", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["total", "0.7"] for line in lines)
    assert any(line.startswith("full: no true value of explained: the model") for line in lines)
