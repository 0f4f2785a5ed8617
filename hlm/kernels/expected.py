"""Inference by the expected information for one fit of a stack, while its state is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.joint_tests import Information, f_tests
from hlm.kernels.kenward_roger import kenward_roger

if TYPE_CHECKING:
    from hlm.kernels.joint_tests import JointTests
    from hlm.kernels.kenward_roger import KenwardRoger

__all__ = ["Adjustment", "ExpectedResults", "allocate_expected", "infer_expected"]


class ExpectedResults(NamedTuple):
    """Inference by the expected information for n data sets by several methods.

    Attributes
    ----------
    df : ndarray (n or 0, methods, p)
        Satterthwaite's degrees of freedom, which for one coefficient are Kenward and Roger's.
    se : ndarray (n or 0, methods, p)
        Kenward and Roger's standard errors of REML fits; of ML fits those not adjusted.
    F, ddf : ndarray (n, methods, n_tests or 0)
        F tests by Satterthwaite.
    F_adjusted, ddf_adjusted : ndarray (n, methods, n_tests or 0)
        By Kenward and Roger; of ML fits those by Satterthwaite.
    """

    df: np.ndarray
    se: np.ndarray
    F: np.ndarray
    ddf: np.ndarray
    F_adjusted: np.ndarray
    ddf_adjusted: np.ndarray


def allocate_expected(
    n: int, n_methods: int, p: int, *, n_tests: int, n_adjusted: int
) -> ExpectedResults:
    """Return arrays for n data sets; what has none is not computed."""
    of_tests, of_adjusted = (n, n_methods, n_tests), (n, n_methods, n_adjusted)
    return ExpectedResults(
        np.full((n, n_methods, p), np.nan),
        np.full((n, n_methods, p), np.nan),
        np.full(of_tests, np.nan),
        np.full(of_tests, np.nan),
        np.full(of_adjusted, np.nan),
        np.full(of_adjusted, np.nan),
    )


class Adjustment(NamedTuple):
    """What the expected information is made with, and the tests that rest on it.

    Attributes
    ----------
    adjusted : KenwardRoger
    tests : JointTests
    """

    adjusted: KenwardRoger
    tests: JointTests


@kernel
def infer_expected(problem, parametrization, workspace, adjustment, results, r, method):
    """Fill data set r of `results` from the fit in a workspace, where they have arrays for it."""
    if adjustment is None:
        return
    p, out, adjusted = problem.p, workspace.fit.estimates, adjustment.adjusted
    if results.df.shape[0] == 0 or not np.isfinite(out.estimate[-1]):
        return
    state, sigma2 = workspace.state, out.estimate[-1] ** 2
    kenward_roger(problem, sigma2, parametrization.fixed, workspace.fit.Lambda, state, adjusted)
    # df_j, and se_j = vcov_jj^{1/2} by REML; none where the fit has no se_j
    for j in range(p):
        if np.isnan(out.se[j]):
            adjusted.vcov[j, :], adjusted.vcov[:, j] = np.nan, np.nan
            continue
        results.df[r, method, j] = adjusted.df[j]
        results.se[r, method, j] = np.sqrt(adjusted.vcov[j, j]) if problem.reml else out.se[j]
    fixed, estimate, tests = parametrization.fixed, out.estimate, adjustment.tests
    information = Information(state.Ls, adjusted.P, adjusted.Omega, adjusted.vcov)
    if results.F.shape[2] > 0:
        F, ddf = results.F[r, method], results.ddf[r, method]
        f_tests(fixed, estimate, information, np.bool_(False), tests, F, ddf)
    if results.F_adjusted.shape[2] > 0:
        F, ddf = results.F_adjusted[r, method], results.ddf_adjusted[r, method]
        f_tests(fixed, estimate, information, problem.reml, tests, F, ddf)
