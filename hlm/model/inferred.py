"""A fit to one data frame as the inferences take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.inference import COEFFICIENTS, Expected, Fitted, Inferred, Robust
from hlm.kernels.cr2 import allocate_clusters, allocate_robust
from hlm.kernels.joint_tests import JointTests, allocate_joint_tests
from hlm.kernels.kenward_roger import KenwardRoger
from hlm.kernels.one_fit import f_tests_expected, f_tests_observed, robust_fit
from hlm.model import effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.model.result import LmerFit

__all__ = ["fitted_of", "infer"]

Floats = NDArray[np.float64]
NO_TESTS = np.zeros(0)


def infer(fit: LmerFit, method: str, contrasts: Sequence[Floats] = ()) -> Inferred:
    """Return the inference of the coefficients, and of F tests of contrasts (r, p), by a method."""
    inference = COEFFICIENTS[method]
    fitted = fitted_of(fit, contrasts)
    if inference.robust:
        return inference.infer(fitted._replace(robust=_robust(fit, contrasts)))
    if not inference.expected:
        F, ddf = _observed_tests(fit, contrasts)
        return inference.infer(fitted._replace(F=F, ddf=ddf))
    of_each = np.sqrt(np.diag(fit.adjusted.vcov))
    F, ddf = _expected_tests(fit, contrasts, adjust=inference.adjusts)
    expected = Expected(fit.adjusted.df.copy(), of_each, F, ddf, F, ddf)
    return inference.infer(fitted._replace(expected=expected))


def fitted_of(fit: LmerFit, contrasts: Sequence[Floats] = ()) -> Fitted:
    """Return what a fit leaves for inference, without F tests and expected information."""
    p, (random, random_se) = len(fit.beta), fit.random
    constant, between = effects.levels_of_columns(fit)
    return Fitted(
        parameters=fit.parameters,
        estimate=np.append(fit.beta, random),
        se=np.append(fit.se, random_se),
        df=fit.engine.workspace.fit.estimates.df[:p].copy(),
        F=NO_TESTS,
        ddf=NO_TESTS,
        contrasts=contrasts,
        n_obs=np.array([fit.nobs]),
        n_units=np.array(fit.n_groups),
        constant=constant,
        between=between,
    )


def _allocate_tests(fit: LmerFit, contrasts: Sequence[Floats]) -> tuple[JointTests, Floats, Floats]:
    n_theta = len(fit.engine.moments.parametrization.row)
    tests = allocate_joint_tests(list(contrasts), len(fit.beta), n_theta)
    return tests, np.full(len(contrasts), np.nan), np.full(len(contrasts), np.nan)


def _observed_tests(fit: LmerFit, contrasts: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return F and ddf by the observed information; NaN without estimates."""
    tests, F, ddf = _allocate_tests(fit, contrasts)
    if len(contrasts) and np.isfinite(fit.sigma):
        engine, n_star = fit.engine, fit.nobs - len(fit.beta) if fit.reml else fit.nobs
        f_tests_observed(engine.moments.parametrization, engine.workspace, n_star, tests, F, ddf)
    return F, ddf


def _robust(fit: LmerFit, contrasts: Sequence[Floats]) -> Robust:
    """Return cluster-robust inference; NaN without estimates."""
    engine, (tests, *_) = fit.engine, _allocate_tests(fit, contrasts)
    moments, p = engine.moments, len(fit.beta)
    results = allocate_robust(1, 1, p, len(contrasts))
    clusters = allocate_clusters(fit.n_groups, len(fit.psi), p, tests)
    if np.isfinite(fit.sigma):
        robust_fit(
            moments.cross, moments.places, moments.parametrization, fit.reml, engine.workspace,
            clusters, results,
        )  # fmt: skip
    return Robust(*(values[0, 0] for values in results))


def _expected_tests(
    fit: LmerFit, contrasts: Sequence[Floats], *, adjust: bool
) -> tuple[Floats, Floats]:
    """Return F and ddf by the expected information; NaN without estimates."""
    tests, F, ddf = _allocate_tests(fit, contrasts)
    if len(contrasts) and np.isfinite(fit.sigma):
        engine = fit.engine
        adjusted = KenwardRoger(*(values.copy() for values in fit.adjusted))
        f_tests_expected(
            engine.moments.parametrization, engine.workspace, adjusted, adjust, tests, F, ddf
        )
    return F, ddf
