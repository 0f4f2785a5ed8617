"""The files of all batches -> the tables of summaries: chunks of scenarios, then all."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.criteria import CRITERIA
from hlm.estimands.true_values import DIFFERS, targets
from hlm.measures.arrays import ERRORS, P_VALUE, VALUES
from hlm.measures.dense import name_of_test
from hlm.measures.scenario_summary import DIFFERENCES, MEASURES, Summary, summarize_scenario
from hlm.plan.chunking import chunks
from hlm.plan.cost import estimates_of
from hlm.results import SUMMARIES, open_parquet, with_grid, writing, writing_csv
from hlm.results.windows import METHODS, in_portions
from hlm.stages.comparisons import with_comparisons
from hlm.stages.scenario_arrays import FITS, read_fits, read_terms
from hlm.stages.sorted_rows import SortedRows
from hlm.words.criteria_words import selected_by
from hlm.words.measures import OF_ONE_TRUTH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from hlm.measures.arrays import TermArrays
    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["join_chunks", "summarize_chunk"]

ROWS = 1_000_000
"""Estimates of a scenario that are kept in memory: more are put into a temporary file."""

HELD = 20_000
"""Rows of measures that are written together, or those of one scenario."""

OF_TESTS = ("test", "inference", "p_value")
OF_PREDICTIONS = ("term", "predictor", *ERRORS)


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
    estimates = SortedRows(plan, parts, "estimates", ["term", "inference", *VALUES])
    fits = SortedRows(plan, parts, "fits", list(FITS))
    tests = SortedRows(plan, parts, "tests", OF_TESTS) if "tests" in plan.kinds else None
    predictions = (
        SortedRows(plan, parts, "predictions", OF_PREDICTIONS)
        if "predictions" in plan.kinds
        else None
    )
    beside = Path(files["measures"]).parent
    with ExitStack() as stack:
        writers = {
            kind: stack.enter_context(writing(files[kind], schema))
            for kind, schema in SUMMARIES.items()
        }
        held = Summary()
        scenarios = chunks(plan)[chunk]
        for number, scenario in enumerate(scenarios, 1):
            folder = beside if _rows(plan, scenario) > ROWS else None
            held.add(_of_scenario(plan, scenario, estimates, fits, tests, predictions, folder))
            if len(held.measures) >= HELD or number == len(scenarios):
                for kind, writer in writers.items():
                    writer.append(_columns(kind, getattr(held, kind)))
                held = Summary()


def _leave_out(found: Summary, differing: Collection[str]) -> None:
    """Leave out measures that suppose one truth, of terms that have another in each data set."""
    for rows, columns in ((found.measures, MEASURES), (found.differences, DIFFERENCES)):
        term, measure = columns.index("term"), columns.index("measure")
        rows[:] = [
            row for row in rows if row[measure] not in OF_ONE_TRUTH or row[term] not in differing
        ]


def _of_scenario(
    plan: Plan,
    scenario: Scenario,
    estimates: SortedRows,
    fits: SortedRows,
    tests: SortedRows | None,
    predictions: SortedRows | None,
    folder: Path | None,
) -> Summary:
    of_models = {
        (model.name, target.term): target
        for model in plan.models
        for target in targets(scenario, model)
    }
    known = {place: (one.kind, float(one.true)) for place, one in of_models.items()}
    differing = {term for (_, term), one in of_models.items() if one.reason == DIFFERS}

    def target(model: str, term: str) -> tuple[str, float]:
        return known[model, term]

    n, key = plan.replicates_of(scenario.key), scenario.key
    windows = (with_comparisons(window, plan.models) for window in estimates.windows(key))
    with ExitStack() as stack:
        terms: Iterable[TermArrays] = stack.enter_context(
            read_terms(windows, VALUES, n, target, folder=folder)
        )
        if tests is not None:
            tested = read_terms(
                tests.windows(key), P_VALUE, n, target, label="test", term=name_of_test
            )
            terms = chain(terms, stack.enter_context(tested))
        if predictions is not None:
            predicted = read_terms(
                predictions.windows(key), ERRORS, n, target, inference="predictor", folder=folder
            )
            terms = chain(terms, stack.enter_context(predicted))
        found = summarize_scenario(
            key,
            terms,
            read_fits(fits.windows(key), n),
            alphas={model.name: 1.0 - model.level for model in plan.models},
            policies=plan.policies,
            selection=plan.selection,
        )
    if differing:
        _leave_out(found, differing)
    # As in `summarize`: within a model and method the rates of its fits, then terms by name.
    found.measures.sort(key=itemgetter(MEASURES.index("term")))
    return found


def _columns(kind: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    names = SUMMARIES[kind].names
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


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
        for table in in_portions(_row_groups(files), 5 * HELD):
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
