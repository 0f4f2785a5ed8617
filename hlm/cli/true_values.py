"""What `hlm check` says of true values: those of each term in each model, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.estimands.true_value_words import by_term, remarks, value_words
from hlm.estimands.true_values import targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.plan import Plan

__all__ = ["true_value_lines"]

MOST_SCENARIOS = 1000
"""Of a larger study so many scenarios are looked at, evenly spread."""


def true_value_lines(plan: Plan) -> Iterator[str]:
    """Yield a table of terms and models, then what there is to say of each model.

    Parameters
    ----------
    plan : Plan
    """
    from hlm.cli.sentences import aligned

    scenarios = plan.scenarios[:: -(-len(plan.scenarios) // MOST_SCENARIOS)]
    found = {m.name: by_term([targets(s, m) for s in scenarios]) for m in plan.models}
    stages = {term: all_[0].estimand.stage for own in found.values() for term, all_ in own.items()}
    terms = sorted(stages, key=stages.__getitem__)
    rows = [
        [term, *(value_words(own[term]) if term in own else "" for own in found.values())]
        for term in terms
    ]
    width = max(len(term) for term in ("true values", *terms))
    for name, line in zip(
        ("true values", *terms), aligned([[*found], *(row[1:] for row in rows)]), strict=True
    ):
        yield f"{name:<{width}}  {line}".rstrip()
    for model in plan.models:
        yield from remarks(model, list(found[model.name].values()))
