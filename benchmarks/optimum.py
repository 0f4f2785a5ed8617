"""Whether the search ends at the lowest minimum: other starts and lme4, on small data sets."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.small import Group, draw_group
from hlm.jit import entry
from hlm.kernels.data import CrossProducts, ModelColumns
from hlm.kernels.fit import CRITERION, ITERATIONS, SINGULAR, STATUS, allocate_workspace
from hlm.kernels.inference import Parametrization
from hlm.kernels.load import data_set, load
from hlm.kernels.minimum import CONVERGED, minimize
from hlm.kernels.problem import Problem
from hlm.kernels.stack import allocate_results, fit_stack, only_the_fit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hlm.kernels.units import Units

__all__ = ["SAME", "STARTS", "WORSE", "Fits", "Rivals", "ask_lme4", "fit_groups"]

Floats = NDArray[np.float64]

SAME = 1e-7
"""Criteria that differ by less are the same."""

WORSE = 1e-4
"""A criterion that is higher by more than this is no minimum."""

STARTS = ("Lambda = I", "Lambda = I / 100", "normal, sd 0.3", "normal, sd 1", "normal, sd 5")
"""The other starts of each fit; the last three are random numbers for every element of theta."""

SCRIPT = Path(__file__).with_name("optimum.R")

METHODS = (True, False)
"""REML, then ML."""


@dataclass(frozen=True)
class Fits:
    """Standard fits of n data sets by REML and ML, and searches from other starts.

    Attributes
    ----------
    summary : ndarray (n, 2, 7)
        Of the standard fits, as `hlm.kernels.fit` has it.
    criteria : ndarray (n, 2, starts)
        Where searches from the other starts end; infinite if they do not converge.
    steps : ndarray of int (n, 2, starts)
    n_obs, q : ndarray of int (n,)
        Rows of each data set and its random effects.
    """

    summary: Floats
    criteria: Floats
    steps: NDArray[np.int64]
    n_obs: NDArray[np.int64]
    q: NDArray[np.int64]

    @property
    def failed(self) -> int:
        """Standard fits whose status is not ok."""
        return int((self.summary[..., STATUS] != 0.0).sum())

    @property
    def excess(self) -> Floats:
        """The standard fit's criterion less the lowest from the other starts, (n, 2)."""
        return self.summary[..., CRITERION] - self.criteria.min(axis=2)

    @property
    def higher(self) -> Floats:
        """What each other start ends above the lowest of all, (n, 2, starts)."""
        lowest = np.minimum(self.summary[..., CRITERION], self.criteria.min(axis=2))
        return self.criteria - lowest[..., None]

    @property
    def iterations(self) -> Floats:
        """Newton steps of the standard fits, (n, 2)."""
        return self.summary[..., ITERATIONS]

    @property
    def singular(self) -> float:
        """Share of standard fits that are singular."""
        return float(self.summary[..., SINGULAR].mean())


def fit_groups(numbers: Iterable[int], n: int) -> Fits:
    """Fit n data sets of each of the numbered designs that are identifiable, from all starts."""
    parts = [
        _fit_group(group, np.random.default_rng([12, number]))
        for number in numbers
        if (group := draw_group(number, n)).identifiable
    ]
    return Fits(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@entry
def load_set(
    effects: tuple[int, ...], cross: CrossProducts, r: int, design: ModelColumns, units: Units
) -> None:
    """Load data set r of a stack, as `fit_stack` does."""
    load(effects, data_set(cross, r), design, units)


def _fit_group(
    group: Group, rng: np.random.Generator
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Fit one group; return the columns of `Fits`."""
    q, p, (row, col) = group.q, group.p, group.free
    n, n_theta = len(group.y), len(row)
    cross, design = group.crossed(), _design(q, p)
    results = allocate_results(n, 2, p + n_theta + 1)
    parametrization = Parametrization(row, col, np.eye(p), np.eye(q), np.zeros(p), 0.0)
    workspace = allocate_workspace(parametrization, len(group.sizes), shared=False)
    effects, units, Lambda = workspace.effects, workspace.units, workspace.fit.Lambda
    fit_stack(
        cross,
        design,
        parametrization,
        np.array(METHODS),
        workspace,
        only_the_fit(parametrization),
        results,
    )
    starts = _starts(n, row == col, rng)
    criteria = np.full((n, 2, len(STARTS)), np.inf)
    steps = np.zeros(criteria.shape, dtype=np.int64)
    for r in range(n):
        load_set(effects, cross, r, design, units)
        for k, reml in enumerate(METHODS):
            problem = Problem(effects, p, row, col, units, group.n_obs, reml)
            for s, theta in enumerate(starts[:, r]):
                Lambda[:] = 0.0
                Lambda[row, col] = theta
                status, steps[r, k, s], criterion = minimize(
                    problem, Lambda, workspace.state, workspace.work, False
                )
                if status == CONVERGED:
                    criteria[r, k, s] = criterion
    return results.summary, criteria, steps, np.full(n, group.n_obs), np.full(n, q)


def _design(q: int, p: int) -> ModelColumns:
    """Return the places of the columns: Z, then X."""
    places = np.zeros((q + p, 2), dtype=np.int64)
    places[:, 0] = np.arange(q + p)
    nothing = np.zeros((0, 2), dtype=np.int64)
    return ModelColumns(
        places[q:], places[:q], nothing, np.zeros(0), np.eye(p), np.eye(q), np.zeros(p)
    )


def _starts(n: int, diagonal: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Return theta of every start, (starts, n, n_theta)."""
    shape = (n, len(diagonal))
    identity = np.broadcast_to(1.0 * diagonal, shape)
    normal = [sd * rng.normal(size=shape) for sd in (0.3, 1.0, 5.0)]
    return np.array([identity, 0.01 * identity, *normal])


@dataclass(frozen=True)
class Rivals:
    """The same fits by lme4, in turn by REML and ML.

    Attributes
    ----------
    ours, default, best : ndarray (n,)
        Criteria: of the standard fit, of lme4's default optimizer, of the best of all it has.
    warned : ndarray of bool (n,)
        Whether lme4's default said that it did not converge.
    """

    ours: Floats
    default: Floats
    best: Floats
    warned: NDArray[np.bool_]


def ask_lme4(numbers: Iterable[int]) -> Rivals | None:
    """Fit one data set of each design by lme4 too; None without R and lme4."""
    if shutil.which("Rscript") is None:
        return None
    groups = [group for number in numbers if (group := draw_group(number, 1)).identifiable]
    with TemporaryDirectory() as name:
        folder = Path(name)
        tables = [group.rows(0).assign(set=k) for k, group in enumerate(groups)]
        pd.concat(tables).to_csv(folder / "data.csv", index=False)
        models = {
            "formula": [group.formula for group in groups],
            "reml": [METHODS[k % 2] for k in range(len(groups))],
        }
        pd.DataFrame(models).to_csv(folder / "models.csv", index=False)
        files = [str(folder / file) for file in ("data.csv", "models.csv", "answer.csv")]
        subprocess.run(["Rscript", "--vanilla", str(SCRIPT), *files], check=True)
        if not (folder / "answer.csv").exists():
            return None
        answer = pd.read_csv(folder / "answer.csv")
    ours = [
        fit_groups([number], 1).summary[0, k % 2, CRITERION]
        for k, number in enumerate(n for n in numbers if draw_group(n, 1).identifiable)
    ]
    return Rivals(
        np.array(ours),
        answer["default"].to_numpy(),
        answer["best"].to_numpy(),
        answer["warned"].to_numpy(dtype=bool),
    )
