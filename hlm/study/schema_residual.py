"""The keys `truth.residual.variance` and `truth.residual.ar1`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from hlm.errors import InputError, nearest
from hlm.study.messages import shown
from hlm.study.schema_part import Part

__all__ = ["AutoRegression", "ByCovariate", "ByUnit", "Exponential", "Power", "Variance"]

Cv = Annotated[float, Field(gt=0, le=5)]


def _by_value(value: Any) -> Any:
    if not isinstance(value, dict):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="for values of the covariate, how many times the variance it is",
            suggestion="{1: 2}",
        )
    return value


class ByCovariate(Part):
    """A variance for each value of a covariate."""

    synonyms: ClassVar[dict[str, str]] = dict.fromkeys(
        ("ratios", "values", "variances", "sd", "factor"), "ratio"
    )

    by: str = Field(description="The covariate.")
    ratio: Annotated[dict[str, Annotated[float, Field(gt=0)]], BeforeValidator(_by_value)] = Field(
        min_length=1,
        description="Variances over that of the values that are not named, whose sd is stated.",
    )


class ByUnit(Part):
    """A variance for each unit."""

    synonyms: ClassVar[dict[str, str]] = dict.fromkeys(("sd", "variance", "var"), "cv")

    by: Literal["unit"] = Field(description="The units.")
    cv: Cv = Field(description="The coefficient of variation of the sds of units.")
    distribution: Literal["lognormal", "gamma"] = Field(
        "lognormal", description="How the sds of units are distributed."
    )


class Power(Part):
    """An sd proportional to a power of a covariate's size."""

    synonyms: ClassVar[dict[str, str]] = dict.fromkeys(("power", "delta", "rate"), "exponent")

    power_of: str = Field(description="The covariate.")
    exponent: float = Field(description="The sd is sd |x|^exponent.")


class Exponential(Part):
    """An sd proportional to an exponential of a covariate."""

    synonyms: ClassVar[dict[str, str]] = dict.fromkeys(("exponent", "delta", "slope"), "rate")

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
    by_unit = value.get("by") == "unit" or ("cv" in value and "ratio" not in value)
    return "<ByUnit>" if by_unit else "<ByCovariate>"


_NAMES = {
    **dict.fromkeys(("power", "power_of", "varpower", "power_by"), "power_of"),
    **dict.fromkeys(("exponential", "exp", "exp_of", "varexp", "exponential_of"), "exponential_of"),
    **dict.fromkeys(("group", "covariate", "varident", "of"), "by"),
}
"""What users call the keys that tell how variances differ."""


def _readable(value: Any) -> Any:
    """Refuse what does not tell how variances differ, with what was meant."""
    known = ("by", "power_of", "exponential_of")
    if isinstance(value, Part) or (isinstance(value, dict) and any(key in value for key in known)):
        return value
    raise InputError(
        f"{shown(value)} is not allowed", allowed=VARIANCES, suggestion=_meant_variance(value)
    )


def _meant_variance(value: Any) -> str | None:
    names = list(value) if isinstance(value, dict) else [value]
    near = next(filter(None, (nearest(str(name).lower(), _NAMES) for name in names)), None)
    if near:
        return _NAMES[near]
    if isinstance(value, dict) and len(value) == 1 and isinstance(value[names[0]], int | float):
        return f"{{by: {names[0]}, ratio: {{1: {value[names[0]]:g}}}}}"
    return None


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

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("rho", "phi", "r", "correlation", "value", "ar1"), "cor"),
        **dict.fromkeys(("at", "by", "of", "when", "t"), "time"),
    }

    cor: Between = Field(description="The correlation of residuals that are 1 apart.")
    time: str = Field(description="The covariate that says when; it grows from row to row.")


def _correlation(value: Any) -> Any:
    if isinstance(value, bool | str | list):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a number, or {cor: 0.5, time: t} with a covariate that says when",
        )
    return value


AutoRegression = Annotated[
    Annotated[Between, Tag("<number>")] | Annotated[InTime, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict | InTime) else "<number>"),
    BeforeValidator(_correlation),
]
