"""The founding article's two pictures: units against their attribute, and the units' lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hlm.errors import InputError
from hlm.figures.lines import least_squares_lines, predicted_lines, unit_values
from hlm.figures.style import COLUMN, GREY, PAGE, marks, styled
from hlm.formula import parse
from hlm.pictures.example_variables import Variables, variables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas.api.typing import SeriesGroupBy

    from hlm.scenario import Scenario

__all__ = ["unit_lines", "units_against_attribute"]

_MAP = "cividis"  # even in lightness, so it reads in grey and without red or green


@styled
def units_against_attribute(rows: pd.DataFrame, scenario: Scenario) -> Figure:
    """Draw each unit's least-squares intercept and slope against the unit's attribute.

    The line is the truth: the fixed part as a function of the attribute, other unit covariates
    at their mean.

    Parameters
    ----------
    rows : DataFrame
        One data set of the scenario: the unit, the covariates, the response.
    scenario : Scenario

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the scenario has no unit covariate or no row covariate, or no unit has a line.
    """
    use = variables(scenario)
    covariate, attribute = _covariate(use), _attribute(use)
    ols = least_squares_lines(rows, use.response, covariate, use.other_rows, unit=use.unit)
    _check_lines(ols, covariate)
    units = unit_values(rows, [attribute, *use.other_units], use.unit)
    curve = units.mean().to_frame().T.loc[[0] * 60].reset_index(drop=True)
    curve[attribute] = np.linspace(units[attribute].min(), units[attribute].max(), 60)
    truth = _true_lines(scenario, curve, use)
    figure = Figure(figsize=(PAGE, 2.9), layout="constrained")
    for place, (ax, name) in enumerate(zip(figure.subplots(1, 2), ols, strict=True)):
        mark = marks(["units"])["units"]
        ax.scatter(units[attribute], ols[name], s=16, color=mark.colour, linewidth=0)
        ax.plot(curve[attribute], truth[:, place], color="black", linewidth=1.2)
        ax.set(xlabel=f"{attribute}, the unit's attribute", ylabel=_label(str(name), use))
        ax.grid(visible=True)
    _legend(figure, _mark_handle(), "one unit, by least squares", "truth")
    return figure


@styled
def unit_lines(rows: pd.DataFrame, scenario: Scenario) -> Figure:
    """Draw each unit's least-squares line, coloured by the unit's attribute.

    The thick line is the population's: the true fixed part, averaged over the units.

    Parameters
    ----------
    rows : DataFrame
        One data set of the scenario: the unit, the covariates, the response.
    scenario : Scenario

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the scenario has no row covariate, or no unit has a line.
    """
    use = variables(scenario)
    covariate = _covariate(use)
    ols = least_squares_lines(rows, use.response, covariate, use.other_rows, unit=use.unit)
    _check_lines(ols, covariate)
    names = [*filter(None, [use.attribute]), *use.other_units]
    units = unit_values(rows, names, use.unit) if names else pd.DataFrame(index=ols.index)
    figure = Figure(figsize=(COLUMN, 2.9), layout="constrained")
    ax = figure.subplots()
    ends = _ends(rows.groupby(use.unit)[covariate], ols)
    _spaghetti(ax, ends, None if use.attribute is None else units[use.attribute])
    _population(ax, rows[covariate], _true_lines(scenario, units, use).mean(axis=0))
    ax.set(xlabel=f"{covariate}, the row covariate", ylabel=f"{use.response}, the response")
    if use.attribute is not None:
        _colour_bar(figure, ax, units[use.attribute])
    thin = Line2D([], [], color=GREY, linewidth=0.8)
    _legend(figure, thin, "one unit, by least squares", "population, truth")
    return figure


def _covariate(use: Variables) -> str:
    if use.covariate is None:
        raise InputError("the picture needs a row covariate, and the scenario has none")
    return use.covariate


def _attribute(use: Variables) -> str:
    if use.attribute is None:
        raise InputError("the picture needs a unit covariate, and the scenario has none")
    return use.attribute


def _check_lines(ols: pd.DataFrame, covariate: str) -> None:
    if ols.isna().any(axis=1).all():
        raise InputError(f"no unit's rows determine a line in {covariate}")


def _true_lines(scenario: Scenario, units: pd.DataFrame, use: Variables) -> np.ndarray:
    formula = parse(scenario.formula)
    return predicted_lines(formula, dict(scenario.fixed), units, _covariate(use), use.other_rows)


def _label(name: str, use: Variables) -> str:
    if name == "intercept":
        return f"Intercept: {use.response} at {use.covariate} = 0"
    return f"Slope: change of {use.response} per unit of {use.covariate}"


def _mark_handle() -> Line2D:
    mark = marks(["units"])["units"]
    return Line2D([], [], linestyle="none", marker="o", color=mark.colour, markersize=4)


def _legend(figure: Figure, unit: Line2D, unit_words: str, truth_words: str) -> None:
    rule = Line2D([], [], color="black", linewidth=1.5)
    words = [unit_words, truth_words]
    figure.legend([unit, rule], words, loc="outside upper center", ncols=2)


def _ends(covariate: SeriesGroupBy, ols: pd.DataFrame) -> np.ndarray:
    """Return the two ends of each unit's line, over the unit's own range of the covariate."""
    x = covariate.agg(["min", "max"]).to_numpy(float)
    return np.stack([x, ols[["intercept"]].to_numpy() + ols[["slope"]].to_numpy() * x], axis=2)


def _spaghetti(ax: Axes, ends: np.ndarray, attribute: pd.Series | None) -> None:
    drawn = np.isfinite(ends).all(axis=(1, 2))
    lines = LineCollection(list(ends[drawn]), linewidth=0.8, alpha=min(0.9, 30 / len(ends) + 0.2))
    if attribute is None:
        lines.set_color(GREY)
    else:
        lines.set(array=attribute.to_numpy(float)[drawn], cmap=_MAP)
        lines.set_clim(attribute.min(), attribute.max())
    ax.add_collection(lines)
    ax.autoscale_view()


def _population(ax: Axes, x: pd.Series, line: np.ndarray) -> None:
    ends = np.array([x.min(), x.max()])
    y = line[0] + line[1] * ends
    ax.plot(ends, y, color="white", linewidth=3.0)
    ax.plot(ends, y, color="black", linewidth=1.5)


def _colour_bar(figure: Figure, ax: Axes, attribute: pd.Series) -> None:
    scale = mpl.cm.ScalarMappable(Normalize(attribute.min(), attribute.max()), _MAP)
    bar = figure.colorbar(scale, ax=ax, pad=0.02, aspect=30)
    bar.outline.set_visible(False)
    bar.set_label(f"{attribute.name}, the unit's attribute")
