"""Snakemake as a child, which may be started before it is known what it is to do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING

from hlm.pipeline_files import pipeline_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Ahead", "Child", "child", "loaded_ahead"]

PLUGINS = pipeline_files() / "workflow" / "logger"
"""Where Snakemake finds the plugin, and Python `snakemake_ahead`: a folder for PYTHONPATH."""

SNAKEMAKE = [sys.executable, "-m", "snakemake"]
AHEAD = [sys.executable, "-m", "snakemake_ahead"]


class Child:
    """A process.

    Parameters
    ----------
    command : sequence of str
    quiet : bool
        Whether what it says and what it does come through pipes.
    files : tuple of int
        Open files that it inherits.

    Attributes
    ----------
    process : Popen
    events : open file, optional
        What a quiet one does, as the plugin tells.
    """

    def __init__(self, command: Sequence[str], *, quiet: bool, files: tuple[int, ...]) -> None:
        self.events: IO[bytes] | None = None
        self.plugin: list[str] = []
        writer = None
        if quiet:
            reader, writer = os.pipe()
            self.events = os.fdopen(reader, "rb")
            self.plugin = ["--logger", "hlm", "--logger-hlm-events", str(writer)]
            files = (*files, writer)
        path = os.pathsep.join(filter(None, [str(PLUGINS), os.environ.get("PYTHONPATH")]))
        try:
            self.process = subprocess.Popen(
                self._words(command),
                stdout=subprocess.PIPE if quiet else None,
                stderr=subprocess.STDOUT if quiet else None,
                env=os.environ | {"PYTHONPATH": path},
                pass_fds=files,
            )
        finally:
            if writer is not None:
                os.close(writer)  # or its other end would never come to an end

    def _words(self, command: Sequence[str]) -> list[str]:
        return [*command, *self.plugin]

    def close(self) -> None:
        """Wait until it has ended."""
        with ExitStack() as stack:
            stack.enter_context(self.process)
            if self.events is not None:
                stack.enter_context(self.events)


class Ahead(Child):
    """Snakemake that loads itself and waits for its arguments.

    Attributes
    ----------
    quiet : bool
    waits : bool
        Whether it still does.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet, self.waits = quiet, True
        self._channel, theirs = socket.socketpair()
        with theirs:
            place = theirs.fileno()
            super().__init__([*AHEAD, str(place)], quiet=quiet, files=(place,))

    def _words(self, command: Sequence[str]) -> list[str]:
        return [*command]

    def begin(self, arguments: Sequence[str], files: Sequence[int]) -> None:
        """Send the arguments, and open files that it then has too."""
        self.waits = False
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        asked = {"arguments": [*arguments, *self.plugin], "environment": variables}
        with self._channel, suppress(BrokenPipeError):  # it has been killed: its status says so
            text = json.dumps(asked).encode()
            sent = socket.send_fds(self._channel, [text], files)
            self._channel.sendall(text[sent:])

    def give_up(self) -> None:
        """End it."""
        self._channel.close()
        self.process.kill()
        self.close()


@contextmanager
def loaded_ahead(*, quiet: bool) -> Iterator[Ahead]:
    """Have Snakemake load itself; end it after the block if nothing was asked of it.

    Parameters
    ----------
    quiet : bool
        As for `Child`.
    """
    ahead = Ahead(quiet=quiet)
    try:
        yield ahead
    finally:
        if ahead.waits:
            ahead.give_up()


@contextmanager
def child(command: Sequence[str], *, quiet: bool, ahead: Ahead | None = None) -> Iterator[Child]:
    """Start Snakemake, or give the one that is loaded ahead its arguments; wait for its end.

    It has the lock of the results, as this process does.

    Parameters
    ----------
    command : sequence of str
    quiet : bool
        As for `Child`.
    ahead : Ahead, optional
        Taken if it is as quiet, and still waits.
    """
    from hlm.operations.lock import inherited  # with Arrow: too much for `hlm --help`

    begun: Child
    if [*command[:3]] == SNAKEMAKE:
        if ahead is None or not ahead.waits or ahead.quiet != quiet:
            ahead = Ahead(quiet=quiet)
        ahead.begin(command[3:], inherited())
        begun = ahead
    else:
        begun = Child(command, quiet=quiet, files=inherited())
    try:
        yield begun
    finally:
        begun.close()
