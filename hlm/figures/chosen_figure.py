"""A figure as it is chosen: from the folder of results of a study to a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hlm.estimands.kinds import PARTS
from hlm.figure_choice import OF_REPLICATES
from hlm.figures.example_figures import draw_example
from hlm.figures.laid_out import laid_out
from hlm.figures.measure_figure import Prepared, prepared, source_of
from hlm.figures.prediction_figures import prediction_errors
from hlm.figures.rate_figures import failure_rates, outcome_shares, selection_rates
from hlm.figures.replicate_figures import draw_replicates
from hlm.figures.robustness_figure import robustness
from hlm.figures.style import blank
from hlm.measures.chosen import without_reason
from hlm.pictures.figure_catalogue import EXAMPLES, OF_TERMS, measure_names
from hlm.pictures.figure_pages import is_stacked, layout_of
from hlm.results.shown import read_results
from hlm.results.violated import read_rejections
from hlm.words.criteria_words import REML_NOTE, selected_by
from hlm.words.levels import FITTED
from hlm.words.measures import OF_PREDICTIONS
from hlm.words.notes import policies_differ

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from hlm.figure_choice import FigureChoice
    from hlm.figures.facets import Places
    from hlm.results.shown import Planned

__all__ = ["draw_choice"]

OF_OVERVIEW = ("bias", "rmse", "coverage", "power", "size")
"""The measures of the overview."""


def draw_choice(
    choice: FigureChoice, study: Planned, folder: str | Path, *, page: int = 1
) -> Figure:
    """Draw a page of a figure.

    Parameters
    ----------
    choice : FigureChoice
    study : Study or Plan
    folder : path
        The study's folder of results.
    page : int
        The first is 1.

    Returns
    -------
    Figure
    """
    measure = choice.measure
    if measure in EXAMPLES:
        return draw_example(measure, study)
    if choice.layout in OF_REPLICATES:
        return draw_replicates(choice, study, folder, choice.terms[page - 1])
    if measure == "precision_reached":
        return _precision(study, folder)
    if measure == "overview":
        return _overview(choice, study, folder)
    places, layout = _places(choice, study, page), layout_of(choice, study)
    if measure in OF_TERMS:
        return _of_terms(choice, study, folder, places)
    if measure in OF_PREDICTIONS:
        wanted = {"measure": [measure, "n_total"]}
        rows = _narrowed(read_results(study, folder, "measures", wanted), choice)
        return prediction_errors(rows, measure, layout=layout, **places)
    if measure.startswith("selection_"):
        return _selection(choice, study, folder, places)
    if measure == "robustness":
        rates = (_narrowed(one, choice) for one in read_rejections(study, folder))
        return robustness(*rates, layout=layout, **places)
    if measure == "accounting":
        rows = read_results(study, folder, "accounting", {})
        return outcome_shares(_narrowed(rows, choice), layout=layout, **places)
    rows = read_results(study, folder, "measures", {"measure": ["singular", "failed"]})
    return failure_rates(_narrowed(rows, choice), layout=layout, **places)


def _places(choice: FigureChoice, study: Planned, page: int) -> Places:
    """Return where factors go; a factor of which one level is shown is named with it."""
    alone = {factor: levels[0] for factor, levels in choice.scenarios if len(levels) == 1}
    return {
        "x": choice.x or None,
        "panels": choice.panels,
        "at": alone,
        "page": page,
        "stacked": is_stacked(choice, study),
    }


def _narrowed(frame: pd.DataFrame, choice: FigureChoice) -> pd.DataFrame:
    """Return the rows of what a figure shows; where it shows one level, `_places` has it."""
    columns: dict[str, Any] = {"model": choice.models, "method": choice.methods}
    columns |= {factor: levels for factor, levels in choice.scenarios if len(levels) > 1}
    for column, values in columns.items():
        if values:
            frame = frame[frame[column].isin(values)]
    if choice.inferences and "inference" in frame:
        frame = frame[frame["inference"].isin([*choice.inferences, ""])]
    return frame


def _of_terms(choice: FigureChoice, study: Planned, folder: str | Path, places: Places) -> Figure:
    found = _prepared(choice, study, folder)
    if isinstance(found, str):
        return blank(found)
    places.setdefault("points", found.points)
    layout = layout_of(choice, study)
    return laid_out(found.frame, found.look, layout, row="row", models=found.models, **places)


def _prepared(choice: FigureChoice, study: Planned, folder: str | Path) -> Prepared | str:
    source = source_of(choice.measure)
    wanted = {"measure": [source, "n_total", "unbounded"]}
    measures = _narrowed(read_results(study, folder, "measures", wanted), choice)
    levels = {model.name: model.level for model in study.models}
    levels |= {selected_by(one): study.models[0].level for one in study.selection.criteria}
    return prepared(
        measures,
        choice.measure,
        term=choice.terms or choice.part,
        level=levels,
        colour=choice.colour,
        apart=FITTED in (choice.panels or ()),
        remarks=_where_policies_differ(study, folder, source, choice.part),
    )


def _overview(choice: FigureChoice, study: Planned, folder: str | Path) -> Figure:
    """Draw the main measures of the main term at all scenarios, above each other."""
    from hlm.figures.nested_loop import LoopRow, loops

    known = measure_names(study, choice.part)
    rows: list[LoopRow] = []
    models: list[str] = []
    for measure in (name for name in OF_OVERVIEW if name in known):
        one = _prepared(replace(choice, measure=measure), study, folder)
        if isinstance(one, Prepared):
            # Where several models have several inferences, each inference has a panel.
            for row, own in one.frame.groupby("row", sort=False):
                lines = one.look.words[row].split("\n")
                words = "\n".join(line for line in lines if not line.startswith("true: "))
                rows.append(LoopRow(own, one.look, words))
            models = [*dict.fromkeys([*models, *one.models])]
    if not rows:
        return blank("No measure of the fixed effects in this study.")
    return loops(rows, models=models)


def _precision(study: Planned, folder: str | Path) -> Figure:
    from hlm.figures.precision_figure import precision_reached

    rows = read_results(study, folder, "measures", {})
    numbers = {one.key: study.replicates_of(one.key) for one in study.scenarios}
    if study.precision is None:
        return blank("The study asks for no precision.")
    standing = getattr(study, "standing", None)
    return precision_reached(
        rows, study.precision, numbers=numbers, reached=standing.reached if standing else {}
    )


def _selection(choice: FigureChoice, study: Planned, folder: str | Path, places: Places) -> Figure:
    criterion = choice.measure.removeprefix("selection_")
    rates = read_results(study, folder, "selection", {"criterion": [criterion]})
    numbers = {scenario.key: study.replicates_of(scenario.key) for scenario in study.scenarios}
    remarks = [REML_NOTE] if without_reason(criterion, "reml", study.models) else []
    rows = _narrowed(rates, choice)
    return selection_rates(
        rows,
        criterion,
        replicates=numbers,
        remarks=remarks,
        layout=layout_of(choice, study),
        **places,
    )


def _where_policies_differ(
    study: Planned, folder: str | Path, measure: str, part: str
) -> list[str]:
    if len(study.policies) < 2:
        return []
    wanted = {"factor": ["policy"], "measure": [measure], "kind": PARTS[part]}
    return policies_differ(read_results(study, folder, "differences", wanted), [measure])
