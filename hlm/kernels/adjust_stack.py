"""Inference by the expected information for every data set of a stack that has been fitted."""

from __future__ import annotations

import numpy as np

from hlm.jit import entry
from hlm.kernels.criterion import evaluate
from hlm.kernels.derivatives import differentiate
from hlm.kernels.joint_tests import f_tests
from hlm.kernels.kenward_roger import kenward_roger
from hlm.kernels.load import load
from hlm.kernels.problem import Problem

__all__ = ["adjust_stack"]


@entry
def adjust_stack(
    axes, p, cross, design, parametrization, n_obs, reml, adjust, room, adjusted, results
):
    """Replace degrees of freedom in `results`, with `adjust` standard errors of REML fits too.

    Those of the F tests of `room.tests` likewise.
    """
    tests = room.tests
    for r in range(len(cross[2])):
        load(axes, p, cross, r, design, room.units)
        for method in range(len(reml)):
            sigma, Lambda = results.estimate[r, method, -1], results.Lambda[r, method]
            if not np.isfinite(sigma):
                continue
            problem = Problem(
                axes, p, parametrization.row, parametrization.col, room.units, n_obs, reml[method]
            )
            evaluate(problem, Lambda, room.state)
            differentiate(problem, room.state)
            kenward_roger(problem, sigma**2, parametrization, Lambda, room.state, adjusted)
            for j in range(p):
                if np.isnan(results.se[r, method, j]):
                    adjusted.vcov[j, :], adjusted.vcov[:, j] = np.nan, np.nan
                    continue
                results.df[r, method, j] = adjusted.df[j]
                if adjust and reml[method]:
                    results.se[r, method, j] = np.sqrt(adjusted.vcov[j, j])
            f_tests(
                p, results.estimate[r, method], sigma**2, parametrization.fixed, room.state.Ls,
                adjusted.P, adjusted.Omega, adjusted.vcov, adjust and reml[method], tests,
                tests.F[r, method], tests.ddf[r, method],
            )  # fmt: skip
