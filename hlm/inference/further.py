"""What models estimate besides their parameters: functions of these, errors by the delta method.

Linear combinations of the coefficients are inferred as coefficients are, by the F test that they
are 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.parameters import Parameters
from hlm.inference.registry import RANDOM_PART
from hlm.kernels.limits import confidence_limits

if TYPE_CHECKING:
    from hlm.estimands.functions import Contrast
    from hlm.estimands.kinds import Estimand
    from hlm.inference.fitted import Fitted, Inferred

__all__ = ["by_contrast", "by_delta_method", "limits_of"]

Floats = NDArray[np.float64]


def by_delta_method(one: Estimand, fitted: Fitted) -> tuple[Floats, Floats]:
    """Return a function of the parameters, and its standard error: sqrt(g' Cov g), g its gradient.

    Parameters
    ----------
    one : Estimand
    fitted : Fitted
        With `spread` and `n_star`; with `vcov` if it is a function of coefficients.

    Returns
    -------
    estimate, se : ndarray (...)
        With eta the free elements of Psi and sigma^2, and S the spread, the standard error is the
        root of 2 (g'eta)^2 / n* + 2 |S'g|^2. The coefficients, whose estimates do not depend on
        those of the variances in large samples, add h'Cov(beta)h, h the gradient in them.
    """
    if fitted.spread is None or fitted.n_star is None:
        raise ValueError("the fits have no spread of their variances")
    at = Parameters.of_estimates(fitted.estimate, one.terms)
    at = at._replace(population=fitted.population)
    row, col = np.array(one.terms.elements).T
    eta = np.concatenate([at.psi[..., row, col], at.sigma[..., None] ** 2], axis=-1)
    gradient = one.gradient(at)
    g = gradient[..., fitted.p :]
    along = np.where(g == 0.0, 0.0, g * eta).sum(axis=-1)
    across = np.matmul(g[..., None, :], fitted.spread)[..., 0, :]
    variance = 2.0 * along**2 / fitted.n_star + 2.0 * (across**2).sum(axis=-1)
    if "fixed" in one.parts:
        variance = variance + _of_coefficients(gradient[..., : fitted.p], fitted)
    return one.value(at), np.asarray(np.sqrt(variance))


def _of_coefficients(h: Floats, fitted: Fitted) -> Floats:
    """Return h'Cov(beta)h; of coefficients that do not count it may be unknown."""
    if fitted.vcov is None:
        raise ValueError("the fits have no covariance of their coefficients")
    products = h[..., :, None] * h[..., None, :]
    return np.asarray(np.where(products == 0.0, 0.0, products * fitted.vcov).sum(axis=(-2, -1)))


def by_contrast(
    one: Contrast, place: int, fitted: Fitted, inferred: Inferred
) -> tuple[Floats, Floats, Floats]:
    """Return a linear combination of coefficients, its standard error and degrees of freedom.

    Parameters
    ----------
    one : Contrast
    place : int
        Of its F test among those of `inferred`.
    fitted : Fitted
    inferred : Inferred

    Returns
    -------
    estimate, se, df : ndarray (...)
        Its F is (L b)^2 / (L V L') with V the inference's covariance, adjusted or not: so the
        standard error is |L b| / sqrt(F).
    """
    value = one.value(Parameters.of_estimates(fitted.estimate, one.terms))
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.abs(value - one.constant) / np.sqrt(inferred.F[..., place])
    return value, np.where(np.isfinite(se), se, np.nan), inferred.ddf[..., place]


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
    se = np.where(_is_on(scales[0], estimate), se, np.nan)
    wald = confidence_limits(estimate, se, np.full_like(se, np.nan), scales, level)
    return wald[0][..., 0], wald[1][..., 0]


def _is_on(scale: str, estimate: Floats) -> NDArray[np.bool_]:
    """Tell where the log or the logit of an estimate is."""
    if scale == "log":
        return estimate > 0.0
    return (estimate > 0.0) & (estimate < 1.0) if scale == "logit" else np.isfinite(estimate)
