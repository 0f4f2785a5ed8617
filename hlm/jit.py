"""How every kernel is compiled: once, cached on disk, strict IEEE arithmetic, no threads.

Strict arithmetic (no `fastmath`) keeps each sum in the order in which it is written, so an estimate
is the same bit for bit whatever else is in the batch. Numba looks only at a kernel's own file to
tell whether its cache is old, although it inlines kernels of other files: so the cache's folder is
named by a hash of every file that holds kernels, and of this one.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, TypeVar

from llvmlite.binding import get_host_cpu_name
from numba import njit
from numba.core import config as numba_config

from hlm.errors import InputError

__all__ = ["cache_folder", "compiling", "entry", "inlined", "kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])

config: Any = numba_config
HOME = Path(__file__).parent
KERNEL_FOLDERS = ("engine", "simulate")


def cache_folder() -> Path:
    """Return the kernels' folder: below NUMBA_CACHE_DIR, the package or the user's cache."""
    digest = blake2b(Path(__file__).read_bytes(), digest_size=8)
    for folder in KERNEL_FOLDERS:
        for path in sorted((HOME / folder).glob("*.py")):
            digest.update(path.read_bytes())
    name = f"kernels-{digest.hexdigest()}"
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR) / name
    if os.access(HOME, os.W_OK):
        return HOME / "__pycache__" / name
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hlm" / name


_CACHE = str(cache_folder())
_OPTIONS = {
    "cache": True,
    "error_model": "numpy",
    "nogil": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}

# The loops are over a handful of columns: vectorized they are slower, and take longer to compile.
config.LOOP_VECTORIZE = 0
config.SLP_VECTORIZE = 0


@contextmanager
def compiling(variant: str) -> Iterator[bool]:
    """Yield whether `variant` of the kernels is still to be compiled; others wait meanwhile.

    Numba's cache is not safe when two processes first compile at the same time.

    Raises
    ------
    InputError
        The cache is in a file system without locks.
    """
    folder = cache_folder()
    mark = folder / f"{variant}-{get_host_cpu_name()}"
    if mark.exists():
        yield False
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        _wait_for(lock)
        todo = not mark.exists()
        with _without_collector():
            yield todo
        mark.touch()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Turn the collector of cyclic garbage off, which takes a tenth of the time to compile."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _wait_for(lock: IO[str]) -> None:
    """Lock a file, for all nodes that share it; the lock ends with the process at the latest."""
    import fcntl  # absent on Windows, where nothing else needs it

    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        raise InputError(
            f"the cache of kernels cannot be locked: {error.strerror}",
            file=lock.name,
            allowed="NUMBA_CACHE_DIR, set to a folder on a disk of each node",
        ) from None


def kernel(function: Function) -> Function:
    """Compile a function at its first use; with NUMBA_DISABLE_JIT=1 it stays plain Python.

    Only other kernels may call it: what Python calls is an `entry`, compiled with the code that
    takes its arguments apart. A kernel cannot allocate: all its arrays are arguments. For a literal
    True, False or number as an argument it is compiled once more, with all that it calls: callers
    pass variables, or np.bool_(True).
    """
    return _compile(function, **_OPTIONS, no_cpython_wrapper=True)


def entry(function: Function) -> Function:
    """Compile a kernel that Python calls too."""
    return _compile(function, **_OPTIONS)


def inlined(function: Function) -> Function:
    """Compile as part of the one kernel that calls it, not once more by itself."""
    return _compile(function, **_OPTIONS, inline="always")


def _compile(function: Function, **options: Any) -> Any:
    previous, config.CACHE_DIR = config.CACHE_DIR, _CACHE
    try:
        return njit(**options)(function)
    finally:
        config.CACHE_DIR = previous
