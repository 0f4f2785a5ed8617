r"""The search for a minimum as a sequence of points at which it needs the criterion.

What differs between data sets is the course of the search; what takes time, the criterion and its
derivatives, is the same sums for all. So the search does not call for them: it says at which point
it needs them next (`trial`), and is told (`receive`, then `proceed`). Whoever runs it evaluates at
that point: for one data set, or for many whose searches are side by side (`lane_search`).

    evaluate at trial -> receive: another point, or the derivatives -> Newton's step -> proceed

A course is Newton steps until the decrement vanishes; then small diagonal elements of Lambda are
tried at zero, and where none stays a direction out of the boundary is looked for; either begins the
steps anew. With few rows there is one course from each of several starts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.boundary import (
    ZERO_RISE,
    ZERO_THETA,
    escape,
    rectify,
    touches_boundary,
    without_column,
)
from hlm.kernels.linalg import copy
from hlm.kernels.newton import (
    DECREMENT_TOLERANCE,
    MAX_HALVINGS,
    POLISH_DECREMENT,
    SUFFICIENT_DECREASE,
    chain_rule,
    newton_step,
    shrink_step,
)
from hlm.kernels.order import is_skew, natural_order, pivot, restore_order

__all__ = [
    "ANOTHER_POINT",
    "CONVERGED",
    "DERIVATIVES",
    "FEW_ROWS",
    "MAX_ITERATIONS",
    "NOT_CONVERGED",
    "Search",
    "allocate_search",
    "begin",
    "find_step",
    "has_natural_step",
    "outcome",
    "proceed",
    "receive",
]

MAX_ITERATIONS = 200
"""Newton steps before a fit is reported as not converged; the usual number is 0 to 6."""

FEW_ROWS = 100
"""With so few rows the criterion may have several minima: the lowest from several starts is taken.
Of random data sets of up to 20 rows 2 % had a lower one than the moment start leads to, of those of
60 to 80 rows 1 in 8000, of more than 80 rows none; models with one random effect never had."""

FAR, NEAR = 10.0, 0.3
"""The diagonal of Lambda in these starts: for one effect or all, and for the others."""

LOWER = 1e-9
"""Another minimum counts as lower if it is so by more than this."""

CONVERGED, NOT_CONVERGED = 0, 1

ANOTHER_POINT, DERIVATIVES, NOTHING = range(3)
"""What is needed next: the criterion at another point, the derivatives at this one, neither."""

ARRIVING, TRYING, STUCK, RESTORED, ZEROING, BACK, LOWEST = range(7)
"""What the criterion at `trial` is for: where steps begin; whether a step brings its decrease; the
derivatives where none did, where Lambda is triangular again; whether an element may be zero; the
criterion's parts where none may; and those at the lowest of several minima."""

PHASE, STATUS, ITERATIONS, HALVINGS, COLUMN, ZEROS, START, BEST_STATUS, BEST_ITERATIONS = range(9)
"""Counts of a search: what the criterion is for; status and steps of this course; halvings of this
step; the column tried at zero, and how many were set to it; the start; and status and steps of the
course to the lowest minimum."""

FIRST, ALONE = -1, -2
"""The start that others may follow, and one that none follows; the others are 0, 1, ..., q."""

CRITERION, DECREMENT, TARGET, SLOPE, LENGTH, BEST = range(6)
"""Values of a search: the criterion at Lambda; twice its distance from the minimum; what a step
must fall below, by its slope times its length; and the lowest minimum."""


class Search(NamedTuple):
    """Where a search stands.

    Attributes
    ----------
    Lambda : ndarray (q, q)
        The point that is reached.
    trial : ndarray (q, q)
        The point at which the criterion is needed.
    best : ndarray (q, q)
        The Lambda of the lowest minimum of several courses.
    step : ndarray (n_theta,)
        Newton's step, as long as allowed.
    order, place : ndarray of int (q,), (n_theta,)
        The order of the effects within the search, see `order`; the rows of theta's elements in it.
    counts : ndarray of int (9,)
        `PHASE`, `STATUS`, ...
    values : ndarray (6,)
        `CRITERION`, `DECREMENT`, ...
    """

    Lambda: np.ndarray
    trial: np.ndarray
    best: np.ndarray
    step: np.ndarray
    order: np.ndarray
    place: np.ndarray
    counts: np.ndarray
    values: np.ndarray


