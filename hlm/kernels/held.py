r"""The ML deviance minimized with one parameter of the random part held.

The random effects are ordered so that the parameter t concerns the first rows of their block of
Lambda, and every other parameter stays free:

    sd of effect 1:              Lambda_11 = t / sigma
    correlation of effects 1, 2: Lambda_21 + r Lambda_11 = t w, Lambda_22 = sqrt(1 - t^2) w, w free
    residual sd:                 sigma = t

The effects of the search are orthonormal, and those of the formula need not be: the correlation is
that of effect 1 and of effect 2 plus r times effect 1, r the `slant`. It is large where a covariate
is far from zero and the intercept there is all but a multiple of its slope.

Newton's method, with the Hessian's eigenvalues made positive, finds the free parameters. Where
Lambda has a zero column the deviance is stationary, minimum or not: no search starts there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.basis import BasisChange, allocate_basis
from hlm.kernels.criterion import State, allocate_state
from hlm.kernels.joint import joint_derivatives, joint_deviance
from hlm.kernels.linalg import cholesky, copy_vector, eigh_jacobi, solve_lower, solve_upper
from hlm.kernels.newton import (
    MAX_HALVINGS,
    MAX_STEP,
    POSITIVE_TOLERANCE,
    SUFFICIENT_DECREASE,
    ThetaDerivatives,
    allocate_theta,
)
from hlm.kernels.order import SKEW

__all__ = [
    "COR",
    "INNER_DECREMENT",
    "SD",
    "SIGMA",
    "Held",
    "Search",
    "allocate_search",
    "constrain",
    "derive",
    "deviance_at",
    "free_directions",
    "hold",
    "minimize_free",
    "mirror",
    "partial",
    "project",
]

SD, COR, SIGMA = 0, 1, 2
"""What is held."""

INNER_DECREMENT = 1e-10
"""The free parameters are found when the decrement falls below this."""

ROUNDING = 1e-11
"""A rise of the deviance within this share of it is rounding error."""

CURVATURE_FLOOR = 1e-8
"""Eigenvalues of the free parameters' Hessian are at least this share of the largest."""

SADDLE_STEP = 0.05
"""The diagonal elements of Lambda start at least so far from zero."""

VANISHED = 1e-4
"""A search with a correlation held ends where an element of Lambda that makes one of its sds is
below this: there the correlation is not defined, and no limit of it is sought where that may be."""

MAX_INNER = 300
"""Newton steps at one value of the parameter; the usual number is 2 to 6."""


class Held(NamedTuple):
    """The parameter that is held.

    Attributes
    ----------
    kind : int
        `SD`, `COR` or `SIGMA`.
    first : int
        The number of the first effect of its block.
    k11, k21, k22 : int
        The numbers in theta of the elements of Lambda that it rests on, -1 for those that are not
        there.
    slant : float
        r of a correlation; 0 where nothing is slanted.
    """

    kind: int
    first: int
    k11: int
    k21: int
    k22: int
    slant: float


class Search(NamedTuple):
    """Memory of one search; the point is tau = (theta, log sigma), n = n_theta + 1 numbers.

    Attributes
    ----------
    state, theta : State, ThetaDerivatives
        Those of the search, so that the fit's are left as they are.
    basis : BasisChange
        What makes the units of the search from those of the fit.
    Psi, lower : ndarray (q, q)
        Psi in the basis of the search, then its Cholesky factor; F Lambda.
    tau, trial : ndarray (n,)
        Where the search is, and a point that is tried.
    gradient, hessian : ndarray (n,), (n, n)
        Of the deviance in tau.
    free : ndarray (n, n)
        C, its columns: how tau moves with each free parameter and, one more, with the one held.
    reduced, projected : ndarray (n, n), (n,)
        Hessian and gradient in these coordinates; the Hessian is diagonal once it is diagonalized.
    factor : ndarray (n, n)
        The Cholesky factor L of `reduced`, where it is positive definite; in `follow` that of H_ff
        and, one row more, L^{-1} H_fx and H_xx.
    vectors, rotated : ndarray (n, n), (n,)
        Where it is not: its eigenvectors, and `projected` in their basis.
    along : ndarray (n,)
        Newton's step in these coordinates, as it is solved for: L^{-1} g, then |H|^{-1} g. In
        `follow` L^{-1} g_f and g_x, then -H_ff^{-1}(g_f + H_fx d).
    step : ndarray (n,)
        That of tau: -C |H|^{-1} g, as long as allowed.
    start, found : ndarray (n,)
        The tau at which the search for a limit starts, and a limit whose mirror image is looked at.
    Lambda : ndarray (q, q)
        That of tau, or of `trial`: where the deviance was last computed.
    """

    state: State
    theta: ThetaDerivatives
    basis: BasisChange
    Psi: np.ndarray
    lower: np.ndarray
    tau: np.ndarray
    trial: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    free: np.ndarray
    reduced: np.ndarray
    projected: np.ndarray
    factor: np.ndarray
    vectors: np.ndarray
    rotated: np.ndarray
    along: np.ndarray
    step: np.ndarray
    start: np.ndarray
    found: np.ndarray
    Lambda: np.ndarray


