r"""What the random part of a model absorbs of unit-level terms of the truth that the model lacks.

If the truth has b_k z_a g_k, z_a a column of the model's X and Z and g_k a function of the unit's
covariates, then a model without it has the random effect u_a + sum_k b_k (g_k - E g_k) in the
place of u_a. Where the g_k do not depend on what the model has of the units, that is a draw for
each unit independent of the rest, with the covariance

    Psi_ab + sum_kl b_k b_l Cov(g_k, g_l)     over the k of a and the l of b,

to which the model's estimates converge, whatever the distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.distributions import GeneratedRows, RowValues, UnitValues
from hlm.estimands.column_moments import column_moments
from hlm.formula import Term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.formula import Formula
    from hlm.scenario import Scenario

__all__ = ["absorbed_covariance"]

Floats = NDArray[np.float64]


def absorbed_covariance(
    scenario: Scenario, model: Formula, lost: Sequence[tuple[Term, float]]
) -> Floats | None:
    """Return what terms that a model lacks add to the covariance of its random effects, (q, q).

    Parameters
    ----------
    scenario : Scenario
    model : Formula
        As `formula_in` reads it.
    lost : sequence of (Term, float)
        The terms of the truth that it lacks, with their coefficients.

    Returns
    -------
    ndarray (q, q) or None
        None if they are no functions of units times columns of X and Z, or may depend on what the
        model has of the units.

    Examples
    --------
    >>> from hlm.distributions import Normal
    >>> from hlm.formula import parse
    >>> from hlm.scenario import Covariate, Scenario
    >>> covariates = Covariate("x", "row"), Covariate("a", "unit", Normal(1.0, 2.0))
    >>> truth = Scenario("", 10, 5, covariates, "y ~ x * a + (x | g)", (), (1.0, 1.0),
    ...                  ((1.0, 0.0), (0.0, 1.0)), 1.0)
    >>> lost = [(parse("y ~ x:a + (1 | g)").fixed[1], 0.5)]
    >>> absorbed_covariance(truth, parse("y ~ x + (x | g)"), lost).tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """
    if not _is_independent(scenario, model, lost):
        return None
    rows = {c.name for c in scenario.covariates if c.level == "row"}
    effects = [frozenset(term.factors) for term in model.effects]
    columns = [frozenset(term.factors) for term in model.fixed]
    change = np.zeros((len(effects), len(lost)))
    of_units = []
    for k, (term, b) in enumerate(lost):
        of_rows = frozenset(f for f in term.factors if rows.intersection(f.variables))
        unit = tuple(f for f in term.factors if f not in of_rows)
        mixed = any(not rows.issuperset(f.variables) for f in of_rows)
        if mixed or not unit or of_rows not in effects or of_rows not in columns:
            return None
        change[effects.index(of_rows), k] = b
        of_units.append(Term(unit))
    moments = column_moments(tuple(of_units), scenario.covariates, scenario.typical_rows)
    return np.asarray(change @ moments.between @ change.T)


def _is_independent(scenario: Scenario, model: Formula, lost: Sequence[tuple[Term, float]]) -> bool:
    """Tell whether the covariates of units in terms that are lost depend on none in the model.

    Grids of units run together.
    """
    joint = (GeneratedRows, RowValues, UnitValues)
    if not scenario.is_plain or any(isinstance(c.distribution, joint) for c in scenario.covariates):
        return False
    units = {c.name: c for c in scenario.covariates if c.level == "unit"}
    in_lost = {name for term, _ in lost for name in term.variables if name in units}
    in_model = {name for name in model.variables if name in units}
    grids = {name for name, c in units.items() if c.distribution.is_fixed}
    return not in_lost & in_model and not (in_lost & grids and in_model & grids)