def allocate_search(q: int, n_theta: int, shape: tuple[int, ...] = ()) -> Search:
    """Return memory for one search, or for `shape` of them."""
    square = (*shape, q, q)
    return Search(
        Lambda=np.zeros(square),
        trial=np.zeros(square),
        best=np.zeros(square),
        step=np.zeros((*shape, n_theta)),
        order=np.zeros((*shape, q), dtype=np.int64),
        place=np.zeros((*shape, n_theta), dtype=np.int64),
        counts=np.zeros((*shape, 9), dtype=np.int64),
        values=np.zeros((*shape, 6)),
    )


@kernel
def begin(q, row, search, from_moments):
    """Begin at Lambda; if that is the moments', other starts may follow."""
    counts = search.counts
    counts[START] = FIRST if from_moments else ALONE
    counts[ITERATIONS] = 0
    approach(q, row, search)


@kernel
def approach(q, row, search):
    """Ask for the criterion at Lambda, from where steps begin."""
    natural_order(q, row, search.order, search.place)
    search.values[DECREMENT] = np.inf
    look_at(search, ARRIVING)


@kernel
def look_at(search, phase):
    """Ask for the criterion at Lambda."""
    copy(search.Lambda, search.trial)
    search.counts[PHASE] = phase


@kernel
def outcome(search):
    """Return (status, iterations, criterion) of a search that has ended."""
    counts, values = search.counts, search.values
    return counts[BEST_STATUS], counts[BEST_ITERATIONS], values[BEST]


@kernel
def receive(problem, search, value):
    """Take the criterion at `trial`; return what is needed next."""
    counts, values = search.counts, search.values
    phase = counts[PHASE]
    if phase == TRYING:
        least = SUFFICIENT_DECREASE * values[LENGTH] * values[SLOPE]
        if not value <= values[TARGET] + least:
            return halve(problem, search)
        copy(search.trial, search.Lambda)
        counts[PHASE] = ARRIVING
    elif phase == ZEROING:
        if value <= values[CRITERION] + ZERO_RISE:
            copy(search.trial, search.Lambda)
            counts[ZEROS] += 1
        counts[COLUMN] += 1
        if not try_zero(problem, search):
            if counts[ZEROS] > 0:
                approach(np.int64(len(problem.effects)), problem.row, search)
            else:
                look_at(search, BACK)
        return ANOTHER_POINT
    elif phase == BACK:
        return NOTHING
    values[CRITERION] = value
    return DERIVATIVES


@kernel
def halve(problem, search):
    """Ask for the criterion at half the step; where that has been halved too often, at Lambda."""
    counts = search.counts
    counts[HALVINGS] += 1
    search.values[LENGTH] *= 0.5
    if counts[HALVINGS] == MAX_HALVINGS:
        look_at(search, STUCK)
    else:
        move(problem, search)
    return ANOTHER_POINT


@kernel
def move(problem, search):
    """Ask for the criterion at theta + length step."""
    place, col, length = search.place, problem.col, search.values[LENGTH]
    search.trial[:] = 0.0
    # theta + length step
    for k in range(len(col)):
        here = search.Lambda[place[k], col[k]]
        search.trial[place[k], col[k]] = here + length * search.step[k]
    search.counts[PHASE] = TRYING


@kernel
def proceed(problem, search, decrement, state, work):
    """Go on from the derivatives at Lambda; return whether another point is needed.

    Where steps go on from there, `search.step` is that of Newton, `work.theta.gradient` belongs to
    it, and the decrement is what `find_step` returns.
    """
    counts = search.counts
    phase = counts[PHASE]
    if phase == ARRIVING:
        if step_on(problem, search, decrement, work.theta.gradient):
            return True
    elif phase == STUCK:
        counts[STATUS] = NOT_CONVERGED
    elif phase == LOWEST:
        search.values[BEST] = search.values[CRITERION]
        return False
    steps_ended = phase in (ARRIVING, STUCK)
    if steps_ended and restore_order(np.int64(len(problem.effects)), search.Lambda, search.order):
        look_at(search, RESTORED)
        return True
    if phase == BACK or not try_zeros(problem, search):
        if has_ended(problem, search) or not escape(problem, search.Lambda, state, work):
            return start_again(problem, search)
        counts[ITERATIONS] += 1
        approach(np.int64(len(problem.effects)), problem.row, search)
    return True


