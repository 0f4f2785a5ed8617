"""Distributions of a parameter with location and scale of their own, written as calls.

Each is an increasing function of a standard normal, so that several may be correlated. Unlike the
shapes of random effects they are not standardized: ``normal(0.3, 0.1)`` has the mean 0.3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from math import inf, isfinite, log, log1p, sqrt
from typing import TYPE_CHECKING, Any, ClassVar

from hlm.distributions.calls import parts_of_call, text_of
from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["PRIORS", "Prior", "prior_from_dict", "read_prior", "written_prior"]

NODES = 100
"""Of the quadrature for the mean: exact to the digits that are shown."""


@dataclass(frozen=True)
class Prior(ABC):
    """A distribution of a parameter; a family is a frozen dataclass of numbers."""

    family: ClassVar[str]
    """Its name in files."""
    example: ClassVar[str]
    """How a study file writes it."""
    synonyms: ClassVar[tuple[str, ...]] = ()
    """Other names that a user may give it, small letters without spaces."""

    def __post_init__(self) -> None:
        problem = next((text for right, text in self._rules() if not right), None)
        if problem:
            raise InputError(
                f"there is no {written_prior(self)}: {problem}",
                allowed=signature(type(self)),
                suggestion=self.example,
            )

    @abstractmethod
    def _rules(self) -> Iterator[tuple[bool, str]]:
        """Yield what must hold, and what to say where it does not."""

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """The least value and the greatest."""

    @abstractmethod
    def of_normal(self, z: Floats) -> Floats:
        """Return the quantiles at Phi(z)."""

    @property
    def expected(self) -> float:
        """The mean, by Gauss and Hermite's quadrature."""
        import numpy as np

        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        return float(self.of_normal(nodes) @ weights / weights.sum())

    def quantile(self, probability: float) -> float:
        """Return one quantile.

        Examples
        --------
        >>> round(read_prior("normal(0.3, 0.1)").quantile(0.95), 4)
        0.4645
        """
        import numpy as np
        from scipy.special import ndtri

        return float(self.of_normal(np.array([ndtri(probability)]))[0])

    def to_dict(self) -> dict[str, Any]:
        """Return family and parameters as builtin types, for JSON."""
        return {"family": self.family, **asdict(self)}


@dataclass(frozen=True)
class _Normal(Prior):
    mean: float
    sd: float

    family = "normal"
    example = "normal(0.3, 0.1)"
    synonyms = ("gaussian", "gauss", "norm", "n", "dnorm", "rnorm")
    support = (-inf, inf)

    def _rules(self) -> Iterator[tuple[bool, str]]:
        yield self.sd > 0.0, "its sd is not above 0"

    def of_normal(self, z: Floats) -> Floats:
        """Return mean + sd z."""
        return self.mean + self.sd * z


@dataclass(frozen=True)
class _TruncatedNormal(Prior):
    """A normal one, given that it is from `low` to `high`; mean and sd are those before."""

    mean: float
    sd: float
    low: float
    high: float

    family = "truncated_normal"
    example = "truncated_normal(0.5, 0.1, 0, 1)"
    synonyms = ("truncnorm", "truncated", "halfnormal", "tnormal", "rtruncnorm")

    def _rules(self) -> Iterator[tuple[bool, str]]:
        yield self.sd > 0.0, "its sd is not above 0"
        yield self.low < self.high, "its least value is not below its greatest"
        near = self.sd > 0.0 and max(self.low - self.mean, self.mean - self.high) < 8.0 * self.sd
        yield near, "its mean is 8 sds or more from all values"

    @property
    def support(self) -> tuple[float, float]:
        """The least value and the greatest."""
        return self.low, self.high

    def of_normal(self, z: Floats) -> Floats:
        """Return mean + sd Phi^-1(Phi(a) + (Phi(b) - Phi(a)) Phi(z)), a and b the ends.

        Of what is above the mean, as its mirror image, whose tail has all its digits.
        """
        import numpy as np
        from scipy.special import ndtr, ndtri

        if self.low > self.mean:
            mirror = _TruncatedNormal(-self.mean, self.sd, -self.high, -self.low)
            return -mirror.of_normal(-z)
        a, b = (ndtr((end - self.mean) / self.sd) for end in self.support)
        found = self.mean + self.sd * ndtri(a + (b - a) * ndtr(z))
        return np.asarray(np.clip(found, self.low, self.high))


@dataclass(frozen=True)
class _Uniform(Prior):
    low: float
    high: float

    family = "uniform"
    example = "uniform(0.1, 0.5)"
    synonyms = ("unif", "rectangular", "flat", "range", "dunif", "runif")

    def _rules(self) -> Iterator[tuple[bool, str]]:
        yield self.low < self.high, "its least value is not below its greatest"

    @property
    def support(self) -> tuple[float, float]:
        """The least value and the greatest."""
        return self.low, self.high

    def of_normal(self, z: Floats) -> Floats:
        """Return low + (high - low) Phi(z)."""
        import numpy as np
        from scipy.special import ndtr

        return np.asarray(self.low + (self.high - self.low) * ndtr(z))


