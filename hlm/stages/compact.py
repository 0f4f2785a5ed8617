"""The files of all batches -> one sorted file of estimates, one of fits, and the scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.stages.gather import Gatherer, scenarios_together, together
from hlm.store import ESTIMATES, FITS, SCENARIOS, with_grid, write, write_csv, writing
from hlm.store.parts import check_alike

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from hlm.plan import Plan

__all__ = ["compact", "write_scenarios"]


def compact(plan: Plan, parts: str | Path, *, estimates: str | Path, fits: str | Path) -> None:
    """Gather the estimates and the fits that a study wants, sorted by scenario key first.

    Memory holds one row group: a window of replicates, or several scenarios with fewer.

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
        The file of a batch is missing, damaged, or does not hold what the plan says; or not
        all of them were made by the same code on the same kind of machine.
    """
    check_alike(parts, [batch.name for batch in plan.batches], code=plan.code)
    _gather(plan, Gatherer(plan, parts, "estimates"), ESTIMATES, estimates)
    _gather(plan, Gatherer(plan, parts, "fits"), FITS, fits)


def write_scenarios(plan: Plan, parquet: str | Path, csv: str | Path) -> None:
    """Write the table of scenarios: key, level of each factor, size; in the study's order."""
    schema = with_grid(SCENARIOS, plan.levels)
    columns = {name: [level[name] for level in plan.levels] for name in plan.levels[0]}
    columns["scenario"] = [scenario.key for scenario in plan.scenarios]
    columns["n_units"] = [scenario.n_units for scenario in plan.scenarios]
    columns["n_rows"] = [scenario.n_rows for scenario in plan.scenarios]
    write(columns, parquet, schema, plan.metadata())
    write_csv(columns, csv, schema)


def _gather(plan: Plan, parts: Gatherer, schema: pa.Schema, target: str | Path) -> None:
    keys = sorted(scenario.key for scenario in plan.scenarios)
    windows = (window for key in keys for window in parts.windows(key))
    with writing(target, schema, plan.metadata()) as file:
        for group in together(windows, scenarios_together(plan.replicates)):
            file.append(group)
