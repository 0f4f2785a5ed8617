r"""Start values by the method of moments; for a shared design they are the optimum itself.

With e_i = c_i - b_i beta_OLS the pseudo-residuals, R_i^{-1} e_i is unit i's least-squares deviation
from the population line, with variance sigma^2 (Psi + (R_i'R_i)^{-1}). Hence

    sigma^2 = gamma'W gamma / nu_w,     nu_w = N - sum rank Z_i [- rank W_xx],
    Psi     = sum (R_i^{-1} e_i)(R_i^{-1} e_i)' / (nu sigma^2) - mean (R_i'R_i)^{-1},

nu = m for ML and m less the fixed effects per random effect for REML.

When all units have one Z, the random effects are one full block, and each of them is regressed on
the same attributes of the units (X_i = Z_i W_i with W_i = w_i' x I_q), beta_OLS is the estimate for
every Psi, and the criterion is that of G = sigma^2 (I + R Psi R') and sigma^2,

    nu (log|G| + tr(G^{-1}T)) + nu_w log sigma^2 + gamma'W gamma / sigma^2,   T = sum e_i e_i' / nu,

to be minimized subject to G >= sigma^2 I. G has the eigenvectors of T, and eigenvalues
max(lambda_k, sigma^2): those below sigma^2 are pooled with it, the smallest first, each with nu
degrees of freedom. So `closed_form` gives the minimum over all Psi, the boundary included.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.boundary import lower_factor
from hlm.kernels.criterion import evaluate
from hlm.kernels.linalg import cholesky, copy, eigh_jacobi, invert_lower, solve_upper
from hlm.lanes import choose, everywhere, negation

__all__ = [
    "EIGENVALUE_FLOOR",
    "WITHIN_TOLERANCE",
    "MomentStart",
    "allocate_start",
    "moment_start",
    "rank_of",
]

EIGENVALUE_FLOOR = 1e-4
"""Psi starts with eigenvalues of at least this much: inside the cone, where gradients point."""

WITHIN_RESIDUAL = 1e-10
"""With less than this share of the residual sum of squares within units, Psi starts as I."""

WITHIN_TOLERANCE = 1e-9
"""A column of X with less than this share of its sum of squares outside Z lies in the span of Z."""

ORTHOGONAL = 1e-9
"""Cosine of the angle between residuals and a column of X below which they are orthogonal."""


SUM_SQUARES, N_WITHIN, N_REGULAR, RANKS, SOLVED = range(5)
"""The residual sum of squares within units; the columns of X that have a share outside the span
of Z; the units whose Z has full rank; minus the ranks of all, where designs are not shared; and 1
where the optimum is in closed form, else 0."""


class MomentStart(NamedTuple):
    """Memory of the moment start.

    Attributes
    ----------
    deviations, unscaled : ndarray (q, q)
        sum (R^{-1} e)(R^{-1} e)' and sum (R'R)^{-1}.
    deviation : ndarray (q,)
        Of one unit R^{-1} e; in `closed_form` R^{-1} v_k times a root, of one eigenvector v_k.
    inverse : ndarray (q, q)
        R'^{-1} of one unit, or of all that share a design.
    origin : ndarray (q, q)
        The Lambda of Psi = 0.
    Psi : ndarray (q, q)
        The start by moments, then its Cholesky factor.
    sums : ndarray (5,)
        `SUM_SQUARES`, `N_WITHIN`, `N_REGULAR`, `RANKS`, `SOLVED`.
    """

    deviations: np.ndarray
    unscaled: np.ndarray
    deviation: np.ndarray
    inverse: np.ndarray
    origin: np.ndarray
    Psi: np.ndarray
    sums: np.ndarray


def allocate_start(q: int) -> MomentStart:
    """Return memory for the start of `q` random effects."""
    square = (q, q)
    return MomentStart(
        deviations=np.zeros(square),
        unscaled=np.zeros(square),
        deviation=np.zeros(q),
        inverse=np.zeros(square),
        origin=np.zeros(square),
        Psi=np.zeros(square),
        sums=np.zeros(5),
    )


@kernel
def moment_start(problem, Lambda, state, work):
    """Write the start into Lambda; return False if X'X is singular or the fit is perfect."""
    if moment_sums(problem, work.start, state) == np.inf:
        return False
    start_from_sums(problem, Lambda, state, work.start, work.square, work.vectors)
    return True


@kernel
def moment_sums(problem, start, state):
    """Sum over units what the start is made of; return the criterion at Psi = 0."""
    p, units, gamma, sums = problem.p, problem.units, state.gamma, start.sums
    start.origin[:] = 0.0
    criterion = evaluate(problem, start.origin, state)
    sum_squares = 0.0
    # gamma'W gamma, the residual sum of squares within units
    for j in range(p + 1):
        for k in range(p + 1):
            sum_squares += gamma[j] * units.within[j, k] * gamma[k]
    sums[SUM_SQUARES] = sum_squares
    sums[N_WITHIN] = count_within(p, units.within, state.S)
    if not units.shared:
        deviations(problem, gamma, start)
    return criterion


