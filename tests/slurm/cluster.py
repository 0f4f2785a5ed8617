"""What the tests see of a Slurm cluster and do to it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

PATIENCE = 300.0


class Job(NamedTuple):
    """A job, or one task of an array, as `squeue` shows it."""

    id: str
    number: str
    state: str
    node: str
    limit: str
    memory: str
    account: str
    partition: str
    start: str

    @property
    def is_task(self) -> bool:
        """Whether it is part of an array."""
        return "_" in self.id

    @property
    def address(self) -> str:
        """What `scancel` takes at once.

        Given the id of a task it waits until no other of the array is pending; but the last task
        has the number of the whole array.
        """
        return self.id if self.id.startswith(f"{self.number}_") else self.number

    @property
    def started(self) -> float:
        """When it started, in seconds since the epoch; 0 before it did."""
        if not self.node:
            return 0.0
        return datetime.fromisoformat(self.start).timestamp()


@dataclass(frozen=True)
class Cluster:
    """A cluster that `start.sh` started in a folder."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a user of the cluster."""
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def run(self, *command: str | Path) -> str:
        """Run one of Slurm's commands, again while it is too busy, and return what it prints."""
        end = time.monotonic() + PATIENCE
        while True:
            done = subprocess.run(
                command, env=self.environment, capture_output=True, text=True, check=False
            )
            if "try again later" not in done.stderr or time.monotonic() > end:
                assert done.returncode == 0, done.stderr
                return done.stdout
            time.sleep(0.2)

    def jobs(self, *states: str) -> list[Job]:
        """Return all jobs of these states, or of all states, those that have ended too."""
        fields = "%i|%A|%T|%N|%l|%m|%a|%P|%S"
        shown = self.run("squeue", "--array", "--noheader", "--states=all", f"--format={fields}")
        jobs = [Job(*line.split("|")) for line in shown.splitlines()]
        return [job for job in jobs if not states or job.state in states]

    def node_state(self, node: str) -> str:
        """Return the state of a node: idle, mixed, draining, drained, ..."""
        ask = ["--noheader", "--partition=main", f"--nodes={node}", "--format=%T"]
        return self.run("sinfo", *ask).strip()


def until(seen: Callable[[], T]) -> T:
    """Wait until something is seen and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := seen()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
    return found


def free_ports(n: int) -> int:
    """Return the first of `n` ports in a row that nobody listens at."""

    def is_free(port: int) -> bool:
        with socket.socket() as candidate:
            return candidate.connect_ex(("127.0.0.1", port)) != 0

    return next(
        start
        for start in range(16817, 20000, n)
        if all(is_free(port) for port in range(start, start + n))
    )
