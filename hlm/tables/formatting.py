"""A wide table as text: headings, keys in words, each estimate with its error in brackets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hlm.measures import share_limits
from hlm.tables.wide import COUNT, MCSE, TOTAL, UNBOUNDED
from hlm.words.fitting import METHODS, OUTCOMES
from hlm.words.inferences import inference_words
from hlm.words.levels import MINUS, WORDS, level_words, span
from hlm.words.measures import MEASURES, NEED_TRUE, OF_PREDICTIONS, OF_TERMS, RATES, TEST_KINDS
from hlm.words.notes import NOTES, unbounded
from hlm.words.policies import POLICIES
from hlm.words.predictors import predictor_words

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "HEADINGS",
    "INFINITE",
    "MISSING",
    "FormattedTable",
    "decimals_of",
    "fewer",
    "format_table",
    "key_texts",
    "merged",
    "notes",
    "number_text",
    "repeats",
]

MISSING = "\N{EN DASH}"
INFINITE = "\N{INFINITY}"
HEADINGS = {
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
_USUAL = 3  # decimals where no error says how many
_FAR = 10.0  # times the median error, beyond which a number has decimals of its own
_LARGE = 1e7  # from here on a number has its exponent


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
    spans : tuple of tuple of str
        Headings of groups of estimates, from the top: in each row one for every estimate, of which
        those that are alike and below the same ones are one heading.
    """

    headings: tuple[str, ...]
    keys: pd.DataFrame
    cells: pd.DataFrame
    again: pd.DataFrame
    spans: tuple[tuple[str, ...], ...] = ()


def format_table(table: pd.DataFrame) -> FormattedTable:
    """Format a table as text.

    The largest Monte Carlo standard error of a term is given to two digits, and all errors and
    estimates of that term to the same decimals; see `decimals_of`. A measure that rests on fewer
    replicates than there are is followed by their number in square brackets.

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
    again = repeats(table[keys])
    cells = pd.DataFrame({name: _cells(table, name) for name in measured}, table.index)
    if "inference" in keys and "true" in keys:  # what rests on none is written once for the term
        alike = [name for name in measured if name in MEASURES and not MEASURES[name].is_inferred]
        cells[alike] = cells[alike].mask(again["true"], "")
    return FormattedTable(
        headings=tuple(HEADINGS.get(name, name) for name in [*keys, *measured]),
        keys=pd.DataFrame(
            {name: key_texts(table, name) for name in keys}, table.index, dtype=object
        ),
        cells=cells,
        again=again,
    )


def merged(spans: Sequence[Sequence[str]], row: int) -> list[tuple[str, int]]:
    """Return the headings of one row of `spans`, each with the number of columns that it spans.

    Examples
    --------
    >>> spans = [["10", "10", "30", "30"], ["m", "n", "n", "n"]]
    >>> merged(spans, 0), merged(spans, 1)
    ([('10', 2), ('30', 2)], [('m', 1), ('n', 1), ('n', 2)])
    """
    found: list[tuple[str, int]] = []
    above: tuple[str, ...] | None = None
    for path in zip(*spans[: row + 1], strict=True):
        if path == above:
            label, width = found.pop()
            found.append((label, width + 1))
        else:
            found.append((path[-1], 1))
        above = path
    return found


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


def key_texts(table: pd.DataFrame, name: str) -> list[str]:
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
    decimals = table[name + MCSE].groupby(groups.to_numpy()).transform(decimals_of)
    columns = (table[name], table[name + MCSE], decimals.astype(int), fewer(table, name))
    return [_cell(*values) for values in zip(*columns, strict=True)]


def fewer(table: pd.DataFrame, name: str) -> pd.Series:
    """Return the replicates that an estimate rests on, NaN where these are all."""
    if name + COUNT not in table or TOTAL not in table:
        return pd.Series(np.nan, index=table.index)
    n, total = (table[column].astype(float) for column in (name + COUNT, TOTAL))
    return n.where(n < total)


def _cell(value: float, error: float, places: int, fewer: float) -> str:
    if np.isnan(value):
        return MISSING
    count = "" if np.isnan(fewer) else f" [{fewer:.0f}]"
    return f"{number_text(value, places)} ({number_text(error, places)}){count}"


def number_text(value: float, places: int) -> str:
    """Write a number with so many decimals; what rounds to 0 has no sign.

    Examples
    --------
    >>> number_text(0.1256, 2), number_text(-0.0004, 3), number_text(float("nan"), 1) == MISSING
    ('0.13', '0.000', True)
    >>> number_text(6.23e42, 0)
    '6.2e42'
    """
    if np.isnan(value):
        return MISSING
    if _LARGE <= abs(value) < np.inf:
        return f"{value:.1e}".replace("e+", "e").replace("-", MINUS)
    return f"{value:z.{places}f}".replace("inf", INFINITE).replace("-", MINUS)


def decimals_of(errors: pd.Series) -> pd.Series:
    """Return the decimals of some numbers, which show two digits of their errors.

    They are the same for all whose errors are at most ten times the median one, two digits of the
    largest of these; a number with a larger error has those that its own error allows.

    Examples
    --------
    >>> decimals_of(pd.Series([0.0071, 0.0123, 0.0, 3.7, float("nan")])).tolist()
    [3, 3, 3, 1, 3]
    """
    known = errors[(errors > 0) & np.isfinite(errors)]
    if known.empty:
        return pd.Series(_USUAL, errors.index)
    most = _FAR * known.median()
    common = _two_digits(known[known <= most].max())
    own = [_two_digits(error) if error > most else common for error in errors]
    return pd.Series(own, errors.index)


def _two_digits(error: float) -> int:
    return _USUAL if not np.isfinite(error) else int(np.clip(1 - np.floor(np.log10(error)), 0, 8))


def _on_fewer(table: pd.DataFrame) -> list[str]:
    """Say what square brackets mean, and what the replicates that do not count lack."""
    if not any(fewer(table, name).notna().any() for name in _measured(table)):
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
        if name + COUNT not in table or not _is_share(name, table):
            continue
        own = table[table[name].isin([0.0, 1.0]) & (table[name + MCSE] == 0)]
        lower, upper = share_limits(own[name], own[name + COUNT].astype(float))
        farthest = max(farthest, float(np.max(upper - lower, initial=0.0)))
    if not farthest > 0:
        return []
    said = "A share of 0 or 1 has the Monte Carlo standard error 0; its 95% limits (Wilson) are"
    return [f"{said} {farthest:.2g} apart or less."]


def _is_share(name: str, table: pd.DataFrame) -> bool:
    if name in OF_TERMS:
        return OF_TERMS[name].kind == "share"
    return name in RATES or "criterion" in table


def repeats(keys: pd.DataFrame) -> pd.DataFrame:
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
