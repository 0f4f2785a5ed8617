"""Fits by statsmodels' MixedLM."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.audit.engines import OtherFit
from hlm.model.frame import model_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.audit.engines import Rows
    from hlm.model.frame import Frame
    from hlm.scenario import Model

__all__ = ["fit_with_statsmodels", "statsmodels_version"]

SINGULAR = 1e-6
"""Smallest eigenvalue of a singular covariance matrix over its largest, which statsmodels, with
its inner optimum, never brings to 0."""


def statsmodels_version() -> str | None:
    """Return the version of statsmodels, None if it is not installed."""
    if find_spec("statsmodels") is None:
        return None
    import statsmodels

    return str(statsmodels.__version__)


def fit_with_statsmodels(sets: Sequence[Rows], models: Sequence[Model]) -> list[OtherFit]:
    """Fit every model to every data set by each of its methods, with MixedLM's defaults.

    Parameters
    ----------
    sets : sequence of mapping of str to ndarray
        The columns of each data set.
    models : sequence of Model
    """
    return [
        _fit(number, model_frame(model.formula, rows), model.name, method)
        for number, rows in enumerate(sets)
        for model in models
        for method in model.methods
    ]


def _fit(number: int, frame: Frame, model: str, method: str) -> OtherFit:
    from statsmodels.regression.mixed_linear_model import MixedLM

    start = perf_counter()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            mixed = MixedLM(frame.y, frame.X, frame.units, frame.Z)
            fit = mixed.fit(reml=method == "reml", free=_free(frame))
            psi = np.asarray(fit.cov_re) / fit.scale
            coef, se = np.asarray(fit.fe_params), np.asarray(fit.bse_fe)
    except (np.linalg.LinAlgError, ValueError) as error:
        seconds = perf_counter() - start
        return OtherFit(number, model, method, f"{error}" or "failed", seconds=seconds)
    eigenvalues = np.linalg.eigvalsh(psi)
    return OtherFit(
        number,
        model,
        method,
        "ok" if np.isfinite(psi).all() else "not finite",
        psi=psi,
        coef=dict(zip(frame.names, coef.tolist(), strict=True)),
        se=dict(zip(frame.names, se.tolist(), strict=True)),
        criterion=-2.0 * float(fit.llf),
        singular=bool(eigenvalues[0] <= SINGULAR * eigenvalues[-1]),
        seconds=perf_counter() - start,
        warning=str(caught[0].message) if caught else "",
    )


def _free(frame: Frame) -> Any:
    """Return which parameters are free: within blocks of random effects, not between them."""
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    block = np.repeat(np.arange(len(frame.blocks)), frame.blocks)
    pattern = (block[:, None] == block).astype(float)
    return MixedLMParams.from_components(fe_params=np.ones(len(frame.names)), cov_re=pattern)
