"""What a fit says of each unit and of each row: random effects, fitted values, predictions.

With K_i = Lambda (Lambda'Z_i'Z_i Lambda + I)^-1 Lambda', the predicted random effects of unit i are
K_i Z_i'(y_i - X_i beta) and their variance given beta is sigma^2 K_i; rows have their weights.
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
    Z, Lambda = fit.frame.Z, fit.lambda_
    products = (Z * fit.frame.weights[:, None])[:, :, None] * Z[:, None, :]
    A = _sum_by_unit(fit, products)
    inner = Lambda.T @ A @ Lambda + np.eye(Z.shape[1])
    return Lambda @ np.linalg.solve(inner, np.broadcast_to(Lambda.T, A.shape))


def unit_effects(fit: LmerFit) -> Floats:
    """Random effects of each unit, (n_groups, q)."""
    residual = fit.frame.weights * (fit.frame.y - fit.frame.X @ fit.beta)
    score = _sum_by_unit(fit, fit.frame.Z * residual[:, None])
    return np.einsum("iab,ib->ia", gain(fit), score)


def _sum_by_unit(fit: LmerFit, values: Floats) -> Floats:
    total = np.zeros((fit.n_groups, *values.shape[1:]))
    np.add.at(total, fit.frame.units, values)
    return total


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
    K = np.concatenate([gain(fit), (fit.lambda_ @ fit.lambda_.T)[None]])[units]
    B = np.concatenate([_crossed(fit), np.zeros((1, Z.shape[1], X.shape[1]))])[units]
    Kz = np.einsum("nab,nb->na", K, Z)
    x = X - np.einsum("nap,na->np", B, Kz)
    variance = np.einsum("np,pq,nq->n", x, fit.vcov, x)
    variance += fit.sigma**2 * np.einsum("na,na->n", Z, Kz)
    return prediction, np.sqrt(variance)


def _crossed(fit: LmerFit) -> Floats:
    """Z_i'X_i of each unit, (n_groups, q, p)."""
    weighted = fit.frame.Z * fit.frame.weights[:, None]
    return _sum_by_unit(fit, weighted[:, :, None] * fit.frame.X[:, None, :])
