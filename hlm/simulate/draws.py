r"""Random numbers: a replicate is a function of (study seed, scenario key, replicate number) alone.

Each block of `BLOCK` replicates of a scenario has its own streams, one for each purpose: noise,
random effects, and each covariate. They are seeded by the integers (purpose, block, key, study
seed), those of covariates by a hash of the name too: so the draws of a covariate do not depend on
which others there are. Where random effects differ in shape, each has a stream spawned from theirs.
Normal residuals, and normal covariates of rows, have a stream for each of their coordinates, see
`normal_streams`; the covariates are drawn one given the others, in the order of their names.
Where a study asks for common random numbers, zeros stand for the key.
A user's generator has a stream too, and its blocks are the groups for which it is called.
So have the parameters of a truth that are uncertain; those of a block are drawn together.
The parametric bootstrap of a fit has one that no data depend on, of its replicate and not a block.
Within a block the replicates follow one another, so a replicate does not depend on how many come
after it, and a range that starts within a block skips what is before it.

A change of this rule, or of how a distribution is drawn, changes the data of studies:
`scenario.DATA_VERSION` counts such changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.distributions import Balanced, Normal, RowValues
from hlm.scenario import BLOCK, Covariate, Scenario
from hlm.simulate.design_basis import DesignBasis, design_basis
from hlm.simulate.generated import GENERATOR
from hlm.simulate.grouped_rows import GroupedRows, draw_groups
from hlm.simulate.layout import Layout, layout_of
from hlm.simulate.normal_streams import RESIDUAL, Coordinates, NormalStreams
from hlm.simulate.normals import Stream, fill_normals, standard_numbers, stream_of
from hlm.simulate.random_effects import Copula, Mixing, recipe_of
from hlm.simulate.residual_scales import ResidualScales, RowGroups, UnitScales, residual_scales

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.uncertain import DrawnTruth

__all__ = [
    "CHUNK_VALUES",
    "Drawing",
    "Draws",
    "Seeds",
    "Streams",
    "balanced_rows",
    "bootstrap_stream",
    "chunks",
    "draw",
    "part_of",
]

Floats = NDArray[np.float64]

CHUNK_VALUES = 1 << 16
"""Numbers drawn at a time: what fits the processor's second-level cache."""

NOISE, EFFECTS, COVARIATE = 0, 1, 2
"""What a stream is for; that of a covariate is named by two more numbers."""

BOOTSTRAP = 4
"""What that of a bootstrap is for, after `GENERATOR`; it is named by two more numbers too."""

TRUTH = 5
"""What that of uncertain parameters is for."""


@dataclass(frozen=True)
class Draws:
    """The raw material of n consecutive replicates; units vary fastest, in the order of `layout`.

    Where units are not equal, "(n_rows, n_units)" reads "(1, n_obs)".

    Attributes
    ----------
    layout : Layout
        How rows and units lie in memory.
    covariates : dict of str to ndarray
        (n, 1, n_units) at the level of the units, (n, n_rows, n_units) at that of the rows;
        of fixed ones (1, 1, n_units), and (1, n_rows, 1) or, where units differ, (1, 1, n_obs); of
        those given for each row (1, n_rows, n_units).
    effects : ndarray (n, q, n_units)
        The random effects b, of the truth's Z.
    noise : ndarray (n, n_rows, n_units), optional
        The residuals in units of `sigma`: sums of them are scaled, not each. Where they are normal
        they are there if rows are asked for, and so are normal covariates of rows.
    sigma : ndarray (n or 1, n_units or 1)
        The residual sd; where it differs by group of rows, what the groups' are multiplied by.
    truth : DrawnTruth, optional
        The parameters of each, where some are uncertain.
    coordinates : Coordinates, optional
        Of the residuals, where they are normal, in the `DesignBasis` of the scenario.
    lower : ndarray (n, pairs, n_units), optional
        The factors of the columns of the basis, where normal covariates of rows are among them and
        none that is known by its rows only.
    grouped : GroupedRows, optional
        The coordinates of each group of rows, where sds differ by group.
    """

    layout: Layout
    covariates: dict[str, Floats]
    effects: Floats
    noise: Floats | None
    sigma: Floats
    truth: DrawnTruth | None = None
    coordinates: Coordinates | None = None
    lower: Floats | None = None
    grouped: GroupedRows | None = None


