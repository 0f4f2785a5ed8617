"""F tests of several coefficients, or of contrasts of them; see `hlm.kernels.joint_tests`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.kernels.limits import f_p_value
from hlm.model.inferred import infer

if TYPE_CHECKING:
    from hlm.model.result import LmerFit

__all__ = ["FTest", "contest"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FTest:
    """An F test.

    Attributes
    ----------
    F, df, ddf, p_value : float
        Statistic (scaled, for Kenward-Roger), numerator and denominator degrees of freedom.
    method : str
        How `ddf` was found.
    """

    F: float
    df: int
    ddf: float
    p_value: float
    method: str


def contest(fit: LmerFit, contrasts: Any, method: str) -> FTest:
    """Test contrasts of a fit; see `LmerFit.contest`."""
    L = _contrast_matrix(list(fit.coef_names), contrasts)
    inferred = infer(fit, method, [L])
    F, ddf = float(inferred.F[0]), float(inferred.ddf[0])
    return FTest(F, len(L), ddf, float(f_p_value(F, len(L), ddf)), method)


def _contrast_matrix(names: list[str], contrasts: Any) -> Floats:
    """Return independent contrasts as rows, (r, p), r at least 1."""
    items = [contrasts] if isinstance(contrasts, str) else list(contrasts)
    named = [item for item in items if isinstance(item, str)]
    for name in named:
        if name not in names:
            raise InputError(
                f"the model has no coefficient '{name}'",
                allowed=", ".join(names),
                suggestion=nearest(name, names),
            )
        if names.count(name) > 1:
            raise InputError(
                f"'{name}' is ambiguous: {names.count(name)} coefficients have this name",
                allowed=f"rows of {len(names)} numbers, one for each coefficient in order",
            )
    if named and len(named) == len(items):
        return _independent(np.eye(len(names))[[names.index(name) for name in named]])
    try:
        L = np.atleast_2d(np.asarray(items, dtype=float))
    except (TypeError, ValueError):
        L = np.full((1, 1), np.nan)
    if L.ndim != 2 or L.shape[1] != len(names) or not np.isfinite(L).all():
        raise InputError(
            "the contrasts are no matrix of numbers with a column for each coefficient",
            allowed=f"names of coefficients, or rows of {len(names)} numbers",
        )
    L = _independent(L)
    if len(L) == 0:
        raise InputError("the contrasts are all zero")
    return L


def _independent(L: Floats) -> Floats:
    """Drop rows that are linear combinations of those before them."""
    rows: list[Floats] = []
    for row in L:
        if np.linalg.matrix_rank(np.array([*rows, row])) > len(rows):
            rows.append(row)
    return np.array(rows).reshape(-1, L.shape[1])
