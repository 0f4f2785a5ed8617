"""Tidy tables of results -> measures, or models, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from hlm.errors import InputError, nearest
from hlm.estimands.kinds import PARTS
from hlm.results.grid_columns import factors, levels
from hlm.results.shown import in_order, of_first_policy, with_inference, with_words
from hlm.table_spec import SHOWN
from hlm.words.fitting import METHODS
from hlm.words.inferences import INFERENCES
from hlm.words.levels import WORDS
from hlm.words.predictors import PREDICTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.results.shown import Planned

__all__ = [
    "COUNT",
    "MCSE",
    "READ",
    "SHOWN",
    "TOTAL",
    "UNBOUNDED",
    "factors_apart",
    "laid_out",
    "scenario_table",
    "selection_table",
    "wide_table",
]

_NONE = {
    "fixed": "no model has a coefficient",
    "random": "no model has a random part",
    "tests": "no model has a test",
    "predictions": "no model has a coefficient of units with a true value",
}

TOTAL, UNBOUNDED = "n_total", "unbounded"
"""Columns of a wide table that say what the others rest on."""

READ = (
    *dict.fromkeys(name for shown in SHOWN.values() for name in shown),
    *(TOTAL, UNBOUNDED),
)
"""The measures that all tables need."""

MCSE, COUNT = "_mcse", "_n"
"""How the columns beside a measure end: its Monte Carlo standard error, and its replicates."""


def wide_table(
    measures: pd.DataFrame,
    part: str | Sequence[str] = "fixed",
    *,
    method: str | None = None,
    show: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Lay measures side by side: a row for each term, point of the grid, model and method.

    Where a term has several inferences, each has a row, and what rests on none is in all of them.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    part : str or sequence of str
        ``'fixed'``, ``'random'``, ``'tests'``, ``'predictions'``, or terms by name.
    method : {'reml', 'ml'}, optional
        By default all methods of the study.
    show : sequence of str, optional
        Measures; those that no row has are left out. By default those of `SHOWN`.

    Returns
    -------
    DataFrame
        `term`, `kind`, the factors of the grid, `model`, `method`, `inference` where
        there are several, `true`; `n_total`, the
        replicates, and `unbounded`, the share of intervals without an end, where these are known;
        and for each measure `NAME`, `NAME_mcse` and `NAME_n`, the replicates that it rests on.
        Its `attrs` say what to call each term, by kind and name.

    Raises
    ------
    InputError
        If there is no such term.

    Examples
    --------
    >>> row = {"term": "x", "kind": "coefficient", "true": 3.0, "model": "m", "method": "ml"}
    >>> row |= {"measure": "bias", "estimate": 0.1, "mcse": 0.02, "n": 100}
    >>> wide_table(pd.DataFrame([row])).drop(columns=["term", "kind"]).to_dict("records")
    [{'model': 'm', 'method': 'ml', 'true': 3.0, 'bias': 0.1, 'bias_mcse': 0.02, 'bias_n': 100}]
    """
    measures = with_words(with_inference(of_first_policy(measures)))
    if show is None:
        show = SHOWN.get(str(part), SHOWN["fixed"])
    keep = _of(measures, part) & measures["measure"].isin([*show, TOTAL, UNBOUNDED])
    frame = measures[keep if method is None else keep & (measures["method"] == method)]
    if frame.empty:
        raise InputError(_NONE.get(str(part), "no fit by this method"))
    return laid_out(frame, show)


def laid_out(
    measures: pd.DataFrame, show: Sequence[str], *, by: Sequence[str] = ()
) -> pd.DataFrame:
    """Lay the rows of some terms side by side: a column for each measure.

    Parameters
    ----------
    measures : DataFrame
        Rows of `measures.parquet`, with the columns of `with_words` and `with_inference`.
    show : sequence of str
        Measures.
    by : sequence of str
        Further columns that tell rows apart.

    Returns
    -------
    DataFrame
        As from `wide_table`.
    """
    frame = measures.rename(columns=factors_apart(measures, show))
    grid = factors(frame)
    frame, inference = _each_inference(frame, ["kind", "term", *grid, "model", "method", *by])
    keys = ["kind", "term", *grid, "model", "method", *inference, *by]
    true = frame.drop_duplicates(keys).set_index(keys)["true"]
    wide = _spread(_in_order(frame), keys, "measure", show)
    for name in (UNBOUNDED, TOTAL):
        known = frame[frame["measure"] == name].set_index(keys)["estimate"]
        if not known.empty:
            known = known.reindex(wide.index)
            wide.insert(0, name, known.astype("Int64") if name == TOTAL else known)
    wide.insert(0, "true", true.reindex(wide.index))
    table = _plain(wide)[["term", "kind", *keys[2:], *wide]]
    words = frame[["kind", "term", WORDS]].drop_duplicates(["kind", "term"])
    table.attrs[WORDS] = {(kind, term): said for kind, term, said in words.to_numpy()}
    return table


