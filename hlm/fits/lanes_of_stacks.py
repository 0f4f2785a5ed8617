"""A stack of data sets fitted side by side, and those that this leaves by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.kernels.lane_memory import allocate_side_by_side
from hlm.kernels.lane_stack import fit_side_by_side
from hlm.kernels.stack import fit_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hlm.kernels.data import CrossProducts, ModelColumns
    from hlm.kernels.fit import Workspace
    from hlm.kernels.inference import Parametrization
    from hlm.kernels.stack import Inferences, StackResults

__all__ = ["Task", "fit_in_lanes"]


class Task(NamedTuple):
    """A stack and the model to be fitted to it, as `hlm.kernels.stack.fit_stack` takes them."""

    cross: CrossProducts
    columns: ModelColumns
    parametrization: Parametrization
    reml: NDArray[np.bool_]
    workspace: Workspace
    inferences: Inferences


def fit_in_lanes(
    task: Task, results: StackResults, allocate: Callable[[int], StackResults]
) -> None:
    """Fill `results` as `hlm.kernels.stack.fit_stack` would, bit for bit.

    Parameters
    ----------
    task : Task
    results : StackResults
    allocate : callable
        From a number of data sets to what takes their results.
    """
    cross, shared = task.cross, task.workspace.units.shared
    memory = allocate_side_by_side(cross, task.parametrization, shared=shared)
    own = results._replace(expected=None, robust=None, limits=None, coefficient_limits=None)
    fit_side_by_side(
        cross, task.columns, task.parametrization, task.reml, memory, task.inferences.tests, own
    )
    rows = np.flatnonzero(memory.left)
    if not len(rows):
        return
    found = allocate(len(rows))
    fit_stack(
        _part(cross, rows), task.columns, task.parametrization, task.reml,
        task.workspace, task.inferences, found,
    )  # fmt: skip
    for whole, part in zip(results, found, strict=True):
        if isinstance(whole, np.ndarray) and len(whole):
            whole[rows] = part


def _part(cross: CrossProducts, rows: NDArray[np.int64]) -> CrossProducts:
    """Return some data sets of a stack; what all have in common stays a single one."""
    return cross._replace(
        gram=cross.gram[rows] if len(cross.gram) > 1 else cross.gram,
        response=cross.response[rows],
        sum_squares=cross.sum_squares[rows],
        multipliers=cross.multipliers[rows] if len(cross.multipliers) > 1 else cross.multipliers,
        n_obs=cross.n_obs[rows],
    )
