"""Labels of the levels of a grid: those that a user gives, and those made of the levels."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, Mistakes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

__all__ = ["given", "made"]

LONGEST_LABEL = 40
"""Characters of a label that is made of a level."""


def given(levels: Collection[str], path: str) -> tuple[Any, ...]:
    """Return labels as a user wrote them: as numbers if they all are, and then all different."""
    for pattern, kind in (
        (r"[-+]?[0-9]{1,18}", int),  # so many 64 bits hold
        (r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", float),
    ):
        if all(re.fullmatch(pattern, label) for label in levels):
            _refuse_one_number(levels, kind, path)
            return tuple(kind(label) for label in levels)
    return tuple(levels)


def _refuse_one_number(labels: Collection[str], kind: type, path: str) -> None:
    """Refuse labels that are one number in two spellings, as 1 and 1.0."""
    first: dict[float, str] = {}
    with Mistakes() as mistakes:
        for label in labels:
            other = first.setdefault(kind(label), label)
            if other != label:
                mistakes.add(
                    InputError(
                        f"the label '{label}' is there twice: it is the number of '{other}'",
                        path=f"grid.{path}.{label}",
                        allowed="different numbers, or a label that is no number",
                    )
                )


def made(levels: Sequence[Any]) -> tuple[Any, ...]:
    """Give all levels of an axis one type."""
    kinds = {type(level) for level in levels}
    if len(kinds) == 1 and kinds <= {int, float, str, bool}:
        return tuple(levels)
    if kinds == {int, float}:
        return tuple(float(level) for level in levels)
    texts = _differences(levels) if kinds == {dict} else [_written(level) for level in levels]
    short = all(0 < len(text) <= LONGEST_LABEL for text in texts)
    if short and len(set(texts)) == len(texts):
        return tuple(texts)
    return tuple(f"level {k}" for k in range(1, len(levels) + 1))


def _differences(levels: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write mappings as what not all of them have in common."""
    flat = [dict(_leaves(level)) for level in levels]
    names = dict.fromkeys(name for leaves in flat for name in leaves)
    varied = [n for n in names if any(leaves.get(n) != flat[0].get(n) for leaves in flat)]
    return [
        ", ".join(f"{name} {leaves[name]}" for name in varied or names if name in leaves)
        for leaves in flat
    ]


def _leaves(level: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in level.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", _written(value)


def _written(level: Any) -> str:
    return level if isinstance(level, str) else json.dumps(level, separators=(",", ":"))
