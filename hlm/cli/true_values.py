"""What `hlm check` says of true values: those of each term in each model, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.estimands.true_values import EACH, FALSE, targets
from hlm.words.measures import TEST_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.estimands.true_values import Target
    from hlm.plan import Plan
    from hlm.scenario import Model

__all__ = ["true_value_lines"]

MOST_SCENARIOS = 1000
"""Of a larger study so many scenarios are looked at, evenly spread."""

MOST_VALUES = 4

NONE = "none"


def true_value_lines(plan: Plan) -> Iterator[str]:
    """Yield a table of terms and models, then what there is to say of each model.

    Parameters
    ----------
    plan : Plan
    """
    from hlm.cli.sentences import aligned

    scenarios = plan.scenarios[:: -(-len(plan.scenarios) // MOST_SCENARIOS)]
    found = {m.name: _by_term([targets(s, m) for s in scenarios]) for m in plan.models}
    stages = {
        term: all_[0].estimand.stage for by_term in found.values() for term, all_ in by_term.items()
    }
    terms = sorted(stages, key=stages.__getitem__)
    rows = [
        [term, *(_values(by_term[term]) if term in by_term else "" for by_term in found.values())]
        for term in terms
    ]
    width = max(len(term) for term in ("true values", *terms))
    for name, line in zip(
        ("true values", *terms), aligned([[*found], *(row[1:] for row in rows)]), strict=True
    ):
        yield f"{name:<{width}}  {line}".rstrip()
    for model in plan.models:
        yield from _remarks(model, list(found[model.name].values()))


def _by_term(of_scenarios: Sequence[Sequence[Target]]) -> dict[str, list[Target]]:
    return {group[0].term: list(group) for group in zip(*of_scenarios, strict=True)}


def _values(found: Sequence[Target]) -> str:
    """Write the true values of a term over the scenarios."""
    if found[0].kind in TEST_KINDS:
        return ", ".join(dict.fromkeys(_hypothesis(target) for target in found))
    if all(target.reason == EACH for target in found):
        return EACH
    values = list(dict.fromkeys(target.true for target in found if target.true == target.true))
    shown = [f"{value:.6g}" for value in values]
    if len(values) > MOST_VALUES:
        shown = [f"{min(values):.6g} to {max(values):.6g}"]
    return ", ".join([*shown, *[NONE] * any(target.reason not in ("", EACH) for target in found)])


def _hypothesis(test: Target) -> str:
    if test.true == 0.0:
        return "true"
    return "false" if test.reason == FALSE else NONE


def _remarks(model: Model, terms: Sequence[Sequence[Target]]) -> Iterator[str]:
    """Say what the model lacks of the truth, and why terms have no true value."""
    of_parameters = [found for found in terms if found[0].kind not in TEST_KINDS]
    lists = {target.left_out for found in of_parameters for target in found}
    left_out = dict.fromkeys(name for some in sorted(lists, key=len, reverse=True) for name in some)
    if left_out:
        yield (
            f"{model.name} lacks {', '.join(left_out)} of the truth: the truth's values are its "
            "targets, not what it converges to"
        )
    reasons: dict[str, list[str]] = {}
    for found in of_parameters:
        for reason in dict.fromkeys(t.reason for t in found if t.reason not in ("", EACH)):
            n = sum(target.reason == reason for target in found)
            some = "" if n == len(found) else f" in {n:,} of {len(found):,} scenarios"
            reasons.setdefault(f"{some}: {reason}", []).append(found[0].term)
    for reason, names in reasons.items():
        yield f"{model.name}: no true value of {', '.join(names)}{reason}"
