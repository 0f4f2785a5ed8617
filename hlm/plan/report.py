"""Which figures and tables a study has, known from its plan alone: no name depends on a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlm.pictures.figure_catalogue import SPECIAL, chosen_by_name, default_names, section_of
from hlm.pictures.figure_pages import layout_of, page_count
from hlm.table_layout import Known, Layout
from hlm.table_spec import TABLES, lacking_tables
from hlm.words.measures import OF_PREDICTIONS

if TYPE_CHECKING:
    from hlm.figure_choice import FigureChoice
    from hlm.results.shown import Planned
    from hlm.table_spec import TableSpec

__all__ = [
    "EXPLORER",
    "OWN_TABLE",
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

EXPLORER = "explorer.html"
"""The name of the explorer in the study's folder of results."""

OWN_TABLE = "own_table"
"""The caption of tables that a study puts together itself."""


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
    titles : tuple of str
        What readers see of each page.
    """

    name: str
    title: str
    caption: str
    pages: tuple[str, ...]
    titles: tuple[str, ...]


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
    asked = table_names(study) if study.tables is None else study.tables
    return tuple(_planned_table(one, study) for one in asked)


def _planned_table(one: str | TableSpec, study: Planned) -> PlannedTable:
    if isinstance(one, str):
        return PlannedTable(one, TABLES[one], one, pages=(one,), titles=(TABLES[one],))
    pages = Layout.of(one, Known.of(study)).pages
    names, titles = (tuple(page.name for page in pages), tuple(page.title for page in pages))
    return PlannedTable(one.name, one.title, OWN_TABLE, pages=names, titles=titles)


def figure_names(study: Planned) -> tuple[str, ...]:
    """Return the names of the figures that a study has, in the order of the report."""
    return tuple(one.name for one in planned_figures(study))


def figure_pages(study: Planned) -> tuple[str, ...]:
    """Return what the files of all pages of a study's figures are called."""
    return tuple(page for one in planned_figures(study) for page in one.pages)


def table_names(study: Planned) -> tuple[str, ...]:
    """Return the names of the tables that a study has: those it asks for, or those that suit it."""
    if study.tables is not None:
        return tuple(one if isinstance(one, str) else one.name for one in study.tables)
    lacking = lacking_tables(study, violated=_has_violations(study))
    return tuple(name for name in TABLES if name not in lacking)


def _has_violations(study: Planned) -> bool:
    return any(scenario.twin_of for scenario in study.scenarios)
