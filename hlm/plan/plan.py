"""The plan of a study: what is wanted, and the batches that give it.

Planning looks at the plan of the last run: what its batches hold is not computed again, so a
larger study costs only what is new in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hlm.criteria import USUAL, Selection
from hlm.data_source import Source
from hlm.disk import write_text
from hlm.errors import InputError
from hlm.figure_choice import FigureChoice
from hlm.generator import blake2b
from hlm.plan.batch import GRAIN, Batch, digest, grains_of, runs
from hlm.plan.pack import Piece, pack
from hlm.plan.rounds import Standing
from hlm.precision import Precision
from hlm.scenario import DATA_VERSION, Model, Scenario
from hlm.table_spec import asked_from, asked_to_json
from hlm.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hlm.generator import Generator
    from hlm.study import Study
    from hlm.table_spec import Asked

__all__ = ["BATCH_SECONDS", "Plan", "generators_of", "kinds_of", "make_plan"]

BATCH_SECONDS = 30.0
"""Seconds of work in a batch, unless the user says otherwise."""


VERSIONED = ("hlm", "numpy", "numba", "llvmlite", "scipy", "pandas", "pyarrow")

Missing: TypeAlias = "dict[tuple[str, str], int]"
"""Scenario's key and model's hash -> the grains still to be computed, as bits."""


@dataclass(frozen=True)
class Plan:
    """All that the jobs of a study need to know; the content of `plan.json`.

    Attributes
    ----------
    study, text, hash : str
        The study's name, its file as read, and the hash of that.
    seed, replicates : int
        Of the scenario with most replicates, where they differ: see `replicates_of`.
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
    data_version : int
        Version of the rule by which the data are drawn.
    sources : tuple of Source
        The data sets from which the study takes values, and the files of its generators: the
        scenarios have both.
    selection : Selection
        How one of the models is chosen.
    policies : tuple of str
        Which replicates count, the one that figures and tables show first.
    precision : Precision, optional
        The Monte Carlo standard errors that the study asks for.
    standing : Standing, optional
        Where each scenario stands on the way to them; there is one if there is a `precision`, or
        where the numbers of replicates are those that a search asks for.
    tables : tuple of str or TableSpec, optional
        Those that the study asks for; None for the usual ones.
    figures : tuple of FigureChoice, optional
        Those that the study asks for; the usual ones if it says nothing.
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
    data_version: int = DATA_VERSION
    sources: tuple[Source, ...] = ()
    selection: Selection = USUAL
    policies: tuple[str, ...] = ("all",)
    precision: Precision | None = None
    standing: Standing | None = None
    tables: Asked = None
    figures: tuple[FigureChoice, ...] | None = None

    def batch(self, name: str) -> Batch:
        """Return the batch of that name."""
        return next(batch for batch in self.batches if batch.name == name)

    def scenario(self, key: str) -> Scenario:
        """Return the scenario with that key."""
        known = (*self.scenarios, *self.retired)
        return next(scenario for scenario in known if scenario.key == key)

    def replicates_of(self, key: str) -> int:
        """Return the number of replicates of the scenario with that key."""
        return self.standing.numbers.get(key, 0) if self.standing else self.replicates

    @property
    def is_settled(self) -> bool:
        """Whether no scenario will have more replicates: always, without a `precision`."""
        return self.standing is None or self.standing.is_settled

    @property
    def summarized(self) -> tuple[Scenario, ...]:
        """The scenarios to be summarized: all, or in a later round those that may still grow."""
        if not self.is_partial or self.standing is None:
            return self.scenarios
        return tuple(s for s in self.scenarios if s.key not in self.standing.reached)

    @property
    def is_partial(self) -> bool:
        """Whether this is a round in which some scenarios are finished and others are not."""
        return bool(self.standing and self.standing.reached) and not self.is_settled

    @property
    def all_replicates(self) -> int:
        """The number of data sets of all scenarios."""
        return sum(self.replicates_of(scenario.key) for scenario in self.scenarios)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The tables of replicates of this study."""
        return kinds_of(self.models)

    @property
    def wanted(self) -> str:
        """A hash of what the tables of this study hold."""
        return digest(
            [
                self.seed,
                self.data_version,
                self.replicates
                if self.standing is None
                else [self.replicates_of(scenario.key) for scenario in self.scenarios],
                [scenario.key for scenario in self.scenarios],
                self.levels,
                [model.wanted() for model in self.models],
                *([self.selection.to_dict()] if self.selection != USUAL else []),
                *([self.policies] if self.policies != ("all",) else []),
            ]
        )

    @property
    def tabled(self) -> str:
        """A hash of which tables the study asks for: other results do not depend on it."""
        return digest(asked_to_json(self.tables))

    @property
    def pictured(self) -> str:
        """A hash of which figures the study asks for: other results do not depend on it."""
        return digest([one.to_dict() for one in self.figures or ()])

    def metadata(self) -> dict[str, str]:
        """Return what every file of results says of its origin."""
        return {
            "study": self.text,
            "study_hash": self.hash,
            "seed": str(self.seed),
            "data_version": str(self.data_version),
            "versions": json.dumps(versions(VERSIONED)),
            "contents": digest([self.wanted, self.code]),
        }

    @property
    def generators(self) -> tuple[Generator, ...]:
        """The user's functions that draw data sets of this study, by their sources."""
        return generators_of(self.scenarios)

    def to_json(self) -> str:
        """Return the plan as JSON, in which the sources of generators are once each."""
        scenarios = [scenario.to_dict() for scenario in self.scenarios]
        retired = [scenario.to_dict() for scenario in self.retired]
        code: dict[str, str] = {}
        for one in (one["generator"] for one in (*scenarios, *retired) if one["generator"]):
            source = one.pop("source")
            one["blake2b"] = blake2b(source)
            code[one["blake2b"]] = source
        own = {**vars(self)}
        if self.policies == ("all",):
            del own["policies"]
        figures = own.pop("figures")
        rule = {
            "precision": self.precision and self.precision.to_dict(),
            "standing": self.standing and self.standing.to_dict(),
            "tables": asked_to_json(self.tables),
        }
        return json.dumps(
            {
                **{name: value for name, value in own.items() if name not in rule},
                "scenarios": scenarios,
                "models": [model.to_dict() for model in self.models],
                "batches": [batch.to_dict() for batch in self.batches],
                "retired": retired,
                "sources": [source.to_dict() for source in self.sources],
                "selection": self.selection.to_dict(),
                **({"generators": code} if code else {}),
                **({} if figures is None else {"figures": [one.to_dict() for one in figures]}),
                **{name: value for name, value in rule.items() if value is not None},
            }
        )

    def write(self, path: str | Path) -> None:
        """Write the plan, whole or not at all; leave a file alone that holds it already."""
        path, text = Path(path), self.to_json()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        write_text(path, text)

    @classmethod
    def read(cls, path: str | Path, *, allow_code: bool = False) -> Plan:
        """Read a plan.

        Parameters
        ----------
        path : path
        allow_code : bool
            Whether generators that it has may run. Without them its data cannot be drawn, but all
            else can be done.

        Raises
        ------
        InputError
            There is none, or it is damaged.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            _put_sources(data, data.pop("generators", {}))
            plan = cls(
                **{
                    "data_version": 1,
                    **data,
                    "scenarios": tuple(Scenario.from_dict(item) for item in data["scenarios"]),
                    "levels": tuple(data["levels"]),
                    "models": tuple(Model.from_dict(item) for item in data["models"]),
                    "batches": tuple(Batch.from_dict(item) for item in data["batches"]),
                    "retired": tuple(Scenario.from_dict(item) for item in data["retired"]),
                    "sources": tuple(map(Source.from_dict, data.get("sources", ()))),
                    "selection": _selection(data.get("selection")),
                    "policies": tuple(data.get("policies", ("all",))),
                    "tables": asked_from(data.get("tables")),
                    "figures": _figures(data.get("figures")),
                    **_rule(data),
                }
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"not a plan that can be read: {error}",
                file=path,
                allowed="the plan of an earlier run; delete this file to make it anew",
            ) from None
        return plan.with_code_allowed() if allow_code else plan

    def with_code_allowed(self) -> Plan:
        """Return the same plan, whose generators may run."""
        return replace(
            self,
            scenarios=tuple(map(_allowed, self.scenarios)),
            retired=tuple(map(_allowed, self.retired)),
        )


def generators_of(scenarios: Iterable[Scenario]) -> tuple[Generator, ...]:
    """Return a generator for each source of those that scenarios have."""
    found = {one.source: one for s in scenarios if (one := s.generator) is not None}
    return tuple(found[source] for source in sorted(found))


def _put_sources(data: dict[str, Any], code: dict[str, str]) -> None:
    """Give generators their sources, each of which must have its checksum."""
    for scenario in (*data["scenarios"], *data["retired"]):
        one = scenario.get("generator")
        if one:
            checksum = one.pop("blake2b")
            one["source"] = code[checksum]
            if blake2b(one["source"]) != checksum:
                raise ValueError("the source of a generator is not that of its checksum")


def _selection(data: dict[str, Any] | None) -> Selection:
    return Selection.from_dict(data) if data else USUAL


def _figures(data: list[dict[str, Any]] | None) -> tuple[FigureChoice, ...] | None:
    return None if data is None else tuple(map(FigureChoice.from_dict, data))


def _rule(data: Mapping[str, Any]) -> dict[str, Any]:
    """Read the rule that says how many replicates there are, and where each scenario stands."""
    kinds: dict[str, Any] = {"precision": Precision, "standing": Standing}
    return {name: kind.from_dict(data[name]) for name, kind in kinds.items() if name in data}


def _allowed(scenario: Scenario) -> Scenario:
    if scenario.generator is None:
        return scenario
    return replace(scenario, generator=replace(scenario.generator, allowed=True))


def kinds_of(models: Sequence[Model]) -> tuple[str, ...]:
    """Return the tables of replicates of a study with these models.

    Tests and predictions are there if a model has any.

    Examples
    --------
    >>> kinds_of([Model("m", "y ~ x + (1 | g)")])
    ('estimates', 'fits')
    """
    there = {
        "tests": any(model.has_tests for model in models),
        "predictions": any(model.predictions for model in models),
    }
    return ("estimates", "fits", *(kind for kind, some in there.items() if some))


def make_plan(
    study: Study,
    *,
    code: str = "",
    batch_seconds: float = BATCH_SECONDS,
    previous: Plan | None = None,
    standing: Standing | None = None,
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
    standing : Standing, optional
        Where the scenarios of a study with a `precision` stand, by default at the beginning; or
        how many replicates each has.
    done : callable
        Whether the results of the batch of that name exist.
    """
    same = (study.seed, code, DATA_VERSION)
    comparable = previous and (previous.seed, previous.code, previous.data_version) == same
    old = previous if comparable else None
    if study.precision and standing is None:
        keys = [scenario.key for scenario in study.scenarios]
        standing = Standing(dict.fromkeys(keys, study.precision.at_least))
    now = _numbers(study, standing)
    ever = _ever(now, old, study.precision)
    missing = _wanted(study, ever)
    kept = _keep(old, missing, done, (now, ever), batch_seconds) if old else []
    pieces = list(_pieces(study, missing, now))
    new = pack(pieces, seed=study.seed, batch_seconds=batch_seconds, code=code)
    return Plan(
        study=study.name,
        text=study.text,
        hash=study.hash,
        seed=study.seed,
        replicates=max(now.values()),
        batch_seconds=batch_seconds,
        code=code,
        scenarios=study.scenarios,
        levels=study.levels,
        models=study.models,
        batches=(*kept, *new),
        retired=_retired(study, old, kept),
        example=study.example,
        sources=study.sources,
        selection=study.selection,
        policies=study.policies,
        figures=study.figures,
        precision=study.precision,
        standing=standing,
        tables=study.tables,
    )


