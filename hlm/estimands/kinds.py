"""The kinds of estimands: each one quantity, with its name, its words, its value and gradient.

To add a kind is to add a class to `KINDS`; a study asks for it in `estimation.estimands`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.estimands import names
from hlm.estimands.estimand import Estimand, FurtherEstimand, Part, Scale
from hlm.estimands.explained import Explained
from hlm.estimands.functions import Contrast, Function, PositiveFunction
from hlm.estimands.parameters import position
from hlm.estimands.shares import R2, ConditionalIcc, Reliability
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.estimands.parameters import Parameters
    from hlm.scenario import RatioTest, Terms

__all__ = [
    "FURTHER",
    "KINDS",
    "OWN",
    "PARTS",
    "R2",
    "Coefficient",
    "ConditionalIcc",
    "Contrast",
    "Cor",
    "Covariance",
    "Estimand",
    "Explained",
    "FTest",
    "Function",
    "FurtherEstimand",
    "Icc",
    "Part",
    "PositiveFunction",
    "RatioTestOf",
    "Reliability",
    "ResidualSd",
    "Scale",
    "Sd",
    "UnitCoefficient",
    "Variance",
    "check_further",
    "is_asked_for",
    "parameters_of",
    "ratio_tests_of",
    "tests_of",
    "unit_coefficients_of",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Coefficient(Estimand):
    """A coefficient of the fixed part, the one at `place`."""

    kind, part, stage = "coefficient", "fixed", 0
    tests_zero = True

    place: int

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        return at.beta[..., self.place]

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        return {self.place: np.ones_like(at.sigma)}


@dataclass(frozen=True, kw_only=True)
class Sd(Estimand):
    """The standard deviation of the random effect at `place`: d sd = d Psi_aa / (2 sd)."""

    kind, part, stage = "sd", "random", 1
    scale, variance_scale = "log", "square"

    place: int

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        return at.sd[..., self.place]

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        return {position(self.terms, self.place, self.place): 0.5 / self.value(at)}


@dataclass(frozen=True, kw_only=True)
class Cor(Estimand):
    """The correlation rho of two random effects, Psi_ab / (sd_a sd_b).

    d rho = d Psi_ab / (sd_a sd_b) - rho (d Psi_aa / Psi_aa + d Psi_bb / Psi_bb) / 2.
    """

    kind, part, stage = "cor", "random", 1
    scale, variance_scale = "atanh", "correlation"
    tests_zero = True

    places: tuple[int, int]

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        a, b = self.places
        return np.clip(at.cor[..., a, b], -1.0, 1.0)

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        a, b = self.places
        rho, sd_a, sd_b = self.value(at), at.sd[..., a], at.sd[..., b]
        return {
            position(self.terms, a, b): 1.0 / (sd_a * sd_b),
            position(self.terms, a, a): -0.5 * rho / sd_a**2,
            position(self.terms, b, b): -0.5 * rho / sd_b**2,
        }


@dataclass(frozen=True, kw_only=True)
class ResidualSd(Estimand):
    """The residual standard deviation: d sigma = d sigma^2 / (2 sigma)."""

    kind, part, stage = "sigma", "random", 2
    scale, variance_scale = "log", "square"

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        return at.sigma

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        return {-1: 0.5 / at.sigma}


@dataclass(frozen=True, kw_only=True)
class FTest(Estimand):
    """The hypothesis of an F test, that the coefficients at `places` are 0: 0 where it is true.

    Where it is false there is no one value.
    """

    kind, part, stage = "test", "tests", 4
    tests_zero = True

    places: tuple[int, ...]

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        is_true = (at.beta[..., list(self.places)] == 0.0).all(axis=-1)
        return np.where(is_true, 0.0, np.nan)


@dataclass(frozen=True, kw_only=True)
class UnitCoefficient(Estimand):
    """The coefficient of one column of rows in each unit: there is no one value.

    See `hlm.estimands.unit_coefficients`.
    """

    kind, part, stage = "unit_coefficient", "predictions", 6

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        return np.full(np.shape(at.sigma), np.nan)


@dataclass(frozen=True, kw_only=True)
class RatioTestOf(Estimand):
    """The hypothesis of a likelihood ratio test: 0 where all that is 0 under it is, as an F test's.

    A correlation with an effect that does not vary counts as 0.
    """

    kind, part, stage = "ratio_test", "tests", 4
    tests_zero = True

    test: RatioTest

    @property
    def places(self) -> tuple[int, ...]:
        """The coefficients that are 0."""
        return _without(len(self.terms.fixed), self.test.fixed)

    @property
    def zero_effects(self) -> tuple[int, ...]:
        """The random effects that do not vary."""
        return _without(len(self.terms.effects), self.test.effects)

    @property
    def zero_pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs of other random effects whose correlation is 0."""
        together = {(a, b) for block in self.test.blocks for a in block for b in block}
        pairs = ((a, b) for a, b in self.terms.elements if a != b)
        return tuple(
            pair for pair in pairs if {*pair} <= {*self.test.effects} and pair not in together
        )

    @property
    def zeros(self) -> tuple[str, ...]:
        """The names of all that is 0."""
        effects, group = self.terms.effects, self.terms.group
        of_random = [("sd", [effects[k]]) for k in self.zero_effects]
        of_random += [("cor", [effects[a], effects[b]]) for a, b in self.zero_pairs]
        return (
            *(self.terms.fixed[place] for place in self.places),
            *(names.of_effects(what, some, group) for what, some in of_random),
        )

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        zeros = [at.beta[..., place] == 0.0 for place in self.places]
        zeros += [at.sd[..., place] == 0.0 for place in self.zero_effects]
        zeros += [at.psi[..., a, b] == 0.0 for a, b in self.zero_pairs]
        return np.where(np.all(zeros, axis=0), 0.0, np.nan)

    def is_unknown(self, at: Parameters) -> bool:
        """Tell whether what it tests of the random part has no true value."""
        values = [at.sd[..., place] for place in self.zero_effects]
        values += [at.psi[..., a, b] for a, b in self.zero_pairs]
        return bool(np.isnan(values).any())


