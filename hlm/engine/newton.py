r"""The minimum of the criterion, by Newton's method in theta without bounds.

The criterion is even in the sign of each column of Lambda, so no bound is needed, and bounds would
create false optima: at Lambda_11 = 0 != Lambda_21 a bounded search can be stuck where the function
still falls. The search ends at a point that satisfies the first-order conditions of a minimum over
all positive semidefinite Psi: G = d criterion / d Psi vanishes on the range of Psi, and has no
negative eigenvalue elsewhere (else the search goes on in that direction). The Hessian in theta adds
the second-order condition on the range; `hlm.engine.fit` reports a saddle as not converged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.engine.criterion import evaluate
from hlm.engine.derivatives import differentiate
from hlm.engine.linalg import cholesky, copy, eigh_jacobi, solve_lower, solve_upper
from hlm.engine.start import moment_start
from hlm.jit import inlined, kernel

__all__ = [
    "CONVERGED",
    "DECREMENT_TOLERANCE",
    "MAX_ITERATIONS",
    "MAX_STEP",
    "NOT_CONVERGED",
    "NO_START",
    "SINGULAR_TOLERANCE",
    "ZERO_RISE",
    "ZERO_THETA",
    "Work",
    "allocate_work",
    "minimize",
    "theta_derivatives",
]

MAX_ITERATIONS = 200
"""Newton steps before a fit is reported as not converged; the usual number is 0 to 6."""

DECREMENT_TOLERANCE = 1e-14
"""Converged when g'H^{-1}g, twice the criterion's distance from its minimum, is below this."""

POLISH_DECREMENT = 1e-8
"""Below this decrement the criterion's own rounding hides a decrease: full steps are taken, and
the search has converged when they no longer halve the decrement."""

MAX_STEP = 2.0
"""Longest step in theta, or the norm of theta if that is larger."""

SUFFICIENT_DECREASE = 1e-4
"""Share of the first-order decrease that a step must bring (Armijo)."""

MAX_HALVINGS = 40
"""Of a step that does not bring its decrease."""

POSITIVE_TOLERANCE = 1e-12
"""The Hessian is positive definite if no pivot is below this share of its diagonal element ..."""

CURVATURE_FLOOR = 1e-6
"""... else its eigenvalues are made positive and at least this share of the largest."""

FACTOR_TOLERANCE = 1e-14
"""A pivot of Psi below this share of its diagonal element is zero in Lambda."""

ZERO_THETA = 1e-2
"""A diagonal element of Lambda below this is tried at exactly zero ..."""

ZERO_RISE = 1e-9
"""... and stays there if the criterion rises by no more than this."""

ESCAPE_DECREASE = 1e-9
"""A descent direction out of the boundary is taken if it promises a decrease above this."""

SINGULAR_TOLERANCE = 1e-4
"""A fit is singular if a diagonal element of lme4's theta is below this (lme4's `isSingular`)."""

CONVERGED, NOT_CONVERGED, NO_START = 0, 1, 2


class Work(NamedTuple):
    """Room for the search; `hessian` (n_theta, n_theta) and `gradient` are those of theta."""

    theta: np.ndarray
    gradient: np.ndarray
    step: np.ndarray
    hessian: np.ndarray
    factor: np.ndarray
    jacobian: np.ndarray
    square: np.ndarray
    vectors: np.ndarray
    products: np.ndarray
    unscaled: np.ndarray
    trial: np.ndarray
    direction: np.ndarray
    change: np.ndarray


def allocate_work(q: int, n_theta: int) -> Work:
    """Return room for the search over `n_theta` parameters of `q` random effects."""
    n = max(q, n_theta)
    return Work(
        theta=np.zeros(n_theta),
        gradient=np.zeros(n_theta),
        step=np.zeros(n_theta),
        hessian=np.zeros((n_theta, n_theta)),
        factor=np.zeros((n_theta, n_theta)),
        jacobian=np.zeros((n_theta, n_theta)),
        square=np.zeros((n, n)),
        vectors=np.zeros((n, n)),
        products=np.zeros((q, q)),
        unscaled=np.zeros((q, q)),
        trial=np.zeros((q, q)),
        direction=np.zeros(n_theta),
        change=np.zeros(n_theta),
    )


@inlined
def minimize(axes, p, units, n_obs, reml, row, col, Lambda, state, work, from_moments):
    """Find the minimum, from the moment start or from the given Lambda.

    Return (status, iterations, criterion); `state` and `work` hold the derivatives at the minimum.
    """
    q = len(axes)
    if from_moments and not moment_start(
        axes, p, units, n_obs, reml, row, col, Lambda, state, work
    ):
        return NO_START, 0, np.nan
    iterations = 0
    criterion = evaluate(axes, p, units, n_obs, reml, Lambda, state)
    while True:
        status, iterations, criterion = descend(
            axes, p, units, n_obs, reml, row, col, Lambda, state, work, criterion, iterations
        )
        rectify(q, Lambda)
        if not touches_boundary(q, Lambda) or iterations >= MAX_ITERATIONS:
            break
        if not set_zeros(axes, p, units, n_obs, reml, Lambda, state, work, criterion):
            if not escape(q, row, col, Lambda, state, work):
                break
            iterations += 1
        criterion = evaluate(axes, p, units, n_obs, reml, Lambda, state)
    theta_derivatives(q, row, col, Lambda, state, work)
    return status, iterations, criterion


@inlined
def descend(axes, p, units, n_obs, reml, row, col, Lambda, state, work, criterion, iterations):
    """Newton steps until the decrement vanishes; return (status, iterations, criterion)."""
    n_theta = len(row)
    decrement = np.inf
    while True:
        differentiate(axes, p, units, n_obs, reml, row, col, state)
        theta_derivatives(len(axes), row, col, Lambda, state, work)
        previous = decrement
        decrement = newton_step(n_theta, work)
        if decrement < DECREMENT_TOLERANCE or 0.5 * previous < decrement < POLISH_DECREMENT:
            return CONVERGED, iterations, criterion
        if iterations >= MAX_ITERATIONS or not np.isfinite(decrement):
            return NOT_CONVERGED, iterations, criterion
        shrink_step(n_theta, row, col, Lambda, work)
        iterations += 1
        target = np.inf if decrement < POLISH_DECREMENT else criterion
        best = search(axes, p, units, n_obs, reml, row, col, Lambda, state, work, target)
        if best == np.inf:
            evaluate(axes, p, units, n_obs, reml, Lambda, state)
            differentiate(axes, p, units, n_obs, reml, row, col, state)
            return NOT_CONVERGED, iterations, criterion
        criterion = best


@kernel
def theta_derivatives(q, row, col, Lambda, state, work):
    """Chain rule from Psi to theta: gradient 2 G Lambda, and J'(Hessian)J + tr(G d2Psi)."""
    J, G, n = work.jacobian, state.G, len(row)
    for k in range(n):
        a, b = row[k], col[k]
        element = 0.0
        for c in range(q):
            element += G[a, c] * Lambda[c, b]
        work.gradient[k] = 2.0 * element
        for v in range(n):
            c, d = row[v], col[v]
            element = 0.0
            if c == a:
                element += Lambda[d, b]
            if d == a:
                element += Lambda[c, b]
            J[v, k] = element
    H, half = work.hessian, work.factor
    for v in range(n):
        for k in range(n):
            element = 0.0
            for w in range(n):
                element += state.hessian_psi[v, w] * J[w, k]
            half[v, k] = element
    for k in range(n):
        for m in range(k + 1):
            element = 2.0 * G[row[k], row[m]] if col[k] == col[m] else 0.0
            for v in range(n):
                element += J[v, k] * half[v, m]
            H[k, m] = element
            H[m, k] = element


