"""Replicates until a precision is reached: the rule, its own bias, the plan, what is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hlm.cli import main
from hlm.cli.precision_lines import missed_lines, policy_lines, standing_lines
from hlm.errors import InputError
from hlm.measures.distance import judged_mcse, ratios
from hlm.measures.performance import performance
from hlm.operations.expected_precision import rounds_to
from hlm.operations.growth import standing_of
from hlm.operations.pilot import Tried
from hlm.plan import Plan, chunks, make_plan
from hlm.plan.rounds import Standing
from hlm.plan.study_summary import summary
from hlm.precision import SHARES, Precision, Target, needed
from hlm.results import FITS
from hlm.study import Study
from hlm.tables.page import table_page
from hlm.tables.wide import scenario_table
from hlm.tables.writing import _with_numbers

from .plan.studies import BIG, FakeStudy

COVERAGE = Precision((Target("coverage", None, 0.01),), at_least=100, at_most=100_000)
STUDY = FakeStudy(units=(10, 30, 50), precision=COVERAGE)
TINY = (Path(__file__).parent / "workflow" / "tiny.yaml").read_text(encoding="utf-8")


def until(text):
    return TINY.replace("replicates: 30", f"replicates: {text}")


# The rule


@pytest.mark.parametrize("takes", [1, 99, 101, 475, 12_345])
def test_a_scenario_ends_with_what_it_takes_in_whole_hundreds(takes):
    """An MCSE that is exactly sqrt(takes/n) in units of its target."""
    expected = max(COVERAGE.at_least, -(-takes // 100) * 100)
    assert rounds_to(COVERAGE, takes)[0] == expected


def test_no_round_more_than_doubles_and_each_adds_a_hundred():
    rng = np.random.default_rng(5)
    for n, ratio in zip(100 * rng.integers(1, 500, 2000), rng.lognormal(0, 1, 2000), strict=True):
        following = COVERAGE.next_number(int(n), float(ratio))
        assert following % 100 == 0
        assert (following == n) == (ratio <= 1 or n >= COVERAGE.at_most)
        assert following <= max(2 * n, n + 100)


def test_the_largest_error_of_all_terms_models_and_inferences_counts_or_that_of_one_term():
    rows = pd.DataFrame(
        [
            ("s", "bias", "x", 0.0, 0.02, 100),
            ("s", "bias", "z", 0.0, 0.05, 100),
            ("s", "bias", "lost", np.nan, np.nan, 0),  # no replicate gives it
            ("s", "rmse", "x", 0.0, 9.00, 100),
            ("t", "failed", "", 0.0, 0.0, 100),
        ],
        columns=["scenario", "measure", "term", "estimate", "mcse", "n"],
    )
    columns = {name: rows[name].to_numpy(copy=True) for name in rows}

    def found(*targets):
        return ratios(Precision(targets, 100, 1000), columns)

    assert found(Target("bias", None, 0.1)) == pytest.approx({"s": 0.5, "t": 0.0})
    assert found(Target("bias", "x", 0.1)) == pytest.approx({"s": 0.2, "t": 0.0})
    both = found(Target("bias", "x", 0.1), Target("rmse", None, 3.0))
    assert both == pytest.approx({"s": 3.0, "t": 0.0})
    columns["mcse"][0] = np.nan
    assert found(Target("bias", "x", 0.1))["s"] == np.inf


def test_the_errors_of_shares_are_those_of_the_table_of_measures_from_a_few_failures_on():
    """And never smaller; of other measures they are the same."""
    rng = np.random.default_rng(11)
    b = rng.standard_normal(5000)
    table = performance({"b": b, "s": np.ones(5000)}, estimate="b", se="s", true=0.0)
    table = table[table["mcse"].notna()]
    judged = judged_mcse(*(table[name] for name in ("measure", "estimate", "mcse", "n")))
    mcse, share = table["mcse"].to_numpy(), table["measure"].isin(SHARES).to_numpy()
    np.testing.assert_array_equal(judged[~share], mcse[~share])
    some = share & (mcse > 0)
    np.testing.assert_allclose(judged[some], mcse[some], rtol=0.02)
    assert (judged[share] > mcse[share]).all()


# What stopping does to the numbers at which one stops

RUNS = 20_000


def at_stops(draw, mcse, rule):
    """Return the sums, and the replicates, of runs that stop by the rule.

    `draw(n)` gives sums over n more replicates of each run, (RUNS, k); `mcse(sums, n)` the MCSE in
    units of its target.
    """
    n = np.full(RUNS, rule.at_least)
    sums = draw(n)
    while True:
        ratio = mcse(sums, n)
        more = np.array([rule.next_number(int(a), float(r)) for a, r in zip(n, ratio, strict=True)])
        more -= n
        if not more.any():
            return sums, n
        sums = sums + draw(more)
        n = n + more


def shares_at_stops(p, target, at_least, *, plain=False):
    """Return the reported share in units of its target from p; with `plain` by its own MCSE."""
    rng = np.random.default_rng(3)
    rule = Precision((Target("coverage", None, target),), at_least, 10**9)

    def mcse(hits, n):
        share = hits / n
        own = np.sqrt(share * (1 - share) / n)
        return (own if plain else judged_mcse(["coverage"] * RUNS, share, own, n)) / target

    hits, n = at_stops(lambda n: rng.binomial(n, p), mcse, rule)
    return (hits / n - p) / target


STOPS = [(0.95, 0.01, 100), (0.95, 0.01, 500), (0.95, 0.005, 500), (0.8, 0.01, 500),
         (0.5, 0.01, 500), (0.99, 0.002, 500)]  # fmt: skip


@pytest.mark.parametrize(("p", "target", "at_least"), STOPS)
def test_a_reported_share_is_biased_by_a_small_part_of_its_error(p, target, at_least):
    """By (2p - 1)/(p (1 - p)) MCSE at most, in units of the MCSE, and never by a fifth of it."""
    error = shares_at_stops(p, target, at_least)
    chance = 4 * error.std() / np.sqrt(RUNS)
    expected = (2 * p - 1) / (p * (1 - p)) * target
    assert -chance < error.mean() < expected + chance
    assert error.mean() < 0.2
    assert np.sqrt(np.mean(error**2)) < 1.02


def test_to_stop_by_the_error_of_a_share_of_one_would_be_worse():
    """Of 100 intervals all cover, in a third of the runs: their MCSE is 0."""
    plain, ours = (shares_at_stops(0.99, 0.005, 100, plain=plain) for plain in (True, False))
    assert plain.mean() > 0.7
    assert ours.mean() < 0.2


def test_a_reported_mean_is_biased_by_its_skewness():
    """By -skewness/sqrt(n) of its MCSE at most, here -2/20: there are more than n replicates."""
    rng = np.random.default_rng(8)
    rule = Precision((Target("bias", None, 0.05),), 100, 10**9)

    def draw(n):
        of_run = np.repeat(np.arange(RUNS), n)
        values = rng.exponential(size=len(of_run))
        powers = (values, values**2)
        return np.stack([np.bincount(of_run, power, RUNS) for power in powers], axis=1)

    def mcse(sums, n):
        mean, square = sums.T / n
        return np.sqrt((square - mean**2) / (n - 1)) / 0.05

    sums, n = at_stops(draw, mcse, rule)
    error = (sums[:, 0] / n - 1.0) / 0.05
    assert -0.1 - 4 / np.sqrt(RUNS) < error.mean() < -0.04
    assert error.std() == pytest.approx(1.0, abs=0.06)


# The plan


def after(plan, ratios_of, **options):
    """Plan the next round, all batches of the last one being finished."""
    standing = plan.standing.after(ratios_of, plan.precision)
    return make_plan(STUDY, previous=plan, standing=standing, done=lambda _: True, **options)


def work(plan):
    return [
        (part.scenario, model.name, replicate)
        for batch in plan.batches
        for part in batch.ranges
        for model in batch.models
        for replicate in range(part.start, part.stop)
    ]


def test_scenarios_have_numbers_of_their_own_and_nothing_is_computed_twice():
    first = make_plan(STUDY, batch_seconds=0.01)
    a, b, c = (scenario.key for scenario in STUDY.scenarios)
    assert {first.replicates_of(key) for key in (a, b, c)} == {100}
    second = after(first, {a: 1.0, b: 1.2, c: 9.0}, batch_seconds=0.01)
    assert [second.replicates_of(key) for key in (a, b, c)] == [100, 200, 200]
    third = after(second, {b: 0.5, c: 3.0}, batch_seconds=0.01)
    assert [third.replicates_of(key) for key in (a, b, c)] == [100, 200, 400]
    assert {batch.name for batch in second.batches} <= {batch.name for batch in third.batches}
    models = [model.name for model in STUDY.models]
    wanted = [
        (key, model, replicate)
        for key in (a, b, c)
        for model in models
        for replicate in range(third.replicates_of(key))
    ]
    assert sorted(work(third)) == sorted(wanted)
    assert not third.is_settled
    assert third.is_partial
    assert [scenario.key for scenario in third.summarized] == [c]
    assert [one.key for chunk in chunks(third) for one in chunk] == [c]
    last = after(third, {c: 1.0}, batch_seconds=0.01)
    assert last.is_settled
    assert last.summarized == STUDY.scenarios
    assert last.wanted == third.wanted


def test_what_is_there_is_kept_when_a_study_begins_anew(tmp_path):
    """A smaller target: the rounds are those of a study that never had another one."""
    first = make_plan(STUDY, batch_seconds=0.01)
    keys = [scenario.key for scenario in STUDY.scenarios]
    grown = after(first, dict.fromkeys(keys, 9.0), batch_seconds=0.01)
    finer = STUDY.but(precision=replace(COVERAGE, targets=(Target("coverage", None, 0.005),)))
    standing = standing_of(finer, code="", previous=grown, folder=tmp_path)
    assert set(standing.numbers.values()) == {100}
    again = make_plan(finer, previous=grown, standing=standing, done=lambda _: True)
    assert again.batches == grown.batches
    assert again.replicates == 100
    fewer = STUDY.but(models=(BIG,))
    assert set(standing_of(fewer, code="", previous=grown, folder=tmp_path).numbers.values()) == {
        100
    }
    # A batch that is not finished and goes beyond what is wanted now is not done.
    undone = make_plan(finer, previous=grown, standing=standing)
    assert max(part.stop for batch in undone.batches for part in batch.ranges) == 100


def test_a_scenario_that_is_added_leaves_the_others_where_they_are(tmp_path):
    known = standing_of(STUDY, code="", previous=None, folder=tmp_path)
    keys = [scenario.key for scenario in STUDY.scenarios]
    grown = known.after(dict.fromkeys(keys, 9.0), COVERAGE).after({keys[0]: 0.5}, COVERAGE)
    plan = make_plan(STUDY, standing=grown)
    more = STUDY.but(units=(50, 20, 10))
    standing = standing_of(more, code="", previous=plan, folder=tmp_path)
    assert list(standing.numbers.values()) == [200, 100, 200]
    assert standing.reached == {keys[0]: True}


def test_a_plan_with_a_precision_is_read_as_it_was_written(tmp_path):
    plan = after(make_plan(STUDY), {STUDY.scenarios[0].key: 0.3})
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan
    fixed = make_plan(STUDY.but(precision=None))
    assert "precision" not in fixed.to_json()
    assert "standing" not in fixed.to_json()


# What is said


MISTAKES = {
    "{until: {coverge: 0.01}}": ["until.coverge: 'coverge' is no measure", "'coverage'"],
    "{until: {n_used: 0.01}}": ["until.n_used: 'n_used' has no Monte Carlo standard error"],
    "{until: {relative_precision: 1}}": ["'relative_precision' is no measure"],
    "{until: {bias: 0, mse: -1}}": ["until.bias: 0 is not allowed", "until.mse: -1", "above 0"],
    "{at_least: 100}": ["replicates.until: the key is missing"],
    "{until: {}}": ["replicates.until: there is nothing in it"],
    "{until: 0.01}": ["replicates.until: 0.01 is not allowed", "'{coverage: 0.01}'"],
    "{until: {bias: 1}, at_least: 500, at_most: 400}": ["at_least: 500 is more than at_most, 400"],
    "{until: {bias: 1}, at_least: 150}": ["at_least: 150", "a multiple of 100", "'200'"],
    "{until: {bias: 1}, at_least: 30}": ["at_least: 30 is not allowed", "at least 100"],
    '{until: {"bias[z]": 1}}': ["until.bias[z]: no model has the term 'z'", "sd_x|unit"],
    '{until: {"bias[x": 1}}': ["'bias[x' names no term"],
    "{mcse: {bias: 1}, max: 100}": ["mcse: unknown key", "'until'", "max: unknown", "'at_most'"],
    "{until: {coverage: 0.001}, at_most: 10000}": ["takes 47,500 replicates", "0.0022 or more"],
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_are_said_with_path_and_line(text):
    with pytest.raises(InputError) as caught:
        Study.from_text(until(text), file="s.yaml")
    said = str(caught.value)
    assert all(error.file == "s.yaml:3" for error in caught.value.errors)
    assert all(words in said for words in MISTAKES[text]), said


def test_a_share_takes_as_many_as_the_binomial_says():
    """Morris, White and Crowther (2019): 1,900 for a coverage of 95 %, 10,000 for any share."""
    assert needed(0.95, 0.005) == 1900
    assert needed(0.5, 0.005) == 10_000


def test_scenarios_that_never_have_the_precision_are_named():
    keys = [scenario.key for scenario in STUDY.scenarios]
    standing = Standing(
        dict.fromkeys(keys, 100_000), {keys[0]: True, keys[1]: False, keys[2]: True}
    )
    plan = make_plan(STUDY, standing=standing)
    (line,) = missed_lines(plan)
    assert line.startswith("1 scenario does not have it with 100,000 replicates")
    assert keys[1] in line
    page = table_page(_with_numbers(scenario_table(plan), plan), "Points")
    assert page.count('<td class="key">no</td>') == 1
    assert page.count("100000") == 3
    said = summary(plan)["precision"]
    assert "coverage 0.01; at 1 point of the grid 100,000 data sets, the most allowed, are" in said
    assert summary(make_plan(STUDY.but(precision=None)))["precision"] == ""


def test_where_a_run_stands_is_said_in_two_lines():
    keys = [scenario.key for scenario in STUDY.scenarios]
    plan = make_plan(STUDY, standing=Standing(dict(zip(keys, (100, 200, 400), strict=True))))
    assert list(standing_lines(plan)) == [
        "0 of 3 scenarios have the precision that the study asks for",
        "this round: 3 scenarios of 100 to 400 replicates",
    ]
    plan = after(plan, {keys[0]: 1.0, keys[1]: 1.5, keys[2]: 0.5})
    assert list(standing_lines(plan)) == [
        "2 of 3 scenarios have the precision that the study asks for",
        "this round: 1 scenario of 400 replicates",
    ]
    assert not list(missed_lines(plan))
    assert not list(standing_lines(make_plan(STUDY.but(precision=None))))


def expected(folder, capsys, text):
    (folder / "study.yaml").write_text(until(text), encoding="utf-8")
    assert main(["check", str(folder / "study.yaml")]) == 0
    return capsys.readouterr().out


def test_check_says_what_to_expect(tmp_path, capsys):
    """Of sigma of a balanced design: its relative error is known, and so is what it takes."""
    out = expected(tmp_path, capsys, "2000")
    assert "Monte Carlo standard errors of 2,000 replicates" in out
    (line,) = [line for line in out.splitlines() if line.startswith("coverage ")]
    assert 0.004 < float(line.split()[1]) < 0.05
    text = '{until: {"bias[sigma]": 0.001, "coverage[x]": 0.0001}, at_most: 9000000}'
    with pytest.raises(InputError, match=r"takes 4,750,000 replicates|at_most"):
        Study.from_text(until(text.replace("9000000", "1000000")))
    out = expected(tmp_path, capsys, text.replace("0.0001}", "0.005}").replace("9000000", "5000"))
    (line,) = [line for line in out.splitlines() if line.startswith("bias[sigma] ")]
    # sd(sigma) is about sigma/sqrt(2 df), with df = units (rows - 2) of the smaller units.
    takes = float(line.split()[2].replace(",", ""))
    assert takes == pytest.approx(0.75**2 / (2 * 8 * 3) / 0.001**2, rel=0.25)
    assert "warning: bias[sigma] takes about" in out
    assert "about 5,000 replicates of a scenario, in 5 rounds" in out


STUDY_WITH_TWO_MODELS = """
name: two
seed: 1
replicates: 100
truth:
  formula: y ~ 1 + (1 | g)
  fixed: {(Intercept): 0}
  random: {g: {sd: {(Intercept): 0}}}
  residual: {sd: 1}
design: {units: 5, rows: 4, covariates: {x: {level: row, distribution: normal}}}
models: {a: y ~ 1 + (1 | g), b: y ~ x + (1 | g)}
"""


def test_a_policy_that_seems_to_leave_nobody_is_said_before_the_run():
    """Of one model all fits tried are singular, of the other one fit counts; none has failed."""
    study = Study.from_text(STUDY_WITH_TWO_MODELS + "policies: [all, converged, nonsingular]\n")
    plan, n = make_plan(study), 3
    fits = {name: np.zeros(2 * n) for name in FITS.names}
    fits |= {"scenario": [plan.scenarios[0].key] * 2 * n, "model": ["a"] * n + ["b"] * n}
    fits |= {"method": ["ml"] * 2 * n, "status": ["ok"] * 2 * n}
    fits["singular"] = [True] * n + [True, False, True]
    whole = pa.table(
        {field.name: pa.array(fits[field.name]).cast(field.type) for field in FITS}, schema=FITS
    )
    tried = [Tried(plan.scenarios[0], n, {"fits": whole})]
    (line,) = policy_lines(plan, tried)
    assert line.startswith("warning: policies: 'nonsingular' seems to leave nobody of a, ML: none")
    assert line.endswith("of 3 fits that were tried")
