r"""Normal rows whose sd differs between groups: the coordinates of each group's own rows.

The rows e_g of a unit in group g, in units of their sd, are reduced by the basis x_a of those rows
alone, as `coordinates` reduces all rows of a unit: to coordinates c_g and what is left over. These
have to be those of rows whose coordinates z along the whole unit's columns, and whose squares left
over, are drawn already: so scenarios that differ in the groups' sds are made of the same numbers.

With L_g L_g' and L L' = sum_g L_g L_g' the cross-products of the columns in a group and in the
unit, z = M c with M = L^{-1} [L_1 L_2 ...], M M' = I. So with w independent normals and chi_g^2
independent chi-square numbers

    c = M'z + f (w - M'M w),     f^2 = left / (sum |w - M'M w|^2 + sum_g chi_g^2),

and f^2 chi_g^2 is left over in group g, of all units: direction and length of what z leaves are
independent (docs/derivation.md, Section 21).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.formula import Factor
from hlm.formula.syntax import Name
from hlm.jit import entry
from hlm.simulate.columns import Part
from hlm.simulate.coordinates import (
    factor_columns,
    make_rows,
    place_coordinates,
    solve_unit,
    solve_unit_back,
    spare_squares,
)
from hlm.simulate.normals import chi_squares
from hlm.simulate.part_values import columns_of
from hlm.simulate.row_sums import cross_columns

if TYPE_CHECKING:
    from hlm.simulate.layout import Layout
    from hlm.simulate.normal_streams import Coordinates, NormalStreams
    from hlm.simulate.residual_scales import RowGroups

__all__ = ["GroupedRows", "draw_groups"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class GroupedRows(NamedTuple):
    """Normal rows of n data sets in units of their sds, reduced group by group.

    Attributes
    ----------
    groups : RowGroups
    columns : ndarray (n or 1, k, rows or one for all of each)
        The columns of the basis.
    group : ndarray of int (n or 1, rows or one for all of each)
        The group of each row.
    lower : ndarray (n_groups, n or 1, pairs, n_units or 1)
        The factors of the columns in each group.
    along : ndarray (n_groups, k, n, n_units)
        The coordinates; absent ones for which there is a row stand for what is left over.
    left : ndarray (n, n_groups)
        The squares that are left over, of all units.
    """

    groups: RowGroups
    columns: Floats
    group: Integers
    lower: Floats
    along: Floats
    left: Floats

    def sums(self) -> tuple[Floats, Floats]:
        """Return the products of columns with residuals, (n, k, n_units), and their squares.

        What is left over stands with the first unit.
        """
        k, n, m = self.along.shape[1:]
        response, squares = np.zeros((n, k, m)), np.zeros((n, m))
        own, own_squares = np.empty_like(response), np.empty_like(squares)
        places, enough = np.arange(k), np.full(m, k)
        for g, sd in enumerate(self.groups.sds):
            place_coordinates(self.lower[g], enough, places, self.along[g], own, own_squares)
            own_squares[:, 0] += self.left[:, g]
            response += sd * own
            squares += sd * sd * own_squares
        return response, squares

    def make(self, layout: Layout, noise: Floats) -> None:
        """Turn normals in `noise` (n, rows) into rows that have these coordinates, in place."""
        n, m = self.along.shape[2:]
        found, work = np.zeros_like(noise), np.empty((2, self.along.shape[1] + 1, m))
        for g, (lower, along) in enumerate(zip(self.lower, self.along, strict=True)):
            inside = self.group == g
            columns = self.columns * inside[:, None]
            own = noise * (inside if inside.shape[1] == noise.shape[1] else np.repeat(inside, m, 1))
            absent = along * along * (_pivots(lower) == 0.0)
            left = self.left[:, g] + absent.sum(axis=(0, 2))
            make_rows(columns, layout.starts, lower, along, left[:, None], own, work)
            found += own
        noise[:] = found


def draw_groups(
    groups: RowGroups,
    found: Coordinates,
    data: dict[str, Floats],
    layout: Layout,
    streams: NormalStreams,
) -> GroupedRows:
    """Draw the coordinates of each group's rows, given those of all rows of a unit."""
    parts, k = streams.basis.parts, len(streams.basis.parts)
    by = Part((Factor(groups.by, Name(groups.by)),))
    columns, starts = columns_of([*parts, by], data, layout)
    columns, group = np.ascontiguousarray(columns[:, :k]), groups.of(columns[:, k])
    n, m = found.along.shape[1:]
    n_groups = len(groups.sds)
    grams = _grams(columns, group, n_groups, starts)
    sizes = grams[:, :, 0].astype(np.int64)
    factors = np.stack([_factors(*own) for own in zip(grams, sizes, strict=True)])
    lower = _factors(grams.sum(axis=0), np.broadcast_to(layout.sizes[: starts[1]], sizes[0].shape))
    along, left = np.empty((n_groups, k, n, m)), np.empty((n, n_groups))
    for g in range(n_groups):
        own = f"residual in group {g} of {groups.by}"
        streams.along(own, along[g])
        more = np.maximum(np.broadcast_to(sizes[g], (len(sizes[g]), m)) - k, 0.0).sum(axis=1)
        freedom = np.broadcast_to(more, n).astype(np.float64)
        left[:, g] = chi_squares(streams.named(f"{own} left"), freedom, 1)[0]
    if (sizes < k).any():
        leave_out(factors, sizes, along)
    spare = np.empty((n, m))
    spare_squares(lower, layout.sizes, found.along, spare)
    squares = found.left[:, 0] + spare.sum(axis=1)
    match_units(factors, lower, found.along, squares, along, left, np.empty((k, m)))
    return GroupedRows(groups, columns, group, factors, along, left)


