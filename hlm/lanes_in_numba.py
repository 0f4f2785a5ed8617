"""How Numba compiles what kernels do with lanes: see `hlm.lanes`.

Only public means of Numba to add types. They are imported where something is compiled, for code
that is on disk needs none of them.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typeconv.castgraph import Conversion
from numba.core.typing.templates import signature
from numba.extending import lower_builtin, lower_cast, models, register_model, type_callable
from numba.np.arrayobj import make_array, populate_array

from hlm.lanes import WIDTH, choose, everywhere, in_lanes, negation

if TYPE_CHECKING:
    from collections.abc import Callable

__all__: list[str] = []


class Lanes(types.Type):
    """The type of a number for each of `WIDTH` data sets."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes({WIDTH})")

    def can_convert_from(self, typingctx: Any, other: Any) -> Any:
        """Tell that a number can stand for the same in each data set."""
        return Conversion.safe if isinstance(other, types.Number) else None

    def unify(self, typingctx: Any, other: Any) -> Any:
        """Return the type of what is either such numbers or one for all."""
        return self if isinstance(other, types.Number) else None


class Mask(types.Type):
    """The type of a truth for each of `WIDTH` data sets."""

    def __init__(self) -> None:
        super().__init__(name=f"Mask({WIDTH})")

    def can_convert_from(self, typingctx: Any, other: Any) -> Any:
        """Tell that a truth can stand for the same in each data set."""
        return Conversion.safe if isinstance(other, types.Boolean) else None

    def unify(self, typingctx: Any, other: Any) -> Any:
        """Return the type of what is either such truths or one for all."""
        return self if isinstance(other, types.Boolean) else None


LANES, MASK = Lanes(), Mask()
_NUMBERS = ir.VectorType(ir.DoubleType(), WIDTH)
_TRUTHS = ir.VectorType(ir.IntType(1), WIDTH)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _NUMBERS)


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _TRUTHS)


def _spread(builder: Any, one: Any, lanes: ir.VectorType) -> Any:
    """Return a number or a truth for all lanes."""
    first = builder.insert_element(ir.Constant(lanes, ir.Undefined), one, _place(0))
    nowhere = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), None)
    return builder.shuffle_vector(first, ir.Constant(lanes, ir.Undefined), nowhere)


def _place(lane: int) -> Any:
    return ir.Constant(ir.IntType(32), lane)


@lower_cast(types.Float, Lanes)
@lower_cast(types.Integer, Lanes)
def _from_number(context: Any, builder: Any, source: Any, target: Any, value: Any) -> Any:
    return _spread(builder, context.cast(builder, value, source, types.float64), _NUMBERS)


@lower_cast(types.Boolean, Mask)
def _from_truth(context: Any, builder: Any, source: Any, target: Any, value: Any) -> Any:
    return _spread(builder, value, _TRUTHS)


def _both(a: Any, b: Any) -> bool:
    """Tell whether an operation on these types is one on lanes."""
    numbers = (Lanes, types.Number)
    return isinstance(a, numbers) and isinstance(b, numbers) and LANES in (a, b)


def _two_numbers(function: Any, result: Any, lower: Callable[..., Any]) -> None:
    """Define a function of two numbers for lanes."""

    @type_callable(function)
    def _typed(context: Any) -> Any:
        def typer(a: Any, b: Any) -> Any:
            return signature(result, LANES, LANES) if _both(a, b) else None

        return typer

    @lower_builtin(function, Lanes, Lanes)
    def _lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return lower(builder, *args)


def _one_number(function: Any, lower: Callable[..., Any]) -> None:
    """Define a function of one number for lanes."""

    @type_callable(function)
    def _typed(context: Any) -> Any:
        def typer(a: Any) -> Any:
            return signature(LANES, LANES) if isinstance(a, Lanes) else None

        return typer

    @lower_builtin(function, Lanes)
    def _lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return lower(builder, *args)


def _of_processor(name: str) -> Callable[..., Any]:
    """Return an exact function that the processor has."""

    def call(builder: Any, x: Any) -> Any:
        of_lanes = ir.FunctionType(_NUMBERS, [_NUMBERS])
        named = f"llvm.{name}.v{WIDTH}f64"
        return builder.call(cgutils.get_or_insert_function(builder.module, of_lanes, named), [x])

    return call


def _one_by_one(name: str) -> Callable[..., Any]:
    """Return a function that is taken of one lane after another, as Numba takes that of numbers."""

    def call(builder: Any, *lanes: Any) -> Any:
        numbers, result = [ir.DoubleType()] * len(lanes), lanes[0]
        of_numbers = ir.FunctionType(ir.DoubleType(), numbers)
        function = cgutils.get_or_insert_function(builder.module, of_numbers, name)
        for lane in range(WIDTH):
            own = [builder.extract_element(one, _place(lane)) for one in lanes]
            result = builder.insert_element(result, builder.call(function, own), _place(lane))
        return result

    return call


