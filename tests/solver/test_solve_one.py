"""The size that a solver finds, against curves of which the size is known exactly."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import t

from hlm.solver import Goal, Tally, Tolerance, Variable, solve_one
from tests.solver.oracles import Remembering, drawing, drawing_widths, exact_power, normal_power

UNITS = Variable("units", 4, 5000)
POWER = Goal("power[x]", 0.8)
DESIGNS = 200
LEAST, MOST = 181, 197
"""Of 200 intervals of level 0.95, 190 hold the truth, with an error of 3.1."""


def found(problems, **options):
    """Return how many intervals hold the truth, and the errors in units of what is allowed."""
    held, errors, data_sets = 0, [], []
    for variable, goal, truth, oracle, predicted in problems:
        answer = solve_one(variable, [goal], oracle, predicted=predicted, confirm=100, **options)
        exact = answer.exact
        held += exact.low <= truth <= exact.high
        errors.append((exact.value - truth) / Tolerance().around(truth, variable))
        data_sets.append(answer.data_sets)
    return held, np.array(errors), np.array(data_sets)


def two_arms(seed, *, closed=None):
    """Yield two-arm trials with a power of 0.5 to 0.95 at 6 to 800 units."""
    rng = np.random.default_rng(seed)
    for k in range(DESIGNS):
        target = float(rng.choice([0.5, 0.7, 0.8, 0.9, 0.95]))
        truth = float(np.exp(rng.uniform(np.log(6), np.log(800))))
        slope = brentq(lambda s, n=truth, p=target: exact_power(n, s) - p, 1e-3, 11 / sqrt(truth))
        wrong = None if closed is None else closed * slope
        predicted = wrong and (lambda point, s=wrong: [ndtr(s * sqrt(point[0]) - 1.96)])
        oracle = drawing(lambda n, s=slope: exact_power(n, s), seed=[seed, k])
        yield UNITS, Goal("power[x]", target), truth, oracle, predicted


@pytest.mark.parametrize(
    "closed",
    [
        pytest.param(None, id="without"),
        pytest.param(1.0, id="normal", marks=pytest.mark.slow),
        pytest.param(0.8, id="wrong"),
    ],
)
def test_intervals_hold_the_true_size(closed):
    """With no closed form; with that of a z test; and with one that takes 56 % more units."""
    held, errors, data_sets = found(two_arms(11, closed=closed))
    assert LEAST <= held <= MOST
    assert (abs(errors) <= 1.0).mean() > 0.92
    assert abs(errors.mean()) < 4 * errors.std() / sqrt(DESIGNS)
    assert np.median(data_sets) < 45_000


def test_information_bounds_the_data_sets():
    """To know n to 1 % at power 0.8 takes v (z/(slope 0.01))^2: a fifth more is enough."""
    variance, slope = 0.16 * 2 * np.pi * np.exp(ndtri(0.8) ** 2), (ndtri(0.8) + ndtri(0.975)) / 2
    bound = variance * (ndtri(0.975) / (slope * 0.01)) ** 2
    assert round(bound) == 39_964
    taken = []
    for seed in range(9):
        answer = solve_one(UNITS, [POWER], drawing(normal_power(0.14), seed=seed), confirm=100)
        assert answer.precise
        taken.append(answer.data_sets)
    assert min(taken) > 0.9 * bound
    assert np.median(taken) < 1.25 * bound


def rows_of_units(seed):
    """Yield designs whose power levels off in rows: a share of the variance is between units."""
    rng = np.random.default_rng(seed)
    for k in range(100):
        target, truth = float(rng.choice([0.5, 0.8, 0.9])), float(np.exp(rng.uniform(1.5, 4.0)))
        between = rng.uniform(0.1, 0.6)
        top = ndtri(target) + 1.96
        oracle = drawing(
            lambda m, f=top, a=between, n=truth: ndtr(f / sqrt(a + (1 - a) * n / m) - 1.96),
            seed=[seed, k],
        )
        yield Variable("rows", 2, 2000), Goal("power[x]", target), truth, oracle, None


def test_a_curve_that_levels_off():
    held, _, _ = found(rows_of_units(21), most_data_sets=60_000)
    assert 88 <= held <= 99


def effects(seed):
    """Yield minimal effects."""
    rng = np.random.default_rng(seed)
    for k in range(100):
        target, truth = float(rng.choice([0.5, 0.8, 0.9])), rng.uniform(0.1, 0.8)
        slope = (ndtri(target) + 1.96) / truth
        oracle = drawing(lambda x, s=slope: ndtr(s * x - 1.96), seed=[seed, k])
        yield Variable("effect", 0, 1, step=None), Goal("power[x]", target), truth, oracle, None


def test_the_minimal_effect():
    held, errors, _ = found(effects(31))
    assert 88 <= held <= 99
    assert (abs(errors) <= 1.0).mean() > 0.9


def widths(seed):
    """Yield widths of t intervals."""
    rng = np.random.default_rng(seed)
    for k in range(100):
        truth = float(np.exp(rng.uniform(np.log(10), np.log(800))))
        wanted = rng.uniform(0.1, 10.0)

        def width(n):
            return t.ppf(0.975, n - 2) / sqrt(n)

        oracle = drawing_widths(
            lambda n, w=wanted, at=truth: w * width(n) / width(at), cv=rng.uniform(0.05, 0.4),
            seed=[seed, k],
        )  # fmt: skip
        yield UNITS, Goal("width[x]", wanted, at_least=False, share=False), truth, oracle, None


def test_the_width_of_intervals():
    held, errors, _ = found(widths(41))
    assert 88 <= held <= 100
    assert (abs(errors) <= 1.0).mean() > 0.9


@pytest.mark.parametrize(
    ("n", "variance", "rho"),
    [
        *((313, 100, 0.2), (625, 200, 0.2), (938, 300, 0.2)),
        *((196, 100, 0.5), (391, 200, 0.5), (586, 300, 0.5)),
        *((79, 100, 0.8), (157, 200, 0.8), (235, 300, 0.8)),
    ],
)
def test_diggle_et_al_page_29(n, variance, rho):
    """Sizes of an arm for slopes at times 0, 2, 5, one-sided, power 0.80, as printed."""
    times = np.array([0.0, 2.0, 5.0])
    of_slope = variance * (1 - rho) / ((times - times.mean()) ** 2).sum()
    oracle = drawing(
        lambda units: ndtr(0.5 * sqrt(units / (2 * of_slope)) - ndtri(0.95)), seed=[n, variance]
    )
    answer = solve_one(Variable("units", 2, 3000), [POWER], oracle, level=0.999, confirm=100)
    assert answer.admissible[0] <= n <= answer.admissible[1]
    assert abs(answer.design.point[0] - n) <= 1 + 0.02 * n


def test_longpower_random_slopes():
    """207.310093 units an arm, as longpower's own tests have it."""
    times = np.arange(0.0, 1.51, 0.25)
    of_slope = 24 + 10 / ((times - times.mean()) ** 2).sum()
    oracle = drawing(lambda units: ndtr(1.5 * sqrt(units / (2 * of_slope)) - ndtri(0.975)), seed=7)
    answer = solve_one(Variable("units", 2, 3000), [POWER], oracle, level=0.999, confirm=100)
    assert answer.exact.low < 207.310093 < answer.exact.high
    assert answer.exact.high - answer.exact.low < 2.2 * 2.07


