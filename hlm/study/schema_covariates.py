"""The covariates of a design, as a study file has them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from hlm import distributions
from hlm.errors import InputError, Mistakes, nearest
from hlm.formula.cells import is_number, number_text
from hlm.study.messages import shown
from hlm.study.schema_part import Part
from hlm.study.schema_values import Positive, Probability, Shape  # noqa: TC001 - pydantic
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = [
    "FINITE",
    "Balanced",
    "Binary",
    "Categories",
    "Centred",
    "Covariate",
    "Generated",
    "Given",
    "Grid",
    "LatentMeanOf",
    "MeanOf",
    "Measures",
    "Normal",
    "OneCovariate",
    "Own",
    "Range",
    "Uniform",
    "kind_of",
]

SUM_TOLERANCE = 1e-6


def _another_name(names: Mapping[str, str]) -> Callable[[Any], Any]:
    """Return a validator that refuses other names of what is allowed, with the right one."""

    def refuse(value: Any) -> Any:
        meant = names.get(str(value).lower())
        if meant is None:
            return value
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed=", ".join(dict.fromkeys(names.values())),
            suggestion=meant,
        )

    return refuse


_LEVELS = {
    **dict.fromkeys(("2", "units", "group", "cluster", "between", "level2", "upper"), "unit"),
    **dict.fromkeys(("1", "rows", "within", "level1", "observation", "time", "lower"), "row"),
}
_MEANS = {
    **dict.fromkeys(("group", "cluster", "units", "within", "cwc"), "unit"),
    **dict.fromkeys(("grandmean", "grand_mean", "mean", "overall", "sample", "cgm"), "grand"),
}

Level = Annotated[
    Literal["unit", "row"],
    BeforeValidator(_another_name(_LEVELS)),
    Field(description="Whether it has one value per unit or per row."),
]

_IN_A_SET = "design.correlated: {pair: {of: [x, z], cor: 0.5}}"
_OF_DRAWN = {
    **dict.fromkeys(("rho", "vpc", "intraclass_correlation"), "icc"),
    **dict.fromkeys(
        ("reliability", "error", "measurement_error"),
        "measured: {measures: x, reliability: 0.7}, another covariate",
    ),
    **dict.fromkeys(("cor", "correlation", "correlated", "correlated_with"), _IN_A_SET),
}
"""What users may write beside a distribution."""

_OF_MOMENTS = {
    **dict.fromkeys(("mu", "average"), "mean"),
    **dict.fromkeys(("sigma", "variance", "var", "std", "stdev"), "sd"),
    **_OF_DRAWN,
}


Icc = Annotated[
    float,
    Field(ge=0, lt=1, description="The share of its variance that the rows of a unit share."),
]


class Normal(Part):
    """A covariate drawn from a normal distribution."""

    synonyms: ClassVar[dict[str, str]] = _OF_MOMENTS

    level: Level
    distribution: Literal["normal"] = Field("normal", description="How it is drawn.")
    mean: float = Field(0.0, description="Its mean.")
    sd: Positive = Field(1.0, description="Its standard deviation.")
    icc: Icc = 0.0

    def made(self) -> distributions.Distribution:
        """Return the distribution."""
        return distributions.Normal(float(self.mean), float(self.sd))


def _known_distribution(value: Any) -> Any:
    """Refuse what is no distribution of a covariate, those that are named first."""
    name, bracket, _ = value.partition("(") if isinstance(value, str) else ("", "", "")
    if value in _BY_NAME:
        return value
    if (near := _meant_binary(value)) is not None:
        problem = f"{shown(value)} is not allowed"
        raise InputError(problem, allowed=_distributions(), suggestion=near)
    try:
        distributions.read_call(value)
    except InputError as error:
        if bracket and name.strip() in _ENDS:
            raise InputError(
                error.problem, allowed=f"{name.strip()}, with {_ENDS[name.strip()]} beside it"
            ) from None
        unknown = error.problem.endswith("is no distribution")
        allowed = _distributions() if unknown else error.allowed
        raise InputError(error.problem, allowed=allowed, suggestion=error.suggestion) from None
    return value


_BY_NAME = ("normal", "uniform", "binary")
_BINARY = {
    **dict.fromkeys(("bernoulli", "binomial", "dichotomous", "dummy", "bool"), "binary"),
    "binary": "binary, with p beside it",
}
_ENDS = {"normal": "mean and sd", "uniform": "low and high"}


def _meant_binary(value: Any) -> str | None:
    """Find another name of the binary distribution, which is no shape."""
    name = value.partition("(")[0].strip().lower() if isinstance(value, str) else ""
    return _BINARY.get(nearest(name, [*_BINARY, *distributions.SHAPES]) or "")


def _distributions() -> str:
    calls = [one.call_example for one in distributions.SHAPES.values() if one.shape]
    others = [one for one in distributions.SHAPES if one not in _BY_NAME]
    plain = [one for one in others if not distributions.SHAPES[one].shape]
    return ", ".join((*_BY_NAME, *plain, *calls))


class Shaped(Part):
    """A covariate drawn from another distribution, with a stated mean and sd."""

    synonyms: ClassVar[dict[str, str]] = _OF_MOMENTS

    level: Level
    distribution: Annotated[Shape, BeforeValidator(_known_distribution)] = Field(
        description="Its shape, a family written as a call.", examples=["lognormal(0.5)"]
    )
    mean: float = Field(0.0, description="Its mean.")
    sd: Positive = Field(1.0, description="Its standard deviation.")
    icc: Icc = 0.0

    def made(self) -> distributions.Distribution:
        """Return the distribution."""
        shape = distributions.read_call(self.distribution)
        return distributions.Scaled(shape, float(self.mean), float(self.sd))


class Uniform(Part):
    """A covariate drawn from a uniform distribution."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("min", "minimum", "from", "lower", "a"), "low"),
        **dict.fromkeys(("max", "maximum", "to", "upper", "b"), "high"),
        **_OF_DRAWN,
    }

    level: Level
    distribution: Literal["uniform"] = Field(description="How it is drawn.")
    low: float = Field(0.0, description="Its lower end.")
    high: float = Field(1.0, description="Its upper end.")
    icc: Icc = 0.0

    def made(self) -> distributions.Distribution:
        """Return the distribution."""
        return distributions.Uniform(float(self.low), float(self.high))

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if not self.low < self.high:
            problem = f"low is {self.low:g} and high is {self.high:g}"
            raise InputError(problem, allowed="low below high")
        return self


