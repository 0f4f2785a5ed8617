"""The values that tell results apart -> their order and their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.estimands.model_estimands import catalogue, rank
from hlm.explorer.summary_series import OF_TERM
from hlm.words.criteria_words import CRITERION_WORDS, selected_by
from hlm.words.fitting import METHODS, OUTCOMES
from hlm.words.inferences import INFERENCES
from hlm.words.levels import MINUS
from hlm.words.measures import MEASURES, OF_PREDICTIONS, RATES, WITHOUT_MCSE, Measure
from hlm.words.policies import POLICIES
from hlm.words.predictors import PREDICTORS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hlm.plan.plan import Plan

__all__ = ["measure_words", "value_words"]

CATALOGUE = MEASURES | OF_PREDICTIONS

OTHERS = {
    **{name: Measure("count/n", own, own, own, kind="share") for name, own in RATES.items()},
    "unbounded": Measure(
        "share of U infinite", "Unbounded", "Share of unbounded intervals", "the share unbounded",
        kind="share",
    ),
    "absent": Measure(
        "share without L and U", "Absent", "Share of absent intervals", "the share absent",
        kind="share",
    ),
    "rate": Measure(
        "count/n", "Rate", "Share of data sets for which the model is chosen", "the rate",
        kind="share",
    ),
    "margin": Measure(
        "criterion of the model - the smallest of the others",
        "Margin",
        f"Criterion of the model {MINUS} the smallest of the others",
        "the margin",
        nominal="zero",
    ),
    "share": Measure("count/n", "Share", "Share of fits", "the share", kind="share"),
}  # fmt: skip
"""The measures that no catalogue has: rates of fits, and those of tables without a choice."""


def measure_words(name: str) -> dict[str, str]:
    """Return what a page says of a measure, and how it draws it.

    Returns
    -------
    dict
        `value` (its name), `words`, `label`, `formula`, `kind`, `nominal` as `Measure` has them;
        `bars`: 'wilson', 'mcse' or 'none'.

    Examples
    --------
    >>> measure_words("coverage")["bars"], measure_words("bias")["bars"]
    ('wilson', 'mcse')
    >>> measure_words("of_a_user")["label"]
    'of_a_user'
    """
    known = (CATALOGUE | OTHERS).get(name, Measure("", name, name, name))
    bars = "wilson" if known.kind == "share" else "mcse"
    return {
        "value": name,
        "words": known.heading,
        "label": known.label,
        "formula": known.formula,
        "kind": known.kind,
        "nominal": known.nominal,
        "bars": "none" if name in WITHOUT_MCSE else bars,
    }


def value_words(plan: Plan, name: str, found: Iterable[str]) -> list[dict[str, Any]]:
    """Return the values of a column that is a key, in order, each with its words.

    Parameters
    ----------
    plan : Plan
    name : str
        The column.
    found : iterable of str
        Its values.

    Returns
    -------
    list of dict
        `key` (as the column has it), `value` (what an address has), `words`; the `kind` of a term.
        Values that are in no catalogue come last, sorted.
    """
    known = _catalogue(plan, name)
    place = {key: number for number, key in enumerate(known)}
    ordered = sorted(set(found), key=lambda key: (place.get(key, len(place)), key))
    if name == "measure":
        return [{"key": key, **measure_words(key)} for key in ordered]
    if name == "term":
        return _terms(ordered, known)
    return [
        {"key": key, "value": key or "none", "words": known.get(key, key) or "none"}
        for key in ordered
    ]


def _catalogue(plan: Plan, name: str) -> dict[str, str]:
    """Return every value that a column may have, in order, and its words."""
    if name == "term":
        terms = sorted(catalogue(plan.models).values(), key=rank)
        return {f"{one.kind}{OF_TERM}{one.name}": one.words for one in terms}
    if name == "model":
        chosen = [selected_by(criterion) for criterion in plan.selection.criteria]
        return {one: one for one in (*(model.name for model in plan.models), *chosen)}
    inferences = {key: one.name for key, one in INFERENCES.items()} | PREDICTORS
    own = {
        "measure": dict.fromkeys((*CATALOGUE, *OTHERS), ""),
        "method": METHODS,
        "inference": inferences,
        "policy": {key: POLICIES[key] for key in plan.policies},
        "criterion": CRITERION_WORDS,
        "outcome": OUTCOMES,
        "against": METHODS | inferences | POLICIES,
    }
    return own.get(name, {})


def _terms(ordered: list[str], known: dict[str, str]) -> list[dict[str, Any]]:
    names = [key.partition(OF_TERM)[2] for key in ordered]
    values = []
    for key, term in zip(ordered, names, strict=True):
        kind = key.partition(OF_TERM)[0]
        own = term if names.count(term) == 1 else f"{kind} {term}"
        words = known.get(key, term) or "the fit as a whole"
        values.append({"key": key, "value": own or "none", "words": words, "kind": kind})
    return values
