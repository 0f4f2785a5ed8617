r"""What the data cannot tell apart in the random part.

The data depend on Psi by V_i = I + Z_i Psi Z_i' alone, which is linear in it. ML sees all of V, and
REML what P0 = I - X(X'X)^{-1}X' leaves: a symmetric direction E of Psi, within its free elements,
leaves the criterion as it is if P0 Z E Z' P0 = c P0, with P0 = I for ML and Z E Z' that of all
units; sigma^2 makes up for c, which is zero but where no residual is left within units. Such E are
the null space of

    A(E, F) = tr(P0 Z E Z' P0 Z F Z') - a(E) a(F) / n*,   a(E) = tr(P0 Z E Z').

The first part is minus the Hessian of `hlm.kernels.derivatives` at Psi = 0 without its terms in y,
and a is G without them. A variance or covariance is determined if it does not change along that
space. What is left of V within the span of X matters to the fixed effects alone: by REML their
standard errors may change along it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hlm.jit import kernel
from hlm.kernels.boundary import ESCAPE_DECREASE, curvature_along, symmetric_gradient
from hlm.kernels.criterion import evaluate
from hlm.kernels.derivatives import differentiate, sum_derivatives
from hlm.kernels.inference import element_of_psi
from hlm.kernels.linalg import eigh_jacobi, solve_lower
from hlm.kernels.problem import by_ml, divisor

__all__ = [
    "LOOK_TOLERANCE",
    "NullSpace",
    "allocate_null",
    "bend_of",
    "certified_rank",
    "is_degenerate",
    "leave_out_undetermined",
    "null_space",
]

LOOK_TOLERANCE = 1e-3
"""Only where the smallest eigenvalue of the Hessian in theta is below this share of its largest
element may something be undetermined: where the search ends it is flat but for what is left of G,
and G may be a thousandth where an sd is a hundredth of sigma."""

DEGENERATE_TOLERANCE = 1e-6
"""An eigenvalue of the Hessian in Psi below this share of the largest may be that of a direction
which the data do not see."""

NULL_TOLERANCE = 1e-10
"""An eigenvalue of A below this is zero, in units of the diagonal that A has without X."""

SHARE_TOLERANCE = 1e-4
"""What lies in the null space by more than this share of its length is not determined."""

CHANGE_TOLERANCE = 1e-9
"""A coefficient's variance that changes by less than this share of itself does not change."""


class NullSpace(NamedTuple):
    """A of the equations and its eigenvectors.

    Attributes
    ----------
    matrix, vectors : ndarray (n_theta, n_theta)
        A in units of `scale`, diagonal once it is diagonalized, with 0 for the eigenvalues of the
        null space; its eigenvectors.
    scale, trace : ndarray (n_theta,)
        The roots of the diagonal that A has without X and a; a / sqrt(n*) in units of `scale`.
    gradient : ndarray (n_theta,)
        The gradient of one quantity in the free elements of Psi, over `scale`.
    origin : ndarray (q, q)
        The Lambda of Psi = 0.
    """

    matrix: np.ndarray
    vectors: np.ndarray
    scale: np.ndarray
    trace: np.ndarray
    gradient: np.ndarray
    origin: np.ndarray


def allocate_null(q: int, n_theta: int) -> NullSpace:
    """Return memory for the null space of one model."""
    return NullSpace(
        matrix=np.zeros((n_theta, n_theta)),
        vectors=np.zeros((n_theta, n_theta)),
        scale=np.zeros(n_theta),
        trace=np.zeros(n_theta),
        gradient=np.zeros(n_theta),
        origin=np.zeros((q, q)),
    )


@kernel
def bend_of(n_units, XR):
    """Return 2 sum tr(M), by which log|V| alone bends at a Psi of zero.

    Against it the largest element of the Hessian tells whether the criterion is flat in all of
    theta, but for what rounding leaves.
    """
    bend = 0.0
    # 2 sum_i tr(M_i), M = XR'XR
    for i in range(XR.shape[0]):
        for a in range(XR.shape[1]):
            for b in range(XR.shape[2]):
                bend += 2.0 * XR[i, a, b] * XR[i, a, b]
    return bend * (n_units / XR.shape[0])


@kernel
def is_degenerate(n, hessian_psi, work):
    """Tell whether the Hessian in Psi has an eigenvalue near zero, as it has where A has one.

    Along E of the null space the criterion is constant at every Psi, so that Hessian E = 0. At the
    boundary, where the Hessian in theta is flat anyway, this spares most fits a look.
    """
    H, smallest, largest = work.square, np.inf, 0.0
    # Eigenvalues of the Hessian in Psi
    for v in range(n):
        for w in range(n):
            H[v, w] = hessian_psi[v, w]
    eigh_jacobi(H, n, work.vectors)
    # min_k |lambda_k| and max_k |lambda_k|
    for k in range(n):
        smallest, largest = min(smallest, abs(H[k, k])), max(largest, abs(H[k, k]))
    return smallest <= DEGENERATE_TOLERANCE * largest


@kernel
def leave_out_undetermined(reml, parametrization, state, null, out):
    """Write NaN for what is not determined, given the null space; tell if there is anything.

    These are sds and correlations, and by REML the standard errors of coefficients.
    """
    row, col, p = parametrization.row, parametrization.col, len(parametrization.fixed)
    found = False
    # An sd needs its variance, a correlation its covariance and both variances
    for k in range(len(row)):
        a, b = row[k], col[k]
        if (
            is_undetermined(a, a, parametrization, null)
            or is_undetermined(b, b, parametrization, null)
            or is_undetermined(a, b, parametrization, null)
        ):
            out.estimate[p + k], out.se[p + k] = np.nan, np.nan
            found = True
    if found and reml:
        # Coefficients whose variance changes along the null space
        for j in range(p):
            if has_open_variance(j, parametrization, state, null):
                out.se[j], out.df[j] = np.nan, np.nan
                out.vcov[j, :], out.vcov[:, j] = np.nan, np.nan
    return found


