"""The columns and types of every file of results, as Arrow schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.scenario import Scenario

__all__ = [
    "ACCOUNTING",
    "DIFFERENCES",
    "ESTIMATES",
    "FITS",
    "KINDS",
    "MEASURES",
    "PREDICTIONS",
    "SCENARIOS",
    "SELECTION",
    "SUMMARIES",
    "TESTS",
    "scenarios_schema",
    "with_grid",
]

# Names repeat in millions of rows: dictionaries keep them at four bytes in memory too.
NAME = pa.dictionary(pa.int32(), pa.string())

ESTIMATES = pa.schema(
    {
        "scenario": NAME,
        "replicate": pa.int32(),
        "model": NAME,
        "method": NAME,
        "term": NAME,
        "inference": NAME,
        "estimate": pa.float64(),
        "se": pa.float64(),
        "df": pa.float64(),
        "lower": pa.float64(),
        "upper": pa.float64(),
    }
)

FITS = pa.schema(
    {
        "scenario": NAME,
        "replicate": pa.int32(),
        "model": NAME,
        "method": NAME,
        "criterion": pa.float64(),
        "loglik": pa.float64(),
        "aic": pa.float64(),
        "bic": pa.float64(),
        "npar": pa.int32(),
        "n_obs": pa.int32(),
        "singular": pa.bool_(),
        "status": NAME,
        "iterations": pa.int32(),
        "gradient_norm": pa.float64(),
        "smallest_eigenvalue": pa.float64(),
        "boundary_rank": pa.int32(),
    }
)

TESTS = pa.schema(
    {
        "scenario": NAME,
        "replicate": pa.int32(),
        "model": NAME,
        "method": NAME,
        "test": NAME,
        "inference": NAME,
        "statistic": pa.float64(),
        "df": pa.int32(),
        "ddf": pa.float64(),
        "p_value": pa.float64(),
    }
)

PREDICTIONS = pa.schema(
    {
        "scenario": NAME,
        "replicate": pa.int32(),
        "model": NAME,
        "method": NAME,
        "term": NAME,
        "predictor": NAME,
        "mse": pa.float64(),
        "n_units": pa.int32(),
        "mse_paired": pa.float64(),
        "n_paired": pa.int32(),
    }
)

KINDS = {"estimates": ESTIMATES, "fits": FITS, "tests": TESTS, "predictions": PREDICTIONS}
"""The tables of replicates: a file of each for every batch, and a sorted one."""

MEASURES = pa.schema(
    {
        "scenario": pa.string(),
        "model": pa.string(),
        "method": pa.string(),
        "term": pa.string(),
        "kind": pa.string(),
        "true": pa.float64(),
        "inference": pa.string(),
        "policy": pa.string(),
        "measure": pa.string(),
        "estimate": pa.float64(),
        "mcse": pa.float64(),
        "mcse_robust": pa.float64(),
        "n": pa.int64(),
    }
)

DIFFERENCES = pa.schema(
    {
        "scenario": pa.string(),
        "factor": pa.string(),
        "model": pa.string(),
        "method": pa.string(),
        "inference": pa.string(),
        "against": pa.string(),
        "term": pa.string(),
        "kind": pa.string(),
        "policy": pa.string(),
        "measure": pa.string(),
        "difference": pa.float64(),
        "mcse": pa.float64(),
        "n": pa.int64(),
    }
)

ACCOUNTING = pa.schema(
    {
        "scenario": pa.string(),
        "model": pa.string(),
        "method": pa.string(),
        "outcome": pa.string(),
        "count": pa.int64(),
        "n": pa.int64(),
    }
)

SELECTION = pa.schema(
    {
        "scenario": pa.string(),
        "criterion": pa.string(),
        "method": pa.string(),
        "model": pa.string(),
        "rate": pa.float64(),
        "mcse": pa.float64(),
        "n": pa.int64(),
    }
)

MARGINS = pa.schema(
    {
        "scenario": pa.string(),
        "criterion": pa.string(),
        "method": pa.string(),
        "model": pa.string(),
        "statistic": pa.string(),
        "margin": pa.float64(),
        "mcse": pa.float64(),
        "n": pa.int64(),
    }
)

SUMMARIES = {
    "measures": MEASURES,
    "differences": DIFFERENCES,
    "accounting": ACCOUNTING,
    "selection": SELECTION,
    "margins": MARGINS,
}
"""The tables of summaries: a file of each for every chunk of scenarios, and one of all."""

SCENARIOS = pa.schema({"scenario": pa.string(), "n_units": pa.int64(), "n_rows": pa.int64()})


def scenarios_schema(scenarios: Sequence[Scenario], *, numbers: bool = False) -> pa.Schema:
    """Return the columns of the table of scenarios: `n_rows` is a mean if units of any differ.

    Where rows are missing, `rows_left` says how many a data set has left; with `numbers`,
    `replicates` how many data sets each scenario has, and `reached` whether these are enough.
    """
    schema = SCENARIOS
    if not all(scenario.is_balanced for scenario in scenarios):
        place = schema.get_field_index("n_rows")
        schema = schema.set(place, pa.field("n_rows", pa.float64()))
    if any(scenario.missing for scenario in scenarios):
        schema = schema.append(pa.field("rows_left", pa.float64()))
    if numbers:
        schema = schema.append(pa.field("replicates", pa.int64()))
        schema = schema.append(pa.field("reached", pa.bool_()))
    return schema


def with_grid(schema: pa.Schema, levels: Sequence[Mapping[str, Any]]) -> pa.Schema:
    """Return the schema with one column per factor of the grid, after `scenario`.

    Parameters
    ----------
    schema : pyarrow.Schema
        Its first column is `scenario`.
    levels : sequence of mapping
        For each scenario, short grid name -> level.

    Examples
    --------
    >>> with_grid(SCENARIOS, [{"units": 10, "cor": 0}, {"units": 30, "cor": 0.9}]).names
    ['scenario', 'units', 'cor', 'n_units', 'n_rows']
    """
    names = list(levels[0]) if levels else []
    grid = [pa.field(name, _level_type([level[name] for level in levels])) for name in names]
    return pa.schema([schema.field(0), *grid, *(schema.field(i) for i in range(1, len(schema)))])


def _level_type(values: Sequence[Any]) -> pa.DataType:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else pa.string()
