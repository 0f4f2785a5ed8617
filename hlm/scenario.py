"""The resolved study: plain data that every job reads, without file format or grid."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = [
    "BLOCK",
    "DATA_VERSION",
    "EXPECTED_INFORMATION",
    "Covariate",
    "DfMethod",
    "LimitMethod",
    "Model",
    "Scenario",
]

BLOCK = 1000
"""Replicates that share random streams; a range from within a block redraws what is before."""

DATA_VERSION = 2
"""Version of the rule by which seed, scenario and number of a replicate give its data.

1: the streams of covariates by their position in the order of names; 2: by their names.
"""

Level = Literal["unit", "row"]
Distribution = Literal["normal", "uniform", "binary", "grid"]
Method = Literal["reml", "ml"]
DfMethod = Literal[
    "satterthwaite",
    "satterthwaite-expected",
    "kenward-roger",
    "between-within",
    "residual",
    "infinite",
]
EXPECTED_INFORMATION = ("satterthwaite-expected", "kenward-roger")
"""The methods of degrees of freedom that rest on the expected information."""

LimitMethod = Literal["wald", "wald-variance", "profile"]


@dataclass(frozen=True)
class Covariate:
    """How one covariate of the design comes about.

    Attributes
    ----------
    name : str
    level : {'unit', 'row'}
        One value per unit, or one per row.
    distribution : {'normal', 'uniform', 'binary', 'grid'}
        `a`, `b` are mean and sd (normal), lower and upper end (uniform), the probability of 1
        and 0 (binary). A grid has fixed `values`, one per unit or one per row of each unit.
    a, b : float
    values : tuple of float
        Empty unless the distribution is a grid.
    """

    name: str
    level: Level
    distribution: Distribution
    a: float = 0.0
    b: float = 1.0
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One point of the grid: everything that defines its data.

    Attributes
    ----------
    key : str
        16 hexadecimal digits, a hash of the values that define the data.
    n_units, n_rows : int
        Units, and rows per unit.
    covariates : tuple of Covariate
    formula : str
        The truth, as an lme4 formula.
    fixed : tuple of (str, float)
        Each coefficient of the formula with its true value.
    sd : tuple of float
        True sds of the random effects, in the order of the formula's random terms.
    cor : tuple of tuple of float, (q, q)
        Their true correlations.
    sigma : float
        Residual sd.
    """

    key: str
    n_units: int
    n_rows: int
    covariates: tuple[Covariate, ...]
    formula: str
    fixed: tuple[tuple[str, float], ...]
    sd: tuple[float, ...]
    cor: tuple[tuple[float, ...], ...]
    sigma: float

    def to_dict(self) -> dict[str, Any]:
        """Return the scenario as builtin types, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Scenario:
        """Read what `to_dict` wrote."""
        return cls(
            **{
                **data,
                "covariates": tuple(
                    Covariate(**{**c, "values": tuple(c["values"])}) for c in data["covariates"]
                ),
                "fixed": tuple((name, value) for name, value in data["fixed"]),
                "sd": tuple(data["sd"]),
                "cor": tuple(tuple(row) for row in data["cor"]),
            }
        )


@dataclass(frozen=True)
class Model:
    """A candidate model and how it is estimated.

    Attributes
    ----------
    name, formula : str
    methods : tuple of {'reml', 'ml'}
    df : str
        How the degrees of freedom of the fixed effects are found, such as ``'satterthwaite'``.
    level : float
        Confidence level of the limits.
    limits : str
        How the limits of the random part are found, such as ``'wald'``.
    tests : tuple of (str, tuple of str)
        F tests by name, each with the coefficients that are zero under its hypothesis.
    estimands : tuple of str
        The kinds of estimands beside the parameters, such as ``'icc'``.
    true : tuple of (str, float)
        True values of terms that the user gives, for those that have none of their own.
    """

    name: str
    formula: str
    methods: tuple[Method, ...] = ("reml", "ml")
    df: DfMethod = "satterthwaite"
    level: float = 0.95
    limits: LimitMethod = "wald"
    tests: tuple[tuple[str, tuple[str, ...]], ...] = ()
    estimands: tuple[str, ...] = ()
    true: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the model as builtin types, for JSON."""
        return asdict(self)

    def definition(self) -> dict[str, Any]:
        """Return what its fits depend on: all but the true values, which only measures need."""
        return {name: value for name, value in self.to_dict().items() if name != "true"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Model:
        """Read what `to_dict` wrote."""
        return cls(
            **{
                **data,
                "methods": tuple(data["methods"]),
                "tests": tuple((name, tuple(test)) for name, test in data.get("tests", ())),
                "estimands": tuple(data.get("estimands", ())),
                "true": tuple((name, value) for name, value in data.get("true", ())),
            }
        )
