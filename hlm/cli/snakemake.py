"""Snakemake as a child: its words go to a file, its errors and the progress to the user."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import suppress
from threading import Thread
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from hlm.cli.progress import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["call", "call_quietly"]

INTERRUPTED = 130

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

Tell: TypeAlias = "Callable[[str], tuple[str, object]]"
"""The rule of the latest job, '' before the first -> the text of the line, and its milestone."""


def call(command: Sequence[str]) -> int:
    """Run Snakemake with its own words; on Ctrl-C let it put its things in order."""
    from hlm.store.lock import inherited  # with Arrow: too much for `hlm --help`

    _show(command)
    with subprocess.Popen(command, pass_fds=inherited()) as process:
        interrupted = _wait(process, lambda: None)
    return INTERRUPTED if interrupted else process.returncode


def call_quietly(command: Sequence[str], log: Path, tell: Tell, *, append: bool = False) -> int:
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
    """
    from hlm.store.lock import inherited

    _show(command)
    log.parent.mkdir(parents=True, exist_ok=True)
    line = Line()
    with (
        log.open("ab" if append else "wb", buffering=0) as file,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=inherited(),
        ) as process,
    ):
        listener = _Listener(process.stdout, file, line)
        listener.start()
        interrupted = _wait(process, lambda: line.update(*tell(listener.rule)))
        listener.join()
    line.end()
    if process.returncode and not interrupted:
        _explain(log, shown=listener.explained)
    return INTERRUPTED if interrupted else process.returncode


def _show(command: Sequence[str]) -> None:
    print("$", shlex.join(["snakemake", *command[3:]]), flush=True)


def _wait(process: subprocess.Popen[Any], each_second: Callable[[], None]) -> bool:
    """Wait for the end of a process; return whether the user interrupted it."""
    interrupted = False
    while process.returncode is None:
        try:
            each_second()
            process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:
            interrupted = True
    return interrupted


class _Listener(Thread):
    """Copies what Snakemake says to a file, shows what matters, and notes the latest rule."""

    def __init__(self, source: IO[str] | None, file: IO[bytes], line: Line) -> None:
        super().__init__(daemon=True)
        self._source, self._file, self._line = source, file, line
        self.rule = ""
        self.explained = False

    def run(self) -> None:
        planning, shown = True, False
        for text in self._source or ():
            with suppress(OSError):  # a full disk: Snakemake must not wait for a reader that died
                self._file.write(text.encode())
            rule = RULE.match(text)
            self.rule = rule[1] if rule else self.rule
            if ERROR_OF_JOB.match(text):
                shown = True
            elif END_OF_PLANNING.match(text):
                planning = shown = False
            elif planning:
                shown = not PRELUDE.match(text)
            elif END_OF_ERROR.match(text):
                shown = False
            if shown:
                self._line.above(text.rstrip("\n"))
                self.explained = self.explained or bool(ERROR.match(text))


def _explain(log: Path, *, shown: bool) -> None:
    """Show why Snakemake failed, where that was not the error of a job, and where to read more."""
    if not shown:
        lines = log.read_text(encoding="utf-8").rstrip().splitlines()
        errors = [place for place, text in enumerate(lines) if ERROR.match(text)]
        first = errors[0] if errors else len(lines) - LONGEST_ERROR
        print("\n".join(lines[max(0, first) :][:LONGEST_ERROR]), file=sys.stderr)
    print(f"all that Snakemake said: {log}", file=sys.stderr)
