"""Tables of what became of fits, and of measures under several policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hlm.errors import InputError
from hlm.results.grid_columns import factors
from hlm.tables.wide import COUNT, MCSE, wide_table
from hlm.words.fitting import OUTCOMES
from hlm.words.levels import WORDS
from hlm.words.notes import NOTES, no_replicate, policies_differ

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SIDE_BY_SIDE", "accounting_table", "policy_table"]

SIDE_BY_SIDE = ("bias", "empirical_se", "rmse", "coverage", "rejection")
"""The measures of the table of policies."""


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


def _of_policy(measures: pd.DataFrame, policy: str, part: str) -> pd.DataFrame | None:
    own = measures[measures["policy"] == policy]
    try:
        return wide_table(own, part, show=SIDE_BY_SIDE)
    except InputError:  # no model has a term of this part
        return None
