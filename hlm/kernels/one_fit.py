"""Inference for one fit, called from Python: what the stacks do for each of theirs."""

from __future__ import annotations

import numpy as np

from hlm.jit import entry
from hlm.kernels.joint_tests import f_tests, observed_information
from hlm.kernels.kenward_roger import kenward_roger

__all__ = ["adjust_fit", "f_tests_expected", "f_tests_observed"]


@entry
def adjust_fit(problem, sigma2, parametrization, Lambda, state, out):
    """Fill `out` from the state at the minimum, as `adjust_stack` does."""
    kenward_roger(problem, sigma2, parametrization, Lambda, state, out)


@entry
def f_tests_observed(p, n_star, beta, sigma2, fixed, vcov, state, work, tests):
    """Fill `tests.F[0, 0]` and `tests.ddf[0, 0]` after a fit, as `fit_stack` does."""
    observed_information(p, n_star, state, work, tests)
    f_tests(
        p, beta, sigma2, fixed, state.Ls, tests.P, tests.Omega, vcov, np.bool_(False), tests,
        tests.F[0, 0], tests.ddf[0, 0],
    )  # fmt: skip


@entry
def f_tests_expected(p, beta, sigma2, fixed, Ls, adjusted, adjust, tests):
    """Fill them after `adjust_fit`, as `adjust_stack` does."""
    f_tests(
        p, beta, sigma2, fixed, Ls, adjusted.P, adjusted.Omega, adjusted.vcov, adjust, tests,
        tests.F[0, 0], tests.ddf[0, 0],
    )  # fmt: skip
