"""A wide table as text: headings, keys in words, each estimate with its error in brackets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hlm.measures import share_limits
from hlm.tables.wide import COUNT, MCSE, TOTAL, UNBOUNDED
from hlm.words.fitting import METHODS, OUTCOMES
from hlm.words.inferences import inference_words
from hlm.words.levels import MINUS, WORDS, level_words, span
from hlm.words.measures import MEASURES, NEED_TRUE, OF_PREDICTIONS, TEST_KINDS
from hlm.words.notes import NOTES, unbounded
from hlm.words.policies import POLICIES
from hlm.words.predictors import predictor_words

__all__ = ["INFINITE", "MISSING", "FormattedTable", "format_table", "notes"]

MISSING = "\N{EN DASH}"
INFINITE = "\N{INFINITY}"
_HEADINGS = {
    "scenario": "Scenario",
    "term": "Term",
    "true": "True",
    "units": "Units",
    "rows": "Rows",
    "cor": "Cor.",
    "n_units": "Units",
    "n_rows": "Rows per unit",
    "replicates": "Replicates",
    "reached": "Precision reached",
    "model": "Model",
    "method": "Method",
    "inference": "Inference",
    "predictor": "Predictor",
    "criterion": "Criterion",
    "policy": "Policy",
    "measure": "Measure",
    "chance": "Chance",
    "rest": "Rest",
    "rate": "Rate",
    "assumptions": "Violated",
    "nominal": "Nominal",
    "violated": "Under violation",
    "difference": "Difference",
    "n": "Fits",
    **{name: f"{words[0].upper()}{words[1:]}" for name, words in OUTCOMES.items()},
    **{name: one.heading for name, one in {**MEASURES, **OF_PREDICTIONS}.items()},
}
_HIDDEN = ("kind", TOTAL, UNBOUNDED)


@dataclass(frozen=True)
class FormattedTable:
    """The text of a table, in plain Unicode.

    Attributes
    ----------
    headings : tuple of str
        Of the keys, then of the measures.
    keys, cells : DataFrame of str
        The columns at the left, and the estimates.
    again : DataFrame of bool
        Which keys are those of the row above, as are all keys to their left.
    """

    headings: tuple[str, ...]
    keys: pd.DataFrame
    cells: pd.DataFrame
    again: pd.DataFrame


def format_table(table: pd.DataFrame) -> FormattedTable:
    """Format a table as text.

    The largest Monte Carlo standard error of a term is given to two digits, and all errors and
    estimates of that term to the same decimals. A measure that rests on fewer replicates than
    there are is followed by their number in square brackets.

    Parameters
    ----------
    table : DataFrame
        From `wide_table` or `selection_table`, or any with columns of keys only.

    Returns
    -------
    FormattedTable

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["m"], "bias": [0.1234], "bias_mcse": [0.0123]})
    >>> format_table(table).cells["bias"].tolist()
    ['0.123 (0.012)']
    >>> format_table(table.assign(n_total=500, bias_n=445)).cells["bias"].tolist()
    ['0.123 (0.012) [445]']
    """
    names, measured = [str(name) for name in table], _measured(table)
    beside = {name + end for name in measured for end in (MCSE, COUNT)}
    keys = [name for name in names if name not in {*measured, *beside, *_HIDDEN}]
    again = _again(table[keys])
    cells = pd.DataFrame({name: _cells(table, name) for name in measured}, table.index)
    if "inference" in keys and "true" in keys:  # what rests on none is written once for the term
        alike = [name for name in measured if name in MEASURES and not MEASURES[name].is_inferred]
        cells[alike] = cells[alike].mask(again["true"], "")
    return FormattedTable(
        headings=tuple(_HEADINGS.get(name, name) for name in [*keys, *measured]),
        keys=pd.DataFrame({name: _texts(table, name) for name in keys}, table.index, dtype=object),
        cells=cells,
        again=again,
    )


def notes(table: pd.DataFrame) -> list[str]:
    """Say in sentences what the numbers of a table rest on.

    Examples
    --------
    >>> table = pd.DataFrame({"kind": ["test"], "rejection": [0.1], "rejection_mcse": [0.01]})
    >>> notes(table.assign(n_total=500, rejection_n=445))
    ['[n]: the measure rests on n of 500 replicates; the others have no test.']
    """
    return [
        *_on_fewer(table),
        *_without_true_value(table),
        *_unbounded(table),
        *_none_or_all(table),
        *table.attrs.get(NOTES, []),
    ]


def _measured(table: pd.DataFrame) -> list[str]:
    names = [str(name) for name in table]
    return [name for name in names if name + MCSE in names]


def _texts(table: pd.DataFrame, name: str) -> list[str]:
    """Write the values of a key."""
    if name == "term" and WORDS in table.attrs:
        pairs = zip(table["kind"], table["term"], strict=True)
        return [table.attrs[WORDS][pair] for pair in pairs]
    values = table[name].tolist()
    if name == "method":
        return [METHODS.get(value, str(value)) for value in values]
    if name == "inference":
        return [inference_words(value) for value in values]
    if name == "predictor":
        return [predictor_words(value) for value in values]
    if name == "measure":
        return [MEASURES[value].heading if value in MEASURES else str(value) for value in values]
    if name == "policy":
        return [POLICIES.get(value, str(value)) for value in values]
    if name == "criterion":
        return [str(value).upper() for value in values]
    return [_level(value) for value in values]


def _level(value: object) -> str:
    return MISSING if isinstance(value, float) and np.isnan(value) else level_words(value)


def _cells(table: pd.DataFrame, name: str) -> list[str]:
    """Write estimates with their errors in brackets, with the decimals that the errors allow."""
    groups = table["term"] if "term" in table else pd.Series("", index=table.index)
    decimals = table[name + MCSE].groupby(groups.to_numpy()).transform(_decimals)
    columns = (table[name], table[name + MCSE], decimals.astype(int), _fewer(table, name))
    return [_cell(*values) for values in zip(*columns, strict=True)]


def _fewer(table: pd.DataFrame, name: str) -> pd.Series:
    """Return the replicates that an estimate rests on, NaN where these are all."""
    if name + COUNT not in table or TOTAL not in table:
        return pd.Series(np.nan, index=table.index)
    n, total = (table[column].astype(float) for column in (name + COUNT, TOTAL))
    return n.where(n < total)


def _cell(value: float, error: float, places: int, fewer: float) -> str:
    if np.isnan(value):
        return MISSING
    count = "" if np.isnan(fewer) else f" [{fewer:.0f}]"
    return f"{_number(value, places)} ({_number(error, places)}){count}"


def _number(value: float, places: int) -> str:
    if np.isnan(value):
        return MISSING
    return f"{value:.{places}f}".replace("inf", INFINITE).replace("-", MINUS)


def _decimals(errors: pd.Series) -> float:
    """Return the decimals that show two digits of the largest error."""
    known = errors[(errors > 0) & np.isfinite(errors)]
    return 3.0 if known.empty else float(np.clip(1 - np.floor(np.log10(known.max())), 0, 8))


def _on_fewer(table: pd.DataFrame) -> list[str]:
    """Say what square brackets mean, and what the replicates that do not count lack."""
    if not any(_fewer(table, name).notna().any() for name in _measured(table)):
        return []
    of = span(table[TOTAL].dropna())
    if "criterion" in table:
        return [f"[n]: the rate rests on n of {of} data sets; on the others a fit fails."]
    lacking = (
        "no limits or no standard error (a standard deviation of 0 and a correlation of "
        f"{MINUS}1 or 1 have no Wald limits), or no estimate (the fit failed, or the data do not "
        "identify the term)"
    )
    if "kind" in table and set(table["kind"]) <= {*TEST_KINDS}:
        lacking = "no test"
    if "kind" in table and set(table["kind"]) == {"unit_coefficient"}:
        lacking = "no prediction, as the fit failed, or no unit whose rows determine its own"
    return [f"[n]: the measure rests on n of {of} replicates; the others have {lacking}."]


def _without_true_value(table: pd.DataFrame) -> list[str]:
    if "true" not in table or not any(name in table for name in NEED_TRUE):
        return []
    if not table["true"].isna().any():
        return []
    return [f"{MISSING}: there is no true value, so no bias, RMSE or coverage."]


def _unbounded(table: pd.DataFrame) -> list[str]:
    return unbounded(table[UNBOUNDED]) if UNBOUNDED in table and "coverage" in table else []


def _none_or_all(table: pd.DataFrame) -> list[str]:
    """Say how sure a share of 0 or 1 is, whose Monte Carlo standard error is 0."""
    farthest = 0.0
    for name in _measured(table):
        if (name in MEASURES and MEASURES[name].kind != "share") or name + COUNT not in table:
            continue
        if name not in MEASURES and "criterion" not in table:
            continue
        own = table[table[name].isin([0.0, 1.0]) & (table[name + MCSE] == 0)]
        lower, upper = share_limits(own[name], own[name + COUNT].astype(float))
        farthest = max(farthest, float(np.max(upper - lower, initial=0.0)))
    if not farthest > 0:
        return []
    said = "A share of 0 or 1 has the Monte Carlo standard error 0; its 95% limits (Wilson) are"
    return [f"{said} {farthest:.2g} apart or less."]


def _again(keys: pd.DataFrame) -> pd.DataFrame:
    """Mark repeated keys; a true value repeats only within its term: by inference, by violation."""
    same = pd.DataFrame(data=False, index=keys.index, columns=keys.columns)
    above = pd.Series(data=True, index=keys.index)
    above.iloc[:1] = False
    for key in keys.columns.drop(["true"], errors="ignore"):
        if key in ("inference", "rate") and "true" in keys:
            same["true"] = above
        above = above & (keys[key] == keys[key].shift())
        same[key] = above
    return same
