r"""Profile likelihood limits of the random part: sds, correlations and sigma.

For a parameter t the profile deviance is the smallest ML deviance among all models with that value
of t (`held`); the limits are where it exceeds the minimum by z^2. The profile's own derivative is
the partial one (envelope theorem), so Newton's method on zeta(t) = sign sqrt(dev(t) - min) finds
them.

The profile can have two branches, with covariances of either sign: a limit counts only if the other
branch does no better there.
"""

from __future__ import annotations

import numpy as np

from hlm.engine.held import COR, SIGMA, minimize_free, mirror, partial
from hlm.jit import kernel

__all__ = ["profile_limit"]

ZETA_TOLERANCE = 1e-7
"""A limit is found when zeta is this near to its target."""

BRACKET_TOLERANCE = 1e-12
"""Or when the points around it are this near to each other."""

NEAR_EDGE = 0.02
"""Within this share of the way to the edge of its range, the edge itself is tried."""

FIRST_STEP = 1e-3
"""Beyond twice an sd whose limit is still outside; an sd may be zero."""

BOUNDARY_TOLERANCE = 1e-12
"""An estimate this near to the edge of its range is on it."""

MAX_OUTER = 60
"""Values of the parameter that are tried."""


@kernel
def profile_limit(
    axes, p, units, n_obs, row, col, kind, first, minimum, best, guess, z, state, work, search
):
    """Find where zeta reaches `z` (negative for a lower limit).

    `search.tau` holds the point of the minimum on entry, where the parameter is `best`; `first` is
    the number of the first effect of the parameter's block, `guess` a first limit. Return the
    limit: 0, -1 or 1 where the data do not exclude the boundary, NaN if the search fails.
    """
    sign = 1.0 if z > 0.0 else -1.0
    inside, outside = best, edge(kind, sign)
    bound = outside
    t = guess
    bounded, mirrored = False, False
    if abs(best - bound) < BOUNDARY_TOLERANCE:
        return bound
    for _ in range(MAX_OUTER):
        if not (min(inside, outside) < t < max(inside, outside)):
            t = 0.5 * (inside + outside) if np.isfinite(outside) else 2.0 * inside + FIRST_STEP
        near_bound = np.isfinite(bound) and abs(t - bound) < NEAR_EDGE * abs(best - bound)
        if near_bound and not bounded and kind != SIGMA:
            bounded = True
            at_bound = minimize_free(
                axes, p, units, n_obs, row, col, kind, first, bound, state, work, search
            )
            if not np.isfinite(at_bound) or at_bound - minimum <= z * z:
                return bound
        deviance = minimize_free(
            axes, p, units, n_obs, row, col, kind, first, t, state, work, search
        )
        if not np.isfinite(deviance):
            return np.nan
        zeta = sign * np.sqrt(max(deviance - minimum, 0.0))
        if abs(zeta - z) < ZETA_TOLERANCE:
            if mirrored or not mirror(row, col, kind, first, search.tau):
                return t
            mirrored = True
            other = minimize_free(
                axes, p, units, n_obs, row, col, kind, first, t, state, work, search
            )
            zeta = sign * np.sqrt(max(other - minimum, 0.0))
            if not abs(zeta) < abs(z) - ZETA_TOLERANCE:
                return t
        if abs(zeta) < abs(z):
            inside = t
        else:
            outside = t
        slope = partial(row, col, kind, first, t, search)
        change = (z - zeta) * 2.0 * zeta / slope if slope != 0.0 else np.inf
        if abs(inside - outside) < BRACKET_TOLERANCE * (1.0 + abs(t)):
            return t
        t = t + change
    return np.nan


@kernel
def edge(kind, sign):
    """Return the boundary of the parameter's range in a direction."""
    if kind == COR:
        return sign
    return np.inf if sign > 0.0 else 0.0
