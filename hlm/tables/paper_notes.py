"""What is said below a table that a user asks for: what all its numbers share, and its signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.tables.formatting import fewer, notes
from hlm.tables.wide import COUNT, MCSE, TOTAL
from hlm.words.levels import WORDS, level_words, span
from hlm.words.measures import OF_HYPOTHESES
from hlm.words.nouns import counted
from hlm.words.table_words import level_in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from hlm.table_layout import Layout
    from hlm.table_spec import TableSpec

__all__ = ["paper_notes"]

_ERRORS = {
    "brackets": "In brackets: Monte Carlo standard errors.",
    "below": "In brackets below each number: Monte Carlo standard errors.",
    "columns": "MCSE: Monte Carlo standard error.",
    "none": "Monte Carlo standard errors are in the CSV file; the decimals are those they allow.",
}


def paper_notes(
    table: pd.DataFrame, layout: Layout, *, keys: Collection[str], where: Mapping[str, Any]
) -> tuple[str, ...]:
    """Say what all numbers of a page have in common, and what its signs mean.

    Parameters
    ----------
    table : DataFrame
        As from `laid_out`, the rows of the page.
    layout : Layout
    keys : collection of str
        The columns that the page shows, or that have groups of columns or pages of their own.
    where : mapping
        The levels that the page stands for, which its title has.
    """
    spec = layout.spec
    said = [_in_common(table, layout, keys, where)]
    has_error = any(table[name + MCSE].notna().any() for name in spec.measures if name in table)
    said += [_ERRORS[spec.mcse]] if has_error and not _digits_alone(spec) else []
    signs = [note for note in notes(table) if spec.n == "auto" or not note.startswith("[n]")]
    said += _of_hypotheses(table, spec)
    said += _counts(table, spec)
    return tuple(note for note in [*said, *signs] if note)


def _digits_alone(spec: TableSpec) -> bool:
    """Tell whether errors are not shown and do not govern the digits either."""
    return spec.mcse == "none" and spec.digits is not None


def _in_common(
    table: pd.DataFrame, layout: Layout, keys: Collection[str], where: Mapping[str, Any]
) -> str:
    """Say which term, fit and point all numbers are of, and on how many replicates they rest."""
    spec, parts = layout.spec, []
    shown = {*keys, *where}
    row = table.iloc[0].to_dict()
    ways = {fit["inference"] for fit in layout.fits} - {""}
    if "inference" not in row and len(ways) == 1:
        row["inference"] = ways.pop()
    if "term" in table and "term" not in shown:
        parts.append(f"term {table.attrs[WORDS][row['kind'], row['term']]}")
    if "true" in table and "true" not in shown and spec.part != "predictions":
        values = table["true"].unique()
        if len(values) == 1 and values[0] == values[0]:
            parts.append(f"true value {level_words(float(values[0]))}")
        elif len(values) > 1:
            parts.append("true values in the CSV file")
    of_points = layout.points[0] if layout.points else {}
    same = [name for name, levels in spec.scenarios if len(levels) == 1 and name not in shown]
    parts += [level_in_words(name, of_points[name]) for name in same]
    of_fits = [name for name in ("model", "method", "inference") if row.get(name)]
    parts += [level_in_words(name, row[name]) for name in of_fits if name not in shown]
    if "policy" not in shown and row.get("policy") not in (None, "", "all"):
        parts.append(level_in_words("policy", row["policy"]))
    if TOTAL in table and TOTAL not in shown and table[TOTAL].notna().any():
        totals = table[TOTAL].dropna().unique()
        some = f"{span(totals)} replicates" if len(totals) > 1 else counted(totals[0], "replicate")
        parts.append(f"{some} each")
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _of_hypotheses(table: pd.DataFrame, spec: TableSpec) -> list[str]:
    """Say why a term has no power, or no size."""
    shown = [name for name in spec.measures if name in OF_HYPOTHESES and name in table]
    if not any(table[name].isna().any() for name in shown):
        return []
    return ["Power is of hypotheses that are false, and size of those that are true."]


def _counts(table: pd.DataFrame, spec: TableSpec) -> list[str]:
    """Say what square brackets mean where all numbers have them, or that none has."""
    if spec.n == "always":
        return ["[n]: the replicates that the number rests on."]
    shown = [name for name in spec.measures if name in table and name + COUNT in table]
    if spec.n == "never" and any(fewer(table, name).notna().any() for name in shown):
        return ["Some numbers rest on fewer replicates: the CSV file has how many."]
    return []
