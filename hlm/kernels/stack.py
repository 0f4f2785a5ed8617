"""A model fitted to a stack of simulated data sets, one after another, in memory given once.

Each data set is loaded once, fitted by each method, and all that inference needs is taken from the
fit while it is there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import entry, kernel
from hlm.kernels.expected import ExpectedResults, infer_expected
from hlm.kernels.fit import N_SUMMARY, fit_units
from hlm.kernels.inference import spread_of_variances
from hlm.kernels.joint_tests import Information, f_tests, observed_information
from hlm.kernels.linalg import copy_vector
from hlm.kernels.load import load
from hlm.kernels.problem import divisor, problem_of
from hlm.kernels.profile_stack import profile_fit_of

__all__ = ["StackResults", "allocate_results", "fit_stack"]


class StackResults(NamedTuple):
    """Results of n data sets by several methods.

    Attributes
    ----------
    estimate : ndarray (n, methods, p + n_theta + 1)
        In the order of `inference.Estimates`.
    se, df : ndarray (n, methods, p + n_theta + 1)
        By the observed information; Satterthwaite's degrees of freedom.
    F, ddf : ndarray (n, methods, n_tests)
        F tests by the same; none is computed where the arrays are empty.
    summary : ndarray (n, methods, 7)
        What became of each fit, see `fit.Workspace`.
    expected : ExpectedResults, optional
        By the expected information.
    limits : ndarray (n or 0, 2, n_theta + 1), optional
        Lower and upper profile limits of the random part.
    spread : ndarray (n or 0, methods, n_theta + 1, n_theta)
        B d of the free elements of Psi and of sigma^2, see `inference.spread_of_variances`.
    """

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    F: np.ndarray
    ddf: np.ndarray
    summary: np.ndarray
    expected: ExpectedResults | None
    limits: np.ndarray | None
    spread: np.ndarray


def allocate_results(
    n: int,
    n_methods: int,
    n_terms: int,
    *,
    n_tests: int = 0,
    expected: ExpectedResults | None = None,
    limits: np.ndarray | None = None,
    n_spread: int = 0,
) -> StackResults:
    """Return arrays for the results of n data sets; `n_tests` are by the observed information.

    `n_spread` is the number of free elements of Psi where their spread is asked for.
    """
    shape, of_tests = (n, n_methods, n_terms), (n, n_methods, n_tests)
    return StackResults(
        np.empty(shape),
        np.empty(shape),
        np.empty(shape),
        np.full(of_tests, np.nan),
        np.full(of_tests, np.nan),
        np.empty((n, n_methods, N_SUMMARY)),
        expected,
        limits,
        np.empty((n if n_spread else 0, n_methods, n_spread + 1, n_spread)),
    )


@entry
def fit_stack(cross, design, parametrization, reml, workspace, results):
    """Fit every data set of a stack by every method, and infer all that `results` has arrays for.

    Parameters
    ----------
    cross : CrossProducts
        Those of the n data sets.
    design : ModelColumns
        Where the model's columns are among them.
    parametrization : Parametrization
    reml : ndarray of bool (methods,)
        Whether each method is REML; there may be one method more than in `results`, for the
        profile.
    workspace : Workspace
    results : StackResults
        Filled.
    """
    # Data set r: loaded once, then fitted and reported by each method
    for r in range(len(cross.sum_squares)):
        sum_squares = load(workspace.effects, cross, r, design, workspace.units)
        # By each method; the last may be there for the profile only
        for method in range(len(reml)):
            problem = problem_of(parametrization, workspace, cross.n_obs[r], reml[method])
            fit_units(problem, workspace, parametrization, sum_squares)
            if method < results.estimate.shape[1]:
                report_fit(problem, parametrization, workspace, results, r, method)
                infer_expected(problem, parametrization, workspace, results.expected, r, method)
            profile_fit_of(
                problem, parametrization, workspace, workspace.profile, results.limits, r, method
            )


@kernel
def report_fit(problem, parametrization, workspace, results, r, method):
    """Write one fit's results, F tests by the observed information among them."""
    out, tests = workspace.estimates, workspace.tests
    copy_vector(out.estimate, results.estimate[r, method])
    copy_vector(out.se, results.se[r, method])
    copy_vector(out.df, results.df[r, method])
    copy_vector(workspace.summary, results.summary[r, method])
    if len(results.spread) > 0:
        sigma2, spread = out.estimate[-1] ** 2, results.spread[r, method]
        spread_of_variances(sigma2, parametrization, workspace.Lambda, workspace.work, spread)
    if results.F.shape[2] > 0 and np.isfinite(out.estimate[-1]):
        observed_information(divisor(problem), workspace.state, workspace.work, tests)
        information = Information(workspace.state.Ls, tests.P, tests.Omega, out.vcov)
        fixed, adjust = parametrization.fixed, np.bool_(False)
        F, ddf = results.F[r, method], results.ddf[r, method]
        f_tests(fixed, out.estimate, information, adjust, tests, F, ddf)
