"""What a plan holds, and what it keeps when the study changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hlm.errors import InputError
from hlm.operations.forecast import forecast
from hlm.plan import Plan, chunks, holdings, make_plan
from hlm.plan.batch import digest
from hlm.scenario import Model

from .studies import BIG, SMALL, FakeStudy

STUDY = FakeStudy()


def work(plan, batches=None):
    """Return each (scenario, model name, replicate) that the batches hold, with repetitions."""
    return [
        (part.scenario, model.name, replicate)
        for batch in (plan.batches if batches is None else batches)
        for part in batch.ranges
        for model in batch.models
        for replicate in range(part.start, part.stop)
    ]


def wanted(study):
    return sorted(
        (scenario.key, model.name, replicate)
        for scenario in study.scenarios
        for model in study.models
        for replicate in range(study.replicates)
    )


def again(study, plan, *, done=lambda _: True, **options):
    """Plan a study after another one and return the plan and its new batches."""
    new = make_plan(study, previous=plan, done=done, **options)
    known = {batch.name for batch in plan.batches}
    return new, [batch for batch in new.batches if batch.name not in known]


@pytest.mark.parametrize("batch_seconds", [1e-4, 0.002, 30])
def test_the_batches_hold_all_that_is_wanted_once(batch_seconds):
    plan = make_plan(STUDY, batch_seconds=batch_seconds)
    assert sorted(work(plan)) == wanted(STUDY)


def test_ranges_start_at_grains_and_end_at_grains_or_at_the_last_replicate():
    plan = make_plan(STUDY, batch_seconds=1e-4)
    assert len(plan.batches) > 2
    for batch in plan.batches:
        for part in batch.ranges:
            assert part.start % 100 == 0
            assert part.stop % 100 == 0 or part.stop == STUDY.replicates


def test_small_scenarios_share_a_batch_and_large_ones_are_split():
    tiny = make_plan(STUDY)
    assert len(tiny.batches) == 1
    large = make_plan(STUDY.but(replicates=1_000_000, units=(1000,)))
    assert len(large.batches) > 10


def test_a_middling_study_is_cut_for_several_cores_but_not_into_crumbs():
    study = STUDY.but(replicates=400_000)
    plan = make_plan(study)
    seconds = forecast(plan).fit_seconds
    assert 16 < seconds < 240
    assert 8 <= len(plan.batches) <= seconds / 2 + 1


def test_batches_are_equally_long():
    plan = make_plan(STUDY.but(units=(10, 20, 50, 100), replicates=10_000), batch_seconds=0.3)
    lengths = [forecast(make_subplan(plan, batch)).fit_seconds for batch in plan.batches]
    assert max(lengths) < 1.2 * min(lengths)


def make_subplan(plan, batch):
    return Plan(**{**vars(plan), "batches": (batch,)})


def test_planning_is_deterministic_and_the_name_is_a_hash_of_the_content():
    assert make_plan(STUDY) == make_plan(STUDY)
    other_seed = make_plan(STUDY.but(seed=2))
    assert other_seed.batches[0].ranges == make_plan(STUDY).batches[0].ranges
    assert other_seed.batches[0].name != make_plan(STUDY).batches[0].name


def test_nothing_new_nothing_to_do():
    first = make_plan(STUDY)
    assert again(STUDY, first)[0] == first
    assert again(STUDY, first, done=lambda _: False)[0] == first


def test_more_replicates_compute_only_the_grains_not_whole_yet():
    study = STUDY.but(replicates=420)
    _, new = again(study, make_plan(STUDY))
    assert {replicate for _, _, replicate in work(None, new)} == set(range(200, 420))
    even = STUDY.but(replicates=200)
    _, new = again(study, make_plan(even))
    assert {replicate for _, _, replicate in work(None, new)} == set(range(200, 420))


def test_fewer_replicates_need_nothing():
    plan, new = again(STUDY.but(replicates=120), make_plan(STUDY))
    assert not new
    assert plan.replicates == 120


def test_a_new_level_computes_only_its_scenario():
    study = STUDY.but(units=(10, 20, 30))
    _, new = again(study, make_plan(STUDY))
    keys = {key for key, _, _ in work(None, new)}
    assert keys == {study.scenarios[1].key}
    assert len(work(None, new)) == 2 * 250


def test_a_removed_level_needs_nothing_and_its_scenario_stays_known():
    first = make_plan(STUDY)
    plan, new = again(STUDY.but(units=(10,)), first)
    assert not new
    for batch in plan.batches:
        for part in batch.ranges:
            assert plan.scenario(part.scenario).key == part.scenario


def test_a_new_model_is_fitted_alone_to_all_scenarios():
    third = Model("third", "y ~ 1 + (1 | unit)")
    study = STUDY.but(models=(third, SMALL, BIG))
    _, new = again(study, make_plan(STUDY))
    assert {name for _, name, _ in work(None, new)} == {"third"}
    assert len(work(None, new)) == 2 * 250


def test_a_removed_model_needs_nothing():
    _, new = again(STUDY.but(models=(BIG,)), make_plan(STUDY))
    assert not new


def test_a_changed_model_is_fitted_again():
    changed = Model("small", SMALL.formula, methods=("reml",), level=0.9)
    _, new = again(STUDY.but(models=(changed, BIG)), make_plan(STUDY))
    assert {name for _, name, _ in work(None, new)} == {"small"}


def test_a_scenario_and_a_model_at_once():
    third = Model("third", "y ~ 1 + (1 | unit)")
    study = STUDY.but(models=(SMALL, BIG, third), units=(10, 20, 30))
    plan, new = again(study, make_plan(STUDY))
    assert sorted(work(plan)) == wanted(study)
    assert len(work(None, new)) == 250 * (3 + 2)


def test_another_batch_size_keeps_what_is_done_and_cuts_the_rest_anew():
    first = make_plan(STUDY, batch_seconds=0.002)
    assert len(first.batches) > 3
    finished = {batch.name for batch in first.batches[:2]}
    plan, new = again(STUDY, first, done=finished.__contains__, batch_seconds=0.004)
    assert [batch.name for batch in plan.batches[:2]] == [b.name for b in first.batches[:2]]
    assert sorted(work(plan)) == wanted(STUDY)
    assert len(new) < len(first.batches) - 2


def test_an_unfinished_batch_is_cut_anew_when_some_of_it_is_unwanted():
    first = make_plan(STUDY)
    plan, _ = again(STUDY.but(units=(10,)), first, done=lambda _: False)
    assert sorted(work(plan)) == wanted(STUDY.but(units=(10,)))


@pytest.mark.parametrize("change", [{"code": "other"}, {}], ids=["code", "seed"])
def test_results_of_other_code_or_another_seed_do_not_count(change):
    study = STUDY if change else STUDY.but(seed=2)
    plan = make_plan(study, previous=make_plan(STUDY), done=lambda _: True, **change)
    assert plan == make_plan(study, **change)


def test_a_plan_survives_its_file(tmp_path):
    plan = make_plan(STUDY)
    plan.write(tmp_path / "sub" / "plan.json")
    assert Plan.read(tmp_path / "sub" / "plan.json") == plan
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["plan.json"]


def test_an_unchanged_plan_is_not_written_again(tmp_path):
    path = tmp_path / "plan.json"
    make_plan(STUDY).write(path)
    before = path.stat().st_mtime_ns
    make_plan(STUDY).write(path)
    assert path.stat().st_mtime_ns == before


def test_a_damaged_plan_is_named(tmp_path):
    path = tmp_path / "plan.json"
    make_plan(STUDY).write(path)
    path.write_text(path.read_text()[:100])
    with pytest.raises(InputError, match=r"not a plan") as caught:
        Plan.read(path)
    assert str(path) in str(caught.value)


def test_wanted_changes_with_what_the_tables_hold_and_with_nothing_else():
    plan = make_plan(STUDY)
    assert make_plan(STUDY.but(text="# comment")).wanted == plan.wanted
    assert make_plan(STUDY, batch_seconds=0.01).wanted == plan.wanted
    for change in ({"replicates": 251}, {"units": (10,)}, {"models": (BIG,)}, {"seed": 2}):
        assert make_plan(STUDY.but(**change)).wanted != plan.wanted


def test_a_digest_depends_on_values_not_on_the_order_of_keys():
    assert digest({"a": 1, "b": [0.1]}) == digest(json.loads('{"b": [0.1], "a": 1}'))
    assert digest(0.3) != digest(0.1 + 0.2)


def test_reading_plans_is_light():
    code = "import sys, hlm.plan; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "pandas", "scipy", "numba", "pyarrow", "pydantic"} & set(loaded)


@pytest.mark.parametrize(
    "module", ["hlm.study", "hlm.stages.summarize", "hlm.stages.compact", "hlm.report.report_page"]
)
def test_what_fits_nothing_loads_no_numba(module):
    code = f"import sys, {module}; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_jobs_are_bounded_in_memory_and_on_disk():
    plan = make_plan(STUDY.but(replicates=200_000, units=(1000,)), batch_seconds=1e9)
    assert forecast(plan).temporary_bytes < 1.1e9
    assert max(part.stop - part.start for b in plan.batches for part in b.ranges) <= 5000


def test_chunks_hold_every_scenario_once_in_order():
    study = STUDY.but(units=tuple(range(10, 110)), replicates=20_000)
    plan = make_plan(study)
    cut = chunks(plan)
    assert 3 < len(cut) < 100
    assert tuple(scenario for chunk in cut for scenario in chunk) == study.scenarios
    assert chunks(make_plan(STUDY)) == [STUDY.scenarios]


def test_a_chunk_needs_the_batches_that_hold_its_scenarios_and_no_others():
    plan = make_plan(STUDY.but(units=tuple(range(10, 60)), replicates=20_000), batch_seconds=2)
    for number, chunk in enumerate(chunks(plan)):
        keys = {scenario.key for scenario in chunk}
        held = {b.name for b in plan.batches if keys & {part.scenario for part in b.ranges}}
        assert set(holdings(plan)[number]) == held
    assert len(holdings(plan)[0]) < len(plan.batches)


def test_results_of_a_plan_with_one_inference_for_each_part_are_still_its_own():
    """The digest that was given before inferences were lists: `hlm verify` asks for it."""
    plan = Plan.read(Path(__file__).with_name("plan_with_one_inference.json"))
    assert plan.models[0].df == ("kenward-roger",)
    assert plan.wanted == "4a3b55e59a9b"
