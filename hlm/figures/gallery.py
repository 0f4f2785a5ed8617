"""A study's figures by name: from its plan and its folder of results to files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest
from hlm.figures.chosen_figure import draw_choice
from hlm.figures.saving import save
from hlm.figures.style import blank
from hlm.pictures.figure_catalogue import EXAMPLES, catalogue_names, chosen_by_name
from hlm.plan.report import planned_figure, planned_figures
from hlm.processes import side_by_side
from hlm.results.shown import attempt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.figure import Figure

    from hlm.plan.report import PlannedFigure
    from hlm.results.shown import Planned

__all__ = ["draw", "draw_all"]


def draw(name: str, study: Planned, folder: str | Path) -> Figure:
    """Draw a page of one figure of a study.

    Parameters
    ----------
    name : str
        One of the pages of `planned_figures(study)`; or the name of a figure, for its first page.
    study : Study or Plan
    folder : path
        The study's folder of results.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the study has no figure of that name.
    """
    figure = _planned(name, study)
    page = figure.pages.index(name) + 1 if name in figure.pages else 1
    return draw_choice(figure.choice, study, folder, page=page)


def draw_all(
    study: Planned,
    folder: str | Path,
    only: Iterable[str] | None = None,
    *,
    strict: bool = False,
    processes: int = 1,
) -> tuple[Path, ...]:
    """Draw a study's figures into the folder `figures` of its results.

    Each page stands alone: one that cannot be drawn says why, and the others are drawn.
    Where the reason may be a fault of the program, the standard error has its traceback.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    only : iterable of str, optional
        Names of figures; all of `planned_figures(study)` by default.
    strict : bool
        Raise what may be a fault of the program.
    processes : int
        So many draw at once, where the system lets one process become several (not on Windows).

    Returns
    -------
    tuple of Path
        For each page `figures/PAGE.png` and `figures/PAGE.pdf`.
    """
    figures = planned_figures(study)
    wanted = figures if only is None else [_planned(name, study) for name in only]
    pages = [(figure, page) for figure in wanted for page in figure.pages]
    examples = [one for one in pages if one[0].choice.measure in EXAMPLES]
    # Pictures of data sets take longest, and load libraries of their own: one process has all.
    together = [*filter(None, [examples]), *([one] for one in pages if one not in examples)]

    def draw_pages(some: Sequence[tuple[PlannedFigure, str]]) -> dict[str, tuple[Path, ...]]:
        return {
            page: _draw_one(figure, page, study, Path(folder), strict=strict)
            for figure, page in some
        }

    tasks = [partial(draw_pages, some) for some in together]
    files = {page: own for found in side_by_side(tasks, processes) for page, own in found.items()}
    return tuple(file for _, page in pages for file in files[page])


def _draw_one(
    figure: PlannedFigure, page: str, study: Planned, folder: Path, *, strict: bool
) -> tuple[Path, ...]:
    stem, place = folder / "figures" / page, figure.pages.index(page) + 1
    return attempt(
        lambda: save(draw_choice(figure.choice, study, folder, page=place), stem),
        lambda why: save(blank(f"{figure.title}: {why}"), stem),
        strict=strict,
    )


def _planned(name: str, study: Planned) -> PlannedFigure:
    """Return the figure that has that name, or a page of it."""
    figures = planned_figures(study)
    for figure in figures:
        if name in (figure.name, *figure.pages):
            return figure
    if name in catalogue_names(study):
        return planned_figure(chosen_by_name(name, study), study)
    names = [figure.name for figure in figures]
    suggestion = nearest(name, names)
    raise InputError(f"no figure '{name}'", allowed=", ".join(names), suggestion=suggestion)
