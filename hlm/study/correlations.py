"""Correlations as a study file has them: one number for all pairs, or a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["check_number", "check_possible", "correlation_matrix", "given_matrix"]

Matrix = tuple[tuple[float, ...], ...]


def correlation_matrix(cor: float | list[list[float]], q: int, path: str) -> Matrix:
    """Return the correlations of q variables.

    Raises
    ------
    InputError
        If there are no such correlations.

    Examples
    --------
    >>> correlation_matrix(0.5, 2, "cor")
    ((1.0, 0.5), (0.5, 1.0))
    """
    if isinstance(cor, list):
        matrix = given_matrix(cor, q, path)
    else:
        check_number(cor, path)
        matrix = np.full((q, q), cor + 0.0)
        np.fill_diagonal(matrix, 1.0)
    check_possible(matrix, path)
    return tuple(tuple(row) for row in matrix.tolist())


def check_number(cor: float, path: str) -> None:
    """Refuse what is no correlation."""
    if abs(cor) > 1:
        raise InputError(f"the correlation {cor:g} is not allowed", path=path, allowed="-1 to 1")


def check_possible(matrix: Floats, path: str) -> None:
    """Refuse correlations that are not possible together."""
    if len(matrix) > 2 and np.linalg.eigvalsh(matrix)[0] < -1e-8:
        raise InputError(
            f"the correlations {_written(matrix)} are not possible together",
            path=path,
            allowed="a positive semidefinite matrix",
        )


def given_matrix(rows: list[list[float]], q: int, path: str) -> Floats:
    """Return a matrix that is written, if it is one of correlations of q variables."""
    if len(rows) != q or any(len(row) != q for row in rows):
        lengths = sorted({len(row) for row in rows})
        values = noun(lengths[0] if len(lengths) == 1 else 0, "value")
        found = f"{counted(len(rows), 'row')} of {', '.join(map(str, lengths))} {values}"
        wanted = f"{counted(q, 'row')} of {q}"
        raise InputError(f"the matrix has {found}", path=path, allowed=wanted)
    matrix = np.array(rows, dtype=float)
    if np.any(np.abs(matrix) > 1):
        worst = matrix.flat[np.argmax(np.abs(matrix))]
        raise InputError(f"the correlation {worst:g} is not allowed", path=path, allowed="-1 to 1")
    if np.any(np.diag(matrix) != 1) or np.any(matrix != matrix.T):
        problem = f"{_written(matrix)} is no correlation matrix"
        raise InputError(problem, path=path, allowed="a symmetric matrix with ones on its diagonal")
    return matrix


def _written(matrix: Floats) -> str:
    return "[" + ", ".join(f"[{', '.join(f'{x:g}' for x in row)}]" for row in matrix) + "]"
