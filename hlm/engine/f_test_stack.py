"""F tests by the observed information for every data set of a stack that has been fitted."""

from __future__ import annotations

import numpy as np

from hlm.engine.criterion import evaluate
from hlm.engine.derivatives import differentiate
from hlm.engine.f_test import f_tests, observed_information
from hlm.engine.inference import infer
from hlm.engine.load import load
from hlm.engine.newton import theta_derivatives
from hlm.jit import entry

__all__ = ["f_test_stack"]


@entry
def f_test_stack(axes, p, cross, design, parametrization, n_obs, reml, tests, room, results):
    """Fill `tests.F` and `tests.ddf`; those of fits without estimates stay NaN."""
    row, col = parametrization.row, parametrization.col
    out, state, work = room.estimates, room.state, room.work
    for r in range(len(cross[2])):
        load(axes, p, cross, r, design, room.units)
        for method in range(len(reml)):
            sigma, Lambda = results.estimate[r, method, -1], results.Lambda[r, method]
            if not np.isfinite(sigma):
                continue
            n_star = n_obs - p if reml[method] else n_obs
            evaluate(axes, p, room.units, n_obs, reml[method], Lambda, state)
            differentiate(axes, p, room.units, n_obs, reml[method], row, col, state)
            theta_derivatives(np.int64(len(axes)), row, col, Lambda, state, work)
            infer(p, n_star, parametrization, Lambda, state, work, out)
            observed_information(p, n_star, state, work, tests)
            f_tests(
                p, out.estimate, sigma**2, parametrization.fixed, state.Ls, tests.P, tests.Omega,
                out.vcov, np.bool_(False), tests, tests.F[r, method], tests.ddf[r, method],
            )  # fmt: skip
