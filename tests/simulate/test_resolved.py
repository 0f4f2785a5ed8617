"""What is resolved when a study is planned and drawn is not resolved again by the fit job."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from numpy.testing import assert_array_equal

from hlm.fits import fit_batch
from hlm.formula import parse
from hlm.operations.fingerprint import fingerprint
from hlm.plan import make_plan
from hlm.results import ESTIMATES, to_table
from hlm.simulate import simulate
from hlm.study import Study

STUDY = """
name: resolved
seed: 3
replicates: 4
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {(Intercept): 1, x: 3, a: -0.15, "x:a": 0.3}
  random: {unit: {sd: {(Intercept): 0.2, x: 0.5}, cor: 0.5}}
  residual: {sd: 0.75}
design:
  units: 8
  rows: 6
  covariates: {a: {level: unit}, x: {level: row}}
models:
  whole: y ~ x * a + (1 + x | unit)
  apart: y ~ x * a + (1 | unit) + (0 + x | unit)
  fewer: y ~ 0 + x + (1 | unit)
estimation: {df: DF, limits: LIMITS, tests: {both: [x, a]}}
"""


@pytest.mark.parametrize(
    ("df", "limits"), [("satterthwaite", "wald"), ("between-within", "profile")]
)
def test_fits_need_no_parser(df, limits, tmp_path, monkeypatch):
    """All that they need of a formula is in the plan and with the cross-products."""
    study = Study.from_text(STUDY.replace("DF", df).replace("LIMITS", limits))
    made = make_plan(study, code=fingerprint("fit"))
    made.write(tmp_path / "plan.json")
    plan = type(made).read(tmp_path / "plan.json")
    models = [replace(model, terms=None) for model in plan.models]
    drawn = simulate(plan.scenarios[0], models, plan.seed, 0, 4)
    wanted = to_table(fit_batch(plan.scenarios[0], models, drawn)["estimates"], ESTIMATES)

    def refuse(text):
        raise AssertionError(f"a fit reads the formula {text}")

    for module in list(sys.modules.values()):
        if module.__name__.startswith("hlm.") and getattr(module, "parse", None) is parse:
            monkeypatch.setattr(module, "parse", refuse)
    found = to_table(fit_batch(plan.scenarios[0], plan.models, drawn)["estimates"], ESTIMATES)
    for name in ("model", "method", "term", "estimate", "se", "df", "lower", "upper"):
        assert_array_equal(found[name], wanted[name], name)
