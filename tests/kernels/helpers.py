"""Data for the engine's kernels, and the same mathematics by brute force on N x N matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from hlm.formula import Formula, model_columns
from hlm.jit import entry
from hlm.kernels.criterion import evaluate
from hlm.kernels.data import CrossProducts, ModelColumns
from hlm.kernels.derivatives import differentiate
from hlm.kernels.elements import free_elements
from hlm.kernels.fit import STATUSES, Workspace, allocate_workspace
from hlm.kernels.inference import Parametrization
from hlm.kernels.load import data_set, load
from hlm.kernels.newton import theta_derivatives
from hlm.kernels.problem import Problem
from hlm.kernels.stack import allocate_results, fit_stack, only_the_fit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """One data set, a matrix per unit; `blocks` are the sizes of Lambda's diagonal blocks."""

    Z: list[Floats]
    X: list[Floats]
    y: list[Floats]
    blocks: tuple[int, ...]

    @property
    def n_obs(self) -> int:
        return sum(len(y) for y in self.y)

    @property
    def q(self) -> int:
        return self.Z[0].shape[1]

    @property
    def p(self) -> int:
        return self.X[0].shape[1]

    @property
    def free(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return free_elements(self.blocks)

    def Lambda(self, theta: Floats) -> Floats:
        matrix = np.zeros((self.q, self.q))
        matrix[self.free] = theta
        return matrix


@dataclass(frozen=True)
class Fit:
    """What the engine left in its workspace, copied."""

    status: str
    criterion: float
    gradient_norm: float
    singular: bool
    iterations: int
    theta: Floats
    beta: Floats
    se: Floats
    df: Floats
    vcov: Floats
    random: Floats
    random_se: Floats


def random_data(
    rng: np.random.Generator,
    *,
    blocks: tuple[int, ...] = (2,),
    units: int = 8,
    rows: tuple[int, int] = (3, 7),
    shared: bool = False,
    sd: float = 1.0,
    unit_columns: int = 1,
) -> Data:
    """Draw a data set: Z = [1, x1, ...], X = Z and unit-level columns."""
    q = sum(blocks)
    sizes = np.full(units, rows[1]) if shared else rng.integers(rows[0], rows[1] + 1, units)
    common = rng.normal(size=(rows[1], q))
    Z = [common.copy() if shared else rng.normal(size=(n, q)) for n in sizes]
    for z in Z:
        z[:, 0] = 1.0
    a = rng.normal(size=(units, unit_columns))
    X = [np.c_[z, np.tile(row, (len(z), 1))] for z, row in zip(Z, a, strict=True)]
    effects = sd * rng.normal(size=(units, q)) @ np.tril(rng.normal(size=(q, q))).T
    beta = rng.normal(size=q + unit_columns)
    y = [x @ beta + z @ b + rng.normal(size=len(z)) for x, z, b in zip(X, Z, effects, strict=True)]
    return Data(Z, X, y, blocks)


def formula_data(formula: Formula, frame) -> Data:
    """Cut a data frame into units, in order of appearance."""
    _, X = model_columns(formula.fixed, frame)
    Z = [model_columns(block.terms, frame)[1] for block in formula.random]
    y = frame[formula.response].to_numpy(dtype=float)
    group = frame[formula.random[0].group].to_numpy()
    rows = [np.flatnonzero(group == unit) for unit in dict.fromkeys(group.tolist())]
    blocks = tuple(z.shape[1] for z in Z)
    whole = np.hstack(Z)
    return Data([whole[i] for i in rows], [X[i] for i in rows], [y[i] for i in rows], blocks)


def cross_products(data: Data, *, shared: bool) -> tuple[CrossProducts, ModelColumns]:
    """Return the data set as a stack of one; of a shared design unit-level columns as multipliers.

    Its X is that of `random_data`: the columns of Z, the first of them 1, and unit-level columns.
    """
    p, q, m = data.p, data.q, len(data.y)
    within = q if shared else p
    columns = [np.c_[Z, X[:, :within]] for Z, X in zip(data.Z, data.X, strict=True)]
    gram = np.array([(F.T @ F)[np.tril_indices(q + within)] for F in columns]).T.copy()
    response = np.array([F.T @ y for F, y in zip(columns, data.y, strict=True)]).T.copy()
    multipliers = np.vstack([np.ones(m), np.array([X[0, within:] for X in data.X]).T])
    places = np.zeros((q + p, 2), dtype=np.int64)
    places[: q + within, 0] = np.arange(q + within)
    places[q + within :, 1] = np.arange(1, p - within + 1)
    rest = np.zeros((0, 2), dtype=np.int64)
    squares = np.array([sum(y @ y for y in data.y)])
    gram = gram[None, :, :1].copy() if shared else gram[None]
    cross = CrossProducts(gram, response[None], squares, multipliers[None], np.array([data.n_obs]))
    identity = np.eye(p), np.eye(q), np.zeros(p)
    return cross, ModelColumns(places[q:], places[:q], rest, np.zeros(0), *identity)


def make_workspace(data: Data, *, shared: bool = False) -> Workspace:
    """Return the engine's workspace with the data in it, as the criterion takes them."""
    workspace = allocate_workspace(parametrization_of(data), len(data.Z), shared=shared)
    cross, design = cross_products(data, shared=shared)
    load_first(workspace.effects, cross, design, workspace.units)
    return workspace


def parametrization_of(data: Data) -> Parametrization:
    """Return that of a fit in the columns of the data themselves."""
    p, q = data.p, data.q
    return Parametrization(*data.free, np.eye(p), np.eye(q), np.zeros(p), 0.0)


def problem_of(workspace: Workspace, data: Data, *, reml: bool) -> Problem:
    """Return the problem of the data set in a workspace."""
    row, col = data.free
    return Problem(workspace.effects, data.p, row, col, workspace.units, data.n_obs, reml)


def fit(data: Data, *, reml: bool, shared: bool = False) -> Fit:
    """Fit by the kernel of a batch, as a stack of one data set."""
    p, parametrization = data.p, parametrization_of(data)
    workspace = allocate_workspace(parametrization, len(data.y), shared=shared)
    cross, design = cross_products(data, shared=shared)
    fit_stack(
        cross,
        design,
        parametrization,
        np.array([reml]),
        workspace,
        only_the_fit(parametrization),
        allocate_results(1, 1, p + len(data.free[0]) + 1),
    )
    criterion, status, iterations, norm, _, singular, _ = workspace.fit.summary
    out = workspace.fit.estimates
    return Fit(
        status=STATUSES[int(status)],
        criterion=float(criterion),
        gradient_norm=float(norm),
        singular=bool(singular),
        iterations=int(iterations),
        theta=out.theta.copy(),
        beta=out.estimate[:p].copy(),
        se=out.se[:p].copy(),
        df=out.df[:p].copy(),
        vcov=out.vcov.copy(),
        random=out.estimate[p:].copy(),
        random_se=out.se[p:].copy(),
    )


@entry
def load_first(effects, cross, design, units):
    """Load the first data set of a stack."""
    load(effects, data_set(cross, 0), design, units)


@entry
def criterion_at(problem, Lambda, state):
    """Return the criterion."""
    return evaluate(problem, Lambda, state)


@entry
def differentiate_at(problem, Lambda, state, theta):
    """Return the criterion, with its derivatives in `theta`."""
    value = evaluate(problem, Lambda, state)
    differentiate(problem, state)
    theta_derivatives(problem, Lambda, state, theta)
    return value


def derivatives(
    workspace: Workspace, data: Data, theta: Floats, *, reml: bool
) -> tuple[float, Floats, Floats]:
    """Return the engine's criterion, gradient and Hessian at theta."""
    problem, found = problem_of(workspace, data, reml=reml), workspace.work.theta
    value = differentiate_at(problem, data.Lambda(theta), workspace.state, found)
    return value, found.gradient.copy(), found.hessian.copy()


class Dense:
    """The criterion from N x N matrices, and derivatives by the textbook.

    With V = I + Z (I x Psi) Z', P = V^{-1} - V^{-1}X(X'V^{-1}X)^{-1}X'V^{-1} and r^2 = y'Py:
    d log|V| = tr(V^{-1}dV), d log|X'V^{-1}X| = -tr((V^{-1} - P)dV), dr^2 = -y'P dV P y.
    """

    def __init__(self, data: Data, *, reml: bool) -> None:
        self.data, self.reml = data, reml
        self.Z = block_diag(*data.Z)
        self.X = np.vstack(data.X)
        self.y = np.concatenate(data.y)
        self.n_star = data.n_obs - (data.p if reml else 0)

    def _parts(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        Psi = self.data.Lambda(theta) @ self.data.Lambda(theta).T
        V = np.eye(len(self.y)) + self.Z @ np.kron(np.eye(len(self.data.Z)), Psi) @ self.Z.T
        W = np.linalg.inv(V)
        S = self.X.T @ W @ self.X
        return W, S, W - W @ self.X @ np.linalg.solve(S, self.X.T @ W)

    def criterion(self, theta: Floats) -> float:
        W, S, P = self._parts(theta)
        r2 = self.y @ P @ self.y
        value = -np.linalg.slogdet(W)[1] + self.n_star * (1 + np.log(2 * np.pi * r2 / self.n_star))
        return float(value + (np.linalg.slogdet(S)[1] if self.reml else 0.0))

    def gradient(self, theta: Floats) -> Floats:
        W, _, P = self._parts(theta)
        Py = P @ self.y
        r2 = self.y @ Py
        trace = P if self.reml else W
        return np.array(
            [np.sum(trace * D) - self.n_star / r2 * Py @ D @ Py for D in self._dV(theta)]
        )

    def hessian(self, theta: Floats, step: float = 1e-5) -> Floats:
        """Central differences of the exact gradient."""
        steps = step * np.eye(len(theta))
        H = np.array(
            [(self.gradient(theta + s) - self.gradient(theta - s)) / (2 * step) for s in steps]
        )
        return (H + H.T) / 2

    def vcov(self, theta: Floats) -> Floats:
        _, S, P = self._parts(theta)
        return (self.y @ P @ self.y) / self.n_star * np.linalg.inv(S)

    def beta(self, theta: Floats) -> Floats:
        W, S, _ = self._parts(theta)
        return np.linalg.solve(S, self.X.T @ W @ self.y)

    def joint(self, theta: Floats, log_sigma2: float) -> float:
        """Criterion in theta and log sigma^2, beta profiled out."""
        W, S, P = self._parts(theta)
        r2 = self.y @ P @ self.y
        value = -np.linalg.slogdet(W)[1] + self.n_star * (np.log(2 * np.pi) + log_sigma2)
        value += r2 / np.exp(log_sigma2)
        return float(value + (np.linalg.slogdet(S)[1] if self.reml else 0.0))

    def _dV(self, theta: Floats) -> list[Floats]:
        Lambda, m = self.data.Lambda(theta), len(self.data.Z)
        out = []
        for a, b in zip(*self.data.free, strict=True):
            E = np.zeros_like(Lambda)
            E[a, b] = 1.0
            half = E @ Lambda.T
            out.append(self.Z @ np.kron(np.eye(m), half + half.T) @ self.Z.T)
        return out
