"""The files of all batches -> measures and selection rates: chunks of scenarios, then all."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.formula import parse
from hlm.measures import count_fits, count_tests, join_summaries, summarize_estimates
from hlm.measures.f_tests import term_of
from hlm.plan.chunking import chunks
from hlm.plan.cost import estimates_of
from hlm.stages.by_term import VALUES, by_term
from hlm.stages.gather import METHODS, Gatherer, in_portions
from hlm.store import MEASURES, SELECTION, open_parquet, with_grid, writing, writing_csv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["join_chunks", "summarize_chunk", "true_values"]

ROWS = 100_000
"""Rows in memory at a time, or the estimates of one term where these are more."""

OF_FITS = ("aic", "bic", "npar", "singular", "status")
OF_TESTS = ("test", "p_value")


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
    estimates = Gatherer(plan, parts, "estimates", ["term", *VALUES])
    fits = Gatherer(plan, parts, "fits", OF_FITS)
    tests = Gatherer(plan, parts, "tests", OF_TESTS) if "tests" in plan.kinds else None
    folder = Path(measures).parent
    with writing(measures, MEASURES) as to_measures, writing(selection, SELECTION) as to_selection:
        for scenarios in _few_at_a_time(plan, chunks(plan)[chunk]):
            terms = _whole_terms(plan, scenarios, estimates, folder)
            truth, level = _truth(plan, scenarios), plan.models[0].level
            of_measures, of_selection = join_summaries(
                (summarize_estimates(table, truth=truth, level=level) for table in terms),
                (count_fits(table) for table in _portions(scenarios, fits)),
                (count_tests(t, truth=truth, level=level) for t in _portions(scenarios, tests)),
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


def _all_spellings(scenario: Scenario) -> dict[str, float]:
    """Add other names that a model may have for the same terms: a:x for x:a, cor_a.b, cor_b.a."""
    values, fixed = true_values(scenario), dict(scenario.fixed)
    formula = parse(scenario.formula)
    for term in formula.fixed:
        for factors in permutations([factor.name for factor in term.factors]):
            values[":".join(factors) or "(Intercept)"] = fixed[term.name]
    effects = [term.name for block in formula.random for term in block.terms]
    for (i, a), (j, b) in permutations(enumerate(effects), 2):
        values[f"cor_{a}.{b}|{formula.random[0].group}"] = scenario.cor[i][j]
    return values


def _truth(plan: Plan, scenarios: Sequence[Scenario]) -> dict[tuple[str, str], float]:
    """Return the true values; of an F test 0 if its hypothesis is true, else NaN."""
    tests = dict(test for model in plan.models for test in model.tests)
    truth: dict[tuple[str, str], float] = {}
    for scenario in scenarios:
        values = _all_spellings(scenario)
        for name, coefficients in tests.items():
            is_true = all(values.get(coefficient, 0.0) == 0.0 for coefficient in coefficients)
            values[term_of(name)] = 0.0 if is_true else np.nan
        truth |= {(scenario.key, term): value for term, value in values.items()}
    return truth


def _few_at_a_time(plan: Plan, scenarios: Sequence[Scenario]) -> Iterator[Sequence[Scenario]]:
    """Yield as many scenarios together as memory should hold, at least one."""
    n = max(1, ROWS // _rows(plan))
    return (scenarios[first : first + n] for first in range(0, len(scenarios), n))


def _rows(plan: Plan) -> int:
    """Return the number of estimates of a scenario."""
    return plan.replicates * estimates_of(plan.models)


def _whole_terms(
    plan: Plan, scenarios: Sequence[Scenario], parts: Gatherer, folder: Path
) -> Iterator[pa.Table]:
    """Yield estimates, all replicates of a term together: whole scenarios, or single terms."""
    windows = _windows(scenarios, parts)
    if _rows(plan) <= ROWS:
        yield pa.concat_tables(windows)
    else:
        yield from by_term(windows, folder)


def _portions(scenarios: Iterable[Scenario], parts: Gatherer | None) -> Iterator[pa.Table]:
    """Yield the rows of scenarios, few enough at a time; none of a table that there is not."""
    return in_portions(_windows(scenarios, parts), ROWS) if parts else iter(())


def _windows(scenarios: Iterable[Scenario], parts: Gatherer) -> Iterator[pa.Table]:
    return (window for scenario in scenarios for window in parts.windows(scenario.key))
