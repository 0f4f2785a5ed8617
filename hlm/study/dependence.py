"""What the columns of a formula show of its parameters, on an example of the data."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from hlm.formula import model_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.formula import Formula, Term

    Floats = NDArray[np.float64]
    Pairs = Sequence[tuple[int, int]]

__all__ = ["confounded", "dependent", "hidden_by_reml"]

TOLERANCE = 1e-9
"""Sine of the angle below which a column lies in the span of others."""

SEEN_TOLERANCE = 1e-12
"""An eigenvalue of what REML sees below this, as a share of what there is, is zero."""


def dependent(formula: Formula, data: Mapping[str, Floats]) -> str | None:
    """Name the first fixed column that depends on those before it."""
    names, fixed = _scaled_columns(formula.fixed, data)
    if np.linalg.matrix_rank(fixed, tol=TOLERANCE) == len(names):
        return None
    ranks = (np.linalg.matrix_rank(fixed[:, : i + 1], tol=TOLERANCE) for i in range(len(names)))
    first = next(name for i, (name, rank) in enumerate(zip(names, ranks, strict=True)) if rank <= i)
    return f"the column '{first}' depends on the others"


def confounded(formula: Formula, data: Mapping[str, Floats]) -> str | None:
    """Name the first random effect whose variance or covariances depend on earlier ones."""
    names, Z, pairs = _random_part(formula, data)
    effects = _effects_on_variance(Z, data["unit"], pairs)
    if np.linalg.matrix_rank(effects, tol=TOLERANCE) == len(pairs) + 1:
        return None
    ranks = (np.linalg.matrix_rank(effects[:, : v + 2], tol=TOLERANCE) for v in count())
    first = next(
        a for v, ((a, _), rank) in enumerate(zip(pairs, ranks, strict=False)) if rank < v + 2
    )
    return (
        f"the variances of {_blocks_text(formula)} depend on one another: no "
        f"data set tells those of '{names[first]}' from the others and the residual's"
    )


def hidden_by_reml(formula: Formula, data: Mapping[str, Floats]) -> str | None:
    """Name the first random effect whose variance or covariances REML does not see.

    REML sees P0 V P0, with P0 = I - QQ' and Q an orthonormal basis of the fixed columns. It tells
    the elements of Psi and sigma^2 apart if the matrix made of

        A(E, F) = tr(P0 Z E Z' P0 Z F Z'),  tr(P0 Z E Z'),  tr(P0)

    is regular.
    """
    names, Z, pairs = _random_part(formula, data)
    seen = _seen_by_reml(Z, _fixed_basis(formula, data), data["unit"], pairs)
    least = (np.linalg.eigvalsh(seen[: v + 2, : v + 2])[0] for v in range(len(pairs)))
    for (a, _), eigenvalue in zip(pairs, least, strict=True):
        if eigenvalue <= SEEN_TOLERANCE:
            return (
                f"the fixed effects leave REML nothing of the variance or covariances of "
                f"'{names[a]}' in {_blocks_text(formula)}"
            )
    return None


def _blocks_text(formula: Formula) -> str:
    return ", ".join(block.text for block in formula.random)


def _random_part(formula: Formula, data: Mapping[str, Floats]) -> tuple[list[str], Floats, Pairs]:
    """Return the names and columns of the random effects, and the free elements of Psi."""
    names: list[str] = []
    parts, blocks = [], []
    for block in formula.random:
        labels, columns = _scaled_columns(block.terms, data)
        parts.append(_orthonormal(columns))
        blocks += [len(names)] * len(labels)
        names += labels
    pairs = [(a, b) for a, first in enumerate(blocks) for b in range(first, a + 1)]
    return names, np.concatenate(parts, axis=1), pairs


def _scaled_columns(terms: Sequence[Term], data: Mapping[str, Floats]) -> tuple[list[str], Floats]:
    """Return the names and columns of some terms, centred if the first is the intercept."""
    names, columns = model_columns(terms, data)
    return names, _scaled(columns, centred=terms[0].is_intercept)


def _orthonormal(columns: Floats) -> Floats:
    """Make the columns of a correlated block orthonormal, since only their span matters.

    A column that depends on those before it becomes zero.
    """
    Q, R = np.linalg.qr(columns)
    Q[:, np.abs(np.diag(R)) <= TOLERANCE] = 0.0
    return np.asarray(Q)


def _fixed_basis(formula: Formula, data: Mapping[str, Floats]) -> Floats:
    return _orthonormal(_scaled_columns(formula.fixed, data)[1])


def _effects_on_variance(Z: Floats, unit: Floats, pairs: Pairs) -> Floats:
    """Return the derivatives of all V_i in sigma^2 and each free element of Psi, as columns.

    V_i = sigma^2 I + sum_v psi_v Z_i E_v Z_i'. With Z_i = Q_i R_i the lengths and angles of these
    matrices are those of R_i E_v R_i', and of I within the span of Q_i and outside it.
    """
    sizes = np.unique(unit, return_counts=True)[1]
    columns: list[list[Floats]] = [[] for _ in range(len(pairs) + 1)]
    outside = 0
    for size in np.unique(sizes):
        of_size = Z[np.repeat(sizes == size, sizes)].reshape(-1, size, Z.shape[1])
        R = np.asarray(np.linalg.qr(of_size, mode="r"))
        n_units, k = R.shape[:2]
        outside += n_units * (size - k)
        columns[0].append(np.tile(np.eye(k).ravel(), n_units))
        for column, (a, b) in zip(columns[1:], pairs, strict=True):
            product = np.einsum("ij,ik->ijk", R[..., a], R[..., b])
            column.append((product + product.transpose(0, 2, 1)).ravel())
    columns[0].append(np.sqrt([outside]))
    for column in columns[1:]:
        column.append(np.zeros(1))
    return _scaled(np.column_stack([np.concatenate(parts) for parts in columns]), centred=False)


def _seen_by_reml(Z: Floats, Q: Floats, unit: Floats, pairs: Pairs) -> Floats:
    """Return what REML sees of sigma^2 and the elements of Psi, scaled by what there is of each."""
    q, of_units = Z.shape[1], _by_unit(Z, unit)
    M = np.einsum("ura,urb->uab", of_units, of_units)
    H = np.einsum("ura,urj->uaj", of_units, _by_unit(Q, unit))
    E = np.zeros((len(pairs), q, q))
    for v, (a, b) in enumerate(pairs):
        E[v, a, b] = E[v, b, a] = 1.0
    T = np.einsum("uaj,vab,ubk->vjk", H, E, H, optimize=True)
    EM = np.einsum("vab,ubc->vuac", E, M)
    EK = np.einsum("vab,ubj,ucj->vuac", E, H, H, optimize=True)
    whole = np.einsum("vuab,vuba->v", EM, EM)
    seen = np.empty((len(pairs) + 1, len(pairs) + 1))
    seen[0, 0] = len(Z) - Q.shape[1]
    seen[0, 1:] = seen[1:, 0] = np.einsum("vuaa->v", EM) - np.einsum("vjj->v", T)
    seen[1:, 1:] = np.einsum("vuab,wuba->vw", EM, EM - 2.0 * EK)
    seen[1:, 1:] += np.einsum("vjk,wkj->vw", T, T)
    scale = np.sqrt(np.append(len(Z), np.where(whole > 0.0, whole, 1.0)))
    return np.asarray(seen / np.outer(scale, scale))


def _by_unit(columns: Floats, unit: Floats) -> Floats:
    """Cut columns into units, (n_units, most rows, k), with zeros where a unit has fewer rows."""
    sizes = np.unique(unit, return_counts=True)[1]
    there = np.arange(sizes.max()) < sizes[:, None]
    whole = np.zeros((*there.shape, columns.shape[1]))
    whole[there] = columns
    return whole


def _scaled(columns: Floats, *, centred: bool) -> Floats:
    """Centre and scale columns, so that their rank does not depend on their units."""
    size = np.linalg.norm(columns, axis=0)
    moved = columns - columns.mean(axis=0) if centred else columns.copy()
    if centred:
        moved[:, 0] = 1.0
    length = np.linalg.norm(moved, axis=0)
    constant = length <= 1e-10 * size
    return np.where(constant, 0.0, moved / np.where(constant, 1.0, length))
