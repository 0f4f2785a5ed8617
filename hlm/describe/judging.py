"""What is estimated, how it is fitted and chosen, and how it is measured: sections of a record."""

from __future__ import annotations

from math import sqrt
from random import Random
from typing import TYPE_CHECKING

from hlm.describe.blocks import Grid, Items, Paragraph
from hlm.describe.formula_tex import formula_tex
from hlm.describe.marked import code, math, said_by_user
from hlm.estimands.kinds import FURTHER
from hlm.estimands.true_value_words import by_term, remarks, value_words
from hlm.estimands.true_values import targets
from hlm.plan.study_summary import summary
from hlm.study.reading import read_tree
from hlm.words.criteria_words import CRITERION_WORDS
from hlm.words.fitting import METHODS, OUTCOMES
from hlm.words.inferences import joined
from hlm.words.levels import MINUS
from hlm.words.measures import MCSE_FORMULAS, MEASURES, OF_PREDICTIONS
from hlm.words.nouns import counted, noun
from hlm.words.policies import POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.describe.blocks import Block
    from hlm.describe.facts import Facts
    from hlm.plan import Plan
    from hlm.study.schema_about import About

__all__ = [
    "criteria_words",
    "estimands",
    "failures",
    "fitted",
    "measured",
    "precision_words",
    "replicated",
]

MOST_SCENARIOS = 1000
"""Of a larger study so many scenarios are looked at for true values, taken at random: of evenly
spaced ones a factor might have but one level."""

_B, _S, _L, _U, _T, _N, _P = map(math, "bsLUtnp")
_ORDERED, _C = math(r"x_{(1)}, x_{(2)}, \dots"), math(r"(n + 1)/2 - \sqrt{n}")

NOTATION = (
    f"Of {_N} replicates there are estimates {_B} with standard errors {_S} and limits {_L} and "
    f"{_U}; the true value is {_T}. The standard deviation sd and the variance var have the "
    f"divisor {math('n - 1')}. In the MCSE of a share {_P} is the share itself, in a measure it is "
    f"a p-value. Of medians {_ORDERED} are the estimates, or the widths, in ascending order, "
    f"{math('c')} is {_C}, rounded, and {math('z')} the normal quantile by which the two order "
    "statistics hold the median as often as they do (Price and Bonett, 2001). A prime marks "
    "estimates that are clipped 3 interquartile ranges beyond the quartiles. "
    f"{math('r')} is the ratio without one replicate each."
)
OF_UNITS = (
    f"Of predictions {math('e')} and {math('l')} are the mean squared errors of the units of a "
    "data set, of the predictor and of least squares."
)
OF_REFERENCE = f"The estimate by the reference method is {math('a')}."


def estimands(plan: Plan, about: About) -> Iterator[Block]:
    """Yield what each term of the models estimates: its true value, or why it has none."""
    if about.primary:
        terms = joined(map(code, about.primary))
        is_are = noun(len(about.primary), "The primary estimand is", "The primary estimands are")
        yield Paragraph(f"{is_are} {terms}; all others are secondary.")
    n = len(plan.scenarios)
    places = sorted(Random(0).sample(range(n), min(n, MOST_SCENARIOS)))
    scenarios = [plan.scenarios[place] for place in places]
    of = "the scenarios" if n == len(places) else f"{len(places):,} scenarios taken at random"
    found = {m.name: by_term([targets(s, m) for s in scenarios]) for m in plan.models}
    groups: dict[tuple[str, str, str], list[str]] = {}
    stages: dict[str, int] = {}
    for model, terms_of in found.items():
        for term, own in terms_of.items():
            stages[term] = own[0].estimand.stage
            key = (term, own[0].estimand.words, value_words(own).replace("-", MINUS) or "none")
            groups.setdefault(key, []).append(model)
    everyone = len(plan.models)
    rows = [
        (code(term), words, "all" if len(own) == everyone else ", ".join(own), value)
        for (term, words, value), own in sorted(groups.items(), key=lambda one: stages[one[0][0]])
    ]
    yield Grid(
        ("Term", "Estimand", "Models", "True value"),
        tuple(rows),
        f"Estimands and their true values over {of}; of tests whether the hypothesis is true.",
    )
    own_words = list(_own_estimands(plan))
    if own_words:
        yield Paragraph("Of the study's own definition are:")
        yield Items(tuple(own_words))
    said_of = [line for m in plan.models for line in remarks(m, list(found[m.name].values()))]
    if said_of:
        yield Items(tuple(f"{line}." for line in said_of))


