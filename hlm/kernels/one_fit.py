"""Inference for one fit, called from Python: what `fit_stack` does for each of its data sets."""

from __future__ import annotations

import numpy as np

from hlm.jit import entry
from hlm.kernels.joint_tests import f_tests, observed_information
from hlm.kernels.kenward_roger import kenward_roger
from hlm.kernels.profile_stack import profile_fit

__all__ = ["adjust_fit", "f_tests_expected", "f_tests_observed", "profile_ml_fit"]


@entry
def adjust_fit(axes, p, units, n_obs, sigma2, parametrization, Lambda, state, out):
    """Fill `out` from the state at the minimum."""
    kenward_roger(axes, p, units, n_obs, sigma2, parametrization, Lambda, state, out)


@entry
def f_tests_observed(p, n_star, beta, sigma2, fixed, vcov, state, work, tests, F, ddf):
    """Fill F and ddf (n_tests,) after a fit."""
    observed_information(p, n_star, state, work, tests)
    f_tests(
        p, beta, sigma2, fixed, state.Ls, tests.P, tests.Omega, vcov, np.bool_(False), tests, F, ddf
    )


@entry
def f_tests_expected(p, beta, sigma2, fixed, Ls, adjusted, adjust, tests, F, ddf):
    """Fill F and ddf (n_tests,) after `adjust_fit`."""
    f_tests(
        p, beta, sigma2, fixed, Ls, adjusted.P, adjusted.Omega, adjusted.vcov, adjust, tests, F, ddf
    )


@entry
def profile_ml_fit(axes, p, n_obs, parametrization, room, profile, limits):
    """Fill `limits` (2, n_theta + 1) from a fit by ML; the room's state and work are lost."""
    profile_fit(axes, p, n_obs, parametrization, room, profile, limits)
