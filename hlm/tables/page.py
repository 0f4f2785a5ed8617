"""Pages for a browser: a table, a study file. Each stands by itself and needs no network."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from hlm.tables.formatting import format_table, merged, notes
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from hlm.tables.formatting import FormattedTable

__all__ = ["MOST_ROWS", "fragment_of", "page_of", "sentence_page", "study_page", "table_page"]

MOST_ROWS = 2000
"""A browser is slow with more; the CSV has all."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ margin: 1.5rem; color: #222; font: 13px/1.5 system-ui, sans-serif; }}
h1 {{ margin: 0 0 1rem; font-size: 1.3rem; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .1rem .45rem; text-align: left; white-space: nowrap; }}
thead th {{ background: #fff; box-shadow: inset 0 -1px #222; }}
tbody th {{ font-weight: normal; }}
tr.new th {{ border-top: 1px solid #ddd; }}
thead tr:only-child > th {{ position: sticky; top: 0; }}
thead th.span {{ text-align: center; box-shadow: inset 0 -1px #999; }}
th.span + th.span {{ border-left: .6rem solid #fff; }}
.unseen {{ position: absolute; clip-path: inset(50%); }}
tr.new td {{ border-top: 1px solid #ddd; }}
tr:hover td, tr:hover th[scope=row] {{ background: #f3f6f9; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
.again, small {{ color: #595959; }}
small {{ font-size: 85%; }}
pre {{ padding: .5rem; font: 13px/1.5 ui-monospace, monospace; }}
{style}
</style>
</head>
<body>
<h1>{title}</h1>
<main>
{body}
</main>
</body>
</html>
"""


def table_page(
    table: pd.DataFrame,
    title: str,
    *,
    text: FormattedTable | None = None,
    said: Sequence[str] | None = None,
) -> str:
    """Write a table of `wide_table`, of `selection_table`, or of keys only as an HTML page.

    Parameters
    ----------
    table : DataFrame
    title : str
    text, said : FormattedTable and sequence of str, optional
        Its text and the sentences below it, where these are known already.

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"model": ["m"], "bias": [0.1234], "bias_mcse": [0.0123]})
    >>> "0.123 <small>(0.012)</small>" in table_page(table, "Bias")
    True
    """
    if text is None or len(table) > MOST_ROWS:
        text = format_table(table.head(MOST_ROWS))
    below = notes(table) if said is None else said
    # A line for each row: `fragment_of` counts lines.
    body = f"{_written(text, below)}{_more(len(table) - len(text.keys))}"
    return _PAGE.format(title=escape(title), style="", body=body)


def page_of(
    text: FormattedTable, said: Sequence[str], title: str, *, caption: str = "", rows: int = 0
) -> str:
    """Write the text of a table as an HTML page.

    Parameters
    ----------
    text : FormattedTable
    said : sequence of str
        Sentences below it.
    title, caption : str
        What stands above, and between.
    rows : int
        How many rows there are, where `text` has not all.

    Returns
    -------
    str
    """
    left_out = max(0, rows - len(text.keys))
    above = f"<p>{escape(caption)}</p>\n" if caption else ""
    body = f"{above}{_written(text, said, caption=title)}{_more(left_out)}"
    return _PAGE.format(title=escape(title), style="", body=body)


def fragment_of(page: str, *, most: int = MOST_ROWS) -> str:
    """Return what a page of this module holds, to be put into another page.

    Parameters
    ----------
    page : str
        From `table_page`, `sentence_page` or `study_page`.
    most : int
        Of a table so many rows are kept, and a sentence says where the others are.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"model": ["m", "n", "o"]})
    >>> print(fragment_of(table_page(table, "Models"), most=1))
    <table>
    <thead><tr><th scope="col" class="key">Model</th></tr></thead>
    <tbody>
    <tr class="new"><td class="key">m</td></tr>
    </tbody>
    </table>
    <p class="more">2 more rows are in the CSV file.</p>
    """
    body = page.partition("<main>\n")[2].rpartition("\n</main>")[0]
    found = _ROWS.search(body)
    if found is None:
        return body
    rows, said = found[1].splitlines(keepends=True), _MORE.search(body)
    left_out = len(rows[most:]) + (int(said[1].replace(",", "")) if said else 0)
    kept = body[: found.start(1)] + "".join(rows[:most]) + body[found.end(1) :]
    return _MORE.sub("", kept) + _more(left_out)


def _written(text: FormattedTable, said: Iterable[str], *, caption: str = "") -> str:
    """Write a table, whose keys head their rows where it has a caption of its own."""
    kinds = ["key"] * text.keys.shape[1] + ["number"] * text.cells.shape[1]
    headings = zip(kinds, text.headings, strict=True)
    head = "".join(
        f'<th scope="col" class="{kind}">{escape(heading)}</th>' for kind, heading in headings
    )
    rows = zip(text.keys.to_numpy(), text.again.to_numpy(), text.cells.to_numpy(), strict=True)
    body = "".join(f"{_row(*row, heads=bool(caption))}\n" for row in rows)
    below = "".join(f"\n<p>{escape(note)}</p>" for note in said)
    named = f'<caption class="unseen">{escape(caption)}</caption>\n' if caption else ""
    return (
        f"<table>\n{named}{_groups(text)}<thead>{_spanning(text)}<tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>{below}"
    )


def _groups(text: FormattedTable) -> str:
    """Name the groups of columns that headings span, for who hears the table."""
    if not text.spans:
        return ""
    widths = [width for _, width in merged(text.spans, 0)]
    groups = "".join(f'<colgroup span="{width}"></colgroup>' for width in widths)
    keys = text.keys.shape[1]
    return (f'<colgroup span="{keys}"></colgroup>' if keys else "") + f"{groups}\n"


def _spanning(text: FormattedTable) -> str:
    """Write the rows of headings that span columns."""
    left = f'<td colspan="{text.keys.shape[1]}"></td>' if text.keys.shape[1] else ""
    lines = []
    for row in range(len(text.spans)):
        cells = "".join(
            f'<th scope="colgroup" colspan="{width}" class="span">{escape(label)}</th>'
            for label, width in merged(text.spans, row)
        )
        lines.append(f"<tr>{left}{cells}</tr>")
    return "".join(lines)


def _more(left_out: int) -> str:
    """Say how many rows are left out, if any are."""
    if not left_out:
        return ""
    rows = counted(left_out, "more row is", "more rows are")
    return f'\n<p class="more">{rows} in the CSV file.</p>'


def sentence_page(sentence: str, title: str) -> str:
    """Write a sentence, in the place of a table, as an HTML page.

    Examples
    --------
    >>> "<p>No model has a coefficient.</p>" in sentence_page("No model has a coefficient.", "Bias")
    True
    """
    return _PAGE.format(title=escape(title), style="", body=f"<p>{escape(sentence)}</p>")


def study_page(text: str, name: str) -> str:
    """Write a study file as an HTML page.

    Parameters
    ----------
    text : str
        YAML.
    name : str
        The study's.

    Returns
    -------
    str
    """
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import YamlLexer

    look = HtmlFormatter(style="tango")
    style = look.get_style_defs("pre")
    return _PAGE.format(
        title=f"Study {escape(name)}", style=style, body=highlight(text, YamlLexer(), look)
    )


_ROWS = re.compile("<tbody>\n(.*?)</tbody>", re.DOTALL)
_MORE = re.compile(r'\n<p class="more">([\d,]+) .*?</p>')


def _row(
    keys: Iterable[str], again: Iterable[bool], cells: Iterable[str], *, heads: bool = False
) -> str:
    """Write a row on one line, whatever lines a key of the user's has."""
    marks = list(again)
    start, end = ('th scope="row"', "th") if heads else ("td", "td")
    left = "".join(
        f'<{start} class="{"again" if same else "key"}">{escape(" ".join(key.split()))}</{end}>'
        for key, same in zip(keys, marks, strict=True)
    )
    right = "".join(f'<td class="number">{_cell(cell)}</td>' for cell in cells)
    return f'<tr class="{"more" if any(marks) else "new"}">{left}{right}</tr>'


def _cell(text: str) -> str:
    value, _, error = text.partition(" ")
    return f"{value} <small>{error}</small>" if error else value
