"""Summaries by chunks of scenarios are those of all scenarios at once."""

from __future__ import annotations

import tracemalloc

import pyarrow as pa
import pytest

from hlm.plan import chunking as module
from hlm.plan import make_plan
from hlm.results import SUMMARIES, read_frame
from hlm.stages import summarize as stage
from hlm.stages.compact import compact
from hlm.stages.summarize import join_chunks, summarize_all, summarize_chunk

from .studies import BIG, SMALL, FakeStudy, random_rows, write_parts

STUDY = FakeStudy(units=(40, 10, 30, 20), replicates=120)


def summarized(plan, folder):
    n = len(module.chunks(plan))
    for chunk in range(n):
        paths = {kind: folder / f"{chunk}.{kind}" for kind in SUMMARIES}
        summarize_chunk(plan, chunk, folder / "parts", paths)
    for kind in SUMMARIES:
        files = [folder / f"{chunk}.{kind}" for chunk in range(n)]
        join_chunks(plan, files, folder / f"{kind}.parquet", kind)
    return {kind: read_frame(folder / f"{kind}.parquet") for kind in SUMMARIES}


@pytest.fixture
def plan(tmp_path):
    plan = make_plan(STUDY)
    write_parts(plan, tmp_path / "parts")
    return plan


def test_the_tables_do_not_depend_on_the_chunks(plan, tmp_path, monkeypatch):
    whole = summarized(plan, tmp_path)
    monkeypatch.setattr(module, "CHUNK_SECONDS", 1e-9)
    assert len(module.chunks(plan)) == 4
    apart = summarized(plan, tmp_path)
    monkeypatch.setattr(module, "CHUNK_SECONDS", 1e9)
    monkeypatch.setattr(stage, "ROWS", 1)
    in_portions = summarized(plan, tmp_path)
    for kind, table in whole.items():
        assert table.equals(apart[kind])
        assert table.equals(in_portions[kind])


def test_a_study_of_one_chunk_is_summarized_at_once_to_the_same_bytes(plan, tmp_path):
    summarized(plan, tmp_path)
    (tmp_path / "at_once").mkdir()
    files = {kind: tmp_path / "at_once" / f"{kind}.parquet" for kind in SUMMARIES}
    summarize_all(plan, tmp_path / "parts", files)
    for kind, file in files.items():
        for ending in (".parquet", ".csv"):
            made = file.with_suffix(ending).read_bytes()
            assert made == (tmp_path / kind).with_suffix(ending).read_bytes()


def test_the_order_of_rows_is_that_of_the_models_however_the_study_grew(tmp_path):
    """A model that is put before those that were there is the first, as if it always had been."""
    study, tables = STUDY.but(models=(SMALL, BIG)), {}
    old = make_plan(STUDY.but(models=(BIG,)))
    write_parts(old, tmp_path / "grown" / "parts")
    plans = {"grown": make_plan(study, previous=old, done=lambda _: True), "new": make_plan(study)}
    for name, plan in plans.items():
        write_parts(plan, tmp_path / name / "parts")
        tables[name] = summarized(plan, tmp_path / name)
    assert len(plans["grown"].batches) == len(plans["new"].batches) + 1
    for kind, table in tables["new"].items():
        compared = ["big"] if kind == "differences" else ["small", "big"]
        assert list(dict.fromkeys(table["model"])) == compared
        assert table.equals(tables["grown"][kind])


def peak_bytes(folder, replicates):
    """Return the most memory that a summary takes, in NumPy, pandas and Arrow."""
    plan = make_plan(STUDY.but(units=(10,), replicates=replicates))
    write_parts(plan, folder / "parts", random_rows)
    default, counting = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(counting)
    tracemalloc.start()
    try:
        summarize_chunk(plan, 0, folder / "parts", {kind: folder / kind for kind in SUMMARIES})
        return tracemalloc.get_traced_memory()[1] + counting.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(default)


def test_memory_does_not_grow_with_replicates(tmp_path, monkeypatch):
    """15,000 replicates more take 40 MB if all estimates are held, 9 MB if those of a term are."""
    monkeypatch.setattr(stage, "ROWS", 10_000)
    peak_bytes(tmp_path / "imports", 10)
    few, many = (peak_bytes(tmp_path / str(n), n) for n in (5_000, 20_000))
    assert many - few < 12e6


def test_measures_are_those_of_the_gathered_estimates(plan, tmp_path):
    table = summarized(plan, tmp_path)["measures"]
    compact(plan, tmp_path / "parts", {"estimates": tmp_path / "e"})
    estimates = read_frame(tmp_path / "e").query("term == 'x'")
    keys = ["scenario", "model", "method"]
    means = estimates.groupby(keys, observed=True)["estimate"].mean()
    bias = table.query("term == 'x' and measure == 'bias'").set_index(keys)["estimate"]
    assert len(bias) == len(means) == 4 * 3
    for place, mean in means.items():
        assert bias[place] == pytest.approx(mean - 3.0)


def test_scenarios_come_in_the_studys_order_with_their_levels(plan, tmp_path):
    for table in summarized(plan, tmp_path).values():
        assert list(dict.fromkeys(table["units"])) == [40, 10, 30, 20]
        keys = {scenario.n_units: scenario.key for scenario in STUDY.scenarios}
        assert (table["scenario"] == table["units"].map(keys)).all()
