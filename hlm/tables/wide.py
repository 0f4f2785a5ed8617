"""Tidy tables of results -> measures, or models, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hlm.errors import InputError, nearest
from hlm.figures.grid import factors, levels
from hlm.figures.words import PARTS, part_of, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.figures.catalogue import Planned

__all__ = ["MCSE", "MEASURES", "scenario_table", "selection_table", "wide_table"]

MEASURES = ("bias", "empirical_se", "rmse", "relative_error_se", "coverage", "rejection")
MCSE = "_mcse"


def wide_table(
    measures: pd.DataFrame,
    part: str | Sequence[str] = "fixed",
    *,
    method: str = "reml",
    show: Sequence[str] = MEASURES,
) -> pd.DataFrame:
    """Lay measures side by side: a row for each term, point of the grid and model.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    part : str or sequence of str
        ``'fixed'``, ``'random'``, ``'tests'``, or terms by name.
    method : {'reml', 'ml'}
        If the study has one method only, that one is taken.
    show : sequence of str
        Measures; those that no row has are left out.

    Returns
    -------
    DataFrame
        `term`, the factors of the grid, `model`, `true`, and for each measure `NAME` and
        `NAME_mcse`.

    Examples
    --------
    >>> row = {"term": "x", "true": 3.0, "model": "m", "method": "ml", "n": 100}
    >>> measures = pd.DataFrame([{**row, "measure": "bias", "estimate": 0.1, "mcse": 0.02}])
    >>> wide_table(measures).to_dict("records")
    [{'term': 'x', 'model': 'm', 'true': 3.0, 'bias': 0.1, 'bias_mcse': 0.02}]
    """
    found = measures["method"].drop_duplicates().tolist()
    method = found[0] if len(found) == 1 else method
    keep = (measures["method"] == method) & measures["measure"].isin(list(show))
    frame = measures[keep & measures["term"].isin(_terms(measures, part))]
    terms = sorted(levels(frame["term"]), key=rank)
    keys = ["term", *factors(frame), "model"]
    wide = _spread(frame.assign(term=pd.Categorical(frame["term"], terms)), keys, "measure", show)
    true = frame.drop_duplicates(keys).set_index(keys)["true"]
    wide.insert(0, "true", true.reindex(wide.index))
    return _plain(wide)


def selection_table(selection: pd.DataFrame) -> pd.DataFrame:
    """Lay selection rates side by side: a column for each model.

    Parameters
    ----------
    selection : DataFrame
        A study's `selection.parquet`.

    Returns
    -------
    DataFrame
        `criterion`, `method`, the factors of the grid, and for each model `NAME` and
        `NAME_mcse`.
    """
    keys = ["criterion", "method", *factors(selection)]
    models = levels(selection["model"])
    return _plain(_spread(selection.rename(columns={"rate": "estimate"}), keys, "model", models))


def scenario_table(study: Planned) -> pd.DataFrame:
    """List the points of the grid: key, level of each factor, and the sizes that are no factor.

    Parameters
    ----------
    study : Study or Plan

    Returns
    -------
    DataFrame
        `scenario`, the factors of the grid, and `n_units` and `n_rows` unless they repeat one.
    """
    points = pd.DataFrame(
        [
            {"scenario": s.key, **level, "n_units": s.n_units, "n_rows": s.n_rows}
            for s, level in zip(study.scenarios, study.levels, strict=True)
        ]
    )
    repeated = {"n_units": "units", "n_rows": "rows"}
    return points.drop(columns=[size for size, factor in repeated.items() if factor in points])


def _terms(measures: pd.DataFrame, part: str | Sequence[str]) -> list[str]:
    found = [name for name in levels(measures["term"]) if name]
    if part in PARTS:
        return [name for name in found if part_of(name) == part]
    asked = [part] if isinstance(part, str) else list(part)
    for name in asked:
        if name not in found:
            known = ", ".join([*PARTS, *found])
            raise InputError(f"no term '{name}'", allowed=known, suggestion=nearest(name, found))
    return asked


def _spread(
    frame: pd.DataFrame, keys: list[str], column: str, order: Sequence[str]
) -> pd.DataFrame:
    """Return estimates and their errors in columns, in the given order; rows by their keys."""
    frame = frame.copy()
    for key in keys:
        if not isinstance(frame[key].dtype, pd.CategoricalDtype):
            frame[key] = pd.Categorical(frame[key], levels(frame[key]))
    # Not by pivot_table, which would average rows that repeat and drop what is missing.
    cells = frame.set_index([*keys, column])[["estimate", "mcse"]]
    wide = cells.unstack(column).sort_index()  # noqa: PD010
    present = [name for name in order if ("estimate", name) in wide]
    pairs = {name: wide["estimate", name] for name in present}
    errors = {name + MCSE: wide["mcse", name] for name in present}
    both = pd.DataFrame({**pairs, **errors})
    return both[[part for name in present for part in (name, name + MCSE)]]


def _plain(wide: pd.DataFrame) -> pd.DataFrame:
    """Return the keys as columns of their own types."""
    table = wide.reset_index()
    for key in wide.index.names:
        table[key] = table[key].astype(table[key].cat.categories.dtype)
    return table
