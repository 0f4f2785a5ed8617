"""Sentences on what is missing: limits of replicates, true values of terms, terms of figures."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from hlm.words.inferences import joined
from hlm.words.levels import WORDS, percent, span
from hlm.words.measures import OF_TERMS, TEST_KINDS
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = [
    "NOTES",
    "no_replicate",
    "not_shown",
    "on_fewer",
    "policies_differ",
    "unbounded",
    "without_true_value",
]

NOTES = "notes"
"""What a table's `attrs` call the sentences that it has of its own."""

_TESTED = ("the rejection rate", "power", "size")
_FAR = 2.0  # Monte Carlo standard errors
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
    what, needs = OF_TERMS[measure].noun, OF_TERMS[measure].needs
    lacked = {"se": "standard error", "limits": "limits", "true, limits": "limits"}
    is_test = OF_TERMS[measure].noun in _TESTED and known["kind"].isin(TEST_KINDS).all()
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
    if "true" not in OF_TERMS[measure].needs:
        return []
    keys = ["model", "kind", "term", WORDS]
    unknown = measures.loc[measures["true"].isna(), keys].drop_duplicates()
    shown = set(frame[keys].itertuples(index=False, name=None))
    terms = list(unknown.itertuples(index=False, name=None))
    nowhere = [term for term in terms if term not in shown]
    in_places = [term for term in terms if term in shown]
    said = (
        [f"No true value, so no {OF_TERMS[measure].noun}: {_listed(nowhere)}."] if nowhere else []
    )
    if in_places:
        said.append(f"No true value at some points of the grid: {_listed(in_places)}.")
    return said


def policies_differ(differences: pd.DataFrame, measures: Sequence[str]) -> list[str]:
    """Say of which measures policies differ by more than two errors of the paired difference.

    Parameters
    ----------
    differences : DataFrame
        Rows of a study's `differences`.
    measures : sequence of str

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"factor": "policy", "policy": "converged", "against": "all", "model": "m",
    ...        "method": "ml", "term": "x", "measure": "bias", "difference": 0.3, "mcse": 0.1}
    >>> print(*policies_differ(pd.DataFrame([row]), ["bias"]))  # doctest: +ELLIPSIS
    By the policy 'converged' bias ... in 1 of 1 cases, most for x of model m (by 0.3, ...).
    """
    said = []
    rows = differences[differences["factor"] == "policy"]
    for (policy, measure), own in rows.groupby(["policy", "measure"], sort=False):
        errors = (own["difference"].abs() / own["mcse"]).to_numpy()
        far = np.count_nonzero(errors > _FAR)
        if measure not in measures or not far:
            continue
        most = own.iloc[int(np.nanargmax(errors))]
        said.append(
            f"By the policy '{policy}' {OF_TERMS[str(measure)].noun} differs from that by "
            f"'{most['against']}' by more than two Monte Carlo standard errors in {far} of "
            f"{len(own)} cases, most for {most['term']} of model {most['model']} "
            f"(by {most['difference']:.2g}, with error {most['mcse']:.2g})."
        )
    return said


def no_replicate(table: pd.DataFrame) -> list[str]:
    """Say under which policies measures rest on no replicate.

    Parameters
    ----------
    table : DataFrame
        Rows with `policy` and the counts of measures, `NAME_n`.
    """
    counts = table[[name for name in table if str(name).endswith("_n")]]
    nobody = (counts.fillna(0) == 0).all(axis=1) if len(counts.columns) else counts.any(axis=1)
    return [
        f"Under the policy '{policy}' no replicate counts in {len(own)} rows of this table."
        for policy, own in table[nobody].groupby("policy", sort=False)
    ]


def _listed(terms: Sequence[tuple[str, ...]]) -> str:
    """List the words of (model, kind, term, words), a few for each model."""
    parts = []
    for model, own in groupby(terms, key=lambda term: term[0]):
        words = [term[-1] for term in own]
        more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
        terms_of = f"model {model}, {noun(len(words), 'term')}"
        parts.append(f"{terms_of} {', '.join(words[:_MOST])}{more}")
    return "; ".join(parts)
