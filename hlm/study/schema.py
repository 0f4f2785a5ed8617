"""The shape of the study file: its keys, their types, defaults and limits.

What holds between keys (the coefficients that a formula needs, correlations that are possible)
is checked where the study is resolved; the JSON schema for editors is made from this module.
"""

from __future__ import annotations

import json
import re
from collections import ChainMap
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from hlm import datasets
from hlm.criteria import CRITERIA  # noqa: TC001 - pydantic reads it
from hlm.errors import InputError, nearest
from hlm.inference import COEFFICIENT_LIMITS, COEFFICIENTS, RANDOM_PART
from hlm.scenario import Dependence  # noqa: TC001 - pydantic reads it
from hlm.study.messages import shown
from hlm.study.schema_about import About  # noqa: TC001 - as above
from hlm.study.schema_covariates import Covariate  # noqa: TC001 - as above
from hlm.study.schema_estimands import Estimands  # noqa: TC001 - as above
from hlm.study.schema_figures import Figures  # noqa: TC001 - as above
from hlm.study.schema_missing import Missing, MissingRows
from hlm.study.schema_part import Part
from hlm.study.schema_replicates import Replicates  # noqa: TC001 - as above
from hlm.study.schema_residual import AutoRegression, Variance  # noqa: TC001 - as above
from hlm.study.schema_rows import Rows  # noqa: TC001 - as above
from hlm.study.schema_solve import Solve  # noqa: TC001 - as above
from hlm.study.schema_tables import Tables  # noqa: TC001 - as above
from hlm.study.schema_uncertain import UncertainTruth  # noqa: TC001 - as above
from hlm.study.schema_values import (
    SHAPE,
    Correlation,
    Positive,
    Probability,
    SafeName,
    Shape,
    Shapes,
)
from hlm.words.policies import OF_POLICIES, POLICIES

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "Candidate",
    "Design",
    "EffectSizes",
    "Estimation",
    "PilotFit",
    "Residual",
    "StudyFile",
    "Truth",
    "schema_text",
]

MAX_UNITS = 1_000_000

Method = Literal["reml", "ml"]
Methods = Annotated[list[Method], Field(min_length=1)]


def _distinct(names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"'{name}' is there twice", allowed="each name once")
    return names


def _one_or_more(registry: Collection[str], others: Collection[str], key: str) -> Any:
    """Return the type of one name of a registry, or of a list; those of `others` are at `key`."""

    def known(name: str) -> str:
        if name in others and name not in registry:
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


