"""Profile likelihood limits of the random part for every data set of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.jit import entry, kernel
from hlm.kernels.basis import change_basis
from hlm.kernels.boundary import lower_factor
from hlm.kernels.elements import open_elements
from hlm.kernels.fit import CRITERION, OK, PARTLY_IDENTIFIED, STATUS, allocate_room
from hlm.kernels.held import COR, SD, SIGMA, allocate_search, hold
from hlm.kernels.limits import critical_value
from hlm.kernels.linalg import copy
from hlm.kernels.load import load
from hlm.kernels.problem import Problem, of_units
from hlm.kernels.profile import Sought, profile_limit
from hlm.kernels.stack import allocate_results, fit_stack
from hlm.kernels.units import allocate_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.kernels.cross import Design
    from hlm.kernels.inference import Parametrization

__all__ = ["Targets", "profile_limits", "profile_stack", "targets_of"]


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
        SD, COR or SIGMA; the first effect of the parameter's block.
    scale : ndarray (n_theta + 1,)
        An sd in the search is `scale` times the reported one.
    slant : ndarray (n_theta + 1,)
        Of a correlation: the second of its effects is, but for a factor, the second effect of the
        basis plus `slant` times the first.
    forward, backward : ndarray (n_theta + 1, q, q)
        Effects of the search from those of the fit, and Z of the search as Z* backward.
    """

    kind: NDArray[np.int64]
    first: NDArray[np.int64]
    scale: NDArray[np.float64]
    slant: NDArray[np.float64]
    forward: NDArray[np.float64]
    backward: NDArray[np.float64]


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


def profile_limits(
    cross: tuple[Floats, Floats, Floats, Floats],
    design: Design,
    parametrization: Parametrization,
    blocks: Sequence[int],
    n_obs: int,
    level: float,
    *,
    shared: bool,
) -> Floats:
    """Limits of the random part of every data set of a stack, by ML.

    Parameters
    ----------
    cross : tuple of ndarray
        Cross-products, as `fit_stack` takes them.
    design : Design
    parametrization : Parametrization
    blocks : sequence of int
        Sizes of the blocks of random effects.
    n_obs : int
    level : float
    shared : bool
        All units have one Z.

    Returns
    -------
    ndarray (n, 2, n_theta + 1)
        Lower and upper limits; NaN where there is no fit or a search failed.
    """
    row, fixed, random = parametrization.row, parametrization.fixed, parametrization.random
    n, n_theta, p, q, n_units = len(cross[2]), len(row), len(fixed), len(random), cross[1].shape[2]
    room = allocate_room(n_units, q, p, n_theta, shared=shared)
    fits = allocate_results(n, 1, p + n_theta + 1, q)
    limits = np.full((n, 2, n_theta + 1), np.nan)
    fit_stack((0,) * q, p, cross, design, parametrization, n_obs, np.array([False]), room, fits)
    is_open = np.zeros((n, n_theta + 1), dtype=bool)
    is_open[:, :-1] = open_elements(fits.estimate[:, 0, p:-1], blocks)
    profile_stack(
        (0,) * q,
        p,
        cross,
        design,
        parametrization,
        targets_of(parametrization, blocks),
        n_obs,
        float(critical_value(np.array([np.inf]), level)[0]),
        room,
        allocate_units(n_units, q, p, shared=shared),
        allocate_search(q, n_theta, room.state, room.work),
        fits,
        is_open,
        limits,
    )
    return limits


@entry
def profile_stack(
    axes, p, cross, design, parametrization, targets, n_obs, z, room, other, search, fits, is_open,
    limits,
):  # fmt: skip
    """Fill `limits` (n, 2, n_theta + 1), lower and upper, of what `fits` by ML do not leave open.

    The correlations come last: where an sd may be zero, none is excluded.
    """
    n = len(parametrization.row)
    for r in range(len(cross[2])):
        status = fits.summary[r, 0, STATUS]
        if status not in (OK, PARTLY_IDENTIFIED):
            continue
        load(axes, p, cross, r, design, room.units)
        copy(fits.Lambda[r, 0], room.Lambda)
        for step in range(2 * (n + 1)):
            k, of_correlations = step % (n + 1), step > n
            if (targets.kind[k] == COR) != of_correlations or is_open[r, k]:
                continue
            if of_correlations and may_vanish(k, parametrization, limits[r]):
                limits[r, 0, k], limits[r, 1, k] = -1.0, 1.0
            else:
                profile_parameter(
                    axes, p, k, parametrization, targets, n_obs, z, room, other, search,
                    fits.summary[r, 0, CRITERION], fits.estimate[r, 0, p:], fits.se[r, 0, p:],
                    limits[r],
                )  # fmt: skip


@kernel
def may_vanish(k, parametrization, limits):
    """Tell whether the lower limit of the sd of one of the two effects of correlation k is zero."""
    row, col = parametrization.row, parametrization.col
    for v in range(len(row)):
        of_either = row[v] == row[k] or row[v] == col[k]
        if row[v] == col[v] and of_either and limits[0, v] == 0.0:
            return True
    return False


@kernel
def profile_parameter(
    axes, p, k, parametrization, targets, n_obs, z, room, other, search,
    minimum, estimate, se, limits,
):  # fmt: skip
    """Fill both limits of parameter k."""
    q, work, sigma, scale = np.int64(len(axes)), room.work, estimate[-1], targets.scale[k]
    row, col, n = parametrization.row, parametrization.col, len(parametrization.row)
    problem = Problem(axes, p, row, col, room.units, n_obs, np.bool_(False))
    change_basis(problem, targets.backward[k], work.product, work.change_of_rows, other)
    rotated = of_units(problem, other)
    held = hold(rotated, targets.kind[k], targets.first[k], targets.slant[k])
    best = estimate[k] * scale
    unit = 1.0 if targets.kind[k] == COR else sigma
    for side in range(2):
        distance = (2.0 * side - 1.0) * z
        start_point(q, n, row, col, targets.forward[k], room.Lambda, sigma, work, search)
        guess = first_guess(held.kind, best, se[k] * scale, distance, sigma)
        limit = profile_limit(rotated, held, Sought(minimum, best, distance, unit), guess, search)
        limits[side, k] = limit / scale


@kernel
def start_point(q, n, row, col, forward, Lambda, sigma, work, search):
    """Write theta and log sigma of the fit, in the basis of the search, into `search.tau`."""
    lower, Psi = work.lower, work.Psi
    for a in range(q):
        for b in range(q):
            lower[a, b] = 0.0
            for k in range(q):
                lower[a, b] += forward[a, k] * Lambda[k, b]
    for a in range(q):
        for b in range(q):
            Psi[a, b] = 0.0
            for k in range(q):
                Psi[a, b] += lower[a, k] * lower[b, k]
    lower_factor(q, Psi)
    copy(Psi, search.Lambda)
    for k in range(n):
        search.tau[k] = Psi[row[k], col[k]]
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
