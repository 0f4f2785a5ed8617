"""What a fit says of each unit and of each row: random effects, fitted values, predictions.

With K_i = Lambda (Lambda'Z_i'Z_i Lambda + I)^-1 Lambda', the predicted random effects of unit i are
K_i Z_i'(y_i - X_i beta) and their variance given beta is sigma^2 K_i; rows have their weights.
All is computed on the columns of the fit, Z* and X*, whose means cost no digits.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.formula import evaluate, model_columns
from hlm.formula.bad_cells import check_numbers
from hlm.formula.cells import spellings
from hlm.model.variables import column_names, missing_rows, read_columns, take_rows

if TYPE_CHECKING:
    from hlm.formula import Formula
    from hlm.model.result import LmerFit

__all__ = ["NewUnits", "fixed_columns", "gain", "levels_of_columns", "predict", "unit_effects"]

Floats = NDArray[np.float64]
NewUnits = Literal["warn", "population", "error"]
NEW_UNITS = get_args(NewUnits)

SHOWN = 5
"""So many unknown units are named."""


def gain(fit: LmerFit) -> Floats:
    """K_i of each unit, (n_groups, q, q)."""
    inverse = fit.engine.moments.parametrization.random
    return inverse @ _gain(fit) @ inverse.T


def unit_effects(fit: LmerFit) -> Floats:
    """Random effects of each unit, (n_groups, q)."""
    moments, q, beta = fit.engine.moments, fit.frame.Z.shape[1], fit.engine.workspace.state.beta
    score = moments.cross.response[0, :q].T - _products(fit)[:, :, q:] @ beta
    return np.einsum("iab,ib->ia", _gain(fit), score) @ moments.parametrization.random.T


def _gain(fit: LmerFit) -> Floats:
    """K_i on the columns Z*, (n_groups, q, q)."""
    Lambda = fit.engine.workspace.fit.Lambda
    A = _products(fit)[:, :, : len(Lambda)]
    inner = Lambda.T @ A @ Lambda + np.eye(len(Lambda))
    return Lambda @ np.linalg.solve(inner, np.broadcast_to(Lambda.T, A.shape))


def _products(fit: LmerFit) -> Floats:
    """Z*'[Z* X*] of each unit, (n_groups, q, q + p)."""
    k, q = len(fit.engine.moments.columns), fit.frame.Z.shape[1]
    a, b = np.arange(q)[:, None], np.arange(k)
    larger = np.maximum(a, b)
    pairs = larger * (larger + 1) // 2 + np.minimum(a, b)
    return fit.engine.moments.cross.gram[0][pairs].transpose(2, 0, 1)


