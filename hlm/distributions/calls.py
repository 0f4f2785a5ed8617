"""Shapes of random effects and residuals, written as calls: ``normal``, ``t(5)``.

Only the shape counts: what is drawn has mean 0 and sd 1, and the study states the sds.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from hlm.distributions.chi_square import ChiSquare
from hlm.distributions.laplace import Laplace
from hlm.distributions.lognormal import LogNormal
from hlm.distributions.mixture import Mixture
from hlm.distributions.normal import Normal
from hlm.distributions.skew_normal import SkewNormal
from hlm.distributions.student import StudentT
from hlm.distributions.uniform import Uniform
from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from hlm.distributions.base import Distribution

__all__ = ["SHAPES", "parts_of_call", "read_call", "text_of", "written"]

SHAPES: dict[str, type[Distribution]] = {
    one.family: one
    for one in (Normal, StudentT, ChiSquare, Uniform, Laplace, LogNormal, SkewNormal, Mixture)
}
"""The families that random effects and residuals may have, by name."""

_CALL = re.compile(r"\s*([^\W\d][\w .'-]*?)\s*(?:\((.*)\))?\s*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def read_call(text: Any) -> Distribution:
    """Read the shape of a distribution.

    Raises
    ------
    InputError
        There is no such family, or it cannot have these parameters.

    Examples
    --------
    >>> read_call("t(5)"), read_call("normal")
    (StudentT(df=5.0), Normal(mean=0.0, sd=1.0))
    """
    call = parts_of_call(text)
    family = SHAPES.get(call[0]) if call else None
    if call is None or family is None:
        raise _refused(text)
    given = call[1]
    wanted = family.shape or ()
    if len(given) != len(wanted):
        found = f"{len(given)} parameters" if len(given) != 1 else "1 parameter"
        raise InputError(
            f"'{text}' has {found}", allowed=_signature(family), suggestion=family.call_example
        )
    for part in given:
        if not _NUMBER.fullmatch(part):
            raise InputError(
                f"'{part}' in '{text}' is no number",
                allowed=_signature(family),
                suggestion=family.call_example,
            )
    return family(*map(float, given))


def parts_of_call(text: Any) -> tuple[str, list[str]] | None:
    """Return the name of a call and what is between its commas; None of what is no call.

    Examples
    --------
    >>> parts_of_call("normal(0.3, 0.1)"), parts_of_call("normal("), parts_of_call(2)
    (('normal', ['0.3', '0.1']), None, None)
    """
    call = _CALL.fullmatch(text) if isinstance(text, str) else None
    if call is None:
        return None
    name, inside = call[1], (call[2] or "").strip()
    return name, [part.strip() for part in inside.split(",")] if inside else []


def written(distribution: Distribution) -> str:
    """Write a shape as a call; two of one meaning are the same text.

    Examples
    --------
    >>> written(read_call("t( 5.0 )")), written(read_call("normal()"))
    ('t(5)', 'normal')
    """
    names = distribution.shape or ()
    values = [text_of(getattr(distribution, name)) for name in names]
    return f"{distribution.family}({', '.join(values)})" if values else distribution.family


def text_of(value: float) -> str:
    """Write a number of a call, a whole one without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _refused(found: Any) -> InputError:
    allowed = ", ".join(_signature(family) for family in SHAPES.values())
    if isinstance(found, str) and "(" in found and ")" not in found:
        allowed += "; in quotes where it has a comma and stands in { } or [ ]"
    return InputError(
        f"'{found}' is no distribution"
        if isinstance(found, str)
        else f"{found} is no distribution",
        allowed=allowed,
        suggestion=_meant(found),
    )


def _meant(found: Any) -> str | None:
    """Find a call by another name of its family, or by a name like it, in what was written."""
    if isinstance(found, dict):
        return next(filter(None, map(_meant, [*found.values(), *found])), None)
    if not isinstance(found, str):
        return None
    names: dict[str, str] = {}
    for one in SHAPES.values():
        names |= {**dict.fromkeys((one.family, *one.synonyms), one.call_example), **one.cases}
    near = nearest(re.sub(r"[^a-z]", "", found.partition("(")[0].lower()), names)
    return names[near] if near else None


def _signature(family: type[Distribution]) -> str:
    """Say how a family is written, with an example if it has parameters."""
    if not family.shape:
        return family.family
    parameters = [field.name.upper() for field in fields(family) if field.name in family.shape]  # type: ignore[arg-type]
    return f"{family.family}({', '.join(parameters)}) such as {family.call_example}"
