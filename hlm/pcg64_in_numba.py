"""How Numba compiles the functions of `hlm.pcg64`, with the processor's words of 128 bits.

Only public means of Numba, imported where something is compiled.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import signature
from numba.extending import lower_builtin, type_callable

from hlm.pcg64 import MULTIPLIER, following, word_of

__all__: list[str] = []

HALF, WHOLE = ir.IntType(64), ir.IntType(128)
PAIR = types.UniTuple(types.uint64, 2)


def _joined(builder: Any, high: Any, low: Any) -> Any:
    upper = builder.shl(builder.zext(high, WHOLE), ir.Constant(WHOLE, 64))
    return builder.or_(upper, builder.zext(low, WHOLE))


@type_callable(following)
def _type_following(context: Any) -> Any:
    return lambda high, low, step_high, step_low: signature(PAIR, *[types.uint64] * 4)


@lower_builtin(following, *[types.uint64] * 4)
def _lower_following(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    x, step = _joined(builder, *args[:2]), _joined(builder, *args[2:])
    x = builder.add(builder.mul(x, ir.Constant(WHOLE, MULTIPLIER)), step)
    high = builder.trunc(builder.lshr(x, ir.Constant(WHOLE, 64)), HALF)
    return context.make_tuple(builder, PAIR, [high, builder.trunc(x, HALF)])


@type_callable(word_of)
def _type_word(context: Any) -> Any:
    return lambda high, low: signature(types.uint64, *[types.uint64] * 2)


@lower_builtin(word_of, *[types.uint64] * 2)
def _lower_word(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    high, low = args
    mixed, turn = builder.xor(high, low), builder.lshr(high, ir.Constant(HALF, 58))
    of_three = ir.FunctionType(HALF, [HALF] * 3)
    rotate = cgutils.get_or_insert_function(builder.module, of_three, "llvm.fshr.i64")
    return builder.call(rotate, [mixed, mixed, turn])
