"""What else a cluster asks for: many first jobs at once, an account, another batch system."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slurm.test_slurm import command
from tests.workflow.test_study import ROOT, TINY

pytestmark = pytest.mark.slow

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