class Binary(Part):
    """A covariate that is 1 with some probability, else 0."""

    synonyms: ClassVar[dict[str, str]] = dict.fromkeys(
        ("prob", "probability", "share", "mean", "proportion", "prevalence"), "p"
    )

    level: Level
    distribution: Annotated[Literal["binary"], BeforeValidator(_known_distribution)] = Field(
        description="How it is drawn."
    )
    p: Probability = Field(0.5, description="The probability of a 1.")

    def made(self) -> distributions.Distribution:
        """Return the distribution."""
        return distributions.Binary(float(self.p))


_LABEL = re.compile(r"[^\W\d_][\w.-]*")
_TRUTH_VALUES = ("T", "F", "TRUE", "FALSE", "True", "False", "true", "false")
"""What R takes for truth values, if there is nothing else in a column."""


def _codes(labels: Collection[str], reference: str | None) -> tuple[tuple[float, ...], list[str]]:
    """Return the values in ascending order, and the labels that they are codes of, if they are.

    Labels are sorted as R sorts them, after the reference.
    """
    numbers = [label for label in labels if is_number(label) and math.isfinite(float(label))]
    if numbers and len(numbers) < len(labels):
        others = ", ".join(label for label in labels if label not in numbers)
        problem = f"some labels are numbers ({', '.join(numbers)}) and some are not ({others})"
        raise InputError(problem, allowed="all numbers, or all names")
    for label in [] if numbers else labels:
        if not _LABEL.fullmatch(label) or label == "NA" or is_number(label):
            raise InputError(
                f"the label {label!r} is no name",
                allowed="letters, digits, _ . -, a letter first; not NA, NaN or Inf",
            )
    if all(label in _TRUTH_VALUES for label in labels):
        problem = f"the labels {', '.join(labels)} are truth values"
        raise InputError(problem, allowed="other labels; 0 and 1")
    values = sorted(map(float, numbers)) if numbers else list(map(float, range(len(labels))))
    for value in values:
        if values.count(value) > 1:
            raise InputError(f"the value {value:g} is there twice", allowed="different numbers")
    _check_reference(reference, labels, numbers)
    first = [reference] if reference is not None else []
    ordered = [] if numbers else [*first, *sorted(label for label in labels if label != reference)]
    return tuple(values), ordered


