"""Common random numbers: scenarios that differ in the truth alone have the same draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hlm.plan import Plan
from hlm.simulate import draw_rows
from hlm.study import Study
from tests.results import make_results, summarize_results

STUDY = """\
name: common
seed: 3
replicates: 40
common_random_numbers: true
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {(Intercept): 1.0, a: -0.5, x: 3.0, "x:a": 0.3}
  random: {unit: {sd: {(Intercept): 0.6, x: 0.4}, cor: 0.3}}
  residual: {sd: 0.75}
design:
  units: 12
  rows: 5
  covariates:
    a: {level: unit, distribution: normal}
    x: {level: row, distribution: normal}
grid:
  truth.fixed.x:a: [0.3, 0.8]
models:
  full: y ~ x * a + (1 + x | unit)
estimation: {methods: [reml]}
"""


def rows(text: str, replicate: int) -> list[pd.DataFrame]:
    study = Study.from_text(text)
    return [pd.DataFrame(draw_rows(one, study.seed, replicate)) for one in study.scenarios]


def test_estimates_differ_by_what_the_truths_do(tmp_path):
    """Replicate by replicate: y differs by 0.5 x a, so the estimate of x:a by 0.5, no other one."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    folder = make_results(tmp_path, study=path)
    summarize_results(Plan.read(folder / "plan.json"), folder)
    estimates = pd.read_parquet(folder / "estimates.parquet")
    by_scenario = [
        estimates[estimates["scenario"] == one.key].pivot_table(
            index="replicate", columns="term", values="estimate", observed=True
        )
        for one in Study.load(path).scenarios
    ]
    by_term = by_scenario[1] - by_scenario[0]
    np.testing.assert_allclose(by_term.pop("x:a"), 0.5, rtol=1e-6)
    np.testing.assert_allclose(by_term, 0.0, atol=1e-6)
    # The tables' errors are those of each scenario by itself: bias and MCSE are the same twice.
    measures = pd.read_parquet(folder / "measures.parquet")
    bias = measures[(measures["measure"] == "bias") & (measures["term"] == "x:a")]
    first, second = bias.sort_values("scenario")[["estimate", "mcse"]].to_numpy()
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("path", "levels"),
    [
        ("truth.residual.sd", "[0.75, 1.5]"),
        ("truth.residual.distribution", "[normal, laplace]"),
        ("truth.random.unit.sd.x", "[0.4, 0.8]"),
    ],
)
def test_what_is_not_varied_is_the_same(path, levels):
    one, other = rows(STUDY.replace("truth.fixed.x:a: [0.3, 0.8]", f"{path}: {levels}"), 7)
    pd.testing.assert_frame_equal(one[["x", "a"]], other[["x", "a"]], check_exact=True)
    assert (one["y"] != other["y"]).all()


def test_twice_the_residual_sd_is_twice_each_residual():
    text = STUDY.replace("truth.fixed.x:a: [0.3, 0.8]", "truth.residual.sd: [0.5, 1.0, 1.5]")
    one, two, three = (frame["y"].to_numpy() for frame in rows(text, 7))
    np.testing.assert_allclose(two - one, three - two, rtol=1e-9)


def test_scenarios_are_independent_by_default_and_have_other_keys():
    """The keys of studies without the option are those that they had."""
    without = STUDY.replace("common_random_numbers: true\n", "")
    said_no = STUDY.replace("numbers: true", "numbers: false")
    one, other = rows(without, 7)
    assert not np.isin(one["x"], other["x"]).any()
    keys = [[s.key for s in Study.from_text(text).scenarios] for text in (STUDY, without, said_no)]
    assert keys[1] == keys[2]
    assert not set(keys[0]) & set(keys[1])


def test_a_plan_keeps_the_option(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    plan = Plan.read(make_results(tmp_path, study=path) / "plan.json")
    assert all(one.common_random_numbers for one in plan.scenarios)
    assert plan.scenarios == Study.from_text(STUDY).scenarios
