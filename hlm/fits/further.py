"""What models estimate besides their parameters: functions of these, errors by the delta method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.of_models import further_of
from hlm.estimands.parameters import Columns, Parameters
from hlm.formula import parse
from hlm.kernels.limits import confidence_limits

if TYPE_CHECKING:
    from hlm.estimands.kinds import Estimand, Scale
    from hlm.scenario import LimitMethod, Model

__all__ = ["delta_method", "scale_of", "with_further"]

Floats = NDArray[np.float64]


def with_further(
    model: Model, n_obs: int, spread: Floats, found: tuple[Floats, ...]
) -> tuple[Floats, ...]:
    """Add what the study asks for to the estimates of a model.

    Parameters
    ----------
    model : Model
    n_obs : int
    spread : ndarray (n, methods, n_theta + 1, n_theta)
        See `hlm.kernels.stack.StackResults`.
    found : tuple of ndarray (n, methods, n_terms)
        `estimate`, `se`, `df`, `lower` and `upper` of the parameters.

    Returns
    -------
    tuple of ndarray (n, methods, n_terms + n_further)
    """
    columns = Columns.of_formula(parse(model.formula))
    n_stars = np.array([n_obs - len(columns.fixed) * (m == "reml") for m in model.methods])
    at = Parameters.of_estimates(found[0], columns)
    for one in further_of(columns, model.estimands):
        estimate, se = one.value(at), delta_method(one, at, spread, n_stars)
        lower, upper = _limits(one, model, (estimate, se), found)
        added = (estimate, se, np.full_like(se, np.nan), lower, upper)
        found = tuple(np.dstack(pair) for pair in zip(found, added, strict=True))
    return found


def delta_method(one: Estimand, at: Parameters, spread: Floats, n_star: Floats) -> Floats:
    """Return standard errors of a function of the variances, (...): sqrt(g' Cov g), g its gradient.

    Parameters
    ----------
    one : Estimand
    at : Parameters
    spread : ndarray (..., n_theta + 1, n_theta)
    n_star : ndarray (...)
        Rows, by REML less the coefficients.

    Returns
    -------
    ndarray (...)
        With eta the free elements of Psi and sigma^2, the root of 2 (g'eta)^2 / n* + 2 |S'g|^2.
    """
    row, col = np.array(one.columns.elements).T
    eta = np.concatenate([at.psi[..., row, col], at.sigma[..., None] ** 2], axis=-1)
    g = one.gradient(at)[..., len(one.columns.fixed) :]
    along = np.where(g == 0.0, 0.0, g * eta).sum(axis=-1)
    across = np.einsum("...u,...uk->...k", g, spread)
    return np.asarray(np.sqrt(2.0 * along**2 / n_star + 2.0 * (across**2).sum(axis=-1)))


def scale_of(one: Estimand, limits: LimitMethod) -> Scale:
    """Return the scale of the Wald limits of an estimand."""
    return one.variance_scale if limits == "wald-variance" else one.scale


def _limits(
    one: Estimand, model: Model, own: tuple[Floats, Floats], found: tuple[Floats, ...]
) -> tuple[Floats, Floats]:
    """Return limits: those of the parameter that it increases with, or else Wald's."""
    lower, upper = one.from_limits(found[3]), one.from_limits(found[4])
    if lower is not None and upper is not None:
        return lower, upper
    estimate, se = (array[..., None] for array in own)
    scales = [scale_of(one, model.limits)]
    wald = confidence_limits(estimate, se, np.full_like(se, np.nan), scales, model.level)
    return wald[0][..., 0], wald[1][..., 0]
