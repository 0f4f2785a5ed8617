"""A model fitted to a stack of simulated data sets, one after another, in memory given once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import entry
from hlm.kernels.fit import N_SUMMARY, fit_units
from hlm.kernels.joint_tests import f_tests, observed_information
from hlm.kernels.linalg import copy, copy_vector
from hlm.kernels.load import load
from hlm.kernels.problem import Problem

__all__ = ["StackResults", "allocate_results", "fit_stack"]


class StackResults(NamedTuple):
    """Results of n data sets by several methods.

    Attributes
    ----------
    estimate, se, df : ndarray (n, methods, p + n_theta + 1)
    summary : ndarray (n, methods, 7)
    Lambda : ndarray (n, methods, q, q)
        In the basis of the fit.
    """

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    summary: np.ndarray
    Lambda: np.ndarray


def allocate_results(n: int, n_methods: int, n_terms: int, q: int) -> StackResults:
    """Return room for the results of n data sets."""
    shape = (n, n_methods, n_terms)
    return StackResults(
        np.empty(shape),
        np.empty(shape),
        np.empty(shape),
        np.empty((n, n_methods, N_SUMMARY)),
        np.empty((n, n_methods, q, q)),
    )


@entry
def fit_stack(axes, p, cross, design, parametrization, n_obs, reml, room, results):
    """Fit every data set of `cross` by every method, and make the tests of `room.tests`.

    `reml` (methods,) is boolean. Tests of fits without estimates stay as they are.
    """
    out, tests = room.estimates, room.tests
    for r in range(len(cross[2])):
        total = load(axes, p, cross, r, design, room.units)
        for method in range(len(reml)):
            problem = Problem(
                axes, p, parametrization.row, parametrization.col, room.units, n_obs, reml[method]
            )
            fit_units(problem, room, parametrization, total)
            copy_vector(out.estimate, results.estimate[r, method])
            copy_vector(out.se, results.se[r, method])
            copy_vector(out.df, results.df[r, method])
            copy_vector(room.summary, results.summary[r, method])
            copy(room.Lambda, results.Lambda[r, method])
            if len(tests.first) > 1 and np.isfinite(out.estimate[-1]):
                n_star = n_obs - p if reml[method] else n_obs
                observed_information(p, n_star, room.state, room.work, tests)
                f_tests(
                    p, out.estimate, out.estimate[-1] ** 2, parametrization.fixed, room.state.Ls,
                    tests.P, tests.Omega, out.vcov, np.bool_(False), tests, tests.F[r, method],
                    tests.ddf[r, method],
                )  # fmt: skip