def _without(n: int, places: Sequence[int]) -> tuple[int, ...]:
    return tuple(place for place in range(n) if place not in places)


@dataclass(frozen=True, kw_only=True)
class Variance(FurtherEstimand):
    """The variance of the random effect at `place`, or that of the residuals.

    Its limits are the squares of those of the standard deviation, by whatever method.
    """

    kind, part, stage = "variance", "random", 3
    needs = "a random effect"

    place: int | None

    @classmethod
    def of_terms(cls, terms: Terms) -> Iterator[Self]:  # noqa: D102
        for place, effect in enumerate(terms.effects):
            name = names.of_effects("var", [effect], terms.group)
            yield cls(name=name, words=f"variance {effect}", terms=terms, place=place)
        yield cls(name=names.SIGMA2, words="residual variance", terms=terms, place=None)

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        return (at.sigma if self.place is None else at.sd[..., self.place]) ** 2

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        if self.place is None:
            return {-1: np.ones_like(at.sigma)}
        inside = np.where(self.value(at) > 0.0, 1.0, np.nan)
        return {position(self.terms, self.place, self.place): inside}

    def from_limits(self, limits: Floats) -> Floats:  # noqa: D102
        elements = self.terms.elements
        place = -1 if self.place is None else elements.index((self.place, self.place))
        with np.errstate(over="ignore"):
            return limits[..., place] ** 2


@dataclass(frozen=True, kw_only=True)
class Covariance(FurtherEstimand):
    """The covariance Psi_ab of two random effects, with limits on its own scale."""

    kind, part, stage = "covariance", "random", 3
    tests_zero = True
    needs = "two random effects that may be correlated"

    places: tuple[int, int]

    @classmethod
    def of_terms(cls, terms: Terms) -> Iterator[Self]:  # noqa: D102
        for a, b in terms.elements:
            if a != b:
                effects = [terms.effects[a], terms.effects[b]]
                name = names.of_effects("cov", effects, terms.group)
                words = f"covariance {'.'.join(effects)}"
                yield cls(name=name, words=words, terms=terms, places=(a, b))

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        return at.psi[..., *self.places]

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        a, b = self.places
        inside = (at.sd[..., a] > 0.0) & (at.sd[..., b] > 0.0)
        return {position(self.terms, a, b): np.where(inside, 1.0, np.nan)}


@dataclass(frozen=True, kw_only=True)
class Icc(FurtherEstimand):
    """The intraclass correlation Psi_00 / (Psi_00 + sigma^2), Psi_00 of the random intercept.

    With random slopes it is that of rows where their covariates are 0. Its limits are on the logit
    scale, as those of Stata's `estat icc`; by 'wald-variance' they are on its own, as Donner has
    them.

    References
    ----------
    Donner (1986). A review of inference procedures for the intraclass correlation coefficient in
    the one-way random effects model. International Statistical Review 54(1).
    """

    kind, part, stage = "icc", "random", 3
    scale, variance_scale = "logit", "share"
    needs = "a random intercept"

    place: int

    @classmethod
    def of_terms(cls, terms: Terms) -> Iterator[Self]:  # noqa: D102
        if INTERCEPT in terms.effects:
            place = terms.effects.index(INTERCEPT)
            yield cls(name=f"icc_{terms.group}", words="ICC", terms=terms, place=place)

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        between = at.sd[..., self.place] ** 2
        return between / (between + at.sigma**2)

    def derivatives(self, at: Parameters) -> dict[int, Floats]:  # noqa: D102
        between, within = at.sd[..., self.place] ** 2, at.sigma**2
        total = np.where(between > 0.0, (between + within) ** 2, np.nan)
        return {
            position(self.terms, self.place, self.place): within / total,
            -1: -between / total,
        }


