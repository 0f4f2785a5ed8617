"""Memory of data sets that are fitted side by side, and how they go from one place to another.

Arrays for `WIDTH` data sets have one more axis, the last: that of the lanes. What goes from lane to
lane, or out of them, is in blocks, a row for each number, of which named arrays are parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from hlm.jit import kernel
from hlm.kernels.criterion import State, allocate_state
from hlm.kernels.cross import DataSet
from hlm.kernels.fit import Fit, Workspace, allocate_fit, allocate_workspace
from hlm.kernels.inference import DeltaMethod, allocate_delta
from hlm.kernels.minimum import Work, allocate_work
from hlm.kernels.problem import Problem
from hlm.kernels.search import Search, allocate_search
from hlm.kernels.units import Units, allocate_units
from hlm.lanes import WIDTH, allocate_lanes

if TYPE_CHECKING:
    from hlm.kernels.data import CrossProducts
    from hlm.kernels.inference import Parametrization

__all__ = [
    "BEND",
    "CRITERION",
    "DECREMENT",
    "ITERATIONS",
    "NEEDS_MORE",
    "NOBODY",
    "N_OBS",
    "RANK",
    "RESIDUAL",
    "STATUS",
    "SUM_SQUARES",
    "Ended",
    "OneByOne",
    "Present",
    "Searching",
    "SideBySide",
    "Waiting",
    "allocate_side_by_side",
    "lanes_problem",
    "move",
    "put",
    "take",
    "take_matrix",
]

Arrays = TypeVar("Arrays", Units, State)

NOBODY = -1
"""No data set is in a lane."""

(
    CRITERION, RESIDUAL, BEND, N_OBS, SUM_SQUARES, RANK, DECREMENT, STATUS, ITERATIONS, NEEDS_MORE,
) = range(10)  # fmt: skip
"""Numbers of each lane. The criterion: at Psi = 0 before the search begins, then at `trial`, then
at the minimum. The residual sum of squares within units, and what `bend_of` gives; observations and
y'y. The rank of the Hessian at `trial`, and Newton's decrement. Of a search that has ended status
and steps, and in the end whether the fit needs more than that, 1 or 0."""

OF_UNITS = ("Rt", "within", "moments", "rows")
"""What a criterion needs of units; nothing of the last where they share a design."""

OF_STATE = ("G", "hessian_psi", "r2", "beta", "Ls", "uu", "T")
"""What a search needs of a criterion, the first two; and inference."""


class Waiting(NamedTuple):
    """The next `WIDTH` data sets.

    Attributes
    ----------
    cross : DataSet
        Their cross-products.
    units : Units
    block : ndarray (k, WIDTH)
        Of `units`, what the criterion needs.
    numbers : ndarray (10, WIDTH)
        `CRITERION`, `RESIDUAL`, ...
    starts : ndarray (q, q, WIDTH)
        The Lambda from which their searches begin.
    """

    cross: DataSet
    units: Units
    block: np.ndarray
    numbers: np.ndarray
    starts: np.ndarray


class Searching(NamedTuple):
    """Searches that are going on.

    Attributes
    ----------
    sets : ndarray of int (WIDTH,)
        The data set in each lane.
    searches : Search
        With one more axis, the first.
    numbers : ndarray (10, WIDTH)
        As in `Waiting`.
    trial : ndarray (q, q, WIDTH)
        The Lambda at which each search needs the criterion.
    state_block : ndarray (k, WIDTH)
        What is taken of the criterion's parts.
    """

    sets: np.ndarray
    searches: Search
    numbers: np.ndarray
    trial: np.ndarray
    state_block: np.ndarray


class Present(NamedTuple):
    """The data sets whose searches are going on.

    Attributes
    ----------
    searching : Searching
    units, block : Units, ndarray (k, WIDTH)
        As in `Waiting`.
    state : State
        The criterion's parts in each lane, at its `trial`.
    """

    searching: Searching
    units: Units
    block: np.ndarray
    state: State


class Ended(NamedTuple):
    """Data sets whose searches have ended, until there are `WIDTH` to conclude from.

    Attributes
    ----------
    sets : ndarray of int (WIDTH,)
    there : ndarray of int (1,)
        How many there are.
    numbers : ndarray (10, WIDTH)
    state : State
        What inference needs at the minimum.
    state_block : ndarray (k, WIDTH)
        As in `Searching`.
    fit : Fit
    delta : DeltaMethod
    """

    sets: np.ndarray
    there: np.ndarray
    numbers: np.ndarray
    state: State
    state_block: np.ndarray
    fit: Fit
    delta: DeltaMethod


class OneByOne(NamedTuple):
    """Memory for what is done for one data set after another.

    Attributes
    ----------
    workspace : Workspace
    state : ndarray (k,)
        Of its `state`, what the blocks of lanes have.
    curvature : ndarray (k,)
        The beginning of that: what a search needs.
    """

    workspace: Workspace
    state: np.ndarray
    curvature: np.ndarray


class SideBySide(NamedTuple):
    """Memory of data sets side by side.

    Attributes
    ----------
    waiting : Waiting
    present : Present
    ended : Ended
    work : Work
        In lanes, of one kernel at a time.
    own : OneByOne
    pairs : ndarray of int (2, WIDTH)
        From which lane data sets go to which.
    left : ndarray of bool (n,)
        Set where a data set is left to `stack.fit_stack`.
    """

    waiting: Waiting
    present: Present
    ended: Ended
    work: Work
    own: OneByOne
    pairs: np.ndarray
    left: np.ndarray


def allocate_side_by_side(
    cross: CrossProducts, parametrization: Parametrization, *, shared: bool
) -> SideBySide:
    """Return memory for the data sets of a stack."""
    p, q = len(parametrization.fixed), len(parametrization.random)
    n_units, n_theta = cross.response.shape[2], len(parametrization.row)
    workspace = allocate_workspace(parametrization, n_units, shared=shared)
    own, state = in_block(workspace.state, OF_STATE)
    n_search = state.G.size + state.hessian_psi.size
    return SideBySide(
        _allocate_waiting(cross, q, p, shared=shared),
        _allocate_present(n_units, q, p, n_theta, shared=shared),
        _allocate_ended(q, p, n_theta),
        allocate_lanes(allocate_work(q, n_theta)),
        OneByOne(workspace._replace(state=state), own, own[:n_search]),
        np.zeros((2, WIDTH), dtype=np.int64),
        np.zeros(len(cross.n_obs), dtype=np.bool_),
    )


def _allocate_waiting(cross: CrossProducts, q: int, p: int, *, shared: bool) -> Waiting:
    data = DataSet(
        np.zeros(cross.gram.shape[1:]),
        np.zeros(cross.response.shape[1:]),
        np.zeros(1),  # type: ignore[arg-type]
        np.zeros(cross.multipliers.shape[1:]),
    )
    block, units = _allocate_units(cross.response.shape[2], q, p, shared=shared)
    numbers, starts = np.zeros(NEEDS_MORE + 1), np.zeros((q, q))
    return Waiting(
        allocate_lanes(data), units, block, allocate_lanes(numbers), allocate_lanes(starts)
    )


def _allocate_units(n_units: int, q: int, p: int, *, shared: bool) -> tuple[np.ndarray, Units]:
    units = allocate_units(n_units, q, p, shared=shared, has_rows=not shared)
    units = allocate_lanes(units)
    return in_block(units, OF_UNITS[:-1] if shared else OF_UNITS, WIDTH)


def _allocate_present(n_units: int, q: int, p: int, n_theta: int, *, shared: bool) -> Present:
    block, units = _allocate_units(n_units, q, p, shared=shared)
    state = allocate_lanes(allocate_state(n_units, q, p, n_theta, shared=shared))
    state_block, state = in_block(state, OF_STATE, WIDTH)
    searching = Searching(
        np.full(WIDTH, NOBODY),
        allocate_search(q, n_theta, (WIDTH,)),
        allocate_lanes(np.zeros(NEEDS_MORE + 1)),
        allocate_lanes(np.zeros((q, q))),
        state_block,
    )
    return Present(searching, units, block, state)


def _allocate_ended(q: int, p: int, n_theta: int) -> Ended:
    state = allocate_lanes(allocate_state(1, q, p, n_theta, shared=True))
    state_block, state = in_block(state, OF_STATE, WIDTH)
    return Ended(
        np.full(WIDTH, NOBODY),
        np.zeros(1, dtype=np.int64),
        allocate_lanes(np.zeros(NEEDS_MORE + 1)),
        state,
        state_block,
        allocate_lanes(allocate_fit(q, p, n_theta)),
        allocate_lanes(allocate_delta(q, n_theta)),
    )


def in_block(arrays: Arrays, names: tuple[str, ...], width: int = 0) -> tuple[np.ndarray, Arrays]:
    """Return an array with a row for each number of some arrays, and these as parts of it.

    With a `width` their last axis is that of the lanes.

    Examples
    --------
    >>> block, units = in_block(allocate_units(2, 1, 2, shared=False), ("Rt", "within"))
    >>> units.within[0, 1] = 3.0
    >>> block
    array([0., 0., 0., 3., 0., 0., 0., 0., 0., 0., 0.])
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


