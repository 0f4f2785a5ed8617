"""One study that asks for all that a study can ask of its fits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hlm.criteria import CRITERIA
from hlm.estimands.kinds import KINDS
from hlm.inference import COEFFICIENT_LIMITS, RATIO_TESTS
from hlm.plan import Plan
from hlm.results import SUMMARIES, read_frame
from hlm.tables.writing import write_all
from hlm.words.criteria_words import selected_by
from hlm.words.policies import POLICIES
from tests.results import make_results, summarize_results

EVERYTHING = Path(__file__).with_name("everything.yaml")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Results with one inference for each part: no column of inferences but that of tests."""
    folder = tmp_path_factory.mktemp("plain")
    text = EVERYTHING.read_text(encoding="utf-8")
    for line in ("  df: ", "  limits: ", "  bootstrap: ", "replicates: "):
        start = text.index(line)
        text = text[:start] + text[text.index("\n", start) + 1 :]
    study = folder / "study.yaml"
    study.write_text(f"replicates: 40\n{text}", encoding="utf-8")
    results = make_results(folder, study=study)
    plan = Plan.read(results / "plan.json")
    summarize_results(plan, results)
    return plan, results


def test_every_table_is_written(plain):
    plan, results = plain
    for path in write_all(plan, results, strict=True):
        assert path.stat().st_size
    text = (results / "tables" / "policies.csv").read_text(encoding="utf-8")
    assert all(f",{policy}," in text for policy in plan.policies)


def test_every_part_has_its_rows(plain):
    _, results = plain
    tables = {kind: read_frame(results / f"{kind}.parquet") for kind in SUMMARIES}
    measures = tables["measures"]
    assert set(measures["kind"]) == {*KINDS, ""}
    assert set(measures["policy"]) == {*POLICIES, ""}
    assert {selected_by(one) for one in CRITERIA} <= set(measures["model"])
    assert set(tables["selection"]["criterion"]) == set(CRITERIA)
    assert set(tables["differences"]["factor"]) == {"method", "model", "inference", "policy"}
    assert set(measures.loc[measures["kind"] == "ratio_test", "inference"]) == {"", *RATIO_TESTS}
    shares = measures[measures["measure"].isin(["coverage", "rejection", "below", "above"])]
    known = shares["estimate"].dropna()
    assert known.between(0.0, 1.0).all()


@pytest.mark.slow
def test_a_run_of_everything_has_no_page_that_is_missing(tmp_path):
    command = [Path(sys.executable).with_name("hlm"), "run", EVERYTHING, "--cores", "2"]
    subprocess.run([*command, "--results", tmp_path], check=True, cwd=tmp_path, timeout=1200)
    results = tmp_path / "everything"
    assert not (results / "logs" / "present.log").read_text(encoding="utf-8")
    measures = read_frame(results / "measures.parquet")
    plan = Plan.read(results / "plan.json")
    (df,) = {model.df for model in plan.models}
    (limits,) = {model.limits for model in plan.models}
    coverage = measures[measures["measure"] == "coverage"]
    assert set(coverage["inference"]) == {*df, *limits}
    assert set(df) >= {*COEFFICIENT_LIMITS, "cr2", "bootstrap"}
    scenarios = read_frame(results / "scenarios.parquet")
    assert scenarios["replicates"].between(300, 600).all()
    own = coverage[(coverage["term"] == "x") & (coverage["policy"] == "all")]
    judged = np.sqrt(0.95 * 0.05 / scenarios["replicates"].min())
    assert own["mcse"].max() < 0.02 or judged > 0.02 or not scenarios["reached"].all()
