"""A record as Markdown, as LaTeX and as HTML."""

from __future__ import annotations

from html import escape as html_escape
from typing import TYPE_CHECKING

from hlm.describe.blocks import Equation, Grid, Items, Paragraph
from hlm.describe.marked import pieces
from hlm.describe.mathml import to_mathml
from hlm.tables.latex import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.describe.blocks import Block, Record, Section

__all__ = ["anchor", "section_to_html", "to_html", "to_latex", "to_markdown"]

METHODS = "Methods paragraph"

_PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[a4paper, margin=2.5cm]{geometry}
\usepackage{amsmath, array, booktabs, caption, longtable}
\setlength{\emergencystretch}{3em}
"""


def to_markdown(record: Record) -> str:
    """Write a record as Markdown, mathematics in LaTeX between dollar signs."""
    by = [", ".join(record.authors)] * bool(record.authors) + [record.date] * bool(record.date)
    lines = [f"# {_md(record.title)}", *map(_md, by)]
    for section in record.sections:
        lines += [f"## {section.title}", *map(_block_md, section.blocks)]
    lines += [f"## {METHODS}", _md(record.methods.text)]
    return "\n\n".join(lines) + "\n"


def to_latex(record: Record) -> str:
    """Write a record as a document in LaTeX.

    It needs the packages amsmath, array, booktabs, caption, geometry and longtable.
    """
    lines = [
        _PREAMBLE + f"\\title{{{_tex(record.title)}}}",
        "\\author{" + r" \and ".join(map(_tex, record.authors)) + "}",
        f"\\date{{{_tex(record.date)}}}",
        r"\begin{document}",
        r"\maketitle",
    ]
    for section in record.sections:
        lines += [f"\\section*{{{_tex(section.title)}}}", *map(_block_tex, section.blocks)]
    lines += [f"\\section*{{{METHODS}}}", _tex(record.methods.text), r"\end{document}"]
    return "\n\n".join(lines) + "\n"


def to_html(record: Record) -> str:
    """Write the sections of a record as HTML, mathematics as MathML: for a page of others.

    Headings are of the third level; tables have the class `described`.
    """
    lines = [section_to_html(section) for section in record.sections]
    lines += [f"<h3>{METHODS}</h3>", f"<p>{_html(record.methods.text)}</p>"]
    return "\n".join(lines) + "\n"


def section_to_html(section: Section) -> str:
    """Write a section of a record as HTML, with a heading that a link can lead to."""
    heading = f'<h3 id="{anchor(section.title)}">{html_escape(section.title)}</h3>'
    return "\n".join([heading, *map(_block_html, section.blocks)])


def anchor(title: str) -> str:
    """Return what a link to a section of that title ends with.

    Examples
    --------
    >>> anchor("Failed and singular fits")
    'failed-and-singular-fits'
    """
    return "-".join(title.lower().split())


def _block_md(block: Block) -> str:
    match block:
        case Paragraph():
            return _md(block.text)
        case Items():
            return "\n".join(f"- {_md(text)}" for text in block.texts)
        case Equation():
            body = " \\\\\n".join(block.lines)
            return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"
        case Grid():
            return "\n".join(_grid_md(block))


def _grid_md(grid: Grid) -> Iterator[str]:
    if grid.caption:
        yield f"{_md(grid.caption)}\n"
    for row in (grid.headings, ("---",) * len(grid.headings), *grid.rows):
        yield f"| {' | '.join(cell if cell == '---' else _md(cell, bar=True) for cell in row)} |"


def _md(text: str, *, bar: bool = False) -> str:
    """Write a marked text; in a table a bar would end the cell."""
    found = []
    for kind, part in pieces(text):
        if kind == "math":
            found.append(f"${part.replace('|', _VERTICAL) if bar else part}$")
        elif kind == "code":
            found.append(f"`{part.replace('|', _BAR) if bar else part}`")
        else:
            found.append("".join(f"\\{sign}" if sign in _MD else sign for sign in part))
    return "".join(found)


_VERTICAL, _BAR = r"\vert ", r"\|"
_MD = "\\`*_[]<>|$#"
"""Signs that mean something in Markdown."""


def _block_tex(block: Block) -> str:
    match block:
        case Paragraph():
            return _tex(block.text)
        case Items():
            body = "\n".join(f"\\item {_tex(text)}" for text in block.texts)
            return f"\\begin{{itemize}}\n{body}\n\\end{{itemize}}"
        case Equation():
            body = " \\\\\n".join(block.lines)
            return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"
        case Grid():
            return "\n".join(_grid_tex(block))


def _grid_tex(grid: Grid) -> Iterator[str]:
    share = 0.94 / len(grid.headings)
    column = f">{{\\raggedright\\arraybackslash}}p{{{share:.3f}\\linewidth}}"
    yield f"\\begin{{longtable}}{{{column * len(grid.headings)}}}"
    head = rf"\toprule {_row_tex(grid.headings)} \midrule"
    if grid.caption:
        yield f"\\caption*{{{_tex(grid.caption)}}}\\\\"
    yield rf"{head} \endfirsthead {head} \endhead \bottomrule \endfoot"
    yield from map(_row_tex, grid.rows)
    yield r"\end{longtable}"


def _row_tex(row: tuple[str, ...]) -> str:
    return " & ".join(map(_tex, row)) + r" \\"


def _tex(text: str) -> str:
    found = []
    for kind, part in pieces(text):
        if kind == "math":
            found.append(f"${part}$")
        else:
            words = escape(part)
            found.append(rf"\texttt{{{words}}}" if kind == "code" else words)
    return "".join(found)


def _block_html(block: Block) -> str:
    match block:
        case Paragraph():
            return f"<p>{_html(block.text)}</p>"
        case Items():
            return "<ul>" + "".join(f"<li>{_html(text)}</li>" for text in block.texts) + "</ul>"
        case Equation():
            return f'<p class="equation">{to_mathml(block.lines, display=True)}</p>'
        case Grid():
            head = "".join(f'<th scope="col">{_html(cell)}</th>' for cell in block.headings)
            body = "".join(
                "<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row) + "</tr>"
                for row in block.rows
            )
            caption = f"<caption>{_html(block.caption)}</caption>" if block.caption else ""
            return (
                f'<table class="described">{caption}<thead><tr>{head}</tr></thead>'
                f"<tbody>{body}</tbody></table>"
            )


def _html(text: str) -> str:
    found = []
    for kind, part in pieces(text):
        if kind == "math":
            found.append(to_mathml(part))
        else:
            words = html_escape(part)
            found.append(f"<code>{words}</code>" if kind == "code" else words)
    return "".join(found)
