"""Tables of what became of fits, of measures under policies, and of what factors explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hlm.errors import InputError
from hlm.measures import factor_effects
from hlm.measures.factor_effects import TOTAL
from hlm.results.grid_columns import factors
from hlm.results.shown import in_order, of_first_policy, with_inference, with_words
from hlm.tables.wide import COUNT, MCSE, wide_table
from hlm.words.fitting import OUTCOMES
from hlm.words.levels import WORDS
from hlm.words.notes import NOTES, no_replicate, policies_differ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["SIDE_BY_SIDE", "accounting_table", "effects_table", "margin_table", "policy_table"]

SIDE_BY_SIDE = ("bias", "empirical_se", "rmse", "coverage", "rejection")
"""The measures of the table of policies."""

_OF_EFFECTS = (
    "Shares of the variation over the points of the grid, of which what chance adds is taken out: "
    "0 where a factor adds no more than chance. Each is what a factor adds to the others (type "
    "II); a:b is what two factors add together, rest what is left, and chance the share of all "
    "variation that is Monte Carlo error."
)


def accounting_table(accounting: pd.DataFrame) -> pd.DataFrame:
    """Lay the counts of outcomes side by side: a row for each point of the grid, model and method.

    Parameters
    ----------
    accounting : DataFrame
        A study's `accounting.parquet`.

    Returns
    -------
    DataFrame
        The factors of the grid, `model`, `method`, `n`, the fits, and a column for each outcome.

    Examples
    --------
    >>> row = {"scenario": "s", "model": "m", "method": "ml", "outcome": "ok", "count": 3, "n": 4}
    >>> accounting_table(pd.DataFrame([row])).to_dict("records")
    [{'model': 'm', 'method': 'ml', 'n': 4, 'ok': 3}]
    """
    keys = ["scenario", *factors(accounting), "model", "method", "n"]
    rows = accounting[keys].drop_duplicates(ignore_index=True)
    others = [name for name in accounting["outcome"].unique() if name not in OUTCOMES]
    for outcome in (*OUTCOMES, *others):
        own = accounting.loc[accounting["outcome"] == outcome, [*keys, "count"]]
        if not own.empty:
            rows = rows.merge(own.rename(columns={"count": outcome}), on=keys, how="left")
    return rows.drop(columns="scenario")


def margin_table(margins: pd.DataFrame) -> pd.DataFrame:
    """Lay mean and quantiles of margins side by side: a row for each criterion, method and model.

    Parameters
    ----------
    margins : DataFrame
        A study's `margins.parquet`.

    Returns
    -------
    DataFrame
        `criterion`, `method`, the factors of the grid, `model`, and for each statistic `NAME`,
        `NAME_mcse` and `NAME_n`.
    """
    keys = ["criterion", "method", *factors(margins), "model"]
    table = margins[keys].drop_duplicates(ignore_index=True)
    for name in margins["statistic"].unique():
        own = margins[margins["statistic"] == name]
        columns = {"margin": name, "mcse": f"{name}{MCSE}", "n": f"{name}{COUNT}"}
        table = table.merge(own[[*keys, *columns]].rename(columns=columns), on=keys, how="left")
    table.attrs[NOTES] = [
        "The value of each model less the smallest value of the others: below 0 where it is chosen."
    ]
    return table


def policy_table(
    measures: pd.DataFrame, policies: Sequence[str], differences: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Lay measures under several policies side by side: the rows of each term together.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    policies : sequence of str
    differences : DataFrame, optional
        A study's `differences.parquet`, for a sentence on where policies differ.

    Returns
    -------
    DataFrame
        As from `wide_table`, of all terms, with a column `policy`.
    """
    parts = [
        table.assign(place=place, part=part)
        for part in ("fixed", "random", "tests")
        for place, policy in enumerate(policies)
        if (table := _of_policy(measures, policy, part)) is not None
    ]
    if not parts:
        raise InputError("no term")
    words = {key: text for part in parts for key, text in part.attrs[WORDS].items()}
    beside = {name + end for name in SIDE_BY_SIDE for end in ("", MCSE, COUNT)}
    every = pd.concat([part.assign(policy=policies[part["place"].iloc[0]]) for part in parts])
    if "inference" in every:  # parts with a single inference do not name it
        every["inference"] = every["inference"].fillna("")
    keys = [
        name
        for name in every
        if name not in {*beside, "place", "part", "policy", "true", "n_total", "unbounded"}
    ]
    every = every.assign(row=every.groupby(["part", *keys], sort=False, dropna=False).ngroup())
    every = every.sort_values(["row", "place"], kind="stable", ignore_index=True)
    shown = [name for name in every if name in beside]
    totals = [name for name in ("n_total", "unbounded") if name in every]
    table = every[[*keys, "true", "policy", *totals, *shown]]
    table.attrs[WORDS] = words
    told = [] if differences is None else policies_differ(differences, SIDE_BY_SIDE)
    table.attrs[NOTES] = [*no_replicate(table), *told]
    return table


def effects_table(measures: pd.DataFrame) -> pd.DataFrame:
    """Lay side by side what share of the variation of each measure each factor explains.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.

    Returns
    -------
    DataFrame
        A row for each term, model, method, inference and measure: the shares of effects, from
        `hlm.measures.factor_effects`, and `chance`, the share of all variation that is Monte Carlo
        error. Those of which chance explains all are left out.
    """
    measures = with_words(with_inference(of_first_policy(measures)))
    own = measures[measures["measure"].isin(SIDE_BY_SIDE) & (measures["kind"] != "")]
    grid = factors(own)
    if own.empty or len(grid) < 2:
        raise InputError("the grid has fewer than two factors")
    by = ["kind", "term", "model", "method", "inference", "measure"]
    found = factor_effects(own, grid, by=by)
    total = found[found["effect"] == TOTAL].set_index(by)
    split = found[found["effect"] != TOTAL]
    order = list(split["effect"].unique())
    # Each is there once, and what is missing is to stay so: not by pivot_table.
    shares = split.set_index([*by, "effect"])["share"].unstack("effect")  # noqa: PD010
    chance = (total["by_chance"] / total["sum_of_squares"]).clip(upper=1)
    table = shares[order].assign(chance=chance)
    table = table[table[order].notna().any(axis=1)].round(3).reset_index()
    table = table.sort_values(by, key=_ranked(own), kind="stable", ignore_index=True)
    words = own[["kind", "term", WORDS]].drop_duplicates(["kind", "term"])
    table.attrs[WORDS] = {(kind, term): said for kind, term, said in words.to_numpy()}
    table.attrs[NOTES] = [_OF_EFFECTS]
    return table


def _ranked(measures: pd.DataFrame) -> Callable[[pd.Series], pd.Series]:
    """Return the order of keys: of terms as in other tables, of others as they come."""
    orders = {name: list(measures[name].unique()) for name in ("model", "method", "inference")}
    pairs = in_order(measures)
    orders |= {"kind": list(dict.fromkeys(k for k, _ in pairs)), "measure": list(SIDE_BY_SIDE)}
    orders |= {"term": list(dict.fromkeys(t for _, t in pairs))}
    return lambda column: column.map(orders[str(column.name)].index)


def _of_policy(measures: pd.DataFrame, policy: str, part: str) -> pd.DataFrame | None:
    own = measures[measures["policy"] == policy]
    try:
        return wide_table(own, part, show=SIDE_BY_SIDE)
    except InputError:  # no model has a term of this part
        return None
