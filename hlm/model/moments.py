"""A model frame -> the cross-products that the engine fits, as a stack of one data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.engine.batch import free_elements
from hlm.engine.fit import Room, allocate_room
from hlm.engine.inference import Parametrization
from hlm.engine.stack import Design, allocate_results, fit_stack

if TYPE_CHECKING:
    from hlm.model.frame import Frame

__all__ = ["Moments", "fit_frame", "moments_of"]

Floats = NDArray[np.float64]


class Moments(NamedTuple):
    """Cross-products of one data set in the basis of the fit.

    Attributes
    ----------
    gram : ndarray (1, k (k + 1) / 2, n_units)
        Of the k = q + p columns [Z* X*], pairs (0, 0), (1, 0), (1, 1), ...
    response : ndarray (1, k, n_units)
    sum_squares : ndarray (1,)
    parametrization : Parametrization
    total : float
        The response's sum of squares about its mean, before X was taken out.
    """

    gram: Floats
    response: Floats
    sum_squares: Floats
    parametrization: Parametrization
    total: float


def moments_of(frame: Frame) -> Moments:
    """Condition the columns and cross them."""
    root = np.sqrt(frame.weights)
    basis, transform = np.linalg.qr(frame.X * root[:, None])
    y = frame.y * root
    offset = basis.T @ y
    residual = y - basis @ offset
    residual -= basis @ (basis.T @ residual)
    random, random_transform = _condition(frame)
    columns = np.column_stack([random * root[:, None], basis])
    row, col = free_elements([len(names) for names in frame.random_names])
    order = np.argsort(frame.units, kind="stable")
    starts = np.searchsorted(frame.units[order], np.arange(len(frame.unit_names)))
    columns, residual = columns[order], residual[order]
    pairs = [(a, b) for a in range(columns.shape[1]) for b in range(a + 1)]
    gram = np.array([np.add.reduceat(columns[:, a] * columns[:, b], starts) for a, b in pairs])
    response = np.array([np.add.reduceat(column * residual, starts) for column in columns.T])
    return Moments(
        gram=gram[None],
        response=response[None],
        sum_squares=np.array([residual @ residual]),
        parametrization=Parametrization(
            row,
            col,
            np.linalg.inv(transform),
            np.linalg.inv(random_transform),
            offset,
            2.0 * float(np.log(np.abs(np.diag(transform))).sum()),
        ),
        total=float(((y - y.mean()) ** 2).sum()),
    )


def _condition(frame: Frame) -> tuple[Floats, Floats]:
    """Centre and scale the columns of Z within each block; return Z* and T_z with Z = Z* T_z."""
    Z, transform, start = frame.Z.copy(), np.eye(frame.Z.shape[1]), 0
    for names in frame.random_names:
        block = range(start, start + len(names))
        constants = [j for j in block if (frame.Z[:, j] == 1.0).all()]
        for j in block:
            mean = Z[:, j].mean() if constants and j != constants[0] else 0.0
            scale = float(np.sqrt(((Z[:, j] - mean) ** 2).mean())) or 1.0
            Z[:, j] = (Z[:, j] - mean) / scale
            transform[j, j] = scale
            if constants and j != constants[0]:
                transform[constants[0], j] = mean
        start += len(names)
    return Z, transform


def fit_frame(moments: Moments, n_obs: int, *, reml: bool) -> Room:
    """Fit one data set; the results are in the room's `estimates`, `state` and `summary`."""
    parametrization = moments.parametrization
    p, q = len(parametrization.fixed), len(parametrization.random)
    n_theta, n_units = len(parametrization.row), moments.gram.shape[2]
    room = allocate_room(n_units, q, p, n_theta, shared=False)
    places = np.zeros((q + p, 2), dtype=np.int64)
    places[:, 0] = np.arange(q + p)
    fit_stack(
        (0,) * q,
        p,
        (moments.gram, moments.response, moments.sum_squares, np.ones((1, 1, n_units))),
        Design(places[q:], places[:q], np.zeros((0, 2), dtype=np.int64), np.zeros(0)),
        parametrization,
        n_obs,
        np.array([reml]),
        True,
        False,
        room,
        allocate_results(1, 1, p + n_theta + 1),
    )
    return room
