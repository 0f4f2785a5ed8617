r"""Data sets whose rows are not all alike, drawn row by row.

Numbers of rows may be drawn, covariates may come from others, residuals may differ in variance or
depend on one another, rows may be missing. What is drawn is drawn as in `draws`, from the same
streams, and where the numbers of rows are given, in the same order: so two scenarios that differ
only in such a feature are made of the same numbers where a study asks for common ones. Whatever
else is random has a stream of its own, seeded by a hash of its name as those of covariates are.

What is missing is left out at the end. Derived covariates, such as the mean of a unit, are those of
the rows before any are missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.covariates import make_covariates
from hlm.distributions import Balanced
from hlm.formula import parse
from hlm.rows.missing import PREVIOUS
from hlm.rows.row_layout import RowLayout
from hlm.rows.sizes import Resampled, Sizes
from hlm.simulate.draws import (
    CHUNK_VALUES,
    Drawing,
    Seeds,
    Streams,
    balanced_rows,
    chunks,
    part_of,
)
from hlm.simulate.generated import Generated, generate
from hlm.simulate.layout import layout_of
from hlm.simulate.normals import standard_numbers, stream_of
from hlm.simulate.random_effects import recipe_of
from hlm.simulate.response import response_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hlm.distributions import Distribution
    from hlm.scenario import Covariate, Scenario
    from hlm.simulate.layout import Layout
    from hlm.simulate.random_effects import Copula, Mixing
    from hlm.uncertain import DrawnTruth

__all__ = ["RowDraws", "draw_by_row", "draw_rows", "rows_left"]

Floats = NDArray[np.float64]

COUNTED = 200
"""Of so many data sets the rows that are left are counted to tell their mean."""

SIZES = "unit sizes"
"""The name of the stream of the numbers of rows; no covariate's, as it has a space."""


@dataclass(frozen=True)
class RowDraws:
    """The raw material of n consecutive replicates, row after row.

    Attributes
    ----------
    rows : RowLayout
        Which rows there are, those that are missing left out.
    covariates : dict of str to ndarray
        (n or 1, n_units) at the level of the units, (total,) at that of the rows.
    effects : ndarray (n, q, n_units)
        The random effects b, of the truth's Z.
    residuals : ndarray (total,)
        In units of the residual sd.
    response : ndarray (total,), optional
        Where it is a generator's. What the truth's fixed part leaves of it is then in `residuals`,
        and the effects are 0.
    truth : DrawnTruth, optional
        The parameters of each data set, where some are uncertain.
    """

    rows: RowLayout
    covariates: dict[str, Floats]
    effects: Floats
    residuals: Floats
    response: Floats | None = None
    truth: DrawnTruth | None = None

    @cached_property
    def by_rows(self) -> dict[str, Floats]:
        """The covariates with a value for each row, (total,)."""
        return {name: self.rows.by_rows(one) for name, one in self.covariates.items()}