class Correlated(Part):
    """Covariates of one level that are correlated."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("covariates", "variables", "names", "members", "between"), "of"),
        **dict.fromkeys(("rho", "r", "correlation", "corr", "matrix"), "cor"),
    }

    of: Annotated[list[str], Field(min_length=2), AfterValidator(_distinct)] = Field(
        description="Their names."
    )
    cor: Correlation = Field(
        description="Their correlation: one number for all pairs, or a matrix in the order of `of`."
    )


_SET = "{of: [x, z], cor: 0.5}"


def _set(value: Any) -> Any:
    if not isinstance(value, dict | Part):
        near = f"{{of: {shown(value)}, cor: 0.5}}" if isinstance(value, list) else None
        raise InputError(f"{shown(value)} is not allowed", allowed=_SET, suggestion=near)
    return value


def _sets(value: Any) -> Any:
    """Refuse a set without a name."""
    if not isinstance(value, dict) or "of" in value:
        raise InputError(
            "a set of covariates without a name"
            if isinstance(value, dict | list)
            else f"{shown(value)} is not allowed",
            allowed=f"sets of covariates, each under a name: {{pair: {_SET}}}",
        )
    return value


def _or_from_data(schema: dict[str, Any], key: str, **needed: dict[str, Any]) -> None:
    """Require keys, for editors, only where the one is not there that gives them from data."""
    del schema["required"]
    whole = {"required": [*needed], "properties": {k: v for k, v in needed.items() if v}}
    schema["anyOf"] = [{"required": [key]}, whole]


def _requires_nothing(schema: dict[str, Any]) -> None:
    """Require nothing, for editors: data or effect sizes may stand for it."""
    del schema["required"]


_GENERATOR = re.compile(r".+\.py:[^\W\d]\w*")


def _generator(text: str) -> str:
    if not _GENERATOR.fullmatch(text):
        problem = f"{shown(text)} names no function"
        raise InputError(problem, allowed="FILE.py:FUNCTION, such as own.py:simulate")
    return text


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

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("dropout", "attrition", "drop_out"), "missing.dropout"),
        **dict.fromkeys(("mcar", "missingness", "missing_rows", "nonresponse"), "missing.rows"),
        **dict.fromkeys(("cor", "correlation", "correlations", "corr"), "correlated"),
        **dict.fromkeys(("ar1", "autocorrelation"), "truth.residual.ar1"),
        **dict.fromkeys(("residual", "residuals"), "truth.residual"),
        **dict.fromkeys(("n_units", "groups", "clusters", "n_groups"), "units"),
        **dict.fromkeys(("n_rows", "sizes", "cluster_size", "n"), "rows"),
    }

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
    rows: Rows = Field(
        description="Rows of each unit (level 1): a number, a list of numbers, or how they are "
        "distributed."
    )
    covariates: dict[str, Covariate] = Field({}, description="Each covariate by its name.")
    correlated: Annotated[
        dict[SafeName, Annotated[Correlated, BeforeValidator(_set)]], BeforeValidator(_sets)
    ] = Field({}, description="Sets of covariates that are correlated, each under a name.")
    missing: MissingRows = Field(Missing(), description="Which rows are missing.")
    generator: Annotated[str, AfterValidator(_generator)] | None = Field(
        None,
        description="A function in Python that draws rows and covariates of data sets, or the "
        "response too: FILE.py:FUNCTION, the file relative to this one. It runs only with "
        "--allow-code.",
        examples=["own.py:simulate"],
    )

    @model_validator(mode="after")
    def _of_data(self) -> Design:
        for key in ("codes", "resample"):
            if self.from_ is None and key in self.model_fields_set:
                raise InputError(f"{key} without data", allowed="beside from: FILE")
        return self


class RandomPart(Part):
    """The distribution of the random effects of a unit."""

    model_config = ConfigDict(json_schema_extra=_requires_nothing)

    sd: dict[str, Annotated[float, Field(ge=0)]] = Field(
        description="The standard deviation of each random effect of the formula."
    )
    cor: Correlation = Field(
        0.0,
        description="Their correlation: one number for all pairs, or a matrix in the order of "
        "the formula's random terms.",
    )
    distribution: Shapes = Field(
        "normal",
        description=f"{SHAPE} One for all random effects, or each by its name: the others are "
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

    model_config = ConfigDict(json_schema_extra=_requires_nothing)

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("rho", "phi", "ar", "cor", "correlation", "corar1", "car1"), "ar1"),
        **dict.fromkeys(("autocorrelation", "autoregression", "autoregressive"), "ar1"),
        "time": "ar1: {cor: 0.5, time: t}",
        **dict.fromkeys(("heteroscedasticity", "heteroscedastic", "weights", "by"), "variance"),
        **dict.fromkeys(("heteroskedasticity", "heteroskedastic", "varident"), "variance"),
        **dict.fromkeys(("sigma", "std"), "sd"),
    }

    sd: Positive | None = Field(description="Their standard deviation.")
    distribution: Shape = Field("normal", description=SHAPE, examples=["normal", "chisq(1)"])
    variance: Variance | None = Field(
        None,
        description="How their variance differs: by the values of a covariate, as a power or an "
        "exponential of one, or by unit.",
    )
    ar1: AutoRegression | None = Field(
        None,
        description="The correlation of a residual with the one before in its unit: a number, or "
        "with the covariate that says when.",
    )


Share = Annotated[float, Field(ge=0, lt=1)]


class EffectSizes(Part):
    """Effect sizes in the place of coefficients and standard deviations."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("rho", "vpc", "iccs", "intraclass_correlation"), "icc"),
        **dict.fromkeys(("var_ratio", "slope_ratio", "slope_var_ratio"), "slope_variance_ratio"),
        **dict.fromkeys(("cohens_d", "cohen_d", "delta", "smd", "d_total", "standardized"), "d"),
        **dict.fromkeys(("d_w", "d_row", "d_rows", "d_residual"), "d_within"),
        **dict.fromkeys(("d_b", "d_unit", "d_units", "d_slope"), "d_between"),
        **dict.fromkeys(("r_squared", "rsquared", "r2_within", "r2_between", "r_2"), "r2"),
        **dict.fromkeys(("variance", "total", "var_total"), "total_variance"),
    }

    icc: Share | None = Field(
        None,
        description="Variance of the random intercepts over its sum with the residual variance: "
        "gives the sd of (Intercept).",
    )
    total_variance: Positive | None = Field(
        None,
        description="That sum: with `icc` it gives the residual sd too.",
    )
    slope_variance_ratio: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {}, description="Variance of a random slope over the residual variance: gives its sd."
    )
    d: dict[str, float] = Field(
        {},
        description="A coefficient in units of the root of the variance of the random intercepts "
        "plus the residual variance.",
    )
    d_within: dict[str, float] = Field({}, description="A coefficient in units of the residual sd.")
    d_between: dict[str, float] = Field(
        {},
        description="A coefficient in units of the sd of the random effect that the term moves: of "
        "`a` the intercept, of `x:a` the slope of `x`.",
    )
    r2: dict[str, Share] = Field(
        {},
        description="The share of the variance of its level that a term adds, by a positive "
        "coefficient.",
    )