@kernel
def start_from_sums(problem, Lambda, state, start, square, vectors):
    """Write the start into Lambda; `square` and `vectors` are those of `Work`."""
    q, sums = np.int64(len(problem.effects)), start.sums
    sums[SOLVED] = 0.0
    if problem.units.shared:
        if 2 * len(problem.row) == q * (q + 1):
            closed_form(problem, Lambda, state, start, square, vectors)
        if everywhere(sums[SOLVED] > 0.0):
            return
        shared_deviations(problem, state.gamma, start)
    Psi = start.Psi
    moments(problem, state.r2[0], start, Psi)
    project(q, Psi, square, vectors)
    # Lambda, but where it is the optimum
    for a in range(q):
        for b in range(q):
            Lambda[a, b] = choose(sums[SOLVED] > 0.0, Lambda[a, b], Psi[a, b])


@kernel
def moments(problem, r2, start, Psi):
    """Write Psi by moments; I where there are none."""
    q, reml, sums = np.int64(len(problem.effects)), problem.reml, start.sums
    sum_squares, n_within, n_regular = sums[SUM_SQUARES], sums[N_WITHIN], sums[N_REGULAR]
    degrees = sums[RANKS] + problem.n_obs - (n_within if reml else 0.0)
    has_moments = (n_regular > 0.0) & (degrees > 0.0) & (sum_squares > WITHIN_RESIDUAL * r2)
    sigma2 = choose(has_moments, sum_squares / choose(has_moments, degrees, 1.0), 1.0)
    n_regular = choose(has_moments, n_regular, 1.0)
    nu = n_regular - ((problem.p - n_within) / q if reml else 0.0)
    Psi[:] = 0.0
    # Psi = I
    for a in range(q):
        Psi[a, a] = 1.0
    # Psi = sum (R^{-1} e)(R^{-1} e)' / (nu sigma^2) - mean (R'R)^{-1}, its free elements
    for v in range(len(problem.row)):
        a, b = problem.row[v], problem.col[v]
        spread = start.deviations[a, b] / (max(nu, 1.0) * sigma2)
        element = spread - start.unscaled[a, b] / n_regular
        Psi[a, b] = choose(has_moments, element, Psi[a, b])
        Psi[b, a] = Psi[a, b]


@kernel
def count_within(p, within, S):
    """Count the columns of X that have a share outside the span of Z."""
    count = 0.0
    # W_jj > WITHIN_TOLERANCE x_j'x_j, S being that at Psi = 0
    for j in range(p):
        count += choose(within[j, j] > WITHIN_TOLERANCE * S[j, j], 1.0, 0.0)
    return count


@kernel
def closed_form(problem, Lambda, state, start, T, vectors):
    """Write the optimum into Lambda where the design has the structure for it; set `SOLVED` there.

    Psi is one full block.
    """
    q, units, sums = np.int64(len(problem.effects)), problem.units, start.sums
    sum_squares, n_within = sums[SUM_SQUARES], sums[N_WITHIN]
    n_units, Rt = units.rows.shape[0], units.Rt[0]
    degrees = problem.n_obs - n_units * q - (n_within if problem.reml else 0.0)
    nu = n_units - ((problem.p - n_within) / q if problem.reml else 0.0)
    is_determined = (
        (sum_squares > WITHIN_RESIDUAL * state.r2[0])
        & (degrees > 0.0) & (nu > 0.0) & (rank_of(q, Rt) == q)
        & pseudo_residuals(q, problem.p, units, state, T)
    )  # fmt: skip
    sums[SOLVED] = choose(is_determined, 1.0, 0.0)
    if everywhere(negation(is_determined)):
        return
    # T = sum_k t_k v_k v_k', t_k = nu lambda_k
    eigh_jacobi(T, q, vectors)
    sigma2 = pool_small(q, nu, sum_squares, degrees, T)
    Lambda[:] = 0.0
    column = start.deviation
    # Psi = sum_k max(t_k / (nu sigma^2) - 1, 0) (R^{-1} v_k)(R^{-1} v_k)'
    for k in range(q):
        excess = choose(T[k, k] > 0.0, max(T[k, k] / (nu * sigma2) - 1.0, 0.0), 0.0)
        # R^{-1} v_k max(t_k / (nu sigma^2) - 1, 0)^{1/2}, by `solve_upper`
        for a in range(q):
            column[a] = vectors[a, k] * np.sqrt(excess)
        solve_upper(Rt, q, column)
        # Psi += column column'
        for a in range(q):
            for b in range(q):
                Lambda[a, b] += column[a] * column[b]
    lower_factor(q, Lambda)


@kernel
def pool_small(q, nu, sum_squares, degrees, T):
    """Pool each t_k below nu sigma^2 with it, smallest first, and make it -1; return sigma^2."""
    sigma2 = sum_squares / degrees
    # One after another
    for _ in range(q):
        least, place = T[0, 0], 0.0
        # The smallest t_k that is not pooled
        for k in range(1, q):
            is_less = (least < 0.0) | ((T[k, k] >= 0.0) & (T[k, k] < least))
            least, place = choose(is_less, T[k, k], least), choose(is_less, 1.0 * k, place)
        is_pooled = (least >= 0.0) & (least < nu * sigma2)
        sum_squares = choose(is_pooled, sum_squares + least, sum_squares)
        degrees = choose(is_pooled, degrees + nu, degrees)
        sigma2 = sum_squares / degrees
        for k in range(q):
            T[k, k] = choose(is_pooled & (place == k), -1.0, T[k, k])
    return sigma2


