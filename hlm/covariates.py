"""The covariates of data sets: fixed, drawn, correlated, or from others; and an example."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from hlm.distributions import STANDARD_NORMAL, Balanced, Points, RowValues, UnitValues
from hlm.distributions.copula import normal_correlations, root
from hlm.rows.origins import Measured, between, error
from hlm.rows.quantile_table import from_normal
from hlm.rows.row_layout import RowLayout
from hlm.scenario import CorrelatedSet, Covariate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.distributions import Distribution
    from hlm.rows.origins import Numbers

    Floats = NDArray[np.float64]

__all__ = ["example", "make_covariates", "sample"]


def make_covariates(
    covariates: Sequence[Covariate],
    correlated: Sequence[CorrelatedSet],
    rows: RowLayout,
    numbers: Numbers,
    given: Mapping[str, Floats] | None = None,
) -> dict[str, Floats]:
    """Return the covariates of n data sets, (total,) of rows, (n or 1, n_units) of units.

    Parameters
    ----------
    covariates : sequence of Covariate
    correlated : sequence of CorrelatedSet
    rows : RowLayout
    numbers : Numbers
        Where the random numbers come from.
    given : mapping of str to ndarray, optional
        Those that are there already.

    Returns
    -------
    dict of str to ndarray
        Beside the covariates, under names that no covariate has, the parts of which some are made.
    """
    data: dict[str, Floats] = dict(given or {})
    together = {name for one in correlated for name in one.names}
    by_name = {c.name: c for c in covariates}
    for c in covariates:
        if c.origin is None and c.name not in together and c.name not in data:
            data[c.name] = _own(c, rows, numbers, data)
        elif isinstance(c.origin, Measured):
            data[error(c.name)] = _numbers(c, error(c.name), STANDARD_NORMAL, numbers)
    for one in correlated:
        data |= _correlated([by_name[name] for name in one.names], one.cor, numbers)
    left = [c for c in covariates if c.origin is not None]
    while left:
        c = next(c for c in left if c.origin is not None and c.origin.of in data)
        data[c.name] = c.origin.values(c.name, data, rows)  # type: ignore[union-attr]
        left.remove(c)
    return data


def _own(c: Covariate, rows: RowLayout, numbers: Numbers, data: dict[str, Floats]) -> Floats:
    """Return one that does not depend on others."""
    own = c.distribution
    if isinstance(own, RowValues):
        return own.of_units(rows.picked(len(own.sizes))[rows.unit], rows.position)
    if isinstance(own, UnitValues):
        values = np.array(own.values)[rows.picked(len(own.values))]
        return values.reshape(-1, rows.n_units)
    if own.is_fixed:
        if c.level == "unit":
            return own.points(rows.n_units).reshape(1, -1)
        return own.at(rows.position, rows.sizes.ravel()[rows.unit])
    if not c.icc:
        return _numbers(c, c.name, own, numbers)
    # x = mean + sd (icc^{1/2} u + (1 - icc)^{1/2} w), both parts of its shape
    shared = numbers.of_units(between(c.name), own)
    shared = own.mean + sqrt(c.icc) * (shared - own.mean)
    data[between(c.name)] = shared
    alone = numbers.of_rows(c.name, own) - own.mean
    return rows.of_units(shared) + sqrt(1.0 - c.icc) * alone


def _numbers(c: Covariate, stream: str, distribution: Distribution, numbers: Numbers) -> Floats:
    of_level = numbers.of_units if c.level == "unit" else numbers.of_rows
    return of_level(stream, distribution)


def _correlated(
    members: Sequence[Covariate], cor: Sequence[Sequence[float]], numbers: Numbers
) -> dict[str, Floats]:
    """Return covariates that are functions of correlated normals."""
    shapes = tuple(c.distribution for c in members)
    weights = _weights(shapes, tuple(map(tuple, cor)))
    z = [_numbers(c, c.name, STANDARD_NORMAL, numbers) for c in members]
    found = {}
    # x_a = mean_a + sd_a h_a(sum_{k<=a} L_ak z_k)
    for c, row in zip(members, weights, strict=True):
        normal = sum(weight * one for weight, one in zip(row, z, strict=True) if weight)
        own = c.distribution
        found[c.name] = own.mean + own.sd * from_normal(own.shape_alone, np.asarray(normal))
    return found


@lru_cache(maxsize=1024)
def _weights(shapes: tuple[Distribution, ...], cor: tuple[tuple[float, ...], ...]) -> Floats:
    return root(normal_correlations(shapes, cor))


class _Examples:
    """Numbers that show what formulas make of the values that there may be."""

    def __init__(self, rows: RowLayout, seed: int) -> None:
        self._rows, self._rng = rows, np.random.default_rng(seed)

    def of_rows(self, stream: str, distribution: Distribution) -> Floats:  # noqa: ARG002
        """Return one number for each row; what is balanced as in a data set."""
        if isinstance(distribution, Balanced):
            units = self._rows.sizes.ravel().tolist()
            return np.concatenate([distribution.arranged(self._rng, (n,)) for n in units])
        return self._independent(distribution, (int(self._rows.starts[-1]),))

    def of_units(self, stream: str, distribution: Distribution) -> Floats:  # noqa: ARG002
        """Return one number for each unit; what is balanced as in a data set."""
        shape = (1, self._rows.n_units)
        if isinstance(distribution, Balanced):
            return distribution.arranged(self._rng, shape)
        return self._independent(distribution, shape)

    def _independent(self, distribution: Distribution, shape: tuple[int, ...]) -> Floats:
        return distribution.example(self._rng, shape)


class _Draws(_Examples):
    """Numbers as they are drawn, of one large data set; or others for the rows of its units."""

    def __init__(self, rows: RowLayout, seed: int, draw: int) -> None:
        self._rows, self._units = rows, np.random.default_rng(seed)
        self._rng = np.random.default_rng((seed, draw))

    def of_units(self, stream: str, distribution: Distribution) -> Floats:  # noqa: ARG002
        """Return one number for each unit."""
        return distribution.arranged(self._units, (1, self._rows.n_units))

    def _independent(self, distribution: Distribution, shape: tuple[int, ...]) -> Floats:
        return distribution.draw(self._rng, shape)


@lru_cache(maxsize=64)
def sample(
    covariates: tuple[Covariate, ...],
    correlated: tuple[CorrelatedSet, ...],
    n_rows: int | tuple[int, ...],
    n_units: int,
    draw: int = 0,
) -> tuple[Mapping[str, Floats], RowLayout]:
    """Draw the covariates of many units, to tell moments that have no closed form.

    Of another `draw` the units are the same ones, and what is drawn for their rows differs.

    Returns
    -------
    data : mapping of str to ndarray (total,)
    rows : RowLayout
    """
    rows = RowLayout.of(np.resize(n_rows, (1, n_units)))
    more = [_repeated(c, n_units) for c in covariates]
    made = make_covariates(more, correlated, rows, _Draws(rows, 2012, draw))
    values = {c.name: made[c.name] for c in covariates}
    return {name: rows.by_rows(one) for name, one in values.items()}, rows


def _repeated(c: Covariate, n_units: int) -> Covariate:
    """Return a covariate whose fixed values of units are repeated."""
    if not c.distribution.values or c.level == "row" or isinstance(c.distribution, UnitValues):
        return c
    return Covariate(c.name, c.level, Points(tuple(np.resize(c.distribution.values, n_units))))


@lru_cache(maxsize=64)
def example(
    covariates: tuple[Covariate, ...],
    correlated: tuple[CorrelatedSet, ...],
    counts: tuple[int, int | tuple[int, ...]],
    seed: int = 2012,
) -> Mapping[str, Floats]:
    """Draw the covariates once, for so many units, and rows of all or of each; unit after unit.

    A stand-in to tell what no data can identify; binary covariates are drawn with probability
    one half, so that a rare value does not pass for a constant. Of a longer grid only some
    values are taken.

    Examples
    --------
    >>> x = Covariate("x", "row", Points((1.0, 2.0)))
    >>> example((x,), (), (2, 2))["x"]
    array([1., 2., 1., 2.])
    """
    sizes = np.broadcast_to(counts[1], (1, counts[0]))
    rows = RowLayout.of(sizes)
    thinned = [_thinned(c, counts[0], int(sizes.max())) for c in covariates]
    made = make_covariates(thinned, correlated, rows, _Examples(rows, seed))
    values = {c.name: made[c.name] for c in covariates}
    of_rows = {name: rows.by_rows(one) for name, one in values.items()}
    return {"unit": rows.unit.astype(float) + 1.0, **of_rows}


def _thinned(c: Covariate, n_units: int, n_rows: int) -> Covariate:
    """Return a covariate with as many of its fixed values as there are units or rows."""
    values = c.distribution.values
    if not values or isinstance(c.distribution, UnitValues):
        return c
    count = n_units if c.level == "unit" else n_rows
    picked = np.linspace(0, len(values) - 1, count).astype(int)
    return Covariate(c.name, c.level, Points(tuple(values[k] for k in picked)))