class PilotFit(Part):
    """A fit to data whose estimates are the truth."""

    data: str = Field(description=_DATA)
    formula: str = Field(description="The model, as an lme4 formula.")
    method: Method = Field("reml", description="How it is fitted.")
    codes: Codes = Field({}, description=_CODES)


class Truth(Part):
    """The model that generates the data, with its parameters."""

    model_config = ConfigDict(
        json_schema_extra=lambda schema: _or_from_data(schema, "fit", formula={})
    )

    synonyms: ClassVar[dict[str, str]] = {
        name: f"effect_sizes.{key}"
        for key, names in {
            "icc": ("icc", "rho", "vpc"),
            "d": ("d", "cohens_d", "cohen_d", "delta", "smd"),
            "r2": ("r2", "r_squared", "rsquared"),
            "slope_variance_ratio": ("slope_variance_ratio", "var_ratio", "slope_ratio"),
            "total_variance": ("total_variance", "variance"),
        }.items()
        for name in names
    } | {
        "effects": "effect_sizes",
        "sizes": "effect_sizes",
        **dict.fromkeys(("uncertainty", "prior", "priors", "assurance"), "uncertain"),
        "missing": "design.missing",
        **dict.fromkeys(("dropout", "attrition"), "design.missing.dropout"),
        **dict.fromkeys(("ar1", "autocorrelation"), "residual.ar1"),
    }

    of_data = ("fit",)

    fit: PilotFit | None = Field(
        None, description="A fit to data that gives all that is not written beside it."
    )
    formula: str = Field(description="The model, as an lme4 formula.")
    fixed: dict[str, float] = Field(description="Each fixed coefficient of the formula.")
    random: dict[str, RandomPart] = Field(description="The random effects, under their group.")
    residual: Residual = Field(description="The residuals.")
    effect_sizes: EffectSizes | None = Field(
        None, description="Effect sizes in the place of coefficients and sds that are left out."
    )
    uncertain: UncertainTruth | None = Field(
        None,
        description="Parameters that are drawn for each data set, so that a rate of rejection is "
        "the assurance: the path of each below `truth`, with its distribution.",
    )

    @model_validator(mode="after")
    def _has_residual_sd(self) -> Truth:
        total = self.effect_sizes.total_variance if self.effect_sizes else None
        if self.residual.sd is None and total is None:
            raise InputError("null is not allowed", path="residual.sd", allowed="a number")
        return self


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


RatioTests = Annotated[
    Annotated[list[str], Tag("<list>")]
    | Annotated[
        dict[SafeName, Annotated[list[str], Field(min_length=1)]],
        Tag("<mapping>"),
    ],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<list>"),
]


