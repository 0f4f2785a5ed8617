"""How studies use each key of the study file: examples for its reference."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["as_yaml", "example_of", "trees_of"]

LONGEST = 76
"""Characters of an example."""


def trees_of(files: Iterable[Path]) -> list[Any]:
    """Return the studies, and parts of studies, in YAML files and in YAML blocks of pages."""
    found = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        fenced = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
        found += [yaml.safe_load(one) for one in (fenced if file.suffix == ".md" else [text])]
    return found


def example_of(path: str, trees: Iterable[Any]) -> str:
    """Return the line of a key as the first study that has a short one writes it, or nothing."""
    last = path.rpartition(".")[2]
    for tree in trees:
        for name, value in _values(tree, path.split(".")):
            line = as_yaml({name if last == "NAME" else last: value})
            if len(line) <= LONGEST and value not in ({}, []):
                return line
    return ""


def as_yaml(value: Any) -> str:
    """Write a value on one line, a mapping without its outer braces."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True
    )
    text = text.removesuffix("\n").removesuffix("\n...")
    return text[1:-1] if isinstance(value, dict) else text


def _values(tree: Any, words: list[str], name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value at a path, with its own name."""
    if not words:
        yield name, tree
    elif isinstance(tree, list):
        for one in tree:
            yield from _values(one, words)
    elif isinstance(tree, dict):
        for key in tree if words[0] == "NAME" else [words[0]]:
            if key in tree:
                yield from _values(tree[key], words[1:], str(key))
