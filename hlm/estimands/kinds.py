"""The kinds of estimands: each one quantity, with its name, its words, its value and gradient.

To add a kind is to add a class to `KINDS`; a study asks for it in `estimation.estimands`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.estimands import names
from hlm.estimands.parameters import position
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.estimands.parameters import Parameters
    from hlm.scenario import Terms

__all__ = [
    "FURTHER",
    "KINDS",
    "PARTS",
    "Coefficient",
    "Cor",
    "Estimand",
    "FTest",
    "Icc",
    "Part",
    "ResidualSd",
    "Scale",
    "Sd",
    "UnitCoefficient",
    "Variance",
    "check_further",
    "parameters_of",
    "tests_of",
    "unit_coefficients_of",
]

Floats = NDArray[np.float64]
Part = Literal["fixed", "random", "tests", "predictions"]
Scale = Literal["identity", "log", "square", "atanh", "correlation", "logit", "share"]
"""Scales of Wald limits, see `hlm.kernels.limits.confidence_limits`."""


@dataclass(frozen=True, kw_only=True)
class Estimand(ABC):
    """One quantity that a model estimates.

    Attributes
    ----------
    kind : str
        The key of its class in `KINDS`, and what the column `kind` of measures says.
    part : {'fixed', 'random', 'tests', 'predictions'}
        The part of the model that it is of.
    stage : int
        Where terms of several models are listed, those of a lower stage come first.
    scale, variance_scale : str
        The scale of its Wald limits, and of its limits by the method 'wald-variance'.
    tests_zero : bool
        Whether there is a test that it is 0: whether its limits may leave 0 out, and hold it.
    name : str
        As in files of results.
    words : str
        As in sentences, tables and figures.
    order : int
        Its place among those of its kind in a table: main effects before products.
    terms : Terms
        The names in the model's formula.
    """

    kind: ClassVar[str]
    part: ClassVar[Part]
    stage: ClassVar[int]
    scale: ClassVar[Scale] = "identity"
    variance_scale: ClassVar[Scale] = "identity"
    tests_zero: ClassVar[bool] = False

    name: str
    words: str
    order: int = 0
    terms: Terms = field(repr=False)

    @abstractmethod
    def value(self, at: Parameters) -> Floats:
        """Return the value, (...); NaN where it is not defined."""

    def derivatives(self, at: Parameters) -> dict[int, Floats]:
        """Return the derivatives that are not 0, (...) each, by their places in `gradient`."""
        raise NotImplementedError(f"the gradient of {self.name} at {at}")

    def gradient(self, at: Parameters) -> Floats:
        """Return the derivatives in beta, the free elements of Psi and sigma^2, (..., n).

        NaN where there are none: at the boundary.
        """
        n = len(self.terms.fixed) + len(self.terms.elements) + 1
        gradient = np.zeros((*np.shape(at.sigma), n))
        with np.errstate(divide="ignore", invalid="ignore"):
            for place, derivative in self.derivatives(at).items():
                gradient[..., place] = np.where(np.isfinite(derivative), derivative, np.nan)
        return gradient

    def from_limits(self, limits: Floats) -> Floats | None:  # noqa: ARG002 - some kinds use it
        """Return limits made of those of the random part, (..., n_theta + 1), or None.

        What increases with one of its parameters has its limits, by whatever inference.
        """
        return None


class FurtherEstimand(Estimand):
    """What a model estimates besides its parameters, where a study asks for it.

    Attributes
    ----------
    needs : str
        What a model must have for it, in words.
    """

    needs: ClassVar[str]

    @classmethod
    @abstractmethod
    def of_terms(cls, terms: Terms) -> Iterator[Self]:
        """Yield those of this kind that a model has."""


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

    kind, part, stage = "unit_coefficient", "predictions", 5

    def value(self, at: Parameters) -> Floats:  # noqa: D102
        return np.full(np.shape(at.sigma), np.nan)


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
    for one in (Coefficient, Sd, Cor, ResidualSd, Variance, Icc, FTest, UnitCoefficient)
}
"""All kinds, in the order of a table."""

FURTHER: dict[str, type[FurtherEstimand]] = {
    kind: one for kind, one in KINDS.items() if issubclass(one, FurtherEstimand)
}
"""Those that only a study has that asks for them."""

PARTS: dict[str, tuple[str, ...]] = {
    part: tuple(kind for kind, one in KINDS.items() if one.part == part)
    for part in ("fixed", "random", "tests", "predictions")
}
"""The parts of a model, each with the kinds of its terms in the order of a table."""


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