def draw(
    scenario: Scenario, seed: int, start: int, stop: int, *, rows: bool = True
) -> Iterator[Draws]:
    """Draw the replicates `start` to `stop - 1` of a scenario, some at a time.

    The residuals are valid until the next are drawn: fresh memory would cost a quarter of the
    drawing. What is drawn is the same whether `rows` are asked for or not.

    Examples
    --------
    >>> s = Scenario("0" * 16, 2, 3, (), "y ~ 1 + (1 | g)", (("(Intercept)", 0.0),), (1.0,),
    ...              ((1.0,),), 1.0)
    >>> whole = next(draw(s, 1, 0, 5))
    >>> bool((next(draw(s, 1, 3, 4)).noise[0] == whole.noise[3]).all())
    True
    """
    drawing = Drawing.of(scenario, rows=rows)
    size = min(drawing.at_once, BLOCK)
    room = drawing.room(size)
    # In the first block the replicates before `start` are drawn and left
    for block in range(start // BLOCK, -(-stop // BLOCK)):
        own = Streams(drawing, Seeds(scenario, seed, block), room)
        first, last = block * BLOCK, min(stop, (block + 1) * BLOCK)
        for at in chunks(first, min(max(start, first), last), size):
            own.take(*at)
        for at in chunks(max(start, first), last, size):
            yield own.take(*at)


def chunks(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield first and last, exclusive, of `size` replicates at a time."""
    return ((a, min(a + size, stop)) for a in range(start, stop, size))


@dataclass(frozen=True)
class Seeds:
    """What the streams of one block of one scenario are seeded by."""

    scenario: Scenario
    seed: int
    block: int

    def noise(self) -> np.random.Generator:
        """Return the stream of the residuals."""
        return np.random.default_rng((NOISE, *self._rest))

    def effects(self) -> np.random.SeedSequence:
        """Return the seeds of the random effects."""
        return np.random.SeedSequence((EFFECTS, *self._rest))

    def named(self, name: str) -> np.random.Generator:
        """Return the stream of a covariate, or of what else has a name."""
        return np.random.default_rng((COVARIATE, *_halves(_hash(name)), *self._rest))

    def generator(self) -> np.random.Generator:
        """Return the stream of a user's generator."""
        return np.random.default_rng((GENERATOR, *self._rest))

    def truths(self) -> DrawnTruth | None:
        """Draw the parameters of the block's data sets; None where none is uncertain."""
        if self.scenario.uncertain is None:
            return None
        rng = np.random.default_rng((TRUTH, *self._rest))
        return self.scenario.truths(rng, self.scenario.block)

    @property
    def _rest(self) -> tuple[int, ...]:
        return self.block, *_halves(self.scenario.streams), self.seed


def bootstrap_stream(
    scenario: Scenario, seed: int, replicate: int, fit: str
) -> np.random.Generator:
    """Return the stream of the bootstrap of one fit of a replicate.

    Parameters
    ----------
    scenario : Scenario
    seed : int
        The study's.
    replicate : int
    fit : str
        The names of model and method.
    """
    names = *_halves(_hash(fit)), replicate, *_halves(scenario.streams)
    return np.random.default_rng((BOOTSTRAP, *names, seed))


@dataclass(frozen=True)
class Drawing:
    """How the data sets of a scenario with a plain design are drawn.

    Attributes
    ----------
    scenario : Scenario
    layout : Layout
    recipe : Mixing or Copula
        Of the random effects.
    basis : DesignBasis
    scales : UnitScales or RowGroups, optional
        Which residuals have another sd.
    rows : bool
        Whether residuals and covariates are wanted as rows.
    """

    scenario: Scenario
    layout: Layout
    recipe: Mixing | Copula
    basis: DesignBasis
    scales: ResidualScales | None
    rows: bool

    @classmethod
    def of(cls, scenario: Scenario, *, rows: bool) -> Drawing:
        """Look at a scenario."""
        basis, scales = design_basis(scenario), residual_scales(scenario)
        return cls(scenario, layout_of(scenario), recipe_of(scenario), basis, scales, rows)

    @property
    def by_coordinates(self) -> bool:
        """Whether residuals are normal, so that their coordinates are drawn."""
        return isinstance(self.scenario.residuals, Normal)

    @property
    def residual_rows(self) -> bool:
        """Whether there are rows of the residuals."""
        return self.rows or not self.by_coordinates

    @property
    def covariate_rows(self) -> bool:
        """Whether there are rows of normal covariates, where columns are known by them only."""
        return self.residual_rows or bool(self.basis.others) or isinstance(self.scales, RowGroups)

    @property
    def by_factors(self) -> bool:
        """Whether the factors of the basis are drawn, and not made of rows."""
        own = self.basis.others or isinstance(self.scales, RowGroups)
        return bool(self.by_coordinates and self.basis.normals and not own)

    @property
    def at_once(self) -> int:
        """How many data sets are drawn at a time."""
        s, k = self.scenario, len(self.basis.parts)
        drawn = [c for c in s.covariates if c.level == "row" and not c.distribution.is_fixed]
        by_rows = [c for c in drawn if self.covariate_rows or c not in self.basis.normals]
        numbers = s.n_obs * (self.residual_rows + len(by_rows))
        return max(1, CHUNK_VALUES // (numbers + s.n_units * (k * (k + 1) // 2 + len(s.sd))))

    def room(self, size: int) -> tuple[Floats, Floats]:
        """Return memory for the coordinates of residuals, and for their rows."""
        along = len(self.basis.parts) * size * len(self.layout.sizes)
        rows = (size, *self.layout.row_shape) if self.residual_rows else (0, 0, 0)
        return np.empty(along if self.by_coordinates else 0), np.empty(rows)


class Streams:
    """The streams of one block of one scenario."""

    def __init__(self, drawing: Drawing, seeds: Seeds, room: tuple[Floats, Floats]) -> None:
        self.drawing, self.seeds, self.room = drawing, seeds, room
        residuals, by_coordinates = drawing.scenario.residuals, drawing.by_coordinates
        self.noise = None if by_coordinates else stream_of(residuals, seeds.noise())
        self.effects = drawing.recipe.streams(seeds.effects())
        self.normal = NormalStreams(drawing.basis, drawing.layout, seeds)
        self.truths = seeds.truths()
        self.covariates = {
            c.name: _stream_of(c, seeds)
            for c in drawing.scenario.covariates
            if c not in drawing.basis.normals and not c.distribution.is_fixed
        }

    def take(self, start: int, stop: int) -> Draws:
        """Draw the next `stop - start` replicates."""
        drawing, n = self.drawing, stop - start
        s, layout, recipe = drawing.scenario, drawing.layout, drawing.recipe
        z = recipe.draw(self.effects, n, s.n_units)
        truth = part_of(self.truths, start, n)
        covariates = {
            c.name: self._covariate(c, n) for c in s.covariates if c not in drawing.basis.normals
        }
        lower = None
        if drawing.basis.normals:
            lower, drawn = self.normal.covariates(n, covariates, rows=drawing.covariate_rows)
            covariates |= drawn
        own = lower if drawing.by_factors else None
        coordinates, grouped, noise = self._residuals(n, covariates, own)
        sigma = np.reshape(s.sigma if truth is None else truth.sigma, (-1, 1))
        if isinstance(drawing.scales, UnitScales):
            sigma = sigma * drawing.scales.sds(n, covariates, layout, self.normal)
        return Draws(
            layout,
            covariates=covariates,
            effects=recipe.of_each(truth).effects(_in_order(z, layout)),
            noise=noise,
            sigma=sigma,
            truth=truth,
            coordinates=coordinates,
            lower=own,
            grouped=grouped,
        )

    def _residuals(
        self, n: int, covariates: dict[str, Floats], lower: Floats | None
    ) -> tuple[Coordinates | None, GroupedRows | None, Floats | None]:
        """Draw residuals: coordinates, those of groups, rows, or more than one of these."""
        (along, rows), scales, layout = self.room, self.drawing.scales, self.drawing.layout
        if self.noise is not None:
            noise = rows[:n]
            shape = self.drawing.scenario.residuals
            return None, None, standard_numbers(shape, self.noise, noise.shape, out=noise)
        k, m = len(self.drawing.basis.parts), len(layout.sizes)
        found = self.normal.residuals(n, along[: k * n * m].reshape(k, n, m))
        grouped = None
        if isinstance(scales, UnitScales):
            found = self.normal.split(found)
        elif scales is not None:
            grouped = draw_groups(scales, found, covariates, layout, self.normal)
        if not self.drawing.rows:
            return found, grouped, None
        if grouped is None:
            self.normal.residual_rows(found, covariates, lower, rows[:n])
        else:
            fill_normals(self.normal.named(f"{RESIDUAL} rows"), rows[:n].reshape(1, -1))
            grouped.make(layout, rows[:n].reshape(n, -1))
        return found, grouped, rows[:n]

    def _covariate(self, c: Covariate, n: int) -> Floats:
        """Draw n replicates of one covariate."""
        layout, of_rows = self.drawing.layout, c.level == "row"
        if c.distribution.is_fixed:
            return _fixed_rows(c, layout) if of_rows else _fixed_units(c, layout)
        own, stream = c.distribution, self.covariates[c.name]
        if not isinstance(stream, np.random.Generator):
            z = standard_numbers(own, stream, (n, 1, len(layout.sizes)))
            return _in_order(own.mean + own.sd * z, layout)
        if not of_rows:
            return _in_order(own.arranged(stream, (n, 1, len(layout.sizes))), layout)
        if isinstance(own, Balanced):
            return balanced_rows(own, stream, n, layout)
        return own.draw(stream, (n, *layout.row_shape))


def part_of(truths: DrawnTruth | None, start: int, n: int) -> DrawnTruth | None:
    """Return the parameters of n replicates from `start` on, of those of their block."""
    if truths is None:
        return None
    first = start % len(truths.sigma)
    return truths.part(first, first + n)


def _stream_of(c: Covariate, seeds: Seeds) -> Stream:
    """Return the stream of a covariate that is not drawn by coordinates."""
    rng = seeds.named(c.name)
    return stream_of(c.distribution, rng) if c.level == "unit" else rng


def _in_order(values: Floats, layout: Layout) -> Floats:
    """Put values of the units, (..., n_units), in the order of memory."""
    return values if layout.order is None else values[..., layout.order]


def _fixed_units(c: Covariate, layout: Layout) -> Floats:
    return _in_order(c.distribution.points(len(layout.sizes)).reshape(1, 1, -1), layout)


def _fixed_rows(c: Covariate, layout: Layout) -> Floats:
    """Return fixed values of rows, which all units have alike if they are equal."""
    if isinstance(c.distribution, RowValues):
        values = np.empty(layout.starts[-1])
        values[layout.by_unit] = c.distribution.rows
        return values.reshape(1, *layout.row_shape)
    if layout.is_equal:
        return c.distribution.points(int(layout.sizes[0])).reshape(1, -1, 1)
    values = np.empty(layout.starts[-1])
    for size in np.unique(layout.sizes):
        (units,) = np.nonzero(layout.sizes == size)
        values[layout.starts[:size, None] + units] = c.distribution.points(size)[:, None]
    return values.reshape(1, 1, -1)


def balanced_rows(balanced: Balanced, rng: np.random.Generator, n: int, layout: Layout) -> Floats:
    """Draw n replicates of what is balanced within each unit."""
    if layout.is_equal:
        shape = (n, *reversed(layout.row_shape))
        return np.ascontiguousarray(balanced.arranged(rng, shape).swapaxes(1, 2))
    sizes, k, at = layout.sizes, len(balanced.levels), 0
    keys = rng.random((n, int(sizes.sum()) + k * len(sizes)))
    values = np.empty((n, 1, layout.starts[-1]))
    for size in map(int, np.unique(sizes)[::-1]):
        (units,) = np.nonzero(sizes == size)
        own = keys[:, at : at + len(units) * (size + k)].reshape(n, len(units), size + k)
        values[:, 0, layout.starts[:size, None] + units] = balanced.arrange(own).swapaxes(1, 2)
        at += len(units) * (size + k)
    return values


def _hash(name: str) -> str:
    """Return 16 hexadecimal digits that stand for the name of a covariate."""
    return blake2b(name.encode(), digest_size=8).hexdigest()


def _halves(digits: str) -> tuple[int, int]:
    """Return 16 hexadecimal digits as two numbers below 2^32, a word of entropy each."""
    return int(digits[:8], 16), int(digits[8:], 16)
