"""What commands say of the precision that a study asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.plan import Plan

__all__ = ["missed_lines", "standing_lines"]

MOST_NAMED = 5


def standing_lines(plan: Plan) -> Iterator[str]:
    """Say how many scenarios have the precision, and how large the round for the others is."""
    standing = plan.standing
    if standing is None:
        return
    total, reached = len(standing.numbers), sum(standing.reached.values())
    yield (
        f"{reached:,} of {counted(total, 'scenario')} {noun(reached, 'has', 'have')} "
        "the precision that the study asks for"
    )
    open_ = [n for key, n in standing.numbers.items() if key not in standing.reached]
    if open_:
        numbers = " to ".join(f"{n:,}" for n in sorted({min(open_), max(open_)}))
        yield f"this round: {counted(len(open_), 'scenario')} of {numbers} replicates"


def missed_lines(plan: Plan) -> Iterator[str]:
    """Name the scenarios that have as many replicates as is allowed and not the precision."""
    missed = plan.standing.missed if plan.standing else ()
    if not missed or plan.precision is None:
        return
    named = ", ".join(missed[:MOST_NAMED]) + ", ..." * (len(missed) > MOST_NAMED)
    yield (
        f"{counted(len(missed), 'scenario')} {noun(len(missed), 'does', 'do')} not have it with "
        f"{plan.precision.at_most:,} replicates, the most allowed: {named} (see scenarios.csv)"
    )
