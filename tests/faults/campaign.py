"""A campaign of kill -9 against runs of a study, which must end as an undisturbed run does.

    python -m tests.faults.campaign --kills 100 --minutes 10

Each run is killed at a random moment: all of it, Snakemake alone, `hlm run` alone, or single jobs
of it. Then the study is run again, until it completes. After each completion the files of results
are compared, byte for byte, with those of a run that nobody disturbed, and the folder is emptied
for the next round.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from hlm.operations.forecast import forecast
from hlm.plan import make_plan
from hlm.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable

STUDY = Path(__file__).with_name("study.yaml")
CORES = 2
BATCHES = 3
TARGETS = ("compact", "summarize")
HLM = [sys.executable, "-c", "import sys; from hlm.cli import main; sys.exit(main())"]
SUMMARIES = ("measures", "differences", "accounting", "selection", "margins", "scenarios")
FILES = (
    *(f"{table}.parquet" for table in ("estimates", "fits", "tests", *SUMMARIES)),
    *(f"{table}.csv" for table in SUMMARIES),
)
WHOM = {"everything": 6, "jobs": 1, "snakemake": 1, "hlm": 1}
"""What is killed -> in how many runs, relative to the others."""

LONGEST_RUN = 300.0
BETWEEN_JOBS = 1.0
"""Mean seconds between the deaths of single jobs in one run."""
MOST_JOBS = 4
"""Deaths of single jobs in one run."""


@cache
def batch_seconds() -> float:
    """Return the length of a batch with which the study has about so many as it should."""
    return forecast(make_plan(Study.load(STUDY))).fit_seconds / BATCHES


@dataclass
class Tally:
    """What happened in a campaign."""

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    refused: int = 0
    rounds: int = 0
    start: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(self.kills.items()))
        return (
            f"{self.kills.total()} kills ({kinds}) in {self.runs} runs, {self.refused} refused; "
            f"{self.rounds} times complete, as undisturbed, in {self.seconds:.0f} s"
        )


class Run:
    """`hlm run` in a session of its own, and whatever it starts."""

    def __init__(
        self,
        folder: Path,
        targets: tuple[str, ...] = TARGETS,
        options: tuple[str, ...] = ("--verbose",),
    ) -> None:
        command = [*HLM, "run", "study.yaml", "--cores", str(CORES), *options]
        command += ["--batch-seconds", str(batch_seconds()), "--", *targets]
        self._log = (folder / "log").open("w+", encoding="utf-8")
        self.main = subprocess.Popen(
            command, cwd=folder, stdout=self._log, stderr=self._log, start_new_session=True
        )

    def processes(self) -> list[psutil.Process]:
        """Return what is alive of the run, orphans too."""
        return [process for process in psutil.process_iter() if _session(process) == self.main.pid]

    def jobs(self) -> list[psutil.Process]:
        """Return the scripts at work."""
        return [process for process in self.processes() if ".snakemake/scripts" in _line(process)]

    def snakemake(self) -> list[psutil.Process]:
        """Return Snakemake's own process."""
        return [process for process in self.processes() if "-m snakemake" in _line(process)]

    def kill(self, whom: str, chance: random.Random) -> bool:
        """Kill -9 part of the run; return whether there was something to kill."""
        if whom == "hlm":
            alive = self.main.poll() is None
            self.main.kill()
            return alive
        found = {"everything": self.processes, "jobs": self.jobs, "snakemake": self.snakemake}
        victims = found[whom]()
        if whom == "jobs" and victims:
            victims = [chance.choice(victims)]
        for victim in victims:
            _kill(victim)
        return bool(victims)

    def end(self) -> int:
        """Wait for the end of `hlm run`, and of its orphans."""
        status = self.main.wait(LONGEST_RUN)
        for orphan in self.processes():
            orphan.wait(LONGEST_RUN)
        return status

    def said(self) -> str:
        """Return what the run has printed."""
        self._log.seek(0)
        return self._log.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill("everything", random.Random())
        self.main.wait()
        self._log.close()


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody killed: where it is, the checksums of its results, what it took."""

    folder: Path
    results: dict[str, str]
    seconds: float


def undisturbed(folder: Path) -> Undisturbed:
    """Run the study in peace."""
    start = time.monotonic()
    prepare(folder)
    with Run(folder) as run:
        assert run.end() == 0, run.said()
    return Undisturbed(folder, results(folder), time.monotonic() - start)


def campaign(
    folder: Path,
    model: Undisturbed,
    *,
    kills: int,
    seconds: float,
    seed: int,
    tell: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Kill runs until there were enough kills or the time is over, then let the last complete.

    Parameters
    ----------
    folder : path
        To work in.
    model : Undisturbed
        What the results must be.
    kills : int
    seconds : float
    seed : int
        Of the moments and the victims.
    tell : callable
        Given the tally after each run.

    Raises
    ------
    AssertionError
        A run failed that nobody disturbed, results differ, or something finished was lost.
    """
    chance, tally = random.Random(seed), Tally()
    prepare(folder)
    while tally.kills.total() < kills and time.monotonic() - tally.start < seconds:
        (whom,) = chance.choices(list(WHOM), list(WHOM.values()))
        if disturb(folder, whom, chance, tally, usual=model.seconds, most=kills):
            complete(folder, model, tally)
            prepare(folder)
        tell(tally)
    with Run(folder) as run:
        assert run.end() == 0, run.said()
    complete(folder, model, tally)
    tally.seconds = time.monotonic() - tally.start
    return tally


