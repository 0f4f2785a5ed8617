"""Parts against their receipts, locks, leftovers and logs, without a workflow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from hlm.cli.run import pages_not_of
from hlm.errors import InputError
from hlm.operations.leftovers import remove_leftovers, stale_rules
from hlm.operations.lock import hold_lock, run_lock
from hlm.operations.machine import arithmetic
from hlm.operations.parts import (
    DamagedError,
    check_alike,
    check_part,
    check_sizes,
    part_file,
    set_aside,
)
from hlm.operations.prepare import check_code, plan_of_run, prepare
from hlm.operations.receipts import checksum, read_receipt, receipt_file, write_receipt
from hlm.plan import Plan, make_plan
from hlm.scenario import DATA_VERSION
from hlm.stages.compact import compact, write_scenarios
from hlm.study import Study
from tests.plan.studies import FakeStudy, write_parts
from tests.results import TINY

STUDY = FakeStudy(units=(10, 30, 50), replicates=200)
KINDS = make_plan(STUDY).kinds


@pytest.fixture
def plan(tmp_path):
    plan = make_plan(STUDY, batch_seconds=1e-4, code="a b")
    write_parts(plan, tmp_path / "parts")
    assert len(plan.batches) > 2
    return plan


@pytest.fixture
def parts(plan, tmp_path):  # noqa: ARG001 - it makes them
    return tmp_path / "parts"


def test_a_receipt_says_what_was_written_and_by_what(plan, parts):
    name = plan.batches[0].name
    receipt = read_receipt(receipt_file(parts, name))
    assert receipt.code == plan.code == "a b"
    libraries = {"numpy", "numba", "llvmlite", "scipy", "pyarrow"}
    assert {"hlm", "python", *libraries} == receipt.versions.keys()
    assert receipt.data_version == DATA_VERSION
    assert {"cpu", "system", "arithmetic"} == receipt.machine.keys()
    assert receipt.started <= receipt.finished
    for kind in KINDS:
        file = receipt.files[kind]
        path = part_file(parts, name, kind)
        assert file == (path.name, path.stat().st_size, checksum(path))
        assert check_part(parts, name, kind) == check_sizes(parts, name, KINDS) == receipt


def damage(path, how):
    content = path.read_bytes()
    changed = {
        "cut": content[:-10],
        "grown": content + b"0",
        "flipped": content[:30] + bytes([content[30] ^ 1]) + content[31:],
        "empty": b"",
    }
    path.write_bytes(changed[how])


def contents(folder):
    return {path: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("how", ["cut", "grown", "flipped", "empty"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_part_is_named_and_the_next_planning_moves_it_aside(how, kind, plan, parts):
    name = plan.batches[1].name
    path = part_file(parts, name, kind)
    damage(path, how)
    before = {path: path.read_bytes() for path in parts.iterdir()}
    with pytest.raises(InputError, match=r"damaged: .* where its receipt says") as caught:
        compact(plan, parts, {kind: parts.parent / kind for kind in KINDS})
    assert caught.value.file == path
    assert "run the study again to set it aside" in str(caught.value)
    note = path.with_name(f"{path.name}.damaged")
    assert contents(parts) == before | {note: f"{caught.value.problem}\n".encode()}
    assert not list(parts.parent.rglob(".*.tmp"))
    with pytest.raises(DamagedError) as seen:
        check_sizes(parts, name, KINDS)
    assert seen.value.file == path
    assert set_aside(seen.value) == [f"{path.name}.corrupt", f"{name}.json.corrupt"]
    assert path.with_name(f"{path.name}.corrupt").read_bytes() == before[path]
    assert not any(gone.exists() for gone in (path, note, receipt_file(parts, name)))
    assert check_sizes(parts, name, KINDS) is None
    write_parts(plan, parts)
    compact(plan, parts, {kind: parts / kind for kind in KINDS})


def test_planning_sees_another_size_but_reads_no_part(plan, parts):
    first, second, third = (batch.name for batch in plan.batches[:3])
    damage(part_file(parts, first, "fits"), "flipped")
    assert check_sizes(parts, first, KINDS)
    damage(part_file(parts, second, "fits"), "cut")
    before = contents(parts)
    for _ in range(2):
        with pytest.raises(DamagedError, match="bytes where its receipt says"):
            check_sizes(parts, second, KINDS)
    assert contents(parts) == before
    part_file(parts, third, "estimates").unlink()
    assert check_sizes(parts, third, KINDS) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"batch": "x"}', '"\\ud800"'])
def test_a_damaged_receipt_is_named_and_moved_aside_on_demand(text, plan, parts):
    name = plan.batches[0].name
    path = receipt_file(parts, name)
    path.write_text(text)
    for check in (
        lambda: check_sizes(parts, name, KINDS),
        lambda: check_part(parts, name, "fits"),
        lambda: check_alike(parts, [name], code=plan.code),
    ):
        with pytest.raises(DamagedError, match="not a receipt that can be read") as caught:
            check()
        assert path.read_text() == text
    assert set_aside(caught.value) == [f"{path.name}.corrupt"]
    assert check_sizes(parts, name, KINDS) is None
    assert path.with_name(f"{path.name}.corrupt").read_text() == text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"data_version": 2, "code": "x y"},
            f"drawn by version 2 of the rule for random numbers, .* by version {DATA_VERSION}",
        ),
        ({"code": "x y"}, r"made by other code of hlm \(x y\) than this run's \(a b\)"),
        ({"versions": {"numpy": "1.0"}}, "different NumPy.*1.0 in 1 batch "),
        ({"versions": {"numba": "0.1"}}, "different Numba.*0.1 in 1 batch "),
        ({"versions": {"llvmlite": "0.1"}}, "different llvmlite.*0.1 in 1 batch "),
        ({"versions": {"scipy": "1.0"}}, "different SciPy.*1.0 in 1 batch "),
        ({"machine": {"arithmetic": "0f"}}, "different arithmetic.*0f in 1 batch "),
    ],
)
def test_results_of_other_code_or_machines_are_not_mixed(change, words, plan, parts):
    name = plan.batches[1].name
    path = receipt_file(parts, name)
    receipt = read_receipt(path)
    values = {
        key: getattr(receipt, key) | value if isinstance(value, dict) else value
        for key, value in change.items()
    }
    write_receipt(path, replace(receipt, **values))
    with pytest.raises(InputError, match=words) as caught:
        compact(plan, parts, {kind: parts / kind for kind in KINDS})
    assert f"{name}.json" in str(caught.value)
    assert "run again" in str(caught.value)
    assert not (parts / "e").exists()


def test_another_processor_with_the_same_arithmetic_is_welcome(plan, parts):
    path = receipt_file(parts, plan.batches[1].name)
    receipt = read_receipt(path)
    write_receipt(path, replace(receipt, machine=receipt.machine | {"cpu": "z80"}))
    check_alike(parts, [batch.name for batch in plan.batches], code=plan.code)


ARITHMETIC = "from hlm.operations.machine import arithmetic; print(arithmetic())"


@pytest.mark.skipif(
    "X86_V4" not in np.__config__.show(mode="dicts")["SIMD Extensions"]["found"],
    reason="this processor has no vectors of 512 bits to do without",
)
def test_arithmetic_tells_vectors_of_512_bits_apart():
    without = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ARITHMETIC],
        env=os.environ | without,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() != arithmetic()


def test_other_code_gives_batches_other_names():
    names = [
        {batch.name for batch in make_plan(STUDY, code=code).batches} for code in ("a b", "a c")
    ]
    assert names[0].isdisjoint(names[1])


def test_jobs_refuse_a_plan_of_other_code(plan):
    with pytest.raises(InputError, match="the plan was made by a b"):
        check_code(plan)


@pytest.mark.parametrize(("seconds", "planned"), [(None, "before"), (9.0, "before"), (0.5, "anew")])
def test_snakemake_takes_the_plan_of_hlm_run_unless_it_is_told_another_length_of_batches(
    seconds, planned, tmp_path, monkeypatch
):
    study = tmp_path / "study.yaml"
    study.write_text(TINY.read_text(encoding="utf-8"), encoding="utf-8")
    with run_lock(tmp_path / "tiny"):
        plan = prepare(Study.load(study), tmp_path, batch_seconds=9.0)
        monkeypatch.setattr("hlm.operations.prepare.make_plan", lambda *_, **o: plan_anew(plan, o))
        found = plan_of_run(study, tmp_path, batch_seconds=seconds)
    assert found.batch_seconds == (9.0 if planned == "before" else 0.5)
    assert (found.study == "anew") == (planned == "anew")


def plan_anew(plan, options):
    return replace(plan, study="anew", batch_seconds=options["batch_seconds"])


def test_leftovers_of_killed_jobs_go_and_nothing_else(plan, parts, tmp_path):
    fitted, open_ = plan.batches[0].name, plan.batches[1].name
    receipt_file(parts, open_).unlink()
    halves = [parts / f".{open_}.json.7.tmp", tmp_path / ".estimates.parquet.7.tmp"]
    halves.append(parts / f"{fitted}.fits.parquet.damaged")  # a note that planning has read
    for path in halves:
        path.touch()
    before = set(tmp_path.rglob("*"))
    assert set(remove_leftovers(plan, tmp_path)) == {*halves}
    assert set(tmp_path.rglob("*")) == before - {*halves}


def test_f_tests_that_a_study_no_longer_has_go(plan, parts, tmp_path):
    files = {kind: tmp_path / f"{kind}.parquet" for kind in plan.kinds}
    compact(plan, parts, files)
    models = tuple(replace(model, tests=()) for model in STUDY.models)
    without = make_plan(STUDY.but(models=models), code="a b")
    assert without.kinds == ("estimates", "fits")
    assert stale_rules(without, tmp_path) == ["compact"]
    (tmp_path / "figures").mkdir()
    drawn = [tmp_path / "figures" / f"{name}.png" for name in ("power_tests", "bias_fixed", "my")]
    for path in drawn:
        path.touch()
    assert remove_leftovers(plan, tmp_path, pages_not_of(plan, tmp_path)) == []
    assert remove_leftovers(without, tmp_path, pages_not_of(without, tmp_path)) == [
        files["tests"],
        drawn[0],
    ]
    assert all(path.exists() for path in drawn[1:])


def test_tables_that_a_study_no_longer_asks_for_go_if_they_are_whole(plan, tmp_path):
    (tmp_path / "tables").mkdir()
    kinds = ("csv", "html", "md", "tex")
    for name in ("mine_units-10", "accounting"):
        for kind in kinds:
            (tmp_path / "tables" / f"{name}.{kind}").touch()
    (tmp_path / "tables" / "notes.tex").touch()  # a user's own
    gone = remove_leftovers(plan, tmp_path, pages_not_of(plan, tmp_path))
    assert {path.name for path in gone} == {f"mine_units-10.{kind}" for kind in kinds}


def test_a_batch_without_the_f_tests_that_are_wanted_is_not_finished(plan, parts):
    name = plan.batches[0].name
    path = receipt_file(parts, name)
    receipt = read_receipt(path)
    files = {kind: stamp for kind, stamp in receipt.files.items() if kind != "tests"}
    write_receipt(path, replace(receipt, files=files))
    assert check_sizes(parts, name, ["estimates", "fits"])
    with pytest.raises(InputError, match="no such file"):
        check_part(parts, name, "tests")
    assert check_sizes(parts, name, KINDS) is None
    assert path.exists()


def test_tables_that_hold_something_else_are_made_again(plan, parts, tmp_path):
    assert stale_rules(plan, tmp_path) == []
    files = {kind: tmp_path / f"{kind}.parquet" for kind in KINDS}
    compact(plan, parts, files)
    write_scenarios(plan, tmp_path / "scenarios.parquet", tmp_path / "scenarios.csv")
    assert stale_rules(plan, tmp_path) == []
    assert stale_rules(make_plan(STUDY.but(replicates=300), code="a b"), tmp_path) == ["compact"]
    assert stale_rules(make_plan(STUDY, code="other"), tmp_path) == ["compact"]
    os.truncate(files["fits"], 100)
    assert stale_rules(plan, tmp_path) == ["compact"]


HOLD = """
import sys, time
from hlm.results import KINDS
from hlm.operations.lock import hold_lock
hold_lock(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_ends_with_the_process_that_is_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(InputError, match=f"another run .* process {other.pid} on"),
            run_lock(tmp_path),
        ):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
    with run_lock(tmp_path):
        hold_lock(tmp_path)


