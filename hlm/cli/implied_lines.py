"""What `hlm check` says of the truth: its raw values, and the variances and shares they imply."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.estimands.implied import Implied
    from hlm.plan import Plan

__all__ = ["implied_lines"]

MOST_SCENARIOS = 1000
"""Of a larger study so many scenarios are looked at, evenly spread."""

MOST_VALUES = 4

ROWS = {
    "variance of the response": "total",
    "  of rows: fixed terms": "fixed_rows",
    "  of rows: random slopes": "slopes",
    "  of rows: residual": "residual",
    "  of units: fixed terms": "fixed_units",
    "  of units: random effects": "units",
    "ICC": "icc",
    "R2 of rows": "r2_rows",
    "R2 of units": "r2_units",
}


def implied_lines(plan: Plan) -> Iterator[str]:
    """Yield a table of the truth's values and of what they imply.

    Parameters
    ----------
    plan : Plan
    """
    from hlm.estimands.implied import implied
    from hlm.estimands.true_values import parameters_of

    scenarios = plan.scenarios[:: -(-len(plan.scenarios) // MOST_SCENARIOS)]
    values: dict[str, list[float]] = {}
    for scenario in scenarios:
        for target in parameters_of(scenario):
            values.setdefault(target.term, []).append(target.true)
    found = [implied(scenario) for scenario in scenarios]
    about = "about " if any(one.about for one in found) else ""
    rows = [(name, _written(own)) for name, own in values.items()]
    rows += [(name, _row(found, attribute, about)) for name, attribute in ROWS.items()]
    width = max(len("the truth"), *(len(name) for name, _ in rows))
    yield "the truth"
    for name, text in rows:
        if text:
            yield f"{name:<{width}}  {text}"


def _row(found: Sequence[Implied], attribute: str, about: str) -> str:
    text = _written([getattr(one, attribute) for one in found])
    exact = attribute in ("icc", "residual")
    return text if exact or not text else f"{about}{text}"


def _written(values: Sequence[float]) -> str:
    """Write the distinct values, or their range; nothing where there is none."""
    shown = list(dict.fromkeys(f"{value:.4g}" for value in values if value == value))
    if len(shown) <= MOST_VALUES:
        return ", ".join(shown)
    known = [value for value in values if value == value]
    return f"{min(known):.4g} to {max(known):.4g}"