@kernel
def newton_step(n, work):
    """Fill `step` with -|H|^-1 g; return the decrement g'|H|^-1 g."""
    g, step, factor = work.gradient, work.step, work.factor
    for k in range(n):
        step[k] = g[k]
        for m in range(k + 1):
            factor[k, m] = work.hessian[k, m]
    if cholesky(factor, n, POSITIVE_TOLERANCE) == n:
        solve_lower(factor, n, step)
        solve_upper(factor, n, step)
    else:
        reflected_step(n, work)
    decrement = 0.0
    for k in range(n):
        decrement += g[k] * step[k]
        step[k] = -step[k]
    return decrement


@kernel
def reflected_step(n, work):
    """|H|^-1 g with |H| the Hessian with its eigenvalues made positive and bounded away from 0."""
    a, vectors, g, step = work.square, work.vectors, work.gradient, work.step
    copy(work.hessian, a)
    eigh_jacobi(a, n, vectors)
    largest = 0.0
    for k in range(n):
        largest = max(largest, abs(a[k, k]))
    step[:] = 0.0
    if largest == 0.0:
        return
    for k in range(n):
        projection = 0.0
        for m in range(n):
            projection += vectors[m, k] * g[m]
        projection /= max(abs(a[k, k]), CURVATURE_FLOOR * largest)
        for m in range(n):
            step[m] += vectors[m, k] * projection


