"""A study's figures by name: from its plan and its folder of results to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hlm.errors import InputError, nearest
from hlm.figures.catalogue import Planned, names
from hlm.figures.departures import shrinkage
from hlm.figures.files import save
from hlm.figures.lines import lines_of_fit
from hlm.figures.measures import failure_rates, measure_against_units, selection_rates
from hlm.figures.results import read_results
from hlm.figures.style import blank
from hlm.figures.units import unit_lines, units_against_attribute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

    from hlm.model import LmerFit

__all__ = ["draw", "draw_all", "shrinkage_of_data", "shrinkage_of_fit"]


def draw(name: str, study: Planned, folder: str | Path) -> Figure:
    """Draw one figure of a study.

    Parameters
    ----------
    name : str
        One of `names(study)`.
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
    allowed = names(study)
    if name not in allowed:
        suggestion = nearest(name, allowed)
        raise InputError(f"no figure '{name}'", allowed=", ".join(allowed), suggestion=suggestion)
    if name in ("units_against_attribute", "unit_lines", "shrinkage"):
        return _draw_example(name, study)
    if name.startswith("selection_"):
        criterion = name.removeprefix("selection_")
        rates = read_results(study, folder, "selection", {"criterion": [criterion]})
        return selection_rates(rates, criterion)
    if name == "failures":
        wanted = {"measure": ["singular", "failed"]}
        return failure_rates(read_results(study, folder, "measures", wanted))
    measure, _, part = name.rpartition("_")
    measures = read_results(study, folder, "measures", {"measure": [measure]})
    return measure_against_units(measures, measure, term=part, level=study.models[0].level)


def draw_all(
    study: Planned, folder: str | Path, only: Iterable[str] | None = None
) -> tuple[Path, ...]:
    """Draw a study's figures into the folder `figures` of its results.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    only : iterable of str, optional
        Names of figures; all of `names(study)` by default.

    Returns
    -------
    tuple of Path
        For each figure `figures/NAME.png` and `figures/NAME.pdf`.
    """
    wanted = names(study) if only is None else only
    target = Path(folder) / "figures"
    return tuple(file for name in wanted for file in save(draw(name, study, folder), target / name))


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
    return shrinkage(
        ols=lines.own,
        blup=lines.predicted,
        mean=lines.fixed,
        psi=lines.psi,
        names=(f"Intercept: {response} at {lines.covariate} = 0", f"Slope of {lines.covariate}"),
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
    return shrinkage_of_data(scenario.formula, rows)
