"""Long batches are fitted side by side, and no file of results depends on it."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from hlm.fits import has_lanes
from hlm.inference.variants import Kernels, kernels_of
from hlm.jit import config
from hlm.operations.forecast import batch_seconds
from hlm.plan import Plan, make_plan, pack
from hlm.plan.batch import Batch
from hlm.plan.cost import replicate_cost
from hlm.plan.pack import MAX_RANGE_REPLICATES
from hlm.results.windows import WINDOW
from hlm.scenario import Model
from hlm.study import Study
from tests.results import TINY, make_results

CONTENT = ("estimates", "fits", "tests")


def lanes_of(replicates):
    """Return whether each batch of the tiny study has lanes, with so many replicates."""
    study = replace(Study.load(TINY), replicates=replicates)
    return {batch.lanes for batch in make_plan(study).batches}


def test_batches_are_fitted_side_by_side_from_some_seconds_on():
    assert lanes_of(30) == {False}
    assert lanes_of(4_000_000) == {True}


def test_a_batch_holds_more_where_data_sets_are_fitted_side_by_side():
    """As many seconds of work, which are a fourth to a half of those one after another."""
    study = replace(Study.load(TINY), replicates=40_000_000)
    plan = make_plan(study)
    (scenario, *_), batches = study.scenarios, len(plan.batches)
    scalar, lanes = (replicate_cost(scenario, study.models, lanes=one) for one in (False, True))
    assert 0.15 < lanes.compute_seconds / scalar.compute_seconds < 0.7
    assert (lanes.writing_seconds, lanes.kept_bytes) == (scalar.writing_seconds, scalar.kept_bytes)
    total = sum(batch_seconds(plan).values())
    assert total / batches == pytest.approx(30.0, rel=0.1)
    adjusted = [replace(model, df=("kenward-roger",)) for model in study.models]
    assert replicate_cost(scenario, adjusted, lanes=True) == replicate_cost(scenario, adjusted)


def test_ranges_lie_in_windows_of_the_sorted_files():
    plan = make_plan(replace(Study.load(TINY), replicates=123_400), batch_seconds=2.0)
    starts = {part.start for batch in plan.batches for part in batch.ranges}
    assert MAX_RANGE_REPLICATES == WINDOW
    assert any(start % WINDOW for start in starts)
    for batch in plan.batches:
        assert all(one.start // WINDOW == (one.stop - 1) // WINDOW for one in batch.ranges)


def test_a_batch_has_one_name_with_lanes_or_without_and_is_read_as_it_was_written():
    plain = Batch.make(1, (), (Model("m", "y ~ 1 + (1 | g)"),))
    long = Batch.make(1, (), (Model("m", "y ~ 1 + (1 | g)"),), lanes=True)
    assert plain.name == long.name
    assert [Batch.from_dict(one.to_dict()) for one in (plain, long)] == [plain, long]
    assert "lanes" not in plain.to_dict()


def test_kernels_have_lanes_where_a_model_is_fitted_so():
    plain = Model("m", "y ~ x + (1 + x | g)")
    adjusted = Model("k", "y ~ x + (1 | g)", df=("kenward-roger",))
    assert kernels_of([plain, adjusted], lanes=True) == [
        Kernels(1, expected=True),
        Kernels(2, lanes=True),
    ]
    assert kernels_of([plain]) == [Kernels(2)]
    assert Kernels(2, lanes=True).name == "q2-lanes"


@pytest.mark.skipif(config.DISABLE_JIT, reason="lanes are for compiled kernels")
def test_results_are_the_same_with_lanes(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    with monkeypatch.context() as apart:
        apart.setattr("hlm.stages.fit.has_lanes", lambda _: False)
        plain = make_results(tmp_path / "plain")
    monkeypatch.setattr(pack, "LANES_SECONDS", 0.0)
    lanes = make_results(tmp_path / "lanes")
    assert has_lanes(Study.load(TINY).models)
    assert all(batch.lanes for batch in Plan.read(lanes / "plan.json").batches)
    for kind in CONTENT:
        tables = [pq.read_table(folder / f"{kind}.parquet") for folder in (plain, lanes)]
        for name in tables[0].column_names:
            first, second = (table[name].to_pylist() for table in tables)
            assert list(map(repr, first)) == list(map(repr, second))


def test_batches_keep_rows_in_the_order_of_the_sorted_files(tmp_path):
    import pyarrow.parquet as pq

    results = make_results(tmp_path)
    for kind in CONTENT:
        whole = pq.read_table(results / f"{kind}.parquet").drop_columns(["scenario"])
        parts = [pq.ParquetFile(file) for file in sorted(results.glob(f"parts/*.{kind}.parquet"))]
        groups = [one.read_row_group(k) for one in parts for k in range(one.num_row_groups)]
        assert len(groups) > 1
        of_scenario = {group["scenario"][0].as_py(): group for group in groups}
        assert len(of_scenario) == len(groups)
        rows = [of_scenario[key].drop_columns(["scenario"]) for key in sorted(of_scenario)]
        assert repr(pa.concat_tables(rows).to_pylist()) == repr(whole.to_pylist())
