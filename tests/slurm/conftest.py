"""A Slurm cluster on this machine, for as long as the tests run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, free_ports

HERE = Path(__file__).parent
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")


@pytest.fixture(scope="session")
def cluster():
    """Four nodes of one core each."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    missing = [program for program in PROGRAMS if not shutil.which(program, path=path)]
    if missing:
        pytest.skip(f"no Slurm here (Debian: slurm-wlm, munge): {', '.join(missing)} missing")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # pytest's own are closed to other users
    start = [HERE / "start.sh", folder, str(free_ports(5))]
    try:
        started = subprocess.run(start, capture_output=True, text=True, check=False)
        if started.returncode:
            pytest.skip(f"Slurm does not start here: {started.stderr.strip()[-500:]}")
        yield Cluster(folder)
    finally:
        subprocess.run([HERE / "stop.sh", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)