def disturb(
    folder: Path, whom: str, chance: random.Random, tally: Tally, *, usual: float, most: int
) -> bool:
    """Start a run and kill of it; return whether it completed all the same."""
    finished = receipts(folder)
    with Run(folder) as run:
        tally.runs += 1
        killed = 0
        while run.main.poll() is None and tally.kills.total() < most:
            between = chance.expovariate(1.0 / BETWEEN_JOBS)
            # What a run leaves done the next need not do: late steps get their share all the same.
            _wait_or_end(run, between if whom == "jobs" else chance.uniform(0.0, usual / 2))
            if run.main.poll() is None and run.kill(whom, chance):
                tally.kills[whom] += 1
                killed += 1
            if killed >= (MOST_JOBS if whom == "jobs" else 1):
                break
        if whom in ("hlm", "snakemake") and killed:
            tally.refused += refused_while_alive(folder, run)
        status = run.end()
        tally.seconds = time.monotonic() - tally.start
        assert status == 0 or killed, f"failed though nobody disturbed it:\n{run.said()}"
    _check_kept(folder, finished)
    return status == 0


def refused_while_alive(folder: Path, first: Run) -> int:
    """Start a second run at once; return whether it was refused, as it must be beside Snakemake."""
    alone = not first.snakemake()
    with Run(folder) as second:
        status = second.end()
        refused = "another run is at work" in second.said()
        assert alone or refused or not first.snakemake(), second.said()
        assert refused == (status == 2), second.said()
        assert refused or status == 0, second.said()
    return refused


def complete(folder: Path, model: Undisturbed, tally: Tally) -> None:
    """Compare a completed run with the undisturbed one."""
    found = results(folder)
    different = [name for name in FILES if found[name] != model.results[name]]
    assert not different, f"{different} differ after {tally}"
    leftovers = [path for path in folder.rglob(".*.tmp") if path.is_file()]
    assert not leftovers, f"{leftovers} left after {tally}"
    tally.rounds += 1


def results(folder: Path) -> dict[str, str]:
    """Return the checksum of each file of results."""
    return {name: _checksum(folder / "results" / "faults" / name) for name in FILES}


def receipts(folder: Path) -> dict[Path, int]:
    """Return the finished batches and when they were finished."""
    found = folder.glob("results/faults/parts/*.json")
    return {path: path.stat().st_mtime_ns for path in found}


def _check_kept(folder: Path, finished: dict[Path, int]) -> None:
    """Check that batches which were finished before a run are still there, and not done again.

    Snakemake does those again that it was killed over, at most one for each core.
    """
    now = receipts(folder)
    lost = [path for path, when in finished.items() if now.get(path) != when]
    assert len(lost) <= CORES, f"lost or done again: {lost}"


def prepare(folder: Path) -> None:
    """Make the folder, with nothing in it but the study."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(STUDY, folder)


def _wait_or_end(run: Run, seconds: float) -> None:
    try:
        run.main.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _checksum(path: Path) -> str:
    return blake2b(path.read_bytes()).hexdigest()


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid) if process.status() != psutil.STATUS_ZOMBIE else -1
    except (ProcessLookupError, psutil.NoSuchProcess):
        return -1


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def main() -> int:
    """Run a campaign and say what happened."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tally = campaign(
            Path(folder, "killed"),
            undisturbed(Path(folder, "undisturbed")),
            kills=options.kills,
            seconds=60 * options.minutes,
            seed=options.seed,
            tell=lambda tally: print(tally, flush=True),
        )
    print(tally)
    if tally.kills.total() < options.kills:
        print("fewer kills than asked for: the time was over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
