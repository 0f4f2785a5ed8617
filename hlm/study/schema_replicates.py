"""The key `replicates`: a number, or the Monte Carlo standard errors to be reached."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from hlm.errors import InputError, nearest
from hlm.precision import STEP, WITH_MCSE, Target
from hlm.study.messages import shown
from hlm.study.schema_part import Part
from hlm.study.schema_values import Positive  # noqa: TC001 - pydantic reads it

__all__ = ["Replicates", "Until"]

MOST = 10**9


def _measure(key: str) -> str:
    """Refuse a measure that there is not, or that has no Monte Carlo standard error."""
    target = Target.of(key, 0.0)
    if target.measure not in WITH_MCSE:
        counts = target.measure in ("n_total", "n_used")
        problem = "has no Monte Carlo standard error" if counts else "is no measure"
        raise InputError(
            f"'{target.measure}' {problem}",
            allowed=", ".join(WITH_MCSE),
            suggestion=None if counts else nearest(target.measure, WITH_MCSE),
        )
    if target.term == "" or ("[" in key) != key.rstrip().endswith("]"):
        raise InputError(
            f"'{key}' names no term",
            allowed="a measure of all terms, such as bias, or of one, such as bias[x:a]",
        )
    return key


def _by_measure(value: Any) -> Any:
    if not isinstance(value, dict):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="the Monte Carlo standard error of each measure",
            suggestion=f"{{coverage: {value if isinstance(value, float) else 0.005}}}",
        )
    return value


def _whole_grains(value: int) -> int:
    if value % STEP:
        raise InputError(
            f"{value} is not allowed",
            allowed=f"a multiple of {STEP}",
            suggestion=str(min(MOST, -(-value // STEP) * STEP)),
        )
    return value


Number = Annotated[int, Field(ge=STEP, le=MOST), AfterValidator(_whole_grains)]


class Until(Part):
    """How precise the measures shall be: each scenario has as many replicates as that takes."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("mcse", "target", "targets", "precision", "measures"), "until"),
        **dict.fromkeys(("min", "minimum", "least", "start", "from", "first"), "at_least"),
        **dict.fromkeys(("max", "maximum", "most", "limit", "to", "up_to", "cap"), "at_most"),
    }

    until: Annotated[
        dict[Annotated[str, AfterValidator(_measure)], Positive],
        Field(min_length=1),
        BeforeValidator(_by_measure),
    ] = Field(
        description="The largest Monte Carlo standard error of a measure, such as coverage, of all "
        "terms that have it, or of one term, such as bias[x:a].",
    )
    at_least: Number = Field(500, description="Replicates that every scenario has.")
    at_most: Number = Field(100_000, description="Replicates that no scenario has more of.")

    @model_validator(mode="after")
    def _in_order(self) -> Until:
        if self.at_least > self.at_most:
            raise InputError(
                f"{self.at_least} is more than at_most, {self.at_most}",
                path="at_least",
                allowed=f"{STEP} to {self.at_most}",
            )
        return self


Replicates = Annotated[
    Annotated[int, Field(ge=1, le=MOST), Tag("<number>")] | Annotated[Until, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict | Until) else "<number>"),
]
