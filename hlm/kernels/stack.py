"""A model fitted to a stack of simulated data sets, one after another, in memory given once.

Each data set is loaded once, fitted by each method, and all that inference needs is taken from the
fit while it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.jit import entry, kernel
from hlm.kernels.cr2 import RobustResults, infer_robust, rotate_clusters
from hlm.kernels.expected import ExpectedResults, infer_expected
from hlm.kernels.fit import N_SUMMARY, fit_units
from hlm.kernels.held_coefficient import limits_of_fit
from hlm.kernels.inference import spread_of_variances
from hlm.kernels.joint_tests import (
    Information,
    JointTests,
    allocate_joint_tests,
    f_tests,
    observed_information,
)
from hlm.kernels.linalg import copy, copy_vector
from hlm.kernels.load import data_set, load
from hlm.kernels.predict import predict_effects
from hlm.kernels.problem import divisor, problem_of
from hlm.kernels.profile_stack import profile_fit_of

if TYPE_CHECKING:
    from hlm.kernels.cr2 import Clusters
    from hlm.kernels.expected import Adjustment
    from hlm.kernels.held_coefficient import HeldCoefficient
    from hlm.kernels.inference import Parametrization
    from hlm.kernels.profile_stack import Profile

__all__ = ["Inferences", "StackResults", "allocate_results", "fit_stack", "only_the_fit"]


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
    robust : RobustResults, optional
        Cluster-robust.
    limits : ndarray (n or 0, 2, n_theta + 1), optional
        Lower and upper profile limits of the random part.
    spread : ndarray (n or 0, methods, n_theta + 1, n_theta)
        B d of the free elements of Psi and of sigma^2, see `inference.spread_of_variances`.
    vcov : ndarray (n or 0, methods, p, p)
        Covariance of the coefficients.
    effects : ndarray (n or 0, methods, n_units, q)
        Predicted random effects of each unit.
    coefficient_limits : ndarray (n or 0, 2, p), optional
        Lower and upper profile limits of the coefficients.
    """

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    F: np.ndarray
    ddf: np.ndarray
    summary: np.ndarray
    expected: ExpectedResults | None
    robust: RobustResults | None
    limits: np.ndarray | None
    spread: np.ndarray
    vcov: np.ndarray
    effects: np.ndarray
    coefficient_limits: np.ndarray | None = None


def allocate_results(
    n: int,
    n_methods: int,
    n_terms: int,
    *,
    n_tests: int = 0,
    expected: ExpectedResults | None = None,
    robust: RobustResults | None = None,
    limits: np.ndarray | None = None,
    n_spread: int = 0,
    n_vcov: int = 0,
    units: tuple[int, int] = (0, 0),
    coefficient_limits: np.ndarray | None = None,
) -> StackResults:
    """Return arrays for the results of n data sets; `n_tests` are by the observed information.

    `n_spread` is the number of free elements of Psi where their spread is asked for, `n_vcov` that
    of the coefficients where their covariance is, `units` the number of units and of their random
    effects where these are predicted.
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
        robust,
        limits,
        np.empty((n if n_spread else 0, n_methods, n_spread + 1, n_spread)),
        np.empty((n if n_vcov else 0, n_methods, n_vcov, n_vcov)),
        np.full((n if units[0] else 0, n_methods, *units), np.nan),
        coefficient_limits,
    )


class Inferences(NamedTuple):
    """What inference beyond the fit's own needs; Numba compiles nothing for what is None.

    Attributes
    ----------
    tests : JointTests
        The hypotheses of F tests, if any.
    expected : Adjustment, optional
        For what rests on the expected information.
    profile : Profile, optional
        For profile limits of the random part.
    clusters : Clusters, optional
        For what is cluster-robust.
    coefficients : HeldCoefficient, optional
        For profile limits of the coefficients.
    """

    tests: JointTests
    expected: Adjustment | None = None
    profile: Profile | None = None
    clusters: Clusters | None = None
    coefficients: HeldCoefficient | None = None


def only_the_fit(parametrization: Parametrization) -> Inferences:
    """Return that there is no inference beyond the fit's own."""
    p, n_theta = len(parametrization.fixed), len(parametrization.row)
    return Inferences(allocate_joint_tests([], p, n_theta))


@entry
def fit_stack(cross, design, parametrization, reml, workspace, inferences, results):
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
    inferences : Inferences
    results : StackResults
        Filled.
    """
    # Data set r: loaded once, then fitted and reported by each method
    for r in range(len(cross.sum_squares)):
        data = data_set(cross, r)
        sum_squares = load(workspace.effects, data, design, workspace.units)
        rotate_clusters(data, design, inferences.clusters)
        # By each method; the last may be there for the profile only
        for method in range(len(reml)):
            problem = problem_of(parametrization, workspace, cross.n_obs[r], reml[method])
            fit_units(problem, workspace, parametrization, sum_squares)
            if method < results.estimate.shape[1]:
                report_fit(
                    problem, parametrization, workspace, inferences.tests, results, r, method
                )
                infer_expected(
                    problem, parametrization, workspace,
                    inferences.expected, results.expected, r, method,
                )  # fmt: skip
                infer_robust(
                    problem, parametrization, workspace,
                    inferences.clusters, results.robust, r, method,
                )  # fmt: skip
                predict_effects(
                    problem, parametrization.random, workspace, results.effects, r, method
                )
            profile_fit_of(
                problem, parametrization, workspace.fit,
                inferences.profile, results.limits, r, method,
            )  # fmt: skip
            limits_of_fit(
                problem, parametrization, workspace.fit,
                inferences.coefficients, results.coefficient_limits, r, method,
            )  # fmt: skip


@kernel
def report_fit(problem, parametrization, workspace, tests, results, r, method):
    """Write one fit's results, F tests by the observed information among them."""
    fit, delta, jacobian = workspace.fit, workspace.delta, workspace.work.theta.jacobian
    out = fit.estimates
    copy_vector(out.estimate, results.estimate[r, method])
    copy_vector(out.se, results.se[r, method])
    copy_vector(out.df, results.df[r, method])
    copy_vector(fit.summary, results.summary[r, method])
    if len(results.spread) > 0:
        sigma2, spread = out.estimate[-1] ** 2, results.spread[r, method]
        spread_of_variances(sigma2, parametrization, fit.Lambda, jacobian, delta, spread)
    if len(results.vcov) > 0:
        copy(out.vcov, results.vcov[r, method])
    if results.F.shape[2] > 0 and np.isfinite(out.estimate[-1]):
        observed_information(divisor(problem), workspace.state.T, jacobian, delta, tests)
        information = Information(workspace.state.Ls, tests.P, tests.Omega, out.vcov)
        fixed, adjust = parametrization.fixed, np.bool_(False)
        F, ddf = results.F[r, method], results.ddf[r, method]
        f_tests(fixed, out.estimate, information, adjust, tests, F, ddf)
