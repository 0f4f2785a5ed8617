"""The name of this distribution, and the versions that files of results name."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DISTRIBUTION", "__version__", "installation", "versions"]

DISTRIBUTION = "hlm-studies"
"""Its name on the package index, where `hlm` belongs to someone else."""

__version__ = version(DISTRIBUTION)


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the version of each package that is installed; `hlm` is this one.

    Examples
    --------
    >>> sorted(versions(["numpy", "hlm"]))
    ['hlm', 'numpy']
    """
    return {name: __version__ if name == "hlm" else version(name) for name in packages}


def installation(extra: str) -> str:
    """Return the command that installs this distribution with one of its extras.

    Examples
    --------
    >>> installation("audit")
    "pip install 'hlm-studies[audit]'"
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"
