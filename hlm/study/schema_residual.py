"""The keys `truth.residual.variance` and `truth.residual.ar1`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from hlm.errors import InputError
from hlm.study.messages import shown
from hlm.study.schema_part import Part

__all__ = ["AutoRegression", "ByCovariate", "ByUnit", "Exponential", "Power", "Variance"]

Cv = Annotated[float, Field(gt=0, le=5)]


class ByCovariate(Part):
    """A variance for each value of a covariate."""

    by: str = Field(description="The covariate.")
    ratio: dict[str, Annotated[float, Field(gt=0)]] = Field(
        min_length=1,
        description="Variances over that of the values that are not named, whose sd is stated.",
    )


class ByUnit(Part):
    """A variance for each unit."""

    by: Literal["unit"] = Field(description="The units.")
    cv: Cv = Field(description="The coefficient of variation of the sds of units.")
    distribution: Literal["lognormal", "gamma"] = Field(
        "lognormal", description="How the sds of units are distributed."
    )


class Power(Part):
    """An sd proportional to a power of a covariate's size."""

    power_of: str = Field(description="The covariate.")
    exponent: float = Field(description="The sd is sd |x|^exponent.")


class Exponential(Part):
    """An sd proportional to an exponential of a covariate."""

    exponential_of: str = Field(description="The covariate.")
    rate: float = Field(description="The sd is sd exp(rate x).")


VARIANCES = (
    "{by: arm, ratio: {1: 2}}, {by: unit, cv: 0.3}, {power_of: x, exponent: 0.5}, "
    "{exponential_of: x, rate: 0.2}"
)


def _kind(value: Any) -> str:
    if isinstance(value, Part):
        return f"<{type(value).__name__}>"
    if "power_of" in value:
        return "<Power>"
    if "exponential_of" in value:
        return "<Exponential>"
    return "<ByUnit>" if value.get("by") == "unit" else "<ByCovariate>"


def _readable(value: Any) -> Any:
    known = ("by", "power_of", "exponential_of")
    if isinstance(value, Part) or (isinstance(value, dict) and any(key in value for key in known)):
        return value
    raise InputError(f"{shown(value)} is not allowed", allowed=VARIANCES)


Variance = Annotated[
    Annotated[ByCovariate, Tag("<ByCovariate>")]
    | Annotated[ByUnit, Tag("<ByUnit>")]
    | Annotated[Power, Tag("<Power>")]
    | Annotated[Exponential, Tag("<Exponential>")],
    Discriminator(_kind),
    BeforeValidator(_readable),
]

Between = Annotated[float, Field(gt=-1, lt=1)]


class InTime(Part):
    """A correlation of residuals that falls with the time between them."""

    cor: Between = Field(description="The correlation of residuals that are 1 apart.")
    time: str = Field(description="The covariate that says when; it grows from row to row.")


AutoRegression = Annotated[
    Annotated[Between, Tag("<number>")] | Annotated[InTime, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict | InTime) else "<number>"),
]
