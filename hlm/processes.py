"""Tasks side by side, in processes that have all that the first one has."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

__all__ = ["beside", "side_by_side"]

R = TypeVar("R")

OBJECTS = 100_000
"""New objects after which such a process looks for cyclic garbage, which is but its own."""

_SHARED: list[Sequence[Callable[[], Any]]] = []
"""What the processes call: a function within a function cannot be sent to them."""


def side_by_side(tasks: Sequence[Callable[[], R]], processes: int) -> list[R]:
    """Call functions, so many at once where the system lets one process become several (Linux).

    Parameters
    ----------
    tasks : sequence of callable
        In the order in which they begin: those that take long first.
    processes : int

    Returns
    -------
    list
        What each returns.

    Examples
    --------
    >>> side_by_side([lambda: 1, lambda: 2], processes=2)
    [1, 2]
    """
    if not _can_fork(processes) or len(tasks) < 2:
        return [task() for task in tasks]
    _SHARED.append(tasks)
    try:
        with get_context("fork").Pool(processes, _look_for_own_garbage) as pool:
            return pool.map(_call_shared, range(len(tasks)), chunksize=1)
    finally:
        _SHARED.pop()


@contextmanager
def beside(task: Callable[[], object], processes: int) -> Iterator[None]:
    """Call a function while the block is at work, or before it where there are no processes.

    What it raises is raised at the end of the block.

    Examples
    --------
    >>> with beside(lambda: 1 / 0, processes=2):
    ...     print("at work")
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    """
    if not _can_fork(processes):
        task()
        yield
        return
    context = get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(task, writer))
    process.start()
    writer.close()  # or the other end would never come to an end
    try:
        yield
    finally:
        error = _end_of(reader)
        process.join()
    if error is not None:
        raise error


def _can_fork(processes: int) -> bool:
    return processes > 1 and sys.platform == "linux"


def _look_for_own_garbage() -> None:
    gc.freeze()
    gc.set_threshold(OBJECTS)


def _call_shared(place: int) -> Any:
    return _SHARED[-1][place]()


def _tell(task: Callable[[], object], writer: Connection) -> None:
    """Call a task in a process of its own and send what it raises, or None."""
    _look_for_own_garbage()
    try:
        task()
    except Exception as error:  # raised again, by who waits for it
        writer.send(error)
    else:
        writer.send(None)


def _end_of(reader: Connection) -> Exception | None:
    try:
        error: Exception | None = reader.recv()
    except EOFError:
        return ChildProcessError("a process of this job was killed")
    return error
