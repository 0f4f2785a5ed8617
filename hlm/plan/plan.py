"""The plan of a study: what is wanted, and the batches that give it.

Planning looks at the plan of the last run: what its batches hold is not computed again, so a
larger study costs only what is new in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.plan.batch import GRAIN, Batch, Work, digest
from hlm.plan.pack import Piece, pack
from hlm.scenario import Model, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from hlm.study import Study

__all__ = ["BATCH_SECONDS", "Plan", "make_plan"]

BATCH_SECONDS = 30.0
"""Seconds of work in a batch, unless the user says otherwise."""


VERSIONED = ("hlm", "numpy", "numba", "pyarrow")


@dataclass(frozen=True)
class Plan:
    """All that the jobs of a study need to know; the content of `plan.json`.

    Attributes
    ----------
    study, text, hash : str
        The study's name, its file as read, and the hash of that.
    seed, replicates : int
    batch_seconds : float
    code : str
        Fingerprint of the code that simulates and fits.
    scenarios : tuple of Scenario
    levels : tuple of dict
        For each scenario, short grid name -> level.
    models : tuple of Model
    batches : tuple of Batch
        Together they hold all that is wanted; those of an earlier plan may hold more.
    retired : tuple of Scenario
        No longer wanted, but named by a batch.
    example : int
        Position in `scenarios` of the one that pictures of data show.
    """

    study: str
    text: str
    hash: str
    seed: int
    replicates: int
    batch_seconds: float
    code: str
    scenarios: tuple[Scenario, ...]
    levels: tuple[dict[str, Any], ...]
    models: tuple[Model, ...]
    batches: tuple[Batch, ...]
    retired: tuple[Scenario, ...] = ()
    example: int = 0

    def batch(self, name: str) -> Batch:
        """Return the batch of that name."""
        return next(batch for batch in self.batches if batch.name == name)

    def scenario(self, key: str) -> Scenario:
        """Return the scenario with that key."""
        known = (*self.scenarios, *self.retired)
        return next(scenario for scenario in known if scenario.key == key)

    @property
    def wanted(self) -> str:
        """A hash of what the tables of this study hold."""
        return digest(
            [
                self.seed,
                self.replicates,
                [scenario.key for scenario in self.scenarios],
                self.levels,
                [model.to_dict() for model in self.models],
            ]
        )

    def metadata(self) -> dict[str, str]:
        """Return what every file of results says of its origin."""
        return {
            "study": self.text,
            "study_hash": self.hash,
            "seed": str(self.seed),
            "versions": json.dumps({name: version(name) for name in VERSIONED}),
        }

    def to_json(self) -> str:
        """Return the plan as JSON."""
        return json.dumps(
            {
                **vars(self),
                "scenarios": [scenario.to_dict() for scenario in self.scenarios],
                "models": [model.to_dict() for model in self.models],
                "batches": [batch.to_dict() for batch in self.batches],
                "retired": [scenario.to_dict() for scenario in self.retired],
            }
        )

    def write(self, path: str | Path) -> None:
        """Write the plan, whole or not at all; leave a file alone that holds it already."""
        path, text = Path(path), self.to_json()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)

    @classmethod
    def read(cls, path: str | Path) -> Plan:
        """Read a plan.

        Raises
        ------
        InputError
            There is none, or it is damaged.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(
                **{
                    **data,
                    "scenarios": tuple(Scenario.from_dict(item) for item in data["scenarios"]),
                    "levels": tuple(data["levels"]),
                    "models": tuple(Model.from_dict(item) for item in data["models"]),
                    "batches": tuple(Batch.from_dict(item) for item in data["batches"]),
                    "retired": tuple(Scenario.from_dict(item) for item in data["retired"]),
                }
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"not a plan that can be read: {error}",
                file=path,
                allowed="the plan of an earlier run; delete this file to make it anew",
            ) from None


def make_plan(
    study: Study,
    *,
    code: str = "",
    batch_seconds: float = BATCH_SECONDS,
    previous: Plan | None = None,
    done: Callable[[str], bool] = lambda _: False,
) -> Plan:
    """Decide which batches give what the study wants.

    A batch of the previous plan is kept when its results exist and some are wanted, or when all
    of its work is still wanted and would be cut the same way. The rest is packed anew.

    Parameters
    ----------
    study : Study
    code : str
        Fingerprint of the code that simulates and fits: results of other code do not count.
    batch_seconds : float
        Seconds of work that one batch should hold at most.
    previous : Plan, optional
        The plan of the last run.
    done : callable
        Whether the results of the batch of that name exist.
    """
    comparable = previous and (previous.seed, previous.code) == (study.seed, code)
    old = previous if comparable else None
    same_cut = old is not None and old.batch_seconds == batch_seconds
    missing = _wanted(study)
    kept = _keep(old.batches, missing, done, same_cut=same_cut) if old else []
    batches = (*kept, *pack(_pieces(study, missing), seed=study.seed, batch_seconds=batch_seconds))
    return Plan(
        study=study.name,
        text=study.text,
        hash=study.hash,
        seed=study.seed,
        replicates=study.replicates,
        batch_seconds=batch_seconds,
        code=code,
        scenarios=study.scenarios,
        levels=study.levels,
        models=study.models,
        batches=batches,
        retired=_retired(study, old, kept),
        example=study.example,
    )


def _wanted(study: Study) -> dict[Work, int]:
    """Return each piece of work that the study wants and where its replicates stop."""
    models = [digest(model.to_dict()) for model in study.models]
    stops = [min(study.replicates, start + GRAIN) for start in range(0, study.replicates, GRAIN)]
    return {
        Work(scenario.key, model, grain): stop
        for scenario in study.scenarios
        for model in models
        for grain, stop in enumerate(stops)
    }


def _keep(
    batches: tuple[Batch, ...],
    missing: dict[Work, int],
    done: Callable[[str], bool],
    *,
    same_cut: bool,
) -> list[Batch]:
    """Return the old batches worth keeping and take what they hold out of `missing`."""
    finished = {batch.name for batch in batches if done(batch.name)}
    kept = set()
    for batch in sorted(batches, key=lambda batch: batch.name not in finished):
        work = dict(batch.work())
        useful = [item for item, stop in work.items() if missing.get(item, stop + 1) <= stop]
        entire = same_cut and all(missing.get(item) == stop for item, stop in work.items())
        if entire or (useful and batch.name in finished):
            kept.add(batch.name)
            for item in useful:
                del missing[item]
    return [batch for batch in batches if batch.name in kept]


def _pieces(study: Study, missing: dict[Work, int]) -> list[Piece]:
    """Gather, for each grain of each scenario, the models still to be fitted to it."""
    models = {digest(model.to_dict()): model for model in study.models}
    gathered: dict[tuple[str, int, int], list[Model]] = {}
    for work, stop in missing.items():
        gathered.setdefault((work.scenario, work.grain, stop), []).append(models[work.model])
    scenarios = {scenario.key: scenario for scenario in study.scenarios}
    return [
        Piece(scenarios[key], grain, stop, tuple(group))
        for (key, grain, stop), group in gathered.items()
    ]


def _retired(study: Study, old: Plan | None, kept: list[Batch]) -> tuple[Scenario, ...]:
    wanted = {scenario.key for scenario in study.scenarios}
    named = {part.scenario for batch in kept for part in batch.ranges} - wanted
    return tuple(old.scenario(key) for key in sorted(named)) if old else ()
