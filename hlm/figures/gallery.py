"""A study's figures by name: from its plan and its folder of results to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hlm.errors import InputError, nearest
from hlm.estimands.kinds import PARTS
from hlm.figures.departures import shrinkage
from hlm.figures.example_units import unit_lines, units_against_attribute
from hlm.figures.lines import lines_of_fit
from hlm.figures.performance_figures import (
    failure_rates,
    measure_against_units,
    outcome_shares,
    selection_rates,
)
from hlm.figures.prediction_figures import prediction_errors
from hlm.figures.robustness_figure import robustness
from hlm.figures.saving import save
from hlm.figures.style import blank
from hlm.measures.chosen import without_reason
from hlm.plan.report import FIGURES, figure_names, models_with_lines
from hlm.results.shown import attempt, read_results
from hlm.results.violated import read_rejections
from hlm.words.criteria_words import REML_NOTE, selected_by
from hlm.words.fitting import METHODS
from hlm.words.notes import policies_differ

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

    from hlm.model import LmerFit
    from hlm.results.shown import Planned
    from hlm.scenario import Model

__all__ = ["draw", "draw_all", "shrinkage_of_data", "shrinkage_of_fit"]


def draw(name: str, study: Planned, folder: str | Path) -> Figure:
    """Draw one figure of a study.

    Parameters
    ----------
    name : str
        One of `figure_names(study)`.
    study : Study or Plan
    folder : path
        The study's folder of results, with `measures.parquet` and `selection.parquet`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the study has no figure of that name.
    """
    _check_name(name, study)
    if name in ("units_against_attribute", "unit_lines", "shrinkage"):
        return _draw_example(name, study)
    if name.startswith("selection_"):
        criterion = name.removeprefix("selection_")
        rates = read_results(study, folder, "selection", {"criterion": [criterion]})
        numbers = {scenario.key: study.replicates_of(scenario.key) for scenario in study.scenarios}
        remarks = [REML_NOTE] if without_reason(criterion, "reml", study.models) else []
        return selection_rates(rates, criterion, replicates=numbers, remarks=remarks)
    if name == "failures":
        wanted = {"measure": ["singular", "failed"]}
        return failure_rates(read_results(study, folder, "measures", wanted))
    if name == "prediction_rmse":
        wanted = {"measure": [name, "n_total"]}
        return prediction_errors(read_results(study, folder, "measures", wanted), name)
    if name == "robustness":
        return robustness(*read_rejections(study, folder))
    if name == "accounting":
        return outcome_shares(read_results(study, folder, name, {}))
    measure, _, part = name.rpartition("_")
    wanted = {"measure": [measure, "n_total", "unbounded"]}
    measures = read_results(study, folder, "measures", wanted)
    levels = {model.name: model.level for model in study.models}
    levels |= {selected_by(one): study.models[0].level for one in study.selection.criteria}
    remarks = _where_policies_differ(study, folder, measure, part)
    return measure_against_units(measures, measure, term=part, level=levels, remarks=remarks)


def draw_all(
    study: Planned,
    folder: str | Path,
    only: Iterable[str] | None = None,
    *,
    strict: bool = False,
) -> tuple[Path, ...]:
    """Draw a study's figures into the folder `figures` of its results.

    Each stands alone: one that cannot be drawn is a page that says why, and the others are drawn.
    Where the reason may be a fault of the program, the standard error has its traceback.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    only : iterable of str, optional
        Names of figures; all of `figure_names(study)` by default.
    strict : bool
        Raise what may be a fault of the program.

    Returns
    -------
    tuple of Path
        For each figure `figures/NAME.png` and `figures/NAME.pdf`.
    """
    wanted = tuple(figure_names(study) if only is None else only)
    for name in wanted:
        _check_name(name, study)
    files = (_draw_one(name, study, Path(folder), strict=strict) for name in wanted)
    return tuple(file for of_one in files for file in of_one)


def _where_policies_differ(
    study: Planned, folder: str | Path, measure: str, part: str
) -> list[str]:
    if len(study.policies) < 2:
        return []
    wanted = {"factor": ["policy"], "measure": [measure], "kind": PARTS[part]}
    return policies_differ(read_results(study, folder, "differences", wanted), [measure])


def _draw_one(name: str, study: Planned, folder: Path, *, strict: bool) -> tuple[Path, ...]:
    stem = folder / "figures" / name
    return attempt(
        lambda: save(draw(name, study, folder), stem),
        lambda why: save(blank(f"{FIGURES[name]}: {why}"), stem),
        strict=strict,
    )


def _check_name(name: str, study: Planned) -> None:
    allowed = figure_names(study)
    if name not in allowed:
        suggestion = nearest(name, allowed)
        raise InputError(f"no figure '{name}'", allowed=", ".join(allowed), suggestion=suggestion)


def shrinkage_of_fit(fit: LmerFit, data: pd.DataFrame) -> Figure:
    """Draw how a fit's predicted lines relate to the units' least-squares lines.

    Parameters
    ----------
    fit : LmerFit
        Of a model with random intercepts and slopes.
    data : DataFrame
        That was fitted.

    Returns
    -------
    Figure
        With no more than a sentence if the fit failed.

    Raises
    ------
    InputError
        If the units have no lines of their own in the model.
    """
    if not np.isfinite(fit.theta).all():
        return blank("The model could not be fitted to these data.")
    lines = lines_of_fit(fit, data)
    response = fit.frame.formula.response
    if not np.isfinite(lines.own).all(axis=1).any():
        return blank(f"No unit's rows determine a line in {lines.covariate}.")
    method = METHODS["reml" if fit.reml else "ml"]
    return shrinkage(
        ols=lines.own,
        blup=lines.predicted,
        mean=lines.fixed,
        psi=lines.psi,
        names=(f"Intercept: {response} at {lines.covariate} = 0", f"Slope of {lines.covariate}"),
        title=f"{fit.frame.formula.text}, fitted by {method}",
    )


def shrinkage_of_data(formula: str, data: pd.DataFrame) -> Figure:
    """Fit a model by REML and draw its predicted lines against the units' least-squares lines.

    Parameters
    ----------
    formula : str
        With random intercepts and slopes, such as ``y ~ x * a + (1 + x | unit)``.
    data : DataFrame

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the formula or the data cannot be used.

    Examples
    --------
    >>> from hlm.datasets import load_ogorek2012
    >>> figure = shrinkage_of_data("y ~ x * a + (1 + x | unit)", load_ogorek2012())
    >>> len(figure.axes)
    3
    """
    from hlm.model import lmer

    return shrinkage_of_fit(lmer(formula, data), data)


def _draw_example(name: str, study: Planned) -> Figure:
    from hlm.simulate import draw_rows

    scenario = study.scenarios[study.example]
    rows = pd.DataFrame(draw_rows(scenario, study.seed, 0))
    if name == "units_against_attribute":
        return units_against_attribute(rows, scenario)
    if name == "unit_lines":
        return unit_lines(rows, scenario)
    return _shrinkage_of_models(models_with_lines(study), rows)


def _shrinkage_of_models(models: Iterable[Model], rows: pd.DataFrame) -> Figure:
    """Draw the lines of the first model that these rows identify."""
    from hlm.model import lmer

    why = "No model has random intercepts and slopes."
    for model in models:
        try:
            fit = lmer(model.formula, rows, reml="reml" in model.methods)
        except InputError as error:
            why = f"Model {model.name}: {error.problem}."
            continue
        if np.isfinite(fit.theta).all():
            return shrinkage_of_fit(fit, rows)
        why = f"Model {model.name} could not be fitted to these data: {fit.status}."
    return blank(why)