@kernel
def find_step(problem, search, state, work):
    """Write Newton's step where steps go on from Lambda; return its decrement."""
    row, col, place, Lambda = problem.row, problem.col, search.place, search.Lambda
    if search.counts[PHASE] != ARRIVING:
        return np.inf
    if is_skew(row, col, Lambda, search.order, place):
        pivot(np.int64(len(problem.effects)), row, col, Lambda, search.order, place)
    chain_rule(problem, place, Lambda, state, work.theta)
    return newton_step(len(row), work, search.step)


@kernel
def has_natural_step(problem, search):
    """Tell whether `find_step` would take Newton's step in the effects' own order."""
    if search.counts[PHASE] != ARRIVING:
        return False
    # order_a = a
    for a in range(len(problem.effects)):
        if search.order[a] != a:
            return False
    return not is_skew(problem.row, problem.col, search.Lambda, search.order, search.place)


@kernel
def step_on(problem, search, decrement, gradient):
    """Take the step; return False where the steps end."""
    col, place, step = problem.col, search.place, search.step
    counts, values, Lambda, n_theta = search.counts, search.values, search.Lambda, len(problem.row)
    previous = values[DECREMENT]
    values[DECREMENT] = decrement
    counts[STATUS] = CONVERGED
    if decrement < DECREMENT_TOLERANCE or 0.5 * previous < decrement < POLISH_DECREMENT:
        return False
    if counts[ITERATIONS] >= MAX_ITERATIONS or not np.isfinite(decrement):
        counts[STATUS] = NOT_CONVERGED
        return False
    shrink_step(n_theta, place, col, Lambda, step)
    counts[ITERATIONS] += 1
    slope = 0.0
    # g'step
    for k in range(n_theta):
        slope += gradient[k] * step[k]
    values[SLOPE] = slope
    values[TARGET] = np.inf if decrement < POLISH_DECREMENT else values[CRITERION]
    values[LENGTH] = 1.0
    counts[HALVINGS] = 0
    move(problem, search)
    return True


@kernel
def has_ended(problem, search):
    """Tell whether Lambda is away from the boundary, or the steps are used up."""
    q = np.int64(len(problem.effects))
    return not touches_boundary(q, search.Lambda) or search.counts[ITERATIONS] >= MAX_ITERATIONS


@kernel
def try_zeros(problem, search):
    """Ask for the criterion without the first small diagonal element, if there is one."""
    rectify(np.int64(len(problem.effects)), search.Lambda)
    if has_ended(problem, search):
        return False
    search.counts[COLUMN] = 0
    search.counts[ZEROS] = 0
    return try_zero(problem, search)


@kernel
def try_zero(problem, search):
    """Ask for the criterion without the next small diagonal element, if there is one."""
    q, Lambda, counts = np.int64(len(problem.effects)), search.Lambda, search.counts
    # Lambda_jj = 0
    for j in range(counts[COLUMN], q):
        if Lambda[j, j] < ZERO_THETA and Lambda[j, j] != 0.0:
            without_column(q, j, Lambda, search.trial)
            counts[COLUMN] = j
            counts[PHASE] = ZEROING
            return True
    return False


@kernel
def start_again(problem, search):
    """Keep the lowest minimum; return whether there is another start, or a way back to that."""
    q, counts, values = np.int64(len(problem.effects)), search.counts, search.values
    if counts[START] < 0:
        keep(search)
        if counts[START] == ALONE or counts[ITERATIONS] == 0 or q == 1 or problem.n_obs > FEW_ROWS:
            return False
    elif counts[STATUS] == CONVERGED and values[CRITERION] < values[BEST] - LOWER:
        keep(search)
    counts[START] += 1
    if counts[START] > q:
        copy(search.best, search.Lambda)
        look_at(search, LOWEST)
    else:
        far_start(q, counts[START], search.Lambda)
        counts[ITERATIONS] = 0
        approach(q, problem.row, search)
    return True


@kernel
def keep(search):
    """Keep the minimum at Lambda as the lowest."""
    copy(search.Lambda, search.best)
    search.counts[BEST_STATUS] = search.counts[STATUS]
    search.counts[BEST_ITERATIONS] = search.counts[ITERATIONS]
    search.values[BEST] = search.values[CRITERION]


@kernel
def far_start(q, start, Lambda):
    """Write a start with a large variance of effect number `start`, or of all if it is q."""
    Lambda[:] = 0.0
    # Lambda = diag(FAR or NEAR)
    for a in range(q):
        Lambda[a, a] = FAR if start in (a, q) else NEAR
