"""Cross-products of columns and residuals, from the coordinates of the residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.simulate.coordinates import place_coordinates, products_of_factors
from hlm.simulate.orthonormal import factors_of
from hlm.simulate.part_values import Room, columns_of, pairs_among
from hlm.simulate.row_sums import products_of_columns, products_with_noise

if TYPE_CHECKING:
    from hlm.simulate.columns import Basis, Part
    from hlm.simulate.design_basis import Affine, DesignBasis
    from hlm.simulate.draws import Draws

__all__ = ["CoordinateSums", "Places", "places_in"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """Where the columns that models need are in the basis in which data sets are drawn.

    Attributes
    ----------
    parts : tuple of Part
        The columns of the models, and behind them those of the basis that are not among them.
    own : ndarray of int (k,)
        The number of each column of the basis among `parts`.
    affine : tuple of Affine or None
        Of each column of the models.
    """

    parts: tuple[Part, ...]
    own: Integers
    affine: tuple[Affine | None, ...]

    @property
    def need_rows(self) -> bool:
        """Whether a model has a column that the basis has not."""
        return None in self.affine

    @property
    def outside(self) -> Integers:
        """The numbers of those columns."""
        return np.array([j for j, one in enumerate(self.affine) if one is None], dtype=np.int64)


def places_in(basis: Basis, own: DesignBasis) -> Places:
    """Find the columns of the models in the basis of design and truth."""
    parts = list(basis.columns)
    parts += [part for part in own.parts if part not in parts]
    numbers = np.array([parts.index(part) for part in own.parts])
    return Places(tuple(parts), numbers, tuple(own.place_of(part) for part in basis.columns))


class CoordinateSums:
    """Sums over rows of data sets that are drawn some at a time.

    Parameters
    ----------
    basis : Basis
        The columns of the models.
    places : Places
    fixed : bool
        Whether all data sets have the same columns, which then are crossed once.
    """

    def __init__(self, basis: Basis, places: Places, *, fixed: bool) -> None:
        self._k, self._places, self._fixed = len(basis.columns), places, fixed
        self._known: tuple[Floats, Floats] | None = None
        self._room = Room()

    def of(self, draws: Draws) -> tuple[Floats, Floats, Floats]:
        """Return the cross-products of columns, those with residuals, and the residuals' squares.

        Columns of the basis take nothing from rows that are there for others.

        Returns
        -------
        gram, response, squares : ndarray
            (n or 1, pairs, n_units or 1), (n, k, n_units), (n, n_units); of the squares what is
            left over stands with the first unit.
        """
        coordinates, places = draws.coordinates, self._places
        assert coordinates is not None
        n, m = coordinates.along.shape[1:]
        gram, lower = self._design(draws)
        response, squares = np.empty((n, len(places.parts), m)), np.empty((n, m))
        if draws.grouped is None:
            sizes, along = draws.layout.sizes, coordinates.along
            place_coordinates(lower, sizes, places.own, along, response, squares)
            squares[:, : coordinates.left.shape[1]] += coordinates.left
        else:
            response[:, places.own], squares = draws.grouped.sums()
        for j, one in enumerate(places.affine):
            if one is not None and j not in places.own:
                own, constant = response[:, places.own[one.place]], response[:, places.own[0]]
                response[:, j] = one.slope * own + one.shift * constant
        if places.need_rows:
            response[:, places.outside] = _from_rows(places, draws)
        return gram, _first(response, self._k), squares

    def _design(self, draws: Draws) -> tuple[Floats, Floats]:
        """Return the cross-products of the models' columns, and the factors of the basis."""
        if draws.lower is not None:
            return _of_factors(self._places, draws, draws.lower), draws.lower
        if self._known is not None:
            return self._known
        gram, lower = _factored(self._places, draws, self._room)
        gram = _first(gram, self._k * (self._k + 1) // 2)
        if self._fixed:
            self._known = gram, lower
        return gram, lower


def _factored(places: Places, draws: Draws, room: Room) -> tuple[Floats, Floats]:
    """Return the cross-products of all columns, from their rows, and the factors of the basis."""
    columns, starts = columns_of(places.parts, draws.covariates, draws.layout, room)
    gram = products_of_columns(columns, starts)
    pairs = pairs_among(places.own.tolist())
    own = gram
    if pairs != list(range(gram.shape[1])):
        own, columns = np.ascontiguousarray(gram[:, pairs]), columns[:, places.own]
    return gram, factors_of(columns, starts, own, draws.layout.sizes)


def _of_factors(places: Places, draws: Draws, lower: Floats) -> Floats:
    """Return the cross-products of the columns of models from the factors of the basis.

    Those with columns that it has not are from rows.
    """
    k = len(places.affine)
    gram = np.empty((len(lower), k * (k + 1) // 2, lower.shape[2]))
    if places.need_rows:
        gram[:] = products_of_columns(*columns_of(places.parts[:k], draws.covariates, draws.layout))
    numbers = np.array([-1 if one is None else one.place for one in places.affine])
    slopes = np.array([1.0 if one is None else one.slope for one in places.affine])
    shifts = np.array([0.0 if one is None else one.shift for one in places.affine])
    products_of_factors(lower, numbers, slopes, shifts, gram)
    return gram


def _from_rows(places: Places, draws: Draws) -> Floats:
    """Return the products of columns outside the basis with the residuals, from rows."""
    assert draws.noise is not None
    layout, noise = draws.layout, draws.noise
    if draws.grouped is not None:
        noise = noise * draws.grouped.groups.row_sds(draws.covariates)
    columns, _ = columns_of([places.parts[j] for j in places.outside], draws.covariates, layout)
    return products_with_noise(columns, noise, layout.starts)[0]


def _first(array: Floats, count: int) -> Floats:
    """Return the first of the second axis, as an array of their own."""
    return array if array.shape[1] == count else np.ascontiguousarray(array[:, :count])
