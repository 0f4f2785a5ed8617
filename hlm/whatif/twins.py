"""A scenario -> its twins, made of the same random numbers.

In one what a test is about is zero: the rate of rejections there is the size of the test, how often
it rejects where it ought not. In the other nothing is uncertain: the rate there is the power at the
values written, beside the assurance.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from hlm.errors import InputError
from hlm.estimands.kinds import FTest, RatioTestOf
from hlm.estimands.model_estimands import estimands_of
from hlm.estimands.names import factors_of
from hlm.estimands.true_values import targets
from hlm.formula import formula_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from hlm.scenario import Model, Scenario

__all__ = ["certain_twin", "twin_without"]


def certain_twin(scenario: Scenario) -> Scenario | None:
    """Return the twin of a scenario whose parameters are the values written; None if they are so.

    Examples
    --------
    >>> from hlm.scenario import Scenario
    >>> certain_twin(Scenario("0" * 16, 10, 5, (), "y ~ 1 + (1 | g)", (("(Intercept)", 1.0),),
    ...                       (0.5,), ((1.0,),), 1.0)) is None
    True
    """
    if scenario.uncertain is None:
        return None
    return replace(
        scenario,
        key=_key(scenario, "certain"),
        uncertain=None,
        twin_of=scenario.twin_of or scenario.key,
    )


def _key(scenario: Scenario, what: str) -> str:
    return blake2b(f"{scenario.key} {what}".encode(), digest_size=8).hexdigest()


def twin_without(scenario: Scenario, model: Model, term: str) -> Scenario | None:
    """Return the twin of a scenario in which a term of a model is 0.

    Parameters
    ----------
    scenario : Scenario
    model : Model
    term : str
        A coefficient, or an F test or likelihood ratio test: then all that it tests is 0.

    Returns
    -------
    Scenario or None
        Without anything uncertain. The scenario itself where the term is 0 already; None where no
        coefficient or standard deviation of the truth can be put to 0 for it, as for a combination
        of several.

    Examples
    --------
    >>> from hlm.scenario import Covariate, Model, Scenario
    >>> from hlm.distributions import Normal
    >>> truth = Scenario("0" * 16, 10, 5, (Covariate("x", "row", Normal()),), "y ~ x + (1 | g)",
    ...                  (("(Intercept)", 1.0), ("x", 0.3)), (0.5,), ((1.0,),), 1.0)
    >>> twin = twin_without(truth, Model("m", "y ~ x + (1 | g)"), "x")
    >>> twin.fixed, twin.streams == truth.streams, twin.key == truth.key
    ((('(Intercept)', 1.0), ('x', 0.0)), True, False)
    """
    coefficients, effects = _tested(model, term)
    own = {factors_of(name) for name in coefficients}
    fixed = tuple((n, 0.0 if factors_of(n) in own else value) for n, value in scenario.fixed)
    names = formula_in(scenario.formula, scenario.covariates).effects
    spread = {factors_of(one.name) for one in names} & {factors_of(name) for name in effects}
    sd = tuple(
        0.0 if factors_of(one.name) in spread else value
        for one, value in zip(names, scenario.sd, strict=True)
    )
    if (fixed, sd, None) == (scenario.fixed, scenario.sd, scenario.uncertain):
        return scenario if _is_zero(scenario, model, term) else None
    twin = replace(
        scenario,
        key=_key(scenario, f"without {term}"),
        fixed=fixed,
        sd=sd,
        uncertain=None,
        twin_of=scenario.twin_of or scenario.key,
    )
    return twin if _is_zero(twin, model, term) else None


def _tested(model: Model, term: str) -> tuple[Collection[str], Collection[str]]:
    """Return the coefficients and the random effects that are 0 under the hypothesis of a term."""
    one = next((one for one in estimands_of(model) if one.name == term), None)
    if one is None:
        raise InputError(f"the model {model.name} has no term '{term}'")
    fixed, effects = one.terms.fixed, one.terms.effects
    if isinstance(one, FTest):
        return [fixed[place] for place in one.places], ()
    if isinstance(one, RatioTestOf):
        return [fixed[k] for k in one.places], [effects[k] for k in one.zero_effects]
    return ((term,), ()) if one.part == "fixed" else ((), ())


def _is_zero(scenario: Scenario, model: Model, term: str) -> bool:
    return any(one.term == term and one.true == 0.0 for one in targets(scenario, model))
