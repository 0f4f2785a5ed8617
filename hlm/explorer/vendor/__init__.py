"""The libraries that draw in the explorer, as published, each with its licence.

`d3.min.js` is d3 7.9.2 and `plot.umd.min.js` is Observable Plot 0.6.17, both under the ISC licence.
To renew one, put its published file and licence here and its version below.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["LIBRARIES", "scripts"]

LIBRARIES = {"d3": "7.9.2", "plot": "0.6.17"}
"""The version of each library; Plot needs d3 before it."""

FILES = {"d3": "d3.min.js", "plot": "plot.umd.min.js"}
FOLDER = Path(__file__).parent


def scripts() -> list[str]:
    r"""Return the text of each library after its licence, in the order in which they are loaded.

    Examples
    --------
    >>> [text.startswith("/*\nCopyright") for text in scripts()]
    [True, True]
    """
    return [f"/*\n{_read(f'{name}.LICENSE')}*/\n{_read(FILES[name])}" for name in LIBRARIES]


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
