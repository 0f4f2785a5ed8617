"""The cheapest design that a solver finds, against closed forms of the optimum."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from hlm.errors import InputError
from hlm.solver import Goal, Variable, growing_cost, solve_many
from tests.solver.oracles import Remembering, drawing, normal_power

UNITS, ROWS = Variable("units", 4, 3000, step=2), Variable("rows", 2, 80)
POWER = Goal("power[a]", 0.8)
Z = ndtri(0.975)
PROBLEMS = 30


class ClusterTrial:
    """Half of n units treated, m rows in each, an intraclass correlation, a z test.

    The variance of the difference is 4 (icc + (1 - icc)/m)/n, the cost n (a + b m). The least cost
    of a variance is where m = sqrt((1 - icc)/icc a/b), and is (sqrt(a icc) + sqrt(b (1 - icc)))^2
    times 4/variance.
    """

    def __init__(self, rng):
        self.icc = rng.uniform(0.02, 0.3)
        self.unit, self.row = rng.uniform(50, 500), rng.uniform(5, 40)
        self.target = float(rng.choice([0.7, 0.8, 0.9]))
        self.difference = rng.uniform(0.12, 0.25)
        self.cost = growing_cost(f"{self.unit} * units + {self.row} * units * rows", [UNITS, ROWS])

    def power(self, n, m):
        variance = 4 * (self.icc + (1 - self.icc) / m) / n
        return float(ndtr(self.difference / sqrt(variance) - Z))

    def predicted(self, point):
        """A closed form that has the correlation wrong by a half and forgets some of the error."""
        n, m = point
        variance = 4 * (1.5 * self.icc + (1 - self.icc) / m) / n
        return [ndtr(1.1 * self.difference / sqrt(variance) - Z)]

    @property
    def rows(self):
        return sqrt((1 - self.icc) / self.icc * self.unit / self.row)

    @property
    def per_precision(self):
        return 4 * (sqrt(self.unit * self.icc) + sqrt(self.row * (1 - self.icc))) ** 2

    @property
    def least(self):
        return self.per_precision * ((ndtri(self.target) + Z) / self.difference) ** 2

    def best(self, budget):
        return float(ndtr(self.difference * sqrt(budget / self.per_precision) - Z))


def trials(seed):
    """Yield trials whose best number of rows is within the range."""
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < PROBLEMS:
        trial = ClusterTrial(rng)
        if 3 < trial.rows < 60:
            found.append(trial)
    return found


@pytest.mark.parametrize("closed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_least_cost_and_its_interval(closed):
    held, excess, data_sets = 0, [], []
    for k, trial in enumerate(trials(51)):
        answer = solve_many(
            [UNITS, ROWS],
            [Goal("power[a]", trial.target)],
            drawing(trial.power, seed=[51, k]),
            cost=trial.cost,
            predicted=trial.predicted if closed else None,
            confirm=100,
        )
        assert answer.design.cost == pytest.approx(
            float(trial.cost(np.array([answer.design.point]))[0])
        )
        held += answer.exact.low <= trial.least <= answer.exact.high
        excess.append(answer.design.cost / trial.least - 1)
        data_sets.append(answer.data_sets)
    excess = np.array(excess)
    assert held >= 25
    assert (abs(excess) < 0.015).sum() >= 27
    assert abs(excess).max() < 0.03
    assert np.median(data_sets) < 110_000


@pytest.mark.parametrize("closed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_most_power_for_a_budget(closed):
    held, lost = 0, []
    for k, trial in enumerate(trials(61)):
        budget = trial.least
        answer = solve_many(
            [UNITS, ROWS],
            [Goal("power[a]", 0.8)],
            drawing(trial.power, seed=[61, k]),
            cost=trial.cost,
            budget=budget,
            predicted=trial.predicted if closed else None,
            confirm=100,
        )
        assert answer.design.cost <= budget
        power = trial.power(*answer.design.point)
        held += answer.exact.low <= power <= answer.exact.high
        lost.append(trial.best(budget) - power)
    assert held >= 25
    assert min(lost) > -1e-9
    assert np.mean(lost) < 0.005
    assert max(lost) < 0.02


def test_three_variables():
    """n units of m visits of k rows: (a + b/m + c/(m k))/n, at costs n (p + m (q + r k)).

    The least cost is K (sqrt(a p) + sqrt(b q) + sqrt(c r))^2.
    """
    a, b, c, p, q, r = 0.05, 0.3, 1.0, 300.0, 40.0, 4.0
    variables = [Variable("n", 10, 3000), Variable("m", 1, 60), Variable("k", 1, 60)]

    def power(n, m, k):
        return ndtr(0.08 * sqrt(n / (a + b / m + c / (m * k))) - Z)

    least = (sqrt(a * p) + sqrt(b * q) + sqrt(c * r)) ** 2 * ((ndtri(0.8) + Z) / 0.08) ** 2
    cost = growing_cost("300 * n + 40 * n * m + 4 * n * m * k", variables)
    answer = solve_many(variables, [POWER], drawing(power, seed=71), cost=cost, confirm=100)
    assert answer.precise
    assert abs(answer.design.cost / least - 1) < 0.03
    assert answer.exact.low < least < answer.exact.high


def test_one_variable_is_the_root():
    cost = growing_cost("10 * units", [Variable("units", 4, 3000)])
    answer = solve_many(
        [Variable("units", 4, 3000)], [POWER], drawing(normal_power(0.2), seed=72), cost=cost
    )
    truth = ((ndtri(0.8) + Z) / 0.2) ** 2
    assert answer.exact.low < 10 * truth < answer.exact.high


def test_rows_that_never_pay():
    """Where rows cost as much as units, and are alike, there are as few as can be."""
    trial = ClusterTrial(np.random.default_rng(1))
    trial.icc, trial.difference = 0.5, 0.2
    cost = growing_cost("units + 100 * units * rows", [UNITS, ROWS])
    answer = solve_many([UNITS, ROWS], [POWER], drawing(trial.power, seed=73), cost=cost)
    truth = 4 * 0.75 * ((ndtri(0.8) + Z) / 0.2) ** 2
    assert answer.design.point[1] == 2
    assert abs(answer.design.point[0] - truth) < 0.02 * truth
    assert answer.exact.low < 201 * truth < answer.exact.high
    assert {one.point[1] for one in answer.neighbours} == {2, 3}
    assert all(one.cost == 1 * one.point[0] * (1 + 100 * one.point[1]) for one in answer.neighbours)


def test_two_goals_are_both_met():
    """The power of x is in the rows alone: n m is 2000 at least, and m is better large."""
    trial = ClusterTrial(np.random.default_rng(2))
    trial.icc, trial.difference, trial.unit, trial.row = 0.1, 0.25, 300.0, 10.0
    slope = (ndtri(0.9) + Z) / sqrt(8000)
    oracle = drawing(trial.power, lambda n, m: ndtr(slope * sqrt(n * m) - Z), seed=74)
    cost = growing_cost("300 * units + 10 * units * rows", [UNITS, ROWS])
    goals = [POWER, Goal("power[x]", 0.9)]
    answer = solve_many([UNITS, ROWS], goals, oracle, cost=cost)
    n, m = np.meshgrid(np.arange(4, 1200, 2.0), np.arange(2, 81.0), indexing="ij")
    power = ndtr(0.25 / np.sqrt(4 * (0.1 + 0.9 / m) / n) - Z)
    least = (300 * n + 10 * n * m)[(power >= 0.8) & (n * m >= 8000)].min()
    assert abs(answer.design.cost / least - 1) < 0.03


def test_the_smallest_design_is_enough():
    cost = growing_cost("300 * units + 10 * units * rows", [UNITS, ROWS])
    answer = solve_many([UNITS, ROWS], [POWER], drawing(lambda *_: 0.97, seed=75), cost=cost)
    assert answer.at_least_size
    assert answer.design.point == (4.0, 2.0)


def test_nothing_reaches():
    cost = growing_cost("300 * units + 10 * units * rows", [UNITS, ROWS])
    for power in (0.05, 0.6):
        oracle = drawing(lambda *_, p=power: p, seed=76)
        answer = solve_many([UNITS, ROWS], [POWER], oracle, cost=cost, most_data_sets=50_000)
        assert answer.design is None
        assert abs(answer.unreached.best.mean - power) < 0.15


def test_a_budget_that_is_too_small():
    cost = growing_cost("300 * units + 10 * units * rows", [UNITS, ROWS])
    with pytest.raises(InputError, match="the budget 1000 does not pay") as error:
        solve_many([UNITS, ROWS], [POWER], drawing(lambda *_: 0.5, seed=77), cost=cost, budget=1000)
    assert error.value.allowed == "at least 1280"


def test_it_resumes_and_asks_whole_hundreds():
    trial = ClusterTrial(np.random.default_rng(3))
    options = {"cost": trial.cost, "most_data_sets": 40_000}
    whole = Remembering(drawing(trial.power, seed=78))
    expected = solve_many([UNITS, ROWS], [POWER], whole, **options)
    part = dict(list(whole.known.items())[:9])
    resumed = Remembering(whole, known=part)
    assert repr(solve_many([UNITS, ROWS], [POWER], resumed, **options)) == repr(expected)
    assert resumed.new == len(whole.known) - 9
    assert all(a.first % 100 == a.stop % 100 == 0 for one in whole.rounds for a in one)
    assert expected.data_sets <= 40_000


@pytest.mark.parametrize("seed", range(3))
def test_nonsense_ends_in_the_plane(seed):
    rng = np.random.default_rng(seed)
    cost = growing_cost("units * rows", [UNITS, ROWS])
    oracle = drawing(lambda *_: rng.uniform(), seed=seed)
    answer = solve_many([UNITS, ROWS], [POWER], oracle, cost=cost, most_data_sets=30_000)
    assert answer.data_sets <= 30_000
