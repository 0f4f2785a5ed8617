"""The same inference by brute force: matrices of all rows of a unit, general optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.optimize import minimize

from hlm.kernels.elements import free_elements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hlm.model.result import LmerFit

Floats = NDArray[np.float64]


def unit_rows(fit: LmerFit) -> list[NDArray[np.int64]]:
    """Return the numbers of each unit's rows."""
    return [np.flatnonzero(fit.frame.units == i) for i in range(fit.n_groups)]


class KenwardRoger:
    """Kenward & Roger (1997) as pbkrtest computes it: Sigma = sum gamma_r G_r, unit after unit.

    Phi, P_r, Q_rs and the expected information are those of the article; the parameters are the
    elements of the covariance matrix of the random effects, and sigma^2.
    """

    def __init__(self, fit: LmerFit) -> None:
        p, frame = len(fit.beta), fit.frame
        pairs = list(zip(*free_elements(frame.blocks), strict=True))
        n_r = len(pairs) + 1
        self.phi = np.zeros((p, p))
        P, Q, traces = np.zeros((n_r, p, p)), np.zeros((n_r, n_r, p, p)), np.zeros((n_r, n_r))
        for i in unit_rows(fit):
            X, Z, noise = frame.X[i], frame.Z[i], np.diag(1.0 / frame.weights[i])
            W = np.linalg.inv(Z @ fit.psi @ Z.T + fit.sigma**2 * noise)
            G = [np.outer(Z[:, a], Z[:, b]) for a, b in pairs]
            G = [g if a == b else g + g.T for g, (a, b) in zip(G, pairs, strict=True)]
            WG = [W @ g for g in [*G, noise]]
            self.phi += X.T @ W @ X
            for r in range(n_r):
                P[r] -= X.T @ WG[r] @ W @ X
                for s in range(n_r):
                    Q[r, s] += X.T @ WG[r] @ WG[s] @ W @ X
                    traces[r, s] += np.sum(WG[r] * WG[s].T)
        phi = np.linalg.inv(self.phi)
        information = traces - 2 * np.einsum("ij,rsji->rs", phi, Q)
        information += np.einsum("ij,rjk,kl,sli->rs", phi, P, phi, P)
        W = 2 * np.linalg.pinv(information, hermitian=True)
        inner = Q - np.einsum("rij,jk,skl->rsil", P, phi, P)
        self.phi, self.P, self.W = phi, P, W
        self.vcov = phi + 2 * phi @ np.einsum("rs,rsij->ij", W, inner) @ phi

    def df(self) -> Floats:
        """Two over the variance of the log variance of each coefficient."""
        change = np.einsum("ij,rjk,ki->ri", self.phi, self.P, self.phi) / np.diag(self.phi)
        return 2 / np.einsum("ri,rs,si->i", change, self.W, change)


class Deviance:
    """-2 log-likelihood at (Psi, sigma), beta profiled out.

    Per unit |V| = |I + Z'Z Psi|, and V^-1 by Woodbury's formula; Psi need not be regular.
    """

    def __init__(self, fit: LmerFit) -> None:
        frame, units = fit.frame, unit_rows(fit)
        root = np.sqrt(frame.weights)[:, None]
        Z, F = root * frame.Z, root * np.c_[frame.X, frame.y]
        self.A = np.array([Z[i].T @ Z[i] for i in units])
        self.B = np.array([Z[i].T @ F[i] for i in units])
        self.C = F.T @ F
        self.n_obs, self.constant = len(F), -np.log(frame.weights).sum()

    def parts(self, psi: Floats) -> tuple[float, Floats]:
        """Return log|V| and [X y]'V^-1[X y]."""
        inner = np.eye(len(psi)) + self.A @ psi
        K = psi @ np.linalg.inv(inner)
        return np.linalg.slogdet(inner)[1].sum(), self.C - np.einsum(
            "iqa,iqr,irb->ab", self.B, K, self.B
        )

    def __call__(self, psi: Floats, sigma: float) -> float:
        logdet, S = self.parts(psi)
        r2 = S[-1, -1] - S[-1, :-1] @ np.linalg.solve(S[:-1, :-1], S[:-1, -1])
        return logdet + r2 / sigma**2 + self.n_obs * np.log(2 * np.pi * sigma**2) + self.constant

    def restricted(self, psi: Floats, sigma: float) -> float:
        """REML criterion: plus log|X'V^-1 X / sigma^2| - p log 2 pi."""
        S = self.parts(psi)[1][:-1, :-1]
        return self(psi, sigma) + np.linalg.slogdet(S / sigma**2 / (2 * np.pi))[1]

    def hold(self, j: int, value: float) -> None:
        """Hold coefficient j: without its column, for the response y - value times the column."""
        change = np.delete(np.eye(len(self.C)), j, axis=1)
        change[j, -1] = -value
        self.B, self.C = self.B @ change, change.T @ self.C @ change


