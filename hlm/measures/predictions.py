r"""How well coefficients of units are predicted, over the data sets of a study.

Of each data set there is the mean over units of the squared error, s of a predictor and l of least
squares. Over n data sets, with bars for means and sd with divisor n - 1,

    prediction_mse         s-                        MCSE sd(s) / sqrt(n)
    prediction_rmse        sqrt(s-)                  MCSE that of s- / (2 sqrt(s-))
    prediction_ratio       R = s- / l-               MCSE sd(s - R l) / (l- sqrt(n))
    prediction_difference  s- - l-                   MCSE sd(s - l) / sqrt(n)

The last two are of the same units of the same data sets: those whose rows determine their own
least squares. No MCSE assumes a distribution.
"""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from hlm.measures import formulas as f
from hlm.words.policies import OF_POLICIES
from hlm.words.predictors import LEAST_SQUARES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hlm.measures.arrays import TermArrays
    from hlm.measures.formulas import Array
    from hlm.measures.group import Values

__all__ = ["prediction_measures"]


def prediction_measures(
    arrays: TermArrays, place: int, masks: Mapping[str, NDArray[np.bool_] | None]
) -> dict[str, Values]:
    """Return the measures of a predictor under several policies.

    Parameters
    ----------
    arrays : TermArrays
        With the values `ERRORS`; the inference of a contestant is its predictor.
    place : int
        The contestant; least squares have no ratio to themselves.
    masks : mapping of str to ndarray of bool, (n,), or None
        Which replicates count under each policy; None for all. `n_total` is that of all.

    Examples
    --------
    >>> from hlm.measures.arrays import ERRORS, Contestant, TermArrays
    >>> two = tuple(Contestant("m", "ml", name) for name in ("blup", "least_squares"))
    >>> errors = np.array([[[1.0, 2.0]] * 2, [[2.0, 4.0]] * 2])
    >>> arrays = TermArrays(
    ...     "unit_coefficient", "coef_x|g", two, np.full(2, nan), ERRORS, errors)
    >>> found = prediction_measures(arrays, 0, {"all": None})["all"]
    >>> {name: (round(value.estimate, 3), round(value.mcse, 3)) for name, value in found.items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'n_total': (2.0, nan), 'prediction_rmse': (1.225, 0.204), 'prediction_mse': (1.5, 0.5),
     'prediction_ratio': (0.5, 0.0), 'prediction_difference': (-1.5, 0.5)}
    """
    own = arrays.contestants[place]
    squares, paired = arrays.values[place]
    apart = None
    if own.inference != LEAST_SQUARES:
        apart = arrays.values[arrays.contestants.index(own._replace(inference=LEAST_SQUARES)), 1]
    n = squares.size
    found = {}
    for policy, mask in masks.items():
        found[policy] = {"n_total": f.Value(float(n), nan, n)}
        if policy not in OF_POLICIES:  # these are of intervals and tests
            counted = np.ones(n, dtype=bool) if mask is None else mask
            found[policy] |= _errors(squares[counted & np.isfinite(squares)])
            if apart is not None:
                both = counted & np.isfinite(paired) & np.isfinite(apart)
                found[policy] |= _against(paired[both], apart[both])
    return found


def _errors(s: Array) -> Values:
    mse = f.mean(s)
    root = sqrt(mse.estimate)
    mcse = mse.mcse / (2.0 * root) if root > 0.0 else nan
    return {"prediction_rmse": f.Value(root, mcse, mse.n), "prediction_mse": mse}


def _against(s: Array, apart: Array) -> Values:
    """Return what compares errors with those of least squares on the same units."""
    below = f.mean(apart).estimate
    ratio = f.mean(s).estimate / below if below > 0.0 else nan
    mcse = f.mean(s - ratio * apart).mcse / below if below > 0.0 else nan
    return {
        "prediction_ratio": f.Value(ratio, mcse, s.size),
        "prediction_difference": f.mean(s - apart),
    }
