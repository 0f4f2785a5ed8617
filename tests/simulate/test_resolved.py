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
from hlm.results import read
from hlm.simulate import simulate
from hlm.stages.fit import fit_models
from hlm.stages.simulate import simulate_batch
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
def test_the_fit_job_needs_no_parser(df, limits, tmp_path, monkeypatch):
    """All that it needs of a formula is in the plan and in the file of cross-products."""
    study = Study.from_text(STUDY.replace("DF", df).replace("LIMITS", limits))
    made = make_plan(study, code=fingerprint("fit"))
    made.write(tmp_path / "plan.json")
    plan = type(made).read(tmp_path / "plan.json")
    (batch,) = plan.batches
    simulate_batch(plan, batch.name, tmp_path / "drawn")
    models = [replace(model, terms=None) for model in plan.models]
    drawn = simulate(plan.scenarios[0], models, plan.seed, 0, 4)
    wanted = fit_batch(plan.scenarios[0], models, drawn)["estimates"]

    def refuse(text):
        raise AssertionError(f"the fit job reads the formula {text}")

    for module in list(sys.modules.values()):
        if module.__name__.startswith("hlm.") and getattr(module, "parse", None) is parse:
            monkeypatch.setattr(module, "parse", refuse)
    files = {kind: tmp_path / kind for kind in plan.kinds}
    fit_models(plan, batch.name, tmp_path / "drawn", files=files, receipt=tmp_path / "receipt")
    estimates = read(files["estimates"])
    for name in ("model", "method", "term", "estimate", "se", "df", "lower", "upper"):
        assert_array_equal(estimates[name], wanted[name], name)
