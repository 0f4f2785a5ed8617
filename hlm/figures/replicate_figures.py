"""Pictures of replicates, as they are chosen: which scenarios, read from the file of estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.estimands.model_estimands import catalogue
from hlm.results.samples import corners, samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

    from hlm.figure_choice import FigureChoice
    from hlm.results.shown import Planned

__all__ = ["draw_replicates"]


def draw_replicates(choice: FigureChoice, study: Planned, folder: str | Path, term: str) -> Figure:
    """Draw the replicates of one term in the scenarios that are chosen, or at corners of the grid.

    Parameters
    ----------
    choice : FigureChoice
        With one of the layouts `hlm.figure_choice.OF_REPLICATES`.
    study : Study or Plan
    folder : path
        The study's folder of results.
    term : str

    Returns
    -------
    Figure
    """
    shown = [place for place, levels in enumerate(study.levels) if choice.shows(levels)]
    places = [shown[place] for place in corners([study.levels[place] for place in shown])]
    of_intervals = choice.layout == "zip"
    found = samples(
        study,
        folder,
        term,
        scenarios=places,
        models=choice.models or None,
        methods=choice.methods or None,
        inferences=choice.inferences or None,
        one_inference=not of_intervals and not choice.inferences,
    )
    known = catalogue(study.models)
    words = next((one.words for (_, name), one in known.items() if name == term), term)
    options: dict[str, Any] = {"words": words}
    if not of_intervals:
        options["models"] = [model.name for model in study.models]
    return _drawn_by(choice.layout)(found, study.levels, **options)


def _drawn_by(layout: str) -> Callable[..., Figure]:
    if layout == "zip":
        from hlm.figures.zip_plot import zip_plot

        return zip_plot
    if layout == "se":
        from hlm.figures.se_against_estimate import se_against_estimate

        return se_against_estimate
    from hlm.figures.estimate_lanes import ridges, swarms

    return ridges if layout == "ridges" else swarms
