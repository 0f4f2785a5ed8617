"""Where estimates are biased, by more than chance gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.estimands.kinds import PARTS
from hlm.report.finding import (
    BAND,
    Finding,
    Places,
    by_chance,
    each_model,
    greatest,
    in_percent,
    of_all,
    with_error,
)
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["bias_findings"]

PART_WORDS = {"fixed": "fixed effects", "random": "the random part"}


def bias_findings(measures: pd.DataFrame) -> Iterator[Finding]:
    """Yield a finding on the bias of the fixed effects, and one on that of the random part.

    Parameters
    ----------
    measures : DataFrame
        Rows of `measures` with the words of their terms, of one policy.
    """
    rows = measures[(measures["measure"] == "bias") & measures["estimate"].notna()]
    rows = rows[np.isfinite(rows["estimate"])]
    for part, words in PART_WORDS.items():
        own = rows[rows["kind"].isin(PARTS[part])].reset_index(drop=True)
        if len(own):
            yield _bias(own, f"Bias, {words.removeprefix('the ')}", words, f"bias_{part}")


def _bias(rows: pd.DataFrame, title: str, words: str, figure: str) -> Finding:
    n, errors = len(rows), _in_errors(rows)
    k = int((errors.abs() > BAND).sum())
    said = (
        f"{of_all(n, k)} {noun(n, 'estimate')} of the bias of {words} {noun(k, 'is', 'are')} "
        f"further than {BAND} MCSEs from 0; by chance alone {by_chance(n)} would be."
    )
    places = Places.of(rows)
    lines = (
        f"{model}: {int((errors[own.index].abs() > BAND).sum()):,} of {len(own):,}; {far}."
        for model, own in each_model(rows)
        for far in _furthest(own, errors, places.of_one_model())
    )
    details = (f"{far[0].upper()}{far[1:]}." for far in _furthest(rows, errors, places))
    return Finding(title, said, tuple(details), tuple(lines), (figure,))


def _furthest(rows: pd.DataFrame, errors: pd.Series, places: Places) -> Iterator[str]:
    """Yield which bias is furthest off in errors, and which against its true value; or nothing."""
    far = errors[rows.index].abs()
    outside = far > BAND
    if not outside.any():
        return
    row = greatest(rows, far)
    by = f"by {far.max():.1f} MCSEs" if np.isfinite(far.max()) else "in all data sets alike"
    text = f"furthest, {by}: {places.words(row)}: {_size(row)}"
    biased = rows[outside & (rows["true"] != 0)]
    if len(biased):
        largest = greatest(biased, (biased["estimate"] / biased["true"]).abs())
        if largest.name != row.name:
            where = places.words(largest)
            text += f"; largest of these against its true value: {where}: {_size(largest)}"
    yield text


def _in_errors(rows: pd.DataFrame) -> pd.Series:
    """Return bias in units of its MCSE; infinite where all data sets are off by the same."""
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = rows["estimate"] / rows["mcse"]
    return errors.fillna(0.0)  # 0/0 is none, and one data set has no error to be held against


def _size(row: pd.Series) -> str:
    bias = with_error(row["estimate"], row["mcse"])
    if row["true"] == 0:
        return f"bias {bias}, of a true value of 0"
    share = in_percent(row["estimate"] / abs(row["true"]))
    return f"bias {bias}, {share} of the true value {row['true']:.4g}".replace(
        "-", "\N{MINUS SIGN}"
    )
