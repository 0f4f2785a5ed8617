"""Where compiled kernels are kept, and whether they are there: known without loading Numba.

Numba looks only at a kernel's own file to tell whether its cache is old, although it inlines
kernels of other files: so the cache's folder is named by a hash of every file that holds kernels,
of how they are compiled, and of Numba's version.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from importlib.metadata import version
from itertools import chain
from pathlib import Path

__all__ = ["LANES", "PLAIN", "WIDTH", "is_marked", "kernel_folder", "mark_of", "wants_plain"]

HOME = Path(__file__).parent
KERNEL_FOLDERS = ("kernels", "rows", "simulate")
COMPILED_BY = (
    "jit.py",
    "inside_numba.py",
    "lanes.py",
    "lanes_in_numba.py",
    "pcg64.py",
    "pcg64_in_numba.py",
)

LANES = "HLM_LANES"
"""Environment variable: another number of data sets side by side. Numbers do not depend on it."""

WIDTH = int(os.environ.get(LANES, "16"))
"""Data sets side by side: two vectors of 512 bits, so that one is at work while another waits."""

PLAIN = "HLM_PLAIN_NUMBA"
"""Environment variable: 1 has each kernel compiled as Numba does by itself."""


def wants_plain() -> bool:
    """Tell whether the environment asks for that."""
    return os.environ.get(PLAIN, "0") not in ("", "0")


def kernel_folder(chosen: str) -> Path:
    """Return the kernels' folder: below the chosen one, the package or the user's cache."""
    digest = blake2b(f"{version('numba')} {wants_plain()} {WIDTH}".encode(), digest_size=8)
    kernels = [sorted((HOME / folder).glob("*.py")) for folder in KERNEL_FOLDERS]
    for path in (*(HOME / name for name in COMPILED_BY), *chain.from_iterable(kernels)):
        digest.update(path.read_bytes())
    name = f"kernels-{digest.hexdigest()}"
    if chosen:
        return Path(chosen) / name
    if os.access(HOME, os.W_OK):
        return HOME / "__pycache__" / name
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hlm" / name


def mark_of(variant: str, folder: Path) -> Path:
    """Return the file that is there once a variant of the kernels is, for this processor."""
    from llvmlite.binding import get_host_cpu_name

    return folder / f"{variant}-{get_host_cpu_name()}"


def is_marked(variant: str) -> bool:
    """Tell whether a variant of the kernels is surely compiled.

    Where a file of Numba's configuration chooses the folder, only Numba knows.
    """
    return mark_of(variant, kernel_folder(os.environ.get("NUMBA_CACHE_DIR", ""))).exists()
