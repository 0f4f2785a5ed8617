"""The order of the pages is that of the links on the page that lists them.

A heading of such a page is a heading of the navigation, with the pages that it links to below it.
Sphinx warns of a page that no list has, and the build takes warnings as errors.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LISTS = {"docs/index", "docs/studies/README"}
LINK = re.compile(r"\[([^\[\]]+)\]\(([^)#]+)\.(?:md|ipynb)\)")


def trees(docname: str, text: str) -> str:
    """Return the tables of contents of a page, one for each of its headings with links."""
    folder = posixpath.dirname(docname)
    found = []
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        lines: dict[str, str] = {}
        for words, link in LINK.findall(body):
            page = posixpath.normpath(posixpath.join(folder, link))
            if page != docname:
                lines.setdefault(page, f"{words} </{page}>")
        if lines:
            entries = "\n".join(lines.values())
            found.append(f"```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{entries}\n```")
    return "\n\n".join(found)


def add_trees(_: Sphinx, docname: str, source: list[str]) -> None:
    """Append them where a page is a list."""
    if docname in LISTS:
        source[0] += "\n\n" + trees(docname, source[0]) + "\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Have pages completed as they are read."""
    app.connect("source-read", add_trees)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
