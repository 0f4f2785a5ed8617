"""The key `design.rows`: how many rows the units have."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hlm.errors import InputError, nearest
from hlm.rows import sizes
from hlm.study.messages import shown
from hlm.study.schema_part import Part

__all__ = ["MAX_ROWS", "RowList", "Rows", "TotalRows"]

MAX_ROWS = 10_000_000  # of one data set: some 100 MB of doubles a column

Count = Annotated[int, Field(ge=1, le=MAX_ROWS)]
Cv = Annotated[float, Field(ge=0, le=5)]

_EXAMPLES = {
    "list": "{list: [5, 10]}",
    "mean": "{mean: 30, cv: 0.6}",
    "poisson": "{poisson: 20}",
    "negative_binomial": "{negative_binomial: {mean: 20, size: 2}}",
    "uniform": "{uniform: [5, 40]}",
    "total": "{total: 600, cv: 0.5}",
}
EXAMPLES = ", ".join(_EXAMPLES.values())

_NAMES = {name: name for name in _EXAMPLES} | {
    name: key
    for key, names in {
        "list": ("lists", "values", "sizes", "each"),
        "mean": ("average", "avg", "mu", "cv", "gamma", "lognormal", "normal"),
        "poisson": ("pois", "rate", "lambda"),
        "negative_binomial": ("negbin", "neg_bin", "nbinom", "negbinomial"),
        "uniform": ("unif", "range", "between", "min", "max", "low", "high", "from", "to"),
        "total": ("sum", "n_total", "total_rows", "n_obs", "observations"),
    }.items()
    for name in names
}
"""What users call the kinds."""

_CALL = re.compile(r"\s*(\w+)\s*\(([^()]*)\)\s*")


def _bare_number(value: Any) -> Any:
    """Refuse parameters with a name where there is one number."""
    if isinstance(value, dict):
        given = [one for one in value.values() if isinstance(one, int | float)]
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed=f"a number, as in {_EXAMPLES['poisson']}",
            suggestion=f"{given[0]:g}" if len(given) == 1 else None,
        )
    return value


def _mean_and_size(value: Any) -> Any:
    if not isinstance(value, dict | Part):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="mean and size: the variance is mean + mean^2 / size",
            suggestion="{mean: 20, size: 2}",
        )
    return value


def _two_numbers(value: Any) -> Any:
    if not isinstance(value, list):
        given = list(value.values()) if isinstance(value, dict) else []
        two = len(given) == 2 and all(isinstance(one, int) for one in given)
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a list of the smallest and the largest number",
            suggestion=f"[{min(given)}, {max(given)}]" if two else "[5, 40]",
        )
    return value


class RowList(Part):
    """Numbers of rows that differ by unit."""

    list_: Annotated[list[Count], Field(min_length=1)] = Field(
        alias="list", description="Rows of each unit; the list is repeated to fill the units."
    )


class DrawnRows(Part):
    """Numbers of rows that are drawn."""

    synonyms: ClassVar[dict[str, str]] = dict.fromkeys(
        ("fixed", "held", "constant", "random", "redraw", "resample", "resampled"), "redrawn"
    )

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

    synonyms: ClassVar[dict[str, str]] = {
        **DrawnRows.synonyms,
        **dict.fromkeys(("average", "avg", "mu"), "mean"),
        **dict.fromkeys(("sd", "variance", "var", "coefficient_of_variation"), "cv"),
    }

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

    poisson: Annotated[float, Field(gt=0, le=MAX_ROWS), BeforeValidator(_bare_number)] = Field(
        description="The rate."
    )

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        return sizes.Poisson(float(self.poisson))


class NegativeBinomialParameters(Part):
    """Mean and size of a negative binomial distribution."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("mu", "rate", "average"), "mean"),
        **dict.fromkeys(("dispersion", "theta", "k", "r", "shape", "overdispersion"), "size"),
    }

    mean: Annotated[float, Field(gt=0, le=MAX_ROWS)] = Field(description="The mean.")
    size: Annotated[float, Field(gt=0.01)] = Field(
        description="The variance is mean + mean^2 / size."
    )


