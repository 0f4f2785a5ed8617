"""What `hlm check` says of uncertain parameters: the distribution, mean and ends of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.plan import Plan

__all__ = ["uncertain_lines"]

MOST_ROWS = 40
ENDS = 0.05, 0.95


def uncertain_lines(plan: Plan) -> Iterator[str]:
    """Yield a table of the parameters that are drawn for each data set; nothing if none is.

    Parameters
    ----------
    plan : Plan
    """
    from hlm.cli.sentences import aligned
    from hlm.estimands.drawn_parameters import drawn_parameters
    from hlm.uncertain import written_prior

    found = dict.fromkeys(
        own for scenario in plan.scenarios for own in drawn_parameters(scenario).items()
    )
    if not found:
        return
    rows = [["drawn for each data set", "mean", "5 %", "95 %", "distribution"]]
    for name, prior in list(found)[:MOST_ROWS]:
        values = prior.expected, *map(prior.quantile, ENDS)
        rows.append([name, *(f"{value:.4g}" for value in values), written_prior(prior, digits=5)])
    width = max(len(row[0]) for row in rows)
    for (name, *_), line in zip(rows, aligned([row[1:] for row in rows]), strict=True):
        yield f"{name:<{width}}  {line}".rstrip()
    if len(found) > MOST_ROWS:
        yield f"({len(found) - MOST_ROWS} more)"
    certain = sum(scenario.uncertain is None for scenario in plan.scenarios)
    if certain:
        yield f"in {len(plan.scenarios) - certain} of {len(plan.scenarios)} scenarios"
    yield "rates of rejection are then the assurance, the expected power; what is drawn has no"
    yield "true value, and so no bias or coverage"
