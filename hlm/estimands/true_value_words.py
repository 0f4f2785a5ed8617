"""True values of a model's terms over scenarios, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.estimands.true_values import EACH, FALSE
from hlm.words.measures import TEST_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.estimands.true_values import Target
    from hlm.scenario import Model

__all__ = ["by_term", "remarks", "value_words"]

MOST_VALUES = 4

NONE = "none"


def by_term(of_scenarios: Sequence[Sequence[Target]]) -> dict[str, list[Target]]:
    """Return the targets of each term of a model, from those of each scenario."""
    return {group[0].term: list(group) for group in zip(*of_scenarios, strict=True)}


def value_words(found: Sequence[Target]) -> str:
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


def remarks(model: Model, terms: Sequence[Sequence[Target]]) -> Iterator[str]:
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
