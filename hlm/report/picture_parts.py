"""Figures and tables of a study as parts of its report."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from hlm.plan.report import planned_figures, planned_tables
from hlm.results.shown import attempt
from hlm.tables.page import fragment_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hlm.plan import Plan
    from hlm.plan.report import PlannedFigure, PlannedTable
    from hlm.report.captions import Captions

__all__ = ["MOST_BYTES", "MOST_ROWS", "Pictures", "figures_html", "folded_table", "tables_html"]

MOST_ROWS = 500
"""Of a table so many rows are in the report; the CSV has all."""

MOST_BYTES = 30_000_000
"""So many bytes of pictures are in the report; those after them are files beside it."""


_CSS_PIXELS_A_METRE = 96.0 / 0.0254


@dataclass
class Pictures:
    """How many bytes of pictures are still to be put into the page.

    Attributes
    ----------
    left : int
    """

    left: int = MOST_BYTES

    def html(self, path: Path, words: str) -> str:
        """Put a picture into the page, or else a sentence that says where it is."""
        place = f"{path.parent.name}/{path.name}"
        if not path.is_file():
            return f"<p>There is no file <code>{escape(place)}</code>.</p>"
        content = path.read_bytes()
        self.left -= len(content)
        if self.left < 0:
            link = f'<a href="{escape(place)}">{escape(place)}</a>'
            return f"<p>For want of room this picture is beside the page: {link}.</p>"
        size = _size(content)
        return (
            f'<img src="data:image/png;base64,{b64encode(content).decode()}" '
            f'alt="{escape(words)}"{size}>'
        )


def figures_html(
    plan: Plan, folder: Path, captions: Captions, pictures: Pictures, *, strict: bool = False
) -> str:
    """Write the figures of a study, by section, each with its caption.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results.
    captions : Captions
    pictures : Pictures
    strict : bool
        Raise what may be a fault of the program.
    """
    lines: list[str] = []
    section = ""
    for number, figure in enumerate(planned_figures(plan), start=1):
        if figure.section != section:
            section = figure.section
            lines.append(f"<h3>{escape(section)}</h3>")
        caption = _caption(captions, figure.caption, strict=strict)
        lines.append("\n".join(_figure(number, figure, folder, caption, pictures)))
    return "\n".join(lines)


def tables_html(plan: Plan, folder: Path, captions: Captions, *, strict: bool = False) -> str:
    """Write the tables of a study, folded, each with its caption."""
    return "\n".join(
        _table(number, table, folder, _caption(captions, table.caption, strict=strict))
        for number, table in enumerate(planned_tables(plan), start=1)
    )


def folded_table(
    name: str, title: str, page: Path, *, caption: str = "", files: Sequence[str] = ()
) -> str:
    """Write a page of a table as a part of the report that is folded at first.

    Parameters
    ----------
    name, title : str
        What a link to it ends with, and what is seen while it is folded.
    page : path
        A page of `hlm.tables.page`.
    caption : str
        HTML.
    files : sequence of str
        Paths of further forms, from the report.
    """
    return (
        f'<details class="table" id="table-{escape(name)}">'
        f"<summary><h3>{escape(title)}</h3></summary>\n{caption}\n{_pages([title], [page])}\n"
        f"{_links(files)}</details>"
    )


def _caption(captions: Captions, name: str, *, strict: bool) -> str:
    """Write a caption, or why there is none: it must not cost the report."""
    return attempt(
        lambda: captions.html(name), lambda why: f"<p>A caption {escape(why)}</p>", strict=strict
    )


def _figure(
    number: int, figure: PlannedFigure, folder: Path, caption: str, pictures: Pictures
) -> Iterator[str]:
    yield f'<figure id="figure-{escape(figure.name)}">'
    n = len(figure.pages)
    for place, page in enumerate(figure.pages, start=1):
        words = figure.title if n == 1 else f"{figure.title}, page {place} of {n}"
        yield pictures.html(folder / "figures" / f"{page}.png", words)
    files = _links([f"figures/{page}.pdf" for page in figure.pages])
    yield (
        f"<figcaption><p><b>Figure {number}. {escape(figure.title)}.</b></p>\n"
        f"{caption}\n{files}</figcaption>\n</figure>"
    )


def _table(number: int, table: PlannedTable, folder: Path, caption: str) -> str:
    files = [f"tables/{page}.{kind}" for page in table.pages for kind in ("csv", "tex", "md")]
    there = [file for file in files if (folder / file).is_file()]
    pages = [folder / "tables" / f"{page}.html" for page in table.pages]
    return (
        f'<details class="table" id="table-{escape(table.name)}">'
        f"<summary><h3>Table {number}. {escape(table.title)}</h3></summary>\n{caption}\n"
        f"{_pages(table.titles, pages)}\n{_links(there)}</details>"
    )


def _pages(titles: Sequence[str], pages: Sequence[Path]) -> str:
    """Write the pages of a table, each in a box that scrolls, with its sentences below."""
    parts = []
    for title, page in zip(titles, pages, strict=True):
        heading = f"<h4>{escape(title)}</h4>\n" if len(pages) > 1 else ""
        if page.is_file():
            body = fragment_of(page.read_text(encoding="utf-8"), most=MOST_ROWS)
            parts.append(f"{heading}{_in_box(body, title)}")
        else:
            parts.append(f"{heading}<p>There is no file <code>{escape(page.name)}</code>.</p>")
    return "\n".join(parts)


def _in_box(body: str, words: str) -> str:
    """Put the table of a fragment into a box that scrolls by keys too, and nothing else of it."""
    above, start, rest = body.partition("<table>")
    table, end, below = rest.partition("</table>")
    if not end:
        return body
    box = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(words)}">'
    return f"{above}{box}{start}{table}{end}</div>{below}"


def _links(files: Sequence[str]) -> str:
    if not files:
        return ""
    links = ", ".join(f'<a href="{escape(file)}">{escape(file)}</a>' for file in files)
    return f'<p class="files">{links}</p>'


def _size(png: bytes) -> str:
    """Return a picture's size as it is meant, in pixels of CSS, as attributes.

    So nothing moves while it loads, and letters are of one size in all pictures.
    """
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        return ""
    width, height = (int.from_bytes(png[start : start + 4]) for start in (16, 20))
    found = png.find(b"pHYs", 0, 1000)
    a_metre = int.from_bytes(png[found + 4 : found + 8]) if found > 0 else 0
    scale = _CSS_PIXELS_A_METRE / a_metre if a_metre else 1.0
    return f' width="{scale * width:.0f}" height="{scale * height:.0f}"'
