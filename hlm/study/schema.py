"""The shape of the study file: its keys, their types, defaults and limits.

What holds between keys (the coefficients that a formula needs, correlations that are possible)
is checked where the study is resolved; the JSON schema for editors is made from this module.
"""

from __future__ import annotations

import json
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

from hlm import datasets, distributions
from hlm.errors import InputError, nearest
from hlm.estimands.kinds import FURTHER, check_further
from hlm.inference import COEFFICIENTS, RANDOM_PART
from hlm.scenario import Dependence  # noqa: TC001 - pydantic reads it
from hlm.study.messages import shown, with_unknown_keys

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "Binary",
    "Candidate",
    "Covariate",
    "Design",
    "Estimation",
    "Given",
    "Grid",
    "Normal",
    "PilotFit",
    "Range",
    "StudyFile",
    "Truth",
    "Uniform",
    "schema_text",
]

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

    of_data: ClassVar[tuple[str, ...]] = ()
    """The keys that name data which give the others; once these are filled in they are gone."""

    @model_validator(mode="wrap")
    @classmethod
    def _name_unknown_keys(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Say which keys there are; a key that is missing because it is misspelt is said once."""
        try:
            return handler(data)
        except ValidationError as error:
            raise with_unknown_keys(error, cls.known_keys()) from None

    @classmethod
    def known_keys(cls) -> list[str]:
        """Return the keys that there are."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @classmethod
    def varied_keys(cls) -> list[str]:
        """Return those that a grid may vary: not those that name data."""
        return [key for key in cls.known_keys() if key not in cls.of_data]

    def varied(self) -> dict[str, Any]:
        """Return the values that a grid may vary, defaults filled in."""
        values = self.model_dump(by_alias=True)
        return {key: values[key] for key in self.varied_keys()}


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


def _or_from_data(schema: dict[str, Any], key: str, **needed: dict[str, Any]) -> None:
    """Require keys, for editors, only where the one is not there that gives them from data."""
    del schema["required"]
    whole = {"required": [*needed], "properties": {k: v for k, v in needed.items() if v}}
    schema["anyOf"] = [{"required": [key]}, whole]


def _left_to_truth(schema: dict[str, Any]) -> None:
    """Require nothing here, for editors: the truth says what it requires below it."""
    del schema["required"]


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


class Given(Part):
    """A covariate with a value for each unit, or for each row: the same in every data set."""

    level: Level
    values: Annotated[list[float], Field(min_length=1)] = Field(
        description="One for each unit; or one for each row, unit after unit."
    )


def _kind(value: Any) -> str:
    if isinstance(value, Part):
        return f"<{type(value).__name__.lower()}>"
    if not isinstance(value, dict):
        return "<normal>"
    if "values" in value:
        return "<given>"
    return "<grid>" if "grid" in value else f"<{value.get('distribution', 'normal')}>"


Covariate = Annotated[
    Annotated[Normal, Tag("<normal>")]
    | Annotated[Uniform, Tag("<uniform>")]
    | Annotated[Binary, Tag("<binary>")]
    | Annotated[Grid, Tag("<grid>")]
    | Annotated[Given, Tag("<given>")],
    Discriminator(_kind),
]


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


Codes = dict[str, Annotated[dict[str, float], Field(min_length=1)]]
_CODES = "For columns of text: the number that each label stands for."
_DATA = (
    f"A file, relative to this one, or a data set that comes with hlm: {', '.join(datasets.NAMES)}."
)


class Design(Part):
    """Sample sizes and covariates."""

    model_config = ConfigDict(
        json_schema_extra=lambda schema: _or_from_data(schema, "from", units={}, rows={})
    )

    of_data = ("from", "codes", "resample")

    from_: str | None = Field(
        None,
        alias="from",
        description=f"The data whose units, rows and covariates are the design. {_DATA}",
    )
    codes: Codes = Field({}, description=_CODES)
    resample: Literal["none", "units"] = Field(
        "none",
        description="Whether the units of the data are taken as they are, or drawn anew with "
        "replacement for each data set.",
    )
    units: int = Field(ge=2, le=MAX_UNITS, description="Units (level 2).")
    rows: Rows = Field(description="Rows of each unit (level 1): a number, or a list of numbers.")
    covariates: dict[str, Covariate] = Field({}, description="Each covariate by its name.")

    @model_validator(mode="after")
    def _of_data(self) -> Design:
        for key in ("codes", "resample"):
            if self.from_ is None and key in self.model_fields_set:
                raise InputError(f"{key} without data", allowed="beside from: FILE")
        return self


class RandomPart(Part):
    """The distribution of the random effects of a unit."""

    model_config = ConfigDict(json_schema_extra=_left_to_truth)

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

    model_config = ConfigDict(json_schema_extra=_left_to_truth)

    sd: Positive = Field(description="Their standard deviation.")
    distribution: Shape = Field("normal", description=_SHAPE, examples=["normal", "chisq(1)"])


class PilotFit(Part):
    """A fit to data whose estimates are the truth."""

    data: str = Field(description=_DATA)
    formula: str = Field(description="The model, as an lme4 formula.")
    method: Method = Field("reml", description="How it is fitted.")
    codes: Codes = Field({}, description=_CODES)


class Truth(Part):
    """The model that generates the data, with its parameters."""

    model_config = ConfigDict(
        json_schema_extra=lambda schema: _or_from_data(
            schema,
            "fit",
            formula={},
            fixed={},
            random={"additionalProperties": {"required": ["sd"]}},
            residual={"required": ["sd"]},
        )
    )

    of_data = ("fit",)

    fit: PilotFit | None = Field(
        None, description="A fit to data that gives all that is not written beside it."
    )
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