def _grams(columns: Floats, group: Integers, n_groups: int, starts: Integers) -> Floats:
    """Return the cross-products of the columns in each group, (n_groups, n, pairs, units)."""
    n, k = columns.shape[:2]
    found = np.zeros((n_groups, n, k * (k + 1) // 2, starts[1]))
    for g in range(n_groups):
        cross_columns(columns * (group == g)[:, None], starts, found[g])
    return found


def _factors(gram: Floats, sizes: Integers) -> Floats:
    """Return Cholesky factors, (n, pairs, units), of units that have `sizes` (n, units) rows."""
    n, pairs, units = gram.shape
    # The units of all data sets side by side: each has its own number of rows
    flat = np.ascontiguousarray(gram.swapaxes(0, 1)).reshape(1, pairs, n * units)
    found = np.empty_like(flat)
    factor_columns(flat, np.ascontiguousarray(sizes).reshape(-1), found)
    return np.ascontiguousarray(found.reshape(pairs, n, units).swapaxes(0, 1))


def _pivots(lower: Floats) -> Floats:
    """Return the diagonals of factors (n or 1, pairs, units or 1), (k, n or 1, units or 1)."""
    k = int(np.sqrt(2 * lower.shape[1]))
    return lower[:, [a * (a + 1) // 2 + a for a in range(k)]].swapaxes(0, 1)


@entry
def leave_out(lower, sizes, along):
    """Set absent coordinates to zero for which a unit has no row in a group.

    `lower` is (groups, n or 1, pairs, units or 1), `sizes` (groups, n or 1, units or 1), `along`
    (groups, k, n, units).
    """
    groups, k, n, n_units = along.shape
    for g in range(groups):
        for r in range(n):
            own = r if lower.shape[1] > 1 else 0
            for i in range(n_units):
                unit = i if lower.shape[3] > 1 else 0
                left = sizes[g, own, unit]
                for a in range(k):
                    left -= lower[g, own, a * (a + 1) // 2 + a, unit] > 0.0
                for a in range(k):
                    if lower[g, own, a * (a + 1) // 2 + a, unit] == 0.0:
                        if left <= 0:
                            along[g, a, r, i] = 0.0
                        left -= 1


@entry
def match_units(lower, whole, coordinates, squares, along, left, work):
    """Turn independent w in `along`, and chi-squares in `left`, into those of given rows.

    Of all rows of a unit the coordinates are `coordinates` (k, n, units), along columns with the
    factors `whole`, and `squares` (n,) is what they leave; `work` is (k, units). The others are as
    in `GroupedRows`.
    """
    groups, k, n, n_units = along.shape
    for r in range(n):
        root = whole[r if whole.shape[0] > 1 else 0]
        own = r if lower.shape[1] > 1 else 0
        # v = M w = L^{-1} sum_g L_g w_g, and |w - M'v|^2 = |w|^2 - |v|^2
        total = 0.0
        for g in range(groups):
            total += left[r, g]
        for i in range(n_units):
            unit, v = i if lower.shape[3] > 1 else 0, work[:, i]
            for a in range(k):
                v[a] = 0.0
                for g in range(groups):
                    factor = lower[g, own]
                    for b in range(a + 1):
                        v[a] += factor[a * (a + 1) // 2 + b, unit] * along[g, b, r, i]
            solve_unit(root, i if root.shape[1] > 1 else 0, k, v)
            for a in range(k):
                for g in range(groups):
                    total += along[g, a, r, i] * along[g, a, r, i]
                total -= v[a] * v[a]
        f = np.sqrt(squares[r] / total) if squares[r] > 0.0 else 0.0
        for g in range(groups):
            left[r, g] *= f * f
        # c_g = f w_g + L_g' L'^{-1} (z - f v)
        for i in range(n_units):
            unit, v = i if lower.shape[3] > 1 else 0, work[:, i]
            for a in range(k):
                v[a] = coordinates[a, r, i] - f * v[a]
            solve_unit_back(root, i if root.shape[1] > 1 else 0, k, v)
            for g in range(groups):
                factor = lower[g, own]
                for b in range(k):
                    value = f * along[g, b, r, i]
                    for a in range(b, k):
                        value += factor[a * (a + 1) // 2 + b, unit] * v[a]
                    along[g, b, r, i] = value
