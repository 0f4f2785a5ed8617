r"""Means and covariances of the columns of terms, within units and between them.

A column is a function of the covariates, c = r u of a product r of factors of the rows and a
product u of factors of the units. Rows of a unit are independent given the unit, but for grids,
over which they run. So

    E[c_j c_k | unit] = E[r_j r_k] u_j u_k,    E[c_j | unit] = E[r_j] u_j,

and over units the covariance within them is (E[r_j r_k] - E[r_j] E[r_k]) E[u_j u_k], and that of
their means E[r_j] E[r_k] E[u_j u_k] - E[c_j] E[c_k]. Means of products are products of means of
what is independent: each drawn covariate, the grids of the rows together, those of the units
together. Where a factor mixes these, as ``I(x * a)``, moments are those of a large example.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.covariates import sample
from hlm.distributions import RowValues, UnitValues
from hlm.formula import Factor, Term, evaluate, product_of
from hlm.formula.syntax import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hlm.scenario import CorrelatedSet, Covariate

__all__ = ["Moments", "column_moments"]

Floats = NDArray[np.float64]
Rows = int | tuple[int, ...]

SAMPLE = 4000
"""Units of a sample, where covariates depend on one another."""

EXAMPLE = 500
"""Units of the example, and rows of each."""


@dataclass(frozen=True)
class Moments:
    """Moments of k columns over units and rows.

    Attributes
    ----------
    mean : ndarray (k,)
    within : ndarray (k, k)
        Covariances of the rows of a unit, their mean over units.
    between : ndarray (k, k)
        Covariances of the means of units.
    about : bool
        Whether they are those of an example.
    """

    mean: Floats
    within: Floats
    between: Floats
    about: bool


@lru_cache(maxsize=1024)
def column_moments(
    terms: tuple[Term, ...],
    covariates: tuple[Covariate, ...],
    n_rows: Rows,
    correlated: tuple[CorrelatedSet, ...] = (),
) -> Moments:
    """Return the moments of the columns of terms.

    Parameters
    ----------
    terms : tuple of Term (k,)
    covariates : tuple of Covariate
    n_rows : int or tuple of int (n_units,)
        Rows of all units, or of each; of unequal units each row counts the same.
    correlated : tuple of CorrelatedSet

    Examples
    --------
    >>> from hlm.distributions import Binary, Normal
    >>> from hlm.formula import parse
    >>> from hlm.scenario import Covariate
    >>> terms = parse("y ~ x + x:a + (1 | g)").fixed
    >>> covariates = Covariate("x", "row", Normal(1.0, 2.0)), Covariate("a", "unit", Binary(0.5))
    >>> moments = column_moments(terms, covariates, 10)
    >>> float(moments.within[2, 2]), float(moments.between[2, 2])
    (2.0, 0.25)
    """
    used = {name for term in terms for name in term.variables}
    together = {name for one in correlated for name in one.names}
    of_data = any(isinstance(c.distribution, RowValues | UnitValues) for c in covariates)
    if of_data or any(
        c.name in used and (not c.is_plain or c.name in together) for c in covariates
    ):
        return _of_sample(terms, covariates, n_rows, correlated)
    groups = _groups(covariates, n_rows)
    rows = {c.name for c in covariates if c.level == "row"}
    if not all(_is_of_one(factor, groups) for term in terms for factor in term.factors):
        return _of_example(terms, covariates, n_rows)
    parts = [_split(term, rows) for term in terms]
    row_means, unit_means = (
        np.array([_mean(factors, groups) for factors in of_level])
        for of_level in zip(*parts, strict=True)
    )
    of_units = _products([unit for _, unit in parts], groups)
    of_rows = _products([row for row, _ in parts], groups)
    mean = row_means * unit_means
    within = (of_rows - np.outer(row_means, row_means)) * of_units
    between = np.outer(row_means, row_means) * of_units - np.outer(mean, mean)
    drawn = {name for group in groups for name in group.names if not group.exact}
    about = any(drawn.intersection(term.variables) for term in terms)
    unequal = not isinstance(n_rows, int) and any(c.distribution.is_fixed for c in covariates)
    sizes = np.diag(of_rows * of_units)
    return Moments(mean, _clean(within, sizes), _clean(between, sizes), about or unequal)


@dataclass(frozen=True, eq=False)
class _Group:
    """Covariates that depend on one another, and on no others, as weighted nodes.

    Attributes
    ----------
    data : mapping of str to ndarray (n,)
    weights : ndarray (n,)
    moments : tuple of float, or empty
        Mean and mean square of the one covariate, where they are known.
    exact : bool
        Whether the nodes give the moments of polynomials.
    """

    data: Mapping[str, Floats]
    weights: Floats
    moments: tuple[float, ...] = ()
    exact: bool = True

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.data)

    def mean(self, factors: Sequence[Factor]) -> float:
        """Return the mean of a product of factors."""
        plain = all(isinstance(factor.expr, Name) for factor in factors)
        if self.moments and plain and len(factors) <= len(self.moments):
            return self.moments[len(factors) - 1]
        with np.errstate(all="ignore"):
            product = product_of(factors, self.data) * np.ones(len(self.weights))
        there = np.isfinite(product)
        return float(self.weights[there] @ product[there] / self.weights[there].sum())


def _groups(covariates: tuple[Covariate, ...], n_rows: Rows) -> list[_Group]:
    """Part the covariates into independent groups."""
    found = []
    for level in ("unit", "row"):
        fixed = [c for c in covariates if c.level == level and c.distribution.is_fixed]
        if fixed:
            found.append(_grids(fixed, n_rows if level == "row" else None))
    for c in covariates:
        if not c.distribution.is_fixed:
            nodes, weights = c.distribution.quadrature()
            mean, variance = c.distribution.mean, c.distribution.variance
            close = abs(float(weights @ nodes**2) - mean**2 - variance) <= 1e-9 * variance
            found.append(_Group({c.name: nodes}, weights, (mean, variance + mean**2), close))
    return found


def _grids(fixed: Sequence[Covariate], n_rows: Rows | None) -> _Group:
    """Run through the grids of one level together: of units, or of the rows of each unit."""
    if n_rows is None:
        data = {c.name: np.array(c.distribution.values) for c in fixed}
    else:
        sizes = Counter([n_rows] if isinstance(n_rows, int) else n_rows)
        counts = np.concatenate([np.full(size, float(units)) for size, units in sizes.items()])
        data = {c.name: np.concatenate([c.distribution.points(s) for s in sizes]) for c in fixed}
        return _Group(data, counts / counts.sum())
    n = len(next(iter(data.values())))
    return _Group(data, np.full(n, 1.0 / n))


def _is_of_one(factor: Factor, groups: Iterable[_Group]) -> bool:
    """Tell whether all variables of a factor are of one group."""
    return any(group.names.issuperset(factor.variables) for group in groups)


def _split(term: Term, rows: set[str]) -> tuple[tuple[Factor, ...], tuple[Factor, ...]]:
    of_rows = tuple(factor for factor in term.factors if rows.intersection(factor.variables))
    return of_rows, tuple(factor for factor in term.factors if factor not in of_rows)


def _mean(factors: Sequence[Factor], groups: Iterable[_Group]) -> float:
    """Return the mean of a product of factors, group by group."""
    mean = 1.0
    for group in groups:
        own = [factor for factor in factors if group.names.issuperset(factor.variables)]
        if own:
            mean *= group.mean(own)
    return mean


def _products(parts: Sequence[tuple[Factor, ...]], groups: Sequence[_Group]) -> Floats:
    """Return the means of the products of any two parts, (k, k)."""
    return np.array([[_mean((*one, *other), groups) for other in parts] for one in parts])


def _clean(covariances: Floats, sizes: Floats) -> Floats:
    """Return covariances without what rounding leaves of those that are 0; `sizes` are squares."""
    scale = np.sqrt(np.abs(np.outer(sizes, sizes)))
    return np.where(np.abs(covariances) <= 1e-13 * scale, 0.0, covariances)


def _of_sample(
    terms: tuple[Term, ...],
    covariates: tuple[Covariate, ...],
    n_rows: Rows,
    correlated: tuple[CorrelatedSet, ...],
) -> Moments:
    """Return the moments over a sample of units, where covariates depend on one another.

    The rows of its units are drawn twice. With c and c' the means of a unit, which differ by what
    is drawn for rows alone, E (c - c')(c - c')' / 2 is the covariance of a mean given its unit: 0
    of a grid and of what is centred in the unit. The covariances within units are those about the
    means and that one, those between units what it leaves of the covariances of means. A mean that
    is a covariate of the unit is all between units.
    """
    (data, rows), (again, _) = (
        sample(covariates, correlated, n_rows, SAMPLE, draw) for draw in (0, 1)
    )
    columns, others = (
        [np.broadcast_to(product_of(term.factors, one), len(rows.unit)) for term in terms]
        for one in (data, again)
    )
    means, means_again = (
        np.stack([rows.means(np.ascontiguousarray(column))[0] for column in of_draw])
        for of_draw in (columns, others)
    )
    apart = np.stack([c - m[rows.unit] for c, m in zip(columns, means, strict=True)])
    chance = (means - means_again) / np.sqrt(2.0)
    of_units = np.abs(apart).max(axis=1) <= 1e-12 * np.abs(columns).max(axis=1)
    chance[of_units] = 0.0
    of_rows = (chance * rows.sizes.ravel()) @ chance.T
    within = (apart @ apart.T + of_rows) / len(rows.unit)
    between = np.cov(means, bias=True).reshape(within.shape) - chance @ chance.T / SAMPLE
    return Moments(means.mean(axis=1), within, between, about=True)


def _of_example(
    terms: tuple[Term, ...], covariates: tuple[Covariate, ...], n_rows: Rows
) -> Moments:
    """Return the moments over an example of units by rows, with the same rows in all units."""
    most = n_rows if isinstance(n_rows, int) else max(n_rows)
    units = _spread([c for c in covariates if c.level == "unit"], None)
    rows = _spread([c for c in covariates if c.level == "row"], most)
    data = {name: values[:, None] for name, values in units.items()} | rows
    columns = np.empty((len(terms), EXAMPLE, EXAMPLE))
    with np.errstate(all="ignore"):
        for k, term in enumerate(terms):
            columns[k] = 1.0
            for factor in term.factors:
                columns[k] *= evaluate(factor, data)
    means = columns.mean(axis=2)
    apart = (columns - means[:, :, None]).reshape(len(terms), -1)
    within, between = apart @ apart.T / EXAMPLE**2, np.cov(means, bias=True)
    return Moments(means.mean(axis=1), within, between.reshape(within.shape), about=True)


def _spread(covariates: Sequence[Covariate], n_rows: int | None) -> dict[str, Floats]:
    """Spread points over the covariates of one level: shares go up by an irrational step each.

    The steps are powers of 1/g, with g^(d + 1) = g + 1 for d covariates, which fill a cube evenly.
    """
    place, g = np.arange(EXAMPLE), 2.0
    for _ in range(64):
        g = (1.0 + g) ** (1.0 / (1.0 + len(covariates)))
    data = {}
    for k, c in enumerate(covariates, start=1):
        if c.distribution.is_fixed:
            values = c.distribution.points(n_rows or len(c.distribution.values))
            data[c.name] = values[place % len(values)]
        else:
            data[c.name] = c.distribution.quantile((0.5 + place / g**k) % 1.0)
    return data
