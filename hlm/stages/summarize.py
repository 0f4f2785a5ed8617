"""A study's estimates and fits -> its measures and selection rates, some scenarios at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.formula import parse
from hlm.measures import summarize
from hlm.store import MEASURES, SELECTION, open_parquet, to_table, with_grid, write, write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["summarize_study", "true_values"]

CHUNK_ROWS = 400_000
"""Estimates in memory at a time, or those of one scenario where these are more."""


def summarize_study(
    plan: Plan,
    estimates: str | Path,
    fits: str | Path,
    *,
    measures: str | Path,
    selection: str | Path,
) -> None:
    """Write the tables of measures and of selection rates, as Parquet and as CSV beside it.

    Parameters
    ----------
    plan : Plan
    estimates, fits : path
        The sorted files of the study.
    measures, selection : path
        The Parquet files to write.
    """
    truth = {
        (scenario.key, term): value
        for scenario in plan.scenarios
        for term, value in true_values(scenario).items()
    }
    tables = [
        summarize(some_estimates, some_fits, truth=truth, level=plan.models[0].level)
        for some_estimates, some_fits in _chunks(plan, estimates, fits)
    ]
    _write(plan, [table for table, _ in tables], MEASURES, Path(measures))
    _write(plan, [table for _, table in tables], SELECTION, Path(selection))


def true_values(scenario: Scenario) -> dict[str, float]:
    """Return the true value of each term that a scenario's truth has.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    dict of str to float
        Coefficients, then sds and correlations under lme4's names, then `sigma`.

    Examples
    --------
    >>> from hlm.scenario import Scenario
    >>> truth = Scenario("", 10, 5, (), "y ~ 1 + (1 + x | g)", (("(Intercept)", 1.0),),
    ...                  (0.2, 0.5), ((1.0, 0.9), (0.9, 1.0)), 0.75)
    >>> true_values(truth)["cor_x.(Intercept)|g"]
    0.9
    """
    values = dict(scenario.fixed)
    first = 0
    for block in parse(scenario.formula).random:
        names = [term.name for term in block.terms]
        for j, earlier in enumerate(names):
            values[f"sd_{earlier}|{block.group}"] = scenario.sd[first + j]
            for i, later in enumerate(names[j + 1 :], start=j + 1):
                correlation = scenario.cor[first + i][first + j]
                values[f"cor_{later}.{earlier}|{block.group}"] = correlation
        first += len(names)
    return values | {"sigma": scenario.sigma}


def _chunks(
    plan: Plan, estimates: str | Path, fits: str | Path
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the two files side by side: row groups of whole scenarios, the same in both."""
    with open_parquet(estimates) as of_estimates, open_parquet(fits) as of_fits:
        per_scenario = of_fits.num_row_groups // len(plan.scenarios)
        for groups in _group_runs(of_estimates, per_scenario):
            yield of_estimates.read_row_groups(groups), of_fits.read_row_groups(groups)


def _group_runs(file: pq.ParquetFile, per_scenario: int) -> Iterator[list[int]]:
    run: list[int] = []
    rows = 0
    for group in range(file.num_row_groups):
        run.append(group)
        rows += file.metadata.row_group(group).num_rows
        if rows >= CHUNK_ROWS and (group + 1) % per_scenario == 0:
            yield run
            run, rows = [], 0
    if run:
        yield run


def _write(plan: Plan, tables: Sequence[pd.DataFrame], schema: pa.Schema, path: Path) -> None:
    """Put the grid's levels beside the scenario's key and write the table in both formats."""
    import pandas as pd

    keys = [scenario.key for scenario in plan.scenarios]
    levels = pd.DataFrame(list(plan.levels), index=pd.Index(keys, name="scenario"))
    position = {key: i for i, key in enumerate(keys)}
    table = pd.concat(tables, ignore_index=True).join(levels, on="scenario")
    table = table.sort_values("scenario", key=lambda s: s.map(position), kind="stable")
    wide = with_grid(schema, plan.levels)
    arrow = to_table({name: table[name].to_numpy() for name in wide.names}, wide)
    write(arrow, path, wide, plan.metadata())
    write_csv(arrow, path.with_suffix(".csv"), wide)