def allocate_search(n_units: int, q: int, p: int, n_theta: int, *, shared: bool) -> Search:
    """Return memory for the profile of one model."""
    n = n_theta + 1
    return Search(
        state=allocate_state(n_units, q, p, n_theta, shared=shared),
        theta=allocate_theta(n_theta),
        basis=allocate_basis(q),
        Psi=np.zeros((q, q)),
        lower=np.zeros((q, q)),
        tau=np.zeros(n),
        trial=np.zeros(n),
        gradient=np.zeros(n),
        hessian=np.zeros((n, n)),
        free=np.zeros((n, n)),
        reduced=np.zeros((n, n)),
        projected=np.zeros(n),
        factor=np.zeros((n, n)),
        vectors=np.zeros((n, n)),
        rotated=np.zeros(n),
        along=np.zeros(n),
        step=np.zeros(n),
        start=np.zeros(n),
        found=np.zeros(n),
        Lambda=np.zeros((q, q)),
    )


@kernel
def hold(problem, kind, first, slant):
    """Return the parameter of this kind whose first effect is `first`."""
    row, col = problem.row, problem.col
    k11 = element(row, col, first, first)
    k21 = element(row, col, first + 1, first) if kind == COR else -1
    k22 = element(row, col, first + 1, first + 1) if kind == COR else -1
    return Held(kind, first, k11, k21, k22, slant)


@kernel
def element(row, col, a, b):
    """Return the number of the free element (a, b), or -1."""
    # The k with (row_k, col_k) = (a, b)
    for k in range(len(row)):
        if row[k] == a and col[k] == b:
            return k
    return -1


@kernel
def constrain(problem, held, t, tau):
    """Move tau to where the parameter is t."""
    n, k11, k21, k22 = len(problem.row), held.k11, held.k21, held.k22
    if held.kind == SIGMA:
        tau[n] = np.log(t)
    elif held.kind == SD:
        # Lambda_11 = t / sigma
        tau[k11] = t / np.exp(tau[n])
        if t == 0.0:
            # An sd of 0: column 1 of Lambda is zero
            for k in range(n):
                if problem.col[k] == held.first:
                    tau[k] = 0.0
    else:
        # A negative Lambda_11 would turn the sign of the correlation.
        if tau[k11] < 0.0:
            tau[k11], tau[k21] = -tau[k11], tau[k21] + 2.0 * held.slant * tau[k11]
        # Lambda_21 = t w - r Lambda_11, Lambda_22 = sqrt(1 - t^2) w
        w = np.sqrt((tau[k21] + held.slant * tau[k11]) ** 2 + tau[k22] ** 2)
        tau[k21] = t * w - held.slant * tau[k11]
        tau[k22] = np.sqrt(max(1.0 - t * t, 0.0)) * w


@kernel
def leave_saddle(problem, tau):
    """Give every column of Lambda a length: at zero the deviance is stationary, minimum or not."""
    # |Lambda_jj| >= SADDLE_STEP
    for k in range(len(problem.row)):
        if problem.row[k] == problem.col[k] and abs(tau[k]) < SADDLE_STEP:
            tau[k] = SADDLE_STEP if tau[k] >= 0.0 else -SADDLE_STEP


@kernel
def mirror(problem, held, search):
    """Turn the sign of the free covariances of what was `found`; return whether there are any."""
    any_free = False
    copy_vector(search.tau, search.found)
    # Lambda_ab -> -Lambda_ab for a > b, but for the held Lambda_21
    for k in range(len(problem.row)):
        if problem.row[k] != problem.col[k] and k != held.k21:
            search.tau[k] = -search.tau[k]
            any_free = True
    return any_free


@kernel
def is_back(problem, held, search):
    """Tell whether no free covariance has another sign than what was `found`.

    Where a column there has hardly any diagonal element, the signs of the others mean nothing.
    """
    row, col = problem.row, problem.col
    # Lambda_ab found_ab >= 0 for each a > b, but for the held Lambda_21
    for k in range(len(row)):
        if row[k] != col[k] and k != held.k21:
            found, diagonal = search.found[k], search.found[element(row, col, col[k], col[k])]
            if search.tau[k] * found < 0.0 or abs(found) > SKEW * abs(diagonal):
                return False
    return True


