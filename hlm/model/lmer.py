"""`lmer`: a linear mixed model fitted to one data frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from hlm.kernels.fit import (
    BOUNDARY_RANK,
    CRITERION,
    GRADIENT_NORM,
    ITERATIONS,
    SINGULAR,
    SMALLEST_EIGENVALUE,
)
from hlm.model.frame import Frame, model_frame
from hlm.model.moments import fit_rows, rows_of
from hlm.model.result import LmerFit, owned

__all__ = ["fit_frame", "lmer"]


def lmer(
    formula: str, data: Any, reml: bool = True, *, weights: str | Any | None = None
) -> LmerFit:
    """Fit a linear mixed model with one grouping factor by REML or maximum likelihood.

    Parameters
    ----------
    formula : str
        As lme4's, such as ``y ~ x * a + (1 + x | unit)``.
    data : pandas.DataFrame or mapping of str to array_like
        Rows with missing values are left out.
    reml : bool
    weights : str or array_like, optional
        Prior weights: the variance of a row is sigma^2 / weight.

    Returns
    -------
    LmerFit
        At a certified minimum of the criterion, or with a `status` that says why not.

    Raises
    ------
    InputError
        If the formula or the data cannot be used.

    References
    ----------
    Bates, Maechler, Bolker & Walker (2015), J. Stat. Softw. 67(1).

    Examples
    --------
    >>> from hlm.datasets import load_ogorek2012
    >>> fit = lmer("y ~ x * a + (1 + x | unit)", load_ogorek2012())
    >>> print(f"{fit.aic:.0f} {fit.bic:.0f} {fit.loglik:.0f} {fit.deviance:.0f}")
    2206 2244 -1095 2174
    """
    return fit_frame(model_frame(formula, data, weights=weights), reml=reml)


def fit_frame(frame: Frame, *, reml: bool) -> LmerFit:
    """Fit the model of a frame."""
    engine = fit_rows(rows_of(frame), reml=reml)
    summary, out = engine.workspace.fit.summary, engine.workspace.fit.estimates
    p = len(frame.names)
    return LmerFit(
        formula=frame.formula.text,
        reml=reml,
        coef_names=frame.names,
        beta=owned(out.estimate[:p]),
        vcov=owned(out.vcov),
        theta=owned(out.theta),
        sigma=float(out.estimate[-1]),
        criterion=float(summary[CRITERION] - np.log(frame.weights).sum()),
        singular=bool(summary[SINGULAR]),
        converged=engine.status in ("ok", "partly_identified"),
        status=engine.status,
        iterations=int(summary[ITERATIONS]),
        gradient_norm=float(summary[GRADIENT_NORM]),
        smallest_eigenvalue=float(summary[SMALLEST_EIGENVALUE]),
        boundary_rank=int(np.nan_to_num(summary[BOUNDARY_RANK], nan=-1.0)),
        frame=frame,
        random=(owned(out.estimate[p:]), owned(out.se[p:])),
        engine=engine,
    )
