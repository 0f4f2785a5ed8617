"""Snakemake as a child: its words go to a file, its errors and the progress to the user."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import IO, TYPE_CHECKING, TypeAlias

from hlm.cli.progress import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["call", "call_quietly"]

RULE = re.compile(r"(?:local)?rule (\w+):")
ERROR_OF_JOB = re.compile(r"Error in (rule|group)")
END_OF_ERROR = re.compile(
    r"\[\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}\]$|Exiting because|Trying to restart|Removing output|"
    r"Select jobs|Shutting down|RuleException"
)
ERROR = re.compile(r"\S+: error: |\w*(Error|Exception)\b")

END_OF_PLANNING = re.compile(r"usage: |Building DAG")
PRELUDE = re.compile(r"Using \w+|Assuming |host: |$")
"""What Snakemake says before there are jobs; what the planning of the study says stands between."""

LONGEST_ERROR = 40

MOMENT = 0.3
"""Seconds in which Ctrl-C, which reaches Snakemake and its jobs too, has surely been noted here."""

Tell: TypeAlias = "Callable[[str], tuple[str, object]]"
"""The rule of the latest job, '' before the first -> the text of the line, and its milestone."""


def call(command: Sequence[str]) -> int:
    """Run Snakemake with its own words; return its exit status.

    Raises
    ------
    KeyboardInterrupt
        The user stopped it, once it has put its things in order and its jobs are gone.
    """
    from hlm.operations.lock import inherited  # with Arrow: too much for `hlm --help`

    _show(command)
    with _interrupts() as interrupted, subprocess.Popen(command, pass_fds=inherited()) as process:
        process.wait()
    if interrupted.is_set():
        raise KeyboardInterrupt
    return process.returncode


def call_quietly(
    command: Sequence[str],
    log: Path,
    tell: Tell,
    *,
    append: bool = False,
    directory: str | Path = ".",
) -> int:
    """Run Snakemake behind a line of progress; return its exit status.

    Parameters
    ----------
    command : sequence of str
    log : path
        The file for its words.
    tell : callable
        Gives the line's text.
    append : bool
        Keep what the file has.
    directory : path
        Where Snakemake works, and where the paths of which it speaks begin.

    Raises
    ------
    KeyboardInterrupt
        The user stopped it, once it has put its things in order and its jobs are gone.
    """
    from hlm.operations.lock import inherited

    _show(command)
    log.parent.mkdir(parents=True, exist_ok=True)
    line = Line()
    with (
        log.open("ab" if append else "wb", buffering=0) as file,
        _interrupts() as interrupted,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=inherited(),
        ) as process,
    ):
        listener = _Listener(process.stdout, file, line, interrupted)
        listener.start()
        while process.returncode is None:
            if interrupted.is_set():
                line.amend("stopping")
            else:
                line.update(*tell(listener.rule))
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1.0)
        listener.join()
    line.end()
    if interrupted.is_set():
        raise KeyboardInterrupt
    if process.returncode:
        _explain(log, directory, shown=listener.explained)
    return process.returncode


def _show(command: Sequence[str]) -> None:
    print("$", shlex.join(["snakemake", *command[3:]]), flush=True)


@contextmanager
def _interrupts() -> Iterator[Event]:
    """Note Ctrl-C, however often, instead of being stopped by it; unless it is ignored."""
    noted = Event()
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: noted.set())
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


class _Listener(Thread):
    """Copies what Snakemake says to a file, shows what matters, and notes the latest rule.

    Of what it says once the user has interrupted it nothing matters.
    """

    def __init__(
        self, source: IO[str] | None, file: IO[bytes], line: Line, interrupted: Event
    ) -> None:
        super().__init__(daemon=True)
        self._source, self._file, self._line = source, file, line
        self._interrupted = interrupted
        self.rule = ""
        self.explained = False

    def run(self) -> None:
        planning, shown = True, False
        for text in self._source or ():
            with suppress(OSError):  # a full disk: Snakemake must not wait for a reader that died
                self._file.write(text.encode())
            rule, before = RULE.match(text), shown
            self.rule = rule[1] if rule else self.rule
            if ERROR_OF_JOB.match(text):
                shown = True
            elif END_OF_PLANNING.match(text):
                planning = shown = False
            elif planning:
                shown = not PRELUDE.match(text)
            elif END_OF_ERROR.match(text):
                shown = False
            if shown and not before:
                self._interrupted.wait(MOMENT)
            if shown and not self._interrupted.is_set():
                self._line.above(text.rstrip("\n"))
                self.explained = self.explained or bool(ERROR.match(text))


def _explain(log: Path, directory: str | Path, *, shown: bool) -> None:
    """Show why Snakemake failed, where that was not the error of a job, and where to read more."""
    if not shown:
        lines = log.read_text(encoding="utf-8").rstrip().splitlines()
        errors = [place for place, text in enumerate(lines) if ERROR.match(text)]
        first = errors[0] if errors else len(lines) - LONGEST_ERROR
        print("\n".join(lines[max(0, first) :][:LONGEST_ERROR]), file=sys.stderr)
    print(f"all that Snakemake said: {log} (paths in it are from {directory})", file=sys.stderr)