@kernel
def rank_of(q, Rt):
    """Return the rank of a Z from R', which has zero columns where columns of Z are dependent."""
    rank = 0.0
    # R_aa > 0
    for a in range(q):
        rank += choose(Rt[a, a] > 0.0, 1.0, 0.0)
    return rank


@kernel
def pseudo_residuals(q, p, units, state, T):
    """Write sum e_i e_i' into T; return whether the e_i are orthogonal to X for every weight."""
    gamma, v, n_oblique = state.gamma, 0, 0.0
    # T_ab = gamma'(moment v) gamma, v = (a, b); the moments of X with e must vanish
    for a in range(q):
        for b in range(a + 1):
            T[a, b] = 0.0
            for j in range(p + 1):
                element = 0.0
                for k in range(p + 1):
                    element += units.moments[v, j, k] * gamma[k]
                longest = np.sqrt(max(state.S[j, j], 0.0) * state.r2[0])
                is_oblique = abs(element) > ORTHOGONAL * longest
                n_oblique += choose(is_oblique, 1.0, 0.0) if j < p else 0.0
                T[a, b] += gamma[j] * element
            T[b, a] = T[a, b]
            v += 1
    return n_oblique == 0.0


@kernel
def shared_deviations(problem, gamma, start):
    """Do as `deviations` for a shared design, from the moments."""
    q, p, units = np.int64(len(problem.effects)), problem.p, problem.units
    products, unscaled, inverse = start.deviations, start.unscaled, start.inverse
    n_units, Rt = units.rows.shape[0], units.Rt[0]
    rank = rank_of(q, Rt)
    start.sums[N_REGULAR] = choose(rank == q, 1.0 * n_units, 0.0)
    start.sums[RANKS] = -n_units * rank
    v = 0
    # (sum e e')_ab = gamma'(moment v) gamma, v = (a, b)
    for a in range(q):
        for b in range(a + 1):
            element = 0.0
            for j in range(p + 1):
                for k in range(p + 1):
                    element += gamma[j] * units.moments[v, j, k] * gamma[k]
            products[a, b] = element
            products[b, a] = element
            v += 1
    # (sum e e') R'^{-1}
    for a in range(q):
        solve_upper(Rt, q, products[a])
    # R^{-1} (sum e e') R'^{-1}
    for b in range(q):
        solve_upper(Rt, q, products[:, b])
    invert_lower(Rt, q, inverse)
    # m (R'R)^{-1} = m R^{-1} R'^{-1}
    for a in range(q):
        for b in range(q):
            unscaled[a, b] = 0.0
            for k in range(q):
                unscaled[a, b] += n_units * inverse[k, a] * inverse[k, b]


@kernel
def deviations(problem, gamma, start):
    """Sum (R^-1 e)(R^-1 e)' and (R'R)^-1 over the units whose Z has full rank, and the ranks."""
    q, p, units = np.int64(len(problem.effects)), problem.p, problem.units
    products, unscaled = start.deviations, start.unscaled
    e, inverse = start.deviation, start.inverse
    products[:] = 0.0
    unscaled[:] = 0.0
    start.sums[N_REGULAR] = 0.0
    start.sums[RANKS] = 0.0
    # Unit i's part of both sums, and - rank Z_i
    for i in range(units.rows.shape[0]):
        Rt = units.Rt[i]
        rank = rank_of(q, Rt)
        regular = rank == q
        start.sums[RANKS] -= rank
        start.sums[N_REGULAR] += choose(regular, 1.0, 0.0)
        # R^{-1} e, e = rows gamma
        for a in range(q):
            e[a] = 0.0
            for j in range(p + 1):
                e[a] += units.rows[i, a, j] * gamma[j]
        solve_upper(Rt, q, e)
        # sum (R^{-1} e)(R^{-1} e)' and sum (R'R)^{-1}
        invert_lower(Rt, q, inverse)
        for a in range(q):
            for b in range(q):
                products[a, b] += choose(regular, e[a] * e[b], 0.0)
                for k in range(q):
                    unscaled[a, b] += choose(regular, inverse[k, a] * inverse[k, b], 0.0)


@kernel
def project(q, Psi, a, vectors):
    """Overwrite the symmetric Psi by the Cholesky factor of it with its eigenvalues floored."""
    copy(Psi, a)
    eigh_jacobi(a, q, vectors)
    # Psi = sum_k max(lambda_k, floor) v_k v_k'
    for i in range(q):
        for j in range(i + 1):
            element = 0.0
            for k in range(q):
                element += vectors[i, k] * vectors[j, k] * max(a[k, k], EIGENVALUE_FLOOR)
            Psi[i, j] = element
            if j < i:
                Psi[j, i] = 0.0
    cholesky(Psi, q, 0.0)
