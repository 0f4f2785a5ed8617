"""A study on a real Slurm: as arrays, on several nodes, through what goes wrong on a cluster.

And what else a cluster asks for: many first jobs at once, an account, another batch system. In one
file, for one cluster at a time.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.slurm.cluster import until
from tests.workflow.test_study import HLM, ROOT, TABLES, TINY, snakemake, tables

pytestmark = pytest.mark.slow

STUDY = TINY.replace("[8, 12]", str(list(range(8, 28))))
ARRAY = 8
"""Tasks of an array: Slurm is asked to end a task only once no other of its array is pending."""

QUICK = [
    "--slurm-status-command=squeue",  # there is no accounting
    "--slurm-init-seconds-before-status-checks=1",
    "--seconds-between-status-checks=1",
    "--latency-wait=5",
]
OTHER_SYSTEM = """\
executor: cluster-generic
cluster-generic-submit-cmd: sbatch --mem={resources.mem_mb} --time={resources.runtime}
jobs: 200
default-resources:
  mem_mb: "attempt * 1000"
  runtime: "attempt * 60"
"""
MARK = ".cache/kernels-q2"
"""What the rule `compile_kernels` makes for the tiny study, from the folder of results."""
KERNELS = Path(__file__).parents[1] / "first_kernels.py"


def command(*passed_on, profile="slurm", options=QUICK):
    """Return the command of a user, in batches as small as can be."""
    ask = ["run", "study.yaml", "--profile", profile, "--batch-seconds", "1e-4", "--"]
    return [*HLM, *ask, *options, *passed_on]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The study on this machine."""
    folder = tmp_path_factory.mktemp("local")
    snakemake(folder, "compact", "summarize", study=STUDY)
    return tables(folder)


@dataclass(frozen=True)
class BadDay:
    """A run of the study, what was done to it, and what became of its jobs."""

    tables: dict
    jobs: list
    cancelled: str
    limited: str
    node: str
    drained: tuple[float, float]


@pytest.fixture(scope="module")
def bad_day(cluster, tmp_path_factory):
    """The study on the cluster: a job hangs, one is cancelled, a node goes and comes again."""
    folder = tmp_path_factory.mktemp("bad_day")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    before = {job.id for job in cluster.jobs()}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command("compact", "summarize", options=[*QUICK, f"--slurm-array-limit={ARRAY}"]),
            cwd=folder,
            env=cluster.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as run,
    ):
        try:
            limited = hang(cluster)
            node = drain(cluster, limited)
            begin = time.time()
            cancelled = cancel(cluster, limited)
            until(lambda: sum(job.started > begin for job in cluster.jobs()) > 2)
            drained = (begin, time.time())
            cluster.run("scontrol", "update", f"NodeName={node}", "State=RESUME")
            assert run.wait(900) == 0, (folder / "log").read_text()
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)  # and Snakemake, which it started
    jobs = [job for job in cluster.jobs() if job.id not in before]
    return BadDay(tables(folder), jobs, cancelled, limited, node, drained)


def running(cluster, *but):
    """Return the jobs that run now, but for some."""
    return [job for job in cluster.jobs("RUNNING") if job.id not in but]


def hang(cluster):
    """Stop the processes of a job and let it reach its time limit."""
    job = until(lambda: [job for job in running(cluster) if job.is_task])[0]
    cluster.run("scancel", "--signal=STOP", "--full", job.address)
    cluster.run("scontrol", "update", f"JobId={job.address}", "EndTime=now+1")
    return job.id


def drain(cluster, *but):
    """Take a node away once it has finished its job."""
    node = until(lambda: running(cluster, *but))[0].node
    cluster.run("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")
    until(lambda: cluster.node_state(node) == "drained")
    return node


def cancel(cluster, *but):
    """Cancel a job while it runs; if it was done before that, another."""
    while True:
        job = until(lambda: running(cluster, *but))[0]
        cluster.run("scancel", job.address)
        if end_of(cluster, job) == "CANCELLED":
            return job.id


def end_of(cluster, job):
    """Wait until a job has ended and return how."""
    ways = ("CANCELLED", "COMPLETED")
    (end,) = until(lambda: [j.state for j in cluster.jobs(*ways) if j.id == job.id])
    return end


def test_a_cluster_gives_the_same_numbers_as_one_machine(bad_day, local):
    for name in TABLES:
        assert bad_day.tables[name].equals(local[name]), name


def test_jobs_run_on_all_nodes_and_many_of_them_as_arrays(bad_day):
    completed = [job for job in bad_day.jobs if job.state == "COMPLETED"]
    assert len(completed) >= 20
    assert {job.node for job in completed} == {"n1", "n2", "n3", "n4"}
    arrays = Counter(job.id.partition("_")[0] for job in bad_day.jobs if job.is_task)
    assert max(arrays.values()) == ARRAY
    assert sum(arrays.values()) >= 20