def _own_estimands(plan: Plan) -> Iterator[str]:
    """Yield the estimands that the study defines by arithmetic or comparison, as written."""
    asked = read_tree(plan.text, file=None).tree.get("estimation", {}).get("estimands", {})
    for name, written in asked.items() if isinstance(asked, dict) else ():
        if isinstance(written, dict) and "less" in written:
            yield (
                f"{code(name)}: the share of the variance of {code(written['variance'])} in the "
                f"model {code(written['less'])} that {code(written['more'])} explains."
            )
        elif isinstance(written, dict):
            yield f"{code(name)}: {code(written['expression'])}."
        elif written not in FURTHER:
            yield f"{code(name)}: {code(written)}."


def fitted(plan: Plan, about: About) -> Iterator[Block]:
    """Yield the models with their methods and inferences, tests and selection."""
    of_study = summary(plan)
    yield Paragraph("These models are fitted to every data set:")
    yield Items(
        tuple(
            f"{code(one['name'])}: {code(one['formula'])}, {one['way']}."
            for one in of_study["models"]
        )
    )
    if of_study["tests"]:
        yield Paragraph("Hypotheses of several terms are tested in every model that has them:")
        yield Items(tuple(f"{code(name)}: {what}." for name, what in of_study["tests"]))
    if any(model.predictions for model in plan.models):
        yield Paragraph(
            "The coefficients of each unit are predicted (BLUP), and held against the true ones, "
            "beside least squares of the unit's own rows and the fixed part alone."
        )
    if len(plan.models) > 1:
        yield Paragraph(f"{criteria_words(plan)}")
    if about.methods:
        yield Paragraph(said_by_user(about.methods))


def criteria_words(plan: Plan) -> str:
    """Say how one of the models is chosen for each data set."""
    selection = plan.selection
    by = joined(CRITERION_WORDS[name] for name in selection.criteria)
    said = f"For each data set one of the models is chosen by {by}."
    if selection.steps:
        where = {"forward": "forward from the smallest", "backward": "backward from the largest"}
        order = joined(map(code, selection.order))
        said += (
            f" Tests go {where[selection.direction]} model along {order}, at the level "
            f"{selection.alpha:g}."
        )
    if selection.estimate:
        said += " The estimates of the chosen model are measured as those of a further model."
    return said


def measured(plan: Plan, about: About, facts: Facts) -> Iterator[Block]:
    """Yield the measures of performance with their formulas and those of their MCSEs."""
    known = MEASURES | OF_PREDICTIONS
    names = [name for name in known if name in facts.measures] or list(_possible(plan))
    yield Paragraph(
        "Performance is measured as follows, each measure with its Monte Carlo standard error "
        "(MCSE), after Morris, White and Crowther (2019)."
    )
    level = f"{100 * plan.models[0].level:g}%"
    alpha = f"{1 - plan.models[0].level:.4g}"
    rows = [
        (
            known[name].label.format(level=level, alpha=alpha),
            math(formula_tex(known[name].formula)),
            math(formula_tex(MCSE_FORMULAS[name])) if name in MCSE_FORMULAS else "none",
        )
        for name in names
    ]
    yield Grid(("Measure", "Definition", "MCSE"), tuple(rows), "Measures of performance.")
    further = [OF_UNITS] * any(name in OF_PREDICTIONS for name in names)
    further += [OF_REFERENCE] * ("relative_precision" in names)
    yield Paragraph(" ".join([NOTATION, *further]))
    if any(scenario.twin_of for scenario in plan.scenarios):
        yield Paragraph(
            "What a violation changes is the difference from the nominal scenario, with the MCSE "
            "of pairs of data sets made of the same random numbers."
        )
    yield Paragraph(
        "Methods, models and inferences are compared on the same data sets, and the MCSE of a "
        "difference is that of pairs."
    )
    for words in (about.measures, about.thresholds):
        if words:
            yield Paragraph(said_by_user(words))


