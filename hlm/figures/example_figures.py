"""The pictures of one data set of a study, and of a fit to a user's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hlm.errors import InputError
from hlm.figures.departures import shrinkage
from hlm.figures.style import blank
from hlm.pictures.figure_catalogue import models_with_lines
from hlm.words.fitting import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

    from hlm.model import LmerFit
    from hlm.results.shown import Planned
    from hlm.scenario import Model

__all__ = ["draw_example", "shrinkage_of_data", "shrinkage_of_fit"]


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
    from hlm.figures.lines import lines_of_fit  # with Numba, for which no other figure has a use

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


def draw_example(name: str, study: Planned) -> Figure:
    """Draw a picture of the first data set of the scenario that the study marks."""
    from hlm.figures.example_units import unit_lines, units_against_attribute
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
