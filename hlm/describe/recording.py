"""A study and its results -> the record of it: aims, data, estimands, methods, performance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.describe.blocks import Items, Paragraph, Record, Section
from hlm.describe.facts import facts_of
from hlm.describe.generating import (
    combined,
    covariate_lines,
    further,
    generating,
    kind_of_mechanism,
    noise,
    parameter_values,
    sizes,
)
from hlm.describe.judging import (
    criteria_words,
    estimands,
    failures,
    fitted,
    measured,
    precision_words,
    replicated,
)
from hlm.describe.marked import code, said_by_user
from hlm.describe.over_scenarios import factors_of, listed
from hlm.plan import Plan, make_plan
from hlm.plan.study_summary import summary
from hlm.study.about_study import about_of
from hlm.study.schema_about import texts
from hlm.tables.wide import SHOWN
from hlm.words.inferences import joined
from hlm.words.levels import percent, said
from hlm.words.measures import MEASURES
from hlm.words.nouns import counted, noun, seconds_said
from hlm.words.policies import POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hlm.describe.blocks import Block
    from hlm.describe.facts import Facts
    from hlm.study import Study
    from hlm.study.schema_about import About

__all__ = ["record"]

TASKS = {
    "estimation": "estimation",
    "testing": "tests of hypotheses",
    "selection": "selection of a model",
    "prediction": "prediction",
    "design": "the design of studies",
}


def record(study: Study | Plan, folder: str | Path | None = None) -> Record:
    """Describe a study, and where there are results what they say of fits and software.

    Parameters
    ----------
    study : Study or Plan
    folder : path, optional
        Of its results.

    Examples
    --------
    >>> from hlm.study import Study
    >>> study = Study.of(
    ...     name="tiny", seed=1, replicates=100, about={"title": "A tiny study"},
    ...     truth={"formula": "y ~ 1 + (1 | unit)", "fixed": {"(Intercept)": 0},
    ...            "random": {"unit": {"sd": {"(Intercept)": 1}}}, "residual": {"sd": 1}},
    ...     design={"units": 5, "rows": 4},
    ...     models={"mean": "y ~ 1 + (1 | unit)"},
    ... )
    >>> found = record(study)
    >>> found.title, found.sections[0].title
    ('A tiny study', 'Aims')
    """
    plan = study if isinstance(study, Plan) else make_plan(study)
    about, facts = about_of(plan.text), facts_of(plan, folder)
    sections = (
        ("Aims", _aims(plan, about)),
        ("Data-generating mechanism", generating(plan, about)),
        ("Estimands", estimands(plan, about)),
        ("Methods", fitted(plan, about)),
        ("Performance measures", measured(plan, about, facts)),
        ("Replicates", replicated(plan, about, facts)),
        ("Failed and singular fits", failures(plan, about, facts)),
        ("Software and reproduction", _software(plan, about, facts)),
        ("Further statements", _further(about)),
    )
    made = ((title, tuple(blocks)) for title, blocks in sections)
    return Record(
        title=said_by_user(about.title or plan.study),
        authors=tuple(map(said_by_user, about.authors)),
        date=said_by_user(about.date or ""),
        sections=tuple(Section(title, blocks) for title, blocks in made if blocks),
        methods=Paragraph(" ".join(_paragraph(plan, about, facts))),
    )


def _aims(plan: Plan, about: About) -> Iterator[Block]:
    if about.description:
        yield Paragraph(said_by_user(about.description))
    aims = [said_by_user(aim) for aim in texts(about.aims)]
    if len(aims) == 1:
        yield Paragraph(aims[0])
    elif aims:
        yield Items(tuple(aims))
    if about.task:
        yield Paragraph(f"The study is about {joined(TASKS[task] for task in about.task)}.")
    if not aims:
        yield Paragraph(_usual_aim(plan))
    yield from (Paragraph(said_by_user(words)) for words in texts(about.related))


def _usual_aim(plan: Plan) -> str:
    """Say what the study shows, where no aim is given."""
    models = joined(code(model.name) for model in plan.models)
    of = f"the {noun(len(plan.models), 'model')} {models}"
    factors = [said(name) for name in factors_of(plan)]
    over = f", and how that depends on {joined(map(_small, factors))}" if factors else ""
    which = ", which of them is chosen" if len(plan.models) > 1 else ""
    return f"The study shows how estimates, intervals and tests of {of} behave{which}{over}."


def _small(words: str) -> str:
    """Write the words for a factor within a sentence; a name of the study's stays as it is."""
    known = {
        "Number of units": "the number of units",
        "Rows per unit": "the number of rows per unit",
        "Correlation": "the correlation of the random effects",
        "Assumptions": "violated assumptions",
    }
    return known.get(words, code(words))


