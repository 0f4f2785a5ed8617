"""A model fitted to a stack of data sets, `WIDTH` of them side by side.

What takes time, the sums over units, is computed for all of them at once: see `hlm.lanes`. Each
search goes its own way (`search`), and where one has ended the next data set takes its lane. So no
search waits for another, and none knows of another: results are those of `stack.fit_stack`, bit for
bit. Data sets of which a fit needs more than a search and its inference are left to that:

- one that has no fit, or may be fitted perfectly;
- one that may leave part of Psi undetermined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from hlm.jit import entry, inlined, kernel
from hlm.kernels.criterion import State, allocate_state, evaluate
from hlm.kernels.cross import DataSet
from hlm.kernels.derivatives import differentiate
from hlm.kernels.fit import (
    BOUNDARY_RANK,
    PERFECT_FIT_TOLERANCE,
    SINGULAR,
    Workspace,
    allocate_workspace,
    conclude,
    may_be_undetermined,
    residual_within,
)
from hlm.kernels.identified import bend_of
from hlm.kernels.linalg import copy
from hlm.kernels.load import load
from hlm.kernels.newton import theta_derivatives
from hlm.kernels.problem import Problem, problem_of
from hlm.kernels.search import (
    ANOTHER_POINT,
    Search,
    allocate_search,
    begin,
    outcome,
    proceed,
    receive,
)
from hlm.kernels.stack import report_fit
from hlm.kernels.start import MomentStart, allocate_start, moment_sums, start_from_sums
from hlm.kernels.units import Units, allocate_units
from hlm.lanes import WIDTH, allocate_lanes, in_lanes

if TYPE_CHECKING:
    from hlm.kernels.data import CrossProducts
    from hlm.kernels.inference import Parametrization

__all__ = ["SideBySide", "allocate_side_by_side", "fit_side_by_side"]

Arrays = TypeVar("Arrays", Units, State, MomentStart)

NOBODY = -1
"""No data set is in a lane."""

(CRITERION, RESIDUAL, BEND, N_OBS, SUM_SQUARES) = range(5)
"""Numbers of each lane: the criterion at `trial`, that at Psi = 0 before the search begins; the
residual sum of squares within units, and what `bend_of` gives; observations and y'y."""

OF_UNITS = ("Rt", "within", "moments", "rows")
"""What a criterion needs of units; nothing of the last where they share a design."""

OF_STATE = ("G", "hessian_psi", "r2", "gamma", "S", "beta", "Ls", "uu", "T")
"""What a search needs of a criterion, the first two; and start and inference."""


class Waiting(NamedTuple):
    """The next `WIDTH` data sets.

    What is taken from a lane, or to another one, is in a block, a row for each number, of which
    named arrays are parts. The last axis of arrays is that of the lanes.

    Attributes
    ----------
    cross : DataSet
        Their cross-products.
    units : Units
    block : ndarray (k, WIDTH)
        Of `units`, what the criterion needs.
    numbers : ndarray (5, WIDTH)
        `CRITERION`, `RESIDUAL`, ...
    start : MomentStart
        Sums that their starts are made of.
    start_block : ndarray (k, WIDTH)
    starts : ndarray (WIDTH, q, q)
        The Lambda from which their searches begin.
    """

    cross: DataSet
    units: Units
    block: np.ndarray
    numbers: np.ndarray
    start: MomentStart
    start_block: np.ndarray
    starts: np.ndarray


class Present(NamedTuple):
    """The data sets whose searches are going on.

    Attributes
    ----------
    lanes : ndarray of int (WIDTH,)
        The data set in each lane.
    units, block, numbers : Units, ndarray (k, WIDTH), ndarray (5, WIDTH)
        As in `Waiting`.
    trial : ndarray (q, q, WIDTH)
        The Lambda at which each search needs the criterion.
    searches : Search
        With one more axis, the first.
    """

    lanes: np.ndarray
    units: Units
    block: np.ndarray
    numbers: np.ndarray
    trial: np.ndarray
    searches: Search


