"""A question in one design -> whether its t or F is exact, and if not, what keeps it from that.

Least squares of balanced designs is generalized least squares whatever the variances are, and the
estimated covariance of a contrast is a multiple of chi-square, of as many degrees of freedom
whatever the variances are. So both are looked at in two truths: this one, and one with other
variances. Degrees of freedom that are the same whole number in both are no approximation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hlm.closed_forms.truth_information import least_squares_covariance

if TYPE_CHECKING:
    from hlm.closed_forms.noncentral import FDistribution
    from hlm.closed_forms.question import Question

__all__ = ["inexact_because", "singular_share"]

Floats = NDArray[np.float64]

SAME = 1e-7
"""The share by which covariances and degrees of freedom that are the same differ by rounding."""


def inexact_because(question: Question, of: FDistribution) -> str:
    """Return why a question's t or F is not exact; nothing if it is, but for singular fits.

    Parameters
    ----------
    question : Question
        In one design, with random effects that all vary.
    of : FDistribution
        What its F is distributed as.
    """
    q = len(question.sd)
    if np.linalg.matrix_rank(question.types.zz[0, 0]) < q:
        return "a unit alone does not determine its random effects"
    other = replace(
        question,
        sd=question.sd * (1.5 + np.arange(q)),
        cor=0.5 * (question.cor + np.eye(q)),
    )
    nu = [_exact_df(question, of), _exact_df(other, other.distribution()[0])]
    if abs(nu[0] - nu[1]) <= SAME * nu[0] and abs(nu[0] - round(nu[0])) <= SAME * nu[0]:
        return ""
    types = question.types
    if np.ptp(types.rows) > 0.0:
        return "the number of rows differs between units"
    if types.zz.shape[1] > 1 and not np.allclose(types.zz, types.zz[:, :1], rtol=SAME):
        return "the random part's covariates differ between units"
    return "its standard error is made of several variances"


def _exact_df(question: Question, of: FDistribution) -> float:
    """Return the degrees of freedom of F; NaN where least squares is another estimator."""
    L = question.contrasts
    least_squares = L @ least_squares_covariance(question.types, question.psi) @ L.T
    size = np.abs(of.covariance).max()
    same = np.abs(least_squares - of.covariance).max() <= SAME * size
    return float(of.nu[0]) if same else float("nan")


def singular_share(question: Question) -> float:
    r"""Return at least how often the fit of a balanced design is singular.

    Each unit's own coefficients (Z'Z)^{-1}Z'y have the covariance Psi + (Z'Z)^{-1}, in units of
    sigma^2. In direction c their variance between units, over c'(Z'Z)^{-1}c s^2 with s^2 that
    within, is 1 + c'Psi c / c'(Z'Z)^{-1}c times F; where that is below 1 the estimate of c'Psi c
    is, unbounded, negative. The answer is that of the worst direction.
    """
    types, psi = question.types, question.psi
    own = np.linalg.inv(types.zz[0, 0])
    between = own @ types.zx[0]
    q, p = between.shape[-2:]
    of_rows = float((types.count * types.rows[0]).sum()) - types.n_units * q
    of_rows -= p - int(np.linalg.matrix_rank(between.reshape(-1, p)))
    worst, start = 0.0, 0
    for size in question.terms.sizes:
        block = slice(start, start + size)
        ratio, c = _least_ratio(psi[block, block], own[block, block])
        of_units = types.n_units - int(np.linalg.matrix_rank(c @ between[:, block]))
        worst = max(worst, float(special.fdtr(of_units, of_rows, 1.0 / (1.0 + ratio))))
        start += size
    return worst


def _least_ratio(psi: Floats, own: Floats) -> tuple[float, Floats]:
    """Return the smallest of c'psi c / c'own c, and c."""
    root = np.linalg.inv(np.linalg.cholesky(own))
    values, vectors = np.linalg.eigh(root @ psi @ root.T)
    return float(values[0]), vectors[:, 0] @ root
