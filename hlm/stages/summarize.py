"""The files of all batches -> measures and selection rates: chunks of scenarios, then all."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from hlm.formula import parse
from hlm.measures import summarize
from hlm.plan.chunking import chunks
from hlm.stages.gather import Gatherer
from hlm.store import MEASURES, SELECTION, read, with_grid, write, write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["join_chunks", "summarize_chunk", "true_values"]

PORTION_ROWS = 400_000
"""Estimates in memory at a time, or those of one scenario where these are more."""


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
    import pandas as pd

    tables = [
        summarize(
            estimates,
            fits,
            truth={
                (scenario.key, term): value
                for scenario in scenarios
                for term, value in _all_spellings(scenario).items()
            },
            level=plan.models[0].level,
        )
        for scenarios, estimates, fits in _portions(plan, chunks(plan)[chunk], parts)
    ]
    for place, (path, schema) in enumerate(((measures, MEASURES), (selection, SELECTION))):
        table = pd.concat([pair[place] for pair in tables])
        write({name: table[name].to_numpy() for name in schema.names}, path, schema)


def join_chunks(plan: Plan, files: Sequence[str | Path], path: str | Path, kind: str) -> None:
    """Write one table of all chunks, with the levels of the grid, as Parquet and as CSV.

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
    table = pa.concat_tables([read(file, schema) for file in files])
    place = {scenario.key: i for i, scenario in enumerate(plan.scenarios)}
    places = np.array([place[key] for key in table["scenario"].to_pylist()], dtype=np.int64)
    order = np.argsort(places, kind="stable")
    columns: dict[str, Any] = {name: table[name].take(order) for name in schema.names}
    for name in plan.levels[0]:
        columns[name] = [plan.levels[i][name] for i in places[order]]
    wide = with_grid(schema, plan.levels)
    write(columns, path, wide, plan.metadata())
    write_csv(columns, Path(path).with_suffix(".csv"), wide)


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


def _portions(
    plan: Plan, scenarios: Sequence[Scenario], parts: str | Path
) -> Iterator[tuple[list[Scenario], pa.Table, pa.Table]]:
    """Yield estimates and fits of whole scenarios, about as many rows as memory should hold."""
    of_estimates, of_fits = Gatherer(plan, parts, "estimates"), Gatherer(plan, parts, "fits")
    group: list[Scenario] = []
    estimates: list[pa.Table] = []
    fits: list[pa.Table] = []
    for scenario in scenarios:
        group.append(scenario)
        estimates += of_estimates.windows(scenario.key)
        fits += of_fits.windows(scenario.key)
        if sum(table.num_rows for table in estimates) >= PORTION_ROWS:
            yield group, pa.concat_tables(estimates), pa.concat_tables(fits)
            group, estimates, fits = [], [], []
    if group:
        yield group, pa.concat_tables(estimates), pa.concat_tables(fits)
