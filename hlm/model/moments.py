"""Rows of one data set -> the cross-products that the engine fits, well conditioned, and the fit.

X = X* T_x with orthonormal X*; Z = Z* T_z with columns centred where the block has an intercept and
scaled to mean square 1; y* = the residuals of y on X. So neither the columns' units nor far-off
means, as of a year, cost digits.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.kernels.data import CrossProducts, ModelColumns
from hlm.kernels.elements import free_elements
from hlm.kernels.fit import ITERATIONS, SINGULAR, STATUS, STATUSES, Workspace, allocate_workspace
from hlm.kernels.inference import Parametrization
from hlm.kernels.kenward_roger import KenwardRoger, allocate_kenward_roger
from hlm.kernels.one_fit import adjust_fit
from hlm.kernels.stack import allocate_results, fit_stack, only_the_fit

if TYPE_CHECKING:
    from hlm.model.frame import Frame

__all__ = [
    "EngineFit",
    "Moments",
    "Rows",
    "fit_moments",
    "fit_rows",
    "kenward_roger_of",
    "moments_of",
    "rows_of",
]

Floats = NDArray[np.float64]

CONSTANT_TOLERANCE = 1e-14
"""A response, or a column of Z, that varies by no more than this share of its size is constant."""

PERFECT_TOLERANCE = 1e-14
"""A residual sum of squares below this share of the response's cannot be told from rounding."""

ROUNDING = 4 * float(np.finfo(float).eps)
"""Nor can residuals below this share of the response."""


class Rows(NamedTuple):
    """The rows of one data set, unit after unit.

    Attributes
    ----------
    basis, transform : ndarray (n, p), (p, p)
        The columns X = basis transform, times the roots of the weights: orthonormal, triangular.
    Z : ndarray (n, q)
    y : ndarray (n,)
    weights : ndarray (n,) or None
        None if all are 1.
    starts : ndarray of int (n_units,)
        The first row of each unit.
    blocks : tuple of int
        The sizes of the blocks of random effects.
    """

    basis: Floats
    transform: Floats
    Z: Floats
    y: Floats
    weights: Floats | None
    starts: NDArray[np.int64]
    blocks: tuple[int, ...]


class Moments(NamedTuple):
    """Cross-products of one data set in the basis of the fit.

    Attributes
    ----------
    columns : ndarray (q + p, n)
        [Z* X*], times the roots of the weights.
    cross : CrossProducts
        Of these columns, with y* for the response: a stack of one data set.
    places : ModelColumns
    parametrization : Parametrization
    """

    columns: Floats
    cross: CrossProducts
    places: ModelColumns
    parametrization: Parametrization


class EngineFit(NamedTuple):
    """One data set and its fit as the engine left them."""

    status: str
    rows: Rows
    moments: Moments
    workspace: Workspace


def rows_of(frame: Frame) -> Rows:
    """Sort a frame's rows by unit."""
    order = np.argsort(frame.units, kind="stable")
    starts = np.searchsorted(frame.units[order], np.arange(len(frame.unit_names)))
    X, weights = frame.X[order], frame.weights[order]
    weighted = bool((weights != 1.0).any())
    basis, transform = np.linalg.qr(np.sqrt(weights)[:, None] * X if weighted else X)
    Z, y = frame.Z[order], frame.y[order]
    return Rows(basis, transform, Z, y, weights if weighted else None, starts, frame.blocks)


def moments_of(rows: Rows) -> Moments:
    """Condition the columns and cross them."""
    random, random_transform = _condition(rows.Z, rows.blocks)
    y, basis = rows.y, rows.basis
    if rows.weights is not None:
        root = np.sqrt(rows.weights)
        random, y = random * root[:, None], y * root
    offset = basis.T @ y
    residual = y - basis @ offset
    residual -= basis @ (basis.T @ residual)
    columns = np.concatenate([random.T, basis.T])
    left, right = _pairs(len(columns))
    gram = np.add.reduceat(columns[left] * columns[right], rows.starts, axis=1)
    response = np.add.reduceat(columns * residual, rows.starts, axis=1)
    parametrization = Parametrization(
        *_free_elements(rows.blocks),
        np.linalg.inv(rows.transform),
        np.linalg.inv(random_transform),
        offset,
        2.0 * float(np.log(np.abs(np.diag(rows.transform))).sum()),
    )
    cross = CrossProducts(
        gram[None],
        response[None],
        np.array([residual @ residual]),
        np.ones((1, 1, len(rows.starts))),
        np.array([len(y)]),
    )
    places = _whole_columns(len(random.T), len(basis.T))._replace(
        fixed_transform=rows.transform, random_transform=random_transform, offset=offset
    )
    return Moments(columns, cross, places, parametrization)


