"""Code that Numba keeps for linking only, neither optimized nor made machine code.

Numba would optimize each kernel, together with all that it calls, and make machine code of it:
once for the kernel itself and once more for each kernel that calls it. Only the code that Python
enters runs. So `hlm.jit` compiles kernels into a `LinkedCode`, which leaves all that to the entry:
it takes nearly half off the time to compile.

That overrides what Numba does not promise to keep. Nothing else in this package does, and nothing
but the time to compile depends on it: where `works` says no, kernels are compiled as Numba would.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding import parse_assembly
from numba import njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder

__all__ = ["LinkedCode", "works"]

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


class _TrialCompiler(CompilerBase):
    """Numba's compiler, into such a library."""

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
