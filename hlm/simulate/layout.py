"""How the rows of a data set lie in memory.

Row after row, in each the units that have it: the first rows of all units, then the second ones,
and so on. The units with most rows come first, so that those that have a row lie together. Sums
over rows are then sums of arrays of units, however unequal these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hlm.scenario import Scenario

__all__ = ["Layout", "layout_of"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """The rows of a data set in memory; where units are equal, an array (n_rows, n_units).

    Attributes
    ----------
    order : ndarray of int (n_units,) or None
        The units in the order of memory, those with most rows first; None where they are equal and
        in their own order.
    sizes : ndarray of int (n_units,)
        Their numbers of rows, in that order.
    starts : ndarray of int (largest size + 1,)
        Where the first rows begin, the second ones, and so on; and the end.
    """

    order: Integers | None
    sizes: Integers
    starts: Integers

    @cached_property
    def unit(self) -> Integers:
        """The place of the unit of each row, (n_obs,)."""
        return np.arange(self.starts[-1]) - np.repeat(self.starts[:-1], np.diff(self.starts))

    @cached_property
    def by_unit(self) -> Integers:
        """Where the rows are, unit after unit in their own order, (n_obs,)."""
        row = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        own = self.unit if self.order is None else self.order[self.unit]
        return np.lexsort((row, own))

    @property
    def is_equal(self) -> bool:
        """Whether all units have as many rows."""
        return self.order is None

    @property
    def row_shape(self) -> tuple[int, int]:
        """The shape of what has a value for each row."""
        if self.is_equal:
            return int(self.sizes[0]), len(self.sizes)
        return 1, int(self.starts[-1])


@lru_cache(maxsize=16)
def _layout(n_units: int, n_rows: int | tuple[int, ...]) -> Layout:
    if isinstance(n_rows, int):
        sizes, order = np.full(n_units, n_rows), None
    else:
        given = np.array(n_rows)
        order = np.argsort(-given, kind="stable")
        sizes = given[order]
    counts = np.searchsorted(-sizes, -np.arange(sizes[0]))
    return Layout(order, sizes, np.append(0, np.cumsum(counts)))


def layout_of(scenario: Scenario) -> Layout:
    """Return the layout of a scenario's data sets.

    Examples
    --------
    >>> from hlm.scenario import Scenario
    >>> scenario = Scenario("", 3, (1, 3, 2), (), "y ~ 1 + (1 | g)", (), (1.0,), ((1.0,),), 1.0)
    >>> layout = layout_of(scenario)
    >>> layout.order.tolist(), layout.starts.tolist(), layout.by_unit.tolist()
    ([1, 2, 0], [0, 3, 5, 6], [2, 0, 3, 5, 1, 4])
    """
    return _layout(scenario.n_units, scenario.n_rows)
