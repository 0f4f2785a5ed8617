"""Limits of a fit's terms beyond Wald's: by profile, by bootstrap; covariance of the variances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hlm.errors import InputError
from hlm.estimands.expressions import read_expression
from hlm.estimands.kinds import FURTHER, check_further
from hlm.estimands.model_estimands import contrasts_of, further_of, operands_of
from hlm.estimands.names import variances_of
from hlm.estimands.population import of_rows
from hlm.inference import RANDOM_PART
from hlm.inference.further import by_contrast, by_delta_method, limits_of
from hlm.kernels.held_coefficient import allocate_held_coefficient
from hlm.kernels.joint_tests import allocate_joint_tests
from hlm.kernels.limits import confidence_limits, percentile_limits
from hlm.kernels.one_fit import profile_coefficients, profile_ml_fit
from hlm.kernels.profile_stack import allocate_profile
from hlm.kernels.refits import refit
from hlm.model.inferred import fitted_of, infer
from hlm.model.moments import fit_moments
from hlm.model.undetermined import open_terms
from hlm.scenario import Expression

if TYPE_CHECKING:
    import pandas as pd

    from hlm.estimands.estimand import Estimand
    from hlm.estimands.functions import Contrast
    from hlm.estimands.population import Population
    from hlm.inference import Fitted
    from hlm.kernels.fit import Workspace
    from hlm.model.result import LmerFit
    from hlm.scenario import Terms

__all__ = ["covariance_of_variances", "percentiles", "profile", "vcov_random", "wald"]

Floats = NDArray[np.float64]
Estimands: TypeAlias = Sequence[str | Mapping[str, str]] | Mapping[str, str]
"""Kinds; or kinds and expressions under names."""


def wald(fit: LmerFit, level: float, df_method: str, method: str) -> pd.DataFrame:
    """Wald limits of every term, of the random part by a method."""
    from hlm.model.tidy import tidy

    table = tidy(fit, df_method, level, limits=method)
    return table.set_index("term")[["lower", "upper"]]


def vcov_random(fit: LmerFit) -> pd.DataFrame:
    """Return the matrix of `LmerFit.vcov_random`."""
    import pandas as pd

    covariance = covariance_of_variances(fit)[1]
    if fit.singular:
        covariance[:] = np.nan
    is_open = open_terms(fit)
    covariance[is_open], covariance[:, is_open] = np.nan, np.nan
    names = variances_of(fit.frame.terms)
    return pd.DataFrame(covariance, index=names, columns=names)


def covariance_of_variances(fit: LmerFit) -> tuple[Floats, Floats]:
    """Return eta, the variances and covariances of the random part and sigma^2, and Cov(eta).

    With eta = sigma^2 (Psi, 1), d its derivative along the profile and f_s = eta that in
    log sigma^2: Cov(eta) = f_s f_s' 2 / n* + 2 d'Hp^{-1}d (see `hlm.kernels.inference`). Of a
    singular fit that is what follows if the dimensions that are lost stay so.
    """
    eta, half = _spread(fit)
    return eta, np.outer(eta, eta) * 2.0 / _n_star(fit) + 2.0 * half @ half.T


def further(fit: LmerFit, what: Estimands, level: float, df_method: str) -> pd.DataFrame:
    """Return the table of `LmerFit.estimands`."""
    import pandas as pd

    estimands = _asked(fit.frame.terms, what)
    contrasts = contrasts_of(estimands)
    fitted = fitted_of(fit, [one.L for one in contrasts])
    fitted = fitted._replace(spread=_spread(fit)[1], n_star=np.array(_n_star(fit)), vcov=fit.vcov)
    if any(one.of_columns for one in estimands):
        fitted = fitted._replace(population=_population(fit))
    rows = _of_contrasts(fit, fitted, contrasts, level, df_method)
    limits = RANDOM_PART["wald"].limits(fitted, level)
    for one in estimands:
        if one.part == "random":
            estimate, se = by_delta_method(one, fitted)
            rows[one.name] = (estimate, se, np.nan, *limits_of(one, "wald", fitted, limits, level))
    columns = ["estimate", "se", "df", "lower", "upper"]
    values = np.array([rows[one.name] for one in estimands], dtype=float).reshape(-1, len(columns))
    table = pd.DataFrame(values, columns=columns)
    table.insert(0, "term", [one.name for one in estimands])
    return table if contrasts else table.drop(columns="df")


def _population(fit: LmerFit) -> Population:
    """Return the moments of the columns of the rows, whose residual variance must be one."""
    if (fit.frame.weights != 1.0).any():
        raise InputError("shares of variance of rows with weights", allowed="a fit without weights")
    return of_rows(fit.frame.X, fit.frame.Z, fit.frame.units)


def _of_contrasts(
    fit: LmerFit, fitted: Fitted, contrasts: Sequence[Contrast], level: float, df_method: str
) -> dict[str, tuple[ArrayLike, ...]]:
    """Return the rows of what is linear in the coefficients, by name."""
    if not contrasts:
        return {}
    inferred = infer(fit, df_method, fitted.contrasts)
    found = [by_contrast(one, place, fitted, inferred) for place, one in enumerate(contrasts)]
    estimate, se, df = (np.array(values) for values in zip(*found, strict=True))
    scales = ["identity"] * len(contrasts)
    columns = estimate, se, df, *confidence_limits(estimate, se, df, scales, level)
    return {one.name: row for one, row in zip(contrasts, np.transpose(columns), strict=True)}


def _asked(terms: Terms, what: Estimands) -> tuple[Estimand, ...]:
    """Return the estimands of kinds and of expressions under names."""
    named: dict[str, str] = {}
    for one in [what] if isinstance(what, Mapping) else what:
        named |= one if isinstance(one, Mapping) else {check_further(one): one}
    kinds = list(dict.fromkeys(one for one in named.values() if one in FURTHER))
    known = operands_of(terms)
    expressions = []
    for name, text in named.items():
        if text not in FURTHER:
            if name in known:
                problem = f"'{name}' is the name of a term"
                raise InputError(problem, allowed="a name of its own")
            read = read_expression(text, [(terms, known)], [*FURTHER])
            expressions.append(Expression(name, read.program))
    return further_of(terms, kinds, expressions)


def _n_star(fit: LmerFit) -> int:
    return fit.nobs - len(fit.beta) if fit.reml else fit.nobs


def _spread(fit: LmerFit) -> tuple[Floats, Floats]:
    """Return eta, (n,), and B d for each of it with B'B = Hp^-1, (n, n_theta)."""
    workspace, par = fit.engine.workspace, fit.engine.moments.parametrization
    jacobian, delta = workspace.work.theta.jacobian, workspace.delta
    row, col, K = par.row, par.col, par.random
    psi, sigma2 = fit.psi, fit.sigma**2
    directions = K[row][:, row] * K[col][:, col]
    swapped = K[row][:, col] * K[col][:, row]
    chain = directions + np.where(row != col, swapped, 0.0)
    eta = np.append(psi[row, col], sigma2)
    d = np.vstack([sigma2 * chain @ jacobian, np.zeros(len(row))]) + np.outer(eta, delta.log_r2)
    return eta, d @ delta.inverse_root.T


