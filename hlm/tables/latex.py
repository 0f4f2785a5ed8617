"""A wide table as LaTeX: booktabs and longtable, each estimate with its error in brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

from hlm.table_layout import LEAST_SEPARATION, LEAST_SIZE, TEXT_WIDTH
from hlm.tables.formatting import INFINITE, MISSING, format_table, merged, notes
from hlm.words.levels import MINUS
from hlm.words.type_widths import text_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from hlm.tables.formatting import FormattedTable

__all__ = ["escape", "latex_of", "to_latex", "unescaped"]

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
    return latex_of(format_table(table), notes(table), caption=caption, label=label)


def latex_of(
    text: FormattedTable,
    said: Iterable[str],
    *,
    caption: str = "",
    label: str = "",
    below: bool = False,
) -> str:
    r"""Write the text of a table as a LaTeX longtable, in type that a page 6.5 inches wide holds.

    Parameters
    ----------
    text : FormattedTable
    said : iterable of str
        Sentences below it.
    caption, label : str
        LaTeX, taken as it is.
    below : bool
        Write what is in brackets below each number; so it is, too, where a page is too narrow.

    Returns
    -------
    str
    """
    body = text.keys.mask(text.again, "").to_numpy(), text.cells.to_numpy()
    style = _style(text, body, below=below)
    columns = "l" * body[0].shape[1] + "r" * body[1].shape[1]
    named = [f"\\caption{{{caption}}}" + (f"\\label{{{label}}}" if label else "") + r"\\"]
    headings = _wrapped(text.headings, _widths(body, style), style)
    head = [*_spanning(text, body[0].shape[1]), *map(_row, headings)]
    rows = [(list(keys), list(cells)) for keys, cells in zip(*body, strict=True)]
    # Between the levels of the first key is some space, unless these are the rows.
    apart = text.again.shape[1] > 1 and bool(text.again.iloc[:, 0].any())
    written = [
        [
            *([r"\addlinespace"] if apart and n and keys[0] else []),
            *_lines(keys, cells, below=style.below),
        ]
        for n, (keys, cells) in enumerate(rows)
    ]
    lines = [
        *style.begin,
        *([r"\setlength{\LTcapwidth}{\linewidth}"] if caption else []),
        f"\\begin{{longtable}}{{{columns}}}",
        *(named if caption else []),
        *(r"\toprule", *head, r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"),
        *(line for row in written for line in row),
        r"\end{longtable}",
        *style.end,
        *(f"\\par\\noindent{{\\footnotesize {escape(note)}\\par}}" for note in said),
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Style:
    """How a table is set.

    Attributes
    ----------
    size : str
    points, separation : float
        Of the type, and half the space between columns.
    below : bool
        Whether what is in brackets is below the number.
    wrapped : bool
        Whether headings that are wider than their column have several lines.
    """

    size: str
    points: int
    separation: float
    below: bool = False
    wrapped: bool = False

    @property
    def begin(self) -> tuple[str, ...]:
        if self.size == "normalsize":
            return ()
        return (f"\\begingroup\\{self.size}\\setlength{{\\tabcolsep}}{{{self.separation:g}pt}}",)

    @property
    def end(self) -> tuple[str, ...]:
        return () if self.size == "normalsize" else (r"\endgroup",)


_SIZES = (
    _Style("normalsize", 10, 6.0),
    _Style("small", 9, 5.0),
    _Style("footnotesize", 8, 4.0),
    _Style("scriptsize", LEAST_SIZE, 3.0),
)
_BESIDE = tuple(replace(one, wrapped=wrapped) for one in _SIZES[:3] for wrapped in (False, True))
_BELOW = tuple(
    replace(one, wrapped=wrapped, below=True) for one in _SIZES for wrapped in (False, True)
)
_NARROWEST = replace(_BELOW[-1], separation=LEAST_SEPARATION)
_HEADING = 4.5  # times the size of type: a line of a heading may be so wide in any column
_Body: TypeAlias = "tuple[NDArray[Any], NDArray[Any]]"


def _style(text: FormattedTable, body: _Body, *, below: bool) -> _Style:
    """Return the first way to set a table in which a page holds it, or the narrowest."""
    for style in _BELOW if below else (*_BESIDE, *_BELOW):
        if _width(text, body, style) <= TEXT_WIDTH:
            return style
    return _NARROWEST


def _width(text: FormattedTable, body: _Body, style: _Style) -> float:
    """Return about how wide a table is in a style."""
    widths = _widths(body, style)
    n = body[0].shape[1]
    for line in _wrapped(text.headings, widths, style):
        headed = (text_width(words, style.points) for words in line)
        widths = [max(own, heading) for own, heading in zip(widths, headed, strict=True)]
    for row in range(len(text.spans)):
        start = n
        for label, width in merged(text.spans, row):
            here = sum(widths[start : start + width]) + 2 * style.separation * (width - 1)
            # The last column is made wider, as LaTeX does.
            widths[start + width - 1] += max(0.0, text_width(label, style.points) - here)
            start += width
    return sum(widths) + 2 * style.separation * len(widths)


def _widths(body: _Body, style: _Style) -> list[float]:
    """Return about how wide the cells of each column are."""
    columns = [{*map(str, column)} for part in body for column in part.T]
    if style.below:
        n = body[0].shape[1]
        split = [{part for cell in column for part in cell.split(" ")} for column in columns[n:]]
        columns = [*columns[:n], *split]
    return [max((text_width(c, style.points) for c in column), default=0.0) for column in columns]


def _wrapped(
    headings: Sequence[str], widths: Sequence[float], style: _Style
) -> list[tuple[str, ...]]:
    """Return the lines of the headings, aligned at the bottom."""
    if not style.wrapped:
        return [tuple(headings)]
    parts = [
        _lines_of(heading, width, style) for heading, width in zip(headings, widths, strict=True)
    ]
    most = max(map(len, parts))
    return list(zip(*([""] * (most - len(part)) + part for part in parts), strict=True))


def _lines_of(heading: str, width: float, style: _Style) -> list[str]:
    """Break a heading between words where it would make its column wider."""
    lines, most = [""], max(width, _HEADING * style.points)
    for word in heading.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, style.points) > most:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _spanning(text: FormattedTable, n_keys: int) -> list[str]:
    """Return the rows of headings that span columns, each with a rule below."""
    lines = []
    for row in range(len(text.spans)):
        place, cells, rules = n_keys + 1, [""] * n_keys, []
        for label, width in merged(text.spans, row):
            cells.append(f"\\multicolumn{{{width}}}{{c}}{{{escape(label)}}}")
            rules.append(f"\\cmidrule(lr){{{place}-{place + width - 1}}}")
            place += width
        lines += [" & ".join(cells) + r" \\", " ".join(rules)]
    return lines


def _lines(keys: Sequence[str], cells: Sequence[str], *, below: bool) -> list[str]:
    """Return a row, as lines that stay together where what is in brackets is below."""
    if not below:
        return [_row([*keys, *cells])]
    parts = [cell.split(" ") for cell in cells]
    rows = [*zip_longest(*parts, fillvalue="")] or [()]
    lines = [_row([*(keys if n == 0 else [""] * len(keys)), *row]) for n, row in enumerate(rows)]
    return [*(f"{line}*" for line in lines[:-1]), *lines[-1:]]


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