def _software(plan: Plan, about: About, facts: Facts) -> Iterator[Block]:
    yield Paragraph(_versions(plan, facts))
    yield Paragraph(
        f"The seed is {plan.seed}. The data of a replicate are a function of this seed, the "
        "scenario and the replicate's number alone, by streams of NumPy's PCG64: "
        f"{code('hlm replay')} draws any data set again. {code(f'hlm run {plan.study}.yaml')} "
        f"repeats the study, and {code(f'hlm verify {plan.study}.yaml')} compares results "
        "with their checksums, and some data sets with the same ones computed again."
    )
    if plan.sources:
        yield Items(
            tuple(
                f"{code(source.key)}: {code(source.data.rpartition('/')[2])}, BLAKE2b "
                f"{code(source.blake2b[:16])}."
                for source in plan.sources
            )
        )
    if about.archive:
        licence = f" ({said_by_user(about.licence)})" if about.licence else ""
        yield Paragraph(f"Archive: {said_by_user(about.archive)}{licence}.")


def _versions(plan: Plan, facts: Facts) -> str:
    """Say by which versions on which machines, as far as results say so."""
    made = facts.made.get("versions", [])
    if not made:
        return f"Software: {joined(summary(plan)['versions'])}."
    versions = [joined(f"{k} {v}" for k, v in one.items() if k != "batches") for one in made]
    machines = dict.fromkeys(f"{one['system']} ({one['cpu']})" for one in facts.made["machines"])
    seconds = facts.made["times"]["fit_seconds"]
    return (
        f"Software: {'; or '.join(versions)}. It ran on {joined(machines)}; to simulate and fit "
        f"took {seconds_said(seconds)} of one processor."
    )


def _further(about: About) -> Iterator[Block]:
    rows = (
        ("Limits of generality", about.limits),
        ("Unexpected results", about.unexpected),
        ("Checks", about.checks),
        ("Preregistration", about.preregistration),
        ("Deviations", about.deviations),
        ("Conflicts of interest", about.conflicts),
        ("Funding", about.funding),
        ("Supplement", about.supplement),
    )
    given = tuple(f"{name}: {said_by_user(words)}" for name, words in rows if words)
    if given:
        yield Items(given)


def _paragraph(plan: Plan, about: About, facts: Facts) -> Iterator[str]:
    """Yield the sentences of the paragraph on methods."""
    of_study, shown = summary(plan), plan.scenarios[plan.example]
    yield f"{kind_of_mechanism(plan)} The truth is {code(shown.formula)}. {sizes(plan)}"
    yield from noise(plan)
    yield from (f"The covariate {line}" for line in covariate_lines(plan))
    yield from further(plan)
    values = "; ".join(f"{words} {value}" for _, words, value in parameter_values(plan).rows)
    yield f"The true values are {values}."
    factors = factors_of(plan)
    if factors:
        levels = joined(f"{_small(said(name))} ({listed(own)})" for name, own in factors.items())
        yield f"{noun(len(factors), 'The factor is', 'The factors are')} {levels}. {combined(plan)}"
    ways: dict[str, list[str]] = {}
    for one in of_study["models"]:
        ways.setdefault(one["way"], []).append(f"{code(one['name'])} ({code(one['formula'])})")
    said_of = "; ".join(f"{joined(own)}, each {way}" if len(own) > 1 else f"{own[0]}, {way}"
                        for way, own in ways.items())  # fmt: skip
    these = noun(len(plan.models), "this model was", "these models were")
    yield f"To every data set {these} fitted: {said_of}."
    if about.primary:
        primary, verb = joined(map(code, about.primary)), noun(len(about.primary), "is", "are")
        yield f"Of primary interest {verb} {primary}."
    if len(plan.models) > 1:
        yield criteria_words(plan)
    nouns = dict.fromkeys(MEASURES[name].noun for name in SHOWN["fixed"])
    yield f"Measures of performance are {joined(nouns)}, with Monte Carlo standard errors (MCSE)."
    yield precision_words(plan)
    yield _handled(plan, facts)
    yield f"{_versions(plan, facts)} The seed was {plan.seed}."


def _handled(plan: Plan, facts: Facts) -> str:
    rule = f"Measures rest on {POLICIES[plan.policies[0]]}; none was drawn again."
    if not facts.there:
        return rule
    n, failed, singular = facts.total("n"), facts.failed, facts.total("singular")
    return (
        f"Of {counted(n, 'fit')} {_share(failed, n)} did not converge or could not be made, and "
        f"{_share(singular, n)} {noun(singular, 'was', 'were')} singular. {rule}"
    )


def _share(count: int, n: int) -> str:
    return f"{count:,} ({percent(count / n)})" if count else "none"
