"""Degrees of freedom of coefficients and of F tests that need no derivatives."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.formula import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.kernels.joint_tests import JointTests
    from hlm.kernels.stack import StackResults
    from hlm.scenario import Model, Scenario

__all__ = ["between_within", "replace_df", "smallest_df"]

Floats = NDArray[np.float64]


def replace_df(scenario: Scenario, model: Model, results: StackResults, tests: JointTests) -> None:
    """Replace Satterthwaite's degrees of freedom where the model asks for others.

    An F test has the smallest of its coefficients.
    """
    fixed = parse(model.formula).fixed
    n_obs, p = scenario.n_units * scenario.n_rows, len(fixed)
    match model.df:
        case "residual":
            df = np.full(p, n_obs - p, dtype=float)
        case "infinite":
            df = np.full(p, np.inf)
        case "between-within":
            of_units = {c.name for c in scenario.covariates if c.level == "unit"}
            between = [of_units.issuperset(term.variables) for term in fixed]
            constant = [not term.factors for term in fixed]
            df = between_within(n_obs, scenario.n_units, constant, between)
        case _:
            return
    failed = np.isnan(results.se[..., :p])
    results.df[..., :p] = np.where(failed, np.nan, df)
    for t, (first, last) in enumerate(pairwise(tests.first)):
        L = tests.L[first:last]
        unknown = failed[..., (L != 0.0).any(axis=0)].any(axis=-1)
        tests.ddf[..., t] = np.where(unknown, np.nan, smallest_df(L, df))


def smallest_df(L: Floats, df: Floats) -> float:
    """Return the smallest degrees of freedom of the coefficients in some contrasts.

    Examples
    --------
    >>> smallest_df(np.array([[0.0, 1.0, -1.0]]), np.array([9.0, 30.0, 20.0]))
    20.0
    """
    return float(df[(L != 0.0).any(axis=0)].min())


def between_within(
    n_obs: int, n_units: int, constant: Sequence[bool], between: Sequence[bool]
) -> Floats:
    """Degrees of freedom by levels, as nlme's `lme`.

    Parameters
    ----------
    n_obs, n_units : int
    constant, between : sequence of bool, (p,)
        Which columns are the intercept; which are constant within every unit.

    Returns
    -------
    ndarray (p,)
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
    pairs = zip(constant, between, strict=True)
    return np.array(
        [float(max(of_units, of_rows) if c else of_units if b else of_rows) for c, b in pairs]
    )