def draw_by_row(scenario: Scenario, seed: int, start: int, stop: int) -> Iterator[RowDraws]:
    """Draw the replicates `start` to `stop - 1` of a scenario, some at a time.

    Examples
    --------
    >>> from hlm.rows.sizes import Poisson
    >>> from hlm.scenario import Scenario
    >>> s = Scenario("0" * 16, 2, Poisson(3.0), (), "y ~ 1 + (1 | g)", (("(Intercept)", 0.0),),
    ...              (1.0,), ((1.0,),), 1.0)
    >>> whole = next(draw_by_row(s, 1, 0, 5))
    >>> alone = next(draw_by_row(s, 1, 3, 4)).residuals
    >>> bool((alone == whole.residuals[whole.rows.starts[6]:whole.rows.starts[8]]).all())
    True
    """
    drawn = [c for c in scenario.covariates if c.level == "row" and not c.distribution.is_fixed]
    size = max(1, CHUNK_VALUES // (scenario.n_obs * (2 + len(drawn))))
    together = scenario.block
    make = _maker(scenario, min(size, together))
    for block in range(start // together, -(-stop // together)):
        streams = make(Seeds(scenario, seed, block))
        first, last = block * together, min(stop, (block + 1) * together)
        # In the first block the replicates before `start` are drawn and left
        for at in chunks(first, min(max(start, first), last), size):
            streams.take(*at)
        for at in chunks(max(start, first), last, size):
            yield streams.take(*at)


def _maker(scenario: Scenario, size: int) -> Callable[[Seeds], _Streams]:
    """Return what makes the streams of a block, of which no more than `size` are taken at once."""
    if not scenario.has_plain_design:
        recipe = recipe_of(scenario)
        return lambda seeds: _Streams(scenario, recipe, seeds)
    drawing = Drawing.of(scenario, rows=True)
    room = drawing.room(size)
    return lambda seeds: _PlainStreams(drawing, room, seeds)


class _Streams:
    """The streams of one block of one scenario."""

    def __init__(self, scenario: Scenario, recipe: Mixing | Copula, seeds: Seeds) -> None:
        self.scenario, self.recipe, self.seeds = scenario, recipe, seeds
        self.noise = stream_of(scenario.residuals, seeds.noise())
        self.effects = recipe.streams(seeds.effects())
        self.others: dict[str, np.random.Generator] = {}
        self.generated = _generated(scenario, seeds)
        self.truths = seeds.truths()

    def named(self, name: str) -> np.random.Generator:
        """Return the stream of that name."""
        if name not in self.others:
            self.others[name] = self.seeds.named(name)
        return self.others[name]

    def take(self, start: int, stop: int) -> RowDraws:
        """Draw the next `stop - start` replicates."""
        s, n = self.scenario, stop - start
        given = None
        if self.generated is not None:
            given = self.generated.part(start % s.block, start % s.block + n)
        fixed = None if given or isinstance(s.n_rows, Sizes) else layout_of(s)
        rows = given.rows if given else self._rows(n)
        numbers = _Numbers(self, n, rows, fixed)
        drawn = given.covariates if given else None
        covariates = make_covariates(s.covariates, s.correlated, rows, numbers, drawn)
        if given and given.response is not None:
            own = {c.name: covariates[c.name] for c in s.covariates}
            whole = _responded(s, rows, own, given.response)
            return whole if s.missing is None else _observed(s, whole, numbers)
        truth = part_of(self.truths, start, n)
        z = self.recipe.draw(self.effects, n, s.n_units)
        effects = self.recipe.of_each(truth).effects(z)
        residuals = numbers.in_rows(lambda size: standard_numbers(s.residuals, self.noise, size))
        return _structured(s, RowDraws(rows, covariates, effects, residuals, truth=truth), numbers)

    def _rows(self, n: int) -> RowLayout:
        """Return how many rows the units of n replicates have, and of which data they are."""
        n_rows, shape = self.scenario.n_rows, (n, self.scenario.n_units)
        if isinstance(n_rows, Resampled):
            source = n_rows.pick(self.named(SIZES), shape)
            return RowLayout.of(np.array(n_rows.sizes)[source], source)
        if isinstance(n_rows, Sizes):
            return RowLayout.of(n_rows.draw(self.named(SIZES), shape))
        return RowLayout.of(np.broadcast_to(n_rows, shape))


class _PlainStreams(_Streams):
    """Those of a plain design: what is drawn is that of `draws`, as rows."""

    def __init__(self, drawing: Drawing, room: tuple[Floats, Floats], seeds: Seeds) -> None:
        self.scenario, self.seeds = drawing.scenario, seeds
        self.others = {}
        self.plain = Streams(drawing, seeds, room)

    def take(self, start: int, stop: int) -> RowDraws:
        """Draw the next `stop - start` replicates."""
        s, n, draws = self.scenario, stop - start, self.plain.take(start, stop)
        assert draws.noise is not None
        layout, rows = draws.layout, self._rows(n)
        numbers = _Numbers(self, n, rows, layout)
        place = slice(None) if layout.order is None else np.argsort(layout.order)
        drawn = {
            c.name: draws.covariates[c.name][:, 0, place]
            if c.level == "unit"
            else draws.covariates[c.name].reshape(n, -1)[:, layout.by_unit].ravel()
            for c in s.covariates
            if not c.distribution.is_fixed
        }
        covariates = make_covariates(s.covariates, s.correlated, rows, numbers, drawn)
        residuals = draws.noise.reshape(n, -1)[:, layout.by_unit].ravel()
        effects = draws.effects[..., place]
        return _structured(
            s, RowDraws(rows, covariates, effects, residuals, truth=draws.truth), numbers
        )


def _structured(scenario: Scenario, made: RowDraws, numbers: _Numbers) -> RowDraws:
    """Give residuals their correlation and variances, and leave out what is missing.

    Of the covariates those are kept that the scenario names.
    """
    covariates, rows, residuals = made.covariates, made.rows, made.residuals
    if scenario.autocorrelation is not None:
        scenario.autocorrelation.apply(residuals, covariates, rows)
    if scenario.variance is not None:
        residuals *= scenario.variance.factors(covariates, rows, numbers)
    whole = replace(made, covariates={c.name: covariates[c.name] for c in scenario.covariates})
    return whole if scenario.missing is None else _observed(scenario, whole, numbers)


def _generated(scenario: Scenario, seeds: Seeds) -> Generated | None:
    """Return what a generator draws for a block, if there is one."""
    generator = scenario.generator
    if generator is None:
        return None
    first = seeds.block * generator.group
    last = first + generator.group - 1
    return generate(generator, seeds.generator(), first, last, scenario=scenario.key)


def _responded(
    scenario: Scenario, rows: RowLayout, covariates: dict[str, Floats], response: Floats
) -> RowDraws:
    """Return data sets with a response that is given: y - X beta is what is random of it."""
    n = len(rows.n_obs)
    effects = np.zeros((n, len(scenario.sd), rows.n_units))
    empty = RowDraws(rows, covariates, effects, np.zeros(len(response)))
    mean = response_of(scenario, empty.by_rows, effects, empty.residuals, rows)
    return RowDraws(rows, covariates, effects, (response - mean) / scenario.sigma, response)


class _Numbers:
    """Random numbers of n replicates, in the order of the rows."""

    def __init__(self, streams: _Streams, n: int, rows: RowLayout, fixed: Layout | None) -> None:
        self._streams, self._n, self._rows, self._fixed = streams, n, rows, fixed

    def of_units(self, stream: str, distribution: Distribution) -> Floats:
        """Return numbers of units, (n, n_units)."""
        rng = self._streams.named(stream)
        return distribution.arranged(rng, (self._n, self._rows.n_units))

    def of_rows(self, stream: str, distribution: Distribution) -> Floats:
        """Return numbers of rows, (total,)."""
        rng = self._streams.named(stream)
        if isinstance(distribution, Balanced):
            return self._balanced(stream, distribution)
        return self.in_rows(lambda size: distribution.draw(rng, size))

    def _balanced(self, stream: str, balanced: Balanced) -> Floats:
        """Return what is balanced within each unit, (total,)."""
        rng, rows = self._streams.named(stream), self._rows
        if self._fixed is not None:
            drawn = balanced_rows(balanced, rng, self._n, self._fixed)
            return drawn.reshape(self._n, -1)[:, self._fixed.by_unit].ravel()
        # Ranks of uniform numbers within each unit are permutations, as of the values' own numbers
        ordered = np.lexsort((rng.random(int(rows.starts[-1])), rows.unit))
        rank = np.empty(len(ordered), dtype=np.int64)
        rank[ordered] = rows.position
        values = self._streams.named(f"{stream} order")
        order = np.argsort(values.random((len(rows.starts) - 1, len(balanced.codes))), axis=1)
        return np.array(balanced.codes)[order[rows.unit, rank % len(balanced.codes)]]

    def in_rows(self, draw: Callable[[tuple[int, ...]], Floats]) -> Floats:
        """Draw numbers of rows, (total,); of a fixed layout in the order of `draws`."""
        if self._fixed is None:
            return draw((int(self._rows.starts[-1]),))
        drawn = draw((self._n, *self._fixed.row_shape))
        return drawn.reshape(self._n, -1)[:, self._fixed.by_unit].ravel()


def _observed(scenario: Scenario, whole: RowDraws, numbers: _Numbers) -> RowDraws:
    """Leave out what is missing."""
    missing = scenario.missing
    assert missing is not None
    data = dict(whole.covariates)
    response = parse(scenario.formula).response
    if {response, PREVIOUS} & set(missing.names):
        data[response] = _response(scenario, whole)
        data[PREVIOUS] = np.append(0.0, data[response][:-1])
    kept = missing.kept(data, whole.rows, numbers)
    covariates = {k: v[kept] if v.ndim == 1 else v for k, v in whole.covariates.items()}
    left = whole.rows.left(kept)
    y = None if whole.response is None else whole.response[kept]
    return RowDraws(left, covariates, whole.effects, whole.residuals[kept], y, whole.truth)


def _response(scenario: Scenario, draws: RowDraws) -> Floats:
    if draws.response is not None:
        return draws.response
    return response_of(
        scenario, draws.by_rows, draws.effects, draws.residuals, draws.rows, draws.truth
    )


def rows_left(scenario: Scenario, seed: int, replicates: int) -> float:
    """Return the mean number of rows of a data set that are not missing.

    Over the first data sets of a study, at most `COUNTED` of them.
    """
    draws = draw_by_row(scenario, seed, 0, min(replicates, COUNTED))
    return float(np.concatenate([some.rows.n_obs for some in draws]).mean())


def draw_rows(scenario: Scenario, seed: int, replicate: int) -> dict[str, Any]:
    """Draw one replicate again, as rows.

    Returns
    -------
    dict of str to ndarray, (n_obs,)
        The group (numbers from 1), the covariates in the scenario's order, the response; the rows
        of a unit together. Covariates that are labels are pandas categoricals, the reference first.
    """
    draws = next(draw_by_row(scenario, seed, replicate, replicate + 1))
    formula = parse(scenario.formula)
    y = _response(scenario, draws)
    group = {formula.random[0].group: draws.rows.unit + 1}
    shown = {c.name: _labelled(c, draws.by_rows[c.name]) for c in scenario.covariates}
    return {**group, **shown, formula.response: y}


def _labelled(covariate: Covariate, values: Floats) -> Any:
    """Return the labels that values are codes of, or the values if they are numbers."""
    labels = covariate.distribution.labels
    if not labels:
        return values
    import pandas as pd

    return pd.Categorical.from_codes(values.astype(int).tolist(), pd.Index(labels))
