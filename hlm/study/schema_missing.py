"""The key `design.missing`: which rows are missing."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hlm.errors import InputError
from hlm.study.messages import shown
from hlm.study.schema_part import Part

__all__ = ["LogisticDropout", "Missing", "MissingRows", "Waves", "WeibullDropout"]

Share = Annotated[float, Field(ge=0, lt=1)]
Slopes = Annotated[dict[str, float], Field(min_length=1)]


class Waves(Part):
    """Shares of units that have left by each of their rows."""

    waves: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=2)] = Field(
        description="The share of units that are gone at the first row, the second, and so on."
    )

    @model_validator(mode="after")
    def _possible(self) -> Waves:
        if self.waves[0] != 0.0:
            problem = f"a share of {self.waves[0]:g} is gone at the first row: they have no rows"
            raise InputError(problem, allowed="0 first; shares of missing units are missing.units")
        if self.waves != sorted(self.waves):
            problem = f"{shown(self.waves)} falls, but who has left does not come back"
            raise InputError(problem, allowed="shares of all units, each at least the one before")
        return self


class WeibullShare(Part):
    """A Weibull distribution of the time at which units leave."""

    share: Share = Field(description="The share of units that are gone at the last row.")
    shape: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Below 1 they leave early, above 1 late; 1 is a constant risk."
    )


class WeibullDropout(Part):
    """Units leave at times that are Weibull distributed."""

    weibull: WeibullShare = Field(description="Its share and shape.")


class LogisticDropout(Part):
    """Units leave at a row with a probability that depends on what is there."""

    logistic: Slopes = Field(
        description="The logit of the probability to leave at a row: (Intercept), covariates, "
        "`previous` for the response of the row before, or the response."
    )


_DROPOUT = (
    "{waves: [0, 0.1, 0.2]}, {weibull: {share: 0.3}}, {logistic: {(Intercept): -3, previous: 1}}"
)


def _readable(value: Any) -> Any:
    known = ("waves", "weibull", "logistic")
    if isinstance(value, Part) or (isinstance(value, dict) and any(key in value for key in known)):
        return value
    share = isinstance(value, float) and 0.0 <= value < 1.0
    near = f"{{weibull: {{share: {value:g}}}}}" if share else None
    if isinstance(value, list):
        near = f"{{waves: {shown(value)}}}"
    raise InputError(f"{shown(value)} is not allowed", allowed=_DROPOUT, suggestion=near)


def _kind(value: Any) -> str:
    if isinstance(value, Part):
        return f"<{type(value).__name__}>"
    if "waves" in value:
        return "<Waves>"
    return "<WeibullDropout>" if "weibull" in value else "<LogisticDropout>"


Dropout = Annotated[
    Annotated[Waves, Tag("<Waves>")]
    | Annotated[WeibullDropout, Tag("<WeibullDropout>")]
    | Annotated[LogisticDropout, Tag("<LogisticDropout>")],
    Discriminator(_kind),
    BeforeValidator(_readable),
]


def _mechanisms(value: Any) -> Any:
    if isinstance(value, float | int) and not isinstance(value, bool):
        raise InputError(
            f"{value:g} is not allowed",
            allowed="rows, units, logistic, dropout: what is missing, and how",
            suggestion=f"{{rows: {value:g}}}",
        )
    return value


class Missing(Part):
    """What is missing of each data set."""

    rows: Share = Field(0.0, description="The share of rows missing completely at random.")
    units: Share = Field(0.0, description="The share of units of which nothing is there.")
    logistic: Slopes | None = Field(
        None,
        description="The logit of the probability that a row is missing: (Intercept), covariates, "
        "`previous` for the response of the row before, or the response.",
    )
    dropout: Dropout | None = Field(None, description="How units leave for good.")


MissingRows = Annotated[Missing, BeforeValidator(_mechanisms)]
