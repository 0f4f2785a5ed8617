"""How far a study is: from receipts, in words, and beside a running Snakemake."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hlm.cli import main
from hlm.cli.progress_line import Line, Teller
from hlm.cli.snakemake import call_quietly
from hlm.cli.snakemake_child import loaded_ahead
from hlm.cli.snakemake_profile import batch_seconds_of, cores_of
from hlm.operations.forecast import Forecast
from hlm.operations.lock import run_lock
from hlm.operations.progress import Watch
from hlm.operations.receipts import FileStamp, Receipt, write_receipt
from hlm.plan import Plan, make_plan
from hlm.study import Study
from tests.plan.studies import BIG, FakeStudy

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STUDY = FakeStudy(units=(10, 20, 30, 40), replicates=1000, models=(BIG,))


def finish(folder, batch, at=NOW, *, seconds=10.0, code=""):
    """Leave the receipt of a batch that was finished at a time."""
    times = [moment.isoformat() for moment in (at - timedelta(seconds=seconds), at)]
    files = {kind: FileStamp(f"{batch}.{kind}.parquet", 0, "") for kind in ("estimates", "fits")}
    receipt = Receipt(batch, files, code, {}, {}, *times, seconds)
    write_receipt(folder / "parts" / f"{batch}.json", receipt)


@pytest.fixture
def plan():
    plan = make_plan(STUDY, batch_seconds=0.01)
    assert len(plan.batches) > 4
    return plan


def replicates(batch):
    return sum(part.stop - part.start for part in batch.ranges)


def test_replicates_are_counted_by_receipts(plan, tmp_path):
    watch = Watch(plan, tmp_path)
    assert (watch.look().replicates, watch.look().all_replicates) == (0, 4000)
    assert watch.look().last is None
    finish(tmp_path, plan.batches[0].name)
    finish(tmp_path, plan.batches[2].name)
    seen = watch.look()
    assert seen.replicates == replicates(plan.batches[0]) + replicates(plan.batches[2])
    assert (seen.batches, seen.all_batches) == (2, len(plan.batches))
    for batch in plan.batches:
        finish(tmp_path, batch.name)
    assert watch.look().replicates == 4000
    assert watch.look().seconds == pytest.approx(watch.look().all_seconds)


def test_receipts_of_other_code_and_damaged_ones_do_not_count(plan, tmp_path):
    finish(tmp_path, plan.batches[0].name, code="other")
    (tmp_path / "parts" / f"{plan.batches[1].name}.json").write_text('{"batch": ')
    assert Watch(plan, tmp_path).look().batches == 0


def test_a_model_to_be_fitted_counts_as_work_to_do(plan, tmp_path):
    for batch in plan.batches:
        finish(tmp_path, batch.name)
    models = (BIG, type(BIG)("third", "y ~ 1 + (1 | unit)"))
    grown = make_plan(STUDY.but(models=models), previous=plan, done=lambda _: True)
    seen = Watch(grown, tmp_path).look()
    assert seen.replicates == 0
    assert seen.batches == len(plan.batches) < seen.all_batches


def test_replicates_that_are_no_longer_wanted_do_not_count(plan, tmp_path):
    for batch in plan.batches:
        finish(tmp_path, batch.name)
    small = make_plan(STUDY.but(units=(10,)), previous=plan, done=lambda _: True)
    seen = Watch(small, tmp_path).look()
    assert (seen.replicates, seen.all_replicates) == (1000, 1000)


def test_the_pace_is_that_of_the_last_run_without_the_pause_before_it(plan, tmp_path):
    names = [batch.name for batch in plan.batches]
    finish(tmp_path, names[0], NOW - timedelta(hours=5))
    for place, name in enumerate(names[1:4], start=1):
        finish(tmp_path, name, NOW + timedelta(seconds=10 * place))
    seen = Watch(plan, tmp_path).look()
    done = seen.seconds * 3 / 4  # all batches are about equally long
    assert seen.pace == pytest.approx(done / 30, rel=0.1)
    left = (seen.all_seconds - seen.seconds) / seen.pace
    assert seen.seconds_left(NOW + timedelta(seconds=30)) == pytest.approx(left)
    assert seen.seconds_left(NOW + timedelta(seconds=37)) == pytest.approx(left - 7)
    assert seen.seconds_left(NOW + timedelta(days=1)) == 0.0


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A study planned, in the current folder, and its plan."""
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parent / "workflow" / "tiny.yaml").read_text()
    Path("study.yaml").write_text(text)
    plan = make_plan(Study.load("study.yaml"), batch_seconds=1e-6)
    assert len(plan.batches) > 1
    plan.write("results/tiny/plan.json")
    return plan


