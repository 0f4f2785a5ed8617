"""How far a study has come, from the receipts of its batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hlm.errors import InputError
from hlm.operations.forecast import batch_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hlm.plan.batch import Batch
    from hlm.plan.plan import Plan

__all__ = ["Progress", "Watch"]

IDLE_SECONDS = 300.0
"""A pause longer than this, and than two batches, parts one run from another."""


@dataclass(frozen=True)
class Progress:
    """What is done of a study.

    Attributes
    ----------
    replicates, all_replicates : int
        Those to which every model is fitted; those wanted.
    batches, all_batches : int
    seconds, all_seconds : float
        The core seconds that the batches were predicted to take, done and in all.
    pace : float
        Predicted core seconds done in one second of the run that finished the last batch; NaN
        where nothing is done.
    last : datetime or None
        When that was.
    """

    replicates: int
    all_replicates: int
    batches: int
    all_batches: int
    seconds: float
    all_seconds: float
    pace: float
    last: datetime | None

    def seconds_left(self, now: datetime) -> float:
        """Return the seconds until all batches are done at this pace; NaN if it is not known."""
        if self.last is None:
            return float("nan")
        at_last = (self.all_seconds - self.seconds) / self.pace
        return max(0.0, at_last - (now - self.last).total_seconds())

    @property
    def rate(self) -> float:
        """Replicates a second at this pace; NaN where it is not known."""
        return self.pace * self.all_replicates / self.all_seconds


class _Done(NamedTuple):
    finished: datetime
    started: datetime
    predicted: float


class Watch:
    """Looks at the receipts in the folder of a study; each is read once.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's.
    """

    def __init__(self, plan: Plan, folder: str | Path) -> None:
        self._code = plan.code
        self._parts = Path(folder) / "parts"
        wanted = {scenario.key: plan.replicates_of(scenario.key) for scenario in plan.scenarios}
        self._total = sum(wanted.values())
        self._replicates = {batch.name: _replicates(batch, wanted) for batch in plan.batches}
        self._seconds = batch_seconds(plan)
        self._read: dict[str, tuple[int, _Done | None]] = {}

    def look(self) -> Progress:
        """Return how far the study is now."""
        done = self._done()
        left = sum(n for name, n in self._replicates.items() if name not in done)
        return Progress(
            replicates=max(0, self._total - left),
            all_replicates=self._total,
            batches=len(done),
            all_batches=len(self._seconds),
            seconds=sum(self._seconds[name] for name in done),
            all_seconds=sum(self._seconds.values()),
            pace=_pace(sorted(done.values())),
            last=max((item.finished for item in done.values()), default=None),
        )

    def _done(self) -> dict[str, _Done]:
        """Return the batches of the plan that have a receipt of its code."""
        done = {}
        for name in self._seconds:
            path = self._parts / f"{name}.json"
            try:
                time = path.stat().st_mtime_ns
            except OSError:
                continue
            if self._read.get(name, (None,))[0] != time:
                self._read[name] = (time, self._finished(name, path))
            item = self._read[name][1]
            if item is not None:
                done[name] = item
        return done

    def _finished(self, name: str, path: Path) -> _Done | None:
        from hlm.operations.receipts import read_receipt

        try:
            receipt = read_receipt(path)
        except InputError:
            return None
        if receipt.code != self._code:
            return None
        return _Done(
            datetime.fromisoformat(receipt.finished),
            datetime.fromisoformat(receipt.started),
            self._seconds[name],
        )


def _replicates(batch: Batch, wanted: Mapping[str, int]) -> int:
    ranges = [part for part in batch.ranges if part.scenario in wanted]
    stops = [(part.start, min(part.stop, wanted[part.scenario])) for part in ranges]
    return sum(max(0, stop - start) for start, stop in stops)


def _pace(done: list[_Done]) -> float:
    """Return predicted over real seconds of the last stretch without a long pause."""
    if not done:
        return float("nan")
    begun, predicted = done[-1].started, 0.0
    for item in reversed(done):
        pause = (begun - item.finished).total_seconds()
        if pause > IDLE_SECONDS + 2.0 * (item.finished - item.started).total_seconds():
            break
        begun = min(begun, item.started)
        predicted += item.predicted
    return predicted / max(1.0, (done[-1].finished - begun).total_seconds())
