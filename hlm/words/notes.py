"""Sentences on what is missing: limits of replicates, true values of terms, terms of figures."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from hlm.words.inferences import joined
from hlm.words.levels import WORDS, percent, span
from hlm.words.measures import MEASURES, TEST_KINDS
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["not_shown", "on_fewer", "unbounded", "without_true_value"]

_MOST = 4  # terms of a model that a sentence lists
_MOST_LEFT_OUT = 40  # terms that a figure lists in the place of drawing them


def on_fewer(frame: pd.DataFrame, measure: str) -> list[str]:
    """Say on how many replicates a measure rests, if not on all.

    Parameters
    ----------
    frame : DataFrame
        Rows with `n`, `n_total` and `kind`.
    measure : str
    """
    known = frame[frame["n_total"].notna()]
    if not (known["n"] < known["n_total"]).any():
        return []
    what, needs = MEASURES[measure].noun, MEASURES[measure].needs
    lacked = {"se": "standard error", "limits": "limits", "true, limits": "limits"}
    is_test = measure == "rejection" and known["kind"].isin(TEST_KINDS).all()
    rest = f"have no {'test' if is_test else lacked.get(needs, 'estimate')}"
    of = f"{span(known['n'])} of {span(known['n_total'])} replicates"
    return [f"{what[0].upper()}{what[1:]} rests on {of}: the others {rest}."]


def not_shown(terms: Sequence[str], where: str) -> list[str]:
    """Say which terms a figure has no room for, and where they are.

    Examples
    --------
    >>> not_shown(["sd x", "ICC"], "the table")
    ['Not shown, for want of room: sd x and ICC; the table has them.']
    >>> not_shown([], "the table")
    []
    """
    if not terms:
        return []
    left = len(terms) - _MOST_LEFT_OUT
    names = [*terms[:_MOST_LEFT_OUT], *([f"{left} more"] if left > 0 else [])]
    them = "it" if len(terms) == 1 else "them"
    return [f"Not shown, for want of room: {joined(names)}; {where} has {them}."]


def unbounded(shares: pd.Series) -> list[str]:
    """Say how many intervals are unbounded, if any are."""
    largest = shares.max()
    if not largest > 0:
        return []
    note = (
        f"In up to {percent(largest)} of the replicates the interval is unbounded: "
        "it covers whatever is above its lower limit."
    )
    return [note]


def without_true_value(frame: pd.DataFrame, measures: pd.DataFrame, measure: str) -> list[str]:
    """Say of which terms a measure is missing because they have no true value.

    Parameters
    ----------
    frame : DataFrame
        The rows of the measure.
    measures : DataFrame
        All rows of the terms that are asked for, with the column `WORDS`.
    measure : str
    """
    if "true" not in MEASURES[measure].needs:
        return []
    keys = ["model", "kind", "term", WORDS]
    unknown = measures.loc[measures["true"].isna(), keys].drop_duplicates()
    shown = set(frame[keys].itertuples(index=False, name=None))
    terms = list(unknown.itertuples(index=False, name=None))
    nowhere = [term for term in terms if term not in shown]
    in_places = [term for term in terms if term in shown]
    said = (
        [f"No true value, so no {MEASURES[measure].noun}: {_listed(nowhere)}."] if nowhere else []
    )
    if in_places:
        said.append(f"No true value at some points of the grid: {_listed(in_places)}.")
    return said


def _listed(terms: Sequence[tuple[str, ...]]) -> str:
    """List the words of (model, kind, term, words), a few for each model."""
    parts = []
    for model, own in groupby(terms, key=lambda term: term[0]):
        words = [term[-1] for term in own]
        more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
        terms_of = f"model {model}, {noun(len(words), 'term')}"
        parts.append(f"{terms_of} {', '.join(words[:_MOST])}{more}")
    return "; ".join(parts)