def replicated(plan: Plan, about: About, facts: Facts) -> Iterator[Block]:
    """Yield the number of replicates with its justification by Monte Carlo standard errors."""
    yield Paragraph(precision_words(plan))
    shown = [name for name in ("bias", "coverage", "rejection", "rmse") if name in facts.mcses]
    if shown:
        worst = joined(f"{facts.mcses[name]:.2g} for {MEASURES[name].noun}" for name in shown)
        yield Paragraph(f"The largest MCSE in the results is {worst}.")
    if about.replicates:
        yield Paragraph(said_by_user(about.replicates))


def precision_words(plan: Plan) -> str:
    """Say how many data sets a scenario has, and which MCSEs that gives."""
    level = plan.models[0].level
    numbers = sorted({plan.replicates_of(scenario.key) for scenario in plan.scenarios})
    if plan.precision is not None:
        targets = joined(f"{target.key} {target.mcse:g}" for target in plan.precision.targets)
        said = (
            "Each scenario has as many data sets as these Monte Carlo standard errors take, from "
            f"{plan.precision.at_least:,} to {plan.precision.at_most:,}: {targets}."
        )
        if plan.standing is None or not plan.is_settled:
            return said
        ends = f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
        missed = len(plan.standing.missed)
        short = f"; in {counted(missed, 'scenario')} the most allowed are too few" if missed else ""
        return f"{said} The scenarios have {ends} data sets{short}."
    n = numbers[-1]
    return (
        f"Each scenario has {counted(n, 'data set')}. Hence the MCSE of a coverage of "
        f"{100 * level:g}% is {100 * sqrt(level * (1 - level) / n):.2g} percentage points, that of "
        f"any share at most {50 / sqrt(n):.2g} percentage points (at 50%), and that of a bias "
        f"{1 / sqrt(n):.2g} of the standard deviation of the estimates."
    )


def failures(plan: Plan, about: About, facts: Facts) -> Iterator[Block]:
    """Yield how failed and singular fits are handled, and how many there are."""
    first = plan.policies[0]
    rest = [f"{POLICIES[name]} ({code(name)})" for name in plan.policies[1:]]
    beside = f" Beside them measures are given for {joined(rest)}." if rest else ""
    yield Paragraph(
        "A fit that fails is a row of the results with its status; none is drawn again or dropped "
        f"in silence. Measures rest on {POLICIES[first]}, each on those that have what it needs "
        "(an estimate, a standard error, limits), and the number of these stands beside it where "
        f"it is not that of all.{beside} Singular fits, in which a variance is 0 or a correlation "
        f"{MINUS}1 or 1, are counted, and are not failures."
    )
    if facts.there:
        yield _outcomes(facts)
    if about.failures:
        yield Paragraph(said_by_user(about.failures))


def _outcomes(facts: Facts) -> Grid:
    known = [name for name in OUTCOMES if facts.total(name) or name in _ALWAYS]
    rows = [
        (
            code(model),
            METHODS.get(method, method),
            *(f"{own.get(name, 0):,}" for name in ("n", *known)),
        )
        for (model, method), own in facts.outcomes.items()
    ]
    headings = ("Model", "Method", "Fits", *(OUTCOMES[name].capitalize() for name in known))
    return Grid(
        headings,
        tuple(rows),
        "What became of the fits, over all scenarios; converged and singular overlap.",
    )


_ALWAYS = ("converged", "singular", "not_converged", "unidentified")


def _possible(plan: Plan) -> Iterator[str]:
    """Yield the measures that a study without results will have."""
    yield from (name for name, one in MEASURES.items() if one.needs != "reference")
    if any(model.predictions for model in plan.models):
        yield from OF_PREDICTIONS
