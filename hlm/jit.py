"""How every kernel is compiled: once, cached on disk, strict IEEE arithmetic, no threads.

Strict arithmetic (no `fastmath`) keeps each sum in the order in which it is written, so an estimate
is the same bit for bit whatever else is in the batch. Numba looks only at a kernel's own file to
tell whether its cache is old, although it inlines kernels of other files: so the cache's folder is
named by a hash of every file that holds kernels, and of this one.

Numba would optimize each kernel, together with all that it calls, and make machine code of it: once
for the kernel itself and once more for each kernel that calls it. Only the code that Python enters
runs: so that is done for an `entry` alone, once, and a `kernel` is kept as what is linked into it.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, TypeVar

from llvmlite.binding import get_host_cpu_name, parse_assembly
from numba import njit
from numba.core import config as numba_config
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder

from hlm.errors import InputError

__all__ = ["cache_folder", "compiling", "entry", "inlined", "kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])

config: Any = numba_config
HOME = Path(__file__).parent
KERNEL_FOLDERS = ("kernels", "simulate")


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


_ENVIRONMENT = "_ZN08NumbaEnv"
"""How Numba names the global variable of a kernel's environment."""


class _LinkedCode(JITCodeLibrary):
    """The code of a kernel, for other code to be linked with: not optimized, no machine code."""

    def _optimize_final_module(self) -> None:
        """Leave that to the entry, where everything is at hand."""

    def _finalize_final_module(self) -> None:
        """Set the code aside, and give Numba what else it looks for: the kernel's environment."""
        module = self._final_module
        self._finalized = True
        self._get_module_for_linking()
        kept = [str(v) for v in module.global_variables if v.name.startswith(_ENVIRONMENT)]
        self._final_module = parse_assembly(
            "\n".join([f'target triple = "{module.triple}"', *kept])
        )
        super()._finalize_final_module()


class _KernelCompiler(CompilerBase):
    """Numba's compiler, for functions that Python does not call."""

    def define_pipelines(self) -> list[Any]:
        """Return the usual passes; they put the code into the library that is given."""
        state = self.state
        state.library = _LinkedCode(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return [DefaultPassBuilder.define_nopython_pipeline(state)]


def kernel(function: Function) -> Function:
    """Compile a function at its first use; with NUMBA_DISABLE_JIT=1 it stays plain Python.

    Only other kernels may call it: what Python calls is an `entry`, compiled with the code that
    takes its arguments apart. A kernel cannot allocate: all its arrays are arguments. For a literal
    True, False or number as an argument it is compiled once more, with all that it calls: callers
    pass variables, or np.bool_(True). The length of a tuple is such a number too: hence
    np.int64(len(axes)).
    """
    return _compile(function, **_OPTIONS, no_cpython_wrapper=True, pipeline_class=_KernelCompiler)


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
