"""The line that says how far a run is, rewritten in place on a terminal, sparse in a file."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from hlm.cli.sentences import duration
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from pathlib import Path

    from hlm.operations.progress import Progress, Watch

__all__ = ["Line", "Teller", "done_of", "time_left"]

STEPS = {
    "compile_kernels": "compiling the kernels, once for this version",
    "compact": "gathering the results",
    "summarize_chunk": "summarizing",
    "summarize": "summarizing",
    "present": "drawing and writing the report",
    "audit": "fitting a sample by another engine",
}

CLEAR = "\r\x1b[K"


class Line:
    """One line on standard error: on a terminal the latest text, in a file each new milestone."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._text = ""
        self._milestone: object = None
        self._lock = Lock()

    def update(self, text: str, milestone: object) -> None:
        """Show a text; one of the same milestone as the last is shown on a terminal only."""
        with self._lock:
            if self._terminal:
                columns = shutil.get_terminal_size().columns
                self._text = text[: columns - 1]
                self._write(CLEAR + self._text)
            elif milestone != self._milestone:
                self._write(f"{text}\n")
            self._milestone = milestone

    def amend(self, text: str) -> None:
        """Show a text on a terminal; in a file it is no milestone."""
        self.update(text, self._milestone)

    def above(self, text: str) -> None:
        """Print something that stays, above the line."""
        with self._lock:
            self._write(f"{CLEAR}{text}\n{self._text}" if self._terminal else f"{text}\n")

    def end(self) -> None:
        """Wipe the line."""
        with self._lock:
            if self._terminal and self._text:
                self._write(CLEAR)
                self._text = ""

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


class Teller:
    """Words for where a run is: the latest rule, and the receipts in the folder of the study.

    Parameters
    ----------
    folder : path
        The study's.
    cores : int
        Those of the run, for what comes after the last fit.
    """

    def __init__(self, folder: Path, cores: int) -> None:
        self._folder, self._cores = folder, cores
        self._watch: Watch | None = None
        self._rest = 0.0

    def __call__(self, rule: str) -> tuple[str, object]:
        """Return the text of the line, and its milestone."""
        if not rule:
            return "planning", rule
        progress = self._look()
        if rule == "compile_kernels" or progress.replicates == progress.all_replicates:
            text = "; ".join(filter(None, (done_of(progress), STEPS.get(rule))))
            return text, text
        text = f"{done_of(progress)}, {time_left(progress, self._rest)}"
        return text, 10 * progress.replicates // progress.all_replicates

    def _look(self) -> Progress:
        # The plan is there once there are jobs.
        from hlm.operations.forecast import forecast
        from hlm.operations.progress import Watch
        from hlm.plan import Plan

        if self._watch is None:
            plan = Plan.read(self._folder / "plan.json")
            self._rest = forecast(plan).rest_seconds(self._cores)
            self._watch = Watch(plan, self._folder)
        return self._watch.look()


def done_of(progress: Progress) -> str:
    """Say how many replicates are done.

    Examples
    --------
    >>> from hlm.operations.progress import Progress
    >>> done_of(Progress(12400, 36000, 3, 8, 4.0, 11.0, 2.0, None))
    '12,400 of 36,000 replicates (34 %)'
    """
    done, total = progress.replicates, progress.all_replicates
    return f"{done:,} of {counted(total, 'replicate')} ({100 * done // total} %)"


def time_left(progress: Progress, rest: float = 0.0) -> str:
    """Say the rate and the time left, `rest` seconds for what comes after the last fit included.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from hlm.operations.progress import Progress
    >>> last = datetime.now(UTC) - timedelta(seconds=1)
    >>> time_left(Progress(12000, 36000, 3, 8, 4.0, 12.0, 2.0, last), rest=20.0)
    '6,000 a second, about 23 s left'
    """
    if progress.last is None:
        return "simulating and fitting"
    left = rest + progress.seconds_left(datetime.now(UTC))
    return f"{_rate(progress.rate)}, about {duration(left)} left"


def _rate(rate: float) -> str:
    return f"{rate:,.0f} a second" if rate >= 2.0 else f"{60.0 * rate:,.0f} a minute"
