"""Degrees of freedom of coefficients and of F tests that need no derivatives."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.kernels.data import CrossProducts, ModelColumns
    from hlm.kernels.joint_tests import JointTests
    from hlm.kernels.stack import StackResults
    from hlm.scenario import Model

__all__ = ["between_within", "replace_df", "smallest_df"]

Floats = NDArray[np.float64]


def replace_df(
    model: Model,
    columns: ModelColumns,
    cross: CrossProducts,
    results: StackResults,
    tests: JointTests,
) -> None:
    """Replace Satterthwaite's degrees of freedom where the model asks for others.

    An F test has the smallest of its coefficients.
    """
    n_obs, p = cross.n_obs[:, None], len(columns.fixed)
    match model.df:
        case "residual":
            df = np.repeat(n_obs - p, p, axis=-1).astype(float)
        case "infinite":
            df = np.full((len(n_obs), p), np.inf)
        case "between-within":
            between = columns.fixed[:, 0] == 0  # no part of its rows but the constant
            constant = between & (columns.fixed[:, 1] == 0)
            df = between_within(n_obs, cross.response.shape[2], constant, between)
        case _:
            return
    df = df[:, None]
    failed = np.isnan(results.se[..., :p])
    results.df[..., :p] = np.where(failed, np.nan, df)
    for t, (first, last) in enumerate(pairwise(tests.first)):
        L = tests.L[first:last]
        unknown = failed[..., (L != 0.0).any(axis=0)].any(axis=-1)
        tests.ddf[..., t] = np.where(unknown, np.nan, smallest_df(L, df))


def smallest_df(L: Floats, df: Floats) -> Floats:
    """Return the smallest degrees of freedom, (..., p), of the coefficients in some contrasts.

    Examples
    --------
    >>> smallest_df(np.array([[0.0, 1.0, -1.0]]), np.array([9.0, 30.0, 20.0])).item()
    20.0
    """
    return np.asarray(df[..., (L != 0.0).any(axis=0)].min(axis=-1))


def between_within(
    n_obs: int | NDArray[np.int64],
    n_units: int,
    constant: Sequence[bool] | NDArray[np.bool_],
    between: Sequence[bool] | NDArray[np.bool_],
) -> Floats:
    """Degrees of freedom by levels, as nlme's `lme`.

    Parameters
    ----------
    n_obs : int or ndarray (n, 1)
    n_units : int
    constant, between : sequence of bool, (p,)
        Which columns are the intercept; which are constant within every unit.

    Returns
    -------
    ndarray (p,) or (n, p)
        Units less between columns for these, rows less units less within columns for the
        others, one more if there is no intercept; the intercept, which is estimated at every level,
        takes the larger.

    Examples
    --------
    >>> between_within(900, 30, [True, False, False, False], [True, False, True, False])
    array([868., 868.,  28., 868.])
    """
    of_units = n_units - sum(between)
    of_rows = n_obs - n_units - sum(not column for column in between) + (not any(constant))
    within = np.where(constant, np.maximum(of_units, of_rows), of_rows)
    return np.where(np.asarray(between) & ~np.asarray(constant), of_units, within).astype(float)
