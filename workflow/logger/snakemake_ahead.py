"""Snakemake, loaded while `hlm run` still reads and plans the study, which take as long.

    python -m snakemake_ahead SOCKET

It then waits for its arguments, for variables of the environment and for open files, which are the
lock of the results. Where `hlm run` ends without a word, so does this.
"""

import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader, find_spec
from typing import NoReturn

from hlm.garbage import look_for_little_garbage

PIECE = 65536


def main() -> None:
    """Load Snakemake, wait, and be it."""
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    look_for_little_garbage()
    sys.meta_path.insert(0, _LoadedWhenUsed("pandas"))  # of a plugin for clusters
    from snakemake.cli import main as snakemake

    with socket.socket(fileno=int(sys.argv[1])) as channel:
        text, _held, _, _ = socket.recv_fds(channel, PIECE, 16)
        while piece := channel.recv(PIECE):
            text += piece
    if text:
        asked = json.loads(text)
        os.environ.update(asked["environment"])
        sys.argv = ["snakemake", *asked["arguments"]]
        signal.signal(signal.SIGINT, before)
        _end(_status_of(snakemake))


class _LoadedWhenUsed(MetaPathFinder):
    """Finds a module that is loaded once something of it is looked at."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Find that module, once."""
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def _status_of(snakemake: Callable[[], object]) -> int:
    try:
        snakemake()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _end(status: int) -> NoReturn:
    """End without waiting for the timers that pace Snakemake's jobs, a second after the last."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
