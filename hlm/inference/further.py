"""What models estimate besides their parameters: functions of these, errors by the delta method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.parameters import Parameters
from hlm.inference.registry import RANDOM_PART
from hlm.kernels.limits import confidence_limits

if TYPE_CHECKING:
    from hlm.estimands.kinds import Estimand
    from hlm.inference.fitted import Fitted

__all__ = ["by_delta_method", "limits_of"]

Floats = NDArray[np.float64]


def by_delta_method(one: Estimand, fitted: Fitted) -> tuple[Floats, Floats]:
    """Return a function of the variances, and its standard error: sqrt(g' Cov g), g its gradient.

    Parameters
    ----------
    one : Estimand
    fitted : Fitted
        With `spread` and `n_star`.

    Returns
    -------
    estimate, se : ndarray (...)
        With eta the free elements of Psi and sigma^2, and S the spread, the standard error is the
        root of 2 (g'eta)^2 / n* + 2 |S'g|^2.
    """
    if fitted.spread is None or fitted.n_star is None:
        raise ValueError("the fits have no spread of their variances")
    at = Parameters.of_estimates(fitted.estimate, one.terms)
    row, col = np.array(one.terms.elements).T
    eta = np.concatenate([at.psi[..., row, col], at.sigma[..., None] ** 2], axis=-1)
    g = one.gradient(at)[..., fitted.p :]
    along = np.where(g == 0.0, 0.0, g * eta).sum(axis=-1)
    across = np.matmul(g[..., None, :], fitted.spread)[..., 0, :]
    variance = 2.0 * along**2 / fitted.n_star + 2.0 * (across**2).sum(axis=-1)
    return one.value(at), np.asarray(np.sqrt(variance))


def limits_of(
    one: Estimand, inference: str, fitted: Fitted, limits: tuple[Floats, Floats], level: float
) -> tuple[Floats, Floats]:
    """Return limits, (...), by an inference of the random part, of which `limits` are the limits.

    Those of the parameter that the estimand increases with, or else Wald's.
    """
    lower, upper = (one.from_limits(side) for side in limits)
    if lower is not None and upper is not None:
        return lower, upper
    estimate, se = (values[..., None] for values in by_delta_method(one, fitted))
    scales = [RANDOM_PART[inference].scale_of(one)]
    wald = confidence_limits(estimate, se, np.full_like(se, np.nan), scales, level)
    return wald[0][..., 0], wald[1][..., 0]