def status(capsys):
    assert main(["status", "study.yaml"]) == 0
    return capsys.readouterr().out


def test_status_of_a_run(begun, capsys, tmp_path):
    folder = tmp_path / "results" / "tiny"
    assert "0 of 60 replicates (0 %)" in status(capsys)
    names = [batch.name for batch in begun.batches]
    finish(folder, names[0], datetime.now(UTC) - timedelta(seconds=7))
    out = status(capsys)
    assert f"1 of {len(names)} batches" in out
    assert re.search(r"finished [789] s ago", out)
    assert re.search(r"about \d+ s left", out)
    (folder / "logs" / "fit").mkdir(parents=True)
    (folder / "logs" / "fit" / f"{names[1]}.log").write_text("Traceback ...\nMemoryError: 7 GB\n")
    assert f"{names[1]}.log: MemoryError: 7 GB" in status(capsys)
    for name in names:
        finish(folder, name, datetime.now(UTC) - timedelta(seconds=5))
    (folder / "estimates.parquet").write_text("")
    out = status(capsys)
    assert "60 of 60 replicates (100 %)" in out
    assert "there: sorted files\nto come: measures, figures, report\n" in out
    Path("study.yaml").write_text(Path("study.yaml").read_text() + "# a comment\n")
    assert "study file was changed" in status(capsys)


@pytest.mark.usefixtures("begun")
def test_status_of_what_was_not_begun_is_a_message(capsys):
    assert main(["status", "study.yaml", "--results", "elsewhere"]) == 2
    assert "elsewhere/tiny: no run of this study was begun here" in capsys.readouterr().err


def test_the_line_of_a_run_says_where_it_is(begun, tmp_path):
    folder = tmp_path / "results" / "tiny"
    tell = Teller(folder, cores=2)
    assert tell("") == ("planning", "")
    assert tell("compile_kernels")[0].startswith("0 of 60 replicates (0 %); compiling")
    assert tell("fit")[0] == "0 of 60 replicates (0 %), simulating and fitting"
    finish(folder, begun.batches[0].name, datetime.now(UTC))
    assert re.fullmatch(r"\d+ of 60 .*, .* a (second|minute), about .* left", tell("fit")[0])
    for batch in begun.batches:
        finish(folder, batch.name, datetime.now(UTC))
    assert tell("present")[0] == "60 of 60 replicates (100 %); drawing and writing the report"


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("cores", [1, 3, 64])
def test_the_time_left_is_that_of_the_cores_of_the_run(cores, tmp_path, monkeypatch):
    """Gathering and summaries are shared among them; drawing and report are not."""
    folder = tmp_path / "results" / "tiny"
    plan = replace(Plan.read(folder / "plan.json"), replicates=10**7)
    plan.write(folder / "plan.json")
    asked, rest = [], Forecast.rest_seconds

    def rest_seconds(self, cores):
        asked.append(cores)
        return rest(self, cores)

    monkeypatch.setattr(Forecast, "rest_seconds", rest_seconds)
    tell = Teller(folder, cores)
    finish(folder, plan.batches[0].name, datetime.now(UTC))
    tell("fit")
    assert asked == [cores]


