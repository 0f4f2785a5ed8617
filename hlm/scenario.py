"""The resolved study: plain data that every job reads, without file format or grid."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BLOCK",
    "DATA_VERSION",
    "Covariate",
    "Model",
    "Scenario",
    "Terms",
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
class Terms:
    """The names in a model's formula, which need no parser.

    Attributes
    ----------
    fixed : tuple of str
        The coefficients.
    blocks : tuple of tuple of str
        The random effects of each block.
    group : str
        The grouping factor.
    degrees : tuple of int
        Of how many variables each coefficient's column is the product, where that is known.
    """

    fixed: tuple[str, ...]
    blocks: tuple[tuple[str, ...], ...]
    group: str
    degrees: tuple[int, ...] = field(default=(), repr=False)

    @property
    def effects(self) -> tuple[str, ...]:
        """The random effects of all blocks."""
        return tuple(name for block in self.blocks for name in block)

    @cached_property
    def elements(self) -> tuple[tuple[int, int], ...]:
        """The free elements of Psi, (row, column): column by column in each block, as lme4's theta.

        Examples
        --------
        >>> Terms((), (("(Intercept)", "x"), ("z",)), "g").elements
        ((0, 0), (1, 0), (1, 1), (2, 2))
        """
        pairs, start = [], 0
        for block in self.blocks:
            stop = start + len(block)
            pairs += [(a, b) for b in range(start, stop) for a in range(b, stop)]
            start = stop
        return tuple(pairs)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of random effects of each block."""
        return tuple(len(block) for block in self.blocks)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Terms:
        """Read what `dataclasses.asdict` wrote."""
        blocks = tuple(tuple(block) for block in data["blocks"])
        return cls(tuple(data["fixed"]), blocks, data["group"], tuple(data.get("degrees", ())))


@dataclass(frozen=True)
class Model:
    """A candidate model and how it is estimated.

    Attributes
    ----------
    name, formula : str
    methods : tuple of {'reml', 'ml'}
    df : tuple of str
        Inferences of the coefficients and F tests, such as ``'satterthwaite'``; see
        `hlm.inference`.
    level : float
        Confidence level of the limits.
    limits : tuple of str
        Inferences of the random part, such as ``'wald'``.
    tests : tuple of (str, tuple of str)
        F tests by name, each with the coefficients that are zero under its hypothesis.
    estimands : tuple of str
        The kinds of estimands beside the parameters, such as ``'icc'``.
    true : tuple of (str, float)
        True values of terms that the user gives, for those that have none of their own.
    terms : Terms, optional
        What the formula says, where it has been read: models of a study have it. It does not count
        in comparisons. `hlm.formula.terms_of` gives it for any model.
    """

    name: str
    formula: str
    methods: tuple[Method, ...] = ("reml", "ml")
    df: tuple[str, ...] = ("satterthwaite",)
    level: float = 0.95
    limits: tuple[str, ...] = ("wald",)
    tests: tuple[tuple[str, tuple[str, ...]], ...] = ()
    estimands: tuple[str, ...] = ()
    true: tuple[tuple[str, float], ...] = ()
    terms: Terms | None = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the model as builtin types, for JSON."""
        return asdict(self)

    def definition(self) -> dict[str, Any]:
        """Return what its fits depend on.

        That is all but the true values, which only measures need, and what follows from the rest.
        """
        return {k: value for k, value in self.to_dict().items() if k not in ("true", "terms")}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Model:
        """Read what `to_dict` wrote, or wrote when a model had one inference for each part."""
        return cls(
            **{
                **data,
                "df": _names(data["df"]),
                "limits": _names(data["limits"]),
                "methods": tuple(data["methods"]),
                "tests": tuple((name, tuple(test)) for name, test in data.get("tests", ())),
                "estimands": tuple(data.get("estimands", ())),
                "true": tuple((name, value) for name, value in data.get("true", ())),
                "terms": Terms.from_dict(data["terms"]) if data.get("terms") else None,
            }
        )


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
