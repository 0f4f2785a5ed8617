r"""Profile likelihood limits of coefficients, from a fit by ML.

With the coefficient b = l'b* held at t, b* = N g + t d for d = l / l'l and N an orthonormal basis
of what is orthogonal to l: the model of y - t X* d with the columns X* N, one less. So the smallest
deviance dev(t) among all models with that value is the fit of a smaller model, by the search of
every fit, and the limits are where it exceeds the minimum by z^2.

At fixed Psi the deviance is a function of r^2(t) = r^2 + (t - b)^2 / T, where b, r^2 are those of
the whole model there and T = l'S_xx^{-1}l; where it is smallest its derivative is the profile's,

    d dev / dt = 2 N (t - b) / (T r^2(t)),

so zeta = sign(t - b) sqrt(dev - min), nearly linear in t, goes to z by Newton's method, between
points inside and outside. The first t is the limit if Psi stays as it is:
t = b + sign(z) sqrt(T r^2 (exp(z^2 / N) - 1)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.criterion import State, allocate_state, evaluate
from hlm.kernels.fit import CRITERION, OK, PARTLY_IDENTIFIED, STATUS
from hlm.kernels.limits import critical_value
from hlm.kernels.linalg import copy, solve_lower
from hlm.kernels.minimum import CONVERGED, Work, allocate_work, minimize
from hlm.kernels.problem import Problem
from hlm.kernels.units import Units, allocate_units

if TYPE_CHECKING:
    from hlm.kernels.inference import Parametrization

__all__ = ["HeldCoefficient", "allocate_held_coefficient", "coefficient_limits", "limits_of_fit"]

ZETA_TOLERANCE = 1e-8
"""A limit is found when zeta is this near to its target."""

BRACKET_TOLERANCE = 1e-14
"""Or when the points around it are this near to each other, as a share of their distance from the
estimate."""

MAX_VALUES = 60
"""Values of the coefficient that are tried; the usual number is 3 or 4."""


class HeldCoefficient(NamedTuple):
    """What the profile of a model's coefficients needs.

    Attributes
    ----------
    method : int
        The place of ML among the methods of the fits; -1 if no limits are wanted.
    z : float
        Where the limits are, in roots of the deviance.
    directions : ndarray (p, p, p)
        [N d] of each coefficient.
    change, product : ndarray (p + 1, p), (p + 1, p)
        M, with [X* y] M = [X* N, y - t X* d]; a product of M's.
    units : Units
        The data set with one column less.
    state, work : State, Work
        Memory of its search.
    whole : State
        The criterion of the whole model.
    Lambda : ndarray (q, q)
        Where the search is.
    row : ndarray (p,)
        l, then L_s^{-1} l.
    """

    method: int
    z: float
    directions: np.ndarray
    change: np.ndarray
    product: np.ndarray
    units: Units
    state: State
    work: Work
    whole: State
    Lambda: np.ndarray
    row: np.ndarray


def allocate_held_coefficient(
    parametrization: Parametrization, n_units: int, level: float, *, method: int, shared: bool
) -> HeldCoefficient:
    """Return what the profile of a model's coefficients needs.

    Parameters
    ----------
    parametrization : Parametrization
    n_units : int
    level : float
        Confidence level of the limits.
    method : int
        The place of ML among the methods by which data sets are fitted; -1 for no limits.
    shared : bool
        All units have one Z.
    """
    p, q = len(parametrization.fixed), len(parametrization.random)
    n_theta = len(parametrization.row)
    directions = np.zeros((p, p, p))
    for j, row in enumerate(parametrization.fixed):
        orthogonal, _ = np.linalg.qr(row[:, None], mode="complete")
        directions[j, :, :-1], directions[j, :, -1] = orthogonal[:, 1:], row / (row @ row)
    return HeldCoefficient(
        method,
        float(critical_value(np.array([np.inf]), level)[0]),
        directions,
        np.zeros((p + 1, p)),
        np.zeros((p + 1, p)),
        allocate_units(n_units, q, p - 1, shared=shared),
        allocate_state(n_units, q, p - 1, n_theta, shared=shared),
        allocate_work(q, n_theta),
        allocate_state(n_units, q, p, n_theta, shared=shared),
        np.zeros((q, q)),
        np.zeros(p),
    )


@kernel
def limits_of_fit(problem, parametrization, fit, held, limits, r, method):
    """Fill the limits (2, p) of data set r if the fit is by ML; see `profile_stack`."""
    if held is None:
        return
    if method == held.method:
        coefficient_limits(problem, parametrization, fit, held, limits[r])


@kernel
def coefficient_limits(problem, parametrization, fit, held, limits):
    """Fill `limits` (2, p), lower and upper, of the coefficients, from the fit by ML."""
    if fit.summary[STATUS] not in (OK, PARTLY_IDENTIFIED):
        return
    # The lower limit, zeta = -z, then the upper one, zeta = z
    for j in range(problem.p):
        for side in range(2):
            z = (2.0 * side - 1.0) * held.z
            limits[side, j] = fit.estimates.estimate[j] + distance(
                problem, parametrization.fixed[j], j, z, fit, held
            )


@kernel
def distance(problem, row, j, z, fit, held):
    """Return how far from its estimate coefficient j has zeta = z; NaN if the search fails."""
    minimum, n_obs, sign = fit.summary[CRITERION], problem.n_obs, 1.0 if z > 0.0 else -1.0
    copy(fit.Lambda, held.Lambda)
    best, spread, r2 = at_lambda(problem, row, held)
    # Inside and outside are distances from the estimate; so is `far`, t less the estimate
    inside, outside = 0.0, sign * np.inf
    far = sign * np.sqrt(spread * r2 * np.expm1(z * z / n_obs))
    anew = np.bool_(False)
    # Newton's step in t towards zeta = z, or the middle of (inside, outside)
    for _ in range(MAX_VALUES):
        if not min(inside, outside) < far < max(inside, outside):
            far = 0.5 * (inside + outside) if np.isfinite(outside) else 2.0 * inside
        hold_coefficient(problem, held.directions[j], best + far, held)
        deviance = smallest_deviance(problem, anew, held)
        zeta = sign * np.sqrt(max(deviance - minimum, 0.0))
        if not abs(zeta - z) >= ZETA_TOLERANCE or not np.isfinite(zeta):
            # Found, or lost: the starts of a fit decide
            if anew:
                return far if np.isfinite(zeta) else np.nan
            anew = np.bool_(True)
            continue
        if abs(zeta) < abs(z):
            inside = far
        else:
            outside = far
        if abs(inside - outside) <= BRACKET_TOLERANCE * abs(far):
            return far
        estimate, spread, r2 = at_lambda(problem, row, held)
        off = best + far - estimate
        slope = 2.0 * n_obs * off / (spread * r2 + off * off)
        far += (z - zeta) * 2.0 * zeta / slope if slope != 0.0 else sign * np.inf
    return np.nan


@kernel
def at_lambda(problem, row, held):
    """Return b, T and r^2 of the whole model at Lambda."""
    whole, scaled = held.whole, held.row
    evaluate(problem, held.Lambda, whole)
    estimate, spread = 0.0, 0.0
    # b = l'beta
    for k in range(problem.p):
        estimate += row[k] * whole.beta[k]
        scaled[k] = row[k]
    solve_lower(whole.Ls, problem.p, scaled)
    # T = |L_s^{-1} l|^2
    for k in range(problem.p):
        spread += scaled[k] * scaled[k]
    return estimate, spread, whole.r2[0]


@kernel
def smallest_deviance(problem, anew, held):
    """Return the smallest deviance of the smaller model, inf if there is none; Lambda is its.

    The search goes on from Lambda or, if `anew`, has the starts of a fit.
    """
    smaller = Problem(
        problem.effects,
        problem.p - 1,
        problem.row,
        problem.col,
        held.units,
        problem.n_obs,
        np.bool_(False),
    )
    status, _, deviance = minimize(smaller, held.Lambda, held.state, held.work, anew)
    return deviance if status == CONVERGED else np.inf


@kernel
def hold_coefficient(problem, direction, t, held):
    """Write the data set of y - t X* d and X* N into `held.units`."""
    p, old, new = problem.p, problem.units, held.units
    q, M = np.int64(len(problem.effects)), held.change
    M[:] = 0.0
    # M = [N, -t d; 0, 1]
    for j in range(p):
        for k in range(p - 1):
            M[j, k] = direction[j, k]
        M[j, p - 1] = -t * direction[j, p - 1]
    M[p, p - 1] = 1.0
    # R_i as it is
    for i in range(old.Rt.shape[0]):
        copy(old.Rt[i], new.Rt[i])
    if old.shared:
        # Of sum_i rows_i[a]'rows_i[b]: M'( )M
        for v in range(q * (q + 1) // 2):
            between(p, M, old.moments[v], held.product, new.moments[v])
    else:
        # [b_i c_i] M
        for i in range(old.rows.shape[0]):
            for a in range(q):
                for k in range(p):
                    element = 0.0
                    for j in range(p + 1):
                        element += old.rows[i, a, j] * M[j, k]
                    new.rows[i, a, k] = element
    between(p, M, old.within, held.product, new.within)


@kernel
def between(p, M, A, product, out):
    """Write M'A M, (p, p), A symmetric."""
    # A M
    for j in range(p + 1):
        for k in range(p):
            element = 0.0
            for m in range(p + 1):
                element += A[j, m] * M[m, k]
            product[j, k] = element
    # M'(A M)
    for j in range(p):
        for k in range(j + 1):
            element = 0.0
            for m in range(p + 1):
                element += M[m, j] * product[m, k]
            out[j, k] = element
            out[k, j] = element
