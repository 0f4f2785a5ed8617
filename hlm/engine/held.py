r"""The ML deviance minimized with one parameter of the random part held.

The random effects are ordered so that the parameter t concerns the first rows of their block of
Lambda, and every other parameter stays free:

    sd of effect 1:              Lambda_11 = t / sigma
    correlation of effects 1, 2: Lambda_21 = t w, Lambda_22 = sqrt(1 - t^2) w, w free
    residual sd:                 sigma = t

Newton's method, with the Hessian's eigenvalues made positive, finds the free parameters. Where
Lambda has a zero column the deviance is stationary, minimum or not: no search starts there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.engine.joint import joint_derivatives, joint_deviance
from hlm.engine.linalg import copy_vector, eigh_jacobi
from hlm.engine.newton import MAX_HALVINGS, MAX_STEP, SUFFICIENT_DECREASE
from hlm.jit import kernel

__all__ = ["COR", "SD", "SIGMA", "Search", "allocate_search", "minimize_free", "mirror", "partial"]

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

MAX_INNER = 60
"""Newton steps at one value of the parameter."""


class Search(NamedTuple):
    """Room for one search; the point is tau = (theta, log sigma), n = n_theta + 1 numbers."""

    tau: np.ndarray
    trial: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    free: np.ndarray
    reduced: np.ndarray
    projected: np.ndarray
    vectors: np.ndarray
    step: np.ndarray
    Lambda: np.ndarray


def allocate_search(q: int, n_theta: int) -> Search:
    """Return room for the profile of one model."""
    n = n_theta + 1
    return Search(
        tau=np.zeros(n),
        trial=np.zeros(n),
        gradient=np.zeros(n),
        hessian=np.zeros((n, n)),
        free=np.zeros((n, n)),
        reduced=np.zeros((n, n)),
        projected=np.zeros(n),
        vectors=np.zeros((n, n)),
        step=np.zeros(n),
        Lambda=np.zeros((q, q)),
    )


@kernel
def element(row, col, a, b):
    """Return the number of the free element (a, b)."""
    for k in range(len(row)):
        if row[k] == a and col[k] == b:
            return k
    return -1


@kernel
def constrain(row, col, kind, first, t, tau):
    """Move tau to where the parameter is t."""
    n = len(row)
    if kind == SIGMA:
        tau[n] = np.log(t)
    elif kind == SD:
        tau[element(row, col, first, first)] = t / np.exp(tau[n])
        if t == 0.0:
            for k in range(n):
                if col[k] == first:
                    tau[k] = 0.0
    else:
        k21 = element(row, col, first + 1, first)
        k22 = element(row, col, first + 1, first + 1)
        w = np.sqrt(tau[k21] ** 2 + tau[k22] ** 2)
        tau[k21] = t * w
        tau[k22] = np.sqrt(max(1.0 - t * t, 0.0)) * w
        # A negative Lambda_11 would turn the sign of the correlation.
        k11 = element(row, col, first, first)
        tau[k11] = abs(tau[k11])


@kernel
def leave_saddle(row, col, tau):
    """Give every column of Lambda a length: at zero the deviance is stationary, minimum or not."""
    for k in range(len(row)):
        if row[k] == col[k] and abs(tau[k]) < SADDLE_STEP:
            tau[k] = SADDLE_STEP if tau[k] >= 0.0 else -SADDLE_STEP


@kernel
def mirror(row, col, kind, first, tau):
    """Turn the sign of the free covariances; return whether there are any."""
    found = False
    for k in range(len(row)):
        held = kind == COR and row[k] == first + 1 and col[k] == first
        if row[k] != col[k] and not held:
            tau[k] = -tau[k]
            found = True
    return found


@kernel
def free_directions(row, col, kind, first, t, tau, free):
    """Write the directions of the free parameters as columns of `free`; return their number."""
    n = len(row)
    k11 = element(row, col, first, first)
    k21 = element(row, col, first + 1, first) if kind == COR else -1
    k22 = element(row, col, first + 1, first + 1) if kind == COR else -1
    free[:] = 0.0
    count = 0
    for k in range(n):
        held = kind == SD and (k == k11 or (t == 0.0 and col[k] == first))
        if not held and k != k21 and k != k22:
            free[k, count] = 1.0
            count += 1
    if kind == COR:
        free[k21, count] = t
        free[k22, count] = np.sqrt(max(1.0 - t * t, 0.0))
        count += 1
    if kind != SIGMA:
        free[n, count] = 1.0
        if kind == SD:
            free[k11, count] = -tau[k11]
        count += 1
    return count


@kernel
def partial(row, col, kind, first, t, search):
    """Return the derivative of the profile deviance, the partial one of the deviance."""
    n, tau, g = len(row), search.tau, search.gradient
    if kind == SIGMA:
        return g[n] / t
    if kind == SD:
        return g[element(row, col, first, first)] / np.exp(tau[n])
    k21 = element(row, col, first + 1, first)
    k22 = element(row, col, first + 1, first + 1)
    w = np.sqrt(tau[k21] ** 2 + tau[k22] ** 2)
    return w * (g[k21] - g[k22] * t / np.sqrt(max(1.0 - t * t, 1e-300)))


@kernel
def deviance_at(axes, p, units, n_obs, row, col, tau, state, search):
    """Return the deviance at tau."""
    n = len(row)
    search.Lambda[:] = 0.0
    for k in range(n):
        search.Lambda[row[k], col[k]] = tau[k]
    return joint_deviance(axes, p, units, n_obs, search.Lambda, np.exp(2.0 * tau[n]), state)


@kernel
def minimize_free(axes, p, units, n_obs, row, col, kind, first, t, state, work, search):
    """Minimize the deviance over the free parameters at t; return it; `tau` is where it is."""
    n = len(row)
    tau, trial = search.tau, search.trial
    leave_saddle(row, col, tau)
    constrain(row, col, kind, first, t, tau)
    value = deviance_at(axes, p, units, n_obs, row, col, tau, state, search)
    if not np.isfinite(value):
        return np.inf
    for _ in range(MAX_INNER):
        joint_derivatives(
            axes, p, units, n_obs, row, col, search.Lambda, np.exp(2.0 * tau[n]),
            state, work, search.gradient, search.hessian,
        )  # fmt: skip
        count = free_directions(row, col, kind, first, t, tau, search.free)
        decrement = free_step(row, col, kind, first, n + 1, count, tau, search)
        if decrement < INNER_DECREMENT:
            return value
        length, found = 1.0, False
        for _ in range(MAX_HALVINGS):
            for k in range(n + 1):
                trial[k] = tau[k] + length * search.step[k]
            constrain(row, col, kind, first, t, trial)
            candidate = deviance_at(axes, p, units, n_obs, row, col, trial, state, search)
            if candidate <= value - SUFFICIENT_DECREASE * length * decrement + ROUNDING * abs(
                value
            ):
                found = True
                break
            length *= 0.5
        if not found:
            deviance_at(axes, p, units, n_obs, row, col, tau, state, search)
            return value
        copy_vector(trial, tau)
        value = candidate
    return value


@kernel
def free_step(row, col, kind, first, n, count, tau, search):
    """Newton step in the free parameters, as a step of tau; return its decrement."""
    g, H, D, reduced, projected = (
        search.gradient, search.hessian, search.free, search.reduced, search.projected,
    )  # fmt: skip
    for f in range(count):
        projected[f] = 0.0
        for k in range(n):
            projected[f] += D[k, f] * g[k]
        for e in range(f + 1):
            total = 0.0
            for k in range(n):
                if D[k, f] != 0.0:
                    for m in range(n):
                        total += D[k, f] * H[k, m] * D[m, e]
            reduced[f, e] = total
            reduced[e, f] = total
    if kind == SD:
        k11 = element(row, col, first, first)
        reduced[count - 1, count - 1] += g[k11] * tau[k11]
    decrement = solve_positive(count, search)
    norm = 0.0
    for k in range(n):
        search.step[k] = 0.0
        for f in range(count):
            search.step[k] -= D[k, f] * projected[f]
        norm += search.step[k] ** 2
    if norm > MAX_STEP * MAX_STEP:
        for k in range(n):
            search.step[k] *= MAX_STEP / np.sqrt(norm)
    return decrement


@kernel
def solve_positive(count, search):
    """Overwrite `projected` by |H|^-1 of it; return the decrement."""
    a, x, vectors = search.reduced, search.projected, search.vectors
    eigh_jacobi(a, count, vectors)
    largest = 0.0
    for k in range(count):
        largest = max(largest, abs(a[k, k]))
    rotated = search.trial
    decrement = 0.0
    for k in range(count):
        rotated[k] = 0.0
        for m in range(count):
            rotated[k] += vectors[m, k] * x[m]
    for m in range(count):
        x[m] = 0.0
    for k in range(count):
        inverse = 1.0 / max(abs(a[k, k]), CURVATURE_FLOOR * largest)
        decrement += rotated[k] * rotated[k] * inverse
        for m in range(count):
            x[m] += vectors[m, k] * rotated[k] * inverse
    return decrement