class OneByOne(NamedTuple):
    """Memory for what is done for one data set after another.

    Attributes
    ----------
    workspace : Workspace
    units, start, state : ndarray (k,)
        Of the arrays of the workspace, what the blocks of lanes have.
    curvature : ndarray (k,)
        The beginning of `state`: what a search needs.
    """

    workspace: Workspace
    units: np.ndarray
    start: np.ndarray
    state: np.ndarray
    curvature: np.ndarray


class SideBySide(NamedTuple):
    """Memory of `WIDTH` data sets side by side.

    Attributes
    ----------
    waiting : Waiting
    present : Present
    state : State
        The criterion's parts in each lane, at its `trial`.
    state_block : ndarray (k, WIDTH)
        What is taken of it.
    own : OneByOne
    left : ndarray of bool (n,)
        Set where a data set is left to `stack.fit_stack`.
    """

    waiting: Waiting
    present: Present
    state: State
    state_block: np.ndarray
    own: OneByOne
    left: np.ndarray


def allocate_side_by_side(
    cross: CrossProducts, parametrization: Parametrization, *, shared: bool
) -> SideBySide:
    """Return memory for the data sets of a stack."""
    p, q = len(parametrization.fixed), len(parametrization.random)
    n_units, n_theta = cross.response.shape[2], len(parametrization.row)
    units = allocate_units(n_units, q, p, shared=shared)
    of_units, of_start = OF_UNITS[:-1] if shared else OF_UNITS, MomentStart._fields
    data = DataSet(
        np.zeros(cross.gram.shape[1:]),
        np.zeros(cross.response.shape[1:]),
        np.zeros(1),  # type: ignore[arg-type]
        np.zeros(cross.multipliers.shape[1:]),
    )
    next_block, next_units = in_block(allocate_lanes(units), of_units, WIDTH)
    start_block, start = in_block(allocate_lanes(allocate_start(q)), of_start, WIDTH)
    numbers = np.zeros(5)
    waiting = Waiting(
        allocate_lanes(data),
        next_units,
        next_block,
        allocate_lanes(numbers),
        start,
        start_block,
        np.zeros((WIDTH, q, q)),
    )
    block, present_units = in_block(allocate_lanes(units), of_units, WIDTH)
    present = Present(
        np.full(WIDTH, NOBODY),
        present_units,
        block,
        allocate_lanes(numbers),
        allocate_lanes(np.zeros((q, q))),
        allocate_search(q, n_theta, (WIDTH,)),
    )
    state = allocate_state(n_units, q, p, n_theta, shared=shared)
    state_block, states = in_block(allocate_lanes(state), OF_STATE, WIDTH)
    workspace = allocate_workspace(parametrization, n_units, shared=shared)
    own_units, units = in_block(workspace.units, of_units)
    own_start, start = in_block(workspace.work.start, of_start)
    own_state, state = in_block(workspace.state, OF_STATE)
    work = workspace.work._replace(start=start)
    return SideBySide(
        waiting,
        present,
        states,
        state_block,
        OneByOne(
            workspace._replace(units=units, state=state, work=work),
            own_units,
            own_start,
            own_state,
            own_state[: state.G.size + state.hessian_psi.size],
        ),
        np.zeros(len(cross.n_obs), dtype=np.bool_),
    )


