"""What factors of the grid explain of a measure."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from hlm.measures import factor_effects

GRID = pd.DataFrame(
    list(product([10, 30, 100], [5, 15], ["low", "high"])), columns=["units", "rows", "cor"]
)
A = {10: -2.0, 30: 0.0, 100: 2.0}
B = {5: -1.0, 15: 1.0}


def shares(table):
    return table.set_index("effect")["share"]


def test_the_shares_of_a_crossed_grid_by_hand():
    """12 points: 4 x (4 + 0 + 4) = 32 of units, 12 of rows, 2 x (1 + 0 + 1) x 2 = 8 of both."""
    both = GRID["units"].map({10: -1.0, 30: 0.0, 100: 1.0}) * GRID["rows"].map(B)
    y = 7.0 + GRID["units"].map(A) + GRID["rows"].map(B) + both
    table = factor_effects(GRID.assign(estimate=y, mcse=0.0), list(GRID), by=None)
    sums = table.set_index("effect")["sum_of_squares"]
    expected = {"units": 32, "rows": 12, "cor": 0, "units:rows": 8, "units:cor": 0, "rows:cor": 0}
    expected |= {"rest": 0, "total": 52}
    assert sums.to_dict() == pytest.approx(expected, abs=1e-9)
    assert table["df"].tolist() == [2, 1, 1, 2, 2, 1, 2, 11]
    assert shares(table)["units"] == pytest.approx(32 / 52)
    assert shares(table).drop("total").sum() == pytest.approx(1.0)


def residual(columns, y):
    return y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]


def test_effects_of_a_partial_grid_are_differences_of_residual_sums():
    rng = np.random.default_rng(1)
    kept = GRID.iloc[[0, 1, 2, 4, 5, 7, 8, 9, 11]].reset_index(drop=True)
    y, s = rng.normal(size=9), rng.uniform(0.1, 0.2, 9)
    table = factor_effects(
        kept.assign(estimate=y, mcse=s), list(GRID), by=None, interactions=False
    ).set_index("effect")
    columns = {name: pd.get_dummies(kept[name]).to_numpy(float) for name in GRID}
    every = np.hstack([np.ones((9, 1)), *columns.values()])
    for name in GRID:
        others = np.hstack([np.ones((9, 1)), *(c for n, c in columns.items() if n != name)])
        gone = np.sum(residual(others, y) ** 2) - np.sum(residual(every, y) ** 2)
        assert table.sum_of_squares[name] == pytest.approx(gone)
        projections = [residual(x, np.eye(9)) for x in (others, every)]
        diagonal = np.diag(projections[0] - projections[1])
        assert table.by_chance[name] == pytest.approx(np.sum(s**2 * diagonal))
    assert table.sum_of_squares["rest"] == pytest.approx(np.sum(residual(every, y) ** 2))


def test_what_chance_adds_is_taken_out():
    """Of 2000 studies the sums of squares less chance's are, on average, those without error."""
    rng, n = np.random.default_rng(2), 2000
    mean = (GRID["units"].map(A) + GRID["rows"].map(B)).to_numpy()
    s = rng.uniform(0.5, 2.0, len(GRID))
    frames = [
        GRID.assign(estimate=mean + s * rng.normal(size=len(GRID)), mcse=s, study=k)
        for k in range(n)
    ]
    table = factor_effects(pd.concat(frames), list(GRID), by="study")
    left = (table["sum_of_squares"] - table["by_chance"]).groupby(table["effect"])
    error = left.std() / np.sqrt(n)
    for effect, true in {"units": 32, "rows": 12, "cor": 0, "units:rows": 0, "total": 44}.items():
        assert left.mean()[effect] == pytest.approx(true, abs=4 * error[effect])
    assert (table["share"].dropna() >= 0).all()


def test_effects_that_the_scenarios_do_not_tell_apart_are_left_out():
    """One factor follows from the other, and each point is there once."""
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [10, 20, 30], "estimate": [1.0, 2.0, 4.0]})
    table = factor_effects(frame.assign(mcse=0.1), ["a", "b"], by=None)
    assert table["effect"].tolist() == ["total"]
    alone = factor_effects(frame.assign(mcse=0.1), ["a"], by=None)
    assert alone["effect"].tolist() == ["a", "total"]
    assert shares(alone)["a"] == pytest.approx(1.0)


def test_there_are_no_shares_of_what_chance_explains():
    frame = GRID.assign(estimate=np.linspace(0, 0.1, 12), mcse=1.0)
    assert factor_effects(frame, list(GRID), by=None)["share"].isna().all()


def test_an_interaction_of_very_many_levels_is_part_of_the_rest():
    """In a crossed grid the sums of squares are those of any textbook."""
    a, b = 40, 30
    y = np.random.default_rng(3).normal(size=(a, b))
    frame = pd.DataFrame(list(product(range(a), range(b))), columns=["a", "b"])
    table = factor_effects(frame.assign(estimate=y.ravel(), mcse=1.0), ["a", "b"], by=None)
    found = table.set_index("effect")
    assert list(found.index) == ["a", "b", "rest", "total"]
    rows, columns = y.mean(axis=1) - y.mean(), y.mean(axis=0) - y.mean()
    sums = {"a": b * rows @ rows, "b": a * columns @ columns, "total": ((y - y.mean()) ** 2).sum()}
    sums["rest"] = sums["total"] - sums["a"] - sums["b"]
    for effect, expected in sums.items():
        assert found["sum_of_squares"][effect] == pytest.approx(expected)
        assert found["by_chance"][effect] == pytest.approx(found["df"][effect])
    assert found["df"].tolist() == [a - 1, b - 1, (a - 1) * (b - 1), a * b - 1]