@kernel
def null_space(problem, Lambda, state, null):
    """Diagonalize A, in units of its diagonal without X, whose roots are left in `scale`.

    The eigenvalues of the null space are left as zeros on the diagonal of the matrix; return how
    many there are, and whether sigma changes along it. `state` is again that at Lambda.
    """
    row, col = problem.row, problem.col
    n, A, scale, trace = len(row), null.matrix, null.scale, null.trace
    information(by_ml(problem), state, null)
    # scale_v = A_vv^{1/2}, A without X and a
    for v in range(n):
        scale[v] = np.sqrt(A[v, v]) if A[v, v] > 0.0 else 1.0
    if problem.reml:
        information(problem, state, null)
    n_star = divisor(problem)
    # a_v = tr(G E_v), over sqrt(n*) and in units of `scale`
    for v in range(n):
        trace[v] = state.G[row[v], col[v]] * (1.0 if row[v] == col[v] else 2.0)
        trace[v] /= scale[v] * np.sqrt(n_star)
    # A_vw - a_v a_w / n*, in units of `scale`
    for v in range(n):
        for w in range(n):
            A[v, w] = A[v, w] / (scale[v] * scale[w]) - trace[v] * trace[w]
    eigh_jacobi(A, n, null.vectors)
    count = 0
    # Eigenvalues of the null space are 0
    for k in range(n):
        if A[k, k] <= NULL_TOLERANCE:
            A[k, k] = 0.0
            count += 1
    moves_sigma = square_inside(n, trace, null) > SHARE_TOLERANCE * SHARE_TOLERANCE
    evaluate(problem, Lambda, state)
    differentiate(problem, state)
    return count, moves_sigma


@kernel
def information(problem, state, null):
    """Write the first part of A; `state.G` then holds a."""
    A, n = null.matrix, len(problem.row)
    evaluate(problem, null.origin, state)
    sum_derivatives(problem, 0.0, 0.0, np.bool_(True), state)
    # tr(P0 Z E_v Z' P0 Z E_w Z'), minus the Hessian at Psi = 0
    for v in range(n):
        for w in range(n):
            A[v, w] = -state.hessian_psi[v, w]


@kernel
def is_undetermined(a, b, parametrization, null):
    """Tell whether Psi[a, b], in the formula's units, changes along the null space."""
    row, col, gradient = parametrization.row, parametrization.col, null.gradient
    n, length = len(row), 0.0
    # g_v = d Psi_ab / d Psi*_v, in units of `scale`, and |g|^2
    for v in range(n):
        gradient[v] = element_of_psi(a, b, row[v], col[v], parametrization.random)
        gradient[v] /= null.scale[v]
        length += gradient[v] * gradient[v]
    inside = square_inside(n, gradient, null)
    return inside > SHARE_TOLERANCE * SHARE_TOLERANCE * length


@kernel
def has_open_variance(j, parametrization, state, null):
    """Tell whether the variance of coefficient j, over sigma^2, changes along the null space.

    With k the coefficient's weights in the basis in which S_xx = I it is k'k, and changes by
    k'T_E k.
    """
    n, p, gradient, variance = (
        len(parametrization.row), len(parametrization.fixed), null.gradient, 0.0,
    )  # fmt: skip
    k = state.contrasts[j]
    # k = Ls^{-1} T_x'^{-1} e_j
    for m in range(p):
        k[m] = parametrization.fixed[j, m]
    solve_lower(state.Ls, p, k)
    # k'k
    for m in range(p):
        variance += k[m] * k[m]
    # k'T_v k / k'k, in units of `scale`
    for v in range(n):
        gradient[v] = 0.0
        for a in range(p):
            for b in range(p):
                gradient[v] += k[a] * state.T[v, a, b] * k[b]
        gradient[v] /= variance * null.scale[v]
    return square_inside(n, gradient, null) > CHANGE_TOLERANCE * CHANGE_TOLERANCE


@kernel
def square_inside(n, gradient, null):
    """Return the squared length of what lies in the null space."""
    inside = 0.0
    # sum_k (n_k'g)^2 over the null vectors n_k
    for k in range(n):
        if null.matrix[k, k] == 0.0:
            share = 0.0
            # n_k'g
            for v in range(n):
                share += null.vectors[v, k] * gradient[v]
            inside += share * share
    return inside


@kernel
def certified_rank(problem, state, work):
    """Return how many dimensions every equivalent Psi lacks: in how many the criterion rises.

    Of two variances that cannot be told apart one may be zero, but need not be.
    """
    q, row, col = len(problem.effects), problem.row, problem.col
    G, rank = work.G, 0
    symmetric_gradient(row, col, state.G, G)
    eigh_jacobi(G, q, work.vectors)
    # Eigenvalues lambda_k of G with lambda_k t / 2 >= ESCAPE_DECREASE, t the step along v_k v_k'
    for k in range(q):
        if G[k, k] > 0.0:
            curvature = curvature_along(work.vectors[:, k], row, col, state.hessian_psi)
            length = min(1.0, G[k, k] / curvature) if curvature > 0.0 else 1.0
            if 0.5 * G[k, k] * length >= ESCAPE_DECREASE:
                rank += 1
    return rank
