"""The key `design.rows`: how many rows the units have."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hlm.errors import InputError
from hlm.rows import sizes
from hlm.study.messages import shown
from hlm.study.schema_part import Part

__all__ = ["MAX_ROWS", "RowList", "Rows", "TotalRows"]

MAX_ROWS = 10_000_000  # of one data set: some 100 MB of doubles a column

Count = Annotated[int, Field(ge=1, le=MAX_ROWS)]
Cv = Annotated[float, Field(ge=0, le=5)]

EXAMPLES = (
    "{list: [5, 10]}, {mean: 30, cv: 0.6}, {poisson: 20}, "
    "{negative_binomial: {mean: 20, size: 2}}, {uniform: [5, 40]}, {total: 600, cv: 0.5}"
)


class RowList(Part):
    """Numbers of rows that differ by unit."""

    list_: Annotated[list[Count], Field(min_length=1)] = Field(
        alias="list", description="Rows of each unit; the list is repeated to fill the units."
    )


class DrawnRows(Part):
    """Numbers of rows that are drawn."""

    redrawn: bool = Field(
        True,
        description="Whether they are drawn anew for each data set; else all have the same ones, "
        "evenly spread quantiles.",
    )

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        raise NotImplementedError


class ClusteredRows(DrawnRows):
    """Numbers of rows with a mean and a coefficient of variation."""

    mean: Annotated[float, Field(ge=1, le=MAX_ROWS)] = Field(description="Their mean.")
    cv: Cv = Field(description="Their standard deviation over their mean.")

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        return sizes.Clustered(float(self.mean), float(self.cv))

    @model_validator(mode="after")
    def _possible(self) -> ClusteredRows:
        self.made()
        return self


class PoissonRows(DrawnRows):
    """Poisson numbers of rows, given that there is one."""

    poisson: Annotated[float, Field(gt=0, le=MAX_ROWS)] = Field(description="The rate.")

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        return sizes.Poisson(float(self.poisson))


class NegativeBinomialParameters(Part):
    """Mean and size of a negative binomial distribution."""

    mean: Annotated[float, Field(gt=0, le=MAX_ROWS)] = Field(description="The mean.")
    size: Annotated[float, Field(gt=0.01)] = Field(
        description="The variance is mean + mean^2 / size."
    )


class NegativeBinomialRows(DrawnRows):
    """Negative binomial numbers of rows, given that there is one."""

    negative_binomial: NegativeBinomialParameters = Field(description="Its parameters.")

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        found = self.negative_binomial
        return sizes.NegativeBinomial(float(found.mean), float(found.size))


class UniformRows(DrawnRows):
    """Numbers of rows of a range, all equally likely."""

    uniform: Annotated[list[Count], Field(min_length=2, max_length=2)] = Field(
        description="The smallest and the largest number."
    )

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        return sizes.UniformRange(*self.uniform)

    @model_validator(mode="after")
    def _ordered(self) -> UniformRows:
        low, high = self.uniform
        if low > high:
            raise InputError(
                f"uniform goes from {low} to {high}", allowed="the smaller number first"
            )
        return self


class ResampledRows(Part):
    """The rows of the units of data, from which units are drawn."""

    resampled: Annotated[list[Count], Field(min_length=1)] = Field(
        description="Rows of each unit of the data."
    )

    redrawn: ClassVar[bool] = True

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        return sizes.Resampled(tuple(self.resampled))


class TotalRows(Part):
    """A number of rows in all, divided among the units, the same in every data set."""

    total: Count = Field(description="Rows of all units together.")
    cv: Cv = Field(0.0, description="Standard deviation of the units' rows over their mean.")


_KINDS: dict[str, type[Part]] = {
    "list": RowList,
    "resampled": ResampledRows,
    "total": TotalRows,
    "poisson": PoissonRows,
    "negative_binomial": NegativeBinomialRows,
    "uniform": UniformRows,
    "mean": ClusteredRows,
}
"""Mappings by the key that tells them."""


def _kind(value: Any) -> str:
    if isinstance(value, Part):
        return f"<{type(value).__name__}>"
    if not isinstance(value, dict):
        return "<number>"
    found = next((kind for key, kind in _KINDS.items() if key in value), ClusteredRows)
    return f"<{found.__name__}>"


def _readable(value: Any) -> Any:
    if isinstance(value, list):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a whole number for all units, or a list under the key list: it is repeated",
            suggestion=f"{{list: {shown(value)}}}",
        )
    if isinstance(value, dict) and not _KINDS.keys() & value.keys():
        raise InputError(
            f"{shown(value)} says no number of rows", allowed=f"a whole number, or {EXAMPLES}"
        )
    return value


Rows = Annotated[
    Annotated[Count, Tag("<number>")]
    | Annotated[RowList, Tag("<RowList>")]
    | Annotated[ResampledRows, Tag("<ResampledRows>")]
    | Annotated[TotalRows, Tag("<TotalRows>")]
    | Annotated[PoissonRows, Tag("<PoissonRows>")]
    | Annotated[NegativeBinomialRows, Tag("<NegativeBinomialRows>")]
    | Annotated[UniformRows, Tag("<UniformRows>")]
    | Annotated[ClusteredRows, Tag("<ClusteredRows>")],
    Discriminator(_kind),
    BeforeValidator(_readable),
]
