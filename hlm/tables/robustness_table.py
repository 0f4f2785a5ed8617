"""Power and size under violated assumptions, beside those without, as a table."""

from __future__ import annotations

import pandas as pd

from hlm.results.grid_columns import factors, levels
from hlm.results.shown import in_order
from hlm.results.violated import rejections_beside_nominal
from hlm.tables.wide import COUNT, MCSE, TOTAL
from hlm.words.assumptions import ASSUMPTIONS, NOMINAL
from hlm.words.levels import WORDS
from hlm.words.notes import NOTES

__all__ = ["robustness_table"]

VIOLATED, DIFFERENCE = "violated", "difference"

_NOTE = (
    "The difference is of pairs of data sets with the same random numbers, and its error that of "
    "pairs; the other two errors are those of each rate by itself."
)


def robustness_table(measures: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """Lay rates of rejection with and without a violation, and their difference, side by side.

    Parameters
    ----------
    measures, differences : DataFrame
        A study's `measures.parquet` and `differences.parquet`.

    Returns
    -------
    DataFrame
        A row for each term, point of the rest of the grid, model, method, inference if there are
        several, and violation: `true`, `rate` (power, size, or rejection without a true value),
        `assumptions`, `n_total`, and for each of `nominal`, `violated` and `difference` its value,
        `NAME_mcse` and `NAME_n`.

    Raises
    ------
    InputError
        If no rate is there with and without a violation.
    """
    found = rejections_beside_nominal(measures, differences)
    grid = [name for name in factors(differences) if name != ASSUMPTIONS]
    keys = ["kind", "term", *grid, "model", "method"]
    keys += ["inference"] if found.duplicated([*keys, ASSUMPTIONS]).any() else []
    found = _in_order(found, [*keys, ASSUMPTIONS])
    beside = {NOMINAL: "_nominal", VIOLATED: "_violated", DIFFERENCE: ""}
    numbers = {
        f"{name}{mine}": found[f"{its}{end}"]
        for name, end in beside.items()
        for mine, its in (("", "estimate"), (MCSE, "mcse"), (COUNT, "n"))
    }
    counts = {f"{name}{COUNT}": "Int64" for name in beside}
    left = found[["term", "kind", *keys[2:], "true", "rate", ASSUMPTIONS, "n_total"]]
    table = (
        left.rename(columns={"n_total": TOTAL}).assign(**numbers).astype({TOTAL: "Int64", **counts})
    )
    words = found[["kind", "term", WORDS]].drop_duplicates(["kind", "term"])
    table.attrs[WORDS] = {(kind, term): said for kind, term, said in words.to_numpy()}
    table.attrs[NOTES] = [_NOTE]
    return table.reset_index(drop=True)


def _in_order(found: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Sort rows by keys: terms as in other tables, numbers by size, others as they come."""
    kinds, terms = (list(dict.fromkeys(names)) for names in zip(*in_order(found), strict=True))
    orders = {"kind": kinds, "term": terms}
    ranks = pd.DataFrame(
        {
            key: found[key].map({v: k for k, v in enumerate(orders.get(key, levels(found[key])))})
            for key in keys
        }
    )
    return found.loc[ranks.sort_values(keys, kind="stable").index]
