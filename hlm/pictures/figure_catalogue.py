"""The figures that have a name: what each shows, and which of them a study has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest
from hlm.estimands.kinds import PARTS, RatioTestOf
from hlm.estimands.model_estimands import estimands_of
from hlm.figure_choice import LAYOUTS, OF_REPLICATES, FigureChoice
from hlm.formula import formula_in, parse, terms_of
from hlm.formula.linear_in import is_linear_in, random_line
from hlm.pictures.example_variables import variables
from hlm.scenario import Model
from hlm.words.criteria_words import CRITERION_WORDS
from hlm.words.measures import OF_HYPOTHESES, OF_PREDICTIONS, Measure
from hlm.words.measures import OF_TERMS as MEASURES_OF_TERMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.results.shown import Planned
    from hlm.scenario import Scenario

__all__ = [
    "EXAMPLES",
    "OF_TERMS",
    "SECTIONS",
    "SPECIAL",
    "catalogue_names",
    "chosen_by_name",
    "default_names",
    "hypotheses_in",
    "is_name_of_figure",
    "measure_names",
    "models_with_lines",
    "rates_of",
    "section_of",
    "terms_of_study",
    "title_of",
]

OF_TERMS = {name: one for name, one in MEASURES_OF_TERMS.items() if name != "relative_precision"}
"""The measures of terms that a figure can show; a gain in precision is a difference of two."""

PART_WORDS = {"fixed": "fixed effects", "random": "random part", "tests": "tests"}
EXAMPLES = {
    "units_against_attribute": "Units against their attribute",
    "unit_lines": "The units' lines",
    "shrinkage": "Predicted and least-squares lines",
}
"""The pictures of one data set, by which a study is explained."""

SPECIAL = {
    "overview": "Overview of all scenarios",
    "robustness": "Power and size under violated assumptions",
    **{f"selection_{name}": f"Selection by {words}" for name, words in CRITERION_WORDS.items()},
    "failures": "Singular and failed fits",
    "accounting": "What became of the fits",
    "precision_reached": "The precision reached",
    "zip": LAYOUTS["zip"],
    "estimates": LAYOUTS["swarm"],
    "ridges": LAYOUTS["ridges"],
    "se_against_estimate": LAYOUTS["se"],
    **EXAMPLES,
}
"""The figures that are not a measure of the terms of a part, with their titles."""

LAYOUT_OF = {"zip": "zip", "estimates": "swarm", "ridges": "ridges", "se_against_estimate": "se"}

SECTIONS = (
    "Overview",
    "Fixed effects",
    "Tests",
    "Violated assumptions",
    "Random part",
    "Predictions",
    "Selection",
    "Replicates",
    "Fits",
    "Example data",
)
"""The sections of a report in their order; what is no result comes last."""

_DEFAULTS = {
    "fixed": ("bias", "rmse", "relative_error_se", "coverage", "power", "size"),
    "tests": ("power", "size"),
    "random": ("bias", "rmse", "coverage"),
}


def title_of(measure: Measure, part: str) -> str:
    """Return the title of a measure of a part.

    Examples
    --------
    >>> title_of(OF_TERMS["relative_error_se"], "fixed")
    'Error of the standard error, fixed effects'
    """
    noun = measure.noun.removeprefix("the ")
    return f"{noun[0].upper()}{noun[1:]}, {PART_WORDS[part]}"


def section_of(choice: FigureChoice) -> str:
    """Return the section of the report that a figure belongs to."""
    name = choice.measure or choice.name
    if choice.measure in OF_TERMS and choice.part:
        return {"fixed": "Fixed effects", "random": "Random part", "tests": "Tests"}[choice.part]
    if name in EXAMPLES:
        return "Example data"
    if choice.layout in OF_REPLICATES:
        return "Replicates"
    if name.startswith("selection_"):
        return "Selection"
    if name in OF_PREDICTIONS:
        return "Predictions"
    others = {"overview": "Overview", "robustness": "Violated assumptions"}
    return others.get(name, "Fits")


def chosen_by_name(name: str, study: Planned) -> FigureChoice:
    """Return the figure of the catalogue with that name.

    Raises
    ------
    InputError
        The study has none.
    """
    known = catalogue_names(study)
    if name not in known:
        raise InputError(
            f"no figure '{name}'", allowed=", ".join(known), suggestion=nearest(name, known)
        )
    measure, _, part = name.rpartition("_")
    if measure in OF_TERMS and part in PART_WORDS:
        title = title_of(OF_TERMS[measure], part)
        return FigureChoice(name=name, title=title, measure=measure, part=part)
    if name in OF_PREDICTIONS:
        words = OF_PREDICTIONS[name].label
        return FigureChoice(name=name, title=words, measure=name)
    layout, is_of_term = LAYOUT_OF.get(name, "lines"), name in (*LAYOUT_OF, "overview")
    part = "fixed" if is_of_term else ""
    measure = "" if name in LAYOUT_OF else name
    terms = (main_term(study),) if is_of_term else ()
    return FigureChoice(
        name=name, title=SPECIAL[name], measure=measure, layout=layout, part=part, terms=terms
    )


def main_term(study: Planned) -> str:
    """Return the term that most studies are about: the last coefficient of their models."""
    return terms_of_study(study, "fixed")[-1]


def default_names(study: Planned) -> tuple[str, ...]:
    """Return the figures that a study has unless it says otherwise, in the order of the report.

    What an editor asks of any study: the errors of the estimates, of their standard errors,
    intervals and tests, with replicates behind them, what is chosen, and what became of the fits.
    """
    known = set(catalogue_names(study))
    wanted = [
        "overview",
        *(f"{measure}_{part}" for part in _DEFAULTS for measure in _DEFAULTS[part]),
        "robustness",
        "prediction_rmse",
        *(f"selection_{name}" for name in CRITERION_WORDS),
        *("estimates", "zip", "accounting", "precision_reached"),
        *EXAMPLES,
    ]
    found = [chosen_by_name(name, study) for name in wanted if name in known]
    return tuple(one.name for one in sorted(found, key=lambda c: SECTIONS.index(section_of(c))))


def catalogue_names(study: Planned) -> tuple[str, ...]:
    """Return the names of all figures that a study can have."""
    parts = [part for part in PART_WORDS if terms_of_study(study, part)]
    of_terms = [f"{measure}_{part}" for part in parts for measure in measure_names(study, part)]
    of_replicates = [*LAYOUT_OF] if "fixed" in parts else []
    return (
        *(["overview"] if "fixed" in parts else []),
        *of_replicates,
        *of_terms,
        *(OF_PREDICTIONS if terms_of_study(study, "predictions") else ()),
        *rates_of(study),
        *(["robustness"] if any(one.twin_of for one in study.scenarios) else []),
        *(["precision_reached"] if study.precision is not None else []),
        *_examples(study),
    )


def is_name_of_figure(name: str) -> bool:
    """Tell whether files of that name are of a figure of some study, or of a page of one.

    Examples
    --------
    >>> is_name_of_figure("bias_fixed_2"), is_name_of_figure("my_photo")
    (True, False)
    """
    first = (*SPECIAL, *OF_PREDICTIONS, *(f"{measure}_{part}" for measure in OF_TERMS
                                          for part in PART_WORDS))  # fmt: skip
    base, _, page = name.rpartition("_")
    return name in first or (page.isdecimal() and base in first)


def rates_of(study: Planned) -> tuple[str, ...]:
    """Return the figures of selection rates and of what becomes of fits."""
    several = len(study.models) > 1
    criteria = study.selection.criteria if several else ()
    return (*(f"selection_{name}" for name in criteria), "failures", "accounting")


def measure_names(study: Planned, part: str) -> tuple[str, ...]:
    """Return the measures that a study has of the terms of a part."""
    truths = _hypotheses(study, part)
    possible = {"true is 0": True in truths, "true is not 0": False in truths, "": True}
    if part == "tests":
        own = {name: OF_TERMS[name] for name in ("rejection", *OF_HYPOTHESES)}
    elif part == "random":
        own = {name: one for name, one in OF_TERMS.items() if not one.where}
    else:
        own = OF_TERMS
    return tuple(name for name, one in own.items() if possible[one.where])


def terms_of_study(study: Planned, part: str) -> tuple[str, ...]:
    """Return the names of the terms of a part in all models of a study."""
    found = (one for model in study.models for one in estimands_of(model))
    return tuple(dict.fromkeys(one.name for one in found if one.kind in PARTS[part]))


def _hypotheses(study: Planned, part: str) -> set[bool]:
    """Return whether the hypotheses that terms are 0 are true, as they are in some scenario."""
    return {one for scenario in _truths(study) for one in hypotheses_in(study, scenario, part)}


def _truths(study: Planned) -> list[Scenario]:
    """Return one scenario of each truth, whatever its design is."""
    found = {(one.formula, one.fixed, one.sd, one.uncertain): one for one in study.scenarios}
    return [*found.values()]


def hypotheses_in(study: Planned, scenario: Scenario, part: str) -> Iterator[bool]:
    """Yield for each term and test of a part whether it is 0 in a scenario."""
    effects = terms_of(Model("", scenario.formula)).effects
    values = dict(scenario.fixed)
    sds = dict(zip(effects, scenario.sd, strict=False))
    for model in study.models:
        terms = terms_of(model)
        if part == "fixed":
            yield from (values.get(name, 0.0) == 0.0 for name in terms.fixed[1:])
        for _, tested in model.tests if part == "tests" else ():
            yield all(values.get(one, 0.0) == 0.0 for one in tested)
        for one in estimands_of(model) if part == "tests" and model.lrt else ():
            if isinstance(one, RatioTestOf):
                fixed = [values.get(terms.fixed[place], 0.0) for place in one.places]
                random = [sds.get(terms.effects[place], 0.0) for place in one.zero_effects]
                yield not any([*fixed, *random])


def _examples(study: Planned) -> Iterator[str]:
    """Yield the pictures of the example.

    Those of units need covariates to draw them by and a truth without factors, that of shrinkage a
    model with random intercepts and slopes.
    """
    scenario = study.scenarios[study.example]
    use, formula = variables(scenario), formula_in(scenario.formula, scenario.covariates)
    straight = (
        use.covariate is not None
        and is_linear_in(formula, use.covariate)
        and formula == parse(scenario.formula)
    )
    if straight and use.attribute:
        yield "units_against_attribute"
    if straight:
        yield "unit_lines"
    if models_with_lines(study):
        yield "shrinkage"


def models_with_lines(study: Planned) -> tuple[Model, ...]:
    """Return the models by which each unit has a line of its own, in a covariate of its rows.

    A data set need not identify them all: the picture of shrinkage takes the first that it does.
    """
    covariates = study.scenarios[study.example].covariates
    rows = {c.name for c in covariates if c.level == "row"}
    return tuple(
        model
        for model in study.models
        if random_line(formula_in(model.formula, covariates)) in rows
    )
