"""The explorer's own page: its HTML, its style and its scripts; `hlm.explorer` puts them together.

The scripts are parts of one: each may use what those before it define.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["PAGE", "SCRIPTS", "script", "style", "template"]

SCRIPTS = (
    "data.js",
    "choice.js",
    "words.js",
    "picture.js",
    "forms.js",
    "reading.js",
    "controls.js",
    "main.js",
)
"""In the order in which they are loaded."""

PAGE = "explorer.html"
FOLDER = Path(__file__).parent


def template() -> str:
    """Return the page, with `$NAME` where something is put in."""
    return _read(PAGE)


def style() -> str:
    """Return the style sheet."""
    return _read("explorer.css")


def script() -> str:
    """Return all scripts as one, with names of their own.

    Examples
    --------
    >>> script().startswith('"use strict";')
    True
    """
    parts = "\n".join(_read(name) for name in SCRIPTS)
    return f'"use strict";\n(async () => {{\n{parts}\n}})();\n'


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