def _check_reference(
    reference: str | None, labels: Collection[str], numbers: Collection[str]
) -> None:
    if reference is None:
        return
    if numbers:
        problem = f"the reference {reference!r} of numbers"
        allowed = "no reference: that of factor() is the smallest number"
        raise InputError(problem, path="reference", allowed=allowed)
    if reference not in labels:
        raise InputError(
            f"{reference!r} is none of the labels",
            path="reference",
            allowed=", ".join(labels),
            suggestion=nearest(reference, labels),
        )


def _no_bare_labels(value: Any) -> Any:
    """Refuse a list of labels, with shares that make it a mapping."""
    if isinstance(value, list):
        given = [str(one) for one in value]
        share = f"{1.0 / max(len(given), 1):.7g}"
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a mapping of each category to its share; or equal numbers of each by the key "
            "balanced",
            suggestion="{" + ", ".join(f"{one}: {share}" for one in given) + "}",
        )
    return value


def _several(value: Any) -> Any:
    if not isinstance(value, list) or len(value) < 2:
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a list of two or more values",
            suggestion="[0, 1]",
        )
    return value


def _at(path: str, check: Callable[..., object], *args: object) -> None:
    """Call a check, and say of what it refuses where that is."""
    try:
        check(*args)
    except InputError as error:
        raise error.at(path=path) from None


