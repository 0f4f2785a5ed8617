r"""The deviance with sigma a parameter of its own; gradient and Hessian in (theta, log sigma).

    dev(theta, sigma) = sum log|O_i| + r^2(theta) / sigma^2 + N log(2 pi sigma^2),

beta profiled out. From the quantities of `derivatives` at scale 1 / sigma^2 in the place of n*/r^2
and without the term of the profiled sigma; and

    d dev / d log sigma = 2 N - 2 r^2 / sigma^2,          d2 dev / d(log sigma)^2 = 4 r^2 / sigma^2,
    d2 dev / d theta d log sigma = -(2 / sigma^2) d r^2 / d theta = (2 / sigma^2) sum u'E u.
"""

from __future__ import annotations

import numpy as np

from hlm.jit import kernel
from hlm.kernels.criterion import evaluate
from hlm.kernels.derivatives import sum_derivatives
from hlm.kernels.newton import theta_derivatives

__all__ = ["joint_derivatives", "joint_deviance"]


@kernel
def joint_deviance(problem, Lambda, sigma2, state):
    """Return dev(theta, sigma) of a problem by ML; inf where it is not defined."""
    n_obs, profiled = problem.n_obs, evaluate(problem, Lambda, state)
    if not np.isfinite(profiled):
        return np.inf
    r2 = state.r2[0]
    logdet = profiled - n_obs * (1.0 + np.log(2.0 * np.pi * r2 / n_obs))
    return logdet + r2 / sigma2 + n_obs * np.log(2.0 * np.pi * sigma2)


@kernel
def joint_derivatives(problem, Lambda, sigma2, state, theta, gradient, hessian):
    """Fill `gradient` (n_theta + 1,) and `hessian` after `joint_deviance` at the same point."""
    row, col = problem.row, problem.col
    n, r2 = len(row), state.r2[0]
    sum_derivatives(problem, 1.0 / sigma2, 0.0, np.bool_(False), state)
    theta_derivatives(problem, Lambda, state, theta)
    # In theta, and in theta and log sigma: (2 / sigma^2) sum u'E_k u, E_k = d Psi / d theta_k
    for k in range(n):
        gradient[k] = theta.gradient[k]
        cross = 0.0
        for v in range(n):
            uu_v = state.uu[row[v], col[v]] * (1.0 if row[v] == col[v] else 2.0)
            cross += theta.jacobian[v, k] * uu_v
        hessian[k, n] = 2.0 * cross / sigma2
        hessian[n, k] = hessian[k, n]
        for m in range(n):
            hessian[k, m] = theta.hessian[k, m]
    gradient[n] = 2.0 * problem.n_obs - 2.0 * r2 / sigma2
    hessian[n, n] = 4.0 * r2 / sigma2
