"""Which figures and tables a study has, known from its plan alone: no name depends on a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlm.formula import formula_in, parse
from hlm.formula.linear_in import is_linear_in, random_line
from hlm.table_layout import Known, Layout
from hlm.table_spec import TABLES, lacking_tables
from hlm.words.criteria_words import CRITERION_WORDS

if TYPE_CHECKING:
    from hlm.results.shown import Planned
    from hlm.scenario import Model, Scenario
    from hlm.table_spec import TableSpec

__all__ = [
    "FIGURES",
    "OWN_TABLE",
    "SECTIONS",
    "TABLES",
    "PlannedFigure",
    "PlannedTable",
    "Variables",
    "figure_names",
    "models_with_lines",
    "planned_figures",
    "planned_tables",
    "section",
    "table_names",
    "variables",
]

SECTIONS = {
    "Example data": {
        "units_against_attribute": "Units against their attribute",
        "unit_lines": "The units' lines",
        "shrinkage": "Predicted and least-squares lines",
    },
    "Fixed effects": {
        "bias_fixed": "Bias, fixed effects",
        "rmse_fixed": "Root mean squared error, fixed effects",
        "relative_error_se_fixed": "Error of the model standard error, fixed effects",
        "coverage_fixed": "Coverage, fixed effects",
        "rejection_fixed": "Rejection rate, fixed effects",
        "rejection_tests": "Rejection rate, tests",
    },
    "Violated assumptions": {
        "robustness": "Power and size under violated assumptions",
    },
    "Random part": {
        "bias_random": "Bias, random part",
        "rmse_random": "Root mean squared error, random part",
        "coverage_random": "Coverage, random part",
    },
    "Predictions": {
        "prediction_rmse": "Root mean squared error, coefficients of units",
    },
    "Selection": {
        **{f"selection_{name}": f"Selection by {words}" for name, words in CRITERION_WORDS.items()},
    },
    "Failures": {
        "failures": "Singular and failed fits",
        "accounting": "What became of the fits",
    },
}
"""The figures by section: every figure's name, which is also its file's and its caption's, and
its title."""

FIGURES = {name: title for section in SECTIONS.values() for name, title in section.items()}
"""Every figure's name and its title."""


OWN_TABLE = "own_table"
"""The caption of tables that a study puts together itself."""


@dataclass(frozen=True)
class PlannedFigure:
    """A figure that a study will have.

    Attributes
    ----------
    name, title, section : str
        What its files are called, and what readers see.
    caption : str
        The file in `workflow/report` that explains it, without its ending.
    pages : tuple of str
        What each page's files are called: the name itself if there is one page.
    """

    name: str
    title: str
    section: str
    caption: str
    pages: tuple[str, ...]


@dataclass(frozen=True)
class PlannedTable:
    """A table that a study will have; the attributes are those of `PlannedFigure`.

    Attributes
    ----------
    name, title, caption : str
    pages : tuple of str
    titles : tuple of str
        What readers see of each page.
    """

    name: str
    title: str
    caption: str
    pages: tuple[str, ...]
    titles: tuple[str, ...]


def planned_figures(study: Planned) -> tuple[PlannedFigure, ...]:
    """Return the figures of a study in the order of its report."""
    return tuple(
        PlannedFigure(name, FIGURES[name], section(name), caption=name, pages=(name,))
        for name in figure_names(study)
    )


def planned_tables(study: Planned) -> tuple[PlannedTable, ...]:
    """Return the tables of a study in the order of its report."""
    asked = table_names(study) if study.tables is None else study.tables
    return tuple(_planned_table(one, study) for one in asked)


def _planned_table(one: str | TableSpec, study: Planned) -> PlannedTable:
    if isinstance(one, str):
        return PlannedTable(one, TABLES[one], one, pages=(one,), titles=(TABLES[one],))
    pages = Layout.of(one, Known.of(study)).pages
    names, titles = (tuple(page.name for page in pages), tuple(page.title for page in pages))
    return PlannedTable(one.name, one.title, OWN_TABLE, pages=names, titles=titles)


