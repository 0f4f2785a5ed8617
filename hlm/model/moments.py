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

from hlm.kernels.cross import Design
from hlm.kernels.elements import free_elements
from hlm.kernels.fit import ITERATIONS, SINGULAR, STATUS, STATUSES, Room, allocate_room
from hlm.kernels.inference import Parametrization
from hlm.kernels.kenward_roger import KenwardRoger, allocate_kenward_roger
from hlm.kernels.one_fit import adjust_fit
from hlm.kernels.problem import Problem
from hlm.kernels.stack import allocate_results, fit_stack

if TYPE_CHECKING:
    from hlm.model.frame import Frame

__all__ = [
    "EngineFit",
    "Moments",
    "Rows",
    "fit_rows",
    "kenward_roger_of",
    "moments_of",
    "rows_of",
    "whole_design",
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
    gram : ndarray (1, k (k + 1) / 2, n_units)
        Of the k = q + p columns [Z* X*], pairs (0, 0), (1, 0), (1, 1), ...
    response : ndarray (1, k, n_units)
    sum_squares : ndarray (1,)
    parametrization : Parametrization
    """

    columns: Floats
    gram: Floats
    response: Floats
    sum_squares: Floats
    parametrization: Parametrization


class EngineFit(NamedTuple):
    """One data set and its fit as the engine left them."""

    status: str
    rows: Rows
    moments: Moments
    room: Room


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
    squares = np.array([residual @ residual])
    return Moments(columns, gram[None], response[None], squares, parametrization)


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
    """Fit one data set; the results are in the room's `estimates` and `summary`.

    Where there are no estimates, criterion included, they are NaN.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        moments = moments_of(rows)
        room = _fit(moments, len(rows.y), reml=reml)
        status = _verdict(rows, moments, room)
    if status not in ("ok", "partly_identified", "not_converged"):
        room.summary[:], room.Lambda[:] = np.nan, np.nan
        room.summary[[ITERATIONS, SINGULAR]] = 0.0
        for values in room.estimates:
            values[:] = np.nan
    return EngineFit(status, rows, moments, room)


def _fit(moments: Moments, n_obs: int, *, reml: bool) -> Room:
    """Run the engine on a stack of one data set."""
    parametrization = moments.parametrization
    p, q = len(parametrization.fixed), len(parametrization.random)
    n_theta, n_units = len(parametrization.row), moments.gram.shape[2]
    room = allocate_room(n_units, q, p, n_theta, shared=False)
    fit_stack(
        (0,) * q,
        p,
        (moments.gram, moments.response, moments.sum_squares, np.ones((1, 1, n_units))),
        whole_design(q, p),
        parametrization,
        n_obs,
        np.array([reml]),
        room,
        allocate_results(1, 1, p + n_theta + 1, q),
    )
    return room


def kenward_roger_of(fit: EngineFit, n_obs: int) -> KenwardRoger:
    """Inference by the expected information for a fit; NaN if it has no estimates."""
    room, parametrization = fit.room, fit.moments.parametrization
    p, q = len(parametrization.fixed), len(parametrization.random)
    adjusted = allocate_kenward_roger(q, p, len(parametrization.row))
    sigma = room.estimates.estimate[-1]
    if np.isfinite(sigma):
        problem = Problem(
            (0,) * q, p, parametrization.row, parametrization.col, room.units, n_obs, True
        )
        adjust_fit(problem, sigma**2, parametrization, room.Lambda, room.state, adjusted)
        unknown = np.isnan(room.estimates.se[:p])
        adjusted.vcov[unknown, :], adjusted.vcov[:, unknown] = np.nan, np.nan
        adjusted.df[unknown] = np.nan
    else:
        adjusted.vcov[:], adjusted.df[:] = np.nan, np.nan
    return adjusted


@cache
def whole_design(q: int, p: int) -> Design:
    """Return the places of the columns: Z*, then X*."""
    places = np.zeros((q + p, 2), dtype=np.int64)
    places[:, 0] = np.arange(q + p)
    return Design(places[q:], places[:q], np.zeros((0, 2), dtype=np.int64), np.zeros(0))


def _verdict(rows: Rows, moments: Moments, room: Room) -> str:
    """Name what became of the fit, given what rounding leaves of a perfect one."""
    n, p = rows.basis.shape
    y = rows.y
    size = np.abs(y).max()
    if y.max() - y.min() <= CONSTANT_TOLERANCE * size:
        return "constant_response"
    status = STATUSES[int(room.summary[STATUS])]
    if n <= p or status == "not_finite":
        return "unidentified" if n <= p else status
    weights = np.ones(n) if rows.weights is None else rows.weights
    mass = weights.sum()
    deviation = y - weights @ y / mass
    nothing = PERFECT_TOLERANCE * (weights @ deviation**2) + mass * (ROUNDING * size) ** 2
    sigma = room.estimates.estimate[-1]
    perfect = moments.sum_squares[0] <= nothing or (n - p) * sigma**2 <= nothing
    return "perfect_fit" if perfect else status
