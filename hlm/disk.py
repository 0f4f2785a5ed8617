"""Files that appear whole or not at all, and the lock of a file: the one way to either."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HALF_WRITTEN", "lock", "replacing", "write_text"]

HALF_WRITTEN = ".*.tmp"
"""The pattern of the names that files have while they are being written."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; put the file written there in its place at the end.

    A reader sees the old file or the new one, never half of one. Nothing is left behind when
    the block fails.

    Parameters
    ----------
    path : path
        Its folder is made if it is missing.

    Raises
    ------
    OSError
        The disk is full or cannot be written; it names `path`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/new/a.txt") as temporary:
    ...         _ = temporary.write_text("all of it")
    ...     Path(f"{folder}/new/a.txt").read_text(), len(list(Path(folder, "new").iterdir()))
    ('all of it', 1)
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno is None or error.filename:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a file of text in UTF-8, whole or not at all; see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def lock(file: IO[Any], *, wait: bool) -> None:
    """Lock an open file, on all nodes that share its disk, until it is closed.

    The lock is the operating system's (`flock`): it ends with the last process that holds the
    file open, however that process ends.

    Parameters
    ----------
    file : open file
    wait : bool
        Whether to wait while another process has the lock.

    Raises
    ------
    BlockingIOError
        Another process has the lock, and `wait` is false.
    OSError
        The file system has no locks.
    """
    import fcntl  # absent on Windows, where nothing else needs it

    fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
