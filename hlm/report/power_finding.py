"""Where the power of a test reaches the usual goal, along the sizes of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.report.finding import (
    BAND,
    Finding,
    Places,
    greatest,
    in_percent,
    levels_said,
    region,
    rejections,
    share_of,
)
from hlm.results.grid_columns import numeric
from hlm.words.levels import WORDS
from hlm.words.measures import TEST_KINDS
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

__all__ = ["GOAL", "power_findings"]

GOAL = 0.8
"""The power that studies are usually planned for."""

_SIZES = ("units", "rows")
_MOST_TERMS = 6


def power_findings(measures: pd.DataFrame, primary: Sequence[str] = ()) -> Iterator[Finding]:
    """Yield a finding on how often hypotheses that are false are rejected.

    Parameters
    ----------
    measures : DataFrame
        Rows of `measures` with the words of their terms, of one policy.
    primary : sequence of str
        The terms to be told of; by default all but the intercept.
    """
    rows = rejections(measures, primary)
    false = (rows["true"].notna() & (rows["true"] != 0)) | (
        rows["true"].isna() & rows["kind"].isin(TEST_KINDS)
    )
    rows = rows[false & rows["estimate"].notna()].reset_index(drop=True)
    if rows.empty:
        return
    terms = rows[WORDS].drop_duplicates().tolist()
    details = [line for term in terms[:_MOST_TERMS] for line in _of_term(rows, term)]
    if len(terms) > _MOST_TERMS:
        left = counted(len(terms) - _MOST_TERMS, "further term is", "further terms are")
        details.append(f"{left} in the tables.")
    reached = rows["estimate"] >= GOAL
    near = ((rows["estimate"] - GOAL).abs() <= BAND * rows["mcse"]) & (rows["mcse"] > 0)
    unsure = f", and {int(near.sum()):,} are within {BAND} MCSEs of it" if near.any() else ""
    ways = Places((), Places.of(rows).names)
    first = ways.fit(rows.iloc[0])
    told = f" What follows is by the first way to fit: {first}." if first else ""
    said_of_all = (
        f"Power is {100 * GOAL:g}% or more in {int(reached.sum()):,} of "
        f"{counted(len(rows), 'case')} (a test in a scenario by one way to fit){unsure}.{told}"
    )
    yield Finding("Power", said_of_all, tuple(details), figures=("power_fixed", "power_tests"))


def _of_term(rows: pd.DataFrame, term: str) -> Iterator[str]:
    """Yield a sentence on the power for a term by the first way to fit that has it."""
    own = rows[rows[WORDS] == term]
    for name in ("model", "method", "inference"):
        own = own[own[name] == own[name].iloc[0]]
    least, most = greatest(own, -own["estimate"]), greatest(own, own["estimate"])
    places = Places.of(own)
    if least["estimate"] == most["estimate"]:
        everywhere = f" in all {len(own):,} scenarios" if len(own) > 1 else ""
        yield f"{term}: {in_percent(least['estimate'], least['mcse'])}{everywhere}."
        return
    ends = (
        f"{in_percent(row['estimate'], row['mcse'])} ({places.scenario(row)})"
        for row in (least, most)
    )
    range_ = " to ".join(ends).replace(") (", "; ")
    yield f"{term}: {'; '.join([range_, *_crossing(own, places)])}."


def _crossing(rows: pd.DataFrame, places: Places) -> Iterator[str]:
    """Yield between which levels of a size power reaches the goal, and how often."""
    axis = _axis(rows, places)
    if axis is None:
        return
    others = [name for name in places.factors if name != axis]
    groups = [own for _, own in rows.groupby(others, sort=False)] if others else [rows]
    found: dict[str, list[pd.DataFrame]] = {}
    for own in groups:
        found.setdefault(_where(own.sort_values(axis), axis), []).append(own)
    for words, some in found.items():
        yield _part(words, some, groups, rows, others)


def _axis(rows: pd.DataFrame, places: Places) -> str | None:
    """Return the factor along which power is followed: a size of the study before others."""
    numbers = [name for name in places.factors if numeric(rows[name])]
    return next((name for name in (*_SIZES, *numbers) if name in numbers), None)


def _where(own: pd.DataFrame, axis: str) -> str:
    """Say where the power of a series is at the goal or above it."""
    values, at_goal = own[axis].tolist(), (own["estimate"] >= GOAL).to_numpy()
    goal = f"{100 * GOAL:g}%"
    over = f" from {levels_said(axis, [values[0], values[-1]], 'to')}" if len(values) > 1 else ""
    if at_goal.all():
        return f"is {goal} or more{over}"
    if not at_goal.any():
        return f"stays below {goal}{over}"
    changes = np.flatnonzero(at_goal[1:] != at_goal[:-1])
    if len(changes) > 1:
        return f"crosses {goal} more than once{over}"
    place = int(changes[0])
    verb = "reaches" if at_goal[-1] else "falls below"
    return f"{verb} {goal} between {levels_said(axis, values[place : place + 2], 'and')}"


def _part(
    words: str,
    own: list[pd.DataFrame],
    groups: list[pd.DataFrame],
    of: pd.DataFrame,
    others: list[str],
) -> str:
    """Say of how many combinations of the other factors something holds, and of which."""
    if len(groups) == 1:
        return words
    import pandas as pd

    where = region(pd.concat(own), of, others)
    share = share_of(len(groups), len(own), "combinations of the other factors")
    return f"{words} in {share}{f' ({where})' if where else ''}"
