"""Which figures and tables a study has, known from its plan alone: no name depends on a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlm.criteria import OF_INFORMATION
from hlm.pictures.figure_catalogue import SPECIAL, chosen_by_name, default_names, section_of
from hlm.pictures.figure_pages import layout_of, page_count
from hlm.words.measures import OF_PREDICTIONS

if TYPE_CHECKING:
    from hlm.figure_choice import FigureChoice
    from hlm.results.shown import Planned

__all__ = [
    "TABLES",
    "PlannedFigure",
    "PlannedTable",
    "figure_names",
    "figure_pages",
    "planned_figure",
    "planned_figures",
    "planned_tables",
    "table_names",
]

TABLES = {
    "performance_fixed": "Performance, fixed effects",
    "performance_random": "Performance, random part",
    "performance_tests": "Rejection rates, tests",
    "performance_predictions": "Errors of predicted coefficients of units",
    "selection": "Selection rates",
    "margins": "Margins of the criteria",
    "policies": "Policies side by side",
    "robustness": "Power and size under violated assumptions",
    "factor_effects": "What the factors explain",
    "accounting": "What became of the fits",
}
"""Every table's name, which is also its file's and its caption's, and its title."""


@dataclass(frozen=True)
class PlannedFigure:
    """A figure that a study will have.

    Attributes
    ----------
    name, title, section : str
        What its files are called, and what readers see.
    caption : str
        The file in `workflow/report` that explains it, without its ending.
    pages : tuple of str
        What each page's files are called: the name itself if there is one page.
    choice : FigureChoice
        What it shows.
    """

    name: str
    title: str
    section: str
    caption: str
    pages: tuple[str, ...]
    choice: FigureChoice


@dataclass(frozen=True)
class PlannedTable:
    """A table that a study will have; the attributes are those of `PlannedFigure`.

    Attributes
    ----------
    name, title, caption : str
    pages : tuple of str
    """

    name: str
    title: str
    caption: str
    pages: tuple[str, ...]


CAPTIONED = {
    "bias": ("fixed", "random"),
    "rmse": ("fixed", "random"),
    "coverage": ("fixed", "random"),
    "relative_error_se": ("fixed",),
    "rejection": ("fixed", "tests"),
    "power": ("fixed", "tests"),
    "size": ("fixed", "tests"),
}
"""The measures that have a caption of their own, by part."""

_OF_LAYOUTS = {"swarm": "swarms", "se": "se_against_estimate", "nested-loop": "nested_loop"}


def planned_figures(study: Planned) -> tuple[PlannedFigure, ...]:
    """Return the figures of a study in the order of its report.

    Those that its file asks for under `figures`, or else the usual ones.
    """
    if study.figures is None:
        return tuple(planned_figure(chosen_by_name(n, study), study) for n in default_names(study))
    return tuple(planned_figure(choice, study) for choice in study.figures)


def planned_figure(choice: FigureChoice, study: Planned) -> PlannedFigure:
    """Return what a figure that is chosen will be called."""
    count = page_count(choice, study)
    pages = tuple(f"{choice.name}_{place}" for place in range(1, count + 1))
    return PlannedFigure(
        choice.name,
        choice.title,
        section_of(choice),
        caption=_caption(choice, layout_of(choice, study)),
        pages=pages if count > 1 else (choice.name,),
        choice=choice,
    )


def _caption(choice: FigureChoice, layout: str) -> str:
    if choice.measure in SPECIAL:
        return choice.measure
    if layout != "lines":
        return _OF_LAYOUTS.get(layout, layout)
    if choice.part in CAPTIONED.get(choice.measure, ()):
        return f"{choice.measure}_{choice.part}"
    return "prediction_rmse" if choice.measure in OF_PREDICTIONS else "measure"


def planned_tables(study: Planned) -> tuple[PlannedTable, ...]:
    """Return the tables of a study in the order of its report."""
    return tuple(
        PlannedTable(name, TABLES[name], caption=name, pages=(name,)) for name in table_names(study)
    )


def figure_names(study: Planned) -> tuple[str, ...]:
    """Return the names of the figures that a study has, in the order of the report."""
    return tuple(one.name for one in planned_figures(study))


def figure_pages(study: Planned) -> tuple[str, ...]:
    """Return what the files of all pages of a study's figures are called."""
    return tuple(page for one in planned_figures(study) for page in one.pages)


def table_names(study: Planned) -> tuple[str, ...]:
    """Return the names of the tables that a study has.

    One model alone is not selected, one policy has none beside it, and one factor explains all.
    """
    lacking = {
        "performance_tests": not any(model.has_tests for model in study.models),
        "performance_predictions": not any(model.predictions for model in study.models),
        "selection": len(study.models) < 2,
        "margins": not _has_margins(study),
        "policies": len(study.policies) < 2,
        "robustness": not _has_violations(study),
        "factor_effects": sum(_varies(study, name) for name in study.levels[0]) < 2,
    }
    return tuple(name for name in TABLES if not lacking.get(name))


def _has_margins(study: Planned) -> bool:
    """Tell whether a criterion with values chooses among several models fitted by one method."""
    methods = [method for model in study.models for method in model.methods]
    several = any(methods.count(method) > 1 for method in methods)
    return several and bool({*study.selection.criteria} & {*OF_INFORMATION})


def _has_violations(study: Planned) -> bool:
    return any(scenario.twin_of for scenario in study.scenarios)


def _varies(study: Planned, factor: str) -> bool:
    first = study.levels[0][factor]
    return any(level[factor] != first for level in study.levels)
