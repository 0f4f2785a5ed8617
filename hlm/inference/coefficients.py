"""Inferences of coefficients and F tests.

Satterthwaite (1946), with the observed information as lmerTest has it or with the expected;
Kenward & Roger (1997); cluster-robust, by Bell & McCaffrey (2002) and Pustejovsky & Tipton (2018);
degrees of freedom that are a count, by rows or by levels, or infinite; and the parametric
bootstrap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.inference.fitted import Bootstrap, Expected, Fitted, Inferred

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "between_within",
    "bootstrap",
    "bootstrap_of",
    "by_count",
    "cr2",
    "degrees_by_levels",
    "infinite",
    "kenward_roger",
    "profile_of_coefficients",
    "residual",
    "satterthwaite",
    "satterthwaite_expected",
    "smallest_df",
]

Floats = NDArray[np.float64]


def satterthwaite(fitted: Fitted) -> Inferred:
    """Return Satterthwaite's inference by the observed information."""
    return Inferred(_plain_se(fitted), fitted.df, fitted.F, fitted.ddf)


def satterthwaite_expected(fitted: Fitted) -> Inferred:
    """Return Satterthwaite's inference by the expected information."""
    expected = _expected(fitted)
    return Inferred(_plain_se(fitted), expected.df, expected.F, expected.ddf)


def kenward_roger(fitted: Fitted) -> Inferred:
    """Return Kenward and Roger's inference; of ML fits the degrees of freedom only."""
    expected = _expected(fitted)
    return Inferred(expected.se, expected.df, expected.F_adjusted, expected.ddf_adjusted)


def cr2(fitted: Fitted) -> Inferred:
    """Return cluster-robust inference, its standard errors those of CR2."""
    if fitted.robust is None:
        raise ValueError("the fits have no cluster-robust inference")
    return Inferred(*fitted.robust)


def bootstrap(fitted: Fitted) -> Inferred:
    """Return what the bootstrap says; it has no degrees of freedom."""
    of = bootstrap_of(fitted)
    none, no_ddf = np.full_like(of.se, np.nan), np.full_like(fitted.F, np.nan)
    limits = of.limits[..., : fitted.p]
    return Inferred(of.se, none, fitted.F, no_ddf, limits, of.p_value, of.contrasts)


def bootstrap_of(fitted: Fitted) -> Bootstrap:
    """Return the bootstrap of some fits, which must be there."""
    if fitted.bootstrap is None:
        raise ValueError("the fits have no bootstrap")
    return fitted.bootstrap


def profile_of_coefficients(fitted: Fitted) -> tuple[Floats, Floats]:
    """Return the limits by profile likelihood."""
    if fitted.coefficient_profile is None:
        raise ValueError("the fits have no profile likelihood limits of coefficients")
    return fitted.coefficient_profile[..., 0, :], fitted.coefficient_profile[..., 1, :]


def by_count(degrees: Callable[[Fitted], Floats]) -> Callable[[Fitted], Inferred]:
    """Return the inference with degrees of freedom (..., p) that are a function of the design.

    An F test has the smallest of its coefficients. Where there is no standard error there are none.
    """

    def infer(fitted: Fitted) -> Inferred:
        se, df = _plain_se(fitted), degrees(fitted)
        ddf = [smallest_df(L, df, np.isnan(se)) for L in fitted.contrasts]
        return Inferred(
            se,
            np.where(np.isnan(se), np.nan, df),
            fitted.F,
            np.stack(ddf, axis=-1) if ddf else fitted.ddf,
        )

    return infer


def residual(fitted: Fitted) -> Floats:
    """Return rows less coefficients."""
    return np.repeat(fitted.n_obs - fitted.p, fitted.p, axis=-1).astype(float)


def infinite(fitted: Fitted) -> Floats:
    """Return infinity, for Wald's z."""
    return np.full((*fitted.n_obs.shape[:-1], fitted.p), np.inf)


def between_within(fitted: Fitted) -> Floats:
    """Return degrees of freedom by levels, as nlme's `lme`."""
    return degrees_by_levels(fitted.n_obs, fitted.n_units, fitted.constant, fitted.between)


def degrees_by_levels(
    n_obs: int | NDArray[np.int64],
    n_units: int | NDArray[np.int64],
    constant: Sequence[bool] | NDArray[np.bool_],
    between: Sequence[bool] | NDArray[np.bool_],
) -> Floats:
    """Degrees of freedom by levels.

    Parameters
    ----------
    n_obs : int or ndarray (..., 1)
    n_units : int or ndarray (..., 1)
    constant, between : sequence of bool, (p,)
        Which columns are the intercept; which are constant within every unit.

    Returns
    -------
    ndarray (..., p)
        Units less between columns for these, rows less units less within columns for the
        others, one more if there is no intercept; the intercept, which is estimated at every level,
        takes the larger.

    Examples
    --------
    >>> degrees_by_levels(900, 30, [True, False, False, False], [True, False, True, False])
    array([868., 868.,  28., 868.])
    """
    of_units = n_units - sum(between)
    of_rows = n_obs - n_units - sum(not column for column in between) + (not any(constant))
    within = np.where(constant, np.maximum(of_units, of_rows), of_rows)
    return np.where(np.asarray(between) & ~np.asarray(constant), of_units, within).astype(float)


def smallest_df(L: Floats, df: Floats, unknown: NDArray[np.bool_]) -> Floats:
    """Return the smallest degrees of freedom of the coefficients in some contrasts, (...,).

    NaN where one of these coefficients is `unknown`, (..., p).

    Examples
    --------
    >>> L, df = np.array([[0.0, 1.0, -1.0]]), np.array([9.0, 30.0, 20.0])
    >>> smallest_df(L, df, np.array([True, False, False])).item()
    20.0
    """
    used = (L != 0.0).any(axis=0)
    return np.where(unknown[..., used].any(axis=-1), np.nan, df[..., used].min(axis=-1))


def _plain_se(fitted: Fitted) -> Floats:
    return fitted.se[..., : fitted.p]


def _expected(fitted: Fitted) -> Expected:
    if fitted.expected is None:
        raise ValueError("the fits have no inference by the expected information")
    return fitted.expected
