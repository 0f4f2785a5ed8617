"""What is overridden of Numba, for the time to compile and for processes that compile side by side.

Numba would optimize each kernel, together with all that it calls, and make machine code of it:
once for the kernel itself and once more for each kernel that calls it. Only the code that Python
enters runs. So `hlm.jit` compiles kernels into a `LinkedCode`, which leaves all that to the entry:
it takes nearly half off the time to compile. `QuickFlags` take off a tenth.

That overrides what Numba does not promise to keep. Nothing else in this package does, and nothing
but the time to compile depends on it: where `works` says no, kernels are compiled as Numba would.
`LockedCache` is apart from that: without it, code is there later.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llvmlite.binding import parse_assembly
from numba import njit
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, Flags

from hlm.disk import lock

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LinkedCode", "LockedCache", "QuickFlags", "works"]

_ENVIRONMENT = "_ZN08NumbaEnv"
"""How Numba names the global variable of a kernel's environment."""


class LinkedCode(JITCodeLibrary):
    """The code of a kernel, for other code to be linked with."""

    @classmethod
    def of(cls, state: Any) -> LinkedCode:
        """Return the library for what a compiler with this state makes."""
        library = cls(state.targetctx.codegen(), state.func_id.func_qualname)
        library.enable_object_caching()
        return library

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


class QuickFlags(Flags):
    """Numba's settings for one function, which are equal where the same of them are set.

    Numba looks up each operator by the settings, and would hash and compare all twenty of them each
    time, defaults included, for a tenth of the time to compile.
    """

    __slots__: list[str] = []

    def __hash__(self) -> int:
        return hash(frozenset(self._values))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuickFlags) and bool(self._values == other._values)


class LockedCache(FunctionCache):
    """A kernel's code on disk, to which one process writes at a time, and which is read at once.

    Numba reads the kernel's index, adds the new variant under the next free name, and writes the
    index. Two processes that did so at once could give one name to two variants.

    Before it reads code, Numba imports all that it may compile with, which takes several times as
    long. A compiler sees to that itself, and code that is there needs none of it.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return a variant of the kernel, None where it is not there."""
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write a variant of the kernel."""
        folder = Path(self.cache_path)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as file:
            with suppress(OSError):  # a file system without locks
                lock(file, wait=True)
            super().save_overload(sig, data)


class _TrialCompiler(CompilerBase):
    """Numba's compiler, with such settings and into such a library."""

    def compile_extra(self, function: Callable[..., Any]) -> Any:
        """Compile a function."""
        self.state.flags = QuickFlags(self.state.flags)
        return super().compile_extra(function)

    def define_pipelines(self) -> list[Any]:
        """Return the usual passes; they put the code into the library that is given."""
        self.state.library = LinkedCode.of(self.state)
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


def works() -> bool:
    """Tell by trial whether this version of Numba can compile and store such code.

    Examples
    --------
    >>> works()
    True
    """
    try:
        return _trial()
    except Exception:
        return False


def _trial() -> bool:
    """Compile two functions, one calling the other, store their code and read it again."""
    options: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}
    of_kernels = options | {"no_cpython_wrapper": True, "pipeline_class": _TrialCompiler}
    inner = njit(**of_kernels)(_three_times)
    outer = njit(**options)(_outer(inner))
    if outer(2.0) != 7.0:
        return False
    for function in (inner, outer):
        (compiled,) = function.overloads.values()
        library = compiled.library
        library.codegen.unserialize_library(library.serialize_using_object_code())
    return True


def _three_times(x: float) -> float:
    return 3.0 * x


def _outer(inner: Any) -> Any:
    def three_times_and_one(x: float) -> float:
        result: float = inner(x) + 1.0
        return result

    return three_times_and_one
