"""The lines of units: each unit's own least-squares line, and the line its covariates predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hlm.formula import Formula, model_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["least_squares_lines", "predicted_lines", "unit_values"]

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