@kernel
def lanes_problem(parametrization, effects, units, numbers, reml):
    """Return the problems of all lanes as one, of numbers that are lanes."""
    p, row, col = len(parametrization.fixed), parametrization.row, parametrization.col
    return Problem(effects, p, row, col, units, numbers[N_OBS], reml)


@kernel
def take(block, z, out):
    """Write what a block has in lane z."""
    # out_i = block_iz
    for i in range(len(out)):
        out[i] = block[i, z]


@kernel
def take_matrix(matrices, z, out):
    """Write the matrix in lane z."""
    # out_ab = matrices_abz
    for a in range(out.shape[0]):
        for b in range(out.shape[1]):
            out[a, b] = matrices[a, b, z]


@kernel
def put(matrix, matrices, z):
    """Write a matrix into lane z."""
    # matrices_abz = matrix_ab
    for a in range(matrix.shape[0]):
        for b in range(matrix.shape[1]):
            matrices[a, b, z] = matrix[a, b]


@kernel
def move(source, target, pairs, first, stop):
    """Write lanes of one block into those of another, by pairs number `first` to `stop` - 1."""
    # target_it = source_is of each pair (s, t)
    for i in range(len(source)):
        for k in range(first, stop):
            target[i, pairs[1, k]] = source[i, pairs[0, k]]
