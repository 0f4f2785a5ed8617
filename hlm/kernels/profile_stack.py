"""Profile likelihood limits of the random part, from a fit by ML."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.jit import kernel
from hlm.kernels.basis import change_basis
from hlm.kernels.boundary import lower_factor
from hlm.kernels.fit import CRITERION, OK, PARTLY_IDENTIFIED, STATUS
from hlm.kernels.held import COR, SD, SIGMA, Search, allocate_search, hold
from hlm.kernels.limits import critical_value
from hlm.kernels.problem import of_units
from hlm.kernels.profile import Sought, profile_limit
from hlm.kernels.units import Units, allocate_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.kernels.inference import Parametrization

__all__ = ["Profile", "Targets", "allocate_profile", "profile_fit", "profile_fit_of", "targets_of"]


Floats = NDArray[np.float64]


FAR_GUESS = 1.5
"""The first guess of a limit is at most this far from the sd on the log scale, or from the
correlation on the arctanh scale ..."""

NEAR_PERFECT = 0.98
"""... which is taken as no larger than this where it has no standard error."""

GUESS_AT_ZERO = 0.3
"""First guess of the upper limit of an sd of zero, in units of sigma."""


class Targets(NamedTuple):
    """The parameters of the random part and the orthonormal bases in which each comes first.

    Attributes
    ----------
    kind, first : ndarray of int (n_theta + 1,)
        SD, COR or SIGMA; the first effect of the parameter's block. In the order of theta, sigma
        last, as all that follows.
    scale : ndarray (n_theta + 1,)
        An sd in the search is `scale` times the reported one.
    slant : ndarray (n_theta + 1,)
        Of a correlation: the second of its effects is, but for a factor, the second effect of the
        basis plus `slant` times the first.
    forward, backward : ndarray (n_theta + 1, q, q)
        F, effects of the search from those of the fit, and F^{-1}: Z of the search is Z* F^{-1}.
    """

    kind: NDArray[np.int64]
    first: NDArray[np.int64]
    scale: NDArray[np.float64]
    slant: NDArray[np.float64]
    forward: NDArray[np.float64]
    backward: NDArray[np.float64]


class Profile(NamedTuple):
    """What the profile of one model needs.

    Attributes
    ----------
    method : int
        The place of ML among the methods of the fits; -1 if no limits are wanted.
    z : float
        Where the limits are, in roots of the deviance.
    targets : Targets
        The parameters, and the basis of the search for each.
    other : Units
        The data set in the basis of a search.
    search : Search
        Memory of the search for one limit after another.
    """

    method: int
    z: float
    targets: Targets
    other: Units
    search: Search


def targets_of(parametrization: Parametrization, blocks: Sequence[int]) -> Targets:
    """Return the targets of a model whose blocks have these sizes."""
    row, col, random = parametrization.row, parametrization.col, parametrization.random
    n, q = len(row), len(random)
    starts, sizes = np.repeat(np.cumsum([0, *blocks[:-1]]), blocks), np.repeat(blocks, blocks)
    forward, scale, slant = np.tile(np.eye(q), (n + 1, 1, 1)), np.ones(n + 1), np.zeros(n + 1)
    for k, (a, b) in enumerate(zip(row, col, strict=True)):
        block = slice(starts[a], starts[a] + sizes[a])
        leading = random[[a] if a == b else [b, a], block]
        length = np.linalg.norm(leading, axis=1)
        leading /= length[:, None]
        if a != b:
            leading[1], slant[k] = _across(*leading)
        forward[k, block, block] = _complete(leading)
        scale[k] = 1.0 / length[0] if a == b else 1.0
    return Targets(
        np.array([*np.where(row == col, SD, COR), SIGMA]),
        np.append(starts[row], 0),
        scale,
        slant,
        forward,
        np.asarray(np.linalg.inv(forward), dtype=np.float64),
    )


def _across(first: Floats, second: Floats) -> tuple[Floats, float]:
    """Return what is orthogonal in the second unit vector, and the first's share over its own."""
    rest = second - (second @ first) * first
    rest -= (rest @ first) * first
    length = float(np.linalg.norm(rest))
    return rest / length, float(second @ first) / length


def _complete(rows: Floats) -> Floats:
    """Append orthonormal rows: a well-conditioned basis (k, k) however far columns are from 0."""
    orthogonal, _ = np.linalg.qr(rows.T, mode="complete")
    return np.vstack([rows, orthogonal[:, len(rows) :].T])


def allocate_profile(
    parametrization: Parametrization,
    blocks: Sequence[int],
    n_units: int,
    level: float,
    *,
    method: int,
    shared: bool,
) -> Profile:
    """Return what the profile of a model needs.

    Parameters
    ----------
    parametrization : Parametrization
    blocks : sequence of int
        Sizes of the blocks of random effects.
    n_units : int
    level : float
        Confidence level of the limits.
    method : int
        The place of ML among the methods by which data sets are fitted; -1 for no limits.
    shared : bool
        All units have one Z.
    """
    p, q = len(parametrization.fixed), len(parametrization.random)
    return Profile(
        method,
        float(critical_value(np.array([np.inf]), level)[0]),
        targets_of(parametrization, blocks),
        allocate_units(n_units, q, p, shared=shared),
        allocate_search(n_units, q, p, len(parametrization.row), shared=shared),
    )


