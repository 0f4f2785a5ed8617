"""The values of columns and multipliers of data sets, as arrays for the kernels."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.simulate.columns import Part
    from hlm.simulate.layout import Layout

__all__ = ["Room", "columns_of", "multipliers_of", "pair_of", "pairs_among", "stack_values"]

Floats = NDArray[np.float64]


class Room:
    """Memory that one array after another is written to: fresh memory takes longer than to fill it.

    Examples
    --------
    >>> room = Room()
    >>> first = room.array((2, 3))
    >>> np.shares_memory(first, room.array((1, 4)))
    True
    """

    def __init__(self) -> None:
        self._kept = np.empty(0)

    def array(self, shape: tuple[int, ...]) -> Floats:
        """Return an array of any numbers, in place of the one before."""
        size = prod(shape)
        if size > len(self._kept):
            self._kept = np.empty(size)
        return self._kept[:size].reshape(shape)


def columns_of(
    parts: Sequence[Part], data: dict[str, Floats], layout: Layout, room: Room | None = None
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the columns, (n or 1, k, rows), and where the first, the second, ... rows begin.

    Columns of a fixed design have the rows of one unit if all are equal.

    Parameters
    ----------
    parts : sequence of Part
    data : dict of str to ndarray
        The covariates, as `Draws` has them.
    layout : Layout
    room : Room, optional
        For the columns, which are valid until it is used again.
    """
    if not layout.is_equal:
        rows = (1, int(layout.starts[-1]))
        values = [part.values(_by_rows(part, data, layout)) for part in parts]
        return stack_values(values, rows, room).reshape(-1, len(values), rows[1]), layout.starts
    n_rows, n_units = layout.row_shape
    values = [part.values(data) for part in parts]
    if n_rows > 1 and all(value.shape[-1] == 1 for value in values):
        n_units = 1
    columns = stack_values(values, (n_rows, n_units), room)
    return columns.reshape(-1, len(values), n_rows * n_units), np.arange(n_rows + 1) * n_units


def multipliers_of(parts: Sequence[Part], data: dict[str, Floats], n_units: int) -> Floats:
    """Return the multipliers of units, (n or 1, parts, n_units)."""
    return stack_values([part.values(data) for part in parts], (1, n_units))[:, :, 0]


def _by_rows(part: Part, data: dict[str, Floats], layout: Layout) -> dict[str, Floats]:
    """Return the covariates of a part with a value for each row."""
    names = {name for factor in part.factors for name in factor.variables}
    n_units = len(layout.sizes)
    return {
        name: data[name][..., layout.unit] if data[name].shape[-1] == n_units else data[name]
        for name in names
    }


def stack_values(
    values: Sequence[Floats], shape: tuple[int, int], room: Room | None = None
) -> Floats:
    """Put arrays together as (n or 1, parts, *shape)."""
    n = max(len(value) if value.ndim > 2 else 1 for value in values)
    stacked = (Room() if room is None else room).array((n, len(values), *shape))
    for a, value in enumerate(values):
        stacked[:, a] = value
    return stacked


def pair_of(a: int, b: int) -> int:
    """Return the number of a pair of columns among (0, 0), (1, 0), (1, 1), ..."""
    return max(a, b) * (max(a, b) + 1) // 2 + min(a, b)


def pairs_among(columns: Sequence[int]) -> list[int]:
    """Return the numbers of the pairs of some columns, in the order of these.

    Examples
    --------
    >>> pairs_among([0, 2])
    [0, 3, 5]
    """
    return [pair_of(a, b) for i, a in enumerate(columns) for b in columns[: i + 1]]
