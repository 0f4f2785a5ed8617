"""The key `solve`: what shall be reached, by which numbers, and what they cost."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hlm.errors import InputError
from hlm.study.messages import shown
from hlm.study.schema_part import Part
from hlm.study.schema_values import Positive, Probability

__all__ = ["MOST_VARIED", "FromTo", "Solve", "Targets"]

MOST_VARIED = 3
"""So many numbers may vary at once."""


class FromTo(Part):
    """Which values a number may have."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("min", "minimum", "least", "low", "lower", "start", "at_least"), "from"),
        **dict.fromkeys(("max", "maximum", "most", "high", "upper", "stop", "at_most"), "to"),
        **dict.fromkeys(("by", "steps", "increment"), "step"),
        **dict.fromkeys(("multiple", "multiples", "multiples_of", "divisible_by"), "multiple_of"),
    }

    from_: float | None = Field(None, alias="from", description="The least value.")
    to: float | None = Field(None, description="The greatest value.")
    step: Positive | None = Field(
        None, description="Values are the least one and so many steps more."
    )
    multiple_of: Positive | None = Field(None, description="Values are multiples of this number.")

    @model_validator(mode="after")
    def _in_order(self) -> FromTo:
        if self.from_ is not None and self.to is not None and not self.from_ < self.to:
            raise InputError(
                f"the range from {self.from_:g} to {self.to:g} is empty",
                path="to",
                allowed=f"a number above {self.from_:g}",
            )
        if self.step is not None and self.multiple_of is not None:
            raise InputError(
                "step and multiple_of say two things of one number",
                path="multiple_of",
                allowed="one of the two",
            )
        return self


def _by_term(example: str) -> BeforeValidator:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise InputError(
                f"{shown(value)} is not allowed",
                allowed=f"a value for each term, such as {{{example}: {shown(value)}}}"
                if isinstance(value, int | float) and not isinstance(value, bool)
                else f"a value for each term, such as {{{example}: 0.8}}",
            )
        return value

    return BeforeValidator(read)


Shares = Annotated[dict[str, Probability], Field(min_length=1), _by_term("x")]
Widths = Annotated[dict[str, Positive], Field(min_length=1), _by_term("x")]
Rates = Annotated[
    dict[str, Annotated[dict[str, Probability], Field(min_length=1), _by_term("MODEL")]],
    Field(min_length=1),
    _by_term("aic"),
]


class Targets(Part):
    """What shall be reached, all of it at once."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("rejection", "rejections", "beta", "assurance"), "power"),
        **dict.fromkeys(("ci_width", "precision", "interval_width", "half_width"), "width"),
        **dict.fromkeys(("cover", "cover_rate"), "coverage"),
        **dict.fromkeys(("selected", "choice", "criterion", "criteria"), "selection"),
    }

    power: Shares | None = Field(
        None, description="Of terms and tests: the share of data sets in which they are found."
    )
    width: Widths | None = Field(
        None, description="Of terms: the mean width of their intervals, at most."
    )
    coverage: Shares | None = Field(
        None, description="Of terms: the share of intervals that hold the true value."
    )
    selection: Rates | None = Field(
        None, description="By criterion, of models: the share of data sets in which it is chosen."
    )

    @model_validator(mode="after")
    def _some(self) -> Targets:
        if all(getattr(self, name) is None for name in self.known_keys()):
            raise InputError("there is nothing in it", allowed=", ".join(self.known_keys()))
        return self


Vary = Annotated[
    Annotated[str, Tag("<name>")]
    | Annotated[list[str], Field(min_length=1, max_length=MOST_VARIED), Tag("<names>")]
    | Annotated[dict[str, FromTo], Field(min_length=1, max_length=MOST_VARIED), Tag("<ranges>")],
    Discriminator(
        lambda value: {dict: "<ranges>", list: "<names>"}.get(type(value), "<name>"),
    ),
]


class Solve(Part):
    """A design to be found."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("targets", "goal", "goals", "for", "power", "reach", "until"), "target"),
        **dict.fromkeys(("varied", "over", "find", "variables", "by", "sizes", "size"), "vary"),
        **dict.fromkeys(("costs", "price", "prices", "minimize"), "cost"),
        **dict.fromkeys(("funds", "money", "limit", "maximum_cost", "max_cost"), "budget"),
        **dict.fromkeys(("fit", "models"), "model"),
        **dict.fromkeys(("methods", "estimation"), "method"),
        **dict.fromkeys(("df", "inferences", "limits"), "inference"),
        **dict.fromkeys(("tolerance", "error", "relative_error", "accuracy"), "precision"),
    }

    target: Targets = Field(description="What shall be reached, all of it at once.")
    vary: Vary = Field(
        description="The numbers of truth and design that are sought, by path or by its end: one "
        "to three, each with its range or without."
    )
    cost: str | None = Field(
        None,
        description="What a design costs, in terms of what varies: it shall be as small as can be.",
        examples=["300 * units + 20 * units * rows"],
    )
    budget: Positive | None = Field(
        None, description="What it may cost at most: the target shall be exceeded by most."
    )
    model: str | None = Field(None, description="Of which model; the first that has the term.")
    method: Literal["reml", "ml"] | None = Field(
        None, description="By which method it is fitted; the model's first."
    )
    inference: str | None = Field(
        None, description="By which inference; the model's first for the term."
    )
    precision: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.01,
        description="Half the width of the confidence interval of the size, as a share of it: the "
        "search ends there, or at one step.",
    )

    @model_validator(mode="after")
    def _budget_of_cost(self) -> Solve:
        if self.budget is not None and self.cost is None:
            raise InputError("a budget without a cost", path="budget", allowed="beside cost: ...")
        return self

    @property
    def ranges(self) -> dict[str, FromTo]:
        """The range of each number that varies."""
        if isinstance(self.vary, dict):
            return self.vary
        names = [self.vary] if isinstance(self.vary, str) else self.vary
        return {name: FromTo() for name in names}
