r"""Which model a criterion chooses on each data set, and by how much.

With D the criterion that is minimized, k parameters and N observations,

    AIC = D + 2 k,   AICc = AIC + 2 k (k + 1)/(N - k - 1),   BIC = D + k log N,

and the smallest value chooses. Likelihood-ratio tests go along an order of nested models, each step
with the p-value of D_smaller - D_larger: forward from the smallest model while tests reject,
backward from the largest while they do not.

References
----------
C. M. Hurvich, C.-L. Tsai (1989). Regression and time series model selection in small samples.
Biometrika 76, 297-307.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hlm.criteria import OF_INFORMATION, Selection
from hlm.formula import terms_of
from hlm.measures.likelihood_ratio import chi_square_p

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hlm.criteria import Step
    from hlm.measures.arrays import FitArrays
    from hlm.scenario import Model

__all__ = ["Chosen", "chosen_by", "corrected", "without_reason"]

NOBODY = -1
"""The place of the model that is chosen where none is, for want of a fit."""


@dataclass(frozen=True)
class Chosen:
    """What a criterion chooses among the fits by a method.

    Attributes
    ----------
    criterion, method : str
    models : tuple of str
    place : ndarray of int, (n_replicates,)
        The place of the model that is chosen among them; -1 where one of the fits failed.
    margin : ndarray, (n_models, n_replicates), or None
        The value of each model less the smallest one of the others, below 0 where it is chosen;
        NaN where a fit failed. None of tests.
    """

    criterion: str
    method: str
    models: tuple[str, ...]
    place: NDArray[np.int64]
    margin: NDArray[np.float64] | None = None


def chosen_by(fits: FitArrays, selection: Selection) -> Iterator[Chosen]:
    """Yield what each criterion chooses among the fits by each method.

    Nothing of tests along an order of which a method has not all models, or which compare REML fits
    with different fixed parts.
    """
    methods = tuple(dict.fromkeys(method for _, method in fits.fits))
    for criterion in selection.criteria:
        for method in methods:
            models = tuple(model for model, own in fits.fits if own == method)
            if criterion in OF_INFORMATION:
                yield _smallest(fits, criterion, method, sorted(models))
            elif selection.tests_by(method, models):
                yield _stepwise(fits, criterion, method, selection)


def corrected(
    aic: NDArray[np.float64], npar: NDArray[np.float64], n_obs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return AICc; it is infinite where there are not two observations more than parameters.

    Examples
    --------
    >>> corrected(np.array([108.0]), np.array([4.0]), np.array([24.0])).round(3).item()
    110.105
    """
    left = n_obs - npar - 1.0
    penalty = np.full(aic.shape, np.inf)
    np.divide(2.0 * npar * (npar + 1.0), left, out=penalty, where=left > 0.0)
    return aic + penalty


def _rows(fits: FitArrays, models: Sequence[str], method: str) -> list[int]:
    return [fits.fits.index((model, method)) for model in models]


def _smallest(fits: FitArrays, criterion: str, method: str, models: Sequence[str]) -> Chosen:
    """Choose the smallest value; of equal ones that with fewest parameters, then the first."""
    rows = _rows(fits, models, method)
    npar = fits.columns["npar"][rows]
    value = fits.columns["aic" if criterion == "aicc" else criterion][rows]
    known = np.asarray(np.isfinite(value).all(axis=0))
    if criterion == "aicc":
        value = corrected(value, npar, fits.columns["n_obs"][rows])
    best = value == value.min(axis=0)
    fewest = best & (npar == np.where(best, npar, np.inf).min(axis=0))
    place = np.where(known, fewest.argmax(axis=0), NOBODY)
    return Chosen(criterion, method, tuple(models), place, _margin(value, known))


def _margin(value: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return each value less the smallest of the others, (n_models, n_replicates)."""
    if len(value) < 2:
        return None
    others = [np.delete(value, row, axis=0).min(axis=0) for row in range(len(value))]
    with np.errstate(invalid="ignore"):
        return np.where(known, value - np.array(others), np.nan)


def _stepwise(fits: FitArrays, criterion: str, method: str, selection: Selection) -> Chosen:
    """Choose along the order: where the first test, on the way, ends the steps."""
    rows = _rows(fits, selection.order, method)
    deviance = fits.columns["criterion"][rows]
    rejected = np.array(
        [
            _p_values(criterion, step, small - large) < selection.alpha
            for step, small, large in zip(selection.steps, deviance[:-1], deviance[1:], strict=True)
        ]
    )
    n = len(selection.steps)
    if selection.direction == "forward":
        # As many steps as tests reject in a row from the smallest model.
        place = np.logical_and.accumulate(rejected, axis=0).sum(axis=0)
    else:
        # One step back for each test in a row, from the largest, that does not reject.
        place = n - np.logical_and.accumulate(~rejected[::-1], axis=0).sum(axis=0)
    known = np.isfinite(deviance).all(axis=0)
    return Chosen(criterion, method, selection.order, np.where(known, place, NOBODY))


def _p_values(criterion: str, step: Step, statistic: NDArray[np.float64]) -> NDArray[np.float64]:
    mixture = criterion == "lrt-mixture" and step.boundary
    return chi_square_p(statistic, step.df, boundary=mixture)


def without_reason(criterion: str, method: str, models: Sequence[Model]) -> bool:
    """Tell whether a criterion compares REML fits with different fixed parts.

    Their criteria are densities of different data: of what is left of y by different X.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> models = [Model("a", "y ~ x + (1 | g)"), Model("b", "y ~ 1 + (1 | g)")]
    >>> without_reason("aic", "reml", models), without_reason("aic", "ml", models)
    (True, False)
    """
    if method != "reml" or criterion not in OF_INFORMATION:
        return False
    return len({terms_of(model).fixed for model in models if "reml" in model.methods}) > 1
