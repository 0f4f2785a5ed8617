"""What differs between the scenarios of a study, in words: by the level of one factor if it can."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hlm.describe.marked import code, math, pieces
from hlm.words.inferences import joined
from hlm.words.levels import MINUS, level_words, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["MOST_LISTED", "alternatives", "by_level", "factors_of", "listed", "nominal"]

MOST_LISTED = 12
"""So many values are listed; of more the least and the greatest are said."""

_NUMBER = re.compile(rf"{MINUS}?\d[\d,]*(?:\.\d+)?(?:e[-+{MINUS}]\d+)?")
_NUMBERS = re.compile(f"({_NUMBER.pattern})")


def nominal(plan: Plan) -> list[tuple[Scenario, dict[str, Any]]]:
    """Return the scenarios without violated assumptions, each with its levels."""
    pairs = zip(plan.scenarios, plan.levels, strict=True)
    return [(scenario, levels) for scenario, levels in pairs if not scenario.twin_of]


def by_level(plan: Plan, of: Callable[[Scenario], str], *, none: str = "none") -> str:
    """Return what all scenarios have, or each version with the levels of a factor that have it.

    Versions that differ in one number are one, with all numbers in it. Where no one factor tells
    the versions apart they are listed.

    Parameters
    ----------
    plan : Plan
    of : callable
        From a scenario to words, `''` where there is nothing to say.
    none : str
        What stands for `''` beside other versions.
    """
    pairs = [(of(scenario), levels) for scenario, levels in nominal(plan)]
    versions = list(dict.fromkeys(words for words, _ in pairs))
    there = [words for words in versions if words]
    if len(versions) == 1:
        return versions[0]
    merged = _merged(there)
    if merged is not None and len(there) == len(versions):
        return merged
    for factor in pairs[0][1]:
        at: dict[Any, set[str]] = {}
        for words, levels in pairs:
            at.setdefault(levels[factor], set()).add(words)
        if all(len(some) == 1 for some in at.values()):
            of_level = {level: words for level, (words,) in at.items()}
            return _told_apart(factor, of_level, none, merged)
    if merged is not None:
        return f"{merged}, or {none}"
    versions = [words or none for words in versions]
    if len(versions) > MOST_LISTED:
        return f"{versions[0]}; ...; {versions[-1]} ({len(versions):,} versions)"
    return "depending on the scenario, " + "; or ".join(versions)


def _told_apart(factor: str, of_level: dict[Any, str], none: str, merged: str | None) -> str:
    """Write each version with its levels; where `merged` stands for all, where there is none."""
    if merged is not None:
        without = [level for level, words in of_level.items() if not words]
        return f"{merged}; {none} where {joined(said(factor, level) for level in without)}"
    found: dict[str, list[Any]] = {}
    for level, words in of_level.items():
        found.setdefault(words or none, []).append(level)
    parts = [
        f"{words} ({joined(said(factor, level) for level in own)})" for words, own in found.items()
    ]
    if len(parts) > MOST_LISTED:
        return f"{parts[0]}; {parts[1]}; and so on to {parts[-1]}"
    return "; ".join(parts)


def _merged(versions: Sequence[str]) -> str | None:
    """Return one text for several that differ in one number of their words; None for others."""
    split = [list(_tokens(words)) for words in versions]
    if len({len(tokens) for tokens in split}) != 1:
        return None
    columns = list(zip(*split, strict=True))
    differ = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    if not differ:
        return versions[0]
    if len(differ) > 1 or not all(map(_NUMBER.fullmatch, columns[differ[0]])):
        return None
    values = columns[differ[0]]
    numbers = alternatives(values)
    return "".join(numbers if k == differ[0] else tokens[0] for k, tokens in enumerate(columns))


def _tokens(text: str) -> Iterator[str]:
    """Yield the numbers of a text's words and what is between them; mathematics is one piece."""
    for piece in pieces(text):
        if piece.kind == "words":
            yield from (token for token in _NUMBERS.split(piece.text) if token)
        else:
            yield (math if piece.kind == "math" else code)(piece.text)


def alternatives(texts: Sequence[str]) -> str:
    """Join texts by commas, the last two by or; of many the first and the last.

    Examples
    --------
    >>> alternatives(["10", "30", "100"]), alternatives(["5"])
    ('10, 30 or 100', '5')
    """
    if len(texts) > MOST_LISTED:
        return f"{texts[0]} to {texts[-1]} ({len(texts):,} values)"
    *most, last = texts
    return f"{', '.join(most)} or {last}" if most else last


def factors_of(plan: Plan) -> dict[str, list[Any]]:
    """Return the factors of the grid, each with its levels in the order of the scenarios."""
    return {
        factor: list(dict.fromkeys(levels[factor] for levels in plan.levels))
        for factor in plan.levels[0]
    }


def listed(values: Sequence[Any]) -> str:
    """List values, of many numbers the least and the greatest.

    Examples
    --------
    >>> listed([10, 30, 100]), listed([0.5]), listed(list(range(20)))
    ('10, 30 and 100', '0.5', '0 to 19 (20 values)')
    """
    if len(values) <= MOST_LISTED:
        return joined(map(level_words, values))
    if all(isinstance(value, int | float) for value in values):
        ends = f"{level_words(min(values))} to {level_words(max(values))}"
    else:
        ends = f"{level_words(values[0])}, ..., {level_words(values[-1])}"
    return f"{ends} ({len(values):,} values)"