def megabytes(job):
    """Return the memory that a job asks for; of an array some for its commands is added."""
    return float(job.memory[:-1]) * {"M": 1, "G": 1024}[job.memory[-1]]


def test_jobs_that_were_cancelled_or_timed_out_are_run_again_with_more(bad_day):
    ended = {job.id: job.state for job in bad_day.jobs if job.state != "COMPLETED"}
    assert ended == {bad_day.cancelled: "CANCELLED", bad_day.limited: "TIMEOUT"}
    again = [job for job in bad_day.jobs if job.limit == "2:00:00"]
    assert [job.state for job in again] == ["COMPLETED"] * 2
    assert all(4000 <= megabytes(job) < 4100 for job in again), {job.memory for job in again}
    first = [job for job in bad_day.jobs if job.limit == "1:00:00"]
    assert all(2000 <= megabytes(job) < 2100 for job in first), {job.memory for job in first}


def test_a_drained_node_gets_no_job_until_it_is_resumed(bad_day):
    starts = [job.started for job in bad_day.jobs if job.node == bad_day.node]
    begin, end = bad_day.drained
    assert not [start for start in starts if begin < start < int(end)]
    assert any(start >= int(end) for start in starts)


def run(folder, cluster, line):
    (folder / "study.yaml").write_text(TINY, encoding="utf-8")
    done = subprocess.run(
        line, cwd=folder, env=cluster.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_first_jobs_on_all_nodes_compile_once(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    line = f"echo | {sys.executable} {KERNELS}"
    cluster.run("sbatch", "--wait", "--array=1-8", f"--output={tmp_path}/%a.log", f"--wrap={line}")
    said = [(tmp_path / f"{task}.log").read_text().splitlines()[-1] for task in range(1, 9)]
    assert sorted(said) == ["False 30.0 14 2"] * 7 + ["True 30.0 14 0"]


def test_account_and_partition_are_those_of_the_profile(cluster, tmp_path):
    profile = shutil.copytree(ROOT / "profiles" / "slurm", tmp_path / "mine")
    text = (profile / "profile.yaml").read_text(encoding="utf-8")
    text = text.replace("slurm_account:", "slurm_account: grant").replace(
        "slurm_partition:", "slurm_partition: night"
    )
    (profile / "profile.yaml").write_text(text, encoding="utf-8")
    before = {job.id for job in cluster.jobs()}
    run(tmp_path, cluster, command(MARK, profile="mine"))
    (job,) = [job for job in cluster.jobs() if job.id not in before]
    assert (job.account, job.partition, job.state) == ("grant", "night", "COMPLETED")


def test_another_batch_system_needs_only_its_command(cluster, tmp_path):
    """`sbatch` stands for `qsub`: it is given a script, and marks in files tell how it ended."""
    profile = tmp_path / "other"
    profile.mkdir()
    (profile / "profile.yaml").write_text(OTHER_SYSTEM, encoding="utf-8")
    before = {job.id for job in cluster.jobs()}
    run(tmp_path, cluster, command(MARK, profile="other", options=["--latency-wait=5"]))
    (job,) = [job for job in cluster.jobs() if job.id not in before]
    assert (job.state, job.memory, job.limit) == ("COMPLETED", "1000M", "1:00:00")


TRIAL = """\
name: trial
seed: 3
replicates: 100
truth:
  formula: y ~ arm + (1 | school)
  fixed: {(Intercept): 0, arm: 0.6}
  random: {school: {sd: {(Intercept): 0.4}}}
  residual: {sd: 1}
design:
  units: 20
  rows: 10
  covariates: {arm: {level: unit, balanced: [0, 1]}}
models: {trial: y ~ arm + (1 | school)}
estimation: {methods: [reml]}
solve: {target: {power: {arm: 0.8}}, vary: units, precision: 0.1}
"""


def test_a_size_is_found_by_rounds_of_jobs(cluster, tmp_path):
    """The answer is that of one process: the search is a function of what comes back."""
    (tmp_path / "trial.yaml").write_text(TRIAL, encoding="utf-8")
    before = {job.id for job in cluster.jobs()}

    def answer(*more):
        done = subprocess.run(
            [*HLM, "solve", "trial.yaml", *more],
            cwd=tmp_path,
            env=cluster.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = done.stdout[done.stdout.index("\n\n") :]
        return [line for line in found.splitlines() if " round" not in line]

    there = answer("--profile", "slurm", "--", *QUICK)
    new = [job for job in cluster.jobs() if job.id not in before]
    assert len(new) >= 2
    assert {job.state for job in new} == {"COMPLETED"}
    assert there == answer()
