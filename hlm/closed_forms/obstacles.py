"""A question -> why it has no closed form, if it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.distributions import Normal
from hlm.estimands.kinds import Coefficient, Contrast, FTest
from hlm.estimands.true_values import targets
from hlm.formula import parse
from hlm.inference import COEFFICIENTS
from hlm.rows.missing import PREVIOUS
from hlm.scenario import Model

if TYPE_CHECKING:
    from hlm.estimands.kinds import Estimand
    from hlm.scenario import Scenario

__all__ = ["obstacle"]


def obstacle(
    scenario: Scenario, model: Model, term: Estimand, *, inference: str, method: str
) -> str:
    """Return in a sentence why a term of a model has no closed form in a scenario; or nothing.

    Examples
    --------
    >>> from hlm.estimands.model_estimands import estimands_of
    >>> from hlm.scenario import Scenario
    >>> truth = Scenario("", 10, 5, (), "y ~ 1 + (1 | g)", (("(Intercept)", 1.0),),
    ...                  (0.5,), ((1.0,),), 1.0)
    >>> model = Model("m", "y ~ 1 + (1 | g)")
    >>> obstacle(truth, model, estimands_of(model)[1], inference="satterthwaite", method="reml")
    "'sd_(Intercept)|g' has neither a t nor an F test"
    """
    found = (
        _of_the_test(term, inference, method),
        _of_the_numbers(scenario),
        _of_the_rows(scenario),
    )
    return next(filter(None, found), "") or _of_the_model(scenario, model)


def _of_the_test(term: Estimand, inference: str, method: str) -> str:
    if not isinstance(term, Coefficient | Contrast | FTest):
        return f"'{term.name}' has neither a t nor an F test"
    one = COEFFICIENTS.get(inference)
    if one is None or one.bootstrap or one.robust:
        return f"there is none for the inference '{inference}'"
    if method == "ml":
        return "ML takes variances as too small by a share that differs between terms"
    return ""


def _of_the_numbers(scenario: Scenario) -> str:
    effects = [one for one, sd in zip(scenario.shapes, scenario.sd, strict=True) if sd > 0.0]
    if not all(isinstance(one, Normal) for one in effects):
        return "the random effects of the truth are not normal"
    return "" if isinstance(scenario.residuals, Normal) else "its residuals are not normal"


def _of_the_rows(scenario: Scenario) -> str:
    if scenario.generator is not None:
        return "a generator draws the data"
    response = parse(scenario.formula).response
    if scenario.missing is not None and {response, PREVIOUS} & set(scenario.missing.names):
        return "which rows are missing depends on the response"
    return ""


def _of_the_model(scenario: Scenario, model: Model) -> str:
    """Tell whether the model has the truth's coefficients and variances, in its own terms."""
    alone = Model(model.name, model.formula, terms=model.terms)
    for target in targets(scenario, alone):
        if target.left_out:
            return f"the model lacks {' and '.join(target.left_out)} of the truth"
        if np.isnan(target.true) and target.kind != "cor":
            return target.reason
    return ""
