"""Which tables there are: those of the catalogue, and what a user asks of one of their own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from hlm.criteria import OF_INFORMATION
from hlm.words.measures import OF_PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hlm.criteria import Selection
    from hlm.scenario import Model

__all__ = [
    "FORMATS",
    "SHOWN",
    "TABLES",
    "Asked",
    "TableSpec",
    "asked_from",
    "asked_to_json",
    "lacking_tables",
]

TABLES = {
    "performance_fixed": "Performance, fixed effects",
    "performance_random": "Performance, random part",
    "performance_tests": "Rejection rates, tests",
    "performance_predictions": "Errors of predicted coefficients of units",
    "selection": "Selection rates",
    "margins": "Margins of the criteria",
    "policies": "Policies side by side",
    "robustness": "Power and size under violated assumptions",
    "factor_effects": "What the factors explain",
    "accounting": "What became of the fits",
}
"""Every table of the catalogue: its name, which is also its file's and its caption's, and its
title."""

_ALWAYS = ("bias", "empirical_se", "rmse", "relative_error_se", "coverage")
SHOWN = {
    "fixed": (*_ALWAYS, "rejection"),
    "random": (*_ALWAYS, "median_ci_width"),
    "tests": ("rejection",),
    "predictions": tuple(OF_PREDICTIONS),
}
"""The measures that the table of each part shows."""

FORMATS = ("md", "tex", "csv", "html")
"""How a page of a table is written."""

Mcse: TypeAlias = Literal["brackets", "below", "columns", "none"]
Counts: TypeAlias = Literal["auto", "always", "never"]


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """A table as a user asks for it; what is empty is all that there is.

    Attributes
    ----------
    name, title : str
        What its files are called, and what readers see.
    measures : tuple of str
        The columns of numbers.
    part : str
        The terms of one part: ``'fixed'``, ``'random'``, ``'tests'`` or ``'predictions'``.
    terms, models, methods, inferences, policies : tuple of str
        Which of them it has; of policies the first, where nothing is said.
    scenarios : tuple of (str, tuple)
        Factors of the grid, each with the levels that it has.
    across : tuple of str
        Factors or `DIMENSIONS` whose levels have columns of their own, the outermost first.
    split : tuple of str, optional
        Those whose levels have pages of their own; None splits a table that is long.
    mcse : {'brackets', 'below', 'columns', 'none'}
        Where the Monte Carlo standard errors are.
    digits : int, optional
        Decimals; None gives those that the errors allow.
    n : {'auto', 'always', 'never'}
        Whether numbers have the replicates that they rest on: where these are not all, always,
        or never.
    caption : str
        What stands below the title.
    """

    name: str
    title: str
    measures: tuple[str, ...]
    part: str = ""
    terms: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    inferences: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    scenarios: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    across: tuple[str, ...] = ()
    split: tuple[str, ...] | None = None
    mcse: Mcse = "brackets"
    digits: int | None = None
    n: Counts = "auto"
    caption: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TableSpec:
        """Read what `asdict` gave, through JSON.

        Examples
        --------
        >>> spec = TableSpec(name="t", title="T", measures=("bias",), scenarios=(("units", (5,)),))
        >>> import json
        >>> TableSpec.from_dict(json.loads(json.dumps(asdict(spec)))) == spec
        True
        """
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        values["scenarios"] = tuple((name, tuple(kept)) for name, kept in data["scenarios"])
        return cls(**values)


Asked: TypeAlias = "tuple[str | TableSpec, ...] | None"
"""The tables of a study, by name from the catalogue or in words of a user; None for the usual."""


def asked_to_json(asked: Asked) -> list[Any] | None:
    """Return tables that are asked for as builtin types.

    Examples
    --------
    >>> asked_to_json(("selection",)), asked_to_json(None)
    (['selection'], None)
    """
    if asked is None:
        return None
    return [one if isinstance(one, str) else asdict(one) for one in asked]


def asked_from(data: list[Any] | None) -> Asked:
    """Read what `asked_to_json` gave.

    Examples
    --------
    >>> asked_from(["selection"]), asked_from(None)
    (('selection',), None)
    """
    if data is None:
        return None
    return tuple(one if isinstance(one, str) else TableSpec.from_dict(one) for one in data)


class Described(Protocol):
    """What says which tables of the catalogue a study has."""

    @property
    def models(self) -> tuple[Model, ...]:
        """The candidates."""

    @property
    def levels(self) -> tuple[dict[str, Any], ...]:
        """For each scenario, the level of each factor."""

    @property
    def selection(self) -> Selection:
        """How one of the models is chosen."""

    @property
    def policies(self) -> tuple[str, ...]:
        """Which replicates count."""


def lacking_tables(study: Described, *, violated: bool) -> dict[str, str]:
    """Return the tables of the catalogue that a study has not, each with the reason.

    One model alone is not selected, one policy has none beside it, and one factor explains all.

    Parameters
    ----------
    study : Study, Plan or Known
    violated : bool
        Whether it has violated assumptions.
    """
    factors = study.levels[0] if study.levels else {}
    varied = sum(len({str(level[name]) for level in study.levels}) > 1 for name in factors)
    there = {
        "performance_tests": (any(model.has_tests for model in study.models), "no tests"),
        "performance_predictions": (
            any(model.predictions for model in study.models),
            "no predictions",
        ),
        "selection": (len(study.models) > 1, "one model"),
        "margins": (
            _has_margins(study.models, study.selection),
            "no criterion with values chooses among models fitted by one method",
        ),
        "policies": (len(study.policies) > 1, "one policy"),
        "robustness": (violated, "no violated assumptions"),
        "factor_effects": (varied > 1 or not study.levels, "fewer than two factors"),
    }
    return {name: why for name, (is_there, why) in there.items() if not is_there}


def _has_margins(models: Sequence[Model], selection: Selection) -> bool:
    """Tell whether a criterion with values chooses among several models fitted by one method."""
    methods = [method for model in models for method in model.methods]
    several = any(methods.count(method) > 1 for method in methods)
    return several and bool({*selection.criteria} & {*OF_INFORMATION})
