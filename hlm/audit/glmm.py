"""Fits by the Python package glmm."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.audit.engines import OtherFit, OtherInference
from hlm.model.frame import model_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hlm.audit.engines import Rows
    from hlm.model.frame import Frame
    from hlm.scenario import Model

__all__ = ["fit_with_glmm", "glmm_version"]


def glmm_version() -> str | None:
    """Return the version of glmm, None if it is not installed."""
    if find_spec("glmm") is None:
        return None
    from importlib.metadata import version

    return version("glmm")


def fit_with_glmm(sets: Sequence[Rows], models: Sequence[Model]) -> list[OtherFit]:
    """Fit every model to every data set by each of its methods, with glmm's defaults.

    It has Satterthwaite's degrees of freedom, neither Kenward and Roger's nor F tests of any
    coefficients; and no models with ``||``, a slope without intercept, or functions but I(). What
    it says of such a model is the status of the fit.

    Parameters
    ----------
    sets : sequence of mapping of str to ndarray
        The columns of each data set.
    models : sequence of Model
    """
    return [
        _fit(number, rows, model_frame(model.formula, rows), model, method)
        for number, rows in enumerate(sets)
        for model in models
        for method in model.methods
    ]


def _fit(number: int, rows: Rows, frame: Frame, model: Model, method: str) -> OtherFit:
    import glmm

    wants_df = "satterthwaite" in model.df
    start = perf_counter()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = glmm.fit(rows, model.formula, reml=method == "reml", satterthwaite=wants_df)
        psi = _psi(fit, frame)
    except (ValueError, NotImplementedError) as error:
        seconds = perf_counter() - start
        return OtherFit(number, model.name, method, f"{error}" or "failed", seconds=seconds)
    seconds = perf_counter() - start
    names = list(fit.names)
    inferences = {}
    if wants_df and fit.df_method == "satterthwaite":
        df, p = (dict(zip(names, own.tolist(), strict=True)) for own in (fit.coef_df, fit.coef_p))
        inferences["satterthwaite"] = OtherInference(df=df, p=p)
    return OtherFit(
        number,
        model.name,
        method,
        _status(fit, psi, frame),
        psi=psi,
        coef=dict(zip(names, fit.beta.tolist(), strict=True)),
        se=dict(zip(names, fit.se.tolist(), strict=True)),
        inferences=inferences,
        criterion=-2.0 * float(fit.loglik),
        singular=bool(fit.singular),
        seconds=seconds,
        warning=str(caught[0].message) if caught else "",
    )


def _status(fit: Any, psi: NDArray[np.float64], frame: Frame) -> str:
    if not (np.isfinite(psi).all() and np.isfinite(fit.beta).all()):
        return "not finite"
    if set(fit.names) != set(frame.names):
        return f"other coefficients: {', '.join(fit.names)}"
    return "ok"


def _psi(fit: Any, frame: Frame) -> NDArray[np.float64]:
    """Return the covariance of the random effects over sigma^2, in the order of the frame.

    glmm packs the lower triangle, column by column.
    """
    ours = [name for names in frame.random_names for name in names]
    ((_, theirs),), (packed,) = fit.re_groups, fit.varcorr
    q = len(theirs)
    lower = np.zeros((q, q))
    lower[np.triu_indices(q)[::-1]] = packed
    place = [list(theirs).index(name) for name in ours]
    psi = lower + np.tril(lower, -1).T
    return psi[np.ix_(place, place)] / float(fit.dispersion)