@dataclass(frozen=True)
class _LogNormal(Prior):
    """The exponential of a normal one, by mean and sd of the logarithm."""

    log_mean: float
    log_sd: float

    family = "lognormal"
    example = "lognormal(0, 0.2)"
    synonyms = ("lognorm", "lnorm", "logn", "dlnorm", "rlnorm")
    support = (0.0, inf)

    def _rules(self) -> Iterator[tuple[bool, str]]:
        yield self.log_sd > 0.0, "the sd of its logarithm is not above 0"
        yield (
            abs(self.log_mean) + 8.0 * self.log_sd < 700.0,
            "its values leave the range of numbers",
        )

    def of_normal(self, z: Floats) -> Floats:
        """Return exp(m + s z)."""
        import numpy as np

        return np.exp(self.log_mean + self.log_sd * z)


@dataclass(frozen=True)
class _TanhNormal(Prior):
    """The hyperbolic tangent of a normal one: Fisher's z of a correlation is normal."""

    atanh_mean: float
    atanh_sd: float

    family = "tanh_normal"
    example = "tanh_normal(0.5, 0.2)"
    synonyms = ("tanh", "fisherz", "atanh", "atanhnormal", "fisher")
    support = (-1.0, 1.0)

    def _rules(self) -> Iterator[tuple[bool, str]]:
        yield self.atanh_sd > 0.0, "the sd of its atanh is not above 0"

    def of_normal(self, z: Floats) -> Floats:
        """Return tanh(m + s z)."""
        import numpy as np

        return np.tanh(self.atanh_mean + self.atanh_sd * z)


@dataclass(frozen=True)
class _Beta(Prior):
    """A beta distribution, from 0 to 1."""

    a: float
    b: float

    family = "beta"
    example = "beta(2, 8)"
    synonyms = ("dbeta", "rbeta")
    support = (0.0, 1.0)

    def _rules(self) -> Iterator[tuple[bool, str]]:
        yield min(self.a, self.b) > 0.0, "its parameters are not above 0"

    def of_normal(self, z: Floats) -> Floats:
        """Return the quantiles at Phi(z)."""
        import numpy as np
        from scipy.special import betaincinv, ndtr

        return np.asarray(betaincinv(self.a, self.b, ndtr(z)))


PRIORS: dict[str, type[Prior]] = {
    one.family: one for one in (_Normal, _LogNormal, _Uniform, _TruncatedNormal, _Beta, _TanhNormal)
}
"""The families by name."""


def read_prior(text: Any) -> Prior:
    """Read the distribution of a parameter.

    Raises
    ------
    InputError
        There is no such family, or it cannot have these parameters.

    Examples
    --------
    >>> prior = read_prior("uniform(0.1, 0.5)")
    >>> round(prior.expected, 10), prior.support, written_prior(prior)
    (0.3, (0.1, 0.5), 'uniform(0.1, 0.5)')
    """
    call = parts_of_call(text)
    family = PRIORS.get(call[0]) if call else None
    if call is None or family is None:
        raise InputError(
            f"'{text}' is no distribution of a parameter",
            allowed=", ".join(map(signature, PRIORS.values())),
            suggestion=_meant(text),
        )
    try:
        values = [float(part) for part in call[1]]
    except ValueError:
        values = []
    if len(values) != len(fields(family)) or not all(map(isfinite, values)):
        raise InputError(
            f"'{text}' does not have {len(fields(family))} numbers",
            allowed=signature(family),
            suggestion=family.example,
        )
    return family(*values)


def prior_from_dict(data: Mapping[str, Any]) -> Prior:
    """Read what `Prior.to_dict` wrote."""
    return PRIORS[data["family"]](**{k: v for k, v in data.items() if k != "family"})


def written_prior(prior: Prior, *, digits: int | None = None) -> str:
    """Write a distribution as a call; two of one meaning are the same text, but for `digits`."""
    values = [getattr(prior, field.name) for field in fields(prior)]
    if digits is not None:
        values = [float(f"{value:.{digits}g}") for value in values]
    return f"{prior.family}({', '.join(map(text_of, values))})"


def positive_like(prior: Prior) -> str:
    """Write the lognormal distribution with mean and sd of a normal one.

    Examples
    --------
    >>> positive_like(read_prior("normal(0.5, 0.1)"))
    'lognormal(-0.7128, 0.198)'
    """
    mean, sd = prior.expected, getattr(prior, "sd", 0.0)
    if mean <= 0.0 or sd <= 0.0:
        return _LogNormal.example
    # exp(m + s^2 / 2) is the mean, and exp(s^2) - 1 the square of the coefficient of variation
    squared = log1p((sd / mean) ** 2)
    return f"lognormal({log(mean) - squared / 2.0:.4g}, {sqrt(squared):.4g})"


def signature(family: type[Prior]) -> str:
    """Say how a family is written, with an example."""
    names = (field.name.upper() for field in fields(family))
    return f"{family.family}({', '.join(names)}) such as {family.example}"


def _meant(found: Any) -> str | None:
    """Find a call by another name of its family, or by a name like it."""
    if not isinstance(found, str):
        return None
    names = {name: one.example for one in PRIORS.values() for name in (one.family, *one.synonyms)}
    near = nearest("".join(filter(str.isalpha, found.partition("(")[0].lower())), names)
    return names[near] if near else None
