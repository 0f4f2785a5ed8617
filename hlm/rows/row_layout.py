"""Where the rows of data sets are in memory when each unit of each data set has its own number.

Row after row of a unit, unit after unit of a data set, data set after data set: flat arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    Floats = NDArray[np.float64]

__all__ = ["RowLayout"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class RowLayout:
    """The rows of n data sets of n_units units each.

    Attributes
    ----------
    n_units : int
    starts : ndarray of int (n * n_units + 1,)
        Where the rows of each unit begin; and the end.
    source : ndarray of int (n, n_units), optional
        The unit of given data that each one is; without it the first one, the second, and so on.

    Examples
    --------
    >>> rows = RowLayout.of(np.array([[2, 1], [3, 0]]))
    >>> rows.unit.tolist(), rows.position.tolist(), rows.n_obs.tolist()
    ([0, 0, 1, 2, 2, 2], [0, 1, 0, 0, 1, 2], [3, 3])
    >>> rows.means(np.array([1.0, 3.0, 5.0, 1.0, 2.0, 3.0])).tolist()
    [[2.0, 5.0], [2.0, nan]]
    """

    n_units: int
    starts: Integers
    source: Integers | None = None

    @classmethod
    def of(cls, sizes: Integers, source: Integers | None = None) -> RowLayout:
        """Lay out units of these sizes, (n, n_units)."""
        return cls(sizes.shape[1], np.append(0, np.cumsum(sizes)), source)

    @property
    def sizes(self) -> Integers:
        """The numbers of rows, (n, n_units)."""
        return np.diff(self.starts).reshape(-1, self.n_units)

    @property
    def n_obs(self) -> Integers:
        """The number of rows of each data set, (n,)."""
        return self.sizes.sum(axis=1)

    @cached_property
    def unit(self) -> Integers:
        """The unit of each row, counted through all data sets, (total,)."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def position(self) -> Integers:
        """The number of each row within its unit, from 0, (total,)."""
        return np.arange(self.starts[-1]) - self.starts[self.unit]

    def of_units(self, values: Floats) -> Floats:
        """Return values of units, (n or 1, n_units), as values of rows, (total,)."""
        n = (len(self.starts) - 1) // self.n_units
        return np.broadcast_to(values, (n, self.n_units)).ravel()[self.unit]

    def by_rows(self, values: Floats) -> Floats:
        """Return values of rows as they are, those of units, (n or 1, n_units), as `of_units`."""
        return self.of_units(values) if values.ndim == 2 else values

    def means(self, values: Floats) -> Floats:
        """Return the mean of values of rows, (total,), in each unit, (n, n_units).

        NaN in a unit without rows.
        """
        from hlm.rows.unit_loops import add_up_units  # with numba

        sums = np.empty(len(self.starts) - 1)
        add_up_units(values, self.starts, sums)
        with np.errstate(invalid="ignore"):
            return sums.reshape(-1, self.n_units) / self.sizes

    def grand_means(self, values: Floats) -> Floats:
        """Return the mean of values of rows, (total,), in each data set, (n, 1)."""
        from hlm.rows.unit_loops import add_up_units  # with numba

        ends = self.starts[:: self.n_units]
        sums = np.empty(len(ends) - 1)
        add_up_units(values, ends, sums)
        return sums[:, None] / self.n_obs[:, None]

    def left(self, kept: NDArray[np.bool_]) -> RowLayout:
        """Return the layout of the rows that are kept."""
        before = np.append(0, np.cumsum(kept))
        return RowLayout(self.n_units, before[self.starts], self.source)

    def picked(self, count: int) -> Integers:
        """Return which of `count` units of given data each unit is, (n * n_units,)."""
        if self.source is not None:
            return self.source.ravel()
        return np.arange(len(self.starts) - 1) % self.n_units % count