@pytest.mark.parametrize(("step", "origin", "expected"), [(2, 0, 106), (10, 0, 110), (4, 3, 107)])
def test_the_answer_is_the_smallest_admissible_size(step, origin, expected):
    """The goal is met from 105 on: far from any size that is a multiple of the step."""
    slope = (ndtri(0.8) + ndtri(0.975)) / sqrt(105)
    variable = Variable("units", 4, 1000, step=step, origin=origin)
    oracle = drawing(normal_power(slope), seed=3)
    answer = solve_one(variable, [POWER], oracle, tolerance=Tolerance(relative=0.005, steps=0.0))
    assert answer.design.point == (expected,)
    assert [one.point[0] for one in answer.neighbours] == [expected - step, expected + step]
    for one in (answer.design, *answer.neighbours):
        (measure,) = one.measures
        assert measure.low - 0.005 < normal_power(slope)(*one.point) < measure.high + 0.005


def test_fresh_replicates_are_no_part_of_the_search():
    oracle = Remembering(drawing(normal_power(0.2), seed=5))
    answer = solve_one(UNITS, [POWER], oracle, confirm=3000)
    (last,) = oracle.rounds[-1]
    assert last.point == answer.design.point
    assert last.stop - last.first == 3000 == answer.fresh[0].n
    used = [ask for one in oracle.rounds[:-1] for ask in one if ask.point == last.point]
    assert last.first == max((ask.stop for ask in used), default=0)
    tallies = {one.point: one.tallies[0].n for one in answer.tried}
    assert tallies.get(last.point, 0) == last.first
    p = normal_power(0.2)(*last.point)
    assert abs(answer.fresh[0].mean - p) < 4 * sqrt(p * (1 - p) / 3000)
    assert answer.data_sets == sum(a.stop - a.first for one in oracle.rounds for a in one)


