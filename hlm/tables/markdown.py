"""A table as Markdown: a pipe table, as GitHub shows it, with sentences below."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hlm.tables.formatting import format_table, notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from hlm.tables.formatting import FormattedTable

__all__ = ["escaped", "markdown_of", "to_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$])")


def to_markdown(table: pd.DataFrame, title: str = "") -> str:
    r"""Write a table of `wide_table` or `selection_table` as Markdown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"model": ["m_1"], "bias": [0.1234], "bias_mcse": [0.0123]})
    >>> print(to_markdown(table, "Bias"))
    **Bias**
    <BLANKLINE>
    | Model | Bias |
    |:--|--:|
    | m\_1 | 0.123 (0.012) |
    <BLANKLINE>
    """
    return markdown_of(format_table(table), notes(table), title=title)


def markdown_of(
    text: FormattedTable, said: Iterable[str], *, title: str = "", caption: str = ""
) -> str:
    """Write the text of a table as Markdown.

    There are no headings over several columns, so each column has all of its own.

    Parameters
    ----------
    text : FormattedTable
    said : iterable of str
        Sentences below it.
    title, caption : str

    Returns
    -------
    str
    """
    n_keys = text.keys.shape[1]
    over = [", ".join(dict.fromkeys(path)) for path in zip(*text.spans, strict=True)]
    right = text.headings[n_keys:]
    numbered = [
        f"{above}: {own}" if above else own
        for above, own in zip(over or [""] * len(right), right, strict=True)
    ]
    rows = text.keys.join(text.cells.add_prefix("cell ")).to_numpy().tolist()
    above = " ".join(part for part in (f"**{escaped(title)}**" if title else "", caption) if part)
    lines = [
        *([above, ""] if above else []),
        _row([*text.headings[:n_keys], *numbered]),
        "|" + ":--|" * n_keys + "--:|" * len(right),
        *map(_row, rows),
        *(line for note in said for line in ("", escaped(note))),
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    r"""Return plain text as Markdown.

    Examples
    --------
    >>> print(escaped("a_b | c"))
    a\_b \| c
    """
    return _SPECIAL.sub(r"\\\1", text)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"
