"""The rounds of a search by the workflow of `hlm run`: a call of Snakemake for each.

The plan has all points asked for so far, each with its number of replicates. It grows from round
to round, and what is there is not computed again: a search that was stopped goes on where the same
question is asked.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from hlm.cli.run import profile_folder, run_once
from hlm.cli.snakemake_profile import batch_seconds_of
from hlm.operations.prepare import code_of_fits, prepare
from hlm.operations.receipts import receipt_file
from hlm.plan import Plan
from hlm.plan.plan import generators_of
from hlm.plan.rounds import Standing
from hlm.stages.sorted_rows import SortedRows
from hlm.whatif.pieces import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.scenario import Model, Scenario
    from hlm.study import Study
    from hlm.whatif.pieces import Ask

__all__ = ["RoundFailedError", "Rounds", "folder_of"]

FOLDER = "solve"
"""The folder, in that of the study's results, for searches: a study of its own in it."""


class RoundFailedError(Exception):
    """Snakemake ended with another status than 0."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Snakemake ended with status {status}")
        self.status = status


def folder_of(study: Study, results: str | Path) -> Path:
    """Return the folder with the plan and the parts of a study's searches."""
    return Path(results) / study.name / FOLDER / study.name


class Rounds:
    """Draws and fits by Snakemake; called with what a round asks for.

    Parameters
    ----------
    study : Study
    options : Namespace
        Those of the command, as `hlm run` has them.
    """

    def __init__(self, study: Study, options: Namespace) -> None:
        self.study = study
        self.folder = folder_of(study, options.results)
        self.profile = profile_folder(options.profile) if options.profile else None
        self.seconds = batch_seconds_of(options.batch_seconds, self.profile)
        self.options = Namespace(
            **{
                **vars(options),
                "results": str(self.folder.parent),
                "batch_seconds": self.seconds,
                "audit": None,
                "passed_on": ["--until", "fit", *options.passed_on],
            }
        )
        self.scenarios: dict[str, Scenario] = {}
        self.numbers: dict[str, int] = {}
        self.began = False

    def __call__(self, asks: Sequence[Ask], models: Sequence[Model]) -> Iterator[list[Piece]]:
        """Have a round drawn and fitted; yield the replicates of each ask.

        Raises
        ------
        RoundFailedError
            A job failed.
        """
        if not self.began:
            self._recall(models)
        for ask in asks:
            self.scenarios[ask.scenario.key] = ask.scenario
            self.numbers[ask.scenario.key] = max(self.numbers.get(ask.scenario.key, 0), ask.stop)
        plan = self._planned(models)
        parts = self.folder / "parts"
        if not all(receipt_file(parts, batch.name).exists() for batch in plan.batches):
            status = run_once(self.options, plan, self.folder, self.profile, append=self.began)
            if status:
                raise RoundFailedError(status)
        self.began = True
        rows = {kind: SortedRows(plan, parts, kind) for kind in plan.kinds}
        for ask in asks:
            tables = {kind: _between(one, ask) for kind, one in rows.items()}
            yield [Piece(ask.scenario, ask.first, ask.stop, tables)]

    def _recall(self, models: Sequence[Model]) -> None:
        """Take over what an earlier search has asked for, if its results count."""
        path = self.folder / "plan.json"
        if not path.exists():
            return
        plan = Plan.read(path, allow_code=self.study.allow_code)
        code = code_of_fits(generators_of(self.study.scenarios))
        now = [model.definition() for model in models]
        before = [model.definition() for model in plan.models]
        if (plan.seed, plan.code, before) == (self.study.seed, code, now):
            self.scenarios = {one.key: one for one in plan.scenarios}
            self.numbers = {key: plan.replicates_of(key) for key in self.scenarios}

    def _planned(self, models: Sequence[Model]) -> Plan:
        points = tuple(self.scenarios.values())
        study = replace(
            self.study,
            scenarios=points,
            levels=tuple({"point": number} for number in range(1, len(points) + 1)),
            picks=(),
            example=0,
            models=tuple(models),
            replicates=max(self.numbers.values()),
            precision=None,
        )
        numbers = dict(self.numbers)
        standing = Standing(numbers, dict.fromkeys(numbers, True))
        return prepare(study, self.folder.parent, batch_seconds=self.seconds, standing=standing)


def _between(rows: SortedRows, ask: Ask) -> pa.Table:
    """Return the rows of the replicates that are asked for."""
    found = []
    for window in rows.windows(ask.scenario.key):
        number = window["replicate"]
        inside = pc.and_(
            pc.greater_equal(number, pa.scalar(ask.first, number.type)),
            pc.less(number, pa.scalar(ask.stop, number.type)),
        )
        found.append(window.filter(inside))
    return pa.concat_tables(found).unify_dictionaries().combine_chunks()
