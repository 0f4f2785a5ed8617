"""The lines of units: by least squares from a unit alone, by its covariates, and by a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hlm.errors import InputError
from hlm.formula import Formula, model_columns
from hlm.formula.linear_in import random_line
from hlm.model.effects import fixed_columns
from hlm.model.variables import read_columns, take_rows
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.model import LmerFit
    from hlm.model.frame import Frame

__all__ = ["FittedLines", "least_squares_lines", "lines_of_fit", "predicted_lines", "unit_values"]

Floats = NDArray[np.float64]


def least_squares_lines(
    rows: pd.DataFrame,
    response: str,
    covariate: str,
    others: Sequence[str] = (),
    *,
    unit: str = "unit",
) -> pd.DataFrame:
    """Fit each unit alone, by least squares.

    Parameters
    ----------
    rows : DataFrame
        The response, the covariates, and the column that tells the unit.
    response, covariate : str
    others : sequence of str
        More row covariates to adjust for.
    unit : str

    Returns
    -------
    DataFrame, (n_units, 2)
        `intercept` and `slope`; missing where a unit's rows do not determine them.

    Examples
    --------
    >>> rows = pd.DataFrame({"unit": [1, 1, 2], "x": [0.0, 2.0, 1.0], "y": [1.0, 5.0, 3.0]})
    >>> least_squares_lines(rows, "y", "x").round(6).loc[1].tolist()
    [1.0, 2.0]
    """
    lines = {}
    for name, own in rows.groupby(unit):
        Z = np.column_stack([np.ones(len(own)), own[[covariate, *others]].to_numpy(float)])
        line, _, rank, _ = np.linalg.lstsq(Z, own[response].to_numpy(float))
        lines[name] = line[:2] if rank == Z.shape[1] else [np.nan, np.nan]
    return pd.DataFrame.from_dict(lines, orient="index", columns=["intercept", "slope"])


def predicted_lines(
    formula: Formula,
    coefficients: Mapping[str, float],
    units: pd.DataFrame,
    covariate: str,
    others: Sequence[str] = (),
) -> Floats:
    """Return the line that the fixed part predicts for each unit: W_i b, as in X_i = Z_i W_i.

    Parameters
    ----------
    formula : Formula
    coefficients : mapping of str to float
        The fixed effects by name.
    units : DataFrame, (n_units, ...)
        The unit covariates.
    covariate : str
    others : sequence of str
        Other row covariates, set to 0.

    Returns
    -------
    ndarray, (n_units, 2)
        Intercept and slope.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> truth = {"(Intercept)": 1.0, "x": 3.0, "a": -0.15, "x:a": 0.3}
    >>> formula = parse("y ~ x * a + (1 + x | unit)")
    >>> predicted_lines(formula, truth, pd.DataFrame({"a": [0.0, 1.0]}), "x")
    array([[1.  , 3.  ],
           [0.85, 3.3 ]])
    """
    at_0, at_1 = (
        _fixed_part(formula, coefficients, units, {covariate: x, **dict.fromkeys(others, 0.0)})
        for x in (0.0, 1.0)
    )
    return np.column_stack([at_0, at_1 - at_0])


def _fixed_part(
    formula: Formula,
    coefficients: Mapping[str, float],
    units: pd.DataFrame,
    fixed_at: Mapping[str, float],
) -> Floats:
    data: dict[str, Any] = {str(name): units[name].to_numpy(float) for name in units}
    data |= {name: np.full(len(units), value) for name, value in fixed_at.items()}
    names, X = model_columns(formula.fixed, data)
    return X @ np.array([coefficients[name] for name in names])


def unit_values(rows: pd.DataFrame, names: Sequence[str], unit: str = "unit") -> pd.DataFrame:
    """Return the unit covariates, one row per unit, in the order of the units."""
    return rows.groupby(unit)[list(names)].first()


@dataclass(frozen=True)
class FittedLines:
    """What a fit says of the line of each unit: intercepts and slopes.

    Attributes
    ----------
    covariate : str
        That the lines are lines in.
    fixed : ndarray (n_units, 2)
        By the fixed part, averaged over the unit's rows.
    own : ndarray (n_units, 2)
        By the unit's rows alone: `fixed` and the least-squares line of what it leaves. Missing
        where they do not determine a line.
    predicted : ndarray (n_units, 2)
        `fixed` and the predicted random effects (BLUP).
    psi : ndarray (2, 2)
        Covariance of the random intercepts and slopes.
    """

    covariate: str
    fixed: Floats
    own: Floats
    predicted: Floats
    psi: Floats


def lines_of_fit(fit: LmerFit, data: pd.DataFrame) -> FittedLines:
    """Return the lines of the units by a fit with random intercepts and slopes.

    Where the fixed part is a line in the covariate for every unit, X_i = Z_i W_i, a unit's own
    line is its least-squares line; other covariates of the rows are adjusted for with the fit's
    coefficients.

    Parameters
    ----------
    fit : LmerFit
    data : DataFrame
        That was fitted.

    Returns
    -------
    FittedLines

    Raises
    ------
    InputError
        If the units have no lines of their own in the model.

    Examples
    --------
    >>> from hlm import lmer
    >>> from hlm.datasets import load_sleepstudy
    >>> data = load_sleepstudy()
    >>> lines = lines_of_fit(lmer("Reaction ~ Days + (1 + Days | Subject)", data), data)
    >>> lines.own[0].round(2), lines.predicted[0].round(2)
    (array([244.19,  21.76]), array([253.66,  19.67]))
    """
    formula, effects = fit.frame.formula, fit.ranef()
    covariate = random_line(formula)
    if covariate is None or list(effects).count(covariate) != 1:
        problem = f"the units have no lines of their own in the model {formula.text}"
        raise InputError(problem, allowed="random intercepts and slopes, such as (1 + x | unit)")
    columns = [list(effects).index(name) for name in (INTERCEPT, covariate)]
    fixed = _fixed_lines(fit, data, covariate)
    return FittedLines(
        covariate=covariate,
        fixed=fixed,
        own=fixed + _departures(fit.frame, fit.beta)[:, columns],
        predicted=fixed + effects.to_numpy()[:, columns],
        psi=fit.psi[np.ix_(columns, columns)],
    )


def _fixed_lines(fit: LmerFit, data: Any, covariate: str) -> Floats:
    frame = fit.frame
    columns = read_columns(frame.formula.variables, data)
    rows = {name: take_rows(column, frame.kept) for name, column in columns.items()}
    at_0, at_1 = (
        fixed_columns(fit, rows | {covariate: np.full(fit.nobs, x)}) @ fit.beta for x in (0.0, 1.0)
    )
    lines = pd.DataFrame({"intercept": at_0, "slope": at_1 - at_0})
    return lines.groupby(frame.units).mean().to_numpy()


def _departures(frame: Frame, beta: Floats) -> Floats:
    """Regress what the fixed part leaves on each unit's random-effects columns, (n_units, q)."""
    weight = np.sqrt(frame.weights)
    Z, left = frame.Z * weight[:, None], (frame.y - frame.X @ beta) * weight
    order = np.argsort(frame.units, kind="stable")
    ends = np.cumsum(np.bincount(frame.units))
    departures = np.full((len(ends), Z.shape[1]), np.nan)
    for unit, rows in enumerate(np.split(order, ends[:-1])):
        line, _, rank, _ = np.linalg.lstsq(Z[rows], left[rows])
        if rank == Z.shape[1]:
            departures[unit] = line
    return departures