def test_asks_are_whole_hundreds_of_new_replicates():
    oracle = Remembering(drawing(normal_power(0.2), seed=6))
    answer = solve_one(UNITS, [POWER], oracle)
    reached: dict = {}
    for ask in (ask for one in oracle.rounds for ask in one):
        assert ask.first == reached.get(ask.point, 0)
        assert ask.first % 100 == ask.stop % 100 == 0
        assert ask.stop > ask.first
        reached[ask.point] = ask.stop
    assert answer.rounds == len(oracle.rounds)


def test_a_search_resumes_where_it_was_stopped():
    whole = Remembering(drawing(normal_power(0.2), seed=8))
    expected = solve_one(UNITS, [POWER], whole)
    part = dict(list(whole.known.items())[:6])
    resumed = Remembering(whole, known=part)
    assert repr(solve_one(UNITS, [POWER], resumed)) == repr(expected)
    assert resumed.rounds == whole.rounds[: len(resumed.rounds)]
    assert resumed.new == len(whole.known) - 6


def test_too_few_data_sets_are_said():
    oracle = drawing(normal_power(0.1), seed=9)
    answer = solve_one(UNITS, [POWER], oracle, most_data_sets=6000, confirm=1000)
    assert answer.data_sets <= 6000
    assert not answer.precise
    assert sum(one.tallies[0].n for one in answer.tried) == 5000
    with pytest.raises(ValueError, match="takes 1000 data sets at least, not 500"):
        solve_one(UNITS, [POWER], oracle, most_data_sets=1500, confirm=1000)
    truth = ((ndtri(0.8) + ndtri(0.975)) / 0.1) ** 2
    assert answer.exact.low < truth < answer.exact.high
    assert answer.exact.high - answer.exact.low > 0.04 * truth


def test_several_goals_are_all_met():
    """784.9/4 = 196.2 and 137.3 and 256 units: the width decides."""
    rng = np.random.default_rng(10)

    def oracle(asks):
        found = []
        for ask in asks:
            (n,), k = ask.point, ask.stop - ask.first
            shares = [normal_power(0.2)(n), normal_power(0.3)(n)]
            tallies = [Tally.of_share(int(rng.binomial(k, p)), k) for p in shares]
            width = 6.4 / sqrt(n)
            noise = rng.normal(width, 0.1 * width / sqrt(k))
            found.append((*tallies, Tally(k, k, noise, (0.1 * width) ** 2, share=False)))
        return found

    width = Goal("width[x]", 0.4, at_least=False, share=False)
    answer = solve_one(UNITS, [POWER, Goal("power[z]", 0.9), width], oracle)
    assert answer.binding == width
    assert answer.exact.low < 256 < answer.exact.high
    assert len(answer.fresh) == len(answer.design.measures) == 3
    powers = [POWER, Goal("power[z]", 0.9)]
    answer = solve_one(UNITS, powers, lambda asks: [tallies[:2] for tallies in oracle(asks)])
    assert answer.binding == POWER
    assert answer.exact.low - 1 < 196.2 < answer.exact.high + 1


