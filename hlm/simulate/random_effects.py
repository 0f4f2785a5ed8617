"""Random effects from independent numbers: mixed linearly, or joined by a Gaussian copula.

Both give the sds and correlations of the truth. Mixed, b = L z with LL' = Psi and z of the stated
shapes: each effect is a sum, so that only the first of a block keeps its shape. By a copula, each
is a function of a normal, b_a = sd_a h_a(z_a), and keeps its shape; the normals are correlated such
that the effects are as stated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from hlm.distributions import STANDARD_NORMAL, Distribution
from hlm.distributions.copula import normal_correlations, root
from hlm.jit import entry
from hlm.rows.quantile_table import from_normal
from hlm.simulate.normals import standard_numbers, stream_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Scenario
    from hlm.simulate.normals import Stream
    from hlm.uncertain import DrawnTruth

__all__ = ["Copula", "Mixing", "recipe_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Recipe:
    """What random effects are made of.

    Attributes
    ----------
    shapes : tuple of Distribution (q,)
    weights : ndarray (q, q) or (n, q, q)
        Lower triangular, the root of the correlations: of the effects, or of a copula's normals.
    sd : ndarray (q,) or (n, q)
        Of the effects. Both are of all data sets, or of each.
    """

    shapes: tuple[Distribution, ...]
    weights: Floats
    sd: Floats

    def of_each(self, truth: DrawnTruth | None) -> Self:
        """Return the recipe with sds and correlations of each data set, where these are drawn."""
        if truth is None:
            return self
        weights = self.weights if truth.root is None else truth.root
        return replace(self, weights=weights, sd=truth.sd)


class Mixing(_Recipe):
    """Random effects mixed of independent numbers."""

    def streams(self, seeds: np.random.SeedSequence) -> list[Stream]:
        """Return one stream, or one for each effect where their shapes differ.

        So each stream gives one number after the other, however many replicates are drawn at once.
        """
        several = len(set(self.shapes)) > 1
        children = seeds.spawn(len(self.shapes)) if several else [seeds]
        drawn = zip(self.shapes, children, strict=False)
        return [stream_of(shape, np.random.default_rng(child)) for shape, child in drawn]

    def draw(self, streams: Sequence[Stream], n: int, n_units: int) -> Floats:
        """Draw what the effects of n replicates are made of, (n, q, n_units)."""
        if len(streams) == 1:
            return standard_numbers(self.shapes[0], streams[0], (n, len(self.shapes), n_units))
        pairs = zip(self.shapes, streams, strict=True)
        drawn = [standard_numbers(shape, own, (n, n_units)) for shape, own in pairs]
        return np.stack(drawn, axis=1)

    def effects(self, z: Floats) -> Floats:
        """Make the effects, (n, q, n_units)."""
        return _mix(self.weights * self.sd[..., None], z)

    def parts(self) -> list[list[Distribution]]:
        """Return of what each effect is a sum."""
        return [[self.shapes[k] for k in np.flatnonzero(row)] for row in self.weights]

    def moments(self) -> list[tuple[float, float]]:
        """Return skewness and kurtosis of each effect.

        Third and fourth cumulants of independent numbers add up, with the weights' powers.
        """
        return [_moments_of_sum(row, self.shapes) for row in self.weights]


class Copula(_Recipe):
    """Random effects that are functions of correlated normals."""

    def streams(self, seeds: np.random.SeedSequence) -> list[Stream]:
        """Return the stream of the normals."""
        return [stream_of(STANDARD_NORMAL, np.random.default_rng(seeds))]

    def draw(self, streams: Sequence[Stream], n: int, n_units: int) -> Floats:
        """Draw independent normals of n replicates, (n, q, n_units)."""
        return standard_numbers(STANDARD_NORMAL, streams[0], (n, len(self.shapes), n_units))

    def effects(self, z: Floats) -> Floats:
        """Make the effects, (n, q, n_units)."""
        normals = _mix(self.weights, z)
        for a, shape in enumerate(self.shapes):
            normals[:, a] = self.sd[..., a, None] * from_normal(shape, normals[:, a])
        return normals

    def parts(self) -> list[list[Distribution]]:
        """Return the shape of each effect."""
        return [[shape] for shape in self.shapes]

    def moments(self) -> list[tuple[float, float]]:
        """Return skewness and kurtosis of each effect: those of its shape."""
        return [(shape.skewness, shape.kurtosis) for shape in self.shapes]


def recipe_of(scenario: Scenario) -> Mixing | Copula:
    """Return how the random effects of a scenario are made."""
    shapes, sd = scenario.shapes, np.array(scenario.sd)
    if scenario.dependence == "copula":
        return Copula(shapes, root(normal_correlations(shapes, scenario.cor)), sd)
    return Mixing(shapes, root(np.array(scenario.cor)), sd)


def _moments_of_sum(weights: Floats, shapes: Sequence[Distribution]) -> tuple[float, float]:
    parts = [(w, shape) for w, shape in zip(weights, shapes, strict=True) if w]
    skewness = sum(w**3 * shape.skewness for w, shape in parts)
    return float(skewness), float(3.0 + sum(w**4 * (shape.kurtosis - 3.0) for w, shape in parts))


def _mix(factor: Floats, z: Floats) -> Floats:
    """Multiply each unit's q independent numbers by the factor, term by term in a fixed order.

    The factor is one, (q, q), or that of each data set, (n, q, q).
    """
    effects = np.empty_like(z)
    mix_numbers(np.ascontiguousarray(factor.reshape(-1, *factor.shape[-2:])), z, effects)
    return effects


@entry
def mix_numbers(factor, z, effects):
    """Write b_a = sum_{k<=a} factor_ak z_k of each unit; `factor` is (n or 1, q, q)."""
    n, q, n_units = z.shape
    for r in range(n):
        weights = factor[r if factor.shape[0] > 1 else 0]
        for a in range(q):
            out = effects[r, a]
            for i in range(n_units):
                out[i] = 0.0
            for k in range(a + 1):
                weight, numbers = weights[a, k], z[r, k]
                for i in range(n_units):
                    out[i] += weight * numbers[i]