def test_a_child_holds_the_lock_of_its_parent(tmp_path):
    code = "import sys; from hlm.operations.lock import hold_lock; hold_lock(sys.argv[1])"
    with run_lock(tmp_path):
        subprocess.run([sys.executable, "-c", code, tmp_path], check=True)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("import numpy; numpy.empty(10**15)", "out of memory: Unable to allocate"),
        ("raise OSError(28, 'No space left on device', 'a.parquet')", "a.parquet: No space left"),
        ("from hlm.plan import Plan; Plan.read('none')", "none: not a plan"),
    ],
)
def test_a_log_says_what_went_wrong_without_a_traceback(fault, words, tmp_path):
    code = f"from hlm.stages.job_log import stderr_to; stderr_to('log')\n{fault}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 1
    log = (tmp_path / "log").read_text()
    assert log.startswith(words)
    assert "Traceback" not in log


def test_a_log_keeps_the_traceback_of_a_fault_in_the_program(tmp_path):
    code = "from hlm.stages.job_log import stderr_to; stderr_to('log'); 1 / 0"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert "ZeroDivisionError" in (tmp_path / "log").read_text().splitlines()[-1]


def test_a_log_that_cannot_be_written_leaves_the_word_to_the_terminal(tmp_path):
    code = "from hlm.stages.job_log import stderr_to; stderr_to('none/log'); raise MemoryError"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "none/log: cannot be written" in done.stderr
    assert "out of memory" in done.stderr


def test_a_receipt_is_small_and_plain(plan, parts):
    path = receipt_file(parts, plan.batches[0].name)
    assert path.stat().st_size < 1500
    assert json.loads(path.read_text())["batch"] == plan.batches[0].name


def test_receipts_and_plans_without_a_version_of_the_data_are_of_the_first(plan, parts, tmp_path):
    path = receipt_file(parts, plan.batches[0].name)
    plan.write(tmp_path / "plan.json")
    for file in (path, tmp_path / "plan.json"):
        content = json.loads(file.read_text())
        assert content.pop("data_version") == DATA_VERSION > 1
        file.write_text(json.dumps(content))
    assert read_receipt(path).data_version == Plan.read(tmp_path / "plan.json").data_version == 1


def test_reading_a_plan_back_names_the_same_batches(plan, tmp_path):
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan
