"""The files of all batches -> the tables of summaries: chunks of scenarios, then all."""

from __future__ import annotations

from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.criteria import CRITERIA
from hlm.measures.arrays import ERRORS, VALUES
from hlm.measures.scenario_summary import MEASURES, Summary
from hlm.plan.chunking import chunks
from hlm.plan.cost import estimates_of
from hlm.results import SUMMARIES, open_parquet, to_table, with_grid, writing, writing_csv
from hlm.results.windows import METHODS, in_portions
from hlm.stages.one_scenario import Replicates, summarize_replicates
from hlm.stages.scenario_arrays import FITS
from hlm.stages.sorted_rows import SortedRows
from hlm.words.criteria_words import selected_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["join_chunks", "summarize_all", "summarize_chunk"]

ROWS = 1_000_000
"""Estimates of a scenario that are kept in memory: more are put into a temporary file."""

HELD = 20_000
"""Rows of measures that are written together, or those of one scenario."""

READ = {
    "estimates": ("term", "inference", *VALUES),
    "fits": tuple(FITS),
    "tests": ("test", "inference", "p_value"),
    "predictions": ("term", "predictor", *ERRORS),
}
"""The columns that are read of each table of replicates, beside those of where rows belong."""


def summarize_chunk(plan: Plan, chunk: int, parts: str | Path, files: Mapping[str, Any]) -> None:
    """Summarize the scenarios of a chunk, from the files of the batches.

    Parameters
    ----------
    plan : Plan
    chunk : int
        Position in `chunks(plan)`.
    parts : path
        The folder with the files of the batches.
    files : mapping of str to path
        Each of `SUMMARIES` -> the Parquet file to write, without the levels of the grid.
    """
    with ExitStack() as stack:
        writers = {
            kind: stack.enter_context(writing(files[kind], schema))
            for kind, schema in SUMMARIES.items()
        }
        for held in _summaries(plan, chunk, parts, Path(files["measures"]).parent):
            for kind, writer in writers.items():
                writer.append(_table(kind, held))


def summarize_all(plan: Plan, parts: str | Path, files: Mapping[str, Any]) -> None:
    """Summarize a study of one chunk: write what `summarize_chunk` and `join_chunks` do, the same.

    That saves small studies the start of a job. Memory holds all rows, which are those of a chunk.

    Parameters
    ----------
    plan : Plan
    parts : path
        The folder with the files of the batches.
    files : mapping of str to path
        Each of `SUMMARIES` -> the Parquet file to write; the CSV lies beside it.
    """
    found = list(_summaries(plan, 0, parts, Path(files["measures"]).parent))
    for kind in SUMMARIES:
        _join(plan, (_table(kind, held) for held in found), files[kind], kind)


def _summaries(plan: Plan, chunk: int, parts: str | Path, beside: Path) -> Iterator[Summary]:
    """Yield the summaries of the scenarios of a chunk, those of several where they are small."""
    rows = {kind: SortedRows(plan, parts, kind, READ[kind]) for kind in plan.kinds}
    held = Summary()
    scenarios = chunks(plan)[chunk]
    for number, scenario in enumerate(scenarios, 1):
        held.add(_of_scenario(plan, scenario, rows, beside))
        if len(held.measures) >= HELD or number == len(scenarios):
            yield held
            held = Summary()


def _of_scenario(
    plan: Plan, scenario: Scenario, rows: Mapping[str, SortedRows], beside: Path
) -> Summary:
    """Summarize a scenario; beside that of which it is a twin, if it is one."""

    def replicates(one: Scenario) -> Replicates:
        return Replicates(
            one,
            plan.replicates_of(one.key),
            tuple(rows),
            lambda kind: rows[kind].windows(one.key),
            beside if _rows(plan, one) > ROWS else None,
        )

    found = summarize_replicates(
        replicates(scenario),
        plan.models,
        policies=plan.policies,
        selection=plan.selection,
        nominal=replicates(plan.scenario(scenario.twin_of)) if scenario.twin_of else None,
    )
    # As in `summarize`: within a model and method the rates of its fits, then terms by name.
    found.measures.sort(key=itemgetter(MEASURES.index("term")))
    return found


def _table(kind: str, held: Summary) -> pa.Table:
    schema, rows = SUMMARIES[kind], getattr(held, kind)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(schema.names)}
    return to_table(columns, schema)


def join_chunks(plan: Plan, files: Sequence[str | Path], path: str | Path, kind: str) -> None:
    """Write one table of all chunks, with the levels of the grid, as Parquet and as CSV.

    In the order of the study: scenarios, models, methods.

    Parameters
    ----------
    plan : Plan
    files : sequence of path
        The chunks in their order, which is that of the scenarios.
    path : path
        The Parquet file to write; the CSV lies beside it.
    kind : str
        One of `SUMMARIES`.
    """
    _join(plan, _row_groups(files), path, kind)


def _join(plan: Plan, tables: Iterable[pa.Table], path: str | Path, kind: str) -> None:
    schema = SUMMARIES[kind]
    wide = with_grid(schema, plan.levels)
    levels = {
        name: pa.array([level[name] for level in plan.levels], wide.field(name).type)
        for name in plan.levels[0]
    }
    orders = {
        "scenario": [scenario.key for scenario in plan.scenarios],
        "model": [model.name for model in plan.models]
        + [selected_by(criterion) for criterion in plan.selection.criteria],
        "method": METHODS,
        "criterion": list(CRITERIA),
    }
    with (
        writing(path, wide, plan.metadata()) as parquet,
        writing_csv(Path(path).with_suffix(".csv"), wide) as csv,
    ):
        for table in in_portions(tables, 5 * HELD):
            places = {
                name: pc.index_in(table[name], pa.array(names)).to_numpy()
                for name, names in orders.items()
                if name in schema.names
            }
            order = np.lexsort([places[name] for name in reversed(schema.names) if name in places])
            columns: dict[str, Any] = {name: table[name].take(order) for name in schema.names}
            scenario = pa.array(places["scenario"][order])
            columns |= {name: values.take(scenario) for name, values in levels.items()}
            parquet.append(columns)
            csv.append(columns)


def _row_groups(files: Sequence[str | Path]) -> Iterator[pa.Table]:
    for path in files:
        with open_parquet(path) as file:
            yield from (file.read_row_group(group) for group in range(file.num_row_groups))


def _rows(plan: Plan, scenario: Scenario) -> int:
    """Return the number of estimates of a scenario."""
    return plan.replicates_of(scenario.key) * estimates_of(plan.models)
