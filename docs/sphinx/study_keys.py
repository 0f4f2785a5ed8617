"""The keys of the study file, from its schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Key", "keys_of"]

Schema = dict[str, Any]
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "",
}
BOUNDS = {
    "minimum": "at least {:,}",
    "exclusiveMinimum": "above {:,}",
    "maximum": "at most {:,}",
    "exclusiveMaximum": "below {:,}",
}


@dataclass
class Key:
    """A key of the study file.

    Attributes
    ----------
    path : str
        Its place, with `NAME` for a name that the user chooses.
    types : list of str
        The kinds of value, in words; several where it is a key of several kinds of mapping.
    descriptions : list of str
        What the schema says of it, once for each such kind.
    default : object
        None if there is none.
    required : bool
        Whether every kind of the mapping that it is in needs it.
    examples : list
        Values that the schema shows.
    kinds : list of (list of str, list of str, str)
        Where its value is one of several kinds of mapping: the keys that each needs, those that it
        may have, and what it is.
    """

    path: str
    types: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)
    default: Any = None
    required: bool = True
    examples: list[Any] = field(default_factory=list)
    kinds: list[tuple[list[str], list[str], str]] = field(default_factory=list)


def keys_of(schema: Schema) -> list[Key]:
    """Return every key that a schema knows, in its order, those of a mapping after it."""
    defs = schema["$defs"]
    found: dict[str, Key] = {}
    for path, part, required in _parts("", schema, defs):
        key = found.setdefault(path, Key(path))
        key.required &= required
        _append(key.types, _words(part, defs))
        _append(key.descriptions, _description(part, defs))
        for example in _examples(part):
            _append(key.examples, example)
        key.default = part.get("default") if key.default is None else key.default
        for kind in _kinds_of_mapping(part, defs):
            _append(key.kinds, kind)
    return list(found.values())


def _append(there: list[Any], one: Any) -> None:
    if one and one not in there:
        there.append(one)


def _parts(
    path: str, schema: Schema, defs: Mapping[str, Schema]
) -> Iterator[tuple[str, Schema, bool]]:
    """Yield the path, the schema and the need of each key below a mapping."""
    mappings = _mappings(schema, defs)
    for one in mappings:
        for name, part in one["properties"].items():
            place = f"{path}.{name}" if path else name
            needed = all(name in other.get("required", ()) for other in mappings)
            yield place, part, needed
            yield from _parts(place, part, defs)
    for one in _alternatives(schema, defs):
        named = one.get("additionalProperties")
        if isinstance(named, dict) and _mappings(named, defs):
            yield f"{path}.NAME", named, False
            yield from _parts(f"{path}.NAME", named, defs)
        if "items" in one:
            yield from _parts(path, one["items"], defs)


def _mappings(schema: Schema, defs: Mapping[str, Schema]) -> list[Schema]:
    """Return the kinds of mapping with known keys that a value may be."""
    return [one for one in _alternatives(schema, defs) if "properties" in one]


def _alternatives(schema: Schema, defs: Mapping[str, Schema]) -> Iterator[Schema]:
    """Yield each kind of value that a schema allows."""
    choices = schema.get("oneOf", schema.get("anyOf"))
    if "$ref" in schema:
        yield from _alternatives(defs[schema["$ref"].rpartition("/")[2]], defs)
    elif choices and "type" not in schema:
        for one in choices:
            yield from _alternatives(one, defs)
    else:
        yield schema


def _kinds_of_mapping(
    schema: Schema, defs: Mapping[str, Schema]
) -> Iterator[tuple[list[str], list[str], str]]:
    mappings = _mappings(schema, defs)
    if len(mappings) > 1:
        for one in mappings:
            needed = one.get("required", [])
            others = [name for name in one["properties"] if name not in needed]
            yield needed, others, one.get("description", "")


def _description(part: Schema, defs: Mapping[str, Schema]) -> str:
    """Return what a schema says of a key, or of the only kind of mapping that it may be."""
    mappings = _mappings(part, defs)
    of_mapping = mappings[0].get("description", "") if len(mappings) == 1 else ""
    return str(part.get("description", of_mapping))


def _examples(part: Schema) -> Iterator[Any]:
    for one in (part, *part.get("oneOf", ()), *part.get("anyOf", ())):
        yield from one.get("examples", ())


def _words(part: Schema, defs: Mapping[str, Schema]) -> str:
    """Say which kinds of value a schema allows."""
    words: list[str] = []
    for one in _alternatives(part, defs):
        items = _words(one["items"], defs) if one.get("items") else ""
        _append(words, "a list of such" if items and items in words else _kind(one, defs))
    return "; or ".join(words)


def _kind(one: Schema, defs: Mapping[str, Schema]) -> str:
    """Return the words for one kind of value, none for its absence."""
    if "enum" in one:
        return _one_of([f"`{value}`" for value in one["enum"]])
    if "const" in one:
        return f"`{str(one['const']).lower()}`"
    kind = one.get("type", "")
    if kind == "array":
        items = _words(one["items"], defs) if one.get("items") else ""
        return f"list of {items}" if items else "list"
    if kind == "object":
        named = one.get("additionalProperties")
        to = _words(named, defs) if isinstance(named, dict) else ""
        return f"mapping of names to {to}" if to else "mapping"
    bounds = [words.format(one[name]) for name, words in BOUNDS.items() if name in one]
    kinds = kind if isinstance(kind, list) else [kind]
    words = " or ".join(WORDS.get(str(name), str(name)) for name in kinds)
    return f"{words} {', '.join(bounds)}".strip()


def _one_of(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
