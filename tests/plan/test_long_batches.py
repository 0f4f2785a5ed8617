"""Long batches are fitted side by side, and no file of results depends on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hlm.inference.variants import Kernels, kernels_of
from hlm.jit import config
from hlm.plan import Plan, make_plan, pack
from hlm.plan.batch import Batch
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

    plain = make_results(tmp_path / "plain")
    monkeypatch.setattr(pack, "LANES_SECONDS", 0.0)
    lanes = make_results(tmp_path / "lanes")
    assert all(batch.lanes for batch in Plan.read(lanes / "plan.json").batches)
    for kind in CONTENT:
        tables = [pq.read_table(folder / f"{kind}.parquet") for folder in (plain, lanes)]
        for name in tables[0].column_names:
            first, second = (table[name].to_pylist() for table in tables)
            assert list(map(repr, first)) == list(map(repr, second))