def levels_of_columns(fit: LmerFit) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which columns of X are the intercept, and which are constant within units, (p,) each."""
    X, units = fit.frame.X, fit.frame.units
    first = np.zeros((fit.n_groups, X.shape[1]))
    first[units[::-1]] = X[::-1]
    between = (first[units] == X).all(axis=0)
    intercept = fit.frame.formula.fixed[0].factors == ()
    constant = intercept & (np.arange(X.shape[1]) == 0)
    return constant, between


def fixed_columns(fit: LmerFit, columns: Any) -> Floats:
    """X of other rows, (n, p): the columns that the fit has, by their places."""
    X = model_columns(fit.frame.formula.fixed, columns, levels=fit.frame.levels)[1]
    return X[:, fit.frame.independent]


def predict(fit: LmerFit, new: Any, new_units: NewUnits) -> tuple[Floats, Floats]:
    """X beta + Z b + offset of new rows, with its SE; NaN where a value is missing.

    b = 0 for units that were not in the data. The error of x'beta + z'b as a prediction of the
    unit's own mean has the variance (x - B'Kz)'Phi(x - B'Kz) + sigma^2 z'Kz, B = Z_i'X_i (Henderson
    1975); for a new unit K = Psi and B = 0.
    """
    if new_units not in NEW_UNITS:
        raise InputError(
            f"unknown answer '{new_units}' to new units",
            allowed=", ".join(NEW_UNITS),
            suggestion=nearest(new_units, NEW_UNITS),
        )
    formula, n = fit.frame.formula, _length(fit, new)
    columns = read_columns(formula.variables, new)
    for name in _numeric(fit, formula):
        check_numbers(name, columns[name])
    there = ~missing_rows(columns) if columns else np.ones(n, dtype=bool)
    units = _units(fit, new, n, new_units)[there]
    prediction, error = np.full((2, n), np.nan)
    if there.any():
        rows = {name: take_rows(column, there) for name, column in columns.items()}
        # Without variables, the length of a column tells the number of rows.
        rows = rows or {"": np.zeros(n)}
        prediction[there], error[there] = _predict(fit, rows, units)
    return prediction, error


def _length(fit: LmerFit, new: Any) -> int:
    """Return the number of rows of new data; columns that are used must agree about it."""
    formula = fit.frame.formula
    used = list(formula.variables)
    known = column_names(new) if hasattr(new, "keys") else []
    if formula.random[0].group in known:
        used.append(formula.random[0].group)
    columns = read_columns(used or known[:1], new)
    return len(next(iter(columns.values()), ()))


def _numeric(fit: LmerFit, formula: Formula) -> list[str]:
    """Return the variables that must be numbers."""
    factors = [factor for term in formula.terms for factor in term.factors]
    numeric = [factor for factor in factors if factor.name not in fit.frame.levels]
    return [name for factor in (*numeric, *formula.offset) for name in factor.variables]


def _units(fit: LmerFit, new: Any, n: int, new_units: NewUnits) -> NDArray[np.int64]:
    """Return each new row's unit by number, -1 where the data had none such or none is given."""
    group = fit.frame.formula.random[0].group
    if group not in column_names(new):
        _say_unknown(f"the new data have no column '{group}' of units", new_units)
        return np.full(n, -1)
    numbers: dict[str, int] = {}
    for k, name in enumerate(fit.frame.unit_names):
        for text in spellings(name):
            numbers.setdefault(text, k)
    column = read_columns([group], new)[group]
    names = [
        None if gone else label
        for label, gone in zip(column.tolist(), missing_rows({group: column}), strict=True)
    ]
    found = (() if name is None else spellings(name) for name in names)
    units = np.array([next((numbers[t] for t in ts if t in numbers), -1) for ts in found], int)
    unknown = dict.fromkeys(names[k] for k in np.flatnonzero(units < 0))
    if unknown:
        shown = ["a missing one" if name is None else str(name) for name in unknown]
        some = ", ".join(shown[:SHOWN])
        rest = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
        _say_unknown(f"units of '{group}' that were not in the data: {some}{rest}", new_units)
    return units


def _say_unknown(problem: str, new_units: NewUnits) -> None:
    """Say what is not known of the units, in the way that the caller asked for."""
    if new_units == "error":
        raise InputError(
            problem,
            allowed="units of the data; new_units='population' predicts the population's mean",
        )
    if new_units == "warn":
        said = (
            f"{problem}; predicted is the population's mean (new_units='population' says no more)"
        )
        warnings.warn(said, UserWarning, stacklevel=5)


def _predict(fit: LmerFit, columns: Any, units: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Predict complete rows."""
    formula, n = fit.frame.formula, len(units)
    X = fixed_columns(fit, columns)
    blocks = [model_columns(b.terms, columns, levels=fit.frame.levels)[1] for b in formula.random]
    Z = np.concatenate(blocks, axis=1)
    b = np.vstack([unit_effects(fit), np.zeros(Z.shape[1])])
    offset = sum((evaluate(factor, columns) for factor in formula.offset), start=np.zeros(n))
    prediction = X @ fit.beta + np.einsum("na,na->n", Z, b[units]) + offset
    return prediction, np.sqrt(_prediction_variance(fit, X, Z, units))


def _prediction_variance(fit: LmerFit, X: Floats, Z: Floats, units: NDArray[np.int64]) -> Floats:
    """Variance of the errors of predictions for rows of X and Z, (n,)."""
    engine, par = fit.engine, fit.engine.moments.parametrization
    X, Z = X @ par.fixed, Z @ par.random
    Lambda, Ls = engine.workspace.fit.Lambda, engine.workspace.state.Ls
    K = np.concatenate([_gain(fit), (Lambda @ Lambda.T)[None]])[units]
    crossed = _products(fit)[:, :, len(Lambda) :]
    B = np.concatenate([crossed, np.zeros((1, *crossed.shape[1:]))])[units]
    Kz = np.einsum("nab,nb->na", K, Z)
    x = np.linalg.solve(np.tril(Ls), (X - np.einsum("nap,na->np", B, Kz)).T)
    return fit.sigma**2 * (np.einsum("pn,pn->n", x, x) + np.einsum("na,na->n", Z, Kz))
