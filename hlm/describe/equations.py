r"""The truth of a scenario as equations, and the symbol of each of its parameters.

Row j of unit i is ``y_{ij} = beta_0 + beta_1 x_{ij} + ... + u_{0i} + u_{1i} x_{ij} + e_{ij}``. The
intercept has the number 0, the other terms follow in the order of the formula.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hlm.estimands.names import SIGMA, of_effects
from hlm.formula import formula_in
from hlm.formula.syntax import Name
from hlm.tables.latex import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.formula import Factor, Formula, Term
    from hlm.scenario import Scenario

__all__ = ["equations", "symbols"]

_POWER = re.compile(r"I\((\w+)\^(\d+)\)")

MOST_EFFECTS = 5
"""The covariance matrix of more random effects is not written out."""


def equations(scenario: Scenario) -> tuple[str, ...]:
    """Return the truth in LaTeX: the response, the covariance of the effects, the variance.

    Parameters
    ----------
    scenario : Scenario
    """
    formula = formula_in(scenario.formula, scenario.covariates)
    levels = {covariate.name: covariate.level for covariate in scenario.covariates}
    fixed = [
        _product(rf"\beta_{{{k}}}", term, levels)
        for k, term in zip(_numbers(formula.fixed), formula.fixed, strict=True)
    ]
    random = [
        _product(f"u_{{{k}i}}", term, levels)
        for k, term in zip(_numbers(formula.effects), formula.effects, strict=True)
    ]
    response = _text(formula.response)
    whole = " + ".join([*fixed, *random, "e_{ij}"])
    found = [f"{response}_{{ij}} &= {whole}"]
    if len(formula.effects) <= MOST_EFFECTS:
        found.append(_covariance(formula))
    if scenario.variance is None:
        found.append(r"\operatorname{var}(e_{ij}) &= \sigma^2")
    return tuple(found)


def symbols(scenario: Scenario) -> dict[str, str]:
    r"""Return the symbol of each parameter of the truth, by the name of its term.

    Examples
    --------
    >>> from hlm.scenario import Scenario
    >>> truth = Scenario("", 10, 5, (), "y ~ 1 + (1 | g)", (("(Intercept)", 1.0),),
    ...                  (0.2,), ((1.0,),), 0.75)
    >>> list(symbols(truth).items())[1:]
    [('sd_(Intercept)|g', '\\tau_{0}'), ('sigma', '\\sigma')]
    """
    formula = formula_in(scenario.formula, scenario.covariates)
    group, effects = formula.random[0].group, [term.name for term in formula.effects]
    numbers = _numbers(formula.effects)
    found = {
        name: rf"\beta_{{{k}}}"
        for k, (name, _) in zip(_numbers(formula.fixed), scenario.fixed, strict=True)
    }
    found |= {
        of_effects("sd", [name], group): rf"\tau_{{{k}}}"
        for k, name in zip(numbers, effects, strict=True)
    }
    for a, b in _pairs(formula.blocks):
        name = of_effects("cor", [effects[a], effects[b]], group)
        found[name] = rf"\rho_{{{numbers[a]}{numbers[b]}}}"
    return {**found, SIGMA: r"\sigma"}


def _numbers(terms: Sequence[Term]) -> list[int]:
    """Return numbers of terms in order, the intercept 0 and the others from 1 on."""
    others = iter(range(1, len(terms) + 1))
    return [0 if term.is_intercept else next(others) for term in terms]


def _pairs(blocks: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of random effects that may be correlated, the later one first."""
    starts = [sum(blocks[:k]) for k in range(len(blocks))]
    return [
        (a, b)
        for start, size in zip(starts, blocks, strict=True)
        for b in range(start, start + size)
        for a in range(b + 1, start + size)
    ]


def _covariance(formula: Formula) -> str:
    numbers, pairs = _numbers(formula.effects), _pairs(formula.blocks)
    names = [f"u_{{{k}i}}" for k in numbers]
    if len(names) == 1:
        return rf"\operatorname{{var}}({names[0]}) &= \tau_{{{numbers[0]}}}^2"
    rows = []
    for a, k in enumerate(numbers):
        cells = []
        for b, m in enumerate(numbers):
            first, second = max(a, b), min(a, b)
            if a == b:
                cells.append(rf"\tau_{{{k}}}^2")
            elif (first, second) in pairs:
                rho = rf"\rho_{{{numbers[first]}{numbers[second]}}}"
                cells.append(rf"{rho} \tau_{{{min(k, m)}}} \tau_{{{max(k, m)}}}")
            else:
                cells.append("0")
        rows.append(" & ".join(cells))
    matrix = r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"
    return rf"\operatorname{{cov}}({', '.join(names)}) &= {matrix}"


def _product(symbol: str, term: Term, levels: Mapping[str, str]) -> str:
    return " ".join([symbol, *(_variable(factor, levels) for factor in term.factors)])


def _variable(factor: Factor, levels: Mapping[str, str]) -> str:
    """Write a variable or a function of some, with the index of the units or of the rows."""
    of_units = {levels.get(name, "row") for name in factor.variables} == {"unit"}
    index = "i" if of_units else "ij"
    power = _POWER.fullmatch(factor.name)
    if power:
        return f"{_text(power[1])}_{{{index}}}^{{{power[2]}}}"
    return f"{_text(factor.name, is_name=isinstance(factor.expr, Name))}_{{{index}}}"


def _text(name: str, *, is_name: bool = True) -> str:
    if is_name and len(name) == 1:
        return name
    words = escape(name)
    return rf"\mathrm{{{words}}}" if is_name and words.isalnum() else rf"\text{{{words}}}"