@kernel
def shrink_step(n, row, col, Lambda, work):
    """Shorten the step to the longest allowed."""
    length, norm = 0.0, 0.0
    for k in range(n):
        length += work.step[k] ** 2
        norm += Lambda[row[k], col[k]] ** 2
    longest = max(MAX_STEP, np.sqrt(norm))
    if length > longest * longest:
        for k in range(n):
            work.step[k] *= longest / np.sqrt(length)


@kernel
def search(axes, p, units, n_obs, reml, row, col, Lambda, state, work, criterion):
    """Halve the step until the criterion falls; move Lambda, return the new criterion or inf."""
    trial, n = work.trial, len(row)
    slope = 0.0
    for k in range(n):
        slope += work.gradient[k] * work.step[k]
    length = 1.0
    for _ in range(MAX_HALVINGS):
        trial[:] = 0.0
        for k in range(n):
            trial[row[k], col[k]] = Lambda[row[k], col[k]] + length * work.step[k]
        value = evaluate(axes, p, units, n_obs, reml, trial, state)
        if value <= criterion + SUFFICIENT_DECREASE * length * slope:
            copy(trial, Lambda)
            return value
        length *= 0.5
    return np.inf


@kernel
def rectify(q, Lambda):
    """Give every column of Lambda a nonnegative diagonal element."""
    for j in range(q):
        if Lambda[j, j] < 0.0:
            for i in range(j, q):
                Lambda[i, j] = -Lambda[i, j]


@kernel
def touches_boundary(q, Lambda):
    """Tell whether a diagonal element is near zero."""
    smallest = np.inf
    for j in range(q):
        smallest = min(smallest, Lambda[j, j])
    return smallest < ZERO_THETA


@kernel
def set_zeros(axes, p, units, n_obs, reml, Lambda, state, work, criterion):
    """Set to exactly zero the small diagonal elements that the data do not support.

    Lambda stays the Cholesky factor of Psi: what is left in a column whose diagonal element is
    zero moves to later columns. Return whether anything changed; if not, `state` is as it was.
    """
    q, trial = len(axes), work.trial
    tried, changed = False, False
    for j in range(q):
        if Lambda[j, j] < ZERO_THETA and Lambda[j, j] != 0.0:
            tried = True
            without_column(q, j, Lambda, trial)
            if evaluate(axes, p, units, n_obs, reml, trial, state) <= criterion + ZERO_RISE:
                copy(trial, Lambda)
                changed = True
    if tried and not changed:
        evaluate(axes, p, units, n_obs, reml, Lambda, state)
    return changed


@kernel
def without_column(q, j, Lambda, trial):
    """Write into `trial` the Cholesky factor of Psi with Lambda[j, j] taken as zero."""
    diagonal = Lambda[j, j]
    Lambda[j, j] = 0.0
    for a in range(q):
        for b in range(q):
            trial[a, b] = 0.0
            for k in range(q):
                trial[a, b] += Lambda[a, k] * Lambda[b, k]
    Lambda[j, j] = diagonal
    lower_factor(q, trial)
    for i in range(j, q):
        trial[i, j] = 0.0


@kernel
def lower_factor(q, Psi):
    """Overwrite Psi by its Cholesky factor, zeros above the diagonal."""
    cholesky(Psi, q, FACTOR_TOLERANCE)
    for a in range(q):
        for b in range(a + 1, q):
            Psi[a, b] = 0.0


@kernel
def escape(q, row, col, Lambda, state, work):
    """Leave the boundary along an eigenvector v of G with a negative eigenvalue, if there is one.

    Psi + t vv' changes the criterion by t v'Gv + t^2 Hessian(vv', vv') / 2.
    """
    G, vectors = work.square, work.vectors
    G[:] = 0.0
    for v in range(len(row)):
        G[row[v], col[v]] = state.G[row[v], col[v]]
        G[col[v], row[v]] = state.G[row[v], col[v]]
    eigh_jacobi(G, q, vectors)
    best = 0
    for k in range(1, q):
        if G[k, k] < G[best, best]:
            best = k
    slope = G[best, best]
    if slope >= 0.0:
        return False
    direction = vectors[:, best]
    curvature = 0.0
    for v in range(len(row)):
        for w in range(len(row)):
            curvature += (
                direction[row[v]] * direction[col[v]]
                * state.hessian_psi[v, w]
                * direction[row[w]] * direction[col[w]]
            )  # fmt: skip
    length = -slope / curvature if curvature > 0.0 else 1.0
    if -0.5 * slope * length < ESCAPE_DECREASE:
        return False
    trial = work.trial
    for a in range(q):
        for b in range(q):
            element = length * direction[a] * direction[b]
            for k in range(q):
                element += Lambda[a, k] * Lambda[b, k]
            trial[a, b] = element
    lower_factor(q, trial)
    copy(trial, Lambda)
    return True