def _compare(sign: str) -> Callable[..., Any]:
    ordered = "fcmp_unordered" if sign == "!=" else "fcmp_ordered"
    return lambda builder, a, b: getattr(builder, ordered)(sign, a, b)


def _extreme(sign: str) -> Callable[..., Any]:
    """Return what Python means by max or min: the second where it is more, or less."""
    return lambda builder, a, b: builder.select(builder.fcmp_ordered(sign, b, a), b, a)


for _plain, _in_place, _instruction in (
    (operator.add, operator.iadd, "fadd"),
    (operator.sub, operator.isub, "fsub"),
    (operator.mul, operator.imul, "fmul"),
    (operator.truediv, operator.itruediv, "fdiv"),
):
    for _function in (_plain, _in_place):
        _two_numbers(
            _function, LANES, lambda builder, a, b, name=_instruction: getattr(builder, name)(a, b)
        )
for _function, _sign in (
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _two_numbers(_function, MASK, _compare(_sign))
_two_numbers(max, LANES, _extreme(">"))
_two_numbers(min, LANES, _extreme("<"))
_one_number(np.sqrt, _of_processor("sqrt"))
_one_number(np.log, _one_by_one("llvm.log.f64"))
_two_numbers(np.hypot, LANES, _one_by_one("hypot"))
_one_number(abs, _of_processor("fabs"))
_one_number(operator.neg, lambda builder, x: builder.fneg(x))


def _two_truths(function: Any, name: str) -> None:
    """Define a function of two conditions for lanes."""

    @type_callable(function)
    def _typed(context: Any) -> Any:
        def typer(a: Any, b: Any) -> Any:
            return signature(MASK, MASK, MASK) if MASK == a == b else None

        return typer

    @lower_builtin(function, Mask, Mask)
    def _lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, name)(*args)


_two_truths(operator.and_, "and_")
_two_truths(operator.or_, "or_")


def _one_truth(function: Any, result: Any, lower: Callable[..., Any]) -> None:
    """Define a function of one condition for lanes, and for a number."""

    @type_callable(function)
    def _typed(context: Any) -> Any:
        def typer(condition: Any) -> Any:
            if condition == MASK:
                return signature(result, MASK)
            one = isinstance(condition, types.Boolean)
            return signature(types.boolean, types.boolean) if one else None

        return typer

    @lower_builtin(function, Mask)
    @lower_builtin(function, types.Boolean)
    def _lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return lower(builder, *args)


def _holds_everywhere(builder: Any, condition: Any) -> Any:
    if condition.type != _TRUTHS:
        return condition
    bits = ir.IntType(WIDTH)
    return builder.icmp_signed("==", builder.bitcast(condition, bits), ir.Constant(bits, -1))


_one_truth(everywhere, types.boolean, _holds_everywhere)
_one_truth(negation, MASK, lambda builder, condition: builder.not_(condition))


@type_callable(choose)
def _type_choose(context: Any) -> Any:
    def typer(condition: Any, a: Any, b: Any) -> Any:
        if condition == MASK:
            return signature(LANES, MASK, LANES, LANES)
        if isinstance(condition, types.Boolean):
            one = LANES if LANES in (a, b) else types.float64
            return signature(one, types.boolean, one, one)
        return None

    return typer


@lower_builtin(choose, Mask, Lanes, Lanes)
@lower_builtin(choose, types.Boolean, Lanes, Lanes)
@lower_builtin(choose, types.Boolean, types.Float, types.Float)
def _lower_choose(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.select(*args)


def _seen(one: Any) -> Any:
    """Return the type as which `in_lanes` shows what has another one."""
    if isinstance(one, types.Array) and one.dtype == types.float64:
        return types.Array(LANES, one.ndim - 1, "C", aligned=False)
    if isinstance(one, types.NamedTuple):
        return types.NamedTuple([_seen(part) for part in one.types], one.instance_class)
    return one


def _show(context: Any, builder: Any, one: Any, value: Any) -> Any:
    seen = _seen(one)
    if isinstance(one, types.Array) and seen != one:
        source, target = (
            make_array(one)(context, builder, value),
            make_array(seen)(context, builder),
        )
        populate_array(
            target,
            data=builder.bitcast(source.data, target.data.type),
            shape=cgutils.unpack_tuple(builder, source.shape)[:-1],
            strides=cgutils.unpack_tuple(builder, source.strides)[:-1],
            itemsize=context.get_constant(types.intp, 8 * WIDTH),
            meminfo=source.meminfo,
        )
        return target._getvalue()  # noqa: SLF001
    if isinstance(one, types.NamedTuple):
        parts = cgutils.unpack_tuple(builder, value)
        shown = [_show(context, builder, *part) for part in zip(one.types, parts, strict=True)]
        return context.make_tuple(builder, seen, shown)
    return value


@type_callable(in_lanes)
def _type_in_lanes(context: Any) -> Any:
    return lambda memory: signature(_seen(memory), memory)


@lower_builtin(in_lanes, types.Any)
def _lower_in_lanes(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return _show(context, builder, sig.args[0], args[0])