@kernel
def free_directions(problem, held, t, tau, free):
    """Write the directions of the free parameters as columns of `free`; return their number.

    With a correlation held that of Lambda_11 is orthogonal to that of w: neither is long.
    """
    n, kind, slant = len(problem.row), held.kind, held.slant
    k11, k21, k22 = held.k11, held.k21, held.k22
    c = np.sqrt(max(1.0 - t * t, 0.0))
    free[:] = 0.0
    count = 0
    # A unit vector for each free element of Lambda; (1, -r c^2, r t c) for Lambda_11
    for k in range(n):
        is_held = kind == SD and (k == k11 or (t == 0.0 and problem.col[k] == held.first))
        if not is_held and k != k21 and k != k22:
            free[k, count] = 1.0
            if kind == COR and k == k11:
                free[k21, count] = -slant * c * c
                free[k22, count] = slant * t * c
            count += 1
    if kind == COR:
        free[k21, count] = t
        free[k22, count] = c
        count += 1
    if kind != SIGMA:
        free[n, count] = 1.0
        if kind == SD:
            free[k11, count] = -tau[k11]
        count += 1
    return count


@kernel
def held_direction(problem, held, t, tau, direction):
    """Write how tau moves with the log of the held sd, or with the arctanh of the correlation."""
    n = len(problem.row)
    direction[:] = 0.0
    if held.kind == SIGMA:
        direction[n] = 1.0
    elif held.kind == SD:
        direction[held.k11] = t / np.exp(tau[n])
    else:
        direction[held.k21] = tau[held.k22] * np.sqrt(max(1.0 - t * t, 0.0))
        direction[held.k22] = -tau[held.k22] * t


@kernel
def partial(problem, held, t, search):
    """Return the derivative of the profile deviance, the partial one of the deviance."""
    n, tau, g = len(problem.row), search.tau, search.gradient
    k21, k22 = held.k21, held.k22
    if held.kind == SIGMA:
        return g[n] / t
    if held.kind == SD:
        return g[held.k11] / np.exp(tau[n])
    crossed = tau[k21] + held.slant * tau[held.k11]
    w = np.sqrt(crossed**2 + tau[k22] ** 2)
    return w * (g[k21] - g[k22] * t / np.sqrt(max(1.0 - t * t, 1e-300)))


@kernel
def deviance_at(problem, tau, search):
    """Return the deviance at tau."""
    n = len(problem.row)
    search.Lambda[:] = 0.0
    # Lambda of tau
    for k in range(n):
        search.Lambda[problem.row[k], problem.col[k]] = tau[k]
    return joint_deviance(problem, search.Lambda, np.exp(2.0 * tau[n]), search.state)


@kernel
def derive(problem, search):
    """Fill `gradient` and `hessian` at tau, after `deviance_at` there."""
    sigma2 = np.exp(2.0 * search.tau[len(problem.row)])
    joint_derivatives(
        problem, search.Lambda, sigma2, search.state, search.theta, search.gradient, search.hessian
    )


@kernel
def minimize_free(problem, held, t, away, search):
    """Minimize the deviance over the free parameters at t; return it; `tau` is where it is.

    With `away` the search ends, with infinity, once it comes back to the side of what was `found`.
    """
    n = len(problem.row)
    tau, trial = search.tau, search.trial
    leave_saddle(problem, tau)
    constrain(problem, held, t, tau)
    value = deviance_at(problem, tau, search)
    if not np.isfinite(value):
        return np.inf
    # Newton's method in the free parameters
    for _ in range(MAX_INNER):
        if away and is_back(problem, held, search):
            return np.inf
        derive(problem, search)
        count = free_directions(problem, held, t, tau, search.free)
        project(problem, held, t, count, count, search)
        decrement = free_step(n + 1, count, search)
        if decrement < INNER_DECREMENT:
            return value
        length, found = 1.0, False
        # tau + step, + step / 2, + step / 4, ..., back to where the parameter is t
        for _ in range(MAX_HALVINGS):
            for k in range(n + 1):
                trial[k] = tau[k] + length * search.step[k]
            constrain(problem, held, t, trial)
            candidate = deviance_at(problem, trial, search)
            if candidate <= value - SUFFICIENT_DECREASE * length * decrement + ROUNDING * abs(
                value
            ):
                found = True
                break
            length *= 0.5
        if not found:
            deviance_at(problem, tau, search)
            return value
        copy_vector(trial, tau)
        value = candidate
        if held.kind == COR and has_vanished(held, tau):
            return value
    return value


