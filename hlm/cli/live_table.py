"""A table that grows on the screen, and stays when it is done."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Snapshot = TypeVar("Snapshot")

__all__ = ["INTERRUPTED", "MOST_WITH_MCSE", "LiveTable", "watched"]

INTERRUPTED = 130
"""The exit status where the user pressed Ctrl-C."""

MOST_WITH_MCSE = 1_000_000
"""The most data sets of a scenario that are drawn to reach a Monte Carlo standard error."""

PAUSE = 0.3
"""Seconds between two looks, or so many times as a look takes."""

SHARE = 10


class LiveTable:
    """Lines on standard output: on a terminal the latest, otherwise only the last ones.

    To make the lines takes time from the work: they are made in a tenth of it at most.
    """

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._shown = 0
        self._due = 0.0

    def show(self, lines: Callable[[], Sequence[str]]) -> None:
        """Show lines in the place of those before, if it is time."""
        if not self._terminal or monotonic() < self._due:
            return
        begin = monotonic()
        self._write(self._fitting(lines()))
        end = monotonic()
        self._due = end + max(PAUSE, SHARE * (end - begin))

    def end(self, lines: Sequence[str]) -> None:
        """Show the last lines, which stay, whole."""
        self._write(lines)
        self._shown = 0

    def _fitting(self, lines: Sequence[str]) -> list[str]:
        """Return as many lines as the screen holds, none longer than it is wide."""
        columns, rows = shutil.get_terminal_size()
        kept = list(lines) if len(lines) < rows else [*lines[: max(rows - 2, 0)], "..."]
        return [line[: columns - 1] for line in kept]

    def _write(self, lines: Sequence[str]) -> None:
        up = f"\x1b[{self._shown}F\x1b[J" if self._shown else ""
        sys.stdout.write(up + "".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        self._shown = len(lines)


def watched(
    snapshots: Iterator[Snapshot], lines: Callable[[Snapshot, float], Sequence[str]]
) -> tuple[Snapshot, int]:
    """Show what is known until all is, or the user presses Ctrl-C.

    Parameters
    ----------
    snapshots : iterator
        What is known at first, and after each piece of work.
    lines : function
        A snapshot, and the seconds so far -> what to show of it.

    Returns
    -------
    snapshot
        The last one.
    int
        The exit status: 0, or that of an interruption.
    """
    table, begin, status = LiveTable(), monotonic(), 0
    last = next(snapshots)
    table.show(partial(_of, lines, last, begin))
    try:
        for last in snapshots:
            table.show(partial(_of, lines, last, begin))
    except KeyboardInterrupt:
        status = INTERRUPTED
    table.end(_of(lines, last, begin))
    if status:
        print("stopped", file=sys.stderr)
    return last, status


def _of(
    lines: Callable[[Snapshot, float], Sequence[str]], snapshot: Snapshot, begin: float
) -> Sequence[str]:
    return lines(snapshot, monotonic() - begin)
