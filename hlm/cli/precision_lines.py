"""What commands say of the precision that a study asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.cli.sentences import aligned
from hlm.precision import Target, needed
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from hlm.operations.expected_precision import Expected
    from hlm.operations.pilot import Tried
    from hlm.plan import Plan
    from hlm.precision import Precision

__all__ = ["missed_lines", "policy_lines", "precision_lines", "standing_lines"]

MOST_NAMED = 5

BILLION = 1e9

USUAL_COVERAGE, FINE = 0.95, 0.005
"""A coverage and an MCSE of it, for the sentence that says what precision takes."""

LISTED = tuple(
    Target(name, None, 0.0)
    for name in ("bias", "empirical_se", "rmse", "relative_error_se", "coverage", "rejection")
)
"""The measures of the tables whose errors are said of a study that asks for none."""


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


def precision_lines(plan: Plan, measures: pd.DataFrame, sizes: Sequence[int]) -> Iterator[str]:
    """Yield the Monte Carlo standard errors to expect, and what those asked for will take.

    Parameters
    ----------
    plan : Plan
    measures : DataFrame
        Of a pilot, from `measures_of_pilot`.
    sizes : sequence of int
        The data sets of each scenario that was tried.
    """
    from hlm.operations.expected_precision import worst

    wanted = plan.precision.targets if plan.precision else LISTED
    found = {target: worst(measures, target) for target in wanted}
    tried = f"by {sum(sizes):,} data sets of {counted(len(sizes), 'scenario')}"
    yield from (
        _asked_for(plan, plan.precision, found, tried)
        if plan.precision
        else _to_expect(plan, found, tried)
    )


def policy_lines(plan: Plan, tried: Sequence[Tried]) -> Iterator[str]:
    """Warn of policies that seem to leave nobody."""
    from hlm.operations.expected_precision import empty_policies

    keys = [scenario.key for scenario in plan.scenarios]
    for policy, key, model, method, n in empty_policies(plan, tried):
        levels = plan.levels[keys.index(key)]
        where = "".join(f", {name} = {level}" for name, level in levels.items())
        yield (
            f"warning: policies: '{policy}' seems to leave nobody of {model}, {method.upper()}"
            f"{where}: none of {counted(n, 'fit')} that were tried"
        )


def _to_expect(plan: Plan, found: Mapping[Target, Expected | None], tried: str) -> Iterator[str]:
    """Yield the errors that a fixed number of replicates gives."""
    n = plan.replicates
    rows = [[t.key, f"{one.mcse(n):.2g}", _named(plan, one)] for t, one in found.items() if one]
    yield f"Monte Carlo standard errors of {counted(n, 'replicate')}, {tried}"
    yield from _table([["measure", "MCSE", "largest for"], *rows])
    yield (
        f"half of them takes 4 times as many; {FINE:g} of a coverage of {USUAL_COVERAGE:g} "
        f"takes {needed(USUAL_COVERAGE, FINE):,}"
    )


def _asked_for(
    plan: Plan, precision: Precision, found: Mapping[Target, Expected | None], tried: str
) -> Iterator[str]:
    """Yield the replicates that the errors take which the study asks for."""
    takes = {t: (one.replicates(t.mcse), one) for t, one in found.items() if one}
    rows = [[t.key, f"{t.mcse:g}", _about(n), _named(plan, one)] for t, (n, one) in takes.items()]
    yield f"Monte Carlo standard errors asked for, and what they take, {tried}"
    yield from _table([["measure", "MCSE", "replicates", "most for"], *rows])
    for target, (n, _) in takes.items():
        if n > precision.at_most:
            yield (
                f"warning: {target.key} takes about {_about(n)} replicates, "
                f"and at_most is {precision.at_most:,}"
            )
    for target in (target for target in found if target not in takes):
        yield f"warning: no fit has {target.key}, so nothing is asked of it"


def _about(n: float) -> str:
    """Write a number of replicates, which may be absurdly large."""
    return f"{n:,.0f}" if n < BILLION else f"{n:.0e}"


def _named(plan: Plan, one: Expected) -> str:
    """Name the term, its fit and its scenario."""
    position = [scenario.key for scenario in plan.scenarios].index(one.place["scenario"])
    levels = ", ".join(f"{name} = {level}" for name, level in plan.levels[position].items())
    term, model, method, inference = map(one.place.get, ("term", "model", "method", "inference"))
    parts = (term, model, (method or "").upper(), inference, levels)
    return ", ".join(part for part in parts if part)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield lines whose first and last cells are flush left and whose numbers are flush right."""
    width = max(len(row[0]) for row in rows)
    middle = aligned([row[1:-1] for row in rows])
    for row, numbers in zip(rows, middle, strict=True):
        yield f"{row[0]:<{width}}  {numbers}  {row[-1]}"
