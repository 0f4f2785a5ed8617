"""Standard errors of predictions by the matrices of all rows; 1e-9 relative."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

from hlm import lmer

from .brute import prediction_error
from .data import fitted, frame


def rows(fit, new, units):
    """Return x and z of new rows of a model with columns 1, x, a, x:a and 1, x."""
    x, a = new["x"].to_numpy(), new["a"].to_numpy()
    X = np.column_stack([np.ones(len(x)), x, a, x * a])
    names = list(fit.frame.unit_names)
    numbers = [names.index(unit) if unit in names else -1 for unit in units]
    return X, X[:, :2], numbers


NEW = pd.DataFrame({"x": [0.0, 1.5, -2.0, 0.3], "a": [0.5, -1.0, 2.0, 0.0], "unit": [3, 3, 7, 999]})


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("weights", [None, "w"])
def test_error_by_the_matrix_of_all_rows(weights, reml):
    fit = lmer("y ~ x * a + (1 + x | unit)", frame("made"), reml=reml, weights=weights)
    _, se = fit.predict(NEW, se=True, new_units="population")
    X, Z, units = rows(fit, NEW, NEW["unit"])
    expected = [prediction_error(fit, *row) for row in zip(X, Z, units, strict=True)]
    assert se == pytest.approx(expected, rel=1e-9)


def test_error_at_the_boundary():
    fit = fitted("sim_singular", "y ~ x * a + (1 + x | unit)")
    assert fit.singular
    X, Z, units = rows(fit, NEW, NEW["unit"])
    _, se = fit.predict(NEW, se=True, new_units="population")
    expected = [prediction_error(fit, *row) for row in zip(X, Z, units, strict=True)]
    assert se == pytest.approx(expected, rel=1e-9)


def test_error_by_henderson():
    """The inverse of the mixed model equations' matrix (Henderson 1975)."""
    fit = fitted("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)")
    X, m = fit.frame.X, fit.n_groups
    Z = np.zeros((len(X), 2 * m))
    for n, unit in enumerate(fit.frame.units):
        Z[n, 2 * unit : 2 * unit + 2] = fit.frame.Z[n]
    whole = np.column_stack([X, Z])
    prior = block_diag(np.zeros((2, 2)), *[np.linalg.inv(fit.psi)] * m)
    C = np.linalg.inv(whole.T @ whole / fit.sigma**2 + prior)
    new = frame("sleepstudy").iloc[::7]
    prediction, se = fit.predict(new, se=True)
    expected = np.sqrt(np.einsum("na,ab,nb->n", whole[::7], C, whole[::7]))
    assert se == pytest.approx(expected, rel=1e-9)
    assert prediction == pytest.approx(fit.predict(new), rel=1e-15)


def test_unknown_unit_has_the_variance_of_the_population():
    """Var(x'beta) + z'Psi z; rows without a unit are of such units."""
    fit = fitted("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)")
    days = np.array([0.0, 5.0, 9.0])
    x = np.column_stack([np.ones(3), days])
    expected = np.sqrt(np.einsum("na,ab,nb->n", x, fit.vcov + fit.psi, x))
    for new in ({"Days": days, "Subject": [1, 2, 3]}, {"Days": days}):
        found = fit.predict(new, se=True, new_units="population")[1]
        assert found == pytest.approx(expected, rel=1e-10)


def test_errors_are_those_of_repeated_samples():
    """200 data sets with the same design: the spread of prediction less truth, within 15 %."""
    fit = fitted("made", "y ~ x + (1 | unit)")
    data, rng = frame("made"), np.random.default_rng(4)
    new = data.iloc[[0, 100]]
    missed = []
    for _ in range(200):
        b = np.sqrt(fit.psi[0, 0]) * rng.normal(size=fit.n_groups)
        mean = fit.frame.X @ fit.beta + b[fit.frame.units]
        y = mean + fit.sigma * rng.normal(size=len(data))
        missed.append(lmer("y ~ x + (1 | unit)", data.assign(y=y)).predict(new) - mean[[0, 100]])
    assert np.std(missed, axis=0) == pytest.approx(fit.predict(new, se=True)[1], rel=0.15)
