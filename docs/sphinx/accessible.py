"""What Sphinx and the theme leave out for readers who use a keyboard or have pages read to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

AFTER_THE_THEME = 900

IN_BODY = {
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}
"""What scrolls by itself can be reached by the keyboard."""

IN_NAVIGATION = {'role="heading"': 'role="heading" aria-level="2"'}


def complete(_: Sphinx, __: str, ___: str, context: dict[str, Any], ____: Any) -> None:
    """Put it into a page before that is written."""
    for part, changes in (("body", IN_BODY), ("furo_navigation_tree", IN_NAVIGATION)):
        for old, new in changes.items():
            context[part] = context.get(part, "").replace(old, new)


def setup(app: Sphinx) -> dict[str, Any]:
    """Have pages completed after the theme has made its parts."""
    app.connect("html-page-context", complete, priority=AFTER_THE_THEME)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
