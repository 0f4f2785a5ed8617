"""What a whole run does about damage, a full disk, jobs that die, clocks that jump."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from hlm.cli import main
from hlm.operations.lock import run_lock
from hlm.results import read_frame

from .campaign import HLM, STUDY, TARGETS, batch_seconds, prepare, results


def hlm_run(folder, *options, study="study.yaml", targets=TARGETS, environment=None):
    """Run the study in a folder; return the exit status and what was said."""
    command = [*HLM, "run", study, "--cores", "2", "--batch-seconds", str(batch_seconds())]
    done = subprocess.run(
        [*command, *options, "--", *targets],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | (environment or {}),
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def parts(finished):
    return sorted((finished.folder / "results" / "faults" / "parts").glob("*.estimates.parquet"))


# Runs in every Python of the test that has this module's folder on its path.
FAILING_FITS = """
import os, resource, signal, sys
if sys.orig_argv[-1].endswith(".fit.py"):
    count = os.environ["HLM_TEST_COUNT"]
    with open(count, "a") as file:
        file.write("x")
    if os.path.getsize(count) == 1:
        resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
    if os.path.getsize(count) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_damaged_files_are_named_and_made_again_though_jobs_lack_memory(finished, tmp_path):
    """One file is cut, in another a bit is flipped; the fit fails twice: out of memory, killed."""
    (tmp_path / "sitecustomize.py").write_text(FAILING_FITS, encoding="utf-8")
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    environment["HLM_TEST_COUNT"] = str(tmp_path / "count")
    cut, flipped, *_, whole = parts(finished)
    before = whole.stat().st_mtime_ns
    os.truncate(cut, 1000)
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)

    status, said = hlm_run(finished.folder, environment=environment)
    assert status == 1
    assert f"{cut.name}: damaged: 1,000 bytes where its receipt says" in said
    assert f"{flipped.name}: damaged: checksum" in said
    assert f"moved to {cut.name}.corrupt; its batch is computed again" in said
    assert "run the study again to set it aside" in said
    assert (tmp_path / "count").read_text() == "xxx"
    assert cut.exists()
    assert flipped.read_bytes() == content
    assert cut.with_name(f"{cut.name}.corrupt").stat().st_size == 1000

    status, said = hlm_run(finished.folder)
    assert status == 0, said
    assert f"{flipped.name}: damaged: checksum" in said
    assert f"moved to {flipped.name}.corrupt; its batch is computed again" in said
    assert flipped.with_name(f"{flipped.name}.corrupt").read_bytes() == content
    assert not list(flipped.parent.glob("*.damaged"))
    assert results(finished.folder) == finished.results
    assert whole.stat().st_mtime_ns == before


def with_damage(finished):
    """Damage a part and a receipt; return them and what all files hold."""
    cut, *_, bad = parts(finished)
    os.truncate(cut, 1000)
    receipt = bad.with_name(bad.name.replace("estimates.parquet", "json"))
    receipt.write_text("{")
    return cut, receipt, {path: path.read_bytes() for path in cut.parent.iterdir()}


@pytest.mark.parametrize("command", ["dry run", "snakemake"])
def test_who_only_looks_leaves_damaged_files_where_they_are(command, finished):
    cut, receipt, before = with_damage(finished)
    if command == "snakemake":
        snakefile = Path(__file__).parents[2] / "Snakefile"
        line = [sys.executable, "-m", "snakemake", "-n", "--snakefile", snakefile, "compact"]
        line += ["--config", "study=study.yaml"]
    else:
        line = [*HLM, "run", "study.yaml", "--cores", "1", "--", "-n", "compact"]
    done = subprocess.run(line, cwd=finished.folder, capture_output=True, text=True, check=False)
    assert {path: path.read_bytes() for path in cut.parent.iterdir()} == before
    said = done.stdout + done.stderr
    assert f"{cut.name}: damaged: 1,000 bytes where its receipt says" in said
    assert f"{receipt.name}: not a receipt that can be read" in said
    assert "moved to" not in said


@pytest.mark.parametrize(
    "command",
    [["status", "study.yaml"], ["verify", "results/faults"], ["check", "study.yaml", "--no-pilot"]],
    ids=lambda command: command[0],
)
def test_other_commands_leave_damaged_files_where_they_are(command, finished, monkeypatch):
    cut, _, before = with_damage(finished)
    monkeypatch.chdir(finished.folder)
    main(command)
    assert {path: path.read_bytes() for path in cut.parent.iterdir()} == before


