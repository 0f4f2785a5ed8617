"""What pydantic finds wrong, said as our own errors."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from hlm.errors import InputError, nearest, together
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails, InitErrorDetails

    from hlm.study.schema_part import Part

    PartType = TypeVar("PartType", bound=Part)

__all__ = ["join", "shown", "validate", "with_unknown_keys"]

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "dict": "a mapping of keys to values",
    "list": "a list",
    "model": "a mapping of keys to values",
    "finite_number": "a finite number",
}
_LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}

MOST_OF_A_RATIO = 5.0
"""The greatest limit of shares and coefficients of variation."""


def validate(part: type[PartType], tree: Any, *, path: str = "") -> PartType:
    """Check a tree of values against a part of the schema.

    Raises
    ------
    InputError
        For the mistakes, each at its path.
    """
    try:
        return part.model_validate(tree)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise together(_translate(one, path) for one in found) from None


def with_unknown_keys(
    error: ValidationError, known: list[str], synonyms: Mapping[str, str]
) -> ValidationError:
    """Say which keys a part has instead of those that it has not.

    A key that is missing because it is misspelt is not said to be missing too.

    Parameters
    ----------
    error : ValidationError
        Of the part.
    known : list of str
        Its keys.
    synonyms : mapping of str to str
        Other names of them, in small letters.
    """
    found = error.errors(include_url=False)
    unknown = [str(one["loc"][0]) for one in found if _is_here(one, "extra_forbidden")]
    near = {
        key: synonyms.get(key.lower()) or nearest(key, names) or nearest(key.lower(), names)
        for key in unknown
        for names in [[*known, *synonyms]]
    }
    meant = {key: synonyms.get(name, name) if name else None for key, name in near.items()}
    allowed = ", ".join(known)
    return ValidationError.from_exception_data(
        error.title,
        [
            _unknown_key(one, allowed, meant) if _is_here(one, "extra_forbidden") else _again(one)
            for one in found
            if not (_is_here(one, "missing") and one["loc"][0] in meant.values())
        ],
    )


def _is_here(error: ErrorDetails, kind: str) -> bool:
    """Tell whether an error is of that kind and at a key of the part itself."""
    return error["type"] == kind and len(error["loc"]) == 1


def _unknown_key(
    error: ErrorDetails, allowed: str, meant: Mapping[str, str | None]
) -> InitErrorDetails:
    key = str(error["loc"][0])
    own = InputError(f"unknown key '{key}'", allowed=allowed, suggestion=meant[key])
    return {"type": "value_error", "loc": (key,), "input": error["input"], "ctx": {"error": own}}


def _again(error: ErrorDetails) -> InitErrorDetails:
    """Return an error as it is raised."""
    context = error.get("ctx", {})
    return {"type": error["type"], "loc": error["loc"], "input": error["input"], "ctx": context}


def join(path: str, parts: Iterable[str | int]) -> str:
    """Write a path as users do: ``truth.fixed.x``, ``grid.design.units[2]``.

    Examples
    --------
    >>> join("grid", ["design.units", 2])
    'grid.design.units[2]'
    """
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def shown(value: Any) -> str:
    """Write a value that was found, shortened.

    Examples
    --------
    >>> shown([True, None, "x"])
    "[true, null, 'x']"
    """
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value[:6])) + (", ..." if value[6:] else "") + "]"
    words = {True: "true", False: "false", None: "null"}
    return words[value] if value is None or isinstance(value, bool) else reprlib.repr(value)


def _translate(error: ErrorDetails, path: str) -> InputError:
    where = [p for p in error["loc"] if not (isinstance(p, str) and p[:1] == "<")]
    if where[-1:] == ["[key]"]:
        where = where[:-1]
    kind, context, found = error["type"], error.get("ctx", {}), error["input"]
    own = context.get("error")
    if isinstance(own, InputError):
        place = join(path, [*where, *([own.path] if own.path else [])])
        return InputError(own.problem, path=place, allowed=own.allowed, suggestion=own.suggestion)
    problem, allowed, choices = _problem(kind, context, found)
    suggestion = nearest(found, choices) if isinstance(found, str) else _share(kind, context, found)
    return InputError(problem, path=join(path, where), allowed=allowed, suggestion=suggestion)


def _problem(kind: str, context: dict[str, Any], found: Any) -> tuple[str, str | None, list[str]]:
    """Return the sentence, what is allowed, and the names that could have been meant."""
    if kind == "missing":
        return "the key is missing", None, []
    value = f"{shown(found)} is not allowed"
    if kind == "literal_error":
        choices = [c.strip(" '") for c in context["expected"].replace(" or ", ", ").split(",")]
        return value, ", ".join(choices), choices
    if kind in _LIMITS:
        name, word = _LIMITS[kind]
        return value, f"{word} {context[name]:g}", []
    if kind == "too_short" and not found:
        least = context["min_length"]
        return (
            "there is nothing in it",
            f"at least {'one' if least == 1 else least} value{'s' * (least > 1)}",
            [],
        )
    if kind in ("too_short", "too_long"):
        least = kind == "too_short"
        limit = context["min_length" if least else "max_length"]
        what = f"{'at least' if least else 'at most'} {counted(limit, 'value')}"
        return f"there {noun(len(found), 'is', 'are')} {counted(len(found), 'value')}", what, []
    expected = _TYPES.get(kind.removesuffix("_type").removesuffix("_parsing"), "")
    return value, expected or None, []


def _share(kind: str, context: Mapping[str, Any], found: Any) -> str | None:
    """Return what a number of percent is as a share, where it is beyond the limit of a share."""
    limit = context.get(_LIMITS[kind][0]) if kind in ("less_than", "less_than_equal") else None
    if limit is None or limit > MOST_OF_A_RATIO or not 2.0 * limit <= found <= 100.0:
        return None
    return f"{found / 100.0:g}"