class NegativeBinomialRows(DrawnRows):
    """Negative binomial numbers of rows, given that there is one."""

    negative_binomial: Annotated[NegativeBinomialParameters, BeforeValidator(_mean_and_size)] = (
        Field(description="Its parameters.")
    )

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        found = self.negative_binomial
        return sizes.NegativeBinomial(float(found.mean), float(found.size))


class UniformRows(DrawnRows):
    """Numbers of rows of a range, all equally likely."""

    uniform: Annotated[
        list[Count], Field(min_length=2, max_length=2), BeforeValidator(_two_numbers)
    ] = Field(description="The smallest and the largest number.")

    def made(self) -> sizes.Sizes:
        """Return their distribution."""
        return sizes.UniformRange(*self.uniform)

    @model_validator(mode="after")
    def _ordered(self) -> UniformRows:
        low, high = self.uniform
        if low > high:
            raise InputError(
                f"from {low} to {high}",
                path="uniform",
                allowed="the smaller number first",
                suggestion=f"[{high}, {low}]",
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
    """Refuse what tells no kind of numbers, with the kind that comes nearest."""
    if isinstance(value, list):
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed="a whole number for all units, or a list under the key list: it is repeated",
            suggestion=f"{{list: {shown(value)}}}",
        )
    if isinstance(value, dict):
        _check_keys(value)
    elif isinstance(value, str | float) or value is None:
        raise InputError(
            f"{shown(value)} is not allowed",
            allowed=f"a whole number, or {EXAMPLES}",
            suggestion=_as_mapping(value) if isinstance(value, str) else None,
        )
    return value


def _check_keys(value: dict[str, Any]) -> None:
    family = next((key for key in ("distribution", "family") if key in value), None)
    if family is not None:
        kind = _meant(str(value[family]))
        raise InputError(
            f"unknown key '{family}'",
            path=family,
            allowed=EXAMPLES,
            suggestion=_EXAMPLES[kind] if kind else None,
        )
    if {"mean", "sd"} <= value.keys() and "cv" not in value:
        raise InputError(
            "unknown key 'sd'",
            path="sd",
            allowed="mean, cv, redrawn: the cv is the sd over the mean",
            suggestion=_cv(value["sd"], value["mean"]),
        )
    if not _KINDS.keys() & value.keys():
        unknown = next((str(key) for key in value if key not in ClusteredRows.known_keys()), None)
        if unknown is None:
            problem = f"{shown(value)} says no number of rows"
            raise InputError(problem, allowed=f"a whole number, or {EXAMPLES}")
        raise InputError(
            f"unknown key '{unknown}'", path=unknown, allowed=EXAMPLES, suggestion=_meant(unknown)
        )


def _cv(sd: Any, mean: Any) -> str:
    with suppress(TypeError, ZeroDivisionError):
        return f"cv: {sd / mean:.3g}"
    return "cv"


def _meant(name: str) -> str | None:
    """Find the kind that a name stands for."""
    near = nearest(name.lower(), _NAMES)
    return _NAMES[near] if near else None


def _as_mapping(text: str) -> str | None:
    """Write what looks like a call as a mapping: ``poisson(20)`` is ``{poisson: 20}``."""
    call = _CALL.fullmatch(text)
    kind = _meant(call[1] if call else text)
    if kind is None or call is None:
        return _EXAMPLES[kind] if kind else None
    given = [one.strip() for one in call[2].split(",")]
    if not all(one.isdecimal() for one in given):
        return _EXAMPLES[kind]
    match kind, given:
        case ("poisson" | "total", [number]):
            return f"{{{kind}: {number}}}"
        case ("uniform", [low, high]):
            return f"{{uniform: [{low}, {high}]}}"
        case ("negative_binomial", [mean, size]):
            return f"{{negative_binomial: {{mean: {mean}, size: {size}}}}}"
    return _EXAMPLES[kind]


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
