"""What a report of a simulation study must hold, row by row, and where this one answers it.

The rows are those of the field's guidelines: M (Morris, White and Crowther, 2019), S (Siepe and
others, 2024), P (Pawel and others, 2024, on missingness), W (White and others, 2023), N (Pawel,
Kook and Reeve, 2024), K (Koehler, Brown and Haneuse, 2009), B (Boulesteix and others), R (rsimsum,
siman, simhelpers).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hlm.describe.facts import facts_of
from hlm.describe.generating import combined, kind_of_mechanism
from hlm.describe.judging import precision_words
from hlm.describe.marked import plain, said_by_user
from hlm.describe.over_scenarios import factors_of, listed, nominal
from hlm.pictures.figure_pages import layout_of
from hlm.plan.report import planned_figures, table_names
from hlm.plan.study_summary import summary
from hlm.study.about_study import about_of
from hlm.study.schema_about import texts
from hlm.versions import __version__
from hlm.words.fitting import REASONS
from hlm.words.inferences import joined
from hlm.words.levels import said
from hlm.words.nouns import counted, seconds_said
from hlm.words.policies import POLICIES

if TYPE_CHECKING:
    from hlm.describe.facts import Facts
    from hlm.plan import Plan
    from hlm.study.schema_about import About

__all__ = ["ITEMS", "NOT_GIVEN", "Row", "checklist"]

NOT_GIVEN = "not given"

_VERSIONS = "Versions of the libraries, as they are now."

AIMS, DATA, ESTIMANDS = "Aims", "Data-generating mechanism", "Estimands"
METHODS, MEASURES, REPLICATES = "Methods", "Performance measures", "Replicates"
FAILURES, SOFTWARE = "Failed and singular fits", "Software and reproduction"
STATEMENTS, TABLES, FIGURES = "Further statements", "Tables", "Figures"

ITEMS = {
    1: ("Title, authors, description, date, version of the tool", "S", "Title"),
    2: ("Earlier related simulations, and what this one adds", "S", AIMS),
    3: ("Aim, by task", "S, M", AIMS),
    4: ("Kind of data-generating mechanism", "S, M", DATA),
    5: ("Data-generating mechanism as equations with every symbol's value", "S", DATA),
    6: ("Factors, their levels, why these", "S", DATA),
    7: ("Settings held constant", "S", DATA),
    8: ("How factors combine, number of conditions", "S, M", DATA),
    9: ("A condition whose answer is known", "W", DATA),
    10: ("Check of the generated data", "W", DATA),
    11: ("Estimands with true values; which are primary", "S, M", ESTIMANDS),
    12: ("Methods: formula, estimator, degrees of freedom, level, version", "S", METHODS),
    13: ("Why these methods, competitors present", "M, N, B", METHODS),
    14: ("Each measure with its formula", "S, M", MEASURES),
    15: ("Formula of the Monte Carlo standard error of each measure", "S, M", MEASURES),
    16: ("Monte Carlo standard errors in every table and figure", "S, K", TABLES),
    17: ("Number of replicates with its justification", "S, M", REPLICATES),
    18: ("Digits governed by the Monte Carlo standard error", "M, R", TABLES),
    19: ("Failures counted per method and condition, also when none", "P", FAILURES),
    20: ("Kinds of failure", "P", FAILURES),
    21: ("How failures were handled, and why", "P, S", FAILURES),
    22: ("Results under another handling", "P", TABLES),
    23: ("Singular fits counted, not as failures", "W", FAILURES),
    24: ("Outlying estimates: definition, count, influence", "W, R", MEASURES),
    25: ("Plots of raw replicates", "M, W", FIGURES),
    26: ("Zip plot of intervals", "M, R", FIGURES),
    27: ("Bias-eliminated coverage; shares below and above", "M, R", MEASURES),
    28: ("Bias, empirical and model standard error together", "M", TABLES),
    29: ("Methods compared in pairs on the same data", "M, R", MEASURES),
    30: ("Thresholds of interpretation set beforehand", "S", MEASURES),
    31: ("All conditions reported", "N, M", TABLES),
    32: ("Overview figure of the full factorial", "M, R", FIGURES),
    33: ("Effects of factors", "S", TABLES),
    34: ("Software and versions", "S", SOFTWARE),
    35: ("Seed, generator, rule to draw any replicate again", "M", SOFTWARE),
    36: ("Code and data archived, licence, DOI", "S, P, N", SOFTWARE),
    37: ("One command to run again, checksums", "S", SOFTWARE),
    38: ("Preregistration, deviations from it", "S, N", STATEMENTS),
    39: ("Run time", "M, N", SOFTWARE),
    40: ("Independent check", "W, N", STATEMENTS),
    41: ("Limits of generality", "N, B", STATEMENTS),
    42: ("Conflicts of interest", "N, B", STATEMENTS),
    43: ("Unexpected results explained or checked", "W", STATEMENTS),
    44: ("Interactive supplement", "S", STATEMENTS),
    45: ("Simulation and summary apart", "M", SOFTWARE),
}
"""Number -> what a report must hold, whose guideline asks for it, the section that answers it."""


class Row(NamedTuple):
    """A row of the checklist, in plain text: `answer` is `NOT_GIVEN` and `where` empty if none."""

    number: int
    item: str
    source: str
    answer: str
    where: str


def checklist(plan: Plan, folder: str | Path | None = None) -> list[Row]:
    """Answer each row of the checklist from a study and, where there are any, its results.

    Parameters
    ----------
    plan : Plan
    folder : path, optional
        Of its results.
    """
    about, facts = about_of(plan.text), facts_of(plan, folder)
    answers = {
        **_of_words(about),
        **_of_study(plan, about),
        **_of_pictures(plan),
        **_of_results(facts),
        **_of_folder(about, Path(folder) if facts.there and folder is not None else None),
    }
    return [
        Row(number, item, source, plain(answers[number]), where)
        if answers[number]
        else Row(number, item, source, NOT_GIVEN, "")
        for number, (item, source, where) in ITEMS.items()
    ]


def _of_words(about: About) -> dict[int, str]:
    """Answer the rows that need the words of a user."""
    deviations = f"; deviations: {about.deviations}" if about.deviations else ""
    licence = f"; licence: {about.licence}" if about.licence else ""
    given = {
        2: " ".join(texts(about.related)),
        10: about.data_check,
        13: about.methods,
        30: about.thresholds,
        36: about.archive and f"{about.archive}{licence}",
        38: about.preregistration and f"{about.preregistration}{deviations}",
        41: about.limits,
        42: about.conflicts,
        43: about.unexpected,
    }
    return {number: said_by_user(words or "") for number, words in given.items()}


def _of_study(plan: Plan, about: About) -> dict[int, str]:
    factors = factors_of(plan)
    levels = "; ".join(f"{said(name)}: {listed(own)}" for name, own in factors.items())
    tasks = f" ({joined(about.task)})" if about.task else ""
    aims = " ".join(texts(about.aims))
    methods = "; ".join(f"{one['name']} {one['way']}" for one in summary(plan)["models"])
    return {
        1: _title(about),
        3: said_by_user(f"{aims}{tasks}") if aims or tasks else "",
        4: kind_of_mechanism(plan),
        5: "Equations, and a table of all symbols with their values.",
        6: f"{levels}; why these: {_or_not(about.factors)}" if levels else "One scenario.",
        7: "All values of truth and design that are no factor, in words and tables.",
        8: combined(plan),
        9: said_by_user(about.known_answer or "") or _nulls(plan),
        11: "A table of all terms; primary: "
        + (joined(about.primary) if about.primary else NOT_GIVEN),
        12: f"{methods}; hlm {__version__}.",
        14: "A table, from the catalogue by which results are named.",
        15: "In the same table; each is tested against the code that computes it.",
        16: "In brackets beside the numbers of tables, and as bars in figures.",
        17: precision_words(plan) + (f" {about.replicates}" if about.replicates else ""),
        18: "The largest error of a term has two digits, and its estimates as many decimals.",
        20: f"Statuses of fits: {', '.join(REASONS)}; each is said in words.",
        21: f"Measures rest on {POLICIES[plan.policies[0]]}; why: {_or_not(about.failures)}",
        22: f"Policies side by side: {joined(plan.policies)}." if len(plan.policies) > 1 else "",
        24: "Estimates beyond the quartiles by 3 interquartile ranges are counted, and bias, "
        "standard deviation and RMSE of clipped estimates are given beside those of all.",
        27: "Measures bias_eliminated_coverage, below and above.",
        28: "Bias, empirical standard error and the error of the model standard error together.",
        29: "differences.csv, with errors of pairs.",
        31: f"All of {counted(len(plan.scenarios), 'scenario')}, in tables and measures.csv.",
        35: f"Seed {plan.seed}; NumPy's PCG64 by scenario, block and purpose; hlm replay.",
        37: "hlm run STUDY; hlm verify STUDY compares checksums.",
        45: "Data are simulated and fitted by other jobs than those that summarize.",
    }


def _title(about: About) -> str:
    parts = {
        "title": about.title,
        "authors": about.authors,
        "description": about.description,
        "date": about.date,
    }
    given = [name for name, words in parts.items() if words]
    lacking = [name for name, words in parts.items() if not words]
    rest = f"; {NOT_GIVEN}: {joined(lacking)}" if lacking else ""
    return f"{joined([*given, f'hlm {__version__}'])}{rest}"


def _or_not(words: str | None) -> str:
    return said_by_user(words) if words else NOT_GIVEN


def _nulls(plan: Plan) -> str:
    """Say of which coefficients the true value is 0, so that tests should reject at their level."""
    scenarios = [scenario for scenario, _ in nominal(plan)]
    found: dict[str, int] = {}
    for scenario in scenarios:
        for place, (name, value) in enumerate(scenario.fixed):
            if place and value == 0.0 and scenario.uncertain is None:
                found[name] = found.get(name, 0) + 1
    if not found:
        return ""
    zeros = joined(f"{name} in {n:,} of {len(scenarios):,}" for name, n in found.items())
    return f"The true value is 0 of {zeros} scenarios: tests should reject at their level there."


def _of_pictures(plan: Plan) -> dict[int, str]:
    """Answer the rows that ask for a figure or a table, by the titles of those there are."""
    figures = planned_figures(plan)
    layouts = {
        25: ("swarm", "ridges", "se"),
        26: ("zip",),
        32: ("nested-loop", "lollipop", "heat"),
    }
    found = {
        number: [
            one.title
            for one in figures
            if layout_of(one.choice, plan) in wanted
            or (number == 32 and one.choice.measure == "overview")
        ]
        for number, wanted in layouts.items()
    }
    found[33] = [name for name in table_names(plan) if name == "factor_effects"]
    return {number: joined(own) if own else "" for number, own in found.items()}


def _of_results(facts: Facts) -> dict[int, str]:
    """Answer the rows that only results answer."""
    if not facts.there:
        return {19: "", 23: "", 34: _VERSIONS, 39: ""}
    n = facts.total("n")
    times = facts.made.get("times", {})
    seconds = times.get("fit_seconds")
    return {
        19: f"{facts.failed:,} of {counted(n, 'fit')}; by condition in the table of accounts.",
        23: f"{facts.total('singular'):,} of {counted(n, 'fit')}.",
        34: "Versions, processor and system of the jobs that made the results."
        if facts.made
        else _VERSIONS,
        39: ""
        if seconds is None
        else f"{seconds_said(seconds)} of one processor in total; by method: {NOT_GIVEN}.",
    }


def _of_folder(about: About, folder: Path | None) -> dict[int, str]:
    """Answer the rows that a further file of the results answers."""
    checks = [said_by_user(about.checks)] if about.checks else []
    explore = [said_by_user(about.supplement)] if about.supplement else []
    if folder is not None and (folder / "audit.csv").is_file():
        checks.append("Samples were fitted by other programs (audit.csv).")
    if folder is not None and (folder / "explorer.html").is_file():
        explore.append("explorer.html")
    return {40: " ".join(checks), 44: " ".join(explore)}
