r"""The minimum of the criterion of one data set.

The search ends at a point that satisfies the first-order conditions of a minimum over all positive
semidefinite Psi: G = d criterion / d Psi vanishes on the range of Psi, and has no negative
eigenvalue elsewhere (else the search goes on in that direction). The Hessian in theta adds the
second-order condition on the range; `hlm.kernels.fit` reports a saddle as not converged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import inlined, kernel
from hlm.kernels.criterion import evaluate
from hlm.kernels.derivatives import differentiate
from hlm.kernels.linalg import copy
from hlm.kernels.newton import ThetaDerivatives, allocate_theta
from hlm.kernels.search import (
    ANOTHER_POINT,
    CONVERGED,
    DERIVATIVES,
    NOT_CONVERGED,
    Search,
    allocate_search,
    begin,
    find_step,
    outcome,
    proceed,
    receive,
)
from hlm.kernels.start import MomentStart, allocate_start, moment_start

__all__ = ["CONVERGED", "NOT_CONVERGED", "NO_START", "Work", "allocate_work", "minimize"]

NO_START = 2


class Work(NamedTuple):
    """Memory of the search, n the larger of q and n_theta.

    Kernels that use little of it are given that: Numba passes on each array of a tuple by itself,
    and the code for that takes time to compile.

    Attributes
    ----------
    theta : ThetaDerivatives
    factor : ndarray (n_theta, n_theta)
        The Cholesky factor of the Hessian, where it is positive definite.
    trial : ndarray (q, q)
        A Lambda out of the boundary, made from its Psi in `boundary.escape`.
    G : ndarray (q, q)
        d criterion / d Psi, zero where Psi has no free element; diagonal once it is diagonalized.
    square : ndarray (n, n)
        A symmetric matrix that a kernel diagonalizes, in that kernel only: Hp (`reflected_step`,
        `inverse_root`, `smallest_inside`), the Hessian in Psi (`is_degenerate`), sum ee'
        (`closed_form`), Psi (`start.project`).
    vectors : ndarray (n, n)
        The eigenvectors of `square` or of `G`.
    start : MomentStart
    search : Search
    """

    theta: ThetaDerivatives
    factor: np.ndarray
    trial: np.ndarray
    G: np.ndarray
    square: np.ndarray
    vectors: np.ndarray
    start: MomentStart
    search: Search


def allocate_work(q: int, n_theta: int) -> Work:
    """Return memory for the search over `n_theta` parameters of `q` random effects."""
    n = max(q, n_theta)
    return Work(
        theta=allocate_theta(n_theta),
        factor=np.zeros((n_theta, n_theta)),
        trial=np.zeros((q, q)),
        G=np.zeros((q, q)),
        square=np.zeros((n, n)),
        vectors=np.zeros((n, n)),
        start=allocate_start(q),
        search=allocate_search(q, n_theta),
    )


@inlined
def minimize(problem, Lambda, state, work, from_moments):
    """Find the minimum, from the moment start or from the given Lambda.

    Return (status, iterations, criterion); `state` and `work` hold the derivatives at the minimum.
    With few rows other starts are tried after the moments'; the steps are those of the best search.
    """
    search = work.search
    if from_moments and not moment_start(problem, Lambda, state, work):
        return NO_START, 0, np.nan
    copy(Lambda, search.Lambda)
    begin(np.int64(len(problem.effects)), problem.row, search, from_moments)
    run(problem, search, state, work)
    copy(search.Lambda, Lambda)
    return outcome(search)


@kernel
def run(problem, search, state, work):
    """Evaluate where the search asks for it, until it has ended."""
    needs_more = True
    # One point after another
    while needs_more:
        needed = receive(problem, search, evaluate(problem, search.trial, state))
        if needed == DERIVATIVES:
            differentiate(problem, state)
        if needed != ANOTHER_POINT:
            decrement = find_step(problem, search, state, work)
            needs_more = proceed(problem, search, decrement, state, work)
