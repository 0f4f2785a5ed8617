"""The part of the study file that says which tables there are, and what is in them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from hlm.errors import InputError
from hlm.study.messages import shown
from hlm.study.schema_part import Part
from hlm.study.schema_values import SafeName  # noqa: TC001 - pydantic reads it

__all__ = ["EXAMPLE", "MOST_DIGITS", "Table", "Tables"]

EXAMPLE = "{measures: [bias, coverage], terms: x, across: units}"
MOST_DIGITS = 8

_Several = Annotated[list[str], Field(min_length=1)]
OneOrMore = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[_Several, Tag("<names>")],
    Discriminator(lambda value: "<names>" if isinstance(value, list) else "<name>"),
]
_Level = str | float | int | bool
_Levels = Annotated[
    Annotated[_Level, Tag("<level>")]
    | Annotated[list[_Level], Field(min_length=1), Tag("<levels>")],
    Discriminator(lambda value: "<levels>" if isinstance(value, list) else "<level>"),
]


def _digits(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value != "auto" and not (whole and 0 <= value <= MOST_DIGITS):
        raise InputError(
            f"{shown(value)} is not allowed", allowed=f"auto, or a number from 0 to {MOST_DIGITS}"
        )
    return value


class Table(Part):
    """A table of measures, as a paper has it."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("measure", "columns", "show", "performance"), "measures"),
        **dict.fromkeys(("term", "estimand", "estimands", "coefficients"), "terms"),
        **dict.fromkeys(("model",), "models"),
        **dict.fromkeys(("method",), "methods"),
        **dict.fromkeys(("inference", "df", "limits", "predictors"), "inferences"),
        **dict.fromkeys(("policy",), "policies"),
        **dict.fromkeys(("at", "where", "scenario", "filter", "only", "levels"), "scenarios"),
        **dict.fromkeys(("wide", "spread", "pivot", "columns_by", "panels"), "across"),
        **dict.fromkeys(("by", "pages", "split_by", "rows", "facet"), "split"),
        **dict.fromkeys(("errors", "se", "monte_carlo_error", "error"), "mcse"),
        **dict.fromkeys(("decimals", "round", "precision"), "digits"),
        **dict.fromkeys(("replicates", "counts", "nsim"), "n"),
        **dict.fromkeys(("heading", "label"), "title"),
        **dict.fromkeys(("file", "id"), "name"),
        **dict.fromkeys(("note", "notes", "description"), "caption"),
    }

    name: SafeName | None = Field(
        None, description="What its files are called; made of its measures and terms unless given."
    )
    title: str | None = Field(None, description="What readers see; as `name`.")
    measures: OneOrMore | None = Field(
        None, description="The columns of numbers; those of the usual table of its part or terms."
    )
    part: Literal["fixed", "random", "tests", "predictions"] | None = Field(
        None, description="The terms of one part of the models."
    )
    terms: OneOrMore | None = Field(None, description="Terms by name, in the place of `part`.")
    models: OneOrMore | None = Field(None, description="Which models; all.")
    methods: OneOrMore | None = Field(None, description="Which methods; all.")
    inferences: OneOrMore | None = Field(None, description="Which inferences; all.")
    policies: OneOrMore | None = Field(
        None, description="By which policies replicates count; the first."
    )
    scenarios: dict[str, _Levels] = Field(
        {},
        description="Factors of the grid, each with its level or levels; all.",
        examples=[{"units": 30}],
    )
    across: OneOrMore | None = Field(
        None,
        description="Factors, or term, model, method, inference, policy, whose levels have groups "
        "of columns side by side, the outermost first.",
        examples=["units", ["units", "model"]],
    )
    split: OneOrMore | None = Field(
        None,
        description="What has a page for each of its levels; `none` for one page. Unless given, "
        "the first factors, where a page would have more than 40 rows.",
        examples=["units", "none"],
    )
    mcse: Literal["brackets", "below", "columns", "none"] = Field(
        "brackets", description="Where the Monte Carlo standard errors are."
    )
    digits: Annotated[int | Literal["auto"], BeforeValidator(_digits)] = Field(
        "auto",
        description="Decimals; by default those that the Monte Carlo standard errors allow.",
    )
    n: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether numbers have the replicates that they rest on in square brackets: "
        "where these are not all, always, or never.",
    )
    caption: str | None = Field(None, description="What stands below the title.")


def _table(value: Any) -> Any:
    if not isinstance(value, str | dict | Table):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed=f"the name of a table, such as selection, or a mapping such as {EXAMPLE}",
        )
    return value


_Table = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[Table, Tag("<mapping>")],
    Discriminator(lambda value: "<name>" if isinstance(value, str) else "<mapping>"),
    BeforeValidator(_table),
]


def _tables(value: Any) -> Any:
    if value == "all" or isinstance(value, list):
        return value
    near = f"[{value}]" if isinstance(value, str) else f"[{EXAMPLE}]" if value else None
    raise InputError(
        f"{shown(value)} is not allowed",
        allowed=f"all, or a list of names and mappings, such as [selection, {EXAMPLE}]",
        suggestion=near,
    )


Tables = Annotated[
    Annotated[Literal["all"], Tag("<all>")] | Annotated[list[_Table], Tag("<list>")],
    Discriminator(lambda value: "<list>" if isinstance(value, list) else "<all>"),
    BeforeValidator(_tables),
]
