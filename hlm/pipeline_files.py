"""Where the files of the workflow are: Snakefile, scripts, captions, logger plugin, profiles.

In a clone, and in an editable installation of it, they lie beside the package; a wheel has them
in the package, in the same places to one another.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["pipeline_files"]

PACKAGE = Path(__file__).parent


def pipeline_files() -> Path:
    """Return the folder of the Snakefile, below which everything that it names is.

    Examples
    --------
    >>> (pipeline_files() / "Snakefile").is_file()
    True
    """
    installed = PACKAGE / "pipeline"
    return installed if installed.is_dir() else PACKAGE.parent
