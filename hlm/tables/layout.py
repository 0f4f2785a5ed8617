"""A wide table as text: headings, keys in words, each estimate with its error in brackets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hlm.figures.words import MINUS, term_words
from hlm.tables.wide import MCSE

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MISSING", "Layout", "lay_out"]

MISSING = "\N{EN DASH}"
_HEADINGS = {
    "scenario": "Scenario",
    "term": "Term",
    "true": "True",
    "units": "Units",
    "rows": "Rows",
    "cor": "Cor.",
    "n_units": "Units",
    "n_rows": "Rows per unit",
    "model": "Model",
    "method": "Method",
    "criterion": "Criterion",
    "bias": "Bias",
    "empirical_se": "Emp. SE",
    "rmse": "RMSE",
    "relative_error_se": "SE error",
    "coverage": "Coverage",
    "rejection": "Rejection",
}


@dataclass(frozen=True)
class Layout:
    """The text of a table, in plain Unicode.

    Attributes
    ----------
    headings : tuple of str
        Of the keys, then of the measures.
    keys, cells : DataFrame of str
        The columns at the left, and the estimates.
    again : DataFrame of bool
        Which keys the row above has too, as it has all to their left.
    """

    headings: tuple[str, ...]
    keys: pd.DataFrame
    cells: pd.DataFrame
    again: pd.DataFrame


def lay_out(table: pd.DataFrame) -> Layout:
    """Turn a table into text.

    The largest Monte Carlo standard error of a term has two digits; all its errors and estimates
    have the same decimals.

    Parameters
    ----------
    table : DataFrame
        From `wide_table` or `selection_table`, or any with columns of keys only.

    Returns
    -------
    Layout

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["m"], "bias": [0.1234], "bias_mcse": [0.0123]})
    >>> lay_out(table).cells["bias"].tolist()
    ['0.123 (0.012)']
    """
    shown = [str(name) for name in table if not str(name).endswith(MCSE)]
    measured = [name for name in shown if name + MCSE in table]
    keys = [name for name in shown if name not in measured]
    return Layout(
        headings=tuple(_HEADINGS.get(name, name) for name in [*keys, *measured]),
        keys=pd.DataFrame({name: table[name].map(_text(name)) for name in keys}, table.index),
        cells=pd.DataFrame({name: _cells(table, name) for name in measured}, table.index),
        again=_again(table[keys]),
    )


def _cells(table: pd.DataFrame, name: str) -> pd.Series:
    """Write estimates with their errors in brackets, with the decimals that the errors allow."""
    groups = table["term"] if "term" in table else pd.Series("", index=table.index)
    decimals = table[name + MCSE].groupby(groups).transform(_decimals)
    columns = zip(table[name], table[name + MCSE], decimals.astype(int), strict=True)
    return pd.Series([_cell(*column) for column in columns], index=table.index, dtype=str)


def _cell(value: float, error: float, places: int) -> str:
    if np.isnan(value):
        return MISSING
    return f"{value:.{places}f} ({error:.{places}f})".replace("-", MINUS)


def _decimals(errors: pd.Series) -> float:
    """Return the decimals that show two digits of the largest error."""
    known = errors[errors > 0]
    return 3.0 if known.empty else float(np.clip(1 - np.floor(np.log10(known.max())), 0, 8))


def _text(name: str) -> Callable[[object], str]:
    """Return how a key is written."""
    if name == "term":
        return lambda value: term_words(str(value))
    if name in ("method", "criterion"):
        return lambda value: str(value).upper()
    return _level


def _level(value: object) -> str:
    if isinstance(value, float):
        return MISSING if np.isnan(value) else f"{value:g}".replace("-", MINUS)
    return str(value).replace("-", MINUS) if isinstance(value, int) else str(value)


def _again(keys: pd.DataFrame) -> pd.DataFrame:
    """Mark repeated keys; a model and its true value stand in every row."""
    same = pd.DataFrame(data=False, index=keys.index, columns=keys.columns)
    above = pd.Series(data=True, index=keys.index)
    above.iloc[:1] = False
    for key in keys.columns.drop(["model", "true"], errors="ignore"):
        above = above & (keys[key] == keys[key].shift())
        same[key] = above
    return same
