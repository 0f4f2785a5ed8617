"""Which scenario of a study a user means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest
from hlm.words.levels import is_level

if TYPE_CHECKING:
    from hlm.plan import Plan
    from hlm.scenario import Scenario
    from hlm.study import Study

__all__ = ["find_scenario", "find_scenarios"]

LONGEST_POSITION = 6


def find_scenario(study: Study | Plan, words: str) -> Scenario:
    """Find a scenario by its key, a unique beginning of it, its position, or levels.

    Parameters
    ----------
    study : Study or Plan
    words : str
        Such as ``3f09``, ``1`` or ``units=30,cor=0.9``.

    Raises
    ------
    InputError
        No scenario fits, or several.
    """
    if "=" in words:
        found = _with_levels(study, words)
    elif words.isdecimal() and len(words) <= LONGEST_POSITION:
        found = list(study.scenarios[int(words) - 1 : int(words)]) if int(words) else []
    else:
        found = [scenario for scenario in study.scenarios if scenario.key.startswith(words)]
    if len(found) == 1:
        return found[0]
    raise InputError(
        f"{'several scenarios fit' if found else _none(words)} {words!r}",
        path="SCENARIO",
        allowed=_allowed(study),
        suggestion=nearest(words, [scenario.key for scenario in study.scenarios]),
    )


def find_scenarios(study: Study | Plan, words: str) -> list[Scenario]:
    """Find all scenarios that have some levels, or the one that is named otherwise.

    Parameters
    ----------
    study : Study or Plan
    words : str
        Such as ``rows=15,cor=0``, or what `find_scenario` takes.

    Raises
    ------
    InputError
        No scenario fits.
    """
    if "=" in words and (found := _with_levels(study, words)):
        return found
    return [find_scenario(study, words)]


def _none(words: str) -> str:
    """Begin a sentence on words that name no scenario; their levels are of the grid each."""
    return "the study leaves out of its grid" if "=" in words else "no scenario"


def _with_levels(study: Study | Plan, words: str) -> list[Scenario]:
    # A label may hold commas: only one before a factor's name parts two levels.
    names = "|".join(map(re.escape, study.levels[0]))
    wanted = dict(_pair(part, study) for part in re.split(rf",(?=\s*(?:{names})\s*=)", words))
    return [
        scenario
        for scenario, levels in zip(study.scenarios, study.levels, strict=True)
        if all(is_level(levels[name], text) for name, text in wanted.items())
    ]


def _pair(part: str, study: Study | Plan) -> tuple[str, str]:
    name, _, text = (word.strip() for word in part.partition("="))
    values = [levels[name] for levels in study.levels if name in levels]
    if not values:
        names = list(study.levels[0])
        raise InputError(
            f"no factor {name!r} in the grid",
            path="SCENARIO",
            allowed=", ".join(names),
            suggestion=nearest(name, names),
        )
    if not any(is_level(value, text) for value in values):
        distinct = list(dict.fromkeys(map(str, values)))
        raise InputError(
            f"no level {text!r}",
            path=f"SCENARIO {name}",
            allowed=", ".join(distinct),
            suggestion=nearest(text, distinct),
        )
    return name, text


def _allowed(study: Study | Plan) -> str:
    names = ",".join(f"{name}={level}" for name, level in study.levels[0].items())
    example = f", or levels such as {names}" if names else ""
    return f"a position from 1 to {len(study.scenarios)}, the beginning of a key{example}"
