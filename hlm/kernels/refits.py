r"""Data sets drawn from a fit, as sufficient statistics, and fitted again: parametric bootstrap.

Of y = Z b + e with b ~ N(0, sigma^2 Psi), e ~ N(0, sigma^2 I), the fit knows the pseudo-rows c_i of
`units` and the last row of W. With O_i = I + R_i Psi R_i' = L_i L_i' in the rows that Z_i has, and
W_xx = C C',

    c_i = sigma L_i z_i,    W_xy = sigma C z,    W_yy = sigma^2 (|z|^2 + chi^2),

z_i and z standard normal, z only where C has a column, and chi^2 with N - sum rank Z_i - rank W_xx
degrees of freedom, all independent: c_i and what is left over are projections of y on orthogonal
spaces, and so are X'y within and the rest. The fixed part is left out: coefficients of such a data
set are their errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.jit import entry, kernel
from hlm.kernels.criterion import whiten
from hlm.kernels.fit import OK, PARTLY_IDENTIFIED, STATUS, fit_units
from hlm.kernels.joint_tests import has_no_variance, quadratic_form
from hlm.kernels.linalg import cholesky, copy_vector
from hlm.kernels.load import data_set, load
from hlm.kernels.problem import problem_of
from hlm.kernels.start import WITHIN_TOLERANCE, rank_of
from hlm.kernels.units import RANK_TOLERANCE

if TYPE_CHECKING:
    from hlm.kernels.fit import Workspace
    from hlm.kernels.inference import Parametrization
    from hlm.kernels.joint_tests import JointTests

__all__ = ["Refits", "fit_one", "refit"]

Floats = NDArray[np.float64]

CHUNK_VALUES = 1 << 20
"""Normals in memory at a time."""


class Refits(NamedTuple):
    """What data sets are drawn from, and what their fits leave.

    Attributes
    ----------
    L : ndarray (m or 1, q, q)
        The Cholesky factors of O_i; a single one when all units share a design.
    XR : ndarray (q, q)
        Not used: what `whiten` makes beside L.
    C : ndarray (p, p)
        That of W_xx.
    tests : JointTests
    estimate : ndarray (n, p + n_theta + 1)
        As in `inference.Estimates`, of the coefficients their errors; NaN where a fit failed.
    F : ndarray (n, n_tests)
        (L d)'(L Phi L')^{-1}(L d) / r, d the errors of the coefficients.
    """

    L: np.ndarray
    XR: np.ndarray
    C: np.ndarray
    tests: JointTests
    estimate: np.ndarray
    F: np.ndarray


def refit(
    parametrization: Parametrization,
    workspace: Workspace,
    n_obs: int,
    *,
    reml: bool,
    tests: JointTests,
    n: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draw n data sets from the fit in a workspace, and fit them in its place.

    Parameters
    ----------
    parametrization : Parametrization
    workspace : Workspace
        With a data set and its fit; then with the last that was drawn.
    n_obs : int
    reml : bool
    tests : JointTests
        The hypotheses of F tests, if any.
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    estimate, F : ndarray (n, p + n_theta + 1), (n, n_tests)
        As in `Refits`.
    """
    units, n_tests = workspace.units, len(tests.first) - 1
    m, q, p = len(units.rows), len(workspace.effects), len(parametrization.fixed)
    errors = parametrization._replace(offset=np.zeros(p))
    sigma = workspace.fit.estimates.estimate[-1]
    refits = Refits(
        L=np.zeros((len(units.Rt), q, q)),
        XR=np.zeros((q, q)),
        C=np.zeros((p, p)),
        tests=tests,
        estimate=np.full((n, p + len(parametrization.row) + 1), np.nan),
        F=np.full((n, n_tests), np.nan),
    )
    left = factor_truth(workspace, p, n_obs, refits)
    size = max(1, CHUNK_VALUES // (m * q + p))
    for first in range(0, n, size):
        last = min(n, first + size)
        normals = sigma * rng.standard_normal((last - first, m * q + p))
        rest = sigma**2 * (
            rng.chisquare(left, last - first) if left > 0 else np.zeros(last - first)
        )
        part = refits._replace(estimate=refits.estimate[first:last], F=refits.F[first:last])
        fit_draws(errors, workspace, n_obs, reml, (normals, rest), part)
    return refits.estimate, refits.F


@entry
def fit_one(cross, r, design, parametrization, reml, workspace):
    """Fit data set r of a stack; it and its fit are left in the workspace."""
    sum_squares = load(workspace.effects, data_set(cross, r), design, workspace.units)
    problem = problem_of(parametrization, workspace, cross.n_obs[r], reml)
    fit_units(problem, workspace, parametrization, sum_squares)


@entry
def factor_truth(workspace, p, n_obs, refits):
    """Write L and C; return N - sum rank Z_i - rank W_xx."""
    units, C, left = workspace.units, refits.C, n_obs
    # O_i = L_i L_i'
    for i in range(units.Rt.shape[0]):
        Lambda, scratch = workspace.fit.Lambda, workspace.state.R_Lambda
        whiten(workspace.effects, units.Rt[i], Lambda, scratch, refits.L[i], refits.XR)
    # N - sum_i rank Z_i
    for i in range(units.rows.shape[0]):
        left -= rank_of(units.rows.shape[1], units.Rt[0 if units.shared else i])
    # W_xx, but for columns in the span of Z
    for j in range(p):
        length = units.within[j, j]
        for i in range(units.rows.shape[0]):
            for a in range(units.rows.shape[1]):
                length += units.rows[i, a, j] * units.rows[i, a, j]
        there = units.within[j, j] > WITHIN_TOLERANCE * length
        for k in range(p):
            C[j, k] = units.within[j, k] if there else 0.0
    return left - cholesky(C, p, RANK_TOLERANCE)


@entry
def fit_draws(parametrization, workspace, n_obs, reml, drawn, refits):
    """Fill `refits` by the data sets of some draws: normals (n, m q + p) and rests (n,)."""
    normals, rest = drawn
    problem = problem_of(parametrization, workspace, n_obs, reml)
    out, tests = workspace.fit.estimates, refits.tests
    # Draw b: the data set, its fit, and its F tests
    for b in range(len(rest)):
        sum_squares = place_draw(problem, normals[b], rest[b], refits)
        fit_units(problem, workspace, parametrization, sum_squares)
        status = workspace.fit.summary[STATUS]
        if status != OK and status != PARTLY_IDENTIFIED:
            continue
        copy_vector(out.estimate, refits.estimate[b])
        for t in range(refits.F.shape[1]):
            L = tests.L[tests.first[t] : tests.first[t + 1]]
            if not has_no_variance(problem.p, L, out.vcov):
                wald = quadratic_form(problem.p, L, out.estimate, out.vcov, tests)
                refits.F[b, t] = wald / len(L)


@kernel
def place_draw(problem, normals, rest, refits):
    """Write a draw's response into the units; return y'y."""
    units, p, C = problem.units, problem.p, refits.C
    rows, within, n_units, q = units.rows, units.within, units.rows.shape[0], units.rows.shape[1]
    total = rest
    # W_xy = C z, and |z|^2 where C has a column
    for j in range(p):
        z = normals[n_units * q : n_units * q + p]
        within[p, j] = 0.0
        for k in range(j + 1):
            within[p, j] += C[j, k] * z[k]
        within[j, p] = within[p, j]
        total += z[j] * z[j] if C[j, j] > 0.0 else 0.0
    within[p, p] = total
    # c_i = L_i z_i in the rows that Z_i has
    for i in range(n_units):
        place = 0 if units.shared else i
        for a in range(q):
            element = 0.0
            for k in range(a + 1):
                element += refits.L[place, a, k] * normals[i * q + k]
            rows[i, a, p] = element if units.Rt[place, a, a] > 0.0 else 0.0
            total += rows[i, a, p] * rows[i, a, p]
    if units.shared:
        cross_draw(q, p, units)
    return total


@kernel
def cross_draw(q, p, units):
    """Write the moments with the response: symmetric parts of sum_i [b c]_i[a]'c_i[b]."""
    rows, v = units.rows, 0
    # Effects a >= b, column j of [X y]
    for a in range(q):
        for b in range(a + 1):
            for j in range(p + 1):
                element = 0.0
                for i in range(rows.shape[0]):
                    element += rows[i, a, j] * rows[i, b, p] + rows[i, b, j] * rows[i, a, p]
                units.moments[v, p, j] = 0.5 * element
                units.moments[v, j, p] = 0.5 * element
            v += 1
