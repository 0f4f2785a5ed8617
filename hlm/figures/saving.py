"""Figures to files: whole or not at all, and the same bytes from the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from hlm.disk import replacing
from hlm.errors import InputError
from hlm.figures.empty_labels import settle_empty_labels
from hlm.figures.font_subsets import outlines_only
from hlm.figures.style import RC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "format_of", "save", "save_as"]

# No date and no program version: a figure that did not change gives a file that did not change.
FORMATS: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
}
SAVED = ("png", "pdf")
"""The formats of a study's figures; SVG is for who asks for it."""


def save(figure: Figure, stem: str | Path) -> tuple[Path, ...]:
    """Write a figure as PNG (250 dots per inch) and PDF.

    Each file is written under a temporary name and then renamed, so that a stopped job leaves no
    half of one.

    Parameters
    ----------
    figure : Figure
    stem : path
        The files' path without its ending.

    Returns
    -------
    tuple of Path
        The PNG and the PDF.

    Examples
    --------
    >>> import tempfile
    >>> from hlm.figures.style import blank
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [file.name for file in save(blank("nothing"), Path(folder) / "empty")]
    ['empty.png', 'empty.pdf']
    """
    stem, saved = Path(stem), []
    settle_empty_labels(figure)
    for kind in SAVED:
        saved.append(save_as(figure, stem.with_name(f"{stem.name}.{kind}")))
        figure.set_layout_engine("none")  # the places stay those of the first format
    return tuple(saved)


def save_as(figure: Figure, file: str | Path) -> Path:
    """Write a figure to one file, in the format that its ending says.

    Parameters
    ----------
    figure : Figure
    file : path
        Ending in .png, .pdf or .svg; its folder is made.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the ending is another.
    """
    target, kind = Path(file), format_of(file)
    with replacing(target) as temporary, mpl.rc_context(RC), outlines_only():
        figure.savefig(temporary, format=kind, metadata=FORMATS[kind])
    return target


def format_of(file: str | Path) -> str:
    """Return the format of a figure's file, by its ending.

    Examples
    --------
    >>> format_of("lines.PDF")
    'pdf'
    """
    kind = Path(file).suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        endings = ", ".join(f".{known}" for known in FORMATS)
        raise InputError(f"cannot write a figure to '{file}'", allowed=f"a name with {endings}")
    return kind
