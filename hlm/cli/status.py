"""Say how far a study has come, also while it runs in the background or on a cluster.

    hlm status config/ogorek2012.yaml
    hlm status results/ogorek2012

Reads the folder of results only, so it may be called at any time, from any machine that sees it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hlm.cli.place import add_place, find_results
from hlm.cli.precision_lines import missed_lines, standing_lines
from hlm.cli.progress_line import done_of, time_left
from hlm.cli.sentences import duration
from hlm.words.nouns import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from hlm.operations.progress import Progress
    from hlm.plan import Plan

__all__ = ["add_arguments", "run"]

STEPS = {
    "estimates.parquet": "sorted files",
    "measures.parquet": "measures",
    "figures": "figures",
    "report.html": "report",
}
"""What comes after the fits: a file or folder of results, and what it is."""

MOST_FAILURES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)


def run(options: argparse.Namespace) -> int:
    """Look, print, return 0."""
    from hlm.operations.progress import Watch
    from hlm.plan import Plan

    place = find_results(options.study, options.results, allow_code=options.allow_code)
    folder = place.folder
    plan = Plan.read(folder / "plan.json")
    progress = Watch(plan, folder).look()
    print(f"{plan.study}: {done_of(progress)}")
    if place.study is not None and place.study.hash != plan.hash:
        print("the study file was changed since this run was planned")
    rounds = (*standing_lines(plan), *missed_lines(plan))
    steps = _steps(folder, progress) if plan.is_settled else ()
    for line in (*rounds, *_work(progress), *steps, *_failures(plan, folder)):
        print(line)
    return 0


def _work(progress: Progress) -> Iterator[str]:
    yield f"{progress.batches:,} of {counted(progress.all_batches, 'batch', 'batches')}"
    if progress.last is not None:
        ago = (datetime.now(UTC) - progress.last).total_seconds()
        yield f"last batch finished {duration(ago)} ago"
    if progress.batches < progress.all_batches:
        yield time_left(progress)


def _steps(folder: Path, progress: Progress) -> Iterator[str]:
    """Say which later steps are done with what is there now."""
    if progress.last is None or progress.batches < progress.all_batches:
        return
    last = progress.last.timestamp()
    there = [name for name in STEPS if _time(folder / name) >= last]
    for words, names in (("there", there), ("to come", [n for n in STEPS if n not in there])):
        if names:
            yield f"{words}: {', '.join(STEPS[name] for name in names)}"


def _time(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def _failures(plan: Plan, folder: Path) -> Iterator[str]:
    """Name logs that say something, of batches that are not finished."""
    logs = [
        folder / "logs" / "fit" / f"{batch.name}.log"
        for batch in plan.batches
        if not (folder / "parts" / f"{batch.name}.json").exists()
    ]
    loud = [log for log in logs if log.exists() and log.stat().st_size]
    for log in loud[:MOST_FAILURES]:
        yield f"{log}: {log.read_text(encoding='utf-8').rstrip().rpartition(chr(10))[2]}"
    if len(loud) > MOST_FAILURES:
        yield f"and {len(loud) - MOST_FAILURES} more of these logs"