def profile(fit: LmerFit, level: float) -> pd.DataFrame:
    """Profile likelihood limits, by ML and in the order of lme4: random part, then coefficients."""
    import pandas as pd

    p = len(fit.beta)
    index = pd.Index([*fit.terms[p:], *fit.terms[:p]], name="term")
    if not np.isfinite(fit.sigma):
        return pd.DataFrame({"lower": np.nan, "upper": np.nan}, index=index)
    workspace = _fitted_by_ml(fit)
    of_random = np.where(open_terms(fit), np.nan, _profile_random(fit, workspace, level))
    of_fixed = _profile_fixed(fit, workspace, level)
    lower, upper = np.concatenate([of_random, of_fixed], axis=1)
    return pd.DataFrame({"lower": lower, "upper": upper}, index=index)


def _profile_random(fit: LmerFit, workspace: Workspace, level: float) -> Floats:
    """Return the limits of the random part (2, n_theta + 1), from the fit by ML."""
    parametrization = fit.engine.moments.parametrization
    limits = np.full((2, len(parametrization.row) + 1), np.nan)
    profile_ml_fit(
        parametrization,
        workspace,
        fit.nobs,
        allocate_profile(
            parametrization, fit.frame.blocks, fit.n_groups, level, method=0, shared=False
        ),
        limits,
    )
    return limits


def _profile_fixed(fit: LmerFit, workspace: Workspace, level: float) -> Floats:
    """Return the limits of the coefficients (2, p), from the fit by ML."""
    parametrization = fit.engine.moments.parametrization
    limits = np.full((2, len(fit.beta)), np.nan)
    held = allocate_held_coefficient(parametrization, fit.n_groups, level, method=0, shared=False)
    profile_coefficients(parametrization, workspace, fit.nobs, held, limits)
    return limits


def _fitted_by_ml(fit: LmerFit) -> Workspace:
    """Return a workspace with the fit by ML."""
    return fit_moments(fit.engine.moments, reml=False) if fit.reml else fit.engine.workspace


def percentiles(fit: LmerFit, level: float, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Percentiles of each term over the bootstrap samples that have an estimate of it."""
    import pandas as pd

    if n < 1:
        raise InputError(f"{n} bootstrap samples", allowed="1 or more")
    index = pd.Index(fit.terms, name="term")
    limits = np.full((2, len(index)), np.nan)
    known = np.ones(len(index), dtype=bool)
    known[: len(fit.se)] = np.isfinite(fit.se)
    if np.isfinite(fit.sigma):
        estimates = _bootstrap(fit, n, rng)
        there = known & np.isfinite(estimates).any(axis=0)
        limits[:, there] = percentile_limits(estimates[:, there], level)
    return pd.DataFrame({"lower": limits[0], "upper": limits[1]}, index=index)


def _bootstrap(fit: LmerFit, n: int, rng: np.random.Generator) -> Floats:
    """Estimates of every term in n samples, (n, n_terms); NaN where there is none."""
    moments, p = fit.engine.moments, len(fit.beta)
    estimates, _ = refit(
        moments.parametrization,
        fit_moments(moments, reml=fit.reml),
        fit.nobs,
        reml=fit.reml,
        tests=allocate_joint_tests([], p, len(fit.theta)),
        n=n,
        rng=rng,
    )
    estimates[:, :p] += fit.beta
    return estimates
