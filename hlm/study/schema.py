"""The shape of the study file: its keys, their types, defaults and limits.

What holds between keys (the coefficients that a formula needs, correlations that are possible)
is checked where the study is resolved; the JSON schema for editors is made from this module.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from hlm import distributions
from hlm.errors import InputError, Mistakes, nearest
from hlm.estimands.kinds import FURTHER, check_further
from hlm.formula.cells import is_number, number_text
from hlm.inference import COEFFICIENTS, RANDOM_PART
from hlm.scenario import Dependence  # noqa: TC001 - pydantic reads it
from hlm.study.messages import shown, with_unknown_keys
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = [
    "FINITE",
    "Balanced",
    "Binary",
    "Candidate",
    "Categories",
    "Covariate",
    "Design",
    "Estimation",
    "Grid",
    "Normal",
    "OneCovariate",
    "Range",
    "StudyFile",
    "Truth",
    "Uniform",
    "kind_of",
    "schema_text",
]

SUM_TOLERANCE = 1e-6
MAX_UNITS = 1_000_000
MAX_ROWS = 10_000_000  # of one data set: some 100 MB of doubles a column

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


def _safe_name(name: str) -> str:
    if not _SAFE_NAME.fullmatch(name):
        raise InputError(
            f"the name {name!r} is not safe for files",
            allowed="letters, digits, _ . -; not first a dot; at most 64 characters",
        )
    return name


SafeName = Annotated[str, AfterValidator(_safe_name)]
FurtherKind = Annotated[
    str, AfterValidator(check_further), Field(json_schema_extra={"enum": [*FURTHER]})
]
Method = Literal["reml", "ml"]
Methods = Annotated[list[Method], Field(min_length=1)]
Positive = Annotated[float, Field(gt=0)]
Probability = Annotated[float, Field(gt=0, lt=1)]


def _distinct(names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"'{name}' is there twice", allowed="each name once")
    return names


def _one_or_more(registry: Collection[str], others: Collection[str], key: str) -> Any:
    """Return the type of one name of a registry, or of a list; those of `others` are at `key`."""

    def known(name: str) -> str:
        if name in others:
            raise InputError(
                f"{shown(name)} is not allowed", allowed=", ".join(registry), suggestion=key
            )
        if name not in registry:
            raise InputError(
                f"{shown(name)} is not allowed",
                allowed=", ".join(registry),
                suggestion=nearest(name, registry),
            )
        return name

    one = Annotated[
        str, AfterValidator(known), WithJsonSchema({"enum": list(registry), "type": "string"})
    ]
    several = Annotated[list[one], Field(min_length=1), AfterValidator(_distinct)]
    return Annotated[
        Annotated[one, Tag("<name>")] | Annotated[several, Tag("<names>")],
        Discriminator(lambda value: "<names>" if isinstance(value, list) else "<name>"),
    ]


class Part(BaseModel):
    """A mapping of the file, without unknown keys and without conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
    synonyms: ClassVar[dict[str, str]] = {}
    """Other names that a user may give keys."""

    @model_validator(mode="wrap")
    @classmethod
    def _name_unknown_keys(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Say which keys there are; a key that is missing because it is misspelt is said once."""
        try:
            return handler(data)
        except ValidationError as error:
            raise with_unknown_keys(error, cls.known_keys(), cls.synonyms) from None

    @classmethod
    def known_keys(cls) -> list[str]:
        """Return the keys that there are."""
        return [field.alias or name for name, field in cls.model_fields.items()]


def _shape(text: Any) -> str:
    return distributions.written(distributions.read_call(text))


Shape = Annotated[str, BeforeValidator(_shape)]
Shapes = Annotated[
    Annotated[Shape, Tag("<text>")] | Annotated[dict[str, Shape], Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<text>"),
]
_SHAPE = (
    "Their shape, a family written as a call: "
    + ", ".join(family.call_example for family in distributions.SHAPES.values())
    + ". What is drawn is standardized to the stated sd."
)

Level = Annotated[
    Literal["unit", "row"], Field(description="Whether it has one value per unit or per row.")
]


class Normal(Part):
    """A covariate drawn from a normal distribution."""

    level: Level
    distribution: Literal["normal"] = Field("normal", description="How it is drawn.")
    mean: float = Field(0.0, description="Its mean.")
    sd: Positive = Field(1.0, description="Its standard deviation.")

    def made(self) -> distributions.Distribution:
        """Return the distribution."""
        return distributions.Normal(float(self.mean), float(self.sd))


class Uniform(Part):
    """A covariate drawn from a uniform distribution."""

    level: Level
    distribution: Literal["uniform"] = Field(description="How it is drawn.")
    low: float = Field(0.0, description="Its lower end.")
    high: float = Field(1.0, description="Its upper end.")

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

    level: Level
    distribution: Literal["binary"] = Field(description="How it is drawn.")
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


FINITE = ("<categories>", "<balanced>")
"""The kinds of covariates that may be labels."""

_CATEGORICAL = (
    *("categorical", "categories", "category", "factor", "multinomial", "discrete", "nominal"),
    *("balanced", "arms"),
)


def kind_of(value: Any) -> str:
    """Return the kind of a covariate as written, by its keys, which may be misspelt."""
    if isinstance(value, Part):
        return f"<{type(value).__name__.lower()}>"
    if not isinstance(value, dict):
        return "<normal>"
    for key, kind in (("grid", "<grid>"), ("categories", FINITE[0]), ("balanced", FINITE[1])):
        if key in value:
            return kind
    return f"<{value['distribution']}>" if "distribution" in value else _nearest_kind(value)


def _nearest_kind(value: Mapping[str, Any]) -> str:
    """Return the kind that unknown keys come nearest to, else the normal."""
    kinds: dict[str, str] = {}
    for part, kind in ((Categories, FINITE[0]), (Balanced, FINITE[1])):
        key = part.known_keys()[1]
        names = [key, *(name for name, meant in part.synonyms.items() if meant == key)]
        kinds |= dict.fromkeys(names, kind)
    unknown = (str(one) for one in value if one not in Normal.known_keys())
    near = next(filter(None, (nearest(one, kinds) for one in unknown)), None)
    return kinds[near] if near else "<normal>"


def _no_categorical(value: Any) -> Any:
    """Refuse a distribution that is a key of its own."""
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


Covariate = Annotated[
    Annotated[
        Annotated[Normal, Tag("<normal>")]
        | Annotated[Uniform, Tag("<uniform>")]
        | Annotated[Binary, Tag("<binary>")]
        | Annotated[Categories, Tag("<categories>")]
        | Annotated[Balanced, Tag("<balanced>")]
        | Annotated[Grid, Tag("<grid>")],
        Discriminator(kind_of),
    ],
    BeforeValidator(_no_categorical),
]


class OneCovariate(Part):
    """A covariate by itself."""

    covariate: Covariate


class RowList(Part):
    """Numbers of rows that differ by unit."""

    list_: Annotated[list[Annotated[int, Field(ge=1, le=MAX_ROWS)]], Field(min_length=1)] = Field(
        alias="list", description="Rows of each unit; the list is repeated to fill the units."
    )


def _no_bare_list(value: Any) -> Any:
    if isinstance(value, list):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a whole number for all units, or a list under the key list: it is repeated",
            suggestion=f"{{list: {shown(value)}}}",
        )
    return value


Rows = Annotated[
    Annotated[int, Field(ge=1, le=MAX_ROWS), Tag("<number>")]
    | Annotated[RowList, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict | RowList) else "<number>"),
    BeforeValidator(_no_bare_list),
]


class Design(Part):
    """Sample sizes and covariates."""

    units: int = Field(ge=2, le=MAX_UNITS, description="Units (level 2).")
    rows: Rows = Field(description="Rows of each unit (level 1): a number, or a list of numbers.")
    covariates: dict[str, Covariate] = Field({}, description="Each covariate by its name.")


class RandomPart(Part):
    """The distribution of the random effects of a unit."""

    sd: dict[str, Annotated[float, Field(ge=0)]] = Field(
        description="The standard deviation of each random effect of the formula."
    )
    cor: Annotated[
        Annotated[float, Tag("<number>")] | Annotated[list[list[float]], Tag("<matrix>")],
        Discriminator(lambda value: "<matrix>" if isinstance(value, list) else "<number>"),
    ] = Field(
        0.0,
        description="Their correlation: one number for all pairs, or a matrix in the order of "
        "the formula's random terms.",
    )
    distribution: Shapes = Field(
        "normal",
        description=f"{_SHAPE} One for all random effects, or each by its name: the others are "
        "normal.",
        examples=["normal", "chisq(1)", {"x": "chisq(1)"}],
    )
    dependence: Dependence = Field(
        "mixing",
        description="How correlated random effects are made: mixed linearly of independent ones, "
        "so that sums are not of the family, or by a Gaussian copula, which keeps each one's.",
    )


class Residual(Part):
    """The distribution of the residuals."""

    sd: Positive = Field(description="Their standard deviation.")
    distribution: Shape = Field("normal", description=_SHAPE, examples=["normal", "chisq(1)"])


class Truth(Part):
    """The model that generates the data, with its parameters."""

    formula: str = Field(description="The model, as an lme4 formula.")
    fixed: dict[str, float] = Field(description="Each fixed coefficient of the formula.")
    random: dict[str, RandomPart] = Field(description="The random effects, under their group.")
    residual: Residual = Field(description="The residuals.")


class Candidate(Part):
    """A model to be fitted, where it needs more than a formula."""

    formula: str = Field(description="The model, as an lme4 formula.")
    methods: Methods | None = Field(
        None, description="How it is estimated, if not as the key `estimation` says."
    )
    level: Probability | None = Field(
        None, description="Level of its confidence limits, if not that of `estimation`."
    )
    true: dict[str, float] = Field(
        {},
        description="True values of its terms, where they do not follow from the truth.",
    )


class Estimation(Part):
    """How the models are fitted."""

    methods: Methods = Field(["reml", "ml"], description="REML, maximum likelihood or both.")
    df: _one_or_more(COEFFICIENTS, RANDOM_PART, "limits") = Field(  # type: ignore[valid-type]
        "satterthwaite",
        description="Degrees of freedom of the fixed coefficients, by one method or a list of "
        "them; with 'kenward-roger' the standard errors of REML fits are adjusted too.",
    )
    level: Probability = Field(0.95, description="Level of the confidence limits.")
    limits: _one_or_more(RANDOM_PART, COEFFICIENTS, "df") = Field(  # type: ignore[valid-type]
        "wald",
        description="Limits of the random part, by one method or a list of them: Wald's on the "
        "log and atanh scale, on the scale of variances, or by profile likelihood.",
    )
    tests: dict[SafeName, Annotated[list[str], Field(min_length=1)]] = Field(
        {},
        description="F tests by name: the coefficients that are all zero under the hypothesis, "
        "tested in every model that has them.",
    )
    estimands: list[FurtherKind] = Field(
        [],
        description="What is estimated besides the parameters, in every model that has it.",
    )


Models = dict[
    SafeName,
    Annotated[
        Annotated[str, Tag("<formula>")] | Annotated[Candidate, Tag("<mapping>")],
        Discriminator(lambda value: "<formula>" if isinstance(value, str) else "<mapping>"),
    ],
]


Levels = Annotated[
    Annotated[list[Any], Field(min_length=1), Tag("<list>")]
    | Annotated[dict[str, Any], Field(min_length=1), Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<list>"),
]


class StudyFile(Part):
    """A Monte Carlo study of hierarchical linear models."""

    name: SafeName = Field(description="The study's name, also that of its results' folder.")
    seed: int = Field(ge=0, lt=2**63, description="The seed of all random numbers.")
    replicates: int = Field(ge=1, le=10**9, description="Data sets simulated for each scenario.")
    common_random_numbers: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="Whether a replicate is made of the same random numbers in all scenarios with "
        "as many units and rows.",
    )
    truth: Truth = Field(description="The model that generates the data.")
    design: Design = Field(description="Sample sizes and covariates.")
    grid: dict[str, Levels] = Field(
        {},
        description="Levels of any value of truth and design, under its path, as a list or under "
        "labels; or under a name of its own, values of several paths under labels. Crossed.",
    )
    models: Models = Field(min_length=1, description="The models to be fitted, by name.")
    estimation: Estimation = Field(Estimation(), description="How the models are fitted.")


def schema_text() -> str:
    """Return the JSON schema of the study file, as it is kept for editors.

    Examples
    --------
    >>> '"title": "StudyFile"' in schema_text()
    True
    """
    schema = StudyFile.model_json_schema()
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(draft | schema, indent=2) + "\n"