@kernel
def profile_fit_of(problem, parametrization, fit, profile, limits, r, method):
    """Fill the limits (2, n_theta + 1) of data set r if the fit is by ML.

    Numba leaves the rest out where the argument `profile` is None, but not where a field is.
    """
    if profile is None:
        return
    if method == profile.method:
        profile_fit(problem, parametrization, fit, profile, limits[r])


@kernel
def profile_fit(problem, parametrization, fit, profile, limits):
    """Fill `limits` (2, n_theta + 1), lower and upper, of what the fit by ML does not leave open.

    The correlations come last: where an sd may be zero, none is excluded.
    """
    n, status = len(problem.row), fit.summary[STATUS]
    if status not in (OK, PARTLY_IDENTIFIED):
        return
    estimate, kind = fit.estimates.estimate[problem.p :], profile.targets.kind
    # All parameters k twice: sds and sigma, then correlations
    for step in range(2 * (n + 1)):
        k, of_correlations = step % (n + 1), step > n
        if (kind[k] == COR) != of_correlations or is_open(k, parametrization, estimate):
            continue
        if of_correlations and may_vanish(k, parametrization, limits):
            limits[0, k], limits[1, k] = -1.0, 1.0
        else:
            profile_parameter(problem, k, fit, profile, limits)


@kernel
def is_open(k, parametrization, estimate):
    """Tell whether the data leave parameter k open, as `elements.open_elements` does; sigma not."""
    row, col, n = parametrization.row, parametrization.col, len(parametrization.row)
    if k == n or not np.isnan(estimate[k]):
        return False
    product = 1.0
    if row[k] != col[k]:
        # sd_a sd_b of correlation (a, b)
        for v in range(n):
            if row[v] == col[v] and (row[v] == row[k] or row[v] == col[k]):
                product *= estimate[v]
    return product != 0.0


@kernel
def may_vanish(k, parametrization, limits):
    """Tell whether the lower limit of the sd of one of the two effects of correlation k is zero."""
    row, col = parametrization.row, parametrization.col
    # The sds of effects a and b of correlation (a, b)
    for v in range(len(row)):
        of_either = row[v] == row[k] or row[v] == col[k]
        if row[v] == col[v] and of_either and limits[0, v] == 0.0:
            return True
    return False


@kernel
def profile_parameter(problem, k, fit, profile, limits):
    """Fill both limits of parameter k."""
    p, targets, search = problem.p, profile.targets, profile.search
    kind, scale = targets.kind[k], targets.scale[k]
    estimate, se, sigma = (
        fit.estimates.estimate, fit.estimates.se, fit.estimates.estimate[-1],
    )  # fmt: skip
    best, best_se = estimate[p + k] * scale, se[p + k] * scale
    change_basis(problem, targets.backward[k], search.basis, profile.other)
    rotated = of_units(problem, profile.other)
    held = hold(rotated, kind, targets.first[k], targets.slant[k])
    unit = 1.0 if kind == COR else sigma
    # The lower limit, zeta = -z, then the upper one, zeta = z
    for side in range(2):
        z = (2.0 * side - 1.0) * profile.z
        start_point(rotated, targets.forward[k], fit.Lambda, sigma, search)
        guess = first_guess(kind, best, best_se, z, sigma)
        sought = Sought(fit.summary[CRITERION], best, z, unit)
        limits[side, k] = profile_limit(rotated, held, sought, guess, search) / scale


@kernel
def start_point(problem, forward, Lambda, sigma, search):
    """Write theta and log sigma of the fit, in the basis of the search, into `search.tau`."""
    q, n = np.int64(len(problem.effects)), len(problem.row)
    lower, Psi = search.lower, search.Psi
    # forward Lambda, a factor of Psi in the other basis
    for a in range(q):
        for b in range(q):
            lower[a, b] = 0.0
            for k in range(q):
                lower[a, b] += forward[a, k] * Lambda[k, b]
    # Psi = (forward Lambda)(forward Lambda)', then its Cholesky factor
    for a in range(q):
        for b in range(q):
            Psi[a, b] = 0.0
            for k in range(q):
                Psi[a, b] += lower[a, k] * lower[b, k]
    lower_factor(q, Psi)
    # theta
    for k in range(n):
        search.tau[k] = Psi[problem.row[k], problem.col[k]]
    search.tau[n] = np.log(sigma)


@kernel
def first_guess(kind, best, se, distance, sigma):
    """Wald's limit on the log or atanh scale; near the boundary a step inside."""
    if kind == COR:
        rho, step = best, np.copysign(FAR_GUESS, distance)
        if np.isfinite(se):
            step = max(min(distance * se / (1.0 - rho * rho), FAR_GUESS), -FAR_GUESS)
        else:
            rho = max(min(best, NEAR_PERFECT), -NEAR_PERFECT)
        return np.tanh(np.arctanh(rho) + step)
    if best > 0.0 and np.isfinite(se):
        return best * np.exp(max(min(distance * se / best, FAR_GUESS), -FAR_GUESS))
    return GUESS_AT_ZERO * sigma