def _label(value: Any) -> str:
    """Return a value as a label: numbers as they are written."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InputError(f"{shown(value)} is no label", allowed="a number; text, in quotes")
    return value if isinstance(value, str) else number_text(float(value))


Label = Annotated[str, BeforeValidator(_label), WithJsonSchema({"type": ["number", "string"]})]
Reference = Annotated[
    Label | None,
    Field(
        description="The label that others are compared with: without it the first of the sorted "
        "ones."
    ),
]


class Categories(Part):
    """A covariate with categories, each with its share."""

    level: Level
    categories: Annotated[
        dict[str, Annotated[float, Field(gt=0, le=1)]], BeforeValidator(_no_bare_labels)
    ] = Field(description="The share of each category: labels are a factor, numbers are numbers.")
    reference: Reference = None

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("labels", "levels", "shares", "probabilities"), "categories"),
        **dict.fromkeys(("ref", "base", "baseline"), "reference"),
    }

    def made(self) -> distributions.Distribution:
        """Return the distribution."""
        codes, labels = _codes(self.categories, self.reference)
        own = labels or sorted(self.categories, key=float)
        whole = math.fsum(self.categories.values())
        shares = tuple(self.categories[label] / whole for label in own)
        return distributions.Categories(codes, shares, tuple(labels))

    @model_validator(mode="after")
    def _possible(self) -> Categories:
        shares = self.categories
        if len(shares) < 2:
            problem = f"{counted(len(shares), 'category', 'categories')}"
            raise InputError(problem, path="categories", allowed="two or more, with their shares")
        _at("categories", _codes, shares, self.reference)
        if abs(math.fsum(shares.values()) - 1.0) > SUM_TOLERANCE:
            raise InputError(
                f"the shares add up to {math.fsum(shares.values()):.7g}",
                path="categories",
                allowed="shares that add up to 1; a grid varies all of them together",
            )
        return self


class Balanced(Part):
    """A covariate with equal numbers of each value, allotted at random in each data set."""

    level: Level
    balanced: Annotated[list[Label], BeforeValidator(_several)] = Field(
        description="The values, numbers or labels: each as often among the units, or among the "
        "rows of each unit, or once more."
    )
    reference: Reference = None

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("arms", "arm", "treatments", "groups", "conditions"), "balanced"),
        **dict.fromkeys(("ref", "base", "baseline"), "reference"),
    }

    def made(self) -> distributions.Distribution:
        """Return the distribution."""
        codes, labels = _codes(self.balanced, self.reference)
        return distributions.Balanced.of(codes, tuple(labels))

    @model_validator(mode="after")
    def _possible(self) -> Balanced:
        with Mistakes() as mistakes:
            for place, label in enumerate(self.balanced):
                if label in self.balanced[:place]:
                    problem, path = f"{label!r} is there twice", f"balanced[{place}]"
                    mistakes.add(InputError(problem, path=path, allowed="each value once"))
        _at("balanced", _codes, self.balanced, self.reference)
        return self


class Range(Part):
    """Evenly spaced points, as many as the design has units or rows."""

    from_: float = Field(alias="from", description="The first point.")
    to: float = Field(description="The last point, or the one after it.")
    endpoint: bool = Field(True, description="Whether the last point is `to` itself.")

    @model_validator(mode="after")
    def _apart(self) -> Range:
        if self.from_ == self.to:
            raise InputError(f"from and to are both {self.to:g}", allowed="two different numbers")
        return self


class Grid(Part):
    """A covariate with fixed values, the same in every data set."""

    level: Level
    grid: Annotated[
        Annotated[Range, Tag("<range>")]
        | Annotated[list[float], Field(min_length=1), Tag("<values>")],
        Discriminator(lambda value: "<values>" if isinstance(value, list) else "<range>"),
    ] = Field(description="A range, or a list of values that is repeated to fill the design.")


class MeanOf(Part):
    """The mean of a row-level covariate over the rows of each unit."""

    synonyms: ClassVar[dict[str, str]] = dict.fromkeys(
        (
            *("mean", "group_mean", "cluster_mean", "unit_mean", "aggregate", "average"),
            *("group_mean_of", "unit_mean_of", "average_of", "means_of", "contextual"),
        ),
        "mean_of",
    )

    mean_of: str = Field(description="The covariate, whose rows in the data are averaged.")
    level: Literal["unit"] = Field("unit", description="Its level.")


class LatentMeanOf(Part):
    """The mean of a row-level covariate that each unit has in the population."""

    synonyms: ClassVar[dict[str, str]] = dict.fromkeys(
        ("latent_mean", "latent", "latent_of", "true_mean", "true_mean_of"), "latent_mean_of"
    )

    latent_mean_of: str = Field(description="The covariate, which needs an `icc`.")
    level: Literal["unit"] = Field("unit", description="Its level.")


class Centred(Part):
    """A covariate less a mean."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(
            (
                *("centered", "center", "centre", "centering", "centred_of", "centered_of"),
                *("center_of", "cwc", "cgm", "demeaned", "demean", "deviation", "deviation_of"),
                *("group_centered", "group_centred", "grand_centered", "scale", "within_of"),
            ),
            "centred",
        ),
        **dict.fromkeys(("around", "by", "within", "on", "mean"), "at"),
    }

    centred: str = Field(description="The covariate.")
    at: Annotated[Literal["unit", "grand"], BeforeValidator(_another_name(_MEANS))] = Field(
        "unit", description="Less its mean in the unit, or in the data set."
    )


