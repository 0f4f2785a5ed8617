r"""Streams of what is normal by row: residuals, and covariates, as coordinates or as rows.

Each coordinate has a stream of its own, named by whose it is and along which column; so have what
is left over and, where rows are asked for, their direction. Rows are made of the numbers that the
sums are made of, and whether they are asked for changes no sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.simulate.coordinates import (
    factor_of_normal,
    make_rows,
    spare_squares,
)
from hlm.simulate.normals import States, chi_squares, fill_normals, states_of
from hlm.simulate.orthonormal import factors_of, orthonormal
from hlm.simulate.part_values import columns_of
from hlm.simulate.row_sums import products_of_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.simulate.columns import Part
    from hlm.simulate.design_basis import DesignBasis
    from hlm.simulate.draws import Seeds
    from hlm.simulate.layout import Layout

__all__ = ["RESIDUAL", "Coordinates", "NormalStreams", "factor_of"]

Floats = NDArray[np.float64]

RESIDUAL = "residual"
"""What the streams of residuals begin with; the names go on with a space."""


def of_covariate(name: str) -> str:
    """Return what the streams of a normal covariate begin with: its name, if not the residuals'.

    Examples
    --------
    >>> of_covariate("x"), of_covariate("residual")
    ('x', 'residual residual')
    """
    return f"{RESIDUAL} {name}" if name == RESIDUAL else name


class Coordinates(NamedTuple):
    """Normal rows of n data sets in units of their sd, reduced to what sums need of them.

    Attributes
    ----------
    along : ndarray (k, n, n_units)
        The coordinates along the columns of the basis.
    left : ndarray (n, 1) or (n, n_units)
        The square of what they leave, of all units or of each; without what absent coordinates
        add.
    """

    along: Floats
    left: Floats


class NormalStreams:
    """The streams of one block of one scenario."""

    def __init__(self, basis: DesignBasis, layout: Layout, seeds: Seeds) -> None:
        self.basis, self.layout, self.seeds = basis, layout, seeds
        self.states: dict[tuple[str, ...], States] = {}

    def named(self, *names: str) -> States:
        """Return the states of the streams of these names, (k, 4)."""
        if names not in self.states:
            self.states[names] = states_of(self.seeds.named(name) for name in names)
        return self.states[names]

    def along(self, whose: str, out: Floats) -> None:
        """Draw coordinates along the first columns of the basis, into `out` (k, n, n_units)."""
        names = [f"{whose} {name}" for name in self.basis.names[: len(out)]]
        fill_normals(self.named(*names), out.reshape(len(out), -1))

    def residuals(self, n: int, room: Floats) -> Coordinates:
        """Draw the coordinates of the residuals of n data sets, into `room`, (k, n, n_units)."""
        self.along(RESIDUAL, room)
        freedom = np.array([np.maximum(self.layout.sizes - len(room), 0.0).sum()])
        left = chi_squares(self.named(f"{RESIDUAL} left"), freedom, n)
        return Coordinates(room, left)

    def split(self, found: Coordinates) -> Coordinates:
        """Share what is left over out among the units, at random.

        Given their sum, chi-square numbers have the shares of other ones of the same degrees.
        """
        freedom = np.maximum(self.layout.sizes - len(found.along), 0.0)
        shares = chi_squares(self.named(f"{RESIDUAL} shares"), freedom, len(found.left))
        if freedom.any():
            shares *= found.left / shares.sum(axis=1, keepdims=True)
        return Coordinates(found.along, shares)

    def residual_rows(
        self,
        found: Coordinates,
        data: dict[str, Floats],
        lower: Floats | None,
        out: Floats,
    ) -> None:
        """Write rows that have these coordinates into `out`, (n, *layout.row_shape).

        `lower` are the factors of the basis, where they have been drawn.
        """
        if lower is None:
            lower = factor_of(self.basis.parts, data, self.layout)
        spare = self._spare(lower, found.along)
        if found.left.shape[1] == 1:
            spare = spare.sum(axis=1, keepdims=True)
        self._rows(RESIDUAL, data, lower, found.along, found.left + spare, out)

    def covariates(
        self, n: int, data: dict[str, Floats], *, rows: bool
    ) -> tuple[Floats, dict[str, Floats]]:
        """Draw the normal covariates of n data sets.

        Returns
        -------
        lower : ndarray (n, pairs, n_units)
            The factors of the columns: those that are fixed, then the normal ones.
        data : dict of str to ndarray
            The rows of each, if they are asked for.
        """
        sizes = self.layout.sizes
        fixed = factor_of(self.basis.fixed, data, self.layout)
        first, m = len(self.basis.fixed), len(sizes)
        k = first + len(self.basis.normals)
        lower = np.empty((n, k * (k + 1) // 2, m))
        lower[:, : fixed.shape[1]] = fixed
        found: dict[str, Floats] = {}
        for a, c in enumerate(self.basis.normals, first):
            along, own = np.empty((a, n, m)), of_covariate(c.name)
            self.along(own, along)
            freedom = np.maximum(sizes - a, 0.0)
            left = chi_squares(self.named(f"{own} left"), freedom, n)
            left += self._spare(lower, along)
            factor_of_normal(a, along, left, lower)
            if rows:
                values = np.empty((n, *self.layout.row_shape))
                self._rows(own, {**data, **found}, lower, along, left, values)
                found[c.name] = c.distribution.mean + c.distribution.sd * values
        return lower, found

    def _spare(self, lower: Floats, along: Floats) -> Floats:
        spare = np.empty(along.shape[1:])
        spare_squares(lower, self.layout.sizes, along, spare)
        return spare

    def _rows(
        self,
        name: str,
        data: dict[str, Floats],
        lower: Floats,
        along: Floats,
        left: Floats,
        out: Floats,
    ) -> None:
        """Draw the directions of rows, and make the rows of them, in place."""
        (k, n, m), sizes = along.shape, self.layout.sizes
        q, root = orthonormal(*columns_of(self.basis.parts[:k], data, self.layout), sizes)
        flat, work = out.reshape(n, -1), np.empty((2, k + 1, m))
        fill_normals(self.named(f"{name} rows"), flat.reshape(1, -1))
        make_rows(q, self.layout.starts, lower, root, along, left, flat, work)


def factor_of(parts: Sequence[Part], data: dict[str, Floats], layout: Layout) -> Floats:
    """Return the Cholesky factors of the columns' cross-products, (n or 1, pairs, units or 1)."""
    columns, starts = columns_of(parts, data, layout)
    return factors_of(columns, starts, products_of_columns(columns, starts), layout.sizes)