@pytest.mark.parametrize(
    ("options", "cores"), [(["--cores", "3"], 3), (["--profile", "slurm"], 100_000)]
)
def test_a_run_tells_the_line_its_cores(options, cores, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text((ROOT / "tests" / "workflow" / "tiny.yaml").read_text())
    told = []
    monkeypatch.setattr("hlm.cli.run.Teller", lambda _, cores: told.append(cores))
    monkeypatch.setattr("hlm.cli.run.call_quietly", lambda *_, **__: 1)
    assert main(["run", "study.yaml", *options]) == 1
    assert told == [cores]


SAID_BY_PROFILE = {"jobs: 12\n": 12, "cores: 3\njobs: 5\n": 3, "cores: all\n": None, "[": None}


@pytest.mark.parametrize("text", SAID_BY_PROFILE)
def test_the_cores_of_a_run_are_the_users_the_profiles_or_all(text, tmp_path):
    (tmp_path / "profile.yaml").write_text(text)
    said = SAID_BY_PROFILE[text] or os.cpu_count()
    assert cores_of(None, str(tmp_path)) == said
    assert cores_of(None, str(tmp_path / "profile.yaml")) == said
    assert cores_of(7, str(tmp_path)) == 7
    assert cores_of(None, None) == os.cpu_count()
    assert cores_of(None, str(ROOT / "profiles" / "slurm")) == 100_000


def test_the_length_of_batches_is_the_users_the_profiles_or_as_always(tmp_path):
    (tmp_path / "profile.yaml").write_text("configfile: [a.yaml, b.yaml]\n")
    assert batch_seconds_of(None, str(tmp_path)) == 30.0  # neither of the two is there
    (tmp_path / "a.yaml").write_text("batch_seconds: 50\n")
    (tmp_path / "b.yaml").write_text("batch_seconds: 60\n")
    assert batch_seconds_of(None, str(tmp_path)) == 60
    assert batch_seconds_of(7.0, str(tmp_path)) == 7.0
    assert batch_seconds_of(None, str(ROOT / "profiles" / "slurm")) == 600
    assert batch_seconds_of(None, None) == 30.0


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_one_line_rewritten_and_a_file_sees_milestones(monkeypatch):
    for stream, expected in (
        (Terminal(), "\r\x1b[Ka 1\r\x1b[Ka 2\r\x1b[Kwrong\na 2\r\x1b[K"),
        (io.StringIO(), "a 1\nwrong\n"),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        line = Line()
        line.update("a 1", "a")
        line.update("a 2", "a")
        line.above("wrong")
        line.end()
        assert stream.getvalue() == expected


# Snakemake's part: it says something, tells events to the open file that it is given, and ends.
PRETENDER = """
import json, os, sys
said, events, status = json.loads(sys.argv[1])
print(said)
assert sys.argv[2:4] == ["--logger", "hlm"] and sys.argv[4] == "--logger-hlm-events"
for event in events:
    os.write(int(sys.argv[5]), (json.dumps(event) + chr(10)).encode())
sys.exit(status)
"""


def run_quietly(log, said, *events, status=0):
    """Run a pretended Snakemake; return its exit status and the rules that the line was told."""
    command = [sys.executable, "-c", PRETENDER, json.dumps([said, events, status])]
    rules = []
    result = call_quietly(command, log, lambda rule: (rules.append(rule) or "line", "line"))
    return result, rules


def test_errors_of_jobs_are_shown_and_all_is_kept(tmp_path, capsys):
    log = tmp_path / "logs" / "snakemake.log"
    events = [{"rule": "fit"}, {"error_of_job": "Error in rule fit:\nValueError: boom\n"}]
    events.append({"error": "WorkflowError: a job failed"})
    assert run_quietly(log, "what Snakemake says\n\u2013", *events, status=1)[0] == 1
    err = capsys.readouterr().err
    assert "Error in rule fit:\nValueError: boom\n" in err
    assert "WorkflowError" not in err  # the error of the job says why
    assert "what Snakemake says" not in err
    assert err.endswith(f"all that Snakemake said: {log} (paths in it are from .)\n")
    assert log.read_text() == "what Snakemake says\n\u2013\n"


def test_the_line_is_told_the_latest_rule(tmp_path):
    said = "x" * 100_000  # more than a pipe holds: nothing waits for the other
    _, rules = run_quietly(tmp_path / "log", said, {"rule": "fit"}, {"rule": "compact"})
    assert set(rules) <= {"", "fit", "compact"}
    assert (tmp_path / "log").read_text() == f"{said}\n"


@pytest.mark.parametrize(
    ("said", "events", "expected"),
    [
        ("noise", [{"error": "WorkflowError:\nno such rule"}], "WorkflowError:\nno such rule"),
        ("usage: x\nsnakemake: error: no option -x", [], "snakemake: error: no option -x"),
        ("noise\n" * 100 + "killed", [], "killed"),
    ],
)
def test_other_failures_are_explained(said, events, expected, tmp_path, capsys):
    assert run_quietly(tmp_path / "log", said, *events, status=2)[0] == 2
    err = capsys.readouterr().err
    assert err.count(expected) == 1
    assert ("noise" in err) == ("killed" in said)
    assert len(err.splitlines()) <= 42


def test_success_is_quiet(tmp_path, capsys):
    assert run_quietly(tmp_path / "log", "Nothing to be done")[0] == 0
    out, err = capsys.readouterr()
    assert "logger" not in out
    assert err.strip() == "line"


SNAKEFILE = """
rule all:
    input: "a", "b"
rule a:
    output: "a"
    shell: "touch a"
rule b:
    output: "b"
    log: "b.log"
    shell: "echo boom > {log}; exit 1"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="open files are listed on Linux only")
def test_snakemake_loaded_ahead_gets_its_arguments_and_the_lock(tmp_path):
    Path(tmp_path / "Snakefile").write_text(
        "import os\n"
        "print(os.getpid(), *sorted(map(os.path.realpath, os.scandir('/proc/self/fd'))))\n"
        "print(os.environ['HLM_RUN_LOCK'], config)\n"
        "rule all:\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--directory", str(tmp_path)]
    command += ["--snakefile", str(tmp_path / "Snakefile"), "--config", "word=said"]
    with loaded_ahead(quiet=True) as ahead, run_lock(tmp_path / "study"):
        assert call_quietly(command, tmp_path / "log", lambda _: ("line", ""), ahead=ahead) == 0
    said = (tmp_path / "log").read_text(encoding="utf-8")
    assert f"{ahead.process.pid} " in said
    assert str(tmp_path / "study" / ".lock") in said
    assert f"{tmp_path / 'study'} {{'word': 'said'}}" in said


def test_nothing_is_left_of_a_snakemake_that_is_not_needed():
    with loaded_ahead(quiet=False) as ahead:
        pass
    assert ahead.process.returncode == -signal.SIGKILL


def test_a_snakemake_that_hears_nothing_ends():
    """As where `hlm run` is killed."""
    with loaded_ahead(quiet=False) as ahead:
        ahead._channel.close()
        assert ahead.process.wait(60) == 0


def test_snakemake_tells_its_events_to_the_plugin(tmp_path, monkeypatch, capfd):
    """The real one: two rules, of which one fails."""
    monkeypatch.chdir(tmp_path)
    Path("Snakefile").write_text(SNAKEFILE)
    rules = []
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--show-failed-logs", "-k"]
    assert call_quietly(command, tmp_path / "log", lambda r: (rules.append(r) or "line", r)) == 1
    err = capfd.readouterr().err
    assert "Error in rule b:" in err
    assert "\nboom\n" in err
    assert "rule a" not in err
    assert rules[0] == ""
    assert call_quietly([*command, "nothing"], tmp_path / "log", lambda _: ("line", "")) == 1
    err = capfd.readouterr().err
    assert "MissingRuleException" in err
    assert "usage" not in err
    assert call_quietly([*command, "--nothing"], tmp_path / "log", lambda _: ("line", "")) == 2
    assert "unrecognized arguments: --nothing" in capfd.readouterr().err