class Measures(Part):
    """A covariate as it is measured, with error."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(
            (
                *("measure", "measure_of", "measured", "measures_of", "measurement_of", "proxy"),
                *("proxy_of", "observed", "observes", "indicator_of", "with_error"),
            ),
            "measures",
        ),
        **dict.fromkeys(("rel", "alpha", "omega", "error", "sd", "error_sd", "r"), "reliability"),
    }

    measures: str = Field(description="The covariate without error.")
    reliability: Annotated[float, Field(gt=0, le=1)] = Field(
        description="The share of the variance of what is measured that is not error."
    )


class Given(Part):
    """A covariate with a value for each unit, or for each row: the same in every data set."""

    level: Level
    values: Annotated[list[float], Field(min_length=1)] = Field(
        description="One for each unit; or one for each row, unit after unit."
    )


class Generated(Part):
    """A covariate that the generator of the design draws."""

    level: Level
    generated: Literal[True] = Field(
        description="That the function under `design.generator` draws it."
    )

    def made(self) -> distributions.Distribution:
        """Return a distribution that has no levels, as far as the study says."""
        return distributions.STANDARD_NORMAL


FINITE = ("<categories>", "<balanced>")
"""The kinds of covariates that may be labels."""

_CATEGORICAL = (
    *("categorical", "categories", "category", "factor", "multinomial", "discrete", "nominal"),
    *("balanced", "arms"),
)


_OWN_KEYS: dict[str, type[Part]] = {
    "generated": Generated,
    "grid": Grid,
    "values": Given,
    "categories": Categories,
    "balanced": Balanced,
    "mean_of": MeanOf,
    "latent_mean_of": LatentMeanOf,
    "centred": Centred,
    "measures": Measures,
}
"""Kinds of covariates that are told by a key of theirs."""


def kind_of(value: Any) -> str:
    """Return the kind of a covariate as written, by its keys, which may be misspelt."""
    if isinstance(value, Part):
        return f"<{type(value).__name__.lower()}>"
    if not isinstance(value, dict):
        return "<normal>"
    for key, kind in _OWN_KEYS.items():
        if key in value:
            return f"<{kind.__name__.lower()}>"
    if "distribution" not in value:
        return _nearest_kind(value)
    given = value["distribution"]
    if given in _BY_NAME:
        return f"<{given}>"
    return "<binary>" if _meant_binary(given) else "<shaped>"


def _nearest_kind(value: Mapping[str, Any]) -> str:
    """Return the kind that unknown keys come nearest to, else the normal."""
    normal = (*Normal.known_keys(), *Normal.synonyms)
    kinds: dict[str, str] = {}
    for key, part in _OWN_KEYS.items():
        names = [key, *(name for name, meant in part.synonyms.items() if meant == key)]
        kinds |= {name: f"<{part.__name__.lower()}>" for name in names if name not in normal}
    if isinstance(value.get("mean"), str) and value.get("level") != "row":
        return "<meanof>"
    unknown = [str(one).lower() for one in value if str(one).lower() not in normal]
    exact = next((one for one in unknown if one in kinds), None)
    near = exact or next(filter(None, (nearest(one, _OWN_KEYS) for one in unknown)), None)
    return kinds[near] if near else "<normal>"


def _no_categorical(value: Any) -> Any:
    """Refuse what is no mapping, and a distribution that is a key of its own."""
    if not isinstance(value, dict | Part):
        near = f"{{level: row, grid: {shown(value)}}}" if isinstance(value, list) else None
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a mapping, such as {level: unit, distribution: normal}",
            suggestion=near,
        )
    given = value.get("distribution") if isinstance(value, dict) else None
    if isinstance(given, str) and given.lower() in _CATEGORICAL:
        raise InputError(
            f"{shown(given)} is not allowed",
            path="distribution",
            allowed="normal, uniform, binary; or no distribution and the key categories or "
            "balanced",
            suggestion="balanced: [0, 1]"
            if given.lower() in _CATEGORICAL[-2:]
            else "categories: {a: 0.5, b: 0.5}",
        )
    return value


Own = Normal | Uniform | Binary | Shaped | Categories | Balanced | Grid | Given | Generated
"""The kinds of covariates that do not come from others."""

Covariate = Annotated[
    Annotated[
        Annotated[Normal, Tag("<normal>")]
        | Annotated[Uniform, Tag("<uniform>")]
        | Annotated[Binary, Tag("<binary>")]
        | Annotated[Shaped, Tag("<shaped>")]
        | Annotated[Categories, Tag("<categories>")]
        | Annotated[Balanced, Tag("<balanced>")]
        | Annotated[Grid, Tag("<grid>")]
        | Annotated[Given, Tag("<given>")]
        | Annotated[Generated, Tag("<generated>")]
        | Annotated[MeanOf, Tag("<meanof>")]
        | Annotated[LatentMeanOf, Tag("<latentmeanof>")]
        | Annotated[Centred, Tag("<centred>")]
        | Annotated[Measures, Tag("<measures>")],
        Discriminator(kind_of),
    ],
    BeforeValidator(_no_categorical),
]


class OneCovariate(Part):
    """A covariate by itself."""

    covariate: Covariate
