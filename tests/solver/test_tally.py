"""Tallies that add up, variables and goals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from hlm.solver import Goal, Tally, Tolerance, Variable
from hlm.solver.ledger import Ledger
from tests.solver.oracles import drawing


def test_pooled_tallies_are_those_of_all_values():
    rng = np.random.default_rng(1)
    parts = [rng.gamma(2.0, size=n) for n in (1, 5, 300, 1200)]
    total = Tally(0, 7, np.nan, np.nan, share=False)
    for x in parts:
        total += Tally(
            x.size, x.size + 1, x.mean(), x.var(ddof=1) if x.size > 1 else 0.0, share=False
        )
    values = np.concatenate(parts)
    assert total.n == values.size
    assert total.n_drawn == values.size + 11
    assert total.mean == pytest.approx(values.mean(), rel=1e-12)
    assert total.variance == pytest.approx(values.var(ddof=1), rel=1e-12)
    assert total.mcse == pytest.approx(values.std(ddof=1) / np.sqrt(values.size), rel=1e-12)


def test_pooled_shares():
    pooled = Tally.of_share(30, 100) + Tally.of_share(0, 0, 100) + Tally.of_share(270, 300)
    assert (pooled.n, pooled.n_drawn, pooled.mean) == (400, 500, 0.75)
    assert pooled.mcse == pytest.approx(np.sqrt(0.75 * 0.25 / 400))


@pytest.mark.parametrize(
    "variable",
    [
        Variable("units", 5, 101, step=2),
        Variable("units", 5, 101, step=4, origin=3),
        Variable("effect", -1, 1, step=None),
        Variable("proportion", 0.0, 0.5, step=0.05),
    ],
)
def test_admissible_values(variable):
    low, high = variable.bounds
    for x in np.linspace(low, high, 37):
        down, up, near = variable.floor(x), variable.ceil(x), variable.nearest(x)
        assert low <= down <= x + 1e-9 <= up + 2e-9 <= high + 3e-9
        assert abs(near - x) <= min(x - down, up - x) + 1e-9
        assert up - down <= variable.unit(x) * (1 + 1e-9) + 1e-12
        if variable.step is not None:
            k = (near - variable.origin) / variable.step
            assert k == pytest.approx(round(k), abs=1e-9)
        for centre in (low + 0.3 * (high - low), high):
            t = variable.coordinate(np.array([x]), centre)
            assert variable.value(t, centre)[0] == pytest.approx(x, abs=1e-12)
            near_by = centre + 1e-6 * variable.scale(centre)
            assert variable.coordinate(np.array([near_by]), centre)[0] == pytest.approx(
                1e-6, rel=1e-3
            )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"least": 3, "most": 1}, "no value within its range"),
        ({"least": 3, "most": 3, "step": 2}, "no value within its range"),
        ({"least": 3, "most": np.inf}, "has no end"),
        ({"least": 3, "most": 5, "step": 0}, "not above 0"),
    ],
)
def test_ranges_without_a_value(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        Variable("units", **arguments)


@pytest.mark.parametrize(("value", "share"), [(0.0, True), (1.0, True), (-1.0, False)])
def test_goals_that_nothing_can_reach(value, share):
    with pytest.raises(ValueError, match="no measure can be asked to reach"):
        Goal("power", value, share=share)


def test_margins_of_what_was_simulated():
    """By the delta method, from the density at the probit; of logarithms the relative error."""
    margin, error = Goal("power", 0.8).observed(Tally.of_share(9000, 10_000))
    assert margin == pytest.approx(norm.ppf(0.9) - norm.ppf(0.8), abs=1e-3)
    assert error == pytest.approx(0.003 / norm.pdf(norm.ppf(0.9)), rel=2e-3)
    width = Goal("width", 2.0, at_least=False, share=False)
    margin, error = width.observed(Tally(400, 400, 1.0, 0.25, share=False))
    assert margin == pytest.approx(np.log(2.0))
    assert error == pytest.approx(0.025)
    margin, _ = Goal("power", 0.8).observed(Tally.of_share(100, 100))
    assert 1.0 < margin < 2.0


def test_tolerance():
    assert Tolerance(0.02, 0.5).around(200.0, Variable("units", 2, 900)) == 4.0
    assert Tolerance(0.02, 0.5).around(20.0, Variable("units", 2, 900, step=2)) == 1.0
    assert Tolerance(0.02, 0.5).around(-0.3, Variable("x", -1, 1, step=None)) == pytest.approx(
        0.006
    )


def test_a_ledger_asks_each_replicate_once_and_no_more_than_it_may():
    ledger = Ledger([Goal("power", 0.8)], drawing(lambda _: 0.5, seed=1), most=1000)
    ledger.run({(5.0,): 250, (6.0,): 100})
    ledger.run({(5.0,): 100})
    assert ledger.left == 500
    assert ledger.drawn == {(5.0,): 400, (6.0,): 100}
    ledger.run({(7.0,): 900, (8.0,): 100})
    assert ledger.left == 0
    assert ledger.drawn == {(5.0,): 400, (6.0,): 100, (7.0,): 500}
    assert ledger.data_sets == 1000
    assert {point: tally.n for point, (tally,) in ledger.tallies.items()} == ledger.drawn
    ledger.fresh((5.0,), 300)
    assert ledger.tallies[(5.0,)][0].n == 400
    assert ledger.drawn[(5.0,)] == 700
