"""The part of the study file that says which parameters of the truth are uncertain."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag

from hlm.errors import InputError
from hlm.study.schema_part import Part
from hlm.study.schema_values import Positive  # noqa: TC001 - pydantic reads it
from hlm.uncertain import PRIORS, read_prior, written_prior

__all__ = ["Sampling", "UncertainTruth"]


def _prior(text: Any) -> str:
    if isinstance(text, dict):
        raise InputError(
            "a mapping in the place of a distribution",
            allowed="the whole path of a parameter, such as fixed.x: normal(0.3, 0.1)",
        )
    return written_prior(read_prior(text))


class Sampling(Part):
    """What estimates say of parameters: their sampling distribution about the truth's values."""

    names: list[str] = Field(
        description="Paths of parameters; standard deviations count by their logarithms, "
        "correlations by Fisher's z."
    )
    se: list[Positive] = Field(description="Their standard errors.")
    cor: list[list[float]] = Field(description="The correlations of the estimates.")


class UncertainTruth(Part):
    """Parameters that are drawn for each data set: the path of each with its distribution."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"additionalProperties": {"type": "string"}},
    )
    __pydantic_extra__: dict[str, Annotated[str, BeforeValidator(_prior)]]

    synonyms: ClassVar[dict[str, str]] = {}

    from_: (
        Annotated[
            Annotated[Literal["fit"], Tag("<text>")] | Annotated[Sampling, Tag("<mapping>")],
            Discriminator(lambda value: "<text>" if isinstance(value, str) else "<mapping>"),
        ]
        | None
    ) = Field(
        None,
        alias="from",
        description="`fit`: the parameters that the truth has from `truth.fit` are drawn from the "
        "sampling distribution of the estimates; or standard errors and correlations of estimates. "
        "Beside it, under the path of a parameter below `truth`, its distribution: "
        + ", ".join(family.example for family in PRIORS.values())
        + ".",
    )

    @property
    def priors(self) -> dict[str, str]:
        """The distributions by path."""
        return dict(self.__pydantic_extra__ or {})
