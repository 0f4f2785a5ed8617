"""Limits of a fit's terms beyond Wald's: by profile, by bootstrap; covariance of the variances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError
from hlm.estimands.model_estimands import further_of
from hlm.estimands.names import variances_of
from hlm.inference import RANDOM_PART
from hlm.inference.further import by_delta_method, limits_of
from hlm.kernels.held_coefficient import allocate_held_coefficient
from hlm.kernels.one_fit import profile_coefficients, profile_ml_fit
from hlm.kernels.profile_stack import allocate_profile
from hlm.model.bootstrap import bootstrap
from hlm.model.inferred import fitted_of
from hlm.model.moments import fit_moments
from hlm.model.undetermined import open_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from hlm.kernels.fit import Workspace
    from hlm.model.result import LmerFit

__all__ = ["percentiles", "profile", "vcov_random", "wald"]

Floats = NDArray[np.float64]


def wald(fit: LmerFit, level: float, df_method: str, method: str) -> pd.DataFrame:
    """Wald limits of every term, of the random part by a method."""
    from hlm.model.tidy import tidy

    table = tidy(fit, df_method, level, limits=method)
    return table.set_index("term")[["lower", "upper"]]


def vcov_random(fit: LmerFit) -> pd.DataFrame:
    """Return the matrix of `LmerFit.vcov_random`.

    With eta = sigma^2 (Psi, 1), d its derivative along the profile and f_s = eta that in
    log sigma^2: Cov(eta) = f_s f_s' 2 / n* + 2 d'Hp^{-1}d (see `hlm.kernels.inference`).
    """
    import pandas as pd

    eta, half = _spread(fit)
    covariance = np.outer(eta, eta) * 2.0 / _n_star(fit) + 2.0 * half @ half.T
    if fit.singular:
        covariance[:] = np.nan
    is_open = open_terms(fit)
    covariance[is_open], covariance[:, is_open] = np.nan, np.nan
    names = variances_of(fit.frame.terms)
    return pd.DataFrame(covariance, index=names, columns=names)


def further(fit: LmerFit, kinds: Sequence[str], level: float) -> pd.DataFrame:
    """Return the table of `LmerFit.estimands`."""
    import pandas as pd

    fitted = fitted_of(fit)._replace(spread=_spread(fit)[1], n_star=np.array(_n_star(fit)))
    limits = RANDOM_PART["wald"].limits(fitted, level)
    rows = []
    for one in further_of(fit.frame.terms, kinds):
        estimate, se = by_delta_method(one, fitted)
        lower, upper = limits_of(one, "wald", fitted, limits, level)
        rows.append((one.name, *map(float, (estimate, se, lower, upper))))
    return pd.DataFrame(rows, columns=["term", "estimate", "se", "lower", "upper"])


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
        share = 0.5 - level / 2.0
        limits[:, there] = np.nanquantile(estimates[:, there], [share, 1.0 - share], axis=0)
    return pd.DataFrame({"lower": limits[0], "upper": limits[1]}, index=index)


def _bootstrap(fit: LmerFit, n: int, rng: np.random.Generator) -> Floats:
    """Estimates of every term in n samples, (n, n_terms); NaN where there is none."""
    engine = fit.engine
    return bootstrap(
        engine.moments,
        engine.rows.starts,
        np.linalg.solve(engine.moments.parametrization.fixed, fit.beta),
        engine.workspace.fit.Lambda,
        fit.sigma,
        reml=fit.reml,
        n=n,
        rng=rng,
    )
