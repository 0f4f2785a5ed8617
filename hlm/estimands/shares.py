r"""Shares of variance that rest on the columns: conditional ICC, reliability, R2.

With the moments of the columns (`Population`), W of rows within units and B of units' means,

    fixed_rows = b'W_x b,   fixed_units = b'B_x b,   slopes = tr(Psi W_z),   units = tr(Psi U_z),

and sigma^2 are the five sources of the variance of the response (Rights & Sterba 2019), as in
`implied`. The moments count as known: errors are those of b, Psi and sigma^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hlm.estimands import names
from hlm.estimands.dual import Dual, joined
from hlm.estimands.estimand import FurtherEstimand, Part
from hlm.estimands.parameters import position
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.estimands.parameters import Parameters
    from hlm.estimands.population import Population
    from hlm.scenario import Terms

__all__ = ["R2", "ConditionalIcc", "Reliability"]

Floats = NDArray[np.float64]
Share = Literal["rows", "units", "marginal", "conditional"]


def quadratic_of_beta(at: Parameters, M: Floats) -> Dual:
    """Return b'Mb, whose derivatives are 2 M b."""
    slopes = 2.0 * at.beta @ M
    value = (at.beta @ M * at.beta).sum(axis=-1)
    return Dual(value, {j: slopes[..., j] for j in range(len(M)) if M[j].any()})


def trace_of_psi(at: Parameters, terms: Terms, M: Floats) -> Dual:
    """Return tr(Psi M), with the derivatives M_aa and 2 M_ab; none of a variance that is 0.

    `M` is (q, q), or (k, q, q) with `at` of shape (..., 1): then all are (..., k).
    """
    value = (at.psi * M).sum(axis=(-2, -1))
    slopes = {}
    for a, b in terms.elements:
        if M[..., a, b].any():
            inside = (at.sd[..., a] > 0.0) & (at.sd[..., b] > 0.0)
            times = M[..., a, b] * (1.0 if a == b else 2.0)
            slopes[position(terms, a, b)] = np.where(inside, times, np.nan)
    return Dual(value, slopes)


def residual_variance(at: Parameters, share: float | Floats = 1.0) -> Dual:
    """Return a share of sigma^2."""
    return Dual(at.sigma**2 * share, {-1: np.ones_like(at.sigma) * share})


def total(*parts: Dual) -> Dual:
    """Return the sum of some parts."""
    return reduce(lambda left, right: joined("+", left, right), parts)


class Sources(NamedTuple):
    """The five sources of the variance of the response."""

    fixed_rows: Dual
    fixed_units: Dual
    slopes: Dual
    units: Dual
    residual: Dual

    @classmethod
    def of(cls, at: Parameters, terms: Terms) -> Sources:
        """Return those of parameters and of the population that they come with."""
        moments = _population(at)
        return cls(
            quadratic_of_beta(at, moments.fixed_rows),
            quadratic_of_beta(at, moments.fixed_units),
            trace_of_psi(at, terms, moments.random_rows),
            trace_of_psi(at, terms, moments.random_units),
            residual_variance(at),
        )


def _population(at: Parameters) -> Population:
    if at.population is None:
        raise ValueError("there are no moments of the columns")
    return at.population


