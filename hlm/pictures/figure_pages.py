"""How many pages a figure has, known before there is a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.figure_choice import OF_REPLICATES
from hlm.pictures.arrangement import MOST_PAGES, arrangements
from hlm.pictures.figure_catalogue import OF_TERMS, SPECIAL, hypotheses_in, terms_of_study
from hlm.words.assumptions import ASSUMPTIONS
from hlm.words.levels import FITTED
from hlm.words.measures import OF_PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.figure_choice import FigureChoice
    from hlm.results.shown import Planned
    from hlm.scenario import Model

__all__ = ["deciding_factors", "is_stacked", "layout_of", "page_count", "points_of", "shown_models"]

MODEL, INFERENCE = "model", "inference"


def page_count(choice: FigureChoice, study: Planned) -> int:
    """Return the number of pages of a figure."""
    return _pages(choice, study) if layout_of(choice, study) == choice.layout else 1


def layout_of(choice: FigureChoice, study: Planned) -> str:
    """Return how a figure is laid out: as it asks for, or as a nested loop for want of room."""
    over_panels = choice.layout in ("lines", "lollipop")
    too_many = over_panels and _pages(choice, study) > MOST_PAGES
    return "nested-loop" if too_many else choice.layout


def points_of(choice: FigureChoice, study: Planned) -> list[dict[str, Any]]:
    """Return the levels of the scenarios that a figure shows, models among them if they need room.

    They do where colours tell apart something else.
    """
    points = [dict(one) for one in study.levels if choice.shows(one)]
    models = [model.name for model in shown_models(choice, study)]
    apart = choice.colour not in ("", MODEL) or FITTED in (choice.panels or ())
    if len(models) > 1 and choice.measure in OF_TERMS and apart:
        points = [{**one, FITTED: name} for one in points for name in models]
    if choice.colour not in ("", MODEL, INFERENCE):
        points = [{k: v for k, v in one.items() if k != choice.colour} for one in points]
    if choice.measure == "robustness":
        first = [ASSUMPTIONS, *(name for name in points[0] if name != ASSUMPTIONS)]
        left = [name for name in first if name not in deciding_factors(study)]
        points = [{name: one[name] for name in left} for one in points]
    return points


def shown_models(choice: FigureChoice, study: Planned) -> tuple[Model, ...]:
    """Return the models that a figure shows."""
    return tuple(one for one in study.models if not choice.models or one.name in choice.models)


def is_stacked(choice: FigureChoice, study: Planned) -> bool:
    """Tell whether terms, or what stands in their place, make the rows of panels."""
    models = shown_models(choice, study)
    methods = {method for model in models for method in model.methods}
    if choice.measure.startswith("selection_"):
        return len(methods & {*choice.methods} if choice.methods else methods) > 1
    if choice.measure in OF_PREDICTIONS:
        return len(terms_of_study(study, "predictions")) * len(models) > 1
    if choice.measure in OF_TERMS:
        terms = choice.terms or terms_of_study(study, choice.part)
        apart = len(models) > 1 and choice.colour != INFERENCE
        return len(terms) > 1 or (apart and _has_several_inferences(choice, models))
    return True


def deciding_factors(study: Planned) -> tuple[str, ...]:
    """Return the factors that decide whether a hypothesis is true, such as the coefficient itself.

    All other factors being the same.
    """
    hypotheses = [
        [tuple(hypotheses_in(study, scenario, part)) for part in ("fixed", "tests")]
        for scenario in study.scenarios
    ]

    def decides(factor: str) -> bool:
        found: dict[Any, set[Any]] = {}
        for levels, own in zip(study.levels, hypotheses, strict=True):
            rest = tuple(level for name, level in levels.items() if name != factor)
            found.setdefault(rest, set()).add(tuple(own))
        return any(len(own) > 1 for own in found.values())

    return tuple(name for name in study.levels[0] if name != ASSUMPTIONS and decides(name))


def _pages(choice: FigureChoice, study: Planned) -> int:
    if choice.layout in OF_REPLICATES:
        return len(choice.terms)
    if choice.layout not in ("lines", "lollipop") or (
        choice.measure in SPECIAL and not _is_over_the_grid(choice.measure)
    ):
        return 1
    pages = arrangements(
        points_of(choice, study),
        stacked=is_stacked(choice, study),
        x=choice.x or None,
        panels=choice.panels,
    )
    return len(pages)


def _is_over_the_grid(name: str) -> bool:
    return name.startswith("selection_") or name in ("robustness", "failures", "accounting")


def _has_several_inferences(choice: FigureChoice, models: Sequence[Model]) -> bool:
    if not OF_TERMS[choice.measure].is_inferred or len(choice.inferences) == 1:
        return False
    return any(len(model.df) > 1 or len(model.limits) > 1 for model in models)