def selection_table(
    selection: pd.DataFrame, replicates: int | Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Lay selection rates side by side: a column for each model.

    Parameters
    ----------
    selection : DataFrame
        A study's `selection.parquet`.
    replicates : int or mapping of str to int, optional
        The data sets of each scenario, or of each by its key.

    Returns
    -------
    DataFrame
        `criterion`, `method`, the factors of the grid, `n_total` if `replicates` are given, and
        for each model `NAME`, `NAME_mcse` and `NAME_n`. A model whose name another column has is
        ``model NAME``.
    """
    keys = ["criterion", "method", *factors(selection)]
    names = _apart(levels(selection["model"]), [*keys, TOTAL])
    frame = selection.rename(columns={"rate": "estimate"})
    frame = frame.assign(model=frame["model"].map(names))
    wide = _spread(frame, keys, "model", list(names.values()))
    if isinstance(replicates, Mapping):
        known = frame.drop_duplicates(keys).set_index(keys)["scenario"].map(replicates)
        wide.insert(0, TOTAL, known.reindex(wide.index).to_numpy())
    elif replicates is not None:
        wide.insert(0, TOTAL, replicates)
    return _plain(wide)


def scenario_table(study: Planned) -> pd.DataFrame:
    """List the points of the grid: key, level of each factor, and the sizes that are no factor.

    Parameters
    ----------
    study : Study or Plan

    Returns
    -------
    DataFrame
        `scenario`, the factors of the grid, and `n_units` and `n_rows` unless they repeat one;
        where units differ, `n_rows` is the mean of their rows.
    """
    points = pd.DataFrame(
        [
            {"scenario": s.key, **level, "n_units": s.n_units, "n_rows": s.mean_rows}
            for s, level in zip(study.scenarios, study.levels, strict=True)
        ]
    )
    repeated = {"n_units": "units", "n_rows": "rows"}
    return points.drop(columns=[size for size, factor in repeated.items() if factor in points])


def _each_inference(frame: pd.DataFrame, keys: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Give each inference of a term what rests on none; return the column, if one has several."""
    of_none = frame["inference"] == ""
    found = frame.loc[~of_none, [*keys, "inference"]].drop_duplicates()
    if not found.duplicated(keys).any():
        return frame.drop(columns="inference"), []
    repeated = frame[of_none].drop(columns="inference").merge(found, on=keys, how="left")
    return pd.concat([repeated.fillna({"inference": ""}), frame[~of_none]]), ["inference"]


def _of(measures: pd.DataFrame, part: str | Sequence[str]) -> pd.Series:
    """Return which rows are of a part, or of the terms of these names."""
    if isinstance(part, str) and part in PARTS:
        return measures["kind"].isin(PARTS[part])
    found = [name for name in levels(measures["term"]) if name]
    asked = [part] if isinstance(part, str) else list(part)
    for name in asked:
        if name not in found:
            known = ", ".join([*PARTS, *found])
            raise InputError(f"no term '{name}'", allowed=known, suggestion=nearest(name, found))
    return measures["term"].isin(asked)


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with their kinds and terms as categories in the order of a summary."""
    kinds, terms = (list(dict.fromkeys(names)) for names in zip(*in_order(frame), strict=True))
    return frame.assign(
        kind=pd.Categorical(frame["kind"], kinds), term=pd.Categorical(frame["term"], terms)
    )


def factors_apart(frame: pd.DataFrame, show: Sequence[str]) -> dict[str, str]:
    """Give a factor that is called as a measure is (a covariate may be) another name."""
    columns = {name + end for name in show for end in ("", MCSE, COUNT)}
    return {name: f"grid {name}" for name in factors(frame) if name in columns}


def _apart(models: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Give each model a column that no other and none beside another model has."""
    beside = {name + end for name in models for end in (MCSE, COUNT)}
    others = {*taken, *beside}
    return {name: f"model {name}" if name in others else name for name in models}


def _spread(
    frame: pd.DataFrame, keys: list[str], column: str, order: Sequence[str]
) -> pd.DataFrame:
    """Return estimates, errors and replicates in columns, in this order; rows by their keys."""
    frame = frame.copy()
    known = {"method": list(METHODS), "inference": [*INFERENCES, *PREDICTORS]}
    for key in keys:
        if not isinstance(frame[key].dtype, pd.CategoricalDtype):
            found = levels(frame[key])
            first = [name for name in known.get(key, []) if name in found]
            others = [level for level in found if level not in first]
            frame[key] = pd.Categorical(frame[key], [*first, *others])
    # Not by pivot_table, which would average rows that repeat and drop what is missing.
    cells = frame.set_index([*keys, column])[["estimate", "mcse", "n"]]
    wide = cells.unstack(column).sort_index()  # noqa: PD010
    ends = {"": "estimate", MCSE: "mcse", COUNT: "n"}
    present = [name for name in order if ("estimate", name) in wide]
    columns = {name + end: wide[part, name] for name in present for end, part in ends.items()}
    counts = {name + COUNT: "Int64" for name in present}
    return pd.DataFrame(columns, index=wide.index).astype(counts)


def _plain(wide: pd.DataFrame) -> pd.DataFrame:
    """Return the keys as columns of their own types."""
    table = wide.reset_index()
    for key in wide.index.names:
        table[key] = table[key].astype(table[key].cat.categories.dtype)
    return table