class _Share(FurtherEstimand):
    """A share of variance, with limits on the logit scale; by 'wald-variance' on its own."""

    scale, variance_scale = "logit", "share"

    @property
    def of_columns(self) -> bool:
        return True

    def share(self, at: Parameters) -> Dual:
        """Return it with its derivatives."""
        raise NotImplementedError(self.name)

    def value(self, at: Parameters) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.share(at).value

    def derivatives(self, at: Parameters) -> dict[int, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return dict(self.share(at).slopes)


@dataclass(frozen=True, kw_only=True)
class ConditionalIcc(_Share):
    """The share of the random effects in the whole variance, that of the fixed part included.

    Random slopes count with their mean over rows, tr(Psi E[z z']) (Johnson 2014).

    References
    ----------
    Nakagawa, Johnson & Schielzeth (2017). The coefficient of determination R2 and intra-class
    correlation coefficient from generalized linear mixed-effects models revisited and expanded.
    Journal of the Royal Society Interface 14.
    """

    kind, part, stage = "conditional_icc", "random", 3
    needs = "a random effect"

    @classmethod
    def of_terms(cls, terms: Terms) -> Iterator[Self]:  # noqa: D102
        yield cls(name=f"conditional_icc_{terms.group}", words="conditional ICC", terms=terms)

    @property
    def parts(self) -> frozenset[Part]:  # noqa: D102
        return frozenset(("fixed", "random"))

    def share(self, at: Parameters) -> Dual:  # noqa: D102
        sources = Sources.of(at, self.terms)
        return joined("/", total(sources.slopes, sources.units), total(*sources))


@dataclass(frozen=True, kw_only=True)
class Reliability(_Share):
    """The reliability of a unit's mean, or of the random effect at `place`, the mean over units.

    Of an effect Psi_aa / (Psi_aa + sigma^2 [(Z_j'Z_j)^-1]_aa), that of its least-squares estimate
    in unit j; of the mean of the n rows of a unit z'Psi z / (z'Psi z + sigma^2 / n), z the means of
    Z's columns. Units whose Z_j'Z_j is singular do not count in that of an effect.

    References
    ----------
    Raudenbush & Bryk (2002). Hierarchical Linear Models, 2nd edition, equations 3.53 and 3.58.
    """

    kind, part, stage = "reliability", "random", 3
    needs = "a random effect"

    place: int | None

    @classmethod
    def of_terms(cls, terms: Terms) -> Iterator[Self]:  # noqa: D102
        name = f"reliability_{terms.group}"
        yield cls(name=name, words="reliability of means", terms=terms, place=None)
        for place, effect in enumerate(terms.effects):
            if effect != INTERCEPT:
                yield cls(
                    name=names.of_effects("reliability", [effect], terms.group),
                    words=f"reliability {effect}",
                    order=1 + place,
                    terms=terms,
                    place=place,
                )

    def share(self, at: Parameters) -> Dual:  # noqa: D102
        moments = _population(at)
        errors = 1.0 / moments.sizes if self.place is None else moments.errors[:, self.place]
        known = np.isfinite(errors)
        if not known.any():
            return Dual(np.full(np.shape(at.sigma), np.nan), {})
        z = moments.means[known]
        if self.place is not None:
            z = np.zeros_like(z)
            z[:, self.place] = 1.0
        each = at._replace(sd=at.sd[..., None, :], cor=at.cor[..., None, :, :])
        each = each._replace(sigma=at.sigma[..., None])
        signal = trace_of_psi(each, self.terms, z[:, :, None] * z[:, None, :])
        own = joined("/", signal, total(signal, residual_variance(each, errors[known])))
        shares = moments.shares[known] / moments.shares[known].sum()
        slopes = {place: (slope * shares).sum(axis=-1) for place, slope in own.slopes.items()}
        return Dual((own.value * shares).sum(axis=-1), slopes)


@dataclass(frozen=True, kw_only=True)
class R2(_Share):
    """The share of variance that the model explains: of rows, of units' means, of all.

    Rights and Sterba's R2_w(f1), R2_b(f2), R2_t(f) and R2_t(fvm): of the fixed part within units
    and between them, of the fixed part (Nakagawa and Schielzeth's marginal R2), and of all but the
    residuals (their conditional R2).

    References
    ----------
    Rights & Sterba (2019). Quantifying explained variance in multilevel models: An integrative
    framework for defining R-squared measures. Psychological Methods 24(3).
    """

    kind, part, stage = "r2", "random", 3
    needs = "a random effect"

    of: Share

    @classmethod
    def of_terms(cls, terms: Terms) -> Iterator[Self]:  # noqa: D102
        words: dict[Share, str] = {
            "rows": "R2 within units",
            "units": "R2 between units",
            "marginal": "marginal R2",
            "conditional": "conditional R2",
        }
        for order, (of, said) in enumerate(words.items()):
            yield cls(name=f"r2_{of}", words=said, order=order, terms=terms, of=of)

    @property
    def parts(self) -> frozenset[Part]:  # noqa: D102
        return frozenset(("fixed", "random"))

    def share(self, at: Parameters) -> Dual:  # noqa: D102
        rows, units, slopes, intercepts, residual = Sources.of(at, self.terms)
        whole = total(rows, units, slopes, intercepts, residual)
        part, of = {
            "rows": (rows, total(rows, slopes, residual)),
            "units": (units, total(units, intercepts)),
            "marginal": (total(rows, units), whole),
            "conditional": (total(rows, units, slopes, intercepts), whole),
        }[self.of]
        return joined("/", part, of)
