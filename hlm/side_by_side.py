"""Tasks side by side, in processes that have all that the first one has."""

from __future__ import annotations

import gc
import sys
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["side_by_side"]

R = TypeVar("R")

TASKS = 20
"""Tasks of a process, which has no look at its garbage and is replaced instead."""

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
    if processes < 2 or len(tasks) < 2 or sys.platform != "linux":
        return [task() for task in tasks]
    _SHARED.append(tasks)
    try:
        with get_context("fork").Pool(processes, gc.disable, maxtasksperchild=TASKS) as pool:
            return pool.map(_call, range(len(tasks)), chunksize=1)
    finally:
        _SHARED.pop()


def _call(place: int) -> Any:
    return _SHARED[-1][place]()
