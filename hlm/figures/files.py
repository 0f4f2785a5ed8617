"""Figures to files: whole or not at all, and the same bytes from the same numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from hlm.figures.style import RC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "save"]

# No date and no program version: a figure that did not change gives a file that did not change.
FORMATS: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def save(figure: Figure, stem: str | Path) -> tuple[Path, ...]:
    """Write a figure as PNG (250 dots per inch) and PDF.

    Each file is written under a temporary name and then renamed, so that a stopped job leaves no
    half of one.

    Parameters
    ----------
    figure : Figure
    stem : path
        The files' path without its ending; its folder is made.

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
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    return tuple(_write(figure, stem, kind) for kind in FORMATS)


def _write(figure: Figure, stem: Path, kind: str) -> Path:
    target = stem.with_name(f"{stem.name}.{kind}")
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with mpl.rc_context(RC):
            figure.savefig(temporary, format=kind, metadata=FORMATS[kind])
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target
