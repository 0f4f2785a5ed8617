r"""Random numbers: a replicate is a function of (study seed, scenario key, replicate number) alone.

Each block of `BLOCK` replicates of a scenario has its own streams, one for each purpose: noise,
random effects, and each covariate. They are seeded by the integers (purpose, block, key, study
seed), those of covariates by a hash of the name too: so the draws of a covariate do not depend on
which others there are. Within a block the replicates follow one another, so a replicate does not
depend on how many come after it, and a range that starts within a block skips what is before it.

A change of this rule, or of `_covariate`, changes the data of studies: `scenario.DATA_VERSION`
counts such changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.scenario import BLOCK, Covariate, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Draws", "draw"]

Floats = NDArray[np.float64]

CHUNK_VALUES = 1 << 17
"""Numbers drawn at a time: what fits the processor's second-level cache."""

NOISE, EFFECTS, COVARIATE = 0, 1, 2
"""What a stream is for; that of a covariate is named by two more numbers."""


@dataclass(frozen=True)
class Draws:
    """The raw material of n consecutive replicates; units vary fastest.

    Attributes
    ----------
    covariates : dict of str to ndarray
        (n, 1, n_units) at the level of the units, (n, n_rows, n_units) at that of the rows;
        of a fixed grid (1, 1, n_units) or (1, n_rows, 1).
    effects : ndarray (n, q, n_units)
        The random effects.
    noise : ndarray (n, n_rows, n_units)
        The residuals in units of sigma: standard normals.
    """

    covariates: dict[str, Floats]
    effects: Floats
    noise: Floats


def draw(scenario: Scenario, seed: int, start: int, stop: int) -> Iterator[Draws]:
    """Draw the replicates `start` to `stop - 1` of a scenario, some at a time.

    The noise is valid until the next are drawn: fresh memory would cost a quarter of the drawing.

    Examples
    --------
    >>> s = Scenario("0" * 16, 2, 3, (), "y ~ 1 + (1 | g)", (("(Intercept)", 0.0),), (1.0,),
    ...              ((1.0,),), 1.0)
    >>> whole = next(draw(s, 1, 0, 5))
    >>> bool((next(draw(s, 1, 3, 4)).noise[0] == whole.noise[3]).all())
    True
    """
    factor = _root(np.array(scenario.cor)) * np.array(scenario.sd)[:, None]
    drawn = [c for c in scenario.covariates if c.level == "row" and c.distribution != "grid"]
    each = scenario.n_units * scenario.n_rows * (1 + len(drawn))
    size = max(1, CHUNK_VALUES // each)
    noise = np.empty((min(size, BLOCK), scenario.n_rows, scenario.n_units))
    for block in range(start // BLOCK, -(-stop // BLOCK)):
        streams = _Streams(scenario, seed, block, noise)
        first, last = block * BLOCK, min(stop, (block + 1) * BLOCK)
        for at in _chunks(first, min(max(start, first), last), size):
            streams.take(*at, factor)
        for at in _chunks(max(start, first), last, size):
            yield streams.take(*at, factor)


def _chunks(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    return ((a, min(a + size, stop)) for a in range(start, stop, size))


class _Streams:
    """The streams of one block of one scenario."""

    def __init__(self, scenario: Scenario, seed: int, block: int, room: Floats) -> None:
        rest = (block, *_halves(scenario.key), seed)
        self.scenario, self.room = scenario, room
        self.noise, self.effects = (
            np.random.default_rng((purpose, *rest)) for purpose in (NOISE, EFFECTS)
        )
        self.covariates = {
            c.name: np.random.default_rng((COVARIATE, *_halves(_hash(c.name)), *rest))
            for c in scenario.covariates
        }

    def take(self, start: int, stop: int, factor: Floats) -> Draws:
        """Draw the next `stop - start` replicates."""
        s, n = self.scenario, stop - start
        z = self.effects.standard_normal((n, len(s.sd), s.n_units))
        return Draws(
            covariates={c.name: _covariate(c, self.covariates[c.name], n, s) for c in s.covariates},
            effects=_mix(factor, z),
            noise=self.noise.standard_normal(out=self.room[:n]),
        )


def _hash(name: str) -> str:
    """Return 16 hexadecimal digits that stand for the name of a covariate."""
    return blake2b(name.encode(), digest_size=8).hexdigest()


def _halves(digits: str) -> tuple[int, int]:
    """Return 16 hexadecimal digits as two numbers below 2^32, a word of entropy each."""
    return int(digits[:8], 16), int(digits[8:], 16)


def _covariate(c: Covariate, rng: np.random.Generator, n: int, s: Scenario) -> Floats:
    """Draw n replicates of one covariate."""
    shape = (n, s.n_rows if c.level == "row" else 1, s.n_units)
    match c.distribution:
        case "normal":
            return c.a + c.b * rng.standard_normal(shape)
        case "uniform":
            return c.a + (c.b - c.a) * rng.random(shape)
        case "binary":
            return (rng.random(shape) < c.a).astype(float)
        case "grid":
            values = np.array(c.values)
            return values.reshape((1, -1, 1) if c.level == "row" else (1, 1, -1))


def _mix(factor: Floats, z: Floats) -> Floats:
    """Multiply each unit's q independent normals by the factor, term by term in a fixed order."""
    effects = np.zeros_like(z)
    for a in range(len(factor)):
        for k in range(a + 1):
            if factor[a, k]:
                effects[:, a] += factor[a, k] * z[:, k]
    return effects


def _root(cor: Floats) -> Floats:
    """Lower-triangular square root of a correlation matrix, which may be singular."""
    root = np.zeros_like(cor)
    for j in range(len(cor)):
        pivot = cor[j, j] - root[j, :j] @ root[j, :j]
        if pivot > 1e-12:
            root[j, j] = np.sqrt(pivot)
            root[j + 1 :, j] = (cor[j + 1 :, j] - root[j + 1 :, :j] @ root[j, :j]) / root[j, j]
    return root