@kernel
def has_vanished(held, tau):
    """Tell whether the first or the second effect has hardly any variance."""
    k11, k21, k22, r = held.k11, held.k21, held.k22, held.slant
    sd = np.hypot(tau[k21] + r * tau[k11], tau[k22]) / np.sqrt(1.0 + r * r)
    return tau[k11] < VANISHED or sd < VANISHED


@kernel
def project(problem, held, t, n_free, count, search):
    """Gradient and Hessian in the coordinates of the first `count` columns of `free`.

    They are the `n_free` free parameters and, if one more, the held one by `held_direction`. Tau is
    not linear in them: the gradient times its second derivatives is added to the Hessian.
    """
    g, H, C, reduced, projected = (
        search.gradient, search.hessian, search.free, search.reduced, search.projected,
    )  # fmt: skip
    n, x, kind = len(problem.row) + 1, n_free, held.kind
    k11, k21, k22 = held.k11, held.k21, held.k22
    if count > n_free:
        held_direction(problem, held, t, search.tau, C[:, x])
    # C'g and C'H C
    for f in range(count):
        projected[f] = 0.0
        for k in range(n):
            projected[f] += C[k, f] * g[k]
        for e in range(f + 1):
            total = 0.0
            for k in range(n):
                if C[k, f] != 0.0:
                    # + C_kf H_km C_me
                    for m in range(n):
                        total += C[k, f] * H[k, m] * C[m, e]
            reduced[f, e] = total
            reduced[e, f] = total
    if kind == SD:
        bend = g[k11] * search.tau[k11]
        reduced[n_free - 1, n_free - 1] += bend
        if count > n_free:
            reduced[x, x] += bend
            reduced[x, x - 1] -= bend
            reduced[x - 1, x] -= bend
    if kind == COR and count > n_free:
        c = np.sqrt(max(1.0 - t * t, 0.0))
        reduced[x, x] += search.tau[k22] * (g[k22] * (t * t - c * c) - 2.0 * g[k21] * t * c)
        bend = c * (g[k21] * c - g[k22] * t)
        # H_xf += c (g_21 c - g_22 t) dw / df
        for f in range(x):
            # w moves by 1 along its own direction, by r t along that of Lambda_11.
            crossed = C[k21, f] + held.slant * C[k11, f]
            reduced[x, f] += bend * (t * crossed + c * C[k22, f])
            reduced[f, x] = reduced[x, f]


@kernel
def free_step(n, count, search):
    """Newton step in the free parameters, as a step of tau; return its first-order decrease."""
    C, along = search.free, search.along
    decrement = solve_positive(count, search)
    norm = 0.0
    # step = -C |H|^{-1} C'g
    for k in range(n):
        search.step[k] = 0.0
        for f in range(count):
            search.step[k] -= C[k, f] * along[f]
        norm += search.step[k] ** 2
    if norm > MAX_STEP * MAX_STEP:
        shrink = MAX_STEP / np.sqrt(norm)
        decrement *= shrink
        # At most MAX_STEP long
        for k in range(n):
            search.step[k] *= shrink
    return decrement


@kernel
def solve_positive(count, search):
    """Write |H|^-1 g, H and g `reduced` and `projected`, into `along`; return the decrement."""
    H, g, factor, vectors, rotated, x = (
        search.reduced, search.projected, search.factor, search.vectors, search.rotated,
        search.along,
    )  # fmt: skip
    decrement = 0.0
    # x = g, and H where its factor will be
    for k in range(count):
        x[k] = g[k]
        for m in range(k + 1):
            factor[k, m] = H[k, m]
    # H = LL'
    if cholesky(factor, count, POSITIVE_TOLERANCE) == count:
        solve_lower(factor, count, x)
        # |L^{-1} g|^2 = g'H^{-1}g
        for k in range(count):
            decrement += x[k] * x[k]
        solve_upper(factor, count, x)
        return decrement
    # H = sum_k lambda_k v_k v_k'
    eigh_jacobi(H, count, vectors)
    largest = 0.0
    # max_k |lambda_k|
    for k in range(count):
        largest = max(largest, abs(H[k, k]))
    # v_k'g
    for k in range(count):
        rotated[k] = 0.0
        for m in range(count):
            rotated[k] += vectors[m, k] * g[m]
    # x starts at 0
    for m in range(count):
        x[m] = 0.0
    # |H|^{-1} g = sum_k v_k (v_k'g) / |lambda_k|, g'|H|^{-1}g = sum_k (v_k'g)^2 / |lambda_k|
    for k in range(count):
        inverse = 1.0 / max(abs(H[k, k]), CURVATURE_FLOOR * largest)
        decrement += rotated[k] * rotated[k] * inverse
        for m in range(count):
            x[m] += vectors[m, k] * rotated[k] * inverse
    return decrement