_free_elements = cache(free_elements)
_pairs = cache(np.tril_indices)


def _condition(Z: Floats, blocks: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Centre and scale the columns of Z within each block; return Z* and T_z with Z = Z* T_z."""
    n, q = Z.shape
    mean, intercept = np.ones(n) @ Z / n, _intercepts(Z, blocks)
    centred = (intercept >= 0) & (intercept != np.arange(q))
    Z = Z - np.where(centred, mean, 0.0)
    scale = np.sqrt(np.einsum("nq,nq->q", Z, Z) / n)
    constant = scale <= CONSTANT_TOLERANCE * np.abs(mean)
    Z, scale = np.where(constant, 0.0, Z), np.where(constant, 1.0, scale)
    transform = np.diag(scale)
    transform[intercept[centred], centred] = mean[centred]
    return Z / scale, transform


def _intercepts(Z: Floats, blocks: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the place of the constant column in each column's block, -1 if it has none, (q,)."""
    places, start = np.full(sum(blocks), -1), 0
    for size in blocks:
        for k in range(start, start + size):
            if Z[0, k] == 1.0 and (Z[:, k] == 1.0).all():
                places[start : start + size] = k
                break
        start += size
    return places


def fit_rows(rows: Rows, *, reml: bool) -> EngineFit:
    """Fit one data set; the results are in the workspace's `estimates` and `summary`.

    Where there are no estimates, criterion included, they are NaN.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        moments = moments_of(rows)
        workspace = fit_moments(moments, reml=reml)
        status = _verdict(rows, moments, workspace)
    if status not in ("ok", "partly_identified", "not_converged"):
        workspace.fit.summary[:], workspace.fit.Lambda[:] = np.nan, np.nan
        workspace.fit.summary[[ITERATIONS, SINGULAR]] = 0.0
        for values in workspace.fit.estimates:
            values[:] = np.nan
    return EngineFit(status, rows, moments, workspace)


def fit_moments(moments: Moments, *, reml: bool) -> Workspace:
    """Run the engine on a stack of one data set."""
    parametrization = moments.parametrization
    n_terms = len(parametrization.fixed) + len(parametrization.row) + 1
    workspace = allocate_workspace(parametrization, moments.cross.gram.shape[2], shared=False)
    fit_stack(
        moments.cross,
        moments.places,
        parametrization,
        np.array([reml]),
        workspace,
        only_the_fit(parametrization),
        allocate_results(1, 1, n_terms),
    )
    return workspace


def kenward_roger_of(fit: EngineFit, n_obs: int) -> KenwardRoger:
    """Inference by the expected information for a fit; NaN if it has no estimates."""
    workspace, parametrization = fit.workspace, fit.moments.parametrization
    p, q = len(parametrization.fixed), len(parametrization.random)
    adjusted = allocate_kenward_roger(q, p, len(parametrization.row))
    if np.isfinite(workspace.fit.estimates.estimate[-1]):
        adjust_fit(parametrization, workspace, n_obs, True, adjusted)
        unknown = np.isnan(workspace.fit.estimates.se[:p])
        adjusted.vcov[unknown, :], adjusted.vcov[:, unknown] = np.nan, np.nan
        adjusted.df[unknown] = np.nan
    else:
        adjusted.vcov[:], adjusted.df[:] = np.nan, np.nan
    return adjusted


@cache
def _whole_columns(q: int, p: int) -> ModelColumns:
    """Return the places of the columns, Z*, then X*, as they are."""
    places = np.zeros((q + p, 2), dtype=np.int64)
    places[:, 0] = np.arange(q + p)
    nothing = np.zeros((0, 2), dtype=np.int64)
    return ModelColumns(
        places[q:], places[:q], nothing, np.zeros(0), np.eye(p), np.eye(q), np.zeros(p)
    )


def _verdict(rows: Rows, moments: Moments, workspace: Workspace) -> str:
    """Name what became of the fit, given what rounding leaves of a perfect one."""
    n, p = rows.basis.shape
    y = rows.y
    size = np.abs(y).max()
    if y.max() - y.min() <= CONSTANT_TOLERANCE * size:
        return "constant_response"
    status = STATUSES[int(workspace.fit.summary[STATUS])]
    if n <= p or status == "not_finite":
        return "unidentified" if n <= p else status
    weights = np.ones(n) if rows.weights is None else rows.weights
    mass = weights.sum()
    deviation = y - weights @ y / mass
    nothing = PERFECT_TOLERANCE * (weights @ deviation**2) + mass * (ROUNDING * size) ** 2
    sigma = workspace.fit.estimates.estimate[-1]
    perfect = moments.cross.sum_squares[0] <= nothing or (n - p) * sigma**2 <= nothing
    return "perfect_fit" if perfect else status