def test_no_effect_is_recognized():
    """Power is the level of the test at any size: it levels off there."""
    held = 0
    for seed in range(20):
        answer = solve_one(UNITS, [POWER], drawing(lambda _: 0.05, seed=[1, seed]))
        assert answer.design is None
        assert answer.data_sets < 15_000
        plateau = answer.unreached.plateau
        held += plateau is not None and plateau.low < 0.05 < plateau.high
        assert abs(answer.unreached.best.mean - 0.05) < 0.02
    assert held >= 17


def test_a_plateau_is_recognized_with_its_height():
    """sqrt(1 + 8/m) times the error of infinitely many rows: power goes to Phi(2.5 - 1.96)."""
    held = 0
    for seed in range(20):
        oracle = drawing(lambda m: ndtr(2.5 / sqrt(1 + 8 / m) - 1.96), seed=[2, seed])
        answer = solve_one(Variable("rows", 2, 500), [POWER], oracle)
        assert answer.design is None
        plateau = answer.unreached.plateau
        held += plateau is not None and plateau.low < ndtr(2.5 - 1.96) < plateau.high
    assert held >= 17


def test_a_range_that_ends_too_early_is_no_plateau():
    for seed in range(10):
        oracle = drawing(normal_power(0.28), seed=[3, seed])
        answer = solve_one(Variable("units", 4, 60), [POWER], oracle)
        assert answer.unreached.point == (60.0,)
        assert answer.unreached.plateau is None
        assert answer.precise
        assert abs(answer.unreached.best.mean - normal_power(0.28)(60)) < 0.05


@pytest.mark.parametrize(
    ("power", "goal"),
    [
        (normal_power(0.28), POWER),
        (lambda _: 1.0, POWER),
        (lambda n: ndtr(2 - 0.05 * sqrt(n)), POWER),
        (normal_power(0.28), Goal("power[x]", 0.03)),
    ],
    ids=["large", "certain", "falling", "below the level"],
)
def test_goals_that_the_smallest_size_meets(power, goal):
    answer = solve_one(Variable("units", 200, 900), [goal], drawing(power, seed=12))
    assert answer.at_least_size
    assert answer.design.point == (200.0,)
    assert answer.precise


def test_a_measure_that_falls_and_is_too_low_everywhere():
    answer = solve_one(UNITS, [POWER], drawing(lambda n: ndtr(0.5 - 0.1 * sqrt(n)), seed=13))
    assert answer.design is None
    assert answer.unreached.point == (4.0,)


def test_a_jump_is_found_to_a_step():
    answer = solve_one(UNITS, [POWER], drawing(lambda n: float(n >= 77), seed=14))
    assert 76 <= answer.exact.value <= 77 or abs(answer.design.point[0] - 77) <= 2


def test_sizes_without_a_measure_are_passed_over():
    """A model of more coefficients than units has no test."""
    inner = drawing(normal_power(0.28), seed=15)

    def oracle(asks):
        return [
            (Tally.of_share(0, 0, ask.stop - ask.first),) if ask.point[0] < 50 else tallies
            for ask, tallies in zip(asks, inner(asks), strict=True)
        ]

    answer = solve_one(UNITS, [POWER], oracle, start=8)
    assert answer.exact.low < 100.09 < answer.exact.high
    few = solve_one(
        UNITS,
        [Goal("power[x]", 0.999)],
        lambda asks: [
            (Tally.of_share(0, 0, 100),) if ask.point[0] > 300 else tallies
            for ask, tallies in zip(asks, inner(asks), strict=True)
        ],
        most_data_sets=50_000,
    )
    assert few.design is None
    assert few.data_sets < 20_000
    nowhere = solve_one(UNITS, [POWER], lambda asks: [(Tally.of_share(0, 0, 100),) for _ in asks])
    assert nowhere.design is None
    assert nowhere.unreached.best.n == 0


@pytest.mark.parametrize("seed", range(5))
def test_nonsense_ends(seed):
    rng = np.random.default_rng(seed)
    answer = solve_one(
        UNITS, [POWER], drawing(lambda _: rng.uniform(), seed=seed), most_data_sets=30_000
    )
    assert answer.data_sets <= 30_000


def test_one_value_only():
    variable = Variable("units", 100, 100)
    answer = solve_one(variable, [POWER], drawing(normal_power(0.35), seed=16))
    assert answer.design.point == (100.0,)
    assert not answer.neighbours
