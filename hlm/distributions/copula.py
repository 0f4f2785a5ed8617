"""The Gaussian copula: which correlation of normals gives numbers of stated shapes theirs.

Numbers of shapes h_1, h_2 are made of normals, x = h(z), which keeps the shapes exactly. With
h(z) = sum_k a_k He_k(z) / sqrt(k!) in Hermite's polynomials, and r the correlation of the normals,
Mehler's formula says

    cor(x_1, x_2) = E h_1(z_1) h_2(z_2) = sum_k a_1k a_2k r^k,

which increases in r. Its ends, at r = -1 and 1, are the Frechet bounds: no joint distribution
of the two shapes has a correlation beyond them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, Mistakes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.distributions.base import Distribution

__all__ = ["ERROR", "normal_correlation", "normal_correlations", "reach", "root"]

Floats = NDArray[np.float64]

ERROR = 1e-8
"""What a correlation may be away from the stated one."""

MOST_ORDERS = 10_000
"""Terms of the series: some ten for smooth shapes, 800 for a Laplace distribution, which has a
kink."""

CENTRE, FARTHEST = 9.0, 37.5
"""The integrals are over +-FARTHEST, where Phi(-z) is still a normal number. Nearly all is within
+-CENTRE."""

LEAST = 1e-15
"""What a sum of squares may lack of 1 by rounding."""

WIDTHS, NODES = (0.02, 0.25), 10
"""They are by Gauss and Legendre's rule of so many nodes, in panels of this width in the centre and
beyond; at 0, where the kink is, one panel ends."""


class _Series(NamedTuple):
    """A pair's correlation as a polynomial in that of the normals, from r^0 on, and its ends."""

    terms: Floats
    low: float
    high: float

    def at(self, r: float) -> float:
        """Return the correlation where that of the normals is r."""
        return float(np.polynomial.polynomial.polyval(r, self.terms))


def reach(one: Distribution, other: Distribution) -> tuple[float, float]:
    """Return the least and the greatest correlation that two shapes can have.

    Examples
    --------
    >>> from hlm.distributions import ChiSquare, Normal
    >>> low, high = reach(ChiSquare(2.0), Normal())
    >>> round(low, 4), round(high, 4)
    (-0.9032, 0.9032)
    """
    series = _series(one, other)
    return series.low, series.high


@lru_cache(maxsize=4096)
def normal_correlation(one: Distribution, other: Distribution, correlation: float) -> float:
    """Return the correlation that normals must have for two shapes to have a stated one.

    Raises
    ------
    InputError
        The shapes cannot have it, or have tails too heavy for it to be computed.

    Examples
    --------
    >>> from hlm.distributions import LogNormal
    >>> import math
    >>> r = normal_correlation(LogNormal(1.0), LogNormal(1.0), 0.5)
    >>> abs(math.expm1(r) / math.expm1(1.0) - 0.5) < 1e-10
    True
    """
    from scipy.optimize import brentq

    from hlm.distributions.calls import written

    series = _series(one, other)
    if not series.low - ERROR <= correlation <= series.high + ERROR:
        raise InputError(
            f"no copula gives {written(one)} and {written(other)} the correlation {correlation:g}",
            allowed=f"{series.low:.4f} to {series.high:.4f} for these two",
        )
    if not series.at(-1.0) < correlation < series.at(1.0):
        return 1.0 if correlation > 0.0 else -1.0
    return float(brentq(lambda r: series.at(r) - correlation, -1.0, 1.0, xtol=1e-14, rtol=1e-14))


def normal_correlations(shapes: Sequence[Distribution], cor: Sequence[Sequence[float]]) -> Floats:
    """Return the correlation matrix of normals that gives shapes their correlations, (q, q).

    Raises
    ------
    InputError
        Two shapes cannot have their correlation, or no normals have those of all pairs together.
    """
    q = len(shapes)
    normal = np.eye(q)
    pairs = [(a, b) for a in range(q) for b in range(a) if cor[a][b]]
    with Mistakes() as mistakes:
        for a, b in pairs:
            one, other = sorted((shapes[a], shapes[b]), key=repr)
            found = mistakes.keep(normal_correlation, one, other, cor[a][b])
            normal[a, b] = normal[b, a] = np.nan if found is None else found
    if q > 2 and np.linalg.eigvalsh(normal)[0] < -ERROR:
        rows = ", ".join(f"[{', '.join(f'{r:.3g}' for r in row)}]" for row in normal)
        raise InputError(
            f"no copula gives these correlations together: those of its normals would be [{rows}]",
            allowed="correlations for which that matrix is positive semidefinite",
        )
    return normal


