"""The parameters of a truth that are drawn for each data set, under lme4's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.estimands.kinds import parameters_of
from hlm.formula import formula_in, terms_in

if TYPE_CHECKING:
    from hlm.scenario import Scenario, Terms
    from hlm.uncertain import Drawable, Prior

__all__ = ["drawn_parameters"]


def drawn_parameters(scenario: Scenario) -> dict[str, Prior]:
    """Return the distributions of the uncertain parameters of a scenario by name.

    Of correlations that are given those of effects before, the name says so.

    Examples
    --------
    >>> from hlm.scenario import Scenario
    >>> from hlm.uncertain import Drawable, Uncertain, read_prior
    >>> truth = Scenario("", 10, 5, (), "y ~ 1 + (1 + x | g)", (("(Intercept)", 1.0),),
    ...                  (0.2, 0.5), ((1.0, 0.9), (0.9, 1.0)), 0.75,
    ...                  uncertain=Uncertain((Drawable("sd", (1,), read_prior("beta(2, 2)")),)))
    >>> list(drawn_parameters(truth))
    ['sd_x|g']
    """
    drawn = scenario.uncertain.parameters if scenario.uncertain else ()
    terms = terms_in(formula_in(scenario.formula, scenario.covariates))
    return {_name(one, terms): one.prior for one in drawn}


def _name(one: Drawable, terms: Terms) -> str:
    names = [each.name for each in parameters_of(terms)]
    if one.part == "fixed":
        return names[one.place[0]]
    if one.part == "sigma":
        return names[-1]
    row, col = one.place * 2 if one.part == "sd" else one.place
    name = names[len(terms.fixed) + terms.elements.index((row, col))]
    # The first effect of a block is given nothing
    is_partial = one.part == "cor" and any((col, k) in terms.elements for k in range(col))
    return f"partial {name}" if is_partial else name
