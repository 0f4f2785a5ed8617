"""Where the search ends, on thousands of small data sets of every kind: at the lowest minimum."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

from benchmarks.optimum import SAME, fit_groups
from benchmarks.small import BLOCKS
from hlm.kernels.search import FEW_ROWS

from .helpers import Data, derivatives, fit, make_workspace, random_data

MANY = 1000


@cache
def _data(number: int) -> Data:
    """Draw data set `number`: 3 to 30 units of 2 to 30 rows, no to strong random effects."""
    rng = np.random.default_rng([7, number])
    blocks = BLOCKS[number % len(BLOCKS)]
    sd = [0.0, 0.1, 0.3, 1.0, 5.0][rng.integers(5)]
    units = int(rng.integers(3, 31))
    balanced = rng.random() < 0.3
    most = int(rng.integers(max(2, sum(blocks) + 1), 31))
    fewest = most if balanced else int(rng.integers(2, most + 1))
    shared = bool(balanced and rng.random() < 0.5)
    return random_data(
        rng,
        blocks=blocks,
        units=units,
        rows=(fewest, most),
        sd=sd,
        unit_columns=int(rng.integers(0, 2)),
        shared=shared,
    )


def _identifiable(data: Data) -> bool:
    return data.n_obs > max(max(data.blocks) * len(data.y), data.p)


CASES = [(k, reml) for k in range(MANY) if _identifiable(_data(k)) for reml in (True, False)]


@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_every_fit_ends_at_a_minimum_of_the_cone(blocks):
    """The gradient vanishes, and no step of rank one out of the boundary leads down."""
    for number, reml in CASES:
        data = _data(number)
        if data.blocks != blocks:
            continue
        found = fit(data, reml=reml)
        assert found.status == "ok", (number, reml)
        assert found.gradient_norm < 1e-5 * max(1.0, np.abs(found.theta).max())
        workspace, row_col = make_workspace(data), data.free
        value, _, _ = derivatives(workspace, data, found.theta, reml=reml)
        assert value == pytest.approx(found.criterion, abs=1e-9)
        Lambda, start = data.Lambda(found.theta), 0
        for size in data.blocks:
            block = slice(start, start + size)
            start += size
            G = np.tril(workspace.state.G[block, block])
            slopes, vectors = np.linalg.eigh(G + np.tril(G, -1).T)
            for slope, v in zip(slopes, vectors.T, strict=True):
                for length in 10.0 ** np.arange(-8.0, 1.0) if slope < 0.0 else ():
                    moved = Lambda.copy()
                    moved[block, block] = _with(Lambda[block, block], length**0.5 * v)
                    risen, _, _ = derivatives(workspace, data, moved[row_col], reml=reml)
                    assert risen > found.criterion - 1e-8, (number, reml, slope, length)


def _with(Lambda, v):
    """Return the lower-triangular factor of Lambda Lambda' + vv'."""
    return np.linalg.qr(np.column_stack([Lambda, v]).T)[1].T


@pytest.fixture(scope="module")
def fits():
    """Identity, as lme4 starts, near zero, and random starts, for thousands of data sets."""
    return fit_groups(range(900, 976), 45)


def test_no_other_start_leads_lower(fits):
    assert len(fits.summary) > 3000
    assert fits.failed == 0
    assert fits.iterations.max() < 50
    assert np.isfinite(fits.criteria).all()
    assert fits.excess.max() < SAME


def test_only_few_rows_have_several_minima(fits):
    """There, other starts end higher; there, the standard fit tries several."""
    several = (fits.higher > SAME).any(axis=(1, 2))
    assert several.any()
    assert fits.n_obs[several].max() <= FEW_ROWS
    assert fits.q[several].min() > 1


@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("q", [1, 2, 3, 4])
def test_the_closed_form_is_the_optimum(q, reml):
    """Where all units share a design, at once; with a Psi of any rank. Else it is searched for."""
    rng, ranks = np.random.default_rng([11, q]), set()
    for _ in range(60):
        data = random_data(
            rng,
            blocks=(q,),
            units=int(rng.integers(q + 2, 16)),
            rows=(q + 4, q + 4),
            shared=True,
            sd=[0.0, 0.1, 0.3, 1.0][rng.integers(4)],
            unit_columns=0,
        )
        exact, searched = (fit(data, reml=reml, shared=shared) for shared in (True, False))
        assert exact.iterations == 0
        assert exact.status == "ok"
        assert exact.criterion == pytest.approx(searched.criterion, abs=1e-8)
        assert exact.random == pytest.approx(searched.random, abs=1e-5, nan_ok=True)
        Lambda = data.Lambda(exact.theta)
        ranks.add(int(np.linalg.matrix_rank(Lambda, tol=1e-6)))
    assert ranks >= set(range(1, q + 1))


class Padded:
    """The criterion by dense V_i, for all units at once: short units are filled up with zeros."""

    def __init__(self, data: Data, *, reml: bool) -> None:
        n = max(len(y) for y in data.y)
        fill = lambda rows: np.pad(rows, [(0, n - len(rows)), (0, 0)])  # noqa: E731
        self.Z = np.array([fill(Z) for Z in data.Z])
        self.F = np.array([fill(np.c_[X, y]) for X, y in zip(data.X, data.y, strict=True)])
        self.data, self.reml = data, reml

    def __call__(self, theta) -> float:
        data, Lambda = self.data, self.data.Lambda(theta)
        root = self.Z @ Lambda
        V = np.eye(root.shape[1]) + root @ root.swapaxes(1, 2)
        S = (self.F.swapaxes(1, 2) @ np.linalg.solve(V, self.F)).sum(0)
        value = np.linalg.slogdet(V)[1].sum()
        value_xx = np.linalg.slogdet(S[:-1, :-1])[1]
        r2 = np.exp(np.linalg.slogdet(S)[1] - value_xx)
        n = data.n_obs - (data.p if self.reml else 0)
        value += n * (1.0 + np.log(2.0 * np.pi * r2 / n))
        return float(value + (value_xx if self.reml else 0.0))


def test_scipy_finds_nothing_lower():
    """BFGS and Nelder-Mead from three starts on a criterion of its own, for fifty fits."""
    some = CASES[::40]
    assert len(some) == 50
    for number, reml in some:
        data = _data(number)
        row, col = data.free
        found, criterion = fit(data, reml=reml), Padded(data, reml=reml)
        assert criterion(found.theta) == pytest.approx(found.criterion, rel=1e-11)
        rng = np.random.default_rng([9, number])
        for start in (1.0 * (row == col), rng.normal(size=len(row))):
            result = scipy_minimize(criterion, start, method="BFGS", options={"gtol": 1e-6})
            assert result.fun > found.criterion - 1e-7, (number, reml)
        start = found.theta + 0.1 * rng.normal(size=len(row))
        result = scipy_minimize(criterion, start, method="Nelder-Mead", options={"maxfev": 300})
        assert result.fun > found.criterion - 1e-7, (number, reml)
