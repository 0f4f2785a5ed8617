"""The key `figures`: which figures a study has, and what each shows."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from hlm.errors import InputError
from hlm.figure_choice import LAYOUTS
from hlm.pictures.figure_catalogue import PART_WORDS
from hlm.study.messages import shown
from hlm.study.schema_part import Part
from hlm.study.schema_values import SafeName  # noqa: TC001 - pydantic reads it

__all__ = ["ChosenFigure", "Figures"]

ALL = "all"
_EXAMPLE = "a list such as [coverage_fixed, {measure: bias, terms: [x], x: units}]"


def _listed(value: Any) -> Any:
    """Put one name, or one factor, in a list."""
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_listed)]


class ChosenFigure(Part):
    """A figure: what it shows, and how.

    Names are held against what the study has, all at once, in `hlm.pictures.figure_checks`.
    """

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("measures", "y", "of", "statistic"), "measure"),
        **dict.fromkeys(("form", "kind", "type", "plot", "geom"), "layout"),
        **dict.fromkeys(("term", "estimand", "estimands", "coefficients"), "terms"),
        **dict.fromkeys(("axis", "x_axis", "along"), "x"),
        **dict.fromkeys(("columns", "rows", "facets", "facet", "panel", "by"), "panels"),
        **dict.fromkeys(("color", "hue", "series", "colours", "colors"), "colour"),
        **dict.fromkeys(("at", "only", "where", "scenario", "filter", "levels"), "scenarios"),
        **dict.fromkeys(("model", "fits"), "models"),
        **dict.fromkeys(("method", "estimation"), "methods"),
        **dict.fromkeys(("inference", "df", "limits"), "inferences"),
        **dict.fromkeys(("file", "id", "label"), "name"),
        **dict.fromkeys(("heading", "caption"), "title"),
    }

    measure: str | None = Field(
        None,
        description="The measure of performance, by its name in `measures`, or power or size: the "
        "rejection rates of false and of true hypotheses. Layouts of replicates have none.",
        examples=["coverage", "bias", "power"],
    )
    terms: Names = Field([], description="The terms that are shown, by name.", examples=[["x:a"]])
    part: Annotated[str, WithJsonSchema({"enum": [*PART_WORDS], "type": "string"})] | None = Field(
        None, description="All terms of a part, in place of `terms`; fixed unless given."
    )
    layout: Annotated[str, WithJsonSchema({"enum": [*LAYOUTS], "type": "string"})] = Field(
        "lines",
        description="A measure over the grid as lines, nested-loop, lollipop or heat; replicates "
        "as zip (intervals), swarm, ridges (estimates) or se (standard errors against estimates).",
    )
    x: str | None = Field(None, description="The factor along the axis.", examples=["units"])
    panels: Names | None = Field(
        None,
        description="The factors of the panels: the first side by side, a second one below. All "
        "others have pages of their own.",
        examples=[["rows", "icc"]],
    )
    colour: str | None = Field(
        None, description="What colours tell apart: model, inference or a factor."
    )
    scenarios: dict[str, Any] = Field(
        {},
        description="Levels of factors that are shown, one or a list.",
        examples=[{"icc": 0.2}],
    )
    models: Names = Field([], description="The models that are shown; all unless given.")
    methods: Names = Field([], description="The methods, reml or ml; all unless given.")
    inferences: Names = Field([], description="The inferences; all unless given.")
    name: SafeName | None = Field(None, description="What its files are called.")
    title: str | None = Field(None, description="What readers see.")


def _figures(value: Any) -> Any:
    if value == ALL or isinstance(value, list):
        return value
    suggestion = f"[{value}]" if isinstance(value, str) else None
    if isinstance(value, dict):
        suggestion = "[{...}]"
    raise InputError(
        f"{shown(value)} is not allowed",
        allowed=f"{ALL}, {_EXAMPLE}, or [] for none",
        suggestion=suggestion,
    )


def _figure(value: Any) -> Any:
    if not isinstance(value, str | dict | ChosenFigure):
        problem = f"{shown(value)} is not allowed"
        raise InputError(problem, allowed="a name such as coverage_fixed, or a mapping")
    return value


Figures = Annotated[
    Annotated[Literal["all"], Tag("<all>")]
    | Annotated[
        list[
            Annotated[
                Annotated[str, Tag("<name>")] | Annotated[ChosenFigure, Tag("<mapping>")],
                Discriminator(lambda value: "<name>" if isinstance(value, str) else "<mapping>"),
                BeforeValidator(_figure),
            ]
        ],
        Tag("<list>"),
    ],
    Discriminator(lambda value: "<all>" if isinstance(value, str) else "<list>"),
    BeforeValidator(_figures),
]