KINDS: dict[str, type[Estimand]] = {
    one.kind: one
    for one in (
        *(Coefficient, Contrast, Sd, Cor, ResidualSd),
        *(Variance, Covariance, Icc, ConditionalIcc, Reliability, R2),
        *(Function, PositiveFunction, Explained, FTest, RatioTestOf, UnitCoefficient),
    )
}
"""All kinds, in the order of a table."""

FURTHER: dict[str, type[FurtherEstimand]] = {
    kind: one for kind, one in KINDS.items() if issubclass(one, FurtherEstimand)
}
"""Those that a study asks for by their kind."""

OWN = tuple(one.kind for one in (Contrast, Function, PositiveFunction, Explained))
"""Those of what a study asks for under a name of its own."""

PARTS: dict[str, tuple[str, ...]] = {
    part: tuple(kind for kind, one in KINDS.items() if one.part == part)
    for part in ("fixed", "random", "tests", "predictions")
}
"""The parts of a model, each with the kinds of its terms in the order of a table."""


def is_asked_for(kind: str) -> bool:
    """Tell a kind of terms that a study has only if it asks for it.

    Examples
    --------
    >>> is_asked_for("icc"), is_asked_for("contrast"), is_asked_for("sd")
    (True, True, False)
    """
    return kind in FURTHER or kind in OWN


def check_further(kind: str) -> str:
    """Return the name of a kind of `FURTHER`; refuse another one."""
    if kind not in FURTHER:
        raise InputError(
            f"no kind of estimands is called '{kind}'",
            allowed=", ".join(FURTHER),
            suggestion=nearest(kind.lower(), FURTHER),
        )
    return kind


def parameters_of(terms: Terms) -> Iterator[Estimand]:
    """Yield the parameters of a model: coefficients, sds and correlations, sigma.

    Examples
    --------
    >>> from hlm.scenario import Terms
    >>> terms = Terms(("(Intercept)",), (("(Intercept)", "x"),), "unit")
    >>> [one.name for one in parameters_of(terms)][1:]
    ['sd_(Intercept)|unit', 'cor_x.(Intercept)|unit', 'sd_x|unit', 'sigma']
    """
    degrees = terms.degrees or (0,) * len(terms.fixed)
    for place, (name, degree) in enumerate(zip(terms.fixed, degrees, strict=True)):
        yield Coefficient(name=name, words=name, order=degree, terms=terms, place=place)
    for a, b in terms.elements:
        effects = [terms.effects[k] for k in ((a,) if a == b else (a, b))]
        what = "sd" if a == b else "cor"
        name, words = names.of_effects(what, effects, terms.group), f"{what} {'.'.join(effects)}"
        if a == b:
            yield Sd(name=name, words=words, terms=terms, place=a)
        else:
            yield Cor(name=name, words=words, terms=terms, places=(a, b))
    yield ResidualSd(name=names.SIGMA, words="residual sd", terms=terms)


def tests_of(terms: Terms, tests: Sequence[tuple[str, Sequence[str]]]) -> Iterator[Estimand]:
    """Yield F tests, each a name and the coefficients that are 0 under its hypothesis."""
    for test, coefficients in tests:
        places = tuple(terms.fixed.index(one) for one in coefficients)
        words = f"F test: {test}"
        yield FTest(name=names.of_test(test), words=words, terms=terms, places=places)


def unit_coefficients_of(terms: Terms) -> Iterator[Estimand]:
    """Yield the coefficients that differ between units, one for each random effect."""
    for effect in terms.effects:
        name = names.of_effects("coef", [effect], terms.group)
        yield UnitCoefficient(name=name, words=f"{effect} of units", terms=terms)


def ratio_tests_of(terms: Terms, tests: Sequence[RatioTest]) -> Iterator[Estimand]:
    """Yield likelihood ratio tests."""
    for test in tests:
        name, words = names.of_ratio_test(test.name), f"LR test: {test.name}"
        yield RatioTestOf(name=name, words=words, terms=terms, test=test)
