"""What a fit says of each unit and of each row: random effects, fitted values, predictions.

With K_i = Lambda (Lambda'Z_i'Z_i Lambda + I)^-1 Lambda', the predicted random effects of unit i are
K_i Z_i'(y_i - X_i beta) and their variance given beta is sigma^2 K_i; rows have their weights.
All is computed on the columns of the fit, Z* and X*, whose means cost no digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.engine.degrees_of_freedom import between_within
from hlm.formula import evaluate, model_columns
from hlm.model.columns import read_columns

if TYPE_CHECKING:
    from hlm.model.result import LmerFit

__all__ = ["between_within_df", "gain", "predict", "unit_effects"]

Floats = NDArray[np.float64]


def gain(fit: LmerFit) -> Floats:
    """K_i of each unit, (n_groups, q, q)."""
    inverse = fit.engine.moments.parametrization.random
    return inverse @ _gain(fit) @ inverse.T


def unit_effects(fit: LmerFit) -> Floats:
    """Random effects of each unit, (n_groups, q)."""
    moments, q = fit.engine.moments, fit.frame.Z.shape[1]
    score = moments.response[0, :q].T - _products(fit)[:, :, q:] @ fit.engine.room.state.beta
    return np.einsum("iab,ib->ia", _gain(fit), score) @ moments.parametrization.random.T


def _gain(fit: LmerFit) -> Floats:
    """K_i on the columns Z*, (n_groups, q, q)."""
    Lambda = fit.engine.room.Lambda
    A = _products(fit)[:, :, : len(Lambda)]
    inner = Lambda.T @ A @ Lambda + np.eye(len(Lambda))
    return Lambda @ np.linalg.solve(inner, np.broadcast_to(Lambda.T, A.shape))


def _products(fit: LmerFit) -> Floats:
    """Z*'[Z* X*] of each unit, (n_groups, q, q + p)."""
    k, q = len(fit.engine.moments.columns), fit.frame.Z.shape[1]
    a, b = np.arange(q)[:, None], np.arange(k)
    larger = np.maximum(a, b)
    pairs = larger * (larger + 1) // 2 + np.minimum(a, b)
    return fit.engine.moments.gram[0][pairs].transpose(2, 0, 1)


def between_within_df(fit: LmerFit) -> Floats:
    """Degrees of freedom by levels: columns of X that are constant within units are between."""
    X, units = fit.frame.X, fit.frame.units
    first = np.zeros((fit.n_groups, X.shape[1]))
    first[units[::-1]] = X[::-1]
    between = (first[units] == X).all(axis=0)
    constant = [name == "(Intercept)" for name in fit.coef_names]
    return between_within(fit.nobs, fit.n_groups, constant, between.tolist())


def predict(fit: LmerFit, new: Any) -> tuple[Floats, Floats]:
    """X beta + Z b + offset of new rows, b = 0 for units that were not in the data; with its SE.

    The error of x'beta + z'b as a prediction of the unit's own mean has the variance
    (x - B'Kz)'Phi(x - B'Kz) + sigma^2 z'Kz, B = Z_i'X_i (Henderson 1975); for a new unit K = Psi
    and B = 0.
    """
    formula, levels = fit.frame.formula, fit.frame.levels
    group = formula.random[0].group
    grouped = hasattr(new, "keys") and group in new
    columns = read_columns([*formula.variables, *([group] if grouped else [])], new)
    columns = columns or read_columns([str(name) for name in new][:1], new)
    n = len(next(iter(columns.values()), ()))
    names, X = model_columns(formula.fixed, columns, levels=levels)
    X = X[:, [names.index(name) for name in fit.coef_names]]
    blocks = [model_columns(block.terms, columns, levels=levels)[1] for block in formula.random]
    Z = np.concatenate(blocks, axis=1)
    units = np.full(n, -1)
    if grouped:
        numbers = {name: k for k, name in enumerate(fit.frame.unit_names)}
        labels = columns[group].tolist()
        units[:] = [numbers.get(label, numbers.get(str(label), -1)) for label in labels]
    b = np.vstack([unit_effects(fit), np.zeros(Z.shape[1])])
    offset = sum((evaluate(factor, columns) for factor in formula.offset), start=np.zeros(n))
    prediction = X @ fit.beta + np.einsum("na,na->n", Z, b[units]) + offset
    return prediction, np.sqrt(_prediction_variance(fit, X, Z, units))


def _prediction_variance(fit: LmerFit, X: Floats, Z: Floats, units: NDArray[np.int64]) -> Floats:
    """Variance of the errors of predictions for rows of X and Z, (n,)."""
    engine, par = fit.engine, fit.engine.moments.parametrization
    X, Z = X @ par.fixed, Z @ par.random
    Lambda, Ls = engine.room.Lambda, engine.room.state.Ls
    K = np.concatenate([_gain(fit), (Lambda @ Lambda.T)[None]])[units]
    crossed = _products(fit)[:, :, len(Lambda) :]
    B = np.concatenate([crossed, np.zeros((1, *crossed.shape[1:]))])[units]
    Kz = np.einsum("nab,nb->na", K, Z)
    x = np.linalg.solve(np.tril(Ls), (X - np.einsum("nap,na->np", B, Kz)).T)
    return fit.sigma**2 * (np.einsum("pn,pn->n", x, x) + np.einsum("na,na->n", Z, Kz))
