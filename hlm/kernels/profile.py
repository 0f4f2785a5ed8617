r"""Profile likelihood limits of the random part: sds, correlations and sigma.

For a parameter t the profile deviance is the smallest ML deviance among all models with that value
of t (`held`); the limits are where it exceeds the minimum by z^2. In x = log t of an sd or arctanh
t of a correlation and the free parameters f, with s = H_xx - H_xf H_ff^{-1} H_fx,

    dev(x + d, best f) ~ lowest + a d + s d^2 / 2,
    lowest = dev - g_f'H_ff^{-1}g_f / 2,   a = g_x - H_xf H_ff^{-1} g_f,

and `follow` goes with both at once to where zeta = sign sqrt(lowest - min), which is nearly linear
in x, is z: Newton's method for the equations of Venzon & Moolgavkar (1988). Where that fails, most
often because the data do not exclude the boundary, this is looked at, `follow` starts from another
t; and at last `bracket` minimizes over f at one t after another.

The profile can have two branches, with covariances of either sign: a limit counts only if the other
branch does no better there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.held import (
    COR,
    SIGMA,
    constrain,
    derive,
    deviance_at,
    free_directions,
    minimize_free,
    mirror,
    partial,
    project,
)
from hlm.kernels.linalg import cholesky, copy, copy_vector, solve_lower, solve_upper
from hlm.kernels.newton import POSITIVE_TOLERANCE

__all__ = ["Sought", "profile_limit"]

ZETA_TOLERANCE = 1e-7
"""A limit is found when zeta is this near to its target."""

BRACKET_TOLERANCE = 1e-12
"""Or when the points around it are this near to each other: a share of an sd or, near a perfect
correlation, of 1 - t^2."""

NEAR_EDGE = 0.02
"""Within this share of the way to the edge of its range, the edge itself is looked at."""

FIRST_STEP = 1e-3
"""Beyond twice an sd whose limit is still outside, in units of sigma; an sd may be zero."""

ROUNDING = 1e-15
"""A correlation this near to 1 or -1 cannot be told from it."""

MAX_OUTER = 60
"""Values of the parameter that are tried."""

MAX_FOLLOWED = 10
"""Newton steps in all parameters at once; the usual number is 3 to 5."""

CLOSE = 1e-4
"""From where zeta is this near to its target, one more of these steps is the last."""

LONGEST = 1.5
"""Longest of these steps in the log of an sd or the arctanh of a correlation."""


class Sought(NamedTuple):
    """The limit that is looked for.

    Attributes
    ----------
    minimum : float
        The deviance at its minimum.
    best : float
        The parameter there.
    z : float
        What zeta is at the limit, negative for a lower one.
    unit : float
        Sigma or, for a correlation, 1.
    """

    minimum: float
    best: float
    z: float
    unit: float


@kernel
def profile_limit(problem, held, sought, guess, search):
    """Find where zeta reaches `sought.z`.

    The problem is one by ML; `search.tau` holds the point of the minimum on entry, and `guess` is a
    first limit. Return the limit: 0, -1 or 1 where the data do not exclude the boundary, NaN if the
    search fails.
    """
    stay, away = np.bool_(False), np.bool_(True)
    minimum, best, z = sought.minimum, sought.best, sought.z
    bound = edge(held.kind, z)
    if abs(best - bound) < ROUNDING * sought.unit:
        return bound
    copy_vector(search.tau, search.start)
    t = follow(problem, held, sought, best, search)
    if not np.isfinite(t):
        if abs(guess - bound) < abs(guess - best):
            copy_vector(search.start, search.tau)
            at_bound = minimize_free(problem, held, bound, stay, search)
            if at_bound - minimum <= z * z:
                return bound
        copy_vector(search.start, search.tau)
        minimize_free(problem, held, guess, stay, search)
        t = follow(problem, held, sought, guess, search)
    if not np.isfinite(t):
        copy_vector(search.start, search.tau)
        return bracket(problem, held, sought, best, guess, search)
    if mirror(problem, held, search):
        other = minimize_free(problem, held, t, away, search)
        if other < minimum + (abs(z) - ZETA_TOLERANCE) ** 2:
            return bracket(problem, held, sought, t, bound, search)
    return t


@kernel
def follow(problem, held, sought, t, search):
    """Go from t, the minimum or not, to the limit in all parameters at once; NaN if that fails."""
    kind, minimum, best, z = held.kind, sought.minimum, sought.best, sought.z
    n, tau, factor, along = len(problem.row), search.tau, search.factor, search.along
    zeta, sign = 0.0, 1.0 if z > 0.0 else -1.0
    # Newton's step in x towards zeta = z, and in the free parameters f with it
    for _ in range(MAX_FOLLOWED):
        deviance = deviance_at(problem, tau, search)
        if not np.isfinite(deviance):
            return np.nan
        derive(problem, search)
        count = free_directions(problem, held, t, tau, search.free)
        project(problem, held, t, count, count + 1, search)
        copy(search.reduced, factor)
        copy_vector(search.projected, along)
        if cholesky(factor, count, POSITIVE_TOLERANCE) < count:
            return np.nan
        # H_ff = LL'; along = L^{-1} g_f, then g_x; cross = L^{-1} H_fx, then H_xx
        cross = factor[count]
        solve_lower(factor, count, along)
        solve_lower(factor, count, cross)
        decrement, slope, curvature = 0.0, along[count], factor[count, count]
        # g_f'H_ff^{-1}g_f, a = g_x - H_xf H_ff^{-1} g_f, s = H_xx - H_xf H_ff^{-1} H_fx
        for f in range(count):
            decrement += along[f] * along[f]
            slope -= cross[f] * along[f]
            curvature -= cross[f] * cross[f]
        if t == best:
            change = z * np.sqrt(2.0 / curvature) if curvature > 0.0 else np.inf
        else:
            lowest = deviance - 0.5 * decrement - minimum
            if not (lowest > 0.0 and slope * sign > 0.0):
                return np.nan
            zeta = sign * np.sqrt(lowest)
            change = (z - zeta) * 2.0 * zeta / slope
        if not abs(change) < LONGEST:
            return np.nan
        # along = -H_ff^{-1} (g_f + H_fx d)
        for f in range(count):
            along[f] = -along[f] - cross[f] * change
        solve_upper(factor, count, along)
        # tau += C along
        for k in range(n + 1):
            for f in range(count):
                tau[k] += search.free[k, f] * along[f]
        t = np.tanh(np.arctanh(t) + change) if kind == COR else t * np.exp(change)
        constrain(problem, held, t, tau)
        if abs(z - zeta) < CLOSE and decrement < CLOSE * CLOSE:
            return np.nan if is_near(kind, t, best, z) else t
    return np.nan


@kernel
def bracket(problem, held, sought, inside, t, search):
    """Find the limit from t on, the parameter being inside the limits at `inside`."""
    kind, minimum, best, z, unit = (
        held.kind, sought.minimum, sought.best, sought.z, sought.unit,
    )  # fmt: skip
    sign = 1.0 if z > 0.0 else -1.0
    stay, away = np.bool_(False), np.bool_(True)
    bound = edge(kind, z)
    outside = bound
    bounded, mirrored = False, False
    # Newton's step in t towards zeta = z, or the middle of (inside, outside)
    for _ in range(MAX_OUTER):
        if not (min(inside, outside) < t < max(inside, outside)):
            t = (
                0.5 * (inside + outside)
                if np.isfinite(outside)
                else 2.0 * inside + FIRST_STEP * unit
            )
        if is_near(kind, t, best, z) and not bounded:
            bounded = True
            at_bound = minimize_free(problem, held, bound, stay, search)
            if not np.isfinite(at_bound) or at_bound - minimum <= z * z:
                return bound
        deviance = minimize_free(problem, held, t, stay, search)
        if not np.isfinite(deviance):
            return np.nan
        zeta = sign * np.sqrt(max(deviance - minimum, 0.0))
        if abs(zeta - z) < ZETA_TOLERANCE:
            if mirrored or not mirror(problem, held, search):
                return t
            mirrored = True
            other = minimize_free(problem, held, t, away, search)
            zeta = sign * np.sqrt(max(other - minimum, 0.0))
            if not abs(zeta) < abs(z) - ZETA_TOLERANCE:
                return t
        if abs(zeta) < abs(z):
            inside = t
        else:
            outside = t
        slope = partial(problem, held, t, search)
        change = (z - zeta) * 2.0 * zeta / slope if slope != 0.0 else np.inf
        width = (1.0 - t * t) if kind == COR else unit + abs(t)
        if abs(inside - outside) <= max(BRACKET_TOLERANCE * width, ROUNDING * abs(t)):
            return t
        t = t + change
    return np.nan


@kernel
def is_near(kind, t, best, z):
    """Tell whether t is near the edge of its range, so that the edge itself is to be tried."""
    bound = edge(kind, z)
    near = np.isfinite(bound) and abs(t - bound) < NEAR_EDGE * abs(best - bound)
    return near and kind != SIGMA


@kernel
def edge(kind, z):
    """Return the boundary of the parameter's range in the direction of z."""
    if kind == COR:
        return 1.0 if z > 0.0 else -1.0
    return np.inf if z > 0.0 else 0.0
