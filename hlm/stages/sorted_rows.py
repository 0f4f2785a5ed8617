"""The files of all batches as one sorted table, a window of replicates at a time.

Sorted by scenario, replicate, then model, method and term in the order of the study. Only what
the study wants is taken, each piece from one batch, so the rows are the same whatever the
batches were and however the study grew.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from hlm.errors import InputError
from hlm.operations.parts import DamagedError, check_part, note_damage, part_file
from hlm.plan.batch import GRAIN, Batch
from hlm.plan.sources import Sources, ranges_by_scenario
from hlm.results import open_parquet
from hlm.results.windows import METHODS, WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow.parquet as pq
    from numpy.typing import NDArray

    from hlm.plan import Plan

__all__ = ["SortedRows"]

OPEN_FILES = 64

PLACE = ("scenario", "replicate", "model", "method")
"""The columns that say where a row belongs."""


class SortedRows:
    """Reads the parts of a study.

    Parameters
    ----------
    plan : Plan
    parts : path
        The folder with the files of the batches.
    kind : {'estimates', 'fits', 'tests', 'predictions'}
    columns : sequence of str, optional
        Those to read, besides `PLACE`; all by default.
    """

    def __init__(
        self, plan: Plan, parts: str | Path, kind: str, columns: Sequence[str] | None = None
    ) -> None:
        self._plan = plan
        self._parts = Path(parts)
        self._kind = kind
        self._columns = None if columns is None else [*PLACE, *columns]
        self._ranges = ranges_by_scenario(plan)
        self._open = lru_cache(OPEN_FILES)(self._open_part)
        self._checked: set[str] = set()

    def windows(self, scenario: str) -> Iterator[pa.Table]:
        """Yield the rows of a scenario.

        Raises
        ------
        InputError
            The file of a batch is missing, damaged, or does not hold what the plan says.
        """
        sources = Sources(self._plan, scenario, self._ranges[scenario])
        replicates = self._plan.replicates_of(scenario)
        edges = [*range(0, replicates, WINDOW), replicates]
        for start, stop in pairwise(edges):
            window = self._sorted(self._taken(sources, start, stop))
            if self._kind == "fits":
                self._check_complete(window, scenario, stop - start)
            yield window

    def _open_part(self, batch: str) -> pq.ParquetFile:
        if batch not in self._checked:
            try:
                check_part(self._parts, batch, self._kind)
            except DamagedError as error:
                note_damage(error)
                raise
            self._checked.add(batch)
        return open_parquet(part_file(self._parts, batch, self._kind))

    def _taken(self, sources: Sources, start: int, stop: int) -> pa.Table:
        taken = []
        for position, batch in sources.holders:
            groups = sources.groups(position, start, stop)
            if groups:
                table = self._read(batch, groups)
                wanted = self._wanted(sources, table, position, start, stop)
                taken.append(table if wanted.all() else table.filter(pa.array(wanted)))
        return pa.concat_tables(taken).unify_dictionaries().combine_chunks()

    def _read(self, batch: Batch, groups: list[int]) -> pa.Table:
        file = self._open(batch.name)
        if file.num_row_groups != len(batch.ranges):
            raise InputError(
                f"batch {batch.name} holds {file.num_row_groups} ranges, "
                f"the plan says {len(batch.ranges)}",
                allowed="the files of this plan; delete the folder 'parts' and run again",
            )
        table = file.read_row_groups(groups, columns=self._columns)
        return table.unify_dictionaries().combine_chunks()

    def _wanted(
        self, sources: Sources, table: pa.Table, position: int, start: int, stop: int
    ) -> NDArray[np.bool_]:
        replicate = table["replicate"].to_numpy()
        model = self._model(table)
        inside = (replicate >= start) & (replicate < stop) & (model >= 0)
        grain = np.where(inside, replicate // GRAIN, 0)
        wanted: NDArray[np.bool_] = inside & (sources.chosen[model, grain] == position)
        return wanted

    def _sorted(self, table: pa.Table) -> pa.Table:
        """Sort by replicate, model and method; terms stay as the model has them."""
        place = table["replicate"].to_numpy().astype(np.int64)
        place = place * len(self._plan.models) + self._model(table)
        place = 2 * place + _codes(table, "method", METHODS)
        if (np.diff(place) >= 0).all():
            return table
        return table.take(pa.array(np.argsort(place, kind="stable")))

    def _model(self, table: pa.Table) -> NDArray[np.int64]:
        return _codes(table, "model", [model.name for model in self._plan.models])

    def _check_complete(self, fits: pa.Table, scenario: str, replicates: int) -> None:
        expected = replicates * sum(len(model.methods) for model in self._plan.models)
        if fits.num_rows != expected:
            raise RuntimeError(
                f"scenario {scenario}: {fits.num_rows} fits where there should be {expected}"
            )


def _codes(table: pa.Table, column: str, names: list[str]) -> NDArray[np.int64]:
    """Return the place in `names` of each row's name, -1 for one that is not there."""
    if not table.num_rows:
        return np.zeros(0, dtype=np.int64)
    values = table[column].chunk(0)
    place = {name: i for i, name in enumerate(names)}
    lookup = np.array([place.get(name, -1) for name in values.dictionary.to_pylist()])
    codes: NDArray[np.int64] = lookup[values.indices.to_numpy()]
    return codes
