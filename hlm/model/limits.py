"""Limits of a fit's terms beyond Wald's: on the variance scale, by profile, by bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.engine.fit import allocate_room
from hlm.engine.limits import critical_value
from hlm.engine.profile import allocate_search
from hlm.engine.profile_stack import profile_stack, targets_of
from hlm.engine.units import allocate_units
from hlm.model.bootstrap import bootstrap
from hlm.model.moments import whole_design

if TYPE_CHECKING:
    import pandas as pd

    from hlm.model.result import DfMethod, LmerFit

__all__ = ["percentiles", "profile", "variance_scale", "vcov_random"]

Floats = NDArray[np.float64]


def variance_scale(fit: LmerFit, level: float, df_method: DfMethod) -> pd.DataFrame:
    """Wald limits on the scale of variances; of correlations on their own scale."""
    import pandas as pd

    table = fit.tidy(df_method=df_method, level=level).set_index("term")
    z = critical_value(np.array([np.inf]), level)[0]
    limits = table[["lower", "upper"]].to_numpy(copy=True)
    estimates, errors = table["estimate"].to_numpy(), table["se"].to_numpy()
    for k in range(len(fit.beta), len(limits)):
        around = np.array([-z, z]) * errors[k]
        if fit.terms[k].startswith("cor_"):
            limits[k] = np.clip(estimates[k] + around, -1.0, 1.0)
        else:
            variances = estimates[k] ** 2 + 2.0 * estimates[k] * around
            limits[k] = np.sqrt(np.maximum(variances, 0.0))
    return pd.DataFrame(limits, index=table.index, columns=["lower", "upper"])


def vcov_random(fit: LmerFit) -> pd.DataFrame:
    """Return the matrix of `LmerFit.vcov_random`.

    With eta = sigma^2 (Psi, 1), d its derivative along the profile and f_s = eta that in
    log sigma^2: Cov(eta) = f_s f_s' 2 / n* + 2 d'Hp^{-1}d (see `hlm.engine.inference`).
    """
    import pandas as pd

    work, par = fit.engine.room.work, fit.engine.moments.parametrization
    n_star = fit.nobs - len(fit.beta) if fit.reml else fit.nobs
    row, col, K = par.row, par.col, par.random
    psi, sigma2 = fit.psi, fit.sigma**2
    directions = K[row][:, row] * K[col][:, col]
    swapped = K[row][:, col] * K[col][:, row]
    chain = directions + np.where(row != col, swapped, 0.0)
    eta = np.append(psi[row, col], sigma2)
    d = np.vstack([sigma2 * chain @ work.jacobian, np.zeros(len(row))]) + np.outer(
        eta, work.gradient
    )
    half = d @ work.factor.T
    covariance = np.outer(eta, eta) * 2.0 / n_star + 2.0 * half @ half.T
    if fit.singular:
        covariance[:] = np.nan
    names = [term.replace("sd_", "var_").replace("cor_", "cov_") for term in fit.terms]
    names = [*names[len(fit.beta) : -1], "sigma^2"]
    return pd.DataFrame(covariance, index=names, columns=names)


def profile(fit: LmerFit, level: float) -> pd.DataFrame:
    """Profile likelihood limits of the random part, by ML as lme4's."""
    import pandas as pd

    moments, blocks = fit.engine.moments, fit.frame.blocks
    par = moments.parametrization
    p, q, n_theta, n_units = len(fit.beta), len(par.random), len(par.row), fit.n_groups
    limits = np.zeros((1, 2, n_theta + 1))
    profile_stack(
        (0,) * q,
        p,
        (moments.gram, moments.response, moments.sum_squares, np.ones((1, 1, n_units))),
        whole_design(q, p),
        par,
        targets_of(par, list(blocks)),
        fit.nobs,
        float(critical_value(np.array([np.inf]), level)[0]),
        allocate_room(n_units, q, p, n_theta, shared=False),
        allocate_units(n_units, q, p, shared=False),
        allocate_search(q, n_theta),
        limits,
    )
    index = pd.Index(fit.terms[p:], name="term")
    return pd.DataFrame({"lower": limits[0, 0], "upper": limits[0, 1]}, index=index)


def percentiles(fit: LmerFit, level: float, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Percentiles of each term over parametric bootstrap samples."""
    import pandas as pd

    engine = fit.engine
    par = engine.moments.parametrization
    results = bootstrap(
        engine.moments,
        engine.rows.starts,
        np.linalg.solve(par.fixed, fit.beta),
        engine.room.Lambda,
        fit.sigma,
        reml=fit.reml,
        n=n,
        rng=rng,
    )
    share = 0.5 - level / 2.0
    limits = np.nanquantile(results.estimate[:, 0], [share, 1.0 - share], axis=0)
    index = pd.Index(fit.terms, name="term")
    return pd.DataFrame({"lower": limits[0], "upper": limits[1]}, index=index)
