"""How every kernel is compiled: once, cached on disk, strict IEEE arithmetic, no threads.

Strict arithmetic (no `fastmath`) keeps each sum in the order in which it is written, so an estimate
is the same bit for bit whatever else is in the batch. Numba looks only at a kernel's own file to
tell whether its cache is old, although it inlines kernels of other files: so the cache's folder is
named by a hash of every file that holds kernels, of how they are compiled, and of Numba's version.

A `kernel` is kept as what is linked into an `entry`, the only code that Python enters (see
`hlm.inside_numba`). That takes a look inside Numba; where its version does not allow it, or the
environment variable HLM_PLAIN_NUMBA is 1, each kernel is compiled as Numba does by itself. The
numbers are the same, and only compiling takes longer.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from hashlib import blake2b
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numba
from llvmlite.binding import get_host_cpu_name
from numba import njit
from numba.core import config as numba_config
from numba.core.compiler import CompilerBase, DefaultPassBuilder

from hlm.disk import lock
from hlm.errors import InputError
from hlm.lanes import WIDTH

__all__ = [
    "PLAIN",
    "cache_folder",
    "compiling",
    "entry",
    "inlined",
    "is_compiled",
    "kernel",
    "links_kernels",
    "vectorized",
]

Function = TypeVar("Function", bound=Callable[..., Any])

config: Any = numba_config
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

PLAIN = "HLM_PLAIN_NUMBA"
"""Environment variable: 1 has each kernel compiled as Numba does by itself."""


def cache_folder() -> Path:
    """Return the kernels' folder: below NUMBA_CACHE_DIR, the package or the user's cache."""
    digest = blake2b(f"{numba.__version__} {_wants_plain()} {WIDTH}".encode(), digest_size=8)
    kernels = [sorted((HOME / folder).glob("*.py")) for folder in KERNEL_FOLDERS]
    for path in (*(HOME / name for name in COMPILED_BY), *chain.from_iterable(kernels)):
        digest.update(path.read_bytes())
    name = f"kernels-{digest.hexdigest()}"
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR) / name
    if os.access(HOME, os.W_OK):
        return HOME / "__pycache__" / name
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hlm" / name


def _wants_plain() -> bool:
    return os.environ.get(PLAIN, "0") not in ("", "0")


_CACHE = str(cache_folder())
_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "nogil": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}


@contextmanager
def compiling(variant: str) -> Iterator[bool]:
    """Yield whether `variant` of the kernels is still to be compiled; others wait meanwhile.

    Numba's cache is not safe when two processes first compile at the same time.

    Raises
    ------
    InputError
        The cache is in a file system without locks.
    """
    folder, mark = cache_folder(), _mark(variant)
    if mark.exists():
        yield False
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            lock(file, wait=True)
        except OSError as error:
            raise InputError(
                f"the cache of kernels cannot be locked: {error.strerror}",
                file=file.name,
                allowed="NUMBA_CACHE_DIR, set to a folder on a disk of each node",
            ) from None
        todo = not mark.exists()
        with _without_collector():
            yield todo
        mark.touch()


def is_compiled(variant: str) -> bool:
    """Tell whether `variant` of the kernels is in the cache, for this kind of processor."""
    return not config.DISABLE_JIT and _mark(variant).exists()


def _mark(variant: str) -> Path:
    return cache_folder() / f"{variant}-{get_host_cpu_name()}"


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


@cache
def links_kernels() -> bool:
    """Tell whether kernels are kept for linking, which this version of Numba must allow."""
    if _wants_plain():
        return False
    try:
        from hlm.inside_numba import works
    except ImportError:
        return False
    return works()


@contextmanager
def _without_vectors() -> Iterator[None]:
    """Have Numba vectorize nothing, and put its settings back at the end.

    Loops are over a handful of columns: vectorized they are slower, and take longer to compile.
    """
    before = config.LOOP_VECTORIZE, config.SLP_VECTORIZE
    config.LOOP_VECTORIZE = config.SLP_VECTORIZE = 0
    try:
        yield
    finally:
        config.LOOP_VECTORIZE, config.SLP_VECTORIZE = before


class _EntryCompiler(CompilerBase):
    """Numba's compiler, with settings of our own while it is at work."""

    vectors = False

    def __init__(self, *args: Any) -> None:
        import_module("hlm.lanes_in_numba")
        import_module("hlm.pcg64_in_numba")
        super().__init__(*args)

    def compile_extra(self, function: Callable[..., Any]) -> Any:
        """Compile a function; kernels that it calls are compiled meanwhile."""
        if links_kernels():
            from hlm.inside_numba import QuickFlags

            self.state.flags = QuickFlags(self.state.flags)
        with nullcontext() if self.vectors else _without_vectors():
            return super().compile_extra(function)

    def define_pipelines(self) -> list[Any]:
        """Return Numba's usual passes."""
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


class _VectorCompiler(_EntryCompiler):
    """The compiler for entries whose loops are long."""

    vectors = True


class _KernelCompiler(_EntryCompiler):
    """The compiler for functions that Python does not call."""

    def define_pipelines(self) -> list[Any]:
        """Return the usual passes, into a library for linking where there can be one."""
        if links_kernels():
            from hlm.inside_numba import LinkedCode

            self.state.library = LinkedCode.of(self.state)
        return super().define_pipelines()


def kernel(function: Function) -> Function:
    """Compile a function at its first use; with NUMBA_DISABLE_JIT=1 it stays plain Python.

    Only other kernels may call it: what Python calls is an `entry`, compiled with the code that
    takes its arguments apart. A kernel cannot allocate: all its arrays are arguments. For a literal
    True, False or number as an argument it is compiled once more, with all that it calls: callers
    pass variables, or np.bool_(True). The length of a tuple is such a number too: hence
    np.int64(len(problem.effects)).
    """
    return _compile(function, _KernelCompiler, no_cpython_wrapper=True)


def entry(function: Function) -> Function:
    """Compile a kernel that Python calls too."""
    return _compile(function, _EntryCompiler)


def vectorized(function: Function) -> Function:
    """Compile an entry whose inner loops are long, and have the processor's vectors.

    Only loops without a sum over what they go through: the numbers are those of any other entry.
    """
    return _compile(function, _VectorCompiler)


def inlined(function: Function) -> Function:
    """Compile as part of the one kernel that calls it, not once more by itself."""
    return _compile(function, _EntryCompiler, inline="always")


def _compile(function: Function, compiler: type[CompilerBase], **options: Any) -> Any:
    # Numba reads the folder of the cache when a function is decorated, and only then.
    previous, config.CACHE_DIR = config.CACHE_DIR, _CACHE
    try:
        compiled = njit(**_OPTIONS | options, pipeline_class=compiler)(function)
        if not config.DISABLE_JIT:
            _keep_on_disk(compiled)
        return compiled
    finally:
        config.CACHE_DIR = previous


def _keep_on_disk(compiled: Any) -> None:
    """Keep a kernel's code on disk, where one process at a time writes it if Numba allows that."""
    try:
        from hlm.inside_numba import LockedCache
    except ImportError:
        compiled.enable_caching()
        return
    compiled._cache = LockedCache(compiled.py_func)  # noqa: SLF001
