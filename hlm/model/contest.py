"""F tests of several coefficients, or of contrasts of them; see `hlm.kernels.joint_tests`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.fits.degrees_of_freedom import smallest_df
from hlm.kernels.joint_tests import allocate_joint_tests
from hlm.kernels.kenward_roger import KenwardRoger
from hlm.kernels.limits import f_p_value
from hlm.kernels.one_fit import f_tests_expected, f_tests_observed
from hlm.scenario import EXPECTED_INFORMATION

if TYPE_CHECKING:
    from hlm.model.result import LmerFit
    from hlm.scenario import DfMethod

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
    method: DfMethod


def contest(fit: LmerFit, contrasts: Any, method: DfMethod) -> FTest:
    """Test contrasts of a fit; see `LmerFit.contest`."""
    L = _contrast_matrix(list(fit.coef_names), contrasts)
    F, ddf = _f_test(fit, L, method) if np.isfinite(fit.sigma) else (np.nan, np.nan)
    return FTest(F, len(L), ddf, float(f_p_value(F, len(L), ddf)), method)


def _f_test(fit: LmerFit, L: Floats, method: DfMethod) -> tuple[float, float]:
    """Return F and its denominator df."""
    room, parametrization = fit.engine.room, fit.engine.moments.parametrization
    p, state = len(fit.beta), room.state
    tests = allocate_joint_tests([L], p, len(parametrization.row), 1, 1)
    about = (fit.beta.copy(), fit.sigma**2, parametrization.fixed)
    if method in EXPECTED_INFORMATION:
        adjust = method == "kenward-roger"
        adjusted = KenwardRoger(*(values.copy() for values in fit.adjusted))
        f_tests_expected(p, *about, state.Ls, adjusted, adjust, tests)
    else:
        n_star = fit.nobs - p if fit.reml else fit.nobs
        f_tests_observed(p, n_star, *about, fit.vcov.copy(), state, room.work, tests)
    F, ddf = float(tests.F[0, 0, 0]), float(tests.ddf[0, 0, 0])
    if method in ("between-within", "residual", "infinite"):
        ddf = float(smallest_df(L, fit.df(method)))
    return F, ddf


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
