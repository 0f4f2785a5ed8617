"""One run at a time in a folder of results.

The lock is on a file in that folder: it holds whatever the working directory is, and it ends with
the processes that hold it, even if they are killed.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.disk import lock
from hlm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper

__all__ = ["hold_lock", "inherited", "is_held_by_parent", "run_lock"]

HELD = "HLM_RUN_LOCK"
"""Environment variable: the folder that a parent process has locked."""

UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}

_held: dict[str, TextIOWrapper] = {}


@contextmanager
def run_lock(folder: str | Path) -> Iterator[None]:
    """Hold the lock of a study's folder of results, and make the folder.

    Processes that are started meanwhile with `pass_fds=inherited()` hold the lock too, so that it
    does not end before they do.

    Parameters
    ----------
    folder : path

    Raises
    ------
    InputError
        Another run has it, or the folder cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, run_lock(folder):
    ...     with run_lock(folder):
    ...         pass
    Traceback (most recent call last):
    hlm.errors.InputError: ...another run is at work in this folder...
    """
    place = str(Path(folder).resolve())
    with _take(Path(folder)) as file:
        _held[place] = file
        os.environ[HELD] = place
        try:
            yield
        finally:
            del _held[place], os.environ[HELD]


def hold_lock(folder: str | Path) -> None:
    """Hold the lock until this process ends, unless it or its parent has it already."""
    place = str(Path(folder).resolve())
    if place not in _held and not is_held_by_parent(folder):
        _held[place] = _take(Path(folder))


def is_held_by_parent(folder: str | Path) -> bool:
    """Tell whether the process that started this one holds the lock: it is a run of `hlm run`."""
    return os.environ.get(HELD) == str(Path(folder).resolve())


def inherited() -> tuple[int, ...]:
    """Return the file descriptors that a child process must inherit to hold the lock too."""
    return tuple(file.fileno() for file in _held.values())


def _take(folder: Path) -> TextIOWrapper:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}",
            file=folder,
            allowed="a folder of results in which this user can write",
        ) from None
    try:
        _lock(file, folder)
    except BaseException:
        file.close()
        raise
    _sign(file)
    return file


def _lock(file: TextIOWrapper, folder: Path) -> None:
    try:
        lock(file, wait=False)
    except BlockingIOError:
        file.seek(0)
        raise InputError(
            f"another run is at work in this folder: {file.read().strip() or 'just started'}",
            file=folder,
            allowed="one run at a time; wait for it or stop it",
        ) from None
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        warning = "this file system has no locks; see to it that nothing else runs here"
        print(f"{folder}: {warning}", file=sys.stderr)


def _sign(file: TextIOWrapper) -> None:
    """Say who holds it, for the message to others; a full disk is no reason not to run."""
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
    except OSError:
        pass
