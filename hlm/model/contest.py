r"""F tests of several coefficients at once, by Satterthwaite and by Kenward and Roger.

With L (r, p) the contrasts, in the basis in which Phi = sigma^2 I (see `hlm.engine.inference` and
`hlm.engine.kenward_roger`):

Satterthwaite (as lmerTest): rotate to the eigenvectors of L Phi L', nu_m the degrees of freedom of
the m-th; E = sum nu_m / (nu_m - 2), ddf = 2 E / (E - r), F = (L beta)'(L Phi L')^{-1}(L beta) / r.

Kenward-Roger (1997): Theta the projection on the contrasts,
A1 = sum_rs Omega_rs tr(Theta p_r) tr(Theta p_s), A2 = sum_rs Omega_rs tr(Theta p_r Theta p_s), and
the scale and denominator df that match two moments of F with the adjusted covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    from hlm.engine.fit import Room
    from hlm.engine.inference import Parametrization
    from hlm.engine.kenward_roger import KenwardRoger
    from hlm.model.result import LmerFit

__all__ = ["FTest", "contest", "kenward_roger_f", "satterthwaite_df", "satterthwaite_f"]

Floats = NDArray[np.float64]

NAMES = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger"}

EQUAL_DF = 1e-8
"""Degrees of freedom this near to each other count as equal (lmerTest's `get_Fstat_ddf`)."""


@dataclass(frozen=True)
class FTest:
    """An F test.

    Attributes
    ----------
    F, df, ddf, p_value : float
        Statistic (scaled, for Kenward-Roger), numerator and denominator degrees of freedom.
    method : str
    """

    F: float
    df: int
    ddf: float
    p_value: float
    method: str


def contest(fit: LmerFit, contrasts: Any, method: str) -> FTest:
    """Test contrasts of a fit; see `LmerFit.contest`."""
    if method not in NAMES:
        raise InputError(
            f"unknown method '{method}' of F tests",
            allowed=", ".join(NAMES),
            suggestion=nearest(method, NAMES),
        )
    L = _contrast_matrix(list(fit.coef_names), contrasts)
    if not np.isfinite(fit.sigma):
        return FTest(np.nan, len(L), np.nan, np.nan, NAMES[method])
    room, parametrization = fit.engine.room, fit.engine.moments.parametrization
    if method == "kenward-roger":
        return kenward_roger_f(L, fit.beta, room, parametrization, fit.adjusted)
    n_star = fit.nobs - len(fit.beta) if fit.reml else fit.nobs
    return satterthwaite_f(L, fit.beta, fit.vcov, room, parametrization, n_star)


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


def satterthwaite_df(
    contrast: Floats, room: Room, parametrization: Parametrization, n_star: int
) -> float:
    """Degrees of freedom of one contrast k'beta, k (p,)."""
    half = _whiten(contrast[None], room, parametrization)[0]
    work = room.work
    change = np.einsum("j,vjk,k->v", half, room.state.T, half) / (half @ half)
    d = work.gradient + work.jacobian.T @ change
    return float(1.0 / (1.0 / n_star + ((work.factor @ d) ** 2).sum()))


def satterthwaite_f(
    L: Floats, beta: Floats, vcov: Floats, room: Room, parametrization: Parametrization, n_star: int
) -> FTest:
    """Test L beta = 0, L (r, p) of full rank."""
    values, vectors = np.linalg.eigh(L @ vcov @ L.T)
    rotated = vectors.T @ L
    statistic = float((((rotated @ beta) ** 2) / values).mean())
    df = np.array([satterthwaite_df(k, room, parametrization, n_star) for k in rotated])
    return _test(statistic, len(L), _pooled_df(df), NAMES["satterthwaite"])


def kenward_roger_f(
    L: Floats, beta: Floats, room: Room, parametrization: Parametrization, adjusted: KenwardRoger
) -> FTest:
    """Test L beta = 0 in a REML fit, L (r, p) of full rank."""
    r = len(L)
    half = _whiten(L, room, parametrization)
    theta = half.T @ np.linalg.solve(half @ half.T, half)
    projected = np.einsum("jk,rkl->rjl", theta, adjusted.P)
    traces = np.trace(projected, axis1=1, axis2=2)
    a1 = float(traces @ adjusted.Omega @ traces)
    a2 = float(np.einsum("rs,rjk,skj->", adjusted.Omega, projected, projected))
    difference = L @ beta
    statistic = float(difference @ np.linalg.solve(L @ adjusted.vcov @ L.T, difference) / r)
    ddf, scale = _matched_moments(a1, a2, r)
    return _test(scale * statistic, r, ddf, NAMES["kenward-roger"])


def _matched_moments(a1: float, a2: float, r: int) -> tuple[float, float]:
    """Denominator df and scale by Kenward & Roger (1997), section 2."""
    b = (a1 + 6.0 * a2) / (2.0 * r)
    g = ((r + 1.0) * a1 - (r + 4.0) * a2) / ((r + 2.0) * a2)
    d = 3.0 * r + 2.0 * (1.0 - g)
    c1, c2, c3 = g / d, (r - g) / d, (r + 2.0 - g) / d
    expectation = 1.0 - a2 / r
    rho = (expectation / (1.0 - c2 * b)) ** 2 * (1.0 + c1 * b) / (1.0 - c3 * b) / r
    ddf = 4.0 + (r + 2.0) / (r * rho - 1.0)
    return ddf, ddf * expectation / (ddf - 2.0)


def _pooled_df(df: Floats) -> float:
    if np.ptp(df) < EQUAL_DF:
        return float(df.mean())
    if df.min() <= 2.0:
        return 2.0
    expectation = float((df / (df - 2.0)).sum())
    return 2.0 * expectation / (expectation - len(df))


def _whiten(L: Floats, room: Room, parametrization: Parametrization) -> Floats:
    """Express contrasts of the formula's coefficients in the basis in which S_xx = I."""
    from scipy.linalg import solve_triangular

    contrasts = L @ parametrization.fixed
    return np.asarray(solve_triangular(np.tril(room.state.Ls), contrasts.T, lower=True).T)


def _independent(L: Floats) -> Floats:
    """Drop rows that are linear combinations of those before them."""
    rows: list[Floats] = []
    for row in L:
        if np.linalg.matrix_rank(np.array([*rows, row])) > len(rows):
            rows.append(row)
    return np.array(rows).reshape(-1, L.shape[1])


def _test(statistic: float, df: int, ddf: float, method: str) -> FTest:
    from scipy.special import fdtrc

    return FTest(statistic, df, ddf, float(fdtrc(df, ddf, statistic)), method)
