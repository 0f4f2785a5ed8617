"""The files of all batches -> measures and selection rates: chunks of scenarios, then all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.estimands.true_values import targets
from hlm.measures import (
    count_fits,
    count_tests,
    join_summaries,
    sum_predictions,
    summarize_estimates,
)
from hlm.plan.chunking import chunks
from hlm.plan.cost import estimates_of
from hlm.results import MEASURES, SELECTION, open_parquet, with_grid, writing, writing_csv
from hlm.results.windows import METHODS, in_portions
from hlm.stages.by_term import VALUES, by_term
from hlm.stages.sorted_rows import SortedRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["join_chunks", "summarize_chunk"]

ROWS = 100_000
"""Rows in memory at a time, or the estimates of one term where these are more."""

OF_FITS = ("aic", "bic", "npar", "singular", "status")
OF_TESTS = ("test", "inference", "p_value")
OF_PREDICTIONS = ("term", "predictor", "mse", "mse_paired")


def summarize_chunk(
    plan: Plan, chunk: int, parts: str | Path, *, measures: str | Path, selection: str | Path
) -> None:
    """Summarize the scenarios of a chunk, from the files of the batches.

    Parameters
    ----------
    plan : Plan
    chunk : int
        Position in `chunks(plan)`.
    parts : path
        The folder with the files of the batches.
    measures, selection : path
        The Parquet files to write, without the levels of the grid.
    """
    estimates = SortedRows(plan, parts, "estimates", ["term", "inference", *VALUES])
    fits = SortedRows(plan, parts, "fits", OF_FITS)
    tests = SortedRows(plan, parts, "tests", OF_TESTS) if "tests" in plan.kinds else None
    predictions = (
        SortedRows(plan, parts, "predictions", OF_PREDICTIONS)
        if "predictions" in plan.kinds
        else None
    )
    folder, levels = Path(measures).parent, {model.name: model.level for model in plan.models}
    with writing(measures, MEASURES) as to_measures, writing(selection, SELECTION) as to_selection:
        for scenarios in _few_at_a_time(plan, chunks(plan)[chunk]):
            terms = _whole_terms(plan, scenarios, estimates, folder)
            truth = _truth(plan, scenarios)
            of_measures, of_selection = join_summaries(
                (summarize_estimates(table, truth=truth, level=levels) for table in terms),
                (count_fits(table) for table in _portions(scenarios, fits)),
                (count_tests(t, truth=truth, level=levels) for t in _portions(scenarios, tests)),
                (sum_predictions(table) for table in _whole_data_sets(scenarios, predictions)),
            )
            to_measures.append(of_measures)
            to_selection.append(of_selection)


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
    kind : {'measures', 'selection'}
    """
    schema = {"measures": MEASURES, "selection": SELECTION}[kind]
    wide = with_grid(schema, plan.levels)
    levels = {
        name: pa.array([level[name] for level in plan.levels], wide.field(name).type)
        for name in plan.levels[0]
    }
    orders = {
        "scenario": [scenario.key for scenario in plan.scenarios],
        "model": [model.name for model in plan.models],
        "method": METHODS,
        "criterion": ["aic", "bic"],
    }
    with (
        writing(path, wide, plan.metadata()) as parquet,
        writing_csv(Path(path).with_suffix(".csv"), wide) as csv,
    ):
        for table in in_portions(_row_groups(files), ROWS):
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


def _truth(plan: Plan, scenarios: Sequence[Scenario]) -> dict[str, list[Any]]:
    """Return what each term of each model estimates in some scenarios, as columns."""
    rows = [
        (scenario.key, model.name, target.term, target.kind, target.true)
        for scenario in scenarios
        for model in plan.models
        for target in targets(scenario, model)
    ]
    names = ("scenario", "model", "term", "kind", "true")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _few_at_a_time(plan: Plan, scenarios: Sequence[Scenario]) -> Iterator[Sequence[Scenario]]:
    """Yield as many scenarios together as memory should hold, at least one."""
    n = max(1, ROWS // _rows(plan))
    return (scenarios[first : first + n] for first in range(0, len(scenarios), n))


def _rows(plan: Plan) -> int:
    """Return the number of estimates of a scenario."""
    return plan.replicates * estimates_of(plan.models)


def _whole_terms(
    plan: Plan, scenarios: Sequence[Scenario], parts: SortedRows, folder: Path
) -> Iterator[pa.Table]:
    """Yield estimates, all replicates of a term together: whole scenarios, or single terms."""
    windows = _windows(scenarios, parts)
    if _rows(plan) <= ROWS:
        yield pa.concat_tables(windows)
    else:
        yield from by_term(windows, folder)


def _portions(scenarios: Iterable[Scenario], parts: SortedRows | None) -> Iterator[pa.Table]:
    """Yield the rows of scenarios, few enough at a time; none of a table that there is not."""
    return in_portions(_windows(scenarios, parts), ROWS) if parts else iter(())


def _whole_data_sets(scenarios: Iterable[Scenario], parts: SortedRows | None) -> Iterator[pa.Table]:
    """Yield the rows of scenarios, those of a data set together; none of a table there is not."""
    return _windows(scenarios, parts) if parts else iter(())


def _windows(scenarios: Iterable[Scenario], parts: SortedRows) -> Iterator[pa.Table]:
    return (window for scenario in scenarios for window in parts.windows(scenario.key))