SEARCHES = ("BFGS", "Nelder-Mead", "BFGS")


def profile_deviance(
    fit: LmerFit, term: str, value: float, *, starts: int = 3, searches: Sequence[str] = SEARCHES
) -> float:
    """Minimize the deviance with one parameter held at `value`.

    Psi = U U' with square blocks U of full freedom, of which the rows are scaled or turned to hold
    the parameter; from several starts.
    """
    deviance, blocks = Deviance(fit), fit.frame.blocks
    free = block_diag(*(np.ones((size, size)) for size in blocks)) > 0
    pairs = list(zip(*free_elements(blocks), strict=True))
    place = fit.terms.index(term) - len(fit.beta)
    if place < 0:
        deviance.hold(fit.terms.index(term), value)

    def objective(z: Floats) -> float:
        U, sigma = np.zeros(free.shape), np.exp(z[-1])
        U[free] = z[:-1]
        if place == len(pairs):
            sigma = value
        elif place >= 0:
            hold(U, *pairs[place], value, sigma)
        return deviance(U @ U.T, sigma)

    rng = np.random.default_rng(1)
    found = []
    for k in range(starts):
        U = fit.lambda_ if k == 0 else rng.normal(scale=0.3 * k, size=free.shape)
        z = np.append(U[free], np.log(fit.sigma))
        for method in searches:
            z = minimize(objective, z, method=method).x
        found.append(objective(z))
    return min(found)


def hold(U: Floats, a: int, b: int, value: float, sigma: float) -> None:
    """Scale row a to the sd `value`; or turn it to the correlation `value` with row b."""
    length = np.linalg.norm(U[a])
    if a == b:
        direction = U[a] / length if length > 0 else np.eye(len(U))[a]
        U[a] = direction * value / sigma
        return
    along = U[b] / np.linalg.norm(U[b])
    across = U[a] - (U[a] @ along) * along
    if not across.any():
        across = np.linalg.svd(along[None])[2][-1]
    across /= np.linalg.norm(across)
    U[a] = length * (value * along + np.sqrt(1 - value**2) * across)


def hessian(f: Callable[[Floats], float], at: Floats, steps: Floats) -> Floats:
    """Second derivatives by central differences, Richardson's extrapolation of two steps."""

    def plain(steps: Floats) -> Floats:
        E = np.diag(steps)
        return np.array(
            [
                [
                    (f(at + d + e) - f(at + d - e) - f(at - d + e) + f(at - d - e)) / (4 * a * b)
                    for e, b in zip(E, steps, strict=True)
                ]
                for d, a in zip(E, steps, strict=True)
            ]
        )

    return (4 * plain(steps / 2) - plain(steps)) / 3


def prediction_error(fit: LmerFit, x: Floats, z: Floats, unit: int) -> float:
    """SE of x'beta + z'b as a prediction of the unit's own, by the N x N matrix V.

    The best linear unbiased prediction misses by a linear function of y and b; b = 0 in the data
    of a unit that is not among them (`unit` -1).
    """
    frame = fit.frame
    same = np.equal.outer(frame.units, frame.units)
    V = same * (frame.Z @ fit.psi @ frame.Z.T) + np.diag(fit.sigma**2 / frame.weights)
    c = (frame.units == unit) * (frame.Z @ fit.psi @ z)
    phi = np.linalg.inv(frame.X.T @ np.linalg.solve(V, frame.X))
    a = x - frame.X.T @ np.linalg.solve(V, c)
    return float(np.sqrt(z @ fit.psi @ z - c @ np.linalg.solve(V, c) + a @ phi @ a))
