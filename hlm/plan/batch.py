"""A batch: the work of one job, named by what it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from hlm.scenario import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["GRAIN", "Batch", "Range", "Work", "digest", "grains_of", "runs"]

GRAIN = 100
"""Replicates in the smallest piece of work: ranges start at a multiple of it."""


class Range(NamedTuple):
    """The replicates `start` to `stop - 1` of the scenario with this key."""

    scenario: str
    start: int
    stop: int


class Work(NamedTuple):
    """Grains of a scenario under one model, by the hash of its definition; bit g is grain g."""

    scenario: str
    model: str
    grains: int


@dataclass(frozen=True)
class Batch:
    """Ranges of replicates, each to be fitted by the same models.

    Attributes
    ----------
    name : str
        12 hexadecimal digits, a hash of the seed, the ranges, the models' definitions and the
        code: what other code has made bears other names.
    ranges : tuple of Range
    models : tuple of Model
    lanes : bool
        Whether data sets are fitted side by side: it is long enough to compile for that. No number
        depends on it, and neither does the name.
    """

    name: str
    ranges: tuple[Range, ...]
    models: tuple[Model, ...]
    lanes: bool = False

    @classmethod
    def make(
        cls,
        seed: int,
        ranges: tuple[Range, ...],
        models: tuple[Model, ...],
        code: str = "",
        *,
        lanes: bool = False,
    ) -> Batch:
        """Name the batch by its content."""
        content = [seed, ranges, [model.definition() for model in models], code]
        return cls(digest(content), ranges, models, lanes)

    def work(self, replicates: Callable[[str], int]) -> Iterator[Work]:
        """Yield what the batch holds whole for so many replicates of a scenario, by its key."""
        models = [digest(model.definition()) for model in self.models]
        for scenario, start, stop in self.ranges:
            grains = grains_of(start, stop, replicates(scenario))
            for model in models:
                yield Work(scenario, model, grains)

    def is_cut_for(self, replicates: Callable[[str], int]) -> bool:
        """Tell whether each range ends with a grain of so many replicates of its scenario."""
        ends = [(part.stop, replicates(part.scenario)) for part in self.ranges]
        return all(end == all_ or (end < all_ and end % GRAIN == 0) for end, all_ in ends)

    def to_dict(self) -> dict[str, Any]:
        """Return the batch as builtin types, for JSON."""
        return {
            "name": self.name,
            "ranges": [list(part) for part in self.ranges],
            "models": [model.to_dict() for model in self.models],
            **({"lanes": True} if self.lanes else {}),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Batch:
        """Read what `to_dict` wrote."""
        return cls(
            data["name"],
            tuple(Range(*part) for part in data["ranges"]),
            tuple(Model.from_dict(model) for model in data["models"]),
            data.get("lanes", False),
        )


def digest(content: Any) -> str:
    """Return 12 hexadecimal digits that stand for some builtin values.

    Examples
    --------
    >>> digest([1, "a"])
    '4a72386a0277'
    """
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def grains_of(start: int, stop: int, replicates: int) -> int:
    """Return the grains that the replicates `start` to `stop - 1` hold whole, as bits.

    Parameters
    ----------
    start, stop : int
        `start` is a multiple of `GRAIN`.
    replicates : int
        Of the scenario, whose last grain may be a short one.

    Examples
    --------
    >>> bin(grains_of(100, 300, 1000)), bin(grains_of(100, 250, 1000))
    ('0b110', '0b10')
    >>> bin(grains_of(100, 250, 250)), bin(grains_of(0, 300, 150))
    ('0b110', '0b11')
    """
    end = -(-replicates // GRAIN) if stop >= replicates else stop // GRAIN
    return (1 << end) - (1 << min(start // GRAIN, end))


def runs(grains: int) -> Iterator[tuple[int, int]]:
    """Yield the first of each run of consecutive grains and the one after its last.

    Examples
    --------
    >>> list(runs(0b110001))
    [(0, 1), (4, 6)]
    """
    start = 0
    while grains >> start:
        start += ((grains >> start) & -(grains >> start)).bit_length() - 1
        stop = start + (~(grains >> start) & -~(grains >> start)).bit_length() - 1
        yield start, stop
        start = stop
