"""A batch: the work of one job, named by what it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from hlm.scenario import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GRAIN", "Batch", "Range", "Work", "digest"]

GRAIN = 100
"""Replicates in the smallest piece of work: ranges start at a multiple of it."""


class Range(NamedTuple):
    """The replicates `start` to `stop - 1` of the scenario with this key."""

    scenario: str
    start: int
    stop: int


class Work(NamedTuple):
    """The smallest piece of work: one grain of replicates of a scenario under one model."""

    scenario: str
    model: str
    grain: int


@dataclass(frozen=True)
class Batch:
    """Ranges of replicates, each to be fitted by the same models.

    Attributes
    ----------
    name : str
        12 hexadecimal digits, a hash of the seed, the ranges and the models' definitions.
    ranges : tuple of Range
    models : tuple of Model
    """

    name: str
    ranges: tuple[Range, ...]
    models: tuple[Model, ...]

    @classmethod
    def make(cls, seed: int, ranges: tuple[Range, ...], models: tuple[Model, ...]) -> Batch:
        """Name the batch by its content."""
        content = [seed, ranges, [model.to_dict() for model in models]]
        return cls(digest(content), ranges, models)

    def work(self) -> Iterator[tuple[Work, int]]:
        """Yield each piece of work, its model as a hash of the definition, and where it stops."""
        models = [digest(model.to_dict()) for model in self.models]
        for scenario, start, stop in self.ranges:
            for grain in range(start // GRAIN, -(-stop // GRAIN)):
                end = min(stop, (grain + 1) * GRAIN)
                for model in models:
                    yield Work(scenario, model, grain), end

    def to_dict(self) -> dict[str, Any]:
        """Return the batch as builtin types, for JSON."""
        return {
            "name": self.name,
            "ranges": [list(part) for part in self.ranges],
            "models": [model.to_dict() for model in self.models],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Batch:
        """Read what `to_dict` wrote."""
        return cls(
            data["name"],
            tuple(Range(*part) for part in data["ranges"]),
            tuple(Model.from_dict(model) for model in data["models"]),
        )


def digest(content: Any) -> str:
    """Return 12 hexadecimal digits that stand for some builtin values.

    Examples
    --------
    >>> digest([1, "a"])
    '4a72386a0277'
    """
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
