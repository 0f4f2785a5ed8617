"""Limits of a fit's terms beyond Wald's: by profile, by bootstrap; covariance of the variances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError
from hlm.estimands.names import variances_of
from hlm.estimands.of_models import further_of
from hlm.estimands.parameters import Parameters
from hlm.fits.further import delta_method
from hlm.kernels.limits import confidence_limits
from hlm.kernels.profile_stack import profile_limits
from hlm.model.bootstrap import bootstrap
from hlm.model.moments import whole_design
from hlm.model.undetermined import open_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from hlm.model.result import DfMethod, LmerFit

__all__ = ["percentiles", "profile", "vcov_random", "wald"]

Floats = NDArray[np.float64]


def wald(fit: LmerFit, level: float, df_method: DfMethod, *, on_variances: bool) -> pd.DataFrame:
    """Wald limits of every term."""
    from hlm.model.tidy import tidy

    table = tidy(fit, df_method, level, variance_scale=on_variances)
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
    names = variances_of(fit.frame.columns)
    return pd.DataFrame(covariance, index=names, columns=names)


def further(fit: LmerFit, kinds: Sequence[str], level: float) -> pd.DataFrame:
    """Return the table of `LmerFit.estimands`."""
    import pandas as pd

    columns, n_star, spread = fit.frame.columns, np.array(_n_star(fit)), _spread(fit)[1]
    at = Parameters.of_estimates(np.append(fit.beta, fit.random[0]), columns)
    parameters = wald(fit, level, "satterthwaite", on_variances=False).to_numpy()
    rows = []
    for one in further_of(columns, kinds):
        estimate, se = one.value(at), delta_method(one, at, spread, n_star)
        limits = one.from_limits(parameters.T)
        if limits is None:
            own = np.array([estimate]), np.array([se]), np.array([np.nan])
            limits = np.ravel(confidence_limits(*own, [one.scale], level))
        rows.append((one.name, float(estimate), float(se), *limits.tolist()))
    return pd.DataFrame(rows, columns=["term", "estimate", "se", "lower", "upper"])


def _n_star(fit: LmerFit) -> int:
    return fit.nobs - len(fit.beta) if fit.reml else fit.nobs


def _spread(fit: LmerFit) -> tuple[Floats, Floats]:
    """Return eta, (n,), and B d for each of it with B'B = Hp^-1, (n, n_theta)."""
    work, par = fit.engine.room.work, fit.engine.moments.parametrization
    row, col, K = par.row, par.col, par.random
    psi, sigma2 = fit.psi, fit.sigma**2
    directions = K[row][:, row] * K[col][:, col]
    swapped = K[row][:, col] * K[col][:, row]
    chain = directions + np.where(row != col, swapped, 0.0)
    eta = np.append(psi[row, col], sigma2)
    d = np.vstack([sigma2 * chain @ work.jacobian, np.zeros(len(row))]) + np.outer(
        eta, work.gradient
    )
    return eta, d @ work.factor.T


def profile(fit: LmerFit, level: float) -> pd.DataFrame:
    """Profile likelihood limits of the random part, by ML as lme4's."""
    import pandas as pd

    moments = fit.engine.moments
    index = pd.Index(fit.terms[len(fit.beta) :], name="term")
    if not np.isfinite(fit.sigma):
        return pd.DataFrame({"lower": np.nan, "upper": np.nan}, index=index)
    p, q = len(fit.beta), len(moments.parametrization.random)
    limits = profile_limits(
        (moments.gram, moments.response, moments.sum_squares, np.ones((1, 1, fit.n_groups))),
        whole_design(q, p),
        moments.parametrization,
        fit.frame.blocks,
        fit.nobs,
        level,
        shared=False,
    )
    limits[..., open_terms(fit)] = np.nan
    return pd.DataFrame({"lower": limits[0, 0], "upper": limits[0, 1]}, index=index)


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
    results = bootstrap(
        engine.moments,
        engine.rows.starts,
        np.linalg.solve(engine.moments.parametrization.fixed, fit.beta),
        engine.room.Lambda,
        fit.sigma,
        reml=fit.reml,
        n=n,
        rng=rng,
    )
    return results.estimate[:, 0]
