"""The files of all batches -> one sorted file of estimates and one of fits.

Sorted by scenario key, replicate, then model, method and term in the order of the study. Only
what the study wants is taken, each piece from one batch, so the files hold the same whatever
the batches were and however the study grew. Memory holds one window of replicates.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.errors import InputError
from hlm.plan.batch import GRAIN, Batch
from hlm.plan.sources import Sources
from hlm.store import ESTIMATES, FITS, SCENARIOS, open_parquet, with_grid, write, write_csv, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow.parquet as pq

    from hlm.plan import Plan

__all__ = ["compact", "write_scenarios"]

WINDOW = 5000
"""Replicates in memory at a time, of one scenario."""

OPEN_FILES = 64


def compact(plan: Plan, parts: str | Path, *, estimates: str | Path, fits: str | Path) -> None:
    """Gather the estimates and the fits that a study wants.

    Parameters
    ----------
    plan : Plan
    parts : path
        The folder with the files of the batches.
    estimates, fits : path
        The files to write.

    Raises
    ------
    InputError
        The file of a batch is missing, damaged, or does not hold what the plan says.
    """
    _gather(plan, Path(parts), "estimates", ESTIMATES, Path(estimates))
    _gather(plan, Path(parts), "fits", FITS, Path(fits))


def write_scenarios(plan: Plan, parquet: str | Path, csv: str | Path) -> None:
    """Write the table of scenarios: key, level of each factor, size; in the study's order."""
    schema = with_grid(SCENARIOS, plan.levels)
    columns = {name: [level[name] for level in plan.levels] for name in plan.levels[0]}
    columns["scenario"] = [scenario.key for scenario in plan.scenarios]
    columns["n_units"] = [scenario.n_units for scenario in plan.scenarios]
    columns["n_rows"] = [scenario.n_rows for scenario in plan.scenarios]
    write(columns, parquet, schema, plan.metadata())
    write_csv(columns, csv, schema)


def _gather(plan: Plan, parts: Path, kind: str, schema: pa.Schema, target: Path) -> None:
    @lru_cache(OPEN_FILES)
    def part(batch: str) -> pq.ParquetFile:
        return open_parquet(parts / f"{batch}.{kind}.parquet")

    edges = [*range(0, plan.replicates, WINDOW), plan.replicates]
    with writing(target, schema, plan.metadata()) as file:
        for scenario in sorted(scenario.key for scenario in plan.scenarios):
            sources = Sources(plan, scenario)
            for start, stop in pairwise(edges):
                window = _window(plan, sources, part, start, stop)
                if kind == "fits":
                    _check_complete(plan, window, scenario, stop - start)
                file.append(window)


def _window(
    plan: Plan, sources: Sources, part: Callable[[str], pq.ParquetFile], start: int, stop: int
) -> pa.Table:
    taken = []
    for position, batch in sources.holders:
        groups = sources.groups(batch, start, stop)
        if groups:
            table = _read(part(batch.name), batch, groups)
            taken.append(table.filter(_wanted(plan, sources, table, position, start, stop)))
    table = pa.concat_tables(taken).unify_dictionaries()
    return table.take(_order(plan, table))


def _read(file: pq.ParquetFile, batch: Batch, groups: list[int]) -> pa.Table:
    if file.num_row_groups != len(batch.ranges):
        raise InputError(
            f"batch {batch.name} holds {file.num_row_groups} ranges, "
            f"the plan says {len(batch.ranges)}",
            allowed="the files of this plan; delete the folder 'parts' and run the study again",
        )
    return file.read_row_groups(groups)


def _wanted(
    plan: Plan, sources: Sources, table: pa.Table, position: int, start: int, stop: int
) -> pa.Array:
    replicate = table["replicate"].to_numpy()
    model = _index(table, "model", [model.name for model in plan.models])
    inside = (replicate >= start) & (replicate < stop) & (model >= 0)
    grain = np.where(inside, replicate // GRAIN, 0)
    return pa.array(inside & (sources.chosen[model, grain] == position))


def _order(plan: Plan, table: pa.Table) -> pa.Array:
    """Return the order by replicate, model and method; terms stay as the model has them."""
    model = _index(table, "model", [model.name for model in plan.models])
    method = _index(table, "method", ["reml", "ml"])
    return pa.array(np.lexsort((method, model, table["replicate"].to_numpy())))


def _index(table: pa.Table, column: str, values: list[str]) -> np.ndarray:
    names = table[column].cast(pa.string())
    found = pc.index_in(names, value_set=pa.array(values))
    index: np.ndarray = pc.fill_null(found, -1).to_numpy()
    return index


def _check_complete(plan: Plan, fits: pa.Table, scenario: str, replicates: int) -> None:
    expected = replicates * sum(len(model.methods) for model in plan.models)
    if fits.num_rows != expected:
        raise RuntimeError(
            f"scenario {scenario}: {fits.num_rows} fits where there should be {expected}"
        )
