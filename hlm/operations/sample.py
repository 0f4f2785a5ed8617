"""A sample of data sets from all points of the grid alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["seed_of", "shares", "stratified"]


def seed_of(chosen: int | None) -> int:
    """Return the seed that a user chose, or another each time, short enough to type.

    Raises
    ------
    InputError
        The seed is negative.
    """
    if chosen is None:
        return int(np.random.default_rng().integers(10**6))
    if chosen < 0:
        raise InputError(f"{chosen} is no seed", path="--seed", allowed="0 or more")
    return chosen


def shares(n: int, sizes: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Divide n among strata as evenly as their sizes allow; who gets one more is drawn.

    Examples
    --------
    >>> sorted(shares(7, [10, 10, 10], np.random.default_rng(1)))
    [2, 2, 3]
    >>> shares(7, [1, 10, 2], np.random.default_rng(1)), shares(9, [1, 2], np.random.default_rng(1))
    ([1, 4, 2], [1, 2])
    """
    taken = np.zeros(len(sizes), dtype=int)
    while (left := min(n, sum(sizes)) - taken.sum()) > 0:
        open_strata = np.flatnonzero(taken < np.asarray(sizes))
        if left < len(open_strata):
            open_strata = rng.choice(open_strata, left, replace=False)
        taken[open_strata] += 1
    return [int(number) for number in taken]


def stratified(n: int, sizes: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Draw from the replicates of each stratum, which has so many, n in all, without repetition.

    Returns
    -------
    list of ndarray of int
        Sorted; empty for strata that were not drawn.
    """
    return [
        np.sort(rng.choice(size, share, replace=False))
        for size, share in zip(sizes, shares(n, sizes, rng), strict=True)
    ]