@lru_cache(maxsize=1024)
def _series(one: Distribution, other: Distribution) -> _Series:
    """Expand the correlation of two shapes, as far as what is left out, at most, is within `ERROR`.

    By Cauchy and Schwarz that is the root of (1 - sum a_1k^2) (1 - sum a_2k^2). What it is at r = 1
    and -1 is put into two more terms.

    Raises
    ------
    InputError
        It cannot be computed so exactly.
    """
    z, weights = _nodes()
    shapes = one.from_normal(z), other.from_normal(z)
    weighted = np.sqrt(weights) * np.stack(shapes)
    low, high = float(weighted[0] @ weighted[1, ::-1]), float(weighted[0] @ weighted[1])
    _refuse_inexact((one, other), np.abs((weighted**2).sum(axis=1) - 1.0))
    left, terms = np.ones(2), []
    # a_k = E h(z) p_k(z), sqrt(k + 1) p_{k+1} = z p_k - sqrt(k) p_{k-1}; the weights' root is in p
    before, here = np.zeros_like(z), np.sqrt(weights)
    for k in range(MOST_ORDERS):
        a = weighted @ here
        left -= a**2
        terms.append(a[0] * a[1])
        if np.prod(np.maximum(left, LEAST)) < (ERROR / 10.0) ** 2:
            break
        before, here = here, (z * here - np.sqrt(k) * before) / np.sqrt(k + 1.0)
    else:
        _refuse_inexact((one, other), left)
    even, odd = sum(terms[::2]), sum(terms[1::2])
    rest = [(high + low) / 2.0 - even, (high - low) / 2.0 - odd]
    return _Series(np.array(terms + (rest if len(terms) % 2 == 0 else rest[::-1])), low, high)


def _refuse_inexact(shapes: tuple[Distribution, Distribution], errors: Floats) -> None:
    """Refuse a pair for what is missing of the variances, which are 1."""
    from hlm.distributions.calls import written

    if np.max(errors) > ERROR:
        worst = shapes[int(np.argmax(errors))]
        raise InputError(
            f"a copula of {written(worst)} cannot be computed to 8 digits",
            allowed="a shape that is nearer to a normal, or dependence: mixing",
        )


@lru_cache(maxsize=1)
def _nodes() -> tuple[Floats, Floats]:
    """Return symmetric nodes, and their weights for integrals against the normal density."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    inner, outer = WIDTHS
    beyond = np.arange(CENTRE, FARTHEST + outer / 2.0, outer)
    ends = np.append(np.arange(0.0, CENTRE - inner / 2.0, inner), beyond)
    half = np.diff(ends)[:, None] / 2.0
    z = ((ends[:-1] + ends[1:])[:, None] / 2.0 + half * x).ravel()
    weights = (half * w).ravel() * np.exp(-(z**2) / 2.0) / np.sqrt(2.0 * np.pi)
    return np.append(-z[::-1], z), np.append(weights[::-1], weights)


def root(cor: Floats) -> Floats:
    """Lower-triangular square root of a correlation matrix, which may be singular."""
    root = np.zeros_like(cor)
    # cor = LL': L_jj = (cor_jj - sum_{k<j} L_jk^2)^{1/2}, column j below; 0 without a pivot
    for j in range(len(cor)):
        pivot = cor[j, j] - root[j, :j] @ root[j, :j]
        if pivot > 1e-12:
            root[j, j] = np.sqrt(pivot)
            root[j + 1 :, j] = (cor[j + 1 :, j] - root[j + 1 :, :j] @ root[j, :j]) / root[j, j]
    return root
