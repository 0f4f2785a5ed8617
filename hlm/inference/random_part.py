"""Inferences of the random part: limits by Wald on either scale, by profile, by bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.inference.coefficients import bootstrap_of
from hlm.kernels.limits import confidence_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.inference.fitted import Fitted

__all__ = ["percentile", "profile", "wald", "wald_variance"]

Floats = NDArray[np.float64]


def wald(fitted: Fitted, level: float) -> tuple[Floats, Floats]:
    """Return Wald limits by the normal: of the log of an sd, of the atanh of a correlation."""
    return _wald(fitted, level, [one.scale for one in fitted.parameters])


def wald_variance(fitted: Fitted, level: float) -> tuple[Floats, Floats]:
    """Return Wald limits by the normal: of variances, at least 0, and of correlations."""
    return _wald(fitted, level, [one.variance_scale for one in fitted.parameters])


def profile(fitted: Fitted, level: float) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Return the limits by profile likelihood, made at the level when the fit was there."""
    if fitted.profile is None:
        raise ValueError("the fits have no profile likelihood limits")
    return fitted.profile[..., 0, :], fitted.profile[..., 1, :]


def percentile(fitted: Fitted, level: float) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Return the percentiles of the bootstrap, made at the level when the fit was there."""
    limits = bootstrap_of(fitted).limits[..., fitted.p :]
    return limits[..., 0, :], limits[..., 1, :]


def _wald(fitted: Fitted, level: float, scales: Sequence[str]) -> tuple[Floats, Floats]:
    p = fitted.p
    estimate, se = fitted.estimate[..., p:], fitted.se[..., p:]
    return confidence_limits(estimate, se, np.full(estimate.shape, np.nan), scales[p:], level)