class Estimation(Part):
    """How the models are fitted."""

    synonyms: ClassVar[dict[str, str]] = (
        dict.fromkeys(
            ("draws", "boot", "nsim", "n_boot", "n_bootstrap", "resamples", "bootstrap_samples"),
            "bootstrap",
        )
        | dict.fromkeys(
            ("likelihood_ratio", "likelihood_ratio_tests", "lr_tests", "lrts", "anova", "ranova"),
            "lrt",
        )
        | dict.fromkeys(
            ("predict", "predicted", "prediction", "blup", "blups", "ranef", "shrinkage"),
            "predictions",
        )
    )

    methods: Methods = Field(["reml", "ml"], description="REML, maximum likelihood or both.")
    df: _one_or_more(ChainMap(COEFFICIENT_LIMITS, COEFFICIENTS), RANDOM_PART, "limits") = Field(  # type: ignore[valid-type]
        "satterthwaite",
        description="Degrees of freedom of the fixed coefficients, by one method or a list of "
        "them; with 'kenward-roger' the standard errors of REML fits are adjusted too, with 'cr2' "
        "all are cluster-robust; with 'bootstrap' limits and F tests need none, and with 'profile' "
        "limits, by profile likelihood.",
    )
    level: Probability = Field(0.95, description="Level of the confidence limits.")
    limits: _one_or_more(RANDOM_PART, COEFFICIENTS, "df") = Field(  # type: ignore[valid-type]
        "wald",
        description="Limits of the random part, by one method or a list of them: Wald's on the "
        "log and atanh scale, on the scale of variances, by profile likelihood or by bootstrap.",
    )
    bootstrap: int | None = Field(
        None,
        ge=2,
        description="How many data sets the bootstrap draws from each fit, where `df` or `limits` "
        "have it; 199 where nothing is said.",
    )
    tests: dict[SafeName, Annotated[list[str], Field(min_length=1)]] = Field(
        {},
        description="F tests by name: the coefficients that are all zero under the hypothesis, "
        "tested in every model that has them.",
    )
    lrt: RatioTests = Field(
        [],
        description="Likelihood ratio tests by name: the coefficients, standard deviations and "
        "correlations that are all zero under the hypothesis, tested in every model that has them; "
        "or a list of terms, each a test of its own.",
    )
    estimands: Estimands = Field(
        [],
        description="What is estimated besides the parameters, in every model that has it: kinds, "
        "or arithmetic of terms under names.",
    )
    predictions: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="Whether the coefficients of each unit are predicted, and held against the "
        "true ones beside least squares of the unit's own rows.",
    )


