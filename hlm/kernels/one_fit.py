"""Inference for one fit, called from Python: what `fit_stack` does for each of its data sets."""

from __future__ import annotations

import numpy as np

from hlm.jit import entry
from hlm.kernels.cr2 import infer_robust, rotate_clusters
from hlm.kernels.held_coefficient import coefficient_limits
from hlm.kernels.joint_tests import Information, f_tests, observed_information
from hlm.kernels.kenward_roger import kenward_roger
from hlm.kernels.load import data_set
from hlm.kernels.problem import problem_of
from hlm.kernels.profile_stack import profile_fit

__all__ = [
    "adjust_fit",
    "f_tests_expected",
    "f_tests_observed",
    "profile_coefficients",
    "profile_ml_fit",
    "robust_fit",
]


@entry
def adjust_fit(parametrization, workspace, n_obs, reml, out):
    """Fill `out` (`KenwardRoger`) from the fit in a workspace."""
    problem = problem_of(parametrization, workspace, n_obs, reml)
    fixed, sigma2 = parametrization.fixed, workspace.fit.estimates.estimate[-1] ** 2
    kenward_roger(problem, sigma2, fixed, workspace.fit.Lambda, workspace.state, out)


@entry
def f_tests_observed(parametrization, workspace, n_star, tests, F, ddf):
    """Fill F and ddf (n_tests,) from the fit in a workspace, by the observed information."""
    state, out, adjust = workspace.state, workspace.fit.estimates, np.bool_(False)
    jacobian = workspace.work.theta.jacobian
    observed_information(n_star, state.T, jacobian, workspace.delta, tests)
    information = Information(state.Ls, tests.P, tests.Omega, out.vcov)
    f_tests(parametrization.fixed, out.estimate, information, adjust, tests, F, ddf)


@entry
def f_tests_expected(parametrization, workspace, adjusted, adjust, tests, F, ddf):
    """Fill F and ddf (n_tests,) from a fit and what `adjust_fit` made of it.

    With `adjust` they are Kenward and Roger's, else Satterthwaite's.
    """
    estimate, Ls = workspace.fit.estimates.estimate, workspace.state.Ls
    information = Information(Ls, adjusted.P, adjusted.Omega, adjusted.vcov)
    f_tests(parametrization.fixed, estimate, information, adjust, tests, F, ddf)


@entry
def robust_fit(cross, design, parametrization, reml, workspace, clusters, results):
    """Fill `results` (`RobustResults` of one data set) from the fit in a workspace."""
    rotate_clusters(data_set(cross, 0), design, clusters)
    problem = problem_of(parametrization, workspace, cross.n_obs[0], reml)
    infer_robust(problem, parametrization, workspace, clusters, results, 0, 0)


@entry
def profile_ml_fit(parametrization, workspace, n_obs, profile, limits):
    """Fill `limits` (2, n_theta + 1) from the fit by ML in a workspace."""
    problem = problem_of(parametrization, workspace, n_obs, np.bool_(False))
    profile_fit(problem, parametrization, workspace.fit, profile, limits)


@entry
def profile_coefficients(parametrization, workspace, n_obs, held, limits):
    """Fill `limits` (2, p) from the fit by ML in a workspace."""
    problem = problem_of(parametrization, workspace, n_obs, np.bool_(False))
    coefficient_limits(problem, parametrization, workspace.fit, held, limits)
