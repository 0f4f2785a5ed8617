"""What a number rests on, in sentences: replicates without limits, terms without a true value."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from hlm.figures.results import WORDS
from hlm.words.nouns import noun
from hlm.words.terms import percent, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["KEYS", "OF_TRUE", "beside", "on_fewer", "unbounded", "without_true_value"]

KEYS = ["scenario", "model", "method", "kind", "term"]
"""The columns that tell what a measure is of."""

OF_TRUE = {
    "bias": "bias",
    "relative_bias": "bias",
    "median_bias": "bias",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "coverage": "coverage",
}
"""The measures that compare with a true value, each with its noun."""

_INTERVALS = {
    "coverage": "coverage",
    "bias_eliminated_coverage": "coverage",
    "rejection": "the rejection rate",
    "ci_width": "the mean width",
    "median_ci_width": "the median width",
}
_ERRORS = {
    "model_se": "the mean standard error",
    "relative_error_se": "the error of the standard error",
}
_MOST = 4  # terms that a sentence lists


def beside(frame: pd.DataFrame, measures: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Return the rows with other measures of the same term beside them, NaN where there is none.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"scenario": "", "model": "m", "method": "ml", "kind": "coefficient", "term": "x"}
    >>> both = pd.DataFrame([{**row, "measure": "bias", "estimate": 0.1},
    ...                      {**row, "measure": "n_total", "estimate": 20.0}])
    >>> beside(both.query("measure == 'bias'"), both, "n_total")["n_total"].tolist()
    [20.0]
    """
    for name in names:
        other = measures[measures["measure"] == name].set_index(KEYS)["estimate"]
        frame = frame.join(other.rename(name), on=KEYS)
    return frame


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
    what, rest = _INTERVALS.get(measure), "have no limits"
    if measure == "rejection" and (known["kind"] == "test").all():
        rest = "have no test"
    elif what is None:
        what, rest = _ERRORS.get(measure), "have no standard error"
    if what is None:
        what, rest = OF_TRUE.get(measure, "the measure"), "have no estimate"
    of = f"{span(known['n'])} of {span(known['n_total'])} replicates"
    return [f"{what[0].upper()}{what[1:]} rests on {of}: the others {rest}."]


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
        All rows of the terms that are asked for, with their `WORDS`.
    measure : str
    """
    if measure not in OF_TRUE:
        return []
    keys = ["model", "kind", "term", WORDS]
    unknown = measures.loc[measures["true"].isna(), keys].drop_duplicates()
    shown = set(frame[keys].itertuples(index=False, name=None))
    terms = list(unknown.itertuples(index=False, name=None))
    nowhere = [term for term in terms if term not in shown]
    in_places = [term for term in terms if term in shown]
    said = [f"No true value, so no {OF_TRUE[measure]}: {_listed(nowhere)}."] if nowhere else []
    if in_places:
        said.append(f"No true value at some points of the grid: {_listed(in_places)}.")
    return said


def _listed(terms: Sequence[tuple[str, ...]]) -> str:
    """List (model, kind, term, words), a few of each model."""
    parts = []
    for model, own in groupby(terms, key=lambda term: term[0]):
        words = [term[-1] for term in own]
        more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
        terms_of = f"model {model}, {noun(len(words), 'term')}"
        parts.append(f"{terms_of} {', '.join(words[:_MOST])}{more}")
    return "; ".join(parts)