@contextmanager
def small_disk(folder, size):
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        failed, why = made.returncode != 0, made.stderr
    except FileNotFoundError as error:
        failed, why = True, str(error)
    if failed:
        pytest.skip(f"a small disk takes the right to mount one: {why.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def remount(folder, option):
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


@pytest.mark.slow
def test_a_full_disk_and_one_that_cannot_be_written(undisturbed, tmp_path):
    folder = tmp_path / "study"
    prepare(folder)
    with small_disk(folder / "results", "180k"):
        status, said = hlm_run(folder, targets=["--retries", "0", *TARGETS])
        assert status == 1
        assert "No space left on device" in said
        assert not list(folder.rglob(".*.tmp"))
        remount(folder / "results", "size=20m")
        status, said = hlm_run(folder)
        assert status == 0, said
        assert results(folder) == undisturbed.results
        remount(folder / "results", "ro")
        status, said = hlm_run(folder)
        assert status == 2
        assert "results/faults: cannot be written: Read-only file system" in said


def test_a_second_run_on_the_same_results_is_refused(finished, capsys):
    folder = finished.folder / "results" / "faults"
    elsewhere = ["--results", str(finished.folder / "results")]
    with run_lock(folder):
        assert main(["run", str(STUDY), *elsewhere]) == 2
    said = capsys.readouterr().err
    assert f"{folder}: another run is at work in this folder: process {os.getpid()} on" in said
    assert results(finished.folder) == finished.results


@pytest.mark.slow
def test_runs_of_several_studies_at_the_same_time_do_not_meet(undisturbed, tmp_path):
    """In one working directory: two studies with one folder of results, one with its own."""
    prepare(tmp_path)
    other = STUDY.read_text(encoding="utf-8").replace("name: faults", "name: other")
    (tmp_path / "other.yaml").write_text(other, encoding="utf-8")
    runs = [("study.yaml", "results"), ("other.yaml", "results"), ("study.yaml", "elsewhere")]

    def run(study, folder):
        options = ["--results", folder, "--batch-seconds", "30"]
        return hlm_run(tmp_path, *options, study=study, targets=["compact"])

    with ThreadPoolExecutor() as pool:
        ends = list(pool.map(lambda arguments: run(*arguments), runs))
    assert [status for status, _ in ends] == [0, 0, 0], ends
    expected = (undisturbed.folder / "results/faults/estimates.parquet").read_bytes()
    for place in ("results/faults", "elsewhere/faults"):
        assert (tmp_path / place / "estimates.parquet").read_bytes() == expected
    found, alone = (
        read_frame(folder / f"results/{study}/estimates.parquet")
        for folder, study in ((tmp_path, "other"), (undisturbed.folder, "faults"))
    )
    assert found.equals(alone)


def set_times(finished, pattern, when):
    for path in (finished.folder / "results").glob(pattern):
        os.utime(path, (when, when))


YEAR_2001, YEAR_2100 = 1e9, 4.1e9


@pytest.mark.parametrize("notes", ["with", "without"])
def test_clocks_that_jump_make_nothing_be_done_again(notes, finished):
    set_times(finished, "faults/parts/*", YEAR_2100)
    set_times(finished, ".cache/kernels-*", YEAR_2100)
    if notes == "with":
        set_times(finished, "faults/*", YEAR_2001)
    else:
        set_times(finished, "faults/*", YEAR_2100)
        set_times(finished, "faults/benchmarks/**/*.tsv", YEAR_2100)
        (finished.folder / "results/.snakemake").rename(finished.folder / "forgotten")
    status, said = hlm_run(finished.folder, targets=["-n", *TARGETS])
    assert status == 0
    assert "Nothing to be done" in said


@pytest.mark.slow
def test_a_study_of_another_folder_and_a_clock_that_was_ahead_leave_no_stale_tables(
    finished, tmp_path
):
    """The tables are first those of another version of the study, run from another folder."""
    other = tmp_path / "other"
    other.mkdir()
    text = STUDY.read_text(encoding="utf-8")
    (other / "study.yaml").write_text(text.replace("replicates: 600", "replicates: 650"))
    where = ["--results", os.path.relpath(finished.folder / "results", other)]
    set_times(finished, "faults/parts/*", YEAR_2100)
    set_times(finished, ".cache/kernels-*", YEAR_2100)
    status, said = hlm_run(other, *where)
    assert status == 0, said
    changed = results(finished.folder)
    assert changed["estimates.parquet"] != finished.results["estimates.parquet"]
    set_times(finished, "faults/*", YEAR_2100)
    status, said = hlm_run(finished.folder)
    assert status == 0, said
    assert results(finished.folder) == finished.results


def test_a_run_that_ends_well_leaves_nothing_of_jobs_that_died(tmp_path, monkeypatch):
    """They were killed over a file, and tried again by the same run."""
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    half = tmp_path / "results" / "faults" / "parts" / ".batch.fits.parquet.1.tmp"

    def snakemake(*_, **__):
        half.parent.mkdir(parents=True)
        half.write_bytes(b"PAR1")
        return 0

    monkeypatch.setattr("hlm.cli.run.call_quietly", snakemake)
    assert main(["run", "study.yaml"]) == 0
    assert not half.exists()
