"""The files of all batches -> a sorted file of each of their tables, and the scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.operations.parts import check_alike
from hlm.results import KINDS, scenarios_schema, with_grid, write, write_csv, writing
from hlm.results.windows import scenarios_together, together
from hlm.stages.sorted_rows import SortedRows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from hlm.plan import Plan

__all__ = ["compact", "write_scenarios"]


def compact(plan: Plan, parts: str | Path, files: Mapping[str, str | Path]) -> None:
    """Gather the estimates, fits and F tests that a study wants, sorted by scenario key first.

    Memory holds one row group: a window of replicates, or several scenarios with fewer.

    Parameters
    ----------
    plan : Plan
    parts : path
        The folder with the files of the batches.
    files : mapping of str to path
        The file to write for each of `plan.kinds`.

    Raises
    ------
    InputError
        The file of a batch is missing, damaged, or does not hold what the plan says; or not
        all of them were made by the same code on the same kind of machine.
    """
    check_alike(parts, [batch.name for batch in plan.batches], code=plan.code)
    for kind, path in files.items():
        _gather(plan, SortedRows(plan, parts, kind), KINDS[kind], path)


def write_scenarios(plan: Plan, parquet: str | Path, csv: str | Path) -> None:
    """Write the table of scenarios: key, level of each factor, size; in the study's order.

    Where the units of a scenario differ, `n_rows` is the mean of their rows; where rows are
    missing, `rows_left` is the mean number of rows that a data set has left. Where the study asks
    for a precision, `replicates` is the number of each, and `reached` whether it has that precision
    (missing while more may be computed).
    """
    schema = scenarios_schema(plan.scenarios, numbers=plan.standing is not None)
    schema = with_grid(schema, plan.levels)
    numbers = [plan.replicates_of(scenario.key) for scenario in plan.scenarios]
    columns = {name: [level[name] for level in plan.levels] for name in plan.levels[0]}
    columns["scenario"] = [scenario.key for scenario in plan.scenarios]
    columns["n_units"] = [scenario.n_units for scenario in plan.scenarios]
    columns["n_rows"] = [scenario.mean_rows for scenario in plan.scenarios]
    if "rows_left" in schema.names:
        from hlm.simulate import rows_left  # with numba

        drawn = zip(plan.scenarios, numbers, strict=True)
        columns["rows_left"] = [rows_left(s, plan.seed, number) for s, number in drawn]
    if plan.standing is not None:
        columns["replicates"] = numbers
        columns["reached"] = [plan.standing.reached.get(s.key) for s in plan.scenarios]
    write(columns, parquet, schema, plan.metadata())
    write_csv(columns, csv, schema)


def _gather(plan: Plan, parts: SortedRows, schema: pa.Schema, target: str | Path) -> None:
    keys = sorted(scenario.key for scenario in plan.scenarios)
    windows = (window for key in keys for window in parts.windows(key))
    with writing(target, schema, plan.metadata()) as file:
        for group in together(windows, scenarios_together(plan.replicates)):
            file.append(group)
