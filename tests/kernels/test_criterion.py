"""The criterion and its derivatives against brute force on N x N matrices."""

from __future__ import annotations

import numpy as np
import pytest

from hlm.datasets import load_sleepstudy
from hlm.formula import parse

from .helpers import (
    Dense,
    criterion_at,
    derivatives,
    fit,
    formula_data,
    make_workspace,
    problem_of,
    random_data,
)

BLOCKS = [(1,), (2,), (1, 1), (3,), (1, 2), (2, 1), (1, 1, 1)]
METHODS = [pytest.param(True, id="reml"), pytest.param(False, id="ml")]


def _thetas(rng, n_theta, diagonal):
    """Return Lambda inside the cone, at its tip, on its faces and with negative elements."""
    inside = rng.normal(size=n_theta)
    face = inside.copy()
    face[np.flatnonzero(diagonal)[-1]] = 0.0
    edge = inside.copy()
    edge[np.flatnonzero(diagonal)[0]] = 0.0
    return [inside, 0.01 * inside, 30.0 * inside, face, edge, np.zeros(n_theta)]


@pytest.mark.parametrize("reml", METHODS)
@pytest.mark.parametrize("shared", [False, True], ids=["general", "shared"])
@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_derivatives_equal_those_of_dense_matrices(blocks, shared, reml):
    rng = np.random.default_rng([1, *blocks, shared])
    data = random_data(rng, blocks=blocks, shared=shared)
    workspace, dense = make_workspace(data, shared=shared), Dense(data, reml=reml)
    row, col = data.free
    for theta in _thetas(rng, len(row), row == col):
        value, gradient, hessian = derivatives(workspace, data, theta, reml=reml)
        assert value == pytest.approx(dense.criterion(theta), rel=1e-12)
        exact = dense.gradient(theta)
        assert np.allclose(gradient, exact, rtol=1e-9, atol=1e-10 * max(1, abs(exact).max()))
        exact = dense.hessian(theta)
        assert np.allclose(hessian, exact, rtol=1e-6, atol=1e-7 * max(1, abs(exact).max()))
        assert np.allclose(workspace.state.beta, dense.beta(theta), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("reml", METHODS)
def test_gradient_is_that_of_the_criterion_by_differences(reml):
    """Central differences of the engine's own criterion, at a singular Lambda too."""
    rng = np.random.default_rng(2)
    data = random_data(rng, blocks=(3,), units=12)
    workspace = make_workspace(data)
    step = 1e-5 * np.eye(6)
    for theta in (rng.normal(size=6), np.array([0.8, 0.3, -0.2, 0.0, 0.0, 0.0])):
        _, gradient, hessian = derivatives(workspace, data, theta, reml=reml)
        at = [
            [derivatives(workspace, data, theta + s * h, reml=reml) for s in (1, -1)] for h in step
        ]
        assert np.allclose([(a[0] - b[0]) / 2e-5 for a, b in at], gradient, atol=1e-6)
        assert np.allclose([(a[1] - b[1]) / 2e-5 for a, b in at], hessian, atol=1e-6)


@pytest.mark.parametrize("reml", METHODS)
def test_units_with_fewer_rows_than_random_effects(reml):
    rng = np.random.default_rng(3)
    data = random_data(rng, blocks=(3,), units=15, rows=(1, 5))
    assert min(len(y) for y in data.y) < 3
    workspace, dense = make_workspace(data), Dense(data, reml=reml)
    theta = rng.normal(size=6)
    value, gradient, hessian = derivatives(workspace, data, theta, reml=reml)
    assert value == pytest.approx(dense.criterion(theta), rel=1e-12)
    assert np.allclose(gradient, dense.gradient(theta), rtol=1e-9)
    assert np.allclose(hessian, dense.hessian(theta), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("reml", METHODS)
def test_shared_and_general_route_agree(reml):
    data = random_data(np.random.default_rng(4), shared=True, units=20)
    a, b = fit(data, reml=reml), fit(data, reml=reml, shared=True)
    assert a.criterion == pytest.approx(b.criterion, abs=1e-10)
    for name in ("theta", "beta", "se", "df", "random", "random_se"):
        assert np.allclose(getattr(a, name), getattr(b, name), rtol=1e-7, equal_nan=True), name


def test_criterion_is_even_in_each_column_of_lambda():
    data = random_data(np.random.default_rng(5))
    workspace = make_workspace(data)
    theta = np.array([0.7, -0.4, 0.9])
    values = [
        derivatives(workspace, data, theta * np.array([s, s, t]), reml=True)[0]
        for s in (1, -1)
        for t in (1, -1)
    ]
    assert values == pytest.approx([values[0]] * 4, abs=1e-11)


def test_sleepstudy_hessian_equals_that_of_mixedmodels_jl():
    """ML; profiled, and with sigma held fixed as MixedModels.jl's ForwardDiff extension has it."""
    data = formula_data(parse("Reaction ~ Days + (Days | Subject)"), load_sleepstudy())
    workspace = make_workspace(data)
    theta = np.array([0.9292255, 0.0181657, 0.2226454])
    _, gradient, profiled = derivatives(workspace, data, theta, reml=False)
    expected = [
        [40.8872, 31.5176, -14.5296],
        [31.5176, 461.4227, 183.5965],
        [-14.5296, 183.5965, 867.5617],
    ]
    assert abs(gradient).max() < 2e-4
    assert np.allclose(profiled, expected, atol=2e-3)
    J, uu, r2 = workspace.work.theta.jacobian, workspace.state.uu, workspace.state.r2[0]
    row, col = data.free
    slope = -J.T @ (uu[row, col] * np.where(row == col, 1.0, 2.0))
    fixed_sigma = [
        [45.41235, 35.93769, 6.35598],
        [35.93769, 465.7402, 203.9974],
        [6.35598, 203.9974, 963.9594],
    ]
    assert np.allclose(profiled + 180 * np.outer(slope, slope) / r2**2, fixed_sigma, rtol=1e-4)


def test_criterion_is_not_defined_for_dependent_columns():
    data = random_data(np.random.default_rng(6), units=5)
    for X in data.X:
        X[:, 2] = 2.0 * X[:, 0]
    assert derivatives_value(data) == np.inf


def derivatives_value(data):
    workspace = make_workspace(data)
    return criterion_at(problem_of(workspace, data, reml=True), np.eye(2), workspace.state)
