"""A wide table as LaTeX: booktabs and longtable, each estimate with its error in brackets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hlm.figures.words import term_words
from hlm.tables.wide import MCSE

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["to_latex"]

_HEADINGS = {
    "term": "Term",
    "true": "True",
    "units": "Units",
    "rows": "Rows",
    "cor": "Cor.",
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
_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def to_latex(table: pd.DataFrame, *, caption: str = "", label: str = "") -> str:
    r"""Write a table of `wide_table` or `selection_table` as a LaTeX longtable.

    The largest Monte Carlo standard error of a term has two digits; all its errors and estimates
    have the same decimals. Levels that repeat are written once.

    Parameters
    ----------
    table : DataFrame
    caption, label : str
        LaTeX, taken as it is.

    Returns
    -------
    str
        Needs the packages booktabs and longtable.

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["a_1"], "bias": [0.1234], "bias_mcse": [0.0123]})
    >>> print(to_latex(table))
    \begin{longtable}{lr}
    \toprule
    Model & Bias \\
    \midrule
    \endhead
    \bottomrule
    \endfoot
    a\_1 & 0.123 (0.012) \\
    \end{longtable}
    <BLANKLINE>
    """
    shown = [str(name) for name in table if not str(name).endswith(MCSE)]
    measured = [name for name in shown if name + MCSE in table]
    keys = [name for name in shown if name not in measured]
    cells = pd.DataFrame({name: _cells(table, name) for name in measured}, index=table.index)
    texts = pd.DataFrame({name: table[name].map(_text(name)) for name in keys}, index=table.index)
    leading = [key for key in keys if key not in ("model", "true")]
    rows = pd.concat([texts.mask(_repeated(table, leading), ""), cells], axis=1)
    top = " & ".join(_escape(_HEADINGS.get(name) or name) for name in shown)
    named = [f"\\caption{{{caption}}}" + (f"\\label{{{label}}}" if label else "") + r"\\"]
    lines = [
        f"\\begin{{longtable}}{{{'l' * len(keys)}{'r' * len(measured)}}}",
        *(named if caption else []),
        *(r"\toprule", top + r" \\", r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"),
        *(" & ".join(row) + r" \\" for row in rows[shown].to_numpy()),
        r"\end{longtable}",
    ]
    return "\n".join(lines) + "\n"


def _cells(table: pd.DataFrame, name: str) -> pd.Series:
    """Write estimates with their errors in brackets, with the decimals that the errors allow."""
    groups = table["term"] if "term" in table else pd.Series("", index=table.index)
    decimals = table[name + MCSE].groupby(groups).transform(_decimals)
    columns = zip(table[name], table[name + MCSE], decimals.astype(int), strict=True)
    return pd.Series([_cell(*column) for column in columns], index=table.index, dtype=str)


def _cell(value: float, error: float, places: int) -> str:
    if np.isnan(value):
        return "--"
    return f"{value:.{places}f} ({error:.{places}f})".replace("-", "$-$")


def _decimals(errors: pd.Series) -> float:
    """Return the decimals that show two digits of the largest error."""
    known = errors[errors > 0]
    return 3.0 if known.empty else float(np.clip(1 - np.floor(np.log10(known.max())), 0, 8))


def _text(name: str) -> Callable[[object], str]:
    """Return how a key is written."""
    if name == "term":
        return lambda value: _escape(term_words(str(value)))
    if name in ("method", "criterion"):
        return lambda value: str(value).upper()
    return lambda value: _escape(_number(value)).replace("-", "$-$" if name == "true" else "-")


def _number(value: object) -> str:
    if isinstance(value, float):
        return "--" if np.isnan(value) else f"{value:g}"
    return str(value)


def _repeated(table: pd.DataFrame, leading: list[str]) -> pd.DataFrame:
    """Mark the levels that the row above has too, as have all levels to their left."""
    same = pd.DataFrame(False, index=table.index, columns=table.columns)
    above = pd.Series(True, index=table.index)
    above.iloc[:1] = False
    for key in leading:
        above = above & (table[key] == table[key].shift())
        same[key] = above
    return same


def _escape(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
