"""The part of the study file that says in words what no number of it can: for report and paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from hlm.errors import InputError, nearest
from hlm.estimands.model_estimands import estimands_of
from hlm.study.schema_part import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Model

__all__ = ["About", "Task", "check_primary", "texts"]


def _not_empty(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise InputError("an empty text", allowed="words, or no such key")
    return words


Words = Annotated[str, AfterValidator(_not_empty)]
_Listed = Annotated[list[Words], Field(min_length=1)]
OneOrMore = Annotated[
    Annotated[Words, Tag("<text>")] | Annotated[_Listed, Tag("<texts>")],
    Discriminator(lambda value: "<texts>" if isinstance(value, list) else "<text>"),
]
Task = Literal["estimation", "testing", "selection", "prediction", "design"]


class About(Part):
    """What a report or a paper says of a study beside its numbers. No number depends on it."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("name", "heading"), "title"),
        **dict.fromkeys(("author", "by", "contributors"), "authors"),
        **dict.fromkeys(("abstract", "summary", "text"), "description"),
        **dict.fromkeys(("aim", "goal", "goals", "objective", "objectives", "purpose"), "aims"),
        **dict.fromkeys(("question", "questions", "hypotheses"), "aims"),
        **dict.fromkeys(("tasks", "kind", "target"), "task"),
        **dict.fromkeys(("literature", "background", "references", "related_work"), "related"),
        **dict.fromkeys(("earlier", "prior_work", "citations"), "related"),
        **dict.fromkeys(("levels", "why_factors", "why_these_factors", "values"), "factors"),
        **dict.fromkeys(("null", "known", "benchmark"), "known_answer"),
        **dict.fromkeys(("estimands", "primary_estimands", "outcomes", "endpoint"), "primary"),
        **dict.fromkeys(("competitors", "why_methods", "why_these_methods"), "methods"),
        **dict.fromkeys(("performance", "why_measures"), "measures"),
        **dict.fromkeys(("n_sim", "nsim", "repetitions", "why_replicates"), "replicates"),
        **dict.fromkeys(("missingness", "nonconvergence", "failed"), "failures"),
        **dict.fromkeys(("threshold", "criteria", "relevant_difference"), "thresholds"),
        **dict.fromkeys(("surprises", "unexpected_results"), "unexpected"),
        **dict.fromkeys(("limitations", "generality", "scope"), "limits"),
        **dict.fromkeys(("doi", "repository", "data", "code", "url", "availability"), "archive"),
        **dict.fromkeys(("license", "copyright"), "licence"),
        **dict.fromkeys(("prereg", "protocol", "registration", "registered"), "preregistration"),
        **dict.fromkeys(("amendments", "changes", "protocol_deviations"), "deviations"),
        **dict.fromkeys(("check", "validation", "verification", "replication"), "checks"),
        **dict.fromkeys(("coi", "conflict", "interests", "competing_interests"), "conflicts"),
        **dict.fromkeys(("grant", "grants", "support", "acknowledgements"), "funding"),
        **dict.fromkeys(("app", "shiny", "explorer", "interactive"), "supplement"),
    }

    title: Words | None = Field(None, description="The title of report and paper.")
    authors: _Listed = Field([], description="The authors' names.")
    date: Words | None = Field(None, description="Of the report.")
    description: Words | None = Field(None, description="One paragraph on the study.")
    aims: OneOrMore | None = Field(None, description="What is asked.")
    task: list[Task] = Field(
        [], description="What the models are for: estimation, testing, selection, and so on."
    )
    related: OneOrMore | None = Field(
        None, description="Earlier simulations, and what this one adds."
    )
    factors: Words | None = Field(None, description="Why these factors and these levels.")
    known_answer: Words | None = Field(
        None, description="Which scenario has an answer that is known, and what it shows."
    )
    data_check: Words | None = Field(
        None, description="How the data that are generated were checked against the truth."
    )
    primary: list[Words] = Field(
        [], description="The terms that are of primary interest, as tables name them."
    )
    methods: Words | None = Field(None, description="Why these models and methods.")
    measures: Words | None = Field(None, description="Why these measures of performance.")
    replicates: Words | None = Field(None, description="Why so many replicates.")
    failures: Words | None = Field(None, description="Why failed fits are handled as they are.")
    thresholds: Words | None = Field(
        None, description="What difference was relevant, set before the results were known."
    )
    unexpected: Words | None = Field(
        None, description="Unexpected results, and how they were checked."
    )
    limits: Words | None = Field(None, description="What was not varied, and is not shown.")
    archive: Words | None = Field(None, description="Where code, data and study are kept: a DOI.")
    licence: Words | None = Field(None, description="Of what is kept there.")
    preregistration: Words | None = Field(None, description="Where the protocol is registered.")
    deviations: Words | None = Field(None, description="Deviations from the protocol.")
    checks: Words | None = Field(
        None, description="Who, or which other program, has checked the results."
    )
    conflicts: Words | None = Field(None, description="Interests in one of the methods.")
    funding: Words | None = Field(None, description="Who paid for the study.")
    supplement: Words | None = Field(None, description="Where results can be explored.")


def texts(one_or_more: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return what may be one text, several or none as a tuple.

    Examples
    --------
    >>> texts("one"), texts(["one", "two"]), texts(None)
    (('one',), ('one', 'two'), ())
    """
    if one_or_more is None:
        return ()
    return (one_or_more,) if isinstance(one_or_more, str) else tuple(one_or_more)


def check_primary(about: About, models: Sequence[Model]) -> None:
    """Refuse a primary term that no model has.

    Raises
    ------
    InputError
        At `about.primary`.
    """
    known = list(dict.fromkeys(one.name for model in models for one in estimands_of(model)))
    for place, name in enumerate(about.primary):
        if name not in known:
            raise InputError(
                f"no model has a term '{name}'",
                path=f"about.primary[{place}]",
                allowed=", ".join(known),
                suggestion=nearest(name, known),
            )
