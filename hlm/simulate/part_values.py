"""The values of columns and multipliers of data sets, as arrays for the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.simulate.columns import Part
    from hlm.simulate.layout import Layout

__all__ = ["columns_of", "multipliers_of", "stack_values"]

Floats = NDArray[np.float64]


def columns_of(
    parts: Sequence[Part], data: dict[str, Floats], layout: Layout
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the columns, (n or 1, k, rows), and where the first, the second, ... rows begin.

    Columns of a fixed design have the rows of one unit if all are equal.

    Parameters
    ----------
    parts : sequence of Part
    data : dict of str to ndarray
        The covariates, as `Draws` has them.
    layout : Layout
    """
    if not layout.is_equal:
        rows = (1, int(layout.starts[-1]))
        values = [part.values(_by_rows(part, data, layout)) for part in parts]
        return stack_values(values, rows).reshape(-1, len(values), rows[1]), layout.starts
    n_rows, n_units = layout.row_shape
    values = [part.values(data) for part in parts]
    if n_rows > 1 and all(value.shape[-1] == 1 for value in values):
        n_units = 1
    columns = stack_values(values, (n_rows, n_units))
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


def stack_values(values: Sequence[Floats], shape: tuple[int, int]) -> Floats:
    """Put arrays together as (n or 1, parts, *shape)."""
    values = [value.reshape((1,) * (3 - value.ndim) + value.shape) for value in values]
    n = max(len(value) for value in values)
    return np.ascontiguousarray(
        np.stack([np.broadcast_to(value, (n, *shape)) for value in values], axis=1)
    )
