"""The estimands of the study file: kinds, and expressions under names."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from hlm.errors import InputError
from hlm.estimands.kinds import FURTHER, check_further
from hlm.study.schema_part import Part
from hlm.study.schema_values import SafeName

__all__ = ["Estimands", "OwnEstimand", "Spec", "TwoModels"]


def _known_kind(kind: str) -> str:
    """Return a kind; to who writes an expression in its place say where that goes."""
    if kind.isidentifier():
        return check_further(kind)
    raise InputError(
        f"'{kind}' is no kind of estimands",
        allowed=f'{", ".join(FURTHER)}; an expression under a name: {{total: "x + xm"}}',
    )


Kind = Annotated[str, AfterValidator(_known_kind), Field(json_schema_extra={"enum": [*FURTHER]})]


class OwnEstimand(Part):
    """An expression, where it needs more than its text."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("formula", "expr", "value", "function", "of"), "expression"),
        **dict.fromkeys(("link", "transform", "transformation", "limits"), "scale"),
        **dict.fromkeys(("truth", "true_value", "target"), "true"),
    }

    expression: str = Field(description="Arithmetic of terms, as 'x + xm'.")
    scale: Literal["identity", "log", "logit", "atanh"] = Field(
        "identity",
        description="The scale of its limits, if it is not linear in the coefficients.",
    )
    true: float | None = Field(
        None, description="Its true value in models and scenarios where none follows."
    )


class TwoModels(Part):
    """The share of a variance that a larger model explains against a smaller one."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(
            ("smaller", "small", "null", "null_model", "reduced", "baseline", "without"), "less"
        ),
        **dict.fromkeys(("larger", "large", "full", "full_model", "extended", "with"), "more"),
        **dict.fromkeys(("explained", "effect", "of", "sd", "var", "slope", "term"), "variance"),
        **dict.fromkeys(("truth", "true_value", "target"), "true"),
    }

    less: str = Field(description="The smaller model, by name.")
    more: str = Field(description="The larger model, by name.")
    variance: str = Field(
        description="The random effect whose variance is explained, or 'residual'."
    )
    true: float | None = Field(None, description="Its true value in scenarios where none follows.")


Spec = str | OwnEstimand | TwoModels


def _form(value: object) -> str:
    if isinstance(value, str):
        return "<expression>"
    of_two = set(TwoModels.known_keys()) | set(TwoModels.synonyms)
    own = set(OwnEstimand.known_keys()) | set(OwnEstimand.synonyms)
    keys = {str(key).lower() for key in value} if isinstance(value, dict) else set()
    return "<models>" if len(keys & of_two) > len(keys & own) else "<mapping>"


_Tagged = Annotated[
    Annotated[str, Tag("<expression>")]
    | Annotated[OwnEstimand, Tag("<mapping>")]
    | Annotated[TwoModels, Tag("<models>")],
    Discriminator(_form),
]
_Named = dict[SafeName, _Tagged]
_Item = Annotated[
    Annotated[Kind, Tag("<kind>")]
    | Annotated[_Named, Field(min_length=1, max_length=1), Tag("<named>")],
    Discriminator(lambda value: "<named>" if isinstance(value, dict) else "<kind>"),
]
Estimands = Annotated[
    Annotated[list[_Item], Tag("<list>")] | Annotated[_Named, Tag("<names>")],
    Discriminator(lambda value: "<names>" if isinstance(value, dict) else "<list>"),
]
