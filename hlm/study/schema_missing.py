"""The key `design.missing`: which rows are missing."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hlm.errors import InputError, nearest
from hlm.scenario import INTERCEPT
from hlm.study.messages import shown
from hlm.study.schema_part import Part

__all__ = ["LogisticDropout", "Missing", "MissingRows", "Waves", "WeibullDropout"]

Share = Annotated[float, Field(ge=0, lt=1)]


def _by_name(value: Any) -> Any:
    if not isinstance(value, dict):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a slope for each name: (Intercept), covariates, previous, the response",
            suggestion="{(Intercept): -3, previous: 1}",
        )
    return value


Slopes = Annotated[dict[str, float], Field(min_length=1), BeforeValidator(_by_name)]


class Waves(Part):
    """Shares of units that have left by each of their rows."""

    waves: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=2)] = Field(
        description="The share of units that are gone at the first row, the second, and so on."
    )

    @model_validator(mode="after")
    def _possible(self) -> Waves:
        if self.waves[0] != 0.0:
            problem = f"a share of {self.waves[0]:g} is gone at the first row: they have no rows"
            allowed = "0 first; shares of missing units are missing.units"
            raise InputError(problem, path="waves", allowed=allowed)
        if self.waves != sorted(self.waves):
            problem = f"{shown(self.waves)} falls, but who has left does not come back"
            allowed = "shares of all units, each at least the one before"
            raise InputError(problem, path="waves", allowed=allowed)
        if self.waves[1] == 1.0:
            problem = "all units are gone at the second row: one row of each is left"
            raise InputError(problem, path="waves", allowed="a share below 1 at the second row")
        return self


class WeibullShare(Part):
    """A Weibull distribution of the time at which units leave."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("proportion", "prob", "probability", "p", "dropout", "scale"), "share"),
        **dict.fromkeys(("rate", "gamma", "k"), "shape"),
    }

    share: Share = Field(description="The share of units that are gone at the last row.")
    shape: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Below 1 they leave early, above 1 late; 1 is a constant risk."
    )


def _share_of(value: Any) -> Any:
    if not isinstance(value, dict | Part):
        near = f"{{share: {value:g}}}" if _is_share(value) else "{share: 0.3}"
        raise InputError(
            f"{shown(value)} is not allowed", allowed="share and shape", suggestion=near
        )
    return value


class WeibullDropout(Part):
    """Units leave at times that are Weibull distributed."""

    weibull: Annotated[WeibullShare, BeforeValidator(_share_of)] = Field(
        description="Its share and shape."
    )


class LogisticDropout(Part):
    """Units leave at a row with a probability that depends on what is there."""

    logistic: Slopes = Field(
        description="The logit of the probability to leave at a row: (Intercept), covariates, "
        "`previous` for the response of the row before, or the response."
    )


_DROPOUT = (
    "{waves: [0, 0.1, 0.2]}, {weibull: {share: 0.3}}, {logistic: {(Intercept): -3, previous: 1}}"
)


_KINDS = {
    "waves": ("wave", "by_wave", "times", "occasions"),
    "weibull": ("share", "rate", "proportion", "exponential", "hazard", "survival"),
    "logistic": ("logit", "probit", "mar", "mnar", "previous", INTERCEPT),
}
"""The kinds of dropout by their key, with other names of them."""


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1


def _of_percent(value: float) -> float:
    return value / 100.0 if 1.0 < value <= 100.0 else value


def _readable(value: Any) -> Any:
    """Refuse what tells no kind of dropout, with what was meant."""
    if isinstance(value, Part) or (isinstance(value, dict) and _KINDS.keys() & value.keys()):
        return value
    raise InputError(
        f"{shown(value)} is not allowed", allowed=_DROPOUT, suggestion=_meant_dropout(value)
    )


def _meant_dropout(value: Any) -> str | None:
    if isinstance(value, list):
        return f"{{waves: {shown(value)}}}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        share = _of_percent(value)
        return f"{{weibull: {{share: {share:g}}}}}" if _is_share(share) else None
    key = next(map(str, value), "") if isinstance(value, dict) else str(value)
    names = {name: kind for kind, others in _KINDS.items() for name in (kind, *others)}
    near = nearest(key.lower(), names)
    kind = names[near] if near else None
    if kind == "weibull" and isinstance(value, dict) and _is_share(value[key]):
        return f"{{weibull: {{share: {value[key]:g}}}}}"
    return kind


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
    if isinstance(value, dict | Part):
        return value
    near = "{rows: 0.1}" if isinstance(value, str) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        near = f"{{rows: {_of_percent(value):g}}}"
    elif isinstance(value, list):
        near = f"{{dropout: {{waves: {shown(value)}}}}}"
    raise InputError(
        f"{shown(value)} is not allowed",
        allowed="rows, units, logistic, dropout: what is missing, and how; no key missing if "
        "nothing is",
        suggestion=near,
    )


class Missing(Part):
    """What is missing of each data set."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("mcar", "share", "rate", "proportion", "prob", "response"), "rows"),
        **dict.fromkeys(("unit", "nonresponse", "unit_nonresponse", "clusters"), "units"),
        **dict.fromkeys(("mar", "mnar", "nmar", "probit", "logit"), "logistic"),
        **dict.fromkeys(("attrition", "drop_out", "leave"), "dropout"),
        **dict.fromkeys(("waves", "wave"), "dropout.waves"),
        "weibull": "dropout.weibull",
    }

    rows: Share = Field(0.0, description="The share of rows missing completely at random.")
    units: Share = Field(0.0, description="The share of units of which nothing is there.")
    logistic: Slopes | None = Field(
        None,
        description="The logit of the probability that a row is missing: (Intercept), covariates, "
        "`previous` for the response of the row before, or the response.",
    )
    dropout: Dropout | None = Field(None, description="How units leave for good.")


MissingRows = Annotated[Missing, BeforeValidator(_mechanisms)]
