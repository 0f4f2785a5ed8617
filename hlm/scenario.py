"""The resolved study: plain data that every job reads, without file format or grid."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

from hlm.distributions import (
    STANDARD_NORMAL,
    Binary,
    Distribution,
    Normal,
    Points,
    RowValues,
    Uniform,
    from_dict,
)
from hlm.generator import Generator
from hlm.rows.missing import Missing
from hlm.rows.origins import Origin, origin_from_dict
from hlm.rows.residual import AutoRegressive, Variance, variance_from_dict
from hlm.rows.sizes import Sizes, sizes_from_dict
from hlm.uncertain import DrawnTruth, Uncertain

__all__ = [
    "BLOCK",
    "DATA_VERSION",
    "INTERCEPT",
    "CorrelatedSet",
    "Covariate",
    "Model",
    "RatioTest",
    "Scenario",
    "Terms",
]

BLOCK = 1000
"""Replicates that share random streams, where no generator draws them.

A range from within a block redraws what is before.
"""

DATA_VERSION = 3
"""Version of the rule by which seed, scenario and number of a replicate give its data.

1: the streams of covariates by their position in the order of names; 2: by their names; 3: normal
residuals, and normal covariates of rows, by their coordinates in a basis of design and truth.
"""

INTERCEPT = "(Intercept)"
"""The name of the column of ones, as R has it: among coefficients and among random effects."""

Level = Literal["unit", "row"]
Method = Literal["reml", "ml"]
Dependence = Literal["mixing", "copula"]


@dataclass(frozen=True)
class Covariate:
    """How one covariate of the design comes about.

    Attributes
    ----------
    name : str
    level : {'unit', 'row'}
        One value per unit, or one per row.
    distribution : Distribution
        Where it is fixed, its points are those of the units, or those of each unit's rows. Of a
        covariate that comes from another, a normal one of about its moments.
    icc : float
        The share of a row-level one's variance that the rows of a unit share.
    origin : Origin, optional
        Where it comes from, if it is neither drawn nor fixed.
    """

    name: str
    level: Level
    distribution: Distribution = STANDARD_NORMAL
    icc: float = 0.0
    origin: Origin | None = None

    @property
    def is_plain(self) -> bool:
        """Whether its values are fixed, or drawn independently of one another."""
        return self.origin is None and not self.icc

    def to_dict(self) -> dict[str, Any]:
        """Return the covariate as builtin types, for JSON."""
        found: dict[str, Any] = {
            "name": self.name,
            "level": self.level,
            "distribution": self.distribution.to_dict(),
        }
        if self.icc:
            found["icc"] = self.icc
        if self.origin is not None:
            found["origin"] = self.origin.to_dict()
        return found

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Covariate:
        """Read what `to_dict` wrote, also before distributions were objects."""
        found = data["distribution"]
        made = _first_families(**data) if isinstance(found, str) else from_dict(found)
        origin = data.get("origin")
        return cls(
            data["name"],
            data["level"],
            made,
            data.get("icc", 0.0),
            None if origin is None else origin_from_dict(origin),
        )


def _first_families(
    *, distribution: str, a: float, b: float, values: list[float], **_: Any
) -> Distribution:
    """Return a distribution as plans of data version 2 have had it at first."""
    match distribution:
        case "normal":
            return Normal(a, b)
        case "uniform":
            return Uniform(a, b)
        case "binary":
            return Binary(a)
    return Points(tuple(values))


@dataclass(frozen=True)
class CorrelatedSet:
    """Covariates of one level that are correlated, by a Gaussian copula.

    Attributes
    ----------
    names : tuple of str (k,)
    cor : tuple of tuple of float (k, k)
        Pearson correlations.
    """

    names: tuple[str, ...]
    cor: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Scenario:
    """One point of the grid: everything that defines its data.

    Attributes
    ----------
    key : str
        16 hexadecimal digits, a hash of the values that define the data.
    n_units : int
    n_rows : int, tuple of int (n_units,) or Sizes
        Rows of every unit, or of each; or how they are drawn for each data set.
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
    effects : Distribution or tuple of Distribution (q,)
        What all random effects are made of, or each of them where these differ. Only the shape
        counts, as of the residuals.
    residuals : Distribution
    dependence : {'mixing', 'copula'}
        How correlated effects are made: mixed linearly of independent numbers, or each by itself of
        one of several correlated normals.
    common_random_numbers : bool
        Whether its streams are those of all scenarios of the study, not its own.
    correlated : tuple of CorrelatedSet
    variance : Variance, optional
        How the residual variance differs between rows.
    autocorrelation : AutoRegressive, optional
    missing : Missing, optional
        Which rows are left out after a data set has been drawn.
    generator : Generator, optional
        The user's function that draws units' rows and covariates, or the response too. What is said
        of `n_rows` and of those covariates is then of data sets that it has drawn once.
    twin_of : str
        The key of the scenario whose random numbers it has, where not its own.
    uncertain : Uncertain, optional
        Which of its parameters are drawn for each data set; the values above are then those that
        they are drawn about.
    """

    key: str
    n_units: int
    n_rows: int | tuple[int, ...] | Sizes
    covariates: tuple[Covariate, ...]
    formula: str
    fixed: tuple[tuple[str, float], ...]
    sd: tuple[float, ...]
    cor: tuple[tuple[float, ...], ...]
    sigma: float
    effects: Distribution | tuple[Distribution, ...] = STANDARD_NORMAL
    residuals: Distribution = STANDARD_NORMAL
    dependence: Dependence = "mixing"
    common_random_numbers: bool = False
    correlated: tuple[CorrelatedSet, ...] = ()
    variance: Variance | None = None
    autocorrelation: AutoRegressive | None = None
    missing: Missing | None = None
    generator: Generator | None = None
    twin_of: str = ""
    uncertain: Uncertain | None = None

    @property
    def has_plain_design(self) -> bool:
        """Whether numbers of rows are given, and covariates given or drawn independently."""
        return (
            not isinstance(self.n_rows, Sizes)
            and not self.correlated
            and self.generator is None
            and all(covariate.is_plain for covariate in self.covariates)
        )

    @property
    def is_plain(self) -> bool:
        """Whether the rows are those of every data set, and their numbers independent."""
        parts = (self.variance, self.autocorrelation, self.missing)
        return self.has_plain_design and all(part is None for part in parts)

    @property
    def has_fixed_rows(self) -> bool:
        """Whether all data sets have the same rows and the same row-level covariates."""
        of_rows = (c for c in self.covariates if c.level == "row")
        return (
            isinstance(self.n_rows, int | tuple)
            and self.missing is None
            and self.generator is None
            and all(c.is_plain and c.distribution.is_fixed for c in of_rows)
        )

    @property
    def has_equal_rows(self) -> bool:
        """Whether all units have as many rows, with the same values where these are fixed."""
        of_each = any(isinstance(c.distribution, RowValues) for c in self.covariates)
        return self.is_balanced and not of_each

    @property
    def block(self) -> int:
        """How many replicates share random streams: those that a generator draws at a time."""
        return BLOCK if self.generator is None else self.generator.group

    @property
    def streams(self) -> str:
        """16 hexadecimal digits that name its random streams.

        They are its key, or that of the scenario whose twin it is; zeros for common ones.
        """
        return "0" * 16 if self.common_random_numbers else self.twin_of or self.key

    @property
    def shapes(self) -> tuple[Distribution, ...]:
        """What each random effect is made of, (q,)."""
        if isinstance(self.effects, tuple):
            return self.effects
        return (self.effects,) * len(self.sd)

    @property
    def there(self) -> tuple[bool, ...]:
        """Whether each coefficient, and each sd, is other than 0 in some data set, (p + q,)."""
        p = len(self.fixed)
        found = [bool(value) for value in (*(value for _, value in self.fixed), *self.sd)]
        for one in self.uncertain.parameters if self.uncertain else ():
            if one.part in ("fixed", "sd"):
                found[one.place[0] + p * (one.part == "sd")] = True
        return tuple(found)

    @property
    def uncertain_coefficients(self) -> tuple[int, ...]:
        """The places of the coefficients that are drawn for each data set, in ascending order."""
        drawn = self.uncertain.parameters if self.uncertain else ()
        return tuple(sorted(one.place[0] for one in drawn if one.part == "fixed"))

    def truths(self, rng: np.random.Generator, n: int) -> DrawnTruth:
        """Draw the parameters of n data sets, of which some are uncertain."""
        assert self.uncertain is not None
        return self.uncertain.truths(
            self.uncertain.draw(rng, n),
            fixed=[value for _, value in self.fixed],
            sd=self.sd,
            cor=self.cor,
            sigma=self.sigma,
        )

    def with_truth(self, drawn: DrawnTruth) -> Scenario:
        """Return the scenario with the parameters of the first data set, in all of them."""
        cor = self.cor if drawn.root is None else drawn.cor[0]
        return replace(
            self,
            uncertain=None,
            fixed=tuple(
                (name, float(value))
                for (name, _), value in zip(self.fixed, drawn.fixed[0], strict=True)
            ),
            sd=tuple(map(float, drawn.sd[0])),
            cor=tuple(tuple(map(float, row)) for row in cor),
            sigma=float(drawn.sigma[0]),
        )

    @property
    def typical_rows(self) -> int | tuple[int, ...]:
        """Rows of every unit, or of each; where they are drawn, evenly spread ones."""
        return self.n_rows.held(self.n_units) if isinstance(self.n_rows, Sizes) else self.n_rows

    @property
    def n_obs(self) -> int:
        """The number of rows of a data set before any are missing; their mean if they are drawn."""
        if isinstance(self.n_rows, tuple):
            return sum(self.n_rows)
        return round(self.n_units * self.mean_rows)

    @property
    def is_balanced(self) -> bool:
        """Whether all units have as many rows, before any are missing."""
        return isinstance(self.n_rows, int)

    @property
    def mean_rows(self) -> float:
        """The number of rows of a unit, their mean if units differ, before any are missing."""
        if isinstance(self.n_rows, tuple):
            return sum(self.n_rows) / self.n_units
        return self.n_rows.mean if isinstance(self.n_rows, Sizes) else self.n_rows

    def to_dict(self) -> dict[str, Any]:
        """Return the scenario as builtin types, for JSON."""
        found = {
            **vars(self),
            "covariates": [covariate.to_dict() for covariate in self.covariates],
            "effects": (
                [shape.to_dict() for shape in self.effects]
                if isinstance(self.effects, tuple)
                else self.effects.to_dict()
            ),
            "residuals": self.residuals.to_dict(),
            "correlated": [asdict(one) for one in self.correlated],
        }
        for name in ("n_rows", "variance", "missing", "generator"):
            if hasattr(found[name], "to_dict"):
                found[name] = found[name].to_dict()
        if self.autocorrelation is not None:
            found["autocorrelation"] = asdict(self.autocorrelation)
        if not self.twin_of:
            del found["twin_of"]
        if self.uncertain is None:
            del found["uncertain"]
        else:
            found["uncertain"] = self.uncertain.to_dict()
        return found

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Scenario:
        """Read what `to_dict` wrote, also before truths had distributions."""
        shapes: dict[str, Any] = {
            name: _shapes(data[name]) for name in ("effects", "residuals") if name in data
        }
        readers = {
            "variance": variance_from_dict,
            "autocorrelation": lambda one: AutoRegressive(**one),
            "missing": Missing.from_dict,
            "generator": Generator.from_dict,
            "uncertain": Uncertain.from_dict,
        }
        parts = {name: read(data[name]) for name, read in readers.items() if data.get(name)}
        return cls(
            **{
                **data,
                **shapes,
                **parts,
                "n_rows": _rows(data["n_rows"]),
                "covariates": tuple(Covariate.from_dict(c) for c in data["covariates"]),
                "fixed": tuple((name, value) for name, value in data["fixed"]),
                "sd": tuple(data["sd"]),
                "cor": _matrix(data["cor"]),
                "correlated": tuple(
                    CorrelatedSet(tuple(one["names"]), _matrix(one["cor"]))
                    for one in data.get("correlated", ())
                ),
            }
        )


def _rows(data: Any) -> int | tuple[int, ...] | Sizes:
    if isinstance(data, dict):
        return sizes_from_dict(data)
    return tuple(data) if isinstance(data, list) else data


def _matrix(data: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in data)


def _shapes(data: Any) -> Distribution | tuple[Distribution, ...]:
    return tuple(map(from_dict, data)) if isinstance(data, list) else from_dict(data)


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
    def n_parameters(self) -> int:
        """The number of parameters: coefficients, free elements of Psi, and sigma."""
        return len(self.fixed) + len(self.elements) + 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of random effects of each block."""
        return tuple(len(block) for block in self.blocks)

    def smaller(self, test: RatioTest) -> Terms:
        """Return the terms that stay under the hypothesis of a likelihood ratio test.

        Examples
        --------
        >>> terms = Terms(("(Intercept)", "x"), (("(Intercept)", "x"),), "g")
        >>> terms.smaller(RatioTest("x", (0,), ((0,),)))
        Terms(fixed=('(Intercept)',), blocks=(('(Intercept)',),), group='g')
        """
        return Terms(
            tuple(self.fixed[place] for place in test.fixed),
            tuple(tuple(self.effects[place] for place in block) for block in test.blocks),
            self.group,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Terms:
        """Read what `dataclasses.asdict` wrote."""
        blocks = tuple(tuple(block) for block in data["blocks"])
        return cls(tuple(data["fixed"]), blocks, data["group"], tuple(data.get("degrees", ())))


Program = tuple[tuple[str, str | float], ...]


@dataclass(frozen=True)
class Expression:
    """A function of a model's terms that a user writes, read: no parser is needed any more.

    Attributes
    ----------
    name : str
    program : tuple of (str, str or float)
        What is done, operands first: ``("term", NAME)``, ``("number", VALUE)``, or ``("apply", F)``
        of an operator or a function to what is before it.
    scale : {'identity', 'log', 'logit', 'atanh'}
        That of its limits, if it is not linear in the coefficients.
    """

    name: str
    program: Program
    scale: Literal["identity", "log", "logit", "atanh"] = "identity"

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Expression:
        """Read what `dataclasses.asdict` wrote."""
        return cls(data["name"], tuple((op, of) for op, of in data["program"]), data["scale"])


@dataclass(frozen=True)
class Comparison:
    """The share of a variance that a model explains against a smaller one.

    Attributes
    ----------
    name : str
    less : Model
        The smaller model.
    sd : str
        The term whose square is the variance, in both.
    """

    name: str
    less: Model
    sd: str

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Comparison:
        """Read what `dataclasses.asdict` wrote."""
        return cls(data["name"], Model.from_dict(data["less"]), data["sd"])


@dataclass(frozen=True)
class RatioTest:
    """A likelihood ratio test of a model against a smaller one: some of its terms.

    Attributes
    ----------
    name : str
    fixed : tuple of int
        The places of the coefficients that stay; the others are 0 under the hypothesis.
    blocks : tuple of tuple of int
        The places of the random effects that stay, those that are correlated in one block. There
        may be none: then the smaller model has no random part.
    """

    name: str
    fixed: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]

    @property
    def effects(self) -> tuple[int, ...]:
        """The places of the random effects that stay."""
        return tuple(place for block in self.blocks for place in block)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RatioTest:
        """Read what `dataclasses.asdict` wrote."""
        return cls(data["name"], tuple(data["fixed"]), tuple(map(tuple, data["blocks"])))


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
    expressions : tuple of Expression
        Functions of its terms that a user writes.
    comparisons : tuple of Comparison
        With smaller models of the study; they are made of the fits of both.
    bootstrap : int
        How many data sets the bootstrap draws from each fit; 0 where no inference rests on one.
    true : tuple of (str, float)
        True values of terms that the user gives, for those that have none of their own.
    lrt : tuple of RatioTest
        Likelihood ratio tests.
    terms : Terms, optional
        What the formula says, where it has been read: models of a study have it. It does not count
        in comparisons. `hlm.formula.terms_of` gives it for any model.
    predictions : bool
        Whether the coefficients of each unit are predicted, and held against the true ones.
    """

    name: str
    formula: str
    methods: tuple[Method, ...] = ("reml", "ml")
    df: tuple[str, ...] = ("satterthwaite",)
    level: float = 0.95
    limits: tuple[str, ...] = ("wald",)
    tests: tuple[tuple[str, tuple[str, ...]], ...] = ()
    estimands: tuple[str, ...] = ()
    expressions: tuple[Expression, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    bootstrap: int = field(default=0, kw_only=True)
    true: tuple[tuple[str, float], ...] = ()
    lrt: tuple[RatioTest, ...] = ()
    terms: Terms | None = field(default=None, compare=False, repr=False)
    predictions: bool = False

    @property
    def has_tests(self) -> bool:
        """Whether there are F tests or likelihood ratio tests."""
        return bool(self.tests or self.lrt)

    def to_dict(self) -> dict[str, Any]:
        """Return the model as builtin types, for JSON."""
        return asdict(self)

    def wanted(self) -> dict[str, Any]:
        """Return what its measures depend on, for digests."""
        compared = [(one.name, one.less.definition(), one.sd) for one in self.comparisons]
        own = {"comparisons": compared} if compared else {}
        return self.definition() | {"true": self.true} | own

    def definition(self) -> dict[str, Any]:
        """Return what its fits depend on, for digests.

        That is all but true values and comparisons, which only measures need, and what follows from
        the rest. It is written as when a model had one inference for each part, and no estimands
        beside its parameters, bootstrap, likelihood ratio tests or predictions, so that results
        made then are still those of their plan.
        """
        later = ("true", "comparisons", "terms")
        found = {k: value for k, value in self.to_dict().items() if k not in later}
        for part in ("df", "limits"):
            if len(found[part]) == 1:
                (found[part],) = found[part]
        for part in ("estimands", "expressions", "bootstrap", "lrt", "predictions"):
            if not found[part]:
                del found[part]
        return found

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
                "expressions": tuple(map(Expression.from_dict, data.get("expressions", ()))),
                "comparisons": tuple(map(Comparison.from_dict, data.get("comparisons", ()))),
                "true": tuple((name, value) for name, value in data.get("true", ())),
                "lrt": tuple(map(RatioTest.from_dict, data.get("lrt", ()))),
                "terms": Terms.from_dict(data["terms"]) if data.get("terms") else None,
            }
        )


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
