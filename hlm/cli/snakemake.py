"""Snakemake as a child: its words go to a file, its errors and the progress to the user.

What it does is told by a logger plugin of this project, `workflow/logger`, one line of JSON for
each event, through a pipe. Its words are copied to the file as they are, and read by nobody else.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from collections import deque
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import IO, TYPE_CHECKING, TypeAlias

from hlm.cli.progress_line import Line
from hlm.cli.snakemake_child import child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from hlm.cli.snakemake_child import Ahead

__all__ = ["call", "call_quietly"]

MOST_LINES = 40
"""Lines of an error that are shown."""

MOMENT = 0.3
"""Seconds in which Ctrl-C, which reaches Snakemake and its jobs too, has surely been noted here."""

Tell: TypeAlias = "Callable[[str], tuple[str, object]]"
"""The rule of the latest job, '' before the first -> the text of the line, and its milestone."""


def call(command: Sequence[str], *, ahead: Ahead | None = None) -> int:
    """Run Snakemake with its own words; return its exit status.

    Raises
    ------
    KeyboardInterrupt
        The user stopped it, once it has put its things in order and its jobs are gone.
    """
    _show(command)
    with _interrupts() as interrupted, child(command, quiet=False, ahead=ahead) as snakemake:
        status = snakemake.process.wait()
    if interrupted.is_set():
        raise KeyboardInterrupt
    return status


def call_quietly(
    command: Sequence[str],
    log: Path,
    tell: Tell,
    *,
    append: bool = False,
    directory: str | Path = ".",
    ahead: Ahead | None = None,
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
    ahead : Ahead, optional
        One that is loaded.

    Raises
    ------
    KeyboardInterrupt
        The user stopped it, once it has put its things in order and its jobs are gone.
    """
    _show(command)
    log.parent.mkdir(parents=True, exist_ok=True)
    line = Line()
    with (
        log.open("ab" if append else "wb", buffering=0) as file,
        _interrupts() as interrupted,
        child(command, quiet=True, ahead=ahead) as snakemake,
    ):
        process = snakemake.process
        copier = _Copier(process.stdout, file)
        listener = _Listener(snakemake.events, line, interrupted)
        copier.start()
        listener.start()
        while process.returncode is None:
            if interrupted.is_set():
                line.amend("stopping")
            else:
                line.update(*tell(listener.rule))
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1.0)
        listener.join()
        copier.join()
    line.end()
    if interrupted.is_set():
        raise KeyboardInterrupt
    if process.returncode:
        if not listener.explained:
            # Where the plugin was not at work yet, Snakemake's last words are all there is.
            why = "\n".join(listener.errors) or "".join(copier.last)
            print("\n".join(why.strip().splitlines()[:MOST_LINES]), file=sys.stderr)
        print(f"all that Snakemake said: {log} (paths in it are from {directory})", file=sys.stderr)
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


class _Copier(Thread):
    """Copies what Snakemake says to a file, and keeps its last lines."""

    def __init__(self, source: IO[bytes] | None, file: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._source, self._file = source, file
        self.last: deque[str] = deque(maxlen=MOST_LINES)

    def run(self) -> None:
        for text in self._source or ():
            with suppress(OSError):  # a full disk: Snakemake must not wait for a reader that died
                self._file.write(text)
            self.last.append(text.decode(errors="replace"))


class _Listener(Thread):
    """Notes the latest rule, shows the errors of jobs, and keeps those of Snakemake itself.

    Of what it tells once the user has interrupted it nothing matters.
    """

    def __init__(self, events: IO[bytes] | None, line: Line, interrupted: Event) -> None:
        super().__init__(daemon=True)
        self._events, self._line, self._interrupted = events, line, interrupted
        self.rule = ""
        self.errors: list[str] = []
        self.explained = False

    def run(self) -> None:
        for text in self._events or ():
            event = json.loads(text)
            self.rule = event.get("rule", self.rule)
            if "error" in event:
                self.errors.append(event["error"])
            if "error_of_job" in event and not self._interrupted.wait(MOMENT):
                self._line.above(event["error_of_job"].rstrip())
                self.explained = True
