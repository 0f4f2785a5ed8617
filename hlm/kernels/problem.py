"""What is minimized: the criterion of one data set, by REML or by maximum likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.jit import inlined, kernel

if TYPE_CHECKING:
    from hlm.kernels.units import Units

__all__ = ["Problem", "by_ml", "divisor", "of_units", "problem_of"]


class Problem(NamedTuple):
    """One data set, what is free in the model, and the criterion.

    Attributes
    ----------
    effects : tuple of int (q,)
        An entry for each of the q random effects, all of them 0. Only its length is used: it is
        part of the type, so that Numba compiles the kernels for each q and unrolls their loops over
        effects.
    p : int
        Number of fixed effects.
    row, col : ndarray of int (n_theta,)
        The free elements of Psi and of the lower triangular Lambda, row >= col; they number the
        elements v of Psi and k of theta.
    units : Units
        The data.
    n_obs : int
        Observations N of the data set.
    reml : bool
        By REML; else by maximum likelihood.
    """

    effects: tuple[int, ...]
    p: int
    row: np.ndarray
    col: np.ndarray
    units: Units
    n_obs: int
    reml: bool


@inlined
def problem_of(parametrization, workspace, n_obs, reml):
    """Return the problem of the data set in a workspace."""
    return Problem(
        workspace.effects,
        len(parametrization.fixed),
        parametrization.row,
        parametrization.col,
        workspace.units,
        n_obs,
        reml,
    )


@kernel
def divisor(problem):
    """Return n*, which r^2 is divided by: N - p by REML, N by maximum likelihood."""
    return problem.n_obs - problem.p if problem.reml else problem.n_obs


@kernel
def by_ml(problem):
    """Return the same problem by maximum likelihood."""
    return Problem(
        problem.effects,
        problem.p,
        problem.row,
        problem.col,
        problem.units,
        problem.n_obs,
        np.bool_(False),
    )


@kernel
def of_units(problem, units):
    """Return the same problem with other units, those of another basis of the random effects."""
    return Problem(
        problem.effects,
        problem.p,
        problem.row,
        problem.col,
        units,
        problem.n_obs,
        problem.reml,
    )