class Selection(Part):
    """How one of the models is chosen."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("criterion", "by", "ic"), "criteria"),
        **dict.fromkeys(("models", "along", "sequence", "nested"), "order"),
        **dict.fromkeys(("estimates", "post_selection", "after", "averaging"), "estimate"),
        **dict.fromkeys(("level", "p", "p_value", "significance"), "alpha"),
    }

    criteria: Annotated[list[Literal[CRITERIA]], Field(min_length=1)] = Field(  # type: ignore[valid-type]
        ["aic", "bic"],
        description="AIC, AICc, BIC: the smallest value chooses; or likelihood-ratio tests along "
        "an order of nested models, by the chi-square distribution or the mixture.",
    )
    order: list[str] | None = Field(
        None,
        description="For tests: the models from the smallest to the largest, each within the next; "
        "all models by their number of parameters unless given.",
    )
    direction: Literal["forward", "backward"] = Field(
        "forward",
        description="Forward from the smallest model while tests reject, or backward from the "
        "largest while they do not.",
    )
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="A test with a p-value below it rejects the smaller model."
    )
    estimate: Literal["none", "selected"] = Field(
        "none",
        description="Whether the estimates of the model that is chosen for each data set are "
        "measured as those of a model of their own.",
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


Points = Annotated[
    list[Annotated[dict[str, Any], Field(min_length=1)]],
    Field(min_length=1, examples=[[{"units": 100, "rows": 50}]]),
]


def _violation(value: Any) -> Any:
    if not isinstance(value, str | list | dict):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a violation such as ar1 0.3, a list of some, or a mapping of paths to values",
        )
    return value


def _violations(value: Any) -> Any:
    if not isinstance(value, list | dict):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a list of violations such as ar1 0.3, or violations under names",
            suggestion=f"[{value}]" if isinstance(value, str) else None,
        )
    return value


_KINDS = {dict: "<mapping>", list: "<list>", str: "<phrase>"}
_Phrases = Annotated[list[str], Field(min_length=1), Tag("<list>")]

Violation = Annotated[
    Annotated[str, Tag("<phrase>")]
    | _Phrases
    | Annotated[dict[str, Any], Field(min_length=1), Tag("<mapping>")],
    Discriminator(lambda value: _KINDS[type(value)]),
    BeforeValidator(_violation),
]
Violations = Annotated[
    _Phrases | Annotated[dict[str, Violation], Field(min_length=1), Tag("<mapping>")],
    Discriminator(lambda value: _KINDS[type(value)]),
    BeforeValidator(_violations),
]


def _first_of_all_measures(policies: str | list[str]) -> str | list[str]:
    """Refuse a first policy that has not all measures: figures and tables show it."""
    first = policies if isinstance(policies, str) else policies[0]
    if first in OF_POLICIES:
        whole = ", ".join(name for name in POLICIES if name not in OF_POLICIES)
        raise InputError(
            f"'{first}' comes first, which has {' and '.join(OF_POLICIES[first][1:])} only",
            allowed=f"first one of {whole}",
        )
    return policies


class StudyFile(Part):
    """A Monte Carlo study of hierarchical linear models."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("points", "only", "subset", "include", "grid_points", "fraction"), "keep"),
        **dict.fromkeys(("exclude", "skip", "drop", "omit", "without", "except"), "leave_out"),
        "missing": "design.missing",
        **dict.fromkeys(("dropout", "attrition"), "design.missing.dropout"),
        **dict.fromkeys(("robustness", "violations", "violated", "assumptions"), "robust"),
        **dict.fromkeys(("policy", "failures", "nonconvergence", "convergence"), "policies"),
        **dict.fromkeys(("table", "tabulate", "latex"), "tables"),
        **dict.fromkeys(("metadata", "meta", "info", "paper"), "about"),
        **dict.fromkeys(("title", "authors", "description", "aims"), "about"),
        **dict.fromkeys(("plots", "plot", "figure", "graphs", "pictures"), "figures"),
    }

    name: SafeName = Field(description="The study's name, also that of its results' folder.")
    seed: int = Field(ge=0, lt=2**63, description="The seed of all random numbers.")
    replicates: Replicates = Field(
        description="Data sets simulated for each scenario: a number, or the Monte Carlo standard "
        "errors that are to be reached."
    )
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
    keep: Points | None = Field(
        None,
        description="The points of the grid that are scenarios, in place of all: each names levels "
        "of some factors, and stands for all combinations that have them.",
    )
    leave_out: Points | None = Field(
        None, description="The points of the grid that are no scenarios, named as those of `keep`."
    )
    robust: Violations | None = Field(
        None,
        description="Violated assumptions, as phrases or under names: every scenario once more "
        "under each, of the same random numbers, and differences from the scenario without.",
        examples=[["chisq(1) effects", "ar1 0.3"]],
    )
    models: Models = Field(min_length=1, description="The models to be fitted, by name.")
    estimation: Estimation = Field(Estimation(), description="How the models are fitted.")
    selection: Selection | None = Field(None, description="How one of the models is chosen.")
    policies: Annotated[
        _one_or_more(POLICIES, (), "policies"),  # type: ignore[valid-type]
        AfterValidator(_first_of_all_measures),
    ] = Field(
        "all",
        description="Which replicates count in the measures of performance: one way or several, "
        "side by side. Figures and tables show the first.",
    )
    figures: Figures = Field(
        "all",
        description="The figures, by name or as what each shows; the usual ones unless given.",
        examples=[["coverage_fixed", {"measure": "bias", "terms": ["x"], "x": "units"}]],
    )
    solve: Solve | None = Field(None, description="A design to be found by `hlm solve`.")
    tables: Tables | None = Field(
        None,
        description="Which tables there are, by name or with what is to be in them; all that suit "
        "the study unless given.",
    )
    about: About | None = Field(
        None,
        description="What a report says beside the numbers: title, authors, aims, and so on.",
    )


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
