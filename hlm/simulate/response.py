"""The response of rows, from covariates, random effects and residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.formula import formula_in, product_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hlm.rows.row_layout import RowLayout
    from hlm.scenario import Scenario
    from hlm.uncertain import DrawnTruth

__all__ = ["response_of"]

Floats = NDArray[np.float64]


def response_of(
    scenario: Scenario,
    data: Mapping[str, Floats],
    effects: Floats,
    residuals: Floats,
    rows: RowLayout,
    truth: DrawnTruth | None = None,
) -> Floats:
    """Return y = X beta + Z b + e, (total,).

    Parameters
    ----------
    scenario : Scenario
    data : mapping of str to ndarray (total,)
        The covariates, with a value for each row.
    effects : ndarray (n, q, n_units)
    residuals : ndarray (total,)
        In units of the residual sd.
    rows : RowLayout
    truth : DrawnTruth, optional
        The parameters of each data set, where some are uncertain.
    """
    formula = formula_in(scenario.formula, scenario.covariates)
    values: dict[str, float | Floats] = dict(scenario.fixed)
    sigma: float | Floats = scenario.sigma
    if truth is not None:
        sigma = rows.of_units(truth.sigma[:, None])
        for k in scenario.uncertain_coefficients:
            values[scenario.fixed[k][0]] = rows.of_units(truth.fixed[:, k, None])
    y = sigma * residuals
    for term in formula.fixed:
        y = y + values[term.name] * product_of(term.factors, data)
    for t, term in enumerate(formula.effects):
        y = y + rows.of_units(effects[:, t]) * product_of(term.factors, data)
    return y
