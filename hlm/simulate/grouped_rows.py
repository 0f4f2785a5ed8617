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

from hlm.simulate.coordinates import factor_columns, make_rows, place_coordinates, spare_squares
from hlm.simulate.group_columns import GroupColumns, columns_at
from hlm.simulate.group_coordinates import cross_groups, leave_out, match_units
from hlm.simulate.normals import chi_squares
from hlm.simulate.orthonormal import factors_of, from_rows_where_close, orthonormal
from hlm.simulate.part_values import columns_of, pair_of, pairs_among

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.simulate.columns import Part
    from hlm.simulate.design_basis import Affine
    from hlm.simulate.layout import Layout
    from hlm.simulate.normal_streams import Coordinates, NormalStreams
    from hlm.simulate.residual_scales import RowGroups

__all__ = ["GroupedRows", "draw_groups"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Groups = NDArray[np.int8]


class GroupedRows(NamedTuple):
    """Normal rows of n data sets in units of their sds, reduced group by group.

    Attributes
    ----------
    groups : RowGroups
    columns : ndarray (n or 1, k, rows or one for all of each)
        The columns of the basis.
    starts : ndarray of int
        Where the units' rows begin in these.
    group : ndarray of int (n or 1, as many rows)
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
    starts: Integers
    group: Groups
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
        k, n, m = self.along.shape[1:]
        found, work, absent = np.zeros_like(noise), np.empty((2, k + 1, m)), np.empty((n, m))
        for g, (lower, along) in enumerate(zip(self.lower, self.along, strict=True)):
            inside = self.group == g
            q, root = orthonormal(self.columns * inside[:, None], self.starts, layout.sizes)
            own = noise * (inside if inside.shape[1] == noise.shape[1] else np.repeat(inside, m, 1))
            spare_squares(lower, np.full(m, k), along, absent)
            left = self.left[:, g] + absent.sum(axis=1)
            make_rows(q, layout.starts, lower, root, along, left[:, None], own, work)
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
    columns, group, starts = _together(
        *columns_of(streams.basis.parts, data, layout), groups.of(data[groups.by]), layout
    )
    k, n, m = found.along.shape
    n_groups = len(groups.sds)
    grams = _grams(columns, group, n_groups, starts)
    sizes = grams[:, :, 0].astype(np.int64)
    in_unit = layout.sizes[: starts[1]]
    factors = np.zeros_like(grams)
    for g in range(n_groups):
        own = _columns_in(groups, g, streams.basis.parts)
        pairs = pairs_among(own.kept)
        gram = np.ascontiguousarray(grams[g][:, pairs])
        lower = _factors(gram, sizes[g])
        from_rows_where_close(columns, own.kept, group == g, starts, gram, in_unit, lower)
        factors[g][:, pairs] = lower
        _express(own.others, factors[g])
    lower = factors_of(columns, starts, grams.sum(axis=0), in_unit)
    along, left = np.empty((n_groups, k, n, m)), np.empty((n, n_groups))
    for g in range(n_groups):
        name = f"residual in group {g} of {groups.by}"
        streams.along(name, along[g])
        more = np.maximum(np.broadcast_to(sizes[g], (len(sizes[g]), m)) - k, 0.0).sum(axis=1)
        freedom = np.broadcast_to(more, n).astype(np.float64)
        left[:, g] = chi_squares(streams.named(f"{name} left"), freedom, 1)[0]
    if (sizes < k).any():
        leave_out(factors, sizes, along)
    spare = np.empty((n, m))
    spare_squares(lower, layout.sizes, found.along, spare)
    squares = found.left[:, 0] + spare.sum(axis=1)
    match_units(factors, lower, found.along, squares, along, left, np.empty((k, m)))
    return GroupedRows(groups, columns, starts, group, factors, along, left)


def _together(
    columns: Floats, starts: Integers, group: Groups, layout: Layout
) -> tuple[Floats, Groups, Integers]:
    """Return columns and groups of rows for as many of them, and where these begin."""
    if not layout.is_equal:
        return columns, group[:, 0], starts
    m = max(group.shape[2], int(starts[1]))
    if starts[1] < m:
        columns = np.repeat(columns, m, axis=2)
    if group.shape[2] < m:
        group = np.repeat(group, m, axis=2)
    return columns, group.reshape(len(group), -1), np.arange(len(starts)) * m


def _grams(columns: Floats, group: Groups, n_groups: int, starts: Integers) -> Floats:
    """Return the cross-products of the columns in each group, (n_groups, n, pairs, units)."""
    n, k = max(len(columns), len(group)), columns.shape[1]
    found = np.zeros((n_groups, n, k * (k + 1) // 2, starts[1]))
    cross_groups(columns, group, starts, found)
    return found


def _columns_in(groups: RowGroups, g: int, parts: Sequence[Part]) -> GroupColumns:
    """Return which columns are combinations of others in a group, if it has one value."""
    levels = [one for one, own in zip(groups.levels, groups.group, strict=True) if own == g]
    if len(levels) > 1:
        return GroupColumns(list(range(len(parts))), {})
    return columns_at(parts, groups.by, levels[0])


def _express(others: dict[int, Affine], lower: Floats) -> None:
    """Write the rows of factors of columns that are combinations of others."""
    # L_ab = slope L_pb + shift L_0b of x_a = slope x_p + shift x_0
    for a, one in others.items():
        for b in range(one.place + 1):
            lower[:, pair_of(a, b)] = one.slope * lower[:, pair_of(one.place, b)]
        lower[:, pair_of(a, 0)] += one.shift * lower[:, 0]


def _factors(gram: Floats, sizes: Integers) -> Floats:
    """Return Cholesky factors, (n, pairs, units), of units that have `sizes` (n, units) rows."""
    n, pairs, units = gram.shape
    # The units of all data sets side by side: each has its own number of rows
    flat = np.ascontiguousarray(gram.swapaxes(0, 1)).reshape(1, pairs, n * units)
    found = np.empty_like(flat)
    factor_columns(flat, np.ascontiguousarray(sizes).reshape(-1), found)
    return np.ascontiguousarray(found.reshape(pairs, n, units).swapaxes(0, 1))
