"""The next data sets into lanes: loaded, with their starts, then one by one to a search.

A data set that has no fit leaves the lanes before it is there.
"""

from __future__ import annotations

import numpy as np

from hlm.jit import inlined, kernel
from hlm.kernels.cross import DataSet
from hlm.kernels.lane_memory import (
    CRITERION,
    N_OBS,
    NOBODY,
    SUM_SQUARES,
    lanes_problem,
    move,
    put,
    take_matrix,
)
from hlm.kernels.load import load
from hlm.kernels.search import Search, begin
from hlm.kernels.start import moment_sums, start_from_sums
from hlm.lanes import WIDTH, in_lanes

__all__ = ["enter", "fill", "load_next", "pair_up", "search_in"]


@kernel
def fill(cross, first, data, numbers):
    """Fill the lanes with the data sets from number `first` on, in the end with the last one."""
    n = len(cross.sum_squares)
    put_tables(cross.gram, first, n, data.gram)
    put_tables(cross.response, first, n, data.response)
    put_tables(cross.multipliers, first, n, data.multipliers)
    # Lane z: data set first + z
    for z in range(WIDTH):
        r = min(first + z, n - 1)
        data.sum_squares[0, z] = cross.sum_squares[r]
        numbers[N_OBS, z] = cross.n_obs[r]


@kernel
def put_tables(tables, first, n, out):
    """Write the tables of data sets, or the only one, into lanes."""
    is_only = tables.shape[0] == 1
    if is_only and first > 0:
        return
    # out_abz = tables_rab, r = first + z
    for a in range(tables.shape[1]):
        for b in range(tables.shape[2]):
            for z in range(WIDTH):
                out[a, b, z] = tables[0 if is_only else min(first + z, n - 1), a, b]


@kernel
def load_next(design, parametrization, reml, effects, waiting, state, work):
    """Load the next data sets, and find their starts."""
    cross, numbers = in_lanes(waiting.cross), in_lanes(waiting.numbers)
    state, work = in_lanes(state), in_lanes(work)
    problem = lanes_problem(parametrization, effects, in_lanes(waiting.units), numbers, reml)
    data = DataSet(cross.gram, cross.response, cross.sum_squares[0], cross.multipliers)
    numbers[SUM_SQUARES] = load(effects, data, design, problem.units)
    numbers[CRITERION] = moment_sums(problem, work.start, state)
    starts = in_lanes(waiting.starts)
    start_from_sums(problem, starts, state, work.start, work.square, work.vectors)


@kernel
def pair_up(numbers, p, taken, n, sets, pairs, left):
    """Give those that wait free lanes, until either are used up.

    Return how many data sets were taken by now, and how many of these have a search now; `pairs`
    are from where to where they go.
    """
    count = 0
    # Lane z
    for z in range(WIDTH):
        while sets[z] == NOBODY and taken < n:
            k = taken % WIDTH
            if has_start(numbers[:, k], p):
                sets[z] = taken
                pairs[0, count], pairs[1, count] = k, z
                count += 1
            else:
                left[taken] = True
            taken += 1
            if k == WIDTH - 1:
                return taken, count
    return taken, count


@kernel
def has_start(numbers, p):
    """Tell whether a data set can have a fit."""
    can_be = np.isfinite(numbers[SUM_SQUARES]) and numbers[CRITERION] != np.inf
    return can_be and numbers[N_OBS] > p


@kernel
def enter(q, row, count, waiting, block, searching, pairs):
    """Let searches begin, each in the lane that `pairs` has for one of those that wait."""
    numbers, starts, first = waiting.numbers, waiting.starts, np.int64(0)
    move(numbers, searching.numbers, pairs, first, count)
    move(waiting.block, block, pairs, first, count)
    # From lane k into lane z
    for one in range(count):
        k, z = pairs[0, one], pairs[1, one]
        search = search_in(z, searching.searches)
        take_matrix(starts, k, search.Lambda)
        begin(q, row, search, np.bool_(True))
        put(search.trial, searching.trial, z)


@inlined
def search_in(z, searches):
    """Return the search in lane z."""
    return Search(
        searches.Lambda[z],
        searches.trial[z],
        searches.best[z],
        searches.step[z],
        searches.order[z],
        searches.place[z],
        searches.counts[z],
        searches.values[z],
    )