def section(name: str) -> str:
    """Return the section of a figure.

    Examples
    --------
    >>> section("coverage_fixed")
    'Fixed effects'
    """
    return next(title for title, figures in SECTIONS.items() if name in figures)


def figure_names(study: Planned) -> tuple[str, ...]:
    """Return the names of the figures that a study has, in the order of the report.

    The pictures of units need covariates to draw them by and a truth without factors, the one of
    shrinkage a model with random intercepts and slopes, those of selection two models to choose
    from, the one of tests some F tests or likelihood ratio tests, that of predictions a study that
    asks for them, that of robustness a study with violated assumptions.

    Parameters
    ----------
    study : Study or Plan

    Returns
    -------
    tuple of str
        Some of the keys of `FIGURES`.
    """
    scenario = study.scenarios[study.example]
    use, formula = variables(scenario), formula_in(scenario.formula, scenario.covariates)
    straight = (
        use.covariate is not None
        and is_linear_in(formula, use.covariate)
        and formula == parse(scenario.formula)
    )
    lacking = {
        "units_against_attribute": not (straight and use.attribute),
        "unit_lines": not straight,
        "shrinkage": not models_with_lines(study),
        "rejection_tests": not any(model.has_tests for model in study.models),
        "prediction_rmse": not any(model.predictions for model in study.models),
        "robustness": not _has_violations(study),
        **{
            f"selection_{name}": len(study.models) < 2 or name not in study.selection.criteria
            for name in CRITERION_WORDS
        },
    }
    return tuple(name for name in FIGURES if not lacking.get(name))


def table_names(study: Planned) -> tuple[str, ...]:
    """Return the names of the tables that a study has: those it asks for, or those that suit it."""
    if study.tables is not None:
        return tuple(one if isinstance(one, str) else one.name for one in study.tables)
    lacking = lacking_tables(study, violated=_has_violations(study))
    return tuple(name for name in TABLES if name not in lacking)


def _has_violations(study: Planned) -> bool:
    return any(scenario.twin_of for scenario in study.scenarios)


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


@dataclass(frozen=True)
class Variables:
    """The columns of a scenario's rows that its pictures are about.

    Attributes
    ----------
    unit, response : str
    covariate : str or None
        The row covariate that the units' lines are lines in.
    attribute : str or None
        The unit covariate that their intercepts and slopes may depend on.
    other_rows, other_units : tuple of str
        The other covariates of either level.
    """

    unit: str
    response: str
    covariate: str | None
    attribute: str | None
    other_rows: tuple[str, ...]
    other_units: tuple[str, ...]


def variables(scenario: Scenario) -> Variables:
    """Choose the covariate and the attribute: the first of each level with a coefficient.

    Covariates that are labels are left out.

    Examples
    --------
    >>> from hlm.scenario import Covariate, Scenario
    >>> covariates = (Covariate("a", "unit"), Covariate("x", "row"))
    >>> use = variables(Scenario("", 30, 30, covariates, "y ~ x + (1 + x | unit)",
    ...                          (("(Intercept)", 1.0), ("x", 3.0)), (), (), 1.0))
    >>> use.unit, use.response, use.covariate, use.attribute
    ('unit', 'y', 'x', 'a')
    """
    formula = parse(scenario.formula)
    rows = _ordered(scenario, "row")
    units = _ordered(scenario, "unit")
    return Variables(
        unit=formula.random[0].group,
        response=formula.response,
        covariate=rows[0] if rows else None,
        attribute=units[0] if units else None,
        other_rows=tuple(rows[1:]),
        other_units=tuple(units[1:]),
    )


def _ordered(scenario: Scenario, level: str) -> list[str]:
    coefficients = {name for name, _ in scenario.fixed}
    numbers = [c for c in scenario.covariates if not c.distribution.labels]
    names = [c.name for c in numbers if c.level == level]
    return sorted(names, key=lambda name: name not in coefficients)
