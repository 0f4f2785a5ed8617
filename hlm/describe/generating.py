"""The data-generating mechanism of a study in words, equations and tables."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from hlm.describe.blocks import Equation, Grid, Items, Paragraph
from hlm.describe.distribution_words import (
    autocorrelation_words,
    covariate_words,
    effects_words,
    missing_words,
    prior_words,
    residual_words,
    rows_words,
    variance_words,
)
from hlm.describe.equations import equations, symbols
from hlm.describe.marked import code, math, said_by_user
from hlm.describe.over_scenarios import alternatives, by_level, factors_of, listed, nominal
from hlm.estimands.drawn_parameters import drawn_parameters
from hlm.estimands.true_values import parameters_of
from hlm.formula import formula_in
from hlm.words.assumptions import ASSUMPTIONS, NOMINAL
from hlm.words.inferences import joined
from hlm.words.levels import level_words, said
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hlm.describe.blocks import Block
    from hlm.plan import Plan
    from hlm.scenario import Scenario
    from hlm.study.schema_about import About

__all__ = [
    "combined",
    "covariate_lines",
    "further",
    "generating",
    "kind_of_mechanism",
    "noise",
    "parameter_values",
    "sizes",
]

_EQUAL, _APART = "all rows have the same residual variance", "residuals are independent"


def generating(plan: Plan, about: About) -> Iterator[Block]:
    """Yield the blocks of the section on the data-generating mechanism.

    Parameters
    ----------
    plan : Plan
    about : About
    """
    yield Paragraph(f"{kind_of_mechanism(plan)} {sizes(plan)}")
    yield from _model(plan)
    yield parameter_values(plan)
    sentences = " ".join(noise(plan))
    if sentences:
        yield Paragraph(sentences)
    covariates = list(covariate_lines(plan))
    if covariates:
        yield Paragraph("The covariates are:")
        yield Items(tuple(covariates))
    yield from (Paragraph(text) for text in further(plan))
    yield from _factors(plan)
    if about.factors:
        yield Paragraph(said_by_user(about.factors))
    yield from _violations(plan)
    if about.known_answer:
        yield Paragraph(f"Known answer: {said_by_user(about.known_answer)}")


def kind_of_mechanism(plan: Plan) -> str:
    """Say whether data are drawn from a model, one with values of real data, or resampled."""
    generator = plan.scenarios[0].generator
    from_data = {source.key: source.data for source in plan.sources}
    if generator is not None:
        what = "whole data sets" if generator.responds else "the rows and covariates"
        return (
            f"A function of the authors, {code(f'{generator.file}:{generator.function}')}, draws "
            f"{what}" + ("." if generator.responds else "; the response is drawn from a model.")
        )
    kept = [
        f"{what} {_data_name(from_data[key])}"
        for key, what in (
            ("truth.fit", "parameter values estimated from the data set"),
            ("design.from", "the design of the data set"),
        )
        if key in from_data
    ]
    if not kept:
        return "Data are generated from a parametric model."
    return f"Data are generated from a parametric model with {joined(kept)}."


def sizes(plan: Plan) -> str:
    """Say how many units and rows a data set has."""
    units = by_level(plan, lambda scenario: f"{scenario.n_units:,}")
    return f"A data set has {units} units; each unit has {by_level(plan, rows_words)}."


def combined(plan: Plan) -> str:
    """Say how the factors combine, and how many scenarios there are."""
    factors, n = factors_of(plan), len(plan.scenarios)
    if not factors:
        return "The study has one scenario."
    full = prod(map(len, factors.values()))
    if len(factors) == 1:
        return f"One factor is varied, which gives {counted(n, 'scenario')}."
    if n == full:
        return (
            f"The {len(factors)} factors are crossed in full, which gives {counted(n, 'scenario')}."
        )
    return (
        f"Of the {full:,} combinations of the {len(factors)} factors {n:,} are scenarios "
        "(a fraction of the factorial)."
    )


def _data_name(data: str) -> str:
    return code(data.replace("\\", "/").rpartition("/")[2])


def _model(plan: Plan) -> Iterator[Block]:
    shown = plan.scenarios[plan.example]
    formulas = list(dict.fromkeys(scenario.formula for scenario in plan.scenarios))
    group = formula_in(shown.formula, shown.covariates).random[0].group
    if shown.generator is not None and shown.generator.responds:
        yield Paragraph(
            "The model below defines what the estimates are held against; the function draws the "
            "response by itself."
        )
    yield Paragraph(
        f"The response of row {math('j')} in unit {math('i')}, the units being the levels of "
        f"{code(group)}, is (in the notation of lme4: {code(shown.formula)})"
    )
    yield Equation(equations(shown))
    if len(formulas) > 1:
        yield Paragraph(f"The formula is a factor: {joined(map(code, formulas))}.")
    if shown.generator is not None and shown.generator.responds:
        return
    yield Paragraph(
        "Random effects and residuals have mean 0. The former are independent of the latter, and "
        "both of the covariates; different units are independent of each other."
    )


def parameter_values(plan: Plan) -> Grid:
    """Return the table of symbols with their values."""
    shown = plan.scenarios[plan.example]
    of_symbols, drawn = symbols(shown), drawn_parameters(shown)
    values: dict[str, list[float]] = {}
    words: dict[str, str] = {}
    truths = {(s.formula, s.fixed, s.sd, s.cor, s.sigma): s for s, _ in nominal(plan)}
    for scenario in truths.values():
        for target in parameters_of(scenario):
            own = values.setdefault(target.term, [])
            own += [target.true] * (target.true not in own)
            words[target.term] = target.estimand.words
    rows = []
    for term, own in values.items():
        symbol = math(of_symbols[term]) if term in of_symbols else ""
        prior = f", drawn for each data set: {prior_words(drawn[term])}" if term in drawn else ""
        rows.append(
            (symbol, words[term], f"{alternatives([level_words(one) for one in own])}{prior}")
        )
    return Grid(
        ("Symbol", "Parameter", "True value"),
        tuple(rows),
        "Parameters of the truth; several values are levels of a factor.",
    )


def noise(plan: Plan) -> Iterator[str]:
    """Yield sentences on the distributions of random effects and residuals.

    There are none where a function of the user's draws the response.

    Parameters
    ----------
    plan : Plan
    """
    generator = plan.scenarios[0].generator
    if generator is not None and generator.responds:
        return
    effects = by_level(plan, effects_words)
    residuals = by_level(plan, residual_words)
    if effects == residuals == "normal":
        yield "Random effects and residuals are normal."
    else:
        yield f"The distribution of the random effects is {effects}."
        yield f"That of the residuals is {residuals}."
    more = (
        by_level(plan, lambda s: variance_words(s.variance), none=_EQUAL),
        by_level(plan, lambda s: autocorrelation_words(s.autocorrelation), none=_APART),
    )
    yield from (_sentence(text) for text in more if text)
    if plan.scenarios[0].uncertain is not None:
        yield (
            "Uncertain parameters are drawn anew for each data set, so that a rate of rejection "
            "is the assurance."
        )


def covariate_lines(plan: Plan) -> Iterator[str]:
    """Yield each covariate with its level and where its values come from.

    Parameters
    ----------
    plan : Plan
    """
    levels = {c.name: c.level for scenario, _ in nominal(plan) for c in scenario.covariates}
    for name, level in levels.items():
        words = by_level(
            plan,
            lambda scenario, name=name: next(  # type: ignore[misc]
                (covariate_words(c) for c in scenario.covariates if c.name == name), ""
            ),
        )
        yield f"{code(name)}, one value for each {level}: {words}."


def further(plan: Plan) -> Iterator[str]:
    """Yield sentences on correlated covariates, missing rows and common random numbers.

    Parameters
    ----------
    plan : Plan
    """
    correlated = by_level(plan, _correlated)
    if correlated:
        yield _sentence(correlated)
    response = formula_in(plan.scenarios[0].formula, plan.scenarios[0].covariates).response
    missing = by_level(
        plan, lambda scenario: missing_words(scenario.missing, response), none="no row is missing"
    )
    if missing:
        yield f"Rows are left out after a data set has been drawn: {missing}."
    if plan.scenarios[0].common_random_numbers:
        yield (
            "Scenarios with as many units and rows are drawn from the same random numbers, so "
            "that they differ by their factors alone."
        )


def _correlated(scenario: Scenario) -> str:
    said_of = []
    for one in scenario.correlated:
        pairs = [
            f"{level_words(one.cor[a][b])} between {one.names[a]} and {one.names[b]}"
            for a in range(len(one.names))
            for b in range(a)
        ]
        said_of.append(f"covariates are correlated by a Gaussian copula: {joined(pairs)}")
    return "; ".join(said_of)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _factors(plan: Plan) -> Iterator[Block]:
    factors = factors_of(plan)
    yield Paragraph(combined(plan))
    if factors:
        rows = tuple((said(name), listed(levels)) for name, levels in factors.items())
        yield Grid(("Factor", "Levels"), rows, "Factors that are varied.")
        yield Paragraph("All else is held constant at the values above.")


_ASPECTS: tuple[Callable[[Scenario], str], ...] = (
    lambda s: f"a data set has {s.n_units:,} units",
    lambda s: f"each unit has {rows_words(s)}",
    lambda s: f"the distribution of the random effects is {effects_words(s)}",
    lambda s: f"the distribution of the residuals is {residual_words(s)}",
    lambda s: variance_words(s.variance) or _EQUAL,
    lambda s: autocorrelation_words(s.autocorrelation) or _APART,
    lambda s: missing_words(s.missing, "the response") or "no row is missing",
    lambda s: f"the truth has {joined(_parameter_words(s))}",
    lambda s: (
        f"covariates are {'; '.join(f'{c.name}: {covariate_words(c)}' for c in s.covariates)}"
    ),
)
"""What a violation may change."""


def _parameter_words(scenario: Scenario) -> list[str]:
    return [f"{one.estimand.words} {level_words(one.true)}" for one in parameters_of(scenario)]


def _violations(plan: Plan) -> Iterator[Block]:
    """Yield what each violation of assumptions changes, as the first pair of scenarios has it."""
    by_key = {scenario.key: scenario for scenario in plan.scenarios}
    first: dict[Any, Scenario] = {}
    for scenario, levels in zip(plan.scenarios, plan.levels, strict=True):
        if scenario.twin_of:
            first.setdefault(levels[ASSUMPTIONS], scenario)
    if not first:
        return
    yield Paragraph(
        "Each scenario is there once as described, and once more under each of these violations "
        "of its assumptions, drawn from the same random numbers; differences from the "
        f"{NOMINAL} scenario are those of pairs of data sets:"
    )
    items = []
    for label, scenario in first.items():
        other = by_key[scenario.twin_of]
        changed = [of(scenario) for of in _ASPECTS if of(scenario) != of(other)]
        items.append(f"{said(ASSUMPTIONS, label)}: {'; '.join(changed)}.")
    yield Items(tuple(items))
