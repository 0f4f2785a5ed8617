"""What a study is predicted to take, and that no study is cut into too many jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hlm.distributions import Laplace, Points, Uniform
from hlm.operations import pilot
from hlm.operations.forecast import batch_seconds, forecast
from hlm.plan import make_plan
from hlm.plan.cost import estimates_of, replicate_cost
from hlm.plan.cost import tests_of as f_tests_of
from hlm.scenario import Covariate, Model, RatioTest

from .studies import BIG, SMALL, FakeStudy, scenario

X = Covariate("x", "row")
A = Covariate("a", "unit")


PLAIN = replace(BIG, tests=())


def cost(units=30, model=PLAIN, **changes):
    base = replace(scenario(units), covariates=(A, X), n_rows=30)
    return replicate_cost(replace(base, **changes), [model]).compute_seconds


def test_cost_grows_with_the_work():
    assert cost(300) > 5 * cost(30)
    uniform = (A, replace(X, distribution=Uniform(-1.0, 1.0)))
    assert cost(n_rows=300, covariates=uniform) > 1.3 * cost(covariates=uniform)
    assert cost(n_rows=300, residuals=Laplace()) > 1.5 * cost(residuals=Laplace())
    assert cost(n_rows=300) < 1.1 * cost()
    fixed = Covariate("x", "row", Points(tuple(range(30))))
    assert cost() > 1.5 * cost(covariates=(A, fixed))
    assert cost(sd=(0.01, 0.01)) > 1.2 * cost()
    assert cost(model=replace(PLAIN, df=("kenward-roger",))) > 1.2 * cost()
    assert cost(model=replace(PLAIN, df=("satterthwaite", "cr2"))) > 1.2 * cost()
    draws = replace(PLAIN, limits=("bootstrap",), bootstrap=99)
    assert cost(model=draws) > 20 * cost()
    assert cost(model=replace(draws, bootstrap=199)) > 1.9 * cost(model=draws)
    assert cost(model=BIG) > cost()
    profile = replace(PLAIN, limits=("profile",))
    assert cost(model=profile) > 2 * cost()
    assert cost(model=profile, sd=(0.01, 0.01)) > 1.2 * cost(model=profile)


def test_a_likelihood_ratio_test_costs_another_fit():
    """By ML, with the model's own where there is none, or by each method; one row or two each."""
    coefficient, slopes = RatioTest("a", (0, 1), ((0, 1),)), RatioTest("s", (0, 1, 2, 3), ((0,),))
    by_reml, both = (replace(PLAIN, methods=m) for m in (("reml",), ("reml", "ml")))
    one = cost(model=by_reml)
    assert cost(model=replace(by_reml, lrt=(coefficient,))) > 1.5 * one
    assert cost(model=replace(both, lrt=(coefficient,))) < cost(model=both) + one
    assert cost(model=replace(by_reml, lrt=(slopes,))) < one + cost(model=by_reml)
    assert f_tests_of([replace(both, lrt=(coefficient, slopes))]) == 2 * 3


def test_what_is_written_grows_with_the_inferences():
    """Four coefficients by two, four parameters of the random part by three, by two methods."""
    several = replace(
        PLAIN,
        formula="y ~ x * a + (1 + x | unit)",
        methods=("reml", "ml"),
        df=("satterthwaite", "infinite"),
        limits=("wald", "wald-variance", "profile"),
        tests=(("a", ("a", "x:a")),),
    )
    assert estimates_of([several]) == 2 * (4 * 2 + 4 * 3)
    assert f_tests_of([several]) == 2 * 2


@pytest.mark.parametrize(("replicates", "units"), [(10_000, range(10, 10_010)), (10**8, [2000])])
def test_no_study_has_more_than_20000_jobs(replicates, units):
    plan = make_plan(FakeStudy(units=tuple(units), replicates=replicates, models=(BIG,)))
    took = forecast(plan)
    assert 1000 < took.jobs <= 20_000
    assert took.jobs > took.batches
    assert sum(part.stop - part.start for b in plan.batches for part in b.ranges) == (
        len(units) * replicates
    )


def test_more_cores_take_less_time_until_the_batches_run_out():
    took = forecast(make_plan(FakeStudy(replicates=400_000)))
    times = [took.wall_seconds(cores) for cores in (1, 2, 4, 8, 1000)]
    assert times == sorted(times, reverse=True)
    assert times[0] > took.core_seconds - 10.0
    assert times[-1] > took.rest_seconds(1000)
    assert took.wall_seconds(1000) == took.wall_seconds(10_000)


def test_the_batches_take_what_the_study_takes():
    plan = make_plan(FakeStudy(replicates=30_000), batch_seconds=0.5)
    seconds = batch_seconds(plan)
    assert set(seconds) == {batch.name for batch in plan.batches}
    assert sum(seconds.values()) == pytest.approx(forecast(plan).fit_seconds)


def test_a_pilot_corrects_the_prediction_by_the_ratio_of_the_totals(monkeypatch):
    plan = make_plan(FakeStudy(units=tuple(range(10, 200, 10)), models=(BIG, SMALL)))

    def measured(plan, scenario, n):
        slower = 4.0 if scenario.n_units > 100 else 1.0
        return n * slower * replicate_cost(scenario, plan.models).compute_seconds, {}

    monkeypatch.setattr(pilot, "_fitted", measured)
    monkeypatch.setattr(pilot, "SCENARIOS", 400)
    predicted = [replicate_cost(s, plan.models).compute_seconds for s in plan.scenarios]
    large = sum(c for s, c in zip(plan.scenarios, predicted, strict=True) if s.n_units > 100)
    expected = 1.0 + 3.0 * large / sum(predicted)
    assert pilot.cost_ratio(plan) == pytest.approx(expected, rel=0.01)
    twice = forecast(plan, 2.0).fit_seconds - forecast(plan).fit_seconds
    assert twice == pytest.approx(plan.replicates * sum(predicted))


def test_a_pilot_measures():
    from hlm.study import Study

    plan = make_plan(Study.load("tests/workflow/tiny.yaml"))
    assert 0.05 < pilot.cost_ratio(plan) < 50.0


def test_terms_of_other_models_count():
    both = [BIG, Model("constant", "y ~ 1 + (1 | unit)")]
    assert replicate_cost(scenario(30), both).kept_bytes > (
        replicate_cost(scenario(30), [BIG]).kept_bytes
    )
