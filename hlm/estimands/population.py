r"""The moments of a model's columns on which shares of variance rest: of a design, or of rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.column_moments import column_moments
from hlm.formula import formula_in

if TYPE_CHECKING:
    from hlm.scenario import Model, Scenario

__all__ = ["Population", "of_design", "of_rows"]

Floats = NDArray[np.float64]


class Population(NamedTuple):
    """Moments of the columns of X and Z, and units of each size.

    Attributes
    ----------
    fixed_rows, fixed_units : ndarray (p, p)
        Covariances of the columns of X within units, and of their means between units.
    random_rows : ndarray (q, q)
        Those of the columns of Z within units.
    random_units : ndarray (q, q)
        Mean products of the units' means of these columns.
    means : ndarray (k, q)
        Means of the columns of Z in each type of unit.
    sizes : ndarray (k,)
        Rows of a unit.
    errors : ndarray (k, q)
        The diagonal of (Z_j'Z_j)^-1 of a unit; NaN if it is singular.
    shares : ndarray (k,)
        Of units that are of each type.
    """

    fixed_rows: Floats
    fixed_units: Floats
    random_rows: Floats
    random_units: Floats
    means: Floats
    sizes: Floats
    errors: Floats
    shares: Floats


def of_design(scenario: Scenario, model: Model) -> Population:
    """Return the moments that a scenario's design gives the columns of a model.

    Those of its covariates, as `hlm.estimands.implied` has them; Z_j'Z_j of a unit of n rows is n
    times the mean products of its columns about the overall means of units.
    """
    formula = formula_in(model.formula, scenario.covariates)
    data = scenario.covariates, scenario.typical_rows, scenario.correlated
    fixed, random = (column_moments(terms, *data) for terms in (formula.fixed, formula.effects))
    squares = np.outer(random.mean, random.mean)
    rows = scenario.typical_rows
    counts = Counter(rows if isinstance(rows, tuple) else (rows,))
    sizes, numbers = (np.array(values, dtype=float) for values in zip(*counts.items(), strict=True))
    within = _error_factors(random.within + squares)
    return Population(
        fixed.within,
        fixed.between,
        random.within,
        random.between + squares,
        np.repeat(random.mean[None], len(sizes), axis=0),
        sizes,
        within / sizes[:, None],
        numbers / numbers.sum(),
    )


def of_rows(X: Floats, Z: Floats, units: NDArray[np.int64]) -> Population:
    """Return the moments of the rows of a data set.

    Parameters
    ----------
    X, Z : ndarray (n, p), (n, q)
    units : ndarray of int (n,)
        Numbered from 0.

    Returns
    -------
    Population
        Covariances of the columns of X are over n - 1, as R's `var`, products of those of Z over n.
    """
    n, counts = len(units), np.bincount(units)
    means_X, means_Z = (
        np.stack([np.bincount(units, column) for column in columns.T], axis=1) / counts[:, None]
        for columns in (X, Z)
    )
    inside_X, inside_Z = X - means_X[units], Z - means_Z[units]
    about = (means_X - X.mean(axis=0))[units]
    q = range(Z.shape[1])
    products = np.array([[np.bincount(units, Z[:, a] * Z[:, b]) for b in q] for a in q])
    return Population(
        inside_X.T @ inside_X / (n - 1),
        about.T @ about / (n - 1),
        inside_Z.T @ inside_Z / n,
        means_Z.T @ (counts[:, None] * means_Z) / n,
        means_Z,
        counts.astype(float),
        np.stack([_error_factors(one) for one in products.transpose(2, 0, 1)]),
        np.full(len(counts), 1.0 / len(counts)),
    )


def _error_factors(products: Floats) -> Floats:
    """Return the diagonal of an inverse; NaN if there is none."""
    size = np.sqrt(np.diag(products))
    if not (size > 0.0).all():
        return np.full(len(size), np.nan)
    correlation = products / np.outer(size, size)
    if np.linalg.matrix_rank(correlation, hermitian=True, tol=1e-10) < len(size):
        return np.full(len(size), np.nan)
    return np.asarray(np.diag(np.linalg.inv(correlation)) / size**2)