def in_block(arrays: Arrays, names: tuple[str, ...], width: int = 0) -> tuple[np.ndarray, Arrays]:
    """Return an array with a row for each number of some arrays, and these as parts of it.

    With a `width` their last axis is that of the lanes.

    Examples
    --------
    >>> block, start = in_block(allocate_start(2), ("deviation", "unscaled"))
    >>> start.unscaled[1, 0] = 3.0
    >>> block
    array([0., 0., 0., 0., 3., 0.])
    """
    whole = {name: getattr(arrays, name) for name in names}
    rows = {name: one.size // (width or 1) for name, one in whole.items()}
    total, last = np.zeros(sum(rows.values())), 0
    block = allocate_lanes(total) if width else total
    parts: dict[str, Any] = {}
    for name, one in whole.items():
        first, last = last, last + rows[name]
        parts[name] = block[first:last].reshape(one.shape)
    return block, arrays._replace(**parts)


@entry
def fit_side_by_side(cross, design, parametrization, reml, memory, tests, results):
    """Fit the data sets of a stack by every method, with the inference that the fit itself allows.

    Parameters
    ----------
    cross, design, parametrization, reml, results
        As in `stack.fit_stack`.
    memory : SideBySide
    tests : JointTests
    """
    waiting, present, state, own = memory.waiting, memory.present, memory.state, memory.own
    n, lanes, effects = len(cross.sum_squares), present.lanes, own.workspace.effects
    # By each method
    for method in range(len(reml)):
        taken, active = 0, 0
        while taken < n or active > 0:
            # The next data sets into the lanes that are free
            for z in range(WIDTH):
                while lanes[z] == NOBODY and taken < n:
                    if taken % WIDTH == 0:
                        fill(cross, taken, waiting)
                        sum_next(design, parametrization, reml[method], effects, waiting, state)
                        place_starts(
                            parametrization, reml[method], waiting, memory.state_block, own
                        )
                    if enter(taken % WIDTH, z, parametrization, effects, waiting, present):
                        lanes[z] = taken
                        active += 1
                    else:
                        memory.left[taken] = True
                    taken += 1
            look_at_trials(parametrization, reml[method], effects, present, state)
            # Each search goes on, or ends
            for z in range(WIDTH):
                if lanes[z] == NOBODY:
                    continue
                n_obs, search = np.int64(present.numbers[N_OBS, z]), search_in(z, present.searches)
                problem = problem_of(parametrization, own.workspace, n_obs, reml[method])
                if go_on(problem, z, search, present, memory.state_block, own):
                    continue
                take(memory.state_block, z, own.state)
                if finish(problem, parametrization, search, present.numbers[:, z], own.workspace):
                    report_fit(
                        problem, parametrization, own.workspace, tests, results, lanes[z], method
                    )
                else:
                    memory.left[lanes[z]] = True
                lanes[z] = NOBODY
                active -= 1


@kernel
def take(block, z, out):
    """Write what a block has in lane z."""
    # out_i = block_iz
    for i in range(len(out)):
        out[i] = block[i, z]


@kernel
def move(source, k, target, z):
    """Write lane k of one block into lane z of another."""
    # target_iz = source_ik
    for i in range(len(source)):
        target[i, z] = source[i, k]


@kernel
def put(matrix, trial, z):
    """Write a matrix into lane z."""
    # trial_abz = matrix_ab
    for a in range(len(matrix)):
        for b in range(len(matrix)):
            trial[a, b, z] = matrix[a, b]


@kernel
def put_table(tables, r, out, z):
    """Write table r, or the only one, into lane z."""
    place = r if tables.shape[0] > 1 else 0
    # out_abz = tables_rab
    for a in range(tables.shape[1]):
        for b in range(tables.shape[2]):
            out[a, b, z] = tables[place, a, b]


@kernel
def fill(cross, first, waiting):
    """Fill the lanes with the data sets from number `first` on, in the end with the last one."""
    n, data = len(cross.sum_squares), waiting.cross
    # Lane z: data set first + z
    for z in range(WIDTH):
        r = min(first + z, n - 1)
        put_table(cross.gram, r, data.gram, z)
        put_table(cross.response, r, data.response, z)
        put_table(cross.multipliers, r, data.multipliers, z)
        data.sum_squares[0, z] = cross.sum_squares[r]
        waiting.numbers[N_OBS, z] = cross.n_obs[r]


@inlined
def lanes_problem(parametrization, effects, units, numbers, reml):
    """Return the problems of all lanes as one, of numbers that are lanes."""
    p, row, col = len(parametrization.fixed), parametrization.row, parametrization.col
    return Problem(effects, p, row, col, units, numbers[N_OBS], reml)


@kernel
def sum_next(design, parametrization, reml, effects, waiting, state):
    """Load data sets, and sum over units what their starts are made of."""
    cross, numbers = in_lanes(waiting.cross), in_lanes(waiting.numbers)
    problem = lanes_problem(parametrization, effects, in_lanes(waiting.units), numbers, reml)
    data = DataSet(cross.gram, cross.response, cross.sum_squares[0], cross.multipliers)
    numbers[SUM_SQUARES] = load(effects, data, design, problem.units)
    numbers[CRITERION] = moment_sums(problem, in_lanes(waiting.start), in_lanes(state))


@kernel
def place_starts(parametrization, reml, waiting, state_block, own):
    """Find the start of each of the next data sets."""
    workspace = own.workspace
    # Lane z: its sums, and what the criterion is made of at Psi = 0
    for z in range(WIDTH):
        take(waiting.start_block, z, own.start)
        take(state_block, z, own.state)
        if waiting.units.shared:
            take(waiting.block, z, own.units)
        n_obs = np.int64(waiting.numbers[N_OBS, z])
        problem = problem_of(parametrization, workspace, n_obs, reml)
        start_from_sums(problem, waiting.starts[z], workspace.state, workspace.work)


@kernel
def enter(k, z, parametrization, effects, waiting, present):
    """Let the search of data set k of the next begin in lane z; return False if it cannot."""
    numbers = waiting.numbers
    has_start = np.isfinite(numbers[SUM_SQUARES, k]) and numbers[CRITERION, k] != np.inf
    if not has_start or numbers[N_OBS, k] <= len(parametrization.fixed):
        return False
    move(numbers, k, present.numbers, z)
    move(waiting.block, k, present.block, z)
    search = search_in(z, present.searches)
    copy(waiting.starts[k], search.Lambda)
    begin(np.int64(len(effects)), parametrization.row, search, np.bool_(True))
    put(search.trial, present.trial, z)
    return True


@kernel
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


@kernel
def look_at_trials(parametrization, reml, effects, present, state):
    """Evaluate and differentiate the criterion of each lane at its `trial`."""
    numbers, seen = in_lanes(present.numbers), in_lanes(state)
    problem = lanes_problem(parametrization, effects, in_lanes(present.units), numbers, reml)
    numbers[CRITERION] = evaluate(problem, in_lanes(present.trial), seen)
    differentiate(problem, seen)
    numbers[RESIDUAL] = residual_within(problem, seen)
    numbers[BEND] = bend_of(problem.units.rows.shape[0], seen.XR)


@kernel
def go_on(problem, z, search, present, state_block, own):
    """Take the search in lane z further; return whether it needs another point."""
    needed = receive(problem, search, present.numbers[CRITERION, z])
    if needed != ANOTHER_POINT:
        take(state_block, z, own.curvature)
        if not proceed(problem, search, own.workspace.state, own.workspace.work):
            return False
    put(search.trial, present.trial, z)
    return True


@kernel
def finish(problem, parametrization, search, numbers, workspace):
    """Conclude from the derivatives of one lane; return False where a fit needs more than them."""
    state, work, fit = workspace.state, workspace.work, workspace.fit
    if not numbers[RESIDUAL] > PERFECT_FIT_TOLERANCE * numbers[SUM_SQUARES]:
        return False
    copy(search.Lambda, fit.Lambda)
    theta_derivatives(problem, fit.Lambda, state, work.theta)
    status, iterations, criterion = outcome(search)
    conclude(problem, workspace, parametrization, status, iterations, criterion)
    if may_be_undetermined(problem, workspace, numbers[BEND], np.bool_(False)):
        return False
    fit.summary[SINGULAR] = 1.0 if fit.summary[BOUNDARY_RANK] > 0.0 else 0.0
    return True
