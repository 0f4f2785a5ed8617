"""Where a job says what went wrong, and how: in one line where that says it all."""

from __future__ import annotations

import errno
import signal
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from hlm.errors import InputError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["reason", "stderr_to"]

OF_THE_PLACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""Errors of files that are no fault of the program."""


def stderr_to(path: str | Path) -> None:
    """Send this process' standard error to a file until the process ends, at once on Ctrl-C.

    What ends the process is said in one line if that says it all, else by a traceback; on the
    former standard error if the file cannot be written.
    """
    terminal = sys.stderr
    try:
        sys.stderr = Path(path).open("w", buffering=1, encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        print(f"{path}: cannot be written: {error.strerror}", file=terminal)
    sys.excepthook = partial(_say, terminal)
    # A kernel would go on to its end first, and a log with a traceback tells of a fault.
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def reason(error: BaseException) -> str | None:
    """Return what went wrong in one line, None where it may be a fault of the program.

    Examples
    --------
    >>> reason(OSError(28, "No space left on device", "parts/a.parquet"))
    'parts/a.parquet: No space left on device'
    >>> reason(ZeroDivisionError()) is None
    True
    """
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"out of memory: {error or 'more than this job may have'}"
    if isinstance(error, OSError) and error.errno in OF_THE_PLACE:
        return ": ".join(str(part) for part in (error.filename, error.strerror) if part)
    return None


def _say(
    terminal: TextIO, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    said = reason(error)
    text = f"{said}\n" if said else "".join(traceback.format_exception(kind, error, trace))
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        terminal.write(text)