def _numbers(study: Study, standing: Standing | None) -> dict[str, int]:
    """Return the number of replicates of each scenario."""
    if standing is not None:
        return {scenario.key: standing.numbers[scenario.key] for scenario in study.scenarios}
    return {scenario.key: study.replicates for scenario in study.scenarios}


def _ever(
    now: Mapping[str, int], old: Plan | None, precision: Precision | None
) -> Mapping[str, int]:
    """Return how many replicates of each scenario may be worth keeping: those wanted now.

    A scenario that is to reach a precision begins anew when the study changes, and grows to what
    is there already: so all whole grains that are there count too.
    """
    if precision is None or old is None:
        return now
    there = dict(now)
    for key, _, stop in (part for batch in old.batches for part in batch.ranges):
        if key in there:
            there[key] = max(there[key], min(stop // GRAIN * GRAIN, precision.at_most))
    return there


def _wanted(study: Study, numbers: Mapping[str, int]) -> Missing:
    """Return so many replicates of each scenario, by each model."""
    models = [digest(model.definition()) for model in study.models]
    return {
        (key, model): grains_of(0, number, number)
        for key, number in numbers.items()
        for model in models
    }


def _keep(
    old: Plan,
    missing: Missing,
    done: Callable[[str], bool],
    numbers: tuple[Mapping[str, int], Mapping[str, int]],
    batch_seconds: float,
) -> list[Batch]:
    """Return the old batches worth keeping and take what they hold out of `missing`.

    `numbers` are the replicates of each scenario that are wanted now, and that ever may be.
    """
    (now, ever), of_others = numbers, max(numbers[0].values())
    finished = {batch.name for batch in old.batches if done(batch.name)}
    kept = set()
    for batch in sorted(old.batches, key=lambda batch: batch.name not in finished):
        held: Missing = {}
        for scenario, model, grains in batch.work(lambda key: ever.get(key, of_others)):
            held[scenario, model] = held.get((scenario, model), 0) | grains
        useful = {key: grains & missing.get(key, 0) for key, grains in held.items()}
        same_cut = old.batch_seconds == batch_seconds and batch.is_cut_for(
            lambda key: now.get(key, of_others)
        )
        if (same_cut and useful == held) or (batch.name in finished and any(useful.values())):
            kept.add(batch.name)
            for key in useful.keys() & missing.keys():
                missing[key] &= ~useful[key]
    return [batch for batch in old.batches if batch.name in kept]


def _pieces(study: Study, missing: Missing, now: Mapping[str, int]) -> Iterator[Piece]:
    """Yield the replicates of each scenario that lack the same models, as far as wanted now."""
    models = [(digest(model.definition()), model) for model in study.models]
    for scenario in study.scenarios:
        wanted = now[scenario.key]
        groups: list[tuple[int, tuple[Model, ...]]] = [(grains_of(0, wanted, wanted), ())]
        for name, model in models:
            lacking = missing[scenario.key, name]
            with_it = [(grains & lacking, (*group, model)) for grains, group in groups]
            without = [(grains & ~lacking, group) for grains, group in groups]
            groups = [item for item in (*with_it, *without) if item[0]]
        for grains, group in groups:
            for first, last in runs(grains) if group else ():
                yield Piece(scenario, first * GRAIN, min(last * GRAIN, wanted), group)


def _retired(study: Study, old: Plan | None, kept: list[Batch]) -> tuple[Scenario, ...]:
    wanted = {scenario.key for scenario in study.scenarios}
    named = {part.scenario for batch in kept for part in batch.ranges} - wanted
    return tuple(old.scenario(key) for key in sorted(named)) if old else ()
