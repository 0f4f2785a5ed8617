"""A wide table as LaTeX: booktabs and longtable, each estimate with its error in brackets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hlm.tables.formatting import INFINITE, MISSING, format_table, notes
from hlm.words.levels import MINUS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

__all__ = ["escape", "to_latex", "unescaped"]

_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    MINUS: "$-$",
    MISSING: "--",
    INFINITE: r"$\infty$",
    # After a line's \\, LaTeX would take them for its options.
    "[": "{[}",
    "*": "{*}",
}
_PLAIN = {tex: sign for sign, tex in _SPECIAL.items() if sign != MISSING}
_ESCAPED = re.compile("|".join(re.escape(tex) for tex in sorted(_PLAIN, key=len, reverse=True)))


def to_latex(table: pd.DataFrame, *, caption: str = "", label: str = "") -> str:
    r"""Write a table of `wide_table` or `selection_table` as a LaTeX longtable.

    Levels that repeat are written once.

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
    >>> import pandas as pd
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
    text = format_table(table)
    body = text.keys.mask(text.again, "").join(text.cells)
    columns = "l" * text.keys.shape[1] + "r" * text.cells.shape[1]
    named = [f"\\caption{{{caption}}}" + (f"\\label{{{label}}}" if label else "") + r"\\"]
    lines = [
        f"\\begin{{longtable}}{{{columns}}}",
        *(named if caption else []),
        *(r"\toprule", _row(text.headings), r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"),
        *(_row(row) for row in body.to_numpy()),
        r"\end{longtable}",
        *(f"\\par\\noindent{{\\footnotesize {escape(note)}\\par}}" for note in notes(table)),
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    r"""Return plain text as LaTeX.

    Examples
    --------
    >>> print(escape("50% of a_b"))
    50\% of a\_b
    """
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def unescaped(tex: str) -> str:
    r"""Return plain text of what `escape` wrote.

    Examples
    --------
    >>> unescaped(escape("50% of a_b^2 < {c}"))
    '50% of a_b^2 < {c}'
    """
    return _ESCAPED.sub(lambda found: _PLAIN[found[0]], tex)


def _row(cells: Iterable[str]) -> str:
    return " & ".join(escape(cell) for cell in cells) + r" \\"
